//! The machine: harts, instructions, translation, memory, devices, engines and the one clock that drives them.
//!
//! Who owns what: [`hart`] is a hart's state; [`insn`] the instruction table (decode, semantics, text); [`mmu`] translation and
//! every memory access a hart makes; [`mem`] RAM; [`bus`] what lies at a physical address; [`dev`] the devices; [`board`] where
//! they are and the device tree; [`engine`] runs one hart up to a deadline (exact stepper or blocks); [`machine`] is the clock,
//! the scheduler, the state hash. [`firmware`], [`observer`] and [`timing`] are the traits that higher crates fill in.

pub mod board;
pub mod bus;
mod clock;
pub mod dev;
pub mod engine;
pub mod firmware;
pub mod fp;
pub mod hart;
pub mod insn;
pub mod machine;
pub mod mem;
pub mod mmu;
pub mod observer;
pub mod timing;
