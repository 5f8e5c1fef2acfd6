//! A guest running on the host's terminal: slices of virtual time, and between them typed bytes in, console bytes out.
//!
//! Only the positions of typed bytes depend on the host. With no input, a run is a function of its configuration.

mod debug;

pub use debug::place;

use std::path::Path;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use emu_core::machine::{Machine, RunEnd};

use crate::check::Check;
use crate::console::escape::{self, Escape, Key};
use crate::console::input::{self, Event};
use crate::console::output::{self, Reader};
use crate::console::raw::Raw;
use crate::exit::CliError;
use crate::gdb::Advance;
use crate::monitor::{self, Editor, Reply};
use crate::recording::Recorder;
use crate::recording::snapshot::Point;
use replay::log::Decision;
use replay::snapshot::Id;

/// Why a run ended.
#[derive(Debug)]
pub enum End {
    /// The machine stopped.
    Machine(RunEnd),
    /// The instruction limit was reached.
    Limit,
    /// The user asked (Ctrl-A x, monitor's quit).
    Quit,
    /// A signal asked.
    Signal(i32),
    /// Nobody reads standard output any more.
    OutputGone,
    /// An oracle was violated.
    Violation,
}

/// What makes a machine like the first, for a guest that reboots.
pub type Rebuild = Box<dyn Fn() -> Result<Machine, CliError>>;

/// What the run needs to know besides the machine.
pub struct Options {
    /// How a rebooted guest starts again; without, a reboot ends the run.
    pub rebuild: Option<Rebuild>,
    /// Instructions over all harts after which to stop.
    pub limit: Option<u64>,
    /// Wait for the host's clock when the guest is idle and someone may type.
    pub throttle: bool,
    /// Cycles in a virtual second.
    pub cycle_hz: u64,
}

/// Saves a machine to a file; gives the snapshot's name.
pub type Save = Box<dyn Fn(&mut Machine, &Path) -> Result<Id, CliError>>;

/// A running guest and who talks to it.
pub struct Session {
    machine: Machine,
    options: Options,
    events: Receiver<Event>,
    /// Where more events can come from.
    sender: Sender<Event>,
    /// The debugger's side of the run.
    debug: debug::Debug,
    raw: Option<Raw>,
    /// Whether more input may come.
    open: bool,
    escape: Escape,
    /// The line being typed, while the monitor has the keyboard.
    monitor: Option<Editor>,
    stop: Option<End>,
    /// Cycles of the next slice, found by how long the last took.
    slice: u64,
    /// Instructions before the last reboot.
    before: u64,
    /// The last byte the guest printed.
    last: u8,
    /// Who keeps what enters the run.
    recorder: Option<Recorder>,
    /// Who checks the run.
    check: Option<Check>,
    /// Snapshots to be made, the next one last, and who makes them.
    points: Vec<Point>,
    save: Option<Save>,
    /// Virtual and host time of the moment from which idle time is measured.
    anchor: (u64, Instant),
}

impl Session {
    /// Takes over the terminal.
    pub fn new(machine: Machine, options: Options) -> Result<Session, CliError> {
        let raw = Raw::enter()?;
        let (sender, events) = input::start()?;
        let anchor = (machine.cycles(), Instant::now());
        Ok(Session {
            machine,
            options,
            events,
            sender,
            debug: debug::Debug::default(),
            raw,
            open: true,
            escape: Escape::default(),
            monitor: None,
            stop: None,
            slice: 100_000,
            before: 0,
            last: b'\n',
            recorder: None,
            check: None,
            points: Vec::new(),
            save: None,
            anchor,
        })
    }

    /// The machine, for the final report.
    pub fn machine(&mut self) -> &mut Machine {
        &mut self.machine
    }

    /// Keeps what enters the run from here on, which must be its start.
    pub fn record(&mut self, recorder: Recorder) {
        self.recorder = Some(recorder);
    }

    /// The recorder, to end its log.
    pub fn recorder(&mut self) -> Option<Recorder> {
        self.recorder.take()
    }

    /// Has the run checked from here on.
    pub fn check(&mut self, mut check: Check) {
        check.attach(&mut self.machine);
        self.check = Some(check);
    }

    /// Who has checked the run, once it has ended so.
    pub fn checked(&mut self, end: &End) -> Option<Check> {
        let mut check = self.check.take()?;
        let machine = if let End::Machine(m) = end { Some(m) } else { None };
        check.end(&self.machine, machine);
        Some(check)
    }

    /// Has snapshots made at these moments, in order, and when the monitor asks for one.
    pub fn save_at(&mut self, points: Vec<Point>, save: Save) {
        self.points = points.into_iter().rev().collect();
        self.save = Some(save);
    }

    /// The first snapshot that the run did not come to.
    pub fn unsaved(&mut self) -> Option<Point> {
        self.points.pop()
    }

    /// Makes the snapshots that are due.
    fn save_due(&mut self) -> Result<(), CliError> {
        while let (Some(p), Some(save)) = (self.points.last(), &self.save) {
            if self.before + self.machine.instret() < p.instret {
                break;
            }
            save(&mut self.machine, &p.file)?;
            self.points.pop();
        }
        Ok(())
    }

    /// Goes on with a fresh machine after the guest rebooted; the limit counts on.
    fn reboot(&mut self, machine: Machine) -> Result<(), CliError> {
        self.note(Decision::Reboot)?;
        self.before += self.machine.instret();
        if let Some(check) = &mut self.check {
            check.end(&self.machine, Some(&RunEnd::Reset));
            self.machine = machine;
            check.attach(&mut self.machine);
        } else {
            self.machine = machine;
        }
        self.renew_debug();
        self.anchor = (self.machine.cycles(), Instant::now());
        Ok(())
    }

    fn note(&mut self, what: Decision) -> Result<(), CliError> {
        match &mut self.recorder {
            Some(r) => r.note(&self.machine, what),
            None => Ok(()),
        }
    }

    /// Bytes from outside enter the machine here and nowhere else.
    fn input(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        if self.debug.inside {
            self.debug.held.extend_from_slice(bytes);
            return Ok(());
        }
        self.note(Decision::Input(bytes.to_vec()))?;
        self.machine.console_input(bytes);
        Ok(())
    }

    /// Whether the guest's last console byte ended a line.
    pub fn at_line_start(&self) -> bool {
        self.last == b'\n'
    }

    /// Runs to the end.
    pub fn run(&mut self) -> Result<End, CliError> {
        loop {
            self.take_events()?;
            if let Some(end) = self.stop.take() {
                return Ok(end);
            }
            if self.monitor.is_some() {
                self.wait(None)?;
                continue;
            }
            if let Some(end) = self.debugger()? {
                return Ok(end);
            }
            if self.debug.halted {
                self.wait(None)?;
                continue;
            }
            if let Advance::Ended(end) = self.go_on()? {
                return Ok(end);
            }
        }
    }

    /// One slice and what follows from it.
    fn go_on(&mut self) -> Result<Advance, CliError> {
        // The limit counts on over reboots; the machine counts from its own start.
        let limit = self.options.limit.map_or(u64::MAX, |l| l.saturating_sub(self.before));
        self.save_due()?;
        if self.machine.instret() >= limit {
            return Ok(Advance::Ended(End::Limit));
        }
        let next = self.points.last().map_or(u64::MAX, |p| p.instret.saturating_sub(self.before));
        let end = self.slice(limit.min(next));
        let violated = self.check.as_ref().is_some_and(Check::stopped);
        self.debug.inside = violated || matches!(end, RunEnd::Break { .. });
        if let Some(r) = &mut self.recorder
            && !self.debug.inside
        {
            r.mark(&mut self.machine)?;
        }
        if self.flush()? == Reader::Gone {
            return Ok(Advance::Ended(End::OutputGone));
        }
        if let Some(check) = self.check.as_mut().filter(|_| violated && self.debug.is_attached()) {
            let (hart, text) = check.pass(&self.machine);
            return Ok(Advance::Said(text, crate::gdb::trapped(hart)));
        }
        if let Some(check) = &mut self.check {
            let newline = if self.last == b'\n' { "" } else { "\n" };
            if check.look(&self.machine, newline, self.raw.is_some()) {
                return Ok(Advance::Ended(End::Violation));
            }
        }
        match end {
            RunEnd::Limit => self.throttle()?,
            RunEnd::Break { hart, hit } => return Ok(self.stopped(hart, hit)),
            // Only a typed byte can wake the guest; wait for one without burning the host's time.
            RunEnd::AllAsleep { .. } if self.open => self.wait(None)?,
            RunEnd::Reset if self.options.rebuild.is_some() => {
                if let Some(rebuild) = &self.options.rebuild {
                    let machine = rebuild()?;
                    self.reboot(machine)?;
                }
            }
            end => return Ok(Advance::Ended(End::Machine(end))),
        }
        if !self.debug.held.is_empty() {
            let held = std::mem::take(&mut self.debug.held);
            self.input(&held)?;
        }
        Ok(Advance::Going)
    }

    /// Runs for a while: about 10 ms of the host's time and never more than 10 ms of the guest's while someone may type. How
    /// long exactly changes nothing for the guest.
    fn slice(&mut self, limit: u64) -> RunEnd {
        let most = (self.options.cycle_hz / if self.open { 100 } else { 1 }).max(1);
        self.slice = self.slice.clamp(10_000, most.max(10_000));
        let began = Instant::now();
        let end = self.machine.run_for(self.machine.cycles().saturating_add(self.slice), limit);
        let took = began.elapsed();
        if took < Duration::from_millis(5) {
            self.slice = self.slice.saturating_mul(2);
        } else if took > Duration::from_millis(20) {
            self.slice /= 2;
        }
        end
    }

    /// Handles everything that has come in meanwhile.
    fn take_events(&mut self) -> Result<(), CliError> {
        loop {
            match self.events.try_recv() {
                Ok(e) => self.event(e)?,
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => {
                    self.open = false;
                    return Ok(());
                }
            }
        }
    }

    /// Waits for something from outside, for a while or for as long as it takes.
    fn wait(&mut self, most: Option<Duration>) -> Result<(), CliError> {
        let got = match most {
            Some(d) => self.events.recv_timeout(d),
            None => self.events.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match got {
            Ok(e) => self.event(e),
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => {
                self.open = false;
                Ok(())
            }
        }
    }

    fn event(&mut self, e: Event) -> Result<(), CliError> {
        match e {
            Event::Bytes(bytes) if self.raw.is_none() => self.input(&bytes)?,
            Event::Bytes(bytes) => {
                for b in bytes {
                    self.typed(b)?;
                }
            }
            Event::End => self.open = false,
            Event::Stop(signal) => self.stop = Some(End::Signal(signal)),
            Event::Debugger(i) => self.debug.inbox.push_back(i),
            Event::Continued => {
                if let Some(raw) = &self.raw {
                    raw.again();
                }
            }
        }
        // An end of input leaves a monitor nobody can talk to.
        if !self.open {
            self.monitor = None;
        }
        Ok(())
    }

    fn typed(&mut self, byte: u8) -> Result<(), CliError> {
        match self.escape.feed(byte) {
            Key::Nothing => {}
            Key::Quit => self.stop = Some(End::Quit),
            Key::Help => self.say(escape::HELP)?,
            Key::Monitor if self.monitor.is_some() => self.leave_monitor()?,
            Key::Monitor => {
                self.monitor = Some(Editor::default());
                self.say("\nmonitor ('help' lists the commands, 'continue' goes back to the guest)\n> ")?;
            }
            Key::Guest(b) => match &mut self.monitor {
                None => self.input(&[b])?,
                Some(editor) => {
                    let (echo, line) = editor.feed(b);
                    self.reader(output::write(&echo)?);
                    if let Some(line) = line {
                        self.command(&line)?;
                    }
                }
            },
        }
        Ok(())
    }

    fn command(&mut self, line: &str) -> Result<(), CliError> {
        match monitor::run(line, self.machine.harts(), self.machine.bus()) {
            Reply::Quit => self.stop = Some(End::Quit),
            Reply::Continue => return self.leave_monitor(),
            Reply::Hash => {
                let hash = crate::report::hex(&self.machine.state_hash());
                self.say(&format!("{hash}\n> "))?;
            }
            Reply::Inject(name, args) => {
                let answer = if self.debug.inside {
                    "refused: the debugger has stopped a hart in the middle of its turn".to_owned()
                } else if let Err(e) = self.machine.inject(name, &args) {
                    format!("refused: {e}")
                } else {
                    self.note(Decision::Inject { name: name.into(), args })?;
                    "done".to_owned()
                };
                self.say(&format!("{answer}\n> "))?;
            }
            Reply::Snapshot(file) => {
                let answer = self.saved(&file);
                self.say(&format!("{answer}\n> "))?;
            }
            Reply::Text(t) => self.say(&format!("{t}> "))?,
        }
        Ok(())
    }

    /// Saves the machine as it is; what came of it, in words.
    fn saved(&mut self, file: &Path) -> String {
        match &self.save {
            None => "this run cannot be saved".to_owned(),
            Some(save) => match save(&mut self.machine, file) {
                Ok(id) => format!("saved: {} (id {})", file.display(), crate::report::hex(&id)),
                Err(e) => e.to_string(),
            },
        }
    }

    fn leave_monitor(&mut self) -> Result<(), CliError> {
        self.monitor = None;
        self.anchor = (self.machine.cycles(), Instant::now());
        self.say("\n")
    }

    fn say(&mut self, text: &str) -> Result<(), CliError> {
        let reader = output::write(text.as_bytes())?;
        self.reader(reader);
        Ok(())
    }

    fn reader(&mut self, r: Reader) {
        if r == Reader::Gone {
            self.stop = Some(End::OutputGone);
        }
    }

    fn flush(&mut self) -> Result<Reader, CliError> {
        let bytes = self.machine.take_console_output();
        let Some(last) = bytes.last() else { return Ok(Reader::There) };
        self.last = *last;
        output::write(&bytes)
    }

    /// Sleeps while virtual time is ahead of the host's, so that an idle guest waits as a person expects. A guest that was
    /// slower than the host's clock does not catch up: its next second of idleness lasts a second again.
    fn throttle(&mut self) -> Result<(), CliError> {
        if !self.open || !self.options.throttle {
            return Ok(());
        }
        let (cycles, since) = self.anchor;
        let ran = (self.machine.cycles() - cycles) as u128 * 1_000_000_000 / self.options.cycle_hz as u128;
        let virtual_time = Duration::from_nanos(u64::try_from(ran).unwrap_or(u64::MAX));
        let host = since.elapsed();
        match virtual_time.checked_sub(host) {
            Some(ahead) if ahead > Duration::from_millis(1) => self.wait(Some(ahead)),
            Some(_) => Ok(()),
            None => {
                self.anchor = (self.machine.cycles(), Instant::now());
                Ok(())
            }
        }
    }
}
