//! How a line of an instruction table is written.

/// Fixed bits of a pattern: '0' and '1' are fixed, a letter is an operand's bit, blanks are for the eye. By custom a and b are
/// rs1 and rs2, r is rs3, d is rd, i an immediate, s a shift amount, m a rounding mode, o the ordering bits of atomics.
pub(super) const fn pattern(p: &str) -> (u32, u32) {
    let (b, mut i, mut mask, mut bits, mut n) = (p.as_bytes(), 0, 0u32, 0u32, 0);
    while i < b.len() {
        match b[i] {
            b' ' => n -= 1,
            b'0' => (mask, bits) = (mask << 1 | 1, bits << 1),
            b'1' => (mask, bits) = (mask << 1 | 1, bits << 1 | 1),
            b'a'..=b'z' => (mask, bits) = (mask << 1, bits << 1),
            _ => panic!("a pattern has digits 0 and 1, small letters and blanks"),
        }
        (i, n) = (i + 1, n + 1);
    }
    assert!(n == 32, "an encoding has 32 bits");
    (mask, bits)
}

/// `rd = f(rs1, rs2)` instructions: `Type "name" "pattern" [extensions] class |a, b| expression;`
macro_rules! alu_rr {
    ($($t:ident $name:literal $pat:literal $needs:expr, $class:ident, |$a:ident, $b:ident| $e:expr;)*) => {
        $(
            #[doc = concat!("`", $name, "`")]
            pub struct $t;
            impl $crate::insn::shape::AluRR for $t {
                #[inline(always)]
                #[allow(unused_variables)]
                fn f($a: u64, $b: u64) -> u64 { $e }
            }
        )*
        pub(super) const RR: &[$crate::insn::InsnDef] = &[$(
            $crate::insn::macros::def($name, $pat, $needs, $crate::insn::Format::R, $crate::timing::TimingClass::$class, $crate::insn::Shape::AluRR,
                |h, _, i| { let v = <$t as $crate::insn::shape::AluRR>::f(h.get(i.rs1), h.get(i.rs2)); h.set(i.rd, v); Ok(()) },
                Some($crate::engine::block::handlers::alu_rr::<$t>()))
        ),*];
    };
}

/// `rd = f(rs1, imm)` instructions: `Type "name" "pattern" [extensions] Format, class |a, imm| expression;`
macro_rules! alu_ri {
    ($($t:ident $name:literal $pat:literal $needs:expr, $fmt:ident, $class:ident, |$a:ident, $b:ident| $e:expr;)*) => {
        $(
            #[doc = concat!("`", $name, "`")]
            pub struct $t;
            impl $crate::insn::shape::AluRI for $t {
                #[inline(always)]
                #[allow(unused_variables)]
                fn f($a: u64, $b: u64) -> u64 { $e }
            }
        )*
        pub(super) const RI: &[$crate::insn::InsnDef] = &[$(
            $crate::insn::macros::def($name, $pat, $needs, $crate::insn::Format::$fmt, $crate::timing::TimingClass::$class, $crate::insn::Shape::AluRI,
                |h, _, i| { let v = <$t as $crate::insn::shape::AluRI>::f(h.get(i.rs1), i.imm as i64 as u64); h.set(i.rd, v); Ok(()) },
                Some($crate::engine::block::handlers::alu_ri::<$t>()))
        ),*];
    };
}

/// Anything else: `"name" "pattern" [extensions] Format, class, Shape, exec;`, and `exec => handler;` for those with one in the block engine.
macro_rules! plain {
    (@fast) => { None };
    (@fast $fast:expr) => { Some($fast) };
    ($($name:literal $pat:literal $needs:expr, $fmt:ident, $class:ident, $shape:ident, $exec:expr $(=> $fast:expr)?;)*) => {
        pub(super) const PLAIN: &[$crate::insn::InsnDef] = &[$(
            $crate::insn::macros::def($name, $pat, $needs, $crate::insn::Format::$fmt, $crate::timing::TimingClass::$class, $crate::insn::Shape::$shape, $exec, $crate::insn::macros::plain!(@fast $($fast)?))
        ),*];
    };
}

pub(super) use {alu_ri, alu_rr, plain};

use super::{Exec, Fast, Format, InsnDef, MemoryAccess, Shape};
use crate::timing::TimingClass;
use emu_csr::Ext;

/// One declaration with integer operands.
#[allow(clippy::too_many_arguments)]
pub(super) const fn def(
    name: &'static str,
    pat: &str,
    needs: &'static [Ext],
    format: Format,
    class: TimingClass,
    shape: Shape,
    exec: Exec,
    fast: Option<Fast>,
) -> InsnDef {
    let (mask, bits) = pattern(pat);
    let access = MemoryAccess::of(bits, format);
    InsnDef { name, mask, bits, needs, also: &[], format, operands: format.integer(), access, class, shape, exec, fast }
}

/// The declaration of an instruction that needs all of `also` besides one of its own extensions.
pub(super) const fn with(def: InsnDef, also: &'static [Ext]) -> InsnDef {
    InsnDef { also, ..def }
}

/// Concatenates the kinds of one file into its table.
macro_rules! table {
    ($($part:expr),*) => {
        pub(super) static TABLE: &[$crate::insn::InsnDef] = &{
            const N: usize = 0 $(+ $part.len())*;
            let mut out = [const { $crate::insn::macros::blank() }; N];
            let mut n = 0;
            $(
                let mut i = 0;
                while i < $part.len() {
                    out[n] = $crate::insn::macros::copy(&$part[i]);
                    n += 1;
                    i += 1;
                }
            )*
            let _ = n;
            out
        };
    };
}
pub(super) use table;

pub(super) const fn blank() -> InsnDef {
    copy(&super::ILLEGAL_PROTOTYPE)
}

pub(super) const fn copy(d: &InsnDef) -> InsnDef {
    InsnDef {
        name: d.name,
        mask: d.mask,
        bits: d.bits,
        needs: d.needs,
        also: d.also,
        format: d.format,
        operands: d.operands,
        access: d.access,
        class: d.class,
        shape: d.shape,
        exec: d.exec,
        fast: d.fast,
    }
}
