//! The integer-only implementation: the reference for [`fast`](super::fast) and its fallback.
//!
//! Each algorithm exists once, generic over [`Format`](super::Format). Operands are taken apart into a 64-bit significand whose
//! leading one is bit 63, the exact result is formed with its lost bits folded into the lowest bit, and one function rounds.

mod arith;
mod convert;
mod mul_add;
mod num;

pub use arith::{add, div, mul, sqrt, sub};
pub use convert::{cvt, fcvtmod_w_d, from_i32, from_i64, from_u32, from_u64, round, roundnx, to_i32, to_i64, to_u32, to_u64};
pub use mul_add::fma;
