//! Random machines whose page tables mostly make sense, and comparison of one access with the reference.

use std::collections::BTreeMap;

use emu_csr::{Isa, Mode, Trap};

use super::reference::{Reference, What};
use super::{BASE, machine};
use crate::bus::Bus;
use crate::hart::Hart;
use crate::mmu::Access;

/// xorshift64*.
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 33) % n
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

/// Pages that hold tables of the first stage, of the G-stage, and data.
pub const TABLES: u64 = 8;
pub const G_TABLES: u64 = 16;
const POOL: u64 = 64;
/// Table indexes in use; 2 leads to RAM when it is the index of a GiB.
const INDEXES: [u64; 5] = [0, 1, 2, 3, 511];

pub struct World {
    pub rng: Rng,
    pub hart: Hart,
    pub bus: Bus,
    pub addresses: Vec<u64>,
    /// Levels of most page tables and addresses.
    levels: u64,
}

fn page(n: u64) -> u64 {
    (BASE >> 12) + n
}

fn pointer(r: &mut Rng, g: bool) -> u64 {
    let to = if r.one_in(3) { TABLES / 2 + r.below(TABLES / 2) } else { r.below(TABLES / 2) };
    page(to + if g { TABLES } else { 0 }) << 10 | 1
}

impl World {
    pub fn new(seed: u64) -> World {
        let (hart, bus) = machine();
        let mut w = World { rng: Rng::new(seed), hart, bus, addresses: Vec::new(), levels: 3 };
        w.levels = w.rng.pick(&[3, 3, 4, 5]);
        if w.rng.one_in(4) {
            w.hart.csr.isa = Isa(w.rng.next() as u128 | (w.rng.next() as u128) << 64);
        }
        for p in 0..TABLES {
            for i in INDEXES {
                let pte = w.entry(p);
                w.poke(p, i, pte);
            }
        }
        for p in TABLES..G_TABLES {
            for i in INDEXES {
                let pte = w.entry(p);
                w.poke(p, i, pte);
            }
            // The GiB of RAM, so that first-stage tables are mostly within reach.
            if !w.rng.one_in(3) {
                let flags = w.rng.pick(&[0xdf, 0xdf, 0xdf, 0x1f, 0x5f, 0xd3, 0x5b]);
                w.poke(p, 2, (BASE >> 12) << 10 | flags);
            }
        }
        for p in G_TABLES..POOL {
            let v = w.rng.next();
            w.poke(p, w.rng_index(p), v);
        }
        w.registers();
        for _ in 0..12 {
            let va = w.promising_address();
            w.addresses.push(va);
        }
        w.hart.set_mode(Mode::HS);
        w
    }

    /// An address that some mode may load from now, if there is one to be found.
    fn promising_address(&mut self) -> u64 {
        for _ in 0..40 {
            let va = self.address();
            let mut r = Reference { csr: &self.hart.csr, ram: &self.bus.ram, overlay: BTreeMap::new() };
            if [Mode::HS, Mode::U, Mode::VS].into_iter().any(|m| r.access(va, 8, What::Load, m).is_ok()) {
                return va;
            }
        }
        self.address()
    }

    fn rng_index(&self, p: u64) -> u64 {
        p * 37 % 512
    }

    /// Writes a table entry.
    pub fn poke(&mut self, page: u64, index: u64, pte: u64) {
        self.bus.ram.write(BASE + page * 4096 + index * 8, 8, pte, &mut Vec::new());
    }

    /// A table entry: mostly a table pointer or a leaf into the pool.
    pub fn entry(&mut self, page_number: u64) -> u64 {
        let r = &mut self.rng;
        let g = page_number >= TABLES;
        // The first half of the tables serves as roots and points to others, the second half mostly holds leaves.
        let leaves = page_number % TABLES >= TABLES / 2;
        let mut pte = match r.below(20) {
            0..=14 if !leaves => pointer(r, g),
            0 | 1 => pointer(r, g),
            2..=18 => {
                let ppn = match r.below(4) {
                    0 | 1 => BASE >> 12,
                    2 => page(r.below(POOL)) & !0xf | 8,
                    _ => page(r.below(POOL)),
                };
                let mut flags =
                    r.pick(&[0xcf, 0xdf, 0xdf, 0xcf, 0xdf, 0xdf, 0xc7, 0xd7, 0x4b, 0xd9, 0xc9, 0x0f, 0x1f, 0x5f, 0x4f]);
                if g {
                    flags |= 0x10;
                }
                let high = if r.one_in(6) { r.pick(&[1 << 63, 1 << 61, 2 << 61, 3 << 61]) } else { 0 };
                ppn << 10 | flags | high
            }
            _ => r.next(),
        };
        if r.one_in(25) {
            pte ^= 1 << r.below(64);
        }
        // Tables that differ in what is global are a mistake of software, after which either mapping may be used: see `global`.
        pte & !(1 << 5)
    }

    /// A virtual (or guest physical) address built of the indexes in use.
    pub fn address(&mut self) -> u64 {
        let r = &mut self.rng;
        let levels = if r.one_in(5) { r.pick(&[3, 4, 5]) } else { self.levels };
        let mut va = 0;
        for _ in 0..levels {
            va = va << 9 | r.pick(&INDEXES);
        }
        va <<= 12;
        let bits = 12 + 9 * levels as u32;
        if va >> (bits - 1) & 1 != 0 && !r.one_in(10) {
            va |= u64::MAX << bits;
        }
        if r.one_in(12) {
            va ^= 1 << r.below(64);
        }
        match r.below(5) {
            0 => BASE + r.below(POOL) * 4096,
            1 => va & !0x1ff000 | r.pick(&INDEXES) << 12,
            _ => va,
        }
    }

    fn atp(&mut self, first: u64) -> u64 {
        let r = &mut self.rng;
        let mode = if r.one_in(4) { r.pick(&[0, 8, 9, 10]) } else { self.levels + 5 };
        mode << 60 | r.below(4) << 44 | page(first + r.below(4))
    }

    /// Random translation registers.
    pub fn registers(&mut self) {
        self.hart.csr.satp = self.atp(0);
        self.hart.csr.vsatp = self.atp(0);
        self.hart.csr.hgatp = self.atp(TABLES) & !3;
        self.status();
        self.hart.csr.menvcfg = self.rng.next() & 3 << 61;
        self.hart.csr.henvcfg = self.rng.next() & 3 << 61;
        self.hart.csr.mseccfg = if self.rng.one_in(8) { self.rng.below(4) } else { 0 };
        self.pmp();
    }

    /// Random SUM, MXR, MPRV, MPP and MPV.
    pub fn status(&mut self) {
        let r = &mut self.rng;
        self.hart.csr.mstatus = r.next() & (3 << 18 | 1 << 39) | r.pick(&[0, 1, 3]) << 11 | (r.one_in(4) as u64) << 17;
        self.hart.csr.vsstatus = r.next() & 3 << 18;
    }

    /// PMP: mostly open, sometimes with holes.
    fn pmp(&mut self) {
        let r = &mut self.rng;
        self.hart.csr.pmpcfg = [0; 16];
        let open = r.one_in(2);
        for i in 0..15 {
            if !open && r.one_in(10) {
                self.hart.csr.pmpcfg[i] = r.next() as u8 & 0x9f;
            }
            let at = BASE / 4 + r.below(POOL) * 1024 + r.pick(&[0, 0, 2, 6, 512]);
            self.hart.csr.pmpaddr[i] = at | ((1 << r.below(12)) - 1);
        }
        self.hart.csr.pmpcfg[15] = if r.one_in(12) { 0 } else { 0x1f };
        self.hart.csr.pmpaddr[15] = u64::MAX >> 10;
    }

    /// One access made by the reference and then by the hart; they must agree about trap, value, and A and D. Returns where it went.
    pub fn compare(&mut self) -> Result<Vec<u64>, Trap> {
        let at = self.rng.below(self.addresses.len() as u64) as usize;
        let size = self.rng.pick(&[1u64, 2, 4, 8]);
        let offset = match self.rng.below(5) {
            0 => 4096 - 1 - self.rng.below(8),
            1 => self.rng.below(4096),
            _ => self.rng.below(4096 / size) * size,
        };
        let va = self.addresses[at].wrapping_add(offset);
        let mode = self.hart.data_access().mode;
        let forced = Access { mode: self.rng.pick(&[Mode::VS, Mode::VU]), hlvx: self.rng.one_in(2), forced: true };
        let value = self.rng.next();
        let choice = self.rng.below(9);
        let hart_mode = self.hart.mode;
        let mut r = Reference { csr: &self.hart.csr, ram: &self.bus.ram, overlay: BTreeMap::new() };
        let aligned = va & !(size - 1);

        let place;
        let overlay;
        macro_rules! check {
            ($expected:expr, $got:expr, $name:literal) => {{
                let expected = $expected;
                overlay = r.overlay;
                let got = $got;
                assert_eq!(expected, got, "{} {va:#x} size {size} mode {mode:?}", $name);
            }};
        }
        match choice {
            0..=2 => {
                place = r.access(va, size, What::Load, mode);
                check!(place.clone().map(|p| r.ram_value(&p)), self.hart.load(&mut self.bus, va, size as u8), "load");
            }
            3..=4 => {
                place = r.access(va, size, What::Store, mode);
                check!(place.clone().map(|_| ()), self.hart.store(&mut self.bus, va, size as u8, value), "store");
                if let Ok(p) = &place {
                    let stored: u64 = p.iter().rev().fold(0, |v, pa| v << 8 | self.bus.ram.read(*pa, 1).unwrap());
                    assert_eq!(stored, value & (u64::MAX >> (64 - 8 * size)), "stored");
                }
            }
            5 => {
                let va = va & !1;
                place = r.access(va, 2, What::Fetch, hart_mode);
                check!(r.fetch(va, hart_mode), self.hart.fetch(&mut self.bus, va), "fetch");
            }
            6 => {
                let what = if forced.hlvx { What::HlvX } else { What::Load };
                place = r.access(va, size, what, forced.mode);
                check!(
                    place.clone().map(|p| r.ram_value(&p)),
                    self.hart.load_as(&mut self.bus, va, size as u8, forced),
                    "forced load"
                );
            }
            7 => {
                place = r.access(aligned, size, What::Store, mode);
                check!(
                    place.clone().map(|p| r.ram_value(&p)),
                    self.hart.amo(&mut self.bus, aligned, size as u8, &mut |old| old ^ value),
                    "amo"
                );
            }
            _ => {
                if forced.hlvx {
                    place = r.block(va, What::BlockManagement, mode);
                    check!(place.clone().map(|_| ()), self.hart.check_block(&mut self.bus, va), "block management");
                } else {
                    place = r.block(va, What::Store, mode);
                    check!(place.clone().map(|_| ()), self.hart.zero_block(&mut self.bus, va), "block zero");
                }
            }
        }
        let written = matches!(choice, 3 | 4 | 7 | 8);
        for (pa, pte) in overlay {
            if !(written && place.as_ref().is_ok_and(|p| p.iter().any(|q| q & !7 == pa))) {
                assert_eq!(self.bus.ram.read(pa, 8), Some(pte), "A/D of the entry at {pa:#x}");
            }
        }
        place
    }
}
