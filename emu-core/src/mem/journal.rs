//! Who writes to memory beside the instructions of harts: devices and native firmware, noted while somebody wants to know.

/// A writer that is no instruction.
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

/// One write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// Physical address of the first byte.
    pub pa: u64,
    /// Bytes.
    pub len: u64,
    /// Who it was.
    pub by: Writer,
}

/// Writes that are kept until somebody takes them; one request of a device makes far fewer.
const MOST: usize = 1 << 16;

/// The writes since somebody last looked. No part of the guest's state: it decides nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal {
    /// Who writes now; none for instructions.
    pub(super) by: Option<Writer>,
    list: Vec<Written>,
}

impl Journal {
    /// Bytes are about to be written.
    pub(super) fn note(&mut self, pa: u64, len: u64) {
        let Some(by) = self.by else { return };
        let room = self.list.len() < MOST;
        match self.list.last_mut() {
            // A buffer is written in parts.
            Some(w) if w.by == by && w.pa.wrapping_add(w.len) == pa => w.len += len,
            _ if room => self.list.push(Written { pa, len, by }),
            _ => {}
        }
    }

    /// What was written, once.
    pub(super) fn take(&mut self) -> Vec<Written> {
        std::mem::take(&mut self.list)
    }
}
