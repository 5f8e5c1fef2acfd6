//! The last entries of the trap ledger, for `monitor traps` and `monitor why`.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use emu_core::observer::{CsrWrite, FwRecord, Observer, TrapEntry, TrapReturn};
use replay::ledger::Entry;

/// Entries that are kept: some seconds of a busy Linux.
const KEPT: usize = 20_000;

/// The entries, shared with the machine that is observed, and whether they are wanted no more.
#[derive(Clone, Default)]
pub struct Recent(Rc<RefCell<VecDeque<Entry>>>, Rc<Cell<bool>>);

impl Recent {
    /// The entries, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        self.0.borrow().iter().cloned().collect()
    }

    /// Keeps nothing from here on.
    pub fn mute(&self) {
        self.1.set(true);
        self.0.borrow_mut().clear();
    }

    fn push(&self, e: Entry) {
        if self.1.get() {
            return;
        }
        let mut list = self.0.borrow_mut();
        if list.len() == KEPT {
            list.pop_front();
        }
        list.push_back(e);
    }
}

impl Observer for Recent {
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
