//! SBI, "Message Proxy Extension", clause by clause, on the RPMI test channel and the vendor-specific one.
#![allow(clippy::expect_used)] // tests

mod common;

use common::sse::*;
use common::*;
use emu_core::dev::state::{Restorer, Saver};
use emu_core::firmware::Firmware;
use sbi_model::ext::mpxy::channel::{CHANNELS, EVENT, KEPT};
use sbi_model::profile::Profile;
use sbi_model::{Config, Sbi};

const MPXY: u64 = 0x4d50_5859;
const AT: u64 = RAM + 0x6000;
const NONE: u64 = u64::MAX;
const RPMI: u64 = 0x1000;
const MACHINE: u64 = 0x1001;

const FAILED: i64 = -1;
const NO_SHMEM: i64 = -9;
const BAD_RANGE: i64 = -11;
const TIMEOUT: i64 = -12;
const IO: i64 = -13;

fn rig() -> Rig {
    let mut rig = Rig::of(1, "max", Config { reserved: vec![FIRMWARE], ..Config::default() });
    assert_eq!(rig.call(0, MPXY, 1, &[AT, 0, 0]), (0, 0));
    rig
}

fn words(rig: &Rig, n: u64) -> Vec<u32> {
    (0..n).map(|i| rig.bus.ram.read(AT + 4 * i, 4).expect("memory") as u32).collect()
}

fn put(rig: &mut Rig, words: &[u32]) {
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    assert!(rig.bus.ram.write_bytes(AT, &bytes, &mut Vec::new()));
}

/// A message of words with a response: the response's words.
fn ask(rig: &mut Rig, service: u64, data: &[u32]) -> Vec<u32> {
    put(rig, data);
    let (error, len) = rig.call(0, MPXY, 5, &[RPMI, service, 4 * data.len() as u64]);
    assert_eq!((error, len % 4), (0, 0));
    words(rig, len / 4)
}

#[test]
fn shared_memory_is_whole_pages_and_holds_every_channels_longest_message() {
    let mut rig = Rig::new(2);
    let (error, size) = rig.call(0, MPXY, 0, &[]);
    assert!(error == 0 && size >= 4096 && size % 4096 == 0);
    assert!(CHANNELS.iter().all(|c| u64::from(c.max_len) <= size));
}

#[test]
fn set_shmem_checks_flags_alignment_and_the_address() {
    let mut rig = Rig::of(1, "max", Config { reserved: vec![FIRMWARE], ..Config::default() });
    for flags in [2, 3, 4, 1 << 63] {
        assert_eq!(rig.call(0, MPXY, 1, &[AT, 0, flags]).0, INVALID_PARAM, "{flags:#x}");
        assert_eq!(rig.call(0, MPXY, 1, &[NONE, NONE, flags]).0, INVALID_PARAM, "{flags:#x}");
    }
    assert_eq!(rig.call(0, MPXY, 1, &[AT + 8, 0, 0]).0, INVALID_PARAM);
    for (low, high) in [(AT, 1), (RAM + RAM_SIZE, 0), (0, 0), (FIRMWARE.0, 0), (NONE & !4095, NONE), (0x200_0000, 0)] {
        assert_eq!(rig.call(0, MPXY, 1, &[low, high, 0]).0, INVALID_ADDRESS, "{low:#x} {high:#x}");
    }
    assert_eq!(rig.call(0, MPXY, 2, &[0]).0, NO_SHMEM, "none of them was taken");
}

#[test]
fn overwrite_return_writes_the_old_address_into_the_new_memory() {
    let mut rig = Rig::new(1);
    let pair = |rig: &Rig, at: u64| [rig.bus.ram.read(at, 8), rig.bus.ram.read(at + 8, 8)].map(|v| v.expect("memory"));
    assert_eq!(rig.call(0, MPXY, 1, &[AT, 0, 1]).0, 0);
    assert_eq!(pair(&rig, AT), [NONE, NONE], "it was disabled");
    assert_eq!(rig.call(0, MPXY, 1, &[AT + 0x1000, 0, 1]).0, 0);
    assert_eq!(pair(&rig, AT + 0x1000), [AT, 0]);
    rig.bus.ram.write_bytes(AT, &[0x5a; 16], &mut Vec::new());
    assert_eq!(rig.call(0, MPXY, 1, &[AT, 0, 0]).0, 0);
    assert_eq!(pair(&rig, AT), [0x5a5a_5a5a_5a5a_5a5a; 2], "OVERWRITE writes nothing");
}

#[test]
fn every_function_but_the_first_two_needs_shared_memory_of_the_calling_hart() {
    let mut rig = Rig::new(2);
    assert_eq!(rig.call(0, HSM, 0, &[1, ENTRY, 0]).0, 0);
    assert_eq!(rig.call(0, MPXY, 1, &[AT, 0, 0]).0, 0);
    let calls: [(u64, [u64; 3]); 6] =
        [(2, [0; 3]), (3, [RPMI, 0, 1]), (4, [RPMI, 11, 1]), (5, [RPMI, 2, 0]), (6, [RPMI, 4, 0]), (7, [RPMI, 0, 0])];
    for (fid, args) in calls {
        assert_eq!(rig.call(0, MPXY, fid, &args).0, 0, "{fid}");
        assert_eq!(rig.call(1, MPXY, fid, &args).0, NO_SHMEM, "{fid}: it is another hart's");
    }
    assert_eq!(rig.call(0, MPXY, 1, &[NONE, NONE, 0]).0, 0);
    for (fid, args) in calls {
        assert_eq!(rig.call(0, MPXY, fid, &args).0, NO_SHMEM, "{fid}");
    }
}

#[test]
fn a_hart_that_is_started_again_has_no_shared_memory() {
    let mut rig = Rig::running(2, Config::default());
    assert_eq!(rig.call(1, MPXY, 1, &[AT, 0, 0]).0, 0);
    rig.step_call(1, HSM, 1, &[]);
    assert_eq!(rig.call(0, HSM, 0, &[1, ENTRY, 0]).0, 0);
    assert_eq!(rig.call(1, MPXY, 2, &[0]).0, NO_SHMEM);
}

#[test]
fn channel_ids_are_listed_from_an_index_on() {
    let mut rig = rig();
    assert_eq!(rig.call(0, MPXY, 2, &[0]), (0, 0));
    assert_eq!(words(&rig, 4), [0, 2, RPMI as u32, MACHINE as u32]);
    assert_eq!(rig.call(0, MPXY, 2, &[1]), (0, 0));
    assert_eq!(words(&rig, 3), [0, 1, MACHINE as u32]);
    assert_eq!(rig.call(0, MPXY, 2, &[2]).0, INVALID_PARAM);
    assert_eq!(rig.call(0, MPXY, 2, &[1 << 32 | 1]).0, 0, "an index has 32 bits");
}

#[test]
fn attributes_are_read_in_ranges_of_one_kind() {
    let mut rig = rig();
    assert_eq!(rig.call(0, MPXY, 3, &[RPMI, 0, 12]).0, 0);
    assert_eq!(words(&rig, 12), [0, 1 << 16, 256, 1000, 2000, 0x3e, EVENT, 0, 0, 0, 0, 0]);
    assert_eq!(rig.call(0, MPXY, 3, &[RPMI, 0x8000_0000, 4]).0, 0);
    assert_eq!(words(&rig, 4), [0x8001, 1 << 16, 0x5452_505a, 1]);
    assert_eq!(rig.call(0, MPXY, 3, &[MACHINE, 0, 6]).0, 0);
    assert_eq!(words(&rig, 6)[..3], [0x8054_525a, 1 << 16, 64]);
    for (base, count, error) in [
        (0, 0, INVALID_PARAM),
        (0, 1025, INVALID_PARAM),
        (12, 1, INVALID_PARAM),
        (0x7fff_ffff, 1, INVALID_PARAM),
        (0x8000_0004, 1, INVALID_PARAM),
        (0, 13, BAD_RANGE),
        (11, 2, BAD_RANGE),
        (0x8000_0000, 5, BAD_RANGE),
        (0, 1024, BAD_RANGE),
    ] {
        assert_eq!(rig.call(0, MPXY, 3, &[RPMI, base, count]).0, error, "{base:#x} {count}");
        if base != 0 || count > 12 {
            assert_ne!(rig.call(0, MPXY, 4, &[RPMI, base, count]).0, 0, "{base:#x} {count}");
        }
    }
    assert_eq!(rig.call(0, MPXY, 3, &[7, 0, 1]).0, NOT_SUPPORTED);
    assert_eq!(rig.call(0, MPXY, 4, &[7, 11, 1]).0, NOT_SUPPORTED);
    assert_eq!(rig.call(0, MPXY, 3, &[MACHINE, 0x8000_0000, 1]).0, INVALID_PARAM, "it has none of its own");
}

#[test]
fn attributes_are_written_all_or_none_and_what_a_channel_lacks_ignores_writes() {
    let mut rig = rig();
    put(&mut rig, &[1; 12]);
    for base in 0..7 {
        assert_eq!(rig.call(0, MPXY, 4, &[RPMI, base, 1]).0, BAD_RANGE, "{base} is read-only");
    }
    assert_eq!(rig.call(0, MPXY, 4, &[RPMI, 6, 6]).0, BAD_RANGE, "the first of them is");
    assert_eq!(rig.call(0, MPXY, 4, &[RPMI, 0x8000_0000, 1]).0, BAD_RANGE);
    assert_eq!(rig.call(0, MPXY, 4, &[RPMI, 7, 5]).0, 0);
    assert_eq!(rig.call(0, MPXY, 3, &[RPMI, 7, 5]).0, 0);
    assert_eq!(words(&rig, 5), [0, 0, 0, 0, 1], "there are no MSIs; the state of events is reported");
    put(&mut rig, &[2]);
    assert_eq!(rig.call(0, MPXY, 4, &[RPMI, 11, 1]).0, INVALID_PARAM);
    put(&mut rig, &[1]);
    assert_eq!(rig.call(0, MPXY, 4, &[MACHINE, 11, 1]).0, 0);
    assert_eq!(rig.call(0, MPXY, 3, &[MACHINE, 11, 1]).0, 0);
    assert_eq!(words(&rig, 1), [0], "a channel without that capability");
}

#[test]
fn a_message_with_response_is_answered_in_place() {
    let mut rig = rig();
    assert_eq!(ask(&mut rig, 2, &[7, 8, 9]), [0, 7, 8, 9]);
    put(&mut rig, &[]);
    let (error, len) = rig.call(0, MPXY, 5, &[MACHINE, 2, 0]);
    assert_eq!((error, len), (0, 8));
    assert_eq!(rig.bus.ram.read(AT, 8), Some(rig.harts[0].instret));
}

#[test]
fn a_posted_message_is_sent_without_response_only() {
    let mut rig = rig();
    put(&mut rig, &[5]);
    assert_eq!(rig.call(0, MPXY, 6, &[RPMI, 4, 4]), (0, 0));
    assert_eq!(words(&rig, 1), [5], "nothing is written");
    put(&mut rig, &[6]);
    assert_eq!(rig.call(0, MPXY, 6, &[RPMI, 4, 4]), (0, 0));
    assert_eq!(ask(&mut rig, 3, &[]), [0, 2, 11]);
    assert_eq!(rig.call(0, MPXY, 5, &[RPMI, 4, 4]).0, NOT_SUPPORTED);
    assert_eq!(rig.call(0, MPXY, 6, &[RPMI, 2, 4]).0, NOT_SUPPORTED);
}

#[test]
fn errors_of_messages() {
    let mut rig = rig();
    for (fid, args, error) in [
        (5, [RPMI, 2, 257], INVALID_PARAM),
        (5, [RPMI, 2, u64::MAX], INVALID_PARAM),
        (5, [RPMI, 2, 1 << 32], INVALID_PARAM),
        (5, [MACHINE, 1, 65], INVALID_PARAM),
        (6, [RPMI, 4, 257], INVALID_PARAM),
        (5, [RPMI, 9, 0], NOT_SUPPORTED),
        (5, [0x1002, 1, 0], NOT_SUPPORTED),
        (6, [MACHINE, 1, 0], NOT_SUPPORTED),
        (7, [MACHINE, 0, 0], NOT_SUPPORTED),
        (7, [3, 0, 0], NOT_SUPPORTED),
        (5, [RPMI, 6, 0], TIMEOUT),
        (5, [RPMI, 7, 0], IO),
        (5, [RPMI, 8, 0], FAILED),
    ] {
        put(&mut rig, &[0x1234]);
        assert_eq!(rig.call(0, MPXY, fid, &args), (error, 0), "{fid} {args:x?}");
        assert_eq!(words(&rig, 1), [0x1234], "{fid} {args:x?}: nothing is written");
    }
    assert_eq!(rig.call(0, MPXY, 5, &[RPMI, 2, 256]), (0, 256), "a response is no longer than the longest message");
    assert_eq!(rig.call(0, MPXY, 8, &[]).0, NOT_SUPPORTED);
}

#[test]
fn notifications_are_off_until_enabled_one_by_one() {
    let mut rig = rig();
    assert_eq!(ask(&mut rig, 5, &[1, 0xaa]), [0]);
    assert_eq!(rig.call(0, MPXY, 7, &[RPMI]), (0, 0), "it is not enabled");
    assert_eq!(ask(&mut rig, 1, &[1, 2]), [0, 0]);
    assert_eq!(ask(&mut rig, 1, &[1, 1]), [0, 1]);
    assert_eq!(ask(&mut rig, 1, &[1, 2]), [0, 1]);
    assert_eq!(ask(&mut rig, 1, &[1, 3])[0] as i32, -3);
    assert_eq!(ask(&mut rig, 1, &[4, 1])[0] as i32, -2);
    assert_eq!(ask(&mut rig, 1, &[4])[0] as i32, -3, "a word is missing");
    assert_eq!(ask(&mut rig, 5, &[2, 0xbb]), [0]);
    assert_eq!(ask(&mut rig, 5, &[1, 0xcc]), [0]);
    assert_eq!(rig.call(0, MPXY, 7, &[RPMI]), (0, 8));
    assert_eq!(words(&rig, 6)[4..], [1 << 16 | 4, 0xcc]);
    assert_eq!(rig.call(0, MPXY, 7, &[RPMI]), (0, 0), "each is returned once");
}

#[test]
fn the_state_of_events_is_reported_once_enabled() {
    let mut rig = rig();
    ask(&mut rig, 1, &[0, 1]);
    for i in 0..KEPT as u32 + 1 {
        ask(&mut rig, 5, &[0, i]);
    }
    put(&mut rig, &[9; 4]);
    assert_eq!(rig.call(0, MPXY, 7, &[RPMI]), (0, 32));
    assert_eq!(words(&rig, 4), [9; 4], "it is not enabled");
    put(&mut rig, &[1]);
    assert_eq!(rig.call(0, MPXY, 4, &[RPMI, 11, 1]).0, 0);
    for i in 0..6 {
        ask(&mut rig, 5, &[0, 100 + i]);
    }
    assert_eq!(rig.call(0, MPXY, 7, &[RPMI]), (0, 32));
    assert_eq!(words(&rig, 6), [4, 4, 2, 0, 4, 4], "two were lost, but the one before was not counted");
    assert_eq!(rig.call(0, MPXY, 7, &[RPMI]), (0, 32));
    assert_eq!(words(&rig, 6), [0, 4, 0, 0, 4, 100]);
    assert_eq!(rig.call(0, MPXY, 7, &[RPMI]), (0, 0));
    assert_eq!(words(&rig, 4), [0; 4]);
    // What was lost before reporting was switched off is not told when it is on again.
    for i in 0..KEPT as u32 + 2 {
        ask(&mut rig, 5, &[0, i]);
    }
    for on in [0, 1] {
        put(&mut rig, &[on]);
        assert_eq!(rig.call(0, MPXY, 4, &[RPMI, 11, 1]).0, 0);
    }
    assert_eq!(rig.call(0, MPXY, 7, &[RPMI]), (0, 32));
    assert_eq!(words(&rig, 4), [4, 4, 0, 0]);
}

#[test]
fn a_notification_signals_the_channels_software_event() {
    let mut rig = rig();
    rig.arm(0, EVENT);
    rig.sse(0, UNMASK, &[]);
    ask(&mut rig, 1, &[3, 1]);
    put(&mut rig, &[3, 77]);
    rig.step_call(0, MPXY, 5, &[RPMI, 5, 8]);
    assert_eq!(rig.harts[0].pc, handler(EVENT), "the handler runs when the call is done");
    assert_eq!(rig.harts[0].x[10], 0);
    assert_eq!(rig.call(0, MPXY, 7, &[RPMI]), (0, 8), "and fetches it");
    assert_eq!(words(&rig, 6)[5], 77);
}

#[test]
fn a_platform_without_channels_has_no_extension() {
    let off = Config { optional: sbi_model::config::Optional { mpxy: false, nacl: false }, ..Config::default() };
    for config in [off, Config::new(Profile::find("opensbi-1.9").expect("a profile"))] {
        let mut rig = Rig::of(1, "max", config);
        assert_eq!(rig.call(0, BASE, 3, &[MPXY]), (0, 0));
        assert_eq!(rig.call(0, MPXY, 0, &[]).0, NOT_SUPPORTED);
    }
    assert_eq!(Rig::new(1).call(0, BASE, 3, &[MPXY]), (0, 1));
}

#[test]
fn its_state_is_saved_and_restored() {
    let mut rig = rig();
    ask(&mut rig, 1, &[0, 1]);
    ask(&mut rig, 5, &[0, 0xdead_beef]);
    let mut saved = Saver::default();
    Firmware::state(&mut rig.fw, &mut saved);
    let mut other = Rig::of(1, "max", Config { reserved: vec![FIRMWARE], ..Config::default() });
    let mut restorer = Restorer::new(&saved.0);
    Firmware::state(&mut other.fw, &mut restorer);
    assert!(restorer.complete());
    assert_eq!(other.fw.state().mpxy, rig.fw.state().mpxy);
    assert_ne!(Sbi::default().state().mpxy, rig.fw.state().mpxy);
}
