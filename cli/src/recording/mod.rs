//! Recording runs, replaying them, and the commands for both.

pub mod bundle;
pub mod commands;
pub mod find;
pub mod second;
pub mod snapshot;

use std::cell::RefCell;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use emu_core::machine::Machine;
use replay::log::{Decision, End, Header, LogWriter, Parts, Position, Record};

use crate::console::output::Pending;
use crate::exit::CliError;

/// Virtual cycles between two marks: a hash of registers and devices takes microseconds, and an idle minute makes some 220 of them.
const MARKS: u64 = 1 << 28;

/// A log's bytes while they are also wanted in memory.
#[derive(Clone, Default)]
pub struct Bytes(Rc<RefCell<Vec<u8>>>);

impl Bytes {
    /// What was written so far.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.borrow_mut())
    }
}

impl Write for Bytes {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Keeps what enters a run. A file is written under a name of its own (`FILE.part`) until the run has ended; what a killed process leaves
/// there can be replayed.
pub struct Recorder {
    log: LogWriter<Pending>,
    /// What the user called it.
    file: PathBuf,
    next_mark: u64,
    /// Decisions so far, but for witnesses.
    pub decisions: usize,
}

/// The name under which a log is written until it is complete.
pub fn part(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

impl Recorder {
    /// Starts a log file.
    pub fn create(file: &Path, header: &Header) -> Result<Recorder, CliError> {
        Recorder::start(Pending::lasting(file, part, "log")?, file, header)
    }

    /// Starts a log in memory.
    pub fn memory(bytes: &Bytes, header: &Header) -> Result<Recorder, CliError> {
        Recorder::start(Pending::stream(Box::new(bytes.clone())), Path::new("(memory)"), header)
    }

    fn start(out: Pending, file: &Path, header: &Header) -> Result<Recorder, CliError> {
        let log = LogWriter::new(out, header).map_err(|e| CliError::file(file, "write the log", e))?;
        Ok(Recorder { log, file: file.to_owned(), next_mark: MARKS, decisions: 0 })
    }

    /// Notes a decision at the machine's present position, and sees that a kill does not lose it.
    pub fn note(&mut self, m: &Machine, what: Decision) -> Result<(), CliError> {
        if what == Decision::Reboot {
            self.next_mark = MARKS;
        }
        self.decisions += usize::from(!what.is_witness());
        let record = Record { at: Position::of(m), what };
        self.log.record(&record).and_then(|()| self.log.flush()).map_err(|e| CliError::file(&self.file, "write the log", e))
    }

    /// Leaves a mark if it is time for one.
    pub fn mark(&mut self, m: &mut Machine) -> Result<(), CliError> {
        if m.cycles() < self.next_mark {
            return Ok(());
        }
        self.next_mark = m.cycles().saturating_add(MARKS);
        let (hash, parts) = m.mark_hashes();
        let parts = Parts::from(parts);
        // The parts first: if they do not hold, they say more.
        let record = Record { at: Position::of(m), what: Decision::Parts(parts) };
        self.log.record(&record).map_err(|e| CliError::file(&self.file, "write the log", e))?;
        self.note(m, Decision::Mark(hash))
    }

    /// Ends the log and gives the file its name. `exact`: the run was stopped by the number of instructions.
    pub fn finish(self, m: &mut Machine, exact: bool, reason: &str) -> Result<[u8; 32], CliError> {
        let fail = |e| CliError::file(&self.file, "write the log", e);
        let hash = m.state_hash();
        let at = Position { exact, ..Position::of(m) };
        let end = End { at, reason: reason.to_owned(), hash, parts: Parts::all(m) };
        self.log.finish(&end).and_then(|mut out| out.finish()).map_err(fail)?;
        Ok(hash)
    }
}
