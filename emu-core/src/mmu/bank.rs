//! One bank of the translation cache: the translations of one [`Context`], and what is global among them.
//!
//! A leaf with G set is in every address space (Privileged ISA, "Addressing and Memory Protection"): a fence of one ASID leaves it alone,
//! and a bank for another address space starts with those of the last. It is what a kernel's half of the addresses consists of.

use super::context::Context;
use super::hashed::{CodePages, Leaves};
use super::slow::Place;

/// Entries for loads and for stores in a bank.
pub const DATA_ENTRIES: usize = 1024;
/// Entries for instruction fetches in a bank.
pub const FETCH_ENTRIES: usize = 256;
/// Where the stores' and the fetches' entries stand in a bank's log, behind those of the loads.
const STORES: usize = DATA_ENTRIES;
const FETCHES: usize = STORES + DATA_ENTRIES;
/// Fills a bank remembers so that emptying it need not touch every entry.
const LOG: usize = 192;
/// Tag no access ever has.
pub(super) const EMPTY: u64 = u64::MAX;
/// In the physical page address of an entry: the leaf is global.
const GLOBAL: u64 = 1;
/// A data entry: `tag` is the virtual page address, `addend` what turns a virtual into a host address.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct TlbEntry {
    /// Virtual address of the page, or all ones.
    pub tag: u64,
    /// Host address minus virtual address, wrapping.
    pub addend: u64,
}

impl TlbEntry {
    /// Whether it translates to the page at a host address.
    fn lies_in(&self, host: u64) -> bool {
        self.tag.wrapping_add(self.addend) == host && self.tag != EMPTY
    }
}

/// A fetch entry: as [`TlbEntry`], and the physical page address that block caches are keyed by.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct FetchEntry {
    /// Virtual address of the page, or all ones.
    pub tag: u64,
    /// Host address minus virtual address, wrapping.
    pub addend: u64,
    /// Physical address of the page.
    pub page: u64,
    global: u64,
}

impl FetchEntry {
    /// Whether it translates to the page at a host address.
    fn lies_in(&self, host: u64) -> bool {
        self.tag.wrapping_add(self.addend) == host && self.tag != EMPTY
    }
}

const NO_DATA: TlbEntry = TlbEntry { tag: EMPTY, addend: 0 };
const NO_FETCH: FetchEntry = FetchEntry { tag: EMPTY, addend: 0, page: 0, global: 0 };

/// Translations of one context.
#[repr(C)]
pub struct Bank {
    /// Readable pages.
    pub load: [TlbEntry; DATA_ENTRIES],
    /// Writable pages.
    pub store: [TlbEntry; DATA_ENTRIES],
    /// Executable pages.
    pub fetch: [FetchEntry; FETCH_ENTRIES],
    /// Physical page addresses of the load and store entries, for reservations; with [`GLOBAL`].
    load_page: [u64; DATA_ENTRIES],
    store_page: [u64; DATA_ENTRIES],
    /// Slots filled since the bank was last empty, if there were at most [`LOG`]; loads, then stores, then fetches.
    log: [u16; LOG],
    logged: usize,
    /// The larger leaves among them, in the lower half and in the upper.
    leaves: [Leaves; 2],
    /// What must go before the bank is used again.
    pub(super) stale: Stale,
    pub(super) moves: u64,
    pub(super) used: u64,
    context: Option<Context>,
    /// Which global translations it may share, if any: see [`Context::class`].
    class: Option<u8>,
    /// A translation that is not global was in `fetch` for the upper half, since that half's name is its own.
    mixed: bool,
    /// Names of this bank's fetch translations in jump caches, for the lower half of the addresses and the upper, 0 for none yet: see
    /// [`super::Tlb::fetch_context`].
    names: [u64; 2],
    /// Pages that were ever in `fetch` under these names.
    code_pages: CodePages,
}

#[inline(always)]
fn slot(va: u64) -> usize {
    (va >> 12) as usize & (DATA_ENTRIES - 1)
}

#[inline(always)]
fn fetch_slot(va: u64) -> usize {
    (va >> 12) as usize & (FETCH_ENTRIES - 1)
}

/// 0 for an address in the lower half, 1 for one in the upper.
#[inline(always)]
pub(super) fn half(va: u64) -> usize {
    (va >> 63) as usize
}

/// What a fence has left to do in a bank.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Stale {
    /// Nothing.
    No,
    /// What is not global must go.
    Local,
    /// Everything must go.
    All,
}

impl Bank {
    /// Host address for a load of `SIZE` (1, 2, 4, 8) bytes; none if not cached or not naturally aligned. It may be used until the
    /// hart next does anything but a load, store or fetch through this bank.
    #[inline(always)]
    pub fn load_ptr<const SIZE: u64>(&self, va: u64) -> Option<*const u8> {
        let e = &self.load[slot(va)];
        (e.tag == va & (!0xfff | (SIZE - 1))).then(|| std::ptr::with_exposed_provenance(va.wrapping_add(e.addend) as usize))
    }

    /// Host address for a store; as [`Bank::load_ptr`].
    #[inline(always)]
    pub fn store_ptr<const SIZE: u64>(&self, va: u64) -> Option<*mut u8> {
        let e = &self.store[slot(va)];
        (e.tag == va & (!0xfff | (SIZE - 1))).then(|| std::ptr::with_exposed_provenance_mut(va.wrapping_add(e.addend) as usize))
    }

    /// Host address of the byte at `va` for fetching up to the page's end, and its physical address.
    #[inline(always)]
    pub fn fetch_ptr(&self, va: u64) -> Option<(*const u8, u64)> {
        let e = &self.fetch[fetch_slot(va)];
        (e.tag == va & !0xfff)
            .then(|| (std::ptr::with_exposed_provenance(va.wrapping_add(e.addend) as usize), e.page | va & 0xfff))
    }

    /// Physical address of `va`, if [`Bank::load_ptr`] just found it.
    #[inline(always)]
    pub(crate) fn load_pa(&self, va: u64) -> u64 {
        self.load_page[slot(va)] & !0xfff | va & 0xfff
    }

    /// Physical address of `va`, if [`Bank::store_ptr`] just found it.
    #[inline(always)]
    pub(crate) fn store_pa(&self, va: u64) -> u64 {
        self.store_page[slot(va)] & !0xfff | va & 0xfff
    }

    fn log(&mut self, slot: usize) {
        if self.logged < LOG {
            self.log[self.logged] = slot as u16;
        }
        self.logged = self.logged.saturating_add(1);
    }

    fn note_leaf(&mut self, va: u64, leaf: u64) {
        self.leaves[half(va)].note(va, leaf);
    }

    fn clear(&mut self) {
        if self.logged <= LOG {
            for i in 0..self.logged {
                let s = self.log[i] as usize;
                if s < STORES {
                    self.load[s] = NO_DATA;
                } else if s < FETCHES {
                    self.store[s - STORES] = NO_DATA;
                } else {
                    self.fetch[(s - FETCHES) & (FETCH_ENTRIES - 1)] = NO_FETCH;
                }
            }
        } else {
            self.load.fill(NO_DATA);
            self.store.fill(NO_DATA);
            self.fetch.fill(NO_FETCH);
        }
        self.logged = 0;
        self.leaves = [Leaves::NONE; 2];
        self.stale = Stale::No;
        self.forget_names();
    }

    /// Gives up the bank's own names.
    fn forget_names(&mut self) {
        self.names = [0; 2];
        self.mixed = false;
        self.code_pages = CodePages::NONE;
    }

    /// Does what a fence has left.
    pub(super) fn freshen(&mut self) {
        match self.stale {
            Stale::No => {}
            Stale::Local => self.keep_global(),
            Stale::All => self.clear(),
        }
    }

    /// Drops what is not global.
    fn keep_global(&mut self) {
        if self.class.is_none() {
            return self.clear();
        }
        self.logged = 0;
        for i in 0..DATA_ENTRIES {
            if self.load[i].tag != EMPTY {
                if self.load_page[i] & GLOBAL != 0 { self.log(i) } else { self.load[i] = NO_DATA }
            }
            if self.store[i].tag != EMPTY {
                if self.store_page[i] & GLOBAL != 0 { self.log(i + STORES) } else { self.store[i] = NO_DATA }
            }
        }
        for i in 0..FETCH_ENTRIES {
            if self.fetch[i].tag != EMPTY {
                if self.fetch[i].global != 0 { self.log(i + FETCHES) } else { self.fetch[i] = NO_FETCH }
            }
        }
        self.stale = Stale::No;
        self.forget_names();
    }

    /// Takes over what is global in another bank of its class; the bank is empty.
    pub(super) fn inherit(&mut self, from: &Bank) {
        for i in 0..DATA_ENTRIES {
            if from.load_page[i] & GLOBAL != 0 && from.load[i].tag != EMPTY {
                (self.load[i], self.load_page[i]) = (from.load[i], from.load_page[i]);
                self.log(i);
            }
            if from.store_page[i] & GLOBAL != 0 && from.store[i].tag != EMPTY {
                (self.store[i], self.store_page[i]) = (from.store[i], from.store_page[i]);
                self.log(i + STORES);
            }
        }
        for i in 0..FETCH_ENTRIES {
            if from.fetch[i].global != 0 {
                self.fetch[i] = from.fetch[i];
                self.log(i + FETCHES);
            }
        }
        (self.leaves, self.moves) = (from.leaves, from.moves);
    }

    /// The context, once the bank is for it.
    pub(super) fn context(&self) -> Option<Context> {
        self.context
    }

    /// Empties the bank for a context.
    pub(super) fn begin(&mut self, context: Context) {
        self.clear();
        self.context = Some(context);
        self.class = context.class();
    }

    /// Whether nothing was cached since it was last empty.
    pub(super) fn is_empty(&self) -> bool {
        self.logged == 0
    }

    /// The class whose name it shares for the upper half.
    pub(super) fn shares(&self) -> Option<u8> {
        if self.mixed { None } else { self.class }
    }

    /// The class of its global translations.
    pub(super) fn class(&self) -> Option<u8> {
        self.class
    }

    /// Its own name for a half; 0 for none.
    pub(super) fn name(&self, half: usize) -> u64 {
        self.names[half]
    }

    /// Gives it a name of its own for a half.
    pub(super) fn set_name(&mut self, half: usize, name: u64) {
        if self.names == [0; 2] {
            self.code_pages = CodePages::NONE;
        }
        self.names[half] = name;
        for e in self.fetch.iter().filter(|e| e.tag != EMPTY) {
            self.code_pages.add(e.tag);
        }
    }

    /// Gives up its names because they are given out anew.
    pub(super) fn unname(&mut self) {
        self.names = [0; 2];
    }

    /// Caches a load translation: `host` is the page of the place.
    pub(super) fn fill_load(&mut self, va: u64, host: u64, at: &Place) {
        self.load[slot(va)] = TlbEntry { tag: va & !0xfff, addend: host.wrapping_sub(va & !0xfff) };
        self.load_page[slot(va)] = at.pa & !0xfff | u64::from(at.global);
        self.log(slot(va));
        self.note_leaf(va, at.leaf);
    }

    /// Caches a store translation.
    pub(super) fn fill_store(&mut self, va: u64, host: u64, at: &Place) {
        self.store[slot(va)] = TlbEntry { tag: va & !0xfff, addend: host.wrapping_sub(va & !0xfff) };
        self.store_page[slot(va)] = at.pa & !0xfff | u64::from(at.global);
        self.log(slot(va) + STORES);
        self.note_leaf(va, at.leaf);
    }

    /// Caches a fetch translation.
    pub(super) fn fill_fetch(&mut self, va: u64, host: u64, at: &Place) {
        let tag = va & !0xfff;
        self.fetch[fetch_slot(va)] =
            FetchEntry { tag, addend: host.wrapping_sub(tag), page: at.pa & !0xfff, global: u64::from(at.global) };
        self.code_pages.add(va);
        if half(va) == 1 && !at.global && !self.mixed {
            // From here on its upper half needs a name of its own.
            self.mixed = true;
            self.names[1] = 0;
        }
        self.log(fetch_slot(va) + FETCHES);
        self.note_leaf(va, at.leaf);
    }

    /// Drops what it holds for the leaf that maps `va`.
    pub(super) fn drop_leaf(&mut self, va: u64) {
        if self.leaves[half(va)].may_cover(va) {
            // Entries for other pages of the same leaf must go too, and are not worth finding.
            self.clear();
        } else {
            self.drop_page(va);
        }
    }

    /// Drops direct write access to a host page.
    pub(super) fn forget_writes(&mut self, host: u64) {
        for e in &mut self.store {
            if e.lies_in(host) {
                *e = NO_DATA;
            }
        }
    }

    fn drop_page(&mut self, va: u64) {
        let page = va & !0xfff;
        let (d, f) = (slot(va), fetch_slot(va));
        if self.load[d].tag == page {
            self.load[d] = NO_DATA;
        }
        if self.store[d].tag == page {
            self.store[d] = NO_DATA;
        }
        if self.code_pages.has(va) {
            self.names = [0; 2];
        }
        if self.fetch[f].tag == page {
            self.fetch[f] = NO_FETCH;
        }
    }

    /// Drops what it holds for a host page, which has moved.
    pub(super) fn drop_host(&mut self, host: u64) {
        for e in self.load.iter_mut().chain(&mut self.store) {
            if e.lies_in(host) {
                *e = NO_DATA;
            }
        }
        for e in &mut self.fetch {
            if e.lies_in(host) {
                *e = NO_FETCH;
            }
        }
    }
}

pub(super) fn empty_bank() -> Bank {
    Bank {
        load: [NO_DATA; DATA_ENTRIES],
        store: [NO_DATA; DATA_ENTRIES],
        fetch: [NO_FETCH; FETCH_ENTRIES],
        load_page: [0; DATA_ENTRIES],
        store_page: [0; DATA_ENTRIES],
        log: [0; LOG],
        logged: 0,
        leaves: [Leaves::NONE; 2],
        stale: Stale::No,
        moves: 0,
        used: 0,
        context: None,
        class: None,
        mixed: false,
        names: [0; 2],
        code_pages: CodePages::NONE,
    }
}
