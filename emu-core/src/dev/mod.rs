//! Devices. A device is plain state behind [`Device`]: no thread, no clock of its own, no host I/O. Bytes from outside enter through
//! typed methods the machine calls at positions it chooses; bytes to the outside leave through buffers the machine drains.

use crate::bus::{BusError, DevCx};

pub mod clint;
pub mod finisher;
pub mod htif;
pub mod plic;
pub mod reri;
pub mod rtc;
pub mod state;
pub mod uart;
pub mod virtio;

pub use clint::{Clint, Sswi};
pub use finisher::Finisher;
pub use htif::Htif;
pub use plic::Plic;
pub use reri::Reri;
pub use rtc::Rtc;
pub use uart::Uart;

#[cfg(test)]
mod tests;

/// Serialises a device's state in one direction or the other, so that save and restore are one list ([`Device::state`]).
pub trait StateIo {
    /// A number.
    fn u64(&mut self, name: &'static str, v: &mut u64);
    /// Bytes of any length.
    fn bytes(&mut self, name: &'static str, v: &mut Vec<u8>);
    /// What follows belongs to this part ("hart", a device's name), and if there are several of a name to that number of them.
    fn part(&mut self, _name: &str, _index: usize) {}
    /// Whether contents of disks are left out: they may be large, and are of no use to a quick look.
    fn skips_disks(&self) -> bool {
        false
    }
}

/// A memory-mapped device.
pub trait Device {
    /// Short name as in the device tree, also its name in snapshots and messages ("serial@10000000").
    fn name(&self) -> &str;
    /// What it is, for people ("virtio-blk"); its name if that says it.
    fn kind(&self) -> &str {
        self.name()
    }
    /// Guest load of `size` bytes at `offset` from the base, naturally aligned.
    fn read(&mut self, offset: u64, size: u8, cx: &mut DevCx<'_>) -> Result<u64, BusError>;
    /// Guest store.
    fn write(&mut self, offset: u64, size: u8, value: u64, cx: &mut DevCx<'_>) -> Result<(), BusError>;
    /// The next cycle at which [`Device::advance`] must be called, if any.
    fn next_event(&self, _cx: &DevCx<'_>) -> Option<u64> {
        None
    }
    /// Time has reached `cx.now`: do what is due.
    fn advance(&mut self, _cx: &mut DevCx<'_>) {}
    /// Level of the device's interrupt line to the PLIC.
    fn irq(&self) -> bool {
        false
    }
    /// Visits all state, to save it or to restore it. Restoring any bytes at all must leave the device safe to use.
    fn state(&mut self, io: &mut dyn StateIo);
    /// A device in the same state for a fork of the machine. None if what is behind it cannot be shared.
    fn fork(&self) -> Option<Box<dyn Device>>;
    /// For typed access from the board (console input, PLIC lines, disk).
    fn as_any(&mut self) -> &mut dyn std::any::Any;
}

/// The `size` low bytes of `v`.
fn low_bytes(v: u64, size: u8) -> u64 {
    match size {
        1 => v & 0xff,
        2 => v & 0xffff,
        4 => v & 0xffff_ffff,
        _ => v,
    }
}
