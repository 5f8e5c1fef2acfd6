//! Harts that wait, and what ends that.

use super::Machine;
use crate::hart::{Hart, Wait, event};

impl Machine {
    /// Whether hart `i` runs, after waking it if there is a reason to.
    pub(super) fn wake(&mut self, i: usize) -> bool {
        let h = &mut self.harts[i];
        if h.wait != Wait::Running {
            if !h.wakes() {
                return false;
            }
            h.wait = Wait::Running;
            h.events |= event::INTERRUPTS;
        }
        true
    }
}

impl Hart {
    /// Whether a waiting hart has a reason to go on.
    pub(super) fn wakes(&self) -> bool {
        match self.wait {
            Wait::Running | Wait::Held => false,
            Wait::Wfi => self.csr.wfi_wakes(),
            Wait::Wrs(until) => self.csr.wfi_wakes() || self.cycles >= until || self.reservation.is_none(),
        }
    }
}
