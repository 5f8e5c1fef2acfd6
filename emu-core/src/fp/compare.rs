//! Operations that neither round nor compute: comparisons, minimum and maximum, sign injection, classification.

use super::{Flags, Format};

/// An order on non-NaN encodings in which -0 lies just below +0.
#[inline]
fn key<F: Format>(a: u64) -> i64 {
    let magnitude = (a & !F::SIGN) as i64;
    if F::sign(a) { !magnitude } else { magnitude }
}

/// Raises NV for NaN operands, a quiet comparison only for signalling ones. Returns whether the operands are ordered.
#[inline]
fn ordered<F: Format>(a: u64, b: u64, quiet: bool, fl: &mut Flags) -> bool {
    if !F::is_nan(a) && !F::is_nan(b) {
        return true;
    }
    if !quiet || F::is_snan(a) || F::is_snan(b) {
        *fl |= Flags::NV;
    }
    false
}

#[inline]
fn both_zero<F: Format>(a: u64, b: u64) -> bool {
    (a | b) & !F::SIGN == 0
}

/// `FEQ.fmt`: quiet equality; NV only for signalling NaNs (Unprivileged ISA, "F", floating-point compare; IEEE 754-2019 clause
/// 5.11).
#[inline]
pub fn eq<F: Format>(a: u64, b: u64, fl: &mut Flags) -> bool {
    ordered::<F>(a, b, true, fl) && (a == b || both_zero::<F>(a, b))
}

/// `FLT.fmt`: signalling less-than; NV for any NaN (Unprivileged ISA, "F", floating-point compare; IEEE 754-2019 clause 5.11).
#[inline]
pub fn lt<F: Format>(a: u64, b: u64, fl: &mut Flags) -> bool {
    ordered::<F>(a, b, false, fl) && key::<F>(a) < key::<F>(b) && !both_zero::<F>(a, b)
}

/// `FLE.fmt`: signalling less-or-equal; NV for any NaN (Unprivileged ISA, "F", floating-point compare; IEEE 754-2019 clause
/// 5.11).
#[inline]
pub fn le<F: Format>(a: u64, b: u64, fl: &mut Flags) -> bool {
    ordered::<F>(a, b, false, fl) && (key::<F>(a) <= key::<F>(b) || both_zero::<F>(a, b))
}

/// `FLTQ.fmt`: as [`lt`], but quiet NaNs raise nothing (Unprivileged ISA, "Zfa", comparison instructions).
#[inline]
pub fn ltq<F: Format>(a: u64, b: u64, fl: &mut Flags) -> bool {
    ordered::<F>(a, b, true, fl) && key::<F>(a) < key::<F>(b) && !both_zero::<F>(a, b)
}

/// `FLEQ.fmt`: as [`le`], but quiet NaNs raise nothing (Unprivileged ISA, "Zfa", comparison instructions).
#[inline]
pub fn leq<F: Format>(a: u64, b: u64, fl: &mut Flags) -> bool {
    ordered::<F>(a, b, true, fl) && (key::<F>(a) <= key::<F>(b) || both_zero::<F>(a, b))
}

/// `FMIN.fmt`: minimumNumber. -0 is less than +0; a single NaN loses to the number, two NaNs give the canonical NaN, and a
/// signalling NaN raises NV in either case (Unprivileged ISA, "F" 2.2, computational instructions; IEEE 754-2019 clause 9.6).
#[inline]
pub fn min<F: Format>(a: u64, b: u64, fl: &mut Flags) -> u64 {
    number::<F>(a, b, fl).unwrap_or(if key::<F>(a) < key::<F>(b) { a } else { b })
}

/// `FMAX.fmt`: maximumNumber, the counterpart of [`min`] (Unprivileged ISA, "F" 2.2, computational instructions; IEEE 754-2019
/// clause 9.6).
#[inline]
pub fn max<F: Format>(a: u64, b: u64, fl: &mut Flags) -> u64 {
    number::<F>(a, b, fl).unwrap_or(if key::<F>(a) > key::<F>(b) { a } else { b })
}

/// `FMINM.fmt`: minimum, where any NaN operand gives the canonical NaN (Unprivileged ISA, "Zfa", minimum and maximum
/// instructions; IEEE 754-2019 clause 9.6).
#[inline]
pub fn minm<F: Format>(a: u64, b: u64, fl: &mut Flags) -> u64 {
    if ordered::<F>(a, b, true, fl) { min::<F>(a, b, fl) } else { F::NAN }
}

/// `FMAXM.fmt`: maximum, where any NaN operand gives the canonical NaN (Unprivileged ISA, "Zfa", minimum and maximum
/// instructions; IEEE 754-2019 clause 9.6).
#[inline]
pub fn maxm<F: Format>(a: u64, b: u64, fl: &mut Flags) -> u64 {
    if ordered::<F>(a, b, true, fl) { max::<F>(a, b, fl) } else { F::NAN }
}

/// The result of minimumNumber and maximumNumber when an operand is a NaN.
#[inline]
fn number<F: Format>(a: u64, b: u64, fl: &mut Flags) -> Option<u64> {
    if ordered::<F>(a, b, true, fl) {
        return None;
    }
    Some(match (F::is_nan(a), F::is_nan(b)) {
        (true, true) => F::NAN,
        (true, false) => b,
        _ => a,
    })
}

/// `FSGNJ.fmt`: `a` with the sign of `b` (Unprivileged ISA, "F", sign-injection; IEEE 754-2019 clause 5.5.1).
#[inline]
pub fn sgnj<F: Format>(a: u64, b: u64) -> u64 {
    a & !F::SIGN | b & F::SIGN
}

/// `FSGNJN.fmt`: `a` with the opposite of the sign of `b` (Unprivileged ISA, "F", sign-injection; IEEE 754-2019 clause 5.5.1).
#[inline]
pub fn sgnjn<F: Format>(a: u64, b: u64) -> u64 {
    a & !F::SIGN | !b & F::SIGN
}

/// `FSGNJX.fmt`: `a` with its sign flipped if `b` is negative (Unprivileged ISA, "F", sign-injection; IEEE 754-2019 clause
/// 5.5.1).
#[inline]
pub fn sgnjx<F: Format>(a: u64, b: u64) -> u64 {
    a ^ b & F::SIGN
}

/// `FCLASS.fmt`: the ten-bit class mask, of which exactly one bit is set (Unprivileged ISA, "F", floating-point classify; IEEE
/// 754-2019 clause 5.7.2).
#[inline]
pub fn classify<F: Format>(a: u64) -> u64 {
    let magnitude = a & !F::SIGN;
    let positive_bit = if magnitude > F::INF {
        return if a & F::QUIET == 0 { 1 << 8 } else { 1 << 9 };
    } else if magnitude == F::INF {
        7
    } else if magnitude >= F::MIN_NORMAL {
        6
    } else if magnitude != 0 {
        5
    } else {
        4
    };
    1 << if F::sign(a) { 7 - positive_bit } else { positive_bit }
}
