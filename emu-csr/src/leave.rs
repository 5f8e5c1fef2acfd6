//! Trap return: MRET and SRET (Privileged ISA, "Trap-Return Instructions"; Hypervisor, "Trap Return"). Whether a mode may
//! execute them is checked apart, in checks.rs.

use crate::access::Effects;
use crate::change::{Change, ChangeSink};
use crate::csrs::Csrs;
use crate::entry::Entry;
use crate::isa::Ext;
use crate::mode::Mode;
use crate::table::field::{hstatus, mstatus};
use crate::table::{self, Reg};

const SWITCH: Effects = Effects::CONTEXT.with(Effects::INTERRUPTS);

impl Csrs {
    /// MRET, executed in M-mode.
    pub fn mret(&mut self, sink: &mut impl ChangeSink) -> Entry {
        use mstatus::{MIE, MPIE, MPP, MPRV, MPV};
        let old = self.mstatus;
        let mode = Mode::from_parts(old >> 11, old & MPV != 0);
        let mut new = old & !(MPV | MPP | MIE) | MPIE;
        new |= if old & MPIE != 0 { MIE } else { 0 };
        // MPP becomes the least-privileged mode there is.
        new |= if self.isa.has(Ext::U) { 0 } else { MPP };
        new &= if mode == Mode::M { u64::MAX } else { !MPRV };
        self.set_status(table::MSTATUS, Reg::mstatus, new, sink);
        Entry { mode, pc: self.mepc, effects: SWITCH }
    }

    /// SRET, executed in `mode`: in M and HS it returns from HS, in VS from VS.
    pub fn sret(&mut self, mode: Mode, sink: &mut impl ChangeSink) -> Entry {
        if mode.virt() {
            let level = self.vsstatus >> 8 & 1;
            let new = popped(self.vsstatus);
            self.set_status(table::VSSTATUS, Reg::vsstatus, new, sink);
            return Entry { mode: Mode::from_parts(level, true), pc: self.vsepc, effects: SWITCH };
        }
        let level = self.mstatus >> 8 & 1;
        let before = self.hstatus;
        let virt = before & hstatus::SPV != 0;
        // The new mode is never M, so MPRV is cleared.
        let new = popped(self.mstatus) & !mstatus::MPRV;
        self.set_status(table::MSTATUS, Reg::mstatus, new, sink);
        if self.isa.has(Ext::H) {
            self.hstatus &= !hstatus::SPV;
            sink.change(Change { csr: table::HSTATUS, before, after: self.hstatus });
        }
        Entry { mode: Mode::from_parts(level, virt), pc: self.sepc, effects: SWITCH }
    }
}

/// SPP=0, SIE=SPIE, SPIE=1.
fn popped(status: u64) -> u64 {
    use mstatus::{SIE, SPIE, SPP};
    let new = status & !(SPP | SIE) | SPIE;
    new | if status & SPIE != 0 { SIE } else { 0 }
}
