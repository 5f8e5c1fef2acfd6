//! Legal values of registers whose writable bits depend on the hart or on other registers. Each function gives what a
//! register holds after a write of `new` over `old`; all are pure and idempotent.

use crate::atp;
use crate::csrs::Csrs;
use crate::events::Event;
use crate::isa::Ext;
use crate::table::field::{hgatp, hstatus, menvcfg, mhpmevent, mnstatus, mseccfg, mstateen0, mstateen1, mstatus, satp};
use crate::trap::Exception::{self, *};

/// Interrupt bits (mip's order).
pub(crate) mod bit {
    pub(crate) const SSI: u64 = 1 << 1;
    pub(crate) const VSSI: u64 = 1 << 2;
    pub(crate) const MSI: u64 = 1 << 3;
    pub(crate) const STI: u64 = 1 << 5;
    pub(crate) const VSTI: u64 = 1 << 6;
    pub(crate) const MTI: u64 = 1 << 7;
    pub(crate) const SEI: u64 = 1 << 9;
    pub(crate) const VSEI: u64 = 1 << 10;
    pub(crate) const MEI: u64 = 1 << 11;
    pub(crate) const SGEI: u64 = 1 << 12;
    pub(crate) const LCOFI: u64 = 1 << 13;
    /// The VS-level interrupts.
    pub(crate) const VS: u64 = VSSI | VSTI | VSEI;
    /// What hip and hie show.
    pub(crate) const HS: u64 = VS | SGEI;
    /// The S-level interrupts.
    pub(crate) const S: u64 = SSI | STI | SEI;
    /// The M-level interrupts.
    pub(crate) const M: u64 = MSI | MTI | MEI;
}

/// `new` in `mask`, `old` elsewhere.
#[inline(always)]
pub(crate) const fn merge(old: u64, new: u64, mask: u64) -> u64 {
    old & !mask | new & mask
}

/// `mask` when the hart has `ext`.
#[inline(always)]
fn with(csrs: &Csrs, ext: Ext, mask: u64) -> u64 {
    if csrs.isa.has(ext) { mask } else { 0 }
}

/// The bits of mstatus that sstatus writes.
#[inline]
pub(crate) fn sstatus_mask(csrs: &Csrs) -> u64 {
    const S: u64 = mstatus::SIE | mstatus::SPIE | mstatus::SPP | mstatus::SUM | mstatus::MXR | mstatus::FS;
    with(csrs, Ext::S, S | with(csrs, Ext::Zicfilp, mstatus::SPELP) | sdt(csrs.menvcfg)) | with(csrs, Ext::F, mstatus::FS)
}

/// SDT where DTE of menvcfg or henvcfg makes it writable.
#[inline(always)]
const fn sdt(envcfg: u64) -> u64 {
    if envcfg & menvcfg::DTE != 0 { mstatus::SDT } else { 0 }
}

/// The bits of mstatus that a write through sstatus leaves.
#[inline]
pub(crate) fn sstatus(csrs: &Csrs, old: u64, new: u64) -> u64 {
    sdt_clears_sie(merge(old, new, sstatus_mask(csrs)))
}

/// Supervisor, "Double Trap Control in sstatus Register": SIE is cleared whenever a write leaves SDT set.
fn sdt_clears_sie(status: u64) -> u64 {
    if status & mstatus::SDT != 0 { status & !mstatus::SIE } else { status }
}

/// The bits of mstatus that sstatus shows besides those it writes.
pub(crate) const SSTATUS_FIXED: u64 = mstatus::UXL;

/// Privileged ISA, "Machine Status (mstatus and mstatush) Registers". MPP takes only modes the hart has.
pub(crate) fn mstatus(csrs: &Csrs, old: u64, new: u64) -> u64 {
    let mask = sstatus_mask(csrs)
        | mstatus::MIE
        | mstatus::MPIE
        | mstatus::MPP
        | with(csrs, Ext::U, mstatus::MPRV | mstatus::TW)
        | with(csrs, Ext::S, mstatus::TSR | mstatus::TVM)
        | with(csrs, Ext::H, mstatus::GVA | mstatus::MPV)
        | with(csrs, Ext::Zicfilp, mstatus::MPELP)
        | with(csrs, Ext::Smdbltrp, mstatus::MDT);
    let new = merge(old, new & !mstatus::MPP | legal_level(csrs, new >> 11) << 11, mask);
    // "Double Trap Control in mstatus Register": MIE cannot be set while MDT is.
    sdt_clears_sie(if new & mstatus::MDT != 0 { new & !mstatus::MIE } else { new })
}

/// A privilege level that the hart has: the reserved level 2, and a level the hart does not have, become the lowest.
fn legal_level(csrs: &Csrs, level: u64) -> u64 {
    match level & 3 {
        3 => 3,
        1 if csrs.isa.has(Ext::S) => 1,
        _ if csrs.isa.has(Ext::U) => 0,
        _ => 3,
    }
}

/// Smrnmi, "RNMI CSRs": NMIE can be set but not cleared.
pub(crate) fn mnstatus(csrs: &Csrs, old: u64, new: u64) -> u64 {
    use mnstatus::{MNPELP, MNPP, MNPV, NMIE};
    let mask = NMIE | MNPP | with(csrs, Ext::H, MNPV) | with(csrs, Ext::Zicfilp, MNPELP);
    old & NMIE | (new & !MNPP | legal_level(csrs, new >> 11) << 11) & mask
}

/// Hypervisor, "Virtual Supervisor Status (vsstatus) Register".
pub(crate) fn vsstatus(csrs: &Csrs, old: u64, new: u64) -> u64 {
    let mask = sstatus_mask(csrs) & !mstatus::SDT | sdt(csrs.henvcfg);
    sdt_clears_sie(merge(old, new, mask))
}

/// Hypervisor, "Hypervisor Status (hstatus) Register". A VGEIN beyond GEILEN leaves VGEIN as it is.
pub(crate) fn hstatus(csrs: &Csrs, old: u64, new: u64) -> u64 {
    const MASK: u64 = hstatus::VTSR | hstatus::VTW | hstatus::VTVM | hstatus::HU | hstatus::SPVP | hstatus::SPV | hstatus::GVA;
    let vgein = if new >> 12 & 63 <= csrs.geilen { hstatus::VGEIN } else { 0 };
    merge(old, new, MASK | vgein)
}

/// The bits of a set of exceptions in medeleg and hedeleg.
const fn exceptions(set: &[Exception]) -> u64 {
    let (mut mask, mut i) = (0, 0);
    while i < set.len() {
        mask |= 1 << set[i] as u8;
        i += 1;
    }
    mask
}

/// What a guest's kernel may take itself: of hedeleg writable on every hart.
const GUESTS: u64 = exceptions(&[
    InstAccessFault,
    IllegalInst,
    Breakpoint,
    LoadAddrMisaligned,
    LoadAccessFault,
    StoreAddrMisaligned,
    StoreAccessFault,
    EcallU,
    InstPageFault,
    LoadPageFault,
    StorePageFault,
    HardwareError,
]);

/// What only a hart with H raises, and VS-mode never takes.
const HYPERVISORS: u64 = exceptions(&[EcallVS, InstGuestPageFault, LoadGuestPageFault, VirtualInst, StoreGuestPageFault]);

/// Exceptions that exist on this hart and that medeleg may hand to S. An environment call from M goes to M, a double trap too.
pub(crate) fn medeleg(csrs: &Csrs, _: u64, new: u64) -> u64 {
    new & (GUESTS | exceptions(&[EcallS]) | with(csrs, Ext::H, HYPERVISORS) | raised_by_some(csrs))
}

/// Hypervisor, table "Bits of hedeleg that must be writable or must be read-only zero".
pub(crate) fn hedeleg(csrs: &Csrs, _: u64, new: u64) -> u64 {
    new & (GUESTS | raised_by_some(csrs))
}

/// Exceptions that only some harts raise: the address of an instruction is never misaligned with C, and a software check needs something
/// that makes it.
fn raised_by_some(csrs: &Csrs) -> u64 {
    let misaligned_fetch = if csrs.isa.has(Ext::Zca) { 0 } else { exceptions(&[InstAddrMisaligned]) };
    let checks = csrs.isa.has(Ext::Zicfilp) || csrs.isa.has(Ext::Zicfiss);
    misaligned_fetch | if checks { exceptions(&[SoftwareCheck]) } else { 0 }
}

/// S-level interrupts may be delegated; with H the VS-level ones and SGEI always are.
pub(crate) fn mideleg(csrs: &Csrs, _: u64, new: u64) -> u64 {
    new & (bit::S | with(csrs, Ext::Sscofpmf, bit::LCOFI)) | with(csrs, Ext::H, bit::HS)
}

/// Every interrupt the hart has.
pub(crate) fn mie(csrs: &Csrs, _: u64, new: u64) -> u64 {
    new & (bit::M | with(csrs, Ext::S, bit::S) | with(csrs, Ext::H, bit::HS) | with(csrs, Ext::Sscofpmf, bit::LCOFI))
}

/// Direct and vectored; the reserved modes lose their upper bit.
pub(crate) fn tvec(_: &Csrs, _: u64, new: u64) -> u64 {
    new & !2
}

/// IALIGN is 16 with C and 32 without.
pub(crate) fn epc(csrs: &Csrs, _: u64, new: u64) -> u64 {
    new & if csrs.isa.has(Ext::Zca) { !1 } else { !3 }
}

/// A bit for every counter. All have their M-level registers on every hart; without Zicntr or Zihpm the bits tell M-mode software, which
/// then reads them for the modes below (Privileged ISA, "Machine Counter-Enable (mcounteren) Register").
pub(crate) fn counteren(_: &Csrs, _: u64, new: u64) -> u64 {
    new & 0xffff_ffff
}

/// A bit for every counter that exists; time cannot be stopped. mcycle, minstret and the mhpmcounters exist on every hart.
pub(crate) fn countinhibit(_: &Csrs, _: u64, new: u64) -> u64 {
    new & 0xffff_fffd
}

/// The mode filters of modes the hart has (bits 62 to 58).
fn filters(csrs: &Csrs) -> u64 {
    mhpmevent::MINH
        | with(csrs, Ext::S, mhpmevent::SINH)
        | with(csrs, Ext::U, mhpmevent::UINH)
        | with(csrs, Ext::H, mhpmevent::VSINH | mhpmevent::VUINH)
}

/// Smcntrpmf: the same filters as Sscofpmf's, without OF.
pub(crate) fn countercfg(csrs: &Csrs, _: u64, new: u64) -> u64 {
    new & filters(csrs)
}

/// Sscofpmf's bits, and an event this machine counts; another event number selects nothing.
pub(crate) fn hpmevent(csrs: &Csrs, new: u64) -> u64 {
    let flags = with(csrs, Ext::Sscofpmf, mhpmevent::OF | filters(csrs));
    let event = if Event::of(new) == Event::None { 0 } else { new & mhpmevent::EVENT };
    new & flags | event
}

/// The fields of an xenvcfg that the hart has; CBIE's reserved value 2 becomes 0.
fn envcfg(csrs: &Csrs, new: u64) -> u64 {
    let new = if new & menvcfg::CBIE == 2 << 4 { new & !menvcfg::CBIE } else { new };
    new & (with(csrs, Ext::S, menvcfg::FIOM)
        | with(csrs, Ext::Zicbom, menvcfg::CBIE | menvcfg::CBCFE)
        | with(csrs, Ext::Zicboz, menvcfg::CBZE)
        | with(csrs, Ext::Svadu, menvcfg::ADUE)
        | with(csrs, Ext::Svpbmt, menvcfg::PBMTE)
        | with(csrs, Ext::Sstc, menvcfg::STCE)
        | with(csrs, Ext::Ssdbltrp, menvcfg::DTE)
        | with(csrs, Ext::Zicfilp, menvcfg::LPE)
        | with(csrs, Ext::Zicfiss, menvcfg::SSE))
}

/// Privileged ISA, "Machine Environment Configuration (menvcfg) Register".
pub(crate) fn menvcfg(csrs: &Csrs, _: u64, new: u64) -> u64 {
    envcfg(csrs, new) | new & with(csrs, Ext::Smcdeleg, menvcfg::CDE)
}

/// siselect and its like: "0..0xFFF at a minimum". A value beyond leaves the register as it is.
pub(crate) fn select(_: &Csrs, old: u64, new: u64) -> u64 {
    if new <= 0xfff { new } else { old }
}

/// The bits of henvcfg that are read-only zero while the same bit of menvcfg is zero.
pub(crate) const HENVCFG_UNDER_M: u64 = menvcfg::PBMTE | menvcfg::ADUE | menvcfg::STCE | menvcfg::DTE | menvcfg::SSE;

/// Hypervisor, "Hypervisor Environment Configuration Register (henvcfg)".
pub(crate) fn henvcfg(csrs: &Csrs, _: u64, new: u64) -> u64 {
    envcfg(csrs, new) & (csrs.menvcfg | !HENVCFG_UNDER_M)
}

/// Privileged ISA, "Supervisor Environment Configuration (senvcfg) Register".
pub(crate) fn senvcfg(csrs: &Csrs, _: u64, new: u64) -> u64 {
    envcfg(csrs, new) & (!HENVCFG_UNDER_M | menvcfg::SSE)
}

/// Smepmp: MML and MMWP stay once set; RLB cannot be set again while an entry is locked.
pub(crate) fn mseccfg(csrs: &Csrs, old: u64, new: u64) -> u64 {
    let locked = csrs.pmpcfg.iter().any(|cfg| cfg & 0x80 != 0);
    let rlb = if locked && old & mseccfg::RLB == 0 { 0 } else { new & mseccfg::RLB };
    let pmp = (old | new) & (mseccfg::MML | mseccfg::MMWP) | rlb;
    pmp & with(csrs, Ext::Smepmp, u64::MAX) | new & with(csrs, Ext::Zicfilp, mseccfg::MLPE)
}

/// Privileged ISA, "satp": a write with an unsupported MODE has no effect.
pub(crate) fn satp(csrs: &Csrs, old: u64, new: u64) -> u64 {
    if atp::legal(csrs.isa, new) { new } else { old }
}

/// Hypervisor, "vsatp": written as itself its fields are WARL one by one, an unsupported MODE stays as it was. (Written as
/// satp with V=1, such a write has no effect at all; the caller sees to that.)
pub(crate) fn vsatp(csrs: &Csrs, old: u64, new: u64) -> u64 {
    if atp::legal(csrs.isa, new) { new } else { merge(new, old, satp::MODE) }
}

/// Hypervisor, "hgatp": an unsupported MODE stays as it was, the root table is 16 KiB-aligned, VMIDs have 14 bits.
pub(crate) fn hgatp(csrs: &Csrs, old: u64, new: u64) -> u64 {
    let mode = if atp::legal(csrs.isa, new) { hgatp::MODE } else { 0 };
    merge(old, new, mode | hgatp::VMID | hgatp::PPN & !3)
}

/// Bits GEILEN to 1.
pub(crate) fn hgeie(csrs: &Csrs, _: u64, new: u64) -> u64 {
    new & guest_lines(csrs.geilen)
}

/// The mask of guest external interrupts GEILEN to 1.
pub(crate) fn guest_lines(geilen: u64) -> u64 {
    (u64::MAX >> (63 - geilen.min(63))) & !1
}

/// Debug, tcontrol: a hart with S-mode prevents re-entrancy without it.
pub(crate) fn tcontrol(csrs: &Csrs, _: u64, new: u64) -> u64 {
    if csrs.isa.has(Ext::S) { 0 } else { new & 0x88 }
}

/// Smstateen: what mstateen closes is read-only zero; the bit below keeps its value for when it opens again.
fn hstateen(mstateen: u64, mask: u64, old: u64, new: u64) -> u64 {
    merge(old, new, mask & mstateen)
}

/// The state of this hart that has a bit of its own in mstateen0 and hstateen0.
fn stateen0(csrs: &Csrs) -> u64 {
    use mstateen0::{CONTEXT, CSRIND, ENVCFG, SE0};
    SE0 | ENVCFG | with(csrs, Ext::Sdtrig, CONTEXT) | with(csrs, Ext::Sscsrind, CSRIND)
}

pub(crate) fn mstateen0(csrs: &Csrs, old: u64, new: u64) -> u64 {
    merge(old, new, stateen0(csrs))
}

pub(crate) fn hstateen0(csrs: &Csrs, old: u64, new: u64) -> u64 {
    hstateen(csrs.mstateen0, stateen0(csrs), old, new)
}

pub(crate) fn hstateen1(csrs: &Csrs, old: u64, new: u64) -> u64 {
    hstateen(csrs.mstateen1, mstateen1::SE, old, new)
}

pub(crate) fn hstateen2(csrs: &Csrs, old: u64, new: u64) -> u64 {
    hstateen(csrs.mstateen2, mstateen1::SE, old, new)
}

pub(crate) fn hstateen3(csrs: &Csrs, old: u64, new: u64) -> u64 {
    hstateen(csrs.mstateen3, mstateen1::SE, old, new)
}
