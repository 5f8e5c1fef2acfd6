//! Each oracle fires on what it is for, and says nothing of the same scenario without it; nor does any other.

#![allow(clippy::unwrap_used)] // helpers of tests, which clippy takes for other code

mod common;

use common::*;
use emu_csr::table;
use replay::log::{End, Header, Log, Position};
use replay::oracle::{ORACLES, determinism};
use replay::play::replay;
use sbi_model::bug::BugId;

/// A scenario that makes an oracle fire: what it runs on, and what happens.
struct Scenario {
    oracle: &'static str,
    wrong: On,
    run: fn(&mut Rig, bool),
}

fn bug(oracle: &'static str, bug: BugId, run: fn(&mut Rig, bool)) -> Scenario {
    Scenario { oracle, wrong: On { bug: Some(bug), ..HEALTHY }, run }
}

fn tampered(oracle: &'static str, tamper: Tamper, run: fn(&mut Rig, bool)) -> Scenario {
    Scenario { oracle, wrong: On { tamper, ..HEALTHY }, run }
}

fn careless(oracle: &'static str, harts: usize, run: fn(&mut Rig, bool)) -> Scenario {
    Scenario { oracle, wrong: On { careless: true, harts, ..HEALTHY }, run }
}

fn scenarios() -> Vec<Scenario> {
    let mut list = vec![
        bug("E1", BugId::SpvNotCleared, |r, _| {
            r.csrw(0, u32::from(table::HSTATUS), 2 << 32 | 1 << 7);
            r.in_handler(LOCAL);
            r.sse(0, COMPLETE, &[]);
        }),
        bug("E2", BugId::A6A7Swapped, |r, _| r.in_handler(LOCAL)),
        bug("E3", BugId::SpelpLost, |r, _| {
            r.machine.harts_mut()[0].csr.mstatus |= 1 << 23;
            r.in_handler(LOCAL);
            r.get(0, LOCAL, 7);
        }),
        bug("E4", BugId::NoMask, |r, _| {
            r.arm(0, LOCAL);
            r.sse(0, INJECT, &[LOCAL.into(), 0]);
        }),
        bug("E8", BugId::StatusBits, |r, _| {
            r.in_handler(LOCAL);
            r.get(0, LOCAL, 0);
        }),
        careless("E9", 1, |r, careless| {
            r.in_handler(LOCAL);
            let h = &r.machine.harts()[0];
            let (sepc, sstatus) = (h.csr.sepc, h.csr.peek(table::SSTATUS, &Default::default()).unwrap());
            r.breakpoint(0);
            if !careless {
                r.csrw(0, u32::from(table::SEPC), sepc);
                r.csrw(0, u32::from(table::SSTATUS), sstatus);
            }
            r.sse(0, COMPLETE, &[]);
        }),
        careless("E9", 1, |r, careless| guest_fault(r, careless, false)),
        bug("E10", BugId::MidelegAtEnable, |r, _| assert_eq!(r.register(0, PMU), 0)),
        bug("E13", BugId::MaskCodes, |r, _| {
            r.sse(0, UNMASK, &[]);
            r.sse(0, UNMASK, &[]);
        }),
        bug("E15", BugId::SuspendMideleg, |r, _| {
            r.arm(0, PMU);
            r.machine.harts_mut()[0].csr.mie |= 2;
            r.pend(0, 2);
            r.call(0, HSM, 3, &[0x8000_0000, CALL + 4, 0]);
            r.steps(0, 4);
        }),
        bug("E17", BugId::SelfIpi, |r, _| {
            r.arm(0, GLOBAL);
            r.sse(0, INJECT, &[GLOBAL.into(), 0]);
            r.sse(0, DISABLE, &[GLOBAL.into()]);
            r.sse(0, ENABLE, &[GLOBAL.into()]);
        }),
        bug("E20", BugId::SpvNotCleared, |r, _| {
            r.csrw(0, u32::from(table::HSTATUS), 2 << 32 | 1 << 7);
            r.in_handler(LOCAL);
            r.sse(0, COMPLETE, &[]);
        }),
        careless("E16", 1, |r, careless| {
            r.arm(0, LOCAL);
            if careless {
                r.store(handler(LOCAL), &[EBREAK]);
            }
            r.sse(0, UNMASK, &[]);
            r.sse(0, INJECT, &[LOCAL.into(), 0]);
        }),
        careless("E19", 2, |r, careless| {
            r.in_handler(LOCAL);
            r.steps(0, 3);
            if careless {
                r.machine.harts_mut()[1].x[2] = r.machine.harts()[0].x[2] - 64;
            }
            r.sse(1, COMPLETE, &[]);
        }),
        careless("E21", 1, |r, careless| {
            r.arm(0, LOCAL);
            if careless {
                r.csrw(0, u32::from(table::STVEC), OTHER_VECTOR);
            }
            r.sse(0, UNMASK, &[]);
            r.sse(0, INJECT, &[LOCAL.into(), 0]);
            r.breakpoint(0);
        }),
    ];
    list.extend(with_others());
    list.extend(with_tampering());
    list
}

/// An event between a guest's page fault and the hypervisor's reading of htval, whose handler takes a trap. `read`: the hypervisor is past it,
/// and has enabled interrupts.
fn guest_fault(r: &mut Rig, careless: bool, read: bool) {
    const SRET: u32 = 0x1020_0073;
    r.arm(0, LOCAL);
    r.sse(0, UNMASK, &[]);
    r.csrw(0, u32::from(table::HGATP), 8 << 60 | (RAM + 0x60_0000) >> 12);
    r.csrw(0, u32::from(table::HSTATUS), 2 << 32 | 1 << 7);
    r.csrw(0, u32::from(table::SEPC), 0x5000);
    r.exec(0, &[SRET]);
    let h = &r.machine.harts()[0];
    assert_eq!((h.csr.scause, h.csr.htval), (20, 0x5000 >> 2), "a guest-page fault");
    if read {
        r.csrw(0, u32::from(table::SSTATUS), 2);
    }
    r.sse(0, INJECT, &[LOCAL.into(), 0]);
    let kept = [table::SEPC, table::SSTATUS, table::HSTATUS, table::HTVAL, table::HTINST];
    let before = kept.map(|csr| r.machine.harts()[0].csr.peek(csr, &Default::default()).unwrap());
    r.breakpoint(0);
    for (csr, value) in kept.into_iter().zip(before).take(if careless { 3 } else { 5 }) {
        r.csrw(0, u32::from(csr), value);
    }
    r.sse(0, COMPLETE, &[]);
}

#[test]
fn htval_that_the_handler_lost_is_told_while_it_is_still_to_be_read_and_not_later() {
    let mut r = Rig::new(HEALTHY);
    guest_fault(&mut r, true, false);
    assert!(r.text().contains("htval must be 0x1400, is 0x0"), "{}", r.text());
    let mut r = Rig::new(HEALTHY);
    guest_fault(&mut r, true, true);
    assert_eq!(r.count("E9"), 0, "{}", r.text());
}

/// With more harts, or another CPU.
fn with_others() -> Vec<Scenario> {
    let two = |oracle, bug, run| Scenario { oracle, wrong: On { bug: Some(bug), harts: 2, ..HEALTHY }, run };
    vec![
        two("E5", BugId::SuspendLosesIpi, |r, _| {
            r.arm(1, LOCAL);
            r.sse(1, UNMASK, &[]);
            r.call(1, HSM, 3, &[0, 0, 0]);
            assert_eq!(r.sse(0, INJECT, &[LOCAL.into(), 1]), 0);
            // Something else wakes it.
            r.machine.harts_mut()[1].csr.mie |= 2;
            r.pend(1, 2);
            r.steps(1, 4);
            // It runs on, and calls nobody.
            r.store(CODE, &[0x6f]);
            r.machine.harts_mut()[1].pc = CODE;
            r.steps(1, 200_100);
            r.monitor.end(&r.machine, None);
        }),
        two("E6", BugId::HartIdTruncated, |r, _| {
            r.set(0, GLOBAL, 3, 1 << 32 | 1);
        }),
        Scenario {
            oracle: "E11",
            wrong: On { bug: Some(BugId::DoubleTrapPanic), ..HEALTHY },
            run: |r, _| {
                r.arm(0, 1);
                r.sse(0, UNMASK, &[]);
                let h = &mut r.machine.harts_mut()[0];
                h.csr.menvcfg |= 1 << 59;
                h.csr.mstatus |= 1 << 24;
                h.pc = CODE;
                r.store(CODE, &[EBREAK]);
                r.steps(0, 2);
            },
        },
    ]
}

/// Firmware that does what no known one does.
fn with_tampering() -> Vec<Scenario> {
    vec![
        // It forgets priorities.
        tampered("E7", Tamper { before: |p, h| forget(p, h, WRITE), ..UNTOUCHED }, |r, _| {
            assert_eq!(r.set(0, PLATFORM, 1, 5), 0);
            r.arm(0, PLATFORM);
            r.in_handler(LOCAL);
            r.sse(0, INJECT, &[PLATFORM.into(), 0]);
        }),
        // It forgets to disable.
        tampered("E12", Tamper { before: |p, h| forget(p, h, DISABLE), ..UNTOUCHED }, |r, _| {
            r.arm(0, LOCAL);
            r.sse(0, DISABLE, &[LOCAL.into()]);
            r.get(0, LOCAL, 0);
        }),
        // It delivers again at every unmask.
        tampered("E14", Tamper { after: |p, h| again(p, h, LOCAL), ..UNTOUCHED }, |r, _| {
            r.in_handler(LOCAL);
            r.sse(0, UNMASK, &[]);
        }),
        // It writes past the buffer.
        tampered(
            "E18",
            Tamper {
                after: |p, h| {
                    if is(p, h, READ) {
                        overrun(p)
                    }
                },
                ..UNTOUCHED
            },
            |r, _| {
                r.get(0, LOCAL, 1);
            },
        ),
    ]
}

fn overrun(p: &mut emu_core::firmware::Platform<'_>) {
    p.bus.ram.write(BUFFER + 8, 8, 0x5555, &mut Vec::new());
}

#[test]
fn each_oracle_fires_and_is_silent_without_the_reason() {
    let all = scenarios();
    for s in &all {
        let mut rig = Rig::new(s.wrong);
        (s.run)(&mut rig, s.wrong.careless);
        assert!(rig.count(s.oracle) > 0, "{} is silent; spoke: {:?}\n{}", s.oracle, rig.spoke(), rig.text());
        let healthy = On { bug: None, tamper: UNTOUCHED, careless: false, ..s.wrong };
        let mut rig = Rig::new(healthy);
        (s.run)(&mut rig, false);
        let warned = rig.count("E9");
        assert_eq!(rig.monitor.total() + warned, 0, "the scenario of {} is not healthy:\n{}", s.oracle, rig.text());
    }
    // E22 has a test of its own, below.
    for o in ORACLES.iter().filter(|o| o.id != "E22") {
        assert!(all.iter().any(|s| s.oracle == o.id), "{} has no scenario", o.id);
    }
}

/// Something of the host's gets into the machine: how many calls this process has answered.
fn unsteady(p: &mut emu_core::firmware::Platform<'_>, hart: usize) {
    use std::sync::atomic::{AtomicU64, Ordering};
    static CALLS: AtomicU64 = AtomicU64::new(1);
    p.harts[hart].x[28] = CALLS.fetch_add(1, Ordering::Relaxed);
}

/// Executes a program, and then again what was recorded of it: what E22 says.
fn twice(on: On) -> Option<String> {
    let boot = || machine(on, include_bytes!("../../roms/sse/spv-stale.elf"));
    let mut first = boot();
    let end = first.run(1_000_000);
    let end = End { at: Position::of(&first), reason: format!("{end:?}"), hash: first.state_hash(), parts: Default::default() };
    let log = Log { header: Header::new(String::new(), Vec::new()), records: Vec::new(), end: Some(end), cut: None };
    determinism(&replay(&mut boot(), &log, &mut || Ok(boot()), 1_000_000, &mut |_| true).unwrap())
}

#[test]
fn a_second_execution_that_differs_violates_e22_and_one_that_is_the_same_does_not() {
    assert_eq!(twice(HEALTHY), None);
    let said = twice(On { tamper: Tamper { before: unsteady, ..UNTOUCHED }, ..HEALTHY }).unwrap();
    assert!(said.starts_with("violation of E22 determinism: @"), "{said}");
}

#[test]
fn events_that_share_a_handler_and_its_argument_are_told_apart_by_the_call_that_is_answered() {
    let mut r = Rig::new(HEALTHY);
    for event in [PLATFORM, LOCAL] {
        assert_eq!(r.sse(0, REGISTER, &[event.into(), HANDLER, 7]), 0);
    }
    r.sse(0, ENABLE, &[LOCAL.into()]);
    r.sse(0, UNMASK, &[]);
    r.sse(0, INJECT, &[LOCAL.into(), 0]);
    assert_eq!(r.machine.harts()[0].pc, HANDLER + 4, "in the handler");
    r.sse(0, INJECT, &[LOCAL.into(), 0]);
    // It is delivered again by the complete of its first run.
    r.sse(0, COMPLETE, &[]);
    assert_eq!(r.machine.harts()[0].pc, HANDLER + 4, "in the handler again");
    r.sse(0, COMPLETE, &[]);
    assert_eq!(r.get(0, LOCAL, 0) & 7, 2, "enabled, nothing pending");
    assert_eq!(r.monitor.total(), 0, "{}", r.text());
}

/// The call of a firmware that does not switch the interrupt off.
fn leaves_lcofie(p: &mut emu_core::firmware::Platform<'_>, hart: usize) {
    let h = &mut p.harts[hart];
    if h.csr.mcause == 9 && h.x[17] == SSE {
        h.csr.mie |= 1 << 13;
    }
}

#[test]
fn the_supervisors_own_lcofie_may_stay_over_register_but_not_over_disable() {
    let run = |tamper| {
        let mut r = Rig::new(On { tamper, ..HEALTHY });
        r.csrw(0, u32::from(table::SIE), 1 << 13);
        assert_eq!(r.register(0, PMU), 0);
        let enabled = r.machine.harts()[0].csr.mie & 1 << 13;
        r.sse(0, UNMASK, &[]);
        assert_eq!((enabled, r.monitor.total()), (1 << 13, 0), "{}", r.text());
        r.sse(0, ENABLE, &[PMU.into()]);
        r.sse(0, DISABLE, &[PMU.into()]);
        r
    };
    let r = run(UNTOUCHED);
    assert_eq!(r.monitor.total(), 0, "{}", r.text());
    let r = run(Tamper { after: leaves_lcofie, ..UNTOUCHED });
    assert_eq!(r.count("E10"), r.monitor.total(), "{}", r.text());
    assert!(r.count("E10") > 0);
}

#[test]
fn a_hart_may_take_an_event_before_the_call_that_signals_it_returns() {
    let mut r = Rig::new(On { harts: 2, ..HEALTHY });
    r.arm(1, LOCAL);
    r.sse(1, UNMASK, &[]);
    let h = &mut r.machine.harts_mut()[0];
    (h.x[10], h.x[11], h.x[16], h.x[17], h.pc) = (LOCAL.into(), 1, INJECT, SSE, CALL);
    // Hart 0 pauses after each step of its call; hart 1 makes a call each time, which delivers what is there.
    for _ in 0..8 {
        r.machine.inject("pause", &[1]).unwrap();
        r.steps(0, 1);
        r.machine.inject("pause", &[0]).unwrap();
        r.sse(1, UNMASK, &[]);
        if r.machine.harts()[1].pc == handler(LOCAL) + 4 {
            break;
        }
    }
    let (h0, h1) = (&r.machine.harts()[0], &r.machine.harts()[1]);
    assert_eq!((h0.mode, h1.pc), (emu_csr::Mode::M, handler(LOCAL) + 4), "one is in the call, the other in the handler");
    r.steps(0, 2);
    assert_eq!(r.machine.harts()[0].pc, CALL + 8, "the call has returned");
    r.sse(1, COMPLETE, &[]);
    // Nothing was lost, however long nothing comes.
    r.store(CODE, &[0x6f]);
    r.machine.harts_mut()[1].pc = CODE;
    r.steps(1, 200_100);
    r.monitor.end(&r.machine, None);
    assert_eq!(r.monitor.total(), 0, "{}", r.text());
}
