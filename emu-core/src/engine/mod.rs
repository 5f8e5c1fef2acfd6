//! Engines: run one hart until a deadline or until the machine must look.

pub mod block;
