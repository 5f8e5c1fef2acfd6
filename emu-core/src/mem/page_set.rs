//! A set of RAM's pages.

/// One bit for each page of RAM.
pub(super) struct PageSet(Vec<u64>);

impl PageSet {
    /// None of so many pages.
    pub(super) fn new(pages: usize) -> PageSet {
        PageSet(vec![0; pages.div_ceil(64)])
    }

    /// Whether a page, by its number within RAM, is in it.
    #[inline]
    pub(super) fn has(&self, page: usize) -> bool {
        self.0.get(page / 64).is_some_and(|w| w >> (page % 64) & 1 != 0)
    }

    /// Puts a page in, or takes it out.
    #[inline]
    pub(super) fn set(&mut self, page: usize, on: bool) {
        if let Some(w) = self.0.get_mut(page / 64) {
            *w = *w & !(1 << (page % 64)) | (on as u64) << (page % 64);
        }
    }

    /// Takes all out.
    pub(super) fn clear(&mut self) {
        self.0.fill(0);
    }
}
