//! "A" extension: Zalrsc and Zaamo.

use super::macros::{def, table};
use super::{Format, InsnDef, Shape};
use crate::timing::TimingClass;
use emu_csr::Ext::A;

/// AMOs of one width: `"name" "funct5" |memory, register| new value;` The two ordering bits are free: harts take turns.
macro_rules! amos {
    ($c:ident $size:literal $t:ty: $($name:literal $pat:literal |$m:ident, $r:ident| $e:expr;)*) => {
        const $c: &[InsnDef] = &[$(
            def($name, $pat, &[A], Format::Amo, TimingClass::Amo, Shape::Plain,
                |h, bus, i| {
                    let $r = h.get(i.rs2) as $t;
                    let old = h.amo(bus, h.get(i.rs1), $size, &mut |m| { let $m = m as $t; ($e) as u64 })?;
                    h.set(i.rd, old as $t as i64 as u64);
                    Ok(())
                }, None)
        ),*];
    };
}

amos! { WORDS 4 i32:
    "amoswap.w" "00001 oo bbbbb aaaaa 010 ddddd 0101111" |_m, r| r;
    "amoadd.w"  "00000 oo bbbbb aaaaa 010 ddddd 0101111" |m, r| m.wrapping_add(r);
    "amoxor.w"  "00100 oo bbbbb aaaaa 010 ddddd 0101111" |m, r| m ^ r;
    "amoand.w"  "01100 oo bbbbb aaaaa 010 ddddd 0101111" |m, r| m & r;
    "amoor.w"   "01000 oo bbbbb aaaaa 010 ddddd 0101111" |m, r| m | r;
    "amomin.w"  "10000 oo bbbbb aaaaa 010 ddddd 0101111" |m, r| m.min(r);
    "amomax.w"  "10100 oo bbbbb aaaaa 010 ddddd 0101111" |m, r| m.max(r);
    "amominu.w" "11000 oo bbbbb aaaaa 010 ddddd 0101111" |m, r| (m as u32).min(r as u32) as i32;
    "amomaxu.w" "11100 oo bbbbb aaaaa 010 ddddd 0101111" |m, r| (m as u32).max(r as u32) as i32;
}

amos! { DOUBLES 8 i64:
    "amoswap.d" "00001 oo bbbbb aaaaa 011 ddddd 0101111" |_m, r| r;
    "amoadd.d"  "00000 oo bbbbb aaaaa 011 ddddd 0101111" |m, r| m.wrapping_add(r);
    "amoxor.d"  "00100 oo bbbbb aaaaa 011 ddddd 0101111" |m, r| m ^ r;
    "amoand.d"  "01100 oo bbbbb aaaaa 011 ddddd 0101111" |m, r| m & r;
    "amoor.d"   "01000 oo bbbbb aaaaa 011 ddddd 0101111" |m, r| m | r;
    "amomin.d"  "10000 oo bbbbb aaaaa 011 ddddd 0101111" |m, r| m.min(r);
    "amomax.d"  "10100 oo bbbbb aaaaa 011 ddddd 0101111" |m, r| m.max(r);
    "amominu.d" "11000 oo bbbbb aaaaa 011 ddddd 0101111" |m, r| (m as u64).min(r as u64) as i64;
    "amomaxu.d" "11100 oo bbbbb aaaaa 011 ddddd 0101111" |m, r| (m as u64).max(r as u64) as i64;
}

/// Load-reserved and store-conditional of one width.
macro_rules! lrsc {
    ($c:ident $size:literal $t:ty, $lr:literal $lrpat:literal, $sc:literal $scpat:literal) => {
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
                None,
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
                None,
            ),
        ];
    };
}

lrsc!(LRSC_W 4 i32, "lr.w" "00010 oo 00000 aaaaa 010 ddddd 0101111", "sc.w" "00011 oo bbbbb aaaaa 010 ddddd 0101111");
lrsc!(LRSC_D 8 i64, "lr.d" "00010 oo 00000 aaaaa 011 ddddd 0101111", "sc.d" "00011 oo bbbbb aaaaa 011 ddddd 0101111");

table!(WORDS, DOUBLES, LRSC_W, LRSC_D);
