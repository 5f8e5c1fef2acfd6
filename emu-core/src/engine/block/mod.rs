//! T1: blocks of decoded instructions run by tail-threaded handlers.
//!
//! A block is a straight line of instructions inside one page, found by physical address and independent of the virtual pc it is mapped
//! at. Each guest instruction is one 16-byte [`Op`] whose handler jumps to the next one's (a sibling call, which LLVM makes a jump at
//! opt-level 1 and above; `scripts/check-tailcalls` looks). Blocks of one page are chained by [`Link`]s; everything else goes through the
//! jump cache, which is indexed by virtual pc and tagged with the translation context.
//!
//! Whatever a handler cannot do exactly (TLB miss, device, misaligned, CSR, floating point that is off) it hands to the instruction's own
//! `exec`, the same function the exact stepper calls. So this engine adds speed and no semantics.
#![allow(unsafe_code)]
// Every handler has the same contract, stated at [`Fast`].
#![allow(clippy::missing_safety_doc)]

mod arena;
mod build;
mod cache;
mod costs;
pub mod fpu;
mod fuse;
pub mod handlers;
pub mod plain;
mod run;
mod runs;

use crate::hart::Hart;

pub use cache::BlockCache;
pub use run::run;

/// Most instructions in a block: also the fuel below which the exact stepper takes over, so that a deadline is met to the instruction.
pub const MAX_BLOCK: usize = 64;

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
    /// Index of the instruction in the block.
    pub index: u8,
}

/// A handler: hart, its slot, virtual pc of the block's start, fuel left at the block's start. Returns a [`status`].
///
/// # Safety
/// The hart is the one that [`run()`] runs, the slot is an instruction's op in a live block, and `t1` is set up.
#[cfg(target_arch = "x86_64")]
pub type Fast = unsafe extern "sysv64" fn(*mut Hart, *const Op, u64, i64) -> u64;
/// A handler: hart, its slot, virtual pc of the block's start, fuel left at the block's start. Returns a [`status`].
#[cfg(not(target_arch = "x86_64"))]
pub type Fast = unsafe extern "C" fn(*mut Hart, *const Op, u64, i64) -> u64;

/// Declares a handler with the calling convention of [`Fast`].
macro_rules! handler {
    ($(#[$m:meta])* $vis:vis fn $name:ident $(<$($g:ident : $b:path),*>)? ($c:ident, $ip:ident, $pc:ident, $fuel:ident) $body:block) => {
        $(#[$m])*
        #[cfg(target_arch = "x86_64")]
        $vis unsafe extern "sysv64" fn $name $(<$($g: $b),*>)? ($c: *mut crate::hart::Hart, $ip: *const crate::engine::block::Op, $pc: u64, $fuel: i64) -> u64 $body
        $(#[$m])*
        #[cfg(not(target_arch = "x86_64"))]
        $vis unsafe extern "C" fn $name $(<$($g: $b),*>)? ($c: *mut crate::hart::Hart, $ip: *const crate::engine::block::Op, $pc: u64, $fuel: i64) -> u64 $body
    };
}
pub(crate) use handler;

/// Where a block's direct successor is. Occupies one [`Op`] slot behind the last instruction.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Link {
    /// First op of the successor, or the block's own resolver.
    pub target: *const Op,
    /// Virtual pc of the successor relative to this block's start.
    pub delta: i32,
    /// Padding.
    pub pad: u32,
}

/// Why a run of handlers ended.
pub mod status {
    /// Look up the block at `hart.pc` and go on.
    pub const LOOKUP: u64 = 0;
    /// As LOOKUP, and the link at `hart.t1.link` may be set to it.
    pub const LINK: u64 = 1;
    /// An instruction raised the trap in `hart.t1.trap`.
    pub const TRAP: u64 = 2;
    /// An instruction set events: see `hart.events`.
    pub const EVENT: u64 = 3;
    /// An instruction is about to access a watched address ([`crate::engine::breaks`]); it has not executed.
    pub const BREAK: u64 = 4;
}

/// The part of a hart that only this engine uses; no guest state, valid only inside [`run()`].
#[repr(C)]
pub struct T1 {
    /// The bus for slow paths.
    pub bus: *mut crate::bus::Bus,
    /// The jump cache.
    pub jumps: *mut cache::Jump,
    /// Which kind of blocks runs: 0, or set in their addresses where landing pads are enabled (Zicfilp).
    pub kind: u64,
    /// The table of blocks.
    pub table: *const cache::Slot,
    /// Its length less one.
    pub mask: usize,
    /// Translation context of the current fetches in the lower and the upper half of the addresses, in the bits a canonical pc leaves free;
    /// 0 while a half has none, under which nothing may be remembered.
    pub salts: [u64; 2],
    /// `instret` when fuel runs out.
    pub instret_end: u64,
    /// `cycles` when fuel runs out; with `costs`, when the block begins.
    pub cycles_end: u64,
    /// Cycles from the block's start to each of its instructions, for timing models with other costs than one; null for [`crate::timing::Unit`],
    /// whose cycles follow from the fuel.
    pub costs: *const u64,
    /// Fuel left when the handlers returned.
    pub fuel: i64,
    /// Status an exit returns. Kept in memory so that the compiler cannot turn a sibling call into a call and a constant.
    pub status: u64,
    /// The unresolved link, with [`status::LINK`].
    pub link: *mut Link,
    /// The trap, with [`status::TRAP`].
    pub trap: emu_csr::Trap,
}

impl T1 {
    /// Idle.
    pub fn new() -> T1 {
        T1 {
            bus: std::ptr::null_mut(),
            jumps: std::ptr::null_mut(),
            kind: 0,
            table: std::ptr::null(),
            mask: 0,
            salts: [0; 2],
            instret_end: 0,
            cycles_end: 0,
            costs: std::ptr::null(),
            fuel: 0,
            status: 0,
            link: std::ptr::null_mut(),
            trap: emu_csr::Trap::new(emu_csr::Exception::IllegalInst, 0),
        }
    }
}

impl Default for T1 {
    fn default() -> Self {
        T1::new()
    }
}
