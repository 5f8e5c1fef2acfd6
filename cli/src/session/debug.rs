//! The debugger's side of a running guest.

use std::collections::VecDeque;
use std::path::Path;

use emu_core::engine::breaks::Hit;
use emu_core::machine::{Machine, RunEnd};
use emu_core::observer::Both;
use replay::ledger::{Entry, FieldName, Ledger, last_writer};
use replay::log::Decision;

use super::{End, Session};
use crate::exit::CliError;
use crate::gdb::listen::{self, Inbound, Place};
use crate::gdb::{self, Advance, Guest, Resume, Say, Served, Stops, Writer};

/// Entries that `monitor traps` and `monitor why` can look back on: some seconds of a busy Linux.
const KEPT: usize = 20_000;

/// What a session keeps for debuggers.
#[derive(Default)]
pub struct Debug {
    /// What has come from the debugger and is not handled yet.
    pub(super) inbox: VecDeque<Inbound>,
    /// The guest stands still until a debugger has come and gone.
    pub(super) halted: bool,
    /// A hart stopped in the middle of its turn: not a place where anything may enter a recorded run.
    pub(super) inside: bool,
    /// Typed bytes that wait for the end of that turn.
    pub(super) held: Vec<u8>,
    /// What is set.
    stops: Stops,
    /// What happened lately, while a debugger is there.
    recent: Option<Ledger>,
    /// Somebody else observes the run as well.
    shared: bool,
}

impl Debug {
    /// Whether a debugger is there.
    pub(super) fn is_attached(&self) -> bool {
        self.recent.is_some()
    }
}

impl Session {
    /// Listens for debuggers. With `freeze` the guest waits for one.
    pub fn listen(&mut self, place: &Place, freeze: bool) -> Result<(), CliError> {
        let name = listen::start(place, self.sender.clone())?;
        self.debug.halted = freeze;
        let wait = if freeze { "; the guest waits for it" } else { "" };
        self.tell(&format!("trapeze: listening for GDB at {name}{wait}"));
        Ok(())
    }

    /// A line for the person at the terminal, not for the guest's output.
    fn tell(&self, text: &str) {
        let end = if self.raw.is_some() { "\r\n" } else { "\n" };
        // Standard error may be closed; nothing depends on it.
        let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{text}{end}"));
    }

    /// Serves a debugger that has come. Gives the end of the run, if it ended it.
    pub(super) fn debugger(&mut self) -> Result<Option<End>, CliError> {
        match self.debug.inbox.pop_front() {
            Some(Inbound::Connected(stream)) => {
                let served = gdb::serve(self, stream)?;
                self.debug.halted = false;
                Ok(match served {
                    Served::Detached => None,
                    Served::Killed => Some(End::Quit),
                    Served::Ended(end) => Some(end),
                })
            }
            // The rest of a connection that was given up.
            _ => Ok(None),
        }
    }

    /// Has these entries kept, beside whom the run tells already.
    fn listen_in(&mut self, recent: &Ledger) {
        let recent = Box::new(recent.clone());
        let before = self.machine.clear_observer();
        self.debug.shared = before.is_some();
        match before {
            Some(o) => self.machine.set_observer(Box::new(Both(o, recent))),
            None => self.machine.set_observer(recent),
        }
    }

    /// Brings a fresh machine to where the debugger had the last one.
    pub(super) fn renew_debug(&mut self) {
        self.debug.inside = false;
        if let Some(r) = self.debug.recent.clone() {
            self.listen_in(&r);
            self.debug.stops.apply(&mut self.machine);
        }
    }

    /// How a stop is told.
    pub(super) fn stopped(&self, hart: usize, hit: Hit) -> Advance {
        self.debug.stops.stop(&self.machine, hart, hit)
    }
}

impl Guest for Session {
    fn look(&self) -> &Machine {
        &self.machine
    }

    fn inspect(&mut self) -> &mut Machine {
        &mut self.machine
    }

    fn change(&mut self) -> &mut Machine {
        &mut self.machine
    }

    fn is_fixed(&self) -> Option<&'static str> {
        self.recorder.as_ref().map(|_| "a run that is being recorded takes no changes from a debugger")
    }

    fn has_history(&self) -> bool {
        false
    }

    fn attach(&mut self) {
        let recent = Ledger::rolling(KEPT);
        self.listen_in(&recent);
        self.debug.recent = Some(recent);
    }

    fn detach(&mut self) {
        if let Some(r) = self.debug.recent.take() {
            r.close();
        }
        self.debug.stops = Stops::default();
        if !self.debug.shared {
            self.machine.clear_observer();
        }
        self.machine.set_breaks(&[], &[]);
        self.anchor = (self.machine.cycles(), std::time::Instant::now());
    }

    fn poll(&mut self) -> Result<(), CliError> {
        self.take_events()
    }

    fn wait_for_more(&mut self) -> Result<(), CliError> {
        self.wait(None)
    }

    fn take_stop(&mut self) -> Option<End> {
        self.stop.take()
    }

    fn inbound(&mut self) -> Option<Inbound> {
        self.debug.inbox.pop_front()
    }

    fn resume(&mut self, stops: Stops, resume: &Resume) {
        stops.apply(&mut self.machine);
        for (hart, from, to) in &resume.steps {
            self.machine.set_step(*hart, *from, *to);
        }
        self.debug.stops = stops;
        self.anchor = (self.machine.cycles(), std::time::Instant::now());
    }

    fn advance(&mut self) -> Result<Advance, CliError> {
        if self.monitor.is_some() {
            // The person at the terminal looks at a machine that stands still.
            self.wait(None)?;
            return Ok(Advance::Going);
        }
        self.go_on()
    }

    fn recent(&mut self, count: usize, hart: Option<usize>, _say: Say<'_>) -> Result<Vec<Entry>, CliError> {
        let mut all = self.debug.recent.as_ref().map(Ledger::entries).unwrap_or_default();
        all.retain(|e| hart.is_none_or(|h| h == e.hart()));
        all.drain(..all.len().saturating_sub(count));
        Ok(all)
    }

    fn last_writer(&mut self, hart: usize, field: &FieldName, say: Say<'_>) -> Result<Writer, CliError> {
        let all = self.recent(usize::MAX, None, say)?;
        Ok(match last_writer(&all, hart, field) {
            Some((i, before, after)) => Ok((all[i].clone(), before, after)),
            None => Err(format!(
                "none of the {} entries since the debugger came changed it; trapeze debug knows the whole run\n",
                all.len()
            )),
        })
    }

    fn violations(&self) -> Option<Vec<String>> {
        self.check.as_ref().map(|c| c.told().to_vec())
    }

    fn back_to(&mut self, _of: &str, _hart: usize, _say: Say<'_>) -> Result<String, CliError> {
        Ok(NO_HISTORY.to_owned())
    }

    fn position(&self) -> String {
        format!("{}\n", place(&self.machine))
    }

    fn checkpoints(&self) -> String {
        NO_HISTORY.to_owned()
    }

    fn go_to(&mut self, _boot: Option<u32>, _place: replay::timeline::Place, _say: Say<'_>) -> Result<String, CliError> {
        Ok(NO_HISTORY.to_owned())
    }

    fn save(&mut self, file: &Path) -> String {
        self.saved(file)
    }

    fn inject(&mut self, name: &str, args: &[u64]) -> Result<(), String> {
        if self.recorder.is_some() && self.debug.inside {
            return Err(
                "a hart is in the middle of its turn, where a recording takes nothing; stop with Ctrl-C instead".to_owned()
            );
        }
        self.machine.inject(name, args).map_err(|e| e.to_string())?;
        self.note(Decision::Inject { name: name.to_owned(), args: args.to_vec() }).map_err(|e| e.to_string())
    }

    fn go_live(&mut self) -> String {
        "it is\n".to_owned()
    }
}

/// What commands about time say without one.
const NO_HISTORY: &str = "this run has no history: start it with trapeze debug\n";

/// Where a machine is, in words.
pub fn place(m: &Machine) -> String {
    let harts = m.harts().iter().fold(String::new(), |s, h| format!("{s}, hart {} at {}", h.id, h.instret));
    format!("instruction {} ({} cycles{harts})", m.instret(), m.cycles())
}

impl End {
    /// What a debugger is told as the exit code.
    pub fn code(&self) -> u8 {
        match self {
            End::Machine(RunEnd::PowerOff(c)) => *c as u8,
            End::Machine(RunEnd::HtifExit(c)) => *c as u8,
            End::Machine(RunEnd::Reset) | End::Quit | End::OutputGone => 0,
            End::Violation => crate::exit::Exit::Violation as u8,
            End::Limit => crate::exit::Exit::Limit as u8,
            End::Machine(_) => crate::exit::Exit::Unsupported as u8,
            End::Signal(_) => crate::exit::Exit::Interrupt as u8,
        }
    }
}
