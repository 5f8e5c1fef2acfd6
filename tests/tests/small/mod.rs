//! Small programs on a machine without firmware: what tests of single instructions share.
#![allow(dead_code)] // each test file uses a part

use emu_core::board::load::{Bios, File, Images};
use emu_core::board::{self, map};
use emu_core::insn::{Fields, by_name};
use emu_core::machine::{EngineKind, Machine, MachineConfig};
use emu_csr::Now;

pub const BASE: &[u8] = include_bytes!("../../../roms/test/pass.elf");
pub const CODE: u64 = map::RAM + 0x1_0000;
pub const HANDLER: u64 = map::RAM + 0x2_0000;
pub const DATA: u64 = map::RAM + 0x3_0000;
pub const ENGINES: [EngineKind; 2] = [EngineKind::Step, EngineKind::Block];

/// `name rd, rs1, rs2, imm`
pub fn op(name: &str, rd: u8, rs1: u8, rs2: u8, imm: i32) -> u32 {
    by_name(name).unwrap().encode(Fields { rd, rs1, rs2, rs3: 0, imm })
}

pub fn put(m: &mut Machine, at: u64, words: &[u32]) {
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    assert!(m.bus_mut().ram.write_bytes(at, &bytes, &mut Vec::new()));
}

pub fn machine(engine: EngineKind, code: &[u32]) -> Machine {
    let board = board::Config { harts: 1, ram_size: 16 << 20, ..board::Config::default() };
    let images = Images { bios: Bios::None, kernel: Some(File { name: "pass.elf", bytes: BASE }), ..Images::default() };
    let mut m = Machine::new(MachineConfig { board, engine, quantum: 1000 }, Vec::new(), &images, None).unwrap();
    // Steps over what traps: mepc += 4, with x31 as the handler's own.
    put(&mut m, HANDLER, &[0x3410_2ff3, 0x004f_8f93, 0x341f_9073, 0x3020_0073]);
    put(&mut m, CODE, code);
    let h = &mut m.harts_mut()[0];
    (h.pc, h.csr.mtvec, h.x[10]) = (CODE, HANDLER, DATA);
    h.csr.mstatus |= 3 << 13;
    m
}

pub fn poke(m: &mut Machine, csr: u16, value: u64) {
    assert!(m.harts_mut()[0].csr.assign(csr, value, &Now::default()).is_some());
}
