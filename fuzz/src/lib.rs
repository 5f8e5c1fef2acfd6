//! What the fuzz targets do with an input. Each is a function of bytes that panics on a finding, so that a saved input can be run
//! again by a test as well.

pub mod bytes;
pub mod decoder;
pub mod files;
pub mod guest;
pub mod loaders;
pub mod sbi;
pub mod scenarios;
pub mod seeds;

/// What the firmware's own tests share.
#[allow(clippy::expect_used)]
#[path = "../../sbi-model/tests/common/mod.rs"]
mod common;
