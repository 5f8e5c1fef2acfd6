//! Loads, stores and fetches of instructions: the path through the TLB, and what fills it.
//!
//! Host pointers come from a TLB entry and are used at once, before anything can change the entry; they point into a page that the
//! machine's RAM owns, alone if it is for writing ([`super::tlb`], [`crate::mem`]). Values are read and written through the pointer without
//! a reference, since pages are shared with other entries and harts of the same thread.

use emu_csr::Trap;

use super::context::{Context, data_mode};
use super::kind::Kind;
use crate::bus::Bus;
use crate::hart::Hart;

/// Reads a little-endian value.
///
/// # Safety
/// `p` must be good for reading `size` (1, 2, 4, 8) bytes.
#[inline(always)]
pub(super) unsafe fn read(p: *const u8, size: u8) -> u64 {
    // SAFETY: the caller's promise; any alignment is allowed.
    unsafe {
        match size {
            1 => p.read() as u64,
            2 => u16::from_le(p.cast::<u16>().read_unaligned()) as u64,
            4 => u32::from_le(p.cast::<u32>().read_unaligned()) as u64,
            _ => u64::from_le(p.cast::<u64>().read_unaligned()),
        }
    }
}

/// Writes a little-endian value.
///
/// # Safety
/// `p` must be good for writing `size` (1, 2, 4, 8) bytes.
#[inline(always)]
pub(super) unsafe fn write(p: *mut u8, size: u8, value: u64) {
    // SAFETY: the caller's promise; any alignment is allowed.
    unsafe {
        match size {
            1 => p.write(value as u8),
            2 => p.cast::<u16>().write_unaligned((value as u16).to_le()),
            4 => p.cast::<u32>().write_unaligned((value as u32).to_le()),
            _ => p.cast::<u64>().write_unaligned(value.to_le()),
        }
    }
}

/// Where a fetch finds its instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FetchPlace {
    /// Physical address.
    pub pa: u64,
    /// Whether the rest of the page may be fetched without asking again. If not (PMP divides the page), fetch one instruction at a time.
    pub whole: bool,
}

impl Hart {
    /// Loads `size` (1, 2, 4, 8) bytes, zero-extended, any alignment.
    #[inline]
    pub fn load(&mut self, bus: &mut Bus, va: u64, size: u8) -> Result<u64, Trap> {
        let bank = self.tlb.data();
        let hit = match size {
            1 => bank.load_ptr::<1>(va),
            2 => bank.load_ptr::<2>(va),
            4 => bank.load_ptr::<4>(va),
            _ => bank.load_ptr::<8>(va),
        };
        match hit {
            // SAFETY: the entry covers the page and the access is aligned, so all its bytes are in it.
            Some(p) => Ok(unsafe { read(p, size) }),
            None => self.load_slow(bus, va, size),
        }
    }

    /// Stores the low `size` bytes of `value`, any alignment.
    #[inline]
    pub fn store(&mut self, bus: &mut Bus, va: u64, size: u8, value: u64) -> Result<(), Trap> {
        let bank = self.tlb.data();
        let hit = match size {
            1 => bank.store_ptr::<1>(va),
            2 => bank.store_ptr::<2>(va),
            4 => bank.store_ptr::<4>(va),
            _ => bank.store_ptr::<8>(va),
        };
        match hit {
            Some(p) => {
                // SAFETY: as in `load`; a store entry's page is writable and not shared.
                unsafe { write(p, size, value) };
                Ok(())
            }
            None => self.store_slow(bus, va, size, value),
        }
    }

    #[cold]
    #[inline(never)]
    fn load_slow(&mut self, bus: &mut Bus, va: u64, size: u8) -> Result<u64, Trap> {
        let mode = data_mode(&self.csr, self.mode);
        if va & (size as u64 - 1) != 0 {
            if !self.tlb.trap_misaligned {
                if (va & 0xfff) + size as u64 <= 4096
                    && let Some(p) = self.tlb.data().load_ptr::<1>(va)
                {
                    // SAFETY: the page is readable and the whole access is in it.
                    return Ok(unsafe { read(p, size) });
                }
                // So that the next one is quick.
                self.warm_load(bus, va);
            }
            return self.load_parts(bus, va, size, Kind::Load, mode);
        }
        debug_assert_eq!(self.tlb.contexts().0, Some(Context::of(&self.csr, mode)), "recontext() was not called");
        let p = self.place(bus, va, size as u64, Kind::Load, mode)?;
        match bus.ram.read(p.pa, size) {
            Some(v) => {
                if p.whole
                    && let Some(host) = bus.ram.page_for_read(p.pa)
                {
                    self.tlb.fill_load(va, host, &p);
                }
                Ok(v)
            }
            None => self.load_device(bus, p.pa, va, size, Kind::Load, mode),
        }
    }

    /// Caches the page of `va` for loads if it can be; faults are left for the access itself to find.
    fn warm_load(&mut self, bus: &mut Bus, va: u64) {
        if !bus.ram.poison().is_empty() {
            return;
        }
        let mode = data_mode(&self.csr, self.mode);
        if let Ok(p) = self.place(bus, va, 1, Kind::Load, mode)
            && p.whole
            && let Some(host) = bus.ram.page_for_read(p.pa)
        {
            self.tlb.fill_load(va, host, &p);
        }
    }

    /// As [`Hart::warm_load`], for stores.
    fn warm_store(&mut self, bus: &mut Bus, va: u64) {
        if !bus.ram.poison().is_empty() {
            return;
        }
        let mode = data_mode(&self.csr, self.mode);
        if let Ok(p) = self.place(bus, va, 1, Kind::Store, mode)
            && p.whole
            && let Some(host) = bus.ram.page_for_write(p.pa)
        {
            self.tlb.fill_store(va, host, &p);
            self.settle(bus);
        }
    }

    #[cold]
    #[inline(never)]
    fn store_slow(&mut self, bus: &mut Bus, va: u64, size: u8, value: u64) -> Result<(), Trap> {
        let mode = data_mode(&self.csr, self.mode);
        if va & (size as u64 - 1) != 0 {
            if !self.tlb.trap_misaligned && (va & 0xfff) + size as u64 <= 4096 {
                if self.tlb.data().store_ptr::<1>(va).is_none() {
                    self.warm_store(bus, va);
                }
                if let Some(p) = self.tlb.data().store_ptr::<1>(va) {
                    // SAFETY: the page is writable and not shared, and the whole access is in it.
                    unsafe { write(p, size, value) };
                    return Ok(());
                }
            }
            return self.store_parts(bus, va, size, value, mode);
        }
        debug_assert_eq!(self.tlb.contexts().0, Some(Context::of(&self.csr, mode)), "recontext() was not called");
        let p = self.place(bus, va, size as u64, Kind::Store, mode)?;
        if !bus.ram.contains(p.pa, size as u64) {
            return self.store_device(bus, p.pa, va, size, value, mode);
        }
        if p.whole
            && let Some(host) = bus.ram.page_for_write(p.pa)
        {
            self.tlb.fill_store(va, host, &p);
            // SAFETY: the page was handed out for writing just now, and the access is aligned, so all its bytes are in it.
            unsafe { write(host.add((p.pa & 0xfff) as usize), size, value) };
        } else {
            bus.ram.write(p.pa, size, value, &mut bus.code_writes);
        }
        self.settle(bus);
        Ok(())
    }

    /// Fetches the instruction at `va`: its bits (16 in the low half if compressed) and its length, 2 or 4.
    #[inline]
    pub fn fetch(&mut self, bus: &mut Bus, va: u64) -> Result<(u32, u8), Trap> {
        if va & 0xfff <= 0xffc
            && let Some((p, _)) = self.tlb.code().fetch_ptr(va)
        {
            // SAFETY: four bytes from `p` are in the page.
            let bits = unsafe { read(p, 4) } as u32;
            return Ok(if bits & 3 == 3 { (bits, 4) } else { (bits & 0xffff, 2) });
        }
        self.fetch_slow(bus, va)
    }

    #[cold]
    #[inline(never)]
    fn fetch_slow(&mut self, bus: &mut Bus, va: u64) -> Result<(u32, u8), Trap> {
        let low = self.parcel(bus, va)?;
        if low & 3 != 3 {
            return Ok((low, 2));
        }
        let high = self.parcel(bus, va.wrapping_add(2))?;
        Ok((high << 16 | low, 4))
    }

    /// Fetches 16 bits; faults name the address of this part of the instruction.
    fn parcel(&mut self, bus: &mut Bus, va: u64) -> Result<u32, Trap> {
        let at = self.fetch_place(bus, va)?;
        match bus.ram.read(at.pa, 2) {
            Some(v) => Ok(v as u32),
            None => Err(Kind::Fetch.access_fault(va, self.mode)),
        }
    }

    /// Translates and protects the fetch of the 16 bits at `va`, which must be RAM.
    #[inline]
    pub fn fetch_place(&mut self, bus: &mut Bus, va: u64) -> Result<FetchPlace, Trap> {
        match self.tlb.code().fetch_ptr(va) {
            Some((_, pa)) => Ok(FetchPlace { pa, whole: true }),
            None => self.fetch_place_slow(bus, va),
        }
    }

    #[cold]
    #[inline(never)]
    fn fetch_place_slow(&mut self, bus: &mut Bus, va: u64) -> Result<FetchPlace, Trap> {
        debug_assert_eq!(
            self.tlb.contexts().1,
            Some(Context::of(&self.csr, self.mode).fetch(&self.csr)),
            "recontext() was not called"
        );
        let p = self.place(bus, va, 2, Kind::Fetch, self.mode)?;
        let Some(host) = bus.ram.page_for_read(p.pa) else {
            return Err(Kind::Fetch.access_fault(va, self.mode));
        };
        if p.whole {
            self.tlb.fill_fetch(va, host, &p);
        }
        Ok(FetchPlace { pa: p.pa, whole: p.whole })
    }
}
