//! Address-translation fences (Privileged ISA, "Supervisor Memory-Management Fence Instruction"; Hypervisor, "Hypervisor
//! Memory-Management Fence Instructions").

use emu_csr::Mode;

use super::bank::Stale;
use super::context::Context;
use super::{Fence, Stage};
use crate::hart::Hart;

impl Hart {
    /// Executes an address-translation fence on this hart. More may be dropped than the fence asks for, never less.
    pub fn fence(&mut self, fence: Fence) {
        // The counted TLBs are emptied by any fence.
        if let Some(counted) = &mut self.counted {
            **counted = Default::default();
        }
        let matches = |c: &Context| match fence.stage {
            Stage::S => matches!(c.mode, Mode::U | Mode::HS) && fence.id.is_none_or(|id| id == c.asid()),
            Stage::Vs => c.mode.virt() && fence.vmid.is_none_or(|id| id == c.vmid()) && fence.id.is_none_or(|id| id == c.asid()),
            Stage::G => c.mode.virt() && fence.id.is_none_or(|id| id == c.vmid()),
        };
        match (fence.stage, fence.addr) {
            // "Accesses to global mappings are not ordered" by a fence of one ASID.
            (Stage::S, None) => self.tlb.drop_banks(if fence.id.is_some() { Stale::Local } else { Stale::All }, matches),
            // Entries are found by virtual address only. No translation of a guest is cached as global.
            (Stage::G, _) | (_, None) => self.tlb.drop_banks(Stale::Local, matches),
            (_, Some(va)) => self.tlb.drop_address(va, matches),
        }
    }
}
