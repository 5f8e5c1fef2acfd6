//! A debugger's stops: exact on both engines, and without a trace in the guest.

#![allow(clippy::unwrap_used)] // helpers of tests, which clippy takes for other code

use emu_core::board;
use emu_core::board::load::{Bios, File, Images};
use emu_core::engine::breaks::{Hit, Watchpoint};
use emu_core::machine::{EngineKind, Machine, MachineConfig, RunEnd, Stop};
use replay::symbols::Symbols;

const TOUR: &[u8] = include_bytes!("../../roms/tour/tour.elf");
const ENGINES: [EngineKind; 2] = [EngineKind::Step, EngineKind::Block];

fn machine(harts: usize, engine: EngineKind) -> Machine {
    let board = board::Config { harts, ram_size: 16 << 20, ..board::Config::default() };
    let images = Images { bios: Bios::None, kernel: Some(File { name: "tour.elf", bytes: TOUR }), ..Images::default() };
    Machine::new(MachineConfig { board, engine, quantum: 100 }, Vec::new(), &images, None).unwrap()
}

/// pcs before each instruction of a straight run, and the hash at its end.
fn straight() -> (Vec<u64>, [u8; 32]) {
    let mut m = machine(1, EngineKind::Step);
    let mut pcs = Vec::new();
    loop {
        m.set_breaks(&[], &[]);
        m.set_step(0, 0, 0);
        pcs.push(m.harts()[0].pc);
        match m.run_until(&Stop::NEVER) {
            RunEnd::Break { hart: 0, hit: Hit::Step } => {}
            RunEnd::PowerOff(0) => break,
            end => panic!("{end:?}"),
        }
    }
    (pcs, m.state_hash())
}

#[test]
fn a_breakpoint_stops_before_each_arrival_and_changes_nothing() {
    let (pcs, hash) = straight();
    let mut end = machine(1, EngineKind::Block);
    assert_eq!(end.run(u64::MAX), RunEnd::PowerOff(0));
    assert_eq!(end.state_hash(), hash, "stepping changed something");
    let mut often = pcs.clone();
    often.sort_unstable();
    // An address that is executed many times, one in its middle, and one that is executed once.
    let most = *often.iter().max_by_key(|p| often.iter().filter(|q| q == p).count()).unwrap();
    for set in [vec![most], vec![pcs[pcs.len() / 2], most], vec![*pcs.last().unwrap()]] {
        let want = pcs.iter().filter(|p| set.contains(p)).count();
        for engine in ENGINES {
            let mut m = machine(1, engine);
            m.set_breaks(&set, &[]);
            let mut hits = 0;
            loop {
                match m.run_until(&Stop::NEVER) {
                    RunEnd::Break { hart: 0, hit: Hit::Breakpoint } => {
                        hits += 1;
                        assert!(set.contains(&m.harts()[0].pc));
                        // The same again while nothing has moved: told once.
                        m.set_breaks(&set, &[]);
                    }
                    RunEnd::PowerOff(0) => break,
                    end => panic!("{end:?}"),
                }
            }
            assert_eq!(hits, want, "{engine:?} {set:x?}");
            assert_eq!(m.state_hash(), hash, "{engine:?}");
        }
    }
}

/// Every load and store of the straight run: pc, address, size, store.
fn accesses() -> Vec<(u64, u64, u8, bool)> {
    let mut m = machine(1, EngineKind::Step);
    let all = [Watchpoint { first: 0, last: u64::MAX, load: true, store: true }];
    m.set_breaks(&[], &all);
    let mut list = Vec::new();
    loop {
        match m.run_until(&Stop::NEVER) {
            RunEnd::Break { hit: Hit::Watchpoint { .. }, .. } => {
                let pc = m.harts()[0].pc;
                let mut raw = [0; 4];
                let n = m.peek_virtual(0, pc, &mut raw);
                assert!(n >= 2);
                let raw = u32::from_le_bytes(raw);
                let insn = if raw & 3 == 3 { m.decoder().decode(raw, 4) } else { m.decoder().decode(raw & 0xffff, 2) };
                let a = emu_core::insn::footprint(&m.harts()[0], &insn).unwrap();
                list.push((pc, a.va, a.size, a.store));
            }
            RunEnd::PowerOff(0) => return list,
            end => panic!("{end:?}"),
        }
    }
}

#[test]
fn watchpoints_stop_before_the_access_on_both_engines() {
    let list = accesses();
    assert!(list.len() > 100, "{}", list.len());
    let (_, hash) = straight();
    // The widest load and the widest store, whole, and one byte in their middle.
    let widest = |store: bool| *list.iter().filter(|a| a.3 == store).max_by_key(|a| a.2).unwrap();
    for (_, va, size, stores) in [widest(true), widest(false)] {
        for (first, last) in [(va, va + u64::from(size) - 1), (va + u64::from(size) / 2, va + u64::from(size) / 2)] {
            for (load, store) in [(!stores, stores), (true, true)] {
                let meets =
                    |a: &&(u64, u64, u8, bool)| a.1 <= last && first < a.1 + u64::from(a.2) && (a.3 && store || !a.3 && load);
                let want: Vec<u64> = list.iter().filter(meets).map(|a| a.0).collect();
                assert!(!want.is_empty());
                for engine in ENGINES {
                    let mut m = machine(1, engine);
                    m.set_breaks(&[], &[Watchpoint { first, last, load, store }]);
                    let mut pcs = Vec::new();
                    loop {
                        match m.run_until(&Stop::NEVER) {
                            RunEnd::Break { hit: Hit::Watchpoint { address, .. }, .. } => {
                                assert!((first..=last).contains(&address));
                                pcs.push(m.harts()[0].pc);
                            }
                            RunEnd::PowerOff(0) => break,
                            end => panic!("{end:?}"),
                        }
                    }
                    assert_eq!(pcs, want, "{engine:?}");
                    assert_eq!(m.state_hash(), hash, "{engine:?}");
                }
            }
        }
    }
}

#[test]
fn one_hart_of_several_steps_while_the_others_take_their_turns() {
    let mut plain = machine(2, EngineKind::Block);
    assert_eq!(plain.run_until(&Stop { hart: Some((1, 500)), ..Stop::NEVER }), RunEnd::Limit);
    let mut m = machine(2, EngineKind::Block);
    let mut last = 0;
    while m.harts()[1].instret < 500 {
        m.set_breaks(&[], &[]);
        m.set_step(1, 0, 0);
        assert_eq!(m.run_until(&Stop::NEVER), RunEnd::Break { hart: 1, hit: Hit::Step });
        let now = m.harts()[1].instret;
        assert!(now <= last + 1);
        last = now;
    }
    assert_eq!(m.state_hash(), plain.state_hash());
}

#[test]
fn a_range_step_ends_when_the_range_is_left() {
    let mut m = machine(1, EngineKind::Block);
    let symbols = Symbols::of("tour.elf", TOUR).unwrap();
    let start = m.harts()[0].pc;
    assert!(symbols.at(start, |_| true).is_some());
    m.set_step(0, start, start + 8);
    assert_eq!(m.run_until(&Stop::NEVER), RunEnd::Break { hart: 0, hit: Hit::Step });
    let pc = m.harts()[0].pc;
    assert!(!(start..start + 8).contains(&pc), "{pc:#x}");
}

#[test]
fn peeking_changes_nothing_and_poking_drops_decoded_code() {
    let mut m = machine(1, EngineKind::Block);
    assert_eq!(m.run_for(u64::MAX, 2000), RunEnd::Limit);
    let hash = m.state_hash();
    let pc = m.harts()[0].pc;
    let mut code = [0; 4];
    assert_eq!(m.peek_virtual(0, pc, &mut code), 4);
    assert_eq!(m.peek_virtual(0, 0x1000_0000, &mut [0; 4]), 0, "a device is not read");
    assert_eq!(m.state_hash(), hash);
    // j . in the place of the present instruction: the hart stays there.
    assert!(m.poke_virtual(0, pc, &[0x6f, 0, 0, 0]));
    assert_eq!(m.run_for(u64::MAX, 2500), RunEnd::Limit);
    assert_eq!(m.harts()[0].pc, pc);
}
