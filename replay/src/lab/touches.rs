//! Which step of a hart last changed each value of its context: what the ledger does not tell of general registers, fcsr, ELP and ssp.

use std::collections::BTreeMap;

use emu_core::bus::Bus;
use emu_core::hart::Hart;
use emu_csr::Mode;

use crate::context::Context;

/// A step: an instruction, or the trap that it took.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Touch {
    /// Mode before it; native firmware's steps are M-mode's.
    pub mode: Mode,
    /// pc before it.
    pub pc: u64,
    /// Instructions that the hart had retired before.
    pub instret: u64,
}

/// The last step that changed each value, by the value's name.
#[derive(Clone, Debug, Default)]
pub(super) struct Touches {
    last: Option<(Context, Touch)>,
    by: BTreeMap<String, Touch>,
    kept: [BTreeMap<String, Touch>; 2],
}

impl Touches {
    /// Looks at the hart after a step.
    pub fn look(&mut self, hart: &Hart, bus: &Bus) {
        let now = Context::of(hart, bus);
        let here = Touch { mode: hart.mode, pc: hart.pc, instret: hart.instret };
        if let Some((before, step)) = &self.last {
            // Every step changes pc.
            let changed = before.differences(&now).into_iter().filter(|d| d.register != "pc");
            changed.for_each(|d| {
                self.by.insert(d.name(), *step);
            });
        }
        self.last = Some((now, here));
    }

    /// Keeps what is known now: 0 before `complete`, 1 when the victim goes on.
    pub fn keep(&mut self, moment: usize) {
        if let Some(kept) = self.kept.get_mut(moment) {
            kept.clone_from(&self.by);
        }
    }

    /// The step that had last changed a value at a moment of [`Touches::keep`].
    pub fn of(&self, moment: usize, name: &str) -> Option<Touch> {
        self.kept.get(moment)?.get(name).copied()
    }
}
