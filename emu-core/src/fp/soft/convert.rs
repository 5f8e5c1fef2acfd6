//! Conversions between formats and integers, and rounding to integral values.

use super::num::{Num, is_special, round_addend, round_pack, shr_jam};
use crate::fp::{F64, Flags, Format, Rm};

/// The magnitude of a number below 2^64 rounded to an integer, and whether it is inexact.
#[inline]
fn integer(x: Num, rm: Rm) -> (u64, bool) {
    let (whole, part) = match x.exp {
        63.. => (x.sig, 0),
        0..=62 => (x.sig >> (63 - x.exp), x.sig << (x.exp + 1)),
        -1 => (0, x.sig),
        _ => (0, shr_jam(x.sig >> 1 | x.sig & 1, (-2 - x.exp) as u32)),
    };
    let (_, up) = part.overflowing_add(round_addend(rm, x.sign, whole & 1 != 0, 64));
    // With a fraction, the whole part has at most 53 bits: no overflow.
    (whole.wrapping_add(up as u64), part != 0)
}

/// Converts to an integer with the greatest magnitudes given for each sign; the result is the two's complement of the value.
#[inline]
fn to_integer<F: Format>(a: u64, rm: Rm, fl: &mut Flags, max: u64, min_magnitude: u64) -> u64 {
    let nan = F::is_nan(a);
    let negative = F::sign(a) && !nan;
    let limit = if negative { min_magnitude } else { max };
    let signed = |magnitude: u64| if negative { magnitude.wrapping_neg() } else { magnitude };
    if !is_special::<F>(a) {
        let x = Num::of::<F>(a);
        if x.is_zero() {
            return 0;
        }
        if x.exp < 64 {
            let (magnitude, inexact) = integer(x, rm);
            if magnitude <= limit {
                fl.0 |= inexact as u8;
                return signed(magnitude);
            }
        }
    }
    *fl |= Flags::NV;
    signed(limit)
}

/// `FCVT.W.fmt`: to a signed 32-bit integer. Out of range saturates, NaN gives the greatest value, both with NV alone
/// (Unprivileged ISA, "F", conversion and move instructions; IEEE 754-2019 clause 5.8).
pub fn to_i32<F: Format>(a: u64, rm: Rm, fl: &mut Flags) -> i32 {
    to_integer::<F>(a, rm, fl, i32::MAX as u64, 1 << 31) as i32
}

/// `FCVT.WU.fmt`: to an unsigned 32-bit integer, which the instruction writes sign-extended. Saturates as [`to_i32`]; a negative
/// value that does not round to zero is out of range (Unprivileged ISA, "F", conversion and move instructions).
pub fn to_u32<F: Format>(a: u64, rm: Rm, fl: &mut Flags) -> u32 {
    to_integer::<F>(a, rm, fl, u32::MAX as u64, 0) as u32
}

/// `FCVT.L.fmt`: to a signed 64-bit integer; saturates as [`to_i32`] (Unprivileged ISA, "F", conversion and move instructions).
pub fn to_i64<F: Format>(a: u64, rm: Rm, fl: &mut Flags) -> i64 {
    to_integer::<F>(a, rm, fl, i64::MAX as u64, 1 << 63) as i64
}

/// `FCVT.LU.fmt`: to an unsigned 64-bit integer; saturates as [`to_u32`] (Unprivileged ISA, "F", conversion and move
/// instructions).
pub fn to_u64<F: Format>(a: u64, rm: Rm, fl: &mut Flags) -> u64 {
    to_integer::<F>(a, rm, fl, u64::MAX, 0)
}

#[inline]
fn from_magnitude<F: Format>(sign: bool, magnitude: u64, rm: Rm, fl: &mut Flags) -> u64 {
    if magnitude == 0 {
        return 0;
    }
    let shift = magnitude.leading_zeros();
    round_pack::<F>(sign, 63 - shift as i32, magnitude << shift, rm, fl)
}

/// `FCVT.fmt.W`: from a signed 32-bit integer (Unprivileged ISA, "F", conversion and move instructions; IEEE 754-2019 clause
/// 5.4.1).
pub fn from_i32<F: Format>(a: i32, rm: Rm, fl: &mut Flags) -> u64 {
    from_magnitude::<F>(a < 0, u64::from(a.unsigned_abs()), rm, fl)
}

/// `FCVT.fmt.WU`: from an unsigned 32-bit integer (Unprivileged ISA, "F", conversion and move instructions).
pub fn from_u32<F: Format>(a: u32, rm: Rm, fl: &mut Flags) -> u64 {
    from_magnitude::<F>(false, u64::from(a), rm, fl)
}

/// `FCVT.fmt.L`: from a signed 64-bit integer (Unprivileged ISA, "F", conversion and move instructions).
pub fn from_i64<F: Format>(a: i64, rm: Rm, fl: &mut Flags) -> u64 {
    from_magnitude::<F>(a < 0, a.unsigned_abs(), rm, fl)
}

/// `FCVT.fmt.LU`: from an unsigned 64-bit integer (Unprivileged ISA, "F", conversion and move instructions).
pub fn from_u64<F: Format>(a: u64, rm: Rm, fl: &mut Flags) -> u64 {
    from_magnitude::<F>(false, a, rm, fl)
}

/// `FCVT.T.F`: from format `F` to format `T`; a NaN becomes the canonical NaN, NV if it signals (Unprivileged ISA, "D" and
/// "Zfh", conversion instructions; IEEE 754-2019 clause 5.4.2).
pub fn cvt<F: Format, T: Format>(a: u64, rm: Rm, fl: &mut Flags) -> u64 {
    if F::is_nan(a) {
        if F::is_snan(a) {
            *fl |= Flags::NV;
        }
        return T::NAN;
    }
    if is_special::<F>(a) {
        return T::sign_bit(F::sign(a)) | T::INF;
    }
    let x = Num::of::<F>(a);
    if x.is_zero() {
        return T::sign_bit(x.sign);
    }
    round_pack::<T>(x.sign, x.exp, x.sig, rm, fl)
}

/// `FROUND.fmt`: to an integral value in the same format, never raising NX (Unprivileged ISA, "Zfa", round-to-integer
/// instructions; IEEE 754-2019 clause 5.3.1).
pub fn round<F: Format>(a: u64, rm: Rm, fl: &mut Flags) -> u64 {
    let mut ignored = Flags::NONE;
    let result = roundnx::<F>(a, rm, &mut ignored);
    fl.0 |= ignored.0 & Flags::NV.0;
    result
}

/// `FROUNDNX.fmt`: to an integral value in the same format, with NX if that differs from `a` (Unprivileged ISA, "Zfa",
/// round-to-integer instructions; IEEE 754-2019 clause 5.9).
pub fn roundnx<F: Format>(a: u64, rm: Rm, fl: &mut Flags) -> u64 {
    if F::is_nan(a) {
        if F::is_snan(a) {
            *fl |= Flags::NV;
        }
        return F::NAN;
    }
    if F::exp(a) >= F::BIAS + F::FRAC as i32 || a & !F::SIGN == 0 {
        return a;
    }
    let x = Num::of::<F>(a);
    let (magnitude, inexact) = integer(x, rm);
    fl.0 |= inexact as u8;
    // The integer has at most FRAC + 1 significant bits, so nothing is rounded here.
    F::sign_bit(x.sign) | from_magnitude::<F>(false, magnitude, rm, fl)
}

/// `FCVTMOD.W.D`: rounds towards zero and keeps the low 32 bits of the unbounded two's complement result; infinities and NaNs
/// give 0. Flags are those of `FCVT.W.D` (Unprivileged ISA, "Zfa", modular convert-to-integer instruction).
pub fn fcvtmod_w_d(a: u64, fl: &mut Flags) -> i32 {
    to_i32::<F64>(a, Rm::Rtz, fl);
    if is_special::<F64>(a) {
        return 0;
    }
    let x = Num::of::<F64>(a);
    let magnitude = match x.exp {
        64..=83 => x.sig << (x.exp - 63),
        // The 53 significant bits all lie above bit 31.
        84.. => 0,
        _ => integer(x, Rm::Rtz).0,
    };
    (if x.sign { magnitude.wrapping_neg() } else { magnitude }) as i32
}
