//! What a trap, a return or a CSR write changed: the one record that tracing, oracles and teaching read.

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
