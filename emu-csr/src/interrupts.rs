//! Pending interrupts: sources combined into mip, timers compared, the one to take chosen.

use crate::access::Effects;
use crate::csrs::Csrs;
use crate::isa::Ext;
use crate::mode::Mode;
use crate::table::field::{menvcfg, mstatus};
use crate::trap::Interrupt;
use crate::warl::{self, bit};

/// Decreasing priority (Privileged ISA, "mip and mie"; Hypervisor, "hvip, hip, and hie").
pub const PRIORITY: [Interrupt; 11] = [
    Interrupt::MExt,
    Interrupt::MSoft,
    Interrupt::MTimer,
    Interrupt::SExt,
    Interrupt::SSoft,
    Interrupt::STimer,
    Interrupt::SGuestExt,
    Interrupt::VSExt,
    Interrupt::VSSoft,
    Interrupt::VSTimer,
    Interrupt::CounterOverflow,
];

/// The first of a set of interrupts.
fn first(set: u64) -> Option<Interrupt> {
    PRIORITY.into_iter().find(|&interrupt| set >> interrupt as u8 & 1 != 0)
}

impl Csrs {
    /// mip from its sources.
    fn compose_pending(&self) -> u64 {
        let stce = self.isa.has(Ext::Sstc) && self.menvcfg & menvcfg::STCE != 0;
        let mut pending = self.lines & bit::M;
        if self.isa.has(Ext::S) {
            let stip = if stce { self.lines } else { self.mip } & bit::STI;
            pending |= self.mip & (bit::SSI | bit::SEI | bit::LCOFI) | self.lines & bit::SEI | stip;
        }
        if self.isa.has(Ext::H) {
            pending |= self.hvip & bit::VS;
            // henvcfg.STCE is read-only zero while menvcfg.STCE is.
            if stce && self.henvcfg & menvcfg::STCE != 0 {
                pending |= self.lines & bit::VSTI;
            }
            let vgein = self.hstatus >> 12 & 63;
            if self.hgeip & !1 & (1 << vgein) != 0 {
                pending |= bit::VSEI;
            }
            if self.hgeip & self.hgeie != 0 {
                pending |= bit::SGEI;
            }
        }
        pending
    }

    /// Brings `pending` up to date; whether it changed.
    pub(crate) fn refresh_pending(&mut self) -> bool {
        let before = self.pending;
        self.pending = self.compose_pending();
        before != self.pending
    }

    /// Whether the RNMI signal is up.
    #[inline(always)]
    fn rnmi(&self) -> bool {
        self.lines & Interrupt::Rnmi.mask() != 0
    }

    /// `Effects::INTERRUPTS` if mip changed.
    fn refreshed(&mut self) -> Effects {
        if self.refresh_pending() { Effects::INTERRUPTS } else { Effects::NONE }
    }

    /// Sets an interrupt signal from outside. MSoft, MTimer, MExt and SExt are levels that software cannot clear (SExt is
    /// OR-ed with mip's own SEIP). SSoft and CounterOverflow are the mip bits themselves: setting them is an event, and
    /// software clears them. STimer is mip's bit too, and has no effect while stimecmp drives it. VS-level signals are
    /// not lines: see [`Csrs::set_guest_lines`] and hvip. Rnmi is a level, ignored without Smrnmi.
    pub fn set_line(&mut self, interrupt: Interrupt, on: bool) -> Effects {
        let mask = 1 << interrupt as u8;
        let value = if on { mask } else { 0 };
        match interrupt {
            Interrupt::Rnmi if self.isa.has(Ext::Smrnmi) => {
                self.lines = warl::merge(self.lines, value, mask);
                return Effects::INTERRUPTS;
            }
            Interrupt::Rnmi => return Effects::NONE,
            Interrupt::MSoft | Interrupt::MTimer | Interrupt::MExt | Interrupt::SExt => {
                self.lines = warl::merge(self.lines, value, mask);
            }
            Interrupt::SSoft | Interrupt::CounterOverflow | Interrupt::STimer => self.mip = warl::merge(self.mip, value, mask),
            Interrupt::VSSoft | Interrupt::VSTimer | Interrupt::VSExt | Interrupt::SGuestExt => return Effects::NONE,
        }
        self.refreshed()
    }

    /// Sets hgeip, the guest external interrupt signals (Hypervisor, "hgeip and hgeie"); bits beyond GEILEN are ignored.
    pub fn set_guest_lines(&mut self, hgeip: u64) -> Effects {
        self.hgeip = hgeip & warl::guest_lines(self.geilen);
        self.refreshed()
    }

    /// Compares `time` (mtime, ticks) with stimecmp and, plus htimedelta, with vstimecmp (Sstc).
    #[inline]
    pub fn update_timers(&mut self, time: u64) -> Effects {
        self.lines = self.compared(time);
        self.refreshed()
    }

    /// The signals with the comparisons' results at `time`.
    #[inline]
    fn compared(&self, time: u64) -> u64 {
        let mut lines = self.lines & !(bit::STI | bit::VSTI);
        if time >= self.stimecmp {
            lines |= bit::STI;
        }
        if time.wrapping_add(self.htimedelta) >= self.vstimecmp {
            lines |= bit::VSTI;
        }
        lines
    }

    /// [`Csrs::update_timers`] and the level of MTIP in one, for when time has gone on and nothing else has changed: mostly nothing
    /// does then, and mip is not composed again.
    #[inline]
    pub fn tick(&mut self, time: u64, mtip: bool) -> Effects {
        let lines = self.compared(time) & !bit::MTI | if mtip { bit::MTI } else { 0 };
        if lines == self.lines {
            debug_assert_eq!(self.pending, self.compose_pending(), "mip was not composed again");
            return Effects::NONE;
        }
        self.lines = lines;
        self.refreshed()
    }

    /// Writes stimecmp at mtime `time`, as native firmware does for its supervisor: [`Csrs::poke`] without the search for the register.
    #[inline]
    pub fn set_stimecmp(&mut self, value: u64, time: u64) {
        if self.stimecmp != value {
            self.stimecmp = value;
            self.update_timers(time);
        }
    }

    /// The next mtime after `time` at which [`Csrs::update_timers`] will change an enabled comparison, `None` if never
    /// (before mtime wraps).
    pub fn next_timer(&self, time: u64) -> Option<u64> {
        if !self.isa.has(Ext::Sstc) || self.menvcfg & menvcfg::STCE == 0 {
            return None;
        }
        let s = (self.stimecmp > time).then_some(self.stimecmp);
        let guest = time.wrapping_add(self.htimedelta);
        let v = if self.henvcfg & menvcfg::STCE == 0 {
            None
        } else if self.vstimecmp > guest {
            time.checked_add(self.vstimecmp - guest)
        } else if self.vstimecmp == 0 {
            None
        } else {
            // The guest's time wraps to below vstimecmp, and the interrupt goes away.
            time.checked_add(guest.wrapping_neg())
        };
        match (s, v) {
            (Some(s), Some(v)) => Some(s.min(v)),
            (s, v) => s.or(v),
        }
    }

    /// Whether any interrupt is pending and enabled in mie, or an RNMI is: without one, nothing can be taken in any mode.
    #[inline(always)]
    pub fn interrupt_possible(&self) -> bool {
        self.pending & self.mie | self.lines & Interrupt::Rnmi.mask() != 0
    }

    /// Whether WFI resumes: a locally enabled interrupt is pending, whatever the global enables and delegation say
    /// (Privileged ISA, "Wait for Interrupt").
    #[inline(always)]
    pub fn wfi_wakes(&self) -> bool {
        self.interrupt_possible()
    }

    /// Interrupts that are pending and enabled in mip and mie, by bit, whatever the mode and its global enables say.
    pub fn ready(&self) -> u64 {
        self.pending & self.mie
    }

    /// The interrupt that would be taken in `mode` now, and the mode that takes it (M, HS or VS): M's before HS's before
    /// VS's, then by priority (Privileged ISA, "mip and mie"; Hypervisor, "hideleg" and "hip"). An RNMI comes before all of them, and
    /// while mnstatus.NMIE is clear there is none (Smrnmi).
    #[inline]
    pub fn pending_interrupt(&self, mode: Mode) -> Option<(Interrupt, Mode)> {
        if !self.interrupt_possible() || !self.nmi_enabled() {
            return None;
        }
        if self.rnmi() {
            return Some((Interrupt::Rnmi, Mode::M));
        }
        let ready = self.pending & self.mie;
        let m_on = mode != Mode::M || self.mstatus & mstatus::MIE != 0;
        let m = ready & !self.mideleg;
        if m != 0 && m_on {
            return first(m).map(|interrupt| (interrupt, Mode::M));
        }
        let hs_on = match mode {
            Mode::M => false,
            Mode::HS => self.mstatus & mstatus::SIE != 0,
            Mode::U | Mode::VS | Mode::VU => true,
        };
        let hs = ready & self.mideleg & !self.hideleg;
        if hs != 0 && hs_on {
            return first(hs).map(|interrupt| (interrupt, Mode::HS));
        }
        let vs_on = mode == Mode::VU || mode == Mode::VS && self.vsstatus & mstatus::SIE != 0;
        let vs = ready & self.mideleg & self.hideleg;
        if vs != 0 && vs_on {
            return first(vs).map(|interrupt| (interrupt, Mode::VS));
        }
        None
    }
}
