//! The list itself. Own registers stand in the order of state snapshots; a new one goes to the end of its group.

use super::Gate::{self, Cde, Counter, Fs, Gtvm, Mireg, Overflows, Sireg, Ssp, StateEn, StateEn0, Stce, Tvm, WithoutS};
use super::Rule::{Any, Fixed, Mask, Warl};
use crate::access::{Effects, Scratch};
use crate::isa::{Ext, Isa};
use crate::triggers::Triggers;
use crate::warl;

pub(crate) const NO: Effects = Effects::NONE;
pub(crate) const STATUS: Effects = Effects::CONTEXT.with(Effects::INTERRUPTS).with(Effects::FP);
const CONTEXT: Effects = Effects::CONTEXT;
const FLUSH: Effects = Effects::FLUSH;
pub(crate) const INTERRUPTS: Effects = Effects::INTERRUPTS;
const TIMER: Effects = Effects::TIMER.with(Effects::INTERRUPTS);
pub(crate) const COUNTERS: Effects = Effects::COUNTERS;
const ENVCFG: Effects = Effects::FLUSH.with(Effects::TIMER).with(Effects::INTERRUPTS);

static COUNTER_GATES: [[Gate; 1]; 32] = {
    let mut gates = [[Counter(0)]; 32];
    let mut i = 0;
    while i < 32 {
        gates[i] = [Counter(i as u8)];
        i += 1;
    }
    gates
};

const fn counter_gate(i: u8) -> &'static [Gate] {
    &COUNTER_GATES[i as usize]
}

const fn no_gate(_: u8) -> &'static [Gate] {
    &[]
}

csrs! {
    own {
        /// Vendor ID (Privileged ISA, "Machine Vendor ID (mvendorid) Register"): zero, non-commercial.
        MVENDORID 0xf11 mvendorid needs[] gates[] Fixed => NO, {}
        /// Architecture ID (Privileged ISA, "Machine Architecture ID (marchid) Register"): zero, not registered.
        MARCHID 0xf12 marchid needs[] gates[] Fixed => NO, {}
        /// Implementation ID (Privileged ISA, "Machine Implementation ID (mimpid) Register").
        MIMPID 0xf13 mimpid needs[] gates[] Fixed => NO, {}
        /// Hart ID (Privileged ISA, "Hart ID (mhartid) Register").
        MHARTID 0xf14 mhartid needs[] gates[] Fixed => NO, {}
        /// Address of the configuration data structure (Privileged ISA, "Machine Configuration Pointer"): zero, none.
        MCONFIGPTR 0xf15 mconfigptr needs[] gates[] Fixed => NO, {}

        /// Machine status (Privileged ISA, "Machine Status (mstatus and mstatush) Registers"). SD is computed when read and not stored.
        MSTATUS 0x300 mstatus needs[] gates[] Warl(warl::mstatus) => STATUS, {
            SD 63 "FS is Dirty (computed)";
            MDT 42 "M-mode disable trap: the next trap into M is a double trap (Smdbltrp)";
            MPELP 41 "ELP before the trap into M (Zicfilp)";
            MPV 39 "V before the trap into M";
            GVA 38 "mtval holds a guest virtual address";
            MBE 37 "M-mode big-endian (read-only 0)";
            SBE 36 "S-mode big-endian (read-only 0)";
            SXL 35..34 "S-mode XLEN (read-only 2: 64)";
            UXL 33..32 "U-mode XLEN (read-only 2: 64)";
            SDT 24 "S-mode disable trap: the next trap into S is a double trap (Ssdbltrp)";
            SPELP 23 "ELP before the trap into S (Zicfilp)";
            TSR 22 "trap SRET in HS";
            TW 21 "timeout wait: trap WFI below M";
            TVM 20 "trap virtual memory management in HS";
            MXR 19 "make executable readable";
            SUM 18 "permit supervisor user memory access";
            MPRV 17 "loads and stores as if in MPP and MPV";
            XS 16..15 "other extension state (read-only 0)";
            FS 14..13 "floating-point state: 0 off, 1 initial, 2 clean, 3 dirty";
            MPP 12..11 "mode before the trap into M";
            VS 10..9 "vector state (read-only 0 without V)";
            SPP 8 "mode before the trap into S";
            MPIE 7 "MIE before the trap into M";
            UBE 6 "U-mode big-endian (read-only 0)";
            SPIE 5 "SIE before the trap into S";
            MIE 3 "M interrupts enabled in M";
            SIE 1 "S interrupts enabled in S";
        }
        /// Extensions (Privileged ISA, "Machine ISA (misa) Register"). Read-only: an extension that could vanish under a
        /// running program would invalidate decoded instructions, and no software depends on switching it here.
        MISA 0x301 misa needs[] gates[] Fixed => NO, { MXL 63..62 "machine XLEN: 2 is 64"; EXTENSIONS 25..0 "a bit a letter, A first"; }
        /// Exceptions delegated to S or HS (Privileged ISA, "Machine Trap Delegation (medeleg and mideleg) Registers").
        MEDELEG 0x302 medeleg needs[S] gates[] Warl(warl::medeleg) => NO, {}
        /// Interrupts delegated to S or HS; with H the VS-level ones and SGEI are read-only one.
        MIDELEG 0x303 mideleg needs[S] gates[] Warl(warl::mideleg) => INTERRUPTS, {}
        /// Interrupt enables (Privileged ISA, "Machine Interrupt (mip and mie) Registers"). sie, hie and vsie show it.
        MIE 0x304 mie needs[] gates[] Warl(warl::mie) => INTERRUPTS, {
            LCOFIE 13 "counter overflow"; SGEIE 12 "supervisor guest external"; MEIE 11 "machine external";
            VSEIE 10 "virtual supervisor external"; SEIE 9 "supervisor external"; MTIE 7 "machine timer";
            VSTIE 6 "virtual supervisor timer"; STIE 5 "supervisor timer"; MSIE 3 "machine software";
            VSSIE 2 "virtual supervisor software"; SSIE 1 "supervisor software";
        }
        /// Trap vector (Privileged ISA, "Machine Trap-Vector Base-Address (mtvec) Register").
        MTVEC 0x305 mtvec needs[] gates[] Warl(warl::tvec) => NO, { BASE 63..2 "address of the handler, in words"; MODE 1..0 "0 direct, 1 vectored"; }
        /// Counters readable below M (Privileged ISA, "Machine Counter-Enable (mcounteren) Register").
        MCOUNTEREN 0x306 mcounteren needs[U] gates[] Warl(warl::counteren) => NO, { HPM 31..3 "hpmcounter3 to 31"; IR 2 "instret"; TM 1 "time, stimecmp"; CY 0 "cycle"; }
        /// Environment configuration below M (Privileged ISA, "Machine Environment Configuration (menvcfg) Register").
        MENVCFG 0x30a menvcfg needs[U] gates[] Warl(warl::menvcfg) => ENVCFG, {
            STCE 63 "stimecmp enabled"; PBMTE 62 "Svpbmt enabled"; ADUE 61 "hardware updating of A and D";
            CDE 60 "counters delegated to S (Smcdeleg)"; DTE 59 "double traps enabled in S";
            CBZE 7 "cbo.zero enabled"; CBCFE 6 "cbo.clean and cbo.flush enabled"; CBIE 5..4 "cbo.inval: 0 trap, 1 flush, 3 invalidate";
            SSE 3 "shadow stacks enabled in S"; LPE 2 "landing pads enabled in S";
            FIOM 0 "fence of I/O implies memory";
        }
        /// Counters that do not count (Privileged ISA, "Machine Counter-Inhibit (mcountinhibit) Register").
        MCOUNTINHIBIT 0x320 mcountinhibit needs[] gates[] Warl(warl::countinhibit) => COUNTERS, { HPM 31..3 "mhpmcounter3 to 31"; IR 2 "minstret"; CY 0 "mcycle"; }
        /// Mode filter of mcycle (Privileged ISA, "Smcntrpmf").
        MCYCLECFG 0x321 mcyclecfg needs[Smcntrpmf] gates[] Warl(warl::countercfg) => COUNTERS, {
            MINH 62 "not in M"; SINH 61 "not in S or HS"; UINH 60 "not in U"; VSINH 59 "not in VS"; VUINH 58 "not in VU";
        }
        /// Mode filter of minstret (Privileged ISA, "Smcntrpmf").
        MINSTRETCFG 0x322 minstretcfg needs[Smcntrpmf] gates[] Warl(warl::countercfg) => COUNTERS, {
            MINH 62 "not in M"; SINH 61 "not in S or HS"; UINH 60 "not in U"; VSINH 59 "not in VS"; VUINH 58 "not in VU";
        }
        /// Scratch word of M (Privileged ISA, "Machine Scratch (mscratch) Register").
        MSCRATCH 0x340 mscratch needs[] gates[] Any => NO, {}
        /// pc of the trap into M (Privileged ISA, "Machine Exception Program Counter (mepc) Register").
        MEPC 0x341 mepc needs[] gates[] Warl(warl::epc) => NO, {}
        /// Cause of the trap into M (Privileged ISA, "Machine Cause (mcause) Register").
        MCAUSE 0x342 mcause needs[] gates[] Any => NO, { INTERRUPT 63 "an interrupt"; CODE 62..0 "exception or interrupt code"; }
        /// Address or instruction of the trap into M (Privileged ISA, "Machine Trap Value (mtval) Register").
        MTVAL 0x343 mtval needs[] gates[] Any => NO, {}
        /// Transformed trapping instruction (Hypervisor, "Machine Trap Instruction (mtinst) Register").
        MTINST 0x34a mtinst needs[H] gates[] Any => NO, {}
        /// Guest physical address of the trap, shifted right by 2 (Hypervisor, "Machine Second Trap Value (mtval2) Register"), or
        /// the cause of the trap that became a double trap (Ssdbltrp).
        MTVAL2 0x34b mtval2 needs[H] or[Ssdbltrp] gates[] Any => NO, {}
        /// PMP rules for M-mode (Smepmp) and its landing pads (Zicfilp; Privileged ISA, "Machine Security Configuration (mseccfg) Register").
        MSECCFG 0x747 mseccfg needs[Smepmp] or[Zicfilp] gates[] Warl(warl::mseccfg) => FLUSH, {
            MLPE 10 "landing pads enabled in M";
            RLB 2 "rule locking bypass"; MMWP 1 "M-mode whitelist policy (sticky)"; MML 0 "M-mode lockdown (sticky)";
        }
        /// State enables below M, register 0 (Smstateen).
        MSTATEEN0 0x30c mstateen0 needs[Smstateen] gates[] Warl(warl::mstateen0) => NO, {
            SE0 63 "hstateen0 and sstateen0"; ENVCFG 62 "henvcfg and senvcfg";
            CSRIND 60 "siselect, sireg to sireg6 and their VS registers"; CONTEXT 57 "hcontext and scontext";
        }
        /// State enables below M, register 1 (Smstateen).
        MSTATEEN1 0x30d mstateen1 needs[Smstateen] gates[] Mask(super::field::mstateen1::SE) => NO, { SE 63 "hstateen1 and sstateen1"; }
        /// State enables below M, register 2 (Smstateen).
        MSTATEEN2 0x30e mstateen2 needs[Smstateen] gates[] Mask(super::field::mstateen2::SE) => NO, { SE 63 "hstateen2 and sstateen2"; }
        /// State enables below M, register 3 (Smstateen).
        MSTATEEN3 0x30f mstateen3 needs[Smstateen] gates[] Mask(super::field::mstateen3::SE) => NO, { SE 63 "hstateen3 and sstateen3"; }
        /// Scratch word of the RNMI handler (Smrnmi, "RNMI CSRs").
        MNSCRATCH 0x740 mnscratch needs[Smrnmi] gates[] Any => NO, {}
        /// pc of the interrupted context (Smrnmi, "RNMI CSRs").
        MNEPC 0x741 mnepc needs[Smrnmi] gates[] Warl(warl::epc) => NO, {}
        /// Cause of the RNMI, or of the trap that became a double trap of M (Smrnmi, "RNMI CSRs").
        MNCAUSE 0x742 mncause needs[Smrnmi] gates[] Any => NO, { INTERRUPT 63 "an interrupt"; CODE 62..0 "0 for an RNMI, or an exception code"; }
        /// RNMI status (Smrnmi, "RNMI CSRs"). On a hart without Smrnmi the stored NMIE is 1.
        MNSTATUS 0x744 mnstatus needs[Smrnmi] gates[] Warl(warl::mnstatus) => CONTEXT.with(INTERRUPTS), {
            MNPP 12..11 "mode before the RNMI"; MNPELP 9 "ELP before the RNMI (Zicfilp)"; MNPV 7 "V before the RNMI";
            NMIE 3 "interrupts enabled at all; set by software, cleared by an RNMI";
        }

        /// Trap vector of S or HS (Privileged ISA, "Supervisor Trap Vector Base Address (stvec) Register").
        STVEC 0x105 stvec needs[S] gates[] Warl(warl::tvec) => NO, virt VSTVEC, { BASE 63..2 "address of the handler, in words"; MODE 1..0 "0 direct, 1 vectored"; }
        /// Counters readable in U and VU (Privileged ISA, "Supervisor Counter-Enable (scounteren) Register").
        SCOUNTEREN 0x106 scounteren needs[S] gates[] Warl(warl::counteren) => NO, { HPM 31..3 "hpmcounter3 to 31"; IR 2 "instret"; TM 1 "time"; CY 0 "cycle"; }
        /// Environment configuration of U and VU (Privileged ISA, "Supervisor Environment Configuration (senvcfg) Register").
        SENVCFG 0x10a senvcfg needs[S] gates[StateEn0(62)] Warl(warl::senvcfg) => CONTEXT, {
            CBZE 7 "cbo.zero enabled"; CBCFE 6 "cbo.clean and cbo.flush enabled"; CBIE 5..4 "cbo.inval: 0 trap, 1 flush, 3 invalidate";
            SSE 3 "shadow stacks enabled"; LPE 2 "landing pads enabled"; FIOM 0 "fence of I/O implies memory";
        }
        /// State enables of U and VU, register 0 (Ssstateen): no state of this machine has a bit.
        SSTATEEN0 0x10c sstateen0 needs[Ssstateen] gates[StateEn(0)] Fixed => NO, {}
        /// State enables of U and VU, register 1 (Ssstateen).
        SSTATEEN1 0x10d sstateen1 needs[Ssstateen] gates[StateEn(1)] Fixed => NO, {}
        /// State enables of U and VU, register 2 (Ssstateen).
        SSTATEEN2 0x10e sstateen2 needs[Ssstateen] gates[StateEn(2)] Fixed => NO, {}
        /// State enables of U and VU, register 3 (Ssstateen).
        SSTATEEN3 0x10f sstateen3 needs[Ssstateen] gates[StateEn(3)] Fixed => NO, {}
        /// Scratch word of S (Privileged ISA, "Supervisor Scratch (sscratch) Register").
        SSCRATCH 0x140 sscratch needs[S] gates[] Any => NO, virt VSSCRATCH, {}
        /// pc of the trap into S (Privileged ISA, "Supervisor Exception Program Counter (sepc) Register").
        SEPC 0x141 sepc needs[S] gates[] Warl(warl::epc) => NO, virt VSEPC, {}
        /// Cause of the trap into S (Privileged ISA, "Supervisor Cause (scause) Register").
        SCAUSE 0x142 scause needs[S] gates[] Any => NO, virt VSCAUSE, { INTERRUPT 63 "an interrupt"; CODE 62..0 "exception or interrupt code"; }
        /// Address or instruction of the trap into S (Privileged ISA, "Supervisor Trap Value (stval) Register").
        STVAL 0x143 stval needs[S] gates[] Any => NO, virt VSTVAL, {}
        /// Time of the supervisor timer interrupt, in timebase ticks (Sstc; Privileged ISA, "Supervisor Timer (stimecmp) Register").
        STIMECMP 0x14d stimecmp needs[Sstc] gates[Stce] Any => TIMER, virt VSTIMECMP, {}
        /// First-stage translation (Privileged ISA, "Supervisor Address Translation and Protection (satp) Register").
        SATP 0x180 satp needs[S] gates[Tvm] Warl(warl::satp) => CONTEXT, virt VSATP, {
            MODE 63..60 "0 Bare, 8 Sv39, 9 Sv48, 10 Sv57"; ASID 59..44 "address-space identifier"; PPN 43..0 "root page table";
        }

        /// Hypervisor status (Hypervisor, "Hypervisor Status (hstatus) Register").
        HSTATUS 0x600 hstatus needs[H] gates[] Warl(warl::hstatus) => CONTEXT.with(INTERRUPTS), {
            VSXL 33..32 "VS-mode XLEN (read-only 2: 64)"; VTSR 22 "trap SRET in VS"; VTW 21 "trap WFI in VS";
            VTVM 20 "trap virtual memory management in VS"; VGEIN 17..12 "guest external interrupt for VS";
            HU 9 "HLV and HSV in U"; SPVP 8 "privilege of HLV and HSV: 1 VS, 0 VU"; SPV 7 "V before the trap into HS";
            GVA 6 "stval holds a guest virtual address"; VSBE 5 "VS-mode big-endian (read-only 0)";
        }
        /// Exceptions delegated to VS (Hypervisor, "Hypervisor Trap Delegation (hedeleg and hideleg) Registers").
        HEDELEG 0x602 hedeleg needs[H] gates[] Warl(warl::hedeleg) => NO, {}
        /// Interrupts delegated to VS.
        HIDELEG 0x603 hideleg needs[H] gates[] Mask(warl::bit::VS) => INTERRUPTS, {}
        /// Added to time with V=1, in timebase ticks (Hypervisor, "Hypervisor Time Delta (htimedelta) Register").
        HTIMEDELTA 0x605 htimedelta needs[H Zicntr] gates[] Any => TIMER, {}
        /// Counters readable with V=1 (Hypervisor, "Hypervisor Counter-Enable (hcounteren) Register").
        HCOUNTEREN 0x606 hcounteren needs[H] gates[] Warl(warl::counteren) => NO, { HPM 31..3 "hpmcounter3 to 31"; IR 2 "instret"; TM 1 "time, vstimecmp"; CY 0 "cycle"; }
        /// Guest external interrupts that raise SGEI (Hypervisor, "Hypervisor Guest External Interrupt Registers (hgeip and hgeie)").
        HGEIE 0x607 hgeie needs[H] gates[] Warl(warl::hgeie) => INTERRUPTS, {}
        /// Environment configuration with V=1 (Hypervisor, "Hypervisor Environment Configuration Register (henvcfg)").
        HENVCFG 0x60a henvcfg needs[H] gates[StateEn0(62)] Warl(warl::henvcfg) => ENVCFG, {
            STCE 63 "vstimecmp enabled"; PBMTE 62 "Svpbmt enabled for the VS stage"; ADUE 61 "hardware updating of A and D at the VS stage";
            DTE 59 "double traps enabled in VS";
            CBZE 7 "cbo.zero enabled"; CBCFE 6 "cbo.clean and cbo.flush enabled"; CBIE 5..4 "cbo.inval: 0 trap, 1 flush, 3 invalidate";
            SSE 3 "shadow stacks enabled in VS"; LPE 2 "landing pads enabled in VS";
            FIOM 0 "fence of I/O implies memory";
        }
        /// State enables with V=1, register 0 (Smstateen).
        HSTATEEN0 0x60c hstateen0 needs[H Ssstateen] gates[StateEn(0)] Warl(warl::hstateen0) => NO, {
            SE0 63 "sstateen0"; ENVCFG 62 "senvcfg"; CSRIND 60 "siselect and sireg to sireg6"; CONTEXT 57 "scontext";
        }
        /// State enables with V=1, register 1 (Smstateen).
        HSTATEEN1 0x60d hstateen1 needs[H Ssstateen] gates[StateEn(1)] Warl(warl::hstateen1) => NO, { SE 63 "sstateen1"; }
        /// State enables with V=1, register 2 (Smstateen).
        HSTATEEN2 0x60e hstateen2 needs[H Ssstateen] gates[StateEn(2)] Warl(warl::hstateen2) => NO, { SE 63 "sstateen2"; }
        /// State enables with V=1, register 3 (Smstateen).
        HSTATEEN3 0x60f hstateen3 needs[H Ssstateen] gates[StateEn(3)] Warl(warl::hstateen3) => NO, { SE 63 "sstateen3"; }
        /// Guest physical address of the trap into HS, shifted right by 2 (Hypervisor, "Hypervisor Trap Value (htval) Register").
        HTVAL 0x643 htval needs[H] gates[] Any => NO, {}
        /// Virtual interrupts made pending for VS (Hypervisor, "Hypervisor Interrupt (hvip, hip, and hie) Registers").
        HVIP 0x645 hvip needs[H] gates[] Mask(warl::bit::VS) => INTERRUPTS, { VSEIP 10 "external"; VSTIP 6 "timer"; VSSIP 2 "software"; }
        /// Transformed trapping instruction (Hypervisor, "Hypervisor Trap Instruction (htinst) Register").
        HTINST 0x64a htinst needs[H] gates[] Any => NO, {}
        /// G-stage translation (Hypervisor, "Hypervisor Guest Address Translation and Protection (hgatp) Register").
        HGATP 0x680 hgatp needs[H] gates[Gtvm] Warl(warl::hgatp) => CONTEXT, {
            MODE 63..60 "0 Bare, 8 Sv39x4, 9 Sv48x4, 10 Sv57x4"; VMID 57..44 "virtual-machine identifier"; PPN 43..0 "root page table, 16 KiB-aligned";
        }

        /// VS-mode's sstatus (Hypervisor, "Virtual Supervisor Status (vsstatus) Register"). SD is computed when read and not stored.
        VSSTATUS 0x200 vsstatus needs[H] gates[] Warl(warl::vsstatus) => STATUS, {
            SD 63 "FS is Dirty (computed)"; UXL 33..32 "VU-mode XLEN (read-only 2: 64)";
            SDT 24 "VS-mode disable trap: the next trap into VS is a double trap (Ssdbltrp)"; SPELP 23 "ELP before the trap into VS (Zicfilp)";
            MXR 19 "make executable readable";
            SUM 18 "permit supervisor user memory access"; XS 16..15 "other extension state (read-only 0)";
            FS 14..13 "floating-point state: 0 off, 1 initial, 2 clean, 3 dirty"; VS 10..9 "vector state (read-only 0 without V)";
            SPP 8 "mode before the trap into VS"; UBE 6 "VU-mode big-endian (read-only 0)"; SPIE 5 "SIE before the trap into VS";
            SIE 1 "interrupts enabled in VS";
        }
        /// VS-mode's stvec (Hypervisor, "Virtual Supervisor Trap Vector Base Address (vstvec) Register").
        VSTVEC 0x205 vstvec needs[H] gates[] Warl(warl::tvec) => NO, { BASE 63..2 "address of the handler, in words"; MODE 1..0 "0 direct, 1 vectored"; }
        /// VS-mode's sscratch.
        VSSCRATCH 0x240 vsscratch needs[H] gates[] Any => NO, {}
        /// VS-mode's sepc.
        VSEPC 0x241 vsepc needs[H] gates[] Warl(warl::epc) => NO, {}
        /// VS-mode's scause.
        VSCAUSE 0x242 vscause needs[H] gates[] Any => NO, { INTERRUPT 63 "an interrupt"; CODE 62..0 "exception or interrupt code"; }
        /// VS-mode's stval.
        VSTVAL 0x243 vstval needs[H] gates[] Any => NO, {}
        /// VS-mode's stimecmp, compared with time plus htimedelta (Sstc; Hypervisor, "Virtual Supervisor Timer (vstimecmp) Register").
        VSTIMECMP 0x24d vstimecmp needs[H Sstc] gates[Stce] Any => TIMER, {}
        /// VS-stage translation (Hypervisor, "Virtual Supervisor Address Translation and Protection (vsatp) Register").
        VSATP 0x280 vsatp needs[H] gates[] Warl(warl::vsatp) => CONTEXT, {
            MODE 63..60 "0 Bare, 8 Sv39, 9 Sv48, 10 Sv57"; ASID 59..44 "address-space identifier"; PPN 43..0 "root page table";
        }

        /// Context number of the virtual machine, for triggers (Debug, Sdtrig).
        MCONTEXT 0x7a8 mcontext needs[Sdtrig] gates[] Mask(super::field::mcontext::HCONTEXT) => NO, { HCONTEXT 13..0 "number of the virtual machine"; }
        /// Context number of the process, for triggers (Debug, Sdtrig).
        SCONTEXT 0x5a8 scontext needs[Sdtrig S] gates[StateEn0(57)] Mask(0xffff_ffff) => NO, { DATA 31..0 "number of the context"; }
        /// Trigger control of a hart without S-mode (Debug, Sdtrig; "Native Triggers").
        TCONTROL 0x7a5 tcontrol needs[Sdtrig] gates[WithoutS] Warl(warl::tcontrol) => NO, { MPTE 7 "MTE before the trap into M"; MTE 3 "triggers fire in M"; }

        /// Floating-point control and status (Unprivileged ISA, "Floating-Point Control and Status Register").
        FCSR 0x003 fcsr needs[F] gates[Fs] Mask(0xff) => NO, {
            FRM 7..5 "dynamic rounding mode"; NV 4 "invalid operation"; DZ 3 "divide by zero"; OF 2 "overflow"; UF 1 "underflow"; NX 0 "inexact";
        }
        /// Shadow-stack pointer (Zicfiss, "Shadow Stack Pointer (ssp)"): a multiple of eight, as XLEN is never 32.
        SSP 0x011 ssp needs[Zicfiss] gates[Ssp] Mask(!7) => NO, {}
        /// Machine indirect register select (Smcsrind): no extension of this hart has machine-level values.
        MISELECT 0x350 miselect needs[Smcsrind] gates[] Warl(warl::select) => NO, {}
        /// Supervisor indirect register select (Sscsrind).
        SISELECT 0x150 siselect needs[Sscsrind] gates[StateEn0(60)] Warl(warl::select) => NO, virt VSISELECT, {}
        /// Virtual supervisor indirect register select (Sscsrind).
        VSISELECT 0x250 vsiselect needs[Sscsrind H] gates[StateEn0(60)] Warl(warl::select) => NO, {}
    }

    view {
        /// Accrued exceptions of fcsr.
        FFLAGS 0x001 fflags Fflags needs[F] gates[Fs] { NV 4 "invalid operation"; DZ 3 "divide by zero"; OF 2 "overflow"; UF 1 "underflow"; NX 0 "inexact"; }
        /// Dynamic rounding mode of fcsr.
        FRM 0x002 frm Frm needs[F] gates[Fs] { FRM 2..0 "0 RNE, 1 RTZ, 2 RDN, 3 RUP, 4 RMM"; }
        /// Cycle counter for RDCYCLE (Unprivileged ISA, "Zicntr").
        CYCLE 0xc00 cycle Cycle needs[Zicntr] gates[Counter(0)] {}
        /// Timer for RDTIME, in timebase ticks; htimedelta is added with V=1.
        TIME 0xc01 time Time needs[Zicntr] gates[Counter(1)] {}
        /// Instructions-retired counter for RDINSTRET.
        INSTRET 0xc02 instret Instret needs[Zicntr] gates[Counter(2)] {}
        /// Cycle counter (Privileged ISA, "Hardware Performance Monitor").
        MCYCLE 0xb00 mcycle Mcycle needs[] gates[] {}
        /// Instructions-retired counter.
        MINSTRET 0xb02 minstret Minstret needs[] gates[] {}
        /// Pending interrupts (Privileged ISA, "Machine Interrupt (mip and mie) Registers").
        MIP 0x344 mip Mip needs[] gates[] {
            LCOFIP 13 "counter overflow"; SGEIP 12 "supervisor guest external"; MEIP 11 "machine external";
            VSEIP 10 "virtual supervisor external"; SEIP 9 "supervisor external"; MTIP 7 "machine timer";
            VSTIP 6 "virtual supervisor timer"; STIP 5 "supervisor timer"; MSIP 3 "machine software";
            VSSIP 2 "virtual supervisor software"; SSIP 1 "supervisor software";
        }
        /// The S-mode part of mstatus (Privileged ISA, "Supervisor Status (sstatus) Register").
        SSTATUS 0x100 sstatus Sstatus needs[S] gates[] virt VSSTATUS, {
            SD 63 "FS is Dirty (computed)"; UXL 33..32 "U-mode XLEN (read-only 2: 64)";
            SDT 24 "S-mode disable trap: the next trap into S is a double trap (Ssdbltrp)"; SPELP 23 "ELP before the trap into S (Zicfilp)";
            MXR 19 "make executable readable";
            SUM 18 "permit supervisor user memory access"; XS 16..15 "other extension state (read-only 0)";
            FS 14..13 "floating-point state: 0 off, 1 initial, 2 clean, 3 dirty"; VS 10..9 "vector state (read-only 0 without V)";
            SPP 8 "mode before the trap into S"; UBE 6 "U-mode big-endian (read-only 0)"; SPIE 5 "SIE before the trap into S";
            SIE 1 "interrupts enabled in S";
        }
        /// The delegated part of mie (Privileged ISA, "Supervisor Interrupt (sip and sie) Registers").
        SIE 0x104 sie Sie needs[S] gates[] virt VSIE, { LCOFIE 13 "counter overflow"; SEIE 9 "external"; STIE 5 "timer"; SSIE 1 "software"; }
        /// The delegated part of mip.
        SIP 0x144 sip Sip needs[S] gates[] virt VSIP, { LCOFIP 13 "counter overflow"; SEIP 9 "external"; STIP 5 "timer"; SSIP 1 "software"; }
        /// Overflow flags of the counters enabled for the reader (Sscofpmf).
        SCOUNTOVF 0xda0 scountovf Scountovf needs[Sscofpmf] gates[Overflows] { OF 31..3 "mhpmevent3.OF to mhpmevent31.OF"; }
        /// The VS-level and guest external part of mie (Hypervisor, "Hypervisor Interrupt (hvip, hip, and hie) Registers").
        HIE 0x604 hie Hie needs[H] gates[] { SGEIE 12 "supervisor guest external"; VSEIE 10 "VS external"; VSTIE 6 "VS timer"; VSSIE 2 "VS software"; }
        /// The VS-level and guest external part of mip.
        HIP 0x644 hip Hip needs[H] gates[] { SGEIP 12 "supervisor guest external"; VSEIP 10 "VS external"; VSTIP 6 "VS timer"; VSSIP 2 "VS software"; }
        /// Pending guest external interrupts (Hypervisor, "Hypervisor Guest External Interrupt Registers (hgeip and hgeie)").
        HGEIP 0xe12 hgeip Hgeip needs[H] gates[] {}
        /// VS-mode's sie: hie's VS bits that hideleg delegates, one place to the right.
        VSIE 0x204 vsie Vsie needs[H] gates[] { SEIE 9 "external"; STIE 5 "timer"; SSIE 1 "software"; }
        /// VS-mode's sip: hip's VS bits that hideleg delegates, one place to the right.
        VSIP 0x244 vsip Vsip needs[H] gates[] { SEIP 9 "external"; STIP 5 "timer"; SSIP 1 "software"; }
        /// Trigger select (Debug, Sdtrig); zero on a hart without triggers.
        TSELECT 0x7a0 tselect Tselect needs[] gates[] {}
        /// Trigger info of the selected trigger (Debug, Sdtrig); on a hart without triggers INFO is 1, which says that there is none.
        TINFO 0x7a4 tinfo Tinfo needs[] gates[] { VERSION 31..24 "1"; INFO 15..0 "a bit for each type it can have" ; }
        /// HS-mode's view of mcontext (Debug, Sdtrig).
        HCONTEXT 0x6a8 hcontext Hcontext needs[Sdtrig H] gates[StateEn0(57)] { HCONTEXT 13..0 "number of the virtual machine"; }
        /// Machine indirect register alias 1 (Smcsrind, Sscsrind).
        MIREG 0x351 mireg Mireg needs[Smcsrind] gates[Mireg] {}
        /// Machine indirect register alias 2 (Smcsrind, Sscsrind).
        MIREG2 0x352 mireg2 Mireg2 needs[Smcsrind] gates[Mireg] {}
        /// Machine indirect register alias 3 (Smcsrind, Sscsrind).
        MIREG3 0x353 mireg3 Mireg3 needs[Smcsrind] gates[Mireg] {}
        /// Machine indirect register alias 4 (Smcsrind, Sscsrind).
        MIREG4 0x355 mireg4 Mireg4 needs[Smcsrind] gates[Mireg] {}
        /// Machine indirect register alias 5 (Smcsrind, Sscsrind).
        MIREG5 0x356 mireg5 Mireg5 needs[Smcsrind] gates[Mireg] {}
        /// Machine indirect register alias 6 (Smcsrind, Sscsrind).
        MIREG6 0x357 mireg6 Mireg6 needs[Smcsrind] gates[Mireg] {}
        /// Supervisor indirect register alias 1 (Smcsrind, Sscsrind).
        SIREG 0x151 sireg Sireg needs[Sscsrind] gates[StateEn0(60), Sireg(1)] virt VSIREG, {}
        /// Supervisor indirect register alias 2 (Smcsrind, Sscsrind).
        SIREG2 0x152 sireg2 Sireg2 needs[Sscsrind] gates[StateEn0(60), Sireg(2)] virt VSIREG2, {}
        /// Supervisor indirect register alias 3 (Smcsrind, Sscsrind).
        SIREG3 0x153 sireg3 Sireg3 needs[Sscsrind] gates[StateEn0(60), Sireg(3)] virt VSIREG3, {}
        /// Supervisor indirect register alias 4 (Smcsrind, Sscsrind).
        SIREG4 0x155 sireg4 Sireg4 needs[Sscsrind] gates[StateEn0(60), Sireg(4)] virt VSIREG4, {}
        /// Supervisor indirect register alias 5 (Smcsrind, Sscsrind).
        SIREG5 0x156 sireg5 Sireg5 needs[Sscsrind] gates[StateEn0(60), Sireg(5)] virt VSIREG5, {}
        /// Supervisor indirect register alias 6 (Smcsrind, Sscsrind).
        SIREG6 0x157 sireg6 Sireg6 needs[Sscsrind] gates[StateEn0(60), Sireg(6)] virt VSIREG6, {}
        /// Virtual supervisor indirect register alias 1 (Smcsrind, Sscsrind).
        VSIREG 0x251 vsireg Vsireg needs[Sscsrind H] gates[StateEn0(60), Mireg] {}
        /// Virtual supervisor indirect register alias 2 (Smcsrind, Sscsrind).
        VSIREG2 0x252 vsireg2 Vsireg2 needs[Sscsrind H] gates[StateEn0(60), Mireg] {}
        /// Virtual supervisor indirect register alias 3 (Smcsrind, Sscsrind).
        VSIREG3 0x253 vsireg3 Vsireg3 needs[Sscsrind H] gates[StateEn0(60), Mireg] {}
        /// Virtual supervisor indirect register alias 4 (Smcsrind, Sscsrind).
        VSIREG4 0x255 vsireg4 Vsireg4 needs[Sscsrind H] gates[StateEn0(60), Mireg] {}
        /// Virtual supervisor indirect register alias 5 (Smcsrind, Sscsrind).
        VSIREG5 0x256 vsireg5 Vsireg5 needs[Sscsrind H] gates[StateEn0(60), Mireg] {}
        /// Virtual supervisor indirect register alias 6 (Smcsrind, Sscsrind).
        VSIREG6 0x257 vsireg6 Vsireg6 needs[Sscsrind H] gates[StateEn0(60), Mireg] {}
        /// The delegated part of mcountinhibit (Smcdeleg, Ssccfg).
        SCOUNTINHIBIT 0x120 scountinhibit Scountinhibit needs[Ssccfg] gates[Cde] { HPM 31..3 "mhpmcounter3 to 31"; IR 2 "minstret"; CY 0 "mcycle"; }
    }

    array {
        /// Performance-monitoring counter (Unprivileged ISA, "Zihpm").
        HPMCOUNTER0 0xc00 hpmcounter Hpmcounter needs[Zihpm] gates counter_gate
            [3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31] {}
        /// Performance-monitoring counter, machine level (Privileged ISA, "Hardware Performance Monitor").
        MHPMCOUNTER0 0xb00 mhpmcounter Mhpmcounter needs[] gates no_gate
            [3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31] {}
        /// Event of a performance-monitoring counter (Privileged ISA, "Hardware Performance Monitor"; Sscofpmf).
        MHPMEVENT0 0x320 mhpmevent Mhpmevent needs[] gates no_gate
            [3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31] {
                OF 63 "overflowed, and no interrupt until cleared"; MINH 62 "not in M"; SINH 61 "not in S or HS"; UINH 60 "not in U";
                VSINH 59 "not in VS"; VUINH 58 "not in VU"; EVENT 55..0 "what is counted: 0 nothing, 1 cycles, 2 instructions retired, others as in `events`";
            }
        /// Eight PMP configuration bytes (Privileged ISA, "Physical Memory Protection CSRs"); entries from 16 on are read-only zero.
        PMPCFG0 0x3a0 pmpcfg Pmpcfg needs[] gates no_gate [0 2 4 6 8 10 12 14] {}
        /// Address of a PMP entry, shifted right by 2; entries from 16 on are read-only zero.
        PMPADDR0 0x3b0 pmpaddr Pmpaddr needs[] gates no_gate
            [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
             32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63] {}
        /// Data of the selected trigger (Debug, Sdtrig); zero on a hart without triggers.
        TDATA0 0x7a0 tdata Tdata needs[] gates no_gate [1 2 3] {}
    }

    state {
        /// The extensions of this hart.
        isa: Isa,
        /// Number of guest external interrupts (Hypervisor, "hgeip and hgeie": GEILEN), 0 to 63.
        geilen: u64,
        /// Bits of mip that software writes: SSIP, STIP (when stimecmp is off), SEIP and LCOFIP. VSSIP is in hvip.
        mip: u64,
        /// Interrupt signals from outside, by mip's bits: MSIP, MTIP, MEIP, SEIP; STIP and VSTIP hold the time comparisons.
        lines: u64,
        /// Guest external interrupt signals (hgeip).
        hgeip: u64,
        /// mip as it reads: every source combined. Kept up to date by every function that changes a source.
        pending: u64,
        /// Bits of henvcfg kept while menvcfg makes them read-only zero.
        henvcfg_latent: u64,
        /// SDT of mstatus (bit 0) and of vsstatus (bit 1), kept while DTE of menvcfg and henvcfg makes them read-only zero.
        sdt_latent: u64,
        /// ELP: the next instruction must be a landing pad (Zicfilp).
        elp: bool,
        /// Address of the RNMI interrupt trap handler (Smrnmi, "RNMI Handler Addresses"), which the board chooses.
        rnmi_vector: u64,
        /// Address of the handler of exceptions that M-mode raises while mnstatus.NMIE is clear.
        rnmi_exception_vector: u64,
        /// Value of each counter less its raw clock while it counts, or its value while it stands.
        counter_base: [u64; 32],
        /// Counters that count now (bit of mcounteren's order).
        counting: u64,
        /// Counters whose top bit was set when last written: their next carry is an overflow.
        armed: u64,
        /// Whether a counter's filter depends on the mode, so that `on_mode_change` must be called.
        counters_by_mode: bool,
        /// Counters whose event is one of instructions; follows from mhpmevent.
        step_counters: u64,
        /// Of these, counters of the counted TLBs' events.
        tlb_counters: u64,
        /// Counters whose event is one of traps; follows from mhpmevent.
        trap_counters: u64,
        /// Counters written since an engine last cleared this, which the writing instruction does not count in.
        written_counters: Scratch<u64>,
        /// mhpmevent3 to mhpmevent31, by number.
        mhpmevent: [u64; 32],
        /// The trigger module (Debug, Sdtrig).
        triggers: Triggers,
        /// PMP configuration bytes.
        pmpcfg: [u8; 16],
        /// PMP addresses, shifted right by 2.
        pmpaddr: [u64; 16],
    }
}
