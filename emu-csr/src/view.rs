//! Registers that show the state of others: an arm to read and an arm to write each.

use crate::access::{Effects, Now};
use crate::change::{Change, ChangeSink};
use crate::csrs::{Csrs, with_sd};
use crate::isa::Ext;
use crate::mode::Mode;
use crate::table::field::{mcontext, menvcfg};
use crate::table::{self, Reg, View};
use crate::warl::{self, bit};

impl Csrs {
    /// What a view reads as.
    pub(crate) fn get_view(&self, view: View, i: u8, mode: Mode, now: &Now) -> u64 {
        match view {
            View::Fflags => self.fcsr & 0x1f,
            View::Frm => self.fcsr >> 5 & 7,
            View::Cycle | View::Mcycle => self.counter(0, now),
            View::Instret | View::Minstret => self.counter(2, now),
            View::Hpmcounter | View::Mhpmcounter => self.counter(i, now),
            View::Time if mode.virt() => now.time.wrapping_add(self.htimedelta),
            View::Time => now.time,
            View::Mip => self.pending,
            View::Sstatus => self.sstatus(),
            View::Sie => self.mie & self.mideleg & !bit::HS,
            View::Sip => self.pending & self.mideleg & !bit::HS,
            View::Scountovf => self.overflow_flags(mode),
            View::Hie => self.mie & bit::HS,
            View::Hip => self.pending & bit::HS,
            View::Hgeip => self.hgeip,
            View::Vsie => (self.mie & self.hideleg) >> 1,
            View::Vsip => (self.pending & self.hideleg) >> 1,
            View::Mhpmevent => self.mhpmevent[usize::from(i & 31)],
            View::Pmpcfg => (0..8).rev().fold(0, |word, k| word << 8 | u64::from(self.pmpcfg_of(usize::from(i) * 4 + k))),
            View::Pmpaddr => self.pmpaddr.get(usize::from(i)).copied().unwrap_or(0),
            View::Tselect => self.triggers.select,
            View::Tinfo => self.tinfo(),
            View::Tdata => self.tdata(i),
            View::Hcontext => self.mcontext,
            View::Scountinhibit => self.mcountinhibit & self.mcounteren,
            View::Sireg => self.get_delegated(1, now),
            View::Sireg2 => self.get_delegated(2, now),
            // Nothing is there: the gates refuse it, and a debugger reads 0.
            View::Sireg3 | View::Sireg4 | View::Sireg5 | View::Sireg6 => 0,
            View::Mireg | View::Mireg2 | View::Mireg3 | View::Mireg4 | View::Mireg5 | View::Mireg6 => 0,
            View::Vsireg | View::Vsireg2 | View::Vsireg3 | View::Vsireg4 | View::Vsireg5 | View::Vsireg6 => 0,
        }
    }

    /// Writes a view; access has been checked.
    pub(crate) fn put_view(
        &mut self,
        view: View,
        i: u8,
        value: u64,
        mode: Mode,
        now: &Now,
        sink: &mut impl ChangeSink,
    ) -> Effects {
        use table::{INTERRUPTS, NO};
        // A view of another register is a write of its part of that register.
        let (reg, number, effects, whole) = match view {
            View::Fflags => (Reg::fcsr, table::FCSR, NO, warl::merge(self.fcsr, value, 0x1f)),
            View::Frm => (Reg::fcsr, table::FCSR, NO, warl::merge(self.fcsr, value << 5, 0xe0)),
            View::Sstatus => return self.put_sstatus(value, sink),
            View::Sie => (Reg::mie, table::MIE, INTERRUPTS, warl::merge(self.mie, value, self.mideleg & !bit::HS)),
            View::Hie => (Reg::mie, table::MIE, INTERRUPTS, warl::merge(self.mie, value, bit::HS)),
            View::Vsie => (Reg::mie, table::MIE, INTERRUPTS, warl::merge(self.mie, value << 1, self.hideleg)),
            View::Hip => (Reg::hvip, table::HVIP, INTERRUPTS, warl::merge(self.hvip, value, bit::VSSI)),
            View::Vsip => (Reg::hvip, table::HVIP, INTERRUPTS, warl::merge(self.hvip, value << 1, bit::VSSI & self.hideleg)),
            View::Mip => return self.put_mip(value, self.mip_mask(), bit::VSSI, sink),
            View::Sip => return self.put_mip(value, (bit::SSI | self.lcofi()) & self.mideleg, 0, sink),
            View::Mcycle => return self.put_counter(0, value, now, sink),
            View::Minstret => return self.put_counter(2, value, now, sink),
            View::Mhpmcounter => return self.put_counter(i, value, now, sink),
            View::Mhpmevent => return self.put_event(i, value, mode, now, sink),
            View::Pmpcfg => return self.put_pmpcfg(i, value, sink),
            View::Pmpaddr => return self.put_pmpaddr(i, value, sink),
            View::Cycle | View::Time | View::Instret | View::Hpmcounter | View::Scountovf | View::Hgeip => return Effects::NONE,
            View::Hcontext => (Reg::mcontext, table::MCONTEXT, NO, warl::merge(self.mcontext, value, mcontext::HCONTEXT)),
            View::Tselect => return self.put_tselect(value, sink),
            View::Tdata => return self.put_tdata(i, value, sink),
            View::Tinfo => return Effects::NONE,
            View::Scountinhibit => {
                let whole = warl::merge(self.mcountinhibit, value, self.mcounteren & !2);
                (Reg::mcountinhibit, table::MCOUNTINHIBIT, table::COUNTERS, whole)
            }
            View::Sireg => return self.put_delegated(1, value, mode, now, sink),
            View::Sireg2 => return self.put_delegated(2, value, mode, now, sink),
            View::Sireg3 | View::Sireg4 | View::Sireg5 | View::Sireg6 => return Effects::NONE,
            View::Mireg | View::Mireg2 | View::Mireg3 | View::Mireg4 | View::Mireg5 | View::Mireg6 => return Effects::NONE,
            View::Vsireg | View::Vsireg2 | View::Vsireg3 | View::Vsireg4 | View::Vsireg5 | View::Vsireg6 => return Effects::NONE,
        };
        self.store(reg, number, effects, whole, mode, now, sink)
    }

    /// What sstatus reads as.
    #[inline]
    pub(crate) fn sstatus(&self) -> u64 {
        with_sd(self.mstatus & (warl::sstatus_mask(self) | warl::SSTATUS_FIXED))
    }

    /// Writes sstatus, a view of mstatus. Nothing of it depends on the clocks or the mode.
    #[inline]
    pub(crate) fn put_sstatus(&mut self, value: u64, sink: &mut impl ChangeSink) -> Effects {
        let whole = warl::sstatus(self, self.mstatus, value);
        self.store(Reg::mstatus, table::MSTATUS, table::STATUS, whole, Mode::HS, &Now::default(), sink)
    }

    /// LCOFI where the hart has it.
    fn lcofi(&self) -> u64 {
        if self.isa.has(Ext::Sscofpmf) { bit::LCOFI } else { 0 }
    }

    /// The bits of mip that M-mode writes, VSSIP aside: STIP only while stimecmp does not drive it.
    fn mip_mask(&self) -> u64 {
        if !self.isa.has(Ext::S) {
            return 0;
        }
        let stip = if self.menvcfg & menvcfg::STCE != 0 { 0 } else { bit::STI };
        bit::SSI | bit::SEI | stip | self.lcofi()
    }

    /// Writes `own` bits of mip, and those of `virt` to hvip, of which mip.VSSIP is an alias.
    fn put_mip(&mut self, value: u64, own: u64, virt: u64, sink: &mut impl ChangeSink) -> Effects {
        let before = self.pending;
        self.mip = warl::merge(self.mip, value, own);
        if virt != 0 && self.isa.has(Ext::H) {
            let hvip = self.hvip;
            self.hvip = warl::merge(hvip, value, virt);
            if hvip != self.hvip {
                sink.change(Change { csr: table::HVIP, before: hvip, after: self.hvip });
            }
        }
        self.refresh_pending();
        sink.change(Change { csr: table::MIP, before, after: self.pending });
        if before == self.pending { Effects::NONE } else { Effects::INTERRUPTS }
    }
}
