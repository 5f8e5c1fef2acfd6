//! Atomic accesses and cache blocks. One hart runs at a time, so a read and a write in one call are atomic.

use emu_csr::{Mode, Trap};

use super::access::{read, write};
use super::context::data_mode;
use super::kind::Kind;
use super::slow::Place;
use crate::bus::Bus;
use crate::hart::Hart;

/// Bytes of a reservation set (Za64rs) and of a cache block (Zic64b).
pub(crate) const BLOCK: u64 = 64;

/// What can be done in the way of a fast path, from the size.
macro_rules! hit {
    ($bank:expr, $f:ident, $va:expr, $size:expr) => {
        match $size {
            1 => $bank.$f::<1>($va),
            2 => $bank.$f::<2>($va),
            4 => $bank.$f::<4>($va),
            _ => $bank.$f::<8>($va),
        }
    };
}

impl Hart {
    /// Physical address of an aligned access that must be RAM.
    fn ram_place(&mut self, bus: &mut Bus, va: u64, size: u64, kind: Kind) -> Result<u64, Trap> {
        let mode = data_mode(&self.csr, self.mode);
        if va & (size - 1) != 0 {
            return Err(kind.misaligned(va, mode));
        }
        let p = self.place(bus, va, size, kind, mode)?;
        if !bus.ram.contains(p.pa, size) {
            return Err(kind.access_fault(va, mode));
        }
        self.remember(bus, p, va, kind);
        Ok(p.pa)
    }

    /// Physical address of the block that holds `va`. Faults name `va` itself, not the block's first address: "the value of rs1"
    /// (Unprivileged ISA, "CMO Extensions").
    fn block_place(&mut self, bus: &mut Bus, va: u64, kind: Kind) -> Result<Place, Trap> {
        let mode = data_mode(&self.csr, self.mode);
        let p = self.place(bus, va, 1, kind, mode)?;
        let pa = p.pa & !(BLOCK - 1);
        if !p.whole && !self.tlb.pmp.allows(pa, BLOCK, kind.rwx(), mode == Mode::M) {
            return Err(kind.access_fault(va, mode));
        }
        Ok(Place { pa, ..p })
    }

    /// Caches a translation that holds for its whole page.
    fn remember(&mut self, bus: &mut Bus, p: Place, va: u64, kind: Kind) {
        if !p.whole {
            return;
        }
        match kind {
            Kind::Store => {
                if let Some(host) = bus.ram.page_for_write(p.pa) {
                    self.tlb.fill_store(va, host, &p);
                    self.settle(bus);
                }
            }
            Kind::Load => {
                if let Some(host) = bus.ram.page_for_read(p.pa) {
                    self.tlb.fill_load(va, host, &p);
                }
            }
            _ => {}
        }
    }

    /// An atomic read-modify-write of `size` (1, 2, 4, 8) bytes; returns the old value, zero-extended. Faults are store/AMO faults.
    /// Misaligned: as Zama16b absent, an address-misaligned exception.
    #[inline]
    pub fn amo(&mut self, bus: &mut Bus, va: u64, size: u8, f: &mut dyn FnMut(u64) -> u64) -> Result<u64, Trap> {
        if let Some(p) = hit!(self.tlb.data(), store_ptr, va, size) {
            // SAFETY: a store entry's page is writable (and then readable), not shared, and the aligned access is in it.
            unsafe {
                let old = read(p, size);
                write(p, size, f(old));
                return Ok(old);
            }
        }
        let pa = self.ram_place(bus, va, size as u64, Kind::Store)?;
        self.consume_old(bus, va, pa, size as u64)?;
        let old = bus.ram.read(pa, size).unwrap_or(0);
        bus.ram.write(pa, size, f(old), &mut bus.code_writes);
        self.settle(bus);
        Ok(old)
    }

    /// SSPOPCHK's load of eight bytes from a shadow stack (Zicfiss).
    pub fn shadow_load(&mut self, bus: &mut Bus, va: u64) -> Result<u64, Trap> {
        let pa = self.ram_place(bus, va, 8, Kind::Shadow)?;
        Ok(bus.ram.read(pa, 8).unwrap_or(0))
    }

    /// SSPUSH's store of eight bytes to a shadow stack (Zicfiss).
    pub fn shadow_store(&mut self, bus: &mut Bus, va: u64, value: u64) -> Result<(), Trap> {
        self.shadow_swap(bus, va, 8, value).map(|_| ())
    }

    /// SSAMOSWAP of `size` (4, 8) bytes (Zicfiss); returns the old value, zero-extended.
    pub fn shadow_swap(&mut self, bus: &mut Bus, va: u64, size: u8, value: u64) -> Result<u64, Trap> {
        let pa = self.ram_place(bus, va, size as u64, Kind::Shadow)?;
        let old = bus.ram.read(pa, size).unwrap_or(0);
        bus.ram.write(pa, size, value, &mut bus.code_writes);
        self.settle(bus);
        Ok(old)
    }

    /// AMOCAS of 16 bytes (Zacas, amocas.q): `f` gets (low, high) and returns what to store, if anything.
    #[allow(clippy::type_complexity)]
    pub fn amo128(
        &mut self,
        bus: &mut Bus,
        va: u64,
        f: &mut dyn FnMut(u64, u64) -> Option<(u64, u64)>,
    ) -> Result<(u64, u64), Trap> {
        let pa = self.ram_place(bus, va, 16, Kind::Store)?;
        self.consume_old(bus, va, pa, 16)?;
        let old = (bus.ram.read(pa, 8).unwrap_or(0), bus.ram.read(pa + 8, 8).unwrap_or(0));
        if let Some((low, high)) = f(old.0, old.1) {
            bus.ram.write(pa, 8, low, &mut bus.code_writes);
            bus.ram.write(pa + 8, 8, high, &mut bus.code_writes);
            self.settle(bus);
        }
        Ok(old)
    }

    /// LR: loads `size` (4, 8) bytes and takes the reservation.
    #[inline]
    pub fn load_reserved(&mut self, bus: &mut Bus, va: u64, size: u8) -> Result<u64, Trap> {
        let bank = self.tlb.data();
        if let Some(p) = hit!(bank, load_ptr, va, size) {
            self.reservation = Some(bank.load_pa(va) & !(BLOCK - 1));
            // SAFETY: the page is readable and the aligned access is in it.
            return Ok(unsafe { read(p, size) });
        }
        let pa = self.ram_place(bus, va, size as u64, Kind::Load)?;
        self.reservation = Some(pa & !(BLOCK - 1));
        Ok(bus.ram.read(pa, size).unwrap_or(0))
    }

    /// SC: stores if the reservation holds; true on success. The reservation is gone afterwards, unless it trapped.
    #[inline]
    pub fn store_conditional(&mut self, bus: &mut Bus, va: u64, size: u8, value: u64) -> Result<bool, Trap> {
        let bank = self.tlb.data();
        if let Some(p) = hit!(bank, store_ptr, va, size) {
            let pa = bank.store_pa(va);
            let held = self.reservation.take() == Some(pa & !(BLOCK - 1));
            if held {
                // SAFETY: the page is writable, not shared, and the aligned access is in it.
                unsafe { write(p, size, value) };
            }
            return Ok(held);
        }
        // The address is translated whether or not the reservation holds.
        let pa = self.ram_place(bus, va, size as u64, Kind::Store)?;
        let held = self.reservation.take() == Some(pa & !(BLOCK - 1));
        if held {
            bus.ram.write(pa, size, value, &mut bus.code_writes);
            self.settle(bus);
        }
        Ok(held)
    }

    /// CBO.ZERO: zeroes the 64-byte block that holds `va`. Faults name `va`.
    pub fn zero_block(&mut self, bus: &mut Bus, va: u64) -> Result<(), Trap> {
        let block = va & !(BLOCK - 1);
        if let Some(p) = self.tlb.data().store_ptr::<8>(block) {
            // SAFETY: the page is writable and not shared, and an aligned block is in it.
            unsafe { p.write_bytes(0, BLOCK as usize) };
            return Ok(());
        }
        let p = self.block_place(bus, va, Kind::Store)?;
        if !bus.ram.contains(p.pa, BLOCK) {
            return Err(Kind::Store.access_fault(va, data_mode(&self.csr, self.mode)));
        }
        self.remember(bus, p, va, Kind::Store);
        bus.ram.write_bytes(p.pa, &[0; BLOCK as usize], &mut bus.code_writes);
        // A whole line of new data: nothing is left of what was corrupted.
        bus.ram.set_poison(p.pa, BLOCK, false);
        self.settle(bus);
        Ok(())
    }

    /// CBO.INVAL/CLEAN/FLUSH: the permission check. A block may be managed where a load is permitted; whether execute permission alone
    /// suffices is unspecified, and here it does not. Faults are store/AMO faults at `va`. Devices have no cached blocks:
    /// nothing to check there.
    pub fn check_block(&mut self, bus: &mut Bus, va: u64) -> Result<(), Trap> {
        let block = va & !(BLOCK - 1);
        if self.tlb.data().load_ptr::<8>(block).is_some() {
            return Ok(());
        }
        let p = self.block_place(bus, va, Kind::Block)?;
        let device = || bus.slots.iter().any(|s| p.pa.wrapping_sub(s.base) < s.size);
        if bus.ram.contains(p.pa, BLOCK) || device() {
            Ok(())
        } else {
            Err(Kind::Block.access_fault(va, data_mode(&self.csr, self.mode)))
        }
    }
}
