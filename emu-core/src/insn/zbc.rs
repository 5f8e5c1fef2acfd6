//! Zbc: carry-less multiplication.

use super::macros::{alu_rr, table};
use emu_csr::Ext::Zbc;

alu_rr! {
    Clmul  "clmul"  "0000101 bbbbb aaaaa 001 ddddd 0110011" &[Zbc], Mul, |a, b| product(a, b) as u64;
    Clmulr "clmulr" "0000101 bbbbb aaaaa 010 ddddd 0110011" &[Zbc], Mul, |a, b| (product(a, b) >> 63) as u64;
    Clmulh "clmulh" "0000101 bbbbb aaaaa 011 ddddd 0110011" &[Zbc], Mul, |a, b| (product(a, b) >> 64) as u64;
}

/// The 127-bit product of two polynomials over GF(2), a nibble of `b` at a time.
fn product(a: u64, b: u64) -> u128 {
    let mut multiples = [0u128; 16];
    for n in 1..16 {
        multiples[n] = multiples[n >> 1] << 1 ^ if n & 1 != 0 { a as u128 } else { 0 };
    }
    (0..16).rev().fold(0, |sum, nibble| sum << 4 ^ multiples[(b >> (4 * nibble) & 15) as usize])
}

table!(RR);
