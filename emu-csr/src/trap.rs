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

    /// What raises it, and the clause.
    pub const fn raised(self) -> (&'static str, &'static str) {
        const CAUSES: &str = "Privileged ISA, \"Machine Cause (mcause) Register\"";
        const WALK: &str = "Privileged ISA, \"Virtual Address Translation Process\"";
        const GUEST: &str = "Hypervisor, \"Guest-Page Faults\"";
        const ECALL: &str = "Privileged ISA, \"Environment Call and Breakpoint\"";
        match self {
            Exception::InstAddrMisaligned => ("a jump or taken branch to an address that no instruction can have", CAUSES),
            Exception::InstAccessFault => {
                ("PMP, physical memory attributes or an unreadable page-table entry forbid the fetch", CAUSES)
            }
            Exception::IllegalInst => (
                "an undefined instruction, a CSR that is absent or closed to this mode, or one that TVM, TW or TSR traps",
                CAUSES,
            ),
            Exception::Breakpoint => ("ebreak, or a trigger that fires", ECALL),
            Exception::LoadAddrMisaligned => ("a load that needs an aligned address (LR, HLVX to a device) and has none", CAUSES),
            Exception::LoadAccessFault => {
                ("PMP, physical memory attributes or an unreadable page-table entry forbid the load", CAUSES)
            }
            Exception::StoreAddrMisaligned => ("a store or AMO that needs an aligned address and has none", CAUSES),
            Exception::StoreAccessFault => {
                ("PMP, physical memory attributes or an unreadable page-table entry forbid the store or AMO", CAUSES)
            }
            Exception::EcallU => ("ecall in U-mode or VU-mode", ECALL),
            Exception::EcallS => ("ecall in S-mode or HS-mode", ECALL),
            Exception::EcallVS => ("ecall in VS-mode", "Hypervisor, \"Trap Cause Codes\""),
            Exception::EcallM => ("ecall in M-mode", ECALL),
            Exception::InstPageFault => ("the page tables of satp or vsatp do not permit the fetch", WALK),
            Exception::LoadPageFault => ("the page tables of satp or vsatp do not permit the load", WALK),
            Exception::StorePageFault => ("the page tables of satp or vsatp do not permit the store or AMO", WALK),
            Exception::DoubleTrap => (
                "a trap into a mode whose status has SDT or MDT set",
                "Privileged ISA, \"Double Trap Control in mstatus Register\"",
            ),
            Exception::SoftwareCheck => ("a missing landing pad, or a shadow stack that disagrees", "Zicfilp and Zicfiss"),
            Exception::HardwareError => ("corrupted or uncorrectable data were accessed", CAUSES),
            Exception::InstGuestPageFault => {
                ("the page tables of hgatp do not permit the fetch, or a read of a VS-stage entry for it", GUEST)
            }
            Exception::LoadGuestPageFault => {
                ("the page tables of hgatp do not permit the load, or a read of a VS-stage entry for it", GUEST)
            }
            Exception::VirtualInst => (
                "an instruction or CSR access of VS- or VU-mode that HS-mode may make and the hypervisor has not allowed",
                "Hypervisor, \"Trap Cause Codes\"",
            ),
            Exception::StoreGuestPageFault => {
                ("the page tables of hgatp do not permit the store or AMO, or an access of a VS-stage entry for it", GUEST)
            }
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

    /// What raises it, and the clause.
    pub const fn raised(self) -> (&'static str, &'static str) {
        const MIP: &str = "Privileged ISA, \"Machine Interrupt (mip and mie) Registers\"";
        const SIP: &str = "Privileged ISA, \"Supervisor Interrupt (sip and sie) Registers\"";
        const HVIP: &str = "Hypervisor, \"Hypervisor Interrupt (hvip, hip, and hie) Registers\"";
        match self {
            Interrupt::Rnmi => ("the platform's non-maskable interrupt signal", "Smrnmi"),
            Interrupt::SSoft => ("software that sets SSIP", SIP),
            Interrupt::VSSoft => ("the hypervisor by hvip.VSSIP, or the guest by its sip.SSIP", HVIP),
            Interrupt::MSoft => ("a store to the hart's register of the software-interrupt device", MIP),
            Interrupt::STimer => ("time reaching stimecmp, or M-mode by STIP", "Sstc, and Privileged ISA, \"sip and sie\""),
            Interrupt::VSTimer => ("time plus htimedelta reaching vstimecmp, or the hypervisor by hvip.VSTIP", HVIP),
            Interrupt::MTimer => ("time reaching mtimecmp", MIP),
            Interrupt::SExt => ("the interrupt controller's supervisor signal, or M-mode by SEIP", SIP),
            Interrupt::VSExt => {
                ("the hypervisor by hvip.VSEIP, or the guest external interrupt that hstatus.VGEIN selects", HVIP)
            }
            Interrupt::MExt => ("the interrupt controller's machine signal", MIP),
            Interrupt::SGuestExt => ("a guest external interrupt that hgeie enables", HVIP),
            Interrupt::CounterOverflow => ("a counter that overflows while its OF is clear", "Sscofpmf"),
        }
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
