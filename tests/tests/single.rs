//! Stepping one hart by itself: the same instructions and traps as a straight run, and others that stand still.

#![allow(clippy::unwrap_used)] // helpers of tests, which clippy takes for other code

use std::cell::RefCell;
use std::rc::Rc;

use emu_core::board::load::{Bios, File, Images};
use emu_core::board::{self, map};
use emu_core::dev::StateIo;
use emu_core::machine::{EngineKind, HartStep, Machine, MachineConfig, RunEnd};
use emu_core::observer::{CsrWrite, Observer};

const TOUR: &[u8] = include_bytes!("../../roms/tour/tour.elf");

fn machine(harts: usize) -> Machine {
    let board = board::Config { harts, ram_size: 16 << 20, ..board::Config::default() };
    let images = Images { bios: Bios::None, kernel: Some(File { name: "tour.elf", bytes: TOUR }), ..Images::default() };
    Machine::new(MachineConfig { board, engine: EngineKind::Step, quantum: 1000 }, Vec::new(), &images, None).unwrap()
}

/// Everything a hart holds, in order.
#[derive(Default, PartialEq, Debug)]
struct Values(Vec<(&'static str, u64)>);

impl StateIo for Values {
    fn u64(&mut self, name: &'static str, v: &mut u64) {
        self.0.push((name, *v));
    }

    fn bytes(&mut self, _: &'static str, _: &mut Vec<u8>) {}
}

fn hart(m: &mut Machine, i: usize) -> Values {
    let mut v = Values::default();
    m.harts_mut()[i].state(&mut v);
    v
}

#[test]
fn steps_of_one_hart_are_those_of_a_straight_run() {
    let (mut straight, mut stepped) = (machine(1), machine(1));
    let (mut traps, mut done) = (0, false);
    while !done {
        match stepped.step_hart(0) {
            HartStep::Trapped => traps += 1,
            HartStep::End(end) => {
                assert_eq!(end, RunEnd::PowerOff(0));
                done = true;
            }
            HartStep::Retired | HartStep::Waiting => {}
        }
        if stepped.instret() % 97 == 0 && !done {
            assert_eq!(straight.run(stepped.cycles()), RunEnd::Limit);
            assert_eq!(hart(&mut straight, 0), hart(&mut stepped, 0));
        }
    }
    assert!(traps > 10, "only {traps} traps");
    assert_eq!(straight.run(u64::MAX), RunEnd::PowerOff(0));
    assert_eq!(straight.instret(), stepped.instret());
    assert_eq!(straight.take_console_output(), stepped.take_console_output());
}

#[test]
fn the_others_stand_still_and_lose_nothing() {
    let mut m = machine(2);
    let before = hart(&mut m, 1);
    for _ in 0..50 {
        assert_eq!(m.step_hart(0), HartStep::Retired);
    }
    assert_eq!(hart(&mut m, 1), before);
    assert_eq!(m.harts()[0].instret, 50);
    assert_eq!(m.step_hart(1), HartStep::Retired);
    assert_eq!(m.harts()[1].instret, 1);
    // The straight run lets the slow one catch up.
    assert_eq!(m.run(m.harts()[0].cycles), RunEnd::Limit);
    assert!(m.harts()[1].cycles >= 50);
}

#[derive(Clone, Default)]
struct Writes(Rc<RefCell<Vec<CsrWrite>>>);

impl Observer for Writes {
    fn csr_write(&mut self, w: &CsrWrite) {
        self.0.borrow_mut().push(w.clone());
    }
}

#[test]
fn observers_hear_of_csr_writes_with_pc_and_fields_on_both_engines() {
    let mut heard = Vec::new();
    for engine in [EngineKind::Step, EngineKind::Block] {
        let board = board::Config { ram_size: 16 << 20, ..board::Config::default() };
        let images = Images { bios: Bios::None, kernel: Some(File { name: "tour.elf", bytes: TOUR }), ..Images::default() };
        let mut m = Machine::new(MachineConfig { board, engine, quantum: 1000 }, Vec::new(), &images, None).unwrap();
        let writes = Writes::default();
        m.set_observer(Box::new(writes.clone()));
        assert_eq!(m.run(u64::MAX), RunEnd::PowerOff(0));
        let list: Vec<_> = writes.0.borrow().iter().map(|w| (w.instret, w.pc, w.mode, w.changes.clone())).collect();
        heard.push(list);
    }
    assert_eq!(heard[0], heard[1]);
    let mtvec = heard[0].iter().flat_map(|w| &w.3.0).find(|c| c.name() == "mtvec").unwrap();
    assert_eq!(mtvec.before, 0);
    assert!(mtvec.after > map::RAM);
}
