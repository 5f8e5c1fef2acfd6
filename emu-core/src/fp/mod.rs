//! Bit-exact floating point: IEEE 754 binary16, binary32 and binary64 as the F, D, Zfh and Zfa extensions define them.
//!
//! Values travel as bits in a `u64` carrier: the low [`Format::BITS`] bits hold the encoding, the rest is zero. NaN boxing is
//! the register file's matter and has its own helpers ([`box32`], [`unbox32`], [`box16`], [`unbox16`]).
//!
//! [`soft`] does everything with integers and is the reference; its functions are re-exported here. [`fast`] has the same
//! functions with the same results and flags, and uses the host's arithmetic where that is provably exact. Nothing here reads
//! or changes the host's floating-point environment, so results are the same on every host.

pub mod compare;
pub mod fast;
pub mod format;
pub mod soft;

#[cfg(test)]
mod tests;

pub use compare::{classify, eq, le, leq, lt, ltq, max, maxm, min, minm, sgnj, sgnjn, sgnjx};
pub use format::{F16, F32, F64, Format, box16, box32, fli, unbox16, unbox32};
pub use soft::{
    add, cvt, div, fcvtmod_w_d, fma, from_i32, from_i64, from_u32, from_u64, mul, round, roundnx, sqrt, sub, to_i32, to_i64,
    to_u32, to_u64,
};

use std::ops::{BitOr, BitOrAssign};

/// Rounding mode, with the encoding of the `rm` field and of `frm` (Unprivileged ISA, "F", floating-point control and status
/// register; IEEE 754-2019 clause 4.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Rm {
    /// Round to nearest, ties to even.
    Rne = 0,
    /// Round towards zero.
    Rtz = 1,
    /// Round down, towards negative infinity.
    Rdn = 2,
    /// Round up, towards positive infinity.
    Rup = 3,
    /// Round to nearest, ties to maximum magnitude.
    Rmm = 4,
}

impl Rm {
    /// Every mode, in the order of its encoding.
    pub const ALL: [Rm; 5] = [Rm::Rne, Rm::Rtz, Rm::Rdn, Rm::Rup, Rm::Rmm];

    /// The mode that a 3-bit field encodes; `None` for the reserved values 5 and 6, for 7 (DYN, which the caller resolves from
    /// `frm` first), and for anything wider (Unprivileged ISA, "F", rounding mode encoding).
    #[inline]
    pub const fn from_bits(bits: u8) -> Option<Rm> {
        match bits {
            0 => Some(Rm::Rne),
            1 => Some(Rm::Rtz),
            2 => Some(Rm::Rdn),
            3 => Some(Rm::Rup),
            4 => Some(Rm::Rmm),
            _ => None,
        }
    }
}

/// Accrued exception flags, with the bits of `fflags` (Unprivileged ISA, "F", accrued exception flag encoding; IEEE 754-2019
/// clause 7).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(transparent)]
pub struct Flags(pub u8);

impl Flags {
    /// No flag.
    pub const NONE: Flags = Flags(0);
    /// Inexact.
    pub const NX: Flags = Flags(1);
    /// Underflow: tiny after rounding, and inexact.
    pub const UF: Flags = Flags(2);
    /// Overflow.
    pub const OF: Flags = Flags(4);
    /// Divide by zero.
    pub const DZ: Flags = Flags(8);
    /// Invalid operation.
    pub const NV: Flags = Flags(16);

    /// Whether every flag of `other` is set in `self`.
    #[inline]
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Flags {
    type Output = Flags;
    #[inline]
    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    #[inline]
    fn bitor_assign(&mut self, other: Flags) {
        self.0 |= other.0;
    }
}
