//! Machine software interrupts: somebody wrote a hart's MSIP register.

use emu_core::dev::Clint;
use emu_core::firmware::Platform;
use emu_csr::Interrupt;

use crate::harts;

/// Clears MSIP and passes the interrupt on as SSIP.
pub fn received(platform: &mut Platform<'_>, hart: usize) {
    if let Some(clint) = platform.bus.device::<Clint>() {
        clint.set_msip(hart, false);
        platform.bus.lines_changed = true;
    }
    let h = &mut platform.harts[hart];
    let effects = h.csr.set_line(Interrupt::MSoft, false);
    h.apply(effects);
    harts::send_ipi(h);
}
