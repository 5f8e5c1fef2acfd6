//! Main memory.

mod journal;
#[allow(unsafe_code)]
mod page;
mod page_set;
mod poison;
mod ram;
#[cfg(test)]
mod tests;

pub use journal::{Access, Writer};
pub use poison::{LINE, Poison};
pub use ram::{MOVES_KEPT, Ram};
