//! Who last wrote each field of a hart's CSRs.

use std::collections::BTreeMap;

use emu_core::observer::FwRecord;
use emu_csr::{ChangeList, Mode, table};

/// By what something was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum How {
    /// A trap into this mode.
    Trap(Mode),
    /// A trap return from this mode.
    Return(Mode),
    /// A CSR instruction in this mode.
    Csr(Mode),
    /// Native firmware, doing this.
    Firmware(&'static str),
}

/// The last writer of a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Writer {
    /// The field: `hstatus.SPV`.
    pub field: String,
    /// By what.
    pub how: How,
    /// pc of the instruction, or where the trap was taken.
    pub pc: u64,
    /// Instructions that the hart had retired.
    pub instret: u64,
    /// The record's number.
    pub record: u64,
}

impl Writer {
    /// In words; `symbol` names an address.
    pub fn text(&self, symbol: impl Fn(u64) -> String) -> String {
        let (at, record) = (format!("at {} @{}", symbol(self.pc), self.instret), self.record);
        match &self.how {
            How::Trap(m) => format!("the trap into {}-mode {at} (record #{record})", m.name()),
            How::Return(m) => format!("the return from {}-mode {at} (record #{record})", m.name()),
            How::Csr(m) => format!("an instruction of {}-mode {at} (record #{record})", m.name()),
            How::Firmware(name) => format!("the firmware's {name}, answering the trap {at} (record #{record})"),
        }
    }
}

/// What is known of one write.
#[derive(Clone, Debug)]
struct Write {
    how: How,
    pc: u64,
    instret: u64,
    record: u64,
}

/// Last writers by register and lowest bit of the field.
#[derive(Clone, Debug, Default)]
pub(super) struct Writers(BTreeMap<(u16, u8), Write>);

/// Where and when something wrote.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub pc: u64,
    pub instret: u64,
    pub record: u64,
}

impl Writers {
    pub fn changed(&mut self, changes: &ChangeList, how: &How, at: Moment) {
        for c in &changes.0 {
            self.put(c.csr, c.before ^ c.after, how, at);
        }
    }

    /// What a record of native firmware says.
    pub fn firmware(&mut self, r: &FwRecord, at: Moment) {
        let how = How::Firmware(r.name);
        for f in r.fields.iter().filter(|f| f.before != f.after) {
            let (register, field) = f.name.split_once('.').unwrap_or((f.name, ""));
            let register = if register == "sstatus" { "mstatus" } else { register };
            let Some(csr) = table::by_name(register) else { continue };
            match table::fields(csr).iter().find(|d| d.name == field) {
                Some(d) => self.put(csr, d.mask(), &how, at),
                None => self.put(csr, f.before ^ f.after, &how, at),
            }
        }
    }

    fn put(&mut self, csr: u16, bits: u64, how: &How, at: Moment) {
        let write = || Write { how: how.clone(), pc: at.pc, instret: at.instret, record: at.record };
        let fields = table::fields(csr);
        let mut some = false;
        for f in fields.iter().filter(|f| f.mask() & bits != 0) {
            some = true;
            self.0.insert((csr, f.mask().trailing_zeros() as u8), write());
        }
        if !some && bits != 0 {
            self.0.insert((csr, 64), write());
        }
    }

    /// The last writer of `hstatus.SPV`, `stvec`, or what a wrong mode or pc was made of.
    pub fn of(&self, field: &str) -> Option<Writer> {
        let (register, part) = field.split_once('.').unwrap_or((field, ""));
        // Changes are told for the register that has the state.
        let csr = table::by_name(if register == "sstatus" { "mstatus" } else { register })?;
        let bit = table::fields(csr).iter().find(|f| f.name == part).map_or(64, |f| f.mask().trailing_zeros() as u8);
        let w = match self.0.get(&(csr, bit)) {
            None if part.is_empty() => self.0.range((csr, 0)..=(csr, 64)).map(|(_, w)| w).max_by_key(|w| w.record),
            w => w,
        }?;
        Some(Writer { field: field.to_owned(), how: w.how.clone(), pc: w.pc, instret: w.instret, record: w.record })
    }
}
