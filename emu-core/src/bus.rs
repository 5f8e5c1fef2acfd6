//! What lies at a physical address: RAM or a device. Also the machine's clock ratio, which devices need.

use crate::dev::Device;
use crate::mem::Ram;

/// Converts cycles to timebase ticks. Time is virtual: cycle `c` is at tick `c * timebase_hz / cycle_hz`, rounded down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    /// Cycles in a virtual second (default 1 GHz: one instruction is 1 ns under the unit timing model).
    pub cycle_hz: u64,
    /// mtime ticks in a virtual second (QEMU virt's 10 MHz).
    pub timebase_hz: u64,
    /// Ticks added to the result: what a guest or debugger wrote to mtime.
    pub offset: u64,
}

impl Clock {
    /// mtime at a cycle.
    #[inline]
    pub fn ticks(&self, cycles: u64) -> u64 {
        ((cycles as u128 * self.timebase_hz as u128 / self.cycle_hz as u128) as u64).wrapping_add(self.offset)
    }

    /// First cycle at which mtime is at least `ticks`; `u64::MAX` if that is out of reach.
    pub fn cycle_of(&self, ticks: u64) -> u64 {
        let t = ticks.saturating_sub(self.offset) as u128;
        u64::try_from((t * self.cycle_hz as u128).div_ceil(self.timebase_hz as u128)).unwrap_or(u64::MAX)
    }
}

/// An access no device or RAM answers, or a device refused: the hart raises an access fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BusError;

/// A device's place in the physical address space.
pub struct Slot {
    /// First address.
    pub base: u64,
    /// Bytes.
    pub size: u64,
    /// The device.
    pub dev: Box<dyn Device>,
}

/// Guest-visible requests that a device or instruction makes of the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Request {
    /// Power off with the exit code the guest gave (0 = success).
    PowerOff(u32),
    /// Reboot.
    Reset,
}

/// The physical address space and what is shared between harts.
pub struct Bus {
    /// Main memory.
    pub ram: Ram,
    /// Devices, sorted by base, not overlapping.
    pub slots: Vec<Slot>,
    /// Time.
    pub clock: Clock,
    /// Set by a device write; the machine acts on it at once (the writing instruction is the last of the slice).
    pub request: Option<Request>,
    /// A device access may have changed interrupt lines: the engine must end the slice and the machine polls the lines.
    pub lines_changed: bool,
    /// Physical page numbers with decoded code that were written since the engine last looked (own stores, other harts, DMA).
    pub code_writes: Vec<u64>,
}

impl Bus {
    /// Reads from a device or RAM at a physical address. `now` is the reading hart's cycle. `size` is 1, 2, 4 or 8, naturally aligned.
    pub fn read(&mut self, pa: u64, size: u8, now: u64) -> Result<u64, BusError> {
        if let Some(v) = self.ram.read(pa, size) {
            return Ok(v);
        }
        let Some(i) = self.find(pa) else { return Err(BusError) };
        let slot = &mut self.slots[i];
        let mut cx =
            DevCx { ram: &mut self.ram, clock: &self.clock, now, request: &mut self.request, code_writes: &mut self.code_writes };
        let r = slot.dev.read(pa - slot.base, size, &mut cx);
        self.lines_changed = true;
        r
    }

    /// Writes; as [`Bus::read`].
    pub fn write(&mut self, pa: u64, size: u8, value: u64, now: u64) -> Result<(), BusError> {
        if self.ram.contains(pa, size as u64) {
            self.ram.write(pa, size, value, &mut self.code_writes);
            return Ok(());
        }
        let Some(i) = self.find(pa) else { return Err(BusError) };
        let slot = &mut self.slots[i];
        let mut cx =
            DevCx { ram: &mut self.ram, clock: &self.clock, now, request: &mut self.request, code_writes: &mut self.code_writes };
        let r = slot.dev.write(pa - slot.base, size, value, &mut cx);
        self.lines_changed = true;
        r
    }

    fn find(&self, pa: u64) -> Option<usize> {
        let i = self.slots.partition_point(|s| s.base <= pa).checked_sub(1)?;
        (pa - self.slots[i].base < self.slots[i].size).then_some(i)
    }
}

/// What a device may touch while it handles an access or an event.
pub struct DevCx<'a> {
    /// Guest memory for DMA; go through [`Ram::read_bytes`] and [`Ram::write_bytes`] so that decoded code is dropped.
    pub ram: &'a mut Ram,
    /// Time ratio.
    pub clock: &'a Clock,
    /// Now, in cycles.
    pub now: u64,
    /// Power off or reset.
    pub request: &'a mut Option<Request>,
    /// See [`Bus::code_writes`].
    pub code_writes: &'a mut Vec<u64>,
}
