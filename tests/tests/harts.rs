//! Machines of many harts and of harts whose ids have gaps: hart state management, interrupts between harts and remote fences on all.

#![allow(clippy::unwrap_used)] // helpers of tests, which clippy takes for other code

use emu_core::board::load::{Bios, File, Images};
use emu_core::board::{self, map};
use emu_core::machine::{EngineKind, Machine, MachineConfig, RunEnd};
use replay::ledger::{Entry, Ledger};
use sbi_model::Sbi;

const PROGRAM: &[u8] = include_bytes!("../../roms/smp/harts.elf");
/// Where the program looks for the number of harts and their ids.
const TABLE: u64 = map::RAM + 0x30_0000;

fn machine(engine: EngineKind, ids: &[u64]) -> Machine {
    let board = board::Config { harts: ids.len(), hart_ids: ids.to_vec(), ram_size: 16 << 20, ..board::Config::default() };
    let images = Images { bios: Bios::Native, kernel: Some(File { name: "harts.elf", bytes: PROGRAM }), ..Images::default() };
    let config = MachineConfig { board, engine, quantum: 1000 };
    let mut m = Machine::new(config, Vec::new(), &images, Some(Box::<Sbi>::default())).unwrap();
    let table: Vec<u8> = [ids.len() as u64].iter().chain(ids).flat_map(|v| v.to_le_bytes()).collect();
    assert!(m.bus_mut().ram.write_bytes(TABLE, &table, &mut Vec::new()));
    m
}

/// All harts start, answer an interrupt of their own and one to all, and the boot hart shuts down without a failure.
fn answers(ids: &[u64]) {
    let mut hashes = Vec::new();
    for engine in [EngineKind::Step, EngineKind::Block] {
        let mut m = machine(engine, ids);
        assert_eq!(m.run(200_000_000), RunEnd::PowerOff(0), "{engine:?} {ids:?}");
        assert_eq!(m.harts().iter().map(|h| h.csr.mhartid).collect::<Vec<_>>(), ids);
        assert!(m.harts().iter().all(|h| h.instret > 10), "every hart ran");
        hashes.push(m.state_hash());
    }
    assert_eq!(hashes[0], hashes[1], "both engines");
}

#[test]
fn thirty_two_harts_start_by_hsm_and_answer_ipis() {
    answers(&(0..32).collect::<Vec<_>>());
}

#[test]
fn harts_with_gaps_in_their_ids_start_by_hsm_and_answer_ipis() {
    answers(&[0, 2, 5, 9]);
    // More than 64 apart, so that no one mask names them all; and the boot hart's is not the lowest.
    answers(&[77, 3, 2049, 64]);
}

#[test]
fn thirty_two_harts_with_gaps() {
    answers(&(0..32).map(|i| 5 + 3 * i).collect::<Vec<_>>());
}

#[test]
fn records_call_a_hart_by_its_index_whatever_its_id() {
    let mut m = machine(EngineKind::Block, &[0, 9, 5]);
    let ledger = Ledger::new(1 << 16);
    m.set_observer(Box::new(ledger.clone()));
    assert_eq!(m.run(200_000_000), RunEnd::PowerOff(0));
    let entries = ledger.take();
    // The other harts, which have ids 9 and 5, take no trap in this program; their CSR instructions and what is done for them are told.
    assert!(entries.iter().all(|e| e.hart() < 3), "{:?}", entries.iter().find(|e| e.hart() >= 3));
    for hart in 0..3 {
        assert!(entries.iter().any(|e| e.hart() == hart && matches!(e, Entry::Write(_))), "hart {hart}");
    }
}
