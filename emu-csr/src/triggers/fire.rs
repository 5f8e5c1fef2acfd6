//! When triggers match and fire (Debug, "Sdtrig": "Priority", "Memory Access Triggers", icount, itrigger, etrigger).

use super::TRIGGERS;
use super::config::{Match, modes};
use super::fields::{icount, kind, kind_of, mcontrol, mcontrol6, on_trap, textra};
use crate::atp;
use crate::csrs::Csrs;
use crate::isa::Ext;
use crate::mode::Mode;
use crate::table::field::{mstatus, tcontrol};
use crate::table::{get, put};
use crate::trap::{Cause, Exception};

/// hit of an mcontrol6 trigger: before the instruction that matched retired.
const BEFORE: u64 = 1;
/// Just after it retired.
const IMMEDIATELY_AFTER: u64 = 3;

/// A memory access as triggers see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Operand {
    /// Virtual address of the first byte.
    pub va: u64,
    /// Bytes of it: what address triggers compare with.
    pub len: u8,
    /// Size by which triggers select accesses; 0 for a cache block, which only those of any size see.
    pub size: u8,
    /// It loads.
    pub load: bool,
    /// It stores.
    pub store: bool,
    /// What it stores, where known.
    pub stored: Option<u64>,
    /// What it has loaded, once known.
    pub loaded: Option<u64>,
}

/// An instruction as triggers see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instruction {
    /// Its address.
    pub pc: u64,
    /// Its bits and its length in bytes; none before it is fetched.
    pub fetched: Option<(u32, u8)>,
    /// Its memory access, if it makes one.
    pub operand: Option<Operand>,
}

impl Csrs {
    /// Whether an engine must look at each instruction in `mode` for triggers.
    #[inline(always)]
    pub fn triggers_watch(&self, mode: Mode) -> bool {
        self.triggers.step_modes != 0 && self.triggers.step_modes >> mode as u8 & 1 != 0
    }

    /// Whether any trigger looks at instructions in some mode.
    #[inline(always)]
    pub fn triggers_armed(&self) -> bool {
        self.triggers.step_modes != 0
    }

    /// Whether a trigger looks at traps.
    #[inline(always)]
    pub fn triggers_on_traps(&self) -> bool {
        self.triggers.traps
    }

    /// Forgets which trigger was written; an engine calls it before each instruction it looks at.
    #[inline(always)]
    pub fn triggers_begin(&mut self) {
        self.triggers.written.0 = None;
    }

    /// Re-entrancy: whether a trigger may match or fire in `mode` now.
    fn may_fire(&self, mode: Mode) -> bool {
        if !self.isa.has(Ext::S) {
            return mode != Mode::M || self.tcontrol & tcontrol::MTE != 0;
        }
        let breakpoint = 1 << Exception::Breakpoint as u8;
        let delegated = self.medeleg & breakpoint != 0;
        match mode {
            Mode::M => self.mstatus & mstatus::MIE != 0,
            Mode::HS => !delegated || self.mstatus & mstatus::SIE != 0,
            Mode::VS => !delegated || self.hedeleg & breakpoint == 0 || self.vsstatus & mstatus::SIE != 0,
            Mode::U | Mode::VU => true,
        }
    }

    /// textra64: the context that a trigger is confined to.
    fn in_context(&self, tdata3: u64, mode: Mode) -> bool {
        let svalue = get(tdata3, textra::SVALUE);
        let s = match get(tdata3, textra::SSELECT) {
            1 => {
                let bytes = get(tdata3, textra::SBYTEMASK);
                let ignored = (0..4).filter(|i| bytes >> i & 1 != 0).fold(0u64, |mask, i| mask | 0xff << (8 * i));
                (self.scontext ^ svalue) & 0xffff_ffff & !ignored == 0
            }
            2 => u64::from(atp::asid(if mode.virt() { self.vsatp } else { self.satp })) == svalue & 0xffff,
            _ => true,
        };
        let (select, value) = (get(tdata3, textra::MHSELECT), get(tdata3, textra::MHVALUE));
        // mhselect's top bit is the value's lowest where its low bits say what to compare with.
        let extended = value << 1 | select >> 2;
        s && match select & 3 {
            0 => select == 0 || self.mcontext & 0x1fff == value,
            1 => self.mcontext & 0x3fff == extended,
            _ => u64::from(atp::vmid(self.hgatp)) == extended & 0x3fff,
        }
    }

    /// Whether trigger `i` is enabled for `mode` and its context.
    fn enabled(&self, i: usize, mode: Mode) -> bool {
        let [tdata1, _, tdata3] = self.triggers.data[i];
        modes(tdata1) >> mode as u8 & 1 != 0 && self.in_context(tdata3, mode)
    }

    /// Whether trigger `i`, an address or data match, matches the instruction; and the address that did.
    fn matches(&self, i: usize, m: &Match, insn: &Instruction) -> Option<u64> {
        let tdata2 = self.triggers.data[i][1];
        if m.execute {
            let hit = match (m.data, insn.fetched) {
                // The length is not known yet, so only one address is, and what needs all of them must wait.
                (false, None) => m.size == 0 && m.compare & 8 == 0 && m.compares(insn.pc, tdata2, 64),
                (false, Some((_, len))) => (m.size == 0 || m.size == len) && m.any_address(insn.pc, len, tdata2),
                (true, None) => false,
                (true, Some((bits, len))) => {
                    (m.size == 0 || m.size == len) && m.compares(u64::from(bits), tdata2, 8 * u32::from(len))
                }
            };
            if hit {
                return Some(insn.pc);
            }
        }
        let o = insn.operand?;
        if !(m.load && o.load || m.store && o.store) || m.size != 0 && m.size != o.size {
            return None;
        }
        let hit = if m.data {
            let bits = 8 * u32::from(o.size);
            let compares = |v: Option<u64>| v.is_some_and(|v| m.compares(v, tdata2, bits));
            o.size != 0 && o.size <= 8 && (m.load && compares(o.loaded) || m.store && compares(o.stored))
        } else {
            m.any_address(o.va, o.len, tdata2)
        };
        hit.then_some(o.va)
    }

    /// Lets the address and data triggers look at an instruction that runs in `mode`, before it executes or, with what it has loaded,
    /// `after`. Every trigger of a chain must match it. Gives the address for xtval if one fires, whose hit bits are set then.
    pub fn triggers_match(&mut self, mode: Mode, insn: &Instruction, after: bool) -> Option<u64> {
        if !self.may_fire(mode) {
            return None;
        }
        let mut fired = None;
        let mut i = 0;
        while i < TRIGGERS {
            // A chain is the triggers from `first` to the first without `chain`.
            let first = i;
            let (mut all, mut late, mut address) = (true, false, None);
            loop {
                let m = Match::of(self.triggers.data[i][0]);
                late |= m.is_some_and(|m| m.after());
                let hit = m.filter(|_| self.enabled(i, mode)).and_then(|m| self.matches(i, &m, insn));
                all &= hit.is_some();
                address = address.or(hit);
                i += 1;
                if i >= TRIGGERS || !m.is_some_and(|m| m.chain) {
                    break;
                }
            }
            if all && late == after {
                use mcontrol6::{HIT0, HIT1};
                for trigger in &mut self.triggers.data[first..i] {
                    let hit = if after { IMMEDIATELY_AFTER } else { BEFORE };
                    trigger[0] = match kind_of(trigger[0]) {
                        kind::MCONTROL => trigger[0] | mcontrol::HIT,
                        _ => trigger[0] & !(HIT0 | HIT1) | put(hit, HIT0) | put(hit >> 1, HIT1),
                    };
                }
                fired = fired.or(address);
            }
        }
        fired
    }

    /// Whether an instruction count fires before the next instruction in `mode`.
    pub fn icount_fires(&mut self, mode: Mode) -> bool {
        if !self.may_fire(mode) {
            return false;
        }
        let mut fired = false;
        for i in 0..TRIGGERS {
            let tdata1 = self.triggers.data[i][0];
            if kind_of(tdata1) == kind::ICOUNT && tdata1 & icount::PENDING != 0 && self.enabled(i, mode) {
                self.triggers.data[i][0] = tdata1 & !icount::PENDING | icount::HIT;
                fired = true;
            }
        }
        if fired {
            self.find_triggers();
        }
        fired
    }

    /// Counts an instruction that retired, or a trap that was taken, in `mode`. `may` says whether triggers could match there.
    pub fn icount_counts(&mut self, mode: Mode) {
        if !self.may_fire(mode) {
            return;
        }
        for i in 0..TRIGGERS {
            let tdata1 = self.triggers.data[i][0];
            let count = get(tdata1, icount::COUNT);
            // A written count is what the next instruction finds.
            if kind_of(tdata1) != kind::ICOUNT || count == 0 || self.triggers.written.0 == Some(i) || !self.enabled(i, mode) {
                continue;
            }
            let pending = if count == 1 { icount::PENDING } else { 0 };
            self.triggers.data[i][0] = tdata1 & !icount::COUNT | put(count - 1, icount::COUNT) | pending;
        }
    }

    /// Whether an interrupt or exception trigger fires on a trap that was taken from `from` and has arrived in `to`, before the handler's
    /// first instruction. Its hit bit is set then.
    pub fn trap_triggers_fire(&mut self, cause: Cause, from: Mode, to: Mode) -> bool {
        if !self.may_fire(to) {
            return false;
        }
        let (wanted, code) = match cause {
            Cause::Exception(e) => (kind::ETRIGGER, e as u8),
            Cause::Interrupt(i) => (kind::ITRIGGER, i as u8),
        };
        let mut fired = false;
        for i in 0..TRIGGERS {
            let [tdata1, tdata2, _] = self.triggers.data[i];
            if kind_of(tdata1) == wanted && tdata2 >> code & 1 != 0 && self.enabled(i, from) {
                self.triggers.data[i][0] |= on_trap::HIT;
                fired = true;
            }
        }
        fired
    }
}
