//! SBI, "Base Extension": what this firmware is.

use crate::call::{Call, Extension, Function, Outcome, function};

/// SBI 3.0: major in bits 30 to 24, minor below.
const SPEC_VERSION: u64 = 3 << 24;

/// The extension.
pub static EXTENSION: Extension = Extension::new(0x10, "BASE", FUNCTIONS);

const FUNCTIONS: &[Function] = &[
    function(0, "sbi_get_spec_version", &[], |_| give(SPEC_VERSION)),
    function(1, "sbi_get_impl_id", &[], |c| give(c.rules.profile.impl_id)),
    function(2, "sbi_get_impl_version", &[], |c| give(c.rules.profile.impl_version)),
    function(3, "sbi_probe_extension", &["extension_id"], probe),
    function(4, "sbi_get_mvendorid", &[], |c| give(c.caller().csr.mvendorid)),
    function(5, "sbi_get_marchid", &[], |c| give(c.caller().csr.marchid)),
    function(6, "sbi_get_mimpid", &[], |c| give(c.caller().csr.mimpid)),
];

fn give(value: u64) -> Outcome {
    Outcome::Return(Ok(value))
}

/// SBI, "Probe SBI extension" (FID 3).
fn probe(c: &mut Call<'_, '_>) -> Outcome {
    let hart = &c.platform.harts[c.hart];
    give(u64::from(super::find(c.args[0], c.rules, hart).is_some()))
}
