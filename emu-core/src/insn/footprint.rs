//! What an instruction does to data memory, from its encoding and the registers it reads: for counting events and for debug
//! triggers, which look at an access before it is made.

use super::Insn;
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

/// Kinds of instructions that access memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A load or a store.
    Plain,
    /// LR.
    LoadReserved,
    /// SC.
    StoreConditional,
    /// An AMO or AMOCAS.
    Amo,
    /// A cache-block instruction.
    Block,
}

/// The low `size` bytes.
fn low(value: u64, size: u8) -> u64 {
    if size >= 8 { value } else { value & ((1 << (8 * size)) - 1) }
}

/// The access that `insn` makes if it does not trap; none if it makes none.
pub fn footprint(hart: &Hart, insn: &Insn) -> Option<Footprint> {
    let wide = insn.wide;
    let (funct3, funct7) = (wide >> 12 & 7, wide >> 25);
    let rs1 = hart.get((wide >> 15 & 31) as u8);
    let rs2 = (wide >> 20 & 31) as usize;
    let mode = || hart.data_access().mode;
    let plain = |va: u64, size: u8, store: bool, data: Option<u64>, mode: Mode| {
        let data = data.map(|d| low(d, size));
        Some(Footprint { va, size, load: !store, store, kind: Kind::Plain, mode, data })
    };
    let i_imm = (wide as i32 >> 20) as i64 as u64;
    let s_imm = ((wide as i32 >> 25 << 5) | (wide >> 7 & 31) as i32) as i64 as u64;
    match wide & 0x7f {
        // LOAD: funct3 is log2 of the size, bit 2 unsigned. LOAD-FP and STORE-FP: 1 h, 2 w, 3 d.
        0x03 if funct3 != 7 => plain(rs1.wrapping_add(i_imm), 1 << (funct3 & 3), false, None, mode()),
        0x07 if (1..=3).contains(&funct3) => plain(rs1.wrapping_add(i_imm), 1 << funct3, false, None, mode()),
        0x23 if funct3 <= 3 => plain(rs1.wrapping_add(s_imm), 1 << funct3, true, Some(hart.x[rs2]), mode()),
        0x27 if (1..=3).contains(&funct3) => plain(rs1.wrapping_add(s_imm), 1 << funct3, true, Some(hart.f[rs2]), mode()),
        0x2f if funct3 <= 4 => {
            let kind = match funct7 >> 2 {
                2 => Kind::LoadReserved,
                3 => Kind::StoreConditional,
                _ => Kind::Amo,
            };
            let (load, store) = (kind != Kind::StoreConditional, kind != Kind::LoadReserved);
            let size = 1u8 << funct3;
            let data = (kind == Kind::StoreConditional).then(|| low(hart.x[rs2], size));
            Some(Footprint { va: rs1, size, load, store, kind, mode: mode(), data })
        }
        // MISC-MEM, CBO: rd is x0.
        0x0f if funct3 == 2 && wide >> 7 & 31 == 0 => {
            Some(Footprint { va: rs1, size: 0, load: false, store: true, kind: Kind::Block, mode: mode(), data: None })
        }
        // SYSTEM, HLV and HSV: 0110sst with t set for a store.
        0x73 if funct3 == 4 && funct7 >> 3 == 0b0110 => {
            let mode = if hart.csr.hstatus & hstatus::SPVP != 0 { Mode::VS } else { Mode::VU };
            let (size, store) = (1 << (funct7 >> 1 & 3), funct7 & 1 != 0);
            plain(rs1, size, store, store.then_some(hart.x[rs2]), mode)
        }
        _ => None,
    }
}
