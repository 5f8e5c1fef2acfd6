//! Hart masks (SBI, "Hart list parameter") and what is sent to other harts.

use emu_core::firmware::Platform;
use emu_core::hart::Hart;
use emu_csr::Interrupt;

use crate::call::Call;
use crate::error::SbiError;
use crate::ext::FwEvent;
use crate::profile::policy::{HartIdWidth, HartMask};

/// Index of a hart id.
pub(crate) fn index_of(platform: &Platform<'_>, id: u64) -> Option<usize> {
    platform.harts.iter().position(|h| h.id == id)
}

impl Call<'_, '_> {
    /// The part of a hart id that counts.
    fn id_of(&self, id: u64) -> u64 {
        if self.rules.policies.hart_id == HartIdWidth::Low32 { id & 0xffff_ffff } else { id }
    }

    /// Index of a hart id that is available to the caller: one of its domain.
    pub(crate) fn hart_of(&self, id: u64) -> Option<usize> {
        let id = self.id_of(id);
        index_of(self.platform, id).filter(|_| self.rules.domains.same(self.platform.harts[self.hart].id, id))
    }

    /// Calls `each` on every hart that the pair names and that runs or is suspended: `base` -1 is all harts, otherwise bit `i` of `mask`
    /// is hart id `base + i`. What must be so of every id before anything is done, a policy says.
    /// `events` are the firmware events that each of them that is not the caller means: one sent for the caller, one received for it.
    pub(crate) fn for_harts(
        &mut self,
        mask: u64,
        base: u64,
        events: (FwEvent, FwEvent),
        mut each: impl FnMut(&mut Hart),
    ) -> Result<u64, SbiError> {
        let caller = self.platform.harts[self.hart].id;
        // One bit a hart, by index.
        let mut named = 0u64;
        if base == u64::MAX {
            let ours = self.platform.harts.iter().enumerate().filter(|(_, h)| self.rules.domains.same(caller, h.id));
            named = ours.fold(0, |set, (i, _)| set | 1 << i);
        }
        for bit in (0..64).filter(|bit| base != u64::MAX && mask >> bit & 1 != 0) {
            // Ids of 32 bits wrap around.
            let narrow = self.rules.policies.hart_id == HartIdWidth::Low32;
            let id = if narrow { Some(base.wrapping_add(bit)) } else { base.checked_add(bit) };
            let found = id.and_then(|id| self.hart_of(id));
            let runs = |&i: &usize| self.state.takes_part(i, &self.platform.harts[i]);
            let target = match self.rules.policies.hart_mask {
                HartMask::Available => Some(found.ok_or(SbiError::InvalidParam)?),
                HartMask::Running => Some(found.filter(runs).ok_or(SbiError::InvalidParam)?),
                HartMask::PassedOver => found,
            };
            if let Some(i) = target {
                named |= 1 << i;
            }
        }
        for (i, h) in self.platform.harts.iter_mut().enumerate() {
            if named >> i & 1 != 0 && self.state.takes_part(i, h) {
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
