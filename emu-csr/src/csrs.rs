//! Reading and writing: checked accesses of CSR instructions, unchecked ones of debuggers, reset and state visits.

pub use crate::table::Csrs;

use crate::access::{Denied, Effects, Now};
use crate::atp;
use crate::change::{Change, ChangeSink};
use crate::isa::{Ext, Isa};
use crate::mode::Mode;
use crate::table::field::{menvcfg, mnstatus, mstatus};
use crate::table::{self, Decl, Place, Reg, Rule, View};
use crate::warl;

/// What a CSR instruction does with the old value and its operand (Zicsr).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    /// CSRRW, CSRRWI: the operand replaces the value.
    Write,
    /// CSRRS, CSRRSI: the operand's ones are set.
    Set,
    /// CSRRC, CSRRCI: the operand's ones are cleared.
    Clear,
}

impl Op {
    /// The value to write.
    #[inline(always)]
    pub const fn apply(self, old: u64, operand: u64) -> u64 {
        match self {
            Op::Write => operand,
            Op::Set => old | operand,
            Op::Clear => old & !operand,
        }
    }
}

/// mstatus or vsstatus with SD, which is computed: some state is Dirty.
#[inline(always)]
pub(crate) const fn with_sd(status: u64) -> u64 {
    status | if status & mstatus::FS == mstatus::FS { mstatus::SD } else { 0 }
}

impl Csrs {
    /// A hart's registers after reset (Privileged ISA, "Reset").
    pub fn new(isa: Isa, hart_id: u64) -> Csrs {
        let mut csrs = Csrs::zeroed();
        csrs.isa = isa;
        csrs.mhartid = hart_id;
        csrs.misa = isa.misa();
        let lowest = if isa.has(Ext::U) { 0 } else { mstatus::MPP };
        let uxl = if isa.has(Ext::U) { 2 << 32 } else { 0 };
        let sxl = if isa.has(Ext::S) { 2 << 34 } else { 0 };
        // "Upon reset, the MDT field is set to 1"; "Upon reset, NMIE contains the value 0".
        csrs.mstatus = lowest | uxl | sxl | if isa.has(Ext::Smdbltrp) { mstatus::MDT } else { 0 };
        csrs.mnstatus = if isa.has(Ext::Smrnmi) { 0 } else { mnstatus::NMIE };
        if isa.has(Ext::H) {
            csrs.mideleg = warl::bit::HS;
            csrs.hstatus = 2 << 32;
            csrs.vsstatus = 2 << 32;
        }
        csrs.counting = 0b101;
        // "At reset" no comparison has fired: time and every comparand are zero, and the enables that show it are off.
        csrs.lines = warl::bit::STI | warl::bit::VSTI;
        csrs
    }

    /// The same hart with `geilen` guest external interrupts (0 to 63).
    #[must_use]
    pub fn with_geilen(mut self, geilen: u8) -> Csrs {
        self.geilen = u64::from(geilen.min(63));
        self
    }

    /// Reads `csr` as a CSR instruction in `mode` would (Zicsr).
    pub fn read(&self, csr: u16, mode: Mode, now: &Now) -> Result<u64, Denied> {
        let decl = self.resolve(csr, false, mode)?;
        Ok(self.get(decl, mode, now))
    }

    /// Writes `csr` as CSRRW with `rd`=x0 would.
    pub fn write(&mut self, csr: u16, value: u64, mode: Mode, now: &Now, sink: &mut impl ChangeSink) -> Result<Effects, Denied> {
        let decl = self.resolve(csr, true, mode)?;
        Ok(self.put(decl, value, mode, now, sink))
    }

    /// A whole CSR instruction: checks once, reads, and writes if `write` (false for CSRRS and CSRRC with `rs1`=x0).
    /// Gives the value for `rd`.
    #[allow(clippy::too_many_arguments)] // the operands of an instruction and the hart it runs on
    #[inline]
    pub fn read_modify_write(
        &mut self,
        csr: u16,
        op: Op,
        operand: u64,
        write: bool,
        mode: Mode,
        now: &Now,
        sink: &mut impl ChangeSink,
    ) -> Result<(u64, Effects), Denied> {
        let decl = self.resolve(csr, write, mode)?;
        let old = self.get(decl, mode, now);
        if !write {
            return Ok((old, Effects::NONE));
        }
        // "mip and mie": only the software-writable SEIP takes part in a read-modify-write, not the signal OR-ed to it.
        let base = match decl.place {
            Place::View(View::Mip, _) => warl::merge(old, self.mip, warl::bit::SEI),
            _ => old,
        };
        let effects = self.put(decl, op.apply(base, operand), mode, now, sink);
        Ok((old, effects))
    }

    /// The value of `csr` without any check, as M-mode would read it; `None` if this hart does not have it.
    pub fn peek(&self, csr: u16, now: &Now) -> Option<u64> {
        let decl = table::find(csr).filter(|decl| decl.present(self.isa))?;
        Some(self.get(decl, Mode::M, now))
    }

    /// Writes `csr` without access checks, for debuggers; legal values only, as ever. False if this hart does not have it
    /// or it is read-only. The machine must act as after every possible effect.
    pub fn poke(&mut self, csr: u16, value: u64, now: &Now) -> bool {
        match table::find(csr).filter(|decl| decl.present(self.isa) && !decl.read_only()) {
            Some(decl) => {
                self.put(decl, value, Mode::M, now, &mut ());
                true
            }
            None => false,
        }
    }

    /// As [`Csrs::poke`] between two instructions, for native firmware: no instruction makes the write, so none is left out of the
    /// count that it starts. Gives what the machine must do; `None` if this hart does not have the register.
    pub fn assign(&mut self, csr: u16, value: u64, now: &Now) -> Option<Effects> {
        let decl = table::find(csr).filter(|decl| self.isa.contains(decl.needs) && !decl.read_only())?;
        // Counters and events take effect after the writing instruction, inhibition at once (counters.rs).
        let before = match csr {
            table::MCOUNTINHIBIT => *now,
            _ => Now { cycles: now.cycles.wrapping_sub(1), instret: now.instret.wrapping_sub(1), ..*now },
        };
        Some(self.put(decl, value, Mode::M, &before, &mut ()))
    }

    /// What the register reads as.
    #[inline]
    pub(crate) fn get(&self, decl: &Decl, mode: Mode, now: &Now) -> u64 {
        match decl.place {
            Place::Own(Reg::senvcfg) => self.senvcfg & !self.closed_senvcfg(mode),
            Place::Own(reg) => self.get_own(reg),
            Place::View(view, i) => self.get_view(view, i, mode, now),
        }
    }

    /// What an own register reads as: its stored bits, and those that follow from others.
    #[inline(always)]
    pub(crate) fn get_own(&self, reg: Reg) -> u64 {
        self.shown(reg, self.reg(reg))
    }

    /// What an own register reads as when `stored` is stored.
    #[inline(always)]
    fn shown(&self, reg: Reg, stored: u64) -> u64 {
        match reg {
            Reg::mstatus | Reg::vsstatus => with_sd(stored),
            Reg::hstateen0 => stored & self.mstateen0,
            Reg::hstateen1 => stored & self.mstateen1,
            Reg::hstateen2 => stored & self.mstateen2,
            Reg::hstateen3 => stored & self.mstateen3,
            _ => stored,
        }
    }

    /// Writes a register of any kind; access has been checked.
    #[inline]
    pub(crate) fn put(&mut self, decl: &Decl, value: u64, mode: Mode, now: &Now, sink: &mut impl ChangeSink) -> Effects {
        match decl.place {
            Place::Own(reg) => self.put_own(decl, reg, value, mode, now, sink),
            Place::View(view, i) => self.put_view(view, i, value, mode, now, sink),
        }
    }

    /// The bits of senvcfg that are read-only zero for `mode`: SSE while that of menvcfg is, or with V=1 that of henvcfg.
    fn closed_senvcfg(&self, mode: Mode) -> u64 {
        let above = if mode.virt() { self.henvcfg } else { self.menvcfg };
        !above & menvcfg::SSE
    }

    /// Writes an own register by its rule.
    #[inline]
    fn put_own(&mut self, decl: &Decl, reg: Reg, value: u64, mode: Mode, now: &Now, sink: &mut impl ChangeSink) -> Effects {
        let stored = self.reg(reg);
        let new = match decl.rule {
            Rule::Any => value,
            Rule::Mask(mask) => warl::merge(stored, value, mask),
            Rule::Fixed => return Effects::NONE,
            // Hypervisor, "vsatp": with V=1 a write with an unsupported MODE has no effect.
            Rule::Warl(_) if reg == Reg::vsatp && mode.virt() && !atp::legal(self.isa, value) => stored,
            Rule::Warl(legal) if reg == Reg::senvcfg => {
                warl::merge(legal(self, stored, value), stored, self.closed_senvcfg(mode))
            }
            Rule::Warl(legal) => legal(self, stored, value),
        };
        self.store(reg, decl.number, decl.effects, new, mode, now, sink)
    }

    /// Stores a legal value in an own register, reports it, and does what follows from the change inside this crate.
    #[allow(clippy::too_many_arguments)] // a register, by its three facts, and what it is stored in
    #[inline]
    pub(crate) fn store(
        &mut self,
        reg: Reg,
        csr: u16,
        effects: Effects,
        new: u64,
        mode: Mode,
        now: &Now,
        sink: &mut impl ChangeSink,
    ) -> Effects {
        let stored = self.reg(reg);
        let (before, after) = (self.shown(reg, stored), self.shown(reg, new));
        sink.change(Change { csr, before, after });
        let dirty = if reg == Reg::fcsr { self.set_fs_dirty(mode, sink) } else { Effects::NONE };
        if stored == new {
            return dirty;
        }
        *self.reg_mut(reg) = new;
        if effects == Effects::NONE {
            return dirty;
        }
        let effects = refined(reg, stored ^ new, effects);
        if reg == Reg::menvcfg {
            self.open_henvcfg(sink);
        }
        if matches!(reg, Reg::menvcfg | Reg::henvcfg) {
            self.open_sdt(sink);
        }
        if effects.has(Effects::TIMER) {
            self.update_timers(now.time);
        } else if matches!(reg, Reg::hvip | Reg::hgeie | Reg::hstatus) {
            self.refresh_pending();
        }
        if effects.has(Effects::COUNTERS) {
            self.recount(mode, reg, now);
        }
        effects
    }

    /// Shows and hides the bits of henvcfg that a new menvcfg opens and closes.
    fn open_henvcfg(&mut self, sink: &mut impl ChangeSink) {
        if !self.isa.has(Ext::H) {
            return;
        }
        let before = self.henvcfg;
        let whole = self.henvcfg | self.henvcfg_latent;
        self.henvcfg = whole & (self.menvcfg | !warl::HENVCFG_UNDER_M);
        self.henvcfg_latent = whole & !self.henvcfg;
        if before != self.henvcfg {
            sink.change(Change { csr: table::HENVCFG, before, after: self.henvcfg });
        }
    }

    /// Shows and hides SDT of mstatus and vsstatus as DTE of menvcfg and henvcfg has become one or zero.
    fn open_sdt(&mut self, sink: &mut impl ChangeSink) {
        for (i, reg, csr, envcfg) in
            [(1, Reg::mstatus, table::MSTATUS, self.menvcfg), (2, Reg::vsstatus, table::VSSTATUS, self.henvcfg)]
        {
            let old = self.reg(reg);
            let open = envcfg & menvcfg::DTE != 0;
            if open && self.sdt_latent & i != 0 {
                self.sdt_latent &= !i;
                self.set_status(csr, reg, old | mstatus::SDT, sink);
            } else if !open && old & mstatus::SDT != 0 {
                self.sdt_latent |= i;
                self.set_status(csr, reg, old & !mstatus::SDT, sink);
            }
        }
    }

    /// The floating-point state becomes Dirty: mstatus.FS, and with V=1 also vsstatus.FS (Hypervisor, "vsstatus").
    #[inline]
    pub fn set_fs_dirty(&mut self, mode: Mode, sink: &mut impl ChangeSink) -> Effects {
        let mut effects = Effects::NONE;
        if self.mstatus & mstatus::FS != mstatus::FS {
            let before = with_sd(self.mstatus);
            self.mstatus |= mstatus::FS;
            sink.change(Change { csr: table::MSTATUS, before, after: with_sd(self.mstatus) });
            effects = Effects::FP;
        }
        if mode.virt() && self.vsstatus & mstatus::FS != mstatus::FS {
            let before = with_sd(self.vsstatus);
            self.vsstatus |= mstatus::FS;
            sink.change(Change { csr: table::VSSTATUS, before, after: with_sd(self.vsstatus) });
            effects = Effects::FP;
        }
        effects
    }

    /// Every word of state with its name, in a fixed order, to read or to replace: the one list that snapshots, hashes and
    /// comparisons use. After replacing words call [`Csrs::restored`].
    pub fn visit_state(&mut self, visit: &mut dyn FnMut(&'static str, &mut u64)) {
        self.visit_own(visit);
        let mut low = self.isa.0 as u64;
        let mut high = (self.isa.0 >> 64) as u64;
        visit("isa", &mut low);
        visit("isa_high", &mut high);
        self.isa = Isa(u128::from(high) << 64 | u128::from(low));
        visit("geilen", &mut self.geilen);
        visit("mip", &mut self.mip);
        visit("lines", &mut self.lines);
        visit("hgeip", &mut self.hgeip);
        visit("henvcfg_latent", &mut self.henvcfg_latent);
        visit("sdt_latent", &mut self.sdt_latent);
        let mut elp = u64::from(self.elp);
        visit("elp", &mut elp);
        self.elp = elp != 0;
        visit("rnmi_vector", &mut self.rnmi_vector);
        visit("rnmi_exception_vector", &mut self.rnmi_exception_vector);
        visit("counting", &mut self.counting);
        visit("armed", &mut self.armed);
        for (i, base) in self.counter_base.iter_mut().enumerate() {
            visit(table::name(table::MHPMCOUNTER0 + i as u16).unwrap_or("counter_base"), base);
        }
        for (i, event) in self.mhpmevent.iter_mut().enumerate().skip(3) {
            visit(table::name(table::MHPMEVENT0 + i as u16).unwrap_or("mhpmevent"), event);
        }
        visit("tselect", &mut self.triggers.select);
        for [tdata1, tdata2, tdata3] in &mut self.triggers.data {
            visit("tdata1", tdata1);
            visit("tdata2", tdata2);
            visit("tdata3", tdata3);
        }
        for (i, eight) in self.pmpcfg.chunks_exact_mut(8).enumerate() {
            let mut word = eight.iter().rev().fold(0, |word, &cfg| word << 8 | u64::from(cfg));
            visit(if i == 0 { "pmpcfg0" } else { "pmpcfg2" }, &mut word);
            eight.copy_from_slice(&word.to_le_bytes());
        }
        for (i, addr) in self.pmpaddr.iter_mut().enumerate() {
            visit(table::name(table::PMPADDR0 + i as u16).unwrap_or("pmpaddr"), addr);
        }
    }

    /// Recomputes what follows from the state, after `visit_state` replaced some of it.
    pub fn restored(&mut self) {
        self.refresh_pending();
        self.find_filters();
        self.find_triggers();
    }

    /// Every word of state, in `visit_state`'s order.
    pub fn words(&self) -> Vec<u64> {
        let mut words = Vec::with_capacity(192);
        self.clone().visit_state(&mut |_, word| words.push(*word));
        words
    }
}

/// The table's effects of a register, less those that the changed bits cannot have.
fn refined(reg: Reg, changed: u64, effects: Effects) -> Effects {
    use crate::table::field::{hstatus, mseccfg};
    let keep = |bits: u64, flag: Effects| if changed & bits != 0 { flag } else { Effects::NONE };
    match reg {
        Reg::mstatus => keep(mstatus::SUM | mstatus::MXR | mstatus::MPRV | mstatus::MPP | mstatus::MPV, Effects::CONTEXT)
            .with(keep(mstatus::SIE | mstatus::MIE, Effects::INTERRUPTS))
            .with(keep(mstatus::FS, Effects::FP)),
        Reg::vsstatus => keep(mstatus::SUM | mstatus::MXR, Effects::CONTEXT)
            .with(keep(mstatus::SIE, Effects::INTERRUPTS))
            .with(keep(mstatus::FS, Effects::FP)),
        Reg::menvcfg | Reg::henvcfg => keep(menvcfg::STCE, Effects::TIMER.with(Effects::INTERRUPTS))
            .with(keep(menvcfg::PBMTE | menvcfg::ADUE | menvcfg::SSE, Effects::FLUSH))
            .with(keep(menvcfg::LPE, Effects::CONTEXT)),
        Reg::senvcfg => keep(menvcfg::LPE, Effects::CONTEXT),
        Reg::mseccfg => keep(!mseccfg::MLPE, Effects::FLUSH).with(keep(mseccfg::MLPE, Effects::CONTEXT)),
        Reg::hstatus => keep(hstatus::VGEIN, Effects::INTERRUPTS).with(keep(hstatus::SPVP | hstatus::HU, Effects::CONTEXT)),
        _ => effects,
    }
}
