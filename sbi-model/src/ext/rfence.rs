//! SBI, "RFENCE Extension". A remote fence is complete on every hart when the call returns.

use emu_core::hart::{Hart, event};
use emu_core::mmu::{Fence, Stage};
use emu_csr::{Ext, table::field::hgatp};

use crate::call::{Call, Extension, Function, Outcome, function};
use crate::error::SbiError;
use crate::ext::FwEvent;
use crate::profile::policy::FenceRange;

/// The extension.
pub static EXTENSION: Extension = Extension::new(0x5246_4e43, "RFNC", FUNCTIONS);

const FUNCTIONS: &[Function] = &[
    function(0, "sbi_remote_fence_i", &["hart_mask", "hart_mask_base"], |c| fence_i(c, c.args[0], c.args[1])),
    function(1, "sbi_remote_sfence_vma", RANGE, |c| remote(c, Stage::S, None, None)),
    function(2, "sbi_remote_sfence_vma_asid", ASID, |c| remote(c, Stage::S, Some(c.args[4]), None)),
    function(3, "sbi_remote_hfence_gvma_vmid", VMID, |c| hypervisor(c, Stage::G, true)),
    function(4, "sbi_remote_hfence_gvma", RANGE, |c| hypervisor(c, Stage::G, false)),
    function(5, "sbi_remote_hfence_vvma_asid", ASID, |c| hypervisor(c, Stage::Vs, true)),
    function(6, "sbi_remote_hfence_vvma", RANGE, |c| hypervisor(c, Stage::Vs, false)),
];

const RANGE: &[&str] = &["hart_mask", "hart_mask_base", "start_addr", "size"];
const ASID: &[&str] = &["hart_mask", "hart_mask_base", "start_addr", "size", "asid"];
const VMID: &[&str] = &["hart_mask", "hart_mask_base", "start_addr", "size", "vmid"];

/// Pages up to which a range is fenced page by page; more, and everything goes.
const PAGES: u64 = 64;

/// VMIDs are 14 bits wide (Hypervisor, "hgatp"), ASIDs 16; the instructions ignore the bits above (Privileged ISA, "SFENCE.VMA").
const VMID_BITS: u64 = 0x3fff;

/// An address range to fence.
#[derive(Clone, Copy)]
struct Range {
    start: u64,
    /// `None`: all addresses.
    pages: Option<u64>,
}

impl Range {
    /// start_addr and size 0, or size -1, are all addresses. What a range that wraps is, a policy says.
    fn of(start: u64, size: u64, policy: FenceRange) -> Result<Range, SbiError> {
        if start == 0 && size == 0 || size == u64::MAX {
            return Ok(Range { start: 0, pages: None });
        }
        if size == 0 {
            return Ok(Range { start, pages: Some(0) });
        }
        let Some(last) = start.checked_add(size - 1) else {
            return match policy {
                FenceRange::Checked => Err(SbiError::InvalidAddress),
                FenceRange::Unchecked => Ok(Range { start: 0, pages: None }),
            };
        };
        let pages = (last >> 12) - (start >> 12) + 1;
        Ok(Range { start: start & !0xfff, pages: (pages <= PAGES).then_some(pages) })
    }

    /// Each fence that it takes.
    fn fence(self, hart: &mut Hart, fence: Fence) {
        match self.pages {
            None => hart.fence(fence),
            Some(n) => (0..n).for_each(|i| hart.fence(Fence { addr: Some(self.start.wrapping_add(i << 12)), ..fence })),
        }
        hart.events |= event::CONTEXT;
    }
}

/// Also the legacy call.
pub(super) fn fence_i(c: &mut Call<'_, '_>, mask: u64, base: u64) -> Outcome {
    c.for_harts(mask, base, (FwEvent::FenceISent, FwEvent::FenceIReceived), |h| h.events |= event::CODE).into()
}

/// Fences the range in a2 and a3.
fn remote(c: &mut Call<'_, '_>, stage: Stage, id: Option<u64>, vmid: Option<u16>) -> Outcome {
    let [mask, base, start, size, ..] = c.args;
    let bits = if stage == Stage::G { VMID_BITS } else { u64::from(u16::MAX) };
    over(c, (mask, base), (start, size), Fence { addr: None, id: id.map(|i| (i & bits) as u16), vmid, stage })
}

/// The firmware events of a remote fence.
fn counted(fence: Fence) -> (FwEvent, FwEvent) {
    use FwEvent::*;
    match (fence.stage, fence.id.is_some()) {
        (Stage::S, false) => (SfenceVmaSent, SfenceVmaReceived),
        (Stage::S, true) => (SfenceVmaAsidSent, SfenceVmaAsidReceived),
        (Stage::G, false) => (HfenceGvmaSent, HfenceGvmaReceived),
        (Stage::G, true) => (HfenceGvmaVmidSent, HfenceGvmaVmidReceived),
        (Stage::Vs, false) => (HfenceVvmaSent, HfenceVvmaReceived),
        (Stage::Vs, true) => (HfenceVvmaAsidSent, HfenceVvmaAsidReceived),
    }
}

/// Also the legacy calls, whose arguments are elsewhere.
pub(super) fn over(c: &mut Call<'_, '_>, (mask, base): (u64, u64), (start, size): (u64, u64), fence: Fence) -> Outcome {
    match Range::of(start, size, c.rules.policies.fence_range) {
        Ok(range) => c.for_harts(mask, base, counted(fence), |h| range.fence(h, fence)).into(),
        Err(e) => e.into(),
    }
}

/// The fences that only a hart with H has.
fn hypervisor(c: &mut Call<'_, '_>, stage: Stage, with_id: bool) -> Outcome {
    if !c.caller().csr.isa.has(Ext::H) {
        return SbiError::NotSupported.into();
    }
    // The VS-stage of the guest that the calling hart's hgatp names, on all harts.
    let vmid = ((c.caller().csr.hgatp & hgatp::VMID) >> 44) as u16;
    let id = with_id.then_some(c.args[4]);
    remote(c, stage, id, (stage == Stage::Vs).then_some(vmid))
}
