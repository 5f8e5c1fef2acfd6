//! The instruction table: one declaration an instruction, from which decode, semantics, text, operand footprint and timing class come.
//!
//! One file an extension; its `TABLE` is one line in [`TABLES`]. Compressed instructions expand to the 32-bit ones the manual defines them
//! by.

mod a;
mod access;
mod amo;
mod compressed;
pub mod d;
mod decode;
mod disasm;
mod encode;
pub mod f;
mod footprint;
mod format;
pub mod fpu;
mod h;
pub mod i;
pub mod m;
mod macros;
pub mod shape;
mod system;
mod tinst;
pub mod zba;
pub mod zbb;
pub mod zbc;
pub mod zbkb;
pub mod zbs;
pub mod zfa;
pub mod zfh;
mod zicbo;
pub mod zicfilp;
mod zicfiss;
pub mod zicond;
mod zicsr;
pub mod zimop;

use emu_csr::{Ext, Isa, Trap};

use crate::bus::Bus;
use crate::engine::block::Fast;
use crate::hart::Hart;
use crate::timing::TimingClass;

pub use access::{CsrUse, Kind as FootprintKind, MemoryAccess, Touches};
pub use decode::Decoder;
pub use disasm::{F_NAMES, X_NAMES, disassemble};
pub use encode::{Fields, by_name};
pub use footprint::{Footprint, footprint};
pub use format::{File, Format, Operands};
pub use shape::Shape;
pub use tinst::complete_trap;

/// All tables. Order does not matter: no two encodings that a hart can have together overlap (tested).
pub static TABLES: &[&[InsnDef]] = &[
    i::TABLE,
    m::TABLE,
    a::TABLE,
    amo::TABLE,
    zicsr::TABLE,
    system::TABLE,
    h::TABLE,
    zba::TABLE,
    zbb::TABLE,
    zbc::TABLE,
    zbs::TABLE,
    zbkb::TABLE,
    zicond::TABLE,
    zicbo::TABLE,
    zimop::TABLE,
    zicfilp::TABLE,
    zicfiss::TABLE,
    f::TABLE,
    d::TABLE,
    zfh::TABLE,
    zfa::TABLE,
];

/// Executes one instruction under the contract of [`Hart`].
pub type Exec = fn(&mut Hart, &mut Bus, &Insn) -> Result<(), Trap>;

/// A decoded instruction: what both engines run.
#[derive(Clone, Copy)]
pub struct Insn {
    /// Its declaration.
    pub def: &'static InsnDef,
    /// Sign-extended immediate, shift amount, CSR number or rounding mode as the format says.
    pub imm: i32,
    /// Bits as fetched (a compressed instruction's 16 bits).
    pub raw: u32,
    /// The 32-bit encoding: `raw`, or what it expands to.
    pub wide: u32,
    /// Destination register.
    pub rd: u8,
    /// First source register.
    pub rs1: u8,
    /// Second source register.
    pub rs2: u8,
    /// Third source register.
    pub rs3: u8,
    /// Length in bytes: 2 or 4.
    pub len: u8,
    /// Bytes from the start of the block it was decoded for; 0 outside of blocks.
    pub off: u16,
}

/// Declaration of one 32-bit encoding.
pub struct InsnDef {
    /// Mnemonic.
    pub name: &'static str,
    /// Which bits are fixed.
    pub mask: u32,
    /// Their values.
    pub bits: u32,
    /// Any of these extensions provides it; empty: always there.
    pub needs: &'static [Ext],
    /// And all of these.
    pub also: &'static [Ext],
    /// Operand format.
    pub format: Format,
    /// Which register file each operand is in.
    pub operands: Operands,
    /// The explicit memory access it makes.
    pub access: Option<MemoryAccess>,
    /// Timing class.
    pub class: TimingClass,
    /// What the block builder needs to know.
    pub shape: Shape,
    /// Semantics.
    pub exec: Exec,
    /// The block engine's handler with the same semantic function inside; none: it calls `exec`.
    pub fast: Option<Fast>,
}

impl InsnDef {
    /// Whether a hart with these extensions has the instruction.
    pub fn present(&self, isa: Isa) -> bool {
        (self.needs.is_empty() || self.needs.iter().any(|&e| isa.has(e))) && self.also.iter().all(|&e| isa.has(e))
    }

    /// Whether rd is an integer destination.
    pub fn writes_int(&self) -> bool {
        self.operands.0 == File::X
    }
}

/// What undefined encodings decode to.
pub static ILLEGAL: InsnDef = ILLEGAL_PROTOTYPE;

const ILLEGAL_PROTOTYPE: InsnDef = InsnDef {
    name: "illegal",
    mask: 0,
    bits: 0,
    needs: &[],
    also: &[],
    format: Format::None,
    operands: Format::None.integer(),
    access: None,
    class: TimingClass::System,
    shape: Shape::End,
    exec: |_, _, insn| Err(Trap::illegal(insn.raw)),
    fast: None,
};

impl Hart {
    /// Writes an integer register; x0 stays 0.
    #[inline(always)]
    pub fn set(&mut self, rd: u8, value: u64) {
        if rd != 0 {
            self.x[(rd & 31) as usize] = value;
        }
    }

    /// Reads an integer register.
    #[inline(always)]
    pub fn get(&self, rs: u8) -> u64 {
        self.x[(rs & 31) as usize]
    }
}

#[cfg(test)]
mod tests;
