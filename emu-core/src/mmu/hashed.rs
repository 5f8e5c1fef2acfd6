//! Sets of addresses by hash, which may hold more than was put in: what a fence may have to drop.

/// Words of the set of pages that code was fetched from. A kernel's path through a page fault is on more than a hundred pages, and each
/// fault's fence asks for one that is not among them.
const CODE_WORDS: usize = 64;

/// Spreads a number over 64 bits, the upper ones best (Fibonacci hashing: 2^64 divided by the golden ratio).
#[inline(always)]
fn hash(n: u64) -> u64 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Where leaves larger than a page were met.
#[derive(Clone, Copy)]
pub(super) struct Leaves {
    /// GiB regions (by hash) with a page of such a leaf.
    regions: u64,
    /// There was one larger than a region.
    huge: bool,
}

impl Leaves {
    /// Nowhere.
    pub(super) const NONE: Leaves = Leaves { regions: 0, huge: false };

    #[inline]
    fn region(va: u64) -> u64 {
        1 << (hash(va >> 30) >> 58)
    }

    /// Takes note of a leaf of so many bytes.
    #[inline]
    pub(super) fn note(&mut self, va: u64, leaf: u64) {
        if leaf > 4096 {
            self.regions |= Leaves::region(va);
            self.huge |= leaf > 1 << 30;
        }
    }

    /// Whether a page of such a leaf may be `va`'s.
    #[inline]
    pub(super) fn may_cover(&self, va: u64) -> bool {
        self.huge || self.regions & Leaves::region(va) != 0
    }
}

/// A set of pages by hash: it may hold more than was put in.
#[derive(Clone)]
pub(super) struct CodePages([u64; CODE_WORDS]);

impl CodePages {
    /// Empty.
    pub(super) const NONE: CodePages = CodePages([0; CODE_WORDS]);

    #[inline]
    fn place(va: u64) -> (usize, u64) {
        let h = hash(va >> 12);
        ((h >> 58) as usize, 1 << (h >> 52 & 63))
    }

    /// Puts in the page of `va`.
    #[inline]
    pub(super) fn add(&mut self, va: u64) {
        let (word, bit) = CodePages::place(va);
        self.0[word] |= bit;
    }

    /// Whether the page of `va` may be in it.
    #[inline]
    pub(super) fn has(&self, va: u64) -> bool {
        let (word, bit) = CodePages::place(va);
        self.0[word] & bit != 0
    }
}
