//! The translation cache: banks of direct-mapped entries that turn a virtual address into a host address with one compare.
//!
//! A bank holds the translations of one [`Context`]; switching between user and supervisor mode, SUM, address spaces or guests chooses
//! another bank instead of flushing one. An entry exists only if an access of its kind to any byte of the page would succeed without any
//! effect beyond the access itself: permissions, A and D, PMP for the whole page, RAM not shared with a fork and (for stores) without
//! decoded code. Everything else takes the exact path each time.
//!
//! This module and [`super::access`] are where host pointers are used; the rule that keeps them valid is [`Tlb::sync`].

mod names;

use std::ptr::NonNull;

use super::bank::{Bank, Stale, empty_bank};
use super::context::Context;
use super::pmp::Pmp;
use super::slow::Place;
use crate::mem::Ram;
use names::GlobalCode;

/// Banks of one hart.
pub const BANKS: usize = 16;

/// Translation cache of one hart. It is no part of the hart's state: emptying it at any moment changes nothing that a guest can
/// see which fences what it changes in its page tables (Privileged ISA, "Supervisor Memory-Management Fence Instruction").
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
    next_name: u64,
    global: GlobalCode,
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
            next_name: 0,
            global: GlobalCode::NONE,
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
        (self.data().context(), self.code().context())
    }

    /// Makes the banks of two contexts the current ones. The bank used longest ago is given up for a new context.
    #[inline]
    pub(super) fn choose(&mut self, data: Context, fetch: Context) {
        if self.code().context() != Some(fetch) || self.code().stale != Stale::No {
            self.fetch_bank = self.find(fetch);
        }
        if data == fetch {
            self.data_bank = self.fetch_bank;
        } else if self.data().context() != Some(data)
            || self.data().stale != Stale::No
            || std::ptr::eq(self.data_bank, self.fetch_bank)
        {
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
        let (clock, moves) = (self.clock + 1, self.moves);
        let b = self.bank(oldest);
        if b.context() == Some(context) && b.stale == Stale::No && b.moves == moves {
            // A change of mode and back.
            b.used = clock;
            self.clock = clock;
            return self.bank_ptr(oldest);
        }
        let mut found = (self.bank(oldest).context() == Some(context)).then_some(oldest);
        if found.is_none() {
            for i in 0..self.made {
                let b = self.bank(i);
                if b.context() == Some(context) {
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
        if found.is_none() {
            self.begin(chosen, context);
        }
        let b = self.bank(chosen);
        if moves.wrapping_sub(b.moves) > moved.len() as u64 {
            b.stale = Stale::All;
        }
        b.freshen();
        if !b.is_empty() {
            for n in b.moves..moves {
                b.drop_host(moved[n as usize % moved.len()] as u64);
            }
        }
        b.used = clock;
        b.moves = moves;
        // Made anew from the allocation, so that later borrows of banks leave it valid.
        self.bank_ptr(chosen)
    }

    /// Gives a bank to a context that had none, with what the bank used last of its class and flags knows of global mappings.
    #[cold]
    fn begin(&mut self, chosen: usize, context: Context) {
        self.bank(chosen).begin(context);
        let Some(class) = context.class() else { return };
        let mut donor = None;
        for i in (0..self.made).filter(|&i| i != chosen) {
            let b = self.bank(i);
            let alike = b.class() == Some(class) && b.context().is_some_and(|c| c.flags == context.flags);
            if alike && b.stale != Stale::All && donor.is_none_or(|(_, used)| used < b.used) {
                donor = Some((i, b.used));
            }
        }
        if let Some((donor, _)) = donor {
            // SAFETY: both banks exist and they are not the same one (`chosen` was left out above).
            let (from, to) = unsafe { (&*self.bank_ptr(donor), &mut *self.bank_ptr(chosen)) };
            to.inherit(from);
        }
    }

    /// Drops everything.
    pub fn flush(&mut self) {
        self.drop_banks(Stale::All, |_| true);
    }

    /// Drops direct write access to a host page (it got decoded code, or a fork shares it).
    pub fn forget_writes(&mut self, host_page: *const u8) {
        for i in 0..self.made {
            let b = self.bank(i);
            if !b.is_empty() {
                b.forget_writes(host_page as u64);
            }
        }
    }

    /// Drops all, or what is not global, of the contexts that match: now in a current bank, otherwise when it is next chosen.
    pub(super) fn drop_banks(&mut self, what: Stale, matches: impl Fn(&Context) -> bool) {
        for i in 0..self.made {
            let b = self.bank(i);
            if !b.is_empty() && b.context().as_ref().is_some_and(&matches) {
                b.stale = b.stale.max(what);
            }
        }
        if what == Stale::All {
            // The banks that have a share in it are all among those that match.
            self.global = GlobalCode::NONE;
        }
        self.data_mut().freshen();
        self.code_mut().freshen();
    }

    /// Drops what the banks of matching contexts hold for the leaf that maps `va`.
    pub(super) fn drop_address(&mut self, va: u64, matches: impl Fn(&Context) -> bool) {
        for i in 0..self.made {
            let b = self.bank(i);
            if b.is_empty() || b.stale == Stale::All || !b.context().as_ref().is_some_and(&matches) {
                continue;
            }
            b.drop_leaf(va);
        }
        self.global.drop_address(va);
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

    /// Caches a load translation for the data bank: `host` is the page of the place.
    pub(super) fn fill_load(&mut self, va: u64, host: *const u8, at: &Place) {
        if !self.watched.contains(&(va >> 12)) {
            self.data_mut().fill_load(va, host.expose_provenance() as u64, at);
        }
    }

    /// Caches a store translation.
    pub(super) fn fill_store(&mut self, va: u64, host: *mut u8, at: &Place) {
        if !self.watched.contains(&(va >> 12)) {
            self.data_mut().fill_store(va, host.expose_provenance() as u64, at);
        }
    }

    /// Caches a fetch translation for the fetch bank.
    pub(super) fn fill_fetch(&mut self, va: u64, host: *const u8, at: &Place) {
        if at.global {
            self.global.fetched(va, at.leaf);
        }
        self.code_mut().fill_fetch(va, host.expose_provenance() as u64, at);
    }
}
