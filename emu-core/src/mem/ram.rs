//! Main memory as pages that are allocated when first written and shared between forks until written.
//!
//! A two-level table of reference-counted 4 KiB pages (chunks of 512): a fork clones one reference a chunk. Reading a page nobody
//! wrote reads the zero page. A page that a fork shares, or that has decoded code ([`Ram::set_code`]), is never handed out for direct
//! writing, so the first store takes the slow path, which copies the page or reports the write.
//!
//! Harts keep host addresses of pages ([`crate::mmu::Tlb`]). What makes such an address wrong is counted here, so that a TLB can catch
//! up before it is used again ([`crate::mmu::Tlb::sync`]): a page that was handed out for reading and then got another place
//! ([`Ram::moves`]), and a fork ([`Ram::lineage`]), after which nothing handed out before may be written.

use std::cell::RefCell;
mod fork;
mod host;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::journal::{Access, Journal, Writer};
use super::page::{self, Owned, Page};
use super::page_set::PageSet;
use super::poison::Poison;
pub use host::MOVES_KEPT;
use host::new_lineage;

/// Pages in a chunk.
const CHUNK: usize = 512;

#[derive(Clone)]
struct Chunk {
    pages: [Option<Arc<Page>>; CHUNK],
}

/// Main memory, one range of physical addresses.
pub struct Ram {
    base: u64,
    size: u64,
    chunks: Vec<Option<Arc<Chunk>>>,
    code: PageSet,
    /// Pages whose present address was handed out for reading while they could still move.
    read_given: PageSet,
    /// Pages whose address was handed out for writing in the lineage `write_given_in`: while that lasts nobody else refers to them, so
    /// their reference counts, a miss of the host's cache each, need not be looked at again.
    write_given: PageSet,
    write_given_in: u64,
    moves: u64,
    moved: [usize; MOVES_KEPT as usize],
    lineage: AtomicU64,
    /// Lines that must not be consumed.
    poison: Poison,
    /// Accesses of others than instructions, while somebody wants to know of them.
    journal: Option<Box<RefCell<Journal>>>,
}

impl Ram {
    /// `size` bytes (a multiple of 4096) of zeroes at `base`.
    pub fn new(base: u64, size: u64) -> Ram {
        let size = size & !0xfff;
        let pages = (size >> 12) as usize;
        Ram {
            base: base & !0xfff,
            size,
            chunks: vec![None; pages.div_ceil(CHUNK)],
            code: PageSet::new(pages),
            read_given: PageSet::new(pages),
            write_given: PageSet::new(pages),
            write_given_in: 0,
            moves: 0,
            moved: [0; MOVES_KEPT as usize],
            lineage: AtomicU64::new(new_lineage()),
            poison: Poison::default(),
            journal: None,
        }
    }

    /// Has writes of devices and firmware noted from here on, or no more, and if so, with `reads`, also what they read. A clone of this
    /// memory notes none.
    pub fn set_journal(&mut self, on: bool, reads: bool) {
        self.journal = if on { self.journal.take().or_else(|| Some(Box::default())) } else { None };
        if let Some(j) = &mut self.journal {
            j.get_mut().reads = reads;
        }
    }

    /// Whether they are noted.
    #[inline]
    pub fn has_journal(&self) -> bool {
        self.journal.is_some()
    }

    /// Whose accesses those from here on are: a device's, firmware's, or (`None`) instructions'. Gives whose they were before.
    #[inline]
    pub fn accessed_by(&mut self, by: Option<Writer>) -> Option<Writer> {
        match &mut self.journal {
            Some(j) => std::mem::replace(&mut j.get_mut().by, by),
            None => None,
        }
    }

    /// What devices and firmware have accessed since the last call.
    pub fn take_accesses(&mut self) -> Vec<Access> {
        self.journal.as_mut().map(|j| j.get_mut().take()).unwrap_or_default()
    }

    /// Poisoned lines.
    #[inline]
    pub fn poison(&self) -> &Poison {
        &self.poison
    }

    /// The same, to save or restore them. After restoring, TLBs and decoded code are started again anyway.
    pub fn poison_mut(&mut self) -> &mut Poison {
        &mut self.poison
    }

    /// Poisons all lines of a range of RAM, or takes the poison from them. False if it is not RAM, or too much. Whoever calls this also
    /// makes the harts forget what they have cached of it ([`crate::machine::Machine::poison`]).
    pub fn set_poison(&mut self, pa: u64, len: u64, on: bool) -> bool {
        if !self.contains(pa, len) {
            return false;
        }
        if on {
            return self.poison.add(pa, len);
        }
        self.poison.remove(pa, len);
        true
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
        let at = pa.wrapping_sub(self.base);
        at < self.size && self.size - at >= len
    }

    /// Number of the page of `pa` within RAM.
    #[inline(always)]
    fn index(&self, pa: u64) -> Option<usize> {
        let at = pa.wrapping_sub(self.base);
        (at < self.size).then_some((at >> 12) as usize)
    }

    #[inline(always)]
    fn page(&self, index: usize) -> &Page {
        match self.chunks.get(index / CHUNK) {
            Some(Some(c)) => c.pages[index % CHUNK].as_deref().unwrap_or(&page::ZERO),
            _ => &page::ZERO,
        }
    }

    /// The page for writing, allocated or copied as needed. None only for an index out of range.
    fn page_mut(&mut self, index: usize) -> Option<Owned<'_>> {
        self.page_or(index, Page::zeroed)
    }

    /// As [`Ram::page_mut`]; a page that nobody wrote yet begins as `fresh`.
    fn page_or(&mut self, index: usize, fresh: impl FnOnce() -> Arc<Page>) -> Option<Owned<'_>> {
        let slot = self.chunks.get_mut(index / CHUNK)?;
        let chunk = slot.get_or_insert_with(|| Arc::new(Chunk { pages: [const { None }; CHUNK] }));
        let page = &mut Arc::make_mut(chunk).pages[index % CHUNK];
        let old = match page {
            Some(p) if page::sole_owner(p) => None,
            Some(p) => {
                let old = p.as_ptr() as usize;
                *p = p.duplicate();
                Some(old)
            }
            None => {
                *page = Some(fresh());
                Some(page::ZERO.as_ptr() as usize)
            }
        };
        if let Some(old) = old
            && self.read_given.has(index)
        {
            self.read_given.set(index, false);
            self.moved[(self.moves % MOVES_KEPT) as usize] = old;
            self.moves += 1;
        }
        Owned::new(page.as_mut()?)
    }

    /// Reads a naturally aligned 1, 2, 4 or 8 byte little-endian value; None if it is not RAM.
    #[inline]
    pub fn read(&self, pa: u64, size: u8) -> Option<u64> {
        Some(self.page(self.index(pa)?).read(pa as usize, size))
    }

    /// Writes a naturally aligned value inside RAM; pushes the page number (physical address >> 12) to `code_writes` if the page has
    /// decoded code. Nothing happens outside RAM.
    pub fn write(&mut self, pa: u64, size: u8, value: u64, code_writes: &mut Vec<u64>) {
        let Some(index) = self.index(pa) else { return };
        if let Some(j) = &mut self.journal {
            j.get_mut().note(pa, u64::from(size), true);
        }
        if self.code.has(index) {
            code_writes.push(pa >> 12);
        }
        if let Some(page) = self.page_mut(index) {
            page.write(pa as usize, size, value);
        }
    }

    /// Copies out `buf.len()` bytes at `pa`; false (nothing copied) if any of them is not RAM. Devices and firmware read with this what they
    /// mean to be seen reading; what they poll, and page tables, they read with [`Ram::read`].
    pub fn read_bytes(&self, pa: u64, buf: &mut [u8]) -> bool {
        if !self.contains(pa, buf.len() as u64) {
            return false;
        }
        if let Some(j) = &self.journal {
            j.borrow_mut().note(pa, buf.len() as u64, false);
        }
        let mut at = pa - self.base;
        let mut rest = buf;
        while !rest.is_empty() {
            let n = (4096 - (at as usize & 4095)).min(rest.len());
            let (part, tail) = rest.split_at_mut(n);
            self.page((at >> 12) as usize).copy_out(at as usize, part);
            at += n as u64;
            rest = tail;
        }
        true
    }

    /// Copies in; as [`Ram::read_bytes`]. Zeroes for a page nobody wrote yet cost no memory.
    pub fn write_bytes(&mut self, pa: u64, buf: &[u8], code_writes: &mut Vec<u64>) -> bool {
        if !self.contains(pa, buf.len() as u64) {
            return false;
        }
        if let Some(j) = &mut self.journal {
            j.get_mut().note(pa, buf.len() as u64, true);
        }
        let mut at = pa - self.base;
        let mut rest = buf;
        while !rest.is_empty() {
            let n = (4096 - (at as usize & 4095)).min(rest.len());
            let (part, tail) = rest.split_at(n);
            let index = (at >> 12) as usize;
            if self.code.has(index) {
                code_writes.push((self.base + at) >> 12);
            }
            let untouched = std::ptr::eq(self.page(index), &page::ZERO);
            match <&[u8; page::SIZE]>::try_from(part) {
                _ if untouched && page::is_zero(part) => {}
                Ok(whole) if untouched => {
                    self.page_or(index, || Page::of(whole));
                }
                _ => {
                    if let Some(page) = self.page_mut(index) {
                        page.copy_in(at as usize, part);
                    }
                }
            }
            at += n as u64;
            rest = tail;
        }
        true
    }

    /// Calls `f(physical address, page bytes)` for each page that was ever written and is not all zero, in ascending order (state hash, snapshot).
    pub fn for_each_page(&self, f: &mut dyn FnMut(u64, &[u8; 4096])) {
        for (c, chunk) in self.chunks.iter().enumerate() {
            let Some(chunk) = chunk else { continue };
            for (p, page) in chunk.pages.iter().enumerate() {
                let Some(page) = page else { continue };
                page.with_bytes(|bytes| {
                    if !page::is_zero(bytes) {
                        f(self.base + ((c * CHUNK + p) as u64) * 4096, bytes);
                    }
                });
            }
        }
    }

    /// Pages that have host memory of their own or shared with a fork.
    pub fn pages_touched(&self) -> usize {
        self.chunks.iter().flatten().map(|c| c.pages.iter().flatten().count()).sum()
    }
}
