//! Decisions in, verdicts out: recording and replaying runs, and the laboratory that interrupts guests everywhere.
//!
//! A machine's state is a function of images, configuration and decisions (`docs/determinism.md`). This crate keeps the decisions
//! ([`log`]), carries them out again ([`play`]), moves along a run in both directions ([`timeline`]), says where two runs part ([`diff`](mod@diff)).
//! It opens no file and reads no clock: bytes come in and go out.

pub mod bundle;
pub mod bytes;
pub mod context;
pub mod debug;
pub mod diff;
pub mod error;
pub mod framed;
pub mod lab;
pub mod ledger;
pub mod log;
pub mod oracle;
pub mod packed;
pub mod play;
pub mod query;
pub mod semantics;
pub mod snapshot;
pub mod symbols;
pub mod timeline;
pub mod token;

pub use error::ReplayError;
