//! One slice of one hart's turn: which engine runs it.

use super::{EngineKind, Machine, observing};
use crate::engine::block::BlockCache;
use crate::engine::step::Watch;
use crate::engine::watch::{Eye, commit::Teller};
use crate::engine::{SliceEnd, Turn, block, breaks, step};
use crate::timing::Unit;

impl Machine {
    /// Lets hart `i` run until its cycle `until` or until the machine must look: on the engine that was chosen, or on the stepper where
    /// somebody must see single instructions.
    pub(super) fn slice(&mut self, i: usize, until: u64) -> SliceEnd {
        let observer = &mut observing(&mut self.observer);
        let harts = self.harts.len();
        let hart = &mut self.harts[i];
        if let Some(o) = &observer {
            hart.observed = o.interest();
        }
        // Other harts, devices and firmware may have written since this hart last ran.
        hart.tlb.sync(&self.bus.ram);
        if !hart.csr.counts_tlb() {
            hart.counted = None;
        }
        let stepping = hart.breaks.as_ref().is_some_and(|b| b.step.is_some());
        let seen = stepping || hart.watched() || observer.as_ref().is_some_and(|o| o.wants_instructions());
        let from = hart.cycles;
        let mut turn = Turn { hart, bus: &mut self.bus, decoder: &self.decoder, timing: &mut Unit, until, observer };
        match self.engine {
            EngineKind::Block if !seen && self.cold == 0 => {
                let blocks = self.blocks.get_or_insert_with(|| {
                    Box::new(BlockCache::new(turn.bus.ram.base(), turn.bus.ram.size(), harts).with_stops(self.stops.clone()))
                });
                return block::run(turn, i, blocks);
            }
            EngineKind::Block if self.cold > 0 => turn.until = until.min(from + self.cold),
            _ => {}
        }
        let by = if turn.hart.breaks.is_some() { Loop::Breaks } else { Loop::Plain };
        let end = exactly(turn, by);
        self.cold = self.cold.saturating_sub(self.harts[i].cycles - from);
        end
    }
}

/// Which loop of the stepper.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Loop {
    /// The plain one.
    Plain,
    /// The one that stops where a debugger says.
    Breaks,
}

/// One instruction after the other, with whoever must see them.
pub(super) fn exactly(turn: Turn<'_, '_, Unit>, by: Loop) -> SliceEnd {
    fn run<W: Watch>(turn: Turn<'_, '_, Unit>, by: Loop, mut watch: W) -> SliceEnd {
        match by {
            Loop::Plain => step::run(turn, &mut watch),
            Loop::Breaks => breaks::run(turn, &mut watch),
        }
    }
    if turn.observer.as_ref().is_some_and(|o| o.wants_instructions()) {
        run(turn, by, Teller::new())
    } else if turn.hart.watched() {
        run(turn, by, Eye::new())
    } else {
        run(turn, by, ())
    }
}
