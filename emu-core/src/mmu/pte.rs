//! Page table entries of Sv39, Sv48 and Sv57 and of their x4 forms (Privileged ISA, "Addressing and Memory Protection").

use emu_csr::field::menvcfg::{ADUE, PBMTE, SSE};
use emu_csr::table::Field;
use emu_csr::{Csrs, Ext};

use super::refusal::Refusal;

pub(super) const V: u64 = 1;
pub(super) const R: u64 = 1 << 1;
pub(super) const W: u64 = 1 << 2;
pub(super) const X: u64 = 1 << 3;
pub(super) const U: u64 = 1 << 4;
pub(super) const G: u64 = 1 << 5;
pub(super) const A: u64 = 1 << 6;
pub(super) const D: u64 = 1 << 7;
pub(super) const PBMT: u64 = 3 << 61;
pub(super) const N: u64 = 1 << 63;
/// Bits 60 to 54, reserved in every entry.
const RESERVED: u64 = 0x7f << 54;

/// The fields of an entry, highest first.
pub static FIELDS: [Field; 13] = [
    field("N", 63, 63, "part of a 64 KiB page (Svnapot)"),
    field("PBMT", 62, 61, "memory type: 0 as the PMA, 1 NC, 2 IO (Svpbmt)"),
    field("reserved", 60, 54, "must be zero"),
    field("PPN", 53, 10, "physical page number of the page, or of the next table"),
    field("RSW", 9, 8, "for software"),
    field("D", 7, 7, "written to"),
    field("A", 6, 6, "accessed"),
    field("G", 5, 5, "global: in every address space"),
    field("U", 4, 4, "a user page"),
    field("X", 3, 3, "executable"),
    field("W", 2, 2, "writable"),
    field("R", 1, 1, "readable"),
    field("V", 0, 0, "valid"),
];

const fn field(name: &'static str, hi: u8, lo: u8, doc: &'static str) -> Field {
    Field { name, hi, lo, doc }
}

/// Whether a leaf of the first stage maps a shadow-stack page.
pub(super) fn is_shadow(pte: u64) -> bool {
    pte & (R | W | X) == W
}

/// How a stage reads its entries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
    /// Bits that make any entry invalid.
    reserved: u64,
    /// Hardware sets A and D (Svadu); otherwise their lack is a page fault (Svade).
    pub(super) update: bool,
    /// The encoding R=0 W=1 X=0 is a shadow-stack page (Zicfiss); otherwise it is reserved.
    shadow: bool,
}

impl Format {
    /// Of single-stage translation (menvcfg).
    pub(super) fn of_s(csr: &Csrs) -> Format {
        Format::new(csr, csr.menvcfg)
    }

    /// Of the G-stage (menvcfg), which has no shadow-stack pages.
    pub(super) fn of_g(csr: &Csrs) -> Format {
        Format { shadow: false, ..Format::new(csr, csr.menvcfg) }
    }

    /// Of the VS-stage (henvcfg, whose bits are read-only zero where menvcfg's are zero).
    pub(super) fn of_vs(csr: &Csrs) -> Format {
        Format::new(csr, csr.menvcfg & csr.henvcfg)
    }

    fn new(csr: &Csrs, envcfg: u64) -> Format {
        let mut reserved = RESERVED;
        if envcfg & PBMTE == 0 {
            reserved |= PBMT;
        }
        if !csr.isa.has(Ext::Svnapot) {
            reserved |= N;
        }
        Format { reserved, update: envcfg & ADUE != 0, shadow: envcfg & SSE != 0 }
    }

    /// Whether the entry points to a table, is a leaf, or must not be used.
    pub(super) fn class(&self, pte: u64) -> Class {
        if pte & V == 0 {
            return Class::Invalid(Refusal::NotValid);
        }
        if pte & (R | W) == W && !(self.shadow && is_shadow(pte)) {
            return Class::Invalid(Refusal::WriteWithoutRead);
        }
        if pte & self.reserved != 0 {
            return Class::Invalid(Refusal::ReservedBits);
        }
        if pte & (R | W | X) == 0 {
            // D, A, U, N and PBMT are reserved in an entry that points to a table.
            return if pte & (D | A | U | N | PBMT) == 0 { Class::Table } else { Class::Invalid(Refusal::TableBits) };
        }
        if pte & PBMT == PBMT { Class::Invalid(Refusal::ReservedPbmt) } else { Class::Leaf }
    }
}

/// See [`Format::class`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    Invalid(Refusal),
    Table,
    Leaf,
}

/// Physical page number.
pub(super) fn ppn(pte: u64) -> u64 {
    pte >> 10 & ((1 << 44) - 1)
}
