//! Poisoned memory on whole machines: who consumes it, what cures it, what the error bank says of it, and that both engines agree.

#![allow(clippy::unwrap_used)] // helpers of tests, which clippy takes for other code

use emu_core::board::load::{Bios, File, Images};
use emu_core::board::{self, map};
use emu_core::dev::Reri;
use emu_core::dev::reri::{control, status};
use emu_core::machine::{EngineKind, Machine, MachineConfig};

mod small;
use small::{BASE, CODE, DATA, ENGINES, HANDLER, op, put};

/// A machine with an error bank, on a program that handles an exception by stepping over what trapped; x30 counts, and x29 is the sum of
/// the causes.
fn machine(engine: EngineKind, code: &[u32]) -> Machine {
    let board = board::Config { ras: true, ram_size: 16 << 20, ..board::Config::default() };
    let images = Images { bios: Bios::None, kernel: Some(File { name: "pass.elf", bytes: BASE }), ..Images::default() };
    let mut m = Machine::new(MachineConfig { board, engine, quantum: 100 }, Vec::new(), &images, None).unwrap();
    let handler = [
        op("csrrs", 31, 0, 0, 0x341),
        op("addi", 31, 31, 0, 4),
        op("csrrw", 0, 31, 0, 0x341),
        op("csrrs", 31, 0, 0, 0x342),
        op("add", 29, 29, 31, 0),
        op("addi", 30, 30, 0, 1),
        op("mret", 0, 0, 0, 0),
    ];
    put(&mut m, HANDLER, &handler);
    put(&mut m, CODE, code);
    let h = &mut m.harts_mut()[0];
    (h.pc, h.csr.mtvec, h.x[10]) = (CODE, HANDLER, DATA);
    let bank = m.bus_mut().device::<Reri>().unwrap();
    (0..2).for_each(|i| bank.set_control(i, control::ELSE | 1 << 2 | 1 << 4 | 3 << 6));
    m
}

/// Runs code with the line at DATA + 64 poisoned, on both engines: exceptions, sum of causes, x11.
fn run(code: &[u32]) -> (u64, u64, u64) {
    let mut code = code.to_vec();
    code.push(op("jal", 0, 0, 0, 0));
    let mut seen = Vec::new();
    for engine in ENGINES {
        let mut m = machine(engine, &code);
        m.bus_mut().ram.write_bytes(DATA, &[7; 256], &mut Vec::new());
        m.run(50);
        // In the middle of a run, when pages are cached already: the first instructions read the page.
        let h = &mut m.harts_mut()[0];
        (h.pc, h.x[10], h.x[11], h.x[29], h.x[30]) = (CODE, DATA, 0, 0, 0);
        m.inject("poison", &[DATA + 64, 64]).unwrap();
        m.run(5_000);
        let h = &m.harts()[0];
        seen.push(((h.x[30], h.x[29], h.x[11]), m.state_hash()));
    }
    assert_eq!(seen[0], seen[1], "both engines");
    seen[0].0
}

#[test]
fn loads_atomics_and_misaligned_accesses_consume_and_stores_do_not() {
    assert_eq!(run(&[op("ld", 11, 10, 0, 64)]), (1, 19, 0));
    assert_eq!(run(&[op("ld", 11, 10, 0, 56)]).0, 0, "the line before");
    assert_eq!(run(&[op("ld", 11, 10, 0, 128)]).0, 0, "the line behind");
    assert_eq!(run(&[op("ld", 11, 10, 0, 60)]), (1, 19, 0), "misaligned, its second half");
    assert_eq!(run(&[op("sd", 0, 10, 5, 64), op("lbu", 11, 10, 0, 65)]), (1, 19, 0), "a store heals no line");
    let at = op("addi", 10, 10, 0, 64);
    assert_eq!(run(&[at, op("amoadd.d", 11, 10, 5, 0)]), (1, 19, 0));
    assert_eq!(run(&[at, op("lr.d", 11, 10, 0, 0)]), (1, 19, 0));
}

#[test]
fn zeroing_the_whole_line_cures_it() {
    let at = op("addi", 10, 10, 0, 64);
    let zero = op("cbo.zero", 0, 10, 0, 0);
    assert_eq!(run(&[at, op("ld", 11, 10, 0, 0), zero, op("addi", 11, 0, 0, 9), op("ld", 11, 10, 0, 8)]), (1, 19, 0));
}

#[test]
fn a_fetch_consumes_and_so_does_a_page_table_walk() {
    for engine in ENGINES {
        let mut m = machine(engine, &[op("addi", 11, 11, 0, 1), op("addi", 0, 0, 0, 0), op("jal", 0, 0, 0, -8)]);
        m.run(1_000);
        let before = m.harts()[0].x[11];
        assert!(before > 10);
        m.inject("poison", &[CODE, 1]).unwrap();
        m.run(1_004);
        let h = &m.harts()[0];
        assert_eq!((h.csr.mcause, h.csr.mtval & !15, h.csr.mepc & !15), (19, CODE, CODE), "{engine:?}");
        m.inject("unpoison", &[CODE, 1]).unwrap();
        m.run(3_000);
        assert!(m.harts()[0].x[11] > before + 10, "{engine:?}");
    }
    // One Sv39 root whose first entry would map the low gigabyte.
    for engine in ENGINES {
        let mut m = machine(engine, &[op("ld", 11, 10, 0, 0), op("jal", 0, 0, 0, 0)]);
        let root = map::RAM + 0x8_0000;
        m.bus_mut().ram.write_bytes(root, &[0xcf; 8], &mut Vec::new());
        let h = &mut m.harts_mut()[0];
        h.x[10] = 0x1000;
        h.csr.satp = 8 << 60 | root >> 12;
        // MPRV with MPP = S, to whom all memory is open.
        (h.csr.pmpaddr[0], h.csr.pmpcfg[0]) = (u64::MAX, 0x1f);
        h.csr.mstatus |= 1 << 17 | 1 << 11;
        h.recontext();
        m.inject("poison", &[root, 8]).unwrap();
        m.run(3);
        let h = &m.harts()[0];
        assert_eq!((h.csr.mcause, h.csr.mtval), (19, 0x1000), "{engine:?}");
        let bank = m.bus_mut().device::<Reri>().unwrap();
        assert_eq!(bank.status(1) >> status::TT & 7, 6, "an implicit read");
    }
}

#[test]
fn the_harts_record_names_the_line_and_memorys_what_is_injected() {
    let mut m = machine(EngineKind::Block, &[op("ld", 11, 10, 0, 72), op("jal", 0, 0, 0, 0)]);
    m.inject("poison", &[DATA + 64, 64]).unwrap();
    m.run(100);
    let mut read = |n: u64| m.bus_mut().read(map::RERI + n, 8, 0).unwrap();
    let s = read(64 + 64 + 8);
    assert_eq!(s & (15 | status::C), status::V | status::UEC | status::C);
    assert_eq!((s >> 24 & 255, s >> 12 & 15, s >> 8 & 7), (2, 1, 4), "corrected data access, SPA, explicit read");
    assert_eq!(read(64 + 64 + 16), DATA + 64);
    assert_eq!(read(64 + 8) & 1, 0);
    m.inject("error", &[0, 1, 0x8765_4340]).unwrap();
    assert_eq!(m.bus_mut().read(map::RERI + 64 + 16, 8, 0), Ok(0x8765_4340));
    for bad in [[2, 1, 0], [0, 4, 0]] {
        assert!(m.inject("error", &bad).is_err());
    }
    assert!(m.inject("poison", &[0x1000, 1]).is_err() && m.inject("poison", &[DATA, 0]).is_err());
}

#[test]
fn poison_is_state_that_a_saved_machine_has_too() {
    let mut m = machine(EngineKind::Block, &[op("jal", 0, 0, 0, 0)]);
    m.run(100);
    let clean = m.state_hash();
    m.inject("poison", &[DATA, 1]).unwrap();
    let poisoned = m.state_hash();
    assert_ne!(clean, poisoned);
    assert_eq!(m.fork().unwrap().state_hash(), poisoned);
    m.inject("unpoison", &[DATA, 1]).unwrap();
    assert_eq!(m.state_hash(), clean);
}
