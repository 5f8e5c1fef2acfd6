//! What an oracle says.

use super::table::{ORACLES, Oracle};
use super::writers::Writer;

/// Something that must not be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Place of the oracle in [`ORACLES`].
    pub oracle: usize,
    /// The software event that it is about.
    pub event: Option<u32>,
    /// Hart index.
    pub hart: usize,
    /// Instructions that the hart had retired.
    pub instret: u64,
    /// pc that the hart goes on at.
    pub pc: u64,
    /// The first field that is wrong: `hstatus.SPV`, `mode`, `STATUS`.
    pub field: String,
    /// What it must be.
    pub expected: String,
    /// What it is.
    pub found: String,
    /// Who last wrote what is wrong, or what it was made of.
    pub writer: Option<Writer>,
    /// The two records that contradict each other, by their numbers in the order in which the oracles heard them: what the expectation
    /// comes from (none if it is older than the run), and what broke it.
    pub records: (Option<u64>, u64),
}

impl Violation {
    /// Its oracle.
    pub fn oracle(&self) -> &'static Oracle {
        &ORACLES[self.oracle]
    }

    /// One or two lines; `symbol` names an address.
    pub fn text(&self, symbol: impl Fn(u64) -> String) -> String {
        let o = self.oracle();
        let (what, event) = (if o.advice { "warning" } else { "violation" }, self.event);
        let event = event.map_or(String::new(), |e| format!(" event {e:#x},"));
        let first = self.records.0.map_or("before the run".to_owned(), |n| format!("#{n}"));
        let mut s = format!(
            "{what} of {} {}:{event} hart {} @{} at {}: {} must be {}, is {} (records {first} and #{})",
            o.id,
            o.name,
            self.hart,
            self.instret,
            symbol(self.pc),
            self.field,
            self.expected,
            self.found,
            self.records.1
        );
        if let Some(w) = &self.writer {
            s += &format!("\n  {} was last written by {}", w.field, w.text(symbol));
        }
        s
    }
}

/// A declared exception: what an oracle may say without consequence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exemption {
    /// Place of the oracle in [`ORACLES`].
    pub oracle: usize,
    /// Only for this event.
    pub event: Option<u32>,
    /// Only for this field, or for all of this register.
    pub field: Option<String>,
    /// Why.
    pub reason: String,
}

impl Exemption {
    /// Whether it covers a violation.
    pub fn covers(&self, v: &Violation) -> bool {
        let field = |f: &String| v.field == *f || v.field.split('.').next() == Some(f);
        self.oracle == v.oracle && self.event.is_none_or(|e| v.event == Some(e)) && self.field.as_ref().is_none_or(field)
    }
}
