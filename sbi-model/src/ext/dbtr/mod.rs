//! SBI, "Debug Triggers Extension". hw_trig_idx is not made known (have_hw_trig is 0), and a call that fails changes nothing.
//!
//! While breakpoints are delegated, a hart fires no trigger where the supervisor has interrupts off (Debug, "Native Triggers"). So while
//! a trigger is installed for S or VS, breakpoint exceptions come to M-mode, which hands them on: the supervisor's triggers then fire
//! wherever it asked for.

mod install;
mod state;

pub use state::Dbtr;

use emu_csr::triggers::TRIGGERS;
use emu_csr::triggers::fields::kind::{MCONTROL, MCONTROL6, TMEXTTRIGGER};
use emu_csr::triggers::fields::{DMODE, kind_of, mode_bit};
use emu_csr::{Exception, Ext, Mode, table};

use crate::call::{Call, Extension, Function, Outcome, function};
use crate::error::SbiError;
use crate::memory::Access;
use crate::profile::policy::{Breakpoints, DbtrEnable};
use state::{MAPPED, NONE, SAVED};

/// The extension.
pub static EXTENSION: Extension =
    Extension { available: |_, isa| isa.has(Ext::Sdtrig), ..Extension::new(0x4442_5452, "DBTR", FUNCTIONS) };

const FUNCTIONS: &[Function] = &[
    function(0, "sbi_debug_num_triggers", &["trig_tdata1"], num_triggers),
    function(1, "sbi_debug_set_shmem", &["shmem_phys_lo", "shmem_phys_hi", "flags"], |c| set_shmem(c).into()),
    function(2, "sbi_debug_read_triggers", &["trig_idx_base", "trig_count"], |c| read(c).into()),
    function(3, "sbi_debug_install_triggers", &["trig_count"], |c| failing(install::install(c))),
    function(4, "sbi_debug_update_triggers", &["trig_count"], |c| failing(install::update(c))),
    function(5, "sbi_debug_uninstall_triggers", SET, |c| uninstall(c).into()),
    function(6, "sbi_debug_enable_triggers", SET, |c| enable(c, true).into()),
    function(7, "sbi_debug_disable_triggers", SET, |c| enable(c, false).into()),
];

const SET: &[&str] = &["trig_idx_base", "trig_idx_mask"];
/// Bytes of an entry in shared memory: four words.
const ENTRY: u64 = 32;

/// An error and the array index of the configuration it is about.
type Failure = (SbiError, u64);

fn failing(r: Result<(), Failure>) -> Outcome {
    match r {
        Ok(()) => Outcome::Return(Ok(0)),
        Err((e, i)) => Outcome::Refused(e, i),
    }
}

/// All triggers are alike: all of them can be configured like this, or none.
fn num_triggers(c: &mut Call<'_, '_>) -> Outcome {
    let tdata1 = c.args[0];
    let able = tdata1 == 0 || c.check_trigger(&[tdata1, 0, 0]).is_ok();
    Outcome::Return(Ok(if able { TRIGGERS as u64 } else { 0 }))
}

/// SBI, "Set trigger shared memory" (FID 1).
fn set_shmem(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    let [low, high, flags, ..] = c.args;
    if flags != 0 {
        return Err(SbiError::InvalidParam);
    }
    if (low, high) == (NONE, NONE) {
        c.dbtr().memory = NONE;
        return Ok(0);
    }
    if !low.is_multiple_of(8) {
        return Err(SbiError::InvalidParam);
    }
    let at = c.shared(low, high, TRIGGERS as u64 * ENTRY, 1, Access::Write).ok_or(SbiError::InvalidAddress)?;
    c.dbtr().memory = at;
    Ok(0)
}

/// SBI, "Read triggers" (FID 2).
fn read(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    let [base, count, ..] = c.args;
    let at = c.dbtr().memory;
    if at == NONE {
        return Err(SbiError::NoShmem);
    }
    // As the table of errors says: the last trigger cannot be read.
    if base >= TRIGGERS as u64 || base.checked_add(count).is_none_or(|end| end >= TRIGGERS as u64) {
        return Err(SbiError::BadRange);
    }
    for i in 0..count {
        let t = (base + i) as usize;
        let state = c.dbtr().state[t];
        let [tdata1, tdata2, tdata3] = c.caller().csr.triggers.data[t];
        for (k, word) in (0..).zip([state, tdata1, tdata2, tdata3]) {
            c.write_word(at + i * ENTRY + k * 8, word);
        }
    }
    Ok(0)
}

/// SBI, "Uninstall a set of triggers" (FID 5).
fn uninstall(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    for t in c.trigger_set(true)? {
        c.write_trigger(t, [0; 3]);
        c.dbtr().state[t] = 0;
    }
    c.route_breakpoints();
    Ok(0)
}

/// Restores the modes of a trigger from trig_state, or clears them in tdata1.
fn enable(c: &mut Call<'_, '_>, on: bool) -> Result<u64, SbiError> {
    let strict = c.rules.policies.dbtr_enable == DbtrEnable::Refused;
    for t in c.trigger_set(strict)? {
        let state = c.dbtr().state[t];
        if state & MAPPED == 0 {
            continue;
        }
        let [mut tdata1, tdata2, tdata3] = c.caller().csr.triggers.data[t];
        for (saved, mode) in SAVED {
            let bit = mode_bit(kind_of(tdata1), mode);
            tdata1 = if on && state & saved != 0 { tdata1 | bit } else { tdata1 & !bit };
        }
        c.write_trigger(t, [tdata1, tdata2, tdata3]);
    }
    c.route_breakpoints();
    Ok(0)
}

impl Call<'_, '_> {
    /// The calling hart's triggers.
    fn dbtr(&mut self) -> &mut Dbtr {
        &mut self.state.dbtr[self.hart]
    }

    /// The triggers that trig_idx_base and trig_idx_mask name: all exist and, if `mapped`, are installed.
    fn trigger_set(&mut self, mapped: bool) -> Result<Vec<usize>, SbiError> {
        let [base, mask, ..] = self.args;
        let mut set = Vec::new();
        for i in (0..64).filter(|i| mask >> i & 1 != 0) {
            let t = base.checked_add(i).filter(|&t| t < TRIGGERS as u64).ok_or(SbiError::InvalidParam)? as usize;
            if mapped && self.dbtr().state[t] & MAPPED == 0 {
                return Err(SbiError::InvalidParam);
            }
            set.push(t);
        }
        Ok(set)
    }

    /// Delegates breakpoint exceptions unless a trigger is enabled for S or VS.
    fn route_breakpoints(&mut self) {
        let (hart, bus) = (&mut self.platform.harts[self.hart], &*self.platform.bus);
        let supervisor = hart
            .csr
            .triggers
            .data
            .iter()
            .any(|&[tdata1, ..]| [Mode::HS, Mode::VS].iter().any(|&mode| tdata1 & mode_bit(kind_of(tdata1), mode) != 0));
        let supervisor = supervisor && self.rules.policies.breakpoints == Breakpoints::Firmware;
        let breakpoint = 1 << Exception::Breakpoint as u8;
        let medeleg = hart.csr.medeleg & !breakpoint | if supervisor { 0 } else { breakpoint };
        hart.csr.assign(table::MEDELEG, medeleg, &hart.now(bus));
    }

    /// Whether a trigger can be configured like this: invalid values, and optional bits that this hart has not.
    fn check_trigger(&mut self, &[tdata1, _, tdata3]: &[u64; 3]) -> Result<(), SbiError> {
        let kind = kind_of(tdata1);
        // dmode and m must be zero; type 7 is one of the standard's, but no trigger of this hart has external inputs.
        match kind {
            MCONTROL..=MCONTROL6 if tdata1 & (DMODE | mode_bit(kind, Mode::M)) != 0 => return Err(SbiError::InvalidParam),
            MCONTROL..=MCONTROL6 => {}
            TMEXTTRIGGER => return Err(SbiError::NotSupported),
            _ => return Err(SbiError::InvalidParam),
        }
        let csr = &self.caller().csr;
        if csr.takes_trigger(tdata1, tdata3) { Ok(()) } else { Err(SbiError::NotSupported) }
    }

    /// Writes a trigger of the calling hart in the order that Debug, "Trigger Module Registers", asks for.
    fn write_trigger(&mut self, t: usize, [tdata1, tdata2, tdata3]: [u64; 3]) {
        let (hart, bus) = (&mut self.platform.harts[self.hart], &*self.platform.bus);
        let now = hart.now(bus);
        let data = |i| table::TDATA0 + i;
        for (csr, value) in [(table::TSELECT, t as u64), (data(1), 0), (data(2), tdata2), (data(3), tdata3), (data(1), tdata1)] {
            if let Some(effects) = hart.csr.assign(csr, value, &now) {
                hart.apply(effects);
            }
        }
    }
}
