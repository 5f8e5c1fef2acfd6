//! Blocks by physical address, and the jump cache by virtual pc.
//!
//! Nothing here is guest state: dropping all of it at any moment changes no result.

use super::{Op, handlers};
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

/// A block of decoded instructions.
pub struct Block {
    /// Physical address of the first instruction.
    pub(super) pa: u64,
    /// Offset of each instruction from the start.
    pub(super) offs: Vec<u16>,
    /// The instructions, for slow paths.
    pub(super) insns: Vec<Insn>,
    /// Header slot, one op an instruction, links.
    pub(super) ops: Box<[Op]>,
}

impl Block {
    /// Where execution starts.
    #[inline]
    pub(super) fn entry(&self) -> *const Op {
        &raw const self.ops[1]
    }
}

/// A place in the table: physical address (odd when empty) and block.
struct Slot {
    pa: u64,
    block: Option<Box<Block>>,
}

const FREE: u64 = 1;

/// All blocks of a machine (they are position-independent, so harts share them), and who has which page.
pub struct BlockCache {
    /// Open-addressed table by physical address; a power of two in length, at most half full. The address stands beside the box, so
    /// that a search touches one line of the host's cache.
    table: Vec<Slot>,
    used: usize,
    /// For each RAM page: how many blocks start in it (0: the page has no decoded code).
    per_page: Vec<u16>,
    ram_base: u64,
    /// Blocks dropped while handlers may still run in them; freed when no handler runs. Boxed, as they must not move until then.
    #[allow(clippy::vec_box)]
    graveyard: Vec<Box<Block>>,
    /// A jump cache for each hart.
    pub(super) jumps: Vec<Box<[Jump]>>,
    /// Blocks built since the start, for benchmarks.
    pub built: u64,
}

impl BlockCache {
    /// An empty cache for RAM at `ram_base` with `ram_size` bytes and this many harts.
    pub fn new(ram_base: u64, ram_size: u64, harts: usize) -> BlockCache {
        let empty = Jump { tag: 1, op: std::ptr::null() };
        BlockCache {
            table: none(1 << 12),
            used: 0,
            per_page: vec![0; (ram_size >> 12) as usize],
            ram_base,
            graveyard: Vec::new(),
            jumps: (0..harts).map(|_| vec![empty; JUMPS].into_boxed_slice()).collect(),
            built: 0,
        }
    }

    #[inline]
    fn hash(&self, pa: u64) -> usize {
        ((pa >> 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & (self.table.len() - 1)
    }

    /// The block that starts at a physical address.
    #[inline]
    pub(super) fn find(&self, pa: u64) -> Option<&Block> {
        let mut i = self.hash(pa);
        loop {
            let s = &self.table[i];
            if s.pa == pa {
                return s.block.as_deref();
            }
            if s.pa == FREE {
                return None;
            }
            i = (i + 1) & (self.table.len() - 1);
        }
    }

    fn page(&self, pa: u64) -> usize {
        ((pa - self.ram_base) >> 12) as usize
    }

    /// Adds a block; true if it is the first of its page.
    pub(super) fn insert(&mut self, block: Box<Block>) -> bool {
        if self.used * 2 >= self.table.len() {
            let bigger = none(self.table.len() * 2);
            let old = std::mem::replace(&mut self.table, bigger);
            for b in old.into_iter().filter_map(|s| s.block) {
                self.place(b);
            }
        }
        let page = self.page(block.pa);
        self.used += 1;
        self.built += 1;
        self.place(block);
        let first = self.per_page.get(page) == Some(&0);
        if let Some(n) = self.per_page.get_mut(page) {
            *n = n.saturating_add(1);
        }
        first
    }

    fn place(&mut self, block: Box<Block>) {
        let mut i = self.hash(block.pa);
        while self.table[i].pa != FREE {
            i = (i + 1) & (self.table.len() - 1);
        }
        self.table[i] = Slot { pa: block.pa, block: Some(block) };
    }

    /// Drops the blocks of a page (physical page number); true if there were any. Jump caches are cleared then.
    pub(super) fn drop_page(&mut self, ppn: u64) -> bool {
        let Some(index) = (ppn << 12).checked_sub(self.ram_base).map(|o| (o >> 12) as usize) else { return false };
        if self.per_page.get(index).is_none_or(|&n| n == 0) {
            return false;
        }
        self.per_page[index] = 0;
        for off in (0..4096).step_by(2) {
            self.remove((ppn << 12) + off);
        }
        self.clear_jumps();
        true
    }

    /// Removes one block by backward-shift deletion, so that probe chains stay whole.
    fn remove(&mut self, pa: u64) {
        let mask = self.table.len() - 1;
        let mut i = self.hash(pa);
        while self.table[i].pa != pa {
            if self.table[i].pa == FREE {
                return;
            }
            i = (i + 1) & mask;
        }
        if let Some(b) = self.take(i).block {
            self.graveyard.push(b);
            self.used -= 1;
        }
        let mut hole = i;
        let mut j = (i + 1) & mask;
        while self.table[j].pa != FREE {
            let home = self.hash(self.table[j].pa);
            if (j.wrapping_sub(home) & mask) >= (j.wrapping_sub(hole) & mask) {
                self.table[hole] = self.take(j);
                hole = j;
            }
            j = (j + 1) & mask;
        }
    }

    fn take(&mut self, i: usize) -> Slot {
        std::mem::replace(&mut self.table[i], Slot { pa: FREE, block: None })
    }

    /// Empties every hart's jump cache.
    pub(super) fn clear_jumps(&mut self) {
        for jumps in &mut self.jumps {
            jumps.fill(Jump { tag: 1, op: std::ptr::null() });
        }
    }

    /// Frees dropped blocks. Call only when no handler runs.
    pub(super) fn bury(&mut self) {
        self.graveyard.clear();
    }
}

fn none(n: usize) -> Vec<Slot> {
    std::iter::repeat_with(|| Slot { pa: FREE, block: None }).take(n).collect()
}

/// An op that must never run: the header slot and data slots of a block.
pub(super) fn data_op() -> Op {
    Op { handler: handlers::header_slot, imm: 0, rd: 32, rs1: 0, rs2: 0, index: 0 }
}
