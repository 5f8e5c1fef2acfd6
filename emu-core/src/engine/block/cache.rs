//! Blocks by physical address, and the jump cache by virtual pc.
//!
//! Nothing here is guest state: dropping all of it at any moment changes no result.

use std::ptr::NonNull;

use super::arena::Arena;
use super::{Op, handlers};
use crate::engine::breaks::{Halves, half};
use crate::insn::Insn;

/// Entries of the jump cache.
pub(super) const JUMPS: usize = 16384;

/// Index of a virtual pc in the jump cache.
#[inline(always)]
pub(super) fn slot(pc: u64) -> usize {
    (pc >> 1) as usize & (JUMPS - 1)
}

/// A jump cache entry: the virtual pc exclusive-or the context's salt, and where its block starts.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Jump {
    /// `pc ^ salt`; odd when empty.
    pub(super) tag: u64,
    /// First op.
    pub(super) op: *const Op,
}

const NO_JUMP: Jump = Jump { tag: 1, op: std::ptr::null() };

/// The slot before a block's first op.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Header {
    /// The instructions, for slow paths.
    pub(super) insns: NonNull<Insn>,
    /// How many there are.
    pub(super) count: u16,
    /// Slots of the block, this one included.
    pub(super) slots: u16,
    pub(super) pad: u32,
}

/// Set in the address of a block for modes in which landing pads are enabled (Zicfilp): some of its indirect jumps expect one. Blocks
/// link only to blocks of their own kind.
pub(super) const LANDING_PADS: u64 = 1 << 63;

/// A place in the table: physical address (odd when empty) and first op of the block.
#[derive(Clone, Copy)]
pub struct Slot {
    pa: u64,
    op: *const Op,
}

const FREE: u64 = 1;
const NONE: Slot = Slot { pa: FREE, op: std::ptr::null() };

#[inline(always)]
fn hash(pa: u64, mask: usize) -> usize {
    ((pa >> 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & mask
}

/// The block at a physical address in a table of `mask + 1` slots, one of them free; null if there is none.
///
/// # Safety
/// `table` has `mask + 1` slots.
#[inline(always)]
pub(super) unsafe fn find(table: *const Slot, mask: usize, pa: u64) -> *const Op {
    let mut i = hash(pa, mask);
    loop {
        // SAFETY: the index is at most `mask`.
        let s = unsafe { &*table.add(i) };
        if s.pa == pa {
            return s.op;
        }
        if s.pa == FREE {
            return std::ptr::null();
        }
        i = (i + 1) & mask;
    }
}

/// What is known of a RAM page that code was run from.
#[derive(Clone)]
struct CodePage {
    /// Where blocks start.
    starts: Halves,
    /// Where execution has arrived without finding a block: the first time the stepper runs the instruction, the second time a block is
    /// built, since most code that starts a machine runs once.
    seen: Halves,
    /// Whether there are blocks.
    coded: bool,
}

/// All blocks of a machine (they are position-independent, so harts share them), and who has which page.
pub struct BlockCache {
    /// Open-addressed table by physical address; a power of two in length, at most half full. The address stands beside the entry, so
    /// that a search touches one line of the host's cache.
    pub(super) table: Vec<Slot>,
    used: usize,
    /// For each RAM page that code was run from: where.
    per_page: Vec<Option<Box<CodePage>>>,
    ram_base: u64,
    /// Blocks dropped while handlers may still run in them; reused when no handler runs.
    graveyard: Vec<*const Op>,
    /// A jump cache for each hart.
    pub(super) jumps: Vec<Box<[Jump]>>,
    /// Where ops live.
    pub(super) ops: Arena,
    /// Where the instructions of blocks live.
    pub(super) insns: Arena,
    /// Instructions of the block being built.
    pub(super) scratch: Vec<Insn>,
    /// Places in pages that no block covers.
    stops: Option<Box<Halves>>,
    /// Blocks built since the start, for benchmarks.
    pub built: u64,
}

impl BlockCache {
    /// An empty cache for RAM at `ram_base` with `ram_size` bytes and this many harts.
    pub fn new(ram_base: u64, ram_size: u64, harts: usize) -> BlockCache {
        BlockCache {
            table: vec![NONE; 1 << 12],
            used: 0,
            per_page: vec![None; (ram_size >> 12) as usize],
            ram_base,
            graveyard: Vec::new(),
            jumps: (0..harts).map(|_| vec![NO_JUMP; JUMPS].into_boxed_slice()).collect(),
            ops: Arena::new(),
            insns: Arena::new(),
            scratch: Vec::new(),
            stops: None,
            built: 0,
        }
    }

    /// The same cache, whose blocks leave out these places of every page.
    pub fn with_stops(mut self, stops: Option<Box<Halves>>) -> BlockCache {
        self.stops = stops;
        self
    }

    /// Whether no block may cover the instruction at an address.
    pub(super) fn stops_at(&self, pa: u64) -> bool {
        let (word, bit) = half(pa);
        self.stops.as_ref().is_some_and(|s| s[word] & bit != 0)
    }

    /// The block that starts at a physical address.
    #[inline]
    pub(super) fn find(&self, pa: u64) -> Option<*const Op> {
        // SAFETY: the table's length is a power of two.
        let op = unsafe { find(self.table.as_ptr(), self.table.len() - 1, pa) };
        (!op.is_null()).then_some(op)
    }

    fn page(&self, pa: u64) -> usize {
        ((pa & !LANDING_PADS).wrapping_sub(self.ram_base) >> 12) as usize
    }

    /// Adds a block; true if it is the first of its page.
    pub(super) fn insert(&mut self, pa: u64, op: *const Op) -> bool {
        if self.used * 2 >= self.table.len() {
            let bigger = vec![NONE; self.table.len() * 2];
            let old = std::mem::replace(&mut self.table, bigger);
            for s in old.into_iter().filter(|s| s.pa != FREE) {
                self.place(s);
            }
        }
        self.used += 1;
        self.built += 1;
        self.place(Slot { pa, op });
        let page = self.page(pa);
        let Some(page) = self.code_page(page) else { return false };
        let (word, bit) = half(pa);
        page.starts[word] |= bit;
        !std::mem::replace(&mut page.coded, true)
    }

    fn code_page(&mut self, page: usize) -> Option<&mut CodePage> {
        let page = self.per_page.get_mut(page)?;
        Some(page.get_or_insert_with(|| Box::new(CodePage { starts: [0; 32], seen: [0; 32], coded: false })))
    }

    /// Whether execution has arrived at an address without a block before; from now on it has.
    pub(super) fn seen(&mut self, pa: u64) -> bool {
        let page = self.page(pa);
        let Some(page) = self.code_page(page) else { return true };
        let (word, bit) = half(pa);
        let before = page.seen[word] & bit != 0;
        page.seen[word] |= bit;
        before
    }

    fn place(&mut self, s: Slot) {
        let mask = self.table.len() - 1;
        let mut i = hash(s.pa, mask);
        while self.table[i].pa != FREE {
            i = (i + 1) & mask;
        }
        self.table[i] = s;
    }

    /// Drops the blocks of a page (physical page number) and what jump caches know of them.
    pub(super) fn drop_page(&mut self, ppn: u64) {
        let page = self.page(ppn << 12);
        let Some(page) = self.per_page.get_mut(page).and_then(Option::take) else { return };
        for (word, mut bits) in page.starts.into_iter().enumerate() {
            while bits != 0 {
                let half = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                for kind in [0, LANDING_PADS] {
                    if let Some(op) = self.remove(((ppn << 12) + 2 * half as u64) | kind) {
                        self.forget(half, op);
                        self.graveyard.push(op);
                    }
                }
            }
        }
    }

    /// Removes a block that starts at a halfword of its page from every jump cache: virtual pcs differ only above the page offset.
    fn forget(&mut self, half: usize, op: *const Op) {
        for jumps in &mut self.jumps {
            for j in jumps.iter_mut().skip(half).step_by(2048).filter(|j| j.op == op) {
                *j = NO_JUMP;
            }
        }
    }

    /// Removes one block by backward-shift deletion, so that probe chains stay whole.
    fn remove(&mut self, pa: u64) -> Option<*const Op> {
        let mask = self.table.len() - 1;
        let mut i = hash(pa, mask);
        while self.table[i].pa != pa {
            if self.table[i].pa == FREE {
                return None;
            }
            i = (i + 1) & mask;
        }
        let op = std::mem::replace(&mut self.table[i], NONE).op;
        self.used -= 1;
        let mut hole = i;
        let mut j = (i + 1) & mask;
        while self.table[j].pa != FREE {
            let home = hash(self.table[j].pa, mask);
            if (j.wrapping_sub(home) & mask) >= (j.wrapping_sub(hole) & mask) {
                self.table[hole] = std::mem::replace(&mut self.table[j], NONE);
                hole = j;
            }
            j = (j + 1) & mask;
        }
        Some(op)
    }

    /// Empties every hart's jump cache.
    pub(super) fn clear_jumps(&mut self) {
        for jumps in &mut self.jumps {
            jumps.fill(NO_JUMP);
        }
    }

    /// Takes back the memory of dropped blocks. Call only when no handler runs.
    pub(super) fn bury(&mut self) {
        for op in self.graveyard.drain(..) {
            // SAFETY: the block was built by `build` in these arenas and is in no table any more.
            unsafe {
                let first = op.sub(1);
                let h = first.cast::<Header>().read();
                self.insns.give(h.insns.cast(), super::build::insn_units(h.count as usize));
                self.ops.give(NonNull::new_unchecked(first.cast_mut()).cast(), h.slots as usize);
            }
        }
    }
}

/// An op that must never run: the header slot and data slots of a block.
pub(super) fn data_op() -> Op {
    Op { handler: handlers::header_slot, imm: 0, rd: 32, rs1: 0, rs2: 0, index: 0 }
}
