//! What an instruction reads and writes, as its declaration and its operand fields tell, without a hart: for tests, for schedules that
//! must know which steps of two harts can disturb each other, and for everything that looks at an access before it is made.

use super::{File, Format, Insn};
use crate::timing::TimingClass;

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

/// The explicit memory access of an instruction. Its address is rs1, plus the immediate in the formats of loads and stores.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemoryAccess {
    /// What kind of instruction it is.
    pub kind: Kind,
    /// Bytes: 1, 2, 4, 8 or 16; 0 for a cache block, whose size is not the instruction's.
    pub size: u8,
    /// It reads.
    pub load: bool,
    /// It writes, or counts as a write (cache-block instructions).
    pub store: bool,
    /// It goes through the guest's translation (HLV, HLVX, HSV).
    pub guest: bool,
    /// It compares with rd first (AMOCAS); of 16 bytes, with register pairs.
    pub compare: bool,
}

impl MemoryAccess {
    /// A load (`store` false) or store of `size` bytes.
    pub const fn plain(size: u8, store: bool) -> MemoryAccess {
        MemoryAccess { kind: Kind::Plain, size, load: !store, store, guest: false, compare: false }
    }

    /// The access of the declaration with these fixed bits, as the major opcodes say (Unprivileged ISA, "RV32/64G Instruction Set
    /// Listings"). Declarations with an access that their opcode does not tell of say so themselves.
    pub(super) const fn of(bits: u32, format: Format) -> Option<MemoryAccess> {
        let (funct3, funct7) = (bits >> 12 & 7, bits >> 25);
        let size = 1u8 << (funct3 & 3);
        match bits & 0x7f {
            // LOAD, LOAD-FP, STORE, STORE-FP: funct3 is log2 of the size, bit 2 tells unsigned loads.
            0x03 | 0x07 => Some(MemoryAccess::plain(size, false)),
            0x23 | 0x27 => Some(MemoryAccess::plain(size, true)),
            0x2f => {
                let size = 1u8 << funct3;
                Some(match funct7 >> 2 {
                    2 => MemoryAccess { kind: Kind::LoadReserved, ..MemoryAccess::plain(size, false) },
                    3 => MemoryAccess { kind: Kind::StoreConditional, ..MemoryAccess::plain(size, true) },
                    f => MemoryAccess { kind: Kind::Amo, load: true, compare: f == 5, ..MemoryAccess::plain(size, true) },
                })
            }
            // MISC-MEM, CBO.
            0x0f if matches!(format, Format::Block) => Some(MemoryAccess { kind: Kind::Block, ..MemoryAccess::plain(0, true) }),
            // SYSTEM, HLV and HSV: 0110sst with t set for a store.
            0x73 if funct3 == 4 && matches!(format, Format::Addr | Format::AddrStore) => {
                Some(MemoryAccess { guest: true, ..MemoryAccess::plain(1 << (funct7 >> 1 & 3), funct7 & 1 != 0) })
            }
            _ => None,
        }
    }
}

/// How a Zicsr instruction uses its CSR.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CsrUse {
    /// The CSR's number.
    pub csr: u16,
    /// It is read (CSRRW with rd=x0 does not).
    pub read: bool,
    /// It is written (CSRRS and CSRRC with rs1=x0 do not).
    pub write: bool,
}

/// What an instruction reads and writes besides pc and the clocks. x0 is never in a set. A register, CSR or byte that is not
/// named neither influences the instruction nor changes, unless it traps or `system` is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Touches {
    /// Integer registers read, one bit each.
    pub x_read: u32,
    /// Integer registers written.
    pub x_written: u32,
    /// Floating-point registers read.
    pub f_read: u32,
    /// Floating-point registers written.
    pub f_written: u32,
    /// The explicit memory access.
    pub memory: Option<MemoryAccess>,
    /// The CSR that a Zicsr instruction names.
    pub csr: Option<CsrUse>,
    /// It is a floating-point instruction: it needs FS, may make it Dirty, reads frm and accrues flags.
    pub float: bool,
    /// A privileged or fence instruction: it may read and change privileged state at large.
    pub system: bool,
}

impl Insn {
    /// What this instruction reads and writes.
    pub fn touches(&self) -> Touches {
        let mut t = Touches { memory: self.def.access, ..Touches::default() };
        let o = self.def.operands;
        let one = |r: u8| 1u32 << (r & 31);
        for (file, register) in [(o.1, self.rs1), (o.2, self.rs2), (o.3, self.rs3)] {
            match file {
                File::X => t.x_read |= one(register),
                File::F => t.f_read |= one(register),
                File::None => {}
            }
        }
        match o.0 {
            File::X => t.x_written |= one(self.rd),
            File::F => t.f_written |= one(self.rd),
            File::None => {}
        }
        if let Some(m) = t.memory.filter(|m| m.compare) {
            t.x_read |= one(self.rd);
            if m.size == 16 {
                // A pair that starts with x0 reads as zero and is not written.
                let pair = |r: u8| if r == 0 { 0 } else { one(r + 1) };
                t.x_read |= pair(self.rd) | pair(self.rs2);
                t.x_written |= pair(self.rd);
            }
        }
        if matches!(self.def.format, Format::Csr | Format::CsrI) {
            // funct3 1 and 5 write always and read only for rd; the others read always and write only for rs1.
            let swap = self.wide >> 12 & 3 == 1;
            t.csr = Some(CsrUse { csr: self.csr(), read: !swap || self.rd != 0, write: swap || self.rs1 != 0 });
        }
        t.float = [o.0, o.1, o.2, o.3].contains(&File::F);
        t.system = matches!(self.def.class, TimingClass::System | TimingClass::Fence);
        (t.x_read, t.x_written) = (t.x_read & !1, t.x_written & !1);
        t
    }
}
