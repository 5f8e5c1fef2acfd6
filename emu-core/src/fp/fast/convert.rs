//! Conversions by the host's: a Rust `as` rounds to nearest even towards a float, and truncates towards an integer.

use super::{HOST_EXACT, inexact, inner, is_zero};
use crate::fp::{Flags, Format, Rm, soft};

/// A non-NaN value of a format of at least 32 bits, in double precision.
#[inline(always)]
fn widen<F: Format>(a: u64) -> f64 {
    if F::BITS == 32 { f64::from(f32::from_bits(a as u32)) } else { f64::from_bits(a) }
}

/// The integer to which a single or double rounds and whether that is inexact, if it can be told in 64 bits.
#[inline(always)]
fn integer<F: Format>(a: u64, rm: Rm) -> Option<(i64, bool)> {
    if !HOST_EXACT || F::BITS < 32 {
        return None;
    }
    let x = widen::<F>(a);
    // The border is 2^62, so that one more step cannot overflow. NaN is not less.
    if x.abs() < 4_611_686_018_427_387_904.0 {
        let whole = x as i64;
        // Exact, and of the sign of `x`.
        let part = x - whole as f64;
        let step = match rm {
            Rm::Rtz => false,
            Rm::Rdn => part < 0.0,
            Rm::Rup => part > 0.0,
            Rm::Rne => part.abs() > 0.5 || part.abs() == 0.5 && whole & 1 != 0,
            Rm::Rmm => part.abs() >= 0.5,
        };
        let away = if part < 0.0 { -1 } else { 1 };
        return Some((if step { whole + away } else { whole }, part != 0.0));
    }
    None
}

macro_rules! to_integer {
    ($(#[$doc:meta])* $name:ident, $t:ty) => {
        $(#[$doc])*
        #[inline]
        pub fn $name<F: Format>(a: u64, rm: Rm, fl: &mut Flags) -> $t {
            // Widened, so that the comparison means something for `i64` as well.
            if let Some((v, nx)) = integer::<F>(a, rm)
                && i128::from(v as $t) == i128::from(v)
            {
                inexact(fl, nx);
                return v as $t;
            }
            soft::$name::<F>(a, rm, fl)
        }
    };
}

to_integer! {
    /// [`soft::to_i32`].
    to_i32, i32
}
to_integer! {
    /// [`soft::to_u32`].
    to_u32, u32
}
to_integer! {
    /// [`soft::to_i64`].
    to_i64, i64
}
to_integer! {
    /// [`soft::to_u64`].
    to_u64, u64
}

macro_rules! from_integer {
    ($(#[$doc:meta])* $name:ident, $t:ty, $magnitude:expr) => {
        $(#[$doc])*
        #[inline]
        pub fn $name<F: Format>(a: $t, rm: Rm, fl: &mut Flags) -> u64 {
            if HOST_EXACT && F::BITS >= 32 {
                let magnitude: u64 = $magnitude(a);
                let lost = 64 - (F::FRAC + 1) > magnitude.leading_zeros() + (magnitude | 1 << 63).trailing_zeros();
                if !lost || rm == Rm::Rne {
                    inexact(fl, lost);
                    return if F::BITS == 32 { u64::from((a as f32).to_bits()) } else { (a as f64).to_bits() };
                }
            }
            soft::$name::<F>(a, rm, fl)
        }
    };
}

from_integer! {
    /// [`soft::from_i32`].
    from_i32, i32, |a: i32| u64::from(a.unsigned_abs())
}
from_integer! {
    /// [`soft::from_u32`].
    from_u32, u32, u64::from
}
from_integer! {
    /// [`soft::from_i64`].
    from_i64, i64, i64::unsigned_abs
}
from_integer! {
    /// [`soft::from_u64`].
    from_u64, u64, |a| a
}

/// [`soft::cvt`].
#[inline]
pub fn cvt<F: Format, T: Format>(a: u64, rm: Rm, fl: &mut Flags) -> u64 {
    if HOST_EXACT && F::BITS == 32 && T::BITS == 64 {
        if !F::is_nan(a) {
            return widen::<F>(a).to_bits();
        }
    } else if HOST_EXACT && F::BITS == 64 && T::BITS == 32 {
        let x = f64::from_bits(a);
        let narrow = x as f32;
        let r = u64::from(narrow.to_bits());
        let lost = f64::from(narrow) != x;
        if inner::<T>(r) && (rm == Rm::Rne || !lost) || is_zero::<F>(a) {
            inexact(fl, lost);
            return r;
        }
    }
    soft::cvt::<F, T>(a, rm, fl)
}
