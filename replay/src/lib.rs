//! Decisions in, verdicts out: recording, replay, snapshots and search will live here, beside the laboratory that is here already.
//!
//! The machine is ready for them: its state is a function of images, configuration and the positions at which bytes from outside
//! enter (`docs/determinism.md`), and every device lists its state once for saving, restoring and hashing.

pub mod context;
pub mod lab;
pub mod ledger;
pub mod symbols;
