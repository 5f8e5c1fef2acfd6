//! A scenario's machine: moved to moments, with what its console and its ledger say kept.

use std::collections::BTreeMap;

use emu_core::machine::{Machine, RunEnd, Stop};
use emu_core::observer::{Both, Observer};
use replay::ledger::{Entry, Ledger};
use replay::log::{Decision, Position, Record};
use replay::oracle::Violation;
use replay::symbols::Symbols;

use super::oracles::{self, Oracles};
use super::step::{Step, Until};
use super::{Scenario, check, spin};
use crate::{entry, machine};

/// Cycles between looks at the console and the ledger. What a `send` meets depends on it, so it is the same everywhere.
const SLICE: u64 = 1_000_000;
/// Ledger entries of a slice that fit.
const ROOM: usize = 4 << 20;
/// Lines that `--trace` shows of a scenario.
const SHOWN: usize = 1 << 20;
/// Steps from an instruction to what it brings about: a firmware operation is the longest.
const NEAR: usize = 100_000;

/// A machine under way.
pub struct Moving<'a> {
    /// The machine and what came of it so far.
    pub at: Kept,
    /// Names of addresses.
    pub symbols: &'a Symbols,
    /// Ledger lines that the scenario's checks look for, in order.
    pub lines: Vec<String>,
    /// All lines, if they are to be shown (`--trace`), up to [`SHOWN`].
    pub all: Option<Vec<String>>,
    /// How often each text of the checks has been seen.
    pub counts: BTreeMap<String, u64>,
    ledger: Option<Ledger>,
    /// The hart that stopped at a symbol, which is not to stop there again.
    told: Option<usize>,
}

/// A machine and what came of it: what a fork for another scenario begins with.
pub struct Kept {
    /// The machine.
    pub machine: Machine,
    /// Everything printed so far.
    pub console: Vec<u8>,
    /// How much of it `expect` steps have taken.
    pub taken: usize,
    /// What entered the run.
    pub records: Vec<Record>,
    /// How the machine ended.
    pub ended: Option<RunEnd>,
    /// The oracles, if this scenario or one after it asks for them.
    oracles: Option<Oracles>,
}

/// Why a step failed, in words.
pub type Failed = String;

impl<'a> Moving<'a> {
    /// A machine at its start or where another scenario ended.
    pub fn new(from: Kept, scenario: &Scenario, symbols: &'a Symbols, trace: bool) -> Moving<'a> {
        let mut counts = BTreeMap::new();
        for s in &scenario.steps {
            if let Step::Ledger(l) = &s.step {
                counts.extend(l.texts().map(|t| (t.clone(), 0)));
            }
        }
        let wanted = !counts.is_empty();
        let mut m = Moving {
            at: from,
            symbols,
            lines: Vec::new(),
            all: trace.then(Vec::new),
            counts,
            ledger: (trace || wanted).then(|| Ledger::new(ROOM)),
            told: None,
        };
        m.observe();
        m
    }

    /// Has the machine tell those who listen.
    fn observe(&mut self) {
        let ledger = self.ledger.as_ref().map(|l| Box::new(l.clone()) as Box<dyn Observer>);
        let oracles = self.at.oracles.as_ref().map(Oracles::observer);
        match (ledger, oracles) {
            (Some(l), Some(o)) => self.at.machine.set_observer(Box::new(Both(l, o))),
            (Some(one), None) | (None, Some(one)) => self.at.machine.set_observer(one),
            (None, None) => {
                self.at.machine.clear_observer();
            }
        }
    }

    /// What the oracles have found since the scenario began.
    pub fn violations(&self) -> Vec<Violation> {
        self.at.oracles.as_ref().map(|o| o.so_far(&self.at.machine, self.at.ended.as_ref())).unwrap_or_default()
    }

    /// Notes what enters here.
    pub fn decide(&mut self, what: Decision) -> Result<(), Failed> {
        let at = position(&self.at.machine);
        match &what {
            Decision::Input(bytes) => self.at.machine.console_input(bytes),
            Decision::Inject { name, args } => self.at.machine.inject(name, args).map_err(|e| e.to_string())?,
            _ => {}
        }
        self.at.records.push(Record { at, what });
        if matches!(self.at.ended, Some(RunEnd::AllAsleep { .. })) {
            self.at.ended = None;
        }
        Ok(())
    }

    /// Goes on to `stop`, a slice at most.
    fn slice(&mut self, stop: &Stop) -> RunEnd {
        let stop = Stop { cycles: stop.cycles.min(self.at.machine.cycles().saturating_add(SLICE)), ..*stop };
        let end = self.at.machine.run_until(&stop);
        self.at.console.extend(self.at.machine.take_console_output());
        if let Some(o) = &mut self.at.oracles {
            o.look(&self.at.machine);
        }
        if !matches!(end, RunEnd::Limit | RunEnd::Break { .. }) {
            self.at.ended = Some(end.clone());
        }
        end
    }

    fn entries(&self) -> Vec<Entry> {
        self.ledger.as_ref().map(Ledger::take).unwrap_or_default()
    }

    fn line(&self, e: &Entry) -> String {
        format!("hart {} {}", e.hart(), entry::text(e, self.symbols, |_| true))
    }

    /// Keeps the entries that the scenario's checks look for.
    fn keep_lines(&mut self, entries: &[Entry]) {
        if self.counts.is_empty() && self.all.is_none() {
            return;
        }
        for e in entries {
            let line = self.line(e);
            if let Some(all) = self.all.as_mut().filter(|a| a.len() < SHOWN) {
                all.push(line.clone());
            }
            let mut wanted = false;
            for (text, n) in &mut self.counts {
                if line.contains(text.as_str()) {
                    *n += 1;
                    wanted = true;
                }
            }
            if wanted {
                self.lines.push(line);
            }
        }
    }

    /// Why the run cannot go on, if it has ended.
    fn over(&self, before: &str) -> Result<(), Failed> {
        match &self.at.ended {
            None => Ok(()),
            Some(e) => Err(format!("the machine ended before {before}: {}", end_text(e))),
        }
    }

    /// Runs until `there` or the machine's end. `what` is for messages; `within` is in cycles from now.
    fn go(&mut self, to: &Stop, within: u64, what: &str, mut there: impl FnMut(&mut Moving<'a>) -> bool) -> Result<(), Failed> {
        let last = self.at.machine.cycles().saturating_add(within);
        loop {
            if there(self) {
                return Ok(());
            }
            self.over(what)?;
            if self.at.machine.cycles() >= last {
                return Err(self.late(what, within));
            }
            self.slice(&Stop { cycles: to.cycles.min(last), ..*to });
            let entries = self.entries();
            self.keep_lines(&entries);
        }
    }

    /// Runs until the console shows a text.
    pub fn expect(&mut self, text: &str, within: u64) -> Result<(), Failed> {
        let wanted = text.as_bytes();
        let what = format!("the console showed {text:?}");
        // What was searched already is not searched again: a guest may print without end.
        let mut from = self.at.taken;
        self.go(&Stop::NEVER, within, &what, |m| {
            let rest = &m.at.console[from..];
            match rest.windows(wanted.len()).position(|w| w == wanted) {
                Some(at) => {
                    m.at.taken = from + at + wanted.len();
                    true
                }
                None => {
                    from += (rest.len() + 1).saturating_sub(wanted.len());
                    false
                }
            }
        })
    }

    /// Runs until the machine ends.
    pub fn end(&mut self, within: u64) -> Result<RunEnd, Failed> {
        self.go(&Stop::NEVER, within, "the machine ended", |m| m.at.ended.is_some())?;
        self.at.ended.clone().ok_or_else(|| "the machine did not end".to_owned())
    }

    /// Why a step took too long: the time, and harts that will never come to it.
    fn late(&self, what: &str, within: u64) -> Failed {
        format!("{what}: not within {within} cycles{}", spin::diagnosis(&self.at.machine, self.symbols))
    }

    /// Runs until a hart goes round and round, and compares its stack.
    pub fn spins(&mut self, hart: usize, stack: &[String], within: u64) -> Result<(), Failed> {
        let last = self.at.machine.cycles().saturating_add(within);
        loop {
            self.over("a hart went round and round")?;
            let mut copy = self.at.machine.fork().map_err(|e| e.to_string())?;
            if spin::spins(&mut copy, hart) {
                break;
            }
            if self.at.machine.cycles() >= last {
                return Err(format!("hart {hart} went round and round: not within {within} cycles"));
            }
            self.slice(&stop_at(last));
            let entries = self.entries();
            self.keep_lines(&entries);
        }
        let mut copy = self.at.machine.fork().map_err(|e| e.to_string())?;
        let name = |pc| self.symbols.at(pc, |_| true).map_or_else(|| format!("{pc:#x}"), |(n, _)| n.to_owned());
        let found: Vec<String> = spin::stack(&mut copy, hart).into_iter().map(name).collect();
        if found.starts_with(stack) {
            return Ok(());
        }
        Err(format!("hart {hart} goes round and round, but its stack is {}", found.join(", ")))
    }

    /// Runs to a moment.
    pub fn until(&mut self, u: &Until, within: u64) -> Result<(), Failed> {
        let now = self.at.machine.cycles();
        let stop = |cycles| Stop { cycles, ..Stop::NEVER };
        if let Some(c) = u.cycles.or(u.more.map(|m| super::value::Count(now.saturating_add(m.0)))) {
            return self.go(&stop(c.0), within, &format!("cycle {}", c.0), |m| m.at.machine.cycles() >= c.0);
        }
        if let Some(n) = u.instret {
            let to = Stop { instret: n.0, ..Stop::NEVER };
            return self.go(&to, within, &format!("instruction {}", n.0), |m| m.at.machine.instret() >= n.0);
        }
        match &u.symbol {
            Some(at) => {
                let pc = at.resolve(self.symbols)?;
                self.breakpoint(pc, u, within)
            }
            None => self.entry(u, within),
        }
    }

    fn breakpoint(&mut self, pc: u64, u: &Until, within: u64) -> Result<(), Failed> {
        let what = format!("a hart came to {}", self.symbols.text(pc));
        let last = self.at.machine.cycles().saturating_add(within);
        let mut left = u.nth.unwrap_or(1);
        self.at.machine.set_breaks(&[pc], &[]);
        if let Some(i) = self.told.take() {
            let h = &self.at.machine.harts()[i];
            let (pc, cycles) = (h.pc, h.cycles);
            self.at.machine.leave_break(i, pc, cycles, false);
        }
        let result = loop {
            if let Err(e) = self.over(&what) {
                break Err(e);
            }
            if self.at.machine.cycles() >= last {
                break Err(self.late(&what, within));
            }
            let end = self.slice(&stop_at(last));
            let entries = self.entries();
            self.keep_lines(&entries);
            if let RunEnd::Break { hart, .. } = end
                && u.hart.is_none_or(|h| h == hart)
            {
                left -= 1;
                if left == 0 {
                    self.told = Some(hart);
                    break Ok(());
                }
            }
        };
        self.at.machine.disarm_breaks();
        result
    }

    /// Runs until something is entered in the ledger or an oracle is violated: a slice at a time, and the slice in which it is once more, to
    /// stop there.
    fn entry(&mut self, u: &Until, within: u64) -> Result<(), Failed> {
        let what = match (&u.trap, &u.ledger) {
            (Some(c), _) => format!(
                "a trap{}{}{}",
                spaced("", c),
                spaced("from ", u.from.as_deref().unwrap_or("")),
                spaced("to ", u.to.as_deref().unwrap_or(""))
            ),
            (None, Some(text)) => format!("an entry of the ledger with {text:?}"),
            (None, None) => format!("a violation of {}", u.violation.as_deref().unwrap_or_default()),
        };
        let last = self.at.machine.cycles().saturating_add(within);
        let mut left = u.nth.unwrap_or(1);
        let unobserved = self.ledger.is_none();
        if unobserved && u.violation.is_none() {
            self.ledger = Some(Ledger::new(ROOM));
            self.observe();
        }
        loop {
            self.over(&what)?;
            if self.at.machine.cycles() >= last {
                return Err(self.late(&what, within));
            }
            let before = self.at.machine.fork().map_err(|e| e.to_string())?;
            let oracles = self.at.oracles.as_ref().map(Oracles::copy);
            let (printed, seen) = (self.at.console.len(), self.found_so_far());
            self.slice(&stop_at(last));
            let entries = self.entries();
            let found = self.moments(&entries, seen, u);
            let Some(&(hart, instret)) = found.get(left as usize - 1) else {
                left -= found.len() as u64;
                self.keep_lines(&entries);
                continue;
            };
            (self.at.machine, self.at.ended, self.at.oracles) = (before, None, oracles);
            self.at.console.truncate(printed);
            self.observe();
            self.come_to(u, left, hart, instret)?;
            if unobserved {
                self.ledger = None;
                self.observe();
            }
            return Ok(());
        }
    }

    fn found_so_far(&self) -> usize {
        self.at.oracles.as_ref().map_or(0, Oracles::count)
    }

    /// Hart and instruction count of everything of the wanted kind among these entries, or among the violations behind the first `seen`.
    fn moments(&self, entries: &[Entry], seen: usize, u: &Until) -> Vec<(usize, u64)> {
        let Some(names) = &u.violation else {
            return entries.iter().filter(|e| self.wanted(e, u)).map(|e| (e.hart(), e.instret())).collect();
        };
        let found = self.at.oracles.as_ref().map(|o| o.since(seen)).unwrap_or_default();
        let mine = |v: &&Violation| oracles::is_of(v, names) && u.hart.is_none_or(|h| h == v.hart);
        found.iter().filter(mine).map(|v| (v.hart, v.instret)).collect()
    }

    /// Moves to just behind the entry that stands `left` matching ones ahead, made by a hart that has retired `instret` instructions.
    fn come_to(&mut self, u: &Until, mut left: u64, hart: usize, instret: u64) -> Result<(), Failed> {
        let mut stop = Stop { hart: Some((hart, instret)), ..Stop::NEVER };
        for _ in 0..NEAR {
            let seen = self.found_so_far();
            let end = self.at.machine.run_until(&stop);
            self.at.console.extend(self.at.machine.take_console_output());
            if let Some(o) = &mut self.at.oracles {
                o.look(&self.at.machine);
            }
            let entries = self.entries();
            let found = self.moments(&entries, seen, u).len() as u64;
            self.keep_lines(&entries);
            if found >= left {
                if end != RunEnd::Limit {
                    self.at.ended = Some(end);
                }
                return Ok(());
            }
            left -= found;
            stop = Stop { elapsed: self.at.machine.elapsed().saturating_add(1), ..Stop::NEVER };
        }
        Err("the moment was not found again; please report this".to_owned())
    }

    fn wanted(&self, e: &Entry, u: &Until) -> bool {
        if u.hart.is_some_and(|h| h != e.hart()) {
            return false;
        }
        match (&u.ledger, e) {
            (Some(text), _) => self.line(e).contains(text.as_str()),
            (None, Entry::Trap(t)) => {
                let mode = |m: &Option<String>, is| m.as_deref().is_none_or(|m| check::mode(m) == Some(is));
                mode(&u.from, t.from)
                    && mode(&u.to, t.to)
                    && u.trap.as_deref().is_some_and(|c| c.is_empty() || check::is_cause(t.cause, c))
            }
            _ => false,
        }
    }
}

impl Kept {
    /// A machine at its start.
    pub fn fresh(machine: Machine, oracles: Option<Oracles>) -> Kept {
        Kept { machine, console: Vec::new(), taken: 0, records: Vec::new(), ended: None, oracles }
    }

    /// Another one of the same.
    pub fn fork(&self) -> Result<Kept, Failed> {
        Ok(Kept {
            machine: self.machine.fork().map_err(|e| e.to_string())?,
            console: self.console.clone(),
            taken: self.taken,
            records: self.records.clone(),
            ended: self.ended.clone(),
            oracles: self.oracles.as_ref().map(Oracles::next),
        })
    }
}

/// Where a machine stands, as a log can say it: at the end of a round by the cycle (an idle guest retires nothing), in the middle of one by the
/// instruction.
pub fn position(m: &Machine) -> Position {
    let exact = !m.stands_at(&stop_at(m.cycles()));
    Position { exact, ..Position::of(m) }
}

fn stop_at(cycles: u64) -> Stop {
    Stop { cycles, ..Stop::NEVER }
}

fn spaced(before: &str, word: &str) -> String {
    if word.is_empty() { String::new() } else { format!(" {before}{word}") }
}

/// An end in words.
pub fn end_text(e: &RunEnd) -> String {
    match machine::end_word(e) {
        (word, Some(code)) => format!("{word} with code {code}"),
        (word @ "reset", None) => word.to_owned(),
        (word, None) => format!("{word} ({e})"),
    }
}
