//! Zba: address generation.

use super::macros::{alu_ri, alu_rr, table};
use emu_csr::Ext::Zba;

alu_rr! {
    Sh1add   "sh1add"    "0010000 bbbbb aaaaa 010 ddddd 0110011" &[Zba], Alu, |a, b| (a << 1).wrapping_add(b);
    Sh2add   "sh2add"    "0010000 bbbbb aaaaa 100 ddddd 0110011" &[Zba], Alu, |a, b| (a << 2).wrapping_add(b);
    Sh3add   "sh3add"    "0010000 bbbbb aaaaa 110 ddddd 0110011" &[Zba], Alu, |a, b| (a << 3).wrapping_add(b);
    AddUw    "add.uw"    "0000100 bbbbb aaaaa 000 ddddd 0111011" &[Zba], Alu, |a, b| (a as u32 as u64).wrapping_add(b);
    Sh1addUw "sh1add.uw" "0010000 bbbbb aaaaa 010 ddddd 0111011" &[Zba], Alu, |a, b| ((a as u32 as u64) << 1).wrapping_add(b);
    Sh2addUw "sh2add.uw" "0010000 bbbbb aaaaa 100 ddddd 0111011" &[Zba], Alu, |a, b| ((a as u32 as u64) << 2).wrapping_add(b);
    Sh3addUw "sh3add.uw" "0010000 bbbbb aaaaa 110 ddddd 0111011" &[Zba], Alu, |a, b| ((a as u32 as u64) << 3).wrapping_add(b);
}

alu_ri! {
    SlliUw "slli.uw" "000010 ssssss aaaaa 001 ddddd 0011011" &[Zba], Shift, Alu, |a, b| (a as u32 as u64) << (b & 63);
}

table!(RR, RI);
