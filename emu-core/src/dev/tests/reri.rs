//! "RISC-V RERI": registers of the bank, the overwrite rules, invalidation, injection, counting and signals.

use super::*;
use crate::dev::reri::{Class, Signal, control, status};

const LOGS: u64 = control::ELSE | 1 << 2 | 1 << 4 | 2 << 6;

fn bank() -> (Reri, Rig) {
    let mut bank = Reri::new(2);
    (0..3).for_each(|i| bank.set_control(i, LOGS));
    (bank, Rig::new())
}

/// Offset of a register of a record.
fn at(record: u64, register: u64) -> u64 {
    64 + 64 * record + 8 * register
}

fn error(class: Class, pri: u64, ec: u64) -> u64 {
    class.bit() | pri << 4 | ec << status::EC
}

#[test]
fn the_header_tells_version_layout_records_and_which_are_valid() {
    let (mut d, mut rig) = bank();
    assert_eq!(rig.read(&mut d, 8, 8), 1 << 56 | 3 << 16);
    assert_eq!(rig.read(&mut d, 12, 4), 1 << 24, "the upper half");
    assert_eq!(rig.read(&mut d, 16, 8), 1, "sv, none valid");
    d.log(1, error(Class::Corrected, 0, 3), 0x8000_0040, 77);
    assert_eq!(rig.read(&mut d, 16, 8), 1 | 1 << 2);
    rig.write(&mut d, 16, 8, 0);
    assert_eq!(rig.read(&mut d, 16, 8), 1 | 1 << 2, "read-only");
    assert_eq!((rig.read(&mut d, 24, 8), rig.read(&mut d, at(3, 1), 8), rig.read(&mut d, at(0, 6), 8)), (0, 0, 0));
}

#[test]
fn a_new_error_in_an_invalid_record_is_logged_whole() {
    let (mut d, mut rig) = bank();
    d.log(2, error(Class::Critical, 1, 2) | status::C | 4 << status::TT, 0x8000_1240, 99);
    let s = rig.read(&mut d, at(2, 1), 8);
    assert_eq!(s & 15, status::V | status::UEC);
    assert_eq!((s >> 4 & 3, s >> 8 & 7, s >> 12 & 15, s >> 24 & 255), (1, 4, 1, 2));
    assert_eq!(s & (status::C | status::RDIP | status::TSV | status::MO), status::C | status::RDIP | status::TSV);
    assert_eq!((rig.read(&mut d, at(2, 2), 8), rig.read(&mut d, at(2, 5), 8)), (0x8000_1240, 99));
    assert_eq!(d.take_signals(), [Signal { hart: Some(1), high: true }]);
    assert_eq!(d.take_signals(), []);
}

#[test]
fn nothing_is_logged_or_signaled_while_else_is_0() {
    let mut d = Reri::new(2);
    d.log(0, error(Class::Critical, 0, 2), 1, 1);
    assert_eq!((d.status(0), d.take_signals().len()), (0, 0));
}

#[test]
fn higher_severity_overwrites_and_keeps_the_older_bits() {
    let (mut d, mut rig) = bank();
    d.log(0, error(Class::Corrected, 3, 3), 0x100, 1);
    d.log(0, error(Class::Corrected, 3, 4), 0x200, 2);
    assert_eq!(rig.read(&mut d, at(0, 1), 8) & (status::MO | status::RDIP), status::MO, "a second of the same severity");
    assert_eq!(rig.read(&mut d, at(0, 2), 8), 0x100, "and no higher priority");
    d.log(0, error(Class::Deferred, 0, 5), 0x300, 3);
    let s = rig.read(&mut d, at(0, 1), 8);
    assert_eq!(s & (15 | status::MO), status::V | status::CE | status::UED);
    assert_eq!((s >> 24 & 255, s >> 4 & 3, rig.read(&mut d, at(0, 2), 8)), (5, 0, 0x300));
    d.log(0, error(Class::Corrected, 3, 6), 0x400, 4);
    assert_eq!(rig.read(&mut d, at(0, 1), 8) >> 24 & 255, 5, "lower severity does not");
    assert_eq!(rig.read(&mut d, at(0, 1), 8) & status::MO, 0);
    d.log(0, error(Class::Deferred, 1, 7), 0x500, 5);
    let s = rig.read(&mut d, at(0, 1), 8);
    assert_eq!((s >> 24 & 255, s & status::MO), (7, status::MO), "the same severity and higher priority");
}

#[test]
fn a_valid_status_takes_no_write_and_sinv_needs_rdip() {
    let (mut d, mut rig) = bank();
    d.log(0, error(Class::Deferred, 0, 5), 0x300, 3);
    let s = rig.read(&mut d, at(0, 1), 8);
    rig.write(&mut d, at(0, 1), 8, 0);
    assert_eq!(rig.read(&mut d, at(0, 1), 8), s);
    // An overwrite while the record is read clears rdip.
    d.log(0, error(Class::Critical, 0, 6), 0x400, 4);
    rig.write(&mut d, at(0, 0), 8, LOGS | control::SINV);
    assert_eq!(rig.read(&mut d, at(0, 1), 8) & status::V, 1, "it would be lost");
    rig.write(&mut d, at(0, 0), 8, LOGS | control::SINV | control::SRDP);
    assert_eq!(rig.read(&mut d, at(0, 1), 8) & (status::V | status::RDIP), status::RDIP);
    assert_eq!(rig.read(&mut d, at(0, 0), 8), LOGS, "both read 0");
    rig.write(&mut d, at(0, 1), 8, u64::MAX);
    assert_eq!(rig.read(&mut d, at(0, 1), 8), status::WRITABLE, "all fields but valid and the reserved ones");
}

#[test]
fn a_record_is_injected_when_its_delay_is_over() {
    let (mut d, mut rig) = bank();
    rig.write(&mut d, at(1, 1), 8, error(Class::Critical, 0, 12));
    rig.write(&mut d, at(1, 2), 8, 0x1234);
    rig.now = 50;
    rig.write(&mut d, at(1, 0), 8, LOGS | 100 << control::EID);
    assert_eq!(d.next_event(&rig.cx()), Some(150));
    rig.now = 149;
    d.advance(&mut rig.cx());
    assert_eq!(d.status(1) & status::V, 0);
    rig.now = 150;
    d.advance(&mut rig.cx());
    assert_eq!(d.status(1) & (status::V | status::UEC), status::V | status::UEC);
    assert_eq!(d.take_signals(), [Signal { hart: Some(0), high: true }]);
    assert_eq!(d.next_event(&rig.cx()), None);
    rig.write(&mut d, at(2, 0), 8, LOGS | 100 << control::EID);
    rig.write(&mut d, at(2, 0) + 4, 4, 0);
    assert_eq!(d.next_event(&rig.cx()), None, "0 stops the counter");
}

/// "The `eid` starts counting down": what is left is read, and writing the register back with another field changed goes on from there.
#[test]
fn the_injection_delay_is_read_as_it_counts_and_survives_being_written_back() {
    let (mut d, mut rig) = bank();
    rig.write(&mut d, at(1, 1), 8, error(Class::Critical, 0, 12));
    rig.write(&mut d, at(1, 0), 8, LOGS | 100 << control::EID);
    rig.now = 30;
    let control = rig.read(&mut d, at(1, 0), 8);
    assert_eq!(control, LOGS | 70 << control::EID);
    assert_eq!(rig.read(&mut d, at(1, 0) + 4, 4), 70);
    rig.write(&mut d, at(1, 0), 8, control | control::SRDP);
    assert_eq!(d.next_event(&rig.cx()), Some(100));
    rig.now = 100;
    d.advance(&mut rig.cx());
    assert_eq!((d.status(1) & status::V, rig.read(&mut d, at(1, 0), 8)), (status::V, LOGS));
}

/// "Whenever a new error writes to or overwrites an error record, the signal ... is asserted": not by one that only leaves its mark.
#[test]
fn an_error_that_does_not_overwrite_is_not_signaled() {
    let (mut d, _) = bank();
    d.log(0, error(Class::Deferred, 1, 5), 0x100, 1);
    assert_eq!(d.take_signals(), [Signal { hart: None, high: false }]);
    d.log(0, error(Class::Deferred, 1, 5), 0x200, 2);
    d.log(0, error(Class::Corrected, 3, 5), 0x300, 3);
    assert_eq!((d.status(0) & (15 | status::MO), d.take_signals()), (status::V | status::CE | status::UED | status::MO, vec![]));
    d.log(0, error(Class::Deferred, 2, 5), 0x400, 4);
    assert_eq!(d.take_signals(), [Signal { hart: None, high: false }]);
    d.log(0, error(Class::Critical, 0, 5), 0x500, 5);
    assert_eq!(d.take_signals(), [Signal { hart: None, high: true }]);
}

#[test]
fn counted_corrected_errors_signal_their_overflow_only() {
    let (mut d, mut rig) = bank();
    rig.write(&mut d, at(0, 1), 8, 0xfffe << status::CEC);
    d.set_control(0, LOGS | control::CECE);
    d.log(0, error(Class::Corrected, 0, 3), 0x40, 1);
    assert_eq!((d.status(0) >> status::CEC, d.take_signals().len()), (0xffff, 0));
    d.log(0, error(Class::Corrected, 0, 3), 0x40, 1);
    assert_eq!((d.status(0) >> status::CEC, d.status(0) & status::CECO), (0, status::CECO));
    assert_eq!(d.take_signals(), [Signal { hart: None, high: false }]);
    d.log(0, error(Class::Deferred, 0, 3), 0x40, 1);
    assert_eq!(d.status(0) & status::CECO, status::CECO, "other classes leave the counter alone");
}

#[test]
fn the_platforms_own_signal_is_the_interrupt_line() {
    let (mut d, mut rig) = bank();
    d.set_control(0, control::ELSE | 3 << 6);
    assert!(!d.irq());
    d.log(0, error(Class::Critical, 0, 3), 0x40, 1);
    assert!(d.irq() && d.take_signals().is_empty());
    rig.write(&mut d, at(0, 0), 8, control::ELSE | 3 << 6 | control::SINV);
    assert!(!d.irq());
}
