//! Traps as values, and what entering and leaving one does to the CSRs.
//!
//! Contract for the rest of the machine (all functions are methods of [`crate::Csrs`]):
//! - `enter_exception(&mut self, mode, pc, &Trap, sink) -> Entry` and `enter_interrupt(&mut self, mode, pc, Interrupt, target, sink) -> Entry`:
//!   delegation (medeleg/hedeleg, mideleg/hideleg), every CSR write of the target mode, next pc (tvec, vectored) and mode.
//! - `sret(&mut self, mode, sink) -> Entry`, `mret(&mut self, sink) -> Entry`: the return's CSR writes; access checks (TSR, VTSR,
//!   mode too low) are `check_sret(mode) -> Result<(), Denied>` / `check_mret(mode)`, likewise `check_wfi`, `check_sfence_vma`, ...
//! - `pending_interrupt(&self, mode) -> Option<(Interrupt, Mode)>`: what would be taken now, and into which mode (M, HS or VS).

/// Synchronous exception codes (Privileged ISA, table "Machine cause register values after trap").
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)] // the variants are the manual's own names
pub enum Exception {
    InstAddrMisaligned = 0,
    InstAccessFault = 1,
    IllegalInst = 2,
    Breakpoint = 3,
    LoadAddrMisaligned = 4,
    LoadAccessFault = 5,
    StoreAddrMisaligned = 6,
    StoreAccessFault = 7,
    EcallU = 8,
    EcallS = 9,
    EcallVS = 10,
    EcallM = 11,
    InstPageFault = 12,
    LoadPageFault = 13,
    StorePageFault = 15,
    DoubleTrap = 16,
    SoftwareCheck = 18,
    HardwareError = 19,
    InstGuestPageFault = 20,
    LoadGuestPageFault = 21,
    VirtualInst = 22,
    StoreGuestPageFault = 23,
}

/// Interrupt codes (same table; bit numbers of mip/mie).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Interrupt {
    SSoft = 1,
    VSSoft = 2,
    MSoft = 3,
    STimer = 5,
    VSTimer = 6,
    MTimer = 7,
    SExt = 9,
    VSExt = 10,
    MExt = 11,
    SGuestExt = 12,
    CounterOverflow = 13,
}

/// What xcause tells: an exception or an interrupt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Cause {
    /// A synchronous exception.
    Exception(Exception),
    /// An interrupt.
    Interrupt(Interrupt),
}

impl Cause {
    /// The XLEN-bit xcause value: the code, with bit 63 set for an interrupt.
    pub const fn bits(self) -> u64 {
        match self {
            Cause::Exception(e) => e as u64,
            Cause::Interrupt(i) => 1 << 63 | i as u64,
        }
    }
}

/// A synchronous trap on its way to a mode: nothing in the hart has changed yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trap {
    /// Why.
    pub cause: Exception,
    /// Value for xtval: faulting virtual address, or instruction bits for illegal/virtual instruction.
    pub tval: u64,
    /// Value for mtval2/htval: guest physical address shifted right by 2, or 0.
    pub tval2: u64,
    /// Value for mtinst/htinst: transformed instruction or pseudo-instruction, or 0.
    pub tinst: u64,
    /// Whether `tval` is a guest virtual address (mstatus.GVA/hstatus.GVA) because the access itself was made with V=1
    /// (also by HLV/HSV and MPRV). Entry functions add the cases that follow from the interrupted mode alone.
    pub gva: bool,
}

impl Trap {
    /// A trap with tval only.
    #[inline]
    pub const fn new(cause: Exception, tval: u64) -> Trap {
        Trap { cause, tval, tval2: 0, tinst: 0, gva: false }
    }

    /// An illegal-instruction exception for the given instruction bits.
    #[inline]
    pub const fn illegal(raw: u32) -> Trap {
        Trap::new(Exception::IllegalInst, raw as u64)
    }

    /// A virtual-instruction exception for the given instruction bits.
    #[inline]
    pub const fn virtual_inst(raw: u32) -> Trap {
        Trap::new(Exception::VirtualInst, raw as u64)
    }
}
