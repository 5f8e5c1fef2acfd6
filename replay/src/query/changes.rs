//! The last change of a value that no entry of the ledger names, found by looking at it after every step.

use emu_core::machine::{Machine, RunEnd, Stop};

use super::{Answer, Progress, What, at_hart};
use crate::error::ReplayError;
use crate::timeline::{Finder, Found, Halt, Position, Timeline};

/// Stops behind each change of a value.
struct Changes<'a> {
    value: &'a dyn Fn(&Machine) -> u64,
    last: u64,
    /// Cycles of all harts together where `last` was looked at, and before the step that ended there.
    at: u64,
    from: u64,
    /// Cycles before the change, and the values before and after.
    hit: Option<(u64, u64, u64)>,
    kept: Option<(u64, u64, u64)>,
    poll: &'a mut dyn FnMut(),
}

impl Changes<'_> {
    /// Looks; whether it has changed.
    fn look(&mut self, m: &Machine, from: u64) -> bool {
        let (now, before) = ((self.value)(m), self.last);
        (self.last, self.at, self.from) = (now, m.elapsed(), from);
        if now != before {
            self.hit = Some((from, before, now));
        }
        now != before
    }
}

impl Finder for Changes<'_> {
    fn run(&mut self, m: &mut Machine, to: &Stop) -> Found {
        (self.last, self.at) = ((self.value)(m), m.elapsed());
        loop {
            let before = m.elapsed();
            let next = Stop { elapsed: to.elapsed.min(before.saturating_add(1)), ..*to };
            let end = m.run_until(&next);
            if end != RunEnd::Limit || m.elapsed() == before {
                // A change on the way is seen on arrival.
                self.from = before;
                return Found::Ran(end);
            }
            if self.look(m, before) {
                return Found::Hit;
            }
            if m.elapsed() >= to.elapsed || m.stands_at(to) {
                return Found::Ran(end);
            }
        }
    }

    fn arrived(&mut self, m: &mut Machine) -> bool {
        if m.elapsed() < self.at {
            // Another machine, after a reboot, or another part of the run.
            (self.last, self.at) = ((self.value)(m), m.elapsed());
            return false;
        }
        self.look(m, self.from)
    }

    /// A change is behind its moment, the last one also where the search begins.
    fn before_here(&self) -> bool {
        true
    }

    fn kept(&mut self) {
        self.kept = self.hit;
    }

    fn poll(&mut self) -> bool {
        (self.poll)();
        true
    }
}

/// The last change of a value between two positions, on which the timeline then stands: at the last position before it. A part of the run at
/// whose ends a `steady` value is the same is taken not to have changed it.
pub(super) fn last(
    t: &mut Timeline,
    low: Position,
    end: Position,
    hart: usize,
    value: &dyn Fn(&Machine) -> u64,
    steady: bool,
    progress: Progress<'_>,
) -> Result<Option<Answer>, ReplayError> {
    let mut high = end;
    t.seek(end)?;
    let mut then = value(t.machine());
    while high > low {
        let start = t.checkpoints().into_iter().rfind(|p| *p < high).unwrap_or(low).max(low);
        progress(start);
        t.seek(start)?;
        let now = value(t.machine());
        if now != then || !steady {
            t.seek(high)?;
            let mut poll = || progress(start);
            let mut finder = Changes { value, last: 0, at: u64::MAX, from: 0, hit: None, kept: None, poll: &mut poll };
            if t.run_back(Some(start), &mut finder)? == Halt::Found
                && let Some((from, before, after)) = finder.kept
            {
                let to = Position { elapsed: from, ..t.position() };
                t.seek(to)?;
                return Ok(Some(at_hart(t, hart, What::Value { before, after, by: None })));
            }
        }
        (high, then) = (start, now);
    }
    Ok(None)
}
