//! What an instruction does to data memory, from its encoding and the registers it reads: for counting events and for debug
//! triggers, which look at an access before it is made.

use super::access::{Kind, MemoryAccess};
use super::{File, Format, Insn};
use crate::hart::Hart;
use emu_csr::Mode;
use emu_csr::table::field::hstatus;

/// An explicit memory access that an instruction is about to make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Footprint {
    /// Virtual address of the first byte.
    pub va: u64,
    /// Bytes: 1, 2, 4, 8 or 16; 0 for a cache block, whose size is not the instruction's.
    pub size: u8,
    /// It reads.
    pub load: bool,
    /// It writes, or counts as a write (cache-block instructions).
    pub store: bool,
    /// What kind of instruction it is.
    pub kind: Kind,
    /// Effective privilege.
    pub mode: Mode,
    /// What it stores: rs2's low `size` bytes, where the store is that.
    pub data: Option<u64>,
}

/// The low `size` bytes.
fn low(value: u64, size: u8) -> u64 {
    if size >= 8 { value } else { value & ((1 << (8 * size)) - 1) }
}

/// The access that `insn` makes if it does not trap; none if it makes none.
pub fn footprint(hart: &Hart, insn: &Insn) -> Option<Footprint> {
    let MemoryAccess { kind, size, load, store, guest, .. } = insn.def.access?;
    let offset = match insn.def.format {
        Format::Load | Format::Store => insn.imm as i64 as u64,
        _ => 0,
    };
    let mode = match guest {
        false => hart.data_access().mode,
        true if hart.csr.hstatus & hstatus::SPVP != 0 => Mode::VS,
        true => Mode::VU,
    };
    let data = match (store && matches!(kind, Kind::Plain | Kind::StoreConditional), insn.def.operands.2) {
        (true, File::X) => Some(low(hart.get(insn.rs2), size)),
        (true, File::F) => Some(low(hart.f[usize::from(insn.rs2 & 31)], size)),
        _ => None,
    };
    Some(Footprint { va: hart.get(insn.rs1).wrapping_add(offset), size, load, store, kind, mode, data })
}
