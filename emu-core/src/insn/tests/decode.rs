//! Decoding: every declaration finds itself, no two overlap, and what is in no list is illegal.

use std::sync::LazyLock;

use emu_csr::{Ext, Isa};
use proptest::prelude::*;

use super::encodings::ENCODINGS;
use crate::insn::{Decoder, Fields, Format, InsnDef, TABLES};

static MAX: LazyLock<Decoder> = LazyLock::new(|| Decoder::new(Isa::all()));

fn all() -> impl Iterator<Item = &'static InsnDef> {
    TABLES.iter().flat_map(|table| table.iter())
}

/// Encodings carved out of a wider one, inner first: hints, and the encoding Zbkb gives more room than Zbb.
const NESTED: &[(&str, &str)] = &[
    ("lpad", "auipc"),
    ("prefetch.i", "ori"),
    ("prefetch.r", "ori"),
    ("prefetch.w", "ori"),
    ("sspopchk", "mop.r.N"),
    ("sspush", "mop.rr.N"),
    ("ssrdp", "mop.r.N"),
    ("zext.h", "packw"),
];

#[test]
fn no_two_encodings_overlap_but_the_nested_ones() {
    let defs: Vec<_> = all().collect();
    let mut nested = Vec::new();
    for (i, a) in defs.iter().enumerate() {
        assert_eq!(a.bits & !a.mask, 0, "{}", a.name);
        for b in &defs[i + 1..] {
            if (a.bits ^ b.bits) & a.mask & b.mask != 0 {
                continue;
            }
            let (inner, outer) = if a.mask.count_ones() > b.mask.count_ones() { (a, b) } else { (b, a) };
            assert_eq!(inner.mask & outer.mask, outer.mask, "{} and {} overlap in part", a.name, b.name);
            nested.push((inner.name, outer.name));
        }
    }
    nested.sort_unstable();
    let mut expected = NESTED.to_vec();
    expected.sort_unstable();
    assert_eq!(nested, expected);
}

#[test]
fn names_are_unique() {
    let mut names: Vec<_> = all().map(|d| d.name).collect();
    let n = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), n);
}

#[test]
fn encodings_are_those_of_the_opcode_lists() {
    for &(name, bits, mask) in ENCODINGS {
        let def = all().find(|d| d.name == name).unwrap_or_else(|| panic!("{name} is not declared"));
        assert_eq!((def.bits, def.mask), (bits, mask), "{name}: {:08x} {:08x}", def.bits, def.mask);
    }
    assert_eq!(all().count(), ENCODINGS.len(), "a declaration has no line in the list");
}

#[test]
fn an_instruction_is_there_only_with_its_extensions() {
    for def in all().filter(|d| !d.needs.is_empty()) {
        let without = def.needs.iter().chain(def.also).fold(Isa::all(), |isa, &e| isa.without(e));
        assert!(std::ptr::eq(MAX.decode(def.bits, 4).def, def) || NESTED.iter().any(|n| n.1 == def.name), "{}", def.name);
        assert!(!std::ptr::eq(Decoder::new(without).decode(def.bits, 4).def, def), "{}", def.name);
        for &e in def.also {
            assert!(
                !std::ptr::eq(Decoder::new(Isa::all().without(e)).decode(def.bits, 4).def, def),
                "{} without {e:?}",
                def.name
            );
        }
    }
    // One of several is enough.
    let zbkb = Decoder::new(Isa::max().without(Ext::Zbb));
    assert_eq!(zbkb.decode(0x4020_f0b3, 4).def.name, "andn");
    assert_eq!(zbkb.decode(0x0800_c0bb, 4).def.name, "packw");
}

#[test]
fn long_and_all_zero_and_all_one_encodings_are_illegal() {
    for (raw, len) in [(0, 2), (0, 4), (u32::MAX, 4), (0x0000_001f, 4), (0x1234_567f, 4), (0x0000_006b, 4)] {
        assert_eq!(MAX.decode(raw, len).def.name, "illegal", "{raw:08x}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn what_decodes_matches_its_pattern_and_no_other(raw: u32) {
        let raw = raw | 3;
        let insn = MAX.decode(raw, 4);
        let matching: Vec<_> = all().filter(|d| raw & d.mask == d.bits).collect();
        match matching.iter().max_by_key(|d| d.mask.count_ones()) {
            Some(best) => prop_assert!(std::ptr::eq(insn.def, *best)),
            None => prop_assert_eq!(insn.def.name, "illegal"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn encoding_what_was_decoded_gives_the_same_bits(bits: u32) {
        for def in all() {
            let raw = def.bits | bits & !def.mask;
            let insn = MAX.decode(raw, 4);
            if !std::ptr::eq(insn.def, def) {
                continue;
            }
            // FENCE, FENCE.I and the ordering bits of atomics have fields that no operand shows.
            let hidden = match def.format {
                Format::None => !def.mask,
                Format::Amo | Format::Addr => 3 << 25,
                Format::R | Format::R1 if def.name.starts_with("mop") => 0x4c30_0000,
                _ => 0,
            };
            let fields = Fields { rd: insn.rd, rs1: insn.rs1, rs2: insn.rs2, rs3: insn.rs3, imm: insn.imm };
            prop_assert_eq!(def.encode(fields) | raw & hidden & !def.mask, raw, "{}", def.name);
        }
    }
}
