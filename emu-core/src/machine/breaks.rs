//! A debugger's stops on the whole machine.

use super::{Machine, RunEnd};
use crate::engine::breaks::{Breaks, Halves, Hit, Watchpoint, half};
use crate::hart::Hart;
use crate::mem::Access;

impl Machine {
    /// From here on [`Machine::run_until`] ends with [`super::RunEnd::Break`] before a hart executes an instruction at one of
    /// these virtual addresses, or one that accesses a watched one; and as soon as a device or native firmware has accessed a
    /// watched one. Instruction fetches and page walks do not count. Replaces what was set before, steps included; no guest sees any of it,
    /// and a fork has none.
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
        self.watched = watched.to_vec();
        self.bus.ram.set_journal(!watched.is_empty(), watched.iter().any(|w| w.load));
        self.unasked = None;
        self.armed = true;
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

    /// Stops nowhere any more. Unlike [`Machine::set_breaks`] with nothing, this keeps what makes setting the same again quick, and what
    /// [`Machine::take_foreign`] tells.
    pub fn disarm_breaks(&mut self) {
        self.armed = false;
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

    /// An access of a device or of firmware to a watched address that happened after [`Machine::disarm_breaks`], so that nothing stopped: the
    /// hart's index, and [`Hit::Foreign`]. Told once.
    pub fn take_foreign(&mut self) -> Option<(usize, Hit)> {
        self.unasked.take()
    }

    /// Whether a device or firmware has accessed what somebody watches. `hart` is the one to ask first for what its tables say.
    #[inline]
    pub(super) fn foreign(&mut self, hart: usize) -> Option<RunEnd> {
        if self.watched.is_empty() { None } else { self.foreign_watched(hart) }
    }

    fn foreign_watched(&mut self, hart: usize) -> Option<RunEnd> {
        let accesses = self.bus.ram.take_accesses();
        if accesses.is_empty() {
            return None;
        }
        let harts = std::iter::once(hart).chain((0..self.harts.len()).filter(|i| *i != hart));
        let (hart, hit) = harts.into_iter().find_map(|i| Some((i, self.foreign_for(i, &accesses)?)))?;
        if self.armed {
            return Some(RunEnd::Break { hart, hit });
        }
        self.unasked.get_or_insert((hart, hit));
        None
    }

    /// The first of these accesses that a hart's tables bring to an address that is watched for such.
    fn foreign_for(&mut self, hart: usize, accesses: &[Access]) -> Option<Hit> {
        for w in self.watched.clone() {
            for page in (w.first >> 12..=w.last >> 12).take(MOST_PAGES) {
                let (first, last) = (w.first.max(page << 12), w.last.min(page << 12 | 0xfff));
                let Some(pa) = self.peek_translate(hart, first) else { continue };
                let end = pa + (last - first);
                let meets = |x: &&Access| x.pa <= end && pa <= x.pa.saturating_add(x.len - 1);
                let kind = |x: &&Access| x.len > 0 && if x.store { w.store } else { w.load };
                if let Some(x) = accesses.iter().filter(kind).find(meets) {
                    return Some(Hit::Foreign { address: first + x.pa.saturating_sub(pa), store: x.store, by: x.by });
                }
            }
        }
        None
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
