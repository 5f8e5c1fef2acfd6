//! Fused multiply-add from additions and a multiplication of the host, each with its error.

use super::fused::{fused_f32, fused_f64};
use super::{HOST_EXACT, inexact, inner, significand};
use crate::fp::{F32, F64, Flags, Format, Rm, soft};

/// The rounded sum, and the exact difference of the sum from it (Knuth's two-sum). Finite arguments whose sum is far from
/// overflow.
#[inline(always)]
fn two_sum(x: f64, y: f64) -> (f64, f64) {
    let s = x + y;
    let v = s - x;
    (s, (x - (s - v)) + (y - v))
}

/// The sum rounded to odd: an inexact result is the neighbour with an odd significand.
#[inline(always)]
fn odd_sum(x: f64, y: f64) -> f64 {
    let (s, error) = two_sum(x, y);
    let bits = s.to_bits();
    // Towards the error: away from zero if it has the sign of the sum.
    let step = 1 - 2 * ((bits ^ error.to_bits()) >> 63) as i64;
    let even = error != 0.0 && bits & 1 == 0;
    f64::from_bits(bits.wrapping_add_signed(if even { step } else { 0 }))
}

/// [`soft::fma`] for single precision. The product is exact in double precision; the sum is rounded to odd there, which makes
/// the second rounding harmless (double has more than twice the digits and two more). If NX is accrued, one instruction of the host
/// does it.
#[inline]
pub fn fma_f32(a: u64, b: u64, c: u64, rm: Rm, fl: &mut Flags) -> u64 {
    if HOST_EXACT && rm == Rm::Rne {
        let single = |v: u64| f32::from_bits(v as u32);
        if fl.has(Flags::NX)
            && let Some(r) = fused_f32(single(a), single(b), single(c))
            && inner::<F32>(u64::from(r.to_bits()))
        {
            return u64::from(r.to_bits());
        }
        let wide = |v: u64| f64::from(single(v));
        let sum = odd_sum(wide(a) * wide(b), wide(c));
        let narrow = sum as f32;
        let r = u64::from(narrow.to_bits());
        // An infinite or NaN sum is not inner.
        if inner::<F32>(r) {
            inexact(fl, f64::from(narrow) != sum);
            return r;
        }
    }
    cold_fma::<F32>(a, b, c, rm, fl)
}

/// Bound on the exponents of factors for which all terms of the sum below are normal and far from overflow.
const REACH: i32 = 400;

#[inline(always)]
fn is_middling(a: u64) -> bool {
    ((F64::exp(a) - (F64::BIAS - REACH)) as u32) < 2 * REACH as u32
}

/// [`soft::fma`] for double precision: by one instruction if the host has it and NX is accrued, else by the sum of the rounded
/// product, its error and the addend, where the small parts are summed rounding to odd (Boldo and Melquiond, "Emulation of
/// FMA and correctly rounded sums: proved algorithms using rounding to odd", IEEE Transactions on Computers 57(4), 2008).
#[inline]
pub fn fma_f64(a: u64, b: u64, c: u64, rm: Rm, fl: &mut Flags) -> u64 {
    if HOST_EXACT && rm == Rm::Rne {
        let (x, y, z) = (f64::from_bits(a), f64::from_bits(b), f64::from_bits(c));
        if fl.has(Flags::NX)
            && let Some(r) = fused_f64(x, y, z)
        {
            if inner::<F64>(r.to_bits()) {
                return r.to_bits();
            }
        } else if is_middling(a) && is_middling(b) && F64::exp(c) < F64::BIAS + 2 * REACH {
            let p = x * y;
            let (high, low) = two_sum(product_error(a, b, p), z);
            let (sum, rest) = two_sum(p, high);
            let tail = odd_sum(rest, low);
            let (r, error) = two_sum(sum, tail);
            let r = r.to_bits();
            if inner::<F64>(r) {
                // A tail that lost bits is odd in its last place, too far below the sum to fit into the result: an error again.
                inexact(fl, error != 0.0);
                return r;
            }
        }
    }
    cold_fma::<F64>(a, b, c, rm, fl)
}

/// What the product of two middling numbers lost when it was rounded to `p`: the difference of the integer products of
/// significands, which is below 2^53 and so known from its low 64 bits.
#[inline(always)]
fn product_error(a: u64, b: u64, p: f64) -> f64 {
    let p = p.to_bits();
    let exp = F64::exp(a) + F64::exp(b) - F64::BIAS;
    let rounded = significand::<F64>(p) << (F64::FRAC as i32 + F64::exp(p) - exp);
    let error = significand::<F64>(a).wrapping_mul(significand::<F64>(b)).wrapping_sub(rounded) as i64;
    let unit = p & F64::SIGN | ((exp - 2 * F64::FRAC as i32) as u64) << F64::FRAC;
    error as f64 * f64::from_bits(unit)
}

#[cold]
#[inline(never)]
fn cold_fma<F: Format>(a: u64, b: u64, c: u64, rm: Rm, fl: &mut Flags) -> u64 {
    soft::fma::<F>(a, b, c, rm, fl)
}
