//! Arithmetic and conversions against `rustc_apfloat`, an independent implementation. NaN operands are left to the definitions:
//! RISC-V gives the canonical NaN where it propagates.

use rustc_apfloat::ieee::{Double, Half, Single};
use rustc_apfloat::{Float, FloatConvert, Round, Status, StatusAnd};

use super::{cases, run};
use crate::fp::{F16, F32, F64, Flags, Format, Rm, soft};

trait Pair: Format {
    type A: Float + FloatConvert<Half> + FloatConvert<Single> + FloatConvert<Double>;
}

impl Pair for F16 {
    type A = Half;
}

impl Pair for F32 {
    type A = Single;
}

impl Pair for F64 {
    type A = Double;
}

fn a<P: Pair>(bits: u64) -> P::A {
    P::A::from_bits(u128::from(bits))
}

fn round(rm: Rm) -> Round {
    match rm {
        Rm::Rne => Round::NearestTiesToEven,
        Rm::Rtz => Round::TowardZero,
        Rm::Rdn => Round::TowardNegative,
        Rm::Rup => Round::TowardPositive,
        Rm::Rmm => Round::NearestTiesToAway,
    }
}

fn flags(status: Status) -> Flags {
    [
        (Status::INEXACT, Flags::NX),
        (Status::UNDERFLOW, Flags::UF),
        (Status::OVERFLOW, Flags::OF),
        (Status::DIV_BY_ZERO, Flags::DZ),
        (Status::INVALID_OP, Flags::NV),
    ]
    .into_iter()
    .fold(Flags::NONE, |sum, (from, to)| if status.contains(from) { sum | to } else { sum })
}

fn bits<F: Format, A: Float>(result: StatusAnd<A>) -> (u64, Flags) {
    let value = if result.value.is_nan() { F::NAN } else { result.value.to_bits() as u64 };
    (value, flags(result.status))
}

/// Compares, but for two things that `definitions` looks at: `rustc_apfloat` does not report an overflow that gives the greatest
/// finite number, and takes a result that was rounded up to the smallest normal number for not tiny.
fn agree<F: Format>((value, flags): (u64, Flags), want: (u64, Flags), context: &str) {
    let unknown = match value & !F::SIGN {
        v if v == F::MAX_FINITE => Flags::OF.0,
        v if v == F::MIN_NORMAL => Flags::UF.0,
        _ => 0,
    };
    assert_eq!((value, Flags(flags.0 & !unknown)), want, "{context}");
}

fn arithmetic<P: Pair>(count: u64) {
    for (mut g, rm) in cases(count) {
        let x = g.operand::<P>(P::INF >> 1);
        let y = g.operand::<P>(x);
        let product = run(|fl| soft::mul::<P>(x, y, Rm::Rne, fl)).0;
        let z = if g.bits() & 3 == 0 { product ^ P::SIGN } else { g.operand::<P>(product) };
        if P::is_nan(x) || P::is_nan(y) || P::is_nan(z) {
            continue;
        }
        let r = round(rm);
        let context = format!("{} bits {rm:?} {x:x} {y:x} {z:x}", P::BITS);
        agree::<P>(
            run(|fl| soft::add::<P>(x, y, rm, fl)),
            bits::<P, _>(a::<P>(x).add_r(a::<P>(y), r)),
            &format!("add {context}"),
        );
        agree::<P>(
            run(|fl| soft::sub::<P>(x, y, rm, fl)),
            bits::<P, _>(a::<P>(x).sub_r(a::<P>(y), r)),
            &format!("sub {context}"),
        );
        agree::<P>(
            run(|fl| soft::mul::<P>(x, y, rm, fl)),
            bits::<P, _>(a::<P>(x).mul_r(a::<P>(y), r)),
            &format!("mul {context}"),
        );
        agree::<P>(
            run(|fl| soft::div::<P>(x, y, rm, fl)),
            bits::<P, _>(a::<P>(x).div_r(a::<P>(y), r)),
            &format!("div {context}"),
        );
        let want = bits::<P, _>(a::<P>(x).mul_add_r(a::<P>(y), a::<P>(z), r));
        agree::<P>(run(|fl| soft::fma::<P>(x, y, z, rm, fl)), want, &format!("fma {context}"));
    }
}

fn to_format<P: Pair, T: Pair>(x: u64, rm: Rm)
where
    P::A: FloatConvert<T::A>,
{
    let want: StatusAnd<T::A> = a::<P>(x).convert_r(round(rm), &mut false);
    let got = run(|fl| soft::cvt::<P, T>(x, rm, fl));
    agree::<T>(got, bits::<T, _>(want), &format!("{} to {} bits {rm:?} {x:x}", P::BITS, T::BITS));
}

fn unary<P: Pair>(x: u64, rm: Rm) {
    if P::is_nan(x) {
        return;
    }
    to_format::<P, F16>(x, rm);
    to_format::<P, F32>(x, rm);
    to_format::<P, F64>(x, rm);
    let context = format!("{} bits {rm:?} {x:x}", P::BITS);
    macro_rules! integer {
        ($name:ident, $method:ident, $t:ty) => {
            let want = a::<P>(x).$method(<$t>::BITS as usize, round(rm), &mut false);
            let want = (want.value as $t, flags(want.status));
            assert_eq!(run(|fl| soft::$name::<P>(x, rm, fl)), want, "{} {context}", stringify!($name));
        };
    }
    integer!(to_i32, to_i128_r, i32);
    integer!(to_i64, to_i128_r, i64);
    integer!(to_u32, to_u128_r, u32);
    integer!(to_u64, to_u128_r, u64);
    let want = a::<P>(x).round_to_integral(round(rm)).value.to_bits() as u64;
    let nx = if want == x { Flags::NONE } else { Flags::NX };
    assert_eq!(run(|fl| soft::roundnx::<P>(x, rm, fl)), (want, nx), "roundnx {context}");
    assert_eq!(run(|fl| soft::round::<P>(x, rm, fl)), (want, Flags::NONE), "round {context}");
}

fn conversions<P: Pair>(count: u64) {
    for (mut g, rm) in cases(count) {
        unary::<P>(g.operand::<P>(P::INF >> 1), rm);
        // Numbers at the borders of the narrower formats.
        unary::<P>(run(|fl| soft::cvt::<F32, P>(g.operand::<F32>(0), Rm::Rne, fl)).0 ^ g.bits() & 1, rm);
        unary::<P>(run(|fl| soft::cvt::<F16, P>(g.operand::<F16>(0), Rm::Rne, fl)).0 ^ g.bits() & 3, rm);
        let v = g.integer();
        let context = format!("{} bits {rm:?} {v:x}", P::BITS);
        let want = bits::<P, _>(P::A::from_u128_r(u128::from(v), round(rm)));
        agree::<P>(run(|fl| soft::from_u64::<P>(v, rm, fl)), want, &context);
        let want = bits::<P, _>(P::A::from_i128_r(i128::from(v as i64), round(rm)));
        agree::<P>(run(|fl| soft::from_i64::<P>(v as i64, rm, fl)), want, &context);
        let want = bits::<P, _>(P::A::from_u128_r(u128::from(v as u32), round(rm)));
        agree::<P>(run(|fl| soft::from_u32::<P>(v as u32, rm, fl)), want, &context);
        let want = bits::<P, _>(P::A::from_i128_r(i128::from(v as i32), round(rm)));
        agree::<P>(run(|fl| soft::from_i32::<P>(v as i32, rm, fl)), want, &context);
    }
}

#[test]
fn arithmetic_of_halves() {
    arithmetic::<F16>(40_000);
}

#[test]
fn arithmetic_of_singles() {
    arithmetic::<F32>(40_000);
}

#[test]
fn arithmetic_of_doubles() {
    arithmetic::<F64>(40_000);
}

#[test]
fn conversions_of_every_half() {
    for x in 0..=0xffff {
        for rm in Rm::ALL {
            unary::<F16>(x, rm);
        }
    }
}

#[test]
fn conversions_of_singles() {
    conversions::<F32>(40_000);
}

#[test]
fn conversions_of_doubles() {
    conversions::<F64>(40_000);
}

#[test]
fn halves_from_integers() {
    conversions::<F16>(20_000);
}
