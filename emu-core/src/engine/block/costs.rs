//! What blocks cost under timing models other than one cycle an instruction.

use super::{MAX_BLOCK, Op, handlers};
use crate::insn::Insn;
use crate::timing::TimingModel;

/// Cycles of the block that runs next.
pub(super) struct Costs {
    /// From the block's start to each instruction.
    before: [u64; MAX_BLOCK],
    len: usize,
}

impl Costs {
    /// Of no block.
    pub(super) fn new() -> Costs {
        Costs { before: [0; MAX_BLOCK], len: 0 }
    }

    /// Takes the costs of a block if it ran now to its end. Gives the cycles up to its last instruction, which is executed if a deadline
    /// comes after them.
    ///
    /// # Safety
    /// `op` is the entry of a live block.
    pub(super) unsafe fn of<T: TimingModel>(&mut self, op: *const Op, timing: &T) -> u64 {
        let mut trial = timing.clone();
        // SAFETY: forwarded contract.
        let insns = unsafe { handlers::instructions(op) };
        let (mut sum, mut last) = (0, 0);
        for (before, insn) in self.before.iter_mut().zip(insns) {
            (*before, last) = (sum, sum);
            sum += trial.cost(insn.def.class);
        }
        self.len = insns.len();
        last
    }

    /// Instructions of the block.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Cycles to each instruction of the block.
    pub(super) fn table(&self) -> *const u64 {
        self.before.as_ptr()
    }

    /// Lets the model account for the first `retired` instructions of a block that has run. Gives their cycles.
    ///
    /// # Safety
    /// As [`Costs::of`].
    pub(super) unsafe fn charge<T: TimingModel>(&self, op: *const Op, retired: usize, timing: &mut T) -> u64 {
        // SAFETY: forwarded contract.
        let insns: &[Insn] = unsafe { handlers::instructions(op) };
        insns.iter().take(retired).map(|i| timing.cost(i.def.class)).sum()
    }
}
