//! Bit manipulation against loops over single bits (Zbb, Zbc, Zbs, Zbkb).

use proptest::prelude::*;

use super::Bench;

fn bit(v: u64, i: usize) -> bool {
    v >> i & 1 != 0
}

/// The number whose bit `i` is `f(i)`.
fn made(n: usize, f: impl Fn(usize) -> bool) -> u64 {
    (0..n).map(|i| (f(i) as u64) << i).sum()
}

fn w(v: u64) -> u64 {
    made(64, |i| bit(v, i.min(31)))
}

/// Coefficient `k` of the product of two polynomials over GF(2).
fn coefficient(a: u64, b: u64, k: usize) -> bool {
    (0..64).filter(|&i| k >= i && k - i < 64).fold(false, |sum, i| sum ^ (bit(a, i) && bit(b, k - i)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn two_operands(a: u64, b: u64) {
        let mut t = Bench::new();
        let n = (b & 63) as usize;
        let m = (b & 31) as usize;
        for (name, expected) in [
            ("andn", made(64, |i| bit(a, i) && !bit(b, i))),
            ("orn", made(64, |i| bit(a, i) || !bit(b, i))),
            ("xnor", made(64, |i| bit(a, i) == bit(b, i))),
            ("rol", made(64, |i| bit(a, (i + 64 - n) % 64))),
            ("ror", made(64, |i| bit(a, (i + n) % 64))),
            ("rolw", w(made(32, |i| bit(a, (i + 32 - m) % 32)))),
            ("rorw", w(made(32, |i| bit(a, (i + m) % 32)))),
            ("bclr", made(64, |i| bit(a, i) && i != n)),
            ("bset", made(64, |i| bit(a, i) || i == n)),
            ("binv", made(64, |i| bit(a, i) != (i == n))),
            ("bext", bit(a, n) as u64),
            ("pack", made(64, |i| if i < 32 { bit(a, i) } else { bit(b, i - 32) })),
            ("packh", made(16, |i| if i < 8 { bit(a, i) } else { bit(b, i - 8) })),
            ("packw", w(made(32, |i| if i < 16 { bit(a, i) } else { bit(b, i - 16) }))),
            ("clmul", made(64, |i| coefficient(a, b, i))),
            ("clmulh", made(64, |i| coefficient(a, b, i + 64))),
            ("clmulr", made(64, |i| coefficient(a, b, i + 63))),
        ] {
            prop_assert_eq!(t.rr(name, a, b), expected, "{}", name);
        }
    }

    #[test]
    fn one_operand(a: u64, shift in 0..64u32) {
        let mut t = Bench::new();
        // Leading and trailing zeros are rare in random numbers.
        for a in [a, a >> shift, a << shift, a as u32 as u64 >> (shift % 32), 0] {
            let n = shift as usize;
            let first = |width: usize, up: bool| (0..width).find(|&i| bit(a, if up { i } else { width - 1 - i })).unwrap_or(width) as u64;
            for (name, imm, expected) in [
                ("clz", 0, first(64, false)),
                ("ctz", 0, first(64, true)),
                ("cpop", 0, (0..64).filter(|&i| bit(a, i)).count() as u64),
                ("clzw", 0, first(32, false)),
                ("ctzw", 0, first(32, true)),
                ("cpopw", 0, (0..32).filter(|&i| bit(a, i)).count() as u64),
                ("sext.b", 0, made(64, |i| bit(a, i.min(7)))),
                ("sext.h", 0, made(64, |i| bit(a, i.min(15)))),
                ("zext.h", 0, made(16, |i| bit(a, i))),
                ("rev8", 0, made(64, |i| bit(a, (7 - i / 8) * 8 + i % 8))),
                ("brev8", 0, made(64, |i| bit(a, i / 8 * 8 + 7 - i % 8))),
                ("orc.b", 0, made(64, |i| (0..8).any(|j| bit(a, i / 8 * 8 + j)))),
                ("rori", n as i32, made(64, |i| bit(a, (i + n) % 64))),
                ("roriw", n as i32 % 32, w(made(32, |i| bit(a, (i + n) % 32)))),
                ("bclri", n as i32, made(64, |i| bit(a, i) && i != n)),
                ("bseti", n as i32, made(64, |i| bit(a, i) || i == n)),
                ("binvi", n as i32, made(64, |i| bit(a, i) != (i == n))),
                ("bexti", n as i32, bit(a, n) as u64),
            ] {
                prop_assert_eq!(t.ri(name, a, imm), expected, "{} {:x} {}", name, a, imm);
            }
        }
    }
}
