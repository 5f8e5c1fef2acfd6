//! Trap return: MRET, SRET and MNRET (Privileged ISA, "Trap-Return Instructions", "Double Trap Control in mstatus Register";
//! Hypervisor, "Trap Return"; Smrnmi; Zicfilp, "Preserving Expected Landing Pad State on Traps"). Whether a mode may execute them is
//! checked apart, in checks.rs.

use crate::access::Effects;
use crate::change::{Change, ChangeSink};
use crate::csrs::Csrs;
use crate::entry::Entry;
use crate::isa::Ext;
use crate::mode::Mode;
use crate::table::field::{hstatus, mnstatus, mstatus};
use crate::table::{self, Reg};

const SWITCH: Effects = Effects::CONTEXT.with(Effects::INTERRUPTS);

impl Csrs {
    /// MRET, executed in M-mode.
    #[inline]
    pub fn mret(&mut self, sink: &mut impl ChangeSink) -> Entry {
        use mstatus::{MDT, MIE, MPELP, MPIE, MPP, MPRV, MPV};
        let old = self.mstatus;
        let mode = Mode::from_parts(old >> 11, old & MPV != 0);
        let mut new = old & !(MPV | MPP | MIE | MDT | MPELP) | MPIE;
        new |= if old & MPIE != 0 { MIE } else { 0 };
        // MPP becomes the least-privileged mode there is.
        new |= if self.isa.has(Ext::U) { 0 } else { MPP };
        new &= if mode == Mode::M { u64::MAX } else { !MPRV };
        new &= !leaves_sdt(mode);
        self.set_status(table::MSTATUS, Reg::mstatus, new, sink);
        if self.tcontrol != 0 {
            // mte takes mpte (Debug, tcontrol).
            let before = self.tcontrol;
            self.tcontrol = before & 0x80 | before >> 4 & 8;
            sink.change(Change { csr: table::TCONTROL, before, after: self.tcontrol });
        }
        self.enter_vu(mode, sink);
        self.resume_elp(mode, old & MPELP != 0);
        Entry { mode, pc: self.mepc, effects: SWITCH, cause: None }
    }

    /// SRET, executed in `mode`: in M and HS it returns from HS, in VS from VS.
    pub fn sret(&mut self, mode: Mode, sink: &mut impl ChangeSink) -> Entry {
        use mstatus::{MDT, MPRV, SPELP};
        if mode.virt() {
            let old = self.vsstatus;
            let to = Mode::from_parts(old >> 8 & 1, true);
            self.set_status(table::VSSTATUS, Reg::vsstatus, popped(old), sink);
            self.resume_elp(to, old & SPELP != 0);
            return Entry { mode: to, pc: self.vsepc, effects: SWITCH, cause: None };
        }
        let old = self.mstatus;
        let before = self.hstatus;
        let to = Mode::from_parts(old >> 8 & 1, before & hstatus::SPV != 0);
        // The new mode is never M, so MPRV is cleared.
        let new = popped(old) & !MPRV & if mode == Mode::M { !MDT } else { u64::MAX };
        self.set_status(table::MSTATUS, Reg::mstatus, new, sink);
        if self.isa.has(Ext::H) {
            self.hstatus &= !hstatus::SPV;
            sink.change(Change { csr: table::HSTATUS, before, after: self.hstatus });
        }
        self.enter_vu(to, sink);
        self.resume_elp(to, old & SPELP != 0);
        Entry { mode: to, pc: self.sepc, effects: SWITCH, cause: None }
    }

    /// MNRET, executed in M-mode.
    pub fn mnret(&mut self, sink: &mut impl ChangeSink) -> Entry {
        use mnstatus::{MNPELP, MNPV, NMIE};
        let old = self.mnstatus;
        let mode = Mode::from_parts(old >> 11, old & MNPV != 0);
        self.mnstatus = old & !MNPELP | NMIE;
        sink.change(Change { csr: table::MNSTATUS, before: old, after: self.mnstatus });
        if mode != Mode::M {
            let new = self.mstatus & !(mstatus::MPRV | mstatus::MDT | leaves_sdt(mode));
            self.set_status(table::MSTATUS, Reg::mstatus, new, sink);
            self.enter_vu(mode, sink);
        }
        self.resume_elp(mode, old & MNPELP != 0);
        Entry { mode, pc: self.mnepc, effects: SWITCH, cause: None }
    }

    /// A return from M or HS into VU has left VS-mode's handler too.
    fn enter_vu(&mut self, mode: Mode, sink: &mut impl ChangeSink) {
        if mode == Mode::VU && self.vsstatus & mstatus::SDT != 0 {
            self.set_status(table::VSSTATUS, Reg::vsstatus, self.vsstatus & !mstatus::SDT, sink);
        }
    }

    /// "ELP is set to the value of xPELP if yLPE is 1; otherwise, it is set to NO_LP_EXPECTED."
    fn resume_elp(&mut self, mode: Mode, expected: bool) {
        self.elp = expected && self.landing_pads(mode);
    }
}

/// mstatus.SDT for a return from M into a mode that is not the supervisor's handler.
fn leaves_sdt(mode: Mode) -> u64 {
    match mode {
        Mode::U | Mode::VS | Mode::VU => mstatus::SDT,
        Mode::M | Mode::HS => 0,
    }
}

/// SPP=0, SIE=SPIE, SPIE=1, SPELP=0, SDT=0 ("An SRET instruction sets the SDT bit to 0", in whatever mode it is executed).
fn popped(status: u64) -> u64 {
    use mstatus::{SDT, SIE, SPELP, SPIE, SPP};
    let new = status & !(SPP | SIE | SPELP | SDT) | SPIE;
    new | if status & SPIE != 0 { SIE } else { 0 }
}
