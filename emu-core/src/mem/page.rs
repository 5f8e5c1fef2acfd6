//! One page of guest memory, and the only place that reads and writes its bytes through [`super::Ram`].
//!
//! A page's bytes are also reached through the raw pointers that a hart's TLB holds, so they live in an `UnsafeCell` and no reference
//! to them ever exists. The rule that makes it sound: a page is written only while exactly one [`super::Ram`] refers to it
//! ([`sole_owner`]), and that `Ram` and the harts that hold pointers into it belong to one machine, which runs on one thread at a time.

use std::cell::UnsafeCell;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

/// Bytes in a page.
pub(super) const SIZE: usize = 4096;

/// 4 KiB of guest memory. Aligned to a host cache line, not to a page: the reference counts in front of it would double its size.
#[repr(C, align(64))]
pub(super) struct Page {
    bytes: UnsafeCell<[u8; SIZE]>,
}

// SAFETY: a page that more than one `Ram` (possibly on several threads) refers to is only read, see the module's rule.
unsafe impl Sync for Page {}

/// What reads of pages nobody wrote see.
pub(super) static ZERO: Page = Page { bytes: UnsafeCell::new([0; SIZE]) };

/// Whether all bytes (a page's at most) are zero. A comparison of blocks: it must not cost more than copying them.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    static ZEROES: [u8; SIZE] = [0; SIZE];
    ZEROES.get(..bytes.len()).is_some_and(|z| z == bytes)
}

impl Page {
    /// A page of zeroes.
    pub(super) fn zeroed() -> Arc<Page> {
        Arc::new(Page { bytes: UnsafeCell::new([0; SIZE]) })
    }

    /// A page with these contents.
    pub(super) fn of(bytes: &[u8; SIZE]) -> Arc<Page> {
        Arc::new(Page { bytes: UnsafeCell::new(*bytes) })
    }

    /// A copy of this page.
    pub(super) fn duplicate(&self) -> Arc<Page> {
        // SAFETY: nobody writes during this call (module's rule: the caller's machine is the only one that could).
        Arc::new(Page { bytes: UnsafeCell::new(unsafe { *self.bytes.get() }) })
    }

    /// Address of the first byte, good for reading as long as the page lives and for writing while it has a sole owner.
    #[inline(always)]
    pub(super) fn as_ptr(&self) -> *mut u8 {
        self.bytes.get().cast()
    }

    /// The page's bytes by value, for comparison and hashing.
    pub(super) fn with_bytes<R>(&self, f: impl FnOnce(&[u8; SIZE]) -> R) -> R {
        // SAFETY: `f` cannot reach the machine that could write, and the reference ends with the call.
        f(unsafe { &*self.bytes.get() })
    }

    /// A little-endian value of 1, 2, 4 or 8 bytes at an offset, which is taken modulo the page size and must be aligned to the size
    /// (it is rounded down).
    #[inline(always)]
    pub(super) fn read(&self, offset: usize, size: u8) -> u64 {
        let p = self.as_ptr();
        let o = offset & (SIZE - 1);
        // SAFETY: the offset is inside the page and aligned, so the whole value is; no reference to the bytes exists.
        unsafe {
            match size {
                1 => p.add(o).read() as u64,
                2 => u16::from_le(p.add(o & !1).cast::<u16>().read()) as u64,
                4 => u32::from_le(p.add(o & !3).cast::<u32>().read()) as u64,
                _ => u64::from_le(p.add(o & !7).cast::<u64>().read()),
            }
        }
    }

    /// Copies out bytes from an offset; what would lie behind the page is left alone.
    pub(super) fn copy_out(&self, offset: usize, to: &mut [u8]) {
        let o = offset & (SIZE - 1);
        let n = to.len().min(SIZE - o);
        // SAFETY: `o + n` is inside the page, `n` inside `to`, and a page never overlaps memory that safe code borrows mutably.
        unsafe { std::ptr::copy_nonoverlapping(self.as_ptr().add(o), to.as_mut_ptr(), n) }
    }
}

/// Whether no other `Ram` refers to the page.
#[inline]
pub(super) fn sole_owner(page: &Arc<Page>) -> bool {
    if Arc::strong_count(page) != 1 {
        return false;
    }
    // Another thread's fork that just let go has finished reading before we write (pairs with the release in Arc's drop).
    fence(Ordering::Acquire);
    true
}

/// A page that its holder alone refers to and may write.
pub(super) struct Owned<'a>(&'a Page);

impl<'a> Owned<'a> {
    /// The page as writable, if nobody else refers to it. The borrow is exclusive so that it cannot be shared meanwhile.
    #[inline]
    pub(super) fn new(page: &'a mut Arc<Page>) -> Option<Owned<'a>> {
        sole_owner(page).then(|| Owned(page))
    }

    /// Stores the low `size` bytes, as [`Page::read`] reads them.
    #[inline(always)]
    pub(super) fn write(&self, offset: usize, size: u8, value: u64) {
        let p = self.0.as_ptr();
        let o = offset & (SIZE - 1);
        // SAFETY: inside the page and aligned as in `Page::read`; a sole owner may write (module's rule).
        unsafe {
            match size {
                1 => p.add(o).write(value as u8),
                2 => p.add(o & !1).cast::<u16>().write((value as u16).to_le()),
                4 => p.add(o & !3).cast::<u32>().write((value as u32).to_le()),
                _ => p.add(o & !7).cast::<u64>().write(value.to_le()),
            }
        }
    }

    /// Copies in bytes at an offset; what does not fit the page is left out.
    pub(super) fn copy_in(&self, offset: usize, from: &[u8]) {
        let o = offset & (SIZE - 1);
        let n = from.len().min(SIZE - o);
        // SAFETY: as in `Page::copy_out`, and a sole owner may write.
        unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), self.0.as_ptr().add(o), n) }
    }

    /// Address of the first byte, for direct writing until the page gets a second owner.
    #[inline(always)]
    pub(super) fn as_ptr(&self) -> *mut u8 {
        self.0.as_ptr()
    }
}
