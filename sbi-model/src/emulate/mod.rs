//! Services of M-mode besides calls: one file a kind of trap.

pub mod access;
pub mod illegal;
pub mod misaligned;
pub mod software;
pub mod timer;
