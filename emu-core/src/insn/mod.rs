//! The instruction table: one declaration an instruction, from which decode, semantics, text, operand footprint and timing class come.

use emu_csr::{Ext, Trap};

use crate::bus::Bus;
use crate::hart::Hart;
use crate::timing::TimingClass;

/// Executes one instruction under the contract of [`Hart`].
pub type Exec = fn(&mut Hart, &mut Bus, &Insn) -> Result<(), Trap>;

/// A decoded instruction: what both engines run.
#[derive(Clone, Copy)]
pub struct Insn {
    /// Its declaration.
    pub def: &'static InsnDef,
    /// Sign-extended immediate, shift amount, CSR number or rounding mode operand as the format says.
    pub imm: i32,
    /// Bits as fetched (a compressed instruction's 16 bits).
    pub raw: u32,
    /// Destination register.
    pub rd: u8,
    /// First source register.
    pub rs1: u8,
    /// Second source register.
    pub rs2: u8,
    /// Third source register, or funct field as the format says.
    pub rs3: u8,
    /// Length in bytes: 2 or 4.
    pub len: u8,
}

/// Declaration of one 32-bit encoding (compressed ones expand to these, as the manual defines them).
pub struct InsnDef {
    /// Mnemonic.
    pub name: &'static str,
    /// Which bits are fixed.
    pub mask: u32,
    /// Their values.
    pub bits: u32,
    /// Any of these extensions provides it.
    pub needs: &'static [Ext],
    /// Timing class.
    pub class: TimingClass,
    /// Semantics.
    pub exec: Exec,
    /// The shape the block engine has a fast handler for, with the very same semantic function inside; none: it runs `exec`.
    pub fast: Option<crate::engine::block::Fast>,
}
