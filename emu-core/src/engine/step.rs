//! T0: the exact stepper. One instruction at a time, no state of its own; every other engine must agree with it.

use emu_csr::Trap;

use super::{SliceEnd, Turn, trap};
use crate::bus::Bus;
use crate::hart::{Hart, event};
use crate::insn::{Decoder, Insn, complete_trap, zicfilp};
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

/// Runs a hart until the end of its turn or until the machine must look, with somebody watching (or `()`).
pub fn run<T: TimingModel, W: Watch>(turn: Turn<'_, '_, T>, watch: &mut W) -> SliceEnd {
    let Turn { hart, bus, decoder, timing, until, observer } = turn;
    loop {
        if hart.events != 0
            && let Some(end) = service_events(hart, bus, observer)
        {
            return end;
        }
        if hart.cycles >= until {
            return SliceEnd::Deadline;
        }
        let end = step_watched(hart, bus, decoder, timing, observer, watch);
        watch.after(hart, bus, observer);
        if let StepEnd::Slice(end) = end {
            return end;
        }
    }
}

/// Who looks at single instructions. `()` sees nothing and costs nothing.
pub trait Watch {
    /// Before the fetch; an exception given here is raised instead.
    #[inline(always)]
    fn before_fetch(&mut self, _hart: &mut Hart) -> Option<Trap> {
        None
    }
    /// An instruction of `len` bytes was fetched from `hart.pc`.
    #[inline(always)]
    fn fetched(&mut self, _hart: &mut Hart, _len: u8) {}
    /// Before it executes; an exception given here is raised instead.
    #[inline(always)]
    fn before(&mut self, _hart: &mut Hart, _insn: &Insn) -> Option<Trap> {
        None
    }
    /// It has executed and will retire; `hart.pc` is still its own.
    #[inline(always)]
    fn executed(&mut self, _hart: &mut Hart, _insn: &Insn) {}
    /// The fetch (no instruction) or the instruction has raised an exception.
    #[inline(always)]
    fn faulted(&mut self, _hart: &mut Hart, _insn: Option<&Insn>, _trap: &Trap) {}
    /// The clocks have gone on, and `hart.pc` with a retired instruction; an exception given here is raised before the next one.
    #[inline(always)]
    fn finished(&mut self, _hart: &mut Hart, _bus: &Bus) -> Option<Trap> {
        None
    }
    /// The step is over, and the trap that it raised has been entered.
    #[inline(always)]
    fn after(&mut self, _hart: &mut Hart, _bus: &Bus, _observer: &mut Option<&mut dyn Observer>) {}
}

impl Watch for () {}

/// Fetches, decodes and executes one instruction, or enters the trap it raises.
#[inline]
pub fn step<T: TimingModel>(
    hart: &mut Hart,
    bus: &mut Bus,
    decoder: &Decoder,
    timing: &mut T,
    observer: &mut Option<&mut dyn Observer>,
) -> StepEnd {
    step_watched(hart, bus, decoder, timing, observer, &mut ())
}

/// As [`step`], with somebody watching.
#[inline(always)]
pub fn step_watched<T: TimingModel, W: Watch>(
    hart: &mut Hart,
    bus: &mut Bus,
    decoder: &Decoder,
    timing: &mut T,
    observer: &mut Option<&mut dyn Observer>,
    watch: &mut W,
) -> StepEnd {
    if let Some(t) = watch.before_fetch(hart) {
        return raise(hart, bus, t, observer);
    }
    let result = match hart.fetch(bus, hart.pc) {
        Ok((raw, len)) => {
            watch.fetched(hart, len);
            let insn = decoder.decode(raw, len);
            hart.next_pc = hart.pc.wrapping_add(len as u64);
            let landed = if hart.csr.elp { zicfilp::land(hart, &insn) } else { Ok(()) };
            let executed = match watch.before(hart, &insn) {
                None => landed.and_then(|()| (insn.def.exec)(hart, bus, &insn)),
                Some(t) => Err(t),
            };
            match executed {
                Ok(()) => {
                    watch.executed(hart, &insn);
                    Ok(insn.def.class)
                }
                Err(t) => {
                    watch.faulted(hart, Some(&insn), &t);
                    Err(complete_trap(t, &insn, hart))
                }
            }
        }
        Err(t) => {
            watch.faulted(hart, None, &t);
            Err(t)
        }
    };
    match result {
        Ok(class) => {
            hart.pc = hart.next_pc;
            hart.instret += 1;
            hart.cycles += timing.cost(class);
            match watch.finished(hart, bus) {
                None => StepEnd::Next,
                Some(t) => raise(hart, bus, t, observer),
            }
        }
        Err(t) => {
            watch.finished(hart, bus);
            raise(hart, bus, t, observer)
        }
    }
}

/// Enters an exception.
#[inline]
fn raise(hart: &mut Hart, bus: &Bus, t: Trap, observer: &mut Option<&mut dyn Observer>) -> StepEnd {
    // A trap retires nothing but takes time, so that a loop of traps still reaches its deadline.
    hart.cycles += 1;
    match trap::exception(hart, bus, t, observer) {
        Some(end) => StepEnd::Slice(end),
        None => StepEnd::Next,
    }
}

/// Acts on `hart.events` between two instructions. Interrupts are taken here and nowhere else.
pub fn service_events(hart: &mut Hart, bus: &mut Bus, observer: &mut Option<&mut dyn Observer>) -> Option<SliceEnd> {
    let mut events = hart.events;
    hart.events = 0;
    if events & event::TOLD != 0 {
        let (write, ret) = (hart.last_write.take(), hart.last_return.take());
        if let Some(o) = observer {
            write.iter().for_each(|w| o.csr_write(w));
            if let Some(r) = ret {
                hart.tell_return(bus, *o, &r);
            }
            events |= std::mem::take(&mut hart.events);
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
