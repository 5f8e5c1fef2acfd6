//! Instructions that change under the engine's feet: by a device's DMA, by mappings that change with and without a fence, and faults in
//! the middle of blocks. Both engines have the same state wherever they are stopped.

#![allow(clippy::unwrap_used)] // helpers of tests, which clippy takes for other code

use emu_core::board::load::{Bios, File, Images};
use emu_core::board::{self, Drive, map};
use emu_core::dev::virtio::MemoryDisk;
use emu_core::insn::{Fields, by_name};
use emu_core::machine::{EngineKind, Machine, MachineConfig};
use emu_csr::{Mode, table};

const RAM: u64 = map::RAM;
const CODE: u64 = RAM + 0x1_0000;
const HANDLER: u64 = RAM + 0x2_0000;
/// Two pages with a function each.
const PAGES: [u64; 2] = [RAM + 0x3_0000, RAM + 0x3_1000];
const QUEUE: u64 = RAM + 0x4_0000;
const TABLE: u64 = RAM + 0x10_0000;

fn op(name: &str, rd: u8, rs1: u8, rs2: u8, imm: i32) -> u32 {
    by_name(name).unwrap().encode(Fields { rd, rs1, rs2, rs3: 0, imm })
}

fn words(code: &[u32]) -> Vec<u8> {
    code.iter().flat_map(|w| w.to_le_bytes()).collect()
}

fn put(m: &mut Machine, at: u64, bytes: &[u8]) {
    assert!(m.bus_mut().ram.write_bytes(at, bytes, &mut Vec::new()));
}

/// `a0 += by` and back, in the middle of a page.
fn function(by: i32) -> Vec<u8> {
    words(&[op("addi", 10, 10, 0, by), op("jalr", 0, 1, 0, 0)])
}

fn machine(engine: EngineKind, drives: Vec<Drive>, code: &[u32]) -> Machine {
    let board = board::Config { harts: 1, ram_size: 16 << 20, virtio_latency: 333, ..board::Config::default() };
    let park = words(&[op("jal", 0, 0, 0, 0)]);
    let images = Images { bios: Bios::File(File { name: "park", bytes: &park }), ..Images::default() };
    let mut m = Machine::new(MachineConfig { board, engine, quantum: 1000 }, drives, &images, None).unwrap();
    // Counts in s11 and steps over what traps: mepc += 4; a function that is not there returns at once.
    let handler = [
        op("addi", 27, 27, 0, 1),
        op("csrrs", 31, 0, 0, 0x342),
        op("addi", 31, 31, 0, -12),
        op("bne", 0, 31, 0, 12),
        op("csrrw", 0, 1, 0, 0x341),
        op("mret", 0, 0, 0, 0),
        op("csrrs", 31, 0, 0, 0x341),
        op("addi", 31, 31, 0, 4),
        op("csrrw", 0, 31, 0, 0x341),
        op("mret", 0, 0, 0, 0),
    ];
    put(&mut m, HANDLER, &words(&handler));
    put(&mut m, CODE, &words(code));
    put(&mut m, PAGES[0], &function(1));
    put(&mut m, PAGES[1], &function(1000));
    let h = &mut m.harts_mut()[0];
    (h.pc, h.csr.mtvec) = (CODE, HANDLER);
    m
}

/// Runs both to each of many odd stops and compares; gives a0 at the end.
fn agree(mut build: impl FnMut(EngineKind) -> Machine, what: &str) -> [u64; 2] {
    let (mut t0, mut t1) = (build(EngineKind::Step), build(EngineKind::Block));
    let mut stop = 0;
    for i in 0..60u64 {
        stop += 1 + (i * i * 37 + i) % 911;
        assert_eq!(t0.run(stop), t1.run(stop), "{what}");
        let (a, b) = (&t0.harts()[0], &t1.harts()[0]);
        assert_eq!((a.pc, a.instret, a.x[10]), (b.pc, b.instret, b.x[10]), "{what} at cycle {stop}");
        assert_eq!(t0.state_hash(), t1.state_hash(), "{what} at cycle {stop}");
    }
    assert!(t1.blocks_built() > 0, "{what}: no block was ever built");
    [t1.harts()[0].x[10], t1.harts()[0].x[27]]
}

/// A virtio block device whose queue is set up, with two requests offered again and again: sector 0 or 1 into the first page.
fn with_disk(engine: EngineKind, code: &[u32]) -> Machine {
    let mut image = vec![0; 1024];
    image[..8].copy_from_slice(&function(1000));
    image[512..520].copy_from_slice(&function(1));
    let drive = Drive { backend: Box::new(MemoryDisk::new(image)), read_only: true, serial: "code".into() };
    let mut m = machine(engine, vec![drive], code);
    let (avail, used, headers) = (QUEUE + 0x1000, QUEUE + 0x2000, QUEUE + 0x3000);
    for r in 0..2u64 {
        // Header, data (the device writes), status.
        let parts = [(headers + 32 * r, 16u32, 1u16), (PAGES[0], 512, 3), (headers + 32 * r + 16, 1, 2)];
        for (k, (at, len, flags)) in parts.into_iter().enumerate() {
            let index = 3 * r + k as u64;
            let mut d = at.to_le_bytes().to_vec();
            d.extend(len.to_le_bytes());
            d.extend(flags.to_le_bytes());
            d.extend((index as u16 + 1).to_le_bytes());
            put(&mut m, QUEUE + 16 * index, &d);
        }
        put(&mut m, headers + 32 * r + 8, &r.to_le_bytes());
    }
    for i in 0..8u64 {
        put(&mut m, avail + 4 + 2 * i, &(3 * (i as u16 & 1)).to_le_bytes());
    }
    let set = |m: &mut Machine, reg: u64, v: u64| m.bus_mut().write(map::VIRTIO + reg, 4, v, 0).unwrap();
    set(&mut m, 0x70, 3);
    set(&mut m, 0x24, 1);
    set(&mut m, 0x20, 1); // VERSION_1
    set(&mut m, 0x70, 11);
    set(&mut m, 0x38, 8);
    for (reg, at) in [(0x80, QUEUE), (0x90, avail), (0xa0, used)] {
        set(&mut m, reg, at & 0xffff_ffff);
        set(&mut m, reg + 4, at >> 32);
    }
    set(&mut m, 0x44, 1);
    set(&mut m, 0x70, 15);
    let h = &mut m.harts_mut()[0];
    (h.x[8], h.x[9], h.x[18]) = (PAGES[0], avail, map::VIRTIO);
    m
}

#[test]
fn code_that_a_device_writes_agrees() {
    let code = [
        op("addi", 19, 0, 0, 150), // s3: calls until the next request
        op("jalr", 1, 8, 0, 0),    // the function in s0's page
        op("addi", 19, 19, 0, -1),
        op("bne", 0, 19, 0, -8),
        op("addi", 20, 20, 0, 1), // s4: requests
        op("sh", 0, 9, 20, 2),    // one more is available
        op("sw", 0, 18, 0, 0x50), // QueueNotify
        op("jal", 0, 0, 0, -28),
    ];
    let [sum, _] = agree(|engine| with_disk(engine, &code), "DMA");
    assert!(sum > 1_000_000, "the device's code never ran: {sum}");
}

/// S-mode with Sv39. RAM is mapped to itself by one giant page; page V = 0x4000_0000 by s1's PTE, which the code exchanges.
fn with_pages(engine: EngineKind, code: &[u32]) -> Machine {
    let mut m = machine(engine, Vec::new(), code);
    let pte = |at: u64, flags: u64| (at >> 12 << 10 | flags).to_le_bytes();
    put(&mut m, TABLE + 8 * 2, &pte(RAM, 0xcf));
    put(&mut m, TABLE + 8, &pte(TABLE + 0x1000, 1));
    put(&mut m, TABLE + 0x1000, &pte(TABLE + 0x2000, 1));
    put(&mut m, TABLE + 0x2000, &pte(PAGES[0], 0xcf));
    // The two values, and an invalid one, for the code to choose from.
    for (i, v) in [pte(PAGES[0], 0xcf), pte(PAGES[1], 0xcf), pte(PAGES[1], 0xce), pte(PAGES[0], 0xcf)].iter().enumerate() {
        put(&mut m, TABLE + 0x3000 + 8 * i as u64, v);
    }
    let clock = m.harts()[0].now(m.bus());
    let h = &mut m.harts_mut()[0];
    for (csr, v) in [(table::PMPADDR0, u64::MAX), (table::PMPCFG0, 0x1f), (table::SATP, 8 << 60 | TABLE >> 12)] {
        assert!(h.csr.poke(csr, v, &clock));
    }
    h.mode = Mode::HS;
    (h.x[8], h.x[9], h.x[18]) = (0x4000_0000, TABLE + 0x2000, TABLE + 0x3000);
    h.tlb.flush();
    h.recontext();
    m
}

/// Calls the function at V, reads V's first word into the sum, and puts another PTE in place: in turn page 0, page 1, none.
fn exchange(fence: u32) -> [u32; 14] {
    [
        op("jalr", 1, 8, 0, 0),
        op("jalr", 1, 8, 0, 0),
        op("lw", 5, 8, 0, 0), // a fault in the middle of a block when the page is gone
        op("srli", 5, 5, 0, 20),
        op("add", 10, 10, 5, 0),
        op("addi", 20, 20, 0, 8),
        op("andi", 20, 20, 0, 24),
        op("add", 6, 18, 20, 0),
        op("ld", 7, 6, 0, 0),
        op("sd", 0, 9, 7, 0),
        fence,
        op("lw", 5, 8, 0, 4),
        op("xor", 11, 11, 5, 0),
        op("jal", 0, 0, 0, -52),
    ]
}

#[test]
fn mappings_that_change_agree() {
    let all = op("sfence.vma", 0, 0, 0, 0);
    let one = op("sfence.vma", 0, 8, 0, 0);
    for (fence, what) in [(all, "all"), (one, "one page")] {
        let [sum, traps] = agree(|engine| with_pages(engine, &exchange(fence)), what);
        assert!(sum > 100_000 && traps > 100, "{what}: {sum}, {traps} traps");
    }
}

/// Without a fence the old translation may stay or not; which of the two must not depend on the engine.
#[test]
fn mappings_that_change_without_a_fence_agree_too() {
    agree(|engine| with_pages(engine, &exchange(op("addi", 0, 0, 0, 0))), "no fence");
    // Something else that makes the engines look again now and then.
    agree(|engine| with_pages(engine, &exchange(op("fence.i", 0, 0, 0, 0))), "fence.i");
    agree(|engine| with_pages(engine, &exchange(op("csrrs", 5, 0, 0, 0x100))), "a CSR read");
}
