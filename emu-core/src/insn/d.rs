//! "D" extension for double-precision floating point.

use super::fpu::{def, exec_load, exec_store, files, fp};
use super::macros::table;
use super::{Format, InsnDef};
use crate::engine::block::fpu as block;
use crate::fp::{self, F32, F64, Format as _, fast};
use crate::timing::TimingClass;
use emu_csr::Ext::D;

const MEMORY: &[InsnDef] = &[
    def(
        "fld",
        "iiiiiiiiiiii aaaaa 011 ddddd 0000111",
        &[D],
        &[],
        Format::Load,
        files("fx--"),
        TimingClass::Load,
        exec_load::<8>,
        Some(block::load::<block::Double>),
    ),
    def(
        "fsd",
        "iiiiiii bbbbb aaaaa 011 iiiii 0100111",
        &[D],
        &[],
        Format::Store,
        files("-xf-"),
        TimingClass::Store,
        exec_store::<8>,
        Some(block::store::<block::Double>),
    ),
];

fp! { OPS:
    rrr    FmaddD  "fmadd.d"   "rrrrr 01 bbbbb aaaaa mmm ddddd 1000011" &[D], FpFma, 64 true, |a, b, c, rm, fl| fast::fma::<F64>(a, b, c, rm, fl);
    rrr    FmsubD  "fmsub.d"   "rrrrr 01 bbbbb aaaaa mmm ddddd 1000111" &[D], FpFma, 64 true, |a, b, c, rm, fl| fast::fma::<F64>(a, b, c ^ F64::SIGN, rm, fl);
    rrr    FnmsubD "fnmsub.d"  "rrrrr 01 bbbbb aaaaa mmm ddddd 1001011" &[D], FpFma, 64 true, |a, b, c, rm, fl| fast::fma::<F64>(a ^ F64::SIGN, b, c, rm, fl);
    rrr    FnmaddD "fnmadd.d"  "rrrrr 01 bbbbb aaaaa mmm ddddd 1001111" &[D], FpFma, 64 true, |a, b, c, rm, fl| fast::fma::<F64>(a ^ F64::SIGN, b, c ^ F64::SIGN, rm, fl);
    rr     FaddD   "fadd.d"    "00000 01 bbbbb aaaaa mmm ddddd 1010011" &[D], FpAdd, 64 true, |a, b, rm, fl| fast::add::<F64>(a, b, rm, fl);
    rr     FsubD   "fsub.d"    "00001 01 bbbbb aaaaa mmm ddddd 1010011" &[D], FpAdd, 64 true, |a, b, rm, fl| fast::sub::<F64>(a, b, rm, fl);
    rr     FmulD   "fmul.d"    "00010 01 bbbbb aaaaa mmm ddddd 1010011" &[D], FpMul, 64 true, |a, b, rm, fl| fast::mul::<F64>(a, b, rm, fl);
    rr     FdivD   "fdiv.d"    "00011 01 bbbbb aaaaa mmm ddddd 1010011" &[D], FpDiv, 64 true, |a, b, rm, fl| fast::div::<F64>(a, b, rm, fl);
    r      FsqrtD  "fsqrt.d"   "01011 01 00000 aaaaa mmm ddddd 1010011" &[D], FpSqrt, 64 < 64 true, |a, rm, fl| fast::sqrt::<F64>(a, rm, fl);
    rr     FsgnjD  "fsgnj.d"   "00100 01 bbbbb aaaaa 000 ddddd 1010011" &[D], FpMove, 64 false, |a, b, rm, fl| fp::sgnj::<F64>(a, b);
    rr     FsgnjnD "fsgnjn.d"  "00100 01 bbbbb aaaaa 001 ddddd 1010011" &[D], FpMove, 64 false, |a, b, rm, fl| fp::sgnjn::<F64>(a, b);
    rr     FsgnjxD "fsgnjx.d"  "00100 01 bbbbb aaaaa 010 ddddd 1010011" &[D], FpMove, 64 false, |a, b, rm, fl| fp::sgnjx::<F64>(a, b);
    rr     FminD   "fmin.d"    "00101 01 bbbbb aaaaa 000 ddddd 1010011" &[D], FpCmp, 64 false, |a, b, rm, fl| fp::min::<F64>(a, b, fl);
    rr     FmaxD   "fmax.d"    "00101 01 bbbbb aaaaa 001 ddddd 1010011" &[D], FpCmp, 64 false, |a, b, rm, fl| fp::max::<F64>(a, b, fl);
    cmp    FeqD    "feq.d"     "10100 01 bbbbb aaaaa 010 ddddd 1010011" &[D], FpCmp, 64 false, |a, b, fl| fp::eq::<F64>(a, b, fl);
    cmp    FltD    "flt.d"     "10100 01 bbbbb aaaaa 001 ddddd 1010011" &[D], FpCmp, 64 false, |a, b, fl| fp::lt::<F64>(a, b, fl);
    cmp    FleD    "fle.d"     "10100 01 bbbbb aaaaa 000 ddddd 1010011" &[D], FpCmp, 64 false, |a, b, fl| fp::le::<F64>(a, b, fl);
    to_x   FclassD "fclass.d"  "11100 01 00000 aaaaa 001 ddddd 1010011" &[D], FpCmp, 64 false, |a, rm, fl| fp::classify::<F64>(a);
    to_x   FcvtWD  "fcvt.w.d"  "11000 01 00000 aaaaa mmm ddddd 1010011" &[D], FpCvt, 64 true, |a, rm, fl| fast::to_i32::<F64>(a, rm, fl) as u64;
    to_x   FcvtWuD "fcvt.wu.d" "11000 01 00001 aaaaa mmm ddddd 1010011" &[D], FpCvt, 64 true, |a, rm, fl| fast::to_u32::<F64>(a, rm, fl) as i32 as u64;
    to_x   FcvtLD  "fcvt.l.d"  "11000 01 00010 aaaaa mmm ddddd 1010011" &[D], FpCvt, 64 true, |a, rm, fl| fast::to_i64::<F64>(a, rm, fl) as u64;
    to_x   FcvtLuD "fcvt.lu.d" "11000 01 00011 aaaaa mmm ddddd 1010011" &[D], FpCvt, 64 true, |a, rm, fl| fast::to_u64::<F64>(a, rm, fl);
    from_x FcvtDW  "fcvt.d.w"  "11010 01 00000 aaaaa mmm ddddd 1010011" &[D], FpCvt, 64 true, |a, rm, fl| fast::from_i32::<F64>(a as i32, rm, fl);
    from_x FcvtDWu "fcvt.d.wu" "11010 01 00001 aaaaa mmm ddddd 1010011" &[D], FpCvt, 64 true, |a, rm, fl| fast::from_u32::<F64>(a as u32, rm, fl);
    from_x FcvtDL  "fcvt.d.l"  "11010 01 00010 aaaaa mmm ddddd 1010011" &[D], FpCvt, 64 true, |a, rm, fl| fast::from_i64::<F64>(a as i64, rm, fl);
    from_x FcvtDLu "fcvt.d.lu" "11010 01 00011 aaaaa mmm ddddd 1010011" &[D], FpCvt, 64 true, |a, rm, fl| fast::from_u64::<F64>(a, rm, fl);
    to_x   FmvXD   "fmv.x.d"   "11100 01 00000 aaaaa 000 ddddd 1010011" &[D], FpMove, 64 false, |a, rm, fl| a;
    from_x FmvDX   "fmv.d.x"   "11110 01 00000 aaaaa 000 ddddd 1010011" &[D], FpMove, 64 false, |a, rm, fl| a;
    r      FcvtSD  "fcvt.s.d"  "01000 00 00001 aaaaa mmm ddddd 1010011" &[D], FpCvt, 32 < 64 true, |a, rm, fl| fast::cvt::<F64, F32>(a, rm, fl);
    r      FcvtDS  "fcvt.d.s"  "01000 01 00000 aaaaa mmm ddddd 1010011" &[D], FpCvt, 64 < 32 true, |a, rm, fl| fast::cvt::<F32, F64>(a, rm, fl);
}

table!(MEMORY, OPS);
