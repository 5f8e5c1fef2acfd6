//! What the oracles are asked to look at.

use emu_core::bus::Bus;
use emu_core::hart::Hart;
use emu_core::observer::{TrapEntry, TrapReturn};

use super::violation::Violation;
use super::world::{Key, Running, Visit};
use super::writers::Writer;
use crate::context::Context;

/// A hart at the moment of a record.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub index: usize,
    pub hart: &'a Hart,
    pub bus: &'a Bus,
}

/// Something that happened. The world is as it was before it.
pub(super) enum Fact<'a> {
    /// A trap into M-mode from a lower one.
    Entered(&'a Visit),
    /// An ecall from HS-mode has returned with an error and a value.
    Called { visit: &'a Visit, error: i64 },
    /// An ecall has ended a handler.
    Completed { visit: &'a Visit, running: &'a Running, now: Option<&'a Context> },
    /// A handler begins; it is already marked as `running` will be.
    Injected { visit: &'a Visit, running: &'a Running },
    /// M-mode has been left, whatever it did; the world is up to date. With the mode that was left to.
    Left { visit: &'a Visit, to: &'a TrapReturn, injected: Option<Key>, completed: Option<&'a Running> },
    /// A trap into HS- or VS-mode.
    Trapped(&'a TrapEntry),
    /// A return from HS- or VS-mode.
    Returned(&'a TrapReturn),
    /// An exception of M-mode itself.
    Fault(&'a TrapEntry),
    /// The run has ended, and how if the firmware could not go on.
    Ended { dead: Option<&'a str> },
}

/// Where findings go.
pub(super) struct Out<'a> {
    pub at: Option<At<'a>>,
    pub hart: usize,
    pub instret: u64,
    pub pc: u64,
    pub record: u64,
    pub oracle: usize,
    pub found: &'a mut Vec<Violation>,
}

impl Out<'_> {
    /// Says that `field` must be `expected` and is not.
    pub fn say(
        &mut self,
        event: Option<u32>,
        field: &str,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> &mut Violation {
        let at = self.found.len();
        self.found.push(Violation {
            oracle: self.oracle,
            event,
            hart: self.hart,
            instret: self.instret,
            pc: self.pc,
            field: field.to_owned(),
            expected: expected.into(),
            found: found.into(),
            writer: None,
            records: (None, self.record),
        });
        &mut self.found[at]
    }
}

impl Violation {
    /// With the record that the expectation comes from.
    pub(super) fn since(&mut self, record: u64) -> &mut Violation {
        self.records.0 = Some(record);
        self
    }

    /// With the writer.
    pub(super) fn by(&mut self, writer: Option<Writer>) -> &mut Violation {
        self.writer = writer;
        self
    }
}

/// A number as people read it.
pub(super) fn hex(v: u64) -> String {
    format!("{v:#x}")
}
