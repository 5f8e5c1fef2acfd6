//! The watched stepper: the exact stepper, looking at each instruction for the counters that count what instructions do.
//!
//! It runs a hart in the place of either engine while such a counter counts ([`Hart::watched`]), and only then: everything that can
//! change this (counter CSRs, inhibition, mode changes under a filter) ends the slice, so the machine asks again. Blocks therefore
//! contain nothing that counts, and both engines count alike because they are the same code here.

mod counts;
pub mod tlb;

use super::step::{StepEnd, service_events};
use super::{SliceEnd, trap};
use crate::bus::Bus;
use crate::hart::Hart;
use crate::insn::{Decoder, complete_trap, footprint};
use crate::observer::Observer;
use crate::timing::TimingModel;
use counts::Seen;

impl Hart {
    /// Whether each instruction must be looked at: see the module's text.
    #[inline]
    pub fn watched(&self) -> bool {
        self.csr.counts_steps()
    }
}

/// Runs `hart` until its `cycles` reach `until` or the machine must look; as [`super::step::run`].
pub fn run<T: TimingModel>(
    hart: &mut Hart,
    bus: &mut Bus,
    decoder: &Decoder,
    timing: &mut T,
    until: u64,
    observer: &mut Option<&mut dyn Observer>,
) -> SliceEnd {
    loop {
        if hart.events != 0
            && let Some(end) = service_events(hart, bus, observer)
        {
            return end;
        }
        if hart.cycles >= until {
            return SliceEnd::Deadline;
        }
        if let StepEnd::Slice(end) = step(hart, bus, decoder, timing, observer) {
            return end;
        }
    }
}

/// One instruction, or the trap it raises, counted by the counters that counted when it began.
fn step<T: TimingModel>(
    hart: &mut Hart,
    bus: &mut Bus,
    decoder: &Decoder,
    timing: &mut T,
    observer: &mut Option<&mut dyn Observer>,
) -> StepEnd {
    let counters = hart.csr.counting_steps();
    hart.csr.written_counters = 0;
    let (pc, mode) = (hart.pc, hart.mode);
    let mut seen = Seen::default();
    let result = match hart.fetch(bus, pc) {
        Ok((raw, len)) => {
            counts::fetched(hart, &mut seen, pc, len);
            let insn = decoder.decode(raw, len);
            let access = footprint(hart, &insn);
            hart.next_pc = pc.wrapping_add(len as u64);
            match (insn.def.exec)(hart, bus, &insn) {
                Ok(()) => {
                    counts::retired(hart, &mut seen, &insn, pc);
                    if let Some(a) = &access {
                        counts::accessed(hart, &mut seen, a);
                    }
                    Ok(insn.def.class)
                }
                Err(t) => {
                    if let Some(a) = &access {
                        counts::access_faulted(hart, &mut seen, a, &t);
                    }
                    Err(complete_trap(t, &insn, hart))
                }
            }
        }
        Err(t) => {
            counts::fetch_faulted(hart, &mut seen, mode, &t);
            Err(t)
        }
    };
    match result {
        Ok(class) => {
            hart.pc = hart.next_pc;
            hart.instret += 1;
            hart.cycles += timing.cost(class);
            count(hart, bus, counters, &seen);
            StepEnd::Next
        }
        Err(t) => {
            hart.cycles += 1;
            count(hart, bus, counters, &seen);
            match trap::exception(hart, bus, t, observer) {
                Some(end) => StepEnd::Slice(end),
                None => StepEnd::Next,
            }
        }
    }
}

/// Adds to the counters; an overflow's interrupt is pending before the next instruction.
fn count(hart: &mut Hart, bus: &Bus, counters: u64, seen: &Seen) {
    let mut overflow = false;
    for occurred in [seen.retired].into_iter().chain(seen.pages).filter(|&set| set != 0) {
        overflow |= hart.csr.count_step(counters, occurred);
    }
    if overflow {
        let now = hart.now(bus);
        let effects = hart.csr.raise_overflows(&now, &mut ());
        hart.apply(effects);
    }
}
