//! What the table says an instruction reads and writes, against what it does: nothing else changes, and nothing else matters.

use emu_csr::table;
use proptest::prelude::*;
use proptest::test_runner::{TestRng, TestRunner};

use super::{Bench, RAM};
use crate::insn::{Fields, Insn, InsnDef, TABLES, Touches, by_name};
use crate::mem::Ram;
use crate::timing::TimingClass;

const DATA: u64 = RAM + 0x4000;
const SIZE: usize = 0x1_0000;

fn contents(ram: &Ram) -> Vec<u8> {
    let mut v = vec![0; SIZE];
    assert!(ram.read_bytes(RAM, &mut v));
    v
}

/// A bench with random registers and memory; registers point to the middle of memory where they are addresses.
fn bench(rng: &mut TestRng, insn: &Insn, at: u64) -> Bench {
    let mut t = Bench::new();
    let now = t.hart.now(&t.bus);
    // Memory is open to the guest's modes, for HLV and HSV.
    assert!(t.hart.csr.poke(table::PMPADDR0, u64::MAX, &now) && t.hart.csr.poke(table::PMPCFG0, 0x1f, &now));
    t.hart.csr.fcsr = u64::from(rng.next_u32() % 5) << 5 | u64::from(rng.next_u32() & 31);
    for i in 1..32 {
        t.hart.x[i] = rng.next_u64();
        t.hart.f[i] = if rng.next_u32() & 1 == 0 { rng.next_u64() } else { !0 << 32 | u64::from(rng.next_u32()) };
    }
    t.hart.f[0] = rng.next_u64();
    if insn.def.access.is_some() {
        t.hart.x[usize::from(insn.rs1)] = if insn.rs1 == 0 { 0 } else { at };
        t.hart.reservation = Some(at & !63);
    }
    let mut bytes = vec![0; SIZE];
    rng.fill_bytes(&mut bytes);
    assert!(t.bus.ram.write_bytes(RAM, &bytes, &mut Vec::new()));
    t.hart.recontext();
    t
}

fn names(what: u32) -> Vec<usize> {
    (0..32).filter(|i| what >> i & 1 != 0).collect()
}

/// Runs `insn` and gives back the bench and whether it trapped, after checking that only what is named has changed.
fn only_what_is_written_changes(mut t: Bench, insn: &Insn, touches: &Touches) -> (Bench, Option<emu_csr::Trap>) {
    let (x, f, csrs, memory) = (t.hart.x, t.hart.f, t.hart.csr.words(), contents(&t.bus.ram));
    let name = insn.def.name;
    t.hart.next_pc = t.hart.pc + 4;
    let trap = (insn.def.exec)(&mut t.hart, &mut t.bus, insn).err();
    let changed = |old: &[u64], new: &[u64]| (0..32).filter(|&i| old[i] != new[i]).fold(0u32, |s, i| s | 1 << i);
    let (dx, df) = (changed(&x, &t.hart.x), changed(&f, &t.hart.f));
    assert_eq!(dx & !touches.x_written, 0, "{name} writes x{:?}", names(dx & !touches.x_written));
    assert_eq!(df & !touches.f_written, 0, "{name} writes f{:?}", names(df & !touches.f_written));
    if !(touches.csr.is_some_and(|c| c.write) || touches.float) {
        assert_eq!(csrs, t.hart.csr.words(), "{name} changes a CSR");
    }
    let after = contents(&t.bus.ram);
    let range = touches.memory.filter(|m| m.store).map_or(0..0, |m| {
        let offset = if matches!(insn.def.format, crate::insn::Format::Store) { insn.imm as i64 as u64 } else { 0 };
        let va = x[usize::from(insn.rs1)].wrapping_add(offset).wrapping_sub(RAM) as usize;
        if m.size == 0 { va & !63..(va & !63) + 64 } else { va..va.saturating_add(usize::from(m.size)) }
    });
    for (i, (a, b)) in memory.iter().zip(&after).enumerate() {
        assert!(a == b || range.contains(&i), "{name} writes byte {i:#x}, not in {range:x?}");
    }
    (t, trap)
}

/// The same with everything else replaced: the same outcome.
fn only_what_is_read_matters(rng: &mut TestRng, a: &Bench, insn: &Insn, touches: &Touches) -> Bench {
    let at = a.hart.x[usize::from(insn.rs1)];
    let mut b = bench(rng, insn, at);
    for i in 0..32 {
        if touches.x_read >> i & 1 != 0 {
            b.hart.x[i] = a.hart.x[i];
        }
        if touches.f_read >> i & 1 != 0 {
            b.hart.f[i] = a.hart.f[i];
        }
    }
    if touches.float || touches.csr.is_some() {
        b.hart.csr.fcsr = a.hart.csr.fcsr;
    }
    if let Some(m) = touches.memory.filter(|m| m.load) {
        let offset = if matches!(insn.def.format, crate::insn::Format::Load) { insn.imm as i64 as u64 } else { 0 };
        let mut bytes = vec![0; usize::from(m.size)];
        if a.bus.ram.read_bytes(at.wrapping_add(offset), &mut bytes) {
            assert!(b.bus.ram.write_bytes(at.wrapping_add(offset), &bytes, &mut Vec::new()));
        }
    }
    b
}

fn check(rng: &mut TestRng, def: &'static InsnDef) {
    let fields = Fields {
        rd: rng.next_u32() as u8 & 31,
        rs1: rng.next_u32() as u8 & 31,
        rs2: rng.next_u32() as u8 & 31,
        rs3: rng.next_u32() as u8 & 31,
        imm: match def.format {
            crate::insn::Format::Csr | crate::insn::Format::CsrI => 0x340,
            crate::insn::Format::R | crate::insn::Format::R1 | crate::insn::Format::R4 => {
                [0, 1, 2, 3, 4, 7][rng.next_u32() as usize % 6]
            }
            _ => rng.next_u32() as i32,
        },
    };
    let probe = Bench::new();
    let insn = probe.decoder.decode(def.encode(fields), 4);
    if !std::ptr::eq(insn.def, def) {
        return;
    }
    let touches = insn.touches();
    let at = DATA + if rng.next_u32() & 3 == 0 { rng.next_u64() & 0xfff } else { rng.next_u64() & 0xff0 };
    let a = bench(rng, &insn, at);
    let b = only_what_is_read_matters(rng, &a, &insn, &touches);
    let ((a, trap_a), (b, trap_b)) =
        (only_what_is_written_changes(a, &insn, &touches), only_what_is_written_changes(b, &insn, &touches));
    let name = def.name;
    assert_eq!(trap_a, trap_b, "{name} traps by something it does not name");
    if trap_a.is_none() {
        for i in names(touches.x_written) {
            // A failed comparison or an FMV does not always write, but what it writes depends on what is named.
            assert_eq!(a.hart.x[i], b.hart.x[i], "{name}: x{i}");
        }
        for i in names(touches.f_written) {
            assert_eq!(a.hart.f[i], b.hart.f[i], "{name}: f{i}");
        }
        assert_eq!(a.hart.next_pc, b.hart.next_pc, "{name}");
        if touches.float {
            assert_eq!(a.hart.csr.fcsr, b.hart.csr.fcsr, "{name}");
        }
    }
}

#[test]
fn instructions_touch_what_the_table_says_and_nothing_else() {
    let mut runner = TestRunner::deterministic();
    let rng = runner.rng();
    for def in TABLES.iter().flat_map(|t| t.iter()).filter(|d| !matches!(d.class, TimingClass::System | TimingClass::Fence)) {
        for _ in 0..60 {
            check(rng, def);
        }
    }
}

#[test]
fn everything_that_costs_like_an_access_names_one_and_nothing_else_does() {
    for def in TABLES.iter().flat_map(|t| t.iter()) {
        let by_class = matches!(def.class, TimingClass::Load | TimingClass::Store | TimingClass::Amo | TimingClass::Cache);
        assert_eq!(def.access.is_some(), by_class && !def.name.starts_with("prefetch"), "{}", def.name);
    }
}

#[test]
fn csr_instructions_name_their_csr_and_whether_they_read_or_write_it() {
    let t = Bench::new();
    let uses = |name: &str, rd, rs1| {
        let c = t.decoder.decode(by_name(name).unwrap().encode(Fields { rd, rs1, imm: 0x300, ..Fields::default() }), 4);
        let c = c.touches().csr.unwrap();
        assert_eq!(c.csr, 0x300);
        (c.read, c.write)
    };
    assert_eq!(uses("csrrw", 0, 5), (false, true));
    assert_eq!(uses("csrrwi", 5, 0), (true, true));
    assert_eq!(uses("csrrs", 5, 0), (true, false));
    assert_eq!(uses("csrrci", 0, 1), (true, true));
}

#[test]
fn register_pairs_of_amocas_q_are_named_whole() {
    let t = Bench::new();
    let touches = |rd, rs2| {
        t.decoder.decode(by_name("amocas.q").unwrap().encode(Fields { rd, rs1: 5, rs2, ..Fields::default() }), 4).touches()
    };
    assert_eq!((touches(10, 12).x_read, touches(10, 12).x_written), (1 << 5 | 3 << 10 | 3 << 12, 3 << 10));
    assert_eq!((touches(0, 0).x_read, touches(0, 0).x_written), (1 << 5, 0));
    assert_eq!(touches(10, 12).memory.map(|m| (m.size, m.load, m.store, m.compare)), Some((16, true, true, true)));
}
