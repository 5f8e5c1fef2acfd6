//! Breakpoints and watchpoints along a timeline, in both directions: what a debugger needs of a run.

use emu_core::engine::breaks::{Hit, Watchpoint};
use emu_core::machine::{Machine, RunEnd, Stop};

use crate::error::ReplayError;
use crate::ledger::{Entry, FieldName, Ledger, last_writer};
use crate::oracle::Violation;
use crate::timeline::{Finder, Found, Halt, Position, Timeline};

/// Finds the next moment at which a hart is at a breakpoint, is about to access a watched address, or has left a range of addresses.
pub struct Breakpoints<'p> {
    /// Virtual addresses.
    pub pcs: Vec<u64>,
    /// Watched addresses.
    pub watched: Vec<Watchpoint>,
    /// Harts that stop after a step out of a range: index, first address, address behind the last.
    pub steps: Vec<(usize, u64, u64)>,
    /// A stop that was told already.
    pub told: Option<Told>,
    /// Where the hart that is to step stands: a breakpoint there does not keep it from its step.
    pub stepping: Option<Told>,
    /// Whether violations of oracles are looked for ([`Timeline::check`]).
    pub oracles: bool,
    /// Whether a movement backwards tells of a device's or firmware's access straight before the moment that it begins at.
    pub just_written: bool,
    /// What was found last.
    pub hit: Option<Stopped>,
    /// On a movement backwards: what its answer is.
    pub kept: Option<Stopped>,
    /// Asked now and then; false stops the movement.
    pub poll: &'p mut dyn FnMut() -> bool,
}

/// What stopped a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// A hart, by index, and why.
    Hart(usize, Hit),
    /// A violation of an oracle.
    Violation(Box<Violation>),
}

impl<'p> Breakpoints<'p> {
    /// Stops at these addresses and accesses, with nothing told or found yet.
    pub fn new(pcs: &[u64], watched: &[Watchpoint], poll: &'p mut dyn FnMut() -> bool) -> Breakpoints<'p> {
        let (pcs, watched) = (pcs.to_vec(), watched.to_vec());
        Breakpoints {
            pcs,
            watched,
            steps: Vec::new(),
            told: None,
            stepping: None,
            oracles: false,
            just_written: false,
            hit: None,
            kept: None,
            poll,
        }
    }
}

/// A moment of a hart at which its breakpoint need not be told again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Told {
    /// Hart index.
    hart: usize,
    pc: u64,
    /// The hart's own cycles.
    cycles: u64,
    /// Its watchpoints neither.
    watched: bool,
}

impl Told {
    fn of(m: &Machine, hart: usize, watched: bool) -> Option<Told> {
        m.harts().get(hart).map(|h| Told { hart, pc: h.pc, cycles: h.cycles, watched })
    }
}

/// The present moment of a hart, whose stop was told; its watchpoints only if `watched`.
pub fn told(t: &Timeline, hart: usize, watched: bool) -> Option<Told> {
    Told::of(t.machine(), hart, watched)
}

impl Finder for Breakpoints<'_> {
    fn run(&mut self, m: &mut Machine, to: &Stop) -> Found {
        m.set_breaks(&self.pcs, &self.watched);
        for t in self.stepping.iter().chain(&self.told) {
            m.leave_break(t.hart, t.pc, t.cycles, t.watched);
        }
        for (hart, from, to) in &self.steps {
            m.set_step(*hart, *from, *to);
        }
        let end = m.run_until(to);
        m.disarm_breaks();
        match end {
            RunEnd::Break { hart, hit } => {
                self.told = Told::of(m, hart, matches!(hit, Hit::Watchpoint { .. }));
                self.hit = Some(Stopped::Hart(hart, hit));
                Found::Hit
            }
            end => Found::Ran(end),
        }
    }

    fn arrived(&mut self, m: &mut Machine) -> bool {
        let Some((hart, hit)) = m.take_foreign() else { return false };
        self.hit = Some(Stopped::Hart(hart, hit));
        true
    }

    fn violated(&mut self, v: &Violation) -> bool {
        if self.oracles {
            self.hit = Some(Stopped::Violation(Box::new(v.clone())));
        }
        self.oracles
    }

    fn before_here(&self) -> bool {
        self.just_written && matches!(self.hit, Some(Stopped::Hart(_, Hit::Foreign { .. })))
    }

    fn kept(&mut self) {
        self.kept.clone_from(&self.hit);
    }

    fn poll(&mut self) -> bool {
        (self.poll)()
    }
}

/// Where a movement of a debugger ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Moved {
    /// A hart stopped.
    Stopped(usize, Hit),
    /// An oracle was violated straight before the present moment.
    Violated(Box<Violation>),
    /// The movement has not come to its end: ask again.
    Going,
    /// The beginning of the run.
    Begin,
    /// The end of the recording, in words.
    Recorded(String),
    /// The end of the run.
    End(RunEnd),
}

/// Goes on for `slice` cycles of all harts together at most, or until something is found.
pub fn forward(t: &mut Timeline, finder: &mut Breakpoints<'_>, slice: u64) -> Result<Moved, ReplayError> {
    let here = t.position();
    let to = Position { elapsed: here.elapsed.saturating_add(slice), ..here };
    let halt = t.run_forward(Some(to), finder)?;
    Ok(moved(halt, finder))
}

/// Lets one hart make a step. The others go on as their turns come, and stop where the finder says.
pub fn step(t: &mut Timeline, hart: usize, finder: &mut Breakpoints<'_>) -> Result<Moved, ReplayError> {
    finder.stepping = Told::of(t.machine(), hart, false);
    let halt = t.step_forward(hart, 1, finder)?;
    Ok(match halt {
        Halt::There => Moved::Stopped(hart, Hit::Step),
        halt => moved(halt, finder),
    })
}

/// Takes one step of a hart back.
pub fn step_back(t: &mut Timeline, hart: usize) -> Result<Moved, ReplayError> {
    Ok(match t.step_back(hart, 1)? {
        Halt::Start => Moved::Begin,
        _ => Moved::Stopped(hart, Hit::Step),
    })
}

/// Goes back to the last stop before the present moment. At a watchpoint the timeline is then *after* the access, so that a debugger that
/// takes one more step back sees the value change, as it does forwards.
pub fn back(t: &mut Timeline, finder: &mut Breakpoints<'_>) -> Result<Moved, ReplayError> {
    (finder.told, finder.stepping) = (None, None);
    finder.kept = None;
    let halt = t.run_back(None, finder)?;
    finder.hit = finder.kept.take();
    if let (Halt::Found, Some(Stopped::Hart(hart, Hit::Watchpoint { .. }))) = (&halt, &finder.hit) {
        t.step_forward(*hart, 1, &mut ())?;
    }
    Ok(match halt {
        Halt::Stopped => Moved::Going,
        Halt::Start => Moved::Begin,
        halt => moved(halt, finder),
    })
}

fn moved(halt: Halt, finder: &Breakpoints<'_>) -> Moved {
    match (halt, finder.hit.clone()) {
        (Halt::Found, Some(Stopped::Hart(hart, hit))) => Moved::Stopped(hart, hit),
        (Halt::Found, Some(Stopped::Violation(v))) => Moved::Violated(v),
        (Halt::Recorded(reason), _) => Moved::Recorded(reason),
        (Halt::End(end), _) => Moved::End(end),
        (Halt::Start, _) => Moved::Begin,
        (Halt::There | Halt::Stopped | Halt::Found, _) => Moved::Going,
    }
}

/// Told now and then of a long look into the past: how far back it is.
pub type Progress<'a> = &'a mut dyn FnMut(Position);

/// The last `count` ledger entries before the present moment, oldest first. `keep` chooses them. The timeline is where it was afterwards.
pub fn recent(
    t: &mut Timeline,
    count: usize,
    keep: impl Fn(&Entry) -> bool,
    progress: Progress<'_>,
) -> Result<Vec<Entry>, ReplayError> {
    let mut found: Vec<Entry> = Vec::new();
    each_part(t, progress, |_, entries| {
        let mut part: Vec<Entry> = entries.into_iter().filter(|e| keep(e)).collect();
        part.append(&mut found);
        found = part;
        found.len() < count
    })?;
    found.drain(..found.len().saturating_sub(count));
    Ok(found)
}

/// What last changed a CSR or a field of it on a hart before the present moment: the entry, and the values before and after.
pub fn why(
    t: &mut Timeline,
    hart: usize,
    field: &FieldName,
    progress: Progress<'_>,
) -> Result<Option<(Entry, u64, u64)>, ReplayError> {
    let mut answer = None;
    each_part(t, progress, |_, entries| {
        if let Some((i, before, after)) = last_writer(&entries, hart, field) {
            answer = entries.get(i).map(|e| (e.clone(), before, after));
        }
        answer.is_none()
    })?;
    Ok(answer)
}

/// Runs the parts between checkpoints again, the last one first, and gives `look` where each begins and what happened in it until it says
/// false.
pub(crate) fn each_part(
    t: &mut Timeline,
    progress: Progress<'_>,
    mut look: impl FnMut(Position, Vec<Entry>) -> bool,
) -> Result<(), ReplayError> {
    /// Entries of one part that fit into memory; a part with more is told without its last ones.
    const ROOM: usize = 4 << 20;
    let from = t.position();
    let mut high = from;
    let mut points = t.checkpoints();
    while let Some(low) = points.pop() {
        if low >= high {
            continue;
        }
        t.seek(low)?;
        let ledger = Ledger::new(ROOM);
        let shared = ledger.clone();
        t.observe(Some(std::rc::Rc::new(move || Box::new(shared.clone()))));
        // Not seek, which would take the checkpoint that may be there.
        t.run_forward(Some(high), &mut ())?;
        t.observe(None);
        progress(low);
        if !look(low, ledger.take()) {
            break;
        }
        high = low;
    }
    t.seek(from)?;
    Ok(())
}
