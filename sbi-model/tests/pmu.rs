//! SBI, "PMU Extension": each function, its values and its errors.
#![allow(clippy::expect_used)] // tests

mod common;

use common::*;
use emu_csr::{Interrupt, Now, table};

const PMU: u64 = 0x50_4d55;
const DENIED_SET: i64 = INVALID_PARAM;
const ALREADY_STARTED: i64 = -7;
const ALREADY_STOPPED: i64 = -8;
const NO_SHMEM: i64 = -9;
const ALL_ONES: u64 = u64::MAX;
/// Programmable counters.
const HPM: u64 = 0xffff_fff8;
const MINH: u64 = 1 << 62;
const OF: u64 = 1 << 63;

fn config(r: &mut Rig, base: u64, mask: u64, flags: u64, event: u64, data: u64) -> (i64, u64) {
    r.call(0, PMU, 2, &[base, mask, flags, event, data])
}

fn start(r: &mut Rig, base: u64, mask: u64, flags: u64, value: u64) -> i64 {
    r.call(0, PMU, 3, &[base, mask, flags, value]).0
}

fn stop(r: &mut Rig, base: u64, mask: u64, flags: u64) -> i64 {
    r.call(0, PMU, 4, &[base, mask, flags]).0
}

fn csr(r: &Rig, number: u16) -> u64 {
    r.harts[0].csr.peek(number, &r.harts[0].now(&r.bus)).expect("present")
}

#[test]
fn counters_are_thirty_one_of_hardware_and_sixteen_of_firmware() {
    let mut r = Rig::new(1);
    assert_eq!(r.call(0, PMU, 0, &[]), (0, 48));
    for i in 0..50 {
        let (error, info) = r.call(0, PMU, 1, &[i]);
        let expected = match i {
            1 | 48.. => (INVALID_PARAM, 0),
            0..32 => (0, 63 << 12 | (0xc00 + i)),
            _ => (0, 1 << 63 | 63 << 12),
        };
        assert_eq!((error, info), expected, "counter {i}");
    }
    assert_eq!(r.call(0, PMU, 1, &[1 << 40]).0, INVALID_PARAM);
}

#[test]
fn a_set_with_an_invalid_counter_is_refused() {
    let mut r = Rig::new(1);
    for (base, mask) in [(0, 0), (0, 2), (0, 1 << 48), (48, 1), (ALL_ONES, 1), (ALL_ONES, 3), (40, 1 << 8), (1, 1)] {
        for (fid, args) in [(2, [base, mask, 0, 1, 0]), (3, [base, mask, 0, 0, 0]), (4, [base, mask, 0, 0, 0])] {
            assert_eq!(r.call(0, PMU, fid, &args).0, DENIED_SET, "function {fid}, {base:#x}, {mask:#x}");
        }
    }
}

#[test]
fn reserved_flags_are_refused() {
    let mut r = Rig::new(1);
    assert_eq!(config(&mut r, 0, HPM, 1 << 8, 1, 0).0, INVALID_PARAM);
    assert_eq!(start(&mut r, 0, 1, 4, 0), INVALID_PARAM);
    assert_eq!(start(&mut r, 0, 1, 3, 0), INVALID_PARAM, "the two sources of an initial value exclude each other");
    assert_eq!(stop(&mut r, 0, 1, 4), INVALID_PARAM);
}

#[test]
fn an_event_goes_to_the_first_free_counter_that_can_count_it() {
    let mut r = Rig::new(1);
    assert_eq!(config(&mut r, 0, HPM | 5, 0, 1, 0), (0, 3));
    assert_eq!(csr(&r, table::MHPMEVENT0 + 3), 1 | MINH | OF);
    assert_eq!(config(&mut r, 0, HPM | 5, 0, 0x10019, 0), (0, 4));
    // UINH and SINH.
    assert_eq!(config(&mut r, 4, 2, 1 << 5 | 1 << 6, 2, 0x115 << 1), (NOT_SUPPORTED, 0), "general events have no data");
    assert_eq!(config(&mut r, 4, 2, 1 << 5 | 1 << 6, 2 << 16, 0x100), (0, 5));
    assert_eq!(csr(&r, table::MHPMEVENT0 + 5), 0x100 | MINH | OF | 1 << 60 | 1 << 61);
    assert_eq!(config(&mut r, 0, 1 << 6, 1 << 3 | 1 << 4, 3 << 16, 0x20d), (0, 6));
    assert_eq!(csr(&r, table::MHPMEVENT0 + 6), 0x20d | MINH | OF | 1 << 58 | 1 << 59);
    // Taken ones are passed over; with none left cycles fall back on the fixed counter.
    assert_eq!(config(&mut r, 0, 0x79, 0, 1, 0), (0, 0));
    assert_eq!(csr(&r, table::MCYCLECFG), MINH);
    assert_eq!(config(&mut r, 0, 0x79, 0, 5, 0), (NOT_SUPPORTED, 0));
    // Once reset, a counter is free again.
    assert_eq!(stop(&mut r, 3, 1, 1), ALREADY_STOPPED);
    assert_eq!(csr(&r, table::MHPMEVENT0 + 3), 0);
    assert_eq!(config(&mut r, 0, 0x79, 0, 5, 0), (0, 3));
}

#[test]
fn events_the_machine_has_not_are_not_supported() {
    let mut r = Rig::new(1);
    let all = 0xffff_ffff_fffd;
    // No event, no cache, no branch predictor, unknown types, raw codes beyond the field, reserved firmware events.
    for (event, data) in [
        (0, 0),
        (3, 0),
        (6, 0),
        (11, 0),
        (0x100, 0),
        (0x1_0000, 0),
        (2 << 16, 0),
        (2 << 16, 1 << 48 | 1),
        (2 << 16 | 1, 1),
        (3 << 16, 1 << 56 | 1),
        (4 << 16, 0),
        (15 << 16 | 22, 0),
        (15 << 16 | 0xffff, 0),
        (15 << 16, 1),
        (1 << 20 | 1, 0),
    ] {
        assert_eq!(config(&mut r, 0, all & ((1 << 48) - 1), 0, event, data).0, NOT_SUPPORTED, "{event:#x}, {data:#x}");
    }
    let mut r = Rig::with(1, "rva22");
    assert_eq!(config(&mut r, 32, 1, 0, 15 << 16 | 14, 0).0, NOT_SUPPORTED, "no HFENCE without H");
}

/// SBI, "PMU Extension", tables of hardware general and cache events: what nothing here counts is not supported, rather than counted as 0.
#[test]
fn of_general_and_cache_events_those_that_something_counts_are_supported_and_no_others() {
    /// Cache event ids: cache_id << 3 | op_id << 1 | result_id.
    const fn cache(id: u64, op: u64, miss: u64) -> u64 {
        1 << 16 | id << 3 | op << 1 | miss
    }
    const DTLB: u64 = 3;
    const ITLB: u64 = 4;
    // Cycles, instructions, branches, reference cycles; reads and writes through the data TLB, and reads through the instruction TLB, with
    // their misses. No L1 or last-level cache, no branch predictor, no prefetches.
    let general = [1, 2, 5, 10].into_iter();
    let tlb = [(DTLB, 0), (DTLB, 1), (ITLB, 0)].into_iter().flat_map(|(id, op)| [cache(id, op, 0), cache(id, op, 1)]);
    let mut want: Vec<u64> = general.chain(tlb).collect();
    want.sort_unstable();
    let mut r = Rig::new(1);
    let at = RAM + 0x9000;
    let (mut configured, mut told) = (Vec::new(), Vec::new());
    for event in (0..0x100).chain(1 << 16..(1 << 16) + 0x100) {
        match config(&mut r, 0, HPM, 0, event, 0) {
            (0, counter) => {
                configured.push(event);
                assert_eq!(stop(&mut r, counter, 1, 1), ALREADY_STOPPED);
            }
            (error, _) => assert_eq!(error, NOT_SUPPORTED, "{event:#x}"),
        }
        r.bus.ram.write(at, 8, event, &mut Vec::new());
        r.bus.ram.write(at + 8, 8, 0, &mut Vec::new());
        assert_eq!(r.call(0, PMU, 8, &[at, 0, 1, 0]).0, 0);
        if r.bus.ram.read(at + 4, 4) == Some(1) {
            told.push(event);
        }
    }
    assert_eq!(configured, want);
    assert_eq!(told, want, "event info says the same");
}

/// Where programmable counters have mode filters (Sscofpmf), cycle and instret are only as good if they have them too (Smcntrpmf).
#[test]
fn fixed_counters_count_only_if_they_filter_as_programmable_ones_do() {
    for (cpu, cycle) in [("max", (0, 0)), ("max,smcntrpmf=off", (NOT_SUPPORTED, 0)), ("max,sscofpmf=off,smcntrpmf=off", (0, 0))] {
        let mut r = Rig::with(1, cpu);
        assert_eq!(config(&mut r, 0, 1, 0, 1, 0), cycle, "{cpu}");
    }
}

/// A supervisor that counters are delegated to (Smcdeleg) may have started one that the firmware has given no event.
#[test]
fn a_counter_that_counts_already_is_not_given_away() {
    let mut r = Rig::new(1);
    let inhibit = csr(&r, table::MCOUNTINHIBIT);
    let now = r.harts[0].now(&r.bus);
    r.harts[0].csr.poke(table::MCOUNTINHIBIT, inhibit & !(1 << 3), &now);
    assert_eq!(config(&mut r, 3, 0b11, 0, 1, 0), (0, 4));
}

#[test]
fn skip_match_takes_the_first_of_the_set() {
    let mut r = Rig::new(1);
    assert_eq!(config(&mut r, 0, 1 << 7 | 1 << 9, 0, 1, 0), (0, 7));
    assert_eq!(config(&mut r, 0, 1 << 7 | 1 << 9, 1, 2, 0), (0, 7), "though it has an event already");
    assert_eq!(csr(&r, table::MHPMEVENT0 + 7), 2 | MINH | OF);
    assert_eq!(config(&mut r, 0, 1 << 2, 1, 2, 0), (0, 2), "instret for instructions");
    assert_eq!(config(&mut r, 0, 1 << 2, 1, 1, 0).0, NOT_SUPPORTED, "which counts nothing else");
}

#[test]
fn counters_start_from_the_given_value_and_stop() {
    let mut r = Rig::new(1);
    assert_eq!(start(&mut r, 3, 1, 0, 0), INVALID_PARAM, "no event");
    assert_eq!(config(&mut r, 3, 1, 0, 2, 0), (0, 3));
    assert_eq!(start(&mut r, 3, 1, 1, 1000), 0);
    assert_eq!(csr(&r, table::MHPMEVENT0 + 3), 2 | MINH, "an overflow would interrupt");
    assert_eq!(csr(&r, table::MHPMCOUNTER0 + 3), 1000);
    assert_eq!(start(&mut r, 3, 1, 0, 0), ALREADY_STARTED);
    r.harts[0].instret += 7;
    assert_eq!(csr(&r, table::MHPMCOUNTER0 + 3), 1007);
    assert_eq!(stop(&mut r, 3, 1, 0), 0);
    assert_eq!(stop(&mut r, 3, 1, 0), ALREADY_STOPPED);
    r.harts[0].instret += 7;
    assert_eq!(csr(&r, table::MHPMCOUNTER0 + 3), 1007);
    assert_eq!(start(&mut r, 3, 1, 0, 0), 0, "from where it stood");
    assert_eq!(csr(&r, table::MHPMCOUNTER0 + 3), 1007);
    // AUTO_START and CLEAR_VALUE.
    assert_eq!(stop(&mut r, 3, 1, 1), 0);
    assert_eq!(config(&mut r, 3, 1, 1 << 1 | 1 << 2, 2, 0), (0, 3));
    assert_eq!(csr(&r, table::MHPMCOUNTER0 + 3), 0);
    assert_eq!(start(&mut r, 3, 1, 0, 0), ALREADY_STARTED);
}

/// With LCOFI delegated it is the supervisor's to clear; without, a stop clears it.
#[test]
fn a_stop_clears_lcofi_when_it_is_not_delegated() {
    for delegated in [true, false] {
        let mut r = Rig::new(1);
        if !delegated {
            r.harts[0].csr.mideleg &= !Interrupt::CounterOverflow.mask();
        }
        assert_eq!(config(&mut r, 3, 1, 4, 2, 0), (0, 3));
        r.harts[0].csr.set_line(Interrupt::CounterOverflow, true);
        assert_eq!(stop(&mut r, 3, 1, 0), 0);
        assert_eq!(csr(&r, table::MIP) >> 13 & 1 == 1, delegated);
    }
}

/// A start while LCOFI waits keeps OF for the handler to find.
#[test]
fn of_is_cleared_at_start_only_when_no_overflow_waits() {
    let mut r = Rig::new(1);
    assert_eq!(config(&mut r, 3, 1, 0, 2, 0), (0, 3));
    r.harts[0].csr.set_line(Interrupt::CounterOverflow, true);
    assert_eq!(start(&mut r, 3, 1, 0, 0), 0);
    assert_eq!(csr(&r, table::MHPMEVENT0 + 3), 2 | MINH | OF);
}

#[test]
fn firmware_events_are_counted_from_start_to_stop() {
    // There are more events than counters.
    let place = |event: u64| if event == 16 { 33 } else { 32 + event };
    let mut r = Rig::new(3);
    for (hart, event) in [(0, 5), (0, 6), (0, 8), (0, 10), (0, 12), (0, 16), (0, 4), (0, 0)] {
        let i = place(event);
        assert_eq!(r.call(hart, PMU, 2, &[i, 1, 0, 15 << 16 | event, 0]), (0, i), "event {event} on hart {hart}");
    }
    let read = |r: &mut Rig, hart, event: u64| r.call(hart, PMU, 5, &[place(event)]);
    assert_eq!(r.call(0, HSM, 0, &[1, ENTRY, 0]).0, 0);
    assert_eq!(r.call(1, PMU, 2, &[39, 1, 4, 15 << 16 | 7, 0]), (0, 39), "a hart that starts has free counters");
    assert_eq!(r.call(1, PMU, 2, &[41, 1, 4, 15 << 16 | 9, 0]), (0, 41));
    assert_eq!(r.call(0, TIME, 0, &[u64::MAX]).0, 0);
    assert_eq!(read(&mut r, 0, 5), (0, 0), "not started");
    assert_eq!(r.call(0, PMU, 3, &[32, 0x1573, 1, 100]).0, 0);
    assert_eq!(r.call(0, PMU, 3, &[37, 1, 0, 0]).0, ALREADY_STARTED);
    assert_eq!(r.call(0, TIME, 0, &[u64::MAX]).0, 0);
    assert_eq!(read(&mut r, 0, 5), (0, 101));
    // To harts 0 and 1: only the other hart counts.
    assert_eq!(r.call(0, IPI, 0, &[3, 0]).0, 0);
    assert_eq!((read(&mut r, 0, 6), read(&mut r, 1, 7)), ((0, 101), (0, 1)));
    assert_eq!(r.call(0, RFENCE, 0, &[0, ALL_ONES]).0, 0);
    assert_eq!((read(&mut r, 0, 8), read(&mut r, 1, 9)), ((0, 101), (0, 1)), "hart 2 is stopped");
    assert_eq!(r.call(0, RFENCE, 1, &[2, 0, 0, 0]).0, 0);
    assert_eq!(r.call(0, RFENCE, 2, &[2, 0, 0, 0, 1]).0, 0);
    assert_eq!(r.call(0, RFENCE, 3, &[2, 0, 0, 0, 1]).0, 0);
    assert_eq!([10, 12, 16].map(|e| read(&mut r, 0, e)), [(0, 101); 3]);
    assert_eq!(r.call(0, PMU, 4, &[32, 0x1573, 0]).0, 0);
    assert_eq!(r.call(0, IPI, 0, &[2, 0]).0, 0);
    assert_eq!(read(&mut r, 0, 6), (0, 101), "stopped");
    assert_eq!(r.call(0, PMU, 6, &[37]), (0, 0), "the high half");
    for i in [0, 31, 48, ALL_ONES] {
        assert_eq!((r.call(0, PMU, 5, &[i]).0, r.call(0, PMU, 6, &[i]).0), (INVALID_PARAM, INVALID_PARAM));
    }
}

#[test]
fn snapshots_hold_the_set_and_nothing_else() {
    let mut r = Rig::new(1);
    let at = RAM + 0x8000;
    let word = |r: &Rig, i: u64| r.bus.ram.read(at + 8 * i, 8).expect("RAM");
    assert_eq!(config(&mut r, 3, 1, 0, 2, 0), (0, 3));
    assert_eq!(stop(&mut r, 3, 1, 2), NO_SHMEM);
    assert_eq!(start(&mut r, 3, 1, 2, 0), NO_SHMEM);
    for (lo, hi, flags, error) in [
        (at, 0, 1, INVALID_PARAM),
        (at + 8, 0, 0, INVALID_PARAM),
        (at, 1, 0, INVALID_ADDRESS),
        (RAM + RAM_SIZE, 0, 0, INVALID_ADDRESS),
        (0x200_0000, 0, 0, INVALID_ADDRESS),
        (!0xfff, 0, 0, INVALID_ADDRESS),
        (ALL_ONES, 0, 0, INVALID_PARAM),
    ] {
        assert_eq!(r.call(0, PMU, 7, &[lo, hi, flags]).0, error, "{lo:#x} {hi:#x} {flags}");
    }
    assert_eq!(r.call(0, PMU, 7, &[at, 0, 0]).0, 0);
    for i in 0..65 {
        r.bus.ram.write(at + 8 * i, 8, if i == 0 { 0b101 } else { 0xaa00 + i }, &mut Vec::new());
    }
    // Counter 3 is place 1 of the set that begins at 2.
    assert_eq!(start(&mut r, 2, 2, 2, 0), 0);
    assert_eq!(csr(&r, table::MHPMCOUNTER0 + 3), 0xaa02);
    r.harts[0].instret += 5;
    assert_eq!(stop(&mut r, 2, 2, 2), 0);
    assert_eq!(word(&r, 0), 0b101, "its own bit is clear, others stay");
    for i in 1..65 {
        assert_eq!(word(&r, i), if i == 2 { 0xaa07 } else { 0xaa00 + i });
    }
    assert!(r.harts[0].csr.poke(table::MHPMEVENT0 + 3, 2 | MINH | OF, &Now::default()));
    assert_eq!(stop(&mut r, 2, 2, 2), ALREADY_STOPPED);
    assert_eq!(word(&r, 0), 0b111, "its overflow is in the bitmap");
    assert_eq!(r.call(0, PMU, 7, &[ALL_ONES, ALL_ONES, 0]).0, 0);
    assert_eq!(stop(&mut r, 2, 2, 2), NO_SHMEM);
}

#[test]
fn event_info_answers_all_entries_or_none() {
    let mut r = Rig::new(1);
    let at = RAM + 0x9000;
    let entries: [(u64, u64, u64); 7] = [
        (1, 99, 1),
        (3, 0, 0),
        (0x10019, 0, 1),
        (2 << 16, 0x100, 1),
        (3 << 16, 0xdead, 0),
        (15 << 16 | 5, 0, 1),
        (15 << 16 | 200, 0, 0),
    ];
    let put = |r: &mut Rig| {
        for (i, (event, data, _)) in (0..).zip(entries) {
            r.bus.ram.write(at + 16 * i, 8, event | 0x5555_5555 << 32, &mut Vec::new());
            r.bus.ram.write(at + 16 * i + 8, 8, data, &mut Vec::new());
        }
    };
    put(&mut r);
    for (args, error) in [
        ([at, 0, 7, 1], INVALID_PARAM),
        ([at + 8, 0, 7, 0], INVALID_PARAM),
        ([at, 1, 7, 0], INVALID_ADDRESS),
        ([RAM + RAM_SIZE - 16, 0, 2, 0], INVALID_ADDRESS),
        ([at, 0, 1 << 60, 0], INVALID_ADDRESS),
        ([at, 0, ALL_ONES, 0], INVALID_ADDRESS),
    ] {
        assert_eq!(r.call(0, PMU, 8, &args).0, error, "{args:x?}");
    }
    assert_eq!(r.call(0, PMU, 8, &[at, 0, 7, 0]).0, 0);
    for (i, (event, data, known)) in (0..).zip(entries) {
        assert_eq!(r.bus.ram.read(at + 16 * i, 8), Some(event | known << 32), "entry {i}");
        assert_eq!(r.bus.ram.read(at + 16 * i + 8, 8), Some(data));
    }
    // A reserved bit in the last entry: nothing is written.
    put(&mut r);
    r.bus.ram.write(at + 16 * 6, 4, 1 << 20, &mut Vec::new());
    assert_eq!(r.call(0, PMU, 8, &[at, 0, 7, 0]).0, INVALID_PARAM);
    assert_eq!(r.bus.ram.read(at + 4, 4), Some(0x5555_5555));
}
