//! Profiles: whose behaviour the firmware shows.

pub mod policy;

use crate::bug::{BUGS, Bug, BugId};
use policy::*;

/// A firmware to be.
#[derive(Debug)]
pub struct Profile {
    /// What `--sbi-profile` calls it.
    pub name: &'static str,
    /// What it follows.
    pub doc: &'static str,
    /// `sbi_get_impl_id`.
    pub impl_id: u64,
    /// `sbi_get_impl_version`.
    pub impl_version: u64,
    /// Its policies.
    pub policies: Policies,
    /// Defects of that release that later ones have not: the same switches as `--bug`.
    pub bugs: &'static [BugId],
}

/// The letters TRPZ: not one of the registered implementation ids, so no supervisor mistakes this firmware for another.
pub const OWN_ID: u64 = 0x5452_505a;
/// OpenSBI's registered implementation id.
const OPENSBI_ID: u64 = 1;

const SPEC: Policies = Policies {
    spv: Spv::Interrupted,
    spvp: Spvp::Left,
    elp: Elp::Carried,
    resume: Resume::Registers,
    buffer_layout: BufferLayout::Packed,
    check_order: CheckOrder::EventFirst,
    fetch: Fetch::Once,
    snapshot: Snapshot::Whole,
    handler_pc: HandlerPc::Unchecked,
    early_signal: EarlySignal::Latched,
    disable_pending: DisablePending::Kept,
    global_inject: GlobalInject::Ignored,
    remote: Remote::Direct,
    routing: Routing::AnyReady,
    hart_id: HartIdWidth::Whole,
    hart_stop: HartStop::Reset,
    double_trap: DoubleTrap::Halt,
    pmu_one_shot: PmuOneShot::Off,
    pmu_disable: PmuDisable::Kept,
    ras_events: RasEvents::Offered,
    pmu_snapshot: PmuSnapshot::Offered,
    dbtr_enable: DbtrEnable::PassedOver,
    breakpoints: Breakpoints::Firmware,
    reserved_legacy: ReservedLegacy::One,
    hart_change: HartChange::AtOnce,
    fence_range: FenceRange::Checked,
    narrow: Narrow::Low32,
    console_high: ConsoleHigh::Invalid,
    suspend_order: SuspendOrder::AddressFirst,
    platform_drivers: PlatformDrivers::Present,
    clear_ipi: ClearIpi::Pending,
    null_mask: NullMask::Address,
    misaligned_amo: MisalignedAmo::Emulated,
    hpm_reads: HpmReads::Emulated,
    locks: Locks::None,
    wake: Wake::AtOnce,
    complete_mode: CompleteMode::Any,
    sdt: Sdt::ClearsSie,
    own_result: OwnResult::BeforeInjection,
    status_reset: StatusReset::Injectable,
    domains: DomainScope::PerDomain,
    hart_mask: HartMask::Available,
};

const OPENSBI: Policies = Policies {
    spv: Spv::OnlySet,
    spvp: Spvp::Cleared,
    elp: Elp::Lost,
    check_order: CheckOrder::BufferFirst,
    fetch: Fetch::Twice,
    snapshot: Snapshot::Torn,
    handler_pc: HandlerPc::Physical,
    early_signal: EarlySignal::Refused,
    global_inject: GlobalInject::Checked,
    remote: Remote::Queue,
    routing: Routing::Preferred,
    hart_id: HartIdWidth::Low32,
    hart_stop: HartStop::Kept,
    double_trap: DoubleTrap::Retry,
    pmu_one_shot: PmuOneShot::On,
    pmu_disable: PmuDisable::Cleared,
    ras_events: RasEvents::Absent,
    pmu_snapshot: PmuSnapshot::Absent,
    breakpoints: Breakpoints::Delegated,
    reserved_legacy: ReservedLegacy::Pair,
    hart_change: HartChange::Pending,
    fence_range: FenceRange::Unchecked,
    narrow: Narrow::Whole,
    console_high: ConsoleHigh::Failed,
    suspend_order: SuspendOrder::HartsFirst,
    platform_drivers: PlatformDrivers::Absent,
    clear_ipi: ClearIpi::Zero,
    null_mask: NullMask::AllHarts,
    misaligned_amo: MisalignedAmo::Redirected,
    hpm_reads: HpmReads::Redirected,
    locks: Locks::EventAndList,
    domains: DomainScope::Shared,
    hart_mask: HartMask::Running,
    ..SPEC
};

/// Every profile; the first is the default.
pub static PROFILES: &[Profile] = &[
    Profile { name: "spec", doc: "SBI 3.0 as it is written", impl_id: OWN_ID, impl_version: 1, policies: SPEC, bugs: &[] },
    Profile {
        name: "opensbi-1.9",
        doc: "OpenSBI 1.9",
        impl_id: OPENSBI_ID,
        impl_version: 1 << 16 | 9,
        policies: OPENSBI,
        bugs: &[],
    },
    Profile {
        name: "opensbi-1.6",
        doc: "OpenSBI 1.6: 1.9 and the defects of software events that were mended in between",
        impl_id: OPENSBI_ID,
        impl_version: 1 << 16 | 6,
        policies: Policies { hart_mask: HartMask::PassedOver, ..OPENSBI },
        bugs: OPENSBI_1_6,
    },
    Profile {
        name: "private-resume",
        doc: "OpenSBI 1.9 with the series 'fix interrupted context corruption' (2026-04-30), which keeps the resume state to itself",
        impl_id: OPENSBI_ID,
        impl_version: 1 << 16 | 9,
        policies: Policies { resume: Resume::Private, ..OPENSBI },
        bugs: &[],
    },
];

/// What was mended in lib/sbi/sbi_sse.c and its neighbours between the releases 1.6 and 1.9.
const OPENSBI_1_6: &[BugId] = &[
    BugId::StatusBits,
    BugId::MaskCodes,
    BugId::UnsupportedInvalid,
    BugId::PmuWithoutOverflow,
    BugId::OldEventIds,
    BugId::RoBadRange,
    BugId::SpelpLost,
    BugId::SdtLost,
    BugId::ExitPrint,
    BugId::MidelegAtEnable,
    BugId::EnableClearsLcofi,
    BugId::SuspendMideleg,
];

impl Profile {
    /// The profile of a name.
    pub fn find(name: &str) -> Option<&'static Profile> {
        PROFILES.iter().find(|p| p.name == name)
    }

    /// The lines of the table of defects that it names.
    pub fn policies_bugs(&self) -> impl Iterator<Item = &'static Bug> {
        self.bugs.iter().map(|&id| &BUGS[id as usize])
    }

    /// The default.
    pub fn spec() -> &'static Profile {
        &PROFILES[0]
    }
}
