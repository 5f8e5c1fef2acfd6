//! Scenarios on all of the host's cores. A job is a scenario with all that begin where it ends, so that they share its machine; a machine
//! never crosses threads.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use crossbeam::channel;
use replay::oracle::Violation;

use super::Scenario;
use super::keep::{self, Kept};
use super::machine::{Kept as Start, Moving};
use super::oracles::{self, Oracles};
use super::run::{self, Failure};
use crate::exit::CliError;
use crate::recording::find;
use crate::{images, machine};

/// What became of a scenario.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// All steps held.
    Passed,
    /// One did not.
    Failed(Failure, Kept),
    /// It was not run, and why.
    Skipped(String),
}

/// One scenario's result.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its number in the list.
    pub number: usize,
    /// What became of it.
    pub verdict: Verdict,
    /// Host time, without that of the scenario it began after.
    pub took: Duration,
    /// Where the machine was at the end: instructions and cycles.
    pub at: (u64, u64),
    /// Lines of its ledger, if they were asked for.
    pub ledger: Vec<String>,
    /// What oracles found, if a step asks for them.
    pub violations: Vec<Violation>,
}

/// A scenario and those that begin where it ends, by number.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The scenario.
    pub number: usize,
    /// Whether a result is wanted, or only what comes after it.
    pub wanted: bool,
    /// Those after it.
    pub then: Vec<Tree>,
}

/// Runs all trees and tells of each result as it comes. The error is the first that is no scenario's fault.
pub fn run(
    list: &[Scenario],
    trees: &[Vec<Tree>],
    jobs: usize,
    directory: &Path,
    trace: bool,
    mut told: impl FnMut(Outcome) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let (give, take) = channel::unbounded::<&Vec<Tree>>();
    for t in trees {
        // Never full and never closed here.
        let _ = give.send(t);
    }
    drop(give);
    let (results, outcomes) = channel::unbounded();
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, trees.len().max(1)) {
            let (take, results) = (take.clone(), results.clone());
            scope.spawn(move || {
                while let Ok(trees) = take.recv() {
                    let mut job = Job { list, directory, trace, cache: BTreeMap::new(), results: &results };
                    for t in trees {
                        if job.root(t).is_err() {
                            return;
                        }
                    }
                }
            });
        }
        drop(results);
        let mut first = Ok(());
        for o in outcomes {
            let said = match o {
                Ok(o) => told(o),
                Err(e) => Err(e),
            };
            if let (Ok(()), Err(e)) = (&first, said) {
                // Nothing new is begun.
                while take.try_recv().is_ok() {}
                first = Err(e);
            }
        }
        first
    })
}

/// Everything one thread has of a job.
struct Job<'a> {
    list: &'a [Scenario],
    directory: &'a Path,
    trace: bool,
    /// States at the good ends of scenarios that others begin after, by what they are made from.
    cache: BTreeMap<[u8; 32], Known>,
    results: &'a channel::Sender<Result<Outcome, CliError>>,
}

/// A run that need not be made again.
struct Known {
    /// Where it ended.
    end: Start,
    /// Instructions and cycles there.
    at: (u64, u64),
    /// What its oracles found.
    violations: Vec<Violation>,
}

/// Nobody listens any more.
struct Gone;

impl Job<'_> {
    fn root(&mut self, t: &Tree) -> Result<(), Gone> {
        let s = &self.list[t.number];
        if !s.lacks.is_empty() {
            return self.skip(t, &format!("needs --define of {}", s.lacks.join(", ")));
        }
        let began = Instant::now();
        let listen = self.listens(t);
        match machine::build(&s.config).and_then(|m| Ok((m, key(s, listen)?))) {
            Ok((m, key)) => {
                let oracles = listen.then(|| Oracles::new(&m, s.exempt.clone()));
                self.scenario(t, Start::fresh(m, oracles), key, began)
            }
            Err(e) => self.give(Err(e)),
        }
    }

    /// Whether oracles are wanted by a scenario or by one after it: they must have heard everything from power-on.
    fn listens(&self, t: &Tree) -> bool {
        oracles::wanted(&self.list[t.number]) || t.then.iter().any(|c| self.listens(c))
    }

    /// Runs a scenario and then those that begin where it ends.
    fn scenario(&mut self, t: &Tree, start: Start, key: [u8; 32], began: Instant) -> Result<(), Gone> {
        let s = &self.list[t.number];
        // The symbols' file decides where a step stops; it is not an image of the machine.
        let text = format!("{:?} {} {:?}", s.symbols, s.within, s.steps.iter().map(|p| &p.step).collect::<Vec<_>>());
        let key = *blake3::Hasher::new().update(&key).update(text.as_bytes()).finalize().as_bytes();
        // A ledger that is to be shown is heard only by a run.
        if let Some(known) = self.cache.get(&key).filter(|_| !(self.trace && t.wanted)) {
            // The same run from another file: its result is known.
            let (end, at, violations) = (known.end.fork().map(Some), known.at, known.violations.clone());
            if t.wanted {
                self.give(Ok(Outcome {
                    number: t.number,
                    verdict: Verdict::Passed,
                    took: Duration::ZERO,
                    at,
                    ledger: Vec::new(),
                    violations,
                }))?;
            }
            return self.after(t, end, key);
        }
        let symbols = match images::symbols(s.symbols.as_deref(), &s.config) {
            Ok(x) => x,
            Err(e) => return self.give(Err(e)),
        };
        let mut m = Moving::new(start, s, &symbols, self.trace);
        let result = run::steps(&mut m, s);
        let took = began.elapsed();
        let at = (m.at.machine.instret(), m.at.machine.cycles());
        let violations = if oracles::wanted(s) { m.violations() } else { Vec::new() };
        let verdict = match &result {
            Ok(()) => Verdict::Passed,
            Err(f) => match keep::keep(&mut m, s, f, self.directory, &keep::file_name(self.list, t.number)) {
                Ok(kept) => Verdict::Failed(f.clone(), kept),
                Err(e) => return self.give(Err(e)),
            },
        };
        // The scenarios after it cannot say why they do not run if it is not reported.
        if t.wanted || result.is_err() {
            let ledger = m.all.take().unwrap_or_default();
            self.give(Ok(Outcome { number: t.number, verdict, took, at, ledger, violations: violations.clone() }))?;
        }
        if t.then.is_empty() {
            return Ok(());
        }
        let end = match result {
            Ok(()) => m.at.fork().map(Some),
            Err(_) => Ok(None),
        };
        if let Ok(Some(Ok(copy))) = end.as_ref().map(|e| e.as_ref().map(Start::fork)) {
            self.cache.insert(key, Known { end: copy, at, violations });
        }
        self.after(t, end, key)
    }

    fn after(&mut self, t: &Tree, end: Result<Option<Start>, String>, key: [u8; 32]) -> Result<(), Gone> {
        let name = &self.list[t.number].name;
        for child in &t.then {
            match &end {
                Ok(Some(start)) => match start.fork() {
                    Ok(start) => self.scenario(child, start, key, Instant::now())?,
                    Err(e) => self.skip(child, &e)?,
                },
                Ok(None) => self.skip(child, &format!("'{name}', after which it begins, failed"))?,
                Err(e) => self.skip(child, e)?,
            }
        }
        Ok(())
    }

    fn skip(&mut self, t: &Tree, why: &str) -> Result<(), Gone> {
        if t.wanted {
            let verdict = Verdict::Skipped(why.to_owned());
            self.give(Ok(Outcome {
                number: t.number,
                verdict,
                took: Duration::ZERO,
                at: (0, 0),
                ledger: Vec::new(),
                violations: Vec::new(),
            }))?;
        }
        t.then.iter().try_for_each(|c| self.skip(c, why))
    }

    fn give(&mut self, o: Result<Outcome, CliError>) -> Result<(), Gone> {
        let ok = o.is_ok();
        match self.results.send(o) {
            Ok(()) if ok => Ok(()),
            _ => Err(Gone),
        }
    }
}

/// What a machine is made from, and who listens to it: its configuration, its images by their contents, the oracles.
fn key(s: &Scenario, listen: bool) -> Result<[u8; 32], CliError> {
    let header = find::header(&s.config)?;
    let mut h = blake3::Hasher::new();
    h.update(header.config.as_bytes());
    for i in &header.images {
        h.update(i.role.as_bytes()).update(&i.hash);
    }
    h.update(format!("{listen} {:?}", s.exempt).as_bytes());
    Ok(*h.finalize().as_bytes())
}
