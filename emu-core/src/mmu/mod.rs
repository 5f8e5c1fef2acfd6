//! Address translation and every memory access a hart makes.
//!
//! The access functions are the only way instruction semantics touch memory; each has a fast path through the TLB and an exact slow
//! path (walk of both stages, PMP, PMA, device access, misaligned split). They raise traps as values with tval, tval2 (gpa >> 2), gva
//! and, for faults of implicit accesses, the pseudo-instruction in tinst; for explicit accesses tinst is left 0 and the stepper puts the
//! transformed instruction there ([`crate::insn`]).
//!
//! Physical memory attributes: RAM does everything; devices take naturally aligned loads and stores, and answer everything else
//! (fetch, AMO, LR/SC, HLVX, page tables, misaligned, cache blocks) with an access fault.

#[allow(unsafe_code)]
mod access;
#[allow(unsafe_code)]
mod atomic;
mod bank;
mod context;
mod explain;
mod fence;
mod hashed;
mod kind;
mod permit;
mod pmp;
mod pte;
mod record;
mod refusal;
mod slow;
mod tables;
#[cfg(test)]
mod tests;
#[allow(unsafe_code)]
mod tlb;
mod walk;

use emu_csr::{Mode, Trap};

use crate::bus::Bus;
use crate::hart::Hart;
pub use access::FetchPlace;
pub(crate) use atomic::BLOCK;
pub use bank::{Bank, DATA_ENTRIES, FETCH_ENTRIES, FetchEntry, TlbEntry};
use context::{Context, data_mode};
pub use explain::{Attempt, Refused, Walk};
pub use kind::Kind;
pub use pte::FIELDS as PTE_FIELDS;
pub use record::{PteAccess, Recorder};
pub use refusal::Refusal;
pub use tlb::{BANKS, Tlb};
pub use walk::Translation;

/// Privilege with which an explicit access is made: MPRV, HLV/HSV and the mode itself decide ([`Hart::data_access`]).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// Effective mode.
    pub mode: Mode,
    /// HLVX: execute permission takes the place of read permission.
    pub hlvx: bool,
    /// A forced virtual access (HLV, HLVX, HSV): faults set GVA.
    pub forced: bool,
}

/// Which TLB entries a fence drops. Missing means all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Fence {
    /// Virtual (sfence/hfence.vvma) or guest physical (hfence.gvma) address.
    pub addr: Option<u64>,
    /// ASID, or VMID for hfence.gvma.
    pub id: Option<u16>,
    /// VMID in whose VS-stage the fence acts (sfence.vma with V=1, hfence.vvma: the current hgatp.VMID).
    pub vmid: Option<u16>,
    /// Which stage.
    pub stage: Stage,
}

/// A translation stage.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Stage {
    /// Single-stage translations of V=0.
    #[default]
    S,
    /// VS-stage translations.
    Vs,
    /// G-stage translations.
    G,
}

impl Stage {
    /// The manuals' name of the stage.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::S => "S",
            Stage::Vs => "VS",
            Stage::G => "G",
        }
    }
}

impl Hart {
    /// Changes the privilege mode and chooses the translation context again.
    pub fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
        self.recontext();
    }

    /// Chooses the TLB bank again after mode, satp, vsatp, hgatp, SUM, MXR, MPRV or MPP changed ([`emu_csr::Effects::CONTEXT`]).
    #[inline]
    pub fn recontext(&mut self) {
        let (mode, data_mode) = (self.mode, data_mode(&self.csr, self.mode));
        let data = Context::of(&self.csr, data_mode);
        // Permission to fetch does not depend on SUM and MXR, so changing them does not change where code is.
        let fetch = if mode == data_mode { data.fetch(&self.csr) } else { Context::of(&self.csr, mode).fetch(&self.csr) };
        self.tlb.choose(data, fetch);
    }

    /// How an ordinary load or store is made now (MPRV).
    pub fn data_access(&self) -> Access {
        Access { mode: data_mode(&self.csr, self.mode), hlvx: false, forced: false }
    }

    /// Walks the page tables for `va` as an access of this kind would, updating A and D as it would, and tells `record` of every implicit
    /// access. PMP and PMA of the final address are not looked at.
    pub fn walk(
        &mut self,
        bus: &mut Bus,
        va: u64,
        kind: Kind,
        access: Access,
        record: &mut impl Recorder,
    ) -> Result<Translation, Trap> {
        self.translate(bus, va, kind, access.mode, record)
    }
}
