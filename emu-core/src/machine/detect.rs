//! Tells a guest that will never do anything again from one that works.

use super::{Machine, RunEnd};
use crate::hart::Hart;

/// Traps in a row without one instruction retired.
const NO_PROGRESS: u64 = 1_000;
/// Traps in a row without a return. Nested traps are a few deep; firmware that never returns handles no more than some dozens.
const UNRETURNED: u64 = 100_000;

impl Machine {
    /// A trap loop on a hart, if there is one.
    pub(super) fn trap_loop(&self, index: usize) -> Option<RunEnd> {
        let h = self.harts.get(index)?;
        if h.traps.without_progress < NO_PROGRESS && h.traps.unreturned < UNRETURNED {
            return None;
        }
        Some(RunEnd::TrapLoop { hart: index, pc: epc(h), cause: cause(h) })
    }
}

/// xepc of the mode that took the last trap.
fn epc(h: &Hart) -> u64 {
    use emu_csr::Mode;
    match h.mode {
        Mode::M => h.csr.mepc,
        Mode::HS | Mode::U => h.csr.sepc,
        Mode::VS | Mode::VU => h.csr.vsepc,
    }
}

fn cause(h: &Hart) -> u64 {
    use emu_csr::Mode;
    match h.mode {
        Mode::M => h.csr.mcause,
        Mode::HS | Mode::U => h.csr.scause,
        Mode::VS | Mode::VU => h.csr.vscause,
    }
}
