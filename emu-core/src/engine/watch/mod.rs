//! The watched stepper: the exact stepper, looking at each instruction for the counters that count what instructions do and for debug
//! triggers.
//!
//! It runs a hart in the place of either engine while such a counter counts or a trigger is enabled for the present mode
//! ([`Hart::watched`]), and only then: everything that can change this (counter and trigger CSRs, inhibition, mode changes) ends the
//! slice, so the machine asks again. Blocks therefore contain nothing that counts or compares, and both engines do it alike because
//! they are the same code here.

pub mod commit;
mod counts;
mod debug;
pub mod tlb;

use emu_csr::{Mode, Trap};

use super::step::Watch;
use crate::bus::Bus;
use crate::hart::Hart;
use crate::insn::{Footprint, Insn, footprint};
use counts::Seen;

impl Hart {
    /// Whether each instruction must be looked at: see the module's text.
    #[inline]
    pub fn watched(&self) -> bool {
        self.csr.counts_steps() || self.csr.triggers_watch(self.mode)
    }
}

/// What is known of the present instruction.
pub(crate) struct Eye {
    /// The counters that counted, the mode, and whether triggers were enabled, when it began.
    counters: u64,
    mode: Mode,
    triggers: bool,
    /// The memory access it makes.
    access: Option<Footprint>,
    /// What it did.
    seen: Seen,
    /// What a trigger raises after it.
    breakpoint: Option<Trap>,
}

impl Eye {
    pub(crate) fn new() -> Eye {
        Eye { counters: 0, mode: Mode::M, triggers: false, access: None, seen: Seen::default(), breakpoint: None }
    }
}

impl Watch for Eye {
    fn before_fetch(&mut self, hart: &mut Hart) -> Option<Trap> {
        *self = Eye { counters: hart.csr.counting_steps(), mode: hart.mode, ..Eye::new() };
        hart.csr.written_counters.0 = 0;
        hart.csr.triggers_begin();
        self.triggers = hart.csr.triggers_watch(hart.mode);
        if self.triggers { debug::before_fetch(hart) } else { None }
    }

    fn fetched(&mut self, hart: &mut Hart, len: u8) {
        counts::fetched(hart, &mut self.seen, hart.pc, len);
    }

    fn before(&mut self, hart: &mut Hart, insn: &Insn) -> Option<Trap> {
        self.access = footprint(hart, insn);
        if self.triggers { debug::before(hart, insn, self.access.as_ref()) } else { None }
    }

    fn executed(&mut self, hart: &mut Hart, insn: &Insn) {
        counts::retired(hart, &mut self.seen, insn, hart.pc);
        if let Some(a) = &self.access {
            counts::accessed(hart, &mut self.seen, a);
        }
        if self.triggers {
            self.breakpoint = debug::after(hart, self.mode, insn, self.access.as_ref());
        }
    }

    fn faulted(&mut self, hart: &mut Hart, insn: Option<&Insn>, trap: &Trap) {
        match (insn, &self.access) {
            (None, _) => counts::fetch_faulted(hart, &mut self.seen, self.mode, trap),
            (Some(_), Some(a)) => counts::access_faulted(hart, &mut self.seen, a, trap),
            (Some(_), None) => {}
        }
    }

    /// Adds to the counters; an overflow's interrupt is pending before the next instruction.
    fn finished(&mut self, hart: &mut Hart, bus: &Bus) -> Option<Trap> {
        let mut overflow = false;
        for occurred in [self.seen.retired].into_iter().chain(self.seen.pages).filter(|&set| set != 0) {
            overflow |= hart.csr.count_step(self.counters, occurred);
        }
        if overflow {
            let now = hart.now(bus);
            let effects = hart.csr.raise_overflows(&now, &mut ());
            hart.apply(effects);
        }
        self.breakpoint
    }
}
