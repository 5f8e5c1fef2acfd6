//! Tests of values and flags against an independent implementation, the definitions, and of `fast` against `soft`.
//!
//! `tests/berkeley` compares everything with Berkeley SoftFloat; it stands outside of the workspace because it needs a C
//! toolchain.

mod against_apfloat;
mod definitions;
mod fast_is_soft;
mod operands;

use super::{Flags, Rm};
use operands::Gen;

/// Runs an operation with flags that were clear before.
fn run<T>(op: impl FnOnce(&mut Flags) -> T) -> (T, Flags) {
    let mut flags = Flags::NONE;
    let value = op(&mut flags);
    (value, flags)
}

/// A generator for each case and rounding mode.
fn cases(count: u64) -> impl Iterator<Item = (Gen, Rm)> {
    (0..count).flat_map(|i| Rm::ALL.map(|rm| (Gen(0x5eed << 40 ^ i << 3 ^ rm as u64), rm)))
}
