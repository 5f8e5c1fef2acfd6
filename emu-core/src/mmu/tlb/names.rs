//! Names of what a hart fetches from, by which jump caches tell translations apart without looking at them.

use super::Tlb;
use crate::mmu::bank::half;
use crate::mmu::hashed::{CodePages, Leaves};

/// The highest name there is: a jump cache's tag has six bits for it, below the one that tells the halves apart.
const MOST: u64 = 63;

/// The upper half of the addresses as all banks of a class fetch from it that have only global pages there: they share one name, so that
/// what jump caches know of a kernel outlives a change of address space.
pub(super) struct GlobalCode {
    /// See [`Context::class`](crate::mmu::context::Context::class).
    class: u8,
    /// 0 for none yet.
    name: u64,
    /// Pages that were fetched from under this name.
    pages: CodePages,
    /// The larger leaves that they are parts of.
    leaves: Leaves,
}

impl GlobalCode {
    /// Nothing is known.
    pub(super) const NONE: GlobalCode = GlobalCode { class: 0, name: 0, pages: CodePages::NONE, leaves: Leaves::NONE };

    /// Takes note of a global page that was fetched from, a part of a leaf of so many bytes.
    #[inline]
    pub(super) fn fetched(&mut self, va: u64, leaf: u64) {
        if half(va) == 1 {
            self.pages.add(va);
            self.leaves.note(va, leaf);
        }
    }

    /// A fence of one address: the name ends if the page may have been fetched from under it.
    pub(super) fn drop_address(&mut self, va: u64) {
        if half(va) == 1 && (self.pages.has(va) || self.leaves.may_cover(va)) {
            self.name = 0;
        }
    }
}

impl Tlb {
    /// Names, 1 to 63, for what the fetch bank translates now in the lower and in the upper half of the addresses; 0 for a half without a
    /// name yet, but never for the one `pc` is in. A name stays the same as long as every jump to a virtual pc of that half that was
    /// resolved under it would be resolved alike; the flag says that old names were recycled, so everything resolved before must be
    /// forgotten.
    #[inline]
    pub fn fetch_context(&mut self, pc: u64) -> ([u64; 2], bool) {
        let names = self.names();
        if names[half(pc)] != 0 { (names, false) } else { self.name_half(half(pc)) }
    }

    /// The names of the two halves, 0 for none yet.
    #[inline]
    fn names(&self) -> [u64; 2] {
        let b = self.code();
        let upper = match b.shares() {
            None => b.name(1),
            Some(class) if class == self.global.class => self.global.name,
            Some(_) => 0,
        };
        [b.name(0), upper]
    }

    /// The bank and names that fetches are resolved under now.
    #[inline]
    pub fn fetch_name(&self) -> (usize, [u64; 2]) {
        (self.fetch_bank as usize, self.names())
    }

    /// Gives the half a name, for which there may be none left but those that are given out.
    #[cold]
    fn name_half(&mut self, half: usize) -> ([u64; 2], bool) {
        let wrapped = self.next_name == MOST;
        if wrapped {
            for i in 0..self.made {
                self.bank(i).unname();
            }
            self.global.name = 0;
            self.next_name = 0;
        }
        self.next_name += 1;
        let name = self.next_name;
        match self.code().shares() {
            Some(class) if half == 1 => {
                // What is known of pages is kept: banks may still hold those of names before.
                self.global.class = class;
                self.global.name = name;
            }
            _ => self.code_mut().set_name(half, name),
        }
        (self.names(), wrapped)
    }
}
