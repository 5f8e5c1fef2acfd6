//! SBI, "Hart State Management Extension". Suspension and resumption are complete at once, so their PENDING states are never seen;
//! START_PENDING and STOP_PENDING are where the profile makes starting and stopping two steps.

use emu_core::hart::Wait;

use crate::call::{Call, Extension, Function, Outcome, function};
use crate::error::SbiError;
use crate::ext::ids::hsm as fid;
use crate::memory::Access;
use crate::profile::policy::HartChange;
use crate::state::HartState;
use crate::{boot, leave, sse};

/// The extension.
pub static EXTENSION: Extension = Extension::new(fid::EID, "HSM", FUNCTIONS);

const FUNCTIONS: &[Function] = &[
    function(fid::HART_START, "sbi_hart_start", &["hartid", "start_addr", "opaque"], hart_start),
    function(fid::HART_STOP, "sbi_hart_stop", &[], hart_stop),
    function(fid::HART_GET_STATUS, "sbi_hart_get_status", &["hartid"], hart_get_status),
    function(fid::HART_SUSPEND, "sbi_hart_suspend", &["suspend_type", "resume_addr", "opaque"], hart_suspend),
];

/// Default retentive suspend.
const RETENTIVE: u32 = 0;
/// Default non-retentive suspend.
const NON_RETENTIVE: u32 = 0x8000_0000;

/// Whether a hart may be sent to this address: it is even, and in main memory from which the supervisor may execute.
pub(super) fn may_run(c: &Call<'_, '_>, at: u64) -> bool {
    at & 1 == 0 && c.may(at, 2, Access::Execute)
}

/// Whether the change to `state` ends with this step; otherwise hart `i` is in it until the next.
fn pending(c: &mut Call<'_, '_>, i: usize, state: HartState) -> bool {
    if c.rules.policies.hart_change == HartChange::AtOnce || c.work().at != 0 {
        return false;
    }
    c.work().at = 1;
    c.state.set(i, state);
    true
}

/// SBI, "Hart start" (FID 0).
fn hart_start(c: &mut Call<'_, '_>) -> Outcome {
    let [id, at, opaque, ..] = c.args;
    let Some(i) = c.hart_of(id) else { return SbiError::InvalidParam.into() };
    // In the second step all this has been asked.
    if c.work().at == 0 {
        if !may_run(c, at) {
            return SbiError::InvalidAddress.into();
        }
        match c.state.of(i, &c.platform.harts[i]) {
            HartState::Stopped => {}
            HartState::Started => return SbiError::AlreadyAvailable.into(),
            // It cannot be started as it is.
            HartState::Suspended(_) | HartState::StartPending | HartState::StopPending => return SbiError::InvalidParam.into(),
        }
    }
    if pending(c, i, HartState::StartPending) {
        return Outcome::More;
    }
    let h = &mut c.platform.harts[i];
    (c.state.pmu[i], c.state.dbtr[i], c.state.fwft[i]) = Default::default();
    c.state.nacl[i] = Default::default();
    c.state.mpxy.shmem[i] = super::mpxy::NONE;
    boot::start(h, c.platform.bus, at, opaque, &c.rules.domains);
    sse::start(c, i);
    c.state.set(i, HartState::Started);
    Outcome::Return(Ok(0))
}

/// SBI, "Hart stop" (FID 1).
/// Also the legacy shutdown of a domain that may not switch the machine off.
pub(super) fn hart_stop(c: &mut Call<'_, '_>) -> Outcome {
    if pending(c, c.hart, HartState::StopPending) {
        return Outcome::More;
    }
    c.state.set(c.hart, HartState::Stopped);
    if let Some(fatal) = sse::stop(c) {
        return fatal;
    }
    boot::hold(c.caller());
    Outcome::Held
}

/// SBI, "Hart get status" (FID 2).
fn hart_get_status(c: &mut Call<'_, '_>) -> Outcome {
    let Some(i) = c.hart_of(c.args[0]) else { return SbiError::InvalidParam.into() };
    Outcome::Return(Ok(match c.state.of(i, &c.platform.harts[i]) {
        HartState::Started => 0,
        HartState::Stopped => 1,
        HartState::StartPending => 2,
        HartState::StopPending => 3,
        HartState::Suspended(_) => 4,
    }))
}

/// SBI, "Hart suspend" (FID 3).
fn hart_suspend(c: &mut Call<'_, '_>) -> Outcome {
    // SBI, "Binary Encoding": of an argument that is 32 bits wide only those are used.
    let (kind, at, opaque) = (c.args[0] as u32, c.args[1], c.args[2]);
    match kind {
        RETENTIVE => {}
        NON_RETENTIVE if !may_run(c, at) => return SbiError::InvalidAddress.into(),
        NON_RETENTIVE => {}
        // Reserved, or a platform's, and this platform has none.
        _ => return SbiError::InvalidParam.into(),
    }
    if kind == NON_RETENTIVE {
        return sleep_and_resume_at(c, at, opaque);
    }
    let h = &mut c.platform.harts[c.hart];
    (h.x[10], h.x[11]) = (0, 0);
    leave::past(h, 4);
    sleep(c)
}

/// Non-retentive suspension: the hart waits, and goes on at `at` with a0 = its id and a1 = `opaque`. Also the system's.
pub(super) fn sleep_and_resume_at(c: &mut Call<'_, '_>, at: u64, opaque: u64) -> Outcome {
    // sie stays, for it says what ends the suspension; with sstatus.SIE off nothing is taken before the supervisor asks.
    let h = &mut c.platform.harts[c.hart];
    boot::enter(h, c.platform.bus, at, opaque);
    sse::resume(c.rules, h, c.platform.bus);
    sleep(c)
}

/// Waits for what `wfi` would wait for.
fn sleep(c: &mut Call<'_, '_>) -> Outcome {
    let h = &mut c.platform.harts[c.hart];
    if !h.csr.wfi_wakes() {
        h.wait = Wait::Wfi;
        c.state.set(c.hart, HartState::Suspended(h.instret));
    }
    Outcome::Placed
}
