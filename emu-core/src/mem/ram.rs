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
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::journal::{Access, Journal, Writer};
use super::page::{self, Owned, Page};
use super::poison::Poison;

/// Pages in a chunk.
const CHUNK: usize = 512;

/// Host addresses remembered for TLBs that have to catch up; one that is further behind starts again.
pub const MOVES_KEPT: u64 = 8;

/// Told of a page that two memories do not have in common: physical address, page here, page there.
type Differences<'a> = dyn FnMut(u64, &[u8; 4096], &[u8; 4096]) + 'a;

#[derive(Clone)]
struct Chunk {
    pages: [Option<Arc<Page>>; CHUNK],
}

/// One bit for each page of RAM.
struct PageSet(Vec<u64>);

impl PageSet {
    fn new(pages: usize) -> PageSet {
        PageSet(vec![0; pages.div_ceil(64)])
    }

    #[inline]
    fn has(&self, page: usize) -> bool {
        self.0.get(page / 64).is_some_and(|w| w >> (page % 64) & 1 != 0)
    }

    #[inline]
    fn set(&mut self, page: usize, on: bool) {
        if let Some(w) = self.0.get_mut(page / 64) {
            *w = *w & !(1 << (page % 64)) | (on as u64) << (page % 64);
        }
    }

    fn clear(&mut self) {
        self.0.fill(0);
    }
}

/// Names each `Ram` and each of its lives between forks; never visible to a guest.
static NEXT_LINEAGE: AtomicU64 = AtomicU64::new(1);

fn new_lineage() -> u64 {
    NEXT_LINEAGE.fetch_add(1, Ordering::Relaxed)
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

/// A fork: both sides share every page until one of them writes it. Neither side's TLBs may use what they were given before; they notice
/// by themselves because the lineage changes. Decoded code is not part of the fork: its pages are unmarked there.
impl Clone for Ram {
    fn clone(&self) -> Ram {
        self.lineage.store(new_lineage(), Ordering::Relaxed);
        let pages = (self.size >> 12) as usize;
        Ram {
            base: self.base,
            size: self.size,
            chunks: self.chunks.clone(),
            code: PageSet::new(pages),
            read_given: PageSet::new(pages),
            write_given: PageSet::new(pages),
            write_given_in: 0,
            moves: 0,
            moved: [0; MOVES_KEPT as usize],
            lineage: AtomicU64::new(new_lineage()),
            poison: self.poison.clone(),
            journal: None,
        }
    }
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

    /// Says that the page of `pa` has decoded code (or no longer has): while it has, no direct write pointer is given out.
    /// Returns the page's host address if it was handed out for writing before: the caller makes every hart drop it
    /// ([`crate::mmu::Tlb::forget_writes`]).
    #[must_use = "write pointers that exist already must be dropped"]
    pub fn set_code(&mut self, pa: u64, has: bool) -> Option<*const u8> {
        let index = self.index(pa)?;
        self.code.set(index, has);
        if !has || !self.write_given.has(index) {
            return None;
        }
        self.write_given.set(index, false);
        Some(self.page(index).as_ptr())
    }

    /// Whether the page of `pa` has decoded code.
    #[inline]
    pub fn has_code(&self, pa: u64) -> bool {
        self.index(pa).is_some_and(|i| self.code.has(i))
    }

    /// Host address of the page of `pa` for reading. None if not RAM. It is wrong once [`Ram::moves`] or [`Ram::lineage`] changes in a way
    /// that concerns this page, and when the `Ram` is gone.
    pub fn page_for_read(&mut self, pa: u64) -> Option<*const u8> {
        let index = self.index(pa)?;
        if self.owned(index) {
            return Some(self.page(index).as_ptr());
        }
        let (host, may_move) = match self.chunks.get(index / CHUNK) {
            Some(Some(c)) => match &c.pages[index % CHUNK] {
                // The chunk may be shared although the page counts one reference.
                Some(p) => (p.as_ptr(), Arc::strong_count(c) != 1 || !page::sole_owner(p)),
                None => (page::ZERO.as_ptr(), true),
            },
            _ => (page::ZERO.as_ptr(), true),
        };
        if may_move {
            self.read_given.set(index, true);
        }
        Some(host)
    }

    /// Host address of the page of `pa` for writing (allocates or copies it first), valid until the next fork or [`Ram::set_code`].
    /// None if not RAM or the page has decoded code.
    pub fn page_for_write(&mut self, pa: u64) -> Option<*mut u8> {
        let index = self.index(pa)?;
        if self.code.has(index) {
            return None;
        }
        if self.owned(index) {
            return Some(self.page(index).as_ptr());
        }
        let host = self.page_mut(index)?.as_ptr();
        if self.write_given_in != self.lineage() {
            self.write_given.clear();
            self.write_given_in = self.lineage();
        }
        self.write_given.set(index, true);
        Some(host)
    }

    /// Whether the page was handed out for writing since the last fork, so that it is no other's and stays where it is.
    #[inline]
    fn owned(&self, index: usize) -> bool {
        self.write_given.has(index) && self.write_given_in == self.lineage()
    }

    /// How many pages that were handed out for reading have got another host address so far.
    #[inline(always)]
    pub fn moves(&self) -> u64 {
        self.moves
    }

    /// Host addresses that the moves from number `since` on left behind; None if that is too long ago to know.
    pub fn moved_since(&self, since: u64) -> Option<impl Iterator<Item = usize> + '_> {
        let behind = self.moves.checked_sub(since)?;
        (behind <= MOVES_KEPT).then(|| (since..self.moves).map(|n| self.moved[(n % MOVES_KEPT) as usize]))
    }

    /// A number that no other `Ram` has and that changes with each fork of this one.
    #[inline(always)]
    pub fn lineage(&self) -> u64 {
        self.lineage.load(Ordering::Relaxed)
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

    /// Calls `f(physical address, page here, page there)` for each page whose bytes differ from those of another RAM of the same place and
    /// size. Pages that forks still share cost nothing.
    pub fn for_each_difference(&self, other: &Ram, f: &mut Differences<'_>) {
        for (p, x, y) in self.apart(other) {
            x.with_bytes(|x| {
                y.with_bytes(|y| {
                    if x != y {
                        f(self.base + p as u64 * 4096, x, y);
                    }
                });
            });
        }
    }

    /// Number, page here and page there of each page that the two do not share.
    fn apart<'a>(&'a self, other: &'a Ram) -> impl Iterator<Item = (usize, &'a Page, &'a Page)> {
        let chunk = |ram: &'a Ram, index| ram.chunks.get(index).and_then(Option::as_ref);
        (0..self.chunks.len().max(other.chunks.len()))
            .filter(move |&index| match (chunk(self, index), chunk(other, index)) {
                (None, None) => false,
                (Some(a), Some(b)) => !Arc::ptr_eq(a, b),
                _ => true,
            })
            .flat_map(|index| index * CHUNK..(index + 1) * CHUNK)
            .map(|p| (p, self.page(p), other.page(p)))
            .filter(|(_, x, y)| !std::ptr::eq(*x, *y))
    }

    /// Whether this RAM and another one of the same place and size still have the page of `pa` in common: neither has written it since the
    /// fork that parted them.
    pub fn shares_page(&self, other: &Ram, pa: u64) -> bool {
        self.index(pa).is_none_or(|i| std::ptr::eq(self.page(i), other.page(i)))
    }

    /// Pages that this RAM and another one of the same place and size do not share: what a fork and its origin have in memory twice.
    pub fn pages_apart(&self, other: &Ram) -> u64 {
        self.apart(other).count() as u64
    }

    /// Pages that have host memory of their own or shared with a fork.
    pub fn pages_touched(&self) -> usize {
        self.chunks.iter().flatten().map(|c| c.pages.iter().flatten().count()).sum()
    }
}
