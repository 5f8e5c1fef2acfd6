//! A second implementation of translation and protection, written step by step from the manuals' text, slow and without any cache.
//! It reads the machine's memory but writes into an overlay, so that it can be asked before the real access is made.

use std::collections::BTreeMap;

use emu_csr::{Csrs, Exception, Ext, Mode, Trap};

use crate::mem::Ram;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    Fetch,
    Load,
    HlvX,
    Store,
    BlockManagement,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Page,
    GuestPage(u128, u64),
    Access,
}

pub struct Reference<'a> {
    pub csr: &'a Csrs,
    pub ram: &'a Ram,
    pub overlay: BTreeMap<u64, u64>,
}

struct Scheme {
    levels: usize,
    va_bits: u32,
}

fn scheme(mode: u64) -> Option<Scheme> {
    match mode {
        0 => None,
        8 => Some(Scheme { levels: 3, va_bits: 39 }),
        9 => Some(Scheme { levels: 4, va_bits: 48 }),
        10 => Some(Scheme { levels: 5, va_bits: 57 }),
        m => panic!("no such MODE {m}"),
    }
}

fn bit(v: u64, n: u32) -> bool {
    v >> n & 1 == 1
}

fn bits(v: u64, high: u32, low: u32) -> u64 {
    ((v as u128 >> low) & ((1u128 << (high - low + 1)) - 1)) as u64
}

/// Privileged ISA, Smepmp: the truth table, row by row (L R W X, M-mode, S/U-mode).
pub(super) const SMEPMP: [(&str, &str, &str); 16] = [
    ("0000", "", ""),
    ("0001", "", "x"),
    ("0010", "rw", "r"),
    ("0011", "rw", "rw"),
    ("0100", "", "r"),
    ("0101", "", "rx"),
    ("0110", "", "rw"),
    ("0111", "", "rwx"),
    ("1000", "", ""),
    ("1001", "x", ""),
    ("1010", "x", "x"),
    ("1011", "rx", "x"),
    ("1100", "r", ""),
    ("1101", "rx", ""),
    ("1110", "rw", ""),
    ("1111", "r", "r"),
];

impl Reference<'_> {
    fn pmp_matches(&self, i: usize, byte: u128) -> bool {
        let cfg = self.csr.pmpcfg[i] as u64;
        let addr = bits(self.csr.pmpaddr[i], 53, 0) as u128;
        match bits(cfg, 4, 3) {
            0 => false,
            1 => {
                let below = if i == 0 { 0 } else { bits(self.csr.pmpaddr[i - 1], 53, 0) as u128 };
                below * 4 <= byte && byte < addr * 4
            }
            2 => byte / 4 == addr,
            _ => {
                let ones = addr.trailing_ones();
                let size = 1u128 << (ones + 3);
                let start = (addr & !((1u128 << ones) - 1)) * 4;
                byte / size == start / size
            }
        }
    }

    fn pmp(&self, pa: u128, len: u128, need: &str, machine: bool) -> bool {
        let mml = bit(self.csr.mseccfg, 0);
        let mmwp = bit(self.csr.mseccfg, 1);
        for i in 0..16 {
            let hits = (pa..pa + len).filter(|b| self.pmp_matches(i, *b)).count() as u128;
            if hits == 0 {
                continue;
            }
            if hits != len {
                return false;
            }
            let cfg = self.csr.pmpcfg[i] as u64;
            let has = if mml {
                let row = bits(cfg, 7, 7) << 3 | bits(cfg, 0, 0) << 2 | bits(cfg, 1, 1) << 1 | bits(cfg, 2, 2);
                let row = SMEPMP.iter().find(|r| r.0 == format!("{row:04b}")).unwrap();
                if machine { row.1.to_string() } else { row.2.to_string() }
            } else {
                let mut s = String::new();
                for (n, c) in "rwx".chars().enumerate() {
                    if bit(cfg, n as u32) || (machine && !bit(cfg, 7)) {
                        s.push(c);
                    }
                }
                s
            };
            return need.chars().all(|c| has.contains(c));
        }
        machine && !mmwp && !(mml && need.contains('x'))
    }

    fn is_ram(&self, pa: u128, len: u128) -> bool {
        pa >= self.ram.base() as u128 && pa + len <= self.ram.base() as u128 + self.ram.size() as u128
    }

    fn read_pte(&self, pa: u64) -> u64 {
        self.overlay.get(&pa).copied().unwrap_or_else(|| self.ram.read(pa, 8).unwrap())
    }

    /// hgatp: guest physical address to supervisor physical address. `for_pte` is None for the explicit access, or whether the implicit
    /// access is a write.
    fn guest(&mut self, gpa: u128, what: What, for_pte: Option<bool>) -> Result<u128, Fault> {
        let Some(s) = scheme(self.csr.hgatp >> 60) else { return Ok(gpa) };
        let tinst = match for_pte {
            None => 0,
            Some(false) => 0x3000,
            Some(true) => 0x3020,
        };
        let fault = Fault::GuestPage(gpa, tinst);
        if gpa >> (s.va_bits + 2) != 0 {
            return Err(fault);
        }
        let what = match for_pte {
            None => what,
            Some(false) => What::Load,
            Some(true) => What::Store,
        };
        let root = bits(self.csr.hgatp, 43, 0) & !3;
        // Bits of the virtual page number, the root's index two bits wider.
        let mxr = for_pte.is_none() && bit(self.csr.mstatus, 19);
        let envcfg = self.csr.menvcfg;
        self.tables(root, &s, 2, gpa, what, true, false, mxr, envcfg, fault, false)
    }

    #[allow(clippy::too_many_arguments)]
    fn tables(
        &mut self,
        root: u64,
        s: &Scheme,
        widen: u32,
        va: u128,
        what: What,
        user: bool,
        sum: bool,
        mxr: bool,
        envcfg: u64,
        fault: Fault,
        under_g: bool,
    ) -> Result<u128, Fault> {
        let vpn: Vec<u128> = (0..s.levels)
            .map(|i| {
                let width = 9 + if i == s.levels - 1 { widen } else { 0 };
                va >> (12 + 9 * i) & ((1 << width) - 1)
            })
            .collect();
        // 1.
        let mut a = root as u128 * 4096;
        let mut i = s.levels - 1;
        loop {
            // 2.
            let at = a + vpn[i] * 8;
            let pte_pa = if under_g { self.guest(at, what, Some(false))? } else { at };
            if !self.is_ram(pte_pa, 8) || !self.pmp(pte_pa, 8, "r", false) {
                return Err(Fault::Access);
            }
            let pte = self.read_pte(pte_pa as u64);
            let (v, r, w, x, u) = (bit(pte, 0), bit(pte, 1), bit(pte, 2), bit(pte, 3), bit(pte, 4));
            let (acc, dirty) = (bit(pte, 6), bit(pte, 7));
            let napot = bit(pte, 63);
            let pbmt = bits(pte, 62, 61);
            // 3.
            if !v || (!r && w) {
                return Err(fault);
            }
            if bits(pte, 60, 54) != 0 {
                return Err(fault);
            }
            if !bit(envcfg, 62) && pbmt != 0 || pbmt == 3 {
                return Err(fault);
            }
            if napot && !self.csr.isa.has(Ext::Svnapot) {
                return Err(fault);
            }
            // 4.
            if !r && !x {
                if acc || dirty || u || napot || pbmt != 0 {
                    return Err(fault);
                }
                if i == 0 {
                    return Err(fault);
                }
                i -= 1;
                a = bits(pte, 53, 10) as u128 * 4096;
                continue;
            }
            // 5.
            let mut ppn = bits(pte, 53, 10) as u128;
            if i > 0 && !ppn.is_multiple_of(1 << (9 * i)) {
                return Err(fault);
            }
            if napot {
                if i > 0 || ppn % 16 != 0b1000 {
                    return Err(fault);
                }
                ppn = ppn / 16 * 16 + vpn[0] % 16;
            }
            // 6.
            if user && !u {
                return Err(fault);
            }
            if !user && u && (what == What::Fetch || !sum) {
                return Err(fault);
            }
            // 8.
            let ok = match what {
                What::Fetch | What::HlvX => x,
                What::Load | What::BlockManagement => r || mxr && x,
                What::Store => w,
            };
            if !ok {
                return Err(fault);
            }
            // 9.
            if !acc || what == What::Store && !dirty {
                if !bit(envcfg, 61) {
                    return Err(fault);
                }
                if under_g {
                    self.guest(at, what, Some(true))?;
                }
                if !self.pmp(pte_pa, 8, "w", false) {
                    return Err(Fault::Access);
                }
                if self.read_pte(pte_pa as u64) != pte {
                    continue;
                }
                let new = pte | 1 << 6 | if what == What::Store { 1 << 7 } else { 0 };
                self.overlay.insert(pte_pa as u64, new);
            }
            // 10.
            let offset_bits = 12 + 9 * i;
            return Ok(ppn * 4096 + va % (1 << offset_bits));
        }
    }

    fn translate(&mut self, va: u64, what: What, mode: Mode) -> Result<u128, Fault> {
        match mode {
            Mode::M => Ok(va as u128),
            Mode::HS | Mode::U => {
                let Some(s) = scheme(self.csr.satp >> 60) else { return Ok(va as u128) };
                let top = bits(va, 63, s.va_bits - 1);
                if top != 0 && top != bits(u64::MAX, 63, s.va_bits - 1) {
                    return Err(Fault::Page);
                }
                let (sum, mxr) = (bit(self.csr.mstatus, 18), bit(self.csr.mstatus, 19));
                let (root, envcfg) = (bits(self.csr.satp, 43, 0), self.csr.menvcfg);
                self.tables(root, &s, 0, va as u128, what, mode == Mode::U, sum, mxr, envcfg, Fault::Page, false)
            }
            Mode::VS | Mode::VU => {
                let gpa = match scheme(self.csr.vsatp >> 60) {
                    None => va as u128,
                    Some(s) => {
                        let top = bits(va, 63, s.va_bits - 1);
                        if top != 0 && top != bits(u64::MAX, 63, s.va_bits - 1) {
                            return Err(Fault::Page);
                        }
                        let sum = bit(self.csr.vsstatus, 18);
                        let mxr = bit(self.csr.vsstatus, 19) || bit(self.csr.mstatus, 19);
                        let root = bits(self.csr.vsatp, 43, 0);
                        let envcfg = self.csr.henvcfg & self.csr.menvcfg;
                        self.tables(root, &s, 0, va as u128, what, mode == Mode::VU, sum, mxr, envcfg, Fault::Page, true)?
                    }
                };
                self.guest(gpa, what, None)
            }
        }
    }

    fn trap(fault: Fault, va: u64, what: What, mode: Mode) -> Trap {
        let column = match what {
            What::Fetch => 0,
            What::Load | What::HlvX => 1,
            What::Store | What::BlockManagement => 2,
        };
        use Exception::*;
        let page = [InstPageFault, LoadPageFault, StorePageFault];
        let access = [InstAccessFault, LoadAccessFault, StoreAccessFault];
        let guest = [InstGuestPageFault, LoadGuestPageFault, StoreGuestPageFault];
        let gva = matches!(mode, Mode::VS | Mode::VU);
        match fault {
            Fault::Page => Trap { cause: page[column], tval: va, tval2: 0, tinst: 0, gva },
            Fault::Access => Trap { cause: access[column], tval: va, tval2: 0, tinst: 0, gva },
            Fault::GuestPage(gpa, tinst) => Trap { cause: guest[column], tval: va, tval2: (gpa >> 2) as u64, tinst, gva: true },
        }
    }

    /// Physical addresses of the bytes of an access of 1, 2, 4 or 8 bytes, or of a whole aligned block, or the trap it raises.
    pub fn access(&mut self, va: u64, len: u64, what: What, mode: Mode) -> Result<Vec<u64>, Trap> {
        let need = match what {
            What::Fetch => "x",
            What::Load | What::BlockManagement => "r",
            What::HlvX => "xr",
            What::Store => "w",
        };
        let machine = mode == Mode::M;
        let mut bytes = Vec::new();
        let mut at = va;
        let mut left = len;
        while left > 0 {
            let n = left.min(4096 - at % 4096);
            let pa = self.translate(at, what, mode).map_err(|f| Self::trap(f, at, what, mode))?;
            let step = if va.is_multiple_of(len) { n } else { 1 };
            for i in (0..n).step_by(step as usize) {
                if !self.pmp(pa + i as u128, step as u128, need, machine) {
                    return Err(Self::trap(Fault::Access, at + i, what, mode));
                }
            }
            if !self.is_ram(pa, n as u128) {
                return Err(Self::trap(Fault::Access, at, what, mode));
            }
            bytes.extend((0..n).map(|i| pa as u64 + i));
            at = at.wrapping_add(n);
            left -= n;
        }
        Ok(bytes)
    }

    /// The bytes of the 64-byte block that holds `va`; faults name `va` itself (Unprivileged ISA, "CMO Extensions").
    pub fn block(&mut self, va: u64, what: What, mode: Mode) -> Result<Vec<u64>, Trap> {
        let fault = |f| Self::trap(f, va, what, mode);
        let pa = self.translate(va, what, mode).map_err(fault)? & !63;
        let need = if what == What::Store { "w" } else { "r" };
        if !self.pmp(pa, 64, need, mode == Mode::M) || !self.is_ram(pa, 64) {
            return Err(fault(Fault::Access));
        }
        Ok((0..64).map(|i| pa as u64 + i).collect())
    }

    /// The instruction at `va`, as two parcels of 16 bits.
    pub fn fetch(&mut self, va: u64, mode: Mode) -> Result<(u32, u8), Trap> {
        let a = self.access(va, 2, What::Fetch, mode)?;
        let low = self.ram_value(&a) as u32;
        if low & 3 != 3 {
            return Ok((low, 2));
        }
        let b = self.access(va.wrapping_add(2), 2, What::Fetch, mode)?;
        Ok(((self.ram_value(&b) as u32) << 16 | low, 4))
    }

    /// The little-endian value at these bytes, with A and D updates seen.
    pub fn ram_value(&self, bytes: &[u64]) -> u64 {
        bytes.iter().rev().fold(0, |v, pa| {
            let word = self.read_pte(pa & !7);
            v << 8 | (word >> (pa % 8 * 8) & 0xff)
        })
    }
}
