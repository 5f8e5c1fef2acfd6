//! T0: the exact stepper. One instruction at a time, no state of its own; every other engine must agree with it.

use super::{SliceEnd, trap};
use crate::bus::Bus;
use crate::hart::{Hart, event};
use crate::insn::{Decoder, complete_trap};
use crate::observer::Observer;
use crate::timing::TimingModel;

/// How a step ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StepEnd {
    /// On to the next.
    Next,
    /// The slice is over.
    Slice(SliceEnd),
}

/// Runs `hart` until its `cycles` reach `until` or the machine must look.
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

/// Fetches, decodes and executes one instruction, or enters the trap it raises.
#[inline]
pub fn step<T: TimingModel>(
    hart: &mut Hart,
    bus: &mut Bus,
    decoder: &Decoder,
    timing: &mut T,
    observer: &mut Option<&mut dyn Observer>,
) -> StepEnd {
    let result = match hart.fetch(bus, hart.pc) {
        Ok((raw, len)) => {
            let insn = decoder.decode(raw, len);
            hart.next_pc = hart.pc.wrapping_add(len as u64);
            (insn.def.exec)(hart, bus, &insn).map(|()| insn.def.class).map_err(|t| complete_trap(t, &insn, hart))
        }
        Err(t) => Err(t),
    };
    match result {
        Ok(class) => {
            hart.pc = hart.next_pc;
            hart.instret += 1;
            hart.cycles += timing.cost(class);
            StepEnd::Next
        }
        Err(t) => {
            // A trap retires nothing but takes time, so that a loop of traps still reaches its deadline.
            hart.cycles += 1;
            match trap::exception(hart, bus, t, observer) {
                Some(end) => StepEnd::Slice(end),
                None => StepEnd::Next,
            }
        }
    }
}

/// Acts on `hart.events` between two instructions. Interrupts are taken here and nowhere else.
pub fn service_events(hart: &mut Hart, bus: &mut Bus, observer: &mut Option<&mut dyn Observer>) -> Option<SliceEnd> {
    let events = hart.events;
    hart.events = 0;
    if events & event::TOLD != 0 {
        let (write, ret) = (hart.last_write.take(), hart.last_return.take());
        if let Some(o) = observer {
            write.iter().for_each(|w| o.csr_write(w));
            ret.iter().for_each(|r| o.ret(r));
        }
    }
    if events & event::WAIT != 0 {
        // Interrupts are looked at when the hart wakes.
        hart.events = events & event::INTERRUPTS;
        return Some(SliceEnd::Wait);
    }
    if events & (event::DEADLINE | event::STOP) != 0 {
        hart.events = events & event::INTERRUPTS;
        return Some(SliceEnd::Look);
    }
    if events & event::INTERRUPTS != 0
        && let Some(end) = trap::interrupt(hart, bus, observer)
    {
        return Some(end);
    }
    None
}
