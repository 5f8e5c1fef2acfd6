//! What lies at a physical address: RAM or a device. Also the wires between devices and harts: [`Bus::propagate_irqs`] carries device
//! levels to the PLIC, [`Bus::hart_lines`] what arrives at a hart.

use crate::dev::virtio::{Console, VirtioMmio};
use crate::dev::{Clint, Device, Htif, Plic, Sswi, StateIo, Uart};
use crate::mem::{Ram, Writer};

pub use crate::clock::Clock;

/// An access no device or RAM answers, or a device refused: the hart raises an access fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BusError;

/// A device's place in the physical address space.
pub struct Slot {
    /// First address.
    pub base: u64,
    /// Bytes.
    pub size: u64,
    /// PLIC source its interrupt line is wired to; 0 if it has none.
    pub irq: u32,
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

/// What arrives at one hart's interrupt inputs ("Privileged ISA, mip").
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Lines {
    /// Machine software interrupt: ACLINT MSWI.
    pub msip: bool,
    /// Machine timer interrupt: mtime has reached mtimecmp.
    pub mtip: bool,
    /// Machine external interrupt: the PLIC's M-mode context.
    pub meip: bool,
    /// Supervisor external interrupt: the PLIC's S-mode context.
    pub seip: bool,
}

/// A device that does not fit into the address space.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("device {name} at {base:#x}, {size:#x} bytes, overlaps {other}: give it another address")]
pub struct Overlap {
    /// The device that was to be added.
    pub name: String,
    /// Its first address.
    pub base: u64,
    /// Its bytes.
    pub size: u64,
    /// What is there already.
    pub other: String,
}

/// The physical address space and what is shared between harts.
pub struct Bus {
    /// Main memory.
    pub ram: Ram,
    /// Devices, sorted by base, not overlapping. Add with [`Bus::add`].
    pub slots: Vec<Slot>,
    /// Host-target interface of an ELF program with `tohost` ([`Bus::poll_htif`]).
    pub htif: Option<Htif>,
    /// Time.
    pub clock: Clock,
    /// Set by a device write; the machine acts on it at once (the writing instruction is the last of the slice).
    pub request: Option<Request>,
    /// A device access may have changed interrupt lines: the engine must end the slice and the machine polls the lines.
    pub lines_changed: bool,
    /// Physical page numbers with decoded code that were written since the engine last looked (own stores, other harts, DMA).
    pub code_writes: Vec<u64>,
    /// Physical page numbers that got decoded code since the machine last told the other harts to drop their write access.
    pub new_code: Vec<u64>,
    wires: Wires,
}

/// Slot indexes of the interrupt controllers and of the virtio console, so that polling them is no search.
#[derive(Clone, Default)]
struct Wires {
    clint: Option<usize>,
    sswi: Option<usize>,
    plic: Option<usize>,
    console: Option<usize>,
    /// Devices with a line to the PLIC.
    sources: Vec<usize>,
}

impl Bus {
    /// The same memory and devices for a fork of the machine. Err names the device whose contents cannot be shared.
    pub fn fork(&self) -> Result<Bus, String> {
        let slot = |s: &Slot| match s.dev.fork() {
            Some(dev) => Ok(Slot { base: s.base, size: s.size, irq: s.irq, dev }),
            None => Err(s.dev.name().to_owned()),
        };
        Ok(Bus {
            slots: self.slots.iter().map(slot).collect::<Result<_, _>>()?,
            ram: self.ram.clone(),
            htif: self.htif.clone(),
            clock: self.clock,
            request: self.request,
            lines_changed: self.lines_changed,
            code_writes: self.code_writes.clone(),
            new_code: Vec::new(),
            wires: self.wires.clone(),
        })
    }

    /// Memory and a clock, no device yet.
    pub fn new(ram: Ram, clock: Clock) -> Bus {
        Bus {
            ram,
            slots: Vec::new(),
            htif: None,
            clock,
            request: None,
            lines_changed: false,
            code_writes: Vec::new(),
            new_code: Vec::new(),
            wires: Wires::default(),
        }
    }

    /// Puts a device at `base`; `irq` is its PLIC source or 0.
    pub fn add(&mut self, base: u64, size: u64, irq: u32, dev: Box<dyn Device>) -> Result<(), Overlap> {
        let overlaps = |b: u64, s: u64| base < b.saturating_add(s) && b < base.saturating_add(size);
        let other = self.slots.iter().find(|s| overlaps(s.base, s.size)).map(|s| s.dev.name().to_string());
        let other = other.or_else(|| overlaps(self.ram.base(), self.ram.size()).then(|| "main memory".to_string()));
        if let Some(other) = other {
            return Err(Overlap { name: dev.name().to_string(), base, size, other });
        }
        let at = self.slots.partition_point(|s| s.base < base);
        self.slots.insert(at, Slot { base, size, irq, dev });
        self.wire();
        Ok(())
    }

    fn wire(&mut self) {
        let mut w = Wires::default();
        for (i, s) in self.slots.iter_mut().enumerate() {
            let any = s.dev.as_any();
            if any.is::<Clint>() {
                w.clint = Some(i);
            } else if any.is::<Sswi>() {
                w.sswi = Some(i);
            } else if any.is::<Plic>() {
                w.plic = Some(i);
            } else if any.is::<VirtioMmio<Console>>() {
                w.console = Some(i);
            }
            if s.irq != 0 {
                w.sources.push(i);
            }
        }
        self.wires = w;
    }

    /// The first device of a type.
    pub fn device<T: Device + 'static>(&mut self) -> Option<&mut T> {
        self.slots.iter_mut().find_map(|s| s.dev.as_any().downcast_mut::<T>())
    }

    fn at<T: Device + 'static>(&mut self, i: Option<usize>) -> Option<&mut T> {
        self.slots.get_mut(i?)?.dev.as_any().downcast_mut::<T>()
    }

    /// Carries the devices' interrupt levels to the PLIC. Call it before [`Bus::hart_lines`] when [`Bus::lines_changed`] is set.
    pub fn propagate_irqs(&mut self) {
        let mut levels = 0u128;
        for &i in &self.wires.sources {
            let s = &self.slots[i];
            levels |= u128::from(s.dev.irq()) << (s.irq & 127);
        }
        if let Some(plic) = self.at::<Plic>(self.wires.plic) {
            plic.set_levels(levels);
        }
    }

    /// What arrives at hart index `hart` at cycle `now`.
    pub fn hart_lines(&mut self, hart: usize, now: u64) -> Lines {
        let mtime = self.clock.ticks(now);
        let (msip, mtip) = self.at::<Clint>(self.wires.clint).map_or((false, false), |c| (c.msip(hart), c.mtip(hart, mtime)));
        let (meip, seip) = self.at::<Plic>(self.wires.plic).map_or((false, false), |p| (p.eip(2 * hart), p.eip(2 * hart + 1)));
        Lines { msip, mtip, meip, seip }
    }

    /// Hart index `hart`'s mtimecmp, if it has one: its machine timer interrupt, pending once mtime has reached it, is the one line that
    /// changes by itself.
    #[inline]
    pub fn mtimecmp(&mut self, hart: usize) -> Option<u64> {
        Some(self.at::<Clint>(self.wires.clint)?.mtimecmp(hart))
    }

    /// Harts (one bit each, by index) whose SSIP the ACLINT SSWI device asked to set since the last call ("ACLINT, SSWI": an edge).
    pub fn take_ssip_edges(&mut self) -> u64 {
        self.at::<Sswi>(self.wires.sswi).map_or(0, Sswi::take_edges)
    }

    /// The first cycle after `now` at which a device has something to do or hart timer lines change, if any.
    pub fn next_event(&mut self, now: u64) -> Option<u64> {
        let mut next: Option<u64> = None;
        let (slots, cx) = self.devices(now);
        for slot in slots {
            if let Some(at) = slot.dev.next_event(&cx) {
                next = Some(next.map_or(at, |n| n.min(at)));
            }
        }
        next
    }

    /// Time has reached `now`: devices do what is due; sets [`Bus::lines_changed`].
    pub fn advance(&mut self, now: u64) {
        let (slots, mut cx) = self.devices(now);
        for (i, slot) in slots.iter_mut().enumerate() {
            cx.ram.accessed_by(Some(Writer::Device(i)));
            slot.dev.advance(&mut cx);
        }
        cx.ram.accessed_by(None);
        self.lines_changed = true;
    }

    /// Takes what the first UART and the virtio console sent since the last call.
    pub fn take_output(&mut self) -> Vec<u8> {
        let mut out = self.device::<Uart>().map(Uart::take_output).unwrap_or_default();
        if let Some(console) = self.at::<VirtioMmio<Console>>(self.wires.console).and_then(VirtioMmio::model) {
            out.append(&mut console.take_output());
        }
        out
    }

    /// Gives received bytes to the first UART, as many as fit into its FIFO, and if none does the first one to a program that waits for it
    /// through HTIF; returns how many were taken.
    pub fn push_input(&mut self, bytes: &[u8]) -> usize {
        self.lines_changed = true;
        let taken = self.device::<Uart>().map_or(0, |u| u.push_input(bytes));
        match (&mut self.htif, bytes.first()) {
            (Some(htif), Some(&first)) if taken == 0 => usize::from(htif.push_input(first)),
            _ => taken,
        }
    }

    /// Looks for a request in `tohost` and answers it; returns console output. Call it at slice ends.
    pub fn poll_htif(&mut self) -> Vec<u8> {
        let Some(h) = &mut self.htif else { return Vec::new() };
        self.ram.accessed_by(Some(Writer::Htif));
        let out = h.poll(&mut self.ram, &mut self.request, &mut self.code_writes);
        self.ram.accessed_by(None);
        out
    }

    /// Visits the state of the clock, HTIF and all devices (not RAM), to save it or to restore it.
    pub fn state(&mut self, io: &mut dyn StateIo) {
        io.part("clock", 0);
        io.u64("clock offset", &mut self.clock.offset);
        for slot in &mut self.slots {
            io.part(slot.dev.name(), 0);
            slot.dev.state(io);
        }
        if let Some(h) = &mut self.htif {
            io.part("htif", 0);
            h.state(io);
        }
        io.part("poison", 0);
        self.ram.poison_mut().state(io);
        self.lines_changed = true;
    }

    /// Reads from a device or RAM at a physical address. `now` is the reading hart's cycle. `size` is 1, 2, 4 or 8, naturally aligned.
    pub fn read(&mut self, pa: u64, size: u8, now: u64) -> Result<u64, BusError> {
        if let Some(v) = self.ram.read(pa, size) {
            return Ok(v);
        }
        let Some(i) = self.find(pa) else { return Err(BusError) };
        let (slots, mut cx) = self.devices(now);
        let slot = &mut slots[i];
        let before = cx.ram.accessed_by(Some(Writer::Device(i)));
        let r = slot.dev.read(pa - slot.base, size, &mut cx);
        cx.ram.accessed_by(before);
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
        let (slots, mut cx) = self.devices(now);
        let slot = &mut slots[i];
        let before = cx.ram.accessed_by(Some(Writer::Device(i)));
        let r = slot.dev.write(pa - slot.base, size, value, &mut cx);
        cx.ram.accessed_by(before);
        self.lines_changed = true;
        r
    }

    /// The devices, and apart from them what they may touch.
    fn devices(&mut self, now: u64) -> (&mut [Slot], DevCx<'_>) {
        let cx = DevCx {
            ram: &mut self.ram,
            clock: &mut self.clock,
            now,
            request: &mut self.request,
            code_writes: &mut self.code_writes,
        };
        (&mut self.slots, cx)
    }

    /// A writer in words: `virtio-blk DMA (virtio_mmio@10008000)`, `firmware, sbi_sse_read_attrs, step 1, on hart 0`.
    pub fn writer(&self, w: Writer) -> String {
        match w {
            Writer::Device(i) => {
                self.slots.get(i).map_or_else(String::new, |s| format!("{} DMA ({})", s.dev.kind(), s.dev.name()))
            }
            Writer::Htif => "the host through tohost".to_owned(),
            Writer::Firmware { hart, what, step } => format!("firmware, {what}, step {step}, on hart {hart}"),
        }
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
    /// Time ratio and offset (writing mtime changes the offset).
    pub clock: &'a mut Clock,
    /// Now, in cycles.
    pub now: u64,
    /// Power off or reset.
    pub request: &'a mut Option<Request>,
    /// See [`Bus::code_writes`].
    pub code_writes: &'a mut Vec<u64>,
}
