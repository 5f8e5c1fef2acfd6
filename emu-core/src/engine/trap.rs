//! Entering and leaving traps: what emu-csr says, carried out on a hart. Both engines and native firmware use these.

use emu_csr::entry::Entry;
use emu_csr::{Cause, ChangeList, Effects, Exception, Interrupt, Mode, Trap, field};

use super::SliceEnd;
use crate::bus::Bus;
use crate::hart::{Hart, event};
use crate::mmu::Walk;
use crate::observer::{Observer, TrapEntry, TrapReturn};

/// Raises an exception at `hart.pc`. Gives [`SliceEnd::EnteredM`] if M-mode took it.
pub fn exception(hart: &mut Hart, bus: &Bus, trap: Trap, observer: &mut Option<&mut dyn Observer>) -> Option<SliceEnd> {
    let (from, pc) = (hart.mode, hart.pc);
    hart.traps.enter(hart.instret);
    let entry = match observer {
        None => hart.csr.enter_exception(from, pc, &trap, &mut ()),
        Some(_) if !told(hart, Cause::Exception(trap.cause)) => hart.csr.enter_exception(from, pc, &trap, &mut ()),
        Some(o) => {
            let walk = hart.explain_fault(bus, &trap);
            let mut changes = ChangeList::default();
            let entry = hart.csr.enter_exception(from, pc, &trap, &mut changes);
            tell(hart, bus, *o, pc, &entry, walk, changes);
            entry
        }
    };
    if trap.cause == Exception::HardwareError {
        hart.hardware_error = hart.poisoned.take();
        // Whoever takes it, the machine logs it first.
        return arrive(hart, bus, entry, observer).or(Some(SliceEnd::Look));
    }
    arrive(hart, bus, entry, observer)
}

/// Whether the observer wants to hear of a trap. One that finds sstatus.SDT=1 may become a double trap, which is M-mode's.
fn told(hart: &Hart, cause: Cause) -> bool {
    hart.observed.mode(hart.csr.delegate(hart.mode, cause).0) || hart.csr.mstatus & field::mstatus::SDT != 0
}

/// Reports a trap that was taken.
fn tell(hart: &mut Hart, bus: &Bus, o: &mut dyn Observer, pc: u64, entry: &Entry, walk: Option<Box<Walk>>, changes: ChangeList) {
    if let Some(cause) = entry.cause
        && !entry.effects.has(Effects::CRITICAL)
        && hart.observed.mode(entry.mode)
    {
        let (from, to, instret) = (hart.mode, entry.mode, hart.instret);
        let csr = &hart.csr;
        // A trap changes no delegation, so the reason can still be asked for.
        let (why, pending) = (csr.delegate(from, cause).1, csr.ready());
        let losers = match cause {
            Cause::Exception(_) => Vec::new(),
            Cause::Interrupt(taken) => Interrupt::ALL
                .into_iter()
                .filter(|&i| i != taken && i != Interrupt::Rnmi && pending & i.mask() != 0)
                .map(|i| (i, csr.delegate(from, Cause::Interrupt(i)).0))
                .collect(),
        };
        // What the handler reads; an RNMI's has no such registers.
        let (tval, tval2, tinst) = match to {
            Mode::M if !csr.nmi_enabled() && csr.mncause == cause.bits() && csr.mnepc == pc => (0, 0, 0),
            Mode::M => (csr.mtval, csr.mtval2, csr.mtinst),
            Mode::VS => (csr.vstval, 0, 0),
            _ => (csr.stval, csr.htval, csr.htinst),
        };
        let index = hart.index;
        let e = TrapEntry { hart: index, instret, pc, from, to, cause, why, pending, losers, tval, tval2, tinst, walk, changes };
        o.trap(&e);
        o.trapped(hart, bus, &e);
        hart.heard(o);
    }
}

/// Takes the pending interrupt of highest priority, if any may be taken now.
pub fn interrupt(hart: &mut Hart, bus: &Bus, observer: &mut Option<&mut dyn Observer>) -> Option<SliceEnd> {
    let (interrupt, target) = hart.csr.pending_interrupt(hart.mode)?;
    let (from, pc) = (hart.mode, hart.pc);
    hart.traps.enter(hart.instret);
    let entry = match observer {
        Some(o) if told(hart, Cause::Interrupt(interrupt)) => {
            let mut changes = ChangeList::default();
            let entry = hart.csr.enter_interrupt(from, pc, interrupt, target, &mut changes);
            tell(hart, bus, *o, pc, &entry, None, changes);
            entry
        }
        _ => hart.csr.enter_interrupt(from, pc, interrupt, target, &mut ()),
    };
    arrive(hart, bus, entry, observer)
}

fn arrive(hart: &mut Hart, bus: &Bus, entry: Entry, observer: &mut Option<&mut dyn Observer>) -> Option<SliceEnd> {
    if entry.effects.has(Effects::CRITICAL) {
        hart.traps.critical = entry.cause.map_or(0, Cause::bits);
        return Some(SliceEnd::CriticalError);
    }
    let from = hart.mode;
    let triggers = hart.csr.triggers_on_traps();
    if triggers {
        hart.csr.icount_counts(from);
    }
    // A trap counts in the mode in which it was raised.
    if hart.csr.counts_traps()
        && let Some(cause) = entry.cause
        && hart.csr.count_trap(cause, entry.mode)
    {
        let now = hart.now(bus);
        let effects = hart.csr.raise_overflows(&now, &mut ());
        hart.apply(effects);
    }
    go(hart, bus, entry, 0);
    hart.pc = entry.pc;
    // A trigger on the trap fires before the handler's first instruction (Debug, itrigger and etrigger). Its own exception fires none:
    // wherever it goes, triggers are prevented from firing in the mode it arrives in.
    if triggers
        && let Some(cause) = entry.cause
        && hart.csr.trap_triggers_fire(cause, from, entry.mode)
    {
        let virt = hart.mode.virt();
        return exception(hart, bus, Trap { gva: virt, ..Trap::new(Exception::Breakpoint, 0) }, observer);
    }
    (entry.mode == Mode::M).then_some(SliceEnd::EnteredM)
}

/// Which trap-return instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Return {
    /// MRET.
    Machine,
    /// SRET.
    Supervisor,
    /// MNRET.
    NonMaskable,
}

/// A trap return as an instruction: writes `next_pc`. The caller has checked that it may.
pub fn ret(hart: &mut Hart, bus: &Bus, which: Return) {
    // The return itself counts in the mode it leaves.
    go_back(hart, bus, which, 1);
}

/// MRET of native firmware, which is no instruction of the hart and retires nothing.
pub fn firmware_ret(hart: &mut Hart, bus: &Bus) {
    go_back(hart, bus, Return::Machine, 0);
}

fn go_back(hart: &mut Hart, bus: &Bus, which: Return, retiring: u64) {
    let (from, pc) = (hart.mode, hart.pc);
    hart.traps.leave();
    let mut changes = ChangeList::default();
    let told = hart.observed.mode(from);
    let entry = match (which, told) {
        (Return::Machine, false) => hart.csr.mret(&mut ()),
        (Return::Machine, true) => hart.csr.mret(&mut changes),
        (Return::Supervisor, false) => hart.csr.sret(from, &mut ()),
        (Return::Supervisor, true) => hart.csr.sret(from, &mut changes),
        (Return::NonMaskable, false) => hart.csr.mnret(&mut ()),
        (Return::NonMaskable, true) => hart.csr.mnret(&mut changes),
    };
    if told {
        let (to, target, instret) = (entry.mode, entry.pc, hart.instret);
        hart.last_return = Some(Box::new(TrapReturn { hart: hart.index, instret, pc, from, to, target, changes }));
        hart.events |= event::TOLD;
    }
    go(hart, bus, entry, retiring);
    hart.next_pc = entry.pc;
}

/// The mode change. `retiring` instructions are not yet in the clocks and count in the old mode.
fn go(hart: &mut Hart, bus: &Bus, entry: Entry, retiring: u64) {
    if hart.csr.counters_by_mode && entry.mode != hart.mode {
        let mut now = hart.now(bus);
        (now.instret, now.cycles) = (now.instret.wrapping_add(retiring), now.cycles.wrapping_add(retiring));
        let effects = hart.csr.on_mode_change(hart.mode, entry.mode, &now);
        hart.apply(effects);
    }
    if hart.csr.triggers_armed() && hart.csr.triggers_watch(hart.mode) != hart.csr.triggers_watch(entry.mode) {
        // Another engine's turn.
        hart.events |= event::DEADLINE;
    }
    hart.mode = entry.mode;
    hart.apply(entry.effects);
}

impl Hart {
    /// An observer has heard something: what it wants from here on.
    pub(super) fn heard(&mut self, o: &dyn Observer) {
        self.observed = o.interest();
        if o.stop() {
            self.events |= event::STOP;
        }
    }

    /// Tells an observer of a return that this hart has just made.
    pub(crate) fn tell_return(&mut self, bus: &Bus, o: &mut dyn Observer, r: &TrapReturn) {
        o.ret(r);
        o.returned(self, bus, r);
        self.heard(o);
    }

    /// Carries out what a CSR write, trap entry or return asks for.
    #[inline]
    pub fn apply(&mut self, effects: Effects) {
        if effects == Effects::NONE {
            return;
        }
        if effects.has(Effects::FLUSH) {
            self.tlb.flush();
            self.events |= event::CONTEXT;
        }
        if effects.has(Effects::CONTEXT.with(Effects::FLUSH)) {
            let before = self.tlb.fetch_name();
            self.recontext();
            if self.tlb.fetch_name() != before {
                self.events |= event::CONTEXT;
            }
        }
        if effects.has(Effects::TIMER.with(Effects::COUNTERS)) {
            self.events |= event::DEADLINE;
        }
        if effects.has(Effects::INTERRUPTS) && self.csr.interrupt_possible() {
            self.events |= event::INTERRUPTS;
        }
    }
}

/// How deep the guest is in traps that never return: what tells an endless trap loop from work.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Traps {
    /// Traps entered since the last return, from any mode.
    pub unreturned: u64,
    /// Traps entered since an instruction retired.
    pub without_progress: u64,
    /// xcause of the trap that stopped the hart ([`SliceEnd::CriticalError`]).
    pub critical: u64,
    instret: u64,
}

impl Traps {
    fn enter(&mut self, instret: u64) {
        self.unreturned += 1;
        self.without_progress = if instret == self.instret { self.without_progress + 1 } else { 1 };
        self.instret = instret;
    }

    fn leave(&mut self) {
        self.unreturned = 0;
    }

    /// Visits the counts, to save them or to restore them.
    pub fn state(&mut self, io: &mut dyn crate::dev::StateIo) {
        io.u64("traps unreturned", &mut self.unreturned);
        io.u64("traps without progress", &mut self.without_progress);
        io.u64("trapped at instret", &mut self.instret);
    }
}
