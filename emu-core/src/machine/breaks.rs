//! A debugger's stops on the whole machine.

use super::Machine;
use crate::engine::breaks::{Breaks, Halves, Hit, Watchpoint, half};
use crate::hart::Hart;

impl Machine {
    /// From here on [`Machine::run_until`] ends with [`super::RunEnd::Break`] before a hart executes an instruction at one of
    /// these virtual addresses, or one that accesses a watched one. Accesses are those of instructions: not instruction fetches, page walks,
    /// firmware's or devices'. Replaces what was set before, steps included; no guest sees any of it, and a fork has none.
    pub fn set_breaks(&mut self, pcs: &[u64], watched: &[Watchpoint]) {
        let breaks = sorted(pcs, watched);
        let mut stops: Halves = [0; 32];
        for pc in &breaks.pcs {
            let (word, bit) = half(*pc);
            stops[word] |= bit;
        }
        let stops = (!breaks.pcs.is_empty()).then(|| Box::new(stops));
        if stops != self.stops {
            // Blocks that were built over a breakpoint, and blocks that are cut for no reason any more.
            self.blocks = None;
            self.stops = stops;
        }
        let mut pages: Vec<u64> = Vec::new();
        for w in watched {
            // A watched range is a variable; one that is as large as memory gains nothing from pages.
            pages.extend((w.first >> 12..=w.last >> 12).take(MOST_PAGES));
        }
        for h in &mut self.harts {
            if h.tlb.watched != pages {
                h.tlb.flush();
                h.recontext();
                h.tlb.watched = pages.clone();
            }
            h.set_breaks(&breaks);
        }
    }

    /// Hart index `hart` stops after a step that leaves the addresses from `from` up to, not including, `to`; after any step if the range is
    /// empty. Others go on as their turns come. Holds until [`Machine::set_breaks`].
    pub fn set_step(&mut self, hart: usize, from: u64, to: u64) {
        if let Some(h) = self.harts.get_mut(hart) {
            h.breaks.get_or_insert_default().step = Some((from, to));
            h.leave_breakpoint(false);
        }
    }

    /// Stops nowhere any more. Unlike [`Machine::set_breaks`] with nothing, this keeps what makes setting the same again quick.
    pub fn disarm_breaks(&mut self) {
        for h in &mut self.harts {
            h.breaks = None;
        }
    }

    /// If hart index `hart` is at this pc and cycle of its own, its stop there was told: it does not stop again before its next instruction,
    /// at its watchpoints only if not `watched`.
    pub fn leave_break(&mut self, hart: usize, pc: u64, cycles: u64, watched: bool) {
        if let Some(h) = self.harts.get_mut(hart).filter(|h| (h.pc, h.cycles) == (pc, cycles)) {
            h.leave_breakpoint(watched);
        }
    }

    /// Forgets stops that are not told yet, before the machine goes on.
    pub(super) fn forget_hits(&mut self) {
        for b in self.harts.iter_mut().filter_map(|h| h.breaks.as_mut()) {
            b.hit = None;
        }
    }
}

/// Pages of one watchpoint, at most; more is refused by whoever sets it.
pub const MOST_PAGES: usize = 64;

fn sorted(pcs: &[u64], watched: &[Watchpoint]) -> Breaks {
    let mut pcs = pcs.to_vec();
    pcs.sort_unstable();
    pcs.dedup();
    let mut breaks = Breaks::default();
    (breaks.pcs, breaks.watched) = (pcs, watched.to_vec());
    breaks
}

impl Hart {
    /// Replaces what is set; what was told stays told.
    fn set_breaks(&mut self, breaks: &Breaks) {
        if breaks.is_empty() {
            self.breaks = None;
            return;
        }
        let b = self.breaks.get_or_insert_default();
        b.clear();
        b.pcs.clone_from(&breaks.pcs);
        b.watched.clone_from(&breaks.watched);
    }

    /// Why the hart has stopped, once.
    pub(super) fn take_hit(&mut self) -> Option<Hit> {
        let hit = self.breaks.as_mut()?.hit.take()?;
        if hit != Hit::Step {
            self.leave_breakpoint(matches!(hit, Hit::Watchpoint { .. }));
        }
        Some(hit)
    }
}
