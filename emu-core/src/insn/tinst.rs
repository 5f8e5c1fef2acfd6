//! The transformed instruction of mtinst and htinst (Hypervisor, "Transformed Instruction or Pseudoinstruction for mtinst or htinst").

use emu_csr::{Exception, Trap};

use super::{File, Format, Insn};

/// Completes a trap that instruction `insn` at `pc` raised: an explicit memory access puts its transformed instruction in tinst, unless
/// the fault came from an implicit access and there is a pseudo-instruction already.
#[cold]
pub fn complete_trap(mut trap: Trap, insn: &Insn, _pc: u64) -> Trap {
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
        trap.tinst = transform(insn);
    }
    trap
}

/// The transformation of a standard load, store, atomic or hypervisor access; 0 for anything else. Bit 1 tells a compressed
/// instruction apart. The address offset (how far tval lies behind the access's first byte) is filled in by the access itself when it
/// is not 0: only a misaligned access that faults in its second page has one.
fn transform(insn: &Insn) -> u64 {
    let w = insn.wide;
    let kept = match insn.def.format {
        // rs1 is replaced by the offset, the immediate by zero.
        Format::Load => w & 0x0000_7fff,
        Format::Store => w & 0x01f0_707f,
        Format::Amo | Format::Addr | Format::AddrStore => w & !(31 << 15),
        Format::Block => w & 0xfff0_7fff,
        _ => return 0,
    };
    debug_assert!(insn.def.operands.1 != File::F);
    u64::from(if insn.len == 2 { kept & !2 } else { kept })
}
