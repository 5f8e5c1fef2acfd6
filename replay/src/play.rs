//! Carrying a log's decisions out on a machine.

use emu_core::machine::{HartStep, Machine, RunEnd, Stop};

use crate::error::ReplayError;
use crate::log::{Decision, End, Log, Parts, Position, Record};

/// How [`seek`] ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sought {
    /// The machine is at the position.
    There,
    /// The caller asked to stop on the way.
    Stopped,
    /// The run ended before.
    Ended(RunEnd),
}

/// Runs a machine up to a position. `watch` is called every `slice` cycles at most (console output, signals) and may say stop by `false`; when it is
/// called changes nothing for the guest.
pub fn seek(m: &mut Machine, to: &Position, slice: u64, watch: &mut dyn FnMut(&mut Machine) -> bool) -> Sought {
    let slice = slice.max(1);
    loop {
        let there = if to.exact { m.instret() >= to.instret } else { m.cycles() >= to.cycles };
        if there {
            return Sought::There;
        }
        let next = m.cycles().saturating_add(slice);
        let stop = if to.exact {
            Stop { cycles: next, instret: to.instret, ..Stop::NEVER }
        } else {
            Stop { cycles: next.min(to.cycles), ..Stop::NEVER }
        };
        let end = m.run_until(&stop);
        if !watch(m) {
            return Sought::Stopped;
        }
        if end != RunEnd::Limit {
            return Sought::Ended(end);
        }
    }
}

/// Does to a machine what a record says; false if the record is a witness of a state that this machine is not in.
pub fn apply(m: &mut Machine, r: &Record) -> Result<bool, ReplayError> {
    match &r.what {
        Decision::Input(bytes) => m.console_input(bytes),
        Decision::Inject { name, args } => m.inject(name, args).map_err(|e| misfit(&r.at, e.to_string()))?,
        Decision::Step { hart, count } => {
            let hart = usize::try_from(*hart).ok().filter(|h| *h < m.harts().len());
            let hart = hart.ok_or_else(|| misfit(&r.at, "there is no such hart".into()))?;
            for _ in 0..*count {
                if matches!(m.step_hart(hart), HartStep::End(_)) {
                    break;
                }
            }
        }
        Decision::Reboot | Decision::Command(_) => {}
        Decision::Mark(hash) => return Ok(m.register_hash()[..16] == hash[..16]),
        Decision::State(hash) => return Ok(m.state_hash() == *hash),
        Decision::Parts(p) => return Ok(Parts::of(m) == *p),
    }
    Ok(true)
}

/// As [`seek`], also to where a run with several harts ended by itself: in the middle of a round, at whose beginning the cycle is the same.
fn reach(m: &mut Machine, to: &Position, slice: u64, watch: &mut dyn FnMut(&mut Machine) -> bool) -> Sought {
    match seek(m, to, slice, watch) {
        Sought::There if m.instret() < to.instret => seek(m, &Position { exact: true, ..*to }, slice, watch),
        other => other,
    }
}

fn misfit(at: &Position, what: String) -> ReplayError {
    ReplayError::Misfit {
        what,
        cycles: at.cycles,
        instret: at.instret,
        remedy: "the images or the configuration are not those of the recording, or the log was edited; see 'trapeze log dump'",
    }
}

/// A replayed run differs from its recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Divergence {
    /// Number of the record whose witness does not hold; the number of records for the footer's.
    pub record: usize,
    /// The last position whose witness held, if any.
    pub good: Option<Position>,
    /// Where it did not.
    pub bad: Position,
    /// What differs: a hash, the position, or how the run ended.
    pub what: String,
}

/// How a replay ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// As recorded, with the footer's state hash if `whole`; otherwise to the last complete chunk of a log whose recorder was killed.
    Same {
        /// Whether the log has a footer.
        whole: bool,
        /// The state hash here.
        hash: [u8; 32],
        /// Witnesses that held.
        marks: usize,
    },
    /// It differs.
    Differs(Divergence),
    /// The caller stopped it.
    Stopped,
}

/// Replays a whole log on `m`, a machine at its start. `boot` makes another such machine when the recorded guest rebooted; `watch` as in [`seek`].
pub fn replay(
    m: &mut Machine,
    log: &Log,
    boot: &mut dyn FnMut() -> Result<Machine, ReplayError>,
    slice: u64,
    watch: &mut dyn FnMut(&mut Machine) -> bool,
) -> Result<Outcome, ReplayError> {
    let (mut good, mut marks) = (None, 0);
    let differs = |record, good, bad, what: String| Ok(Outcome::Differs(Divergence { record, good, bad, what }));
    for (n, r) in log.records.iter().enumerate() {
        match reach(m, &r.at, slice, watch) {
            Sought::There => {}
            Sought::Stopped => return Ok(Outcome::Stopped),
            Sought::Ended(RunEnd::Reset) if r.what == Decision::Reboot => {}
            Sought::Ended(RunEnd::AllAsleep { .. }) if at(m, &r.at) => {}
            Sought::Ended(end) => return differs(n, good, Position::of(m), format!("the run ended ({end:?})")),
        }
        if !at(m, &r.at) {
            let (c, i) = (m.cycles(), m.instret());
            return differs(n, good, r.at, format!("the machine is at cycle {c}, instruction {i}"));
        }
        if r.what == Decision::Reboot {
            *m = boot()?;
            good = None;
            continue;
        }
        if !apply(m, r)? {
            let what = match &r.what {
                Decision::Parts(p) => format!("the state of {}", p.differing(&Parts::of(m)).join(", ")),
                _ => "the state hash".into(),
            };
            return differs(n, good, r.at, what);
        }
        if r.what.is_witness() {
            (good, marks) = (Some(r.at), marks + 1);
        }
    }
    let Some(End { at: place, hash, parts, .. }) = &log.end else {
        return Ok(Outcome::Same { whole: false, hash: m.state_hash(), marks });
    };
    let reached = reach(m, place, slice, watch);
    if reached == Sought::Stopped {
        return Ok(Outcome::Stopped);
    }
    if !at(m, place) {
        let (c, i) = (m.cycles(), m.instret());
        return differs(log.records.len(), good, *place, format!("the run ended at cycle {c}, instruction {i}"));
    }
    let mut found = m.state_hash();
    let mut list = Vec::new();
    if found != *hash {
        list = parts.differing(&Parts::all(m));
        // A machine that has ended does not go on.
        if !matches!(reached, Sought::Ended(_)) {
            finish(m, place);
            found = m.state_hash();
        }
    }
    if found == *hash {
        return Ok(Outcome::Same { whole: true, hash: found, marks: marks + 1 });
    }
    let mut what = "the final state hash".to_owned();
    if !parts.names.is_empty() {
        let after = parts.differing(&Parts::all(m));
        let list = if after.len() < list.len() { after } else { list };
        // Disks are in no part.
        what += &if list.is_empty() { ", in a disk".to_owned() } else { format!(", in {}", list.join(", ")) };
    }
    differs(log.records.len(), good, *place, what)
}

/// Lets happen what ends a run without an instruction retired: with several harts the position before a call that powers off is also
/// the one after it.
fn finish(m: &mut Machine, place: &Position) {
    while at(m, place) {
        if m.run_until(&Stop { elapsed: m.elapsed().saturating_add(1), ..Stop::NEVER }) != RunEnd::Limit {
            return;
        }
    }
}

/// Whether the machine is at a position.
fn at(m: &Machine, p: &Position) -> bool {
    m.cycles() == p.cycles && m.instret() == p.instret
}
