//! The ledger for Perfetto (and chrome://tracing): the trace event format, one process a hart, one thread a mode, software events as
//! slices of their own. Microseconds are thousands of retired instructions. Perfetto takes process and thread 0 for the idle one, and
//! thread ids as unique in the whole trace, so neither is what it stands for but one more. An end repeats the name of its beginning: readers
//! take one of another name for the end of another slice.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use emu_csr::Mode;
use replay::ledger::Entry;
use serde_json::json;

use super::links::Numbered;
use crate::console::output::Pending;
use crate::exit::CliError;

/// The track of software events, beside those of the modes.
const EVENTS: u64 = 8;

/// A trace being written.
pub struct Trace {
    out: Pending,
    file: PathBuf,
    /// The mode in which a hart has an open slice, and the slice's name.
    open: BTreeMap<usize, (Mode, &'static str)>,
    /// Software events whose handlers run, by hart: their slices' names, the outermost first.
    running: BTreeMap<usize, Vec<String>>,
    first: bool,
    last: BTreeMap<usize, u64>,
}

impl Trace {
    /// Begins one.
    pub fn create(file: &Path) -> Result<Trace, CliError> {
        let mut t = Trace {
            out: Pending::create(file, "trace")?,
            file: file.to_owned(),
            open: BTreeMap::new(),
            running: BTreeMap::new(),
            first: true,
            last: BTreeMap::new(),
        };
        t.raw("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
        Ok(t)
    }

    fn raw(&mut self, s: &str) -> Result<(), CliError> {
        self.out.write_all(s.as_bytes()).map_err(|e| CliError::file(&self.file, "write the trace", e))
    }

    fn event(&mut self, v: &serde_json::Value) -> Result<(), CliError> {
        let comma = if std::mem::take(&mut self.first) { "\n" } else { ",\n" };
        self.raw(comma)?;
        self.raw(&v.to_string())
    }

    /// The process that stands for a hart, and the thread for one of its tracks.
    fn ids(hart: usize, track: u64) -> (u64, u64) {
        (hart as u64 + 1, hart as u64 * 16 + track + 1)
    }

    fn slice(&mut self, phase: &str, name: &str, hart: usize, track: u64, instret: u64) -> Result<(), CliError> {
        let (pid, tid) = Trace::ids(hart, track);
        self.event(&json!({ "ph": phase, "name": name, "pid": pid, "tid": tid, "ts": instret as f64 / 1000.0 }))
    }

    /// Names a hart's tracks when it is first seen.
    fn introduce(&mut self, hart: usize) -> Result<(), CliError> {
        if self.last.contains_key(&hart) {
            return Ok(());
        }
        let (pid, _) = Trace::ids(hart, 0);
        self.event(&json!({ "ph": "M", "name": "process_name", "pid": pid, "args": { "name": format!("hart {hart}") } }))?;
        let modes = [Mode::VU, Mode::VS, Mode::U, Mode::HS, Mode::M].map(|m| (m as u64, m.name()));
        for (place, (track, name)) in [(EVENTS, "software events")].into_iter().chain(modes).enumerate() {
            let (pid, tid) = Trace::ids(hart, track);
            self.event(&json!({ "ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": { "name": name } }))?;
            self.event(
                &json!({ "ph": "M", "name": "thread_sort_index", "pid": pid, "tid": tid, "args": { "sort_index": place } }),
            )?;
        }
        Ok(())
    }

    /// Adds an entry.
    pub fn put(&mut self, e: &Numbered) -> Result<(), CliError> {
        let (hart, at) = (e.entry.hart(), e.entry.instret());
        self.introduce(hart)?;
        self.last.insert(hart, at);
        match &e.entry {
            Entry::Trap(t) => self.change(hart, at, t.to, t.cause.name()),
            Entry::Return(r) => self.change(hart, at, r.to, r.to.name()),
            Entry::Firmware(r) if r.kind == "sse" && r.name == "inject" => {
                let id = r.fields.iter().find(|f| f.name == "event_id").map_or(0, |f| f.after);
                let name = format!("event {id:#x}");
                self.slice("B", &name, hart, EVENTS, at)?;
                self.running.entry(hart).or_default().push(name);
                Ok(())
            }
            Entry::Firmware(r) if r.kind == "sse" && r.name == "complete" => match self.running.entry(hart).or_default().pop() {
                Some(name) => self.slice("E", &name, hart, EVENTS, at),
                None => Ok(()),
            },
            Entry::Firmware(_) | Entry::Write(_) => Ok(()),
        }
    }

    fn change(&mut self, hart: usize, at: u64, to: Mode, name: &'static str) -> Result<(), CliError> {
        if let Some((mode, name)) = self.open.remove(&hart) {
            self.slice("E", name, hart, mode as u64, at)?;
        }
        self.open.insert(hart, (to, name));
        self.slice("B", name, hart, to as u64, at)
    }

    /// Closes what is open and gives the file its name.
    pub fn finish(mut self) -> Result<(), CliError> {
        for (hart, running) in std::mem::take(&mut self.running) {
            let at = self.last.get(&hart).copied().unwrap_or(0);
            for name in running.iter().rev() {
                self.slice("E", name, hart, EVENTS, at)?;
            }
        }
        for (hart, (mode, name)) in std::mem::take(&mut self.open) {
            let at = self.last.get(&hart).copied().unwrap_or(0);
            self.slice("E", name, hart, mode as u64, at)?;
        }
        self.raw("\n]}\n")?;
        self.out.finish().map_err(|e| CliError::file(&self.file, "write the trace", e))
    }
}
