//! Taking encodings apart, and rounding exact results back into them.

use crate::fp::{Flags, Format, Rm};

/// A finite number: `sig / 2^63 * 2^exp`, with bit 63 of `sig` set unless the number is zero.
#[derive(Clone, Copy)]
pub(super) struct Num {
    pub(super) sign: bool,
    pub(super) exp: i32,
    pub(super) sig: u64,
}

impl Num {
    /// Takes a finite encoding apart. The exponent of a zero means nothing.
    #[inline]
    pub(super) fn of<F: Format>(a: u64) -> Num {
        let (sign, field, frac) = (F::sign(a), F::exp(a), a & F::FRAC_MASK);
        if field != 0 {
            Num { sign, exp: field - F::BIAS, sig: 1 << 63 | frac << (63 - F::FRAC) }
        } else if frac == 0 {
            Num { sign, exp: 0, sig: 0 }
        } else {
            let shift = frac.leading_zeros();
            Num { sign, exp: 64 - F::BIAS - F::FRAC as i32 - shift as i32, sig: frac << shift }
        }
    }

    #[inline]
    pub(super) fn is_zero(self) -> bool {
        self.sig == 0
    }
}

/// `a >> by`, with the lowest bit set if any bit was lost. `a` is below 2^63.
#[inline]
pub(super) fn shr_jam(a: u64, by: u32) -> u64 {
    let by = by.min(63);
    let shifted = a >> by;
    shifted | (shifted << by != a) as u64
}

/// As [`shr_jam`], for a number of up to 127 bits.
#[inline]
pub(super) fn shr_jam128(a: i128, by: u32) -> i128 {
    let by = by.min(127);
    let shifted = a >> by;
    shifted | i128::from(shifted << by != a)
}

/// The result of an invalid operation: NV and the canonical NaN.
#[cold]
pub(super) fn invalid<F: Format>(fl: &mut Flags) -> u64 {
    *fl |= Flags::NV;
    F::NAN
}

/// Whether `a` is an infinity or a NaN.
#[inline]
pub(super) fn is_special<F: Format>(a: u64) -> bool {
    F::exp(a) == F::EXP_MAX
}

/// Whether `a` is a zero of either sign.
#[inline]
pub(super) fn is_zero<F: Format>(a: u64) -> bool {
    a & !F::SIGN == 0
}

/// The sum of two exact zeros of unlike sign, or of a number and its opposite: +0, except -0 when rounding down (IEEE 754-2019
/// clause 6.3).
#[inline]
pub(super) fn cancelled<F: Format>(rm: Rm) -> u64 {
    F::sign_bit(rm == Rm::Rdn)
}

/// What to add to the `bits` low bits that rounding drops so that the carry out of them is the increment of the rest; `odd` is
/// the lowest bit that stays.
#[inline]
pub(super) fn round_addend(rm: Rm, sign: bool, odd: bool, bits: u32) -> u64 {
    let half = 1u64 << (bits - 1);
    match rm {
        Rm::Rne => half - !odd as u64,
        Rm::Rmm => half,
        Rm::Rtz => 0,
        Rm::Rdn => {
            if sign {
                half | (half - 1)
            } else {
                0
            }
        }
        Rm::Rup => {
            if sign {
                0
            } else {
                half | (half - 1)
            }
        }
    }
}

/// Rounds `sig / 2^63 * 2^exp`, where bit 63 of `sig` is set and bit 0 also stands for all bits below it (IEEE 754-2019 clauses
/// 4.3, 7.4, 7.5; tininess is detected after rounding).
#[inline]
pub(super) fn round_pack<F: Format>(sign: bool, exp: i32, sig: u64, rm: Rm, fl: &mut Flags) -> u64 {
    let field = exp + F::BIAS;
    if field <= 0 {
        return round_pack_tiny::<F>(sign, field, sig, rm, fl);
    }
    if field >= F::EXP_MAX {
        return overflow::<F>(sign, rm, fl);
    }
    let bits = 63 - F::FRAC;
    let lost = sig & ((1 << bits) - 1);
    let kept = sig >> bits;
    let up = (lost + round_addend(rm, sign, kept & 1 != 0, bits)) >> bits;
    // `kept` has the leading one at bit FRAC, which adds one to the exponent field below it; so does a carry.
    let magnitude = ((field as u64 - 1) << F::FRAC) + kept + up;
    if magnitude >= F::INF {
        return overflow::<F>(sign, rm, fl);
    }
    fl.0 |= (lost != 0) as u8;
    F::sign_bit(sign) | magnitude
}

#[cold]
fn round_pack_tiny<F: Format>(sign: bool, field: i32, sig: u64, rm: Rm, fl: &mut Flags) -> u64 {
    let bits = 63 - F::FRAC;
    let low = (1 << bits) - 1;
    let carries = |sig: u64| ((sig & low) + round_addend(rm, sign, sig >> bits & 1 != 0, bits)) >> bits;
    // Not tiny if rounding to full precision, as though exponents had no lower bound, reaches the smallest normal number.
    let tiny = field < 0 || (sig >> bits) + carries(sig) < F::MIN_NORMAL << 1;
    let sig = shr_jam(sig >> 1 | sig & 1, (-field) as u32);
    if sig & low != 0 {
        *fl |= if tiny { Flags::NX | Flags::UF } else { Flags::NX };
    }
    F::sign_bit(sign) | ((sig >> bits) + carries(sig))
}

/// The default result of an overflow (IEEE 754-2019 clause 7.4).
#[cold]
fn overflow<F: Format>(sign: bool, rm: Rm, fl: &mut Flags) -> u64 {
    *fl |= Flags::OF | Flags::NX;
    let infinite = match rm {
        Rm::Rne | Rm::Rmm => true,
        Rm::Rtz => false,
        Rm::Rdn => sign,
        Rm::Rup => !sign,
    };
    F::sign_bit(sign) | if infinite { F::INF } else { F::MAX_FINITE }
}

/// As [`round_pack`], for a nonzero `sig` whose leading one may be anywhere.
#[inline]
pub(super) fn norm_round_pack<F: Format>(sign: bool, exp: i32, sig: u64, rm: Rm, fl: &mut Flags) -> u64 {
    let shift = sig.leading_zeros();
    round_pack::<F>(sign, exp - shift as i32, sig << (shift & 63), rm, fl)
}
