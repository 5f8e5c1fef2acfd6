//! Oracles that listen along a timeline. What they know belongs to a position as the machine does: every checkpoint keeps it.

use std::collections::BTreeMap;

use emu_core::machine::{Machine, RunEnd};
use emu_core::observer::{Both, Observer};

use super::{Position, Timeline};
use crate::oracle::{Monitor, Violation};

/// Violations that are kept of a run.
const MOST: usize = 10_000;

/// The oracles of a timeline.
pub(super) struct Oracles {
    /// As the machine's present moment has it.
    monitor: Monitor,
    /// What was found on the way to the present moment since the last restart, in order.
    way: Vec<Violation>,
    /// What is known of the run, by the position straight after it.
    known: BTreeMap<Position, Vec<Violation>>,
}

impl Oracles {
    /// For a checkpoint here.
    pub(super) fn known(&self) -> Monitor {
        self.monitor.fork()
    }

    /// The machine is another one, of which this monitor knows.
    pub(super) fn go_on_with(&mut self, monitor: Monitor) {
        self.monitor = monitor;
        self.way.clear();
    }

    pub(super) fn rebooted(&mut self, m: &Machine) {
        self.monitor = self.monitor.again(m);
    }

    /// Takes in what was found up to a position, and lets the machine go on if it has stopped for that.
    pub(super) fn note(&mut self, here: Position, m: &Machine) {
        self.monitor.look(m);
        self.monitor.resume();
        self.add(here, self.monitor.take());
    }

    /// The run ends: some rules can be judged only then. The monitor itself is as before, since input may let a sleeping machine go on.
    pub(super) fn ended(&mut self, here: Position, m: &Machine, end: &RunEnd) {
        let last = self.monitor.fork();
        last.end(m, Some(end));
        self.add(here, last.take());
    }

    fn add(&mut self, here: Position, mut found: Vec<Violation>) {
        found.retain(|v| !v.oracle().advice);
        // What is only looked at from time to time may be found at another position the next time.
        found.retain(|v| v.oracle().id != "E17" || !self.known.values().flatten().any(|k| k == v));
        if found.is_empty() {
            return;
        }
        let room = self.known.len() < MOST;
        let at = self.known.entry(here);
        if room || matches!(at, std::collections::btree_map::Entry::Occupied(_)) {
            let list = at.or_default();
            // A part that is run again finds the same again.
            found.iter().filter(|v| !list.contains(v)).cloned().collect::<Vec<_>>().into_iter().for_each(|v| list.push(v));
        }
        if self.way.len() + found.len() > MOST {
            self.way.clear();
        }
        self.way.append(&mut found);
    }

    /// How much was found on the way here.
    pub(super) fn count(&self) -> usize {
        self.way.len()
    }

    /// What was found on the way here since then.
    pub(super) fn since(&self, count: usize) -> &[Violation] {
        self.way.get(count..).unwrap_or(&self.way)
    }

    pub(super) fn forget_after(&mut self, here: Position) {
        self.known.retain(|p, _| *p <= here);
    }
}

impl Timeline {
    /// Has oracles listen from here on, which must be the timeline's beginning. The monitor must be one that stops at violations; a
    /// [`super::Finder`] decides whether the timeline does.
    pub fn check(&mut self, monitor: Monitor) {
        self.points.begin(&monitor);
        monitor.keep(MOST);
        self.oracles = Some(Oracles { monitor, way: Vec::new(), known: BTreeMap::new() });
        self.listen();
    }

    /// Violations up to the present position, with the positions straight after them. Parts that the timeline has never come through are not
    /// judged.
    pub fn violations(&self) -> Vec<(Position, Violation)> {
        let Some(o) = &self.oracles else { return Vec::new() };
        let up_to = o.known.range(..=self.here);
        up_to.flat_map(|(p, list)| list.iter().map(|v| (*p, v.clone()))).collect()
    }

    /// Whether oracles listen.
    pub fn is_checked(&self) -> bool {
        self.oracles.is_some()
    }

    /// Has the machine tell those who want to hear.
    pub(super) fn listen(&mut self) {
        let own = self.observers.as_ref().map(|o| o());
        let oracles: Option<Box<dyn Observer>> = self.oracles.as_ref().map(|o| o.monitor.observer());
        match (own, oracles) {
            (Some(a), Some(b)) => self.machine.set_observer(Box::new(Both(a, b))),
            (Some(one), None) | (None, Some(one)) => self.machine.set_observer(one),
            (None, None) => drop(self.machine.clear_observer()),
        }
    }
}
