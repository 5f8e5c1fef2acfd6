//! What is in the shared memory, made so in the hart, and the other way round (SBI, "Feature: Synchronize CSR", "Feature: Synchronize HFENCE").

use emu_core::hart::event;
use emu_core::mmu::{Fence, Stage};
use emu_csr::table;

use super::shmem;
use crate::call::Call;
use crate::error::SbiError;

/// The CSR space's offset.
const CSRS: u64 = 0x1000;
/// The nested CSR dirty bitmap's offset.
const DIRTY: u64 = 0xf80;
/// The nested HFENCE entries' offset.
const HFENCES: u64 = 0x800;
/// How many there are: 3840 / XLEN.
const ENTRIES: u64 = 60;
/// Pages up to which a fence is made page by page.
const PAGES: u64 = 64;

/// Index in the CSR space of an H-extension CSR.
pub const fn csr_index(csr: u16) -> u64 {
    ((csr & 0xc00) >> 2 | csr & 0xff) as u64
}

/// The H-extension CSRs of the calling hart, in the order in which they are synchronized: those on which others depend first, which are
/// hvip, then the hypervisor's, then the VS-level ones, whose fields hideleg, henvcfg and hie govern.
fn all(c: &Call<'_, '_>) -> Vec<u16> {
    let h = &c.platform.harts[c.hart];
    let now = h.now(c.platform.bus);
    let order = |csr: u16| (csr != table::HVIP, csr & 0xc00 == 0, csr);
    let mut list: Vec<u16> =
        table::all().map(|d| d.number).filter(|n| n & 0x300 == 0x200 && *n < 0x1000 && h.csr.peek(*n, &now).is_some()).collect();
    list.sort_unstable_by_key(|&n| order(n));
    list
}

/// sbi_nacl_sync_csr.
pub(super) fn csrs(c: &mut Call<'_, '_>, number: u64) -> Result<u64, SbiError> {
    let known = all(c);
    let list = match number {
        u64::MAX => known,
        n => {
            let wanted = known.into_iter().find(|&csr| u64::from(csr) == n);
            vec![wanted.ok_or(SbiError::InvalidParam)?]
        }
    };
    let at = shmem(c)?;
    for &csr in &list {
        write(c, at, csr);
    }
    if number == u64::MAX {
        write_back(c, at)
    } else {
        list.iter().for_each(|&csr| put(c, at, csr))
    }
    Ok(0)
}

/// Steps 2 to 4: a CSR whose bit is set in the dirty bitmap takes the value in the CSR space, as a write by the supervisor would have it.
fn write(c: &mut Call<'_, '_>, at: u64, csr: u16) {
    let i = csr_index(csr);
    let word_at = at + DIRTY + i / 64 * 8;
    let (Some(dirty), Some(value)) = (c.read_word(word_at), c.read_word(at + CSRS + 8 * i)) else { return };
    if dirty >> (i % 64) & 1 == 0 {
        return;
    }
    let h = &mut c.platform.harts[c.hart];
    let now = h.now(c.platform.bus);
    // The two top bits set mean that it is read-only: there is nothing to write.
    if csr >> 10 != 3
        && let Some(effects) = h.csr.assign(csr, value, &now)
    {
        h.apply(effects);
    }
    c.write_word(word_at, dirty & !(1 << (i % 64)));
}

/// Step 5, for one CSR.
fn put(c: &mut Call<'_, '_>, at: u64, csr: u16) {
    let h = &c.platform.harts[c.hart];
    if let Some(value) = h.csr.peek(csr, &h.now(c.platform.bus)) {
        c.write_word(at + CSRS + 8 * csr_index(csr), value);
    }
}

/// The same for all of them, but for those that the supervisor has changed in the CSR space and not yet synchronized.
pub(super) fn write_back(c: &mut Call<'_, '_>, at: u64) {
    for csr in all(c) {
        let i = csr_index(csr);
        let dirty = c.read_word(at + DIRTY + i / 64 * 8).unwrap_or(0);
        if dirty >> (i % 64) & 1 == 0 {
            put(c, at, csr);
        }
    }
}

/// sbi_nacl_sync_hfence.
pub(super) fn hfences(c: &mut Call<'_, '_>, index: u64) -> Result<u64, SbiError> {
    let range = match index {
        u64::MAX => 0..ENTRIES,
        i if i < ENTRIES => i..i + 1,
        _ => return Err(SbiError::InvalidParam),
    };
    let at = shmem(c)?;
    for i in range {
        let entry = at + HFENCES + 32 * i;
        let Some([config, page, count]) = read_entry(c, entry) else { continue };
        if config >> 63 == 0 {
            continue;
        }
        hfence(c, config, page, count);
        c.write_word(entry, config & !(1 << 63));
    }
    Ok(0)
}

/// Config, Page_Number, Page_Count.
fn read_entry(c: &Call<'_, '_>, at: u64) -> Option<[u64; 3]> {
    Some([c.read_word(at)?, c.read_word(at + 8)?, c.read_word(at + 24)?])
}

/// One entry's fence. A type that is reserved fences nothing.
fn hfence(c: &mut Call<'_, '_>, config: u64, page: u64, count: u64) {
    let (kind, order) = (config >> 56 & 0xf, config >> 48 & 0x7f);
    let (vmid, asid) = ((config >> 16 & 0x3fff) as u16, config as u16);
    let fence = match kind {
        0 | 1 => Fence { stage: Stage::G, ..Fence::default() },
        2 | 3 => Fence { stage: Stage::G, id: Some(vmid), ..Fence::default() },
        4 | 5 => Fence { stage: Stage::Vs, vmid: Some(vmid), ..Fence::default() },
        6 | 7 => Fence { stage: Stage::Vs, vmid: Some(vmid), id: Some(asid), ..Fence::default() },
        _ => return,
    };
    let h = &mut c.platform.harts[c.hart];
    // The odd types are of all addresses. Pages of 2^(order + 12) bytes are 2^order of the smallest.
    let pages = if kind & 1 == 0 && order < 52 { count.checked_mul(1 << order) } else { None };
    match pages {
        Some(n) if n <= PAGES => {
            let first = page.wrapping_shl(order as u32 + 12);
            (0..n).for_each(|i| h.fence(Fence { addr: Some(first.wrapping_add(i << 12)), ..fence }));
        }
        _ => h.fence(fence),
    }
    h.events |= event::CONTEXT;
}
