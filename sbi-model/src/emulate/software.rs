//! Machine software interrupts: somebody wrote a hart's MSIP register.

use emu_core::dev::Clint;
use emu_csr::Interrupt;

use crate::call::{Call, Outcome};
use crate::{harts, sse};

/// Clears MSIP. If firmware on another hart has sent the interrupt, its reason is seen to; otherwise it is passed on as SSIP.
pub fn received(c: &mut Call<'_, '_>) -> Outcome {
    if sse::must_wait(c) {
        return Outcome::Spin;
    }
    if let Some(clint) = c.platform.bus.device::<Clint>() {
        clint.set_msip(c.hart, false);
        c.platform.bus.lines_changed = true;
    }
    let h = &mut c.platform.harts[c.hart];
    let effects = h.csr.set_line(Interrupt::MSoft, false);
    h.apply(effects);
    if c.state.sse.harts[c.hart].ipi {
        sse::drain(c);
    } else {
        harts::send_ipi(h);
    }
    Outcome::Placed
}
