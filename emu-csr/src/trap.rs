//! Traps as values, and what entering and leaving one does to the CSRs.
//!
//! The functions are methods of [`crate::Csrs`]: `enter_exception`, `enter_interrupt`, `delegate` (entry.rs), `sret`,
//! `mret` (leave.rs), `pending_interrupt` (interrupts.rs), and the checks of privileged instructions (checks.rs).

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
    /// The resumable non-maskable interrupt (Smrnmi). Its code is mncause's; it has no bit in mip and mie.
    Rnmi = 0,
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

impl Exception {
    /// Every exception, by code.
    pub const ALL: [Exception; 22] = [
        Exception::InstAddrMisaligned,
        Exception::InstAccessFault,
        Exception::IllegalInst,
        Exception::Breakpoint,
        Exception::LoadAddrMisaligned,
        Exception::LoadAccessFault,
        Exception::StoreAddrMisaligned,
        Exception::StoreAccessFault,
        Exception::EcallU,
        Exception::EcallS,
        Exception::EcallVS,
        Exception::EcallM,
        Exception::InstPageFault,
        Exception::LoadPageFault,
        Exception::StorePageFault,
        Exception::DoubleTrap,
        Exception::SoftwareCheck,
        Exception::HardwareError,
        Exception::InstGuestPageFault,
        Exception::LoadGuestPageFault,
        Exception::VirtualInst,
        Exception::StoreGuestPageFault,
    ];

    /// The exception of a code.
    pub fn from_code(code: u64) -> Option<Exception> {
        Exception::ALL.into_iter().find(|&exception| exception as u64 == code)
    }

    /// The manual's words.
    pub const fn name(self) -> &'static str {
        match self {
            Exception::InstAddrMisaligned => "instruction address misaligned",
            Exception::InstAccessFault => "instruction access fault",
            Exception::IllegalInst => "illegal instruction",
            Exception::Breakpoint => "breakpoint",
            Exception::LoadAddrMisaligned => "load address misaligned",
            Exception::LoadAccessFault => "load access fault",
            Exception::StoreAddrMisaligned => "store/AMO address misaligned",
            Exception::StoreAccessFault => "store/AMO access fault",
            Exception::EcallU => "environment call from U-mode or VU-mode",
            Exception::EcallS => "environment call from S-mode or HS-mode",
            Exception::EcallVS => "environment call from VS-mode",
            Exception::EcallM => "environment call from M-mode",
            Exception::InstPageFault => "instruction page fault",
            Exception::LoadPageFault => "load page fault",
            Exception::StorePageFault => "store/AMO page fault",
            Exception::DoubleTrap => "double trap",
            Exception::SoftwareCheck => "software check",
            Exception::HardwareError => "hardware error",
            Exception::InstGuestPageFault => "instruction guest-page fault",
            Exception::LoadGuestPageFault => "load guest-page fault",
            Exception::VirtualInst => "virtual instruction",
            Exception::StoreGuestPageFault => "store/AMO guest-page fault",
        }
    }

    /// Whether xtval holds an address: these traps set GVA when it is a guest virtual one (Hypervisor, "hstatus").
    pub const fn has_address(self) -> bool {
        !matches!(
            self,
            Exception::IllegalInst
                | Exception::VirtualInst
                | Exception::EcallU
                | Exception::EcallS
                | Exception::EcallVS
                | Exception::EcallM
                | Exception::DoubleTrap
                | Exception::SoftwareCheck
                | Exception::HardwareError
        )
    }
}

impl Interrupt {
    /// Every interrupt, by code.
    pub const ALL: [Interrupt; 12] = [
        Interrupt::Rnmi,
        Interrupt::SSoft,
        Interrupt::VSSoft,
        Interrupt::MSoft,
        Interrupt::STimer,
        Interrupt::VSTimer,
        Interrupt::MTimer,
        Interrupt::SExt,
        Interrupt::VSExt,
        Interrupt::MExt,
        Interrupt::SGuestExt,
        Interrupt::CounterOverflow,
    ];

    /// The interrupt of a code.
    pub fn from_code(code: u64) -> Option<Interrupt> {
        Interrupt::ALL.into_iter().find(|&interrupt| interrupt as u64 == code)
    }

    /// Its bit in mip and mie.
    pub const fn mask(self) -> u64 {
        1 << self as u8
    }

    /// The manual's words.
    pub const fn name(self) -> &'static str {
        match self {
            Interrupt::Rnmi => "resumable non-maskable interrupt",
            Interrupt::SSoft => "supervisor software interrupt",
            Interrupt::VSSoft => "virtual supervisor software interrupt",
            Interrupt::MSoft => "machine software interrupt",
            Interrupt::STimer => "supervisor timer interrupt",
            Interrupt::VSTimer => "virtual supervisor timer interrupt",
            Interrupt::MTimer => "machine timer interrupt",
            Interrupt::SExt => "supervisor external interrupt",
            Interrupt::VSExt => "virtual supervisor external interrupt",
            Interrupt::MExt => "machine external interrupt",
            Interrupt::SGuestExt => "supervisor guest external interrupt",
            Interrupt::CounterOverflow => "counter-overflow interrupt",
        }
    }
}

impl Cause {
    /// The XLEN-bit xcause value: the code, with bit 63 set for an interrupt.
    pub const fn bits(self) -> u64 {
        match self {
            Cause::Exception(e) => e as u64,
            Cause::Interrupt(i) => 1 << 63 | i as u64,
        }
    }

    /// The cause an xcause value names.
    pub fn from_bits(bits: u64) -> Option<Cause> {
        let code = bits & !(1 << 63);
        if bits >> 63 == 0 {
            Exception::from_code(code).map(Cause::Exception)
        } else {
            Interrupt::from_code(code).map(Cause::Interrupt)
        }
    }

    /// The manual's words.
    pub const fn name(self) -> &'static str {
        match self {
            Cause::Exception(e) => e.name(),
            Cause::Interrupt(i) => i.name(),
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
