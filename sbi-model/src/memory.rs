//! Guest memory that a caller gives to the firmware (SBI, "Shared Memory Physical Address Range Parameter"): checked here, once, for
//! every extension.

use emu_core::hart::event;

use crate::call::Call;

/// What the firmware wants to do there in the caller's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Read.
    Read,
    /// Write.
    Write,
    /// Let the supervisor execute.
    Execute,
}

impl Call<'_, '_> {
    /// The address of `len` bytes of shared memory that a call names by its two halves: `high` must be 0 with XLEN=64, `low` a multiple of
    /// `align`, and the bytes main memory, without wrapping around, that the caller's domain may access. The error a failure means is
    /// the extension's business.
    pub fn shared(&self, low: u64, high: u64, len: u64, align: u64, access: Access) -> Option<u64> {
        let aligned = align <= 1 || low.is_multiple_of(align);
        (high == 0 && aligned && self.may(low, len, access)).then_some(low)
    }

    /// Whether the caller may access `len` bytes of main memory at `at`.
    pub fn may(&self, at: u64, len: u64, access: Access) -> bool {
        self.platform.bus.ram.contains(at, len) && self.domain_allows(at, len, access)
    }

    /// Whether the caller's domain lets the supervisor access these physical addresses; it need not be memory. The firmware's own
    /// memory is closed to every domain.
    pub fn domain_allows(&self, at: u64, len: u64, access: Access) -> bool {
        self.rules.domains.allow(self.platform.harts[self.hart].id, at, len, access)
    }

    /// Reads bytes that [`Call::shared`] has allowed.
    pub fn read_bytes(&self, at: u64, bytes: &mut [u8]) -> bool {
        self.platform.bus.ram.read_bytes(at, bytes)
    }

    /// Reads one XLEN-wide word, likewise.
    pub fn read_word(&self, at: u64) -> Option<u64> {
        let mut bytes = [0; 8];
        self.read_bytes(at, &mut bytes).then(|| u64::from_le_bytes(bytes))
    }

    /// Writes bytes that [`Call::shared`] has allowed, and lets every hart forget what it has decoded there.
    pub fn write_bytes(&mut self, at: u64, bytes: &[u8]) -> bool {
        let bus = &mut *self.platform.bus;
        let done = bus.ram.write_bytes(at, bytes, &mut bus.code_writes);
        let h = &mut self.platform.harts[self.hart];
        h.tlb.sync(&bus.ram);
        if !bus.code_writes.is_empty() {
            h.events |= event::CODE;
        }
        done
    }

    /// Writes one XLEN-wide word, likewise.
    pub fn write_word(&mut self, at: u64, word: u64) -> bool {
        self.write_bytes(at, &word.to_le_bytes())
    }
}
