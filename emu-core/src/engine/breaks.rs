//! Where a debugger wants a hart to stop: at addresses, before accesses, after a step. None of it is guest state: a run that is
//! stopped here and goes on is the run that nobody stopped.
//!
//! Breakpoints are virtual addresses in whatever mode and address space. Nothing is written into guest memory: the block engine builds no
//! block over a halfword whose place in its page is that of a breakpoint ([`Halves`]), so the exact stepper always comes by and
//! compares the whole address. Pages with watched addresses never enter the TLB for data, so every access to them takes the slow path,
//! where the instruction's footprint is compared before it executes.

use super::step::{self, StepEnd, Watch};
use super::{SliceEnd, Turn, trap::Traps};
use crate::bus::Bus;
use crate::hart::Hart;
use crate::insn::{Decoder, Insn, footprint};
use crate::mem::Writer;
use crate::mmu::BLOCK;
use crate::timing::TimingModel;

/// A bit for each halfword of a page.
pub type Halves = [u64; 32];

/// Word and mask of an address's halfword in [`Halves`].
#[inline]
pub fn half(address: u64) -> (usize, u64) {
    let half = (address >> 1) as usize & 2047;
    (half / 64, 1 << (half % 64))
}

/// A range of virtual addresses that are watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Watchpoint {
    /// First byte.
    pub first: u64,
    /// Last byte.
    pub last: u64,
    /// Stop before loads.
    pub load: bool,
    /// Stop before stores.
    pub store: bool,
}

/// Why a hart stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hit {
    /// It is at a breakpoint; the instruction has not executed.
    Breakpoint,
    /// Its instruction is about to access a watched address.
    Watchpoint {
        /// The first watched byte of the access.
        address: u64,
        /// It reads.
        load: bool,
        /// It writes.
        store: bool,
    },
    /// A device or native firmware has accessed a watched address.
    Foreign {
        /// The first watched byte of the access, by the hart's tables of the moment.
        address: u64,
        /// It wrote; otherwise it read.
        store: bool,
        /// Who it was.
        by: Writer,
    },
    /// The step that was asked for is made.
    Step,
}

/// Where one hart stops. Kept in [`Hart::breaks`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Breaks {
    /// Breakpoints in ascending order.
    pub pcs: Vec<u64>,
    /// Watchpoints.
    pub watched: Vec<Watchpoint>,
    /// Stop after a step that leaves this range of addresses; an empty range is left by any step. A step is an instruction
    /// retired, a trap entered (and answered, if native firmware does), or one step of a firmware operation.
    pub step: Option<(u64, u64)>,
    /// Why the hart has stopped, until the machine has told.
    pub hit: Option<Hit>,
    /// pc and cycle at which a stop was told already, and whether that includes its watchpoints.
    told: Option<(u64, u64, bool)>,
}

impl Breaks {
    /// Whether there is nothing to stop for.
    pub fn is_empty(&self) -> bool {
        self.pcs.is_empty() && self.watched.is_empty() && self.step.is_none()
    }

    /// Nothing to stop for; what was told stays told.
    pub(crate) fn clear(&mut self) {
        *self = Breaks { told: self.told, ..Breaks::default() };
    }

    /// Whether breakpoint and watchpoints of this moment were told.
    fn told(&self, pc: u64, cycles: u64) -> (bool, bool) {
        match self.told {
            Some((p, c, watched)) if (p, c) == (pc, cycles) => (true, watched),
            _ => (false, false),
        }
    }
}

impl Hart {
    /// What happens at this very moment is told: going on from here does not stop before the first instruction at its breakpoint,
    /// and if `watched` not at its watchpoints either.
    pub fn leave_breakpoint(&mut self, watched: bool) {
        let (pc, cycles) = (self.pc, self.cycles);
        if let Some(b) = &mut self.breaks {
            let before = b.told(pc, cycles).1;
            b.told = Some((pc, cycles, watched || before));
        }
    }

    /// Whether the hart must stop before the instruction at its pc; [`Breaks::hit`] says why.
    #[cold]
    pub(crate) fn stops_here(&mut self, bus: &mut Bus, decoder: &Decoder) -> bool {
        let (pc, cycles) = (self.pc, self.cycles);
        let Some(b) = &mut self.breaks else { return false };
        let (at, accesses) = b.told(pc, cycles);
        if !at && b.pcs.binary_search(&pc).is_ok() {
            b.hit = Some(Hit::Breakpoint);
            return true;
        }
        if accesses || b.watched.is_empty() {
            return false;
        }
        // What the fetch does besides, the instruction's own would do next. A fetch that faults accesses nothing.
        let Ok((raw, len)) = self.fetch(bus, pc) else { return false };
        self.stops_at(&decoder.decode(raw, len))
    }

    /// Whether the hart must stop before `insn`, which is at its pc, because of what it accesses.
    #[cold]
    pub(crate) fn stops_at(&mut self, insn: &Insn) -> bool {
        let (pc, cycles) = (self.pc, self.cycles);
        let Some(b) = &self.breaks else { return false };
        if b.watched.is_empty() || b.told(pc, cycles).1 {
            return false;
        }
        let Some(a) = footprint(self, insn) else { return false };
        let (first, size) = if a.size == 0 { (a.va & !(BLOCK - 1), BLOCK) } else { (a.va, u64::from(a.size)) };
        let last = first.wrapping_add(size - 1);
        let meets = |w: &&Watchpoint| w.first <= last && first <= w.last && (w.load && a.load || w.store && a.store);
        let Some(w) = b.watched.iter().find(meets) else { return false };
        let hit = Hit::Watchpoint { address: w.first.max(first), load: a.load, store: a.store };
        if let Some(b) = &mut self.breaks {
            b.hit = Some(hit);
        }
        true
    }

    /// A step was made if this is one that was waited for.
    pub(crate) fn stepped(&mut self) {
        let pc = self.pc;
        if let Some(b) = &mut self.breaks
            && b.hit.is_none()
            && b.step.is_some_and(|(from, to)| !(from..to).contains(&pc))
        {
            b.hit = Some(Hit::Step);
        }
    }
}

/// As [`step::run`], and stops where [`Hart::breaks`] says.
pub fn run<T: TimingModel, W: Watch>(turn: Turn<'_, '_, T>, watch: &mut W) -> SliceEnd {
    let Turn { hart, bus, decoder, timing, until, observer } = turn;
    loop {
        if hart.events != 0 {
            let before: Traps = hart.traps;
            let end = step::service_events(hart, bus, observer);
            if hart.traps != before {
                // An interrupt was taken.
                hart.stepped();
            }
            if let Some(end) = end {
                return end;
            }
        }
        if hart.breaks.as_ref().is_some_and(|b| b.hit.is_some()) {
            return SliceEnd::Break;
        }
        if hart.cycles >= until {
            return SliceEnd::Deadline;
        }
        if hart.stops_here(bus, decoder) {
            return SliceEnd::Break;
        }
        let end = step::step_watched(hart, bus, decoder, timing, observer, watch);
        watch.after(hart, bus, observer);
        hart.stepped();
        if let StepEnd::Slice(end) = end {
            return end;
        }
    }
}
