//! Berkeley SoftFloat 3 behind the signatures of `emu_core::fp`. The operands are those of `emu-core`'s own tests.

#[path = "../../../emu-core/src/fp/tests/operands.rs"]
pub mod operands;

pub use emu_core::fp;

use fp::{F16, F32, F64, Flags, Format, Rm};
use softfloat_wrapper::{ExceptionFlags, Float, RoundingMode};

/// A format and its counterpart in the oracle.
pub trait Pair {
    /// The format under test.
    type F: Format;
    /// The oracle's type.
    type S: Float;
    /// The oracle's value with these bits.
    fn s(bits: u64) -> Self::S;
    /// The bits of the oracle's value.
    fn b(value: Self::S) -> u64;
    /// A conversion to this format by the oracle.
    fn of<T: Float>(value: T, rm: RoundingMode) -> Self::S;
}

macro_rules! pair {
    ($format:ident, $bits:ty, $to:ident) => {
        impl Pair for $format {
            type F = $format;
            type S = softfloat_wrapper::$format;
            fn s(bits: u64) -> Self::S {
                Self::S::from_bits(bits as $bits)
            }
            fn b(value: Self::S) -> u64 {
                u64::from(value.to_bits())
            }
            fn of<T: Float>(value: T, rm: RoundingMode) -> Self::S {
                value.$to(rm)
            }
        }
    };
}

pair!(F16, u16, to_f16);
pair!(F32, u32, to_f32);
pair!(F64, u64, to_f64);

/// The oracle's name of a rounding mode.
pub fn mode(rm: Rm) -> RoundingMode {
    match rm {
        Rm::Rne => RoundingMode::TiesToEven,
        Rm::Rtz => RoundingMode::TowardZero,
        Rm::Rdn => RoundingMode::TowardNegative,
        Rm::Rup => RoundingMode::TowardPositive,
        Rm::Rmm => RoundingMode::TiesToAway,
    }
}

/// Runs an operation of the oracle and collects its flags.
pub fn oracle<T>(op: impl FnOnce() -> T) -> (T, Flags) {
    ExceptionFlags::default().set();
    let value = op();
    let mut flags = ExceptionFlags::default();
    flags.get();
    (value, Flags(flags.to_bits()))
}

/// Runs an operation under test with flags that were clear before.
pub fn ours<T>(op: impl FnOnce(&mut Flags) -> T) -> (T, Flags) {
    let mut flags = Flags::NONE;
    let value = op(&mut flags);
    (value, flags)
}
