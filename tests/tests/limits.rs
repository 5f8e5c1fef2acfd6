//! Stopping at an instruction count: exact with any number of harts, the same state on both engines, and no trace of it when the machine
//! goes on.

#![allow(clippy::unwrap_used)] // helpers of tests, which clippy takes for other code

use emu_core::board::load::{Bios, File, Images};
use emu_core::board::{self, map};
use emu_core::insn::{Fields, by_name};
use emu_core::machine::{EngineKind, Machine, MachineConfig, RunEnd};

const CODE: u64 = map::RAM + 0x1_0000;

/// Harts that add to one counter with LR and SC, and their number to another with an AMO.
fn program() -> Vec<u8> {
    let asm = |name: &str, rd, rs1, rs2, imm| by_name(name).unwrap().encode(Fields { rd, rs1, rs2, imm, ..Fields::default() });
    let words = [
        asm("csrrs", 5, 0, 0, 0xf14),
        asm("auipc", 6, 0, 0, 0x1_0000),
        asm("addi", 5, 5, 0, 1),
        asm("lr.w", 7, 6, 0, 0),
        asm("addi", 7, 7, 0, 1),
        asm("sc.w", 28, 6, 7, 0),
        asm("bne", 0, 28, 0, -12),
        asm("addi", 29, 6, 0, 8),
        asm("amoadd.w", 30, 29, 5, 0),
        asm("jal", 0, 0, 0, -24),
    ];
    words.iter().flat_map(|w| w.to_le_bytes()).collect()
}

fn machine(engine: EngineKind, harts: usize) -> Machine {
    let board = board::Config { harts, ram_size: 16 << 20, ..board::Config::default() };
    let code = program();
    let images = Images { bios: Bios::File(File { name: "program", bytes: &code }), ..Images::default() };
    let mut m = Machine::new(MachineConfig { board, engine, quantum: 700 }, Vec::new(), &images, None).unwrap();
    assert!(m.bus_mut().ram.write_bytes(CODE, &code, &mut Vec::new()));
    for h in m.harts_mut() {
        h.pc = CODE;
    }
    m
}

#[test]
fn the_limit_is_exact_with_any_number_of_harts_and_the_same_state_on_both_engines() {
    for harts in [1, 2, 4, 7] {
        let (mut t0, mut t1) = (machine(EngineKind::Step, harts), machine(EngineKind::Block, harts));
        for limit in [1, 2, 699, 700, 701, 1_500, 4_242, 30_011] {
            for m in [&mut t0, &mut t1] {
                assert_eq!(m.run_for(u64::MAX, limit), RunEnd::Limit);
                assert_eq!(m.instret(), limit, "{harts} harts");
            }
            assert_eq!(t0.state_hash(), t1.state_hash(), "{harts} harts at {limit}");
        }
    }
}

#[test]
fn a_machine_that_was_stopped_goes_on_as_if_it_had_not_been() {
    for harts in [1, 4] {
        let (mut straight, mut stopped) = (machine(EngineKind::Block, harts), machine(EngineKind::Block, harts));
        straight.run_for(u64::MAX, 50_000);
        for limit in (0..50_000).step_by(37).chain([50_000]) {
            stopped.run_for(u64::MAX, limit);
        }
        assert_eq!(straight.state_hash(), stopped.state_hash(), "{harts} harts");
    }
}

/// A reservation lives as long as its hart's turn does, whether or not somebody looks at the machine meanwhile.
#[test]
fn a_stop_between_lr_and_sc_does_not_end_the_reservation() {
    let mut m = machine(EngineKind::Step, 2);
    // Hart 0 has its first turn: LR is its fourth instruction.
    m.run_for(u64::MAX, 4);
    assert!(m.harts()[0].reservation.is_some());
    m.run_for(u64::MAX, 6);
    assert_eq!(m.harts()[0].x[28], 0, "SC failed");
}

#[test]
fn a_limit_that_is_reached_already_runs_nothing() {
    let mut m = machine(EngineKind::Block, 2);
    m.run_for(u64::MAX, 10);
    let hash = m.state_hash();
    assert_eq!(m.run_for(u64::MAX, 10), RunEnd::Limit);
    assert_eq!(m.run_for(u64::MAX, 3), RunEnd::Limit);
    assert_eq!(m.state_hash(), hash);
}
