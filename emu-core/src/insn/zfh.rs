//! Zfh and Zfhmin: half-precision floating point. Conversions from and to double need D too.

use super::fpu::{def, exec_load, exec_store, files, fp};
use super::macros::table;
use super::{Format, InsnDef};
use crate::fp::{self, F16, F32, F64, Format as _, fast};
use crate::timing::TimingClass;
use emu_csr::Ext::{D, Zfh, Zfhmin};

const MEMORY: &[InsnDef] = &[
    def(
        "flh",
        "iiiiiiiiiiii aaaaa 001 ddddd 0000111",
        &[Zfhmin],
        &[],
        Format::Load,
        files("fx--"),
        TimingClass::Load,
        exec_load::<2>,
        None,
    ),
    def(
        "fsh",
        "iiiiiii bbbbb aaaaa 001 iiiii 0100111",
        &[Zfhmin],
        &[],
        Format::Store,
        files("-xf-"),
        TimingClass::Store,
        exec_store::<2>,
        None,
    ),
];

fp! { OPS:
    rrr    FmaddH  "fmadd.h"   "rrrrr 10 bbbbb aaaaa mmm ddddd 1000011" &[Zfh], FpFma, 16 true, |a, b, c, rm, fl| fast::fma::<F16>(a, b, c, rm, fl);
    rrr    FmsubH  "fmsub.h"   "rrrrr 10 bbbbb aaaaa mmm ddddd 1000111" &[Zfh], FpFma, 16 true, |a, b, c, rm, fl| fast::fma::<F16>(a, b, c ^ F16::SIGN, rm, fl);
    rrr    FnmsubH "fnmsub.h"  "rrrrr 10 bbbbb aaaaa mmm ddddd 1001011" &[Zfh], FpFma, 16 true, |a, b, c, rm, fl| fast::fma::<F16>(a ^ F16::SIGN, b, c, rm, fl);
    rrr    FnmaddH "fnmadd.h"  "rrrrr 10 bbbbb aaaaa mmm ddddd 1001111" &[Zfh], FpFma, 16 true, |a, b, c, rm, fl| fast::fma::<F16>(a ^ F16::SIGN, b, c ^ F16::SIGN, rm, fl);
    rr     FaddH   "fadd.h"    "00000 10 bbbbb aaaaa mmm ddddd 1010011" &[Zfh], FpAdd, 16 true, |a, b, rm, fl| fast::add::<F16>(a, b, rm, fl);
    rr     FsubH   "fsub.h"    "00001 10 bbbbb aaaaa mmm ddddd 1010011" &[Zfh], FpAdd, 16 true, |a, b, rm, fl| fast::sub::<F16>(a, b, rm, fl);
    rr     FmulH   "fmul.h"    "00010 10 bbbbb aaaaa mmm ddddd 1010011" &[Zfh], FpMul, 16 true, |a, b, rm, fl| fast::mul::<F16>(a, b, rm, fl);
    rr     FdivH   "fdiv.h"    "00011 10 bbbbb aaaaa mmm ddddd 1010011" &[Zfh], FpDiv, 16 true, |a, b, rm, fl| fast::div::<F16>(a, b, rm, fl);
    r      FsqrtH  "fsqrt.h"   "01011 10 00000 aaaaa mmm ddddd 1010011" &[Zfh], FpSqrt, 16 < 16 true, |a, rm, fl| fast::sqrt::<F16>(a, rm, fl);
    rr     FsgnjH  "fsgnj.h"   "00100 10 bbbbb aaaaa 000 ddddd 1010011" &[Zfh], FpMove, 16 false, |a, b, rm, fl| fp::sgnj::<F16>(a, b);
    rr     FsgnjnH "fsgnjn.h"  "00100 10 bbbbb aaaaa 001 ddddd 1010011" &[Zfh], FpMove, 16 false, |a, b, rm, fl| fp::sgnjn::<F16>(a, b);
    rr     FsgnjxH "fsgnjx.h"  "00100 10 bbbbb aaaaa 010 ddddd 1010011" &[Zfh], FpMove, 16 false, |a, b, rm, fl| fp::sgnjx::<F16>(a, b);
    rr     FminH   "fmin.h"    "00101 10 bbbbb aaaaa 000 ddddd 1010011" &[Zfh], FpCmp, 16 false, |a, b, rm, fl| fp::min::<F16>(a, b, fl);
    rr     FmaxH   "fmax.h"    "00101 10 bbbbb aaaaa 001 ddddd 1010011" &[Zfh], FpCmp, 16 false, |a, b, rm, fl| fp::max::<F16>(a, b, fl);
    cmp    FeqH    "feq.h"     "10100 10 bbbbb aaaaa 010 ddddd 1010011" &[Zfh], FpCmp, 16 false, |a, b, fl| fp::eq::<F16>(a, b, fl);
    cmp    FltH    "flt.h"     "10100 10 bbbbb aaaaa 001 ddddd 1010011" &[Zfh], FpCmp, 16 false, |a, b, fl| fp::lt::<F16>(a, b, fl);
    cmp    FleH    "fle.h"     "10100 10 bbbbb aaaaa 000 ddddd 1010011" &[Zfh], FpCmp, 16 false, |a, b, fl| fp::le::<F16>(a, b, fl);
    to_x   FclassH "fclass.h"  "11100 10 00000 aaaaa 001 ddddd 1010011" &[Zfh], FpCmp, 16 false, |a, rm, fl| fp::classify::<F16>(a);
    to_x   FcvtWH  "fcvt.w.h"  "11000 10 00000 aaaaa mmm ddddd 1010011" &[Zfh], FpCvt, 16 true, |a, rm, fl| fp::to_i32::<F16>(a, rm, fl) as u64;
    to_x   FcvtWuH "fcvt.wu.h" "11000 10 00001 aaaaa mmm ddddd 1010011" &[Zfh], FpCvt, 16 true, |a, rm, fl| fp::to_u32::<F16>(a, rm, fl) as i32 as u64;
    to_x   FcvtLH  "fcvt.l.h"  "11000 10 00010 aaaaa mmm ddddd 1010011" &[Zfh], FpCvt, 16 true, |a, rm, fl| fp::to_i64::<F16>(a, rm, fl) as u64;
    to_x   FcvtLuH "fcvt.lu.h" "11000 10 00011 aaaaa mmm ddddd 1010011" &[Zfh], FpCvt, 16 true, |a, rm, fl| fp::to_u64::<F16>(a, rm, fl);
    from_x FcvtHW  "fcvt.h.w"  "11010 10 00000 aaaaa mmm ddddd 1010011" &[Zfh], FpCvt, 16 true, |a, rm, fl| fp::from_i32::<F16>(a as i32, rm, fl);
    from_x FcvtHWu "fcvt.h.wu" "11010 10 00001 aaaaa mmm ddddd 1010011" &[Zfh], FpCvt, 16 true, |a, rm, fl| fp::from_u32::<F16>(a as u32, rm, fl);
    from_x FcvtHL  "fcvt.h.l"  "11010 10 00010 aaaaa mmm ddddd 1010011" &[Zfh], FpCvt, 16 true, |a, rm, fl| fp::from_i64::<F16>(a as i64, rm, fl);
    from_x FcvtHLu "fcvt.h.lu" "11010 10 00011 aaaaa mmm ddddd 1010011" &[Zfh], FpCvt, 16 true, |a, rm, fl| fp::from_u64::<F16>(a, rm, fl);
    to_x   FmvXH   "fmv.x.h"   "11100 10 00000 aaaaa 000 ddddd 1010011" &[Zfhmin], FpMove, 64 false, |a, rm, fl| a as i16 as u64;
    from_x FmvHX   "fmv.h.x"   "11110 10 00000 aaaaa 000 ddddd 1010011" &[Zfhmin], FpMove, 16 false, |a, rm, fl| a as u16 as u64;
    r      FcvtSH  "fcvt.s.h"  "01000 00 00010 aaaaa mmm ddddd 1010011" &[Zfhmin], FpCvt, 32 < 16 true, |a, rm, fl| fp::cvt::<F16, F32>(a, rm, fl);
    r      FcvtHS  "fcvt.h.s"  "01000 10 00000 aaaaa mmm ddddd 1010011" &[Zfhmin], FpCvt, 16 < 32 true, |a, rm, fl| fp::cvt::<F32, F16>(a, rm, fl);
    r      FcvtDH  "fcvt.d.h"  "01000 01 00010 aaaaa mmm ddddd 1010011" &[Zfhmin] => &[D], FpCvt, 64 < 16 true, |a, rm, fl| fp::cvt::<F16, F64>(a, rm, fl);
    r      FcvtHD  "fcvt.h.d"  "01000 10 00001 aaaaa mmm ddddd 1010011" &[Zfhmin] => &[D], FpCvt, 16 < 64 true, |a, rm, fl| fp::cvt::<F64, F16>(a, rm, fl);
}

table!(MEMORY, OPS);
