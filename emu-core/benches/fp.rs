//! What floating-point operations cost: in integers, and by the host with NX accrued before and not.

#![allow(missing_docs)] // criterion's macros make public functions

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use emu_core::fp::{F32, F64, Flags, Format, Rm, fast, soft};

const OPERANDS: u64 = 1024;

/// Numbers in [1, 2) with all digits in use.
fn operands<F: Format>() -> Vec<u64> {
    let one = (F::BIAS as u64) << F::FRAC;
    (0..OPERANDS).map(|i| one | i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - F::FRAC)).collect()
}

fn measure<F: Format>(c: &mut Criterion, name: &str, accrued: Flags, op: impl Fn(u64, Rm, &mut Flags) -> u64) {
    let operands = operands::<F>();
    let mut group = c.benchmark_group(format!("binary{}", F::BITS));
    group.throughput(Throughput::Elements(OPERANDS));
    group.bench_function(name, |b| {
        b.iter(|| {
            operands.iter().fold(0, |sum, &a| {
                let mut fl = accrued;
                let result = op(a, black_box(Rm::Rne), &mut fl);
                black_box(fl);
                sum ^ result
            })
        });
    });
}

macro_rules! operation {
    ($c:ident, $f:ident, $name:ident($($arg:expr),*)) => {
        let by = |kind| format!("{} {kind}", stringify!($name));
        measure::<$f>($c, &by("fast"), Flags::NX, |a, rm, fl| fast::$name::<$f>(a, $($arg,)* rm, fl));
        measure::<$f>($c, &by("fast, NX clear"), Flags::NONE, |a, rm, fl| fast::$name::<$f>(a, $($arg,)* rm, fl));
        measure::<$f>($c, &by("soft"), Flags::NX, |a, rm, fl| soft::$name::<$f>(a, $($arg,)* rm, fl));
    };
}

fn arithmetic(c: &mut Criterion) {
    let (d, s) = (black_box(2.4f64.to_bits()), black_box(u64::from(2.3f32.to_bits())));
    operation!(c, F64, add(d));
    operation!(c, F64, mul(d));
    operation!(c, F64, div(d));
    operation!(c, F64, sqrt());
    operation!(c, F64, fma(d, d));
    operation!(c, F32, add(s));
    operation!(c, F32, mul(s));
    operation!(c, F32, div(s));
    operation!(c, F32, sqrt());
    operation!(c, F32, fma(s, s));
}

criterion_group!(benches, arithmetic);
criterion_main!(benches);
