//! satp, vsatp and hgatp: what their fields say. MODE and PPN have the same places and numbers in all three (Privileged ISA, "Supervisor
//! Address Translation and Protection (satp) Register"; Hypervisor, "Hypervisor Guest Address Translation and Protection (hgatp) Register").

use crate::isa::{Ext, Isa};
use crate::table::field::{hgatp, satp};
use crate::table::get;

/// Levels of page tables that MODE asks for: 3 (Sv39), 4 (Sv48), 5 (Sv57), or 0 for Bare and the reserved numbers.
#[inline(always)]
pub const fn levels(atp: u64) -> u32 {
    match mode(atp) {
        8 => 3,
        9 => 4,
        10 => 5,
        _ => 0,
    }
}

/// MODE.
#[inline(always)]
pub const fn mode(atp: u64) -> u8 {
    get(atp, satp::MODE) as u8
}

/// Physical address of the root page table.
#[inline(always)]
pub const fn root(atp: u64) -> u64 {
    (atp & satp::PPN) << 12
}

/// ASID of satp or vsatp.
#[inline(always)]
pub const fn asid(atp: u64) -> u16 {
    get(atp, satp::ASID) as u16
}

/// VMID of hgatp.
#[inline(always)]
pub const fn vmid(hgatp: u64) -> u16 {
    get(hgatp, hgatp::VMID) as u16
}

/// Whether a hart with these extensions has the translation mode of a value.
pub(crate) fn legal(isa: Isa, atp: u64) -> bool {
    match levels(atp) {
        3 => isa.has(Ext::Sv39),
        4 => isa.has(Ext::Sv48),
        5 => isa.has(Ext::Sv57),
        _ => mode(atp) == 0,
    }
}
