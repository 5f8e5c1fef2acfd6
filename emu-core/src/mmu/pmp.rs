//! Physical memory protection: 16 entries, with Smepmp (Privileged ISA, "Physical Memory Protection" and "Smepmp Extension").

use emu_csr::Csrs;

/// What an access does to memory, for protection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Rwx(pub u8);

impl Rwx {
    pub(super) const R: Rwx = Rwx(1);
    pub(super) const W: Rwx = Rwx(2);
    pub(super) const X: Rwx = Rwx(4);
    /// Shadow-stack instructions: readable and writable.
    pub(super) const RW: Rwx = Rwx(3);
    /// HLVX: the memory must be executable and readable.
    pub(super) const RX: Rwx = Rwx(5);
}

/// mseccfg.
const MML: u64 = 1;
const MMWP: u64 = 2;
/// pmpcfg.
const L: u8 = 1 << 7;

/// The entries that are on, decoded: their ranges (inclusive) and what they allow in M-mode and below it, as R, W, X bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    first: u64,
    last: u64,
    machine: u8,
    lower: u8,
}

/// Decoded PMP registers, kept until the registers differ.
#[derive(Clone, Debug, Default)]
pub(super) struct Pmp {
    cfg: [u8; 16],
    addr: [u64; 16],
    seccfg: u64,
    entries: Vec<Entry>,
}

/// What applies to the whole of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// Allowed.
    Allow,
    /// Refused.
    Deny,
    /// The entries divide the range: each access must be checked by itself.
    Divided,
}

/// What a configuration byte allows: (M-mode, S- and U-mode).
fn permissions(cfg: u8, mml: bool) -> (u8, u8) {
    let rwx = cfg & 7;
    if !mml {
        return (if cfg & L != 0 { rwx } else { 7 }, rwx);
    }
    // Smepmp's truth table; bits of an outcome are R=1, W=2, X=4.
    match (cfg & L != 0, rwx) {
        (false, 0b010) => (3, 1),
        (false, 0b110) => (3, 3),
        (false, _) => (0, rwx),
        (true, 0b010) => (4, 4),
        (true, 0b110) => (5, 4),
        (true, 0b111) => (1, 1),
        (true, _) => (rwx, 0),
    }
}

impl Pmp {
    /// Decodes the registers again if they are not those of last time.
    #[inline]
    pub(super) fn load(&mut self, csr: &Csrs) {
        if self.cfg != csr.pmpcfg || self.addr != csr.pmpaddr || self.seccfg != csr.mseccfg {
            self.decode(csr);
        }
    }

    #[cold]
    fn decode(&mut self, csr: &Csrs) {
        (self.cfg, self.addr, self.seccfg) = (csr.pmpcfg, csr.pmpaddr, csr.mseccfg);
        self.entries.clear();
        for (i, cfg) in self.cfg.iter().enumerate() {
            // 54 address bits, in units of 4 bytes.
            let addr = self.addr[i] & ((1 << 54) - 1);
            let (first, last) = match cfg >> 3 & 3 {
                0 => continue,
                1 => {
                    let bottom = i.checked_sub(1).map_or(0, |p| self.addr[p] & ((1 << 54) - 1));
                    if bottom >= addr {
                        continue;
                    }
                    (bottom << 2, (addr << 2) - 1)
                }
                2 => (addr << 2, (addr << 2) + 3),
                _ => {
                    let low = addr ^ (addr + 1);
                    ((addr & !low) << 2, ((addr | low) << 2) + 3)
                }
            };
            let (machine, lower) = permissions(*cfg, self.seccfg & MML != 0);
            self.entries.push(Entry { first, last, machine, lower });
        }
    }

    /// Checks the `len` bytes at `pa` as one range; `machine`: the effective privilege is M.
    #[inline]
    pub(super) fn check(&self, pa: u64, len: u64, need: Rwx, machine: bool) -> Verdict {
        let end = pa.saturating_add(len - 1);
        for e in &self.entries {
            if e.first <= end && pa <= e.last {
                if pa < e.first || end > e.last {
                    return Verdict::Divided;
                }
                let has = if machine { e.machine } else { e.lower };
                return if has & need.0 == need.0 { Verdict::Allow } else { Verdict::Deny };
            }
        }
        // No entry matches: M-mode may, unless Smepmp says otherwise; lower modes may not.
        let allowed = machine && self.seccfg & MMWP == 0 && (self.seccfg & MML == 0 || need.0 & Rwx::X.0 == 0);
        if allowed { Verdict::Allow } else { Verdict::Deny }
    }

    /// Checks one memory operation: an entry that matches only part of it fails it.
    #[inline]
    pub(super) fn allows(&self, pa: u64, len: u64, need: Rwx, machine: bool) -> bool {
        self.check(pa, len, need, machine) == Verdict::Allow
    }
}
