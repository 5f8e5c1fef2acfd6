//! A walk told: the same walker on a view of memory that it cannot change, with every entry it reads and the check that fails.

use std::collections::BTreeMap;

use emu_csr::{Mode, Trap};

use super::Stage;
use super::refusal::Refusal;
use super::tables::Tables;
use super::walk::{Translation, Walker};
use super::{Kind, PteAccess, Recorder};
use crate::bus::Bus;
use crate::hart::Hart;
use crate::mem::Ram;

/// An access that went past the TLB.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// Virtual address of its first byte.
    pub va: u64,
    /// Bytes, in one page.
    pub len: u64,
    /// What it does.
    pub kind: Kind,
    /// Effective mode.
    pub mode: Mode,
}

/// The check that failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused {
    /// The stage it belongs to; none for checks of the physical address.
    pub stage: Option<Stage>,
    /// The address being translated or accessed: virtual, guest physical for the G-stage, physical without a stage.
    pub input: u64,
    /// The check.
    pub why: Refusal,
}

/// A walk with all that it looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Walk {
    /// The access it was made for.
    pub attempt: Attempt,
    /// Page-table entries read and written, in order. The G-stage's entries for a VS-stage table come before the VS-stage's entry there.
    pub accesses: Vec<PteAccess>,
    /// The check that failed, if one did.
    pub refused: Option<Refused>,
    /// Where the access goes, or the trap it raises. A trap of an explicit access has its transformed instruction nowhere yet.
    pub result: Result<Translation, Trap>,
}

#[derive(Default)]
struct Notes {
    accesses: Vec<PteAccess>,
    refused: Option<Refused>,
}

impl Recorder for Notes {
    fn pte(&mut self, access: PteAccess) {
        self.accesses.push(access);
    }

    fn refused(&mut self, stage: Stage, input: u64, why: Refusal) {
        self.refused = Some(Refused { stage: Some(stage), input, why });
    }
}

/// Memory as the walk would leave it; RAM itself stays.
struct Shown<'a> {
    ram: &'a Ram,
    written: BTreeMap<u64, u64>,
}

impl Tables for Shown<'_> {
    fn read(&self, pa: u64) -> Option<u64> {
        self.written.get(&pa).copied().or_else(|| self.ram.read(pa, 8))
    }

    fn write(&mut self, pa: u64, value: u64) {
        self.written.insert(pa, value);
    }
}

impl Hart {
    /// What an access would do now: its walk, and PMP and PMA of the physical address. Changes nothing in the guest.
    pub fn explain_walk(&mut self, bus: &Bus, attempt: Attempt) -> Walk {
        let Attempt { va, len, kind, mode } = attempt;
        self.tlb.pmp.load(&self.csr);
        let mut notes = Notes::default();
        let tables = Shown { ram: &bus.ram, written: BTreeMap::new() };
        let mut result = Walker { csr: &self.csr, pmp: &self.tlb.pmp, tables, record: &mut notes, peek: false, poisoned: None }
            .walk(va, kind, mode);
        if let Ok(t) = result {
            // As `place`: an aligned access is one operation, the bytes of another are checked one by one.
            let step = if len.is_power_of_two() && va & (len - 1) == 0 { len } else { 1 };
            let pmp = |i: &u64| !self.tlb.pmp.allows(t.pa + i, step, kind.rwx(), mode == Mode::M);
            if let Some(i) = (0..len).step_by(step as usize).find(pmp) {
                notes.refused = Some(Refused { stage: None, input: t.pa + i, why: Refusal::Pmp });
                result = Err(kind.access_fault(va + i, mode));
            }
        }
        Walk { attempt, accesses: notes.accesses, refused: notes.refused, result }
    }

    /// The walk of the access that raised `trap`, if it is one of translation or protection. To be called before the trap is entered.
    pub(crate) fn explain_fault(&mut self, bus: &Bus, trap: &Trap) -> Option<Box<Walk>> {
        let attempt = self.attempt.take().filter(|a| trap.tval.wrapping_sub(a.va) < a.len.max(1))?;
        if !is_fault(trap) {
            return None;
        }
        let mut walk = self.explain_walk(bus, attempt);
        if let Ok(t) = walk.result {
            // Translation and PMP permit it, so its destination has refused it; in RAM it was PMP after all, on the rest of a cache block.
            let why = if bus.ram.contains(t.pa, attempt.len) { Refusal::Pmp } else { Refusal::NothingThere };
            walk.refused = Some(Refused { stage: None, input: t.pa, why });
        }
        Some(Box::new(walk))
    }
}

/// Whether an exception comes of translation, protection or attributes of memory.
fn is_fault(trap: &Trap) -> bool {
    use emu_csr::Exception::*;
    matches!(
        trap.cause,
        InstAccessFault
            | LoadAccessFault
            | StoreAccessFault
            | InstPageFault
            | LoadPageFault
            | StorePageFault
            | InstGuestPageFault
            | LoadGuestPageFault
            | StoreGuestPageFault
    )
}
