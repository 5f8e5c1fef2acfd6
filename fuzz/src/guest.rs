//! Arbitrary instructions as a guest, from an arbitrary privileged state, on both engines: nothing panics, and after each stop both
//! have the same state hash. The guest may have several harts on one memory, and the native firmware below it, which it calls.

use std::sync::LazyLock;

use emu_core::board::load::{Bios, File, Images};
use emu_core::board::{self, fdt, map};
use emu_core::firmware::Firmware;
use emu_core::insn::{Fields, InsnDef, TABLES, by_name};
use emu_core::machine::{EngineKind, Machine, MachineConfig};
use emu_csr::{Isa, Mode, table};
use sbi_model::Sbi;
use sbi_model::bug::BUGS;
use sbi_model::ext::EXTENSIONS;
use sbi_model::profile::PROFILES;

use crate::bytes::Bytes;

const RAM: u64 = map::RAM;
const CODE: u64 = RAM + 0x20_0000;
const HANDLER: u64 = RAM + 0x1000;
const TABLES_AT: u64 = RAM + 0x10_0000;
const DATA: u64 = RAM + 0x30_0000;

/// How the guest starts.
#[derive(Clone, Copy)]
struct Start {
    harts: usize,
    native: bool,
    mode: Mode,
    paged: bool,
    /// Extensions too that software must know of: after reset a trap is a double trap, and NMIs are off.
    all: bool,
}

impl Start {
    fn new(bits: u8) -> Start {
        let mode = [Mode::M, Mode::HS, Mode::U, Mode::VS, Mode::VU, Mode::HS, Mode::VS, Mode::M][usize::from(bits >> 4 & 7)];
        let native = bits & 4 != 0;
        // The native firmware starts one hart in S-mode, and M-mode is its own.
        let mode = if native { Mode::HS } else { mode };
        Start { harts: [1, 1, 2, 4][usize::from(bits & 3)], native, mode, paged: bits & 8 != 0, all: bits & 0x80 != 0 }
    }
}

/// A Linux Image header that jumps over itself.
const HEADER: [u32; 16] = [0x0400_006f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0543_5352, 0];

static TREES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    (0..=4).map(|n| fdt::device_tree(&config(n, false), &fdt::Chosen::default()).expect("the board's own tree")).collect()
});

fn config(harts: usize, all: bool) -> board::Config {
    let isa = if all { Isa::all() } else { Isa::max() };
    board::Config { harts: harts.max(1), ram_size: 16 << 20, isa, ..board::Config::default() }
}

/// One input: start, stops, privileged state, page permissions, code.
pub fn run(data: &[u8]) {
    let mut b = Bytes(data);
    let start = Start::new(b.u8());
    let first = u64::from(b.u16() & 0x3ff);
    let second = first + u64::from(b.u8()) * 8 * start.harts as u64;
    let sbi = firmware(b.u16());
    let csrs: Vec<(u16, u64)> = (0..b.u8() & 15).map(|_| (csr(b.u16()), b.u64())).collect();
    let permissions = b.u64();
    let code = code(&mut b);
    let build = |engine| machine(engine, start, &sbi, &csrs, permissions, &code);
    let (mut t0, mut t1) = (build(EngineKind::Step), build(EngineKind::Block));
    for stop in [first, second] {
        let ends = (t0.run(stop), t1.run(stop));
        assert_eq!(ends.0, ends.1, "how the run to {stop} ended");
        for (a, b) in t0.harts().iter().zip(t1.harts()) {
            let state = |h: &emu_core::hart::Hart| (h.pc, h.mode, h.instret, h.cycles, h.wait);
            assert_eq!(state(a), state(b), "hart {} at cycle {stop}", a.id);
            assert_eq!(&a.x[1..32], &b.x[1..32], "x of hart {} at cycle {stop}", a.id);
            assert_eq!(a.csr.words(), b.csr.words(), "CSRs of hart {} at cycle {stop}", a.id);
        }
        assert_eq!(t0.state_hash(), t1.state_hash(), "state at cycle {stop}");
        assert_eq!(t0.take_console_output(), t1.take_console_output(), "console at cycle {stop}");
    }
}

/// The native firmware: a profile, and perhaps one of the known defects.
fn firmware(bits: u16) -> sbi_model::Config {
    let mut c = sbi_model::Config::new(&PROFILES[usize::from(bits & 0xff) % PROFILES.len()]);
    if bits & 0x8000 != 0 {
        c.bugs = c.bugs.with(BUGS[usize::from(bits >> 8 & 0x7f) % BUGS.len()].id);
    }
    c
}

/// A CSR number: mostly one that exists.
fn csr(bits: u16) -> u16 {
    let all = table::all().count();
    if bits & 0x8000 != 0 { bits & 0xfff } else { table::all().nth(usize::from(bits) % all).map_or(0, |d| d.number) }
}

/// Instructions: each is raw bits, or one of the table with the given operands.
fn code(b: &mut Bytes<'_>) -> Vec<u8> {
    static ALL: LazyLock<Vec<&'static InsnDef>> = LazyLock::new(|| TABLES.iter().flat_map(|t| t.iter()).collect());
    let mut out = Vec::new();
    while !b.is_empty() && out.len() < 0x8000 {
        let which = b.u16();
        if which & 0xf000 == 0x9000 {
            call(&mut out, usize::from(which & 0xff), b.u8());
            continue;
        }
        if which & 0x8000 != 0 {
            // Compressed, or the first half of anything.
            out.extend(b.u16().to_le_bytes());
            continue;
        }
        let bits = b.u32();
        let def = ALL[usize::from(which) % ALL.len()];
        let word = if which & 0x4000 != 0 { bits } else { def.bits | bits & !def.mask };
        out.extend(word.to_le_bytes());
    }
    out
}

/// A call of an extension of the native firmware: a7 and a6 set, then `ecall`.
fn call(out: &mut Vec<u8>, extension: usize, function: u8) {
    let eid = EXTENSIONS[extension % EXTENSIONS.len()].first as u32;
    let hi = eid.wrapping_add(0x800) & 0xffff_f000;
    let asm = |name: &str, rd, rs1, imm| by_name(name).map_or(0, |d| d.encode(Fields { rd, rs1, imm, ..Fields::default() }));
    let function = i32::from(function & 31);
    let words = [
        asm("lui", 17, 0, hi as i32),
        asm("addiw", 17, 17, eid.wrapping_sub(hi) as i32),
        asm("addi", 16, 0, function),
        asm("ecall", 0, 0, 0),
    ];
    out.extend(words.iter().flat_map(|w| w.to_le_bytes()));
}

fn machine(
    engine: EngineKind,
    start: Start,
    sbi: &sbi_model::Config,
    csrs: &[(u16, u64)],
    permissions: u64,
    code: &[u8],
) -> Machine {
    let mut image: Vec<u8> = HEADER.iter().flat_map(|w| w.to_le_bytes()).collect();
    image.extend(code);
    let kernel = Some(File { name: "guest", bytes: &image });
    let dtb = Some(File { name: "tree", bytes: &TREES[start.harts] });
    let native: Option<Box<dyn Firmware>> = if start.native { Some(Box::new(Sbi::new(sbi.clone()))) } else { None };
    // Firmware that waits for ever, so that the guest is where it is with the native one.
    let park = 0x0000_006fu32.to_le_bytes();
    let bios = if start.native { Bios::Native } else { Bios::File(File { name: "park", bytes: &park }) };
    let images = Images { bios, kernel, initrd: None, bootargs: String::new(), dtb, ..Images::default() };
    let config = MachineConfig { board: config(start.harts, start.all), engine, quantum: 100 };
    let mut m = Machine::new(config, Vec::new(), &images, native).expect("a machine");
    // Steps over what traps, two bytes at a time; x31 is the handler's.
    put(&mut m, HANDLER, &[0x3410_2ff3, 0x002f_8f93, 0x341f_9073, 0x3020_0073]);
    put(&mut m, CODE + image.len() as u64, &[0x0000_006f]);
    if start.paged {
        page_tables(&mut m, permissions);
    }
    let clock = m.bus().clock;
    for h in m.harts_mut() {
        let now = emu_csr::Now { cycles: 0, instret: 0, time: clock.ticks(0) };
        h.csr.poke(0x3b0, u64::MAX, &now); // pmpaddr0
        h.csr.poke(0x3a0, 0x1f, &now); // pmpcfg0: all of memory
        h.csr.mstatus |= 3 << 13; // FS
        h.csr.vsstatus |= 3 << 13;
        if start.all && permissions & 1 << 62 == 0 {
            // As software that knows Smdbltrp and Smrnmi leaves them.
            let status = h.csr.mstatus & !(1 << 42);
            h.csr.poke(table::MSTATUS, status, &now);
            h.csr.poke(table::MNSTATUS, 8, &now);
        }
        if !start.native {
            h.csr.mtvec = HANDLER;
            h.pc = CODE + HEADER.len() as u64 * 4;
            h.mode = start.mode;
        }
        if start.paged {
            h.csr.poke(0x180, 8 << 60 | TABLES_AT >> 12, &now); // satp
            h.csr.poke(0x280, 8 << 60 | (TABLES_AT + 0x1_0000) >> 12, &now); // vsatp
            h.csr.poke(0x680, 8 << 60 | (TABLES_AT + 0x2_0000) >> 12, &now); // hgatp
        }
        for (csr, value) in csrs {
            // What belongs to the firmware stays its own.
            if !(start.native && csr >> 8 & 3 == 3) {
                h.csr.poke(*csr, *value, &now);
            }
        }
        if !start.native {
            for (i, x) in h.x[1..32].iter_mut().enumerate() {
                *x = DATA + (i as u64 * 264 + h.id * 8) % 0x2000;
            }
            (h.x[5], h.x[6]) = (permissions, permissions.rotate_left(17) | 1 << 63);
        }
        h.tlb.flush();
        h.events |= emu_core::hart::event::INTERRUPTS | emu_core::hart::event::CONTEXT;
        h.recontext();
    }
    m
}

fn put(m: &mut Machine, at: u64, words: &[u32]) {
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    assert!(m.bus_mut().ram.write_bytes(at, &bytes, &mut Vec::new()));
}

fn put64(m: &mut Machine, at: u64, v: u64) {
    assert!(m.bus_mut().ram.write_bytes(at, &v.to_le_bytes(), &mut Vec::new()));
}

/// Three trees (S, VS, G) that map RAM to itself: its first 4 MiB as pages, whose permissions the input chooses, the rest as 2 MiB ones.
fn page_tables(m: &mut Machine, permissions: u64) {
    for (k, user) in [(0, 0), (1, 0), (2, 0x10)] {
        let root = TABLES_AT + k * 0x1_0000;
        let (middle, low) = (root + 0x4000, root + 0x5000);
        put64(m, root + 8 * (RAM >> 30), middle >> 12 << 10 | 1);
        // Devices: one giant page.
        put64(m, root, 0xc7 | user);
        for i in 0..8 {
            let leaf = (RAM + (i << 21)) >> 12 << 10 | 0xcf | user;
            put64(m, middle + 8 * i, if i < 2 { (low + i * 0x1000) >> 12 << 10 | 1 } else { leaf });
        }
        for i in 0..1024u64 {
            let mut flags = 0xcf | user;
            let at = RAM + (i << 12);
            // The input's bits take rights away, or A and D, from the data and from a part of the code.
            if at >= DATA || at >= CODE + 0x2000 {
                let byte = permissions >> (8 * (i & 7)) & 0xff;
                flags ^= byte & if k == 2 { 0xcf } else { 0xff };
            } else if permissions & 1 << 63 != 0 {
                flags |= 0x10;
            }
            put64(m, low + 8 * i, at >> 12 << 10 | flags);
        }
    }
}
