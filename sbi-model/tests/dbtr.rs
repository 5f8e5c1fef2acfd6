//! SBI, "Debug Triggers Extension": each function, its values and its errors.
#![allow(clippy::expect_used)] // tests

mod common;

use common::*;
use emu_csr::{Exception, Isa, Mode, Trap};
use sbi_model::Config;
use sbi_model::profile::Profile;
use sbi_model::profile::policy::{DbtrEnable, Policies};

const DBTR: u64 = 0x4442_5452;
const AT: u64 = RAM + 0x8000;
const ALL_ONES: u64 = u64::MAX;
const FAILED: i64 = -1;
const NO_SHMEM: i64 = -9;
const BAD_RANGE: i64 = -11;

const T6: u64 = 6 << 60;
const S: u64 = 1 << 4;
const U: u64 = 1 << 3;
const VS: u64 = 1 << 24;
const M: u64 = 1 << 6;
const ST: u64 = 2;
const CHAIN: u64 = 1 << 11;

fn rig() -> Rig {
    let mut r = Rig::new(1);
    assert_eq!(call(&mut r, 1, &[AT, 0, 0]), (0, 0));
    r
}

fn call(r: &mut Rig, fid: u64, args: &[u64]) -> (i64, u64) {
    r.call(0, DBTR, fid, args)
}

fn put(r: &mut Rig, i: u64, words: [u64; 4]) {
    for (k, w) in (0..).zip(words) {
        r.bus.ram.write(AT + 32 * i + 8 * k, 8, w, &mut Vec::new());
    }
}

fn get(r: &Rig, i: u64) -> [u64; 4] {
    [0, 1, 2, 3].map(|k| r.bus.ram.read(AT + 32 * i + 8 * k, 8).expect("RAM"))
}

fn hardware(r: &Rig, t: usize) -> [u64; 3] {
    r.harts[0].csr.triggers.data[t]
}

const OFF: u64 = 15 << 60;

#[test]
fn triggers_are_counted_by_what_they_can_be() {
    let mut r = rig();
    for t in [0, 2 << 60, 3 << 60, 4 << 60, 5 << 60, T6, T6 | S | VS | ST | CHAIN] {
        assert_eq!(call(&mut r, 0, &[t]), (0, 8), "{t:#x}");
    }
    for t in [1 << 60, 7 << 60, 15 << 60, T6 | M, T6 | 1 << 59, T6 | 1 << 12, 3 << 60 | 1 << 9, 5] {
        assert_eq!(call(&mut r, 0, &[t]), (0, 0), "{t:#x}");
    }
    let mut r = Rig::with(1, "rva22");
    assert!(!r.harts[0].csr.isa.has(emu_csr::Ext::Sdtrig) && Isa::max().has(emu_csr::Ext::Sdtrig));
    assert_eq!(r.call(0, BASE, 3, &[DBTR]), (0, 0));
    assert_eq!(call(&mut r, 0, &[0]).0, NOT_SUPPORTED);
}

#[test]
fn shared_memory_is_checked() {
    let mut r = Rig::new(1);
    for (fid, args) in [(2, [0, 1]), (3, [1, 0]), (4, [1, 0])] {
        assert_eq!(call(&mut r, fid, &args), (NO_SHMEM, 0));
    }
    for (lo, hi, flags, error) in [
        (AT, 0, 1, INVALID_PARAM),
        (AT + 4, 0, 0, INVALID_PARAM),
        (AT, 1, 0, INVALID_ADDRESS),
        (RAM + RAM_SIZE - 248, 0, 0, INVALID_ADDRESS),
        (0x200_0000, 0, 0, INVALID_ADDRESS),
        (ALL_ONES - 7, 0, 0, INVALID_ADDRESS),
        (RAM + RAM_SIZE - 256, 0, 0, 0),
    ] {
        assert_eq!(call(&mut r, 1, &[lo, hi, flags]).0, error, "{lo:#x} {hi:#x} {flags}");
    }
    assert_eq!(call(&mut r, 1, &[ALL_ONES, ALL_ONES, 0]).0, 0);
    assert_eq!(call(&mut r, 2, &[0, 1]).0, NO_SHMEM);
}

#[test]
fn an_installed_trigger_is_in_the_hart_and_read_back() {
    let mut r = rig();
    put(&mut r, 0, [99, T6 | S | VS | ST, 0x1234, 0]);
    put(&mut r, 1, [99, 3 << 60 | 5 << 10 | 1 << 6, 0, 2]);
    assert_eq!(call(&mut r, 3, &[2]), (0, 0));
    assert_eq!((get(&r, 0)[0], get(&r, 1)[0]), (0, 1));
    assert_eq!(hardware(&r, 0), [T6 | S | VS | ST, 0x1234, 0]);
    assert_eq!(hardware(&r, 1), [3 << 60 | 5 << 10 | 1 << 6, 0, 2]);
    assert_eq!(call(&mut r, 2, &[0, 3]), (0, 0));
    assert_eq!(get(&r, 0), [0b10101, T6 | S | VS | ST, 0x1234, 0]);
    assert_eq!(get(&r, 1), [0b00011, 3 << 60 | 5 << 10 | 1 << 6, 0, 2]);
    assert_eq!(get(&r, 2), [0, OFF, 0, 0]);
    for (base, count) in [(8, 0), (0, 8), (7, 1), (1, ALL_ONES)] {
        assert_eq!(call(&mut r, 2, &[base, count]).0, BAD_RANGE);
    }
}

#[test]
fn installing_fails_as_a_whole_and_names_the_configuration() {
    let mut r = rig();
    let good = T6 | S | ST;
    for (bad, t3, error) in [
        (T6 | S | M, 0, INVALID_PARAM),
        (T6 | S | 1 << 59, 0, INVALID_PARAM),
        (1 << 60, 0, INVALID_PARAM),
        (OFF, 0, INVALID_PARAM),
        (7 << 60, 0, NOT_SUPPORTED),
        (T6 | S | 1 << 12, 0, NOT_SUPPORTED),
        (T6 | S | 4 << 16, 0, NOT_SUPPORTED),
        (good, 3, NOT_SUPPORTED),
    ] {
        put(&mut r, 0, [77, good, 1, 0]);
        put(&mut r, 1, [77, bad, 1, t3]);
        assert_eq!(call(&mut r, 3, &[2]), (error, 1), "{bad:#x} {t3}");
        assert_eq!((hardware(&r, 0)[0], get(&r, 0)[0]), (OFF, 77));
    }
    put(&mut r, 1, [77, good | CHAIN, 1, 0]);
    assert_eq!(call(&mut r, 3, &[2]), (INVALID_PARAM, 1), "the last may not chain");
    assert_eq!(call(&mut r, 3, &[8]), (BAD_RANGE, 0));
    assert_eq!(call(&mut r, 3, &[ALL_ONES]), (BAD_RANGE, 0));
    // Seven, then two: the second finds no place.
    for i in 0..7 {
        put(&mut r, i, [77, good, i, 0]);
    }
    assert_eq!(call(&mut r, 3, &[7]), (0, 0));
    assert_eq!(call(&mut r, 3, &[2]), (FAILED, 1));
    assert_eq!(hardware(&r, 7)[0], OFF);
}

#[test]
fn a_chain_gets_triggers_in_a_row() {
    let mut r = rig();
    let t = T6 | S | ST;
    for i in 0..4 {
        put(&mut r, i, [0, t, i, 0]);
    }
    assert_eq!(call(&mut r, 3, &[4]), (0, 0));
    assert_eq!(call(&mut r, 5, &[0, 0b1010]), (0, 0));
    // 1 and 3 are free, and 4 to 7.
    put(&mut r, 0, [0, t | CHAIN, 10, 0]);
    put(&mut r, 1, [0, t, 11, 0]);
    put(&mut r, 2, [0, t, 12, 0]);
    assert_eq!(call(&mut r, 3, &[3]), (0, 0));
    assert_eq!([0, 1, 2].map(|i| get(&r, i)[0]), [3, 4, 1]);
    assert_eq!([hardware(&r, 3)[1], hardware(&r, 4)[1], hardware(&r, 1)[1]], [10, 11, 12]);
}

#[test]
fn updating_keeps_type_and_chain() {
    let mut r = rig();
    put(&mut r, 0, [0, T6 | S | ST, 1, 0]);
    assert_eq!(call(&mut r, 3, &[1]), (0, 0));
    put(&mut r, 0, [0, T6 | U | 1, 2, 0]);
    assert_eq!(call(&mut r, 4, &[1]), (0, 0));
    assert_eq!(hardware(&r, 0), [T6 | U | 1, 2, 0]);
    for (words, error) in [
        ([8, T6 | S, 0, 0], INVALID_PARAM),
        ([1 << 32, T6 | S, 0, 0], INVALID_PARAM),
        ([3, T6 | S, 0, 0], FAILED),
        ([0, 2 << 60 | S, 0, 0], INVALID_PARAM),
        ([0, T6 | S | CHAIN, 0, 0], INVALID_PARAM),
        ([0, T6 | S | M, 0, 0], INVALID_PARAM),
        ([0, T6 | S | 1 << 12, 0, 0], NOT_SUPPORTED),
    ] {
        put(&mut r, 0, [0, T6 | U | 4, 5, 0]);
        put(&mut r, 1, words);
        assert_eq!(call(&mut r, 4, &[2]), (error, 1), "{words:x?}");
        assert_eq!(hardware(&r, 0), [T6 | U | 1, 2, 0], "nothing was updated");
    }
    assert_eq!(call(&mut r, 4, &[8]), (BAD_RANGE, 0));
}

#[test]
fn disabling_clears_the_modes_and_enabling_restores_them() {
    let mut r = rig();
    put(&mut r, 0, [0, T6 | S | VS | ST, 1, 0]);
    assert_eq!(call(&mut r, 3, &[1]), (0, 0));
    assert_eq!(call(&mut r, 7, &[0, 1]), (0, 0));
    assert_eq!(hardware(&r, 0)[0], T6 | ST);
    assert_eq!(call(&mut r, 2, &[0, 1]), (0, 0));
    assert_eq!(get(&r, 0)[0], 0b10101, "trig_state keeps them");
    assert_eq!(call(&mut r, 6, &[0, 1]), (0, 0));
    assert_eq!(hardware(&r, 0)[0], T6 | S | VS | ST);
    for fid in [5, 6, 7] {
        for (base, mask) in [(0, 3), (8, 1), (7, 2), (ALL_ONES, 1), (ALL_ONES, 3)] {
            if fid != 5 && base == 0 {
                // Trigger 1 exists and is not installed: see below.
                continue;
            }
            assert_eq!(call(&mut r, fid, &[base, mask]).0, INVALID_PARAM, "function {fid} {base:#x} {mask}");
        }
        assert_eq!(call(&mut r, fid, &[3, 0]).0, 0, "the empty set");
    }
    assert_eq!(hardware(&r, 0)[0], T6 | S | VS | ST);
    assert_eq!(call(&mut r, 5, &[0, 1]), (0, 0));
    assert_eq!(hardware(&r, 0), [OFF, 0, 0]);
    assert_eq!(call(&mut r, 5, &[0, 1]).0, INVALID_PARAM);
}

/// The tables of errors say INVALID_PARAM, kvm-unit-tests wants success.
#[test]
fn enabling_what_is_not_installed_is_a_policy() {
    let spec = Profile::spec();
    let policies = Policies { dbtr_enable: DbtrEnable::Refused, ..spec.policies };
    let strict: &'static Profile = Box::leak(Box::new(Profile {
        name: "strict",
        doc: "",
        impl_id: spec.impl_id,
        impl_version: spec.impl_version,
        policies,
        bugs: &[],
    }));
    for (profile, error) in [(spec, 0), (strict, INVALID_PARAM)] {
        let mut r = Rig::of(1, "max", Config::new(profile));
        assert_eq!([call(&mut r, 6, &[0, 1]).0, call(&mut r, 7, &[0, 1]).0], [error; 2]);
        assert_eq!(hardware(&r, 0)[0], OFF);
        assert_eq!(call(&mut r, 5, &[0, 1]).0, INVALID_PARAM, "uninstalling is not");
    }
}

/// Debug, "Native Triggers": with breakpoints delegated, nothing fires in S with SIE=0.
#[test]
fn breakpoints_come_to_the_firmware_while_a_trigger_is_for_the_supervisor() {
    let mut r = rig();
    let delegated = |r: &Rig| r.harts[0].csr.medeleg >> 3 & 1 == 1;
    assert!(delegated(&r));
    put(&mut r, 0, [0, T6 | U | ST, 1, 0]);
    assert_eq!(call(&mut r, 3, &[1]), (0, 0));
    assert!(delegated(&r), "U-mode's fire anyway");
    put(&mut r, 0, [0, T6 | VS | ST, 1, 0]);
    assert_eq!(call(&mut r, 3, &[1]), (0, 0));
    assert!(!delegated(&r));
    // Handed on as the hart itself would have delivered it.
    let pc = r.harts[0].pc;
    r.raise(0, Trap::new(Exception::Breakpoint, 0x1234));
    let h = &r.harts[0];
    assert_eq!((h.mode, h.csr.scause, h.csr.sepc, h.csr.stval), (Mode::HS, 3, pc, 0x1234));
    assert_eq!(call(&mut r, 7, &[1, 1]), (0, 0));
    assert!(delegated(&r), "disabled");
    assert_eq!(call(&mut r, 6, &[1, 1]), (0, 0));
    assert!(!delegated(&r));
    assert_eq!(call(&mut r, 5, &[0, 3]), (0, 0));
    assert!(delegated(&r), "uninstalled");
}

#[test]
fn breakpoints_stay_delegated_with_opensbi() {
    let config = Config::new(Profile::find("opensbi-1.9").expect("a profile"));
    let mut r = Rig::of(1, "max,sdtrig=on", config);
    assert_eq!(call(&mut r, 1, &[AT, 0, 0]), (0, 0));
    put(&mut r, 0, [0, T6 | VS | ST, 1, 0]);
    assert_eq!(call(&mut r, 3, &[1]), (0, 0));
    assert_eq!(r.harts[0].csr.medeleg >> 3 & 1, 1);
}
