//! Handlers of floating-point instructions: the common case (unit on and dirty, a valid rounding mode) with the semantic function inside;
//! everything else goes to the instruction's `exec`.

use super::handlers::{load_raw, slow, store_raw};
use super::{Op, handler};
use crate::fp::{Flags, Rm};
use crate::hart::Hart;
use crate::insn::fpu::{boxed, unbox};
use crate::insn::shape::{FpCmp, FpR, FpRR, FpRRR, FpToX, XToFp};

const FS: u64 = 3 << 13;

/// Whether FS is Dirty at every level that governs the mode, so that writing a register or a flag changes no status.
#[inline(always)]
fn ready(h: &Hart) -> bool {
    let level = if h.mode.virt() { h.csr.vsstatus } else { FS };
    h.csr.mstatus & level & FS == FS
}

/// The rounding mode that an op's `imm` (low three bits) names; none if reserved.
#[inline(always)]
fn rounding(h: &Hart, o: &Op, has_rm: bool) -> Option<Rm> {
    if !has_rm {
        return Some(Rm::Rne);
    }
    let rm = o.imm as u8 & 7;
    Rm::from_bits(if rm == 7 { (h.csr.fcsr >> 5) as u8 & 7 } else { rm })
}

#[inline(always)]
fn f(h: &Hart, fmt: u32, r: u8) -> u64 {
    unbox(fmt, h.f[(r & 31) as usize])
}

#[inline(always)]
fn accrued(h: &Hart) -> Flags {
    Flags(h.csr.fcsr as u8 & 31)
}

#[inline(always)]
fn put(h: &mut Hart, fmt: u32, rd: u8, v: u64, fl: Flags) {
    h.f[(rd & 31) as usize] = boxed(fmt, v);
    accrue(h, fl);
}

/// A flag is new once and old ever after: the branch is cheaper than writing fcsr, which the next instruction reads.
#[inline(always)]
fn accrue(h: &mut Hart, fl: Flags) {
    if u64::from(fl.0) & !h.csr.fcsr != 0 {
        h.csr.fcsr |= u64::from(fl.0);
    }
}

#[inline(always)]
fn put_x(h: &mut Hart, rd: u8, v: u64, fl: Flags) {
    h.x[usize::from(rd).min(32)] = v;
    accrue(h, fl);
}

/// Declares a handler: `$h` and `$o` are hart and op; the body gives `()` or leaves by `?` on what the fast path cannot do.
macro_rules! fp_handler {
    ($(#[$m:meta])* $name:ident<$k:ident: $bound:ident>($h:ident, $o:ident) $body:block) => {
        handler! {
            $(#[$m])*
            pub fn $name<$k: $bound>(c, ip, pc, fuel) {
                #[inline(always)]
                fn body<$k: $bound>($h: &mut Hart, $o: &Op) -> Option<()> {
                    if !ready($h) {
                        return None;
                    }
                    $body
                    Some(())
                }
                // SAFETY: called by the engine with a live hart and op; the next op follows in the same block.
                unsafe {
                    if body::<$k>(&mut *c, &*ip).is_none() {
                        return slow(c, ip, pc, fuel);
                    }
                    let next = ip.add(1);
                    ((*next).handler)(c, next, pc, fuel)
                }
            }
        }
    };
}

fp_handler! {
    /// `f(rd) = f(rs1, rs2)`.
    rr<K: FpRR>(h, o) {
        let (rm, mut fl) = (rounding(h, o, K::RM)?, accrued(h));
        let v = K::f(f(h, K::FMT, o.rs1), f(h, K::FMT, o.rs2), rm, &mut fl);
        put(h, K::FMT, o.rd, v, fl);
    }
}

fp_handler! {
    /// `f(rd) = f(rs1, rs2, rs3)`; rs3 is in bits 8 and up of `imm`.
    rrr<K: FpRRR>(h, o) {
        let (rm, mut fl) = (rounding(h, o, true)?, accrued(h));
        let v = K::f(f(h, K::FMT, o.rs1), f(h, K::FMT, o.rs2), f(h, K::FMT, (o.imm >> 8) as u8), rm, &mut fl);
        put(h, K::FMT, o.rd, v, fl);
    }
}

fp_handler! {
    /// `f(rd) = f(rs1)`.
    r<K: FpR>(h, o) {
        let (rm, mut fl) = (rounding(h, o, K::RM)?, accrued(h));
        let v = K::f(f(h, K::SRC, o.rs1), rm, &mut fl);
        put(h, K::FMT, o.rd, v, fl);
    }
}

fp_handler! {
    /// `x(rd) = f(rs1) compared with f(rs2)`.
    cmp<K: FpCmp>(h, o) {
        let mut fl = Flags::default();
        let v = K::f(f(h, K::FMT, o.rs1), f(h, K::FMT, o.rs2), &mut fl);
        put_x(h, o.rd, u64::from(v), fl);
    }
}

fp_handler! {
    /// `x(rd) = f(rs1)`.
    to_x<K: FpToX>(h, o) {
        let (rm, mut fl) = (rounding(h, o, K::RM)?, Flags::default());
        let v = K::f(f(h, K::SRC, o.rs1), rm, &mut fl);
        put_x(h, o.rd, v, fl);
    }
}

fp_handler! {
    /// `f(rd) = x(rs1)`.
    from_x<K: XToFp>(h, o) {
        let (rm, mut fl) = (rounding(h, o, K::RM)?, accrued(h));
        let v = K::f(h.x[(o.rs1 & 31) as usize], rm, &mut fl);
        put(h, K::FMT, o.rd, v, fl);
    }
}

/// Width of a floating-point load or store.
pub trait Width {
    /// Bytes.
    const SIZE: u8;
}
/// Four bytes.
pub struct Word;
/// Eight bytes.
pub struct Double;
impl Width for Word {
    const SIZE: u8 = 4;
}
impl Width for Double {
    const SIZE: u8 = 8;
}

fp_handler! {
    /// Floating-point load.
    load<W: Width>(h, o) {
        let va = h.x[(o.rs1 & 31) as usize].wrapping_add(o.imm as i64 as u64);
        // SAFETY: the hart is the running one.
        #[allow(clippy::undocumented_unsafe_blocks)]
        let v = unsafe { load_raw(h, va, W::SIZE)? };
        put(h, u32::from(W::SIZE) * 8, o.rd, v, Flags::default());
    }
}

fp_handler! {
    /// Floating-point store.
    store<W: Width>(h, o) {
        let va = h.x[(o.rs1 & 31) as usize].wrapping_add(o.imm as i64 as u64);
        let v = h.f[(o.rs2 & 31) as usize];
        // SAFETY: the hart is the running one.
        #[allow(clippy::undocumented_unsafe_blocks)]
        if !unsafe { store_raw(h, va, W::SIZE, v) } {
            return None;
        }
    }
}
