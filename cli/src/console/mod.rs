//! The guest's console on the host's terminal: raw mode, a reader thread, the escape key, signals.

pub mod escape;
pub mod input;
pub mod output;
pub mod raw;
