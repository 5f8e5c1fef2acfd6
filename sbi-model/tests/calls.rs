//! Every call and its errors, by the clauses of the SBI specification.

mod common;

use common::*;
use emu_core::bus::Request;
use emu_core::firmware::FwStep;
use emu_core::hart::{Wait, event};
use emu_csr::Mode;

#[test]
fn boot_hart_starts_as_the_specification_says_and_the_others_wait() {
    let rig = Rig::new(2);
    let h = &rig.harts[0];
    assert_eq!((h.mode, h.pc, h.x[10], h.x[11], h.wait), (Mode::HS, ENTRY, 0, 0x8008_0000, Wait::Running));
    assert_eq!(h.csr.satp, 0);
    assert_eq!(h.csr.mstatus & 2, 0, "sstatus.SIE");
    assert_eq!(rig.harts[1].wait, Wait::Held);
    // Not delegated: what firmware emulates or answers.
    assert_eq!(h.csr.medeleg & (1 << 2 | 1 << 9), 0);
    assert_eq!(h.csr.medeleg & (1 << 12 | 1 << 13 | 1 << 15), 1 << 12 | 1 << 13 | 1 << 15);
}

#[test]
fn a_and_d_are_the_harts_to_update_from_the_start_only_without_svade() {
    let adue = |cpu| Rig::with(1, cpu).harts[0].csr.menvcfg >> 61 & 1;
    assert_eq!((adue("max"), adue("max,svade=on"), adue("rva23h")), (1, 0, 0));
}

#[test]
fn base_functions() {
    let mut rig = Rig::new(1);
    assert_eq!(rig.call(0, BASE, 0, &[]), (0, 3 << 24));
    assert_eq!(rig.call(0, BASE, 1, &[]), (0, 0x5452_505a));
    for present in [0, 8, BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN] {
        assert_eq!(rig.call(0, BASE, 3, &[present]), (0, 1), "{present:#x}");
    }
    for absent in [9, 0xf, 0x0a00_0000, u64::MAX] {
        assert_eq!(rig.call(0, BASE, 3, &[absent]), (0, 0), "{absent:#x}");
    }
}

#[test]
fn unknown_extensions_and_functions_are_not_supported() {
    let mut rig = Rig::new(1);
    for eid in [BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN] {
        assert_eq!(rig.call(0, eid, 7 + (eid == BASE) as u64, &[]).0, NOT_SUPPORTED);
        assert_eq!(rig.call(0, eid, u64::MAX, &[]).0, NOT_SUPPORTED);
    }
    assert_eq!(rig.call(0, 0x1234_5678, 0, &[]).0, NOT_SUPPORTED);
}

#[test]
fn calls_change_no_register_but_a0_and_a1() {
    let mut rig = Rig::new(2);
    for r in 1..32 {
        rig.harts[0].x[r] = 0x1000 + r as u64;
    }
    rig.call(0, BASE, 3, &[TIME]);
    for r in (1..32).filter(|r| ![10, 11, 16, 17].contains(r)) {
        assert_eq!(rig.harts[0].x[r], 0x1000 + r as u64, "x{r}");
    }
}

#[test]
fn set_timer_programs_stimecmp_and_clears_a_pending_timer() {
    let mut rig = Rig::new(1);
    rig.harts[0].cycles = 1_000_000; // mtime 10000
    rig.call(0, TIME, 0, &[5]);
    assert_ne!(rig.harts[0].csr.peek(0x144, &Default::default()).expect("sip") & 1 << 5, 0);
    rig.call(0, TIME, 0, &[20_000]);
    assert_eq!(rig.harts[0].csr.stimecmp, 20_000);
    assert_eq!(rig.harts[0].csr.peek(0x144, &Default::default()).expect("sip") & 1 << 5, 0);
}

#[test]
fn set_timer_without_sstc_uses_the_machine_timer() {
    let mut rig = Rig::with(1, "rv64gc");
    rig.call(0, TIME, 0, &[500]);
    assert_eq!(rig.bus.mtimecmp(0), Some(500));
    assert_ne!(rig.harts[0].csr.mie & 1 << 7, 0);
    // The timer expires: the supervisor sees STIP, and MTIP is masked.
    rig.harts[0].cycles = 50_000;
    rig.harts[0].csr.set_line(emu_csr::Interrupt::MTimer, true);
    let h = &mut rig.harts[0];
    let (i, to) = h.csr.pending_interrupt(h.mode).expect("pending");
    assert_eq!((i, to), (emu_csr::Interrupt::MTimer, Mode::M));
    let (from, pc) = (h.mode, h.pc);
    let e = h.csr.enter_interrupt(from, pc, i, to, &mut ());
    h.set_mode(e.mode);
    assert!(matches!(rig.with_platform(|fw, p| emu_core::firmware::Firmware::step(fw, p, 0)), FwStep::Done { .. }));
    let h = &rig.harts[0];
    assert_eq!((h.mode, h.pc), (Mode::HS, pc));
    assert_ne!(h.csr.peek(0x144, &Default::default()).expect("sip") & 1 << 5, 0);
    assert_eq!(h.csr.mie & 1 << 7, 0);
}

#[test]
fn ipi_reaches_the_named_harts_that_run_and_no_other() {
    let mut rig = Rig::new(4);
    for i in 1..3 {
        assert_eq!(rig.call(0, HSM, 0, &[i, ENTRY, 7]).0, 0);
    }
    assert_eq!(rig.call(0, IPI, 0, &[0b110, 1]), (0, 0)); // harts 2 and 3; 3 is stopped
    assert_eq!([0, 1, 2, 3].map(|i| rig.ssip(i)), [false, false, true, false]);
    assert_eq!(rig.call(0, IPI, 0, &[0, u64::MAX]), (0, 0));
    assert_eq!([0, 1, 2, 3].map(|i| rig.ssip(i)), [true, true, true, false]);
}

#[test]
fn hart_masks_that_name_no_hart_are_invalid_and_do_nothing() {
    let mut rig = Rig::new(2);
    for (mask, base) in [(1, 2), (0b101, 0), (1, u64::MAX - 1), (2, u64::MAX - 1), (1 << 63, 1)] {
        assert_eq!(rig.call(0, IPI, 0, &[mask, base]).0, INVALID_PARAM, "{mask:#x} {base:#x}");
        assert_eq!(rig.call(0, RFENCE, 0, &[mask, base]).0, INVALID_PARAM);
        assert!(!rig.ssip(0));
    }
    assert_eq!(rig.call(0, IPI, 0, &[0, 77]).0, 0, "an empty mask names nobody");
}

/// What releases of OpenSBI make of a mask (lib/sbi/sbi_ipi.c): 1.6 cuts it down to harts that run, 1.9 refuses it if it names any other.
#[test]
fn hart_masks_of_stopped_and_unknown_harts_are_a_matter_of_policy() {
    const WIDE: u64 = 1 << 32;
    for (profile, stopped, unknown, alias) in [
        ("spec", 0, INVALID_PARAM, INVALID_PARAM),
        ("opensbi-1.9", INVALID_PARAM, INVALID_PARAM, 0),
        ("opensbi-1.6", 0, 0, 0),
        ("private-resume", INVALID_PARAM, INVALID_PARAM, 0),
    ] {
        // Hart 2 is stopped, hart 3 does not exist.
        let mut rig = Rig::of(3, "max", sbi_model::Config::new(sbi_model::profile::Profile::find(profile).unwrap()));
        assert_eq!(rig.call(0, HSM, 0, &[1, ENTRY, 0]).0, 0);
        for (mask, base, error) in
            [(0b110, 0, stopped), (0b1010, 0, unknown), (2, WIDE, alias), (0b1000, u64::MAX - 1, alias), (2, 0, 0), (0, 77, 0)]
        {
            let what = format!("{profile}: {mask:#b} {base:#x}");
            rig.harts[1].csr.set_line(emu_csr::Interrupt::SSoft, false);
            assert_eq!(rig.call(0, IPI, 0, &[mask, base]).0, error, "{what}");
            assert_eq!(rig.ssip(1), error == 0 && mask != 0, "{what}");
            rig.harts[1].events = 0;
            assert_eq!(rig.call(0, RFENCE, 0, &[mask, base]).0, error, "{what}");
            assert_eq!(rig.harts[1].events & event::CODE != 0, error == 0 && mask != 0, "{what}");
        }
        // The same for ids that are no masks.
        let wide = rig.call(0, HSM, 2, &[WIDE + 1]);
        assert_eq!(wide, if alias == 0 { (0, 0) } else { (INVALID_PARAM, 0) }, "{profile}");
    }
}

#[test]
fn remote_fences_reach_running_harts() {
    let mut rig = Rig::new(2);
    rig.call(0, HSM, 0, &[1, ENTRY, 0]);
    for (fid, flag) in [(0, event::CODE), (1, event::CONTEXT), (2, event::CONTEXT), (3, event::CONTEXT), (6, event::CONTEXT)] {
        rig.harts[1].events = 0;
        assert_eq!(rig.call(0, RFENCE, fid, &[2, 0, 0x1000, 0x3000, 1]), (0, 0));
        assert_ne!(rig.harts[1].events & flag, 0, "function {fid}");
    }
    assert_eq!(rig.call(0, RFENCE, 1, &[2, 0, u64::MAX - 10, 0x1000]).0, INVALID_ADDRESS);
    assert_eq!(rig.call(0, RFENCE, 1, &[2, 0, u64::MAX - 10, u64::MAX]).0, 0, "size -1 is everything");
}

#[test]
fn hypervisor_fences_need_the_hypervisor_extension() {
    let mut rig = Rig::with(1, "rva22");
    for fid in 3..=6 {
        assert_eq!(rig.call(0, RFENCE, fid, &[1, 0, 0, 0, 0]).0, NOT_SUPPORTED);
    }
}

#[test]
fn hart_start_and_stop() {
    let mut rig = Rig::new(2);
    assert_eq!(rig.call(0, HSM, 2, &[1]), (0, 1));
    assert_eq!(rig.call(0, HSM, 0, &[2, ENTRY, 0]).0, INVALID_PARAM);
    assert_eq!(rig.call(0, HSM, 2, &[2]).0, INVALID_PARAM);
    for bad in [0, RAM - 4, RAM + RAM_SIZE, u64::MAX, ENTRY + 1, 0x200_0000] {
        assert_eq!(rig.call(0, HSM, 0, &[1, bad, 0]).0, INVALID_ADDRESS, "{bad:#x}");
    }
    assert_eq!(rig.call(0, HSM, 0, &[1, ENTRY, 42]), (0, 0));
    let h = &rig.harts[1];
    assert_eq!((h.mode, h.pc, h.x[10], h.x[11], h.wait, h.csr.satp), (Mode::HS, ENTRY, 1, 42, Wait::Running, 0));
    assert_eq!(rig.call(0, HSM, 2, &[1]), (0, 0));
    assert_eq!(rig.call(0, HSM, 0, &[1, ENTRY, 0]).0, ALREADY_AVAILABLE);
    assert!(matches!(rig.step_call(1, HSM, 1, &[]), FwStep::Done { .. }));
    assert_eq!(rig.harts[1].wait, Wait::Held);
    assert_eq!(rig.call(0, HSM, 2, &[1]), (0, 1));
    assert_eq!(rig.call(0, HSM, 0, &[1, ENTRY, 43]), (0, 0));
}

#[test]
fn hart_suspend() {
    let mut rig = Rig::new(2);
    rig.call(0, HSM, 0, &[1, ENTRY, 0]);
    for kind in [1, 0x1000_0000, 0x8000_0001, 0x9000_0000, 0xffff_ffff] {
        assert_eq!(rig.call(1, HSM, 3, &[kind, ENTRY, 0]).0, INVALID_PARAM, "{kind:#x}");
    }
    assert_eq!(rig.call(1, HSM, 3, &[0x8000_0000, 0, 0]).0, INVALID_ADDRESS);
    assert_eq!(rig.call(1, HSM, 3, &[1 << 32, 0, 0]), (0, 0), "suspend_type is 32 bits wide");
    assert_eq!(rig.harts[1].wait, Wait::Wfi);
    assert_eq!(rig.call(0, HSM, 2, &[1]), (0, 4));
    rig.harts[1].wait = Wait::Running;
    assert_eq!(rig.call(0, HSM, 2, &[1]), (0, 0));
    let there = ENTRY + 0x100;
    assert!(matches!(rig.step_call(1, HSM, 3, &[0x8000_0000, there, 9]), FwStep::Done { .. }));
    let h = &rig.harts[1];
    assert_eq!((h.mode, h.pc, h.x[10], h.x[11], h.wait), (Mode::HS, there, 1, 9, Wait::Wfi));
}

/// Suspension ends as soon as an enabled interrupt is pending: if one is already, it does not begin.
#[test]
fn a_hart_with_an_interrupt_pending_is_not_suspended() {
    for (enabled, kind) in [(false, 0), (true, 0), (false, 0x8000_0000), (true, 0x8000_0000)] {
        let mut rig = Rig::new(2);
        rig.call(0, HSM, 0, &[1, ENTRY, 0]);
        assert_eq!(rig.call(0, IPI, 0, &[1, 1]).0, 0);
        let now = rig.harts[1].now(&rig.bus);
        rig.harts[1].csr.poke(0x104, u64::from(enabled) << 1, &now);
        rig.step_call(1, HSM, 3, &[kind, ENTRY, 0]);
        let (wait, status) = if enabled { (Wait::Running, 0) } else { (Wait::Wfi, 4) };
        assert_eq!((rig.harts[1].wait, rig.call(0, HSM, 2, &[1]).1), (wait, status), "{enabled} {kind:#x}");
    }
}

#[test]
fn system_reset() {
    let ask = |kind, reason| Rig::new(1).step_call(0, SRST, 0, &[kind, reason]);
    assert_eq!(ask(0, 0), FwStep::Request(Request::PowerOff(0)));
    assert_eq!(ask(0, 1), FwStep::Request(Request::PowerOff(1)));
    assert_eq!(ask(1, 0), FwStep::Request(Request::Reset));
    assert_eq!(ask(1 << 32, 1 << 40), FwStep::Request(Request::PowerOff(0)), "both are 32 bits wide");
    assert_eq!(ask(2, 0), FwStep::Request(Request::Reset));
    let mut rig = Rig::new(1);
    for (kind, reason) in [(3, 0), (0, 2), (0xf000_0000, 0), (0, 0xe000_0000)] {
        assert_eq!(rig.call(0, SRST, 0, &[kind, reason]).0, INVALID_PARAM, "{kind:#x} {reason:#x}");
    }
}

#[test]
fn debug_console() {
    let mut rig = Rig::new(1);
    rig.bus.ram.write_bytes(RAM + 0x100, b"hello", &mut Vec::new());
    assert_eq!(rig.call(0, DBCN, 0, &[5, RAM + 0x100, 0]), (0, 5));
    assert_eq!(rig.call(0, DBCN, 2, &[0x121]), (0, 0));
    assert_eq!(rig.out, b"hello!");
    rig.input.extend(b"abcdef");
    assert_eq!(rig.call(0, DBCN, 1, &[4, RAM + 0x200, 0]), (0, 4));
    let mut got = [0; 5];
    rig.bus.ram.read_bytes(RAM + 0x200, &mut got);
    assert_eq!(&got, b"abcd\0");
    let end = RAM + RAM_SIZE;
    for (len, low, high) in [(2, end - 1, 0), (1, 0x200_0000, 0), (1, RAM, 1), (u64::MAX, RAM, 0), (8, u64::MAX - 3, 0)] {
        for fid in [0, 1] {
            assert_eq!(rig.call(0, DBCN, fid, &[len, low, high]).0, INVALID_PARAM, "{len:#x} {low:#x} {high:#x}");
        }
    }
    assert_eq!(rig.input.len(), 2, "a failed read takes nothing");
}

#[test]
fn legacy_calls_keep_a1_and_read_masks_from_the_callers_memory() {
    let mut rig = Rig::new(2);
    rig.call(0, HSM, 0, &[1, ENTRY, 0]);
    rig.bus.ram.write(RAM + 0x300, 8, 0b10, &mut Vec::new());
    assert_eq!(rig.call(0, 4, 0, &[RAM + 0x300, 0x77]), (0, 0x77));
    assert!(rig.ssip(1) && !rig.ssip(0));
    rig.bus.ram.write(RAM + 0x300, 8, 0b01, &mut Vec::new());
    assert_eq!(rig.call(0, 4, 0, &[RAM + 0x300, 0x77]), (0, 0x77));
    assert!(rig.ssip(0));
    assert_eq!(rig.call(0, 3, 0, &[]).0, 1);
    assert!(!rig.ssip(0));
    assert_eq!(rig.call(0, 1, 0, &[u64::from(b'x')]).0, 0);
    assert_eq!(rig.out, b"x");
    assert_eq!(rig.call(0, 2, 0, &[]).0, -1);
    rig.input.push_back(b'y');
    assert_eq!(rig.call(0, 2, 0, &[]).0, i64::from(b'y'));
    assert_eq!(rig.step_call(0, 8, 0, &[]), FwStep::Request(Request::PowerOff(0)));
}
