//! Zbs: single-bit instructions.

use super::macros::{alu_ri, alu_rr, table};
use emu_csr::Ext::Zbs;

alu_rr! {
    Bclr "bclr" "0100100 bbbbb aaaaa 001 ddddd 0110011" &[Zbs], Alu, |a, b| a & !(1 << (b & 63));
    Bext "bext" "0100100 bbbbb aaaaa 101 ddddd 0110011" &[Zbs], Alu, |a, b| a >> (b & 63) & 1;
    Binv "binv" "0110100 bbbbb aaaaa 001 ddddd 0110011" &[Zbs], Alu, |a, b| a ^ 1 << (b & 63);
    Bset "bset" "0010100 bbbbb aaaaa 001 ddddd 0110011" &[Zbs], Alu, |a, b| a | 1 << (b & 63);
}

alu_ri! {
    Bclri "bclri" "010010 ssssss aaaaa 001 ddddd 0010011" &[Zbs], Shift, Alu, |a, b| a & !(1 << (b & 63));
    Bexti "bexti" "010010 ssssss aaaaa 101 ddddd 0010011" &[Zbs], Shift, Alu, |a, b| a >> (b & 63) & 1;
    Binvi "binvi" "011010 ssssss aaaaa 001 ddddd 0010011" &[Zbs], Shift, Alu, |a, b| a ^ 1 << (b & 63);
    Bseti "bseti" "001010 ssssss aaaaa 001 ddddd 0010011" &[Zbs], Shift, Alu, |a, b| a | 1 << (b & 63);
}

table!(RR, RI);
