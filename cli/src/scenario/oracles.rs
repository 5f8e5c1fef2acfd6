//! The oracles of a scenario: they listen from power-on, and steps ask what they have found since the scenario began.

use emu_core::machine::{Machine, RunEnd};
use emu_core::observer::Observer;
use replay::oracle::{Chosen, Exemption, Monitor, OnViolation, Violation};
use replay::symbols::Symbols;
use serde_json::{Value, json};

use super::Scenario;
use super::step::{Step, Violated};

/// Violations of one oracle that a scenario keeps; those behind are not told apart any more.
const KEPT: usize = 1000;

/// The oracles that listen to a machine, and what they have found.
pub struct Oracles {
    monitor: Monitor,
    found: Vec<Violation>,
}

/// Whether a scenario's steps ask for oracles.
pub fn wanted(s: &Scenario) -> bool {
    s.steps.iter().any(|p| match &p.step {
        Step::Oracles(_) | Step::Violated(_) => true,
        Step::Until(u) => u.violation.is_some(),
        _ => false,
    })
}

impl Oracles {
    /// For a machine at its start.
    pub fn new(machine: &Machine, exempt: Vec<Exemption>) -> Oracles {
        let monitor = Monitor::new(machine, Chosen::all(), OnViolation::Record, exempt);
        monitor.keep(KEPT);
        Oracles { monitor, found: Vec::new() }
    }

    /// For a fork of the machine that another scenario goes on with: what they know, without what they have found.
    pub fn next(&self) -> Oracles {
        Oracles { monitor: self.monitor.fork(), found: Vec::new() }
    }

    /// For a fork of the machine that the same scenario may go back to.
    pub fn copy(&self) -> Oracles {
        Oracles { found: self.found.clone(), ..self.next() }
    }

    /// What the machine tells.
    pub fn observer(&self) -> Box<dyn Observer> {
        self.monitor.observer()
    }

    /// Takes in what was found by a run that has stopped.
    pub fn look(&mut self, machine: &Machine) {
        self.monitor.look(machine);
        self.found.extend(self.monitor.take());
    }

    /// How much has been found.
    pub fn count(&self) -> usize {
        self.found.len()
    }

    /// Everything found so far, and what there is to say about the end of a machine that has ended.
    pub fn so_far(&self, machine: &Machine, end: Option<&RunEnd>) -> Vec<Violation> {
        let mut all = self.found.clone();
        if let Some(end) = end {
            // The machine may still go on: one that sleeps takes input.
            let last = self.monitor.fork();
            last.end(machine, Some(end));
            all.extend(last.take());
        }
        all
    }

    /// What was found after the first `n`.
    pub fn since(&self, n: usize) -> &[Violation] {
        self.found.get(n..).unwrap_or_default()
    }
}

/// Whether a violation is of one of these oracles; the names have been checked when the file was read.
pub fn is_of(v: &Violation, names: &str) -> bool {
    Chosen::parse(names).is_ok_and(|c| c.has(v.oracle))
}

/// That none of these oracles was violated. Warnings do no harm here, as with `trapeze run --check`.
pub fn silent(all: &[Violation], names: &str, symbols: &Symbols) -> Result<(), String> {
    let mut wrong = all.iter().filter(|v| is_of(v, names) && !v.oracle().advice);
    let Some(first) = wrong.next() else { return Ok(()) };
    let more = wrong.count();
    let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
    Err(format!("{}{more}", first.text(|a| symbols.text(a))))
}

/// That one was.
pub fn violated(all: &[Violation], w: &Violated, symbols: &Symbols) -> Result<(), String> {
    let field = |v: &Violation, f: &String| v.field == *f || v.field.split('.').next() == Some(f);
    let event = w.event.as_deref().and_then(crate::firmware::event);
    let is = |v: &&Violation| {
        is_of(v, &w.oracle)
            && w.field.as_ref().is_none_or(|f| field(v, f))
            && event.is_none_or(|e| v.event.map(u64::from) == Some(e))
            && w.hart.is_none_or(|h| h == v.hart)
            && w.instret.is_none_or(|n| n.0 == v.instret)
    };
    let found = all.iter().filter(is).count() as u64;
    if w.count.map_or(found > 0, |n| n == found) {
        return Ok(());
    }
    let mut what = match w.count {
        Some(n) => format!("expected {n} such violations of {}, found {found}", w.oracle),
        None => format!("no such violation of {}", w.oracle),
    };
    match all.iter().find(|v| found == 0 && !is(v)) {
        Some(v) => what += &format!("; the first one is another: {}", v.text(|a| symbols.text(a))),
        None if found == 0 => what += "; the oracles said nothing",
        None => {}
    }
    Err(what)
}

/// A violation for a report.
pub fn json(v: &Violation) -> Value {
    json!({
        "oracle": v.oracle().id, "name": v.oracle().name, "warning": v.oracle().advice, "event": v.event, "hart": v.hart,
        "instret": v.instret, "pc": v.pc, "field": v.field, "expected": v.expected, "found": v.found,
    })
}
