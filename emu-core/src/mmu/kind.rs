//! Kinds of accesses, and the exceptions that each raises for what refuses it.

use emu_csr::{Exception, Mode, Trap};

use super::pmp::Rwx;

/// What an explicit access does, as far as translation and protection care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Instruction fetch.
    Fetch,
    /// Load, LR.
    Load,
    /// HLVX: execute permission takes the place of read permission.
    LoadExec,
    /// Store, SC, AMO, CBO.ZERO.
    Store,
    /// A shadow-stack instruction, which has a store's faults even if it only loads (Zicfiss).
    Shadow,
    /// Cache-block management: permitted where a load is, but its faults are those of a store (CMO extensions).
    Block,
}

impl Kind {
    pub(super) fn rwx(self) -> Rwx {
        match self {
            Kind::Fetch => Rwx::X,
            Kind::Load | Kind::Block => Rwx::R,
            Kind::LoadExec => Rwx::RX,
            Kind::Store => Rwx::W,
            Kind::Shadow => Rwx::RW,
        }
    }

    fn pick(self, fetch: Exception, load: Exception, store: Exception) -> Exception {
        match self {
            Kind::Fetch => fetch,
            Kind::Load | Kind::LoadExec => load,
            Kind::Store | Kind::Shadow | Kind::Block => store,
        }
    }

    /// What the access does, in words.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Fetch => "fetch",
            Kind::Load => "load",
            Kind::LoadExec => "HLVX load",
            Kind::Store => "store",
            Kind::Shadow => "shadow-stack access",
            Kind::Block => "cache-block operation",
        }
    }

    /// The access-fault trap of this kind.
    pub(super) fn access_fault(self, va: u64, mode: Mode) -> Trap {
        use Exception::*;
        Trap { gva: mode.virt(), ..Trap::new(self.pick(InstAccessFault, LoadAccessFault, StoreAccessFault), va) }
    }

    /// The hardware-error trap: "corrupted or uncorrectable data is accessed, either explicitly or implicitly, by an instruction".
    pub(super) fn hardware_error(va: u64, mode: Mode) -> Trap {
        Trap { gva: mode.virt(), ..Trap::new(Exception::HardwareError, va) }
    }

    /// The address-misaligned trap of this kind.
    pub(super) fn misaligned(self, va: u64, mode: Mode) -> Trap {
        use Exception::*;
        Trap { gva: mode.virt(), ..Trap::new(self.pick(InstAddrMisaligned, LoadAddrMisaligned, StoreAddrMisaligned), va) }
    }

    /// The trap that a walk for an access of this kind ends with.
    pub(super) fn trap(self, fault: Fault, va: u64, mode: Mode) -> Trap {
        use Exception::*;
        match fault {
            Fault::Page => Trap { gva: mode.virt(), ..Trap::new(self.pick(InstPageFault, LoadPageFault, StorePageFault), va) },
            Fault::Access => self.access_fault(va, mode),
            Fault::Poison => Kind::hardware_error(va, mode),
            Fault::Guest { gpa, tinst } => Trap {
                cause: self.pick(InstGuestPageFault, LoadGuestPageFault, StoreGuestPageFault),
                tval: va,
                tval2: gpa >> 2,
                tinst,
                gva: true,
            },
        }
    }
}

/// What ends a walk, before it is known as which exception the kind of access raises it.
#[derive(Clone, Copy)]
pub(super) enum Fault {
    /// The tables of the stage do not permit the access.
    Page,
    /// An access fault: PMP, an entry outside of RAM, or a shadow stack where it may not be.
    Access,
    /// The entry lies in a poisoned line.
    Poison,
    /// The G-stage's page fault, of which tinst names the implicit access, 0 for the explicit one itself.
    Guest { gpa: u64, tinst: u64 },
}
