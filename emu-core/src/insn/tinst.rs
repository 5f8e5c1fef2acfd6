//! The transformed instruction of mtinst and htinst (Hypervisor, "Transformed Instruction or Pseudoinstruction for mtinst or htinst").

use emu_csr::{Exception, Trap};

use super::{Format, Insn};
use crate::hart::Hart;

/// Completes a trap that instruction `insn` raised on `hart`: an explicit memory access puts its transformed instruction in tinst,
/// unless the fault came from an implicit access and there is a pseudo-instruction already.
#[cold]
pub fn complete_trap(mut trap: Trap, insn: &Insn, hart: &Hart) -> Trap {
    use Exception::*;
    let access = matches!(
        trap.cause,
        LoadAddrMisaligned
            | LoadAccessFault
            | StoreAddrMisaligned
            | StoreAccessFault
            | LoadPageFault
            | StorePageFault
            | LoadGuestPageFault
            | StoreGuestPageFault
    );
    if access && trap.tinst == 0 {
        // The instruction has changed no register, so its address can be computed again.
        let address = match insn.def.format {
            Format::Load | Format::Store => hart.get(insn.rs1).wrapping_add(insn.imm as i64 as u64),
            _ => hart.get(insn.rs1),
        };
        trap.tinst = transform(insn, trap.tval.wrapping_sub(address));
    }
    trap
}

/// The transformation of a standard load, store, atomic, hypervisor access or cache-block instruction; 0 for anything else.
/// `offset` is how far the faulting address lies behind the access's first byte: not 0 only for a misaligned access that faults
/// in its second part. Bit 1 tells a compressed instruction apart.
fn transform(insn: &Insn, offset: u64) -> u64 {
    let w = insn.wide;
    let kept = match insn.def.format {
        // rs1 is replaced by the offset, the immediate by zero.
        Format::Load => w & 0x0000_7fff | offset_field(offset),
        Format::Store => w & 0x01f0_707f | offset_field(offset),
        Format::Amo | Format::Addr | Format::AddrStore => w & !(31 << 15) | offset_field(offset),
        // "CMO instructions": the fault's address is the effective address, and the field is zero.
        Format::Block => w & !(31 << 15),
        _ => return 0,
    };
    u64::from(if insn.len == 2 { kept & !2 } else { kept })
}

/// Addr. Offset, bits 19:15; an access is at most 16 bytes long.
fn offset_field(offset: u64) -> u32 {
    (offset as u32 & 31) << 15
}
