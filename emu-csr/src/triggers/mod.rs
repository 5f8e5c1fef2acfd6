//! Debug triggers for native debugging: the trigger module of the debug specification (Debug 1.0, "Sdtrig") with action 0, the
//! breakpoint exception. There is no Debug Mode, so dmode is 0 and no other action legal.
//!
//! Re-entrancy (Debug, "Native Triggers"): a hart with S-mode prevents triggers from firing where the handler's own state would be lost
//! (MIE=0 in M, SIE=0 in S or VS if breakpoints are delegated there); one without has tcontrol.

mod config;
pub mod fields;
mod fire;

pub use fire::{Instruction, Operand};

use crate::access::{Effects, Scratch};
use crate::change::{Change, ChangeSink};
use crate::csrs::Csrs;
use crate::isa::Ext;
use crate::table::{TDATA0, TSELECT};
use config::{Match, OFF, TINFO, modes};
use fields::{icount, kind, kind_of, matching};

/// Triggers of a hart.
pub const TRIGGERS: usize = 8;

/// The state of the trigger module. mcontext, scontext and tcontrol are registers of their own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Triggers {
    /// tselect.
    pub select: u64,
    /// tdata1, tdata2 and tdata3 of each trigger.
    pub data: [[u64; 3]; TRIGGERS],
    /// The modes in which an engine must look at each instruction, a bit for each by its number; follows from tdata1.
    step_modes: u8,
    /// Whether a trigger looks at traps.
    traps: bool,
    /// The trigger whose tdata1 the present instruction has written.
    written: Scratch<Option<usize>>,
}

impl Default for Triggers {
    fn default() -> Triggers {
        Triggers { select: 0, data: [[OFF, 0, 0]; TRIGGERS], step_modes: 0, traps: false, written: Scratch(None) }
    }
}

impl Csrs {
    /// What the selected trigger's tdata1 to tdata3 read as.
    pub(crate) fn tdata(&self, i: u8) -> u64 {
        if !self.isa.has(Ext::Sdtrig) {
            return 0;
        }
        let data = &self.triggers.data[self.triggers.select as usize % TRIGGERS];
        data.get(usize::from(i).wrapping_sub(1)).copied().unwrap_or(0)
    }

    /// tinfo; on a hart without triggers it says that the selected one does not exist (Debug, "Enumeration").
    pub(crate) fn tinfo(&self) -> u64 {
        if self.isa.has(Ext::Sdtrig) { TINFO } else { 1 }
    }

    /// Writes tselect; the number of no trigger changes nothing.
    pub(crate) fn put_tselect(&mut self, value: u64, sink: &mut impl ChangeSink) -> Effects {
        let before = self.triggers.select;
        if self.isa.has(Ext::Sdtrig) && value < TRIGGERS as u64 {
            self.triggers.select = value;
        }
        sink.change(Change { csr: TSELECT, before, after: self.triggers.select });
        Effects::NONE
    }

    /// Writes the selected trigger's tdata1 to tdata3.
    pub(crate) fn put_tdata(&mut self, i: u8, value: u64, sink: &mut impl ChangeSink) -> Effects {
        if !self.isa.has(Ext::Sdtrig) {
            return Effects::NONE;
        }
        let at = self.triggers.select as usize % TRIGGERS;
        let new = match i {
            1 => self.legal_tdata1(at, value),
            2 => self.legal_tdata2(at, value),
            _ => self.legal_tdata3(value),
        };
        let before = self.tdata(i);
        if let Some(word) = self.triggers.data[at].get_mut(usize::from(i).wrapping_sub(1)) {
            *word = new;
        }
        if i == 1 {
            self.triggers.written.0 = Some(at);
            self.find_triggers();
        }
        sink.change(Change { csr: TDATA0 + u16::from(i), before, after: new });
        // As counters do, triggers decide which engine runs the hart.
        Effects::COUNTERS
    }

    /// tdata2 of a NAPOT match keeps a zero below bit 63 (maskmax6 is 63).
    fn legal_tdata2(&self, at: usize, value: u64) -> u64 {
        let napot = Match::of(self.triggers.data[at][0]).is_some_and(|m| m.compare & 7 == 1);
        if napot && value | 1 << 63 == u64::MAX { value & !(1 << 62) } else { value }
    }

    /// Recomputes what follows from the triggers' configurations.
    pub(crate) fn find_triggers(&mut self) {
        const ACCESSES: u64 = matching::EXECUTE | matching::STORE | matching::LOAD;
        let t = &mut self.triggers;
        (t.step_modes, t.traps) = (0, false);
        for [tdata1, ..] in t.data {
            match kind_of(tdata1) {
                kind::MCONTROL | kind::MCONTROL6 if tdata1 & ACCESSES != 0 => t.step_modes |= modes(tdata1),
                kind::ICOUNT if tdata1 & (icount::COUNT | icount::PENDING) != 0 => {
                    t.step_modes |= modes(tdata1);
                    t.traps |= modes(tdata1) != 0;
                }
                kind::ITRIGGER | kind::ETRIGGER => t.traps |= modes(tdata1) != 0,
                _ => {}
            }
        }
    }
}
