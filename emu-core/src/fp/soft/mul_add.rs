//! Fused multiply-add.

use super::num::{Num, cancelled, invalid, is_special, is_zero, norm_round_pack, round_pack, shr_jam128};
use crate::fp::{Flags, Format, Rm};

/// `FMADD.fmt`: `a * b + c` with one rounding. The caller flips sign bits for `FMSUB` (of `c`), `FNMSUB` (of `a`) and `FNMADD`
/// (of `a` and `c`). Infinity times zero raises NV even if `c` is a quiet NaN (Unprivileged ISA, "F", computational
/// instructions; IEEE 754-2019 clauses 5.4.1 and 7.2).
pub fn fma<F: Format>(a: u64, b: u64, c: u64, rm: Rm, fl: &mut Flags) -> u64 {
    if is_special::<F>(a) || is_special::<F>(b) || is_special::<F>(c) {
        return fma_special::<F>(a, b, c, fl);
    }
    let sign = F::sign(a ^ b);
    let (x, y, z) = (Num::of::<F>(a), Num::of::<F>(b), Num::of::<F>(c));
    if x.is_zero() || y.is_zero() {
        return if z.is_zero() && z.sign != sign { cancelled::<F>(rm) } else { c };
    }
    let product = u128::from(x.sig) * u128::from(y.sig);
    if z.is_zero() {
        let sig = (product >> 64) as u64 | (product as u64 != 0) as u64;
        return norm_round_pack::<F>(sign, x.exp + y.exp + 1, sig, rm, fl);
    }
    // Both terms in units of 2^(exp - 124): the product in [2^124, 2^126), its lowest 20 bits zero, and the addend in
    // [2^124, 2^125), its lowest 72 zero. Where aligning loses bits, the difference keeps its leading ones. No branch depends on
    // which term is greater or on the signs, which are hard to predict.
    let (p, p_exp) = ((product >> 2) as i128, x.exp + y.exp);
    let (q, q_exp) = ((u128::from(z.sig) << 61) as i128, z.exp);
    let by = p_exp - q_exp;
    let ((big, big_sign), (small, small_sign)) = if by >= 0 { ((p, sign), (q, z.sign)) } else { ((q, z.sign), (p, sign)) };
    let small = shr_jam128(small, by.unsigned_abs());
    let opposite = -i128::from(big_sign != small_sign);
    let sum = big + ((small ^ opposite) - opposite);
    if sum == 0 {
        return cancelled::<F>(rm);
    }
    let magnitude = sum.unsigned_abs();
    let shift = magnitude.leading_zeros();
    let magnitude = magnitude << (shift & 127);
    let sig = (magnitude >> 64) as u64 | (magnitude as u64 != 0) as u64;
    round_pack::<F>(big_sign ^ (sum < 0), p_exp.max(q_exp) + 3 - shift as i32, sig, rm, fl)
}

#[cold]
fn fma_special<F: Format>(a: u64, b: u64, c: u64, fl: &mut Flags) -> u64 {
    let infinite = |v: u64| v & !F::SIGN == F::INF;
    if infinite(a) && is_zero::<F>(b) || is_zero::<F>(a) && infinite(b) {
        return invalid::<F>(fl);
    }
    if F::is_nan(a) || F::is_nan(b) || F::is_nan(c) {
        if F::is_snan(a) || F::is_snan(b) || F::is_snan(c) {
            *fl |= Flags::NV;
        }
        return F::NAN;
    }
    if !infinite(a) && !infinite(b) {
        return c;
    }
    let product = F::sign_bit(F::sign(a ^ b)) | F::INF;
    if infinite(c) && c != product { invalid::<F>(fl) } else { product }
}
