//! Split virtqueue, device side ("VIRTIO 1.2, 2.7"), with indirect descriptors and event index. Everything the driver wrote is
//! checked; what breaks the rules ends in [`BadQueue`], never in a panic or an endless loop.

use virtio_bindings::virtio_ring::{VRING_AVAIL_F_NO_INTERRUPT, VRING_DESC_F_INDIRECT, VRING_DESC_F_NEXT, VRING_DESC_F_WRITE};

use crate::dev::{StateIo, state};
use crate::mem::Ram;

/// Largest queue we offer. A chain is never longer ("2.7.5.3.1"), whatever an indirect table says.
pub const MAX_SIZE: u16 = 256;

/// Longest chain in bytes: far more than any driver sends, far less than would exhaust the host.
const MAX_CHAIN_BYTES: u64 = 64 << 20;

/// The driver broke the rules of the ring; the device sets DEVICE_NEEDS_RESET. The text says which.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("virtqueue: {0}")]
pub struct BadQueue(pub &'static str);

/// Guest memory as a queue sees it.
pub struct Mem<'a> {
    /// Main memory.
    pub ram: &'a mut Ram,
    /// See [`crate::bus::Bus::code_writes`].
    pub code_writes: &'a mut Vec<u64>,
}

impl Mem<'_> {
    fn array<const N: usize>(&self, pa: u64) -> Result<[u8; N], BadQueue> {
        let mut b = [0; N];
        if self.ram.read_bytes(pa, &mut b) { Ok(b) } else { Err(BadQueue("an address outside of main memory")) }
    }

    fn u16(&self, pa: u64) -> Result<u16, BadQueue> {
        self.array(pa).map(u16::from_le_bytes)
    }

    fn put(&mut self, pa: u64, bytes: &[u8]) -> Result<(), BadQueue> {
        if self.ram.write_bytes(pa, bytes, self.code_writes) {
            Ok(())
        } else {
            Err(BadQueue("an address outside of main memory"))
        }
    }
}

/// A driver's request: buffers the device reads, then buffers it writes, as (address, length).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Chain {
    /// Index of the first descriptor, which identifies the request in the used ring.
    pub head: u16,
    /// Device-readable buffers.
    pub readable: Vec<(u64, u32)>,
    /// Device-writable buffers.
    pub writable: Vec<(u64, u32)>,
}

impl Chain {
    /// Bytes the device may read.
    pub fn readable_len(&self) -> u64 {
        self.readable.iter().map(|b| u64::from(b.1)).sum()
    }

    /// Bytes the device may write.
    pub fn writable_len(&self) -> u64 {
        self.writable.iter().map(|b| u64::from(b.1)).sum()
    }

    /// Copies the readable bytes from `skip` on into `out`; returns how many there were.
    pub fn read(&self, mem: &Mem<'_>, mut skip: u64, out: &mut [u8]) -> Result<usize, BadQueue> {
        let mut done = 0;
        for &(pa, len) in &self.readable {
            let len = u64::from(len);
            if skip >= len {
                skip -= len;
                continue;
            }
            let n = ((len - skip) as usize).min(out.len() - done);
            if !mem.ram.read_bytes(pa.wrapping_add(skip), &mut out[done..done + n]) {
                return Err(BadQueue("a buffer outside of main memory"));
            }
            done += n;
            skip = 0;
            if done == out.len() {
                break;
            }
        }
        Ok(done)
    }

    /// Copies `data` into the writable bytes from `skip` on; returns how many fitted.
    pub fn write(&self, mem: &mut Mem<'_>, mut skip: u64, data: &[u8]) -> Result<usize, BadQueue> {
        let mut done = 0;
        for &(pa, len) in &self.writable {
            let len = u64::from(len);
            if skip >= len {
                skip -= len;
                continue;
            }
            let n = ((len - skip) as usize).min(data.len() - done);
            mem.put(pa.wrapping_add(skip), &data[done..done + n])?;
            done += n;
            skip = 0;
            if done == data.len() {
                break;
            }
        }
        Ok(done)
    }
}

/// One queue: what the driver configured, and how far the device has come.
#[derive(Clone, Default, Debug)]
pub struct Queue {
    /// Number of descriptors; a power of two, at most [`MAX_SIZE`].
    pub size: u16,
    /// Whether the driver has enabled the queue.
    pub ready: bool,
    /// Descriptor table.
    pub desc: u64,
    /// Driver area (available ring).
    pub avail: u64,
    /// Device area (used ring).
    pub used: u64,
    /// Next available entry to take.
    next_avail: u16,
    /// Next used entry to write.
    next_used: u16,
    /// `next_used` when the driver was last interrupted.
    signalled: u16,
    /// VIRTIO_F_EVENT_IDX was negotiated.
    pub event_idx: bool,
}

struct Desc {
    addr: u64,
    len: u32,
    flags: u32,
    next: u16,
}

impl Queue {
    /// A queue as after reset.
    pub fn new() -> Queue {
        Queue { size: MAX_SIZE, ..Queue::default() }
    }

    fn check(&self) -> Result<(), BadQueue> {
        if self.size == 0 || self.size > MAX_SIZE || !self.size.is_power_of_two() {
            return Err(BadQueue("a size that is no power of two or too large"));
        }
        if !(self.desc.is_multiple_of(16) && self.avail.is_multiple_of(2) && self.used.is_multiple_of(4)) {
            return Err(BadQueue("a misaligned ring"));
        }
        Ok(())
    }

    /// Requests to serve at a time: a ring's worth, so that a driver that adds requests while they are served (another hart, or
    /// rings that overlap) cannot keep the device busy for ever. Not 0, so that a queue of no size is noticed.
    pub fn budget(&self) -> u16 {
        self.size.clamp(1, MAX_SIZE)
    }

    /// Takes the next request, if the driver has made one available.
    pub fn pop(&mut self, mem: &mut Mem<'_>) -> Result<Option<Chain>, BadQueue> {
        if !self.ready {
            return Ok(None);
        }
        self.check()?;
        let waiting = mem.u16(self.avail.wrapping_add(2))?.wrapping_sub(self.next_avail);
        if waiting > self.size {
            return Err(BadQueue("more requests available than the queue has entries"));
        }
        if self.event_idx {
            // "2.7.10 Available buffer notification suppression": tell us at the next one.
            let next = self.next_avail.wrapping_add(u16::from(waiting > 0));
            mem.put(self.used.wrapping_add(4 + 8 * u64::from(self.size)), &next.to_le_bytes())?;
        }
        if waiting == 0 {
            return Ok(None);
        }
        let slot = self.next_avail % self.size;
        let head = mem.u16(self.avail.wrapping_add(4 + 2 * u64::from(slot)))?;
        let chain = self.chain(mem, head)?;
        self.next_avail = self.next_avail.wrapping_add(1);
        Ok(Some(chain))
    }

    fn descriptor(mem: &Mem<'_>, table: u64, i: u16) -> Result<Desc, BadQueue> {
        let b: [u8; 16] = mem.array(table.wrapping_add(16 * u64::from(i)))?;
        let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|k| b[at + k]));
        Ok(Desc {
            addr: u64::from(word(0)) | u64::from(word(4)) << 32,
            len: word(8),
            flags: word(12) & 0xffff,
            next: (word(12) >> 16) as u16,
        })
    }

    fn chain(&self, mem: &Mem<'_>, head: u16) -> Result<Chain, BadQueue> {
        let mut chain = Chain { head, ..Chain::default() };
        let (mut table, mut entries, mut i) = (self.desc, u32::from(self.size), head);
        let (mut count, mut bytes, mut indirect) = (0, 0u64, false);
        loop {
            if u32::from(i) >= entries {
                return Err(BadQueue("a descriptor index beyond the table"));
            }
            let d = Queue::descriptor(mem, table, i)?;
            if d.flags & VRING_DESC_F_INDIRECT != 0 {
                if indirect || d.flags & VRING_DESC_F_NEXT != 0 {
                    return Err(BadQueue("an indirect descriptor where none may be"));
                }
                if d.len == 0 || d.len % 16 != 0 {
                    return Err(BadQueue("an indirect table of a wrong length"));
                }
                (table, entries, i, indirect) = (d.addr, d.len / 16, 0, true);
                continue;
            }
            count += 1;
            if count > u32::from(MAX_SIZE) || (!indirect && count > u32::from(self.size)) {
                return Err(BadQueue("a chain longer than the queue (a loop)"));
            }
            bytes += u64::from(d.len);
            if bytes > MAX_CHAIN_BYTES {
                return Err(BadQueue("a request of more than 64 MiB"));
            }
            if d.len != 0 && !mem.ram.contains(d.addr, u64::from(d.len)) {
                return Err(BadQueue("a buffer outside of main memory"));
            }
            if d.flags & VRING_DESC_F_WRITE != 0 {
                chain.writable.push((d.addr, d.len));
            } else if chain.writable.is_empty() {
                chain.readable.push((d.addr, d.len));
            } else {
                return Err(BadQueue("a device-readable buffer after a device-writable one"));
            }
            if d.flags & VRING_DESC_F_NEXT == 0 {
                return Ok(chain);
            }
            i = d.next;
        }
    }

    /// Gives a request back, with the number of bytes written into it.
    pub fn push(&mut self, mem: &mut Mem<'_>, head: u16, written: u32) -> Result<(), BadQueue> {
        self.check()?;
        let at = self.used.wrapping_add(4 + 8 * u64::from(self.next_used % self.size));
        mem.put(at, &u32::from(head).to_le_bytes())?;
        mem.put(at.wrapping_add(4), &written.to_le_bytes())?;
        self.next_used = self.next_used.wrapping_add(1);
        mem.put(self.used.wrapping_add(2), &self.next_used.to_le_bytes())
    }

    /// Whether the driver wants an interrupt for what was given back since the last one ("2.7.7 Used Buffer Notification Suppression").
    pub fn wants_interrupt(&mut self, mem: &Mem<'_>) -> Result<bool, BadQueue> {
        if self.signalled == self.next_used {
            return Ok(false);
        }
        let (old, new) = (self.signalled, self.next_used);
        self.signalled = new;
        if self.event_idx {
            let event = mem.u16(self.avail.wrapping_add(4 + 2 * u64::from(self.size)))?;
            Ok(new.wrapping_sub(event).wrapping_sub(1) < new.wrapping_sub(old))
        } else {
            Ok(u32::from(mem.u16(self.avail)?) & VRING_AVAIL_F_NO_INTERRUPT == 0)
        }
    }

    /// Visits all state.
    pub fn state(&mut self, io: &mut dyn StateIo) {
        state::u16(io, "queue size", &mut self.size);
        state::bool(io, "queue ready", &mut self.ready);
        io.u64("queue descriptors", &mut self.desc);
        io.u64("queue driver area", &mut self.avail);
        io.u64("queue device area", &mut self.used);
        state::u16(io, "queue next available", &mut self.next_avail);
        state::u16(io, "queue next used", &mut self.next_used);
        state::u16(io, "queue signalled", &mut self.signalled);
        state::bool(io, "queue event index", &mut self.event_idx);
    }
}
