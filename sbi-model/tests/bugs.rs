//! The mutation corpus: every defect of the table is caught by its scenario, and its scenario passes without it.

#![allow(clippy::expect_used)] // helpers of tests, which clippy takes for other code

mod common;

use common::sse::*;
use common::*;
use emu_core::firmware::FwStep;
use emu_csr::table::{self, field::mstatus};
use emu_csr::{Exception, Interrupt, Mode, Trap};
use sbi_model::Config;
use sbi_model::bug::{BUGS, BugId};
use sbi_model::sse::{attr, flag, id};

const PMU: u32 = id::PMU_OVERFLOW;
const LCOFI: u64 = Interrupt::CounterOverflow.mask();

/// A scenario: the profile it is run on, and whether what it sees is right.
type Scenario = (&'static str, fn(Config) -> bool);

/// What shows each defect. A new line of the table does not compile without one.
fn scenario(bug: BugId) -> Scenario {
    use BugId::*;
    match bug {
        StatusBits => ("spec", |c| in_handler(c, LOCAL).status(0, LOCAL) == 0b1011),
        A6A7Swapped => ("spec", |c| {
            let rig = in_handler(c, LOCAL);
            (rig.harts[0].x[16], rig.harts[0].x[17]) == (0, u64::from(LOCAL) ^ 0xa0)
        }),
        MaskCodes => ("spec", |c| {
            let mut rig = Rig::running(1, c);
            let masked = rig.sse(0, MASK, &[]);
            rig.sse(0, UNMASK, &[]);
            (masked, rig.sse(0, UNMASK, &[])) == (-8, -7)
        }),
        ExitLock => ("spec", |c| {
            let mut rig = Rig::running(2, c);
            rig.step_call(1, HSM, 1, &[]);
            done(rig.step_call(0, SSE, READ, &[u64::from(GLOBAL), 0, 1, BUFFER, 0]))
        }),
        ExitNull => ("opensbi-1.9", |c| done(Rig::running(2, c).step_call(1, HSM, 1, &[]))),
        AttrsReadOnly => ("spec", |c| in_handler(c, LOCAL).set_attr(0, LOCAL, attr::SEPC, 8) == 0),
        EnableAfterIpi => ("spec", |c| {
            let mut rig = Rig::running(1, c);
            rig.arm(0, LOCAL);
            rig.sse(0, INJECT, &[u64::from(LOCAL), 0]);
            rig.sse(0, DISABLE, &[u64::from(LOCAL)]);
            rig.sse(0, ENABLE, &[u64::from(LOCAL)]);
            !rig.bus.hart_lines(0, 0).msip
        }),
        PriorityTruncated => ("spec", |c| Rig::running(1, c).set_attr(0, LOCAL, attr::PRIORITY, 1 << 32) == INVALID_PARAM),
        HandlerInFirmware => {
            ("opensbi-1.9", |c| Rig::running(1, c).sse(0, REGISTER, &[u64::from(LOCAL), FIRMWARE.0, 0]) == INVALID_ADDRESS)
        }
        QueueOverwrite => ("opensbi-1.9", |c| {
            let mut rig = Rig::running(2, c);
            rig.arm(1, LOCAL);
            rig.arm(1, PLAT_LOCAL);
            rig.sse(0, INJECT, &[u64::from(PLAT_LOCAL), 1]);
            let full = (0..16).any(|_| rig.sse(0, INJECT, &[u64::from(LOCAL), 1]) == -1);
            rig.interrupts(1);
            full && rig.event(1, PLAT_LOCAL).pending()
        }),
        HartIdAsIndex => ("spec", |c| {
            let mut rig = Rig::running_ids(&[0, 4], c);
            (0..2).for_each(|h| assert_eq!(rig.sse(h, UNMASK, &[]), 0));
            rig.set_attr(0, GLOBAL, attr::PREFERRED_HART, 4);
            rig.arm(0, GLOBAL);
            rig.sse(0, INJECT, &[u64::from(GLOBAL), 0]);
            rig.interrupts(1);
            rig.harts[1].pc == handler(GLOBAL) && rig.harts[1].x[16] == 4
        }),
        NoMask => ("spec", |c| {
            let mut rig = Rig::running(1, c);
            rig.arm(0, LOCAL);
            rig.sse(0, INJECT, &[u64::from(LOCAL), 0]);
            rig.harts[0].pc != handler(LOCAL)
        }),
        DoubleTrapPanic => ("spec", |c| {
            let mut rig = Rig::running(1, c);
            rig.arm(0, id::DOUBLE_TRAP);
            rig.sse(0, UNMASK, &[]);
            done(rig.raise(0, Trap::new(Exception::DoubleTrap, 0))) && rig.harts[0].pc == handler(id::DOUBLE_TRAP)
        }),
        UnsupportedInvalid => ("opensbi-1.9", |c| Rig::running(1, c).attr(0, id::LOCAL_RAS_HIGH, 0) == Err(NOT_SUPPORTED)),
        PmuWithoutOverflow => ("spec", |c| Rig::of(1, "rv64gc", c).attr(0, PMU, 0) == Err(NOT_SUPPORTED)),
        OldEventIds => ("spec", |c| Rig::running(1, c).attr(0, id::GLOBAL_RAS_LOW, 0) == Ok(8)),
        ExitPrint => ("opensbi-1.9", |c| {
            let mut rig = Rig::running(2, c);
            rig.arm(1, LOCAL);
            rig.step_call(1, HSM, 1, &[]);
            rig.out.is_empty()
        }),
        RoBadRange => ("spec", |c| Rig::running(1, c).set_attr(0, LOCAL, attr::STATUS, 0) == -4),
        SpelpLost => ("spec", |c| interrupted_flags(c, 1 << 23) & flag::SPELP != 0),
        SdtLost => ("spec", |c| interrupted_flags(c, 1 << 24) & flag::SDT != 0),
        MidelegAtEnable => ("spec", |c| {
            let mut rig = Rig::running(1, c);
            rig.sse(0, REGISTER, &[u64::from(PMU), HANDLER, 0]);
            rig.harts[0].csr.mideleg & LCOFI == 0
        }),
        EnableClearsLcofi => ("spec", |c| {
            let mut rig = Rig::running(1, c);
            rig.sse(0, UNMASK, &[]);
            rig.sse(0, REGISTER, &[u64::from(PMU), HANDLER, 0]);
            rig.lcofi(0);
            rig.sse(0, ENABLE, &[u64::from(PMU)]);
            rig.interrupts(0);
            rig.harts[0].pc == HANDLER
        }),
        SuspendMideleg => ("spec", |c| {
            let mut rig = Rig::running(1, c);
            rig.arm(0, PMU);
            rig.step_call(0, HSM, 3, &[0x8000_0000, ENTRY, 0]);
            rig.harts[0].csr.mideleg & LCOFI == 0
        }),
        ElpNotRedirected => ("spec", |c| {
            let mut rig = expecting(c, Mode::U);
            rig.raise(0, Trap::new(Exception::LoadAccessFault, 0));
            !rig.harts[0].csr.elp && rig.harts[0].csr.mstatus & mstatus::SPELP != 0
        }),
        SuspendInhibits => ("spec", |c| {
            let mut rig = Rig::running(1, c);
            rig.poke(0, table::MCOUNTINHIBIT, 0);
            rig.step_call(0, HSM, 3, &[0x8000_0000, ENTRY, 0]);
            rig.harts[0].csr.mcountinhibit == 0
        }),
        SelfIpi => ("spec", |c| {
            let mut rig = Rig::running(1, c);
            rig.arm(0, GLOBAL);
            rig.sse(0, INJECT, &[u64::from(GLOBAL), 0]);
            rig.sse(0, DISABLE, &[u64::from(GLOBAL)]);
            done(rig.step_call(0, SSE, ENABLE, &[u64::from(GLOBAL)]))
        }),
        SuspendLosesIpi => ("spec", |c| {
            let mut rig = Rig::running(2, c);
            rig.arm(1, LOCAL);
            rig.sse(1, UNMASK, &[]);
            rig.call(1, HSM, 3, &[0, 0, 0]);
            rig.sse(0, INJECT, &[u64::from(LOCAL), 1]);
            rig.interrupts(1);
            rig.harts[1].pc == handler(LOCAL)
        }),
        SpvNotCleared => ("spec", |c| {
            let mut rig = Rig::running(1, c);
            rig.harts[0].csr.hstatus |= 1 << 7;
            rig.arm(0, LOCAL);
            rig.sse(0, UNMASK, &[]);
            rig.sse(0, INJECT, &[u64::from(LOCAL), 0]);
            rig.step_call(0, SSE, COMPLETE, &[]);
            rig.harts[0].mode == Mode::HS
        }),
        ElpLost => ("spec", |c| {
            let mut rig = expecting(c, Mode::HS);
            rig.signal(0, LOCAL).expect("enabled");
            rig.interrupts(0);
            let entered = rig.harts[0].csr.elp;
            rig.step_call(0, SSE, COMPLETE, &[]);
            !entered && rig.harts[0].csr.elp
        }),
        HartIdTruncated => {
            ("spec", |c| Rig::running(2, c).set_attr(0, GLOBAL, attr::PREFERRED_HART, 1 << 32 | 1) == INVALID_PARAM)
        }
        DoubleFetch => ("spec", |c| {
            let mut rig = Rig::running(2, c);
            rig.bus.ram.write(BUFFER, 8, 1, &mut Vec::new());
            rig.begin(0, WRITE, &[u64::from(LOCAL), attr::CONFIG as u64, 1, BUFFER, 0]);
            let more = rig.one_step(0) == FwStep::More;
            rig.bus.ram.write(BUFFER, 8, u64::MAX, &mut Vec::new());
            if more {
                rig.finish(0);
            }
            rig.event(0, LOCAL).attrs[attr::CONFIG] == 1
        }),
        RestartKeepsEvents => ("spec", |c| {
            let mut rig = Rig::running(2, c);
            rig.sse(1, REGISTER, &[u64::from(LOCAL), HANDLER, 0]);
            rig.step_call(1, HSM, 1, &[]);
            rig.call(0, HSM, 0, &[1, ENTRY, 0]);
            rig.sse(1, REGISTER, &[u64::from(LOCAL), HANDLER, 0]) == 0
        }),
        OneShotOverflow => ("spec", |c| {
            let mut rig = Rig::running(1, c);
            rig.set_attr(0, PMU, attr::CONFIG, 1);
            rig.arm(0, PMU);
            rig.sse(0, UNMASK, &[]);
            rig.lcofi(0);
            rig.interrupts(0);
            rig.step_call(0, SSE, COMPLETE, &[]);
            rig.harts[0].csr.mie & LCOFI == 0
        }),
        DoubleTrapRetry => ("spec", |c| {
            let mut rig = Rig::running(1, c);
            rig.arm(0, id::DOUBLE_TRAP);
            // Masked: the hart must not go back to the instruction that traps.
            matches!(rig.raise(0, Trap::new(Exception::DoubleTrap, 0)), FwStep::Fatal(_))
        }),
        EnableDeadlock => ("spec", |c| {
            let mut rig = Rig::running(2, c);
            rig.arm(0, GLOBAL);
            rig.sse(0, INJECT, &[u64::from(GLOBAL), 0]);
            rig.sse(1, INJECT, &[u64::from(GLOBAL), 0]);
            rig.sse(0, DISABLE, &[u64::from(GLOBAL)]);
            done(rig.step_call(0, SSE, ENABLE, &[u64::from(GLOBAL)]))
        }),
        StrandedPending => ("spec", |c| {
            let mut rig = Rig::running(2, c);
            rig.sse(0, UNMASK, &[]);
            rig.set_attr(0, GLOBAL, attr::PREFERRED_HART, 1);
            rig.arm(0, GLOBAL);
            rig.sse(0, INJECT, &[u64::from(GLOBAL), 0]);
            rig.sse(0, DISABLE, &[u64::from(GLOBAL)]);
            rig.set_attr(0, GLOBAL, attr::PREFERRED_HART, 0);
            rig.sse(0, ENABLE, &[u64::from(GLOBAL)]);
            rig.interrupts(1);
            rig.interrupts(0);
            rig.harts[0].pc == handler(GLOBAL)
        }),
        ListCycle => ("spec", |c| {
            let mut rig = Rig::running(2, c);
            for e in [GLOBAL, PLAT_GLOBAL] {
                rig.set_attr(0, e, attr::PREFERRED_HART, 1);
            }
            rig.arm(1, GLOBAL);
            rig.step_call(1, HSM, 1, &[]);
            [GLOBAL, PLAT_GLOBAL].into_iter().all(|e| {
                rig.step_call(0, SSE, REGISTER, &[u64::from(e), HANDLER, 0]);
                done(rig.step_call(0, SSE, ENABLE, &[u64::from(e)]))
            })
        }),
        GlobalInjectHart => ("spec", |c| Rig::running(1, c).sse(0, INJECT, &[u64::from(GLOBAL), 99]) == 0),
        HandlerPcPhysical => ("spec", |c| Rig::running(1, c).sse(0, REGISTER, &[u64::from(LOCAL), FIRMWARE.0, 0]) == 0),
        RemoteInjectLost => ("spec", |c| {
            let mut rig = Rig::running(2, c);
            rig.sse(1, REGISTER, &[u64::from(LOCAL), HANDLER, 0]);
            let error = rig.sse(0, INJECT, &[u64::from(LOCAL), 1]);
            rig.interrupts(1);
            error != 0 || rig.event(1, LOCAL).pending()
        }),
        DisableLosesOverflow => ("spec", |c| {
            let mut rig = Rig::running(1, c);
            rig.arm(0, PMU);
            rig.lcofi(0);
            rig.sse(0, DISABLE, &[u64::from(PMU)]);
            rig.mip_lcofi(0)
        }),
    }
}

/// A hart in `mode` between an indirect jump and its landing pad, ready for an event.
fn expecting(c: Config, mode: Mode) -> Rig {
    let mut rig = Rig::of(1, "max,zicfilp=on", c);
    for csr in [table::MENVCFG, table::HENVCFG, table::SENVCFG] {
        rig.poke(0, csr, 1 << 2);
    }
    rig.arm(0, LOCAL);
    rig.sse(0, UNMASK, &[]);
    rig.harts[0].set_mode(mode);
    rig.harts[0].csr.elp = true;
    rig
}

fn done(step: FwStep) -> bool {
    matches!(step, FwStep::Done { .. })
}

/// A hart in the handler of an event that it has injected into itself.
fn in_handler(c: Config, event: u32) -> Rig {
    let mut rig = Rig::running(1, c);
    rig.arm(0, event);
    rig.sse(0, UNMASK, &[]);
    rig.sse(0, INJECT, &[u64::from(event), 0]);
    rig
}

/// INTERRUPTED_FLAGS of a context with these bits in mstatus.
fn interrupted_flags(c: Config, bits: u64) -> u64 {
    let mut rig = Rig::running(1, c);
    rig.arm(0, LOCAL);
    rig.sse(0, UNMASK, &[]);
    rig.begin(0, INJECT, &[u64::from(LOCAL), 0]);
    rig.harts[0].csr.mstatus |= bits;
    rig.finish(0);
    rig.event(0, LOCAL).attrs[attr::FLAGS]
}

#[test]
fn every_defect_is_caught_and_every_scenario_passes_without_it() {
    for b in BUGS {
        let (profile, healthy) = scenario(b.id);
        assert!(healthy(config(profile)), "{} fails without the defect, on {profile}", b.name);
        assert!(!healthy(with_bug(profile, b.id)), "{} passes with the defect, on {profile}", b.name);
    }
}

#[test]
fn opensbi_1_6_has_the_defects_that_its_profile_names() {
    let c = config("opensbi-1.6");
    for id in c.profile.bugs.iter().copied() {
        let (_, healthy) = scenario(id);
        if !matches!(id, BugId::OldEventIds) {
            assert!(!healthy(config("opensbi-1.6")), "{id:?}");
        }
    }
}

#[test]
fn open_defects_that_are_policies_are_opensbi_1_9s() {
    for b in BUGS.iter().filter(|b| b.status == sbi_model::bug::Status::Open) {
        let (_, healthy) = scenario(b.id);
        let shown = !healthy(config("opensbi-1.9"));
        // RemoteInjectLost and the rest are OpenSBI's ways; each must show on its profile.
        assert!(shown, "{}", b.name);
    }
}
