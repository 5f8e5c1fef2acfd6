//! A debugger's movements along a timeline: backwards finds what forwards passed, and both ways lead to the same state.

#![allow(clippy::unwrap_used)] // helpers of tests, which clippy takes for other code

use emu_core::board;
use emu_core::board::load::{Bios, File, Images};
use emu_core::engine::breaks::{Hit, Watchpoint};
use emu_core::machine::{EngineKind, Machine, MachineConfig, RunEnd};
use replay::debug::{self, Breakpoints, Moved};
use replay::ledger::FieldName;
use replay::timeline::{Options, Position, Timeline};

const TOUR: &[u8] = include_bytes!("../../roms/tour/tour.elf");

fn machine(harts: usize) -> Machine {
    let board = board::Config { harts, ram_size: 16 << 20, ..board::Config::default() };
    let images = Images { bios: Bios::None, kernel: Some(File { name: "tour.elf", bytes: TOUR }), ..Images::default() };
    let config = MachineConfig { board, engine: EngineKind::Block, quantum: 100 };
    Machine::new(config, Vec::new(), &images, None).unwrap()
}

fn timeline(harts: usize) -> Timeline {
    Timeline::new(machine(harts), Options { spacing: 700, ..Options::default() }).unwrap()
}

/// Runs forwards through all stops: positions, harts and why, and where the run ends.
fn all(t: &mut Timeline, pcs: &[u64], watched: &[Watchpoint]) -> Vec<(Position, usize, Hit)> {
    let mut told = None;
    let mut list = Vec::new();
    loop {
        let mut poll = || true;
        let mut f = Breakpoints::new(pcs, watched, &mut poll);
        f.told = told;
        match debug::forward(t, &mut f, 1000).unwrap() {
            Moved::Stopped(hart, hit) => {
                list.push((t.position(), hart, hit));
                told = debug::told(t, hart, true);
            }
            Moved::Going => {}
            Moved::End(RunEnd::PowerOff(0)) => return list,
            other => panic!("{other:?}"),
        }
    }
}

fn back(t: &mut Timeline, pcs: &[u64], watched: &[Watchpoint]) -> Moved {
    let mut poll = || true;
    let mut f = Breakpoints::new(pcs, watched, &mut poll);
    debug::back(t, &mut f).unwrap()
}

/// pcs that harts executed, the most frequent first.
fn frequent(harts: usize) -> Vec<u64> {
    let mut t = timeline(harts);
    let mut count = std::collections::BTreeMap::new();
    for n in 0..3000 {
        let mut poll = || true;
        let mut f = Breakpoints::new(&[], &[], &mut poll);
        let hart = n % harts;
        if debug::step(&mut t, hart, &mut f).unwrap() != Moved::Stopped(hart, Hit::Step) {
            break;
        }
        *count.entry(t.machine().harts()[hart].pc).or_insert(0) += 1;
    }
    let mut pcs: Vec<u64> = count.keys().copied().collect();
    pcs.sort_by_key(|p| std::cmp::Reverse(count[p]));
    pcs
}

#[test]
fn reverse_continue_finds_what_continue_passed_in_reverse_order() {
    for harts in [1, 2] {
        let pcs = frequent(harts);
        let set = [pcs[0], pcs[1], pcs[pcs.len() / 2]];
        let mut t = timeline(harts);
        let forwards = all(&mut t, &set, &[]);
        assert!(forwards.len() > 10, "{}", forwards.len());
        for (at, hart, hit) in forwards.iter().rev() {
            assert_eq!(back(&mut t, &set, &[]), Moved::Stopped(*hart, *hit), "{harts} harts");
            assert_eq!(t.position(), *at, "{harts} harts");
        }
        assert_eq!(back(&mut t, &set, &[]), Moved::Begin);
        assert_eq!(t.position().instret, 0);
    }
}

#[test]
fn reverse_watchpoints_stop_behind_the_access() {
    // Any store of the run.
    let mut t = timeline(1);
    let everything = [Watchpoint { first: 0x8000_0000, last: 0x8000_ffff, load: false, store: true }];
    let stores = all(&mut t, &[], &everything);
    assert!(!stores.is_empty());
    let (at, _, hit) = stores[stores.len() / 2];
    let Hit::Watchpoint { address, .. } = hit else { panic!("{hit:?}") };
    let watch = [Watchpoint { first: address, last: address, load: false, store: true }];
    let mut behind = timeline(1);
    let forwards = all(&mut behind, &[], &watch);
    assert!(forwards.iter().any(|f| f.0 == at));
    for (at, ..) in forwards.iter().rev() {
        assert!(matches!(back(&mut behind, &[], &watch), Moved::Stopped(0, Hit::Watchpoint { .. })));
        assert!(behind.position() > *at);
        assert_eq!(debug::step_back(&mut behind, 0).unwrap(), Moved::Stopped(0, Hit::Step));
        assert_eq!(behind.position(), *at, "one step more undoes the access");
    }
    assert_eq!(back(&mut behind, &[], &watch), Moved::Begin);
}

#[test]
fn n_steps_back_and_n_forwards_lead_to_the_same_state() {
    for harts in [1, 3] {
        let mut t = timeline(harts);
        t.seek_instret(0, 2500).unwrap();
        let start = t.position();
        let hash = t.inspect(|m| m.state_hash());
        let hart = harts - 1;
        let mut hashes = Vec::new();
        for _ in 0..300 {
            hashes.push(t.inspect(|m| m.register_hash()));
            assert_eq!(debug::step_back(&mut t, hart).unwrap(), Moved::Stopped(hart, Hit::Step));
        }
        assert!(t.position() < start);
        for before in hashes.iter().rev() {
            let mut poll = || true;
            let mut f = Breakpoints::new(&[], &[], &mut poll);
            assert_eq!(debug::step(&mut t, hart, &mut f).unwrap(), Moved::Stopped(hart, Hit::Step));
            if hart == 0 {
                assert_eq!(t.inspect(|m| m.register_hash()), *before);
            }
        }
        // The last step leads to where the hart's last step before the start ended.
        t.seek(start).unwrap();
        assert_eq!(t.inspect(|m| m.state_hash()), hash);
    }
}

#[test]
fn the_ledger_of_the_past_is_told_from_anywhere() {
    let mut t = timeline(1);
    let _ = all(&mut t, &[], &[]);
    let end = t.position();
    let last = debug::recent(&mut t, 5, |_| true, &mut |_| {}).unwrap();
    assert_eq!(last.len(), 5);
    assert_eq!(t.position(), end);
    let field = FieldName::new("mcause").unwrap();
    let (entry, before, after) = debug::why(&mut t, 0, &field, &mut |_| {}).unwrap().unwrap();
    assert!(entry.instret() <= end.instret && before != after);
    assert_eq!(after, t.machine().harts()[0].csr.mcause);
    // Before that, something else had changed it.
    t.seek_instret(0, entry.instret() - 1).unwrap();
    let earlier = debug::why(&mut t, 0, &field, &mut |_| {}).unwrap();
    assert!(earlier.is_none_or(|e| e.0.instret() < entry.instret() && e.2 == before));
}
