//! Zabha (byte and halfword atomics) and Zacas (compare-and-swap). The two ordering bits are free: harts take turns.

use super::macros::{def, table, with};
use super::{Format, InsnDef, Shape};
use crate::bus::Bus;
use crate::hart::Hart;
use crate::insn::Insn;
use crate::timing::TimingClass;
use emu_csr::Ext::{Zabha, Zacas};
use emu_csr::Trap;

/// AMOs of one width: `"name" "pattern" |memory, register| new value;`
macro_rules! amos {
    ($c:ident $size:literal $t:ty, $u:ty: $($name:literal $pat:literal |$m:ident, $r:ident| $e:expr;)*) => {
        const $c: &[InsnDef] = &[$(
            def($name, $pat, &[Zabha], Format::Amo, TimingClass::Amo, Shape::Plain,
                |h, bus, i| {
                    let $r = h.get(i.rs2) as $t;
                    let old = h.amo(bus, h.get(i.rs1), $size, &mut |m| { let $m = m as $t; ($e) as $u as u64 })?;
                    h.set(i.rd, old as $t as i64 as u64);
                    Ok(())
                }, None)
        ),*];
    };
}

amos! { BYTES 1 i8, u8:
    "amoswap.b" "00001 oo bbbbb aaaaa 000 ddddd 0101111" |_m, r| r;
    "amoadd.b"  "00000 oo bbbbb aaaaa 000 ddddd 0101111" |m, r| m.wrapping_add(r);
    "amoxor.b"  "00100 oo bbbbb aaaaa 000 ddddd 0101111" |m, r| m ^ r;
    "amoand.b"  "01100 oo bbbbb aaaaa 000 ddddd 0101111" |m, r| m & r;
    "amoor.b"   "01000 oo bbbbb aaaaa 000 ddddd 0101111" |m, r| m | r;
    "amomin.b"  "10000 oo bbbbb aaaaa 000 ddddd 0101111" |m, r| m.min(r);
    "amomax.b"  "10100 oo bbbbb aaaaa 000 ddddd 0101111" |m, r| m.max(r);
    "amominu.b" "11000 oo bbbbb aaaaa 000 ddddd 0101111" |m, r| (m as u8).min(r as u8);
    "amomaxu.b" "11100 oo bbbbb aaaaa 000 ddddd 0101111" |m, r| (m as u8).max(r as u8);
}

amos! { HALVES 2 i16, u16:
    "amoswap.h" "00001 oo bbbbb aaaaa 001 ddddd 0101111" |_m, r| r;
    "amoadd.h"  "00000 oo bbbbb aaaaa 001 ddddd 0101111" |m, r| m.wrapping_add(r);
    "amoxor.h"  "00100 oo bbbbb aaaaa 001 ddddd 0101111" |m, r| m ^ r;
    "amoand.h"  "01100 oo bbbbb aaaaa 001 ddddd 0101111" |m, r| m & r;
    "amoor.h"   "01000 oo bbbbb aaaaa 001 ddddd 0101111" |m, r| m | r;
    "amomin.h"  "10000 oo bbbbb aaaaa 001 ddddd 0101111" |m, r| m.min(r);
    "amomax.h"  "10100 oo bbbbb aaaaa 001 ddddd 0101111" |m, r| m.max(r);
    "amominu.h" "11000 oo bbbbb aaaaa 001 ddddd 0101111" |m, r| (m as u16).min(r as u16);
    "amomaxu.h" "11100 oo bbbbb aaaaa 001 ddddd 0101111" |m, r| (m as u16).max(r as u16);
}

/// Compare-and-swap of one width that fits a register: `"name" "pattern" size type;`
macro_rules! cas {
    ($($name:literal $pat:literal $needs:expr $(=> $also:ident)?, $size:literal $t:ty, $u:ty;)*) => {
        const CAS: &[InsnDef] = &[$(
            with(def($name, $pat, $needs, Format::Amo, TimingClass::Amo, Shape::Plain,
                |h, bus, i| {
                    let (expected, new) = (h.get(i.rd) as $u as u64, h.get(i.rs2) as $u as u64);
                    let old = h.amo(bus, h.get(i.rs1), $size, &mut |m| if m == expected { new } else { m })?;
                    h.set(i.rd, old as $t as i64 as u64);
                    Ok(())
                }, None), &[$($also)?])
        ),*];
    };
}

cas! {
    "amocas.b" "00101 oo bbbbb aaaaa 000 ddddd 0101111" &[Zacas] => Zabha, 1 i8, u8;
    "amocas.h" "00101 oo bbbbb aaaaa 001 ddddd 0101111" &[Zacas] => Zabha, 2 i16, u16;
    "amocas.w" "00101 oo bbbbb aaaaa 010 ddddd 0101111" &[Zacas], 4 i32, u32;
    "amocas.d" "00101 oo bbbbb aaaaa 011 ddddd 0101111" &[Zacas], 8 i64, u64;
}

const CAS_Q: &[InsnDef] = &[def(
    "amocas.q",
    "00101 oo bbbbb aaaaa 100 ddddd 0101111",
    &[Zacas],
    Format::Amo,
    TimingClass::Amo,
    Shape::Plain,
    amocas_q,
    None,
)];

/// AMOCAS.Q: register pairs, even numbers only; a pair that starts with x0 reads as zero and is not written.
fn amocas_q(h: &mut Hart, bus: &mut Bus, i: &Insn) -> Result<(), Trap> {
    if (i.rd | i.rs2) & 1 != 0 {
        return Err(Trap::illegal(i.raw));
    }
    let pair = |h: &Hart, r: u8| if r == 0 { (0, 0) } else { (h.get(r), h.get(r + 1)) };
    let (expected, new) = (pair(h, i.rd), pair(h, i.rs2));
    let old = h.amo128(bus, h.get(i.rs1), &mut |low, high| ((low, high) == expected).then_some(new))?;
    if i.rd != 0 {
        h.set(i.rd, old.0);
        h.set(i.rd + 1, old.1);
    }
    Ok(())
}

table!(BYTES, HALVES, CAS, CAS_Q);
