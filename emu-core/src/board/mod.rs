//! Where everything is: the `virt` board, its device tree, and loading images into it.

pub mod fdt;
pub mod load;
pub mod map;
pub mod partition;

use emu_csr::Isa;
pub use partition::Partition;

use crate::bus::{Bus, Clock, Overlap};
use crate::dev::virtio::{Block, BlockBackend, Console, Model, Rng, VirtioMmio};
use crate::dev::{Clint, Finisher, Plic, Reri, Rtc, Sswi, Uart};
use crate::mem::Ram;

/// Most harts the board has room for.
pub const MAX_HARTS: usize = 32;
/// Least main memory: firmware, kernel and device tree have their places in it.
pub const MIN_RAM: u64 = 1 << 20;
/// Most main memory: physical addresses stay below 2^46.
pub const MAX_RAM: u64 = 1 << 45;

/// What the board is built from, but for disks and images.
#[derive(Clone, Debug)]
pub struct Config {
    /// Harts, 1 to [`MAX_HARTS`].
    pub harts: usize,
    /// mhartid of each hart, by index: as many as harts, or none for 0, 1, 2 and so on. The first hart boots.
    pub hart_ids: Vec<u64>,
    /// Bytes of main memory at [`map::RAM`], a multiple of 4096.
    pub ram_size: u64,
    /// Extensions of every hart.
    pub isa: Isa,
    /// Whether every hart refuses misaligned loads and stores with an exception instead of doing them.
    pub trap_misaligned: bool,
    /// Seed of all randomness: the entropy device and `rng-seed` in the device tree.
    pub seed: u64,
    /// The real-time clock at cycle 0, in nanoseconds since 1970.
    pub epoch_ns: u64,
    /// Cycles in a virtual second.
    pub cycle_hz: u64,
    /// Cycles a virtio request takes.
    pub virtio_latency: u64,
    /// Whether there is a virtio console beside the serial port.
    pub virtio_console: bool,
    /// Whether there is an error bank ([`crate::dev::Reri`]).
    pub ras: bool,
    /// What is not the booting software's: [`crate::machine::Machine::new`] takes it from native firmware.
    pub partition: Partition,
    /// Address of every hart's RNMI interrupt trap handler (Smrnmi).
    pub rnmi_vector: u64,
    /// Address of the handler of exceptions in every hart's RNMI handler (Smrnmi).
    pub rnmi_exception_vector: u64,
}

impl Default for Config {
    /// One hart with every extension of `max`, 1 GiB, 1 GHz, epoch 2024-01-01, requests of 10 microseconds.
    fn default() -> Config {
        Config {
            harts: 1,
            hart_ids: Vec::new(),
            ram_size: 1 << 30,
            isa: Isa::max(),
            trap_misaligned: false,
            seed: 0,
            epoch_ns: 1_704_067_200_000_000_000,
            cycle_hz: 1_000_000_000,
            virtio_latency: 10_000,
            virtio_console: false,
            ras: false,
            partition: Partition::default(),
            rnmi_vector: 0,
            rnmi_exception_vector: 0,
        }
    }
}

/// Most by which hart ids may differ: that many software-interrupt registers there are ("ACLINT, MSWI").
const HART_ID_SPAN: u64 = 4095;

impl Config {
    /// mhartid of the hart of an index.
    pub fn hart_id(&self, index: usize) -> u64 {
        self.hart_ids.get(index).copied().unwrap_or(index as u64)
    }

    /// mhartid of every hart, by index.
    pub fn ids(&self) -> Vec<u64> {
        (0..self.harts).map(|i| self.hart_id(i)).collect()
    }

    /// Hart ids fit the harts, the device tree and the interruptors' registers, and none occurs twice.
    fn check_ids(&self) -> Result<(), BoardError> {
        let ids = &self.hart_ids;
        if ids.is_empty() {
            return Ok(());
        }
        if ids.len() != self.harts {
            return Err(BoardError::HartIds(ids.len(), self.harts));
        }
        if let Some((_, id)) = ids.iter().enumerate().find(|(i, id)| ids[..*i].contains(id)) {
            return Err(BoardError::HartIdTwice(*id));
        }
        let (low, high) = ids.iter().fold((u64::MAX, 0), |(l, h), &id| (l.min(id), h.max(id)));
        // A device tree's boot CPU has 32 bits.
        if high - low >= HART_ID_SPAN || high > u64::from(u32::MAX) {
            return Err(BoardError::HartIdSpan(low, high));
        }
        Ok(())
    }
}

/// A disk, in the order of the guest's `vda`, `vdb`...
pub struct Drive {
    /// Where the sectors are.
    pub backend: Box<dyn BlockBackend>,
    /// Refuse writes.
    pub read_only: bool,
    /// What the guest sees as serial number.
    pub serial: String,
}

/// A configuration no board can be built from.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[allow(missing_docs)] // the messages say it
pub enum BoardError {
    #[error("{0} harts: the board has room for 1 to {MAX_HARTS}; choose another -smp")]
    Harts(usize),
    #[error("{0} hart ids for {1} harts: give each hart one with --hart-ids, or leave it out")]
    HartIds(usize, usize),
    #[error("hart id {0} occurs twice in --hart-ids: give each hart another")]
    HartIdTwice(u64),
    #[error("hart ids from {0} to {1}: give --hart-ids below 2^32 that lie less than {HART_ID_SPAN} apart")]
    HartIdSpan(u64, u64),
    #[error("{0} bytes of memory: give a multiple of 4 KiB from 1 MiB to 32 TiB with -m")]
    RamSize(u64),
    #[error("a clock of {0} Hz: give 1000 Hz to 1 THz")]
    CycleRate(u64),
    #[error("{0} drives and consoles: there are {count} virtio slots, of which the entropy device takes one", count = map::VIRTIO_COUNT)]
    Slots(usize),
    #[error(transparent)]
    Overlap(#[from] Overlap),
}

/// Builds the board: memory and devices, nothing loaded yet.
pub fn build(config: &Config, drives: Vec<Drive>) -> Result<Bus, BoardError> {
    if !(1..=MAX_HARTS).contains(&config.harts) {
        return Err(BoardError::Harts(config.harts));
    }
    config.check_ids()?;
    if !(MIN_RAM..=MAX_RAM).contains(&config.ram_size) || !config.ram_size.is_multiple_of(4096) {
        return Err(BoardError::RamSize(config.ram_size));
    }
    if !(1000..=1_000_000_000_000).contains(&config.cycle_hz) {
        return Err(BoardError::CycleRate(config.cycle_hz));
    }
    let used = drives.len() + usize::from(config.virtio_console);
    if used + 1 > map::VIRTIO_COUNT {
        return Err(BoardError::Slots(used));
    }
    let clock = Clock { cycle_hz: config.cycle_hz, timebase_hz: map::TIMEBASE_HZ, offset: 0 };
    let mut bus = Bus::new(Ram::new(map::RAM, config.ram_size), clock);
    bus.add(map::FINISHER, map::PAGE, 0, Box::new(Finisher))?;
    bus.add(map::RTC, map::PAGE, map::RTC_IRQ, Box::new(Rtc::new(config.epoch_ns)))?;
    bus.add(map::CLINT, map::CLINT_SIZE, 0, Box::new(Clint::with_ids(&config.ids())))?;
    bus.add(map::SSWI, map::SSWI_SIZE, 0, Box::new(Sswi::with_ids(&config.ids())))?;
    bus.add(map::PLIC, map::PLIC_SIZE, 0, Box::new(Plic::new(config.harts)))?;
    bus.add(map::UART, map::UART_SIZE, map::UART_IRQ, Box::new(Uart::new()))?;
    if config.ras {
        bus.add(map::RERI, map::PAGE, map::RERI_IRQ, Box::new(Reri::new(config.harts)))?;
    }

    let mut slot = 0;
    for d in drives {
        add_virtio(&mut bus, config, &mut slot, Block::new(d.backend, d.read_only, &d.serial))?;
    }
    if config.virtio_console {
        add_virtio(&mut bus, config, &mut slot, Console::new())?;
    }
    add_virtio(&mut bus, config, &mut slot, Rng::new(config.seed))?;
    while slot < map::VIRTIO_COUNT {
        let (base, irq) = virtio_place(&mut slot);
        bus.add(base, map::PAGE, irq, Box::new(VirtioMmio::empty(base)))?;
    }
    Ok(bus)
}

fn virtio_place(slot: &mut usize) -> (u64, u32) {
    let i = *slot;
    *slot += 1;
    (map::VIRTIO + i as u64 * map::PAGE, map::VIRTIO_IRQ + i as u32)
}

fn add_virtio<M: Model + 'static>(bus: &mut Bus, config: &Config, slot: &mut usize, model: M) -> Result<(), Overlap> {
    let (base, irq) = virtio_place(slot);
    bus.add(base, map::PAGE, irq, Box::new(VirtioMmio::new(base, model, config.virtio_latency)))
}

#[cfg(test)]
mod tests;
