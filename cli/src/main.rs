//! The command line.
#![allow(clippy::disallowed_types)]
fn main() {}
