//! Who accesses memory beside the instructions of harts: devices and native firmware, noted while somebody wants to know.

/// Who accesses memory and is no instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Writer {
    /// A device, by its place in [`crate::bus::Bus::slots`].
    Device(usize),
    /// The host, through `tohost`.
    Htif,
    /// Native firmware.
    Firmware {
        /// The hart, by index, that it worked for.
        hart: usize,
        /// What it did there, in its own terms.
        what: &'static str,
        /// The step of that, from 1.
        step: u64,
    },
}

/// One access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// Physical address of the first byte.
    pub pa: u64,
    /// Bytes.
    pub len: u64,
    /// A write; otherwise a read.
    pub store: bool,
    /// Who it was.
    pub by: Writer,
}

/// Accesses that are kept until somebody takes them; one request of a device makes far fewer.
const MOST: usize = 1 << 16;

/// The accesses since somebody last looked. No part of the guest's state: it decides nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal {
    /// Whose accesses these are now; none for instructions.
    pub(super) by: Option<Writer>,
    /// Whether reads are noted too.
    pub(super) reads: bool,
    list: Vec<Access>,
}

impl Journal {
    /// Bytes are about to be accessed.
    pub(super) fn note(&mut self, pa: u64, len: u64, store: bool) {
        let Some(by) = self.by.filter(|_| store || self.reads) else { return };
        let room = self.list.len() < MOST;
        match self.list.last_mut() {
            // A buffer is accessed in parts.
            Some(w) if w.by == by && w.store == store && w.pa.wrapping_add(w.len) == pa => w.len += len,
            _ if room => self.list.push(Access { pa, len, store, by }),
            _ => {}
        }
    }

    /// What was accessed, once.
    pub(super) fn take(&mut self) -> Vec<Access> {
        std::mem::take(&mut self.list)
    }
}
