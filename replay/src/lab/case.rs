//! One event at one boundary: from the injecting call to the verdict.

use std::collections::BTreeMap;

use emu_core::machine::{HartStep, Machine};
use emu_csr::Mode;

use super::payload::{Payload, Setting};
use super::steps::Steps;
use super::touches::Touches;
use crate::context::{Context, Difference, is_leftover};
use crate::ledger::Ledger;
use crate::oracle::{Monitor, ORACLES};

/// Steps in which a firmware delivers an event that was sent, or answers a call.
const DELIVERY: usize = 200_000;
/// Steps that a handler takes at most, firmware included.
const HANDLER: usize = 200_000;
/// Steps after `complete` in which the payload comes to an end that it names.
const AFTERMATH: usize = 5_000;
/// Steps after the handler's first trap has gone astray in which it might still come back.
const STRAY: usize = 2_000;

/// The moments of a case, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Moment {
    /// Before the event is sent.
    Sent,
    /// At the handler's first instruction.
    Delivered,
    /// Before `complete`.
    Completed,
    /// The victim goes on.
    Resumed,
}

/// What is to be done to the payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Case {
    /// Its kernel and handler.
    pub setting: Setting,
    /// Steps of the victim from the beginning of the window to the event.
    pub step: usize,
}

/// What became of the interrupted context.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// `complete` brought everything back.
    Healthy,
    /// All but registers that any trap overwrites and that the handler did not put back.
    Leftover(Vec<Difference>),
    /// Something else came back, the most consequential first.
    Corrupt(Vec<Difference>),
    /// The handler never came to its `complete`.
    NeverCompleted {
        /// Where the first trap in the handler went, if not to the kernel's vector.
        stray: Option<u64>,
    },
    /// The firmware took the event and never delivered it.
    NeverDelivered,
}

/// Where the payload ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum After {
    /// At the end of the window, as if nothing had happened.
    WindowEnd,
    /// There, but the hypervisor had misread htval.
    HtvalLost,
    /// At the place that the handler chose.
    Elsewhere,
    /// In the kernel's panic.
    Panic,
    /// Nowhere that it names: traps without end, a halted machine.
    Lost,
}

/// One case's result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// What `complete` brought back.
    pub ending: Ending,
    /// What became of the program.
    pub after: After,
    /// Numbers of the oracles that were violated.
    pub violated: Vec<&'static str>,
}

/// Follows one case.
pub(super) struct Run<'a> {
    pub payload: &'a Payload,
    pub setting: Setting,
    pub machine: Machine,
    pub victim: usize,
    pub injector: usize,
    /// What was done to the machine, if that is to be known.
    pub steps: Option<Steps>,
    /// The ledger whose lengths are kept in `at`.
    pub marks: Option<Ledger>,
    /// Which of the victim's steps changed what, if that is to be known.
    pub touches: Option<Touches>,
    /// Ledger entries at the moments that came.
    pub at: BTreeMap<Moment, usize>,
    /// The machine's oracles.
    pub monitor: Option<Monitor>,
}

impl Run<'_> {
    /// From a machine that stands at the boundary to the end.
    pub fn go(&mut self) -> Outcome {
        let before = self.context();
        let ending = self.event(&before);
        let after = self.aftermath();
        let violated = self.monitor.as_ref().map_or(Vec::new(), |m| {
            m.end(&self.machine, None);
            let all = ORACLES.iter().zip(m.counts());
            all.filter(|(o, n)| *n > 0 && !o.advice).map(|(o, _)| o.id).collect()
        });
        Outcome { ending, after, violated }
    }

    fn context(&self) -> Context {
        Context::of(&self.machine.harts()[self.victim], self.machine.bus())
    }

    fn place(&self) -> (Mode, u64) {
        let h = &self.machine.harts()[self.victim];
        (h.mode, h.pc)
    }

    fn step(&mut self, hart: usize) -> HartStep {
        let end = match &mut self.steps {
            Some(s) => s.step(&mut self.machine, hart),
            None => self.machine.step_hart(hart),
        };
        if let Some(t) = self.touches.as_mut().filter(|_| hart == self.victim) {
            t.look(&self.machine.harts()[hart], self.machine.bus());
        }
        end
    }

    fn mark(&mut self, moment: Moment) {
        if let Some(l) = &self.marks {
            self.at.insert(moment, l.len());
        }
        if let Some(t) = &mut self.touches {
            t.keep(moment);
        }
    }

    fn event(&mut self, before: &Context) -> Ending {
        let p = self.payload.places;
        self.mark(Moment::Sent);
        if !self.send() || !self.until(DELIVERY, |at| at == (Mode::HS, p.sse_entry)) {
            return Ending::NeverDelivered;
        }
        self.mark(Moment::Delivered);
        if let Err(stray) = self.handler() {
            return Ending::NeverCompleted { stray };
        }
        self.mark(Moment::Completed);
        // The call itself, and whatever M-mode does about it.
        self.step(self.victim);
        if !self.until(HANDLER, |(mode, _)| mode != Mode::M) {
            return Ending::NeverCompleted { stray: None };
        }
        self.mark(Moment::Resumed);
        self.verdict(before)
    }

    /// The injector's call.
    fn send(&mut self) -> bool {
        for _ in 0..DELIVERY {
            if matches!(self.step(self.injector), HartStep::End(_)) {
                return false;
            }
            if self.machine.harts()[self.injector].pc == self.payload.places.inject_done {
                return true;
            }
        }
        false
    }

    /// Steps the victim until it is where `there` says; tells whether it ever was.
    fn until(&mut self, steps: usize, there: impl Fn((Mode, u64)) -> bool) -> bool {
        for _ in 0..steps {
            if there(self.place()) {
                return true;
            }
            if matches!(self.step(self.victim), HartStep::End(_)) {
                return false;
            }
        }
        false
    }

    /// The handler up to its `complete`; else where its first trap went astray.
    fn handler(&mut self) -> Result<(), Option<u64>> {
        let p = self.payload.places;
        let mut stray = None;
        let mut left = HANDLER;
        while left > 0 {
            left -= 1;
            let (mode, pc) = self.place();
            if (mode, pc) == (Mode::HS, p.complete_here) {
                return Ok(());
            }
            if p.panics.contains(&pc) || pc == p.window_end {
                break;
            }
            match self.step(self.victim) {
                HartStep::End(_) => break,
                HartStep::Trapped => {
                    let (mode, pc) = self.place();
                    if mode != Mode::M && pc != p.vector && Some(pc) != p.double_trap && stray.is_none() {
                        stray = Some(pc);
                        left = left.min(STRAY);
                        // It will not come back; a thousand steps show where it goes.
                    }
                }
                HartStep::Retired | HartStep::Waiting => {}
            }
        }
        Err(stray)
    }

    fn verdict(&self, before: &Context) -> Ending {
        let mut expected = before.clone();
        let now = self.context();
        let mut all = if self.setting.variant == Setting::ELSEWHERE {
            // The handler has changed what it wants; only the place is compared.
            (expected.mode, expected.pc) = (Mode::HS, self.payload.places.elsewhere);
            let mut d = expected.differences(&now);
            d.retain(|d| d.register == "mode" || d.register == "pc");
            d
        } else {
            expected.differences(&now)
        };
        // Privileged ISA, "Double Trap": a return to a less privileged mode clears SDT, so it need not be as it was there.
        if now.mode != Mode::HS {
            all.retain(|d| d.name() != "sstatus.SDT");
        }
        match all.iter().position(|d| !is_leftover(d)) {
            Some(_) => Ending::Corrupt(all),
            None if all.is_empty() => Ending::Healthy,
            None => Ending::Leftover(all),
        }
    }

    fn aftermath(&mut self) -> After {
        let p = self.payload.places;
        let ends = |(mode, pc): (Mode, u64)| {
            mode == Mode::HS && (pc == p.window_end || pc == p.elsewhere) || mode != Mode::M && p.panics.contains(&pc)
        };
        if !self.until(AFTERMATH, ends) {
            return After::Lost;
        }
        let pc = self.place().1;
        if p.panics.contains(&pc) {
            After::Panic
        } else if pc == p.elsewhere {
            After::Elsewhere
        } else if self.machine.bus().ram.read(p.htval_bad, 8) != Some(0) {
            After::HtvalLost
        } else {
            After::WindowEnd
        }
    }
}
