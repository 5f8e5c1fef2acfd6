//! Zfa: additional floating-point instructions. Those of double and half precision need D and Zfh too.

use super::fpu::{def, files, fp};
use super::macros::table;
use super::{Format, Insn, InsnDef};
use crate::bus::Bus;
use crate::fp::{self, F16, F32, F64, Flags};
use crate::hart::Hart;
use crate::timing::TimingClass;
use emu_csr::Ext::{D, Zfa, Zfh};
use emu_csr::Trap;

fp! { OPS:
    rr   FminmS    "fminm.s"     "00101 00 bbbbb aaaaa 010 ddddd 1010011" &[Zfa], FpCmp, 32 false, |a, b, rm, fl| fp::minm::<F32>(a, b, fl);
    rr   FmaxmS    "fmaxm.s"     "00101 00 bbbbb aaaaa 011 ddddd 1010011" &[Zfa], FpCmp, 32 false, |a, b, rm, fl| fp::maxm::<F32>(a, b, fl);
    r    FroundS   "fround.s"    "01000 00 00100 aaaaa mmm ddddd 1010011" &[Zfa], FpCvt, 32 < 32 true, |a, rm, fl| fp::round::<F32>(a, rm, fl);
    r    FroundnxS "froundnx.s"  "01000 00 00101 aaaaa mmm ddddd 1010011" &[Zfa], FpCvt, 32 < 32 true, |a, rm, fl| fp::roundnx::<F32>(a, rm, fl);
    cmp  FleqS     "fleq.s"      "10100 00 bbbbb aaaaa 100 ddddd 1010011" &[Zfa], FpCmp, 32 false, |a, b, fl| fp::leq::<F32>(a, b, fl);
    cmp  FltqS     "fltq.s"      "10100 00 bbbbb aaaaa 101 ddddd 1010011" &[Zfa], FpCmp, 32 false, |a, b, fl| fp::ltq::<F32>(a, b, fl);
    rr   FminmD    "fminm.d"     "00101 01 bbbbb aaaaa 010 ddddd 1010011" &[Zfa] => &[D], FpCmp, 64 false, |a, b, rm, fl| fp::minm::<F64>(a, b, fl);
    rr   FmaxmD    "fmaxm.d"     "00101 01 bbbbb aaaaa 011 ddddd 1010011" &[Zfa] => &[D], FpCmp, 64 false, |a, b, rm, fl| fp::maxm::<F64>(a, b, fl);
    r    FroundD   "fround.d"    "01000 01 00100 aaaaa mmm ddddd 1010011" &[Zfa] => &[D], FpCvt, 64 < 64 true, |a, rm, fl| fp::round::<F64>(a, rm, fl);
    r    FroundnxD "froundnx.d"  "01000 01 00101 aaaaa mmm ddddd 1010011" &[Zfa] => &[D], FpCvt, 64 < 64 true, |a, rm, fl| fp::roundnx::<F64>(a, rm, fl);
    cmp  FleqD     "fleq.d"      "10100 01 bbbbb aaaaa 100 ddddd 1010011" &[Zfa] => &[D], FpCmp, 64 false, |a, b, fl| fp::leq::<F64>(a, b, fl);
    cmp  FltqD     "fltq.d"      "10100 01 bbbbb aaaaa 101 ddddd 1010011" &[Zfa] => &[D], FpCmp, 64 false, |a, b, fl| fp::ltq::<F64>(a, b, fl);
    rr   FminmH    "fminm.h"     "00101 10 bbbbb aaaaa 010 ddddd 1010011" &[Zfa] => &[Zfh], FpCmp, 16 false, |a, b, rm, fl| fp::minm::<F16>(a, b, fl);
    rr   FmaxmH    "fmaxm.h"     "00101 10 bbbbb aaaaa 011 ddddd 1010011" &[Zfa] => &[Zfh], FpCmp, 16 false, |a, b, rm, fl| fp::maxm::<F16>(a, b, fl);
    r    FroundH   "fround.h"    "01000 10 00100 aaaaa mmm ddddd 1010011" &[Zfa] => &[Zfh], FpCvt, 16 < 16 true, |a, rm, fl| fp::round::<F16>(a, rm, fl);
    r    FroundnxH "froundnx.h"  "01000 10 00101 aaaaa mmm ddddd 1010011" &[Zfa] => &[Zfh], FpCvt, 16 < 16 true, |a, rm, fl| fp::roundnx::<F16>(a, rm, fl);
    cmp  FleqH     "fleq.h"      "10100 10 bbbbb aaaaa 100 ddddd 1010011" &[Zfa] => &[Zfh], FpCmp, 16 false, |a, b, fl| fp::leq::<F16>(a, b, fl);
    cmp  FltqH     "fltq.h"      "10100 10 bbbbb aaaaa 101 ddddd 1010011" &[Zfa] => &[Zfh], FpCmp, 16 false, |a, b, fl| fp::ltq::<F16>(a, b, fl);
    to_x FcvtmodWD "fcvtmod.w.d" "11000 01 01000 aaaaa 001 ddddd 1010011" &[Zfa] => &[D], FpCvt, 64 false, |a, rm, fl| fp::fcvtmod_w_d(a, fl) as u64;
}

/// FLI: the rs1 field is an index into the table of constants.
const FLI: &[InsnDef] = &[
    def(
        "fli.s",
        "11110 00 00001 nnnnn 000 ddddd 1010011",
        &[Zfa],
        &[],
        Format::R1,
        files("f---"),
        TimingClass::FpMove,
        fli::<32>,
        None,
    ),
    def(
        "fli.d",
        "11110 01 00001 nnnnn 000 ddddd 1010011",
        &[Zfa],
        &[D],
        Format::R1,
        files("f---"),
        TimingClass::FpMove,
        fli::<64>,
        None,
    ),
    def(
        "fli.h",
        "11110 10 00001 nnnnn 000 ddddd 1010011",
        &[Zfa],
        &[Zfh],
        Format::R1,
        files("f---"),
        TimingClass::FpMove,
        fli::<16>,
        None,
    ),
];

fn fli<const FMT: u32>(h: &mut Hart, _: &mut Bus, i: &Insn) -> Result<(), Trap> {
    h.fp_on(i)?;
    let value = match FMT {
        16 => fp::fli::<F16>(i.rs1),
        32 => fp::fli::<F32>(i.rs1),
        _ => fp::fli::<F64>(i.rs1),
    };
    h.set_f(FMT, i.rd, value, Flags::NONE);
    Ok(())
}

table!(OPS, FLI);
