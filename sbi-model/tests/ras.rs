//! Hardware errors, firmware first: the bank's signals become the RAS events, and a hardware-error exception becomes the local one where
//! that can be delivered.
#![allow(clippy::expect_used)] // tests

mod common;

use common::sse::*;
use common::*;
use emu_core::dev::Reri;
use emu_core::dev::reri::{Signal, control};
use emu_core::firmware::Firmware;
use emu_csr::{Exception, Mode, Trap};
use sbi_model::sse::id;

const VECTOR: u64 = RAM + 0x7000;

fn error(rig: &mut Rig, hart: usize) {
    rig.harts[hart].csr.stvec = VECTOR;
    rig.raise(hart, Trap::new(Exception::HardwareError, 0x1234));
}

fn signal(rig: &mut Rig, hart: Option<usize>, high: bool) {
    rig.with_platform(|fw, p| fw.ras(p, Signal { hart, high }));
}

#[test]
fn each_signal_is_the_event_of_its_scope_and_priority() {
    for (hart, high, event) in [
        (Some(1), true, id::LOCAL_RAS_HIGH),
        (Some(1), false, id::LOCAL_RAS_LOW),
        (None, true, id::GLOBAL_RAS_HIGH),
        (None, false, id::GLOBAL_RAS_LOW),
    ] {
        let mut rig = Rig::running(2, config("spec"));
        let to = hart.unwrap_or(0);
        rig.arm(to, event);
        rig.sse(to, UNMASK, &[]);
        signal(&mut rig, hart, high);
        assert!(rig.event(to, event).pending());
        rig.interrupts(to);
        assert_eq!(rig.harts[to].pc, handler(event), "{event:#x}");
    }
}

#[test]
fn a_hardware_error_is_delivered_as_the_local_high_priority_event() {
    let mut rig = Rig::running(1, config("spec"));
    rig.arm(0, id::LOCAL_RAS_HIGH);
    rig.sse(0, UNMASK, &[]);
    let pc = rig.harts[0].pc;
    signal(&mut rig, Some(0), true);
    error(&mut rig, 0);
    assert_eq!((rig.harts[0].pc, rig.harts[0].mode), (handler(id::LOCAL_RAS_HIGH), Mode::HS));
    assert_eq!(rig.harts[0].csr.sepc, pc, "the instruction that wanted the data");
}

#[test]
fn without_a_handler_the_exception_is_the_supervisors_own() {
    for masked in [true, false] {
        let mut rig = Rig::running(1, config("spec"));
        if masked {
            rig.arm(0, id::LOCAL_RAS_HIGH);
        }
        signal(&mut rig, Some(0), true);
        error(&mut rig, 0);
        let h = &rig.harts[0];
        assert_eq!((h.pc, h.mode, h.csr.scause, h.csr.stval), (VECTOR, Mode::HS, 19, 0x1234), "masked {masked}");
    }
    let mut rig = Rig::running(1, config("opensbi-1.9"));
    signal(&mut rig, Some(0), true);
    error(&mut rig, 0);
    assert_eq!(rig.harts[0].csr.scause, 19, "a profile without RAS events");
}

#[test]
fn the_firmware_sets_the_bank_up_at_boot() {
    for (profile, want) in [("spec", control::ELSE | 1 << 2 | 1 << 4 | 2 << 6), ("opensbi-1.9", 0)] {
        let mut rig = Rig::of(1, "max", config(profile));
        rig.bus.add(0x1020_0000, 0x1000, 0, Box::new(Reri::new(1))).expect("room");
        rig.with_platform(|fw, p| fw.boot(p, 0, ENTRY, 0));
        let at = 0x1020_0000 + 64;
        assert_eq!([0, 1].map(|i| rig.bus.read(at + 64 * i, 8, 0)), [Ok(want); 2], "{profile}");
    }
}
