//! The ledger for Perfetto (and chrome://tracing): the trace event format, one process a hart, one thread a mode, software events as
//! slices of their own. Microseconds are thousands of retired instructions.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use emu_csr::Mode;
use replay::ledger::Entry;
use serde_json::json;

use super::links::Numbered;
use crate::exit::CliError;

/// The track of software events, beside those of the modes.
const EVENTS: u64 = 8;

/// A trace being written: to a temporary file, renamed when it is whole.
pub struct Trace {
    out: BufWriter<File>,
    file: PathBuf,
    temporary: PathBuf,
    /// Modes in which a hart has an open slice.
    open: BTreeMap<usize, Mode>,
    /// Software events whose handlers run, by hart.
    running: BTreeMap<usize, usize>,
    first: bool,
    last: BTreeMap<usize, u64>,
}

impl Trace {
    /// Begins one.
    pub fn create(file: &Path) -> Result<Trace, CliError> {
        let temporary = file.with_extension("part");
        let out = File::create(&temporary).map_err(|e| CliError::file(&temporary, "write the trace", e))?;
        let mut t = Trace {
            out: BufWriter::new(out),
            file: file.to_owned(),
            temporary,
            open: BTreeMap::new(),
            running: BTreeMap::new(),
            first: true,
            last: BTreeMap::new(),
        };
        t.raw("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
        Ok(t)
    }

    fn raw(&mut self, s: &str) -> Result<(), CliError> {
        self.out.write_all(s.as_bytes()).map_err(|e| CliError::file(&self.temporary, "write the trace", e))
    }

    fn event(&mut self, v: &serde_json::Value) -> Result<(), CliError> {
        let comma = if std::mem::take(&mut self.first) { "\n" } else { ",\n" };
        self.raw(comma)?;
        self.raw(&v.to_string())
    }

    fn slice(&mut self, phase: &str, name: &str, hart: usize, track: u64, instret: u64) -> Result<(), CliError> {
        self.event(&json!({ "ph": phase, "name": name, "pid": hart, "tid": track, "ts": instret as f64 / 1000.0 }))
    }

    /// Names a hart's tracks when it is first seen.
    fn introduce(&mut self, hart: usize) -> Result<(), CliError> {
        if self.last.contains_key(&hart) {
            return Ok(());
        }
        self.event(&json!({ "ph": "M", "name": "process_name", "pid": hart, "args": { "name": format!("hart {hart}") } }))?;
        for mode in [Mode::M, Mode::HS, Mode::U, Mode::VS, Mode::VU] {
            self.event(
                &json!({ "ph": "M", "name": "thread_name", "pid": hart, "tid": mode as u64, "args": { "name": mode.name() } }),
            )?;
        }
        self.event(
            &json!({ "ph": "M", "name": "thread_name", "pid": hart, "tid": EVENTS, "args": { "name": "software events" } }),
        )
    }

    /// Adds an entry.
    pub fn put(&mut self, e: &Numbered) -> Result<(), CliError> {
        let (hart, at) = (e.entry.hart(), e.entry.instret());
        self.introduce(hart)?;
        self.last.insert(hart, at);
        match &e.entry {
            Entry::Trap(t) => self.change(hart, at, t.from, t.to, t.cause.name()),
            Entry::Return(r) => self.change(hart, at, r.from, r.to, r.to.name()),
            Entry::Firmware(r) if r.kind == "sse" && r.name == "inject" => {
                *self.running.entry(hart).or_default() += 1;
                let id = r.fields.iter().find(|f| f.name == "event_id").map_or(0, |f| f.after);
                self.slice("B", &format!("event {id:#x}"), hart, EVENTS, at)
            }
            Entry::Firmware(r) if r.kind == "sse" && r.name == "complete" => {
                let n = self.running.entry(hart).or_default();
                if *n == 0 {
                    return Ok(());
                }
                *n -= 1;
                self.slice("E", "", hart, EVENTS, at)
            }
            Entry::Firmware(_) | Entry::Write(_) => Ok(()),
        }
    }

    fn change(&mut self, hart: usize, at: u64, from: Mode, to: Mode, name: &str) -> Result<(), CliError> {
        if self.open.remove(&hart).is_some() {
            self.slice("E", "", hart, from as u64, at)?;
        }
        self.open.insert(hart, to);
        self.slice("B", name, hart, to as u64, at)
    }

    /// Closes what is open and gives the file its name.
    pub fn finish(mut self) -> Result<(), CliError> {
        for (hart, mode) in std::mem::take(&mut self.open) {
            let at = self.last.get(&hart).copied().unwrap_or(0);
            self.slice("E", "", hart, mode as u64, at)?;
        }
        self.raw("\n]}\n")?;
        let done = self.out.flush().and_then(|()| std::fs::rename(&self.temporary, &self.file));
        done.map_err(|e| CliError::file(&self.file, "write the trace", e))
    }
}
