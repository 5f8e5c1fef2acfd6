//! What a trap, a return or a CSR write changed: the one record that tracing, oracles and teaching read.

use crate::table::{self, Field};

/// One CSR's value before and after.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// CSR number (12 bits). Only the register that holds the state is reported (`mstatus`, never its view `sstatus`).
    pub csr: u16,
    /// Whole register before.
    pub before: u64,
    /// Whole register after.
    pub after: u64,
}

/// One field's value before and after.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FieldChange {
    /// The field.
    pub field: Field,
    /// Its value before, shifted down to bit 0.
    pub before: u64,
    /// Its value after.
    pub after: u64,
}

impl Change {
    /// The register's name.
    pub fn name(&self) -> &'static str {
        table::name(self.csr).unwrap_or("csr")
    }

    /// The fields that changed, highest first. Empty when nothing changed or the register is one number.
    pub fn fields(&self) -> impl Iterator<Item = FieldChange> {
        let change = *self;
        table::fields(self.csr)
            .iter()
            .map(move |&field| FieldChange { field, before: field.of(change.before), after: field.of(change.after) })
            .filter(|field| field.before != field.after)
    }
}

/// Receives changes as they are made. `()` ignores them at no cost; [`ChangeList`] keeps them.
pub trait ChangeSink {
    /// Called once for each register written, in the order of the writes, also when the value stays the same.
    fn change(&mut self, change: Change);
}

impl ChangeSink for () {
    #[inline(always)]
    fn change(&mut self, _: Change) {}
}

/// A plain list of changes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ChangeList(pub Vec<Change>);

impl ChangeSink for ChangeList {
    fn change(&mut self, change: Change) {
        if change.before != change.after {
            self.0.push(change);
        }
    }
}
