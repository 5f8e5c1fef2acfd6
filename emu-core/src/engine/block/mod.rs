//! T1: blocks of decoded instructions run by tail-threaded handlers.

use crate::hart::Hart;

/// One slot of a block: 16 bytes, one a guest instruction.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Op {
    /// Code that runs it.
    pub handler: Fast,
    /// Immediate.
    pub imm: i32,
    /// Destination (32 = nowhere).
    pub rd: u8,
    /// Source.
    pub rs1: u8,
    /// Source.
    pub rs2: u8,
    /// Index in the block.
    pub index: u8,
}

/// A handler: hart, its slot, virtual pc of the block's start, fuel left.
#[cfg(target_arch = "x86_64")]
pub type Fast = unsafe extern "sysv64" fn(*mut Hart, *const Op, u64, i64) -> u64;
/// A handler: hart, its slot, virtual pc of the block's start, fuel left.
#[cfg(not(target_arch = "x86_64"))]
pub type Fast = unsafe extern "C" fn(*mut Hart, *const Op, u64, i64) -> u64;
