//! Where a virtual address leads, without touching anything: the page tables as they are, with no regard for permissions.

use emu_core::bus::Bus;
use emu_core::hart::Hart;

/// A piece of code: its physical address and a hash of its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Code {
    pub pa: u64,
    pub hash: u64,
}

/// Bytes of a handler that are looked at.
const BYTES: usize = 16;

impl Code {
    /// What is at a virtual address of HS-mode; none if it leads nowhere.
    pub fn at(h: &Hart, bus: &Bus, va: u64) -> Option<Code> {
        let pa = host(h, bus, va)?;
        let mut bytes = [0; BYTES];
        if !bus.ram.read_bytes(pa, &mut bytes) {
            return None;
        }
        let hash = blake3::hash(&bytes);
        Some(Code { pa, hash: u64::from_le_bytes(std::array::from_fn(|i| hash.as_bytes()[i])) })
    }
}

/// Levels of a page table by its MODE field; 0 is Bare.
fn levels(mode: u64) -> Option<u32> {
    match mode {
        0 => Some(0),
        8..=10 => Some(mode as u32 - 5),
        _ => None,
    }
}

/// The physical address of an address of HS- or U-mode.
pub(super) fn host(h: &Hart, bus: &Bus, va: u64) -> Option<u64> {
    walk(bus, h.csr.satp, va, 0, Some)
}

/// The physical address of an address of VS- or VU-mode, through both stages.
pub(super) fn guest(h: &Hart, bus: &Bus, va: u64) -> Option<u64> {
    let g = |gpa| walk(bus, h.csr.hgatp, gpa, 2, Some);
    g(walk(bus, h.csr.vsatp, va, 0, g)?)
}

/// One stage. The root is `extra` bits larger than a page; `table` says where a table is.
fn walk(bus: &Bus, atp: u64, va: u64, extra: u32, table: impl Fn(u64) -> Option<u64>) -> Option<u64> {
    let levels = levels(atp >> 60)?;
    if levels == 0 {
        return Some(va);
    }
    let mut base = (atp & ((1 << 44) - 1)) << 12;
    for level in (0..levels).rev() {
        let shift = 12 + 9 * level;
        let width = if level + 1 == levels { 9 + extra } else { 9 };
        let pte = bus.ram.read(table(base + ((va >> shift) & ((1 << width) - 1)) * 8)?, 8)?;
        if pte & 1 == 0 {
            return None;
        }
        base = ((pte >> 10) & ((1 << 44) - 1)) << 12;
        if pte & 0xe != 0 {
            let low = (1u64 << shift) - 1;
            return Some(base & !low | va & low);
        }
    }
    None
}
