//! When events are delivered, where, in which order, and with which registers (SBI, "Supervisor Software Events Extension").

#![allow(clippy::expect_used)] // helpers of tests, which clippy takes for other code

mod common;

use common::sse::*;
use common::*;
use emu_core::firmware::FwStep;
use emu_core::hart::Wait;
use emu_csr::Mode;
use emu_csr::table::{self, field::mstatus};
use sbi_model::sse::{attr, flag, id, status};

const PROFILES: [&str; 4] = ["spec", "opensbi-1.9", "opensbi-1.6", "private-resume"];

fn each(n: u64, check: impl Fn(&mut Rig, &str)) {
    for p in PROFILES {
        check(&mut Rig::running(n, config(p)), p);
    }
}

fn ready(rig: &mut Rig, hart: usize, events: &[u32]) {
    events.iter().for_each(|&e| rig.arm(hart, e));
    assert_eq!(rig.sse(hart, UNMASK, &[]), 0);
}

fn at(rig: &Rig, hart: usize) -> u64 {
    rig.harts[hart].pc
}

#[test]
fn the_handler_finds_what_the_text_says() {
    each(1, |rig, p| {
        ready(rig, 0, &[LOCAL]);
        for mode in [Mode::U, Mode::HS, Mode::VU, Mode::VS] {
            for sie in [false, true] {
                let before = Context {
                    pc: 0x4_0000,
                    mode,
                    sie,
                    spie: !sie,
                    spp: true,
                    spv: false,
                    spvp: false,
                    gva: false,
                    sepc: 0x5_0000,
                    a6: 0x66,
                    a7: 0x77,
                };
                before.put(&mut rig.harts[0]);
                let x = rig.harts[0].x;
                rig.signal(0, LOCAL).expect("enabled");
                rig.interrupts(0);
                let h = Context::of(&rig.harts[0]);
                assert_eq!((h.pc, h.mode), (handler(LOCAL), Mode::HS), "{p}: pc and mode");
                assert_eq!((h.a6, h.a7), (0, u64::from(LOCAL) ^ 0xa0), "{p}: hart id and argument");
                assert_eq!((h.sepc, h.spp, h.spie, h.sie), (0x4_0000, mode.level() == 1, sie, false), "{p}");
                assert_eq!(h.spv, mode.virt(), "{p}: SPV is the interrupted V");
                assert!(!h.spv || h.spvp == h.spp, "{p}: SPVP");
                let same = (1..32).filter(|r| ![16, 17].contains(r)).all(|r| rig.harts[0].x[r] == x[r]);
                assert!(same, "{p}: no other register changes");
                let e = rig.event(0, LOCAL);
                let flags = flag::SPP | if sie { 0 } else { flag::SPIE };
                assert_eq!(e.attrs[6..], [0x5_0000, flags, 0x66, 0x77], "{p}");
                rig.step_call(0, SSE, COMPLETE, &[]);
                assert_eq!(Context { spvp: false, ..Context::of(&rig.harts[0]) }, before, "{p}");
            }
        }
    });
}

#[test]
fn the_ecall_that_injects_has_its_result_before_the_handler_runs() {
    each(1, |rig, p| {
        ready(rig, 0, &[LOCAL]);
        let pc = at(rig, 0);
        rig.harts[0].x[11] = 99;
        rig.step_call(0, SSE, INJECT, &[u64::from(LOCAL), 0]);
        let h = &rig.harts[0];
        assert_eq!((h.pc, h.x[10], h.x[11], h.csr.sepc), (handler(LOCAL), 0, 0, pc + 4), "{p}");
        assert_eq!(rig.event(0, LOCAL).attrs[8..], [INJECT, SSE], "{p}");
        rig.step_call(0, SSE, COMPLETE, &[]);
        let h = &rig.harts[0];
        assert_eq!((h.pc, h.x[10], h.x[16], h.x[17]), (pc + 4, 0, INJECT, SSE), "{p}");
    });
}

#[test]
fn what_the_handler_writes_is_what_is_restored() {
    each(1, |rig, p| {
        ready(rig, 0, &[LOCAL]);
        rig.sse(0, INJECT, &[u64::from(LOCAL), 0]);
        for (a, v) in [(attr::SEPC, 0x1234), (attr::A6, 0xaaaa), (attr::A7, 0xbbbb), (attr::FLAGS, flag::SPVP | flag::SPIE)] {
            assert_eq!(rig.set_attr(0, LOCAL, a, v), 0, "{p}");
        }
        rig.poke(0, table::SEPC, 0x9_0000);
        rig.step_call(0, SSE, COMPLETE, &[]);
        let c = Context::of(&rig.harts[0]);
        assert_eq!((c.pc, c.sepc, c.a6, c.a7), (0x9_0000, 0x1234, 0xaaaa, 0xbbbb), "{p}");
        if p != "private-resume" {
            assert_eq!((c.spvp, c.spie, c.spp, c.spv), (true, true, false, false), "{p}");
        }
    });
}

/// An event that nobody can take now is nobody's to be told of: no hart is woken for nothing.
#[test]
fn a_hart_that_masks_tells_no_hart_that_is_masked_too() {
    let mut rig = Rig::running(2, config("spec"));
    rig.arm(0, GLOBAL);
    rig.sse(1, UNMASK, &[]);
    // Hart 1 alone is ready, and masks before it has looked.
    rig.signal(0, GLOBAL).expect("taken");
    assert!(rig.fw.state().sse.harts[1].ipi);
    rig.harts[1].csr.set_line(emu_csr::Interrupt::MSoft, false);
    rig.sse(1, MASK, &[]);
    assert!(rig.event(1, GLOBAL).pending());
    assert!(!rig.fw.state().sse.harts[0].ipi && !rig.bus.hart_lines(0, 0).msip);
    rig.sse(0, UNMASK, &[]);
    assert_eq!(rig.harts[0].pc, handler(GLOBAL), "and it waits for the one that unmasks");
}

#[test]
fn masked_harts_receive_nothing_until_they_unmask() {
    each(2, |rig, p| {
        rig.arm(0, LOCAL);
        let pc = at(rig, 0);
        assert_eq!(rig.sse(0, INJECT, &[u64::from(LOCAL), 0]), 0);
        assert_eq!(at(rig, 0), pc + 4, "{p}");
        assert_eq!(rig.status(0, LOCAL) & status::PENDING, status::PENDING);
        rig.sse(0, UNMASK, &[]);
        assert_eq!(at(rig, 0), handler(LOCAL), "{p}");
        assert_eq!(rig.event(0, LOCAL).attrs[attr::A6], UNMASK, "{p}: it interrupts the call that unmasks");
    });
}

#[test]
fn lower_numbers_go_first_and_ties_go_by_id() {
    each(1, |rig, p| {
        for (prio, first) in [((0, 0), PLAT_LOCAL), ((1, 0), LOCAL), ((5, 5), PLAT_LOCAL), ((0xffff_ffff, 0xffff_fffe), LOCAL)] {
            rig.set_attr(0, PLAT_LOCAL, attr::PRIORITY, prio.0);
            rig.set_attr(0, LOCAL, attr::PRIORITY, prio.1);
            rig.arm(0, LOCAL);
            rig.arm(0, PLAT_LOCAL);
            rig.sse(0, INJECT, &[u64::from(LOCAL), 0]);
            rig.sse(0, INJECT, &[u64::from(PLAT_LOCAL), 0]);
            rig.sse(0, UNMASK, &[]);
            let second = if first == LOCAL { PLAT_LOCAL } else { LOCAL };
            assert_eq!(at(rig, 0), handler(first), "{p} {prio:?}");
            rig.step_call(0, SSE, COMPLETE, &[]);
            assert_eq!(at(rig, 0), handler(second), "{p}: the other follows at once");
            rig.step_call(0, SSE, COMPLETE, &[]);
            rig.sse(0, MASK, &[]);
            for e in [LOCAL, PLAT_LOCAL] {
                assert_eq!((rig.sse(0, DISABLE, &[u64::from(e)]), rig.sse(0, UNREGISTER, &[u64::from(e)])), (0, 0));
            }
        }
    });
}

#[test]
fn a_higher_priority_preempts_and_a_lower_one_waits() {
    each(1, |rig, p| {
        ready(rig, 0, &[PLAT_LOCAL, LOCAL, PLAT_GLOBAL]);
        rig.sse(0, INJECT, &[u64::from(LOCAL), 0]);
        assert_eq!(at(rig, 0), handler(LOCAL));
        let inner = at(rig, 0) + 4;
        rig.sse(0, INJECT, &[u64::from(PLAT_LOCAL), 0]);
        assert_eq!((at(rig, 0), rig.harts[0].csr.sepc), (handler(PLAT_LOCAL), inner), "{p}: at once");
        rig.sse(0, INJECT, &[u64::from(PLAT_GLOBAL), 0]);
        assert_eq!(at(rig, 0), handler(PLAT_LOCAL) + 4, "{p}: lower than what runs");
        rig.step_call(0, SSE, COMPLETE, &[]);
        assert_eq!(at(rig, 0), handler(PLAT_GLOBAL), "{p}: higher than what it returns to");
        rig.step_call(0, SSE, COMPLETE, &[]);
        assert_eq!(at(rig, 0), inner, "{p}");
        rig.step_call(0, SSE, COMPLETE, &[]);
        assert_eq!(rig.harts[0].csr.mstatus & mstatus::SPP, 0, "{p}");
    });
}

#[test]
fn a_running_event_signalled_again_runs_again_after_it_completes() {
    each(1, |rig, p| {
        ready(rig, 0, &[LOCAL]);
        let pc = at(rig, 0);
        rig.sse(0, INJECT, &[u64::from(LOCAL), 0]);
        rig.sse(0, INJECT, &[u64::from(LOCAL), 0]);
        rig.sse(0, INJECT, &[u64::from(LOCAL), 0]);
        assert_eq!(rig.event(0, LOCAL).attrs[0] & 7, status::RUNNING | status::PENDING, "{p}");
        rig.step_call(0, SSE, COMPLETE, &[]);
        assert_eq!(at(rig, 0), handler(LOCAL), "{p}");
        rig.step_call(0, SSE, COMPLETE, &[]);
        assert_eq!(at(rig, 0), pc + 4, "{p}: signals merge");
    });
}

#[test]
fn one_shot_events_are_disabled_by_completion_and_keep_what_came_meanwhile() {
    each(1, |rig, p| {
        rig.set_attr(0, LOCAL, attr::CONFIG, 1);
        ready(rig, 0, &[LOCAL]);
        rig.sse(0, INJECT, &[u64::from(LOCAL), 0]);
        rig.sse(0, INJECT, &[u64::from(LOCAL), 0]);
        rig.step_call(0, SSE, COMPLETE, &[]);
        assert_ne!(at(rig, 0), handler(LOCAL));
        assert_eq!(rig.event(0, LOCAL).attrs[0] & 7, status::REGISTERED | status::PENDING, "{p}");
        rig.sse(0, ENABLE, &[u64::from(LOCAL)]);
        assert_eq!(at(rig, 0), handler(LOCAL), "{p}");
    });
}

#[test]
fn disabled_events_stay_pending() {
    each(1, |rig, p| {
        rig.arm(0, LOCAL);
        rig.sse(0, INJECT, &[u64::from(LOCAL), 0]);
        assert_eq!(rig.sse(0, DISABLE, &[u64::from(LOCAL)]), 0);
        rig.sse(0, UNMASK, &[]);
        assert_eq!(rig.status(0, LOCAL) & 7, status::REGISTERED | status::PENDING, "{p}");
        rig.sse(0, ENABLE, &[u64::from(LOCAL)]);
        assert_eq!(at(rig, 0), handler(LOCAL), "{p}");
    });
}

#[test]
fn local_events_have_a_state_on_each_hart() {
    each(2, |rig, p| {
        ready(rig, 0, &[LOCAL]);
        assert_eq!(rig.status(1, LOCAL) & 7, status::UNUSED, "{p}");
        assert_eq!(rig.set_attr(1, LOCAL, attr::PRIORITY, 9), 0, "{p}");
        assert_eq!(rig.attr(0, LOCAL, attr::PRIORITY), Ok(0), "{p}");
        assert_eq!((rig.attr(0, LOCAL, attr::PREFERRED_HART), rig.attr(1, LOCAL, attr::PREFERRED_HART)), (Ok(0), Ok(1)));
    });
}

#[test]
fn global_events_have_one_state() {
    each(2, |rig, p| {
        assert_eq!(rig.sse(1, REGISTER, &[u64::from(GLOBAL), HANDLER, 0]), 0);
        assert_eq!(rig.sse(0, REGISTER, &[u64::from(GLOBAL), HANDLER, 0]), -10, "{p}");
        assert_eq!(rig.sse(0, ENABLE, &[u64::from(GLOBAL)]), 0, "{p}");
        assert_eq!(rig.status(1, GLOBAL), rig.status(0, GLOBAL), "{p}");
    });
}

#[test]
fn an_event_injected_into_another_hart_interrupts_it_by_ipi() {
    each(2, |rig, p| {
        ready(rig, 1, &[LOCAL]);
        let pc = at(rig, 0);
        assert_eq!(rig.sse(0, INJECT, &[u64::from(LOCAL), 1]), 0);
        assert_eq!(at(rig, 0), pc + 4, "{p}");
        assert_eq!(at(rig, 1), ENTRY + 12, "{p}: not before it takes the interrupt");
        rig.interrupts(1);
        assert_eq!((at(rig, 1), rig.harts[1].x[16]), (handler(LOCAL), 1), "{p}");
        assert!(!rig.ssip(1), "{p}: the IPI is the firmware's own");
    });
}

#[test]
fn a_global_event_goes_to_the_hart_that_is_preferred() {
    each(3, |rig, p| {
        (1..3).for_each(|h| assert_eq!(rig.sse(h, UNMASK, &[]), 0));
        assert_eq!(rig.set_attr(0, GLOBAL, attr::PREFERRED_HART, 2), 0);
        rig.arm(0, GLOBAL);
        rig.sse(0, INJECT, &[u64::from(GLOBAL), 0]);
        for h in [0, 1, 2] {
            rig.interrupts(h);
            assert_eq!(at(rig, h) == handler(GLOBAL), h == 2, "{p} hart {h}");
        }
        assert_eq!(rig.sse(1, COMPLETE, &[]), 0, "{p}: not hart 1's to complete");
        assert_eq!(rig.status(0, GLOBAL) & 3, status::RUNNING, "{p}");
        rig.step_call(2, SSE, COMPLETE, &[]);
        assert_eq!(rig.status(0, GLOBAL) & 3, status::ENABLED, "{p}");
    });
}

#[test]
fn without_a_preferred_hart_any_ready_one_takes_a_global_event() {
    let mut rig = Rig::running(3, config("spec"));
    rig.arm(0, GLOBAL);
    rig.sse(2, UNMASK, &[]);
    rig.sse(0, INJECT, &[u64::from(GLOBAL), 0]);
    rig.interrupts(2);
    assert_eq!(at(&rig, 2), handler(GLOBAL));
    let mut rig = Rig::running(3, config("opensbi-1.9"));
    rig.arm(0, GLOBAL);
    rig.sse(2, UNMASK, &[]);
    rig.sse(0, INJECT, &[u64::from(GLOBAL), 0]);
    rig.interrupts(2);
    assert_ne!(at(&rig, 2), handler(GLOBAL), "OpenSBI's preference binds");
}

#[test]
fn a_preferred_hart_that_stops_gives_its_global_event_to_another() {
    let mut rig = Rig::running(3, config("spec"));
    (1..3).for_each(|h| assert_eq!(rig.sse(h, UNMASK, &[]), 0));
    rig.set_attr(0, GLOBAL, attr::PREFERRED_HART, 2);
    rig.arm(0, GLOBAL);
    rig.sse(2, MASK, &[]);
    rig.sse(0, INJECT, &[u64::from(GLOBAL), 0]);
    rig.interrupts(1);
    assert_ne!(at(&rig, 1), handler(GLOBAL));
    assert!(matches!(rig.step_call(2, HSM, 1, &[]), FwStep::Done { .. }));
    rig.interrupts(1);
    assert_eq!(at(&rig, 1), handler(GLOBAL));
}

#[test]
fn an_event_ends_wfi_and_retentive_suspend() {
    each(2, |rig, p| {
        ready(rig, 1, &[LOCAL]);
        assert_eq!(rig.call(1, HSM, 3, &[0, 0, 0]).0, 0);
        assert_eq!(rig.harts[1].wait, Wait::Wfi, "{p}");
        let pc = at(rig, 1);
        rig.sse(0, INJECT, &[u64::from(LOCAL), 1]);
        let line = rig.bus.hart_lines(1, 0).msip;
        rig.harts[1].csr.set_line(emu_csr::Interrupt::MSoft, line);
        assert!(rig.harts[1].csr.wfi_wakes(), "{p}");
        rig.interrupts(1);
        assert_eq!((at(rig, 1), rig.harts[1].csr.sepc, rig.harts[1].wait), (handler(LOCAL), pc, Wait::Running), "{p}");
    });
}

#[test]
fn a_hart_that_stops_and_starts_is_as_after_boot_by_the_text_and_not_with_opensbi() {
    each(2, |rig, p| {
        let spec = p == "spec";
        ready(rig, 1, &[LOCAL]);
        rig.set_attr(1, LOCAL, attr::PRIORITY, 3);
        rig.sse(1, REGISTER, &[u64::from(PLAT_LOCAL), HANDLER, 0]);
        rig.harts[1].csr.mstatus &= !2;
        rig.sse(1, MASK, &[]);
        rig.sse(1, INJECT, &[u64::from(LOCAL), 1]);
        rig.sse(1, DISABLE, &[u64::from(LOCAL)]);
        rig.sse(1, ENABLE, &[u64::from(LOCAL)]);
        assert!(matches!(rig.step_call(1, HSM, 1, &[]), FwStep::Done { .. }));
        assert_eq!(rig.call(0, HSM, 0, &[1, ENTRY, 0]).0, 0);
        let states = [LOCAL, PLAT_LOCAL].map(|e| rig.status(1, e) & 7);
        let want = if spec { [status::UNUSED; 2] } else { [status::UNUSED | status::PENDING, status::REGISTERED] };
        assert_eq!(states, want, "{p}");
        assert_eq!(rig.sse(1, REGISTER, &[u64::from(PLAT_LOCAL), HANDLER, 0]), if spec { 0 } else { -10 }, "{p}");
    });
    for (p, kept) in [("spec", false), ("opensbi-1.9", true)] {
        let mut rig = Rig::running(2, config(p));
        rig.sse(1, UNMASK, &[]);
        rig.step_call(1, HSM, 1, &[]);
        rig.call(0, HSM, 0, &[1, ENTRY, 0]);
        assert_eq!(rig.sse(1, UNMASK, &[]), if kept { -7 } else { 0 }, "{p}: the mask");
    }
}

#[test]
fn an_event_for_a_stopped_hart_is_lost_without_an_error() {
    each(2, |rig, p| {
        ready(rig, 1, &[LOCAL]);
        rig.step_call(1, HSM, 1, &[]);
        assert_eq!(rig.sse(0, INJECT, &[u64::from(LOCAL), 1]), 0, "{p}");
        assert!(!rig.bus.hart_lines(1, 0).msip, "{p}");
        assert_eq!(rig.harts[1].wait, Wait::Held);
    });
}

#[test]
fn non_retentive_suspend_keeps_events() {
    each(1, |rig, p| {
        ready(rig, 0, &[LOCAL]);
        rig.harts[0].csr.mie |= 1 << 9;
        assert!(matches!(rig.step_call(0, HSM, 3, &[0x8000_0000, ENTRY, 9]), FwStep::Done { .. }));
        rig.signal(0, LOCAL).expect("enabled");
        rig.interrupts(0);
        assert_eq!((at(rig, 0), rig.harts[0].csr.sepc), (handler(LOCAL), ENTRY), "{p}");
    });
}

#[test]
fn counter_overflow_is_an_event_while_it_is_enabled_and_the_supervisors_interrupt_otherwise() {
    each(1, |rig, p| {
        let pmu = id::PMU_OVERFLOW;
        let lcofi = |rig: &Rig| (rig.harts[0].csr.mideleg >> 13 & 1, rig.harts[0].csr.mie >> 13 & 1);
        assert_eq!(lcofi(rig), (1, 0), "{p}");
        rig.sse(0, UNMASK, &[]);
        rig.sse(0, REGISTER, &[u64::from(pmu), handler(pmu), 0]);
        if p != "opensbi-1.6" {
            assert_eq!(lcofi(rig), (0, 0), "{p}");
        }
        rig.sse(0, ENABLE, &[u64::from(pmu)]);
        assert_eq!(lcofi(rig), (0, 1), "{p}");
        rig.lcofi(0);
        rig.interrupts(0);
        assert_eq!((at(rig, 0), lcofi(rig)), (handler(pmu), (0, 0)), "{p}: it would come again at once");
        rig.harts[0].csr.set_line(emu_csr::Interrupt::CounterOverflow, false);
        rig.step_call(0, SSE, COMPLETE, &[]);
        assert_eq!(lcofi(rig), (0, 1), "{p}");
        rig.lcofi(0);
        rig.interrupts(0);
        assert_eq!(at(rig, 0), handler(pmu), "{p}: and again");
        rig.harts[0].csr.set_line(emu_csr::Interrupt::CounterOverflow, false);
        rig.step_call(0, SSE, COMPLETE, &[]);
        assert_eq!((rig.sse(0, DISABLE, &[u64::from(pmu)]), rig.sse(0, UNREGISTER, &[u64::from(pmu)])), (0, 0));
        assert_eq!(lcofi(rig), (1, 0), "{p}");
    });
}

#[test]
fn ras_and_platform_events_come_from_outside() {
    let mut rig = Rig::running(2, config("spec"));
    for (event, hart) in [(id::LOCAL_RAS_HIGH, 1), (id::GLOBAL_RAS_LOW, 0), (PLAT_LOCAL, 1), (PLAT_GLOBAL, 0)] {
        rig.arm(hart, event);
        if rig.fw.state().sse.harts[hart].masked {
            rig.sse(hart, UNMASK, &[]);
        }
        rig.signal(hart, event).expect("known");
        rig.interrupts(hart);
        assert_eq!(at(&rig, hart), handler(event), "{event:#x}");
        rig.step_call(hart, SSE, COMPLETE, &[]);
    }
    assert_eq!(rig.signal(0, 2), Err("SBI_ERR_INVALID_PARAM"));
    assert_eq!(rig.signal(7, LOCAL), Err("there is no such hart"));
    assert_eq!(Rig::running(1, config("opensbi-1.9")).signal(0, id::LOCAL_RAS_HIGH), Err("SBI_ERR_NOT_SUPPORTED"));
}

#[test]
fn attributes_read_while_another_hart_injects_are_of_one_moment_or_torn() {
    for (p, torn) in [("spec", false), ("opensbi-1.9", true)] {
        let mut rig = Rig::running(2, config(p));
        ready(&mut rig, 1, &[]);
        rig.set_attr(0, GLOBAL, attr::PREFERRED_HART, 1);
        rig.arm(0, GLOBAL);
        (rig.harts[1].csr.sepc, rig.harts[1].x[16], rig.harts[1].x[17]) = (0x1111_1110, 0x66, 0x77);
        rig.signal(1, GLOBAL).expect("enabled");
        rig.begin(0, READ, &[u64::from(GLOBAL), 6, 4, BUFFER, 0]);
        // Up to two of the four words: with the event's lock held, which injection does not take.
        let mut left = None;
        for _ in 0..3 {
            left = Some(rig.one_step(0));
            if left != Some(FwStep::More) {
                break;
            }
        }
        rig.interrupts(1);
        assert_eq!(at(&rig, 1), handler(GLOBAL), "{p}");
        if left == Some(FwStep::More) {
            rig.finish(0);
        }
        let word = |i: u64| rig.bus.ram.read(BUFFER + 8 * i, 8).expect("memory");
        assert_eq!([word(0), word(2), word(3)], if torn { [0, 0x66, 0x77] } else { [0; 3] }, "{p}");
    }
}

#[test]
fn harts_wait_for_each_others_locks_and_go_on() {
    let mut rig = Rig::running(2, config("opensbi-1.9"));
    rig.begin(0, REGISTER, &[u64::from(GLOBAL), HANDLER, 0]);
    assert_eq!(rig.one_step(0), FwStep::More, "the event's lock");
    rig.begin(1, UNREGISTER, &[u64::from(GLOBAL)]);
    for _ in 0..3 {
        assert_eq!(rig.one_step(1), FwStep::Spin);
    }
    assert!(matches!(rig.finish(0), FwStep::Done { .. }));
    assert!(matches!(rig.finish(1), FwStep::Done { .. }));
    assert_eq!((rig.harts[0].x[10], rig.harts[1].x[10]), (0, 0), "register, then unregister");
    assert_eq!(rig.event(0, GLOBAL).state(), status::UNUSED);
}

#[test]
fn state_in_the_middle_of_an_operation_is_saved_and_restored() {
    use emu_core::dev::state::{Restorer, Saver};
    use emu_core::firmware::Firmware;
    let mut rig = Rig::running(2, config("opensbi-1.9"));
    ready(&mut rig, 1, &[LOCAL]);
    rig.sse(0, INJECT, &[u64::from(LOCAL), 1]);
    rig.bus.ram.write(BUFFER, 8, 5, &mut Vec::new());
    rig.begin(0, WRITE, &[u64::from(GLOBAL), attr::PRIORITY as u64, 1, BUFFER, 0]);
    rig.one_step(0);
    rig.one_step(0);
    let before = rig.fw.state().clone();
    let mut saved = Saver::default();
    Firmware::state(&mut rig.fw, &mut saved);
    rig.finish(0);
    rig.interrupts(1);
    assert_ne!(rig.fw.state(), &before);
    let mut restorer = Restorer::new(&saved.0);
    Firmware::state(&mut rig.fw, &mut restorer);
    assert!(restorer.complete());
    assert_eq!(rig.fw.state(), &before);
}

#[test]
fn a_global_event_that_is_enabled_for_a_hart_that_starts_is_never_found_by_opensbi() {
    for (p, found) in [("spec", true), ("opensbi-1.9", false)] {
        let mut rig = Rig::running(2, config(p));
        rig.set_attr(0, GLOBAL, attr::PREFERRED_HART, 1);
        rig.arm(0, GLOBAL);
        rig.step_call(1, HSM, 1, &[]);
        if !found {
            rig.arm(0, GLOBAL);
        }
        assert_eq!(rig.status(0, GLOBAL) & 3, status::ENABLED, "{p}");
        rig.call(0, HSM, 0, &[1, ENTRY, 0]);
        rig.sse(1, UNMASK, &[]);
        rig.sse(0, INJECT, &[u64::from(GLOBAL), 1]);
        rig.interrupts(1);
        assert_eq!(at(&rig, 1) == handler(GLOBAL), found, "{p}");
        assert_eq!(rig.event(0, GLOBAL).pending(), !found, "{p}");
    }
}
