//! RV64I ("RV32I Base Integer Instruction Set", "RV64I"), without the system instructions.

use super::macros::{alu_ri, alu_rr, blank, copy, def, plain, table};
use super::shape::{Cond, LoadK, StoreK};
use super::{Format, Insn, InsnDef, Shape, zicfilp};
use crate::bus::Bus;
use crate::engine::block::handlers;
use crate::hart::Hart;
use crate::timing::TimingClass;
use emu_csr::{Exception, Trap};

alu_rr! {
    Add   "add"   "0000000 bbbbb aaaaa 000 ddddd 0110011" &[], Alu, |a, b| a.wrapping_add(b);
    Sub   "sub"   "0100000 bbbbb aaaaa 000 ddddd 0110011" &[], Alu, |a, b| a.wrapping_sub(b);
    Sll   "sll"   "0000000 bbbbb aaaaa 001 ddddd 0110011" &[], Alu, |a, b| a << (b & 63);
    Slt   "slt"   "0000000 bbbbb aaaaa 010 ddddd 0110011" &[], Alu, |a, b| ((a as i64) < b as i64) as u64;
    Sltu  "sltu"  "0000000 bbbbb aaaaa 011 ddddd 0110011" &[], Alu, |a, b| (a < b) as u64;
    Xor   "xor"   "0000000 bbbbb aaaaa 100 ddddd 0110011" &[], Alu, |a, b| a ^ b;
    Srl   "srl"   "0000000 bbbbb aaaaa 101 ddddd 0110011" &[], Alu, |a, b| a >> (b & 63);
    Sra   "sra"   "0100000 bbbbb aaaaa 101 ddddd 0110011" &[], Alu, |a, b| (a as i64 >> (b & 63)) as u64;
    Or    "or"    "0000000 bbbbb aaaaa 110 ddddd 0110011" &[], Alu, |a, b| a | b;
    And   "and"   "0000000 bbbbb aaaaa 111 ddddd 0110011" &[], Alu, |a, b| a & b;
    Addw  "addw"  "0000000 bbbbb aaaaa 000 ddddd 0111011" &[], Alu, |a, b| a.wrapping_add(b) as i32 as u64;
    Subw  "subw"  "0100000 bbbbb aaaaa 000 ddddd 0111011" &[], Alu, |a, b| a.wrapping_sub(b) as i32 as u64;
    Sllw  "sllw"  "0000000 bbbbb aaaaa 001 ddddd 0111011" &[], Alu, |a, b| ((a as i32) << (b & 31)) as u64;
    Srlw  "srlw"  "0000000 bbbbb aaaaa 101 ddddd 0111011" &[], Alu, |a, b| (a as u32 >> (b & 31)) as i32 as u64;
    Sraw  "sraw"  "0100000 bbbbb aaaaa 101 ddddd 0111011" &[], Alu, |a, b| (a as i32 >> (b & 31)) as u64;
}

alu_ri! {
    Addi  "addi"  "iiiiiiiiiiii aaaaa 000 ddddd 0010011" &[], I, Alu, |a, b| a.wrapping_add(b);
    Slti  "slti"  "iiiiiiiiiiii aaaaa 010 ddddd 0010011" &[], I, Alu, |a, b| ((a as i64) < b as i64) as u64;
    Sltiu "sltiu" "iiiiiiiiiiii aaaaa 011 ddddd 0010011" &[], I, Alu, |a, b| (a < b) as u64;
    Xori  "xori"  "iiiiiiiiiiii aaaaa 100 ddddd 0010011" &[], I, Alu, |a, b| a ^ b;
    Ori   "ori"   "iiiiiiiiiiii aaaaa 110 ddddd 0010011" &[], I, Alu, |a, b| a | b;
    Andi  "andi"  "iiiiiiiiiiii aaaaa 111 ddddd 0010011" &[], I, Alu, |a, b| a & b;
    Slli  "slli"  "000000 ssssss aaaaa 001 ddddd 0010011" &[], Shift, Alu, |a, b| a << (b & 63);
    Srli  "srli"  "000000 ssssss aaaaa 101 ddddd 0010011" &[], Shift, Alu, |a, b| a >> (b & 63);
    Srai  "srai"  "010000 ssssss aaaaa 101 ddddd 0010011" &[], Shift, Alu, |a, b| (a as i64 >> (b & 63)) as u64;
    Addiw "addiw" "iiiiiiiiiiii aaaaa 000 ddddd 0011011" &[], I, Alu, |a, b| a.wrapping_add(b) as i32 as u64;
    Slliw "slliw" "0000000 sssss aaaaa 001 ddddd 0011011" &[], ShiftW, Alu, |a, b| ((a as i32) << (b & 31)) as u64;
    Srliw "srliw" "0000000 sssss aaaaa 101 ddddd 0011011" &[], ShiftW, Alu, |a, b| (a as u32 >> (b & 31)) as i32 as u64;
    Sraiw "sraiw" "0100000 sssss aaaaa 101 ddddd 0011011" &[], ShiftW, Alu, |a, b| (a as i32 >> (b & 31)) as u64;
}

/// Loads: `Type "name" "pattern" bytes |raw| extended;`
macro_rules! loads {
    ($($t:ident $name:literal $pat:literal $size:literal |$raw:ident| $e:expr;)*) => {
        $(
            #[doc = concat!("`", $name, "`")]
            pub struct $t;
            impl LoadK for $t {
                const SIZE: u8 = $size;
                #[inline(always)]
                fn extend($raw: u64) -> u64 { $e }
            }
        )*
        const LOADS: &[InsnDef] = &[$(
            def($name, $pat, &[], Format::Load, TimingClass::Load, Shape::Load,
                |h, bus, i| { let raw = h.load(bus, h.get(i.rs1).wrapping_add(i.imm as i64 as u64), $size)?; h.set(i.rd, $t::extend(raw)); Ok(()) },
                Some(handlers::load::<$t>()))
        ),*];
    };
}

loads! {
    Lb  "lb"  "iiiiiiiiiiii aaaaa 000 ddddd 0000011" 1 |v| v as i8 as u64;
    Lh  "lh"  "iiiiiiiiiiii aaaaa 001 ddddd 0000011" 2 |v| v as i16 as u64;
    Lw  "lw"  "iiiiiiiiiiii aaaaa 010 ddddd 0000011" 4 |v| v as i32 as u64;
    Ld  "ld"  "iiiiiiiiiiii aaaaa 011 ddddd 0000011" 8 |v| v;
    Lbu "lbu" "iiiiiiiiiiii aaaaa 100 ddddd 0000011" 1 |v| v as u8 as u64;
    Lhu "lhu" "iiiiiiiiiiii aaaaa 101 ddddd 0000011" 2 |v| v as u16 as u64;
    Lwu "lwu" "iiiiiiiiiiii aaaaa 110 ddddd 0000011" 4 |v| v as u32 as u64;
}

/// Stores: `Type "name" "pattern" bytes;`
macro_rules! stores {
    ($($t:ident $name:literal $pat:literal $size:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`")]
            pub struct $t;
            impl StoreK for $t { const SIZE: u8 = $size; }
        )*
        const STORES: &[InsnDef] = &[$(
            def($name, $pat, &[], Format::Store, TimingClass::Store, Shape::Store,
                |h, bus, i| h.store(bus, h.get(i.rs1).wrapping_add(i.imm as i64 as u64), $size, h.get(i.rs2)),
                Some(handlers::store::<$t>()))
        ),*];
    };
}

stores! {
    Sb "sb" "iiiiiii bbbbb aaaaa 000 iiiii 0100011" 1;
    Sh "sh" "iiiiiii bbbbb aaaaa 001 iiiii 0100011" 2;
    Sw "sw" "iiiiiii bbbbb aaaaa 010 iiiii 0100011" 4;
    Sd "sd" "iiiiiii bbbbb aaaaa 011 iiiii 0100011" 8;
}

/// Branches: `Type "name" "pattern" |a, b| condition;`
macro_rules! branches {
    ($($t:ident $name:literal $pat:literal |$a:ident, $b:ident| $e:expr;)*) => {
        $(
            #[doc = concat!("`", $name, "`")]
            pub struct $t;
            impl Cond for $t {
                #[inline(always)]
                fn f($a: u64, $b: u64) -> bool { $e }
            }
        )*
        const BRANCHES: &[InsnDef] = &[$(
            def($name, $pat, &[], Format::B, TimingClass::Branch, Shape::Branch,
                |h, _, i| { if $t::f(h.get(i.rs1), h.get(i.rs2)) { h.next_pc = h.pc.wrapping_add(i.imm as i64 as u64) } Ok(()) },
                Some(handlers::branch::<$t>))
        ),*];
    };
}

branches! {
    Beq  "beq"  "iiiiiii bbbbb aaaaa 000 iiiii 1100011" |a, b| a == b;
    Bne  "bne"  "iiiiiii bbbbb aaaaa 001 iiiii 1100011" |a, b| a != b;
    Blt  "blt"  "iiiiiii bbbbb aaaaa 100 iiiii 1100011" |a, b| (a as i64) < b as i64;
    Bge  "bge"  "iiiiiii bbbbb aaaaa 101 iiiii 1100011" |a, b| a as i64 >= b as i64;
    Bltu "bltu" "iiiiiii bbbbb aaaaa 110 iiiii 1100011" |a, b| a < b;
    Bgeu "bgeu" "iiiiiii bbbbb aaaaa 111 iiiii 1100011" |a, b| a >= b;
}

plain! {
    // FENCE orders nothing that is out of order here: harts take turns. PAUSE and FENCE.TSO are FENCE encodings.
    "fence" "iiiiiiiiiiii aaaaa 000 ddddd 0001111" &[], None, Fence, Plain, |_, _, _| Ok(()) => crate::engine::block::plain::nothing;
    "fence.i" "iiiiiiiiiiii aaaaa 001 ddddd 0001111" &[emu_csr::Ext::Zifencei], None, Fence, End, |h, _, _| { h.events |= crate::hart::event::CODE; Ok(()) };
}

const JUMPS: &[InsnDef] = &[
    def(
        "lui",
        "iiiiiiiiiiiiiiiiiiii ddddd 0110111",
        &[],
        Format::U,
        TimingClass::Alu,
        Shape::Lui,
        |h, _, i| {
            h.set(i.rd, i.imm as i64 as u64);
            Ok(())
        },
        Some(handlers::lui()),
    ),
    def(
        "auipc",
        "iiiiiiiiiiiiiiiiiiii ddddd 0010111",
        &[],
        Format::U,
        TimingClass::Alu,
        Shape::Auipc,
        |h, _, i| {
            h.set(i.rd, h.pc.wrapping_add(i.imm as i64 as u64));
            Ok(())
        },
        Some(handlers::auipc()),
    ),
    def(
        "jal",
        "iiiiiiiiiiiiiiiiiiii ddddd 1101111",
        &[],
        Format::J,
        TimingClass::Jump,
        Shape::Jal,
        |h, _, i| {
            let link = h.next_pc;
            h.next_pc = h.pc.wrapping_add(i.imm as i64 as u64);
            h.set(i.rd, link);
            Ok(())
        },
        Some(handlers::jal),
    ),
    def(
        "jalr",
        "iiiiiiiiiiii aaaaa 000 ddddd 1100111",
        &[],
        Format::Load,
        TimingClass::Jump,
        Shape::Jalr,
        |h, _, i| {
            let link = h.next_pc;
            h.next_pc = h.get(i.rs1).wrapping_add(i.imm as i64 as u64) & !1;
            h.set(i.rd, link);
            zicfilp::jumped(h, i.rs1);
            Ok(())
        },
        Some(handlers::jalr),
    ),
];

table!(RR, RI, LOADS, STORES, BRANCHES, JUMPS, PLAIN);

/// Jumps and branches as they are without compressed instructions: a target that is not a multiple of four is an
/// instruction-address-misaligned exception of the jump, and nothing is linked ("Control Transfer Instructions").
pub(super) static ALIGNED: &[InsnDef] = &{
    let mut out = [const { blank() }; BRANCHES.len() + 2];
    let mut n = 0;
    while n < out.len() {
        let plain = if n < BRANCHES.len() { &BRANCHES[n] } else { &JUMPS[n - BRANCHES.len() + 2] };
        out[n] = InsnDef { shape: Shape::End, exec: aligned, fast: None, ..copy(plain) };
        n += 1;
    }
    out
};

fn aligned(h: &mut Hart, bus: &mut Bus, i: &Insn) -> Result<(), Trap> {
    let Some(plain) = BRANCHES.iter().chain(JUMPS).find(|d| d.bits == i.def.bits) else { return Err(Trap::illegal(i.raw)) };
    let (rd, next) = (h.get(i.rd), h.next_pc);
    (plain.exec)(h, bus, i)?;
    let target = h.next_pc;
    if target & 3 == 0 {
        return Ok(());
    }
    h.set(i.rd, rd);
    h.next_pc = next;
    h.csr.elp = false;
    Err(Trap::new(Exception::InstAddrMisaligned, target))
}
