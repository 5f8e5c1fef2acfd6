//! Floating-point instructions: boxing, rounding mode, flags, dirty state. The arithmetic has its own tests in `fp`.

use emu_csr::{Exception, Mode};

use super::{Bench, RAM, asm};
use crate::insn::Fields;

const ONE_D: u64 = 0x3ff0_0000_0000_0000;
const ONE_S: u64 = 0xffff_ffff_3f80_0000;
const NAN_S: u64 = 0xffff_ffff_7fc0_0000;
const FS: u64 = 3 << 13;

fn f() -> Fields {
    Fields { rd: 3, rs1: 1, rs2: 2, rs3: 4, imm: 0 }
}

#[test]
fn narrow_operands_that_are_not_boxed_are_the_canonical_nan() {
    let mut t = Bench::new();
    (t.hart.f[1], t.hart.f[2]) = (ONE_S, ONE_S & 0xffff_ffff);
    t.exec("fadd.s", f()).unwrap();
    assert_eq!(t.hart.f[3], NAN_S);
    t.hart.f[2] = ONE_S;
    t.exec("fadd.s", f()).unwrap();
    assert_eq!(t.hart.f[3], 0xffff_ffff_4000_0000, "results are boxed");
    (t.hart.f[1], t.hart.f[2]) = (0xffff_ffff_ffff_3c00, 0xffff_ffff_ffff_3c00);
    t.exec("fadd.h", f()).unwrap();
    assert_eq!(t.hart.f[3], 0xffff_ffff_ffff_4000);
    t.hart.f[1] = 0xffff_ffff_0000_3c00;
    t.exec("fadd.h", f()).unwrap();
    assert_eq!(t.hart.f[3], 0xffff_ffff_ffff_7e00, "boxed as a single is not boxed as a half");
    t.exec("fsgnj.h", f()).unwrap();
    assert_eq!(t.hart.f[3], 0xffff_ffff_ffff_7e00, "and sign injection looks at the box too");
}

#[test]
fn moves_and_memory_transfer_bits_without_looking_at_the_box() {
    let mut t = Bench::new();
    t.hart.f[1] = 0x1234_5678_8765_4321;
    t.exec("fmv.x.w", f()).unwrap();
    assert_eq!(t.hart.x[3], 0xffff_ffff_8765_4321);
    t.exec("fmv.x.h", f()).unwrap();
    assert_eq!(t.hart.x[3], 0x4321);
    t.exec("fmv.x.d", f()).unwrap();
    assert_eq!(t.hart.x[3], 0x1234_5678_8765_4321);
    t.hart.x[5] = RAM + 0x100;
    t.exec("fsw", Fields { rs1: 5, rs2: 1, ..Fields::default() }).unwrap();
    assert_eq!(t.bus.ram.read(RAM + 0x100, 8), Some(0x8765_4321));
    t.exec("flw", Fields { rd: 6, rs1: 5, ..Fields::default() }).unwrap();
    assert_eq!(t.hart.f[6], 0xffff_ffff_8765_4321);
    t.exec("flh", Fields { rd: 6, rs1: 5, ..Fields::default() }).unwrap();
    assert_eq!(t.hart.f[6], 0xffff_ffff_ffff_4321);
    t.exec("fld", Fields { rd: 6, rs1: 5, ..Fields::default() }).unwrap();
    assert_eq!(t.hart.f[6], 0x8765_4321);
    t.hart.x[1] = 0xaaaa_bbbb_cccc_dddd;
    t.exec("fmv.h.x", f()).unwrap();
    assert_eq!(t.hart.f[3], 0xffff_ffff_ffff_dddd);
}

#[test]
fn the_rounding_mode_is_the_fields_or_frms_and_reserved_ones_are_illegal() {
    let mut t = Bench::new();
    // 1 / 3 rounds up and down to different numbers.
    (t.hart.f[1], t.hart.f[2]) = (ONE_D, 0x4008_0000_0000_0000);
    let mut quotient = |frm: u64, rm: i32| {
        t.hart.csr.fcsr = frm << 5;
        t.exec("fdiv.d", Fields { imm: rm, ..f() }).map(|()| t.hart.f[3]).map_err(|trap| trap.cause)
    };
    let (down, up) = (0x3fd5_5555_5555_5555, 0x3fd5_5555_5555_5556);
    assert_eq!(quotient(0, 3), Ok(up));
    assert_eq!(quotient(3, 0), Ok(down));
    assert_eq!(quotient(3, 7), Ok(up));
    assert_eq!(quotient(2, 7), Ok(down));
    for (frm, rm) in [(0, 5), (0, 6), (5, 7), (6, 7), (7, 7)] {
        assert_eq!(quotient(frm, rm), Err(Exception::IllegalInst), "frm={frm} rm={rm}");
    }
    assert_eq!(quotient(7, 1), Ok(down), "a static mode does not look at frm");
}

#[test]
fn flags_accrue() {
    let mut t = Bench::new();
    (t.hart.f[1], t.hart.f[2]) = (ONE_D, 0);
    t.exec("fdiv.d", f()).unwrap();
    assert_eq!(t.hart.csr.fcsr, 8, "DZ");
    t.hart.f[2] = 0x4008_0000_0000_0000;
    t.exec("fdiv.d", f()).unwrap();
    assert_eq!(t.hart.csr.fcsr, 9, "and NX");
    t.hart.f[2] = 0x7ff0_0000_0000_0001;
    t.exec("feq.d", f()).unwrap();
    assert_eq!((t.hart.csr.fcsr, t.hart.x[3]), (0x19, 0), "and NV of a signalling NaN");
}

#[test]
fn with_fs_off_everything_is_illegal() {
    for off_in_vs in [false, true] {
        let mut t = Bench::new();
        t.hart.csr.vsstatus |= FS;
        if off_in_vs {
            t.hart.csr.vsstatus &= !FS;
            t.hart.mode = Mode::VS;
        } else {
            t.hart.csr.mstatus &= !FS;
        }
        t.hart.x[1] = RAM;
        for name in ["fadd.d", "flw", "fsd", "fmv.x.d", "fcvt.s.w", "fmadd.h", "fli.s", "fclass.s", "fsgnj.d", "fleq.h"] {
            let trap = t.exec(name, f()).unwrap_err();
            assert_eq!((trap.cause, trap.tval), (Exception::IllegalInst, u64::from(asm(name, f()))), "{name}");
        }
    }
}

#[test]
fn writing_a_register_or_raising_a_flag_makes_fs_dirty_at_both_levels() {
    const CLEAN: u64 = 2 << 13;
    let dirty = |name: &str, a: u64| {
        let mut t = Bench::new();
        t.hart.csr.mstatus = t.hart.csr.mstatus & !FS | CLEAN;
        t.hart.csr.vsstatus |= CLEAN;
        t.hart.mode = Mode::VS;
        t.hart.f[1] = a;
        t.exec(name, f()).unwrap();
        let now = (t.hart.csr.mstatus & FS, t.hart.csr.vsstatus & FS);
        assert_eq!(now.0, now.1, "{name}");
        now.0 == FS
    };
    assert!(dirty("fadd.d", ONE_D));
    assert!(dirty("fmv.w.x", 0));
    assert!(!dirty("feq.d", ONE_D), "a comparison writes no floating-point state");
    assert!(dirty("flt.d", 0x7ff8_0000_0000_0000), "unless it raises a flag");
    assert!(!dirty("fmv.x.d", 0));
    assert!(!dirty("fclass.d", 0));
}

#[test]
fn signs_of_the_fused_operations() {
    let mut t = Bench::new();
    // 2 * 3 and 1: +-(a * b) +- c.
    (t.hart.f[1], t.hart.f[2], t.hart.f[4]) = (0x4000_0000_0000_0000, 0x4008_0000_0000_0000, ONE_D);
    for (name, expected) in [("fmadd.d", 7.0f64), ("fmsub.d", 5.0), ("fnmsub.d", -5.0), ("fnmadd.d", -7.0)] {
        t.exec(name, f()).unwrap();
        assert_eq!(f64::from_bits(t.hart.f[3]), expected, "{name}");
    }
}

#[test]
fn conversions_to_words_are_sign_extended_even_if_unsigned() {
    let mut t = Bench::new();
    t.hart.f[1] = 4294967295.0f64.to_bits();
    t.exec("fcvt.wu.d", f()).unwrap();
    assert_eq!(t.hart.x[3], u64::MAX);
    t.exec("fcvt.lu.d", f()).unwrap();
    assert_eq!(t.hart.x[3], 0xffff_ffff);
    t.exec("fcvt.w.d", f()).unwrap();
    assert_eq!((t.hart.x[3], t.hart.csr.fcsr), (0x7fff_ffff, 0x10));
    t.exec("fcvtmod.w.d", f()).unwrap();
    assert_eq!(t.hart.x[3], u64::MAX);
    t.hart.x[1] = 0xffff_ffff;
    for (name, expected) in [("fcvt.d.w", -1.0), ("fcvt.d.wu", 4294967295.0), ("fcvt.d.l", 4294967295.0)] {
        t.exec(name, f()).unwrap();
        assert_eq!(f64::from_bits(t.hart.f[3]), expected, "{name}");
    }
}
