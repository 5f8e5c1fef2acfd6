//! The trap ledger: everything an observer hears of, in order, and who wrote what last.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use emu_core::observer::{CsrWrite, FwField, FwRecord, Observer, TrapEntry, TrapReturn};
use emu_csr::{ChangeList, table};

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A trap was entered.
    Trap(TrapEntry),
    /// A trap returned.
    Return(TrapReturn),
    /// A CSR instruction wrote.
    Write(CsrWrite),
    /// Native firmware did something.
    Firmware(FwRecord),
}

impl Entry {
    /// Hart index.
    pub fn hart(&self) -> usize {
        match self {
            Entry::Trap(e) => e.hart,
            Entry::Return(e) => e.hart,
            Entry::Write(e) => e.hart,
            Entry::Firmware(e) => e.hart,
        }
    }

    /// Instructions that the hart had retired.
    pub fn instret(&self) -> u64 {
        match self {
            Entry::Trap(e) => e.instret,
            Entry::Return(e) => e.instret,
            Entry::Write(e) => e.instret,
            Entry::Firmware(e) => e.instret,
        }
    }

    /// Changed CSRs; none for firmware, which names its fields itself.
    pub fn changes(&self) -> Option<&ChangeList> {
        match self {
            Entry::Trap(e) => Some(&e.changes),
            Entry::Return(e) => Some(&e.changes),
            Entry::Write(e) => Some(&e.changes),
            Entry::Firmware(_) => None,
        }
    }

    /// The value of a field before and after, if this changed it.
    pub fn change_of(&self, field: &FieldName) -> Option<(u64, u64)> {
        if let Entry::Firmware(r) = self {
            return r.fields.iter().filter(|f| f.before != f.after).find_map(|f| field.told(f));
        }
        let c = self.changes()?.0.iter().find(|c| c.csr == field.state)?;
        field.between(c.before, c.after)
    }
}

/// A field of a CSR, by the names that people use and by the state that holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FieldName {
    /// `hstatus`.
    pub register: &'static str,
    /// `SPV`; empty for the whole register.
    pub field: &'static str,
    /// The register that changes are reported for, which may be another: sie is a view of mie.
    state: u16,
    /// How far that register is shifted down to read as this one.
    down: u32,
    /// The bits of this one that it shows.
    view: u64,
    mask: u64,
}

/// The register that holds the state of another, and how far it is shifted down to read as this one.
fn holder(view: &str) -> Option<(&'static str, u32)> {
    Some(match view {
        "sstatus" => ("mstatus", 0),
        "sie" | "hie" => ("mie", 0),
        "sip" | "hip" => ("mip", 0),
        "vsie" => ("mie", 1),
        "vsip" => ("mip", 1),
        "fflags" => ("fcsr", 0),
        "frm" => ("fcsr", 5),
        "scountinhibit" => ("mcountinhibit", 0),
        "hcontext" => ("mcontext", 0),
        _ => return None,
    })
}

impl FieldName {
    /// Looks a name up: `hstatus.SPV`, `sstatus.SPP`, `stvec`. None if there is no such CSR or field.
    pub fn new(name: &str) -> Option<FieldName> {
        let (register, field) = name.split_once('.').unwrap_or((name, ""));
        let decl = table::find(table::by_name(register)?)?;
        let (field, mask) = match decl.fields.iter().find(|f| f.name == field) {
            Some(f) => (f.name, f.mask()),
            None if field.is_empty() => ("", u64::MAX),
            None => return None,
        };
        // Changes are reported for the register that holds the state.
        let (state, down) = match holder(decl.name) {
            Some((of, down)) => (table::by_name(of)?, down),
            None => (decl.number, 0),
        };
        // A view shows its fields; one that has none shows all.
        let fields = decl.fields.iter().fold(0, |all, f| all | f.mask());
        let view = if state == decl.number || fields == 0 { u64::MAX } else { fields };
        Some(FieldName { register: decl.name, field, state, down, view, mask })
    }

    /// The field's value in the register.
    pub fn of(&self, register: u64) -> u64 {
        table::get(register, self.mask)
    }

    /// `hstatus.SPV`.
    pub fn name(&self) -> String {
        if self.field.is_empty() { self.register.to_owned() } else { format!("{}.{}", self.register, self.field) }
    }

    /// Whether lines from outside change it, in both directions and without an instruction: pending bits.
    pub fn is_pending(&self) -> bool {
        table::name(self.state) == Some("mip")
    }

    /// The field before and after, if it differs between two values of the register that holds the state.
    fn between(&self, before: u64, after: u64) -> Option<(u64, u64)> {
        let of = |state: u64| self.of(state >> self.down & self.view);
        (of(before) != of(after)).then(|| (of(before), of(after)))
    }

    /// The same of what firmware told: a register or a field of one. Of the whole register, only bits that it told are set.
    fn told(&self, f: &FwField) -> Option<(u64, u64)> {
        let n = FieldName::new(f.name).filter(|n| n.state == self.state)?;
        let up = n.down + if n.field.is_empty() { 0 } else { n.mask.trailing_zeros() };
        self.between(f.before << up, f.after << up)
    }
}

/// Entries as they come, shared with the machine that is observed. Keeps the first `limit` of them, or the last, and counts the rest.
#[derive(Clone, Default)]
pub struct Ledger(Rc<RefCell<Inner>>);

#[derive(Default)]
struct Inner {
    entries: VecDeque<Entry>,
    limit: usize,
    dropped: u64,
    /// The oldest entry makes room for a new one.
    rolls: bool,
}

impl Ledger {
    /// An empty one with room for `limit` entries.
    pub fn new(limit: usize) -> Ledger {
        Ledger(Rc::new(RefCell::new(Inner { limit, ..Inner::default() })))
    }

    /// An empty one that keeps the last `limit` entries.
    pub fn rolling(limit: usize) -> Ledger {
        Ledger(Rc::new(RefCell::new(Inner { limit, rolls: true, ..Inner::default() })))
    }

    /// Keeps nothing from here on: for an observer that cannot be taken from its machine.
    pub fn close(&self) {
        *self.0.borrow_mut() = Inner::default();
    }

    fn push(&mut self, e: Entry) {
        let mut inner = self.0.borrow_mut();
        if inner.entries.len() >= inner.limit {
            inner.dropped += 1;
            if !inner.rolls || inner.entries.pop_front().is_none() {
                return;
            }
        }
        inner.entries.push_back(e);
    }

    /// Entries so far.
    pub fn len(&self) -> usize {
        self.0.borrow().entries.len()
    }

    /// Whether nothing has happened.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Entries that came when there was no room.
    pub fn dropped(&self) -> u64 {
        self.0.borrow().dropped
    }

    /// All entries.
    pub fn entries(&self) -> Vec<Entry> {
        self.0.borrow().entries.iter().cloned().collect()
    }

    /// Takes what has come so far, and makes room.
    pub fn take(&self) -> Vec<Entry> {
        std::mem::take(&mut self.0.borrow_mut().entries).into()
    }
}

/// The last of `entries` that changed a field on a hart: its index, and the values before and after.
pub fn last_writer(entries: &[Entry], hart: usize, field: &FieldName) -> Option<(usize, u64, u64)> {
    entries
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, e)| e.hart() == hart)
        .find_map(|(i, e)| e.change_of(field).map(|(before, after)| (i, before, after)))
}

impl Observer for Ledger {
    fn trap(&mut self, e: &TrapEntry) {
        self.push(Entry::Trap(e.clone()));
    }

    fn ret(&mut self, r: &TrapReturn) {
        self.push(Entry::Return(r.clone()));
    }

    fn csr_write(&mut self, w: &CsrWrite) {
        if !w.changes.0.is_empty() {
            self.push(Entry::Write(w.clone()));
        }
    }

    fn firmware(&mut self, r: &FwRecord) {
        self.push(Entry::Firmware(r.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use emu_csr::{Change, Mode};

    fn told(mut ledger: Ledger, n: u64) -> Vec<u64> {
        for instret in 0..n {
            ledger.firmware(&FwRecord { hart: 0, instret, kind: "note", name: "test", fields: Vec::new() });
        }
        ledger.entries().iter().map(Entry::instret).collect()
    }

    #[test]
    fn a_full_ledger_keeps_the_first_entries_and_a_rolling_one_the_last() {
        let (first, last) = (Ledger::new(3), Ledger::rolling(3));
        assert_eq!(told(first.clone(), 5), [0, 1, 2]);
        assert_eq!(told(last.clone(), 5), [2, 3, 4]);
        assert_eq!((first.dropped(), last.dropped()), (2, 2));
    }

    #[test]
    fn changes_are_found_under_every_name_of_their_state_and_under_no_other() {
        let [mie, mstatus, fcsr] = ["mie", "mstatus", "fcsr"].map(|n| table::by_name(n).unwrap());
        let write = |csr, before, after| {
            let mut changes = ChangeList::default();
            changes.0.push(Change { csr, before, after });
            Entry::Write(CsrWrite { hart: 0, instret: 0, pc: 0, mode: Mode::M, changes })
        };
        let told = |name, before, after| {
            let fields = vec![FwField { name, before, after }];
            Entry::Firmware(FwRecord { hart: 0, instret: 0, kind: "note", name: "test", fields })
        };
        for (entry, seen, unseen) in [
            (write(mie, 0, 0x20), &["sie", "mie", "sie.STIE", "mie.STIE"][..], &["hie", "sie.SSIE", "mie.MTIE", "mip"][..]),
            (write(mie, 0, 0x40), &["hie", "vsie", "vsie.STIE", "hie.VSTIE"], &["sie", "sie.STIE", "hie.VSSIE"]),
            (write(mstatus, 0, 0x1800), &["mstatus", "mstatus.MPP"], &["sstatus", "sstatus.SPP", "vsstatus"]),
            (write(mstatus, 0, 0x100), &["mstatus", "sstatus", "sstatus.SPP"], &["mstatus.MPP"]),
            (write(fcsr, 0, 0x20), &["fcsr", "frm"], &["fflags"]),
            (write(fcsr, 0, 1), &["fcsr", "fflags"], &["frm"]),
            (told("mstatus", 0x1800, 0x1900), &["mstatus", "mstatus.SPP", "sstatus.SPP", "sstatus"], &["mstatus.MPP"]),
            (told("hstatus.SPV", 0, 1), &["hstatus", "hstatus.SPV"], &["hstatus.SPVP", "sstatus"]),
            (told("scause", 0, 5), &["scause", "scause.CODE"], &["scause.INTERRUPT", "vscause"]),
        ] {
            for (names, found) in [(seen, true), (unseen, false)] {
                for name in names {
                    let field = FieldName::new(name).unwrap_or_else(|| panic!("{name}"));
                    assert_eq!(entry.change_of(&field).is_some(), found, "{name} of {entry:?}");
                }
            }
        }
        let frm = FieldName::new("frm").unwrap();
        assert_eq!(write(fcsr, 0x21, 0x63).change_of(&frm), Some((1, 3)));
        assert_eq!(told("mstatus", 0, 0x100).change_of(&FieldName::new("sstatus.SPP").unwrap()), Some((0, 1)));
        // A whole register reads as it is, also where it is a view.
        assert_eq!(FieldName::new("hie").unwrap().of(0x40), 0x40);
    }

    #[test]
    fn a_closed_ledger_keeps_nothing() {
        let ledger = Ledger::rolling(3);
        told(ledger.clone(), 2);
        ledger.close();
        assert_eq!(told(ledger, 2), Vec::<u64>::new());
    }
}
