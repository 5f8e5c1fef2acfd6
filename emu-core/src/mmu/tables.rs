//! The memory that page tables lie in, as the walker sees it.

use crate::mem::Ram;

/// Where the page tables are.
pub(super) trait Tables {
    /// The entry at a physical address; none outside of RAM.
    fn read(&self, pa: u64) -> Option<u64>;
    /// Writes an entry that was read.
    fn write(&mut self, pa: u64, value: u64);
    /// The poisoned line that the entry lies in, if it does.
    fn poisoned(&self, _pa: u64) -> Option<u64> {
        None
    }
}

/// The guest's memory itself.
pub(super) struct Memory<'a> {
    /// RAM.
    pub ram: &'a mut Ram,
    /// Numbers of pages with decoded code that were written ([`Ram::write`]).
    pub code_writes: &'a mut Vec<u64>,
}

impl Tables for Memory<'_> {
    #[inline(always)]
    fn read(&self, pa: u64) -> Option<u64> {
        self.ram.read(pa, 8)
    }

    #[inline(always)]
    fn write(&mut self, pa: u64, value: u64) {
        self.ram.write(pa, 8, value, self.code_writes);
    }

    #[inline(always)]
    fn poisoned(&self, pa: u64) -> Option<u64> {
        if self.ram.poison().is_empty() { None } else { self.ram.poison().find(pa, 8) }
    }
}
