//! Questions about a run have the answers that going through it step by step gives.

#![allow(clippy::unwrap_used)] // helpers of tests, which clippy takes for other code

mod random;

use emu_core::machine::Machine;
use emu_csr::{Cause, table};
use replay::ledger::{Entry, FieldName};
use replay::query::{self, Register, What};
use replay::timeline::{Halt, Options, Position, Timeline};

use random::{DATA, ENGINES, Random, machine, program};

/// A run of so many cycles, at its end.
fn run(round: usize, harts: usize, r: &mut Random, end: u64) -> Timeline {
    let code = program(r, 300);
    let options = Options { spacing: 900, poll: 500, ..Options::default() };
    let mut t = Timeline::new(machine(ENGINES[round % 2], harts, 70, &code), options).unwrap();
    t.seek(Position { elapsed: end, ..Position::default() }).unwrap();
    t
}

/// Every position of a run up to the present one, in order, with a value there.
fn walk<T>(t: &mut Timeline, value: impl Fn(&Machine) -> T) -> Vec<(Position, T)> {
    let end = t.position();
    let start = t.checkpoints()[0];
    t.seek(start).unwrap();
    let mut all = vec![(start, value(t.machine()))];
    while t.position() < end {
        let next = Position { elapsed: t.position().elapsed + 1, ..start };
        if t.run_forward(Some(next), &mut ()).unwrap() != Halt::There {
            break;
        }
        all.push((t.position(), value(t.machine())));
    }
    t.seek(end).unwrap();
    all
}

#[test]
fn the_last_change_of_memory_is_found_by_its_physical_address() {
    let mut r = Random(0x9a11);
    let mut found = 0;
    for round in 0..8 {
        let mut t = run(round, [1, 2][round % 2], &mut r, 6_000);
        let end = t.position();
        // Doublewords that the run has changed, and one that it has not.
        let start = t.checkpoints()[0];
        t.seek(start).unwrap();
        let base = t.machine().fork().unwrap();
        t.seek(end).unwrap();
        let mut changed = vec![DATA + 0x10_0000];
        t.machine().bus().ram.for_each_difference(&base.bus().ram, &mut |pa, here, there| {
            let words = here.chunks(8).zip(there.chunks(8)).enumerate().filter(|(_, (a, b))| a != b);
            changed.extend(words.map(|(i, _)| pa + 8 * i as u64));
        });
        for _ in 0..4 {
            let pa = changed[r.below(changed.len())];
            let all = walk(&mut t, |m| m.bus().ram.read(pa, 8));
            let expected = all.windows(2).rev().find(|w| w[0].1 != w[1].1);
            let answer = query::physical_writer(&mut t, pa, &mut |_| {}).unwrap();
            assert_eq!(answer.as_ref().map(|a| a.at), expected.map(|w| w[0].0), "program {round}, {pa:#x}");
            if let (Some(a), Some(w)) = (answer, expected) {
                found += 1;
                assert_eq!(t.position(), w[0].0);
                assert!(matches!(a.what, What::Value { before, after, .. } if (Some(before), Some(after)) == (w[0].1, w[1].1)));
                assert!(a.hart.is_some());
            }
            t.seek(end).unwrap();
        }
    }
    assert!(found > 4, "{found}");
}

#[test]
fn the_last_writer_of_a_register_is_its_instruction() {
    let mut r = Random(0x4e9);
    for round in 0..6 {
        let harts = [1, 2][round % 2];
        let mut t = run(round, harts, &mut r, 3_000);
        let end = t.position();
        for register in [5, 9, 31] {
            let hart = r.below(harts);
            let all = walk(&mut t, |m| m.harts()[hart].x[register]);
            let changed = all.windows(2).rev().find(|w| w[0].1 != w[1].1).map(|w| w[0].0);
            let answer = query::register_writer(&mut t, hart, Register::X(register), &mut |_| {}).unwrap();
            // It may have been written with the value it had after that, never only before.
            match (answer, changed) {
                (Some(a), Some(c)) => assert!(a.at >= c, "program {round}, x{register}: {:?} is before {c:?}", a.at),
                (None, Some(c)) => panic!("program {round}, x{register} changed at {c:?}"),
                (_, None) => {}
            }
            t.seek(end).unwrap();
        }
    }
}

#[test]
fn traps_are_found_in_both_directions_and_csr_writers_with_them() {
    let mut r = Random(0x7a9);
    for round in 0..4 {
        let mut t = run(round, 1, &mut r, 4_000);
        let end = t.position();
        let trap = |e: &Entry| matches!(e, Entry::Trap(_));
        let last = query::entry(&mut t, false, &trap, &mut |_| {}).unwrap().expect("random programs trap");
        let What::Entry(e) = &last.what else { panic!() };
        let Entry::Trap(e) = &**e else { panic!() };
        assert_eq!(t.position(), last.at);
        match e.cause {
            // Entered behind the instruction that was executed last.
            Cause::Interrupt(_) => assert!(t.machine().harts()[0].instret < e.instret),
            Cause::Exception(_) => assert_eq!(t.machine().harts()[0].pc, e.pc),
        }
        // From just before it, it is the next one.
        let next = query::entry(&mut t, true, &trap, &mut |_| {}).unwrap().unwrap();
        assert_eq!((next.at, next.pc), (last.at, last.pc));
        // The first position with the trap's pc is not after it.
        t.seek(end).unwrap();
        let pc = last.pc;
        let first = query::first(&mut t, &mut |m| m.harts()[0].pc == pc).unwrap().unwrap();
        assert!(first.at <= last.at);
        t.seek(end).unwrap();
        let writer = query::csr_writer(&mut t, 0, &FieldName::new("mcause").unwrap(), &mut |_| {}).unwrap();
        assert!(writer.is_none_or(|w| w.at <= last.at), "nothing writes mcause after the last trap but a CSR instruction");
        t.seek(end).unwrap();
        assert!(query::first(&mut t, &mut |_| false).unwrap().is_none());
        assert_eq!(t.position(), end);
    }
}

/// A place in words leads to the very state, also between an exception and the handler's first instruction, at which as many instructions
/// have been retired.
#[test]
fn places_are_exact() {
    let mut r = Random(0x91ace);
    let mut later = 0;
    for round in 0..4 {
        let mut t = run(round, [1, 3][round % 2], &mut r, 3_000);
        let end = t.position();
        for _ in 0..20 {
            t.seek(Position { elapsed: r.below(end.elapsed as usize) as u64, ..end }).unwrap();
            let (at, hash) = (t.position(), t.inspect(Machine::state_hash));
            let place = t.place().unwrap();
            assert_eq!((t.position(), t.inspect(Machine::state_hash)), (at, hash), "it looks and stays");
            later += u64::from(place.more > 0);
            t.seek(end).unwrap();
            assert_eq!(t.seek_place(place).unwrap(), Halt::There);
            assert_eq!((t.position(), t.inspect(Machine::state_hash)), (at, hash), "program {round}, {place}");
        }
    }
    assert!(later > 4, "{later} of 80 are not the first of their instruction");
}

/// The last change of each of these registers, as going through the run step by step finds it, whether an instruction, a trap, a
/// floating-point operation or a timer made it, and whatever the register's name.
#[test]
fn what_changed_a_csr_last_is_found_whoever_did_it() {
    let mut r = Random(0xc5a);
    let (mut silent, mut named) = (0, 0);
    for round in 0..6 {
        let harts = [1, 2][round % 2];
        let mut t = run(round, harts, &mut r, 4_000);
        let end = t.position();
        for name in [
            "mcause",
            "mepc",
            "mstatus",
            "mstatus.FS",
            "sstatus",
            "mie",
            "sie",
            "mip",
            "sip",
            "fcsr",
            "fflags",
            "frm",
            "mscratch",
        ] {
            let hart = r.below(harts);
            let (number, field) = (table::by_name(name.split('.').next().unwrap()).unwrap(), FieldName::new(name).unwrap());
            let value = |m: &Machine| {
                let h = &m.harts()[hart];
                field.of(h.csr.peek(number, &h.now(m.bus())).unwrap_or(0))
            };
            let all = walk(&mut t, |m| (value(m), m.harts()[hart].cycles));
            let expected = all.windows(2).rev().find(|w| w[0].1.0 != w[1].1.0);
            let answer = query::csr_writer(&mut t, hart, &field, &mut |_| {}).unwrap();
            match (&answer, expected) {
                (Some(a), Some(w)) => {
                    let by_entry = matches!(a.what, What::Entry(_));
                    (silent, named) = (silent + usize::from(!by_entry), named + usize::from(by_entry));
                    // The hart's moment; others may have gone on in between.
                    let (cycles, before) = (t.machine().harts()[hart].cycles, value(t.machine()));
                    assert!(a.at <= w[0].0 && cycles == w[0].1.1, "program {round}, {name}: {:?}, and it is {:?}", a.at, w[0].0);
                    assert_eq!(before, w[0].1.0, "program {round}, {name}: as it was");
                }
                (None, None) => {}
                (a, e) => panic!("program {round}, {name}: {:?} for {e:?}", a.as_ref().map(|a| a.at)),
            }
            t.seek(end).unwrap();
        }
    }
    assert!(silent > 4 && named > 10, "{silent} {named}");
}
