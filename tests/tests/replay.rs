//! Recording and replaying: the same decisions give the same run, on either engine, also from a fork or a saved state in the middle.

#![allow(clippy::unwrap_used)] // helpers of tests, which clippy takes for other code

mod random;

use emu_core::dev::state::{Restorer, Saver};
use emu_core::machine::{Machine, MachineConfig, RunEnd, Stop};
use replay::diff::{diff, first_difference, same};
use replay::log::{Decision, End, Header, Log, LogWriter, Parts, Position, Record, assemble, dump};
use replay::play::{Outcome, replay as play};
use replay::timeline::{self, Halt, Options, Timeline};

use random::{DATA, ENGINES, Random, config, drives, machine, program};

/// A machine saved as bytes and pages and restored into a blank one.
fn through_bytes(m: &mut Machine, config: MachineConfig) -> Machine {
    let mut s = Saver::default();
    m.visit_saved(&mut s);
    let mut n = Machine::blank(config, drives(), None).unwrap();
    let mut r = Restorer::new(&s.0);
    n.visit_saved(&mut r);
    assert!(r.complete(), "all bytes are used and none is missing");
    let mut pages = Vec::new();
    m.bus().ram.for_each_page(&mut |pa, p| pages.push((pa, *p)));
    for (pa, p) in pages {
        n.bus_mut().ram.write_bytes(pa, &p, &mut Vec::new());
    }
    n.restored();
    n
}

#[test]
fn a_fork_and_a_restored_machine_go_on_as_if_nothing_had_happened() {
    let mut r = Random(0x5eed);
    for round in 0..24 {
        let code = program(&mut r, 500);
        let (harts, quantum) = ([1, 3][round % 2], [50, 1000][round / 2 % 2]);
        let (cut, end) = (r.below(4000) as u64, 6000);
        for engine in ENGINES {
            let mut straight = machine(engine, harts, quantum, &code);
            let mut m = machine(engine, harts, quantum, &code);
            let stop = Stop { instret: cut, cycles: end, ..Stop::NEVER };
            straight.console_input(b"typed");
            m.console_input(b"typed");
            m.run_until(&stop);
            let mut fork = m.fork().unwrap();
            let mut restored = through_bytes(&mut m, config(engine, harts, quantum, 16 << 20));
            assert!(same(&mut m, &mut restored), "program {round}: {:#?}", diff(&mut m, &mut restored, 5));
            let ends: Vec<RunEnd> = [&mut straight, &mut m, &mut fork, &mut restored].map(|m| m.run(end)).into();
            let hashes = [&mut straight, &mut m, &mut fork, &mut restored].map(|m| m.state_hash());
            assert!(ends.iter().all(|e| *e == ends[0]), "program {round}, {engine:?}, {harts} harts: {ends:?}");
            let texts = ["went on", "fork", "restored"];
            for (other, text) in [&mut m, &mut fork, &mut restored].into_iter().zip(texts) {
                let d = diff(&mut straight, other, 5);
                assert!(d.is_empty(), "program {round}, cut {cut}, {engine:?}, {harts} harts, {text}: {d:#?}");
            }
            assert!(hashes.iter().all(|h| *h == hashes[0]));
        }
    }
}

#[test]
fn a_stop_at_a_harts_instruction_is_exact_and_changes_nothing() {
    let mut r = Random(77);
    for engine in ENGINES {
        let code = program(&mut r, 400);
        let mut straight = machine(engine, 3, 200, &code);
        let mut m = machine(engine, 3, 200, &code);
        for n in [1, 57, 58, 903] {
            assert_eq!(m.run_until(&Stop { hart: Some((1, n)), ..Stop::NEVER }), RunEnd::Limit);
            assert_eq!(m.harts()[1].instret, n);
        }
        straight.run(20_000);
        m.run(20_000);
        assert_eq!(straight.state_hash(), m.state_hash());
    }
}

/// Records a run with random input at random times, sliced at random; its log's bytes.
fn record(r: &mut Random, m: &mut Machine, end: u64) -> Vec<u8> {
    let mut w = LogWriter::new(Vec::new(), &Header::new("test = 1\n".into(), Vec::new())).unwrap();
    while m.cycles() < end {
        let stop = (m.cycles() + 1 + r.below(900) as u64).min(end);
        let what = match r.below(5) {
            0 => Decision::Input(vec![b'a' + r.below(26) as u8; 1 + r.below(20)]),
            1 => Decision::Inject { name: "memory".into(), args: vec![DATA + 8 * r.below(64) as u64, 8, r.next()] },
            2 => Decision::Mark([0; 32]),
            3 => Decision::Parts(Parts::default()),
            _ => Decision::State([0; 32]),
        };
        if r.below(2) == 0 {
            m.run(stop);
        } else {
            m.run_until(&Stop { instret: m.instret() + r.below(500) as u64, cycles: end, ..Stop::NEVER });
        }
        // Both kinds of position name this moment only if the run stopped there, so the kind follows from how it did.
        let exact = m.cycles() < stop || m.harts().len() > 1 && m.harts().iter().any(|h| h.cycles != m.cycles());
        let mut at = Position::of(m);
        at.exact = exact;
        let what = match what {
            Decision::Mark(_) => Decision::Mark(m.mark_hashes().0),
            Decision::State(_) => Decision::State(m.state_hash()),
            Decision::Parts(_) => Decision::Parts(Parts::of(m)),
            other => other,
        };
        let rec = Record { at, what };
        if !rec.what.is_witness() {
            assert!(replay::play::apply(m, &rec).unwrap());
        }
        w.record(&rec).unwrap();
        if r.below(3) == 0 {
            w.flush().unwrap();
        }
    }
    let at = Position::of(m);
    w.finish(&End { at, reason: "test".into(), hash: m.state_hash(), parts: Parts::all(m) }).unwrap()
}

fn replayed(m: &mut Machine, log: &Log) -> Outcome {
    play(m, log, &mut || panic!("no reboot was recorded"), 777, &mut |_| true).unwrap()
}

#[test]
fn random_programs_inputs_and_quanta_replay_alike_on_both_engines() {
    let mut r = Random(0x1065);
    for round in 0..16 {
        let code = program(&mut r, 500);
        let quantum = [30, 500, 10_000][r.below(3)];
        let bytes = record(&mut r, &mut machine(ENGINES[round % 2], 1, quantum, &code), 12_000);
        let log = Log::read(&bytes).unwrap();
        let mut hashes = Vec::new();
        for engine in ENGINES {
            let mut m = machine(engine, 1, quantum, &code);
            match replayed(&mut m, &log) {
                Outcome::Same { whole: true, hash, .. } => hashes.push(hash),
                other => panic!("program {round} on {engine:?}: {other:?}"),
            }
        }
        assert_eq!(hashes[0], hashes[1]);
        assert_eq!(assemble(&dump(&log)).map(|b| Log::read(&b).unwrap()).unwrap(), log);
    }
}

/// Several harts; one of them powers the machine off in the middle of a round, when the cycle is still that of the round's beginning.
#[test]
fn a_run_that_ends_in_the_middle_of_a_round_is_replayed_to_its_end() {
    // mhartid; harts but the last go round for ever, the last one counts down and powers off through the finisher.
    let code = [0xf140_2573, 0x0020_0593, 0x00b5_0463, 0x0000_006f, 0x0320_0293, 0xfff2_8293, 0xfe02_9ee3];
    let off = [0x0010_0337, 0x0000_53b7, 0x5553_8393, 0x0073_2023];
    let code: Vec<u32> = code.into_iter().chain(off).collect();
    for engine in ENGINES {
        let mut m = machine(engine, 3, 1000, &code);
        let mut w = LogWriter::new(Vec::new(), &Header::new("test = 1\n".into(), Vec::new())).unwrap();
        w.record(&Record { at: Position::of(&m), what: Decision::Input(b"x".to_vec()) }).unwrap();
        m.console_input(b"x");
        assert!(matches!(m.run(u64::MAX), RunEnd::PowerOff(_)));
        assert!(m.harts().iter().any(|h| h.cycles > m.cycles()), "it ended in the middle");
        let bytes = w
            .finish(&End { at: Position::of(&m), reason: "test".into(), hash: m.state_hash(), parts: Parts::all(&mut m) })
            .unwrap();
        let log = Log::read(&bytes).unwrap();
        match replayed(&mut machine(engine, 3, 1000, &code), &log) {
            Outcome::Same { whole: true, hash, .. } => assert_eq!(hash, m.state_hash()),
            other => panic!("{engine:?}: {other:?}"),
        }
        let mut t = Timeline::replaying(machine(engine, 3, 1000, &code), &log, Options::default()).unwrap();
        assert!(matches!(t.run_forward(None, &mut ()).unwrap(), Halt::End(RunEnd::PowerOff(_)) | Halt::Recorded(_)));
        assert_eq!(t.inspect(|m| m.state_hash()), m.state_hash());
    }
}

/// A build that differs is one whose machine has something else in one place; only the hashes of the recording are there to tell which.
#[test]
fn a_recording_of_another_build_names_the_parts_that_differ() {
    let mut r = Random(0x9a27);
    let code = program(&mut r, 500);
    let new = || machine(ENGINES[0], 2, 300, &code);
    let mut m = new();
    let mut w = LogWriter::new(Vec::new(), &Header::new("test = 1\n".into(), Vec::new())).unwrap();
    for cycles in [1000, 2000] {
        m.run(cycles);
        let at = Position::of(&m);
        w.record(&Record { at, what: Decision::Parts(Parts::of(&mut m)) }).unwrap();
        w.record(&Record { at, what: Decision::Mark(m.register_hash()) }).unwrap();
    }
    m.run(3000);
    let end = End { at: Position::of(&m), reason: "test".into(), hash: m.state_hash(), parts: Parts::all(&mut m) };
    let log = Log::read(&w.finish(&end).unwrap()).unwrap();
    assert_eq!(assemble(&dump(&log)).map(|b| Log::read(&b).unwrap()).unwrap(), log);
    assert!(matches!(replayed(&mut new(), &log), Outcome::Same { whole: true, marks: 5, .. }));
    let what = |m: &mut Machine| match replayed(m, &log) {
        Outcome::Differs(d) => d.what,
        other => panic!("{other:?}"),
    };
    // A register of the second hart that the program does not use.
    let mut other = new();
    other.harts_mut()[1].csr.mscratch = 77;
    assert_eq!(what(&mut other), "the state of hart 1");
    // Memory that it does not use is in the last hashes only.
    let mut other = new();
    let top = other.bus().ram.base() + other.bus().ram.size() - 8;
    assert!(other.poke_physical(top, &[1]));
    let said = what(&mut other);
    let range = said.strip_prefix("the final state hash, in memory ").unwrap_or_else(|| panic!("{said}"));
    let (first, last) = range.split_once('-').unwrap();
    let number = |t: &str| u64::from_str_radix(t.trim_start_matches("0x"), 16).unwrap();
    assert!((number(first)..=number(last)).contains(&top) && number(last) - number(first) < (1 << 20), "{said}");
}

/// Decisions, not only ends, may lie where a machine with several harts ended in the middle of a round: here a reboot.
#[test]
fn a_reboot_in_the_middle_of_a_round_is_replayed_and_forgets_the_good_positions_before_it() {
    // mhartid; all harts but one go round for ever, and that one counts down and reboots through the finisher. If it is hart 0, the cycle is
    // that of the round's beginning.
    for (engine, one) in ENGINES.into_iter().flat_map(|e| [(e, 0u32), (e, 2)]) {
        let code = [0xf140_2573, one << 20 | 0x593, 0x00b5_0463, 0x0000_006f, 0x0320_0293, 0xfff2_8293, 0xfe02_9ee3];
        let reset = [0x0010_0337, 0x0000_73b7, 0x7773_8393, 0x0073_2023];
        let code: Vec<u32> = code.into_iter().chain(reset).collect();
        let new = || machine(engine, 3, 1000, &code);
        let mut m = new();
        let mut w = LogWriter::new(Vec::new(), &Header::new("test = 1\n".into(), Vec::new())).unwrap();
        w.record(&Record { at: Position::of(&m), what: Decision::State(m.state_hash()) }).unwrap();
        assert_eq!(m.run(u64::MAX), RunEnd::Reset);
        assert!(m.harts().iter().any(|h| h.cycles > m.cycles()), "it ended in the middle");
        w.record(&Record { at: Position::of(&m), what: Decision::Reboot }).unwrap();
        w.flush().unwrap();
        let bytes = w.into_inner();
        let replayed = |log: &Log| play(&mut new(), log, &mut || Ok(new()), 777, &mut |_| true).unwrap();
        let mut log = Log::read(&bytes).unwrap();
        assert!(matches!(replayed(&log), Outcome::Same { whole: false, marks: 1, .. }), "{engine:?}");
        // A witness of the machine after the reboot that does not hold: nothing before it was of that machine.
        log.records.push(Record { at: Position::default(), what: Decision::State([0; 32]) });
        match replayed(&log) {
            Outcome::Differs(d) => assert_eq!((d.record, d.good, d.bad), (2, None, Position::default())),
            other => panic!("{other:?}"),
        }
    }
}

/// A recorded run moved along at random ends as it was recorded, and all its witnesses hold.
#[test]
fn a_timeline_of_a_recording_ends_as_it_was_recorded() {
    let mut r = Random(0x7123);
    for round in 0..12 {
        let code = program(&mut r, 500);
        let harts = [1, 1, 3][round % 3];
        let mut m = machine(ENGINES[round % 2], harts, 300, &code);
        let bytes = record(&mut r, &mut m, 9_000);
        let log = Log::read(&bytes).unwrap();
        let options = Options { spacing: 700, poll: 300, ..Options::default() };
        let new = machine(ENGINES[(round + 1) % 2], harts, 300, &code);
        let mut t = Timeline::replaying(new, &log, options).unwrap();
        for _ in 0..20 {
            let elapsed = r.below(9_000 * harts) as u64;
            t.seek(timeline::Position { elapsed, ..Default::default() }).unwrap();
        }
        assert_eq!(t.run_forward(None, &mut ()).unwrap(), Halt::Recorded("test".into()));
        assert_eq!(t.inspect(|m| m.state_hash()), log.end.clone().unwrap().hash, "program {round}");
        assert_eq!(t.broken(), None);
    }
}

/// A word that a program reads at a known instruction is another one in the second machine.
#[test]
fn the_first_difference_is_at_the_instruction_that_reads_what_differs() {
    // x5 counts to 100; then x6 is loaded from the data and x7 doubles it.
    let code = [0x0640_0293, 0xfff2_8293, 0xfe02_9ee3, 0x0000_b303, 0x0063_03b3, 0x0000_006f];
    let retired_before_the_load = 1 + 100 * 2;
    for harts in [1, 2] {
        let (mut a, mut b) = (machine(ENGINES[0], harts, 1000, &code), machine(ENGINES[1], harts, 1000, &code));
        for m in [&mut a, &mut b] {
            m.harts_mut().iter_mut().for_each(|h| h.x[1] = DATA);
        }
        let stop = Stop { instret: 900, ..Stop::NEVER };
        assert_eq!(first_difference(&a, &b, &stop, 4).unwrap(), None, "two engines, one run");
        assert!(b.inject("memory", &[DATA, 8, 0x1234]).is_ok());
        // They differ already, so the memory is told of beside what follows from it.
        let first = first_difference(&a, &b, &stop, 4).unwrap().unwrap();
        assert_eq!(first.instret, 0);
        // The same but for what the load finds when it gets there.
        let (a, mut b) = (machine(ENGINES[0], harts, 1000, &code), machine(ENGINES[1], harts, 1000, &code));
        b.harts_mut()[0].x[1] = DATA + 8;
        let mut a2 = a.fork().unwrap();
        a2.harts_mut()[0].x[1] = DATA;
        let d = diff(&mut a2, &mut b, 4);
        assert_eq!(d.iter().map(|d| d.field.as_str()).collect::<Vec<_>>(), ["x1"]);
        assert_eq!(d[0].part, "hart 0");
    }
    // A defect that shows late: hart 0 of the second machine has another timer, which its program reads after the loop.
    let code = [0x0640_0293, 0xfff2_8293, 0xfe02_9ee3, 0xc010_2373, 0x0063_03b3, 0x0000_006f];
    let (a, mut b) = (machine(ENGINES[1], 1, 1000, &code), machine(ENGINES[1], 1, 1000, &code));
    b.bus_mut().clock.timebase_hz = 5_000_000;
    let first = first_difference(&a, &b, &Stop { instret: 5_000, ..Stop::NEVER }, 4).unwrap();
    // The clock's rate is configuration, so nothing differs until somebody reads the time.
    let first = first.unwrap();
    assert_eq!(first.instret, retired_before_the_load, "{first:?}");
    assert!(first.fields.iter().any(|f| f.part == "hart 0" && f.field == "x6"), "{:?}", first.fields);
    assert_eq!(first.pcs, [random::CODE + 12]);
}
