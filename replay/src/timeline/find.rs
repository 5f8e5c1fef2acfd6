//! What is looked for along a timeline.

use emu_core::machine::{Machine, RunEnd, Stop};

use crate::oracle::Violation;

/// How [`Finder::run`] ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// What is looked for is here.
    Hit,
    /// The given stop is reached, or the run ended, with nothing found on the way.
    Ran(RunEnd),
}

/// Runs a machine forwards until it finds something: a breakpoint, a predicate, a trap of a kind.
///
/// The same finder is used on many machines, forks of one run, and on the same part of the run more than once. Whatever it needs a machine
/// to have (triggers, an observer) it gives it in [`Finder::run`]. It must not change what the guest sees.
pub trait Finder {
    /// Runs `m` until `to` ([`Machine::run_until`]) or the first hit *after* the present moment. A hit is a moment of the machine itself,
    /// which stays there.
    fn run(&mut self, m: &mut Machine, to: &Stop) -> Found;
    /// Whether the present moment is a hit; asked where a decision, not a run, has brought the machine: after a recorded step of one hart.
    fn here(&mut self, _m: &mut Machine) -> bool {
        false
    }
    /// Whether something was found on the way from where [`Finder::run`] ended to the moment that the position stands for: devices and
    /// firmware that answers interrupts have worked then.
    fn arrived(&mut self, _m: &mut Machine) -> bool {
        false
    }
    /// Whether a violation of an oracle is what is looked for; it has happened straight before the present moment.
    fn violated(&mut self, _v: &Violation) -> bool {
        false
    }
    /// Whether what was found last happened before the very moment it was found at, and a movement backwards that begins there wants it.
    fn before_here(&self) -> bool {
        false
    }
    /// A movement backwards keeps what was found last as its answer so far.
    fn kept(&mut self) {}
    /// Called between parts of a long movement; false stops it. When it is called depends on nothing the guest can see.
    fn poll(&mut self) -> bool {
        true
    }
}

/// Looks for nothing.
impl Finder for () {
    fn run(&mut self, m: &mut Machine, to: &Stop) -> Found {
        Found::Ran(m.run_until(to))
    }
}

/// Finds the next moment at which a predicate holds, looking after every single step of the machine (millions a second).
pub struct Each<F: FnMut(&mut Machine) -> bool>(
    /// The predicate; it must not change the machine.
    pub F,
);

impl<F: FnMut(&mut Machine) -> bool> Finder for Each<F> {
    fn run(&mut self, m: &mut Machine, to: &Stop) -> Found {
        loop {
            let before = m.elapsed();
            let next = Stop { elapsed: to.elapsed.min(before.saturating_add(1)), ..*to };
            let end = m.run_until(&next);
            if end != RunEnd::Limit || m.elapsed() == before {
                return Found::Ran(end);
            }
            if (self.0)(m) {
                return Found::Hit;
            }
            if m.elapsed() >= to.elapsed || m.stands_at(to) {
                return Found::Ran(end);
            }
        }
    }

    fn here(&mut self, m: &mut Machine) -> bool {
        (self.0)(m)
    }
}
