//! Schedules that are not the round-robin's are decisions: pauses between the steps of firmware's operations, and steps that one hart makes
//! alone. A log has them, and both engines make the same run of it.

#![allow(clippy::unwrap_used)] // helpers of tests, which clippy takes for other code

use emu_core::board;
use emu_core::board::load::{Bios, File, Images};
use emu_core::machine::{EngineKind, Machine, MachineConfig, RunEnd};
use replay::log::{Decision, End, Header, Log, LogWriter, Parts, Position, Record, assemble, dump};
use replay::play::{Outcome, apply, replay};
use replay::timeline::{Halt, Options, Timeline};
use sbi_model::profile::Profile;
use sbi_model::{Config, Sbi};

const ENGINES: [EngineKind; 2] = [EngineKind::Step, EngineKind::Block];
/// Two harts, whose events and calls meet.
const PROGRAM: &[u8] = include_bytes!("../../roms/sse/nesting.elf");

fn machine(engine: EngineKind) -> Machine {
    let board = board::Config { harts: 2, ram_size: 16 << 20, ..board::Config::default() };
    let images = Images { bios: Bios::Native, kernel: Some(File { name: "nesting.elf", bytes: PROGRAM }), ..Images::default() };
    let firmware = Sbi::new(Config::new(Profile::find("spec").unwrap()));
    Machine::new(MachineConfig { board, engine, quantum: 1000 }, Vec::new(), &images, Some(Box::new(firmware))).unwrap()
}

/// A run with this schedule, a part of 500 instructions each: its log, how far it was from the round-robin's end, and its last state.
fn record(engine: EngineKind, schedule: &[Decision]) -> (Vec<u8>, [u8; 32]) {
    let mut m = machine(engine);
    let mut w = LogWriter::new(Vec::new(), &Header::new("test = 1\n".into(), Vec::new())).unwrap();
    for what in schedule {
        let r = Record { at: Position { exact: true, ..Position::of(&m) }, what: what.clone() };
        assert!(apply(&mut m, &r).unwrap());
        w.record(&r).unwrap();
        assert_eq!(m.run_for(u64::MAX, m.instret() + 500), RunEnd::Limit);
    }
    assert!(matches!(m.run(u64::MAX), RunEnd::PowerOff(0)));
    let hash = m.state_hash();
    let end = End { at: Position::of(&m), reason: "test".into(), hash, parts: Parts::all(&mut m) };
    (w.finish(&end).unwrap(), hash)
}

#[test]
fn pauses_and_steps_of_one_hart_are_recorded_and_replayed_on_both_engines() {
    let pause = |cycles| Decision::Inject { name: "pause".into(), args: vec![cycles] };
    let step = |hart, count| Decision::Step { hart, count };
    let schedules =
        [vec![], vec![pause(7)], vec![pause(300), step(1, 40), pause(0), step(0, 3)], vec![step(0, 100), pause(1), step(1, 100)]];
    let mut hashes = Vec::new();
    for (n, schedule) in schedules.iter().enumerate() {
        let (bytes, hash) = record(ENGINES[n % 2], schedule);
        hashes.push(hash);
        let log = Log::read(&bytes).unwrap();
        assert_eq!(assemble(&dump(&log)).unwrap(), bytes);
        for engine in ENGINES {
            let mut m = machine(engine);
            let outcome = replay(&mut m, &log, &mut || panic!("no reboot"), 777, &mut |_| true).unwrap();
            assert!(matches!(outcome, Outcome::Same { whole: true, hash: h, .. } if h == hash), "{n} {engine:?}: {outcome:?}");
            // Along a timeline, whose checkpoints are made in the middle of it.
            let options = Options { spacing: 300, ..Options::default() };
            let mut t = Timeline::replaying(machine(engine), &log, options).unwrap();
            t.run_forward(None, &mut ()).unwrap();
            t.seek_instret(0, 700).unwrap();
            let halt = t.run_forward(None, &mut ()).unwrap();
            assert!(matches!(halt, Halt::End(RunEnd::PowerOff(0)) | Halt::Recorded(_)), "{halt:?}");
            assert_eq!(t.inspect(|m| m.state_hash()), hash, "{n} {engine:?}");
        }
    }
    for (i, h) in hashes.iter().enumerate() {
        assert!(!hashes[..i].contains(h), "schedule {i} is a run of its own");
    }
}
