//! What enters a run, and where.

use std::rc::Rc;

use emu_core::machine::{Machine, Stop};

use super::Position;
use crate::error::ReplayError;
use crate::log::{self, Decision, Log, MOST_STEPS, Record};
use crate::play;

/// Where an event enters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum When {
    /// Where a log says: before what comes with the next instruction.
    Logged(log::Position),
    /// Straight after the event before it.
    Then,
    /// At a position of a timeline, after it.
    Elapsed(Position),
}

/// What enters.
#[derive(Clone)]
pub(super) enum What {
    /// As in a log.
    Decision(Decision),
    /// Somebody changed the machine: it is this one from here on.
    Changed(Rc<Machine>),
    /// The recording ends, as it says in words.
    End(String),
}

/// Something that enters a run at a place.
#[derive(Clone)]
pub(super) struct Event {
    pub(super) at: When,
    pub(super) what: What,
}

impl Event {
    /// The events of a recording, in order.
    pub(super) fn recorded(log: &Log) -> Vec<Event> {
        let event = |at: &log::Position, what| Event { at: When::Logged(*at), what };
        let mut all: Vec<Event> = Vec::new();
        for r in &log.records {
            match r.what {
                // One by one, so that the positions between them can be reached.
                Decision::Step { hart, count } if count <= MOST_STEPS => {
                    let one = What::Decision(Decision::Step { hart, count: 1 });
                    for n in 0..count {
                        let at = if n == 0 { When::Logged(r.at) } else { When::Then };
                        all.push(Event { at, what: one.clone() });
                    }
                }
                _ => all.push(event(&r.at, What::Decision(r.what.clone()))),
            }
        }
        match (&log.end, log.records.last()) {
            (Some(e), _) => all.push(event(&e.at, What::End(e.reason.clone()))),
            (None, Some(r)) => all.push(event(&r.at, What::End("the recorder was killed".into()))),
            (None, None) => all.push(event(&log::Position::default(), What::End("the recorder was killed".into()))),
        }
        all
    }

    /// Whether this is a reboot, for which the run ends by itself.
    pub(super) fn is_reboot(&self) -> bool {
        matches!(&self.what, What::Decision(Decision::Reboot))
    }

    /// Whether one hart makes a step by itself.
    pub(super) fn is_step(&self) -> bool {
        matches!(&self.what, What::Decision(Decision::Step { .. }))
    }

    /// Where the machine stops for it.
    fn stop(&self) -> Stop {
        match self.at {
            When::Logged(p) if p.exact => Stop { instret: p.instret, ..Stop::NEVER },
            When::Logged(p) => Stop { cycles: p.cycles, ..Stop::NEVER },
            When::Then => Stop { instret: 0, ..Stop::NEVER },
            When::Elapsed(p) => Stop { elapsed: p.elapsed, ..Stop::NEVER },
        }
    }

    /// Where this machine stops for it next. A run with several harts may have ended in the middle of a round, at whose beginning the cycle
    /// is the same: then the instruction says where.
    pub(super) fn stop_of(&self, m: &Machine) -> Stop {
        let stop = self.stop();
        match self.at {
            When::Logged(p) if !p.exact && m.instret() < p.instret && m.stands_at(&stop) => {
                Stop { instret: p.instret, ..Stop::NEVER }
            }
            _ => stop,
        }
    }

    /// Whether it enters after what comes before the next instruction has happened, or before.
    pub(super) fn after_settling(&self) -> bool {
        matches!(self.at, When::Elapsed(_))
    }

    /// Whether it enters where this machine stands.
    pub(super) fn due(&self, m: &Machine) -> bool {
        match self.at {
            When::Then => true,
            When::Logged(_) => m.stands_at(&self.stop_of(m)),
            When::Elapsed(p) => m.elapsed() >= p.elapsed,
        }
    }

    /// Whether a machine that stands there is where the event was recorded.
    pub(super) fn fits(&self, m: &Machine) -> bool {
        match self.at {
            When::Logged(p) => m.cycles() == p.cycles && m.instret() == p.instret,
            When::Then => true,
            When::Elapsed(p) => m.elapsed() == p.elapsed,
        }
    }

    /// Carries it out, but for what replaces the machine. False if it is a witness of another state.
    pub(super) fn apply(&self, m: &mut Machine) -> Result<bool, ReplayError> {
        match &self.what {
            What::Decision(d) => {
                let at = log::Position { cycles: m.cycles(), instret: m.instret(), exact: false };
                play::apply(m, &Record { at, what: d.clone() })
            }
            What::Changed(_) | What::End(_) => Ok(true),
        }
    }
}
