//! Address translation and every memory access a hart makes.
//!
//! The access functions are the only way instruction semantics touch memory; each has a fast path through the TLB and an exact slow
//! path (walk of both stages, PMP, PMA, device access, misaligned split). They raise traps as values with tval, tval2 (gpa >> 2), gva
//! and, for faults of implicit accesses, the pseudo-instruction in tinst; for explicit accesses tinst is left 0 and the stepper puts the
//! transformed instruction there ([`crate::insn`]).

use emu_csr::{Mode, Trap};

use crate::bus::Bus;
use crate::hart::Hart;

/// Translation cache of one hart.
pub struct Tlb {}

impl Tlb {
    /// An empty one.
    pub fn new() -> Tlb {
        Tlb {}
    }

    /// Drops everything.
    pub fn flush(&mut self) {}

    /// Drops direct write access to a host page (it got decoded code, or a fork shares it).
    pub fn forget_writes(&mut self, _host_page: *const u8) {}
}

impl Default for Tlb {
    fn default() -> Self {
        Tlb::new()
    }
}

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

/// A translation stage for fences.
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

impl Hart {
    /// Changes the privilege mode and chooses the translation context again.
    pub fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
        self.recontext();
    }

    /// Chooses the TLB bank again after mode, satp, vsatp, hgatp, SUM, MXR, MPRV or MPP changed ([`emu_csr::Effects::CONTEXT`]).
    pub fn recontext(&mut self) {}

    /// Executes an address-translation fence on this hart.
    pub fn fence(&mut self, _fence: Fence) {}

    /// Fetches the instruction at `va`: its bits (16 in the low half if compressed) and its length, 2 or 4.
    pub fn fetch(&mut self, _bus: &mut Bus, va: u64) -> Result<(u32, u8), Trap> {
        Err(Trap::new(emu_csr::Exception::InstAccessFault, va))
    }

    /// Loads `size` (1, 2, 4, 8) bytes, zero-extended, any alignment.
    #[inline]
    pub fn load(&mut self, _bus: &mut Bus, va: u64, _size: u8) -> Result<u64, Trap> {
        Err(Trap::new(emu_csr::Exception::LoadAccessFault, va))
    }

    /// Stores the low `size` bytes of `value`, any alignment.
    #[inline]
    pub fn store(&mut self, _bus: &mut Bus, va: u64, _size: u8, _value: u64) -> Result<(), Trap> {
        Err(Trap::new(emu_csr::Exception::StoreAccessFault, va))
    }

    /// Load with a given privilege (HLV, HLVX; firmware acting for an interrupted context).
    pub fn load_as(&mut self, _bus: &mut Bus, va: u64, _size: u8, _access: Access) -> Result<u64, Trap> {
        Err(Trap::new(emu_csr::Exception::LoadAccessFault, va))
    }

    /// Store with a given privilege (HSV; firmware).
    pub fn store_as(&mut self, _bus: &mut Bus, va: u64, _size: u8, _value: u64, _access: Access) -> Result<(), Trap> {
        Err(Trap::new(emu_csr::Exception::StoreAccessFault, va))
    }

    /// An atomic read-modify-write of `size` (1, 2, 4, 8) bytes; returns the old value, zero-extended. Faults are store/AMO faults.
    /// Misaligned: as Zama16b absent, an address-misaligned exception.
    pub fn amo(&mut self, _bus: &mut Bus, va: u64, _size: u8, _f: &mut dyn FnMut(u64) -> u64) -> Result<u64, Trap> {
        Err(Trap::new(emu_csr::Exception::StoreAccessFault, va))
    }

    /// AMOCAS of 16 bytes (Zacas, amocas.q): `f` gets (low, high) and returns what to store, if anything.
    #[allow(clippy::type_complexity)]
    pub fn amo128(
        &mut self,
        _bus: &mut Bus,
        va: u64,
        _f: &mut dyn FnMut(u64, u64) -> Option<(u64, u64)>,
    ) -> Result<(u64, u64), Trap> {
        Err(Trap::new(emu_csr::Exception::StoreAccessFault, va))
    }

    /// LR: loads `size` (4, 8) bytes and takes the reservation.
    pub fn load_reserved(&mut self, _bus: &mut Bus, va: u64, _size: u8) -> Result<u64, Trap> {
        Err(Trap::new(emu_csr::Exception::LoadAccessFault, va))
    }

    /// SC: stores if the reservation holds; true on success. The reservation is gone afterwards.
    pub fn store_conditional(&mut self, _bus: &mut Bus, va: u64, _size: u8, _value: u64) -> Result<bool, Trap> {
        Err(Trap::new(emu_csr::Exception::StoreAccessFault, va))
    }

    /// CBO.ZERO: zeroes the 64-byte block that holds `va`.
    pub fn zero_block(&mut self, _bus: &mut Bus, va: u64) -> Result<(), Trap> {
        Err(Trap::new(emu_csr::Exception::StoreAccessFault, va))
    }

    /// CBO.INVAL/CLEAN/FLUSH: the permission check (any of read, write, execute translates; faults are store/AMO faults).
    pub fn check_block(&mut self, _bus: &mut Bus, va: u64) -> Result<(), Trap> {
        Err(Trap::new(emu_csr::Exception::StoreAccessFault, va))
    }
}
