//! SBI, "System Suspend Extension". The one hart that still runs waits like in HSM's non-retentive suspension; memory keeps what it has.

use super::hsm;
use crate::call::{Call, Extension, Function, Outcome, function};
use crate::error::SbiError;
use crate::profile::policy::SuspendOrder;
use crate::state::HartState;

/// The extension.
pub static EXTENSION: Extension = Extension { available: super::driven, ..Extension::new(0x5355_5350, "SUSP", FUNCTIONS) };

const FUNCTIONS: &[Function] = &[function(0, "sbi_system_suspend", &["sleep_type", "resume_addr", "opaque"], suspend)];

/// Suspend to RAM; others are reserved, or a platform's, and this platform has none.
const TO_RAM: u32 = 0;

/// SBI, "System Suspend" (FID 0).
fn suspend(c: &mut Call<'_, '_>) -> Outcome {
    let [kind, at, opaque, ..] = c.args;
    if kind as u32 != TO_RAM {
        return SbiError::InvalidParam.into();
    }
    let others = (0..c.platform.harts.len()).filter(|&i| i != c.hart);
    let running = others.into_iter().any(|i| c.state.of(i, &c.platform.harts[i]) != HartState::Stopped);
    match (hsm::may_run(c, at), running, c.rules.policies.suspend_order) {
        (false, true, SuspendOrder::AddressFirst) | (false, false, _) => SbiError::InvalidAddress.into(),
        (_, true, _) => SbiError::Denied.into(),
        (true, false, _) => hsm::sleep_and_resume_at(c, at, opaque),
    }
}
