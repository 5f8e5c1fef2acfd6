//! Flattened device trees ("Devicetree Specification 0.4, 5"): [`tree`] as values and blobs, [`virt`] the board's own,
//! [`check`] (and `devices`) for one the user supplies.

pub mod check;
mod devices;
pub mod tree;
pub mod virt;

pub use check::validate;
pub use tree::{Blob, FdtError, Node};
pub use virt::{Chosen, device_tree};

#[cfg(test)]
mod tests;
