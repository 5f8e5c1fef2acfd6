//! Integer arithmetic against 128-bit arithmetic and manual tables.

use proptest::prelude::*;

use super::Bench;

/// Operands that meet corners often.
fn operand() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        prop_oneof![
            Just(0u64),
            Just(1),
            Just(u64::MAX),
            Just(1 << 63),
            Just(i64::MAX as u64),
            Just(1 << 31),
            Just(0xffff_ffff),
            Just(0xffff_ffff_8000_0000)
        ],
        (0..64u32).prop_map(|s| 1 << s),
        any::<i32>().prop_map(|v| v as u64),
    ]
}

/// The low 32 bits, sign-extended.
fn w(v: i128) -> u64 {
    let low = v & 0xffff_ffff;
    (if low >> 31 != 0 { low - (1 << 32) } else { low }) as u64
}

fn s(v: u64) -> i128 {
    if v >> 63 != 0 { v as i128 - (1 << 64) } else { v as i128 }
}

/// Division as the manual's table has it, over a width given by its smallest number.
fn divide(a: i128, b: i128, least: i128) -> (i128, i128) {
    match (a, b) {
        (_, 0) => (-1, a),
        (a, -1) if least != 0 && a == least => (a, 0),
        _ => (a / b, a % b),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn base_arithmetic(a in operand(), b in operand()) {
        let mut t = Bench::new();
        let (sa, sb, ua, ub) = (s(a), s(b), a as i128, b as i128);
        let by = |n: u64| 1i128 << n;
        for (name, expected) in [
            ("add", (ua + ub) as u64),
            ("sub", (ua - ub) as u64),
            ("sll", (ua * by(b % 64)) as u64),
            ("srl", (ua / by(b % 64)) as u64),
            ("sra", sa.div_euclid(by(b % 64)) as u64),
            ("slt", (sa < sb) as u64),
            ("sltu", (ua < ub) as u64),
            ("addw", w(ua + ub)),
            ("subw", w(ua - ub)),
            ("sllw", w(ua * by(b % 32))),
            ("srlw", w((ua & 0xffff_ffff) / by(b % 32))),
            ("sraw", w(s(w(ua)).div_euclid(by(b % 32)))),
            ("mul", (sa * sb) as u64),
            ("mulhu", ((a as u128 * b as u128) >> 64) as u64),
            ("mulh", (sa * sb).div_euclid(by(64)) as u64),
            ("mulhsu", (sa * ub).div_euclid(by(64)) as u64),
            ("mulw", w(s(w(ua)) * s(w(ub)))),
            ("sh1add", (2 * ua + ub) as u64),
            ("sh2add", (4 * ua + ub) as u64),
            ("sh3add", (8 * ua + ub) as u64),
            ("add.uw", (ua % by(32) + ub) as u64),
            ("sh1add.uw", (2 * (ua % by(32)) + ub) as u64),
            ("sh2add.uw", (4 * (ua % by(32)) + ub) as u64),
            ("sh3add.uw", (8 * (ua % by(32)) + ub) as u64),
            ("max", sa.max(sb) as u64),
            ("min", sa.min(sb) as u64),
            ("maxu", ua.max(ub) as u64),
            ("minu", ua.min(ub) as u64),
            ("czero.eqz", if b == 0 { 0 } else { a }),
            ("czero.nez", if b == 0 { a } else { 0 }),
            ("mop.rr.N", 0),
        ] {
            prop_assert_eq!(t.rr(name, a, b), expected, "{}", name);
        }
    }

    #[test]
    fn division(a in operand(), b in operand()) {
        let mut t = Bench::new();
        let (q, r) = divide(s(a), s(b), -(1 << 63));
        let (uq, ur) = divide(a as i128, b as i128, 0);
        let (wa, wb) = (s(w(a as i128)), s(w(b as i128)));
        let (wq, wr) = divide(wa, wb, -(1 << 31));
        let (uwq, uwr) = divide(wa & 0xffff_ffff, wb & 0xffff_ffff, 0);
        for (name, expected) in [
            ("div", q as u64), ("rem", r as u64), ("divu", uq as u64), ("remu", ur as u64),
            ("divw", w(wq)), ("remw", w(wr)), ("divuw", w(uwq)), ("remuw", w(uwr)),
        ] {
            prop_assert_eq!(t.rr(name, a, b), expected, "{}", name);
        }
    }

    #[test]
    fn immediates(a in operand(), imm in -2048..2048i32) {
        let mut t = Bench::new();
        let (sa, b) = (s(a), imm as i128);
        let shift = (imm & 63) as u64;
        let by = 1i128 << shift;
        let half = 1i128 << (shift % 32);
        for (name, imm, expected) in [
            ("addi", imm, (sa + b) as u64),
            ("slti", imm, (sa < b) as u64),
            ("sltiu", imm, (a < imm as i64 as u64) as u64),
            ("xori", imm, a ^ imm as i64 as u64),
            ("ori", imm, a | imm as i64 as u64),
            ("andi", imm, a & imm as i64 as u64),
            ("addiw", imm, w(sa + b)),
            ("slli", shift as i32, (a as i128 * by) as u64),
            ("srli", shift as i32, (a as i128 / by) as u64),
            ("srai", shift as i32, sa.div_euclid(by) as u64),
            ("slli.uw", shift as i32, ((a as i128 & 0xffff_ffff) * by) as u64),
            ("slliw", shift as i32 % 32, w((a as i128) * half)),
            ("srliw", shift as i32 % 32, w((a as i128 & 0xffff_ffff) / half)),
            ("sraiw", shift as i32 % 32, w(s(w(a as i128)).div_euclid(half))),
            ("mop.r.N", 0, 0),
        ] {
            prop_assert_eq!(t.ri(name, a, imm), expected, "{}", name);
        }
    }
}

#[test]
fn x0_is_never_written() {
    let mut t = Bench::new();
    t.hart.x[5] = 77;
    for name in ["add", "mul", "sh1add", "czero.nez"] {
        t.exec(name, super::Fields { rd: 0, rs1: 5, rs2: 5, ..Default::default() }).unwrap();
    }
    t.exec("jalr", super::Fields { rd: 0, rs1: 5, ..Default::default() }).unwrap();
    assert_eq!(t.hart.x[0], 0);
}
