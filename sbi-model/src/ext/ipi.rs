//! SBI, "IPI Extension".

use crate::call::{Call, Extension, Function, Outcome, function};
use crate::harts;

/// The extension.
pub static EXTENSION: Extension = Extension::new(0x73_5049, "sPI", FUNCTIONS);

const FUNCTIONS: &[Function] = &[function(0, "sbi_send_ipi", &["hart_mask", "hart_mask_base"], send_ipi)];

/// SBI, "Send IPI" (FID 0).
fn send_ipi(c: &mut Call<'_, '_>) -> Outcome {
    c.for_harts(c.args[0], c.args[1], harts::IPI, harts::send_ipi).into()
}
