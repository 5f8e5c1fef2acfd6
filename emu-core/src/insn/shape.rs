//! The shapes an instruction's semantics can have. A semantic function is a type without size, so that both engines and every
//! fused pair of the block engine use the very same one.

use crate::fp::{Flags, Rm};

/// `rd = f(rs1, rs2)`.
pub trait AluRR {
    /// The function.
    fn f(a: u64, b: u64) -> u64;
}

/// `rd = f(rs1, imm)`: the immediate is sign-extended, or a shift amount; unary instructions ignore it.
pub trait AluRI {
    /// The function.
    fn f(a: u64, imm: u64) -> u64;
}

/// A conditional branch's condition.
pub trait Cond {
    /// Whether it is taken.
    fn f(a: u64, b: u64) -> bool;
}

/// An integer load.
pub trait LoadK {
    /// Bytes.
    const SIZE: u8;
    /// Register value from the zero-extended memory value.
    fn extend(raw: u64) -> u64;
}

/// An integer store.
pub trait StoreK {
    /// Bytes.
    const SIZE: u8;
}

/// An atomic memory operation: the value to store, from memory's (zero-extended) and rs2's.
pub trait AmoK {
    /// Bytes: 4 or 8.
    const SIZE: u8;
    /// The function; its result's low bytes count.
    fn f(mem: u64, reg: u64) -> u64;
    /// Register value from the zero-extended memory value.
    fn extend(old: u64) -> u64;
}

/// `f(rd) = f(rs1, rs2)` on floating-point registers. Operands and result are unboxed bits of [`FpRR::FMT`] bits.
pub trait FpRR {
    /// Width of the format: 16, 32 or 64.
    const FMT: u32;
    /// Whether the encoding has a rounding mode; otherwise `rm` is meaningless.
    const RM: bool;
    /// The function.
    fn f(a: u64, b: u64, rm: Rm, fl: &mut Flags) -> u64;
}

/// `f(rd) = f(rs1, rs2, rs3)`, rounded; as [`FpRR`].
pub trait FpRRR {
    /// Width of the format: 16, 32 or 64.
    const FMT: u32;
    /// The function.
    fn f(a: u64, b: u64, c: u64, rm: Rm, fl: &mut Flags) -> u64;
}

/// `f(rd) = f(rs1)`; as [`FpRR`], and the operand may have another format than the result.
pub trait FpR {
    /// Width of the operand's format.
    const SRC: u32;
    /// Width of the result's format.
    const FMT: u32;
    /// Whether the encoding has a rounding mode.
    const RM: bool;
    /// The function.
    fn f(a: u64, rm: Rm, fl: &mut Flags) -> u64;
}

/// `rd = f(rs1, rs2)`: a comparison of floating-point registers into an integer one.
pub trait FpCmp {
    /// Width of the format.
    const FMT: u32;
    /// The function.
    fn f(a: u64, b: u64, fl: &mut Flags) -> bool;
}

/// `rd = f(rs1)`: from a floating-point register to an integer one.
pub trait FpToX {
    /// Width of the operand's format; 64 gives all bits of the register, boxed or not.
    const SRC: u32;
    /// Whether the encoding has a rounding mode.
    const RM: bool;
    /// The function.
    fn f(a: u64, rm: Rm, fl: &mut Flags) -> u64;
}

/// `f(rd) = f(rs1)`: from an integer register to a floating-point one.
pub trait XToFp {
    /// Width of the result's format.
    const FMT: u32;
    /// Whether the encoding has a rounding mode.
    const RM: bool;
    /// The function.
    fn f(a: u64, rm: Rm, fl: &mut Flags) -> u64;
}

/// Which shape, for the block builder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// See [`AluRR`].
    AluRR,
    /// See [`AluRI`].
    AluRI,
    /// `lui`.
    Lui,
    /// `auipc`.
    Auipc,
    /// `jal`.
    Jal,
    /// `jalr`.
    Jalr,
    /// See [`Cond`].
    Branch,
    /// See [`LoadK`].
    Load,
    /// See [`StoreK`].
    Store,
    /// Anything else that goes on behind itself unless it traps or sets events.
    Plain,
    /// Always leaves the straight line, or changes what comes next (system, `fence.i`, illegal).
    End,
}

impl Shape {
    /// Whether a block ends behind it.
    pub const fn ends_block(self) -> bool {
        matches!(self, Shape::Jal | Shape::Jalr | Shape::Branch | Shape::End)
    }
}
