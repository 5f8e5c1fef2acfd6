//! "F" extension for single-precision floating point.

use super::fpu::{def, exec_load, exec_store, files, fp};
use super::macros::table;
use super::{Format, InsnDef};
use crate::engine::block::fpu as block;
use crate::fp::{self, F32, Format as _, fast};
use crate::timing::TimingClass;
use emu_csr::Ext::F;

const MEMORY: &[InsnDef] = &[
    def(
        "flw",
        "iiiiiiiiiiii aaaaa 010 ddddd 0000111",
        &[F],
        &[],
        Format::Load,
        files("fx--"),
        TimingClass::Load,
        exec_load::<4>,
        Some(block::load::<block::Word>),
    ),
    def(
        "fsw",
        "iiiiiii bbbbb aaaaa 010 iiiii 0100111",
        &[F],
        &[],
        Format::Store,
        files("-xf-"),
        TimingClass::Store,
        exec_store::<4>,
        Some(block::store::<block::Word>),
    ),
];

fp! { OPS:
    rrr    FmaddS  "fmadd.s"   "rrrrr 00 bbbbb aaaaa mmm ddddd 1000011" &[F], FpFma, 32 true, |a, b, c, rm, fl| fast::fma::<F32>(a, b, c, rm, fl);
    rrr    FmsubS  "fmsub.s"   "rrrrr 00 bbbbb aaaaa mmm ddddd 1000111" &[F], FpFma, 32 true, |a, b, c, rm, fl| fast::fma::<F32>(a, b, c ^ F32::SIGN, rm, fl);
    rrr    FnmsubS "fnmsub.s"  "rrrrr 00 bbbbb aaaaa mmm ddddd 1001011" &[F], FpFma, 32 true, |a, b, c, rm, fl| fast::fma::<F32>(a ^ F32::SIGN, b, c, rm, fl);
    rrr    FnmaddS "fnmadd.s"  "rrrrr 00 bbbbb aaaaa mmm ddddd 1001111" &[F], FpFma, 32 true, |a, b, c, rm, fl| fast::fma::<F32>(a ^ F32::SIGN, b, c ^ F32::SIGN, rm, fl);
    rr     FaddS   "fadd.s"    "00000 00 bbbbb aaaaa mmm ddddd 1010011" &[F], FpAdd, 32 true, |a, b, rm, fl| fast::add::<F32>(a, b, rm, fl);
    rr     FsubS   "fsub.s"    "00001 00 bbbbb aaaaa mmm ddddd 1010011" &[F], FpAdd, 32 true, |a, b, rm, fl| fast::sub::<F32>(a, b, rm, fl);
    rr     FmulS   "fmul.s"    "00010 00 bbbbb aaaaa mmm ddddd 1010011" &[F], FpMul, 32 true, |a, b, rm, fl| fast::mul::<F32>(a, b, rm, fl);
    rr     FdivS   "fdiv.s"    "00011 00 bbbbb aaaaa mmm ddddd 1010011" &[F], FpDiv, 32 true, |a, b, rm, fl| fast::div::<F32>(a, b, rm, fl);
    r      FsqrtS  "fsqrt.s"   "01011 00 00000 aaaaa mmm ddddd 1010011" &[F], FpSqrt, 32 < 32 true, |a, rm, fl| fast::sqrt::<F32>(a, rm, fl);
    rr     FsgnjS  "fsgnj.s"   "00100 00 bbbbb aaaaa 000 ddddd 1010011" &[F], FpMove, 32 false, |a, b, rm, fl| fp::sgnj::<F32>(a, b);
    rr     FsgnjnS "fsgnjn.s"  "00100 00 bbbbb aaaaa 001 ddddd 1010011" &[F], FpMove, 32 false, |a, b, rm, fl| fp::sgnjn::<F32>(a, b);
    rr     FsgnjxS "fsgnjx.s"  "00100 00 bbbbb aaaaa 010 ddddd 1010011" &[F], FpMove, 32 false, |a, b, rm, fl| fp::sgnjx::<F32>(a, b);
    rr     FminS   "fmin.s"    "00101 00 bbbbb aaaaa 000 ddddd 1010011" &[F], FpCmp, 32 false, |a, b, rm, fl| fp::min::<F32>(a, b, fl);
    rr     FmaxS   "fmax.s"    "00101 00 bbbbb aaaaa 001 ddddd 1010011" &[F], FpCmp, 32 false, |a, b, rm, fl| fp::max::<F32>(a, b, fl);
    cmp    FeqS    "feq.s"     "10100 00 bbbbb aaaaa 010 ddddd 1010011" &[F], FpCmp, 32 false, |a, b, fl| fp::eq::<F32>(a, b, fl);
    cmp    FltS    "flt.s"     "10100 00 bbbbb aaaaa 001 ddddd 1010011" &[F], FpCmp, 32 false, |a, b, fl| fp::lt::<F32>(a, b, fl);
    cmp    FleS    "fle.s"     "10100 00 bbbbb aaaaa 000 ddddd 1010011" &[F], FpCmp, 32 false, |a, b, fl| fp::le::<F32>(a, b, fl);
    to_x   FclassS "fclass.s"  "11100 00 00000 aaaaa 001 ddddd 1010011" &[F], FpCmp, 32 false, |a, rm, fl| fp::classify::<F32>(a);
    to_x   FcvtWS  "fcvt.w.s"  "11000 00 00000 aaaaa mmm ddddd 1010011" &[F], FpCvt, 32 true, |a, rm, fl| fast::to_i32::<F32>(a, rm, fl) as u64;
    to_x   FcvtWuS "fcvt.wu.s" "11000 00 00001 aaaaa mmm ddddd 1010011" &[F], FpCvt, 32 true, |a, rm, fl| fast::to_u32::<F32>(a, rm, fl) as i32 as u64;
    to_x   FcvtLS  "fcvt.l.s"  "11000 00 00010 aaaaa mmm ddddd 1010011" &[F], FpCvt, 32 true, |a, rm, fl| fast::to_i64::<F32>(a, rm, fl) as u64;
    to_x   FcvtLuS "fcvt.lu.s" "11000 00 00011 aaaaa mmm ddddd 1010011" &[F], FpCvt, 32 true, |a, rm, fl| fast::to_u64::<F32>(a, rm, fl);
    from_x FcvtSW  "fcvt.s.w"  "11010 00 00000 aaaaa mmm ddddd 1010011" &[F], FpCvt, 32 true, |a, rm, fl| fast::from_i32::<F32>(a as i32, rm, fl);
    from_x FcvtSWu "fcvt.s.wu" "11010 00 00001 aaaaa mmm ddddd 1010011" &[F], FpCvt, 32 true, |a, rm, fl| fast::from_u32::<F32>(a as u32, rm, fl);
    from_x FcvtSL  "fcvt.s.l"  "11010 00 00010 aaaaa mmm ddddd 1010011" &[F], FpCvt, 32 true, |a, rm, fl| fast::from_i64::<F32>(a as i64, rm, fl);
    from_x FcvtSLu "fcvt.s.lu" "11010 00 00011 aaaaa mmm ddddd 1010011" &[F], FpCvt, 32 true, |a, rm, fl| fast::from_u64::<F32>(a, rm, fl);
    to_x   FmvXW   "fmv.x.w"   "11100 00 00000 aaaaa 000 ddddd 1010011" &[F], FpMove, 64 false, |a, rm, fl| a as i32 as u64;
    from_x FmvWX   "fmv.w.x"   "11110 00 00000 aaaaa 000 ddddd 1010011" &[F], FpMove, 32 false, |a, rm, fl| a as u32 as u64;
}

table!(MEMORY, OPS);
