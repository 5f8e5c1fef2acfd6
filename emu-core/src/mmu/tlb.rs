//! The translation cache: banks of direct-mapped entries that turn a virtual address into a host address with one compare.
//!
//! A bank holds the translations of one [`Context`]; switching between user and supervisor mode, SUM, address spaces or guests chooses
//! another bank instead of flushing one. An entry exists only if an access of its kind to any byte of the page would succeed without any
//! effect beyond the access itself: permissions, A and D, PMP for the whole page, RAM not shared with a fork and (for stores) without
//! decoded code. Everything else takes the exact path each time.
//!
//! This module and [`super::access`] are where host pointers are used; the rule that keeps them valid is [`Tlb::sync`].

use std::ptr::NonNull;

use super::context::Context;
use super::pmp::Pmp;
use crate::mem::Ram;

/// Entries for loads and for stores in a bank.
pub const DATA_ENTRIES: usize = 1024;
/// Entries for instruction fetches in a bank.
pub const FETCH_ENTRIES: usize = 256;
/// Banks of one hart.
pub const BANKS: usize = 16;
/// Tag no access ever has.
const EMPTY: u64 = u64::MAX;
/// Words of the set of pages that code was fetched from. A kernel's path through a page fault is on more than a hundred pages, and each
/// fault's fence asks for one that is not among them.
const CODE_WORDS: usize = 64;
/// Fills a bank remembers so that emptying it need not touch every entry.
const LOG: usize = 192;

/// A data entry: `tag` is the virtual page address, `addend` what turns a virtual into a host address.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct TlbEntry {
    /// Virtual address of the page, or all ones.
    pub tag: u64,
    /// Host address minus virtual address, wrapping.
    pub addend: u64,
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
    unused: u64,
}

const NO_DATA: TlbEntry = TlbEntry { tag: EMPTY, addend: 0 };
const NO_FETCH: FetchEntry = FetchEntry { tag: EMPTY, addend: 0, page: 0, unused: 0 };

/// Translations of one context.
#[repr(C)]
pub struct Bank {
    /// Readable pages.
    pub load: [TlbEntry; DATA_ENTRIES],
    /// Writable pages.
    pub store: [TlbEntry; DATA_ENTRIES],
    /// Executable pages.
    pub fetch: [FetchEntry; FETCH_ENTRIES],
    /// Physical page addresses of the load and store entries, for reservations.
    load_page: [u64; DATA_ENTRIES],
    store_page: [u64; DATA_ENTRIES],
    /// Slots filled since the bank was last empty, if there were at most [`LOG`]; loads, then stores, then fetches.
    log: [u16; LOG],
    logged: usize,
    /// GiB regions (by hash) in which a page of a larger leaf was cached, and whether a leaf larger than that was.
    superpages: u64,
    huge: bool,
    /// Whether the bank must be emptied before it is used again.
    stale: bool,
    moves: u64,
    used: u64,
    context: Option<Context>,
    /// Name of this bank's fetch translations in jump caches, 0 for none yet: see [`Tlb::fetch_context`].
    jump_id: u64,
    /// Pages (by hash) that were ever in `fetch` under this name.
    code_pages: [u64; CODE_WORDS],
}

#[inline(always)]
fn slot(va: u64) -> usize {
    (va >> 12) as usize & (DATA_ENTRIES - 1)
}

#[inline(always)]
fn fetch_slot(va: u64) -> usize {
    (va >> 12) as usize & (FETCH_ENTRIES - 1)
}

#[inline]
fn region(va: u64) -> u64 {
    1 << ((va >> 30).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58)
}

/// Word and bit of a page in [`Bank::code_pages`].
#[inline]
fn code_page(va: u64) -> (usize, u64) {
    let h = (va >> 12).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((h >> 58) as usize, 1 << (h >> 52 & 63))
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
        self.load_page[slot(va)] | va & 0xfff
    }

    /// Physical address of `va`, if [`Bank::store_ptr`] just found it.
    #[inline(always)]
    pub(crate) fn store_pa(&self, va: u64) -> u64 {
        self.store_page[slot(va)] | va & 0xfff
    }

    fn log(&mut self, slot: usize) {
        if self.logged < LOG {
            self.log[self.logged] = slot as u16;
        }
        self.logged = self.logged.saturating_add(1);
    }

    fn note_leaf(&mut self, va: u64, leaf: u64) {
        if leaf > 4096 {
            self.superpages |= region(va);
            self.huge |= leaf > 1 << 30;
        }
    }

    fn clear(&mut self) {
        if self.logged <= LOG {
            for i in 0..self.logged {
                let s = self.log[i] as usize;
                if s < DATA_ENTRIES {
                    self.load[s] = NO_DATA;
                } else if s < 2 * DATA_ENTRIES {
                    self.store[s - DATA_ENTRIES] = NO_DATA;
                } else {
                    self.fetch[(s - 2 * DATA_ENTRIES) & (FETCH_ENTRIES - 1)] = NO_FETCH;
                }
            }
        } else {
            self.load.fill(NO_DATA);
            self.store.fill(NO_DATA);
            self.fetch.fill(NO_FETCH);
        }
        self.jump_id = 0;
        self.logged = 0;
        self.superpages = 0;
        self.huge = false;
        self.stale = false;
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
        let (word, bit) = code_page(va);
        if self.code_pages[word] & bit != 0 {
            self.jump_id = 0;
        }
        if self.fetch[f].tag == page {
            self.fetch[f] = NO_FETCH;
        }
    }

    fn drop_host(&mut self, host: u64) {
        for e in self.load.iter_mut().chain(&mut self.store) {
            if e.tag.wrapping_add(e.addend) == host && e.tag != EMPTY {
                *e = NO_DATA;
            }
        }
        for e in &mut self.fetch {
            if e.tag.wrapping_add(e.addend) == host && e.tag != EMPTY {
                *e = NO_FETCH;
            }
        }
    }
}

/// Translation cache of one hart. It is no part of the hart's state: emptying it at any moment changes nothing a guest can see.
#[repr(C)]
pub struct Tlb {
    /// The bank of explicit loads and stores in the present context. Never null, always one of this hart's banks.
    pub data_bank: *mut Bank,
    /// The bank of instruction fetches; the same but under MPRV.
    pub fetch_bank: *mut Bank,
    /// Misaligned loads and stores raise address-misaligned exceptions instead of being done (`-cpu max,misaligned=off`).
    pub trap_misaligned: bool,
    /// Virtual page numbers that are never cached for loads and stores, because a debugger watches addresses there.
    pub watched: Vec<u64>,
    banks: NonNull<[Bank; BANKS]>,
    /// Banks that exist, at least one; the others are room.
    made: usize,
    next_jump_id: u64,
    /// Bank chosen last for a mode and flags, where the search begins.
    hints: [u8; 64],
    clock: u64,
    /// State of [`Ram`] that the banks were last brought up to.
    lineage: u64,
    moves: u64,
    moved: [usize; crate::mem::MOVES_KEPT as usize],
    pub(super) pmp: Pmp,
    /// Loads, stores and fetches that took a page walk or its trivial form, since the hart was made.
    pub misses: u64,
}

// SAFETY: the banks belong to this value alone. Host addresses in them are used only after `sync` with the RAM they came from, which moves
// between threads together with the hart or not at all.
unsafe impl Send for Tlb {}

impl Drop for Tlb {
    fn drop(&mut self) {
        // SAFETY: `banks` came from `Box::leak` in `new_banks` with this type and is released once; a bank has nothing to drop.
        drop(unsafe { Box::from_raw(self.banks.as_ptr().cast::<std::mem::MaybeUninit<[Bank; BANKS]>>()) });
    }
}

impl Default for Tlb {
    fn default() -> Self {
        Tlb::new()
    }
}

/// Room for all banks, none of them made yet: a hart that lives for a thousand instructions needs one or two.
fn new_banks() -> NonNull<[Bank; BANKS]> {
    NonNull::from(Box::leak(Box::<[Bank; BANKS]>::new_uninit())).cast()
}

fn empty_bank() -> Bank {
    Bank {
        load: [NO_DATA; DATA_ENTRIES],
        store: [NO_DATA; DATA_ENTRIES],
        fetch: [NO_FETCH; FETCH_ENTRIES],
        load_page: [0; DATA_ENTRIES],
        store_page: [0; DATA_ENTRIES],
        log: [0; LOG],
        logged: 0,
        superpages: 0,
        huge: false,
        stale: false,
        moves: 0,
        used: 0,
        context: None,
        jump_id: 0,
        code_pages: [0; CODE_WORDS],
    }
}

impl Tlb {
    /// An empty one, in the context of a hart after reset (M-mode).
    pub fn new() -> Tlb {
        let banks = new_banks();
        let first: *mut Bank = banks.as_ptr().cast();
        let mut tlb = Tlb {
            data_bank: first,
            fetch_bank: first,
            trap_misaligned: false,
            watched: Vec::new(),
            banks,
            made: 0,
            next_jump_id: 0,
            hints: [0; 64],
            clock: 0,
            lineage: 0,
            moves: 0,
            moved: [0; crate::mem::MOVES_KEPT as usize],
            pmp: Pmp::default(),
            misses: 0,
        };
        tlb.make_bank();
        tlb.choose(Context::M, Context::M);
        tlb
    }

    fn bank_ptr(&self, i: usize) -> *mut Bank {
        self.banks.as_ptr().cast::<Bank>().wrapping_add(i % BANKS)
    }

    /// Makes the next bank; its index. Never inlined: an empty bank is tens of kilobytes of stack, and the caller is the search that every
    /// change of mode makes, which would probe a frame of that size each time.
    #[cold]
    #[inline(never)]
    fn make_bank(&mut self) -> usize {
        let i = self.made;
        // SAFETY: the room lies inside the allocation (`bank_ptr` reduces the index) and belongs to self.
        unsafe { self.bank_ptr(i).write(empty_bank()) };
        self.made = (i + 1).min(BANKS);
        i
    }

    fn bank(&mut self, i: usize) -> &mut Bank {
        let i = if i < self.made { i } else { 0 };
        // SAFETY: `banks` is an allocation owned by self in which banks 0 to `made` exist, the index is one of them, and the borrow of self
        // is exclusive; references made from the bank pointers elsewhere never outlive a call.
        unsafe { &mut *self.bank_ptr(i) }
    }

    /// The data bank.
    #[inline(always)]
    pub fn data(&self) -> &Bank {
        // SAFETY: the pointer is one of our banks (invariant of the field) and nobody holds an exclusive reference while self is shared.
        unsafe { &*self.data_bank }
    }

    /// The fetch bank.
    #[inline(always)]
    pub fn code(&self) -> &Bank {
        // SAFETY: as in `data`.
        unsafe { &*self.fetch_bank }
    }

    /// A name, 1 to 63, for what the fetch bank translates now. It stays the same as long as every jump to a virtual pc that was resolved
    /// under it would be resolved alike; the flag says that old names were recycled, so everything resolved before must be forgotten.
    #[inline]
    pub fn fetch_context(&mut self) -> (u64, bool) {
        let id = self.code().jump_id;
        if id != 0 { (id, false) } else { self.name_context() }
    }

    /// The bank and name that fetches are resolved under now; 0 for a name not given yet.
    #[inline]
    pub fn fetch_name(&self) -> (usize, u64) {
        (self.fetch_bank as usize, self.code().jump_id)
    }

    #[cold]
    fn name_context(&mut self) -> (u64, bool) {
        let wrapped = self.next_jump_id == 63;
        if wrapped {
            for i in 0..self.made {
                self.bank(i).jump_id = 0;
            }
            self.next_jump_id = 0;
        }
        self.next_jump_id += 1;
        let id = self.next_jump_id;
        let bank = self.code_mut();
        bank.jump_id = id;
        bank.code_pages = [0; CODE_WORDS];
        for e in &bank.fetch {
            if e.tag != EMPTY {
                let (word, bit) = code_page(e.tag);
                bank.code_pages[word] |= bit;
            }
        }
        (id, wrapped)
    }

    fn data_mut(&mut self) -> &mut Bank {
        // SAFETY: as in `data`, with the exclusive borrow of self.
        unsafe { &mut *self.data_bank }
    }

    fn code_mut(&mut self) -> &mut Bank {
        // SAFETY: as in `data_mut`.
        unsafe { &mut *self.fetch_bank }
    }

    /// The contexts the two banks stand for, data then fetch.
    pub(super) fn contexts(&self) -> (Option<Context>, Option<Context>) {
        (self.data().context, self.code().context)
    }

    /// Makes the banks of two contexts the current ones. The bank used longest ago is given up for a new context.
    #[inline]
    pub(super) fn choose(&mut self, data: Context, fetch: Context) {
        if self.code().context != Some(fetch) || self.code().stale {
            self.fetch_bank = self.find(fetch);
        }
        if data == fetch {
            self.data_bank = self.fetch_bank;
        } else if self.data().context != Some(data) || self.data().stale || std::ptr::eq(self.data_bank, self.fetch_bank) {
            // The fetch bank must not be given up for it.
            self.clock += 1;
            let clock = self.clock;
            self.code_mut().used = clock;
            self.data_bank = self.find(data);
        }
    }

    fn find(&mut self, context: Context) -> *mut Bank {
        let hint = (context.mode as usize & 7) << 3 | context.flags as usize & 7;
        let mut oldest = self.hints[hint] as usize;
        let mut found = (self.bank(oldest).context == Some(context)).then_some(oldest);
        if found.is_none() {
            for i in 0..self.made {
                let b = self.bank(i);
                if b.context == Some(context) {
                    found = Some(i);
                    break;
                }
                let used = b.used;
                if used < self.bank(oldest).used {
                    oldest = i;
                }
            }
            if found.is_none() && self.made < BANKS {
                oldest = self.make_bank();
            }
            self.hints[hint] = found.unwrap_or(oldest) as u8;
        }
        self.clock += 1;
        let (clock, moves, moved) = (self.clock, self.moves, self.moved);
        let chosen = found.unwrap_or(oldest);
        let b = self.bank(chosen);
        if found.is_none() || b.stale || moves.wrapping_sub(b.moves) > moved.len() as u64 {
            b.clear();
        } else {
            for n in b.moves..moves {
                b.drop_host(moved[n as usize % moved.len()] as u64);
            }
        }
        b.context = Some(context);
        b.used = clock;
        b.moves = moves;
        // Made anew from the allocation, so that later borrows of banks leave it valid.
        self.bank_ptr(chosen)
    }

    /// Drops everything.
    pub fn flush(&mut self) {
        self.drop_banks(|_| true);
    }

    /// Drops direct write access to a host page (it got decoded code, or a fork shares it).
    pub fn forget_writes(&mut self, host_page: *const u8) {
        for i in 0..self.made {
            let b = self.bank(i);
            if b.logged == 0 {
                continue;
            }
            for e in &mut b.store {
                if e.tag.wrapping_add(e.addend) == host_page as u64 && e.tag != EMPTY {
                    *e = NO_DATA;
                }
            }
        }
    }

    /// Empties the banks of the contexts that match: now if current, otherwise when next chosen.
    pub(super) fn drop_banks(&mut self, matches: impl Fn(&Context) -> bool) {
        for i in 0..self.made {
            let b = self.bank(i);
            if b.logged != 0 && b.context.as_ref().is_some_and(&matches) {
                b.stale = true;
            }
        }
        if self.data().stale {
            self.data_mut().clear();
        }
        if self.code().stale {
            self.code_mut().clear();
        }
    }

    /// Drops what the banks of matching contexts hold for the leaf that maps `va`.
    pub(super) fn drop_address(&mut self, va: u64, matches: impl Fn(&Context) -> bool) {
        for i in 0..self.made {
            let b = self.bank(i);
            if b.logged == 0 || b.stale || !b.context.as_ref().is_some_and(&matches) {
                continue;
            }
            if b.huge || b.superpages & region(va) != 0 {
                // Entries for other pages of the same leaf must go too, and are not worth finding.
                b.clear();
            } else {
                b.drop_page(va);
            }
        }
    }

    /// Catches up with what happened to RAM's pages: after anything that may have given a page another host address (the first write to
    /// a page, DMA), when the hart gets the machine, and after a fork. Entries are right until the next such event.
    #[inline(always)]
    pub fn sync(&mut self, ram: &Ram) {
        if ram.moves() != self.moves || ram.lineage() != self.lineage {
            self.catch_up(ram);
        }
    }

    #[cold]
    fn catch_up(&mut self, ram: &Ram) {
        if ram.lineage() != self.lineage {
            self.flush();
            // Stale banks are emptied before use, so their position does not matter.
            self.lineage = ram.lineage();
            self.moves = ram.moves();
            for i in 0..self.made {
                let moves = self.moves;
                self.bank(i).moves = moves;
            }
            return;
        }
        match ram.moved_since(self.moves) {
            Some(moved) => {
                for (n, host) in (self.moves..).zip(moved) {
                    let i = n as usize % self.moved.len();
                    self.moved[i] = host;
                    self.data_mut().drop_host(host as u64);
                    if !std::ptr::eq(self.data_bank, self.fetch_bank) {
                        self.code_mut().drop_host(host as u64);
                    }
                }
            }
            None => self.flush(),
        }
        self.moves = ram.moves();
        let moves = self.moves;
        self.data_mut().moves = moves;
        self.code_mut().moves = moves;
    }

    /// Caches a load translation for the data bank: `host` is the page, `pa` anywhere in it, `leaf` as in [`super::walk::Translation`].
    pub(super) fn fill_load(&mut self, va: u64, host: *const u8, pa: u64, leaf: u64) {
        if self.watched.contains(&(va >> 12)) {
            return;
        }
        let page = va & !0xfff;
        let b = self.data_mut();
        b.load[slot(va)] = TlbEntry { tag: page, addend: (host.expose_provenance() as u64).wrapping_sub(page) };
        b.load_page[slot(va)] = pa & !0xfff;
        b.log(slot(va));
        b.note_leaf(va, leaf);
    }

    /// Caches a store translation.
    pub(super) fn fill_store(&mut self, va: u64, host: *mut u8, pa: u64, leaf: u64) {
        if self.watched.contains(&(va >> 12)) {
            return;
        }
        let page = va & !0xfff;
        let b = self.data_mut();
        b.store[slot(va)] = TlbEntry { tag: page, addend: (host.expose_provenance() as u64).wrapping_sub(page) };
        b.store_page[slot(va)] = pa & !0xfff;
        b.log(slot(va) + DATA_ENTRIES);
        b.note_leaf(va, leaf);
    }

    /// Caches a fetch translation for the fetch bank; `pa` is anywhere in the physical page.
    pub(super) fn fill_fetch(&mut self, va: u64, host: *const u8, pa: u64, leaf: u64) {
        let page = va & !0xfff;
        let b = self.code_mut();
        b.fetch[fetch_slot(va)] =
            FetchEntry { tag: page, addend: (host.expose_provenance() as u64).wrapping_sub(page), page: pa & !0xfff, unused: 0 };
        let (word, bit) = code_page(va);
        b.code_pages[word] |= bit;
        b.log(fetch_slot(va) + 2 * DATA_ENTRIES);
        b.note_leaf(va, leaf);
    }
}
