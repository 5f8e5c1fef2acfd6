//! Checkpoints: dense near the present position, sparse far from it, in bounded memory.

use std::collections::BTreeMap;

use emu_core::machine::Machine;
use emu_core::mmu::Bank;

use super::{Position, Timeline, oracles};
use crate::error::ReplayError;
use crate::oracle::Monitor;

/// Checkpoints that are kept whatever they hold: the first and one more.
const FEWEST: usize = 2;
const PAGE: u64 = 4096;

/// Bytes of a fork beside its pages of RAM, roughly: harts with a bank of translations each, and four bits and the like for each page.
fn own_size(m: &Machine) -> u64 {
    let harts = size_of_val(m.harts()) + m.harts().len() * size_of::<Bank>();
    harts as u64 + m.bus().ram.size() / PAGE / 2
}

pub(super) struct Point {
    pub(super) machine: Machine,
    /// Events carried out before it.
    pub(super) done: usize,
    /// What oracles know there.
    pub(super) monitor: Option<Monitor>,
    /// Pages that it does not share with the checkpoint before it.
    pages: u64,
}

#[derive(Default)]
pub(super) struct Checkpoints {
    points: BTreeMap<Position, Point>,
}

impl Checkpoints {
    pub(super) fn positions(&self) -> Vec<Position> {
        self.points.keys().copied().collect()
    }

    pub(super) fn first(&self) -> Position {
        self.points.keys().next().copied().unwrap_or_default()
    }

    /// The last one at or before a position.
    pub(super) fn before(&self, at: Position) -> Option<Position> {
        self.points.range(..=at).next_back().map(|(p, _)| *p)
    }

    /// The last one of which something holds that holds of all before it, too.
    pub(super) fn last_where(&self, holds: impl Fn(Position, &Machine) -> bool) -> Option<Position> {
        self.points.iter().take_while(|(p, c)| holds(**p, &c.machine)).last().map(|(p, _)| *p)
    }

    pub(super) fn get(&self, at: Position) -> Option<&Point> {
        self.points.get(&at)
    }

    pub(super) fn memory(&self) -> u64 {
        self.points.values().map(|p| p.pages * PAGE + own_size(&p.machine)).sum()
    }

    /// Forgets those at a position and after it, but never the first.
    pub(super) fn forget_from(&mut self, at: Position) {
        let first = self.first();
        self.points.retain(|p, _| *p < at || *p == first);
    }

    /// Instructions since the last checkpoint.
    fn since(&self, here: Position) -> u64 {
        match self.before(here) {
            Some(p) if p.boot == here.boot => here.instret - p.instret.min(here.instret),
            _ => u64::MAX,
        }
    }

    /// Whether there should be one here.
    pub(super) fn due(&self, here: Position, spacing: u64) -> bool {
        self.since(here) >= spacing
    }

    /// Instructions until the next one is due.
    pub(super) fn distance(&self, here: Position, spacing: u64) -> u64 {
        spacing.saturating_sub(self.since(here)).max(1)
    }

    fn own_pages(&self, at: Position) -> u64 {
        let Some(p) = self.points.get(&at) else { return 0 };
        let before = self.points.range(..at).next_back();
        before.map_or(0, |(_, b)| p.machine.bus().ram.pages_apart(&b.machine.bus().ram))
    }

    fn count(&mut self, at: Position) {
        let pages = self.own_pages(at);
        if let Some(p) = self.points.get_mut(&at) {
            p.pages = pages;
        }
    }

    /// Gives the first one, which nothing has happened before, what oracles know there.
    pub(super) fn begin(&mut self, monitor: &Monitor) {
        if let Some(mut p) = self.points.first_entry() {
            p.get_mut().monitor = Some(monitor.fork());
        }
    }

    pub(super) fn insert(&mut self, at: Position, machine: Machine, done: usize, monitor: Option<Monitor>) {
        self.points.insert(at, Point { machine, done, monitor, pages: 0 });
        self.count(at);
        if let Some(after) = self.points.range(at..).nth(1).map(|(p, _)| *p) {
            self.count(after);
        }
    }

    /// Drops checkpoints until they hold no more than `memory` bytes: first those whose loss makes the least difference to how long it
    /// takes to get anywhere, which far from `here` is a longer way than near it. What is left lies at distances that grow in proportion.
    pub(super) fn thin(&mut self, memory: u64, spacing: u64, here: Position) {
        while self.memory() > memory && self.points.len() > FEWEST {
            let all: Vec<Position> = self.positions();
            let gap = |a: Position, b: Position| if a.boot == b.boot { b.instret.abs_diff(a.instret) } else { b.instret };
            let loss = |w: &[Position]| {
                let far = if w[1].boot == here.boot { w[1].instret.abs_diff(here.instret) } else { u64::MAX / 2 };
                // Parts of 2^20, so that small differences count.
                (u128::from(gap(w[0], w[2])) << 20) / u128::from(far.saturating_add(spacing).max(1))
            };
            let last = all.last().copied().unwrap_or_default();
            let drop = all.windows(3).min_by_key(|w| loss(w)).map_or(last, |w| w[1]);
            let after = self.points.range(drop..).nth(1).map(|(p, _)| *p);
            self.points.remove(&drop);
            if let Some(after) = after {
                self.count(after);
            }
        }
    }
}

impl Timeline {
    /// Makes a checkpoint here.
    pub(super) fn checkpoint(&mut self) -> Result<(), ReplayError> {
        let m = Timeline::fork(&self.machine)?;
        let monitor = self.oracles.as_ref().map(oracles::Oracles::known);
        self.points.insert(self.here, m, self.done, monitor);
        self.points.thin(self.options.memory, self.options.spacing, self.here);
        Ok(())
    }

    /// Goes to the last checkpoint at or before a position, or the first.
    pub(super) fn restore_before(&mut self, at: Position) -> Result<(), ReplayError> {
        let at = self.points.before(at).unwrap_or(self.points.first());
        let Some(p) = self.points.get(at) else { return Ok(()) };
        let (m, done) = (Timeline::fork(&p.machine)?, p.done);
        if let (Some(o), Some(known)) = (&mut self.oracles, &p.monitor) {
            o.go_on_with(known.fork());
        }
        self.replace(m, at, done);
        self.settled_at = Some(at);
        Ok(())
    }
}
