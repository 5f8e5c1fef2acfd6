//! SBI, "Timer Extension".

use crate::call::{Call, Extension, Function, Outcome, function};
use crate::emulate::timer;
use crate::ext::FwEvent;

/// The extension.
pub static EXTENSION: Extension = Extension::new(0x5449_4d45, "TIME", FUNCTIONS);

const FUNCTIONS: &[Function] = &[function(0, "sbi_set_timer", &["stime_value"], set_timer)];

/// Also the legacy call.
pub(super) fn set_timer(c: &mut Call<'_, '_>) -> Outcome {
    c.count(FwEvent::SetTimer);
    timer::set(c.platform, c.hart, c.args[0]);
    Outcome::Return(Ok(0))
}
