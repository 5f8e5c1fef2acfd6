//! Tells a guest that will never do anything again from one that works.

use emu_csr::Mode;

use super::{Machine, RunEnd};
use crate::hart::Hart;

impl Machine {
    /// A trap loop on a hart, if there is one.
    #[inline]
    pub(super) fn trap_loop(&self, index: usize) -> Option<RunEnd> {
        let h = self.harts.get(index)?;
        if !h.traps.endless() {
            return None;
        }
        Some(RunEnd::TrapLoop { hart: index, pc: epc(h), cause: cause(h) })
    }
}

/// The mode that took the last trap: M-mode too if firmware has returned to the very instruction that trapped.
fn taker(h: &Hart) -> Mode {
    if h.csr.mepc == h.pc { Mode::M } else { h.mode }
}

fn epc(h: &Hart) -> u64 {
    match taker(h) {
        Mode::M => h.csr.mepc,
        Mode::HS | Mode::U => h.csr.sepc,
        Mode::VS | Mode::VU => h.csr.vsepc,
    }
}

fn cause(h: &Hart) -> u64 {
    match taker(h) {
        Mode::M => h.csr.mcause,
        Mode::HS | Mode::U => h.csr.scause,
        Mode::VS | Mode::VU => h.csr.vscause,
    }
}
