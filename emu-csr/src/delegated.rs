//! Counters that M-mode has delegated to the supervisor, behind siselect and sireg (Smcdeleg, Ssccfg, "Counter Delegation").

use crate::access::{Denied, Effects, Now};
use crate::change::ChangeSink;
use crate::csrs::Csrs;
use crate::isa::Ext;
use crate::mode::Mode;
use crate::table::field::{menvcfg, mhpmevent};
use crate::table::{self, Reg};
use crate::warl;

/// siselect's values of the counters, 0x40 + its number.
const SELECTS: std::ops::RangeInclusive<u64> = 0x40..=0x5f;

impl Csrs {
    /// Access to `sireg` number `i`, which with V=1 is `vsireg`. What is not implemented is illegal, as the manual recommends.
    pub(crate) fn check_sireg(&self, i: u8, mode: Mode) -> Result<(), Denied> {
        let select = if mode.virt() { self.vsiselect } else { self.siselect };
        let delegation = self.isa.has(Ext::Ssccfg) && SELECTS.contains(&select);
        if !delegation || self.menvcfg & menvcfg::CDE == 0 {
            return Err(Denied::Illegal);
        }
        if mode.virt() {
            return Err(Denied::Virtual);
        }
        let counter = (select - SELECTS.start()) as u8;
        let needs = match (i, counter) {
            // time is no counter of the supervisor's; sireg3 and sireg6 have nothing, sireg4 and sireg5 are upper halves.
            (_, 1) | (3..=6, _) => None,
            (1, 0 | 2) => Some(Ext::Zicntr),
            (_, 0 | 2) => Some(Ext::Smcntrpmf),
            _ => Some(Ext::Zihpm),
        };
        let there = needs.is_some_and(|ext| self.isa.has(ext));
        if there && self.mcounteren >> counter & 1 != 0 { Ok(()) } else { Err(Denied::Illegal) }
    }

    /// The counter that siselect selects.
    fn selected(&self) -> Option<u8> {
        SELECTS.contains(&self.siselect).then(|| (self.siselect - SELECTS.start()) as u8)
    }

    /// `sireg` (1): the counter; `sireg2` (2): its event or filter, of which MINH is read-only 0.
    pub(crate) fn get_delegated(&self, i: u8, now: &Now) -> u64 {
        let Some(counter) = self.selected() else { return 0 };
        match (i, counter) {
            (_, 1) => 0,
            (1, n) => self.counter(n, now),
            (_, 0) => self.mcyclecfg & !mhpmevent::MINH,
            (_, 2) => self.minstretcfg & !mhpmevent::MINH,
            (_, n) => self.mhpmevent[usize::from(n & 31)] & !mhpmevent::MINH,
        }
    }

    /// Writes one of them; access has been checked. MINH stays as M-mode has set it.
    pub(crate) fn put_delegated(&mut self, i: u8, value: u64, mode: Mode, now: &Now, sink: &mut impl ChangeSink) -> Effects {
        let Some(counter) = self.selected() else { return Effects::NONE };
        let (reg, csr, old) = match (i, counter) {
            (_, 1) => return Effects::NONE,
            (1, n) => return self.put_counter(n, value, now, sink),
            (_, 0) => (Reg::mcyclecfg, table::MCYCLECFG, self.mcyclecfg),
            (_, 2) => (Reg::minstretcfg, table::MINSTRETCFG, self.minstretcfg),
            (_, n) => {
                let whole = warl::merge(value, self.mhpmevent[usize::from(n & 31)], mhpmevent::MINH);
                return self.put_event(n, whole, mode, now, sink);
            }
        };
        let whole = warl::countercfg(self, old, warl::merge(value, old, mhpmevent::MINH));
        self.store(reg, csr, table::COUNTERS, whole, mode, now, sink)
    }
}
