//! Every operation, format and rounding mode against Berkeley SoftFloat: value and flags.
//!
//! `TRAPEZE_CASES` sets the number of random cases per operation and format (200000 if unset), `TRAPEZE_SEED` the seed.

use emu_core::fp::{self, F16, F32, F64, Flags, Format, Rm, fast, soft};
use softfloat_wrapper::Float;
use trapeze_berkeley::operands::Gen;
use trapeze_berkeley::{Pair, mode, oracle, ours};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

fn cases() -> impl Iterator<Item = (Gen, Rm)> {
    let seed = setting("TRAPEZE_SEED", 1);
    (0..setting("TRAPEZE_CASES", 200_000)).flat_map(move |i| Rm::ALL.map(|rm| (Gen(seed << 40 ^ i << 3 ^ rm as u64), rm)))
}

/// Checks both implementations against the oracle, the fast one with NX clear and with NX set before.
macro_rules! check {
    ($p:ident, $name:ident ($($arg:ident),*), $rm:ident, $oracle:expr) => {
        let (want, flags) = oracle(|| <$p as Pair>::b($oracle));
        let context = format!("{} bits {:?} {:x?}", <$p as Format>::BITS, $rm, [$($arg),*]);
        assert_eq!(ours(|fl| soft::$name::<$p>($($arg,)* $rm, fl)), (want, flags), "soft {} {context}", stringify!($name));
        assert_eq!(ours(|fl| fast::$name::<$p>($($arg,)* $rm, fl)), (want, flags), "fast {} {context}", stringify!($name));
        let mut accrued = Flags::NX;
        let got = fast::$name::<$p>($($arg,)* $rm, &mut accrued);
        assert_eq!((got, accrued), (want, flags | Flags::NX), "fast, NX accrued, {} {context}", stringify!($name));
    };
}

fn arithmetic<P: Pair<F = P> + Format>() {
    for (mut g, rm) in cases() {
        let a = g.operand::<P>(P::INF >> 1);
        let b = g.operand::<P>(a);
        let m = mode(rm);
        check!(P, add(a, b), rm, P::s(a).add(P::s(b), m));
        check!(P, sub(a, b), rm, P::s(a).sub(P::s(b), m));
        check!(P, mul(a, b), rm, P::s(a).mul(P::s(b), m));
        check!(P, div(a, b), rm, P::s(a).div(P::s(b), m));
        check!(P, sqrt(a), rm, P::s(a).sqrt(m));
        // An exact square, and a dividend that makes the quotient exact.
        let (square, _) = ours(|fl| soft::mul::<P>(a, a, Rm::Rne, fl));
        check!(P, sqrt(square), rm, P::s(square).sqrt(m));
        let (product, _) = ours(|fl| soft::mul::<P>(a, b, Rm::Rne, fl));
        check!(P, div(product, b), rm, P::s(product).div(P::s(b), m));
        // An addend near the product, its opposite, and anything.
        let c = match g.bits() % 4 {
            0 => product ^ P::SIGN,
            1 => g.operand::<P>(a),
            _ => g.operand::<P>(product),
        };
        check!(P, fma(a, b, c), rm, P::s(a).fused_mul_add(P::s(b), P::s(c), m));
    }
}

fn one_operand<P: Pair<F = P> + Format>(a: u64, rm: Rm) {
    let (m, context) = (mode(rm), format!("{} bits {rm:?} {a:x}", P::BITS));
    macro_rules! same {
        ($name:ident::<$($t:ty),*>, $oracle:expr) => {
            let want = oracle(|| $oracle);
            assert_eq!(ours(|fl| soft::$name::<$($t),*>(a, rm, fl)), want, "soft {} {context}", stringify!($name));
            assert_eq!(ours(|fl| fast::$name::<$($t),*>(a, rm, fl)), want, "fast {} {context}", stringify!($name));
        };
    }
    same!(to_i32::<P>, P::s(a).to_i32(m, true));
    same!(to_u32::<P>, P::s(a).to_u32(m, true));
    same!(to_i64::<P>, P::s(a).to_i64(m, true));
    same!(to_u64::<P>, P::s(a).to_u64(m, true));
    if P::BITS != 16 {
        same!(cvt::<P, F16>, F16::b(F16::of(P::s(a), m)));
    }
    if P::BITS != 32 {
        same!(cvt::<P, F32>, F32::b(F32::of(P::s(a), m)));
    }
    if P::BITS != 64 {
        same!(cvt::<P, F64>, F64::b(F64::of(P::s(a), m)));
    }
    same!(sqrt::<P>, P::b(P::s(a).sqrt(m)));
    let (want, flags) = oracle(|| P::b(P::s(a).round_to_integral(m)));
    assert_eq!(ours(|fl| soft::round::<P>(a, rm, fl)), (want, flags), "round {context}");
    let nx = if want != a && !P::is_nan(a) { Flags::NX } else { Flags::NONE };
    assert_eq!(ours(|fl| soft::roundnx::<P>(a, rm, fl)), (want, flags | nx), "roundnx {context}");
}

fn conversions<P: Pair<F = P> + Format>() {
    for (mut g, rm) in cases() {
        // A conversion to a narrower format has its borders elsewhere: sometimes take the operand from there.
        let a = match g.bits() % 4 {
            0 => soft::cvt::<F16, P>(g.operand::<F16>(0x3c00), Rm::Rne, &mut Flags::default()) ^ g.bits() & 1,
            1 => soft::cvt::<F32, P>(g.operand::<F32>(0x3f80_0000), Rm::Rne, &mut Flags::default()) ^ g.bits() & 3,
            _ => g.operand::<P>(P::INF >> 1),
        };
        one_operand::<P>(a, rm);
        let (v, m) = (g.integer(), mode(rm));
        macro_rules! same {
            ($name:ident, $oracle:ident, $t:ty) => {
                let want = oracle(|| P::b(P::S::$oracle(v as $t, m)));
                assert_eq!(ours(|fl| soft::$name::<P>(v as $t, rm, fl)), want, "soft {} {rm:?} {v:x}", stringify!($name));
                assert_eq!(ours(|fl| fast::$name::<P>(v as $t, rm, fl)), want, "fast {} {rm:?} {v:x}", stringify!($name));
            };
        }
        same!(from_i32, from_i32, i32);
        same!(from_u32, from_u32, u32);
        same!(from_i64, from_i64, i64);
        same!(from_u64, from_u64, u64);
    }
}

fn comparisons<P: Pair<F = P> + Format>() {
    for (mut g, _) in cases() {
        let a = g.operand::<P>(P::INF >> 1);
        let b = match g.bits() % 4 {
            0 => a,
            1 => a ^ P::SIGN,
            _ => g.operand::<P>(a),
        };
        macro_rules! same {
            ($name:ident, $oracle:ident) => {
                let want = oracle(|| P::s(a).$oracle(P::s(b)));
                assert_eq!(ours(|fl| fp::$name::<P>(a, b, fl)), want, "{} {a:x} {b:x}", stringify!($name));
            };
        }
        same!(eq, eq);
        same!(lt, lt);
        same!(le, le);
        same!(ltq, lt_quiet);
        same!(leq, le_quiet);
        assert_eq!(P::is_snan(a), P::s(a).is_signaling_nan());
    }
}

#[test]
fn arithmetic_f16() {
    arithmetic::<F16>();
}

#[test]
fn arithmetic_f32() {
    arithmetic::<F32>();
}

#[test]
fn arithmetic_f64() {
    arithmetic::<F64>();
}

#[test]
fn one_operand_f16_exhaustive() {
    for a in 0..=0xffff {
        for rm in Rm::ALL {
            one_operand::<F16>(a, rm);
        }
    }
}

#[test]
fn conversions_f16() {
    conversions::<F16>();
}

#[test]
fn conversions_f32() {
    conversions::<F32>();
}

#[test]
fn conversions_f64() {
    conversions::<F64>();
}

#[test]
fn comparisons_all() {
    comparisons::<F16>();
    comparisons::<F32>();
    comparisons::<F64>();
}
