//! Main memory.

mod ram;
pub use ram::Ram;
