//! What all floating-point instructions share: the check that the unit is on, NaN boxing, the rounding mode, flags and dirty state.

use super::shape::{FpCmp, FpR, FpRR, FpRRR, FpToX, XToFp};
use super::zicsr::refusal;
use super::{Exec, File, Format, Insn, InsnDef, MemoryAccess, Operands, Shape};
use crate::bus::Bus;
use crate::engine::block::Fast;
use crate::fp::{Flags, Rm};
use crate::hart::Hart;
use crate::timing::TimingClass;
use emu_csr::{Ext, Trap};

/// The value of width `fmt` in a register: what is not NaN-boxed reads as the canonical NaN ("NaN Boxing of Narrower Values").
#[inline(always)]
pub const fn unbox(fmt: u32, register: u64) -> u64 {
    match fmt {
        16 if register >> 16 == u64::MAX >> 16 => register & 0xffff,
        16 => 0x7e00,
        32 if register >> 32 == u64::MAX >> 32 => register & 0xffff_ffff,
        32 => 0x7fc0_0000,
        _ => register,
    }
}

/// The register that holds `value` of width `fmt`.
#[inline(always)]
pub const fn boxed(fmt: u32, value: u64) -> u64 {
    match fmt {
        16 => value | !0xffff,
        32 => value | !0xffff_ffff,
        _ => value,
    }
}

impl Hart {
    /// Fails as an illegal instruction when FS is Off at a level that governs the mode.
    #[inline(always)]
    pub fn fp_on(&self, i: &Insn) -> Result<(), Trap> {
        self.csr.check_fp(self.mode).map_err(|denied| refusal(denied, i))
    }

    /// The rounding mode of an instruction: its `rm` field, or frm for DYN; reserved values are illegal ("Floating-Point
    /// Control and Status Register").
    #[inline(always)]
    fn rounding(&self, i: &Insn, has_rm: bool) -> Result<Rm, Trap> {
        if !has_rm {
            return Ok(Rm::Rne);
        }
        let bits = if i.imm == 7 { (self.csr.fcsr >> 5) as u8 & 7 } else { i.imm as u8 };
        Rm::from_bits(bits).ok_or(Trap::illegal(i.raw))
    }

    /// The flags that have accrued. Arithmetic that starts from them need not find out what is known already.
    #[inline(always)]
    fn accrued(&self) -> Flags {
        Flags(self.csr.fcsr as u8 & 31)
    }

    /// A floating-point register was written, or flags are raised: flags accrue and FS becomes Dirty.
    #[inline(always)]
    fn fp_wrote(&mut self, fl: Flags) {
        self.csr.fcsr |= u64::from(fl.0);
        let effects = self.csr.set_fs_dirty(self.mode, &mut ());
        self.apply(effects);
    }

    /// Flags raised by an instruction that writes no floating-point register: nothing becomes Dirty if there are none.
    #[inline(always)]
    fn fp_flags(&mut self, fl: Flags) {
        if fl.0 != 0 {
            self.fp_wrote(fl);
        }
    }

    /// Writes a floating-point register, boxed.
    #[inline(always)]
    pub fn set_f(&mut self, fmt: u32, rd: u8, value: u64, fl: Flags) {
        self.f[usize::from(rd & 31)] = boxed(fmt, value);
        self.fp_wrote(fl);
    }

    /// Reads a floating-point register, unboxed.
    #[inline(always)]
    fn get_f(&self, fmt: u32, rs: u8) -> u64 {
        unbox(fmt, self.f[usize::from(rs & 31)])
    }
}

pub(super) fn exec_rr<K: FpRR>(h: &mut Hart, _: &mut Bus, i: &Insn) -> Result<(), Trap> {
    h.fp_on(i)?;
    let (rm, mut fl) = (h.rounding(i, K::RM)?, h.accrued());
    let v = K::f(h.get_f(K::FMT, i.rs1), h.get_f(K::FMT, i.rs2), rm, &mut fl);
    h.set_f(K::FMT, i.rd, v, fl);
    Ok(())
}

pub(super) fn exec_rrr<K: FpRRR>(h: &mut Hart, _: &mut Bus, i: &Insn) -> Result<(), Trap> {
    h.fp_on(i)?;
    let (rm, mut fl) = (h.rounding(i, true)?, h.accrued());
    let v = K::f(h.get_f(K::FMT, i.rs1), h.get_f(K::FMT, i.rs2), h.get_f(K::FMT, i.rs3), rm, &mut fl);
    h.set_f(K::FMT, i.rd, v, fl);
    Ok(())
}

pub(super) fn exec_r<K: FpR>(h: &mut Hart, _: &mut Bus, i: &Insn) -> Result<(), Trap> {
    h.fp_on(i)?;
    let (rm, mut fl) = (h.rounding(i, K::RM)?, h.accrued());
    let v = K::f(h.get_f(K::SRC, i.rs1), rm, &mut fl);
    h.set_f(K::FMT, i.rd, v, fl);
    Ok(())
}

pub(super) fn exec_cmp<K: FpCmp>(h: &mut Hart, _: &mut Bus, i: &Insn) -> Result<(), Trap> {
    h.fp_on(i)?;
    let mut fl = Flags::default();
    let v = K::f(h.get_f(K::FMT, i.rs1), h.get_f(K::FMT, i.rs2), &mut fl);
    h.set(i.rd, u64::from(v));
    h.fp_flags(fl);
    Ok(())
}

pub(super) fn exec_to_x<K: FpToX>(h: &mut Hart, _: &mut Bus, i: &Insn) -> Result<(), Trap> {
    h.fp_on(i)?;
    let (rm, mut fl) = (h.rounding(i, K::RM)?, Flags::default());
    let v = K::f(h.get_f(K::SRC, i.rs1), rm, &mut fl);
    h.set(i.rd, v);
    h.fp_flags(fl);
    Ok(())
}

pub(super) fn exec_from_x<K: XToFp>(h: &mut Hart, _: &mut Bus, i: &Insn) -> Result<(), Trap> {
    h.fp_on(i)?;
    let (rm, mut fl) = (h.rounding(i, K::RM)?, h.accrued());
    let v = K::f(h.get(i.rs1), rm, &mut fl);
    h.set_f(K::FMT, i.rd, v, fl);
    Ok(())
}

/// A floating-point load of `SIZE` bytes.
pub(super) fn exec_load<const SIZE: u8>(h: &mut Hart, bus: &mut Bus, i: &Insn) -> Result<(), Trap> {
    h.fp_on(i)?;
    let v = h.load(bus, h.get(i.rs1).wrapping_add(i.imm as i64 as u64), SIZE)?;
    h.set_f(u32::from(SIZE) * 8, i.rd, v, Flags::default());
    Ok(())
}

/// A floating-point store of `SIZE` bytes: the register's low bits, boxed or not.
pub(super) fn exec_store<const SIZE: u8>(h: &mut Hart, bus: &mut Bus, i: &Insn) -> Result<(), Trap> {
    h.fp_on(i)?;
    h.store(bus, h.get(i.rs1).wrapping_add(i.imm as i64 as u64), SIZE, h.f[usize::from(i.rs2 & 31)])
}

/// One declaration with floating-point operands.
#[allow(clippy::too_many_arguments)]
pub(super) const fn def(
    name: &'static str,
    pat: &str,
    needs: &'static [Ext],
    also: &'static [Ext],
    format: Format,
    operands: Operands,
    class: TimingClass,
    exec: Exec,
    fast: Option<Fast>,
) -> InsnDef {
    let (mask, bits) = super::macros::pattern(pat);
    let access = MemoryAccess::of(bits, format);
    InsnDef { name, mask, bits, needs, also, format, operands, access, class, shape: Shape::Plain, exec, fast }
}

/// Register files of rd, rs1, rs2, rs3, by letter: x, f or - for none.
pub(super) const fn files(letters: &str) -> Operands {
    const fn file(c: u8) -> File {
        match c {
            b'x' => File::X,
            b'f' => File::F,
            _ => File::None,
        }
    }
    let l = letters.as_bytes();
    Operands(file(l[0]), file(l[1]), file(l[2]), file(l[3]))
}

/// Floating-point instructions: `shape Type "name" "pattern" [any of] (=> [and all of]), class, width (< source's width) rm?,
/// |operands| expression;` where the shape gives the trait, the format, the register files and the executor, and `rm?` tells
/// whether the encoding has a rounding mode.
macro_rules! fp {
    (@one rrr $t:ident $fmt:literal, $rm:literal, |$a:ident, $b:ident, $c:ident, $m:ident, $fl:ident| $e:expr) => {
        impl $crate::insn::shape::FpRRR for $t {
            const FMT: u32 = $fmt;
            #[inline(always)]
            fn f($a: u64, $b: u64, $c: u64, $m: $crate::fp::Rm, $fl: &mut $crate::fp::Flags) -> u64 { $e }
        }
    };
    (@one rr $t:ident $fmt:literal, $rm:literal, |$a:ident, $b:ident, $m:ident, $fl:ident| $e:expr) => {
        impl $crate::insn::shape::FpRR for $t {
            const FMT: u32 = $fmt;
            const RM: bool = $rm;
            #[inline(always)]
            #[allow(unused_variables)]
            fn f($a: u64, $b: u64, $m: $crate::fp::Rm, $fl: &mut $crate::fp::Flags) -> u64 { $e }
        }
    };
    (@one cmp $t:ident $fmt:literal, $rm:literal, |$a:ident, $b:ident, $fl:ident| $e:expr) => {
        impl $crate::insn::shape::FpCmp for $t {
            const FMT: u32 = $fmt;
            #[inline(always)]
            fn f($a: u64, $b: u64, $fl: &mut $crate::fp::Flags) -> bool { $e }
        }
    };
    (@one r $t:ident $fmt:literal < $src:literal, $rm:literal, |$a:ident, $m:ident, $fl:ident| $e:expr) => {
        impl $crate::insn::shape::FpR for $t {
            const SRC: u32 = $src;
            const FMT: u32 = $fmt;
            const RM: bool = $rm;
            #[inline(always)]
            #[allow(unused_variables)]
            fn f($a: u64, $m: $crate::fp::Rm, $fl: &mut $crate::fp::Flags) -> u64 { $e }
        }
    };
    (@one to_x $t:ident $src:literal, $rm:literal, |$a:ident, $m:ident, $fl:ident| $e:expr) => {
        impl $crate::insn::shape::FpToX for $t {
            const SRC: u32 = $src;
            const RM: bool = $rm;
            #[inline(always)]
            #[allow(unused_variables)]
            fn f($a: u64, $m: $crate::fp::Rm, $fl: &mut $crate::fp::Flags) -> u64 { $e }
        }
    };
    (@one from_x $t:ident $fmt:literal, $rm:literal, |$a:ident, $m:ident, $fl:ident| $e:expr) => {
        impl $crate::insn::shape::XToFp for $t {
            const FMT: u32 = $fmt;
            const RM: bool = $rm;
            #[inline(always)]
            #[allow(unused_variables)]
            fn f($a: u64, $m: $crate::fp::Rm, $fl: &mut $crate::fp::Flags) -> u64 { $e }
        }
    };
    (@exec rrr $t:ident) => { $crate::insn::fpu::exec_rrr::<$t> };
    (@exec rr $t:ident) => { $crate::insn::fpu::exec_rr::<$t> };
    (@exec r $t:ident) => { $crate::insn::fpu::exec_r::<$t> };
    (@exec cmp $t:ident) => { $crate::insn::fpu::exec_cmp::<$t> };
    (@exec to_x $t:ident) => { $crate::insn::fpu::exec_to_x::<$t> };
    (@exec from_x $t:ident) => { $crate::insn::fpu::exec_from_x::<$t> };
    (@also) => { &[] };
    (@also $also:expr) => { $also };
    (@form rrr) => { ($crate::insn::Format::R4, "ffff") };
    (@form rr) => { ($crate::insn::Format::R, "fff-") };
    (@form r) => { ($crate::insn::Format::R1, "ff--") };
    (@form cmp) => { ($crate::insn::Format::R, "xff-") };
    (@form to_x) => { ($crate::insn::Format::R1, "xf--") };
    (@form from_x) => { ($crate::insn::Format::R1, "fx--") };
    ($table:ident: $($shape:ident $t:ident $name:literal $pat:literal $needs:expr $(=> $also:expr)?, $class:ident, $fmt:literal $(< $src:literal)? $rm:literal, |$($arg:ident),*| $e:expr;)*) => {
        $(
            #[doc = concat!("`", $name, "`")]
            pub struct $t;
            $crate::insn::fpu::fp!(@one $shape $t $fmt $(< $src)?, $rm, |$($arg),*| $e);
        )*
        const $table: &[$crate::insn::InsnDef] = &[$({
            const FORM: ($crate::insn::Format, &str) = $crate::insn::fpu::fp!(@form $shape);
            $crate::insn::fpu::def(
                $name, $pat, $needs, $crate::insn::fpu::fp!(@also $($also)?), FORM.0, $crate::insn::fpu::files(FORM.1), $crate::timing::TimingClass::$class,
                $crate::insn::fpu::fp!(@exec $shape $t), Some($crate::engine::block::fpu::$shape::<$t>))
        }),*];
    };
}
pub(super) use fp;
