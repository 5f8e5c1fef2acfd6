//! A run moved along in both directions: every position is one state, however and on whichever engine it is reached.

#![allow(clippy::unwrap_used)] // helpers of tests, which clippy takes for other code

mod random;

use std::rc::Rc;

use emu_core::machine::{EngineKind, Machine, RunEnd, Stop};
use replay::log::Decision;
use replay::timeline::{Each, Halt, Options, Position, Timeline};

use random::{DATA, ENGINES, Random, machine, program};

fn options() -> Options {
    Options { spacing: 400, poll: 150, ..Options::default() }
}

fn timeline(m: Machine) -> Timeline {
    Timeline::new(m, options()).unwrap()
}

fn hash(t: &mut Timeline) -> [u8; 32] {
    t.inspect(Machine::state_hash)
}

/// Positions with their states: the run, with decisions on the way, told by going forwards once.
fn told(t: &mut Timeline, r: &mut Random, end: u64) -> Vec<(Position, [u8; 32])> {
    let mut all = vec![(t.position(), hash(t))];
    loop {
        let next = Position { elapsed: t.position().elapsed + 1 + r.below(300) as u64, ..t.position() };
        let halt = t.run_forward(Some(next), &mut ()).unwrap();
        match r.below(6) {
            0 => t.decide(Decision::Input(vec![b'a' + r.below(26) as u8; 1 + r.below(9)])).unwrap(),
            1 => t
                .decide(Decision::Inject { name: "memory".into(), args: vec![DATA + 8 * r.below(64) as u64, 8, r.next()] })
                .unwrap(),
            2 => {
                let hart = r.below(t.machine().harts().len()) as u64;
                t.decide(Decision::Inject { name: "msip".into(), args: vec![hart, r.below(2) as u64] }).unwrap();
            }
            _ => {}
        }
        all.push((t.position(), hash(t)));
        if halt != Halt::There || t.position().elapsed >= end {
            return all;
        }
    }
}

#[test]
fn a_position_is_one_state_from_any_checkpoint_in_any_order_on_both_engines() {
    let mut r = Random(0x71e);
    for round in 0..12 {
        let code = program(&mut r, 400);
        let (harts, quantum) = ([1, 3][round % 2], [40, 700][round / 2 % 2]);
        let mut t = timeline(machine(ENGINES[round % 2], harts, quantum, &code));
        let all = told(&mut t, &mut r, 9_000);
        for _ in 0..40 {
            let (p, h) = all[r.below(all.len())];
            t.seek(p).unwrap();
            assert_eq!((t.position(), t.position().instret), (p, p.instret), "program {round}");
            assert_eq!(hash(&mut t), h, "program {round}, {harts} harts, at {p:?}");
            // Steps of the other engine from here reach the same.
            t.inspect(|m| m.set_engine(ENGINES[r.below(2)]));
        }
    }
}

#[test]
fn stopping_at_a_position_leaves_no_trace() {
    let mut r = Random(0x57a);
    for round in 0..12 {
        let code = program(&mut r, 400);
        let harts = [1, 4][round % 2];
        for engine in ENGINES {
            let mut straight = machine(engine, harts, 90, &code);
            let mut stopped = machine(engine, harts, 90, &code);
            straight.run(3_000);
            let end = straight.elapsed();
            while stopped.elapsed() < end {
                let elapsed = (stopped.elapsed() + 1 + r.below(60) as u64).min(end);
                if stopped.run_until(&Stop { elapsed, cycles: 3_000, ..Stop::NEVER }) != RunEnd::Limit {
                    break;
                }
            }
            stopped.run(3_000);
            assert_eq!(straight.state_hash(), stopped.state_hash(), "program {round} on {engine:?}");
        }
    }
}

#[test]
fn steps_back_and_forth_end_where_they_began() {
    let mut r = Random(0x57e9);
    for round in 0..10 {
        let code = program(&mut r, 400);
        let harts = [1, 3][round % 2];
        let mut t = timeline(machine(ENGINES[round / 2 % 2], harts, 60, &code));
        told(&mut t, &mut r, 4_000);
        let end = t.position();
        for _ in 0..12 {
            t.seek(Position { elapsed: r.below(end.elapsed as usize) as u64, ..end }).unwrap();
            let hart = r.below(harts);
            if t.step_forward(hart, 1, &mut ()).unwrap() != Halt::There {
                continue;
            }
            let (p, h) = (t.position(), hash(&mut t));
            let n = 1 + r.below(30) as u64;
            match t.step_back(hart, n).unwrap() {
                Halt::There => {}
                Halt::Start => continue,
                other => panic!("{other:?}"),
            }
            assert!(t.position() < p);
            assert_eq!(t.step_forward(hart, n, &mut ()).unwrap(), Halt::There);
            assert_eq!((t.position(), hash(&mut t)), (p, h), "program {round}, hart {hart}, {n} steps");
        }
    }
}

#[test]
fn going_back_finds_the_last_of_what_going_forth_finds() {
    let mut r = Random(0xbac4);
    let mut hits = 0;
    for round in 0..10 {
        let code = program(&mut r, 300);
        let mut t = timeline(machine(ENGINES[round % 2], [1, 2][round / 2 % 2], 80, &code));
        told(&mut t, &mut r, 5_000);
        let end = t.position();
        let value = |m: &mut Machine| m.harts()[0].pc >> 2 & 31 == 7;
        let first = t.checkpoints()[0];
        t.seek(first).unwrap();
        let mut all = Vec::new();
        while t.run_forward(Some(end), &mut Each(value)).unwrap() == Halt::Found && t.position() < end {
            all.push(t.position());
        }
        t.seek(end).unwrap();
        for expected in all.iter().rev().take(30) {
            assert_eq!(t.run_back(None, &mut Each(value)).unwrap(), Halt::Found);
            assert_eq!(t.position(), *expected, "program {round}");
            hits += 1;
        }
        if all.len() <= 30 {
            assert_eq!(t.run_back(None, &mut Each(value)).unwrap(), Halt::Start);
            assert_eq!(t.position(), first);
        }
    }
    assert!(hits > 20, "{hits}");
}

#[test]
fn a_change_becomes_part_of_the_run_and_ends_the_old_future() {
    let code = program(&mut Random(5), 300);
    let mut t = timeline(machine(EngineKind::Block, 2, 100, &code));
    t.decide(Decision::Input(b"early".to_vec())).unwrap();
    t.seek(Position { elapsed: 2_000, ..Position::default() }).unwrap();
    t.decide(Decision::Input(b"late".to_vec())).unwrap();
    t.seek(Position { elapsed: 1_000, ..Position::default() }).unwrap();
    assert_eq!(t.to_come(), 1);
    t.machine_mut().harts_mut()[0].x[9] = 0x1234;
    t.seek(Position { elapsed: 1_500, ..Position::default() }).unwrap();
    assert_eq!(t.to_come(), 0);
    let (p, h) = (t.position(), hash(&mut t));
    for back in [1_000, 999, 0] {
        t.seek(Position { elapsed: back, ..Position::default() }).unwrap();
        let poked = t.machine().harts()[0].x[9] == 0x1234;
        assert_eq!(poked, back == 1_000, "at {back}");
        t.seek(p).unwrap();
        assert_eq!(hash(&mut t), h);
    }
}

#[test]
fn a_decision_that_cannot_enter_leaves_the_future_as_it_was() {
    let code = program(&mut Random(6), 300);
    let mut t = timeline(machine(EngineKind::Block, 2, 100, &code));
    t.seek(Position { elapsed: 2_000, ..Position::default() }).unwrap();
    t.decide(Decision::Input(b"late".to_vec())).unwrap();
    t.seek(Position { elapsed: 3_000, ..Position::default() }).unwrap();
    let (end, after) = (t.position(), hash(&mut t));
    t.seek(Position { elapsed: 1_000, ..Position::default() }).unwrap();
    let before = (t.position(), hash(&mut t));
    for (name, args) in [("nothing", vec![]), ("msip", vec![0]), ("msip", vec![7, 1]), ("x", vec![0, 0, 1])] {
        assert!(t.decide(Decision::Inject { name: name.into(), args }).is_err(), "{name}");
        assert_eq!((t.to_come(), t.position(), hash(&mut t)), (1, before.0, before.1), "{name}");
    }
    t.seek(end).unwrap();
    assert_eq!(hash(&mut t), after);
}

#[test]
fn checkpoints_stay_within_their_memory_and_are_closer_near_the_present() {
    let code = program(&mut Random(11), 400);
    let m = machine(EngineKind::Block, 1, 1_000, &code);
    let one = timeline(machine(EngineKind::Block, 1, 1_000, &code)).checkpoint_memory();
    let memory = 12 * one;
    let mut t = Timeline::new(m, Options { spacing: 100, poll: 100, memory, boot: None }).unwrap();
    t.seek(Position { elapsed: 60_000, ..Position::default() }).unwrap();
    assert!(t.checkpoint_memory() <= memory, "{}", t.checkpoint_memory());
    let points = t.checkpoints();
    assert!((6..=12).contains(&points.len()), "{points:?}");
    assert_eq!(points[0].elapsed, 0);
    let gap = |i: usize| points[i + 1].instret - points[i].instret;
    let widest = (0..points.len() - 1).map(gap).max().unwrap();
    assert!(gap(points.len() - 2) * 8 < widest, "{points:?}");
}

#[test]
fn a_checkpoint_counts_what_each_of_its_harts_holds() {
    let code = program(&mut Random(12), 100);
    let size = |harts| timeline(machine(EngineKind::Block, harts, 100, &code)).checkpoint_memory();
    // A fork's harts have translations of their own from the beginning.
    assert!(size(4) - size(1) >= 3 * size_of::<emu_core::mmu::Bank>() as u64);
}

/// What is printed is printed once, although parts of the run are run again.
#[test]
fn output_comes_once() {
    const TOUR: &[u8] = include_bytes!("../../roms/tour/tour.elf");
    use emu_core::board::load::{Bios, File, Images};
    let board = emu_core::board::Config { ram_size: 16 << 20, ..emu_core::board::Config::default() };
    let images = Images { bios: Bios::None, kernel: Some(File { name: "tour.elf", bytes: TOUR }), ..Images::default() };
    let config = emu_core::machine::MachineConfig { board, engine: EngineKind::Block, quantum: 1000 };
    let new = || Machine::new(config.clone(), Vec::new(), &images, None).unwrap();
    let mut straight = new();
    assert_eq!(straight.run(u64::MAX), RunEnd::PowerOff(0));
    let text = straight.take_console_output();
    let mut t = timeline(new());
    let mut seen = Vec::new();
    let mut r = Random(3);
    loop {
        let at = t.position().elapsed;
        t.seek(Position { elapsed: (at + 700).saturating_sub(r.below(900) as u64), ..Position::default() }).unwrap();
        let back = t.position().elapsed.saturating_sub(400);
        seen.extend(t.take_output());
        let halt = t.run_forward(Some(Position { elapsed: back + 800, ..Position::default() }), &mut ()).unwrap();
        seen.extend(t.take_output());
        if halt == Halt::End(RunEnd::PowerOff(0)) {
            break;
        }
    }
    assert_eq!(String::from_utf8_lossy(&seen), String::from_utf8_lossy(&text));
    assert_eq!(hash(&mut t), straight.state_hash());
    // A guest that ends stays ended, and the way back is open.
    assert_eq!(t.step_forward(0, 1, &mut ()).unwrap(), Halt::End(RunEnd::PowerOff(0)));
    assert_eq!(t.step_back(0, 3).unwrap(), Halt::There);
    assert_eq!(t.run_forward(None, &mut ()).unwrap(), Halt::End(RunEnd::PowerOff(0)));
}

#[test]
fn a_reboot_is_passed_in_both_directions() {
    let code = program(&mut Random(5), 300);
    // Every hart asks for a reset through the finisher when it gets there.
    let code: Vec<u32> = code.into_iter().take(40).chain([0x0010_0337, 0x0000_73b7, 0x7773_8393, 0x0073_2023]).collect();
    let new = move || machine(EngineKind::Block, 1, 100, &code);
    let again = new.clone();
    let boot: replay::timeline::Boot = Rc::new(move || Ok(again()));
    let mut t = Timeline::new(new(), Options { boot: Some(boot), ..options() }).unwrap();
    let target = Position { boot: 2, elapsed: 30, instret: 0 };
    assert_eq!(t.run_forward(Some(target), &mut ()).unwrap(), Halt::There);
    let h = hash(&mut t);
    let back = Position { boot: 0, elapsed: 30, instret: 0 };
    assert_eq!(t.seek(back).unwrap(), Halt::There);
    assert_eq!(t.position().boot, 0);
    assert_eq!(hash(&mut t), h, "each boot is the same");
    assert_eq!(t.seek(target).unwrap(), Halt::There);
    assert_eq!((t.position().boot, hash(&mut t)), (2, h));
}
