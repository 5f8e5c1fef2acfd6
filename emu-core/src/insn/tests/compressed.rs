//! Every halfword against a list of the manual's own formats ("C" extension, Zcb, Zcmop, Zicfiss).

use emu_csr::{Ext, Isa};

use super::asm;
use crate::insn::{Decoder, Fields};

/// A compressed format: bits (d, a, b: rd, rs1, rs2; three letters are a register x8 to x15; i: immediate), the manual's order
/// of the immediate's bits, whether it is signed, and the instruction it stands for with the registers that are implied.
struct Row(&'static str, &'static str, bool, &'static str, fn(Fields) -> Fields, fn(Fields) -> bool);

const ANY: fn(Fields) -> bool = |_| true;
const SAME: fn(Fields) -> Fields = |f| f;
/// rd is also rs1.
const DEST: fn(Fields) -> Fields = |f| Fields { rs1: f.rd, ..f };
const SP: fn(Fields) -> Fields = |f| Fields { rs1: 2, ..f };
const RD: fn(Fields) -> bool = |f| f.rd != 0;
const IMM: fn(Fields) -> bool = |f| f.imm != 0;

const ROWS: &[Row] = &[
    Row("000iiiiiiiiddd00", "5:4|9:6|2|3", false, "addi", SP, IMM),
    Row("001iiiaaaiiddd00", "5:3|7:6", false, "fld", SAME, ANY),
    Row("010iiiaaaiiddd00", "5:3|2|6", false, "lw", SAME, ANY),
    Row("011iiiaaaiiddd00", "5:3|7:6", false, "ld", SAME, ANY),
    Row("101iiiaaaiibbb00", "5:3|7:6", false, "fsd", SAME, ANY),
    Row("110iiiaaaiibbb00", "5:3|2|6", false, "sw", SAME, ANY),
    Row("111iiiaaaiibbb00", "5:3|7:6", false, "sd", SAME, ANY),
    Row("100000aaaiiddd00", "0|1", false, "lbu", SAME, ANY),
    Row("100001aaa0iddd00", "1", false, "lhu", SAME, ANY),
    Row("100001aaa1iddd00", "1", false, "lh", SAME, ANY),
    Row("100010aaaiibbb00", "0|1", false, "sb", SAME, ANY),
    Row("100011aaa0ibbb00", "1", false, "sh", SAME, ANY),
    Row("000idddddiiiii01", "5|4:0", true, "addi", DEST, ANY),
    Row("001idddddiiiii01", "5|4:0", true, "addiw", DEST, RD),
    Row("010idddddiiiii01", "5|4:0", true, "addi", SAME, ANY),
    Row("0110000010000001", "", false, "sspush", |f| Fields { rs2: 1, ..f }, ANY),
    Row("0110001010000001", "", false, "sspopchk", |f| Fields { rs1: 5, ..f }, ANY),
    Row("01100nnn10000001", "", false, "addi", SAME, ANY),
    Row("011i00010iiiii01", "9|4|6|8:7|5", true, "addi", |f| Fields { rd: 2, rs1: 2, ..f }, IMM),
    Row("011idddddiiiii01", "17|16:12", true, "lui", SAME, |f| f.imm != 0 && f.rd != 2),
    Row("100i00dddiiiii01", "5|4:0", false, "srli", DEST, ANY),
    Row("100i01dddiiiii01", "5|4:0", false, "srai", DEST, ANY),
    Row("100i10dddiiiii01", "5|4:0", true, "andi", DEST, ANY),
    Row("100011ddd00bbb01", "", false, "sub", DEST, ANY),
    Row("100011ddd01bbb01", "", false, "xor", DEST, ANY),
    Row("100011ddd10bbb01", "", false, "or", DEST, ANY),
    Row("100011ddd11bbb01", "", false, "and", DEST, ANY),
    Row("100111ddd00bbb01", "", false, "subw", DEST, ANY),
    Row("100111ddd01bbb01", "", false, "addw", DEST, ANY),
    Row("100111ddd10bbb01", "", false, "mul", DEST, ANY),
    Row("100111ddd1100001", "", false, "andi", |f| Fields { rs1: f.rd, imm: 255, ..f }, ANY),
    Row("100111ddd1100101", "", false, "sext.b", DEST, ANY),
    Row("100111ddd1101001", "", false, "zext.h", DEST, ANY),
    Row("100111ddd1101101", "", false, "sext.h", DEST, ANY),
    Row("100111ddd1110001", "", false, "add.uw", DEST, ANY),
    Row("100111ddd1110101", "", false, "xori", |f| Fields { rs1: f.rd, imm: -1, ..f }, ANY),
    Row("101iiiiiiiiiii01", "11|4|9:8|10|6|7|3:1|5", true, "jal", SAME, ANY),
    Row("110iiiaaaiiiii01", "8|4:3|7:6|2:1|5", true, "beq", SAME, ANY),
    Row("111iiiaaaiiiii01", "8|4:3|7:6|2:1|5", true, "bne", SAME, ANY),
    Row("000idddddiiiii10", "5|4:0", false, "slli", DEST, ANY),
    Row("001idddddiiiii10", "5|4:3|8:6", false, "fld", SP, ANY),
    Row("010idddddiiiii10", "5|4:2|7:6", false, "lw", SP, RD),
    Row("011idddddiiiii10", "5|4:3|8:6", false, "ld", SP, RD),
    Row("1000aaaaa0000010", "", false, "jalr", SAME, |f| f.rs1 != 0),
    Row("1000dddddbbbbb10", "", false, "add", SAME, |f| f.rs2 != 0),
    Row("1001000000000010", "", false, "ebreak", SAME, ANY),
    Row("1001aaaaa0000010", "", false, "jalr", |f| Fields { rd: 1, ..f }, |f| f.rs1 != 0),
    Row("1001dddddbbbbb10", "", false, "add", DEST, |f| f.rs2 != 0),
    Row("101iiiiiibbbbb10", "5:3|8:6", false, "fsd", SP, ANY),
    Row("110iiiiiibbbbb10", "5:2|7:6", false, "sw", SP, ANY),
    Row("111iiiiiibbbbb10", "5:3|8:6", false, "sd", SP, ANY),
];

/// The bits of `c` under a letter, most significant first.
fn under(pattern: &str, letter: char, c: u16) -> Vec<bool> {
    pattern.chars().enumerate().filter(|(_, p)| *p == letter).map(|(i, _)| c >> (15 - i) & 1 != 0).collect()
}

fn number(bits: &[bool]) -> u8 {
    bits.iter().fold(0, |n, &b| n << 1 | b as u8)
}

fn register(pattern: &str, letter: char, c: u16) -> u8 {
    let bits = under(pattern, letter, c);
    number(&bits) + if bits.len() == 3 { 8 } else { 0 }
}

fn immediate(row: &Row, c: u16) -> i32 {
    let (mut value, mut top) = (0i32, 0);
    let mut bits = under(row.0, 'i', c).into_iter();
    for part in row.1.split('|').filter(|p| !p.is_empty()) {
        let (hi, lo) = part.split_once(':').unwrap_or((part, part));
        for at in (lo.parse::<u32>().unwrap()..=hi.parse().unwrap()).rev() {
            value |= (bits.next().unwrap() as i32) << at;
            top = top.max(at);
        }
    }
    assert!(bits.next().is_none(), "{}", row.0);
    if row.2 { value << (31 - top) >> (31 - top) } else { value }
}

fn reference(c: u16) -> Option<(&'static str, u32)> {
    ROWS.iter().find_map(|row| {
        let fixed = row.0.chars().enumerate().all(|(i, p)| match p {
            '0' | '1' => (p == '1') == (c >> (15 - i) & 1 != 0),
            _ => true,
        });
        let f = Fields {
            rd: register(row.0, 'd', c),
            rs1: register(row.0, 'a', c),
            rs2: register(row.0, 'b', c),
            rs3: 0,
            imm: immediate(row, c),
        };
        (fixed && row.5(f)).then(|| (row.3, asm(row.3, row.4(f))))
    })
}

#[test]
fn every_halfword_expands_as_the_manual_lists() {
    let decoder = Decoder::new(Isa::max());
    for c in (0..=u16::MAX).filter(|c| c & 3 != 3) {
        let insn = decoder.decode(u32::from(c), 2);
        match reference(c) {
            Some((name, wide)) => assert_eq!((insn.def.name, insn.wide), (name, wide), "{c:04x} {:08x} {wide:08x}", insn.wide),
            None => assert_eq!(insn.def.name, "illegal", "{c:04x}"),
        }
        assert_eq!((insn.raw, insn.len), (u32::from(c), 2));
    }
}

#[test]
fn expansions_need_their_extensions() {
    let without = |e: &[Ext]| Decoder::new(e.iter().fold(Isa::max(), |isa, &e| isa.without(e)));
    let name = |d: &Decoder, c: u32| d.decode(c, 2).def.name;
    assert_eq!(name(&without(&[Ext::C, Ext::Zca]), 0x0505), "illegal");
    assert_eq!(name(&without(&[Ext::D]), 0x2000), "illegal", "c.fld");
    assert_eq!(name(&without(&[Ext::Zcb]), 0x8000), "illegal", "c.lbu");
    assert_eq!(name(&without(&[Ext::Zcmop]), 0x6081), "illegal", "c.mop.1");
    assert_eq!(name(&without(&[Ext::Zicfiss]), 0x6081), "addi", "c.mop.1 does nothing without Zicfiss");
    assert_eq!(name(&without(&[Ext::M]), 0x9c41), "illegal", "c.mul");
    assert_eq!(name(&without(&[Ext::Zbb]), 0x9c69), "illegal", "c.zext.h, although Zbkb has packw");
    assert_eq!(name(&without(&[Ext::Zba]), 0x9c71), "illegal", "c.zext.w");
    assert_eq!(name(&without(&[]), 0x9c71), "add.uw");
}
