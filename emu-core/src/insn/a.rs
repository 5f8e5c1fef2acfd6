//! "A" extension: Zalrsc and Zaamo.

use super::macros::{def, table};
use super::shape::AmoK;
use super::{Format, InsnDef, Shape};
use crate::engine::block::plain;
use crate::timing::TimingClass;
use emu_csr::Ext::A;

/// AMOs of one width: `Type "name" "funct5" |memory, register| new value;` The two ordering bits are free: harts take turns.
macro_rules! amos {
    ($c:ident $size:literal $t:ty: $($k:ident $name:literal $pat:literal |$m:ident, $r:ident| $e:expr;)*) => {
        $(
            struct $k;
            impl AmoK for $k {
                const SIZE: u8 = $size;
                #[inline(always)]
                fn f(mem: u64, reg: u64) -> u64 {
                    let ($m, $r) = (mem as $t, reg as $t);
                    ($e) as u64
                }
                #[inline(always)]
                fn extend(old: u64) -> u64 {
                    old as $t as i64 as u64
                }
            }
        )*
        const $c: &[InsnDef] = &[$(
            def($name, $pat, &[A], Format::Amo, TimingClass::Amo, Shape::Plain,
                |h, bus, i| {
                    let register = h.get(i.rs2);
                    let old = h.amo(bus, h.get(i.rs1), $size, &mut |m| $k::f(m, register))?;
                    h.set(i.rd, $k::extend(old));
                    Ok(())
                }, Some(plain::amo::<$k>))
        ),*];
    };
}

amos! { WORDS 4 i32:
    AmoswapW "amoswap.w" "00001 oo bbbbb aaaaa 010 ddddd 0101111" |_m, r| r;
    AmoaddW "amoadd.w"  "00000 oo bbbbb aaaaa 010 ddddd 0101111" |m, r| m.wrapping_add(r);
    AmoxorW "amoxor.w"  "00100 oo bbbbb aaaaa 010 ddddd 0101111" |m, r| m ^ r;
    AmoandW "amoand.w"  "01100 oo bbbbb aaaaa 010 ddddd 0101111" |m, r| m & r;
    AmoorW "amoor.w"   "01000 oo bbbbb aaaaa 010 ddddd 0101111" |m, r| m | r;
    AmominW "amomin.w"  "10000 oo bbbbb aaaaa 010 ddddd 0101111" |m, r| m.min(r);
    AmomaxW "amomax.w"  "10100 oo bbbbb aaaaa 010 ddddd 0101111" |m, r| m.max(r);
    AmominuW "amominu.w" "11000 oo bbbbb aaaaa 010 ddddd 0101111" |m, r| (m as u32).min(r as u32) as i32;
    AmomaxuW "amomaxu.w" "11100 oo bbbbb aaaaa 010 ddddd 0101111" |m, r| (m as u32).max(r as u32) as i32;
}

amos! { DOUBLES 8 i64:
    AmoswapD "amoswap.d" "00001 oo bbbbb aaaaa 011 ddddd 0101111" |_m, r| r;
    AmoaddD "amoadd.d"  "00000 oo bbbbb aaaaa 011 ddddd 0101111" |m, r| m.wrapping_add(r);
    AmoxorD "amoxor.d"  "00100 oo bbbbb aaaaa 011 ddddd 0101111" |m, r| m ^ r;
    AmoandD "amoand.d"  "01100 oo bbbbb aaaaa 011 ddddd 0101111" |m, r| m & r;
    AmoorD "amoor.d"   "01000 oo bbbbb aaaaa 011 ddddd 0101111" |m, r| m | r;
    AmominD "amomin.d"  "10000 oo bbbbb aaaaa 011 ddddd 0101111" |m, r| m.min(r);
    AmomaxD "amomax.d"  "10100 oo bbbbb aaaaa 011 ddddd 0101111" |m, r| m.max(r);
    AmominuD "amominu.d" "11000 oo bbbbb aaaaa 011 ddddd 0101111" |m, r| (m as u64).min(r as u64) as i64;
    AmomaxuD "amomaxu.d" "11100 oo bbbbb aaaaa 011 ddddd 0101111" |m, r| (m as u64).max(r as u64) as i64;
}

/// Load-reserved and store-conditional of one width.
macro_rules! lrsc {
    ($c:ident $size:literal $t:ty, $width:ident, $lr:literal $lrpat:literal, $sc:literal $scpat:literal) => {
        const $c: &[InsnDef] = &[
            def(
                $lr,
                $lrpat,
                &[A],
                Format::Addr,
                TimingClass::Amo,
                Shape::Plain,
                |h, bus, i| {
                    let v = h.load_reserved(bus, h.get(i.rs1), $size)?;
                    h.set(i.rd, v as $t as i64 as u64);
                    Ok(())
                },
                Some(plain::load_reserved::<plain::$width>),
            ),
            def(
                $sc,
                $scpat,
                &[A],
                Format::Amo,
                TimingClass::Amo,
                Shape::Plain,
                |h, bus, i| {
                    let done = h.store_conditional(bus, h.get(i.rs1), $size, h.get(i.rs2))?;
                    h.set(i.rd, !done as u64);
                    Ok(())
                },
                Some(plain::store_conditional::<plain::$width>),
            ),
        ];
    };
}

lrsc!(LRSC_W 4 i32, Word, "lr.w" "00010 oo 00000 aaaaa 010 ddddd 0101111", "sc.w" "00011 oo bbbbb aaaaa 010 ddddd 0101111");
lrsc!(LRSC_D 8 i64, Double, "lr.d" "00010 oo 00000 aaaaa 011 ddddd 0101111", "sc.d" "00011 oo bbbbb aaaaa 011 ddddd 0101111");

table!(WORDS, DOUBLES, LRSC_W, LRSC_D);
