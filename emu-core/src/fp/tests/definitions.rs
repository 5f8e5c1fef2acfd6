//! What the manuals define and no general library has: square roots by definition, NaNs, minimum and maximum, classes, boxes,
//! constants, modular conversion.

use super::{cases, run};
use crate::fp::*;

/// A number in double precision, which holds every half and single exactly.
fn value<F: Format>(a: u64) -> f64 {
    f64::from_bits(run(|fl| soft::cvt::<F, F64>(a, Rm::Rne, fl)).0)
}

fn root_is_the_neighbour_that_the_mode_asks_for<F: Format>(a: u64, rm: Rm) {
    let (r, flags) = run(|fl| soft::sqrt::<F>(a, rm, fl));
    let x = value::<F>(a);
    // The squares of halves and singles, and of the points midway between two of them, are exact in double precision.
    let square = |v: f64| v * v;
    let (below, above) = (value::<F>(r - 1), value::<F>(r + 1));
    let root = value::<F>(r);
    let context = format!("{} bits {rm:?} {a:x} -> {r:x}", F::BITS);
    assert_eq!(flags, if square(root) == x { Flags::NONE } else { Flags::NX }, "{context}");
    match rm {
        Rm::Rtz | Rm::Rdn => assert!(square(root) <= x && x < square(above), "{context}"),
        Rm::Rup => assert!(square(below) < x && x <= square(root), "{context}"),
        // No root lies exactly midway.
        Rm::Rne | Rm::Rmm => {
            assert!(square((below + root) / 2.0) < x && x < square((root + above) / 2.0), "{context}");
        }
    }
}

#[test]
fn square_root_of_every_positive_half() {
    for a in 1..F16::INF {
        for rm in Rm::ALL {
            root_is_the_neighbour_that_the_mode_asks_for::<F16>(a, rm);
        }
    }
}

#[test]
fn square_root_of_singles() {
    for (mut g, rm) in cases(40_000) {
        let a = g.operand::<F32>(0) & !F32::SIGN;
        if a != 0 && a < F32::INF {
            root_is_the_neighbour_that_the_mode_asks_for::<F32>(a, rm);
        }
    }
}

#[test]
fn square_root_of_doubles() {
    for (mut g, rm) in cases(40_000) {
        let a = g.operand::<F64>(0) & !F64::SIGN;
        if a == 0 || a >= F64::INF {
            continue;
        }
        let (r, flags) = run(|fl| soft::sqrt::<F64>(a, rm, fl));
        // The operand over the square of half a unit of the root's last place, as an integer to compare with (2r + d)^2.
        let unit = F64::exp(r) - 1076;
        let (exp, sig) = if F64::exp(a) == 0 { (-1074, a) } else { (F64::exp(a) - 1075, a & F64::FRAC_MASK | F64::MIN_NORMAL) };
        let x = u128::from(sig) << (exp - 2 * unit);
        let twice = 2 * u128::from(r & F64::FRAC_MASK | F64::MIN_NORMAL);
        let square = |d: i128| twice.wrapping_add_signed(d).pow(2);
        assert_eq!(flags, if square(0) == x { Flags::NONE } else { Flags::NX }, "{a:x}");
        assert!(
            match rm {
                Rm::Rtz | Rm::Rdn => square(0) <= x && x < square(2),
                Rm::Rup => square(-2) < x && x <= square(0),
                Rm::Rne | Rm::Rmm => square(-1) < x && x < square(1),
            },
            "{rm:?} {a:x} -> {r:x}"
        );
    }
}

#[test]
fn square_root_of_specials() {
    let sqrt = |a| run(|fl| soft::sqrt::<F32>(a, Rm::Rne, fl));
    assert_eq!(sqrt(F32::SIGN), (F32::SIGN, Flags::NONE));
    assert_eq!(sqrt(F32::INF), (F32::INF, Flags::NONE));
    assert_eq!(sqrt(F32::INF | F32::SIGN), (F32::NAN, Flags::NV));
    assert_eq!(sqrt(F32::SIGN | 1), (F32::NAN, Flags::NV));
    assert_eq!(sqrt(F32::SIGN | F32::NAN | 5), (F32::NAN, Flags::NONE));
}

fn nan_operands<F: Format>() {
    let one = (F::BIAS as u64) << F::FRAC;
    for (nan, nv) in [(F::NAN, Flags::NONE), (F::SIGN | F::NAN | 1, Flags::NONE), (F::INF | 1, Flags::NV)] {
        for other in [0, one, F::INF, F::NAN, F::SIGN | 1] {
            for rm in Rm::ALL {
                let want = (F::NAN, nv);
                assert_eq!(run(|fl| soft::add::<F>(nan, other, rm, fl)), want);
                assert_eq!(run(|fl| soft::sub::<F>(other, nan, rm, fl)), want);
                assert_eq!(run(|fl| soft::mul::<F>(other, nan, rm, fl)), want);
                assert_eq!(run(|fl| soft::div::<F>(nan, other, rm, fl)), want);
                assert_eq!(run(|fl| soft::sqrt::<F>(nan, rm, fl)), want);
                assert_eq!(run(|fl| soft::round::<F>(nan, rm, fl)), want);
                assert_eq!(run(|fl| soft::roundnx::<F>(nan, rm, fl)), want);
                assert_eq!(run(|fl| soft::fma::<F>(nan, other, one, rm, fl)), want);
                assert_eq!(run(|fl| soft::fma::<F>(other, one, nan, rm, fl)), want);
            }
        }
        assert_eq!(run(|fl| soft::cvt::<F, F16>(nan, Rm::Rne, fl)), (F16::NAN, nv));
        assert_eq!(run(|fl| soft::cvt::<F, F32>(nan, Rm::Rne, fl)), (F32::NAN, nv));
        assert_eq!(run(|fl| soft::cvt::<F, F64>(nan, Rm::Rne, fl)), (F64::NAN, nv));
        assert_eq!(run(|fl| soft::to_i32::<F>(nan, Rm::Rne, fl)), (i32::MAX, Flags::NV));
        assert_eq!(run(|fl| soft::to_u32::<F>(nan, Rm::Rne, fl)), (u32::MAX, Flags::NV));
        assert_eq!(run(|fl| soft::to_i64::<F>(nan, Rm::Rne, fl)), (i64::MAX, Flags::NV));
        assert_eq!(run(|fl| soft::to_u64::<F>(nan, Rm::Rne, fl)), (u64::MAX, Flags::NV));
        assert_eq!(run(|fl| eq::<F>(nan, one, fl)), (false, nv));
        assert_eq!(run(|fl| lt::<F>(nan, one, fl)), (false, Flags::NV));
        assert_eq!(run(|fl| le::<F>(one, nan, fl)), (false, Flags::NV));
        assert_eq!(run(|fl| ltq::<F>(one, nan, fl)), (false, nv));
        assert_eq!(run(|fl| leq::<F>(nan, nan, fl)), (false, nv));
        assert_eq!(run(|fl| min::<F>(nan, one, fl)), (one, nv));
        assert_eq!(run(|fl| max::<F>(one, nan, fl)), (one, nv));
        assert_eq!(run(|fl| min::<F>(nan, nan, fl)), (F::NAN, nv));
        assert_eq!(run(|fl| minm::<F>(nan, one, fl)), (F::NAN, nv));
        assert_eq!(run(|fl| maxm::<F>(one, nan, fl)), (F::NAN, nv));
        // The product is invalid whatever the addend.
        assert_eq!(run(|fl| soft::fma::<F>(F::INF, 0, nan, Rm::Rne, fl)), (F::NAN, Flags::NV));
        assert_eq!(run(|fl| soft::fma::<F>(F::SIGN, F::INF, nan, Rm::Rne, fl)), (F::NAN, Flags::NV));
    }
}

#[test]
fn nan_operands_give_the_canonical_nan() {
    nan_operands::<F16>();
    nan_operands::<F32>();
    nan_operands::<F64>();
}

#[test]
fn comparisons_and_extremes_order_every_pair_of_singles() {
    for (mut g, _) in cases(40_000) {
        let a = g.operand::<F32>(0);
        let b = if g.bits() & 7 == 0 { a ^ F32::SIGN } else { g.operand::<F32>(a) };
        if F32::is_nan(a) || F32::is_nan(b) {
            continue;
        }
        let (x, y) = (f32::from_bits(a as u32), f32::from_bits(b as u32));
        assert_eq!(run(|fl| eq::<F32>(a, b, fl)), (x == y, Flags::NONE));
        assert_eq!(run(|fl| lt::<F32>(a, b, fl)), (x < y, Flags::NONE));
        assert_eq!(run(|fl| ltq::<F32>(a, b, fl)), (x < y, Flags::NONE));
        assert_eq!(run(|fl| le::<F32>(a, b, fl)), (x <= y, Flags::NONE));
        assert_eq!(run(|fl| leq::<F32>(a, b, fl)), (x <= y, Flags::NONE));
        let (low, high) = if x.total_cmp(&y).is_le() { (a, b) } else { (b, a) };
        for result in [run(|fl| min::<F32>(a, b, fl)), run(|fl| minm::<F32>(a, b, fl))] {
            assert_eq!(result, (low, Flags::NONE), "{a:x} {b:x}");
        }
        for result in [run(|fl| max::<F32>(a, b, fl)), run(|fl| maxm::<F32>(a, b, fl))] {
            assert_eq!(result, (high, Flags::NONE), "{a:x} {b:x}");
        }
    }
}

#[test]
fn fclass_of_each_class() {
    let classes = [0xfc00, 0xbc00, 0x8001, 0x8000, 0x0000, 0x03ff, 0x7bff, 0x7c00, 0x7dff, 0xfe00];
    for (bit, half) in classes.into_iter().enumerate() {
        assert_eq!(classify::<F16>(half), 1 << bit, "{half:x}");
        if bit < 8 && bit != 2 && bit != 5 {
            let (wide, _) = run(|fl| soft::cvt::<F16, F64>(half, Rm::Rne, fl));
            assert_eq!(classify::<F64>(wide), 1 << bit, "{half:x}");
        }
    }
    assert_eq!(classify::<F32>(0x7f80_0001), 1 << 8);
    assert_eq!(classify::<F64>(0xfff0_0000_0000_0001), 1 << 8);
    assert_eq!(classify::<F64>(1), 1 << 5);
}

#[test]
fn sign_injection() {
    assert_eq!(sgnj::<F32>(0x3f80_0000, 0x8000_0000), 0xbf80_0000);
    assert_eq!(sgnjn::<F32>(0x3f80_0000, 0x8000_0000), 0x3f80_0000);
    assert_eq!(sgnjn::<F16>(0x3c00, 0), 0xbc00);
    assert_eq!(sgnjx::<F64>(1 << 63 | 7, 1 << 63), 7);
}

#[test]
fn unboxed_narrow_value_reads_as_the_canonical_nan() {
    assert_eq!(unbox32(box32(0x3f80_0000)), 0x3f80_0000);
    assert_eq!(unbox16(box16(0x3c00)), 0x3c00);
    assert_eq!(unbox32(0xffff_fffe_3f80_0000), F32::NAN);
    assert_eq!(unbox16(0xffff_ffff_fffe_3c00), F16::NAN);
    assert_eq!(unbox16(box32(0x3c00)), F16::NAN);
}

#[test]
fn fli_loads_the_numbers_of_the_table() {
    let min = [F16::MIN_NORMAL, F32::MIN_NORMAL, F64::MIN_NORMAL];
    assert_eq!([fli::<F16>(1), fli::<F32>(1), fli::<F64>(1)], min);
    assert_eq!([fli::<F16>(31), fli::<F32>(31), fli::<F64>(31)], [F16::NAN, F32::NAN, F64::NAN]);
    let numbers = [
        "-1",
        "0x1p-16",
        "0x1p-15",
        "0.00390625",
        "0.0078125",
        "0.0625",
        "0.125",
        "0.25",
        "0.3125",
        "0.375",
        "0.4375",
        "0.5",
        "0.625",
        "0.75",
        "0.875",
        "1",
        "1.25",
        "1.5",
        "1.75",
        "2",
        "2.5",
        "3",
        "4",
        "8",
        "16",
        "128",
        "256",
        "32768",
        "65536",
        "inf",
    ];
    for (place, text) in numbers.into_iter().enumerate() {
        let index = if place == 0 { 0 } else { place as u8 + 1 };
        let number: f64 = match text {
            "0x1p-16" => 1.0 / 65536.0,
            "0x1p-15" => 1.0 / 32768.0,
            _ => text.parse().unwrap(),
        };
        assert_eq!(fli::<F64>(index), number.to_bits(), "{text}");
        assert_eq!(fli::<F32>(index), u64::from((number as f32).to_bits()), "{text}");
        let (half, _) = run(|fl| soft::cvt::<F64, F16>(number.to_bits(), Rm::Rne, fl));
        assert_eq!(fli::<F16>(index), half, "{text}");
    }
}

#[test]
fn fcvtmod_keeps_the_low_bits_and_the_flags_of_fcvt() {
    for (mut g, _) in cases(60_000) {
        let a = g.operand::<F64>(0x41e0_0000_0000_0000);
        let (got, flags) = run(|fl| fcvtmod_w_d(a, fl));
        assert_eq!(flags, run(|fl| soft::to_i32::<F64>(a, Rm::Rtz, fl)).1, "{a:x}");
        let x = f64::from_bits(a);
        // A remainder of doubles is exact.
        let want = if x.is_finite() { (x.trunc() % 4_294_967_296.0) as i64 as i32 } else { 0 };
        assert_eq!(got, want, "{a:x}");
    }
}

#[test]
fn rounding_mode_field() {
    for rm in Rm::ALL {
        assert_eq!(Rm::from_bits(rm as u8), Some(rm));
    }
    for reserved in [5, 6, 7, 8, 255] {
        assert_eq!(Rm::from_bits(reserved), None);
    }
}

#[test]
fn tininess_is_detected_after_rounding() {
    // (1 + 2^-23) * (1 - 2^-23) * 2^-126 rounds to 2^-126 with an unbounded exponent too: inexact, but not tiny.
    assert_eq!(run(|fl| soft::mul::<F32>(0x3f80_0001, 0x007f_ffff, Rm::Rne, fl)), (F32::MIN_NORMAL, Flags::NX));
    // (1 - 2^-24) * 2^-126 would be exact with an unbounded exponent, so it is tiny, and rounds to the same number.
    let tiny = run(|fl| soft::mul::<F32>(0x3f7f_ffff, F32::MIN_NORMAL, Rm::Rne, fl));
    assert_eq!(tiny, (F32::MIN_NORMAL, Flags::NX | Flags::UF));
}

#[test]
fn overflow_is_decided_as_though_exponents_had_no_bound() {
    let (max, quarter_unit) = (F16::MAX_FINITE, 0x4800);
    let add = |a, rm, sign: u64| run(|fl| soft::add::<F16>(a | sign, quarter_unit | sign, rm, fl));
    for sign in [0, F16::SIGN] {
        let over = Flags::OF | Flags::NX;
        // The sum is a quarter of a unit above the greatest finite number: only a mode that goes away from it overflows.
        for rm in Rm::ALL {
            let away = rm == if sign == 0 { Rm::Rup } else { Rm::Rdn };
            let want = if away { (F16::INF | sign, over) } else { (max | sign, Flags::NX) };
            assert_eq!(add(max, rm, sign), want, "{rm:?}");
        }
        // Twice the greatest finite number overflows in every mode, to infinity or not.
        for rm in Rm::ALL {
            let towards_zero = matches!((rm, sign), (Rm::Rtz, _) | (Rm::Rdn, 0) | (Rm::Rup, F16::SIGN));
            let value = if towards_zero { max } else { F16::INF };
            assert_eq!(run(|fl| soft::add::<F16>(max | sign, max | sign, rm, fl)), (value | sign, over), "{rm:?}");
        }
    }
}
