//! SBI, "Firmware Features", "System Suspend" and "CPPC" extensions, and what the console does with large buffers.

mod common;

use common::*;
use emu_core::hart::Wait;
use emu_csr::Mode;
use sbi_model::Config;

const DENIED: i64 = -4;
const DENIED_LOCKED: i64 = -14;

/// Feature ids, the register bits they are, and whether they are in menvcfg (or medeleg).
const FEATURES: [(u64, u64, bool); 5] =
    [(0, 1 << 4 | 1 << 6, false), (1, 1 << 2, true), (2, 1 << 3, true), (3, 1 << 59, true), (4, 1 << 61, true)];

const ALL: &str = "max,svade=on,zicfilp=on,zicfiss=on";

#[test]
fn fwft_set_turns_the_features_bits_on_and_off_and_no_others() {
    let mut rig = Rig::with(1, ALL);
    for (id, bits, menvcfg) in FEATURES {
        let bits_of = |rig: &Rig| {
            let csr = &rig.harts[0].csr;
            if menvcfg { csr.menvcfg } else { csr.medeleg }
        };
        let reset = bits_of(&rig);
        assert_eq!((reset & bits, rig.call(0, FWFT, 1, &[id])), (0, (0, 0)), "feature {id} is off at reset");
        assert_eq!(rig.call(0, FWFT, 0, &[id, 1, 0]), (0, 0));
        assert_eq!((bits_of(&rig), rig.call(0, FWFT, 1, &[id])), (reset | bits, (0, 1)), "feature {id}");
        assert_eq!(rig.call(0, FWFT, 0, &[id, 0, 0]), (0, 0));
        assert_eq!((bits_of(&rig), rig.call(0, FWFT, 1, &[id])), (reset, (0, 0)), "feature {id}");
    }
}

#[test]
fn fwft_refuses_bad_values_and_flags_and_changes_nothing() {
    let mut rig = Rig::with(1, ALL);
    for (value, flags) in [(2, 0), (u64::MAX, 0), (1 << 32, 0), (1, 2), (1, 1 << 63), (1, u64::MAX)] {
        assert_eq!(rig.call(0, FWFT, 0, &[0, value, flags]).0, INVALID_PARAM, "{value:#x} {flags:#x}");
        assert_eq!(rig.call(0, FWFT, 1, &[0]), (0, 0));
    }
}

#[test]
fn fwft_locked_features_are_denied_until_the_hart_starts_again() {
    let mut rig = Rig::new(2);
    assert_eq!(rig.call(0, HSM, 0, &[1, ENTRY, 0]).0, 0);
    assert_eq!(rig.call(1, FWFT, 0, &[0, 1, 1]).0, 0);
    for value in [0, 1, 2] {
        assert_eq!(rig.call(1, FWFT, 0, &[0, value, 0]).0, DENIED_LOCKED);
    }
    assert_eq!(rig.call(1, FWFT, 1, &[0]), (0, 1));
    assert_eq!(rig.call(0, FWFT, 0, &[0, 1, 0]).0, 0, "the other hart's is not locked");
    rig.step_call(1, HSM, 1, &[]);
    assert_eq!(rig.call(0, HSM, 0, &[1, ENTRY, 0]).0, 0);
    assert_eq!(rig.call(1, FWFT, 1, &[0]), (0, 0));
    assert_eq!(rig.call(1, FWFT, 0, &[0, 1, 0]).0, 0);
}

#[test]
fn fwft_features_the_hart_lacks_are_not_supported_and_reserved_ones_denied() {
    let mut rig = Rig::with(1, "rv64gc");
    for id in 1..=5 {
        assert_eq!(rig.call(0, FWFT, 0, &[id, 1, 0]).0, NOT_SUPPORTED, "{id}");
        assert_eq!(rig.call(0, FWFT, 1, &[id]).0, NOT_SUPPORTED, "{id}");
    }
    for id in [6, 0x3fff_ffff, 0x4000_0000, 0x7fff_ffff, 0x8000_0000, 0xbfff_ffff, 0xc000_0000, 0xffff_ffff] {
        assert_eq!(rig.call(0, FWFT, 0, &[id, 1, 0]).0, DENIED, "{id:#x}");
        assert_eq!(rig.call(0, FWFT, 1, &[id]).0, DENIED, "{id:#x}");
    }
    assert_eq!(rig.call(0, FWFT, 1, &[1 << 32]), (0, 0), "32 bits of the id count");
}

#[test]
fn system_suspend_waits_and_resumes_as_a_non_retentive_suspension() {
    let mut rig = Rig::new(2);
    rig.harts[0].csr.mstatus |= 2;
    rig.step_call(0, SUSP, 0, &[1 << 32, ENTRY + 0x100, 77]);
    let h = &rig.harts[0];
    assert_eq!((h.mode, h.pc, h.x[10], h.x[11], h.wait), (Mode::HS, ENTRY + 0x100, 0, 77, Wait::Wfi));
    assert_eq!((h.csr.satp, h.csr.mstatus & 2), (0, 0));
}

#[test]
fn system_suspend_errors() {
    let mut rig = Rig::of(2, "max", Config { reserved: vec![(RAM, 0x1000)], ..Config::default() });
    for kind in [1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff] {
        assert_eq!(rig.call(0, SUSP, 0, &[kind, ENTRY, 0]).0, INVALID_PARAM);
    }
    for at in [0, ENTRY + 1, RAM + RAM_SIZE, RAM, u64::MAX - 1] {
        assert_eq!(rig.call(0, SUSP, 0, &[0, at, 0]).0, INVALID_ADDRESS, "{at:#x}");
        assert_eq!(rig.call(0, HSM, 0, &[1, at, 0]).0, INVALID_ADDRESS, "{at:#x}");
    }
    assert_eq!(rig.call(0, HSM, 0, &[1, ENTRY, 0]).0, 0);
    assert_eq!(rig.call(0, SUSP, 0, &[0, ENTRY, 0]).0, DENIED, "another hart runs");
    assert_eq!(rig.call(0, SUSP, 1, &[]).0, NOT_SUPPORTED);
}

#[test]
fn cppc_registers_have_the_width_and_access_of_the_table() {
    let mut rig = Rig::new(1);
    let absent = [4, 8, 9, 0xa, 0xf, 0x10, 0x11];
    for id in (0..=0x14).chain([0x8000_0000]) {
        let width = if absent.contains(&id) { 0 } else { 32 << u64::from([0xb, 0xc].contains(&id)) };
        assert_eq!(rig.call(0, CPPC, 0, &[id]), (0, width), "{id:#x}");
        let read = if width == 0 { NOT_SUPPORTED } else { 0 };
        assert_eq!(rig.call(0, CPPC, 1, &[id]).0, read, "{id:#x}");
        assert_eq!(rig.call(0, CPPC, 2, &[id]), (read, 0), "{id:#x}");
        let write = if width == 0 || [5, 6, 7, 0xd, 0xe].contains(&id) { read } else { DENIED };
        assert_eq!(rig.call(0, CPPC, 3, &[id, 100]).0, write, "{id:#x}");
    }
    for id in [0x15, 0x7fff_ffff, 0x8000_0001, 0xffff_ffff] {
        for f in 0..4 {
            assert_eq!(rig.call(0, CPPC, f, &[id]).0, INVALID_PARAM, "{id:#x}");
        }
    }
}

#[test]
fn cppc_delivered_counter_runs_at_the_level_asked_for() {
    let mut rig = Rig::new(1);
    let counters = |rig: &mut Rig| (rig.call(0, CPPC, 1, &[0xb]).1, rig.call(0, CPPC, 1, &[0xc]).1);
    rig.harts[0].cycles = 100_000; // mtime 1000
    assert_eq!(counters(&mut rig), (1000, 1000));
    rig.call(0, CPPC, 3, &[5, 50]);
    rig.harts[0].cycles = 200_000;
    assert_eq!(counters(&mut rig), (2000, 2000), "not enabled");
    rig.call(0, CPPC, 3, &[0xe, 1]);
    rig.harts[0].cycles = 300_000;
    assert_eq!(counters(&mut rig), (3000, 2500));
    rig.call(0, CPPC, 3, &[5, 1]); // below the lowest
    rig.harts[0].cycles = 400_000;
    assert_eq!(counters(&mut rig), (4000, 2600));
    rig.call(0, CPPC, 3, &[6, 20]);
    rig.harts[0].cycles = 500_000;
    assert_eq!(counters(&mut rig), (5000, 2800));
    // Fractions of a count are kept over writes: a tick at a time, 100 of them at level 20.
    for i in 1..=100 {
        rig.harts[0].cycles = 500_000 + 100 * i;
        rig.call(0, CPPC, 3, &[6, 20]);
    }
    assert_eq!(counters(&mut rig), (5100, 2820));
}

#[test]
fn debug_console_moves_a_page_a_call_and_tells_how_much() {
    let mut rig = Rig::of(1, "max", Config { reserved: vec![(RAM, 0x1000)], ..Config::default() });
    assert_eq!(rig.call(0, DBCN, 0, &[RAM_SIZE - 0x1000, ENTRY, 0]), (0, 4096));
    assert_eq!(rig.out.len(), 4096);
    rig.input.extend([7; 5000]);
    assert_eq!(rig.call(0, DBCN, 1, &[RAM_SIZE - 0x1000, ENTRY, 0]), (0, 4096));
    let at = |i| rig.bus.ram.read(ENTRY + i, 1);
    assert_eq!((rig.input.len(), at(4095), at(4096)), (904, Some(7), Some(0)));
    for f in [0, 1] {
        assert_eq!(rig.call(0, DBCN, f, &[2, RAM + 0xfff, 0]).0, INVALID_PARAM, "the firmware's own memory");
    }
    assert_eq!((rig.out.len(), rig.input.len()), (4096, 904));
}

#[test]
fn sparse_hart_ids_are_named_by_their_ids() {
    let mut rig = Rig::ids(&[3, 70, 0x1000], "max", Config::default());
    assert_eq!(rig.call(0, HSM, 2, &[1]).0, INVALID_PARAM);
    for id in [70, 0x1000] {
        assert_eq!(rig.call(0, HSM, 2, &[id]), (0, 1));
        assert_eq!(rig.call(0, HSM, 0, &[id, ENTRY, 0]).0, 0);
    }
    assert_eq!(rig.call(0, IPI, 0, &[0b11, 70]).0, INVALID_PARAM, "there is no hart 71");
    assert_eq!(rig.call(0, IPI, 0, &[1 << 5, 65]).0, 0);
    assert_eq!([0, 1, 2].map(|i| rig.ssip(i)), [false, true, false]);
    assert_eq!(rig.call(0, IPI, 0, &[1 << 63, 0x1000 - 63]).0, 0);
    assert!(rig.ssip(2));
}

/// What was translated while a feature was on is not used once it is off: without SHADOW_STACK no page is a shadow-stack page (Zicfiss,
/// "Shadow Stack Memory Protection").
#[test]
fn a_feature_that_is_switched_off_leaves_no_translation_behind() {
    let mut rig = Rig::new(1);
    const ROOT: u64 = RAM + 0x2_0000;
    const VA: u64 = 0x4000_0000;
    let mut write = |at: u64, v: u64| rig.bus.ram.write(at, 8, v, &mut Vec::new());
    // Sv39: one GiB at VA, writable but not readable, which shadow-stack pages are.
    write(ROOT + 8, RAM >> 12 << 10 | 0xc5);
    assert_eq!(rig.call(0, FWFT, 0, &[2, 1, 0]).0, 0);
    let now = rig.harts[0].now(&rig.bus);
    rig.harts[0].csr.poke(0x180, 8 << 60 | ROOT >> 12, &now);
    rig.harts[0].recontext();
    assert!(rig.harts[0].load(&mut rig.bus, VA, 8).is_ok());
    assert_eq!(rig.call(0, FWFT, 0, &[2, 0, 0]).0, 0);
    let fault = rig.harts[0].load(&mut rig.bus, VA, 8).map_err(|t| t.cause);
    assert_eq!(fault, Err(emu_csr::Exception::LoadPageFault));
}
