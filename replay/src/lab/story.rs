//! One case told: what happened between the event and the verdict, and who wrote what came back wrong.

use emu_csr::Mode;

use super::case::{Case, Ending, Outcome, Run};
use super::payload::{LabError, Payload, Prepared};
use super::steps::Steps;
use super::window::Boundary;
use crate::context::Difference;
use crate::ledger::{Entry, FieldName, Ledger, last_writer};
use crate::log::{End, Position};
use crate::oracle::{Monitor, Violation};

/// Most ledger entries of a case.
const ENTRIES: usize = 100_000;

/// A case with everything that happened in it.
pub struct Story {
    /// Where the event came.
    pub boundary: Boundary,
    /// The verdict.
    pub outcome: Outcome,
    /// The ledger from the beginning of the window on.
    pub entries: Vec<Entry>,
    /// Entries before the event was sent, before the handler's first instruction, and before its `complete`.
    pub sent: usize,
    /// See [`Story::sent`]; the number of entries if it never came.
    pub delivered: usize,
    /// See [`Story::sent`]; the number of entries if it never came.
    pub completed: usize,
    /// Entries up to the interrupted context's next instruction, or to the end of the case.
    pub resumed: usize,
    /// What the oracles say.
    pub violations: Vec<Violation>,
    /// Why each difference is there.
    pub blames: Vec<Blame>,
    /// All that was done to the machine since its start.
    pub decisions: Steps,
    /// Where the case ended.
    pub end: End,
}

/// Where a wrong value came from.
pub struct Blame {
    /// What is wrong.
    pub difference: Difference,
    /// The value it was made of, when `complete` makes it of another one (SBI 3.0, "Function: Complete the execution of a software event
    /// handler").
    pub made_of: Option<&'static str>,
    /// The ledger entry that last wrote the value, or the one it was made of; none if nothing did since the window began.
    pub writer: Option<usize>,
}

/// Runs one case with a ledger.
pub fn tell(payload: &Payload, prepared: &mut Prepared, case: Case) -> Result<Story, LabError> {
    let ledger = Ledger::new(ENTRIES);
    let mut base = payload.enter_with(prepared, case.setting, Some(&ledger))?;
    ledger.take();
    for _ in 0..case.step {
        base.steps.step(&mut base.machine, base.victim);
    }
    let boundary = Boundary::of(payload, &base.machine.harts()[base.victim], case.step);
    let (victim, injector) = (base.victim, base.injector);
    let mut run = Run {
        payload,
        setting: case.setting,
        machine: base.machine,
        victim,
        injector,
        steps: Some(base.steps),
        marks: Some(ledger.clone()),
        at: [usize::MAX; 4],
        monitor: base.monitor.clone(),
    };
    let outcome = run.go();
    let violations = base.monitor.as_ref().map_or(Vec::new(), Monitor::take);
    let entries = ledger.entries();
    let [sent, delivered, completed, resumed] = run.at.map(|n| n.min(entries.len()));
    let end = End {
        at: Position { exact: true, ..Position::of(&run.machine) },
        reason: "the case is over".into(),
        hash: run.machine.state_hash(),
        // A case's log is made for a token.
        parts: crate::log::Parts::default(),
    };
    let decisions = run.steps.take().unwrap_or_default();
    let blames = blames(&outcome, &entries, victim, completed, resumed);
    Ok(Story { boundary, outcome, entries, sent, delivered, completed, resumed, blames, decisions, end, violations })
}

fn blames(outcome: &Outcome, entries: &[Entry], victim: usize, completed: usize, resumed: usize) -> Vec<Blame> {
    let (Ending::Corrupt(list) | Ending::Leftover(list)) = &outcome.ending else { return Vec::new() };
    list.iter()
        .map(|d| {
            let made_of = source(d);
            let writer = match made_of {
                // What `complete` found there.
                Some(name) => FieldName::new(name).and_then(|f| last_writer(&entries[..completed], victim, &f)),
                None => FieldName::new(&d.name()).and_then(|f| last_writer(&entries[..resumed], victim, &f)),
            };
            Blame { difference: d.clone(), made_of, writer: writer.map(|w| w.0) }
        })
        .collect()
}

/// What `complete` makes a value of, where that is another one.
fn source(d: &Difference) -> Option<&'static str> {
    match d.name().as_str() {
        "mode" if (d.before ^ d.after) & 4 != 0 => Some("hstatus.SPV"),
        "mode" => Some("sstatus.SPP"),
        "sstatus.SIE" => Some("sstatus.SPIE"),
        "pc" => Some("sepc"),
        _ => None,
    }
}

impl Story {
    /// The first trap of the handler that went elsewhere than to the kernel's vector, if that is why it never came to its end.
    pub fn stray(&self) -> Option<(usize, &Entry)> {
        let Ending::NeverCompleted { stray: Some(_) } = self.outcome.ending else { return None };
        let found = |e: &Entry| matches!(e, Entry::Trap(t) if t.to == Mode::HS);
        (self.delivered..self.entries.len()).map(|i| (i, &self.entries[i])).find(|(_, e)| found(e))
    }
}
