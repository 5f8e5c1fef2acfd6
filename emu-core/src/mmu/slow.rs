//! The exact path of accesses: walk, protection, attributes. It knows no host address; the fast paths are in [`super::access`].

use emu_csr::{Mode, Trap};

use super::Access;
use super::context::data_mode;
use super::explain::Attempt;
use super::pmp::Verdict;
use super::tables::Memory;
use super::walk::{Translation, Walker};
use super::{Kind, Recorder};
use crate::bus::Bus;
use crate::hart::{Hart, Poisoned, event};

/// Where an access that passed translation and PMP goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Physical address.
    pub pa: u64,
    /// See [`Translation::leaf`].
    pub leaf: u64,
    /// PMP says the same of the whole page, so the translation may be cached. Not of a shadow-stack page: what may be done there depends
    /// on more than loads and stores.
    pub whole: bool,
    /// See [`Translation::global`].
    pub global: bool,
}

impl Hart {
    /// A walk with the bookkeeping that its A and D updates need.
    pub(super) fn translate<R: Recorder>(
        &mut self,
        bus: &mut Bus,
        va: u64,
        kind: Kind,
        mode: Mode,
        record: &mut R,
    ) -> Result<Translation, Trap> {
        self.tlb.misses += 1;
        self.tlb.pmp.load(&self.csr);
        let tables = Memory { ram: &mut bus.ram, code_writes: &mut bus.code_writes };
        let mut walker = Walker { csr: &self.csr, pmp: &self.tlb.pmp, tables, record, peek: false, poisoned: None };
        let result = walker.walk(va, kind, mode);
        if let Some(line) = walker.poisoned {
            self.poisoned = Some(Poisoned { line, implicit: true });
        }
        self.settle(bus);
        result
    }

    /// Where `va` lies in the present mode's address space, through both stages, for a debugger: whatever is mapped, with no regard to
    /// permissions and PMP, changing nothing (A, D, TLB). `None` if it is not mapped.
    pub fn peek_translate(&self, bus: &mut Bus, va: u64) -> Option<u64> {
        let tables = Memory { ram: &mut bus.ram, code_writes: &mut bus.code_writes };
        let mut walker = Walker { csr: &self.csr, pmp: &self.tlb.pmp, tables, record: &mut (), peek: true, poisoned: None };
        walker.walk(va, Kind::Load, self.mode).ok().map(|t| t.pa)
    }

    /// Translates and protects an access of `len` bytes that does not cross a page. An aligned access is one memory operation; the bytes
    /// of another are checked one by one where PMP divides the page.
    pub(super) fn place(&mut self, bus: &mut Bus, va: u64, len: u64, kind: Kind, mode: Mode) -> Result<Place, Trap> {
        if self.observed.lower() {
            self.attempt = Some(Attempt { va, len, kind, mode });
        }
        let t = self.translate(bus, va, kind, mode, &mut ())?;
        let machine = mode == Mode::M;
        let need = kind.rwx();
        let whole = match self.tlb.pmp.check(t.pa & !0xfff, 4096, need, machine) {
            Verdict::Allow => true,
            Verdict::Deny => return Err(kind.access_fault(va, mode)),
            Verdict::Divided => {
                if len.is_power_of_two() && va & (len - 1) == 0 {
                    if !self.tlb.pmp.allows(t.pa, len, need, machine) {
                        return Err(kind.access_fault(va, mode));
                    }
                } else if let Some(i) = (0..len).find(|i| !self.tlb.pmp.allows(t.pa + i, 1, need, machine)) {
                    return Err(kind.access_fault(va + i, mode));
                }
                false
            }
        };
        let clean = bus.ram.poison().is_empty() || self.consume(bus, va, t.pa, len, kind, mode)?;
        Ok(Place { pa: t.pa, leaf: t.leaf, whole: whole && !t.shadow && clean, global: t.global })
    }

    /// Whether the page of an access has no poisoned line; an error if the access would consume one. A store consumes nothing.
    #[cold]
    fn consume(&mut self, bus: &Bus, va: u64, pa: u64, len: u64, kind: Kind, mode: Mode) -> Result<bool, Trap> {
        let poison = bus.ram.poison();
        match poison.find(pa, len) {
            Some(line) if !matches!(kind, Kind::Store | Kind::Block) => {
                self.poisoned = Some(Poisoned { line, implicit: false });
                // The first byte that is in a poisoned line.
                Err(Kind::hardware_error(va.wrapping_add(line.saturating_sub(pa)), mode))
            }
            _ => Ok(poison.find(pa & !0xfff, 4096).is_none()),
        }
    }

    /// The same for what also reads where it writes.
    pub(super) fn consume_old(&mut self, bus: &Bus, va: u64, pa: u64, size: u64) -> Result<(), Trap> {
        if bus.ram.poison().is_empty() {
            return Ok(());
        }
        let mode = data_mode(&self.csr, self.mode);
        self.consume(bus, va, pa, size, Kind::Load, mode).map(|_| ())
    }

    /// Takes note of what a write to RAM or a device access did besides: pages with decoded code, pages that moved.
    #[inline]
    pub(super) fn settle(&mut self, bus: &mut Bus) {
        if !bus.code_writes.is_empty() {
            self.events |= event::CODE;
        }
        self.tlb.sync(&bus.ram);
    }

    fn after_device(&mut self, bus: &mut Bus) {
        if bus.lines_changed {
            self.events |= event::DEADLINE | event::INTERRUPTS;
        }
        if bus.request.is_some() {
            self.events |= event::STOP;
        }
        self.settle(bus);
    }

    /// Loads from a device, naturally aligned.
    pub(super) fn load_device(&mut self, bus: &mut Bus, pa: u64, va: u64, size: u8, kind: Kind, mode: Mode) -> Result<u64, Trap> {
        if kind != Kind::Load {
            return Err(kind.access_fault(va, mode));
        }
        let r = bus.read(pa, size, self.cycles);
        self.after_device(bus);
        r.map_err(|_| kind.access_fault(va, mode))
    }

    /// Stores to a device.
    pub(super) fn store_device(&mut self, bus: &mut Bus, pa: u64, va: u64, size: u8, value: u64, mode: Mode) -> Result<(), Trap> {
        let r = bus.write(pa, size, value, self.cycles);
        self.after_device(bus);
        r.map_err(|_| Kind::Store.access_fault(va, mode))
    }

    /// The parts of a misaligned access: one, or two if it crosses a page. All are translated before any byte moves.
    fn parts(&mut self, bus: &mut Bus, va: u64, size: u8, kind: Kind, mode: Mode) -> Result<[Option<(Place, usize)>; 2], Trap> {
        if self.tlb.trap_misaligned {
            return Err(kind.misaligned(va, mode));
        }
        let first = (4096 - (va & 0xfff)).min(size as u64);
        let rest = size as u64 - first;
        let mut parts = [None; 2];
        for (i, at, len) in [(0, va, first), (1, va.wrapping_add(first), rest)] {
            if len != 0 {
                let p = self.place(bus, at, len, kind, mode)?;
                if !bus.ram.contains(p.pa, len) {
                    return Err(kind.access_fault(at, mode));
                }
                parts[i] = Some((p, len as usize));
            }
        }
        Ok(parts)
    }

    /// A misaligned load, little-endian, zero-extended.
    pub(super) fn load_parts(&mut self, bus: &mut Bus, va: u64, size: u8, kind: Kind, mode: Mode) -> Result<u64, Trap> {
        let parts = self.parts(bus, va, size, kind, mode)?;
        let mut bytes = [0; 8];
        let mut n = 0;
        for (place, len) in parts.into_iter().flatten() {
            bus.ram.read_bytes(place.pa, &mut bytes[n..n + len]);
            n += len;
        }
        Ok(u64::from_le_bytes(bytes))
    }

    /// A misaligned store.
    pub(super) fn store_parts(&mut self, bus: &mut Bus, va: u64, size: u8, value: u64, mode: Mode) -> Result<(), Trap> {
        let parts = self.parts(bus, va, size, Kind::Store, mode)?;
        let bytes = value.to_le_bytes();
        let mut n = 0;
        for (place, len) in parts.into_iter().flatten() {
            bus.ram.write_bytes(place.pa, &bytes[n..n + len], &mut bus.code_writes);
            n += len;
        }
        self.settle(bus);
        Ok(())
    }

    /// Load with a given privilege (HLV, HLVX; firmware acting for an interrupted context).
    pub fn load_as(&mut self, bus: &mut Bus, va: u64, size: u8, access: Access) -> Result<u64, Trap> {
        let kind = if access.hlvx { Kind::LoadExec } else { Kind::Load };
        if va & (size as u64 - 1) != 0 {
            return self.load_parts(bus, va, size, kind, access.mode);
        }
        let p = self.place(bus, va, size as u64, kind, access.mode)?;
        match bus.ram.read(p.pa, size) {
            Some(v) => Ok(v),
            None => self.load_device(bus, p.pa, va, size, kind, access.mode),
        }
    }

    /// Store with a given privilege (HSV; firmware).
    pub fn store_as(&mut self, bus: &mut Bus, va: u64, size: u8, value: u64, access: Access) -> Result<(), Trap> {
        if va & (size as u64 - 1) != 0 {
            return self.store_parts(bus, va, size, value, access.mode);
        }
        let p = self.place(bus, va, size as u64, Kind::Store, access.mode)?;
        if !bus.ram.contains(p.pa, size as u64) {
            return self.store_device(bus, p.pa, va, size, value, access.mode);
        }
        bus.ram.write(p.pa, size, value, &mut bus.code_writes);
        self.settle(bus);
        Ok(())
    }
}
