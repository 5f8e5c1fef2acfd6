//! Addition, multiplication, division, square root.

use super::num::{Num, cancelled, invalid, is_special, is_zero, norm_round_pack, round_pack, shr_jam};
use crate::fp::{Flags, Format, Rm};

/// `FADD.fmt`: `a + b` (Unprivileged ISA, "F", computational instructions; IEEE 754-2019 clause 5.4.1).
pub fn add<F: Format>(a: u64, b: u64, rm: Rm, fl: &mut Flags) -> u64 {
    if is_special::<F>(a) || is_special::<F>(b) {
        return add_special::<F>(a, b, fl);
    }
    let (x, y) = (Num::of::<F>(a), Num::of::<F>(b));
    if x.is_zero() || y.is_zero() {
        return match (x.is_zero(), y.is_zero()) {
            (true, true) if a != b => cancelled::<F>(rm),
            (true, _) => b,
            _ => a,
        };
    }
    // Two bits of headroom leave nine below: where aligning loses bits, the difference keeps its leading ones. No branch depends
    // on which term is greater or on the signs, which are hard to predict.
    let by = x.exp - y.exp;
    let (big, small) = if by >= 0 { (x, y) } else { (y, x) };
    let opposite = -i64::from(x.sign != y.sign);
    let aligned = shr_jam(small.sig >> 2, by.unsigned_abs()) as i64;
    let sum = (big.sig >> 2) as i64 + ((aligned ^ opposite) - opposite);
    if sum == 0 {
        return cancelled::<F>(rm);
    }
    norm_round_pack::<F>(big.sign ^ (sum < 0), big.exp + 2, sum.unsigned_abs(), rm, fl)
}

#[cold]
fn add_special<F: Format>(a: u64, b: u64, fl: &mut Flags) -> u64 {
    if F::is_nan(a) || F::is_nan(b) {
        return nan_operand::<F>(a, b, fl);
    }
    match (is_special::<F>(a), is_special::<F>(b)) {
        (true, true) if a != b => invalid::<F>(fl),
        (true, _) => a,
        _ => b,
    }
}

/// The result of an operation of which an operand is a NaN: always the canonical NaN, NV if one signals (Unprivileged ISA, "F",
/// NaN generation and propagation).
#[cold]
fn nan_operand<F: Format>(a: u64, b: u64, fl: &mut Flags) -> u64 {
    if F::is_snan(a) || F::is_snan(b) {
        *fl |= Flags::NV;
    }
    F::NAN
}

/// `FSUB.fmt`: `a - b` (Unprivileged ISA, "F", computational instructions; IEEE 754-2019 clause 5.4.1).
pub fn sub<F: Format>(a: u64, b: u64, rm: Rm, fl: &mut Flags) -> u64 {
    add::<F>(a, b ^ F::SIGN, rm, fl)
}

/// `FMUL.fmt`: `a * b` (Unprivileged ISA, "F", computational instructions; IEEE 754-2019 clause 5.4.1).
pub fn mul<F: Format>(a: u64, b: u64, rm: Rm, fl: &mut Flags) -> u64 {
    let sign = F::sign(a ^ b);
    if is_special::<F>(a) || is_special::<F>(b) {
        return if F::is_nan(a) || F::is_nan(b) {
            nan_operand::<F>(a, b, fl)
        } else if is_zero::<F>(a) || is_zero::<F>(b) {
            invalid::<F>(fl)
        } else {
            F::sign_bit(sign) | F::INF
        };
    }
    let (x, y) = (Num::of::<F>(a), Num::of::<F>(b));
    if x.is_zero() || y.is_zero() {
        return F::sign_bit(sign);
    }
    let product = u128::from(x.sig) * u128::from(y.sig);
    let sig = (product >> 64) as u64 | (product as u64 != 0) as u64;
    norm_round_pack::<F>(sign, x.exp + y.exp + 1, sig, rm, fl)
}

/// `FDIV.fmt`: `a / b` (Unprivileged ISA, "F", computational instructions; IEEE 754-2019 clauses 5.4.1 and 7.3).
pub fn div<F: Format>(a: u64, b: u64, rm: Rm, fl: &mut Flags) -> u64 {
    let sign = F::sign(a ^ b);
    if is_special::<F>(a) || is_special::<F>(b) {
        return if F::is_nan(a) || F::is_nan(b) {
            nan_operand::<F>(a, b, fl)
        } else if !is_special::<F>(b) {
            F::sign_bit(sign) | F::INF
        } else if is_special::<F>(a) {
            invalid::<F>(fl)
        } else {
            F::sign_bit(sign)
        };
    }
    let (x, y) = (Num::of::<F>(a), Num::of::<F>(b));
    if y.is_zero() {
        if x.is_zero() {
            return invalid::<F>(fl);
        }
        *fl |= Flags::DZ;
        return F::sign_bit(sign) | F::INF;
    }
    if x.is_zero() {
        return F::sign_bit(sign);
    }
    // The quotient of the significands times 2^62, in (2^61, 2^63).
    let sig = if F::FRAC < 24 {
        let (n, d) = (x.sig >> 40 << 39, y.sig >> 40);
        (n / d) << 23 | (n % d != 0) as u64
    } else {
        let (n, d) = (u128::from(x.sig) << 62, u128::from(y.sig));
        (n / d) as u64 | (n % d != 0) as u64
    };
    norm_round_pack::<F>(sign, x.exp - y.exp + 1, sig, rm, fl)
}

/// `FSQRT.fmt`: the square root of `a` (Unprivileged ISA, "F", computational instructions; IEEE 754-2019 clause 5.4.1).
pub fn sqrt<F: Format>(a: u64, rm: Rm, fl: &mut Flags) -> u64 {
    if is_zero::<F>(a) || a == F::INF {
        return a;
    }
    if F::is_nan(a) {
        return nan_operand::<F>(a, a, fl);
    }
    if F::sign(a) {
        return invalid::<F>(fl);
    }
    let x = Num::of::<F>(a);
    // With an even exponent, the number is m / 2^62 * 2^(2 * half), m in [2^62, 2^64), and the root sqrt(m) / 2^31 * 2^half.
    let (m, half) = (if x.exp & 1 == 0 { x.sig >> 1 } else { x.sig }, x.exp >> 1);
    let sig = if F::FRAC < 24 {
        let root = m.isqrt();
        root << 31 | (root * root != m) as u64
    } else {
        let square = u128::from(m) << 62;
        let root = square.isqrt();
        root as u64 | (root * root != square) as u64
    };
    // The root is in [2^62, 2^63): one shift makes it normal.
    round_pack::<F>(false, half, sig << 1, rm, fl)
}
