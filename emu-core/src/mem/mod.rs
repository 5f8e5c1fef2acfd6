//! Main memory.

#[allow(unsafe_code)]
mod page;
mod ram;
#[cfg(test)]
mod tests;

pub use ram::{MOVES_KEPT, Ram};
