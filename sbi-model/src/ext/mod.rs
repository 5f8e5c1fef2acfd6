//! The extensions, one file each, and one line each in [`EXTENSIONS`].

mod base;
mod cppc;
mod dbcn;
mod dbtr;
mod fwft;
mod hsm;
mod ipi;
mod legacy;
pub(crate) mod pmu;
mod rfence;
mod srst;
mod sse;
mod susp;
mod time;

use emu_csr::Isa;

use crate::call::Extension;
use crate::config::Rules;
use crate::profile::policy::PlatformDrivers;

pub use cppc::Cppc;
pub use dbtr::Dbtr;
pub use fwft::Fwft;
pub use pmu::{FwEvent, HARDWARE, Pmu, SOFTWARE};

/// The highest extension id of the legacy range (SBI, "Legacy Extensions").
pub const LAST_LEGACY: u64 = 0xf;

/// Every extension of this firmware.
pub static EXTENSIONS: &[&Extension] = &[
    &base::EXTENSION,
    &time::EXTENSION,
    &ipi::EXTENSION,
    &rfence::EXTENSION,
    &hsm::EXTENSION,
    &srst::EXTENSION,
    &dbcn::EXTENSION,
    &sse::EXTENSION,
    &pmu::EXTENSION,
    &dbtr::EXTENSION,
    &fwft::EXTENSION,
    &susp::EXTENSION,
    &cppc::EXTENSION,
    &legacy::EXTENSION,
];

/// The extension of an id, if firmware of these rules offers it on a hart of these ISA extensions.
pub fn find(eid: u64, rules: &Rules, isa: Isa) -> Option<&'static Extension> {
    EXTENSIONS.iter().copied().find(|e| (e.first..=e.last).contains(&eid) && (e.available)(rules, isa))
}

/// Whether the extensions that need a driver of the platform are there.
fn driven(rules: &Rules, _: Isa) -> bool {
    rules.policies.platform_drivers == PlatformDrivers::Present
}
