//! Requirements of the SBI text that no other test states, and the policies by which profiles leave it. docs/sbi.md lists clause and test.
#![allow(clippy::expect_used)] // tests

mod common;

use common::*;
use emu_core::firmware::{Firmware, FwStep};
use emu_core::hart::{Wait, event};
use emu_csr::{Exception, Interrupt, Isa, Mode, Trap, table};
use sbi_model::Config;
use sbi_model::ext::EXTENSIONS;
use sbi_model::profile::{PROFILES, Profile};

const PMU: u64 = 0x50_4d55;
const DBTR: u64 = 0x4442_5452;
const SSE: u64 = 0x53_5345;
const FAILED: i64 = -1;
const DENIED: i64 = -4;

fn profile(harts: u64, name: &str) -> Rig {
    Rig::of(harts, "max,sdtrig=on", Config::new(Profile::find(name).expect("a profile")))
}

/// Both sides of most policies.
const BOTH: [&str; 2] = ["spec", "opensbi-1.9"];

#[test]
fn every_function_returns_a_pair_and_preserves_all_other_registers() {
    for name in BOTH {
        let mut rig = profile(2, name);
        let isa = rig.harts[0].csr.isa;
        let offered = EXTENSIONS.iter().filter(|e| (e.available)(rig.fw.rules(), isa));
        let functions: Vec<_> = offered.flat_map(|e| e.functions.iter().map(move |f| (*e, f))).collect();
        for (e, f) in functions {
            let (eid, fid) = if e.legacy() { (f.id, 0) } else { (e.first, f.id) };
            for r in 1..32 {
                rig.harts[0].set(r, u64::from(r) << 32);
            }
            let before = rig.harts[0].x;
            let pc = rig.harts[0].pc;
            // Three arguments that no call does much with.
            let end = rig.step_call(0, eid, fid, &[u64::MAX, u64::MAX, u64::MAX]);
            let h = &rig.harts[0];
            if !matches!(end, FwStep::Done { .. }) || h.wait != Wait::Running || h.pc != pc.wrapping_add(4) {
                assert!(["sbi_hart_stop", "sbi_shutdown"].contains(&f.name) || e.legacy(), "{}: {end:?}", f.name);
                rig = profile(2, name);
                continue;
            }
            let changed: Vec<_> = (1..32).filter(|r| ![10, 11, 12, 16, 17].contains(r) && h.x[*r] != before[*r]).collect();
            assert_eq!(changed, Vec::<usize>::new(), "{} ({name})", f.name);
            assert_eq!(h.x[12], u64::MAX, "a2 of {}", f.name);
            assert_eq!((h.x[16], h.x[17]), (fid, eid), "{}", f.name);
            if e.legacy() {
                assert_eq!(h.x[11], u64::MAX, "nothing is returned in a1 by {}", f.name);
            } else {
                assert!((-14..=0).contains(&(h.x[10] as i64)), "{}: {:#x}", f.name, h.x[10]);
            }
        }
    }
}

#[test]
fn ids_that_are_no_sign_extended_words_name_no_extension_and_no_function() {
    let mut rig = Rig::new(1);
    assert_eq!(rig.call(0, 1 << 32 | BASE, 0, &[]).0, NOT_SUPPORTED);
    assert_eq!(rig.call(0, BASE, 1 << 32, &[]).0, NOT_SUPPORTED);
}

#[test]
fn reserved_legacy_extensions_change_a1_only_with_opensbi() {
    for (name, a1) in [("spec", 0x77), ("opensbi-1.9", 0)] {
        let mut rig = profile(1, name);
        for eid in 9..=0xf {
            assert_eq!(rig.call(0, eid, 0, &[1, 0x77]), (NOT_SUPPORTED, a1), "{name} {eid:#x}");
        }
    }
}

#[test]
fn the_mask_base_needs_to_be_a_hart_only_if_bit_0_is_set() {
    let mut rig = Rig::ids(&[0, 9], "max", Config::default());
    assert_eq!(rig.call(0, HSM, 0, &[9, ENTRY, 0]).0, 0);
    assert_eq!(rig.call(0, IPI, 0, &[2, 8]).0, 0, "there is no hart 8");
    assert!(rig.ssip(1));
    assert_eq!(rig.call(0, IPI, 0, &[3, 8]).0, INVALID_PARAM);
}

#[test]
fn mask_base_minus_one_ignores_the_mask_and_means_all_harts() {
    for mask in [0, 1, u64::MAX] {
        let mut rig = Rig::new(3);
        assert_eq!(rig.call(0, HSM, 0, &[1, ENTRY, 0]).0, 0);
        assert_eq!(rig.call(0, IPI, 0, &[mask, u64::MAX]).0, 0);
        assert_eq!([0, 1, 2].map(|i| rig.ssip(i)), [true, true, false]);
    }
}

#[test]
fn shared_memory_must_be_accessible_to_the_supervisor_in_every_function_that_takes_it() {
    let mut rig = Rig::of(1, "max,sdtrig=on", Config { reserved: vec![(RAM + 0x10_000, 0x10_000)], ..Config::default() });
    let end = RAM + RAM_SIZE;
    // Beyond memory, a device, across the end, wrapping around, the firmware's own, across its start, and beyond 2^64.
    let bad = [(end, 0), (0x200_0000, 0), (u64::MAX - 0xfff, 0), (RAM + 0x10_000, 0), (RAM, 1), (0, 0)];
    // Arguments with the two halves of the address left out: function, where they go, and the error.
    let functions: [(u64, u64, [u64; 5], usize, i64); 7] = [
        (DBCN, 0, [16, 0, 0, 0, 0], 1, INVALID_PARAM),
        (DBCN, 1, [16, 0, 0, 0, 0], 1, INVALID_PARAM),
        (PMU, 7, [0, 0, 0, 0, 0], 0, INVALID_ADDRESS),
        (PMU, 8, [0, 0, 1, 0, 0], 0, INVALID_ADDRESS),
        (DBTR, 1, [0, 0, 0, 0, 0], 0, INVALID_ADDRESS),
        (SSE, 0, [0xffff_0000, 0, 1, 0, 0], 3, INVALID_ADDRESS),
        (SSE, 1, [0xffff_0000, 1, 1, 0, 0], 3, INVALID_ADDRESS),
    ];
    let before = rig.bus.ram.read(RAM + 0x10_000, 8);
    for (eid, fid, args, at, error) in functions {
        for (low, high) in bad {
            let mut args = args;
            (args[at], args[at + 1]) = (low, high);
            assert_eq!(rig.call(0, eid, fid, &args).0, error, "{eid:#x} {fid} at {low:#x}, {high:#x}");
        }
        let mut args = args;
        // The last bytes are beyond memory.
        args[at] = end - 8;
        if eid != SSE {
            assert_ne!(rig.call(0, eid, fid, &args).0, 0, "{eid:#x} {fid}");
        }
        args[at] = RAM + 0x8000;
        assert_eq!(rig.call(0, eid, fid, &args).0, 0, "{eid:#x} {fid}");
    }
    assert_eq!(rig.bus.ram.read(RAM + 0x10_000, 8), before);
}

#[test]
fn base_functions_are_in_every_profile_and_fit_their_encoding() {
    for p in PROFILES {
        let mut rig = Rig::of(1, "max", Config::new(p));
        for fid in 0..=6 {
            assert_eq!(rig.call(0, BASE, fid, &[BASE]).0, 0, "{} {fid}", p.name);
        }
        let (_, version) = rig.call(0, BASE, 0, &[]);
        assert_eq!((version >> 31, version), (0, 3 << 24), "{}", p.name);
        assert_eq!(rig.call(0, BASE, 1, &[]).1, p.impl_id);
        assert_eq!(rig.call(0, BASE, 2, &[]).1, p.impl_version);
    }
}

#[test]
fn set_timer_clears_the_pending_timer_even_while_timer_interrupts_are_masked() {
    for cpu in ["max", "rv64gc"] {
        let mut rig = Rig::with(1, cpu);
        let h = &mut rig.harts[0];
        h.csr.assign(table::SIE, 0, &Default::default());
        h.cycles = 1_000_000;
        rig.call(0, TIME, 0, &[0]);
        if cpu == "rv64gc" {
            // Without stimecmp the machine timer has told the firmware.
            rig.harts[0].csr.set_line(Interrupt::STimer, true);
        }
        let stip =
            |rig: &Rig| rig.harts[0].csr.peek(table::SIP, &Default::default()).expect("sip") & Interrupt::STimer.mask() != 0;
        assert!(stip(&rig), "{cpu}");
        assert_eq!(rig.call(0, TIME, 0, &[u64::MAX]), (0, 0), "{cpu}");
        assert!(!stip(&rig), "{cpu}");
    }
}

#[test]
fn remote_fences_ignore_the_upper_bits_of_asid_and_vmid_as_the_instructions_do() {
    let mut rig = Rig::new(1);
    for (fid, id) in [(2, 1 << 16 | 3), (2, u64::MAX), (3, 1 << 14 | 3), (3, u64::MAX), (5, u64::MAX)] {
        rig.harts[0].events = 0;
        assert_eq!(rig.call(0, RFENCE, fid, &[1, 0, 0, 0, id]), (0, 0), "{fid} {id:#x}");
        assert_ne!(rig.harts[0].events & event::CONTEXT, 0);
    }
}

#[test]
fn a_fence_range_that_wraps_is_invalid_by_the_text_and_everything_with_opensbi() {
    for (name, error) in [("spec", INVALID_ADDRESS), ("opensbi-1.9", 0)] {
        let mut rig = profile(1, name);
        for fid in [1, 2, 3, 4, 5, 6] {
            assert_eq!(rig.call(0, RFENCE, fid, &[1, 0, u64::MAX - 0xfff, 0x2000, 1]).0, error, "{name} {fid}");
            assert_eq!(rig.call(0, RFENCE, fid, &[1, 0, 5, u64::MAX, 1]).0, 0, "size 2^XLEN-1 is everything");
            assert_eq!(rig.call(0, RFENCE, fid, &[1, 0, 0, 0, 1]).0, 0, "so are start and size 0");
        }
    }
}

#[test]
fn a_hart_that_is_started_has_memory_protection_and_machine_state_set_up_again() {
    let mut rig = Rig::new(2);
    let fresh = rig.harts[0].csr.pmpcfg[0];
    assert_ne!(fresh, 0);
    let csr = &mut rig.harts[1].csr;
    csr.assign(table::PMPCFG0, 0, &Default::default());
    csr.assign(table::MEDELEG, 0, &Default::default());
    csr.assign(table::SATP, 8 << 60 | 1, &Default::default());
    csr.mstatus |= 2;
    assert_eq!(rig.call(0, HSM, 0, &[1, ENTRY, 5]).0, 0);
    let (a, b) = (&rig.harts[0].csr, &rig.harts[1].csr);
    assert_eq!((a.pmpcfg, a.pmpaddr, a.medeleg, a.mideleg, a.menvcfg), (b.pmpcfg, b.pmpaddr, b.medeleg, b.mideleg, b.menvcfg));
    assert_eq!((b.satp, b.mstatus & 2), (0, 0));
}

/// Whatever a hart did before it stopped, what the supervisor may rely on is as it was at boot.
#[test]
fn a_hart_that_is_started_again_has_the_registers_that_it_booted_with() {
    use emu_csr::field::mhpmevent::{MINH, OF};
    use table::*;
    let expected = [
        (SCOUNTEREN, 2),
        (HSTATUS, 2 << 32),
        (SSCRATCH, 0),
        (SIE, 0),
        (STIMECMP, u64::MAX),
        (VSTIMECMP, u64::MAX),
        (MHPMEVENT0 + 3, OF | MINH),
        (MHPMEVENT0 + 31, OF | MINH),
        (MCOUNTINHIBIT, 0xffff_fff8),
        (SATP, 0),
    ];
    let mut rig = Rig::new(2);
    for round in 0..2 {
        assert_eq!(rig.call(0, HSM, 0, &[1, ENTRY, 0]).0, 0);
        let now = rig.harts[1].now(&rig.bus);
        for (csr, value) in expected {
            assert_eq!(rig.harts[1].csr.peek(csr, &now), Some(value), "{csr:#x} in round {round}");
        }
        for (csr, value) in [
            (SCOUNTEREN, 5),
            (HSTATUS, 1 << 7 | 2 << 32),
            (SSCRATCH, 7),
            (SIE, 2),
            (STIMECMP, 9),
            (VSTIMECMP, 9),
            (MHPMEVENT0 + 3, 1),
            (MHPMEVENT0 + 31, 2),
            (MCOUNTINHIBIT, 0),
            (SATP, 8 << 60 | 1),
        ] {
            rig.harts[1].csr.poke(csr, value, &now);
            assert_eq!(rig.harts[1].csr.peek(csr, &now), Some(value), "{csr:#x}");
        }
        rig.step_call(1, HSM, 1, &[]);
    }
}

#[test]
fn starting_and_stopping_are_seen_half_done_only_where_the_profile_takes_two_steps() {
    // Status of hart 1 after each step of `operation`, as hart 0 finds it.
    fn seen(rig: &mut Rig, hart: usize, fid: u64) -> Vec<u64> {
        let h = &mut rig.harts[hart];
        (h.x[10], h.x[11], h.x[12], h.x[16], h.x[17]) = (1, ENTRY, 0, fid, HSM);
        let (from, pc) = (h.mode, h.pc);
        let e = h.csr.enter_exception(from, pc, &Trap::new(Exception::EcallS, 0), &mut ());
        h.set_mode(e.mode);
        h.pc = e.pc;
        let mut seen = Vec::new();
        loop {
            let step = rig.with_platform(|fw, p| fw.step(p, hart));
            seen.push(rig.call(2, HSM, 2, &[1]).1);
            if step != FwStep::More {
                return seen;
            }
            let (error, _) = rig.call(2, HSM, 0, &[1, ENTRY, 0]);
            assert_eq!(error, INVALID_PARAM, "a hart on its way cannot be started");
            rig.call(2, IPI, 0, &[0, u64::MAX]);
            assert!(!rig.ssip(1), "nor interrupted");
        }
    }
    for (name, start, stop) in [("spec", vec![0], vec![1]), ("opensbi-1.9", vec![2, 0], vec![3, 1])] {
        let mut rig = profile(3, name);
        assert_eq!(rig.call(0, HSM, 0, &[2, ENTRY, 0]).0, 0);
        assert_eq!(seen(&mut rig, 0, 0), start, "{name}");
        assert_eq!(seen(&mut rig, 1, 1), stop, "{name}");
    }
}

#[test]
fn a_suspended_hart_cannot_be_started_and_is_no_reason_for_system_suspend() {
    let mut rig = Rig::new(2);
    assert_eq!(rig.call(0, HSM, 0, &[1, ENTRY, 0]).0, 0);
    assert_eq!(rig.call(1, HSM, 3, &[0, 0, 0]).0, 0);
    assert_eq!(rig.call(0, HSM, 2, &[1]), (0, 4));
    assert_eq!(rig.call(0, HSM, 0, &[1, ENTRY, 0]).0, INVALID_PARAM);
    assert_eq!(rig.call(0, SUSP, 0, &[0, ENTRY, 0]).0, DENIED, "SUSPENDED is not STOPPED");
}

#[test]
fn non_retentive_suspension_keeps_firmware_features_and_their_locks() {
    for (eid, kind) in [(HSM, 0x8000_0000), (SUSP, 0)] {
        let mut rig = Rig::with(1, "max,svade=on");
        let fid = if eid == HSM { 3 } else { 0 };
        assert_eq!(rig.call(0, FWFT, 0, &[0, 1, 1]).0, 0);
        assert_eq!(rig.call(0, FWFT, 0, &[4, 1, 0]).0, 0);
        rig.step_call(0, eid, fid, &[kind, ENTRY, 0]);
        rig.harts[0].wait = Wait::Running;
        assert_eq!((rig.call(0, FWFT, 1, &[0]), rig.call(0, FWFT, 1, &[4])), ((0, 1), (0, 1)));
        assert_eq!(rig.call(0, FWFT, 0, &[0, 1, 0]).0, -14);
    }
}

#[test]
fn fwft_errors_return_zero_as_value_and_set_leaves_the_lock_open() {
    let mut rig = Rig::with(1, "rv64gc");
    for id in [1, 6, 0xffff_ffff] {
        let (error, value) = rig.call(0, FWFT, 1, &[id]);
        assert!(error < 0 && value == 0, "{id:#x}");
    }
    assert_eq!(rig.call(0, FWFT, 0, &[0, 2, 1]).0, INVALID_PARAM);
    assert_eq!(rig.call(0, FWFT, 0, &[0, 0, 0]).0, 0, "a call that failed has locked nothing, and the same value may be set");
    assert_eq!(rig.harts[0].csr.isa, Isa::parse("rv64gc").expect("known"));
}

#[test]
fn parameters_of_32_bits_ignore_the_upper_half_by_the_text_and_are_reserved_values_with_opensbi() {
    let mut rig = profile(1, "opensbi-1.9");
    for args in [[1 << 32, 0], [0, 1 << 32]] {
        assert_eq!(rig.call(0, SRST, 0, &args).0, INVALID_PARAM);
    }
    assert_ne!(rig.step_call(0, SRST, 0, &[0, 0]), FwStep::Done { cost: sbi_model::COST });
    let mut rig = profile(1, "spec");
    assert_eq!(rig.call(0, CPPC, 0, &[1 << 32 | 5]), (0, 32));
}

#[test]
fn system_suspend_and_cppc_need_a_platform_driver_in_opensbi() {
    for (name, there) in [("spec", 1), ("opensbi-1.9", 0), ("opensbi-1.6", 0), ("private-resume", 0)] {
        let mut rig = profile(1, name);
        for eid in [SUSP, CPPC] {
            assert_eq!(rig.call(0, BASE, 3, &[eid]), (0, there), "{name}");
            assert_eq!(rig.call(0, eid, 9, &[]).0, NOT_SUPPORTED);
        }
        if there == 0 {
            assert_eq!(rig.call(0, SUSP, 0, &[0, ENTRY, 0]).0, NOT_SUPPORTED);
        }
    }
}

#[test]
fn a_console_buffer_beyond_the_address_space_is_invalid_by_the_text_and_failed_with_opensbi() {
    for (name, error) in [("spec", INVALID_PARAM), ("opensbi-1.9", FAILED)] {
        let mut rig = profile(1, name);
        for fid in [0, 1] {
            assert_eq!(rig.call(0, DBCN, fid, &[1, RAM, 1]).0, error, "{name}");
        }
    }
}

#[test]
fn a_console_write_of_nothing_writes_nothing() {
    let mut rig = Rig::new(1);
    assert_eq!(rig.call(0, DBCN, 0, &[0, RAM, 0]), (0, 0));
    assert_eq!(rig.call(0, DBCN, 1, &[0, RAM, 0]), (0, 0));
    assert!(rig.out.is_empty());
}

#[test]
fn reading_the_console_without_input_writes_no_memory() {
    let mut rig = Rig::new(1);
    rig.bus.ram.write(RAM + 0x100, 8, 0x1122_3344_5566_7788, &mut Vec::new());
    assert_eq!(rig.call(0, DBCN, 1, &[8, RAM + 0x100, 0]), (0, 0));
    assert_eq!(rig.bus.ram.read(RAM + 0x100, 8), Some(0x1122_3344_5566_7788));
}

#[test]
fn clear_ipi_tells_whether_one_had_been_pending() {
    for (name, told) in [("spec", 1), ("opensbi-1.9", 0)] {
        let mut rig = profile(1, name);
        assert_eq!(rig.call(0, 3, 0, &[]).0, 0);
        rig.call(0, IPI, 0, &[1, 0]);
        assert_eq!(rig.call(0, 3, 0, &[]).0, told, "{name}");
        assert!(!rig.ssip(0));
        assert_eq!(rig.call(0, 3, 0, &[]).0, 0);
    }
}

#[test]
fn a_legacy_mask_that_cannot_be_read_is_a_fault_of_the_supervisor_at_the_ecall() {
    let mut rig = Rig::new(1);
    for eid in 4..=7 {
        let h = &mut rig.harts[0];
        h.csr.stvec = RAM + 0x4000;
        h.pc = ENTRY;
        h.set_mode(Mode::HS);
        rig.step_call(0, eid, 0, &[0x10, 0, 0, 0]);
        let h = &rig.harts[0];
        assert_eq!((h.mode, h.pc, h.csr.sepc, h.csr.scause, h.csr.stval), (Mode::HS, RAM + 0x4000, ENTRY, 5, 0x10), "{eid}");
        assert_eq!((h.x[10], h.x[17]), (0x10, eid), "the call can be made again");
    }
}

#[test]
fn a_legacy_mask_at_address_0_is_an_address_by_the_text_and_all_harts_with_opensbi() {
    let mut rig = profile(2, "opensbi-1.9");
    assert_eq!(rig.call(0, HSM, 0, &[1, ENTRY, 0]).0, 0);
    assert_eq!(rig.call(0, 4, 0, &[0]).0, 0);
    assert_eq!([0, 1].map(|i| rig.ssip(i)), [true, true]);
    let mut rig = profile(1, "spec");
    rig.step_call(0, 4, 0, &[0]);
    assert_eq!((rig.harts[0].csr.scause, rig.harts[0].csr.stval), (5, 0));
}

#[test]
fn the_overflow_bitmap_is_zero_without_sscofpmf() {
    let mut rig = Rig::with(1, "max,sscofpmf=off");
    let at = RAM + 0x4000;
    rig.bus.ram.write(at, 8, u64::MAX, &mut Vec::new());
    assert_eq!(rig.call(0, PMU, 7, &[at, 0, 0]).0, 0);
    assert_eq!(rig.call(0, PMU, 4, &[0, 1, 2]).0, 0);
    assert_eq!(rig.bus.ram.read(at, 8), Some(0));
}

#[test]
fn start_takes_values_from_the_snapshot_and_no_memory_is_touched_once_it_is_cleared() {
    let mut rig = Rig::new(1);
    let at = RAM + 0x4000;
    assert_eq!(rig.call(0, PMU, 7, &[at, 0, 0]).0, 0);
    assert_eq!(rig.call(0, PMU, 4, &[0, 1, 0]).0, 0);
    rig.bus.ram.write(at + 8, 8, 0x1234_0000, &mut Vec::new());
    assert_eq!(rig.call(0, PMU, 3, &[0, 1, 2, 0]).0, 0);
    let h = &rig.harts[0];
    assert_eq!(h.csr.counter(0, &h.now(&rig.bus)), 0x1234_0000);
    assert_eq!(rig.call(0, PMU, 7, &[u64::MAX, u64::MAX, 0]).0, 0);
    assert_eq!(rig.call(0, PMU, 4, &[0, 1, 2]).0, -9, "NO_SHMEM");
    assert_eq!(rig.bus.ram.read(at + 8, 8), Some(0x1234_0000));
}
