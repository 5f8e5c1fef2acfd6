//! Zbb: basic bit manipulation; those of it that Zbkb shares name both.

use super::macros::{alu_ri, alu_rr, table};
use emu_csr::Ext::{Zbb, Zbkb};

alu_rr! {
    Andn "andn" "0100000 bbbbb aaaaa 111 ddddd 0110011" &[Zbb, Zbkb], Alu, |a, b| a & !b;
    Orn  "orn"  "0100000 bbbbb aaaaa 110 ddddd 0110011" &[Zbb, Zbkb], Alu, |a, b| a | !b;
    Xnor "xnor" "0100000 bbbbb aaaaa 100 ddddd 0110011" &[Zbb, Zbkb], Alu, |a, b| !(a ^ b);
    Max  "max"  "0000101 bbbbb aaaaa 110 ddddd 0110011" &[Zbb], Alu, |a, b| (a as i64).max(b as i64) as u64;
    Maxu "maxu" "0000101 bbbbb aaaaa 111 ddddd 0110011" &[Zbb], Alu, |a, b| a.max(b);
    Min  "min"  "0000101 bbbbb aaaaa 100 ddddd 0110011" &[Zbb], Alu, |a, b| (a as i64).min(b as i64) as u64;
    Minu "minu" "0000101 bbbbb aaaaa 101 ddddd 0110011" &[Zbb], Alu, |a, b| a.min(b);
    Rol  "rol"  "0110000 bbbbb aaaaa 001 ddddd 0110011" &[Zbb, Zbkb], Alu, |a, b| a.rotate_left(b as u32 & 63);
    Ror  "ror"  "0110000 bbbbb aaaaa 101 ddddd 0110011" &[Zbb, Zbkb], Alu, |a, b| a.rotate_right(b as u32 & 63);
    Rolw "rolw" "0110000 bbbbb aaaaa 001 ddddd 0111011" &[Zbb, Zbkb], Alu, |a, b| (a as u32).rotate_left(b as u32 & 31) as i32 as u64;
    Rorw "rorw" "0110000 bbbbb aaaaa 101 ddddd 0111011" &[Zbb, Zbkb], Alu, |a, b| (a as u32).rotate_right(b as u32 & 31) as i32 as u64;
}

alu_ri! {
    Clz   "clz"    "011000000000 aaaaa 001 ddddd 0010011" &[Zbb], R1, Alu, |a, b| a.leading_zeros() as u64;
    Ctz   "ctz"    "011000000001 aaaaa 001 ddddd 0010011" &[Zbb], R1, Alu, |a, b| a.trailing_zeros() as u64;
    Cpop  "cpop"   "011000000010 aaaaa 001 ddddd 0010011" &[Zbb], R1, Alu, |a, b| a.count_ones() as u64;
    SextB "sext.b" "011000000100 aaaaa 001 ddddd 0010011" &[Zbb], R1, Alu, |a, b| a as i8 as u64;
    SextH "sext.h" "011000000101 aaaaa 001 ddddd 0010011" &[Zbb], R1, Alu, |a, b| a as i16 as u64;
    // Also packw with rs2=x0: the same value, so Zbkb's wider encoding may lie around it.
    ZextH "zext.h" "000010000000 aaaaa 100 ddddd 0111011" &[Zbb], R1, Alu, |a, b| a as u16 as u64;
    Clzw  "clzw"   "011000000000 aaaaa 001 ddddd 0011011" &[Zbb], R1, Alu, |a, b| (a as u32).leading_zeros() as u64;
    Ctzw  "ctzw"   "011000000001 aaaaa 001 ddddd 0011011" &[Zbb], R1, Alu, |a, b| (a as u32).trailing_zeros() as u64;
    Cpopw "cpopw"  "011000000010 aaaaa 001 ddddd 0011011" &[Zbb], R1, Alu, |a, b| (a as u32).count_ones() as u64;
    OrcB  "orc.b"  "001010000111 aaaaa 101 ddddd 0010011" &[Zbb], R1, Alu, |a, b| or_combine(a);
    Rev8  "rev8"   "011010111000 aaaaa 101 ddddd 0010011" &[Zbb, Zbkb], R1, Alu, |a, b| a.swap_bytes();
    Rori  "rori"   "011000 ssssss aaaaa 101 ddddd 0010011" &[Zbb, Zbkb], Shift, Alu, |a, b| a.rotate_right(b as u32 & 63);
    Roriw "roriw"  "0110000 sssss aaaaa 101 ddddd 0011011" &[Zbb, Zbkb], ShiftW, Alu, |a, b| (a as u32).rotate_right(b as u32 & 31) as i32 as u64;
}

/// Every byte that has a bit set becomes 0xff.
#[inline(always)]
const fn or_combine(a: u64) -> u64 {
    const LOW7: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    // Bit 7 of each byte: was any of its bits set.
    let any = ((a & LOW7).wrapping_add(LOW7) | a) & !LOW7;
    (any >> 7).wrapping_mul(0xff)
}

table!(RR, RI);
