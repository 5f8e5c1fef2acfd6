//! Virtio devices behind the MMIO transport ("Virtual I/O Device (VIRTIO) Version 1.2"): [`mmio`] the registers, [`queue`] the split
//! virtqueue, and one file a device type.
//!
//! The ring is our own: `virtio-queue` reaches guest memory through `vm-memory`'s volatile slices, raw pointers into memory that
//! stays where it is. Our RAM is copy-on-write pages that move, and a store by a device must drop decoded code of its page; such
//! an adapter would need `unsafe` and would bypass that. The constants are those of `virtio-bindings`.

pub mod backend;
pub mod block;
pub mod console;
pub mod mmio;
pub mod queue;
pub mod rng;

pub use backend::{BlockBackend, BlockError, MemoryDisk, Overlay};
pub use block::Block;
pub use console::Console;
pub use mmio::{Model, VirtioMmio};
pub use queue::{BadQueue, Chain, Queue};
pub use rng::Rng;
