//! The extensions, one file each, and one line each in [`EXTENSIONS`].

mod base;
mod cppc;
mod dbcn;
mod dbtr;
mod fwft;
mod hsm;
pub mod ids;
mod ipi;
mod legacy;
pub mod mpxy;
pub mod nacl;
pub(crate) mod pmu;
mod rfence;
mod srst;
mod sse;
mod susp;
mod time;

use emu_core::hart::Hart;
use emu_csr::Isa;

use crate::call::Extension;
use crate::config::Rules;
use crate::profile::policy::PlatformDrivers;

pub use cppc::Cppc;
pub use dbtr::Dbtr;
pub use fwft::Fwft;
pub use mpxy::Mpxy;
pub use nacl::Nacl;
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
    &mpxy::EXTENSION,
    &nacl::EXTENSION,
    &legacy::EXTENSION,
];

/// The ids of vendor-specific extensions (SBI, "Vendor Specific Extension Space").
pub const VENDOR: std::ops::RangeInclusive<u64> = 0x0900_0000..=0x09ff_ffff;

/// The extension of an id, if firmware of these rules offers it on a hart. A vendor-specific one is an embedding's
/// ([`crate::Config::vendor`]), and its id's lower 24 bits must be those of the hart's mvendorid.
pub fn find(eid: u64, rules: &Rules, hart: &Hart) -> Option<&'static Extension> {
    let isa = hart.csr.isa;
    let own = || EXTENSIONS.iter().copied();
    let offered = |e: &&'static Extension| (e.first..=e.last).contains(&eid) && (e.available)(rules, isa);
    if !VENDOR.contains(&eid) {
        return own().find(offered);
    }
    let vendor = hart.csr.mvendorid & 0xff_ffff == eid & 0xff_ffff;
    rules.vendor.iter().copied().filter(|_| vendor).find(offered)
}

/// Whether the extensions that need a driver of the platform are there.
fn driven(rules: &Rules, _: Isa) -> bool {
    rules.policies.platform_drivers == PlatformDrivers::Present
}
