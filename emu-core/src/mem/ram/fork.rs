//! Forks of a memory, which share every page until one of them writes it, and what two of them no longer share.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::host::new_lineage;
use super::{CHUNK, Ram};
use crate::mem::page::Page;

/// Told of a page that two memories do not have in common: physical address, page here, page there.
type Differences<'a> = dyn FnMut(u64, &[u8; 4096], &[u8; 4096]) + 'a;

/// A fork: both sides share every page until one of them writes it. Neither side's TLBs may use what they were given before; they notice
/// by themselves because the lineage changes. Decoded code is not part of the fork: its pages are unmarked there.
impl Clone for Ram {
    fn clone(&self) -> Ram {
        self.lineage.store(new_lineage(), Ordering::Relaxed);
        Ram { chunks: self.chunks.clone(), poison: self.poison.clone(), ..Ram::new(self.base, self.size) }
    }
}

impl Ram {
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
}
