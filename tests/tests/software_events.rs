//! A software event on a whole machine: the records that firmware gives to an observer, and schedules that pause its operations.

#![allow(clippy::unwrap_used, clippy::disallowed_types)] // helpers of tests, which clippy takes for other code

use std::cell::RefCell;
use std::rc::Rc;

use emu_core::board;
use emu_core::board::load::{Bios, File, Images};
use emu_core::machine::{EngineKind, Machine, MachineConfig, RunEnd};
use emu_core::observer::{FwRecord, Observer, TrapEntry, TrapReturn};
use sbi_model::profile::Profile;
use sbi_model::{Config, Sbi};

const PROGRAM: &[u8] = include_bytes!("../../roms/sse/spv-stale.elf");

fn machine(engine: EngineKind, profile: &str) -> Machine {
    let board = board::Config { harts: 2, ram_size: 16 << 20, ..board::Config::default() };
    let images = Images { bios: Bios::Native, kernel: Some(File { name: "spv-stale.elf", bytes: PROGRAM }), ..Images::default() };
    let firmware = Sbi::new(Config::new(Profile::find(profile).unwrap()));
    Machine::new(MachineConfig { board, engine, quantum: 1000 }, Vec::new(), &images, Some(Box::new(firmware))).unwrap()
}

#[derive(Clone, Default)]
struct Seen(Rc<RefCell<Vec<(String, FwRecord)>>>);

impl Observer for Seen {
    fn trap(&mut self, _: &TrapEntry) {}
    fn ret(&mut self, _: &TrapReturn) {}
    fn firmware(&mut self, r: &FwRecord) {
        self.0.borrow_mut().push((format!("{} {}", r.kind, r.name), r.clone()));
    }
}

fn field(r: &FwRecord, name: &str) -> (u64, u64) {
    let f = r.fields.iter().find(|f| f.name == name).unwrap();
    (f.before, f.after)
}

#[test]
fn injection_and_completion_are_recorded_with_every_field_they_change() {
    for (profile, spv, v) in [("spec", (1, 0), (0, 0)), ("opensbi-1.9", (1, 1), (0, 1))] {
        let seen = Seen::default();
        let mut m = machine(EngineKind::Block, profile);
        m.set_observer(Box::new(seen.clone()));
        assert!(matches!(m.run(10_000_000), RunEnd::PowerOff(_)));
        let records = seen.0.borrow();
        let names: Vec<_> = records.iter().map(|(n, _)| n.as_str()).collect();
        let want = [
            "sse registered",
            "call sbi_sse_register",
            "sse enabled",
            "call sbi_sse_enable",
            "sse unmask",
            "call sbi_sse_hart_unmask",
            "sse signal",
            "call sbi_sse_inject",
            "sse inject",
            "sse completed",
            "sse complete",
            "call sbi_sse_complete",
            "call sbi_debug_console_write",
            "call sbi_system_reset",
        ];
        assert_eq!(names, want, "{profile}");
        let inject = &records.iter().find(|(n, _)| n == "sse inject").unwrap().1;
        assert_eq!(field(inject, "hstatus.SPV"), spv, "{profile}: what is wrong is in the record");
        assert_eq!((field(inject, "event_id").0, inject.hart), (0xffff_0000, 0));
        let complete = &records.iter().find(|(n, _)| n == "sse complete").unwrap().1;
        assert_eq!(field(complete, "V"), v, "{profile}");
        let (from, to) = field(inject, "pc");
        let (back_from, back) = field(complete, "pc");
        assert!(to != from && back == from && back_from > to, "{profile}");
    }
}

#[test]
fn calls_are_recorded_with_arguments_result_and_changed_csrs() {
    let seen = Seen::default();
    let mut m = machine(EngineKind::Block, "spec");
    m.set_observer(Box::new(seen.clone()));
    m.run(10_000_000);
    let records = seen.0.borrow();
    let register = &records.iter().find(|(n, _)| n == "call sbi_sse_register").unwrap().1;
    assert_eq!(field(register, "fid"), (2, 2));
    assert_eq!((field(register, "event_id").0, field(register, "error").0), (0xffff_ffff_ffff_0000, 0));
    let (mepc, next) = field(register, "mepc");
    assert_eq!(next, mepc + 4);
    assert!(register.fields.iter().all(|f| f.name != "sepc"), "it changes no other");
}

#[test]
fn a_schedule_that_pauses_operations_changes_when_and_not_what() {
    for profile in ["spec", "opensbi-1.9"] {
        let end = |engine, pause: Option<u64>| {
            let mut m = machine(engine, profile);
            if let Some(p) = pause {
                m.inject("pause", &[p]).unwrap();
            }
            let end = m.run(10_000_000);
            (end, m.take_console_output(), m.harts()[0].cycles, m.state_hash())
        };
        let plain = end(EngineKind::Step, None);
        for pause in [1, 70, 5000] {
            let (step, block) = (end(EngineKind::Step, Some(pause)), end(EngineKind::Block, Some(pause)));
            assert!(step == block, "{profile}: engines differ with a pause of {pause}");
            assert_eq!((&step.0, &step.1), (&plain.0, &plain.1), "{profile}");
            assert!(step.2 > plain.2, "{profile}: pauses take time");
        }
    }
}
