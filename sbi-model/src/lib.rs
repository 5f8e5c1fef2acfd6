//! Native firmware: the SBI (RISC-V Supervisor Binary Interface Specification, version 3.0) behind [`emu_core::firmware::Firmware`].
//!
//! A trap into M-mode has changed the M-level CSRs as hardware does before [`Sbi`] sees it. The firmware answers it on those CSRs and
//! leaves by an architectural `mret`. It has no code and no memory in the machine: all its state is plain data ([`state::State`]).
//!
//! Each extension is one file in [`ext`], with a table of its functions ([`call::Function`]); each other service of M-mode is one file
//! in `emulate`.

mod boot;
pub mod bug;
pub mod call;
pub mod config;
pub mod domain;
mod emulate;
pub mod error;
pub mod ext;
mod firmware;
mod harts;
mod leave;
pub mod memory;
pub mod profile;
mod record;
pub mod sse;
pub mod state;

pub use config::Config;
pub use firmware::{COST, Sbi};
