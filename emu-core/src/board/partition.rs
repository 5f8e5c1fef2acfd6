//! What native firmware keeps from the software that boots: harts, memory and devices of other domains and of its own.

use crate::bus::Bus;

/// Ranges of physical addresses: first address and bytes, ascending, none touching the next.
pub type Ranges = Vec<(u64, u64)>;

/// The part of a board that is not the booting software's. Nothing, by default.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Partition {
    /// mhartid of harts that it cannot start. Their nodes in the device tree are disabled.
    pub harts: Vec<u64>,
    /// Where it may not read, write and execute. Of RAM this is reserved in the device tree, and no image is placed there.
    pub memory: Ranges,
    /// Where it may not read and write. Nodes of devices with registers there are disabled.
    pub devices: Ranges,
}

/// Whether a range has a byte in `at` to `end`.
pub(super) fn overlap(ranges: &[(u64, u64)], at: u64, end: u64) -> Option<&(u64, u64)> {
    ranges.iter().find(|(base, size)| at < base.saturating_add(*size) && *base < end)
}

impl Partition {
    /// Its closed memory as far as it lies in the `size` bytes of RAM at `ram`.
    pub fn closed_ram(&self, ram: u64, size: u64) -> Ranges {
        let top = ram.saturating_add(size);
        let cut = |&(base, size): &(u64, u64)| (base.max(ram), base.saturating_add(size).min(top));
        self.memory.iter().map(cut).filter(|(from, to)| from < to).map(|(from, to)| (from, to - from)).collect()
    }

    /// As [`Partition::closed_ram`], of a built board.
    pub(super) fn closed_in(&self, bus: &Bus) -> Ranges {
        self.closed_ram(bus.ram.base(), bus.ram.size())
    }

    /// Whether a device with registers in these `size` bytes is closed.
    pub fn closes_device(&self, base: u64, size: u64) -> bool {
        overlap(&self.devices, base, base.saturating_add(size)).is_some()
    }
}
