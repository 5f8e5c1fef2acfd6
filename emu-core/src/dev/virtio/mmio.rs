//! The MMIO transport, version 2 ("VIRTIO 1.2, 4.2 Virtio Over MMIO"): registers, feature negotiation, status, queues.
//!
//! A notification does not run the device at once: requests are served together, a fixed virtual latency later. So a driver that
//! polls sees what it would see on hardware, and completion has one place on the machine's time line.

use virtio_bindings::virtio_config::{
    VIRTIO_CONFIG_S_DRIVER_OK, VIRTIO_CONFIG_S_FEATURES_OK, VIRTIO_CONFIG_S_NEEDS_RESET, VIRTIO_F_VERSION_1,
};
use virtio_bindings::virtio_mmio::*;
use virtio_bindings::virtio_ring::{VIRTIO_RING_F_EVENT_IDX, VIRTIO_RING_F_INDIRECT_DESC};

use super::queue::{BadQueue, MAX_SIZE, Mem, Queue};
use crate::bus::{BusError, DevCx};
use crate::dev::{Device, StateIo, state};

const MAGIC: u64 = 0x7472_6976; // "virt"
const VERSION: u64 = 2;
/// QEMU's, as the addresses are: kernels for its board look whether it is that (xv6 gives up if not).
const VENDOR: u64 = 0x554d_4551; // "QEMU"

const S_DRIVER_OK: u32 = VIRTIO_CONFIG_S_DRIVER_OK;
const S_FEATURES_OK: u32 = VIRTIO_CONFIG_S_FEATURES_OK;
const S_NEEDS_RESET: u32 = VIRTIO_CONFIG_S_NEEDS_RESET;

/// What is particular to a device type.
pub trait Model {
    /// Virtio device ID ("5 Device Types").
    fn id(&self) -> u32;
    /// Device-specific feature bits; the transport adds its own.
    fn features(&self) -> u64 {
        0
    }
    /// Number of queues.
    fn queues(&self) -> usize;
    /// Device configuration space.
    fn config(&self) -> Vec<u8> {
        Vec::new()
    }
    /// Serves queue `index` as far as it can; called for each queue of which the driver or the model has news.
    fn serve(&mut self, index: usize, queue: &mut Queue, mem: &mut Mem<'_>) -> Result<(), BadQueue>;
    /// Whether input has come since the last [`Model::serve`].
    fn has_news(&self) -> bool {
        false
    }
    /// All ready queues were served: what came so far is no news any more.
    fn seen(&mut self) {}
    /// The driver reset the device.
    fn reset(&mut self) {}
    /// Visits the model's own state.
    fn state(&mut self, io: &mut dyn StateIo);
    /// A model in the same state for a fork of the machine. None if what is behind it cannot be shared.
    fn fork(&self) -> Option<Self>
    where
        Self: Sized;
}

/// A transport with its device, or without one (device ID 0).
pub struct VirtioMmio<M> {
    name: String,
    model: Option<M>,
    latency: u64,
    status: u32,
    features_select: u32,
    driver_features_select: u32,
    driver_features: u64,
    queue_select: u32,
    queues: Vec<Queue>,
    /// Queues the driver notified, one bit each.
    notified: u64,
    /// Cycle at which they are served.
    due: Option<u64>,
    interrupt: u32,
    /// Why the device needs a reset; for messages only.
    fault: Option<BadQueue>,
}

/// A device type for transports that have none.
pub struct Nothing;

impl Model for Nothing {
    fn id(&self) -> u32 {
        0
    }
    fn queues(&self) -> usize {
        0
    }
    fn serve(&mut self, _: usize, _: &mut Queue, _: &mut Mem<'_>) -> Result<(), BadQueue> {
        Ok(())
    }
    fn state(&mut self, _: &mut dyn StateIo) {}
    fn fork(&self) -> Option<Nothing> {
        Some(Nothing)
    }
}

impl VirtioMmio<Nothing> {
    /// A transport without device at `base`.
    pub fn empty(base: u64) -> VirtioMmio<Nothing> {
        VirtioMmio::build(base, None, 0)
    }
}

impl<M: Model> VirtioMmio<M> {
    /// A transport at `base` with a device whose requests take `latency` cycles.
    pub fn new(base: u64, model: M, latency: u64) -> VirtioMmio<M> {
        VirtioMmio::build(base, Some(model), latency)
    }

    fn build(base: u64, model: Option<M>, latency: u64) -> VirtioMmio<M> {
        let n = model.as_ref().map_or(0, Model::queues);
        VirtioMmio {
            name: format!("virtio_mmio@{base:x}"),
            model,
            latency,
            status: 0,
            features_select: 0,
            driver_features_select: 0,
            driver_features: 0,
            queue_select: 0,
            queues: vec![Queue::new(); n],
            notified: 0,
            due: None,
            interrupt: 0,
            fault: None,
        }
    }

    /// The device behind the transport.
    pub fn model(&mut self) -> Option<&mut M> {
        self.model.as_mut()
    }

    /// Which rule of the ring the driver broke, if the device needs a reset.
    pub fn fault(&self) -> Option<BadQueue> {
        self.fault
    }

    fn features(&self) -> u64 {
        let own = 1 << VIRTIO_F_VERSION_1 | 1 << VIRTIO_RING_F_INDIRECT_DESC | 1 << VIRTIO_RING_F_EVENT_IDX;
        self.model.as_ref().map_or(0, |m| m.features() | own)
    }

    fn reset(&mut self) {
        self.status = 0;
        self.features_select = 0;
        self.driver_features_select = 0;
        self.driver_features = 0;
        self.queue_select = 0;
        self.queues.fill(Queue::new());
        self.notified = 0;
        self.due = None;
        self.interrupt = 0;
        self.fault = None;
        if let Some(m) = &mut self.model {
            m.reset();
        }
    }

    fn live(&self) -> bool {
        self.status & (S_DRIVER_OK | S_NEEDS_RESET) == S_DRIVER_OK
    }

    fn set_status(&mut self, v: u32) {
        if v == 0 {
            self.reset();
            return;
        }
        let mut v = v & 0xff & !S_NEEDS_RESET | self.status & S_NEEDS_RESET;
        // "2.2": the device refuses FEATURES_OK for a set it does not offer. One without VERSION_1 it may refuse ("6.1"), but there are
        // drivers for the registers of version 2 that look at the low half of the features only, and nothing here depends on that bit.
        let bad = self.driver_features & !self.features() != 0;
        if v & S_FEATURES_OK != 0 && self.status & S_FEATURES_OK == 0 && bad {
            v &= !S_FEATURES_OK;
        }
        self.status = v;
        let event_idx = self.driver_features >> VIRTIO_RING_F_EVENT_IDX & 1 != 0;
        for q in &mut self.queues {
            q.event_idx = event_idx;
        }
        if self.live() && self.notified != 0 && self.due.is_none() {
            self.due = Some(0);
        }
    }

    fn selected(&mut self) -> Option<&mut Queue> {
        self.queues.get_mut(self.queue_select as usize)
    }

    fn queue_write(&mut self, reg: u32, v: u32) {
        let Some(q) = self.selected() else { return };
        if reg == VIRTIO_MMIO_QUEUE_READY {
            q.ready = v & 1 != 0;
            return;
        }
        if q.ready {
            // "4.2.2.2": the driver must not change an enabled queue.
            return;
        }
        let low = |a: &mut u64| *a = *a & !0xffff_ffff | u64::from(v);
        let high = |a: &mut u64| *a = *a & 0xffff_ffff | u64::from(v) << 32;
        match reg {
            VIRTIO_MMIO_QUEUE_NUM => q.size = v.min(u32::from(u16::MAX)) as u16,
            VIRTIO_MMIO_QUEUE_DESC_LOW => low(&mut q.desc),
            VIRTIO_MMIO_QUEUE_DESC_HIGH => high(&mut q.desc),
            VIRTIO_MMIO_QUEUE_AVAIL_LOW => low(&mut q.avail),
            VIRTIO_MMIO_QUEUE_AVAIL_HIGH => high(&mut q.avail),
            VIRTIO_MMIO_QUEUE_USED_LOW => low(&mut q.used),
            VIRTIO_MMIO_QUEUE_USED_HIGH => high(&mut q.used),
            _ => {}
        }
    }

    fn serve(&mut self, cx: &mut DevCx<'_>) {
        let Some(model) = &mut self.model else { return };
        model.seen();
        let mut mem = Mem { ram: cx.ram, code_writes: cx.code_writes };
        for (i, q) in self.queues.iter_mut().enumerate().filter(|(_, q)| q.ready) {
            let served = model.serve(i, q, &mut mem).and_then(|()| q.wants_interrupt(&mem));
            match served {
                Ok(true) => self.interrupt |= VIRTIO_MMIO_INT_VRING,
                Ok(false) => {}
                Err(e) => {
                    self.status |= S_NEEDS_RESET;
                    self.interrupt |= VIRTIO_MMIO_INT_CONFIG;
                    self.fault = Some(e);
                    break;
                }
            }
        }
    }

    fn config_read(&self, at: u64, size: u8) -> u64 {
        let config = self.model.as_ref().map(Model::config).unwrap_or_default();
        (0..u64::from(size)).fold(0, |v, i| {
            let byte = usize::try_from(at + i).ok().and_then(|k| config.get(k)).copied().unwrap_or(0);
            v | u64::from(byte) << (8 * i)
        })
    }
}

impl<M: Model + 'static> Device for VirtioMmio<M> {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &str {
        match self.model.as_ref().map(Model::id) {
            Some(virtio_bindings::virtio_ids::VIRTIO_ID_BLOCK) => "virtio-blk",
            Some(virtio_bindings::virtio_ids::VIRTIO_ID_CONSOLE) => "virtio-console",
            Some(virtio_bindings::virtio_ids::VIRTIO_ID_RNG) => "virtio-rng",
            _ => &self.name,
        }
    }

    fn read(&mut self, offset: u64, size: u8, _cx: &mut DevCx<'_>) -> Result<u64, BusError> {
        if offset >= u64::from(VIRTIO_MMIO_CONFIG) {
            return Ok(self.config_read(offset - u64::from(VIRTIO_MMIO_CONFIG), size));
        }
        if size != 4 {
            return Err(BusError);
        }
        Ok(match offset as u32 {
            VIRTIO_MMIO_MAGIC_VALUE => MAGIC,
            VIRTIO_MMIO_VERSION => VERSION,
            VIRTIO_MMIO_DEVICE_ID => self.model.as_ref().map_or(0, Model::id).into(),
            VIRTIO_MMIO_VENDOR_ID => VENDOR,
            VIRTIO_MMIO_DEVICE_FEATURES => match self.features_select {
                0 => self.features() & 0xffff_ffff,
                1 => self.features() >> 32,
                _ => 0,
            },
            VIRTIO_MMIO_QUEUE_NUM_MAX => self.selected().map_or(0, |_| MAX_SIZE.into()),
            VIRTIO_MMIO_QUEUE_READY => self.selected().map_or(0, |q| q.ready.into()),
            VIRTIO_MMIO_INTERRUPT_STATUS => self.interrupt.into(),
            VIRTIO_MMIO_STATUS => self.status.into(),
            // "4.2.2.1": a shared memory region that does not exist has length -1.
            VIRTIO_MMIO_SHM_LEN_LOW | VIRTIO_MMIO_SHM_LEN_HIGH => 0xffff_ffff,
            VIRTIO_MMIO_SHM_BASE_LOW | VIRTIO_MMIO_SHM_BASE_HIGH => 0xffff_ffff,
            _ => 0,
        })
    }

    fn write(&mut self, offset: u64, size: u8, value: u64, cx: &mut DevCx<'_>) -> Result<(), BusError> {
        if offset >= u64::from(VIRTIO_MMIO_CONFIG) || self.model.is_none() {
            return Ok(());
        }
        if size != 4 {
            return Err(BusError);
        }
        let v = value as u32;
        match offset as u32 {
            VIRTIO_MMIO_DEVICE_FEATURES_SEL => self.features_select = v,
            VIRTIO_MMIO_DRIVER_FEATURES_SEL => self.driver_features_select = v,
            VIRTIO_MMIO_DRIVER_FEATURES if self.status & S_FEATURES_OK == 0 => match self.driver_features_select {
                0 => self.driver_features = self.driver_features & !0xffff_ffff | u64::from(v),
                1 => self.driver_features = self.driver_features & 0xffff_ffff | u64::from(v) << 32,
                _ => {}
            },
            VIRTIO_MMIO_QUEUE_SEL => self.queue_select = v,
            VIRTIO_MMIO_QUEUE_NOTIFY if (v as usize) < self.queues.len() => {
                self.notified |= 1 << v;
                if self.live() && self.due.is_none() {
                    self.due = Some(cx.now.saturating_add(self.latency));
                }
            }
            VIRTIO_MMIO_INTERRUPT_ACK => self.interrupt &= !v,
            VIRTIO_MMIO_STATUS => self.set_status(v),
            reg => self.queue_write(reg, v),
        }
        Ok(())
    }

    fn next_event(&self, cx: &DevCx<'_>) -> Option<u64> {
        let news = self.live() && self.model.as_ref().is_some_and(Model::has_news);
        self.due.filter(|_| self.live()).or(news.then_some(cx.now))
    }

    fn advance(&mut self, cx: &mut DevCx<'_>) {
        if !self.live() {
            return;
        }
        let due = self.due.is_some_and(|d| d <= cx.now);
        if due {
            self.due = None;
            self.notified = 0;
        }
        if due || self.model.as_ref().is_some_and(Model::has_news) {
            self.serve(cx);
        }
    }

    fn irq(&self) -> bool {
        self.interrupt != 0
    }

    fn state(&mut self, io: &mut dyn StateIo) {
        state::u32(io, "status", &mut self.status);
        state::u32(io, "features select", &mut self.features_select);
        state::u32(io, "driver features select", &mut self.driver_features_select);
        io.u64("driver features", &mut self.driver_features);
        state::u32(io, "queue select", &mut self.queue_select);
        for q in &mut self.queues {
            q.state(io);
        }
        io.u64("notified", &mut self.notified);
        state::option(io, "due", &mut self.due);
        state::u32(io, "interrupt", &mut self.interrupt);
        if let Some(m) = &mut self.model {
            m.state(io);
        }
    }

    fn fork(&self) -> Option<Box<dyn Device>> {
        let model = match &self.model {
            Some(m) => Some(m.fork()?),
            None => None,
        };
        Some(Box::new(VirtioMmio { model, name: self.name.clone(), queues: self.queues.clone(), ..*self }))
    }

    fn as_any(&mut self) -> &mut dyn std::any::Any {
        self
    }
}
