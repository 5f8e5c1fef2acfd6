//! Host addresses of pages, as harts keep them in their TLBs, and what makes such an address wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{CHUNK, Ram};
use crate::mem::page;

/// Host addresses remembered for TLBs that have to catch up; one that is further behind starts again.
pub const MOVES_KEPT: u64 = 8;

/// Names each `Ram` and each of its lives between forks; never visible to a guest.
static NEXT_LINEAGE: AtomicU64 = AtomicU64::new(1);

pub(super) fn new_lineage() -> u64 {
    NEXT_LINEAGE.fetch_add(1, Ordering::Relaxed)
}

impl Ram {
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
}
