//! Zbkb: bit manipulation for cryptography, without what [`super::zbb`] has of it.

use super::macros::{alu_ri, alu_rr, table};
use emu_csr::Ext::Zbkb;

alu_rr! {
    Pack  "pack"  "0000100 bbbbb aaaaa 100 ddddd 0110011" &[Zbkb], Alu, |a, b| a as u32 as u64 | b << 32;
    Packh "packh" "0000100 bbbbb aaaaa 111 ddddd 0110011" &[Zbkb], Alu, |a, b| a & 0xff | (b & 0xff) << 8;
    Packw "packw" "0000100 bbbbb aaaaa 100 ddddd 0111011" &[Zbkb], Alu, |a, b| (a as u32 & 0xffff | (b as u32) << 16) as i32 as u64;
}

alu_ri! {
    Brev8 "brev8" "011010000111 aaaaa 101 ddddd 0010011" &[Zbkb], R1, Alu, |a, b| a.swap_bytes().reverse_bits();
}

table!(RR, RI);
