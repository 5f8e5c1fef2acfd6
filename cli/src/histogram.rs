//! `run --sbi-histogram`: how often the guest called each function of the firmware, and which other exceptions M-mode answered.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use emu_core::bus::Bus;
use emu_core::hart::Hart;
use emu_core::observer::{Observer, TrapEntry};
use emu_csr::{Cause, Exception, Mode};
use serde::Serialize;

use crate::diff_firmware::compare::{function, name};
use crate::diff_firmware::events::Key;

/// One line.
#[derive(Serialize, Debug, PartialEq, Eq)]
pub struct Line {
    /// Extension, or `trap` for an exception that is no call.
    pub extension: String,
    /// Function, or exception.
    pub function: String,
    /// How often.
    pub count: u64,
}

/// Counts, over reboots too.
#[derive(Clone, Default)]
pub struct Histogram(Rc<RefCell<BTreeMap<Key, u64>>>);

impl Histogram {
    /// The counts, in the order of extension and function ids.
    pub fn lines(&self) -> Vec<Line> {
        let line = |(&key, &count): (&Key, &u64)| {
            let extension = match key {
                Key::Call(eid, fid) => function(eid, fid).map_or("unknown", |(e, _)| e.name),
                Key::Trap(_) | Key::Start => "trap",
            };
            Line { extension: extension.to_owned(), function: name(key), count }
        };
        self.0.borrow().iter().map(line).collect()
    }

    /// As a table.
    pub fn text(&self) -> String {
        let row = |s: String, l: &Line| s + &format!("{:<8} {:<36} {:>10}\n", l.extension, l.function, l.count);
        self.lines().iter().fold(format!("{:<8} {:<36} {:>10}\n", "firmware", "function", "calls"), row)
    }
}

impl Observer for Histogram {
    fn trapped(&mut self, h: &Hart, _: &Bus, e: &TrapEntry) {
        let Cause::Exception(cause) = e.cause else { return };
        if e.to != Mode::M || e.from == Mode::M {
            return;
        }
        *self.0.borrow_mut().entry(Key::of(h, cause)).or_default() += 1;
    }
}

impl Key {
    /// What a hart that has just taken this exception asks of M-mode.
    pub fn of(h: &Hart, cause: Exception) -> Key {
        if cause != Exception::EcallS {
            return Key::Trap(cause as u64);
        }
        let (fid, eid) = (h.x[16], h.x[17]);
        Key::Call(eid, if eid <= sbi_model::ext::LAST_LEGACY { 0 } else { fid })
    }
}
