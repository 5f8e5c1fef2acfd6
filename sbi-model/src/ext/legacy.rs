//! SBI, "Legacy Extensions": one function an extension id, a result in a0 alone, hart masks in the caller's virtual memory.

use emu_core::mmu::{Access, Fence, Stage};
use emu_csr::{Interrupt, Trap};

use super::{hsm, rfence, srst, time};
use crate::call::{Call, Extension, Function, Outcome, function};
use crate::profile::policy::{ClearIpi, NullMask};
use crate::{harts, leave};

/// The extensions 0 to 8.
pub static EXTENSION: Extension = Extension { first: 0, last: 8, name: "LEGACY", functions: FUNCTIONS, available: |_, _| true };

const FUNCTIONS: &[Function] = &[
    function(0, "sbi_set_timer", &["stime_value"], time::set_timer),
    function(1, "sbi_console_putchar", &["ch"], putchar),
    function(2, "sbi_console_getchar", &[], getchar),
    function(3, "sbi_clear_ipi", &[], clear_ipi),
    function(4, "sbi_send_ipi", &["hart_mask"], |c| masked(c, |c, m, b| c.for_harts(m, b, harts::IPI, harts::send_ipi).into())),
    function(5, "sbi_remote_fence_i", &["hart_mask"], |c| masked(c, rfence::fence_i)),
    function(6, "sbi_remote_sfence_vma", &["hart_mask", "start", "size"], |c| masked(c, |c, m, b| sfence(c, m, b, None))),
    function(7, "sbi_remote_sfence_vma_asid", &["hart_mask", "start", "size", "asid"], |c| {
        masked(c, |c, m, b| sfence(c, m, b, Some(c.args[3] as u16)))
    }),
    function(8, "sbi_shutdown", &[], shutdown),
];

/// Never returns: where the domain may not switch the machine off, the hart stops.
fn shutdown(c: &mut Call<'_, '_>) -> Outcome {
    if srst::allowed(c) { srst::shutdown(0) } else { hsm::hart_stop(c) }
}

fn putchar(c: &mut Call<'_, '_>) -> Outcome {
    c.platform.console_out.push(c.args[0] as u8);
    Outcome::Return(Ok(0))
}

/// The byte typed first, or -1, which is no error code here.
fn getchar(c: &mut Call<'_, '_>) -> Outcome {
    Outcome::Return(Ok(c.platform.console_in.pop_front().map_or(u64::MAX, u64::from)))
}

fn clear_ipi(c: &mut Call<'_, '_>) -> Outcome {
    let told = c.rules.policies.clear_ipi == ClearIpi::Pending;
    let h = c.caller();
    let pending = h.csr.mip & Interrupt::SSoft.mask() != 0;
    let effects = h.csr.set_line(Interrupt::SSoft, false);
    h.apply(effects);
    Outcome::Return(Ok(u64::from(told && pending)))
}

fn sfence(c: &mut Call<'_, '_>, mask: u64, base: u64, id: Option<u16>) -> Outcome {
    let (start, size) = (c.args[1], c.args[2]);
    rfence::over(c, (mask, base), (start, size), Fence { addr: None, id, vmid: None, stage: Stage::S })
}

/// Reads the hart mask that a0 points to as the caller would. A fault is the caller's own.
fn masked(c: &mut Call<'_, '_>, run: fn(&mut Call<'_, '_>, u64, u64) -> Outcome) -> Outcome {
    let at = c.args[0];
    if at == 0 && c.rules.policies.null_mask == NullMask::AllHarts {
        return run(c, 0, u64::MAX);
    }
    match load(c, at) {
        Ok(mask) => run(c, mask, 0),
        Err(trap) => Outcome::Trap(trap),
    }
}

fn load(c: &mut Call<'_, '_>, at: u64) -> Result<u64, Trap> {
    let h = &mut c.platform.harts[c.hart];
    let mode = leave::previous(h);
    h.load_as(c.platform.bus, at, 8, Access { mode, hlvx: false, forced: false })
}
