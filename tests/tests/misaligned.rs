//! Harts that refuse misaligned accesses, with firmware that carries them out: the supervisor sees what it sees on harts that do them,
//! through its own translation and privilege, and both engines agree.

#![allow(clippy::unwrap_used)] // tests

mod small;

use emu_core::board;
use emu_core::board::load::{Bios, File, Images};
use emu_core::machine::{EngineKind, Machine, MachineConfig};
use sbi_model::{Config, Sbi};
use small::*;

/// Page tables: the root, and what it has for the first GiB.
const TABLES: u64 = DATA + 0x1_0000;
/// Two pages next to each other in virtual memory and apart in physical memory, and behind them one that may only be read.
const VIRTUAL: u64 = 0x1000;
const SECOND: u64 = DATA + 0x3000;
const READ_ONLY: u64 = DATA + 0x5000;

fn machine(engine: EngineKind, trap_misaligned: bool) -> Machine {
    let board = board::Config { trap_misaligned, ram_size: 16 << 20, ..board::Config::default() };
    let images = Images { bios: Bios::Native, kernel: Some(File { name: "pass.elf", bytes: BASE }), ..Images::default() };
    let config = MachineConfig { board, engine, quantum: 1000 };
    let mut m = Machine::new(config, Vec::new(), &images, Some(Box::new(Sbi::new(Config::default())))).unwrap();
    let mut write = |at: u64, v: u64| m.bus_mut().ram.write(at, 8, v, &mut Vec::new());
    let (leaf, rw) = (|pa: u64, bits: u64| pa >> 12 << 10 | bits, 0xc7);
    write(TABLES, leaf(TABLES + 0x1000, 1));
    write(TABLES + 16, leaf(0x8000_0000, 0xcf));
    write(TABLES + 0x1000, leaf(TABLES + 0x2000, 1));
    for (i, pte) in [leaf(DATA, rw), leaf(SECOND, rw), leaf(READ_ONLY, 0xc3), leaf(DATA, rw | 0x10)].into_iter().enumerate() {
        write(TABLES + 0x2000 + 8 * (1 + i as u64), pte);
    }
    for page in [DATA, SECOND, READ_ONLY] {
        (0..512).for_each(|i| write(page + 8 * i, (page + 8 * i).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    }
    m
}

/// What a supervisor can see of a run: its registers and the pages.
fn run(trap_misaligned: bool) -> (Vec<u64>, Vec<u8>, u64) {
    // x8 is 16 bytes before the end of the first page, x9 of the second. x28 sums causes and x29 addresses of exceptions, x30 counts them.
    let code = [
        op("ld", 11, 8, 0, 1),
        op("lw", 12, 8, 0, 14),
        op("lhu", 13, 8, 0, 15),
        op("lh", 14, 8, 0, 3),
        op("ld", 15, 8, 0, 9),
        op("sd", 0, 8, 8, 13),
        op("sw", 0, 8, 12, 22),
        op("sh", 0, 8, 13, 27),
        op("fld", 3, 8, 0, 11),
        op("fsd", 0, 8, 3, 35),
        op("amoadd.w", 16, 8, 15, 0),
        // Its second half lies where it may not write, and a page of user mode.
        op("sd", 0, 9, 8, 13),
        op("ld", 17, 9, 0, 13),
        op("lw", 18, 7, 0, 1),
        op("jal", 0, 0, 0, 0),
    ];
    let handler = [
        op("csrrs", 31, 0, 0, 0x142),
        op("add", 28, 28, 31, 0),
        op("csrrs", 31, 0, 0, 0x143),
        op("add", 29, 29, 31, 0),
        op("addi", 30, 30, 0, 1),
        op("csrrs", 31, 0, 0, 0x141),
        op("addi", 31, 31, 0, 4),
        op("csrrw", 0, 31, 0, 0x141),
        op("sret", 0, 0, 0, 0),
    ];
    let seen = ENGINES.map(|engine| {
        let mut m = machine(engine, trap_misaligned);
        put(&mut m, CODE, &code);
        put(&mut m, HANDLER, &handler);
        for (csr, v) in [(0x105, HANDLER), (0x180, 8 << 60 | TABLES >> 12)] {
            poke(&mut m, csr, v);
        }
        let h = &mut m.harts_mut()[0];
        h.csr.mstatus |= 3 << 13;
        (h.pc, h.x[7], h.x[8], h.x[9]) = (CODE, VIRTUAL + 0x3000, VIRTUAL + 0xff0, VIRTUAL + 0x1ff0);
        h.recontext();
        m.run(50_000);
        let mut pages = vec![0; 0x6000];
        m.bus().ram.read_bytes(DATA, &mut pages);
        let h = &m.harts()[0];
        ((h.x[7..=30].to_vec(), pages, h.csr.mcause), m.state_hash())
    });
    assert_eq!(seen[0], seen[1], "both engines");
    seen[0].0.clone()
}

#[test]
fn a_supervisor_sees_no_difference_between_harts_that_refuse_and_harts_that_do() {
    let (done, refused) = (run(false), run(true));
    assert_eq!(refused.0, done.0, "registers");
    assert_eq!(refused.1, done.1, "memory");
    // Two page faults, of the byte that may not be written and of user memory.
    let (read_only, user) = (VIRTUAL + 0x2000, VIRTUAL + 0x3001);
    assert_eq!(done.0[28 - 7..=30 - 7], [15 + 13, read_only + user, 2]);
    assert_eq!((done.2, refused.2), (0, 4), "M-mode has seen the last one, a load, of harts that refuse");
}
