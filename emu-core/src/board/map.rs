//! Addresses and interrupt numbers, those of QEMU's `virt` machine.

/// Test finisher.
pub const FINISHER: u64 = 0x10_0000;
/// Goldfish real-time clock.
pub const RTC: u64 = 0x10_1000;
/// MSWI, MTIMECMP and MTIME in the layout of the SiFive CLINT.
pub const CLINT: u64 = 0x200_0000;
/// Bytes of [`CLINT`].
pub const CLINT_SIZE: u64 = 0x1_0000;
/// Supervisor software interrupts.
pub const SSWI: u64 = 0x2f0_0000;
/// Bytes of [`SSWI`].
pub const SSWI_SIZE: u64 = 0x4000;
/// Interrupt controller.
pub const PLIC: u64 = 0xc00_0000;
/// Bytes of [`PLIC`].
pub const PLIC_SIZE: u64 = 0x60_0000;
/// Serial port.
pub const UART: u64 = 0x1000_0000;
/// Bytes of [`UART`].
pub const UART_SIZE: u64 = 0x100;
/// Error bank (RERI), if there is one.
pub const RERI: u64 = 0x1020_0000;
/// First virtio transport; the others follow at [`PAGE`] distance.
pub const VIRTIO: u64 = 0x1000_1000;
/// Virtio transports.
pub const VIRTIO_COUNT: usize = 8;
/// First byte of main memory.
pub const RAM: u64 = 0x8000_0000;
/// Size of a device that has no size of its own.
pub const PAGE: u64 = 0x1000;

/// PLIC source of virtio transport 0; the others follow.
pub const VIRTIO_IRQ: u32 = 1;
/// PLIC source of the serial port.
pub const UART_IRQ: u32 = 10;
/// PLIC source of the real-time clock.
pub const RTC_IRQ: u32 = 11;
/// PLIC source of the error bank's platform-specific signal.
pub const RERI_IRQ: u32 = 12;

/// mtime's rate.
pub const TIMEBASE_HZ: u64 = 10_000_000;
