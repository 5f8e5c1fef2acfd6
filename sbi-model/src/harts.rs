//! Hart masks (SBI, "Hart list parameter") and what is sent to other harts.

use emu_core::firmware::Platform;
use emu_core::hart::Hart;
use emu_csr::Interrupt;

use crate::call::Call;
use crate::error::SbiError;
use crate::ext::FwEvent;

/// Index of a hart id.
pub(crate) fn index_of(platform: &Platform<'_>, id: u64) -> Option<usize> {
    platform.harts.iter().position(|h| h.id == id)
}

impl Call<'_, '_> {
    /// Index of a hart id that is available to the caller: one of its domain.
    pub(crate) fn hart_of(&self, id: u64) -> Option<usize> {
        index_of(self.platform, id).filter(|_| self.rules.domains.same(self.platform.harts[self.hart].id, id))
    }

    /// Calls `each` on every hart that the pair names and that runs or is suspended: `base` -1 is all harts, otherwise bit `i` of `mask`
    /// is hart id `base + i`. Every id must exist before anything is done.
    /// `events` are the firmware events that each of them that is not the caller means: one sent for the caller, one received for it.
    pub(crate) fn for_harts(
        &mut self,
        mask: u64,
        base: u64,
        events: (FwEvent, FwEvent),
        mut each: impl FnMut(&mut Hart),
    ) -> Result<u64, SbiError> {
        if base != u64::MAX {
            for i in (0..64).filter(|i| mask >> i & 1 != 0) {
                let id = base.checked_add(i).ok_or(SbiError::InvalidParam)?;
                self.hart_of(id).ok_or(SbiError::InvalidParam)?;
            }
        }
        let caller = self.platform.harts[self.hart].id;
        for (i, h) in self.platform.harts.iter_mut().enumerate() {
            let all = base == u64::MAX && self.rules.domains.same(caller, h.id);
            let named = all || base != u64::MAX && h.id.checked_sub(base).is_some_and(|bit| bit < 64 && mask >> bit & 1 != 0);
            if named && self.state.takes_part(i, h) {
                each(h);
                if i != self.hart {
                    self.state.count(self.hart, events.0);
                    self.state.count(i, events.1);
                }
            }
        }
        Ok(0)
    }
}

/// The firmware events of an IPI.
pub(crate) const IPI: (FwEvent, FwEvent) = (FwEvent::IpiSent, FwEvent::IpiReceived);

/// A supervisor software interrupt for a hart: sip.SSIP.
pub(crate) fn send_ipi(hart: &mut Hart) {
    let effects = hart.csr.set_line(Interrupt::SSoft, true);
    hart.apply(effects);
}
