//! One line a bad input, by profile: what the specification says, and what OpenSBI says.

#![allow(clippy::expect_used)] // helpers of tests, which clippy takes for other code

mod common;

use common::sse::*;
use common::*;
use emu_csr::Mode;
use sbi_model::sse::{attr, id, status};

const OK: i64 = 0;
const DENIED: i64 = -4;
const ALREADY_STARTED: i64 = -7;
const ALREADY_STOPPED: i64 = -8;
const INVALID_STATE: i64 = -10;
const BAD_RANGE: i64 = -11;

const PROFILES: [&str; 3] = ["spec", "opensbi-1.9", "private-resume"];

fn each(check: impl Fn(&mut Rig, bool, &str)) {
    for p in PROFILES {
        check(&mut Rig::running(2, config(p)), p == "spec", p);
    }
}

#[test]
fn event_ids_unknown_reserved_and_without_a_source() {
    each(|rig, spec, p| {
        for event in [2, 0x3fff, 0x8001, 0xbfff, 0x1_0001, 0x1_8000, 0xffff_0001, 0xffff_8001, 0x4001, 0xc001, 0x20_0000] {
            for fid in [REGISTER, UNREGISTER, ENABLE, DISABLE, INJECT] {
                assert_eq!(rig.sse(0, fid, &[event, HANDLER, 0]), INVALID_PARAM, "{p} {event:#x}");
            }
            assert_eq!(rig.attr(0, event as u32, 0), Err(INVALID_PARAM), "{p} {event:#x}");
        }
        for event in [id::LOCAL_RAS_HIGH, id::GLOBAL_RAS_HIGH, id::LOCAL_RAS_LOW, id::GLOBAL_RAS_LOW] {
            let want = if spec { Ok(8) } else { Err(NOT_SUPPORTED) };
            assert_eq!(rig.attr(0, event, 0), want, "{p} {event:#x}");
        }
    });
    let mut rig = Rig::of(1, "rva22", config("spec"));
    assert_eq!(rig.attr(0, id::DOUBLE_TRAP, 0), Err(NOT_SUPPORTED));
    assert_eq!(rig.sse(0, REGISTER, &[1, HANDLER, 0]), NOT_SUPPORTED);
}

#[test]
fn of_event_attribute_and_count_only_32_bits_are_used() {
    each(|rig, _, p| {
        rig.bus.ram.write(BUFFER, 8, 77, &mut Vec::new());
        let (high, prio) = (1 << 32, attr::PRIORITY as u64);
        assert_eq!(rig.sse(0, WRITE, &[u64::from(LOCAL) | high, prio | high, 1 | high, BUFFER, 0]), OK, "{p}");
        assert_eq!(rig.attr(0, LOCAL, attr::PRIORITY), Ok(77), "{p}");
    });
}

#[test]
fn attribute_ranges() {
    each(|rig, _, p| {
        for fid in [READ, WRITE] {
            let mut call = |first: u64, count: u64| rig.sse(0, fid, &[u64::from(LOCAL), first, count, BUFFER, 0]);
            assert_eq!(call(0, 0), INVALID_PARAM, "{p}");
            for (first, count) in [(10, 1), (0, 11), (9, 2), (0xffff_ffff, 1), (0xffff_ffff, 2), (1, 0xffff_ffff)] {
                assert_eq!(call(first, count), BAD_RANGE, "{p} {first:#x} {count:#x}");
            }
        }
        assert_eq!(rig.sse(0, READ, &[u64::from(LOCAL), 0, 10, BUFFER, 0]), OK);
    });
}

#[test]
fn attribute_buffers_are_aligned_memory_that_the_supervisor_may_use() {
    each(|rig, _, p| {
        let end = RAM + RAM_SIZE;
        rig.bus.ram.write(end - 8, 8, 0x55, &mut Vec::new());
        for fid in [READ, WRITE] {
            for low in [BUFFER + 1, BUFFER + 4, end, end - 72, 0, u64::MAX - 7, u64::MAX - 79, 0x200_0000, FIRMWARE.0 - 8] {
                assert_eq!(rig.sse(0, fid, &[u64::from(LOCAL), 0, 10, low, 0]), INVALID_ADDRESS, "{p} {low:#x}");
            }
            assert_eq!(rig.sse(0, fid, &[u64::from(LOCAL), 0, 1, BUFFER, 1]), INVALID_ADDRESS, "{p}");
        }
        assert_eq!(rig.bus.ram.read(end - 8, 8), Some(0x55), "nothing is half written");
        assert_eq!(rig.sse(0, READ, &[u64::from(LOCAL), 0, 10, FIRMWARE.0 - 80, 0]), OK);
    });
}

#[test]
fn which_error_wins_when_event_and_buffer_are_both_bad() {
    each(|rig, spec, p| {
        let first = |event: i64, other: i64| if spec { event } else { other };
        assert_eq!(rig.sse(0, READ, &[2, 0, 11, BUFFER, 0]), first(INVALID_PARAM, BAD_RANGE), "{p}");
        assert_eq!(rig.sse(0, READ, &[2, 0, 1, BUFFER + 1, 0]), first(INVALID_PARAM, INVALID_ADDRESS), "{p}");
        assert_eq!(rig.sse(0, REGISTER, &[2, FIRMWARE.0, 0]), first(INVALID_PARAM, INVALID_ADDRESS), "{p}");
        // The value of FLAGS, or the state that it needs.
        assert_eq!(rig.set_attr(0, LOCAL, attr::FLAGS, 64), first(INVALID_STATE, INVALID_PARAM), "{p}");
    });
}

#[test]
fn read_only_attributes() {
    each(|rig, _, p| {
        for a in [attr::STATUS, attr::ENTRY_PC, attr::ENTRY_ARG] {
            for event in [LOCAL, GLOBAL] {
                assert_eq!(rig.set_attr(0, event, a, 0), DENIED, "{p} {a}");
            }
        }
        assert_eq!(rig.set_attr(0, LOCAL, attr::PREFERRED_HART, 0), DENIED, "{p}");
        assert_eq!(rig.set_attr(0, GLOBAL, attr::PREFERRED_HART, 1), OK, "{p}");
    });
}

#[test]
fn values_that_attributes_cannot_have() {
    each(|rig, spec, p| {
        assert_eq!(rig.set_attr(0, LOCAL, attr::PRIORITY, 1 << 32), INVALID_PARAM, "{p}");
        assert_eq!(rig.set_attr(0, LOCAL, attr::PRIORITY, 0xffff_ffff), OK);
        assert_eq!(rig.set_attr(0, LOCAL, attr::CONFIG, 2), INVALID_PARAM, "{p}");
        assert_eq!(rig.set_attr(0, LOCAL, attr::CONFIG, 1 << 63), INVALID_PARAM, "{p}");
        for bad in [2, 0xffff_ffff, u64::MAX] {
            assert_eq!(rig.set_attr(0, GLOBAL, attr::PREFERRED_HART, bad), INVALID_PARAM, "{p} {bad:#x}");
        }
        assert_eq!(rig.set_attr(0, GLOBAL, attr::PREFERRED_HART, 1 << 32 | 1), if spec { INVALID_PARAM } else { OK }, "{p}");
        rig.arm(0, LOCAL);
        rig.sse(0, UNMASK, &[]);
        rig.sse(0, INJECT, &[u64::from(LOCAL), 0]);
        assert_eq!(rig.harts[0].pc, handler(LOCAL));
        assert_eq!(rig.set_attr(0, LOCAL, attr::FLAGS, 64), INVALID_PARAM, "{p}");
        assert_eq!(rig.set_attr(0, LOCAL, attr::FLAGS, 63), OK, "{p}");
    });
}

#[test]
fn attributes_change_only_in_their_states() {
    each(|rig, _, p| {
        let settable = [(attr::PRIORITY, 1), (attr::CONFIG, 0)];
        let interrupted = [attr::SEPC, attr::FLAGS, attr::A6, attr::A7];
        let expect = |rig: &mut Rig, early: i64, running: i64| {
            for (a, v) in settable {
                assert_eq!(rig.set_attr(0, LOCAL, a, v), early, "{p} {a}");
            }
            for a in interrupted {
                assert_eq!(rig.set_attr(0, LOCAL, a, 2), running, "{p} {a}");
            }
        };
        expect(rig, OK, INVALID_STATE);
        rig.sse(0, REGISTER, &[u64::from(LOCAL), HANDLER, 0]);
        expect(rig, OK, INVALID_STATE);
        rig.sse(0, ENABLE, &[u64::from(LOCAL)]);
        expect(rig, INVALID_STATE, INVALID_STATE);
        rig.sse(0, UNMASK, &[]);
        rig.sse(0, INJECT, &[u64::from(LOCAL), 0]);
        expect(rig, INVALID_STATE, OK);
    });
}

#[test]
fn the_interrupted_state_of_a_global_event_is_its_handlers_alone() {
    each(|rig, spec, p| {
        rig.arm(0, GLOBAL);
        rig.sse(0, UNMASK, &[]);
        rig.sse(0, INJECT, &[u64::from(GLOBAL), 0]);
        assert_eq!(rig.harts[0].pc, handler(GLOBAL));
        for a in [attr::SEPC, attr::FLAGS, attr::A6, attr::A7] {
            assert_eq!(rig.set_attr(1, GLOBAL, a, 1), if spec { INVALID_STATE } else { INVALID_PARAM }, "{p}");
            assert_eq!(rig.set_attr(0, GLOBAL, a, 1), OK, "{p}");
            assert_eq!(rig.attr(1, GLOBAL, a), Ok(1), "{p}");
        }
    });
}

#[test]
fn a_write_of_many_attributes_is_all_or_nothing_and_tells_the_first_error() {
    each(|rig, _, p| {
        let put = |rig: &mut Rig, values: [u64; 3]| {
            for (i, v) in values.into_iter().enumerate() {
                rig.bus.ram.write(BUFFER + 8 * i as u64, 8, v, &mut Vec::new());
            }
            rig.sse(0, WRITE, &[u64::from(LOCAL), 1, 3, BUFFER, 0])
        };
        assert_eq!(put(rig, [5, 1, 0]), DENIED, "{p}: PREFERRED_HART of a local event");
        assert_eq!(put(rig, [5, 2, 0]), INVALID_PARAM, "{p}: CONFIG comes first");
        assert_eq!(rig.attr(0, LOCAL, attr::PRIORITY), Ok(0), "{p}");
        assert_eq!(rig.attr(0, LOCAL, attr::CONFIG), Ok(0), "{p}");
    });
}

#[test]
fn handlers_pc() {
    each(|rig, spec, p| {
        assert_eq!(rig.sse(0, REGISTER, &[u64::from(LOCAL), HANDLER + 1, 0]), INVALID_PARAM, "{p}");
        let inside = rig.sse(0, REGISTER, &[u64::from(LOCAL), FIRMWARE.0 + 0x100, 0]);
        assert_eq!(inside, if spec { OK } else { INVALID_ADDRESS }, "{p}: the pc is virtual");
        assert_eq!(rig.sse(0, REGISTER, &[u64::from(GLOBAL), 0xffff_ffff_8000_0000, 0]), OK, "{p}");
    });
}

#[test]
fn every_state_and_every_transition() {
    each(|rig, _, p| {
        for event in [LOCAL, GLOBAL] {
            let e = u64::from(event);
            let all = |rig: &mut Rig, want: [i64; 4]| {
                // Those that must fail come first, so that the state stays.
                for (fid, want) in [REGISTER, UNREGISTER, ENABLE, DISABLE].into_iter().zip(want) {
                    if want != OK {
                        assert_eq!(rig.sse(0, fid, &[e, HANDLER, 0]), want, "{p} {event:#x} function {fid}");
                    }
                }
            };
            const X: i64 = INVALID_STATE;
            all(rig, [OK, X, X, X]);
            assert_eq!(rig.sse(0, REGISTER, &[e, HANDLER, 5]), OK);
            assert_eq!(rig.status(0, event) & status::STATE, status::REGISTERED);
            assert_eq!((rig.attr(0, event, attr::ENTRY_PC), rig.attr(0, event, attr::ENTRY_ARG)), (Ok(HANDLER), Ok(5)));
            all(rig, [X, OK, OK, X]);
            assert_eq!(rig.sse(0, ENABLE, &[e]), OK);
            assert_eq!(rig.status(0, event) & status::STATE, status::ENABLED);
            all(rig, [X, X, X, OK]);
            rig.sse(0, UNMASK, &[]);
            rig.sse(0, INJECT, &[e, 0]);
            assert_eq!(rig.status(0, event), status::RUNNING | status::INJECTABLE, "{p}: E8, no other bit");
            all(rig, [X, X, X, X]);
            rig.sse(0, COMPLETE, &[]);
            rig.sse(0, MASK, &[]);
            assert_eq!(rig.status(0, event) & status::STATE, status::ENABLED);
            assert_eq!(rig.sse(0, DISABLE, &[e]), OK);
            assert_eq!(rig.sse(0, UNREGISTER, &[e]), OK);
            assert_eq!(rig.status(0, event) & status::STATE, status::UNUSED);
        }
    });
}

#[test]
fn mask_and_unmask_twice() {
    each(|rig, _, p| {
        assert_eq!(rig.sse(0, MASK, &[]), ALREADY_STOPPED, "{p}: masked at boot");
        assert_eq!(rig.sse(0, UNMASK, &[]), OK, "{p}");
        assert_eq!(rig.sse(0, UNMASK, &[]), ALREADY_STARTED, "{p}");
        assert_eq!(rig.sse(0, MASK, &[]), OK, "{p}");
        assert_eq!(rig.sse(0, MASK, &[]), ALREADY_STOPPED, "{p}");
    });
    let mut old = Rig::running(1, config("opensbi-1.6"));
    assert_eq!(old.sse(0, MASK, &[]), ALREADY_STARTED);
    old.sse(0, UNMASK, &[]);
    assert_eq!(old.sse(0, UNMASK, &[]), ALREADY_STOPPED);
}

#[test]
fn inject_and_the_hart_it_names() {
    each(|rig, spec, p| {
        rig.arm(0, LOCAL);
        rig.arm(0, GLOBAL);
        assert_eq!(rig.sse(0, INJECT, &[u64::from(LOCAL), 2]), INVALID_PARAM, "{p}");
        assert_eq!(rig.sse(0, INJECT, &[u64::from(GLOBAL), 2]), if spec { OK } else { INVALID_PARAM }, "{p}");
        assert_eq!(rig.sse(0, INJECT, &[u64::from(GLOBAL), 1]), OK, "{p}");
    });
}

#[test]
fn inject_into_an_event_that_is_not_enabled() {
    each(|rig, spec, p| {
        assert_eq!(rig.sse(0, INJECT, &[u64::from(LOCAL), 0]), if spec { OK } else { INVALID_STATE }, "{p}");
        assert_eq!(rig.event(0, LOCAL).pending(), spec, "{p}");
        assert_eq!(rig.sse(0, INJECT, &[u64::from(LOCAL), 1]), OK, "{p}: to another hart it always succeeds");
        rig.interrupts(1);
        assert_eq!(rig.event(1, LOCAL).pending(), spec, "{p}");
    });
}

#[test]
fn complete_without_a_running_event_does_nothing_and_succeeds() {
    each(|rig, _, p| {
        rig.harts[0].csr.sepc = 0x1234;
        let pc = rig.harts[0].pc;
        assert_eq!(rig.call(0, SSE, COMPLETE, &[]), (0, 0), "{p}");
        assert_eq!((rig.harts[0].pc, rig.harts[0].mode, rig.harts[0].csr.sepc), (pc + 4, Mode::HS, 0x1234));
    });
}

#[test]
fn functions_beyond_the_last_are_not_supported() {
    each(|rig, _, _| {
        for fid in [10, 11, u64::MAX] {
            assert_eq!(rig.sse(0, fid, &[]), NOT_SUPPORTED);
        }
    });
}

#[test]
fn reset_values() {
    each(|rig, _, p| {
        for event in [LOCAL, GLOBAL] {
            let values: Vec<_> = (0..10).map(|a| rig.attr(1, event, a).expect("readable")).collect();
            let hart = if event == LOCAL { 1 } else { 0 };
            assert_eq!(values, [8, 0, 0, hart, 0, 0, 0, 0, 0, 0], "{p}");
        }
    });
}
