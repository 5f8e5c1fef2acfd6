//! The fast paths give the values and flags of the reference, whatever flags are accrued.

use super::cases;
use crate::fp::{F32, F64, Flags, Format, Rm, fast, soft};

macro_rules! same {
    ($name:ident::<$($t:ty),*>($($arg:expr),*), $rm:ident) => {
        for accrued in [Flags::NONE, Flags::NX, Flags::UF | Flags::NV] {
            let (mut quick, mut slow) = (accrued, accrued);
            let got = fast::$name::<$($t),*>($($arg,)* $rm, &mut quick);
            let want = soft::$name::<$($t),*>($($arg,)* $rm, &mut slow);
            assert_eq!((got, quick), (want, slow), "{} {:?} {accrued:?} {:x?}", stringify!($name), $rm, ($($arg,)*));
        }
    };
}

fn arithmetic<F: Format>(a: u64, b: u64, c: u64, rm: Rm) {
    same!(add::<F>(a, b), rm);
    same!(sub::<F>(a, b), rm);
    same!(mul::<F>(a, b), rm);
    same!(div::<F>(a, b), rm);
    same!(sqrt::<F>(a), rm);
    same!(fma::<F>(a, b, c), rm);
    let product = soft::mul::<F>(a, b, rm, &mut Flags::default());
    same!(div::<F>(product, b), rm);
    same!(fma::<F>(a, b, product ^ F::SIGN), rm);
    let square = soft::mul::<F>(a, a, rm, &mut Flags::default());
    same!(sqrt::<F>(square), rm);
}

fn random<F: Format>(count: u64) {
    for (mut g, rm) in cases(count) {
        let a = g.operand::<F>(F::INF >> 1);
        let b = g.operand::<F>(a);
        let close = if g.bits() & 1 == 0 { a } else { b };
        let c = g.operand::<F>(close);
        // Most of what `fast` decides by itself is to nearest even.
        for rm in [rm, Rm::Rne] {
            arithmetic::<F>(a, b, c, rm);
            same!(to_i32::<F>(a), rm);
            same!(to_u32::<F>(a), rm);
            same!(to_i64::<F>(a), rm);
            same!(to_u64::<F>(a), rm);
            same!(cvt::<F, F32>(a), rm);
            same!(cvt::<F, F64>(a), rm);
        }
        let v = g.integer();
        same!(from_i32::<F>(v as i32), rm);
        same!(from_u32::<F>(v as u32), rm);
        same!(from_i64::<F>(v as i64), rm);
        same!(from_u64::<F>(v), rm);
    }
}

/// The corners of a format, and their neighbours.
fn corners<F: Format>() -> Vec<u64> {
    let one = (F::BIAS as u64) << F::FRAC;
    let three = one + (1 << F::FRAC) + F::QUIET;
    [0, F::QUIET, F::MIN_NORMAL, F::MIN_NORMAL << 1, one, three, F::MAX_FINITE - F::FRAC_MASK, F::INF, F::NAN]
        .into_iter()
        .flat_map(|v| [v.saturating_sub(1), v, v + 1])
        .flat_map(|v| [v, v | F::SIGN])
        .collect()
}

fn all_corners<F: Format>() {
    let corners = corners::<F>();
    for &a in &corners {
        for &b in &corners {
            for &c in corners.iter().step_by(5) {
                arithmetic::<F>(a, b, c, Rm::Rne);
            }
        }
    }
}

#[test]
fn singles() {
    random::<F32>(60_000);
}

#[test]
fn doubles() {
    random::<F64>(60_000);
}

#[test]
fn corners_of_both_formats() {
    all_corners::<F32>();
    all_corners::<F64>();
}
