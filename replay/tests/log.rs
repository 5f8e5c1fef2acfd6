//! What a log's reader refuses behind checksums that fit, and what it makes of a log that breaks off.
#![allow(missing_docs, clippy::unwrap_used)]

use replay::bytes::{CHECK, put};
use replay::framed::put_chunk;
use replay::log::{Decision, End, Header, Log, LogWriter, Parts, Position, Record};

const RECORDS: u8 = 1;
const STEP: u8 = 7;

fn writer() -> LogWriter<Vec<u8>> {
    LogWriter::new(Vec::new(), &Header::new("smp = 1\n".into(), Vec::new())).unwrap()
}

fn at(cycles: u64, instret: u64) -> Position {
    Position { cycles, instret, exact: false }
}

/// The log with one more chunk, whose checksum fits.
fn with_chunk(mut log: Vec<u8>, payload: &[u8]) -> Vec<u8> {
    let mut before = [0; CHECK];
    before.copy_from_slice(&log[log.len() - CHECK..]);
    put_chunk(&mut log, &before, RECORDS, payload);
    log
}

/// The payload of a record of steps of hart 0 at position 0.
fn steps(count: u64) -> Vec<u8> {
    let mut p = vec![STEP, 0, 0];
    put(&mut p, 0);
    put(&mut p, count);
    p
}

#[test]
fn a_record_has_at_most_2_to_the_20_steps() {
    let read = |count| Log::read(&with_chunk(writer().into_inner(), &steps(count)));
    let most = 1 << 20;
    assert_eq!(read(most).unwrap().records[0].what, Decision::Step { hart: 0, count: most });
    assert!(read(most + 1).unwrap_err().to_string().contains("steps in one record"));
}

#[test]
fn nothing_follows_the_footer() {
    let whole = writer().finish(&End { at: at(0, 0), reason: "test".into(), hash: [1; 32], parts: Parts::default() }).unwrap();
    assert!(Log::read(&whole).is_ok());
    assert!(Log::read(&with_chunk(whole, &steps(1))).unwrap_err().to_string().contains("after the footer"));
}

#[test]
fn the_last_position_that_a_log_knows_is_the_footers_the_last_records_or_after_a_reboot_0() {
    let log = |records: &[(Position, Decision)], end: Option<Position>| {
        let mut w = writer();
        records.iter().for_each(|(at, what)| w.record(&Record { at: *at, what: what.clone() }).unwrap());
        w.flush().unwrap();
        let bytes = match end {
            Some(at) => w.finish(&End { at, reason: "test".into(), hash: [0; 32], parts: Parts::default() }).unwrap(),
            None => w.into_inner(),
        };
        Log::read(&bytes).unwrap()
    };
    let typed = (at(700, 600), Decision::Input(b"x".to_vec()));
    let reboot = (at(900, 800), Decision::Reboot);
    assert_eq!(log(&[], None).last(), at(0, 0));
    assert_eq!(log(std::slice::from_ref(&typed), None).last(), at(700, 600));
    assert_eq!(log(std::slice::from_ref(&typed), Some(at(1000, 900))).last(), at(1000, 900));
    let rebooted = log(&[typed.clone(), reboot, typed], None);
    assert_eq!(rebooted.records[2].at, at(700, 600), "positions count from the reboot");
    assert_eq!(log(&[(at(700, 600), Decision::Reboot)], None).last(), at(0, 0));
}
