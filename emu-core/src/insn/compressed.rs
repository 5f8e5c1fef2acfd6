//! Compressed instructions as the 32-bit instructions they stand for ("C" extension, Zcb, Zcmop). Reserved encodings give None.

use emu_csr::{Ext, Isa};

const fn r(funct7: u32, rs2: u32, rs1: u32, funct3: u32, rd: u32, opcode: u32) -> u32 {
    funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode
}

const fn i(imm: u32, rs1: u32, funct3: u32, rd: u32, opcode: u32) -> u32 {
    (imm & 0xfff) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode
}

const fn s(imm: u32, rs2: u32, rs1: u32, funct3: u32, opcode: u32) -> u32 {
    (imm >> 5 & 0x7f) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | (imm & 31) << 7 | opcode
}

const fn branch(imm: u32, rs1: u32, funct3: u32) -> u32 {
    (imm >> 12 & 1) << 31
        | (imm >> 5 & 0x3f) << 25
        | rs1 << 15
        | funct3 << 12
        | (imm >> 1 & 15) << 8
        | (imm >> 11 & 1) << 7
        | 0x63
}

const fn jump(imm: u32, rd: u32) -> u32 {
    (imm >> 20 & 1) << 31 | (imm >> 1 & 0x3ff) << 21 | (imm >> 11 & 1) << 20 | (imm >> 12 & 0xff) << 12 | rd << 7 | 0x6f
}

/// Sign-extends the low `bits` bits.
const fn sext(v: u32, bits: u32) -> u32 {
    ((v << (32 - bits)) as i32 >> (32 - bits)) as u32
}

const LOAD: u32 = 0x03;
const LOAD_FP: u32 = 0x07;
const OP_IMM: u32 = 0x13;
const OP_IMM_32: u32 = 0x1b;
const STORE: u32 = 0x23;
const STORE_FP: u32 = 0x27;
const OP: u32 = 0x33;
const OP_32: u32 = 0x3b;
const SSPUSH_X1: u32 = 0xce10_4073;
const SSPOPCHK_X5: u32 = 0xcdc2_c073;

/// The 32-bit instruction that `c` stands for on a hart with these extensions.
pub fn expand(c: u16, isa: Isa) -> Option<u32> {
    if !isa.has(Ext::C) && !isa.has(Ext::Zca) {
        return None;
    }
    let c = c as u32;
    let b = |hi: u32, lo: u32| c >> lo & ((1 << (hi - lo + 1)) - 1);
    let (rd, rs2, rdp, rs1p) = (b(11, 7), b(6, 2), b(4, 2) + 8, b(9, 7) + 8);
    let shamt = b(12, 12) << 5 | b(6, 2);
    let imm6 = sext(shamt, 6);
    let fp = isa.has(Ext::D) && (isa.has(Ext::C) || isa.has(Ext::Zcd));
    let word = b(5, 5) << 6 | b(12, 10) << 3 | b(6, 6) << 2;
    let double = b(6, 5) << 6 | b(12, 10) << 3;
    let some = |ok: bool, w: u32| if ok { Some(w) } else { None };
    match (c & 3, c >> 13) {
        (0, 0) => {
            let imm = b(10, 7) << 6 | b(12, 11) << 4 | b(5, 5) << 3 | b(6, 6) << 2;
            some(imm != 0, i(imm, 2, 0, rdp, OP_IMM))
        }
        (0, 1) => some(fp, i(double, rs1p, 3, rdp, LOAD_FP)),
        (0, 2) => Some(i(word, rs1p, 2, rdp, LOAD)),
        (0, 3) => Some(i(double, rs1p, 3, rdp, LOAD)),
        (0, 4) if isa.has(Ext::Zcb) => zcb_memory(c, rs1p, rdp),
        (0, 5) => some(fp, s(double, rdp, rs1p, 3, STORE_FP)),
        (0, 6) => Some(s(word, rdp, rs1p, 2, STORE)),
        (0, 7) => Some(s(double, rdp, rs1p, 3, STORE)),
        (1, 0) => Some(i(imm6, rd, 0, rd, OP_IMM)),
        (1, 1) => some(rd != 0, i(imm6, rd, 0, rd, OP_IMM_32)),
        (1, 2) => Some(i(imm6, 0, 0, rd, OP_IMM)),
        (1, 3) if shamt == 0 => mop(c, isa),
        (1, 3) if rd == 2 => {
            let imm = b(12, 12) << 9 | b(4, 3) << 7 | b(5, 5) << 6 | b(2, 2) << 5 | b(6, 6) << 4;
            Some(i(sext(imm, 10), 2, 0, 2, OP_IMM))
        }
        (1, 3) => Some(imm6 << 12 | rd << 7 | 0x37),
        (1, 4) => arithmetic(c, isa, rs1p, rdp, shamt, imm6),
        (1, 5) => {
            let imm = b(12, 12) << 11
                | b(8, 8) << 10
                | b(10, 9) << 8
                | b(6, 6) << 7
                | b(7, 7) << 6
                | b(2, 2) << 5
                | b(11, 11) << 4
                | b(5, 3) << 1;
            Some(jump(sext(imm, 12), 0))
        }
        (1, f) => {
            let imm = b(12, 12) << 8 | b(6, 5) << 6 | b(2, 2) << 5 | b(11, 10) << 3 | b(4, 3) << 1;
            Some(branch(sext(imm, 9), rs1p, f & 1))
        }
        (2, 0) => Some(i(shamt, rd, 1, rd, OP_IMM)),
        (2, 1) => some(fp, i(b(4, 2) << 6 | b(12, 12) << 5 | b(6, 5) << 3, 2, 3, rd, LOAD_FP)),
        (2, 2) => some(rd != 0, i(b(3, 2) << 6 | b(12, 12) << 5 | b(6, 4) << 2, 2, 2, rd, LOAD)),
        (2, 3) => some(rd != 0, i(b(4, 2) << 6 | b(12, 12) << 5 | b(6, 5) << 3, 2, 3, rd, LOAD)),
        (2, 4) => match (b(12, 12), rd, rs2) {
            (0, 0, 0) => None,
            (0, _, 0) => Some(i(0, rd, 0, 0, 0x67)),
            (0, _, _) => Some(r(0, rs2, 0, 0, rd, OP)),
            (_, 0, 0) => Some(0x0010_0073),
            (_, _, 0) => Some(i(0, rd, 0, 1, 0x67)),
            _ => Some(r(0, rs2, rd, 0, rd, OP)),
        },
        (2, 5) => some(fp, s(b(9, 7) << 6 | b(12, 10) << 3, rs2, 2, 3, STORE_FP)),
        (2, 6) => Some(s(b(8, 7) << 6 | b(12, 9) << 2, rs2, 2, 2, STORE)),
        (2, 7) => Some(s(b(9, 7) << 6 | b(12, 10) << 3, rs2, 2, 3, STORE)),
        _ => None,
    }
}

/// c.srli, c.srai, c.andi and the register-register group.
fn arithmetic(c: u32, isa: Isa, rd: u32, rs2: u32, shamt: u32, imm6: u32) -> Option<u32> {
    match c >> 10 & 3 {
        0 => Some(i(shamt, rd, 5, rd, OP_IMM)),
        1 => Some(i(shamt | 0x400, rd, 5, rd, OP_IMM)),
        2 => Some(i(imm6, rd, 7, rd, OP_IMM)),
        _ => match (c >> 12 & 1, c >> 5 & 3) {
            (0, 0) => Some(r(0x20, rs2, rd, 0, rd, OP)),
            (0, 1) => Some(r(0, rs2, rd, 4, rd, OP)),
            (0, 2) => Some(r(0, rs2, rd, 6, rd, OP)),
            (0, _) => Some(r(0, rs2, rd, 7, rd, OP)),
            (_, 0) => Some(r(0x20, rs2, rd, 0, rd, OP_32)),
            (_, 1) => Some(r(0, rs2, rd, 0, rd, OP_32)),
            (_, 2) if isa.has(Ext::Zcb) && isa.has(Ext::M) => Some(r(1, rs2, rd, 0, rd, OP)),
            (_, 3) if isa.has(Ext::Zcb) => zcb_unary(c, isa, rd),
            _ => None,
        },
    }
}

/// c.zext.b, c.sext.b, c.zext.h, c.sext.h, c.zext.w, c.not.
fn zcb_unary(c: u32, isa: Isa, rd: u32) -> Option<u32> {
    let (zbb, zba) = (isa.has(Ext::Zbb), isa.has(Ext::Zba));
    match c >> 2 & 7 {
        0 => Some(i(0xff, rd, 7, rd, OP_IMM)),
        1 if zbb => Some(i(0x604, rd, 1, rd, OP_IMM)),
        2 if zbb => Some(r(4, 0, rd, 4, rd, OP_32)),
        3 if zbb => Some(i(0x605, rd, 1, rd, OP_IMM)),
        4 if zba => Some(r(4, 0, rd, 0, rd, OP_32)),
        5 => Some(i(0xfff, rd, 4, rd, OP_IMM)),
        _ => None,
    }
}

/// c.lbu, c.lhu, c.lh, c.sb, c.sh.
fn zcb_memory(c: u32, rs1: u32, rd: u32) -> Option<u32> {
    let (byte, half) = ((c >> 6 & 1) | (c >> 5 & 1) << 1, (c >> 5 & 1) << 1);
    match (c >> 10 & 7, c >> 6 & 1) {
        (0, _) => Some(i(byte, rs1, 4, rd, LOAD)),
        (1, 0) => Some(i(half, rs1, 5, rd, LOAD)),
        (1, _) => Some(i(half, rs1, 1, rd, LOAD)),
        (2, _) => Some(s(byte, rd, rs1, 0, STORE)),
        (3, 0) => Some(s(half, rd, rs1, 1, STORE)),
        _ => None,
    }
}

/// c.mop.N: the encodings of c.lui with a zero immediate and rd = 1, 3, ... 15. They do nothing (Zcmop), but for c.sspush x1 and
/// c.sspopchk x5 (Zicfiss).
fn mop(c: u32, isa: Isa) -> Option<u32> {
    let rd = c >> 7 & 31;
    if isa.has(Ext::Zcmop) && isa.has(Ext::Zicfiss) && matches!(rd, 1 | 5) {
        return Some(if rd == 1 { SSPUSH_X1 } else { SSPOPCHK_X5 });
    }
    (isa.has(Ext::Zcmop) && rd & 1 == 1 && rd < 16).then_some(OP_IMM)
}
