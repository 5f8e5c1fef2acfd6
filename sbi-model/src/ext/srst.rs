//! SBI, "System Reset Extension".

use emu_core::bus::Request;

use crate::call::{Call, Extension, Function, Outcome, function};
use crate::error::SbiError;

/// The extension.
pub static EXTENSION: Extension = Extension::new(0x5352_5354, "SRST", FUNCTIONS);

const FUNCTIONS: &[Function] = &[function(0, "sbi_system_reset", &["reset_type", "reset_reason"], reset)];

/// reset_reason: system failure.
const SYSTEM_FAILURE: u32 = 1;

/// SBI, "System reset" (FID 0).
fn reset(c: &mut Call<'_, '_>) -> Outcome {
    let (Some(kind), Some(reason)) = (c.narrow(c.args[0]), c.narrow(c.args[1])) else {
        return SbiError::InvalidParam.into();
    };
    // All that is not named is reserved, or belongs to other implementations and platforms.
    if reason > SYSTEM_FAILURE {
        return SbiError::InvalidParam.into();
    }
    if kind <= 2 && !allowed(c) {
        return SbiError::NotSupported.into();
    }
    match kind {
        0 => shutdown(reason),
        1 | 2 => Outcome::Request(Request::Reset),
        _ => SbiError::InvalidParam.into(),
    }
}

/// Whether the caller's domain may reset the machine or switch it off.
pub(super) fn allowed(c: &Call<'_, '_>) -> bool {
    c.rules.domains.of(c.platform.harts[c.hart].id).is_none_or(|d| d.may_reset)
}

/// Power off; the reason is the code that the user sees.
pub(super) fn shutdown(reason: u32) -> Outcome {
    Outcome::Request(Request::PowerOff(u32::from(reason == SYSTEM_FAILURE)))
}
