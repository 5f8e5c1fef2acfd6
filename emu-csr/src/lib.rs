//! Privileged state of one RISC-V hart: the CSR table, trap entry and return, delegation and interrupt choice.
//!
//! This crate is pure: it knows no memory, no bus and no clock. A CSR write returns its [`Effects`] as a value and
//! the caller carries them out; a trap entry or return reports every CSR it changes to a [`ChangeSink`].
//!
//! Everything of a register comes from its line in [`table`]; the state is [`Csrs`], plain data.

pub mod access;
pub mod atp;
pub mod change;
pub mod checks;
pub mod counters;
pub mod csrs;
mod delegated;
pub mod entry;
pub mod events;
mod gate;
pub mod interrupts;
pub mod isa;
mod leave;
pub mod mode;
mod pmp;
pub mod quick;
pub mod table;
pub mod trap;
pub mod triggers;
mod view;
mod warl;

pub use access::{Denied, Effects, Now};
pub use change::{Change, ChangeList, ChangeSink, FieldChange};
pub use checks::Cbo;
pub use csrs::{Csrs, Op};
pub use entry::{Entry, Why};
pub use events::Event;
pub use isa::{Ext, Isa, IsaError};
pub use mode::Mode;
pub use table::{Field, field};
pub use trap::{Cause, Exception, Interrupt, Trap};
