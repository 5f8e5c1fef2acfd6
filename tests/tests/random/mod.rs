//! Machines with random programs, for tests that compare runs.

#![allow(dead_code, clippy::unwrap_used)] // each test uses a part of it, and clippy takes it for other code

use emu_core::board::load::{Bios, File, Images};
use emu_core::board::{self, Drive, map};
use emu_core::dev::virtio::{MemoryDisk, Overlay};
use emu_core::insn::{InsnDef, TABLES};
use emu_core::machine::{EngineKind, Machine, MachineConfig};

pub const BASE: &[u8] = include_bytes!("../../../roms/test/pass.elf");
pub const CODE: u64 = map::RAM + 0x1_0000;
pub const HANDLER: u64 = map::RAM + 0x2_0000;
pub const DATA: u64 = map::RAM + 0x3_0000;
pub const ENGINES: [EngineKind; 2] = [EngineKind::Step, EngineKind::Block];

/// xorshift64*: the tests must not depend on another generator's version.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() >> 33) as usize % n
    }
}

/// The instructions that do not put the hart to sleep or replace the handler.
pub fn usable() -> Vec<&'static InsnDef> {
    let usable = |d: &&InsnDef| !["wfi", "mret", "sret", "csrrw", "csrrwi", "mnret"].contains(&d.name);
    TABLES.iter().flat_map(|t| t.iter()).filter(usable).collect()
}

/// One of these with random operands, that writes neither CSRs nor x31.
pub fn instruction(r: &mut Random, of: &[&InsnDef]) -> u32 {
    let d = of[r.below(of.len())];
    let mut w = d.bits | r.next() as u32 & !d.mask;
    if w & 0x7f == 0x73 && w >> 12 & 3 != 0 {
        // Set or clear nothing: reads only.
        w &= !(31 << 15);
    }
    if w >> 7 & 31 == 31 {
        w &= !(1 << 7) | d.mask;
    }
    w
}

/// Random instructions over RAM and, through a few base registers, over the devices.
pub fn program(r: &mut Random, len: usize) -> Vec<u32> {
    let all = usable();
    let loads_and_stores = [0x03, 0x23];
    (0..len)
        .map(|_| {
            let mut w = instruction(r, &all);
            if r.below(3) == 0 {
                // A word access to a device, whose address is in x26 to x30.
                let op = loads_and_stores[r.below(2)];
                let (base, offset) = (26 + r.below(5) as u32, 4 * r.below(8) as u32);
                w = if op == 3 {
                    offset << 20 | base << 15 | 2 << 12 | (1 + r.below(20) as u32) << 7 | op
                } else {
                    (1 + r.below(20) as u32) << 20 | base << 15 | 2 << 12 | offset << 7 | op
                };
            }
            w
        })
        .collect()
}

pub fn config(engine: EngineKind, harts: usize, quantum: u64, ram: u64) -> MachineConfig {
    let board = board::Config { harts, ram_size: ram, virtio_console: true, ..board::Config::default() };
    MachineConfig { board, engine, quantum }
}

pub fn drives() -> Vec<Drive> {
    let image: Vec<u8> = (0..64 * 512).map(|i| i as u8).collect();
    let backend = Box::new(Overlay::new(Box::new(MemoryDisk::new(image))));
    vec![Drive { backend, read_only: false, serial: "disk".into() }]
}

pub fn machine(engine: EngineKind, harts: usize, quantum: u64, code: &[u32]) -> Machine {
    let images = Images { bios: Bios::None, kernel: Some(File { name: "pass.elf", bytes: BASE }), ..Images::default() };
    let mut m = Machine::new(config(engine, harts, quantum, 16 << 20), drives(), &images, None).unwrap();
    let handler = [0x3410_2ff3, 0x002f_8f93, 0x341f_9073, 0x3020_0073];
    for (at, words) in [(HANDLER, &handler[..]), (CODE, code)] {
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        assert!(m.bus_mut().ram.write_bytes(at, &bytes, &mut Vec::new()));
    }
    let devices = [map::UART, map::RTC, map::CLINT, map::PLIC, map::VIRTIO];
    for h in m.harts_mut() {
        h.pc = CODE;
        h.csr.mtvec = HANDLER;
        h.csr.mstatus |= 3 << 13;
        for (i, x) in h.x[1..26].iter_mut().enumerate() {
            *x = DATA + (i as u64 * 264 + h.id * 8) % 0x2000;
        }
        h.x[26..31].copy_from_slice(&devices);
    }
    m
}
