//! "M" extension for integer multiplication and division.

use super::macros::{alu_rr, table};
use emu_csr::Ext::M;

alu_rr! {
    Mul    "mul"    "0000001 bbbbb aaaaa 000 ddddd 0110011" &[M], Mul, |a, b| a.wrapping_mul(b);
    Mulh   "mulh"   "0000001 bbbbb aaaaa 001 ddddd 0110011" &[M], Mul, |a, b| ((a as i64 as i128 * b as i64 as i128) >> 64) as u64;
    Mulhsu "mulhsu" "0000001 bbbbb aaaaa 010 ddddd 0110011" &[M], Mul, |a, b| ((a as i64 as i128 * b as i128) >> 64) as u64;
    Mulhu  "mulhu"  "0000001 bbbbb aaaaa 011 ddddd 0110011" &[M], Mul, |a, b| ((a as u128 * b as u128) >> 64) as u64;
    Div    "div"    "0000001 bbbbb aaaaa 100 ddddd 0110011" &[M], Div, |a, b| if b == 0 { !0 } else { (a as i64).wrapping_div(b as i64) as u64 };
    Divu   "divu"   "0000001 bbbbb aaaaa 101 ddddd 0110011" &[M], Div, |a, b| a.checked_div(b).unwrap_or(!0);
    Rem    "rem"    "0000001 bbbbb aaaaa 110 ddddd 0110011" &[M], Div, |a, b| if b == 0 { a } else { (a as i64).wrapping_rem(b as i64) as u64 };
    Remu   "remu"   "0000001 bbbbb aaaaa 111 ddddd 0110011" &[M], Div, |a, b| if b == 0 { a } else { a % b };
    Mulw   "mulw"   "0000001 bbbbb aaaaa 000 ddddd 0111011" &[M], Mul, |a, b| (a as i32).wrapping_mul(b as i32) as u64;
    Divw   "divw"   "0000001 bbbbb aaaaa 100 ddddd 0111011" &[M], Div, |a, b| if b as i32 == 0 { !0 } else { (a as i32).wrapping_div(b as i32) as u64 };
    Divuw  "divuw"  "0000001 bbbbb aaaaa 101 ddddd 0111011" &[M], Div, |a, b| (a as u32).checked_div(b as u32).map_or(!0, |q| q as i32 as u64);
    Remw   "remw"   "0000001 bbbbb aaaaa 110 ddddd 0111011" &[M], Div, |a, b| if b as i32 == 0 { a as i32 as u64 } else { (a as i32).wrapping_rem(b as i32) as u64 };
    Remuw  "remuw"  "0000001 bbbbb aaaaa 111 ddddd 0111011" &[M], Div, |a, b| if b as u32 == 0 { a as i32 as u64 } else { (a as u32 % b as u32) as i32 as u64 };
}

table!(RR);
