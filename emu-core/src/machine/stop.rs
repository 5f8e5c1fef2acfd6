//! Where a run stops, and what that leaves one hart in its turn.

use super::Machine;
use crate::hart::Hart;

/// No such position.
pub(super) const FOREVER: u64 = u64::MAX;

/// Positions at which [`Machine::run_until`] stops, whichever comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stop {
    /// Virtual time in cycles: exact with one hart, the end of the round in which it is reached with more.
    pub cycles: u64,
    /// Instructions retired by all harts ([`Machine::instret`]), exactly. It may be in the middle of a hart's turn: the order in which the
    /// harts retire instructions is part of the machine's state, so the same number is the same state on every engine.
    pub instret: u64,
    /// Instructions retired by one hart (by index), exactly; the others are where their turns have brought them.
    pub hart: Option<(usize, u64)>,
    /// Cycles of all harts together ([`Machine::elapsed`]), which every instruction and every exception moves on: the finest position
    /// there is. The machine stops at the first moment at which they are reached, and what comes before the next instruction (the
    /// round's devices, pending interrupts) has happened then.
    pub elapsed: u64,
    /// Cycles of one hart (by index): exactly there, or where an operation of firmware that reaches beyond has ended.
    pub own: Option<(usize, u64)>,
}

impl Stop {
    /// Nowhere: to be changed.
    pub const NEVER: Stop = Stop { cycles: FOREVER, instret: FOREVER, hart: None, elapsed: FOREVER, own: None };
}

/// What a [`Stop`] leaves one hart, in whose turn the others stand still.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// Instructions that it retires at most, counted from its reset.
    pub instret: u64,
    /// Its cycle that [`Stop::own`] names.
    pub own: u64,
    /// Its cycle at which [`Stop::elapsed`] is reached.
    pub elapsed: u64,
}

impl Machine {
    /// Whether [`Machine::run_until`] would stop here before anything happens. [`Stop::elapsed`] is not looked at: reaching it includes what
    /// comes before the next instruction.
    pub fn stands_at(&self, to: &Stop) -> bool {
        let past = |at: Option<(usize, u64)>, of: fn(&Hart) -> u64| {
            at.is_some_and(|(i, n)| self.harts.get(i).is_none_or(|h| of(h) >= n))
        };
        self.instret() >= to.instret
            || past(to.hart, |h| h.instret)
            || past(to.own, |h| h.cycles)
            || self.cycles() >= to.cycles && (self.turn >= self.harts.len() || self.harts.len() == 1)
    }

    /// What `to` leaves hart `i` in its turn.
    pub(super) fn bounds(&self, i: usize, to: &Stop) -> Bounds {
        let h = &self.harts[i];
        let mine = |at: Option<(usize, u64)>| at.map_or(FOREVER, |(hart, n)| if hart == i { n } else { FOREVER });
        Bounds {
            instret: to.instret.saturating_sub(self.instret() - h.instret).min(mine(to.hart)),
            own: mine(to.own),
            elapsed: match to.elapsed {
                FOREVER => FOREVER,
                n => n.saturating_sub(self.elapsed() - h.cycles),
            },
        }
    }
}
