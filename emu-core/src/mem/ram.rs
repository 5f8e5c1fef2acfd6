//! Main memory as pages that are allocated when first written and shared between forks until written.
//!
//! A two-level table of reference-counted 4 KiB pages (chunks of 512): a fork clones one reference a chunk. Reading a page nobody
//! wrote reads the zero page. A page that a fork shares, or that has decoded code ([`Ram::set_code`]), is never handed out for direct
//! writing, so the first store takes the slow path, which copies the page or reports the write.

/// Main memory, one range of physical addresses.
#[derive(Clone)]
pub struct Ram {
    base: u64,
    size: u64,
}

impl Ram {
    /// `size` bytes (a multiple of 4096) of zeroes at `base`.
    pub fn new(base: u64, size: u64) -> Ram {
        Ram { base, size }
    }

    /// First physical address.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether the whole range of `len` bytes at `pa` is RAM.
    #[inline]
    pub fn contains(&self, pa: u64, len: u64) -> bool {
        pa.wrapping_sub(self.base) < self.size && self.size - (pa - self.base) >= len
    }

    /// Reads a naturally aligned 1, 2, 4 or 8 byte little-endian value; None if it is not RAM.
    pub fn read(&self, _pa: u64, _size: u8) -> Option<u64> {
        None
    }

    /// Writes a naturally aligned value inside RAM; pushes the page number to `code_writes` if the page has decoded code.
    pub fn write(&mut self, _pa: u64, _size: u8, _value: u64, _code_writes: &mut Vec<u64>) {}

    /// Copies out `buf.len()` bytes at `pa`; false (nothing copied) if any of them is not RAM.
    pub fn read_bytes(&self, _pa: u64, _buf: &mut [u8]) -> bool {
        false
    }

    /// Copies in; as [`Ram::read_bytes`].
    pub fn write_bytes(&mut self, _pa: u64, _buf: &[u8], _code_writes: &mut Vec<u64>) -> bool {
        false
    }

    /// Says that the page of `pa` has decoded code (or no longer has): while it has, no direct write pointer is given out.
    /// The caller drops write pointers that exist already ([`crate::mmu::Tlb::forget_writes`]).
    pub fn set_code(&mut self, _pa: u64, _has: bool) {}

    /// Whether the page of `pa` has decoded code.
    pub fn has_code(&self, _pa: u64) -> bool {
        false
    }

    /// Host address of the page of `pa` for reading, valid until the next fork, restore or write through another path. None if not RAM.
    pub fn page_for_read(&mut self, _pa: u64) -> Option<*const u8> {
        None
    }

    /// Host address of the page of `pa` for writing (allocates or copies it first). None if not RAM or the page has decoded code.
    pub fn page_for_write(&mut self, _pa: u64) -> Option<*mut u8> {
        None
    }

    /// Calls `f(physical address, page bytes)` for each page that was ever written and is not all zero, in ascending order (state hash, snapshot).
    pub fn for_each_page(&self, _f: &mut dyn FnMut(u64, &[u8; 4096])) {}
}
