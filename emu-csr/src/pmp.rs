//! Physical memory protection registers: locks, legal values and Smepmp's rules for adding entries (Privileged ISA,
//! "Physical Memory Protection"; Smepmp). The granularity is 4 bytes (G=0); matching addresses is the memory system's.

use crate::access::Effects;
use crate::change::{Change, ChangeSink};
use crate::csrs::Csrs;
use crate::table::field::mseccfg;
use crate::table::{PMPADDR0, PMPCFG0};

/// Permission bits and A field of a configuration byte.
const R: u8 = 1;
const W: u8 = 2;
const X: u8 = 4;
const A: u8 = 3 << 3;
const TOR: u8 = 1 << 3;
const L: u8 = 0x80;

impl Csrs {
    /// A configuration byte; entries beyond the sixteen read as zero.
    #[inline]
    pub fn pmpcfg_of(&self, i: usize) -> u8 {
        self.pmpcfg.get(i).copied().unwrap_or(0)
    }

    /// Whether the entry is locked and mseccfg.RLB does not open it.
    fn pmp_locked(&self, i: usize) -> bool {
        self.pmpcfg_of(i) & L != 0 && self.mseccfg & mseccfg::RLB == 0
    }

    /// Writes the eight bytes of `pmpcfg<i>`.
    pub(crate) fn put_pmpcfg(&mut self, i: u8, value: u64, sink: &mut impl ChangeSink) -> Effects {
        let first = usize::from(i) * 4;
        let mut word = [0; 8];
        let before = |csrs: &Csrs| (0..8).map(|k| csrs.pmpcfg_of(first + k)).rev().fold(0, |w, b| w << 8 | u64::from(b));
        let old = before(self);
        word.copy_from_slice(&value.to_le_bytes());
        for (k, new) in word.into_iter().enumerate() {
            let at = first + k;
            if !self.pmp_locked(at)
                && let Some(new) = self.legal_pmpcfg(new)
                && let Some(cfg) = self.pmpcfg.get_mut(at)
            {
                *cfg = new;
            }
        }
        let new = before(self);
        sink.change(Change { csr: PMPCFG0 + u16::from(i), before: old, after: new });
        if old == new { Effects::NONE } else { Effects::FLUSH }
    }

    /// The byte an unlocked entry takes, or `None` if Smepmp makes the write ignored.
    fn legal_pmpcfg(&self, new: u8) -> Option<u8> {
        let cfg = new & (R | W | X | A | L);
        if self.mseccfg & mseccfg::MML == 0 {
            // R=0 W=1 is reserved without MML; W is lost.
            return Some(if cfg & R == 0 { cfg & !W } else { cfg });
        }
        if self.mseccfg & mseccfg::RLB != 0 {
            return Some(cfg);
        }
        // Smepmp, rule 4: with MML no executable entry that is M-only or a locked shared region can be added.
        let all = cfg & (R | W | X) == R | W | X;
        let executable = cfg & X != 0 || cfg & (R | W) == W;
        if cfg & L != 0 && executable && !all {
            return None;
        }
        Some(cfg)
    }

    /// Writes `pmpaddr<i>`: ignored if the entry is locked, or the next one is and ranges from this one (TOR).
    pub(crate) fn put_pmpaddr(&mut self, i: u8, value: u64, sink: &mut impl ChangeSink) -> Effects {
        let at = usize::from(i);
        let next_tor = self.pmpcfg_of(at + 1) & A == TOR && self.pmp_locked(at + 1);
        if self.pmp_locked(at) || next_tor {
            return Effects::NONE;
        }
        let Some(addr) = self.pmpaddr.get_mut(at) else { return Effects::NONE };
        let before = *addr;
        *addr = value & (u64::MAX >> 10);
        let after = *addr;
        sink.change(Change { csr: PMPADDR0 + u16::from(i), before, after });
        if before == after { Effects::NONE } else { Effects::FLUSH }
    }
}
