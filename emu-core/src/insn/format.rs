//! Operand formats: where an encoding keeps its registers and immediate, and how the disassembler writes them.

use super::Insn;

/// Operand format of a 32-bit encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// rd, rs1, rs2.
    R,
    /// rd, rs1, rs2, rs3 (fused multiply-add).
    R4,
    /// rd, rs1.
    R1,
    /// rd, rs1, 12-bit immediate.
    I,
    /// rd, rs1, 6-bit shift amount.
    Shift,
    /// rd, rs1, 5-bit shift amount.
    ShiftW,
    /// rd, imm(rs1).
    Load,
    /// rs2, imm(rs1).
    Store,
    /// rs1, rs2, pc-relative target.
    B,
    /// rd, upper immediate.
    U,
    /// rd, pc-relative target.
    J,
    /// rd, csr, rs1.
    Csr,
    /// rd, csr, 5-bit immediate in the rs1 field.
    CsrI,
    /// rd, (rs1): load-reserved, hypervisor loads.
    Addr,
    /// rd, rs2, (rs1): atomics and store-conditional.
    Amo,
    /// rs2, (rs1): hypervisor stores.
    AddrStore,
    /// (rs1) alone: cache block operations.
    Block,
    /// imm(rs1): prefetches.
    Prefetch,
    /// rs1, rs2 without rd: fences of address translation.
    Fence2,
    /// Nothing.
    None,
}

/// Which register file an operand field names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum File {
    /// The field is not a register.
    None,
    /// Integer.
    X,
    /// Floating-point.
    F,
}

/// Register operands: rd, rs1, rs2, rs3.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Operands(pub File, pub File, pub File, pub File);

impl Format {
    /// The integer operands a format has when no floating-point one is declared.
    pub const fn integer(self) -> Operands {
        use File::{None as N, X};
        match self {
            Format::R | Format::Amo => Operands(X, X, X, N),
            Format::R4 => Operands(X, X, X, X),
            Format::R1 | Format::I | Format::Shift | Format::ShiftW | Format::Load | Format::Csr | Format::Addr => {
                Operands(X, X, N, N)
            }
            Format::Store | Format::B | Format::AddrStore | Format::Fence2 => Operands(N, X, X, N),
            Format::U | Format::J | Format::CsrI => Operands(X, N, N, N),
            Format::Block | Format::Prefetch => Operands(N, X, N, N),
            Format::None => Operands(N, N, N, N),
        }
    }

    /// The immediate of an encoding, sign-extended.
    pub const fn imm(self, w: u32) -> i32 {
        let i = w as i32;
        match self {
            Format::I | Format::Load => i >> 20,
            Format::Shift => (w >> 20 & 63) as i32,
            Format::ShiftW => (w >> 20 & 31) as i32,
            Format::Store => i >> 25 << 5 | (w >> 7 & 31) as i32,
            Format::Prefetch => i >> 25 << 5,
            Format::B => i >> 31 << 12 | (w << 4 & 0x800) as i32 | (w >> 20 & 0x7e0) as i32 | (w >> 7 & 0x1e) as i32,
            Format::U => (w & 0xffff_f000) as i32,
            Format::J => i >> 31 << 20 | (w & 0xf_f000) as i32 | (w >> 9 & 0x800) as i32 | (w >> 20 & 0x7fe) as i32,
            Format::Csr | Format::CsrI => (w >> 20) as i32,
            Format::R | Format::R4 | Format::R1 => (w >> 12 & 7) as i32,
            _ => 0,
        }
    }
}

impl Insn {
    /// The CSR number of a Zicsr instruction.
    pub fn csr(&self) -> u16 {
        self.imm as u16 & 0xfff
    }
}
