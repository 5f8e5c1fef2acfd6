//! One slice of one hart's turn: which engine runs it.

use super::{EngineKind, Machine, observing};
use crate::engine::block::BlockCache;
use crate::engine::{SliceEnd, block, breaks, step, watch};
use crate::timing::Unit;

impl Machine {
    /// Lets hart `i` run until its cycle `until` or until the machine must look: on the engine that was chosen, or on the stepper where
    /// somebody must see single instructions.
    pub(super) fn slice(&mut self, i: usize, until: u64) -> SliceEnd {
        let mut observer = observing(&mut self.observer);
        let harts = self.harts.len();
        let h = &mut self.harts[i];
        let stepping = h.breaks.as_ref().is_some_and(|b| b.step.is_some());
        if let Some(o) = &observer {
            h.observed = o.interest();
        }
        // Other harts, devices and firmware may have written since this hart last ran.
        h.tlb.sync(&self.bus.ram);
        if !h.csr.counts_tlb() {
            h.counted = None;
        }
        let told = observer.as_ref().is_some_and(|o| o.wants_instructions());
        match self.engine {
            _ if h.breaks.is_some() && (stepping || self.engine == EngineKind::Step || self.cold > 0 || h.watched()) => {
                let from = h.cycles;
                let end = if h.watched() {
                    breaks::run(h, &mut self.bus, &self.decoder, &mut Unit, until, &mut observer, &mut watch::Eye::new())
                } else {
                    breaks::run(h, &mut self.bus, &self.decoder, &mut Unit, until, &mut observer, &mut ())
                };
                self.cold = self.cold.saturating_sub(h.cycles - from);
                end
            }
            _ if told => watch::commit::run(h, &mut self.bus, &self.decoder, &mut Unit, until, &mut observer),
            _ if h.watched() => watch::run(h, &mut self.bus, &self.decoder, &mut Unit, until, &mut observer),
            EngineKind::Step => step::run(h, &mut self.bus, &self.decoder, &mut Unit, until, &mut observer),
            EngineKind::Block if self.cold > 0 => {
                let from = h.cycles;
                let end = step::run(h, &mut self.bus, &self.decoder, &mut Unit, until.min(from + self.cold), &mut observer);
                self.cold = self.cold.saturating_sub(h.cycles - from);
                end
            }
            EngineKind::Block => {
                let blocks = self.blocks.get_or_insert_with(|| {
                    Box::new(BlockCache::new(self.bus.ram.base(), self.bus.ram.size(), harts).with_stops(self.stops.clone()))
                });
                block::run(h, i, &mut self.bus, &self.decoder, blocks, &mut Unit, until, &mut observer)
            }
        }
    }
}
