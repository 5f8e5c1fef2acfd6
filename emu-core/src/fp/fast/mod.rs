//! The functions of [`soft`] by the host's arithmetic where that gives the same bits and flags.
//!
//! A Rust `+ - * /` or `sqrt` on `f32` and `f64` rounds to nearest, ties to even, and reports no flags. A fast path therefore
//! takes only RNE operations whose result is normal and away from the format's borders, so that NX is the only flag in
//! question. If NX is accrued already there is no question; otherwise it is decided exactly: by the error term of the sum, or
//! by the low bits of the integer product of significands. All else goes to [`soft`], out of line.
//!
//! Operations on half precision, and those not worth a path of their own, are those of [`soft`].

mod convert;
mod fused;
mod mul_add;

pub use super::soft::{fcvtmod_w_d, round, roundnx};
pub use convert::{cvt, from_i32, from_i64, from_u32, from_u64, to_i32, to_i64, to_u32, to_u64};
pub use mul_add::{fma_f32, fma_f64};

use super::{F32, F64, Flags, Format, Rm, soft};

/// Whether the host computes `f32` and `f64` operations as IEEE 754 says, subnormals included, without excess precision.
const HOST_EXACT: bool =
    cfg!(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64", target_arch = "wasm32"));

/// Whether `a` is finite and at least twice the smallest normal number in magnitude: a host result like this was rounded just
/// as it would be without bounds on the exponent.
#[inline(always)]
fn inner<F: Format>(a: u64) -> bool {
    (F::exp(a) as u32).wrapping_sub(2) < F::EXP_MAX as u32 - 2
}

#[inline(always)]
fn is_normal<F: Format>(a: u64) -> bool {
    (F::exp(a) as u32).wrapping_sub(1) < F::EXP_MAX as u32 - 1
}

#[inline(always)]
fn is_zero<F: Format>(a: u64) -> bool {
    a & !F::SIGN == 0
}

/// The significand of a normal number, as an integer.
#[inline(always)]
fn significand<F: Format>(a: u64) -> u64 {
    a & F::FRAC_MASK | F::MIN_NORMAL
}

#[inline(always)]
fn inexact(fl: &mut Flags, yes: bool) {
    fl.0 |= yes as u8;
}

/// Whether the product of two normal numbers loses bits, given that it rounds to the normal number `p`.
#[inline(always)]
fn product_inexact<F: Format>(a: u64, b: u64, p: u64) -> bool {
    let low = significand::<F>(a).wrapping_mul(significand::<F>(b));
    // A product of 2 * FRAC + 2 bits loses one bit more than one of 2 * FRAC + 1; the exponent of `p` tells which it is.
    let carried = F::exp(p) - (F::exp(a) + F::exp(b) - F::BIAS);
    low & (F::FRAC_MASK << carried | carried as u64) != 0
}

/// Whether the quotient of two normal numbers is inexact, given that it rounds to the normal number `q`.
#[inline(always)]
fn quotient_inexact<F: Format>(b: u64, q: u64) -> bool {
    // `q * b` differs from the dividend by less than 2^FRAC units of its last place, and the dividend ends in FRAC zeros.
    significand::<F>(q).wrapping_mul(significand::<F>(b)) & F::FRAC_MASK != 0
}

/// Whether the root of a normal number is inexact, given that it rounds to `r`.
#[inline(always)]
fn root_inexact<F: Format>(a: u64, r: u64) -> bool {
    let odd = (F::exp(a) ^ F::BIAS) & 1;
    let root = significand::<F>(r);
    root.wrapping_mul(root) != significand::<F>(a) << (F::FRAC as i32 + odd)
}

macro_rules! ops {
    ($host:ty, $bits:ty, $format:ty, $add:ident, $sub:ident, $mul:ident, $div:ident, $sqrt:ident) => {
        /// [`soft::add`] for this format.
        #[inline]
        pub fn $add(a: u64, b: u64, rm: Rm, fl: &mut Flags) -> u64 {
            let (x, y) = (<$host>::from_bits(a as $bits), <$host>::from_bits(b as $bits));
            let s = x + y;
            // A finite sum has finite terms. It can be subnormal only if it is exact.
            if HOST_EXACT && rm == Rm::Rne && s.is_finite() {
                if fl.has(Flags::NX) {
                    return u64::from(s.to_bits());
                }
                let v = s - x;
                let error = (x - (s - v)) + (y - v);
                // Close to the greatest finite number an intermediate may overflow.
                if error.is_finite() {
                    inexact(fl, error != 0.0);
                    return u64::from(s.to_bits());
                }
            }
            cold_add::<$format>(a, b, rm, fl)
        }

        /// [`soft::sub`] for this format.
        #[inline]
        pub fn $sub(a: u64, b: u64, rm: Rm, fl: &mut Flags) -> u64 {
            $add(a, b ^ <$format>::SIGN, rm, fl)
        }

        /// [`soft::mul`] for this format.
        #[inline]
        pub fn $mul(a: u64, b: u64, rm: Rm, fl: &mut Flags) -> u64 {
            let p = u64::from((<$host>::from_bits(a as $bits) * <$host>::from_bits(b as $bits)).to_bits());
            if HOST_EXACT && rm == Rm::Rne {
                if inner::<$format>(p) {
                    if fl.has(Flags::NX) {
                        return p;
                    }
                    if is_normal::<$format>(a) && is_normal::<$format>(b) {
                        inexact(fl, product_inexact::<$format>(a, b, p));
                        return p;
                    }
                } else if is_zero::<$format>(p) && (is_zero::<$format>(a) || is_zero::<$format>(b)) {
                    return p;
                }
            }
            cold_mul::<$format>(a, b, rm, fl)
        }

        /// [`soft::div`] for this format.
        #[inline]
        pub fn $div(a: u64, b: u64, rm: Rm, fl: &mut Flags) -> u64 {
            let q = u64::from((<$host>::from_bits(a as $bits) / <$host>::from_bits(b as $bits)).to_bits());
            if HOST_EXACT && rm == Rm::Rne && inner::<$format>(q) {
                if fl.has(Flags::NX) {
                    return q;
                }
                if is_normal::<$format>(a) && is_normal::<$format>(b) {
                    inexact(fl, quotient_inexact::<$format>(b, q));
                    return q;
                }
            }
            cold_div::<$format>(a, b, rm, fl)
        }

        /// [`soft::sqrt`] for this format.
        #[inline]
        pub fn $sqrt(a: u64, rm: Rm, fl: &mut Flags) -> u64 {
            if HOST_EXACT && rm == Rm::Rne && is_normal::<$format>(a) && !<$format>::sign(a) {
                let r = u64::from(<$host>::from_bits(a as $bits).sqrt().to_bits());
                inexact(fl, root_inexact::<$format>(a, r));
                return r;
            }
            cold_sqrt::<$format>(a, rm, fl)
        }
    };
}

ops!(f32, u32, F32, add_f32, sub_f32, mul_f32, div_f32, sqrt_f32);
ops!(f64, u64, F64, add_f64, sub_f64, mul_f64, div_f64, sqrt_f64);

#[cold]
#[inline(never)]
fn cold_add<F: Format>(a: u64, b: u64, rm: Rm, fl: &mut Flags) -> u64 {
    soft::add::<F>(a, b, rm, fl)
}

#[cold]
#[inline(never)]
fn cold_mul<F: Format>(a: u64, b: u64, rm: Rm, fl: &mut Flags) -> u64 {
    soft::mul::<F>(a, b, rm, fl)
}

#[cold]
#[inline(never)]
fn cold_div<F: Format>(a: u64, b: u64, rm: Rm, fl: &mut Flags) -> u64 {
    soft::div::<F>(a, b, rm, fl)
}

#[cold]
#[inline(never)]
fn cold_sqrt<F: Format>(a: u64, rm: Rm, fl: &mut Flags) -> u64 {
    soft::sqrt::<F>(a, rm, fl)
}

macro_rules! by_format {
    ($(#[$doc:meta])* $name:ident($($arg:ident),*), $single:ident, $double:ident) => {
        $(#[$doc])*
        #[inline]
        pub fn $name<F: Format>($($arg: u64,)* rm: Rm, fl: &mut Flags) -> u64 {
            match F::BITS {
                32 => $single($($arg,)* rm, fl),
                64 => $double($($arg,)* rm, fl),
                _ => soft::$name::<F>($($arg,)* rm, fl),
            }
        }
    };
}

by_format! {
    /// [`soft::add`].
    add(a, b), add_f32, add_f64
}
by_format! {
    /// [`soft::sub`].
    sub(a, b), sub_f32, sub_f64
}
by_format! {
    /// [`soft::mul`].
    mul(a, b), mul_f32, mul_f64
}
by_format! {
    /// [`soft::div`].
    div(a, b), div_f32, div_f64
}
by_format! {
    /// [`soft::sqrt`].
    sqrt(a), sqrt_f32, sqrt_f64
}
by_format! {
    /// [`soft::fma`].
    fma(a, b, c), fma_f32, fma_f64
}
