//! Loads, stores, atomics, and what a faulting access leaves in tinst.

use emu_csr::{Exception, Trap};
use proptest::prelude::*;

use super::{Bench, RAM, asm};
use crate::insn::{Fields, complete_trap};

/// Sign-extends the low `8 * size` bits.
fn signed(v: u64, size: u32) -> u64 {
    let shift = 64 - 8 * size;
    ((v << shift) as i64 >> shift) as u64
}

fn low(v: u64, size: u32) -> u64 {
    if size == 8 { v } else { v & ((1 << (8 * size)) - 1) }
}

fn at(t: &Bench, offset: u64) -> u64 {
    t.bus.ram.read(RAM + offset, 8).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn loads_extend_and_stores_keep_their_neighbours(value: u64, before: u64, offset in -64..64i32) {
        let mut t = Bench::new();
        let base = RAM + 0x1000;
        let place = base.wrapping_add(offset as u64);
        t.hart.x[5] = base;
        for (name, size, sign) in [
            ("lb", 1, true), ("lh", 2, true), ("lw", 4, true), ("ld", 8, true), ("lbu", 1, false), ("lhu", 2, false), ("lwu", 4, false),
        ] {
            t.bus.ram.write_bytes(place, &value.to_le_bytes(), &mut Vec::new());
            t.exec(name, Fields { rd: 7, rs1: 5, imm: offset, ..Fields::default() }).unwrap();
            prop_assert_eq!(t.hart.x[7], if sign { signed(value, size) } else { low(value, size) }, "{}", name);
        }
        for (name, size) in [("sb", 1), ("sh", 2), ("sw", 4), ("sd", 8)] {
            t.bus.ram.write_bytes(place, &before.to_le_bytes(), &mut Vec::new());
            t.hart.x[6] = value;
            t.exec(name, Fields { rs1: 5, rs2: 6, imm: offset, ..Fields::default() }).unwrap();
            let mut bytes = [0; 8];
            t.bus.ram.read_bytes(place, &mut bytes);
            prop_assert_eq!(u64::from_le_bytes(bytes), before ^ low(before ^ value, size), "{}", name);
        }
    }

    #[test]
    fn atomics_give_the_old_value_and_store_the_new(memory: u64, operand: u64, index in 0..8u64) {
        for (suffix, size) in [("b", 1u32), ("h", 2), ("w", 4), ("d", 8)] {
            let (m, r) = (signed(memory >> (8 * (index & !(u64::from(size) - 1))), size), signed(operand, size));
            let (um, ur) = (low(m, size), low(r, size));
            let (sm, sr) = (m as i64, r as i64);
            for (op, new) in [
                ("amoswap", r), ("amoadd", m.wrapping_add(r)), ("amoxor", m ^ r), ("amoand", m & r), ("amoor", m | r),
                ("amomin", if sm < sr { m } else { r }), ("amomax", if sm > sr { m } else { r }),
                ("amominu", if um < ur { m } else { r }), ("amomaxu", if um > ur { m } else { r }),
            ] {
                let mut t = Bench::new();
                let offset = index & !(u64::from(size) - 1);
                t.bus.ram.write_bytes(RAM + 0x1000, &memory.to_le_bytes(), &mut Vec::new());
                (t.hart.x[5], t.hart.x[6]) = (RAM + 0x1000 + offset, operand);
                t.exec(&format!("{op}.{suffix}"), Fields { rd: 7, rs1: 5, rs2: 6, ..Fields::default() }).unwrap();
                prop_assert_eq!(t.hart.x[7], m, "{}.{}", op, suffix);
                let expected = memory ^ low(m ^ new, size) << (8 * offset);
                prop_assert_eq!(at(&t, 0x1000), expected, "{}.{}", op, suffix);
            }
        }
    }

    #[test]
    fn compare_and_swap_stores_only_on_a_match(memory: u64, other: u64, new: u64, equal: bool) {
        for (name, size) in [("amocas.b", 1), ("amocas.h", 2), ("amocas.w", 4), ("amocas.d", 8)] {
            let mut t = Bench::new();
            t.bus.ram.write_bytes(RAM + 0x1000, &memory.to_le_bytes(), &mut Vec::new());
            // Only the low bits are compared.
            let expected = if equal { memory ^ (other & !low(u64::MAX, size)) } else { other };
            (t.hart.x[5], t.hart.x[6], t.hart.x[7]) = (RAM + 0x1000, new, expected);
            t.exec(name, Fields { rd: 7, rs1: 5, rs2: 6, ..Fields::default() }).unwrap();
            let swap = low(expected, size) == low(memory, size);
            prop_assert_eq!(t.hart.x[7], signed(memory, size), "{}", name);
            prop_assert_eq!(at(&t, 0x1000), if swap { memory ^ low(memory ^ new, size) } else { memory }, "{}", name);
        }
    }
}

#[test]
fn amocas_q_compares_and_swaps_even_register_pairs() {
    let run = |rd: u8, rs2: u8, expected: (u64, u64)| {
        let mut t = Bench::new();
        t.bus.ram.write_bytes(RAM + 0x1000, &[[1u8; 8], [2; 8]].concat(), &mut Vec::new());
        t.hart.x[5] = RAM + 0x1000;
        (t.hart.x[8], t.hart.x[9], t.hart.x[10], t.hart.x[11]) = (expected.0, expected.1, 33, 44);
        let r = t.exec("amocas.q", Fields { rd, rs1: 5, rs2, ..Fields::default() });
        (r.is_ok(), at(&t, 0x1000), at(&t, 0x1008), t.hart.x[8], t.hart.x[9], t.hart.x[1])
    };
    let (one, two) = (0x0101_0101_0101_0101, 0x0202_0202_0202_0202);
    assert_eq!(run(8, 10, (one, two)), (true, 33, 44, one, two, 0));
    assert_eq!(run(8, 10, (one, 0)), (true, one, two, one, two, 0));
    assert_eq!(run(8, 0, (one, two)), (true, 0, 0, one, two, 0), "x0 as a source pair is zero");
    assert_eq!(run(0, 10, (one, two)), (true, one, two, one, two, 0), "x0 as a destination pair compares zero and stays");
    assert!(!run(9, 10, (0, 0)).0, "odd rd is reserved");
    assert!(!run(8, 11, (0, 0)).0, "odd rs2 is reserved");
}

#[test]
fn store_conditional_succeeds_once_after_load_reserved() {
    let mut t = Bench::new();
    (t.hart.x[5], t.hart.x[6]) = (RAM + 0x1000, 0x1_8000_0000);
    let sc = |t: &mut Bench| {
        t.exec("sc.w", Fields { rd: 7, rs1: 5, rs2: 6, ..Fields::default() }).unwrap();
        t.hart.x[7]
    };
    assert_eq!(sc(&mut t), 1, "without a reservation");
    t.exec("lr.w", Fields { rd: 8, rs1: 5, ..Fields::default() }).unwrap();
    assert_eq!((sc(&mut t), at(&t, 0x1000)), (0, 0x8000_0000));
    assert_eq!(sc(&mut t), 1, "the reservation is used up");
    t.exec("lr.w", Fields { rd: 8, rs1: 5, ..Fields::default() }).unwrap();
    assert_eq!(t.hart.x[8], 0xffff_ffff_8000_0000, "lr.w sign-extends");
}

#[test]
fn cbo_zero_clears_its_block_only() {
    let mut t = Bench::new();
    t.bus.ram.write_bytes(RAM + 0x1000, &[0xff; 192], &mut Vec::new());
    t.hart.x[5] = RAM + 0x1047;
    t.exec("cbo.zero", Fields { rs1: 5, ..Fields::default() }).unwrap();
    let mut bytes = [0; 192];
    t.bus.ram.read_bytes(RAM + 0x1000, &mut bytes);
    assert!(bytes.iter().enumerate().all(|(i, &b)| b == if (64..128).contains(&i) { 0 } else { 0xff }));
}

/// What a fault of `cause` at `tval` leaves in tinst, x5 being the base register.
fn tinst(t: &Bench, raw: u32, len: u8, cause: Exception, tval: u64) -> u64 {
    complete_trap(Trap::new(cause, tval), &t.decoder.decode(raw, len), &t.hart).tinst
}

#[test]
fn transformed_instructions_are_as_the_manual_draws_them() {
    use Exception::*;
    let mut t = Bench::new();
    t.hart.x[5] = 0x1000;
    t.hart.x[8] = 0x1000;
    let f = Fields { rd: 7, rs1: 5, rs2: 6, imm: -3, ..Fields::default() };
    let zero = Fields { rs1: 0, imm: 0, ..f };
    let load = asm("lw", f);
    assert_eq!(tinst(&t, load, 4, LoadGuestPageFault, 0xffd), u64::from(asm("lw", zero)));
    // The second part of a misaligned access: Addr. Offset is 3.
    assert_eq!(tinst(&t, load, 4, LoadPageFault, 0x1000), u64::from(asm("lw", Fields { rs1: 3, ..zero })));
    assert_eq!(tinst(&t, asm("fsd", f), 4, StoreAccessFault, 0xffd), u64::from(asm("fsd", zero)));
    let amo = asm("amoadd.d", f) | 3 << 25;
    assert_eq!(tinst(&t, amo, 4, StoreGuestPageFault, 0x1000), u64::from(amo & !(31 << 15)));
    assert_eq!(tinst(&t, asm("hlvx.wu", f), 4, LoadGuestPageFault, 0x1000), u64::from(asm("hlvx.wu", zero)));
    assert_eq!(tinst(&t, asm("hsv.b", f), 4, StoreGuestPageFault, 0x1000), u64::from(asm("hsv.b", zero)));
    let second = Fields { rs1: 3, ..zero };
    assert_eq!(tinst(&t, asm("hlv.d", f), 4, LoadGuestPageFault, 0x1003), u64::from(asm("hlv.d", second)), "Addr. Offset");
    assert_eq!(tinst(&t, asm("hsv.d", f), 4, StoreGuestPageFault, 0x1003), u64::from(asm("hsv.d", second)), "Addr. Offset");
    assert_eq!(tinst(&t, asm("cbo.zero", f), 4, StoreGuestPageFault, 0x1000), u64::from(asm("cbo.zero", zero)));
    // c.lw x9, 4(x8): expanded, transformed, bit 1 cleared.
    assert_eq!(
        tinst(&t, 0x4044, 2, LoadGuestPageFault, 0x1004),
        u64::from(asm("lw", Fields { rd: 9, ..Fields::default() }) & !2)
    );
}

#[test]
fn tinst_stays_zero_where_nothing_was_accessed_and_keeps_pseudoinstructions() {
    let t = Bench::new();
    for cause in
        [Exception::InstPageFault, Exception::IllegalInst, Exception::Breakpoint, Exception::EcallU, Exception::VirtualInst]
    {
        assert_eq!(tinst(&t, asm("lw", Fields::default()), 4, cause, 0), 0);
    }
    let pseudo = Trap { tinst: 0x3000, ..Trap::new(Exception::LoadGuestPageFault, 0) };
    assert_eq!(complete_trap(pseudo, &t.decoder.decode(asm("ld", Fields::default()), 4), &t.hart).tinst, 0x3000);
}

#[test]
fn a_fault_changes_no_register() {
    let mut t = Bench::new();
    t.hart.x[5] = 0x10;
    let before = t.hart.x;
    for name in ["lw", "ld", "lr.d", "amoadd.w", "amocas.d", "sc.w"] {
        let r = t.exec(name, Fields { rd: 5, rs1: 5, rs2: 5, ..Fields::default() });
        if name != "sc.w" {
            assert!(r.is_err(), "{name}");
            assert_eq!(t.hart.x, before, "{name}");
        }
    }
}
