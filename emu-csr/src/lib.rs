//! Privileged state of one RISC-V hart: the CSR table, trap entry and return, delegation and interrupt choice.
//!
//! This crate is pure: it knows no memory, no bus and no clock. A CSR write returns its [`Effects`] as a value and
//! the caller carries them out; a trap entry or return reports every CSR it changes to a [`ChangeSink`].

pub mod access;
pub mod change;
pub mod csrs;
pub mod isa;
pub mod mode;
pub mod trap;

pub use access::{Denied, Effects, Now};
pub use change::{Change, ChangeList, ChangeSink};
pub use csrs::Csrs;
pub use isa::{Ext, Isa};
pub use mode::Mode;
pub use trap::{Cause, Exception, Interrupt, Trap};
