//! One hart by itself, one step at a time, while all others stand still: schedules that the round-robin never makes, for laboratories,
//! searches and debuggers.

use super::slice::{Loop, exactly};
use super::{Machine, RunEnd, observing};
use crate::engine::{SliceEnd, Turn};
use crate::timing::Unit;

/// What one step was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HartStep {
    /// An instruction retired (perhaps the first of an interrupt's handler).
    Retired,
    /// A trap was entered instead (and answered, if native firmware lives in M-mode).
    Trapped,
    /// The hart waits; nothing happened but a cycle of its time.
    Waiting,
    /// The machine ends.
    End(RunEnd),
}

impl Machine {
    /// Lets hart index `i` do one thing: retire an instruction, enter a trap, or wait a cycle. With native firmware a trap into M-mode
    /// is answered in the same step. The others do nothing and their time stands still; [`Machine::run`] lets them catch up. Devices
    /// are up to date with the slowest hart, as in a round. Always the exact stepper. Changing the hart from one call to the next is
    /// what the change of turns is to the round-robin: it ends the reservation of the hart that goes on.
    pub fn step_hart(&mut self, i: usize) -> HartStep {
        if i >= self.harts.len() {
            return HartStep::Waiting;
        }
        let now = self.cycles();
        if self.bus.next_event(now).is_some_and(|at| at <= now) {
            self.bus.advance(now);
            self.collect();
        }
        self.feed();
        self.lines(now);
        if let Some(end) = self.htif_request().or_else(|| self.request()) {
            return HartStep::End(end);
        }
        if self.alone != Some(i) {
            self.alone = Some(i);
            self.harts[i].reservation = None;
            self.forget_new_code();
        }
        let (instret, until) = (self.harts[i].instret, self.harts[i].cycles + 1);
        let step = loop {
            self.timers(i);
            if !self.wake(i) {
                let h = &mut self.harts[i];
                h.cycles = h.cycles.max(until);
                break HartStep::Waiting;
            }
            let end = if self.in_firmware >> i & 1 != 0 { SliceEnd::EnteredM } else { self.one(i, until) };
            if let Some(end) = self.after_slice(i, end) {
                break HartStep::End(end);
            }
            match end {
                SliceEnd::EnteredM => break HartStep::Trapped,
                SliceEnd::Deadline if self.harts[i].instret == instret => break HartStep::Trapped,
                _ if self.harts[i].instret != instret => break HartStep::Retired,
                _ => {}
            }
        };
        // A round in progress is over: the next one begins where the slowest hart is.
        self.round = self.round.max(self.harts[i].cycles);
        self.turn = self.harts.len();
        self.began = false;
        step
    }

    fn one(&mut self, i: usize, until: u64) -> SliceEnd {
        let observer = &mut observing(&mut self.observer);
        let hart = &mut self.harts[i];
        if let Some(o) = &observer {
            hart.observed = o.interest();
        }
        hart.tlb.sync(&self.bus.ram);
        exactly(Turn { hart, bus: &mut self.bus, decoder: &self.decoder, timing: &mut Unit, until, observer }, Loop::Plain)
    }
}
