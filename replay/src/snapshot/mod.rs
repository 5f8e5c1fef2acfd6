//! Snapshots: a whole machine at a moment of its run, as a file. `docs/snapshots.md` has it byte by byte.
//!
//! A snapshot holds the state of harts, devices and firmware, and the pages of RAM that differ from its *base*: the machine as its images
//! make it at the start of the run, or another snapshot. So it needs its images, which it names by hash, and its base.

mod read;
mod write;

pub use read::Snapshot;
pub use write::save;

use crate::bytes::CHECK;
use crate::framed::Format;

/// How a snapshot starts.
pub const FORMAT: Format = Format { kind: KIND, magic: b"TRPZSNP\0", oldest: 1, version: 1 };
pub(crate) const KIND: &str = "snapshot";
pub(crate) const STATE: u8 = 1;
pub(crate) const PAGES: u8 = 2;
pub(crate) const ZEROES: u8 = 3;
pub(crate) const END: u8 = 4;
/// Most bytes that one chunk unpacks to.
pub(crate) const PART: usize = 1 << 20;
/// Most bytes of state beside RAM: a disk's written sectors are among them.
pub(crate) const MOST_STATE: u64 = 4 << 30;
pub(crate) const PAGE: usize = 4096;

/// Names a snapshot by all its bytes: the last checksum of its file.
pub type Id = [u8; CHECK];

/// The snapshot that another one is a difference to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parent {
    /// Which.
    pub id: Id,
    /// Its file's name when this one was made, without directories.
    pub name: String,
}

/// What a snapshot says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct About {
    /// Who made it, and what the run is made from.
    pub header: crate::log::Header,
    /// Virtual time, [`emu_core::machine::Machine::cycles`].
    pub cycles: u64,
    /// Instructions retired by all harts.
    pub instret: u64,
    /// [`emu_core::machine::Machine::state_hash`] there: checked after loading.
    pub hash: [u8; 32],
    /// Its base; `None`: the machine at its start.
    pub parent: Option<Parent>,
}
