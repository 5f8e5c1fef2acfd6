//! Entering and leaving traps: what emu-csr says, carried out on a hart. Both engines and native firmware use these.

use emu_csr::entry::Entry;
use emu_csr::{Cause, ChangeList, ChangeSink, Effects, Exception, Interrupt, Mode, Trap, field};

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

#[inline]
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

impl Return {
    /// The instruction's mnemonic.
    pub const fn name(self) -> &'static str {
        match self {
            Return::Machine => "mret",
            Return::Supervisor => "sret",
            Return::NonMaskable => "mnret",
        }
    }
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

#[inline(always)]
fn go_back(hart: &mut Hart, bus: &Bus, which: Return, retiring: u64) {
    hart.traps.leave();
    let entry = if hart.observed.mode(hart.mode) { go_back_told(hart, which) } else { popped(hart, which, &mut ()) };
    go(hart, bus, entry, retiring);
    hart.next_pc = entry.pc;
}

/// The return's writes of CSRs.
#[inline(always)]
fn popped(hart: &mut Hart, which: Return, sink: &mut impl ChangeSink) -> Entry {
    match which {
        Return::Machine => hart.csr.mret(sink),
        Return::Supervisor => hart.csr.sret(hart.mode, sink),
        Return::NonMaskable => hart.csr.mnret(sink),
    }
}

/// The same, with a note of it for the observer.
#[cold]
#[inline(never)]
fn go_back_told(hart: &mut Hart, which: Return) -> Entry {
    let mut changes = ChangeList::default();
    let (from, pc, instret) = (hart.mode, hart.pc, hart.instret);
    let entry = popped(hart, which, &mut changes);
    let (to, target) = (entry.mode, entry.pc);
    hart.last_return = Some(Box::new(TrapReturn { hart: hart.index, instret, pc, by: which, from, to, target, changes }));
    hart.events |= event::TOLD;
    entry
}

/// The mode change. `retiring` instructions are not yet in the clocks and count in the old mode.
#[inline(always)]
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
    // Native firmware accesses nothing as M-mode would, and mostly goes back to where the hart's TLB still is.
    let unused = if entry.mode == Mode::M && hart.firmware { Effects::CONTEXT } else { Effects::NONE };
    hart.apply(entry.effects.without(unused));
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
    #[inline(always)]
    pub fn apply(&mut self, effects: Effects) {
        if effects.has(Effects::CONTEXT.with(Effects::FLUSH)) {
            self.translate_anew(effects.has(Effects::FLUSH));
        }
        if effects.has(Effects::TIMER.with(Effects::COUNTERS)) {
            self.events |= event::DEADLINE;
        }
        if effects.has(Effects::INTERRUPTS) && self.csr.interrupt_possible() {
            self.events |= event::INTERRUPTS;
        }
    }

    /// Chooses the translation context again, after dropping all translations if asked to.
    fn translate_anew(&mut self, flush: bool) {
        if flush {
            self.tlb.flush();
            self.events |= event::CONTEXT;
        }
        let before = self.tlb.fetch_name();
        self.recontext();
        if self.tlb.fetch_name() != before {
            self.events |= event::CONTEXT;
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

/// Traps in a row without one instruction retired.
const NO_PROGRESS: u64 = 1_000;
/// Traps in a row without a return. Nested traps are a few deep; firmware that never returns handles no more than some dozens.
const UNRETURNED: u64 = 100_000;

impl Traps {
    /// Whether this is no work any more.
    #[inline]
    pub fn endless(&self) -> bool {
        self.without_progress >= NO_PROGRESS || self.unreturned >= UNRETURNED
    }

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
