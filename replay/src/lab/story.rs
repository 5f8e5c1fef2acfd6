//! One case told: what happened between the event and the verdict, and who wrote what came back wrong.

use std::collections::BTreeMap;

use emu_core::machine::Machine;
use emu_csr::Mode;

use super::case::{Case, Ending, Moment, Outcome, Run};
use super::payload::{LabError, Payload, Prepared};
use super::steps::Steps;
use super::touches::{Touch, Touches};
use super::window::Boundary;
use crate::context::{Difference, Origin};
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
    /// Records that the oracles had heard before the first of `entries`: record `heard + 1 + i` is entry `i`.
    pub heard: u64,
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
    /// Where `complete` has it from.
    pub origin: Origin,
    /// The ledger entry that last wrote the value, or the field it was made of; none if nothing did since the window began.
    pub writer: Option<usize>,
    /// The victim's step that last changed it, for what no ledger entry tells of: general registers, fcsr, ELP, ssp.
    pub touch: Option<Touch>,
}

impl Blame {
    /// The field that the value was made of, if it was made of another one.
    pub fn made_of(&self) -> Option<&'static str> {
        match self.origin {
            Origin::Field(name) => Some(name),
            _ => None,
        }
    }
}

/// Runs one case with a ledger.
pub fn tell(payload: &Payload, prepared: &mut Prepared, case: Case) -> Result<Story, LabError> {
    let ledger = Ledger::new(ENTRIES);
    let mut base = payload.enter_with(prepared, case.setting, Some(&ledger))?;
    ledger.take();
    let heard = base.monitor.as_ref().map_or(0, Monitor::records);
    let mut touches = Touches::default();
    let mut look = |m: &Machine| touches.look(&m.harts()[base.victim], m.bus());
    look(&base.machine);
    for _ in 0..case.step {
        base.steps.step(&mut base.machine, base.victim);
        look(&base.machine);
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
        touches: Some(touches),
        at: BTreeMap::new(),
        monitor: base.monitor.clone(),
    };
    let outcome = run.go();
    let violations = base.monitor.as_ref().map_or(Vec::new(), Monitor::take);
    let entries = ledger.entries();
    // A moment that did not come is later than all.
    let at = |moment| run.at.get(&moment).copied().unwrap_or(entries.len()).min(entries.len());
    let [sent, delivered, completed, resumed] = [Moment::Sent, Moment::Delivered, Moment::Completed, Moment::Resumed].map(at);
    let end = End {
        at: Position { exact: true, ..Position::of(&run.machine) },
        reason: "the case is over".into(),
        hash: run.machine.state_hash(),
        // A case's log is made for a token.
        parts: crate::log::Parts::default(),
    };
    let decisions = run.steps.take().unwrap_or_default();
    let touches = run.touches.take().unwrap_or_default();
    let blames = blames(&outcome, &touches, victim, &|moment| &entries[..at(moment)]);
    Ok(Story { boundary, outcome, entries, sent, delivered, completed, resumed, blames, decisions, end, violations, heard })
}

/// `entries`: those up to a moment.
fn blames<'a>(outcome: &Outcome, touches: &Touches, victim: usize, entries: &dyn Fn(Moment) -> &'a [Entry]) -> Vec<Blame> {
    let (Ending::Corrupt(list) | Ending::Leftover(list)) = &outcome.ending else { return Vec::new() };
    list.iter()
        .map(|d| {
            let origin = d.origin();
            // What `complete` found there, or what the victim does.
            let (name, moment) = match origin {
                Origin::Field(name) => (name.to_owned(), Moment::Completed),
                _ => (d.name(), Moment::Resumed),
            };
            let written = FieldName::new(&name).and_then(|f| last_writer(entries(moment), victim, &f));
            let writer = written.map(|w| w.0);
            let touch = touches.of(moment, &name).filter(|_| writer.is_none());
            Blame { difference: d.clone(), origin, writer, touch }
        })
        .collect()
}

impl Story {
    /// The entry that a record of the oracles is; none if it is older, or later than the ledger goes.
    pub fn entry_of(&self, record: u64) -> Option<usize> {
        let i = usize::try_from(record.checked_sub(self.heard + 1)?).ok()?;
        (i < self.entries.len()).then_some(i)
    }

    /// The first trap of the handler that went elsewhere than to the kernel's vector, if that is why it never came to its end.
    pub fn stray(&self) -> Option<(usize, &Entry)> {
        let Ending::NeverCompleted { stray: Some(_) } = self.outcome.ending else { return None };
        let found = |e: &Entry| matches!(e, Entry::Trap(t) if t.to == Mode::HS);
        (self.delivered..self.entries.len()).map(|i| (i, &self.entries[i])).find(|(_, e)| found(e))
    }
}
