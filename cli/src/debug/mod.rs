//! `trapeze debug`: a run with a history, for a debugger that goes forwards and backwards.

mod guest;

use std::collections::VecDeque;
use std::process::ExitCode;
use std::rc::Rc;

use crossbeam::channel::{Receiver, Sender};
use replay::ReplayError;
use replay::log::Decision;
use replay::oracle::{Monitor, OnViolation, find as find_oracle};
use replay::symbols::Symbols;
use replay::timeline::{Boot, Options, Timeline};

use crate::args::DebugArgs;
use crate::config::Config;
use crate::console::escape::{self, Escape, Key};
use crate::console::input::Event;
use crate::console::output::{self, Reader};
use crate::console::raw::Raw;
use crate::exit::{CliError, Exit};
use crate::gdb::listen::{self, Inbound};
use crate::gdb::{self, Advance, Guest, Resume, Served, Stops};
use crate::recording::{bundle, find};
use crate::session::End;
use crate::{check, images, machine};

/// A run that can be moved along, who types to it and who debugs it.
pub struct Travel {
    timeline: Timeline,
    config: Config,
    /// Names of addresses, for violations and answers.
    symbols: Symbols,
    events: Receiver<Event>,
    /// Where a debugger's connections come in, until they do.
    sender: Option<Sender<Event>>,
    raw: Option<Raw>,
    /// Whether more input may come.
    open: bool,
    escape: Escape,
    stop: Option<End>,
    inbox: VecDeque<Inbound>,
    /// Whether the run goes on by itself, so that typed bytes may enter it; not while a recording is replayed.
    live: bool,
    /// Whether the person at the terminal was told that bytes are not taken.
    told_typist: bool,
    /// The machine stands still until a debugger has come and gone.
    halted: bool,
    attached: bool,
    stops: Stops,
    want: Resume,
    told: Option<replay::debug::Told>,
}

/// Runs the command.
pub fn run(a: &DebugArgs) -> Result<ExitCode, CliError> {
    // What a bundle holds stays unpacked to the end: a guest that reboots reads its images again.
    let mut a = a.clone();
    let (config, log, _unpacked) = match (&a.replay, a.run.is_empty()) {
        (Some(what), true) => {
            let opened = bundle::open(what)?;
            let (log, mut places) = (opened.log, opened.places);
            places.extend(a.images.iter().cloned());
            log.header.check("log").map_err(CliError::replay)?;
            (find::config(&log.header, &places)?, Some(log), opened.unpacked)
        }
        (None, false) => {
            let options = crate::args::run_options(&a.run)?;
            // They may stand on either side.
            a.check = a.check.or_else(|| options.check.clone());
            a.exempt = a.exempt.or_else(|| options.exempt.clone());
            a.symbols = a.symbols.or_else(|| options.symbols.clone());
            (Config::resolve(&options)?, None, None)
        }
        _ => {
            return Err(CliError::usage(
                "trapeze debug needs either --replay FILE or the options of a run",
                "trapeze debug --replay FILE, or trapeze debug -- -kernel FILE ...",
            ));
        }
    };
    // A history is made of forks, so no drive may write to its file.
    find::header(&config)?;
    let again = config.at_start();
    let boot: Boot = Rc::new(move || machine::build(&again).map_err(|e| ReplayError::Machine(e.to_string())));
    let options = Options {
        memory: a.checkpoint_memory,
        spacing: a.spacing.max(1 << 12),
        boot: (log.is_some() || !config.no_reboot).then_some(boot),
        ..Options::default()
    };
    let machine = machine::build(&config)?;
    let timeline = match &log {
        Some(log) => Timeline::replaying(machine, log, options),
        None => Timeline::new(machine, options),
    };
    let mut timeline = timeline.map_err(CliError::replay)?;
    let symbols = images::symbols(a.symbols.as_deref(), &config)?;
    if let Some(list) = &a.check {
        let chosen = check::chosen("--check", list)?;
        if find_oracle("determinism").is_some_and(|i| chosen.has(i)) {
            return Err(CliError::usage(
                "option --check: a debugged run is executed once",
                "use trapeze run --check determinism",
            ));
        }
        let exempt = a.exempt.as_deref().map_or(Ok(Vec::new()), check::exemptions)?;
        let monitor = Monitor::new(timeline.machine(), chosen, OnViolation::Stop, exempt);
        timeline.check(monitor);
    } else if a.exempt.is_some() {
        return Err(CliError::usage("option --exempt without --check", "add --check all"));
    }
    let mut travel = Travel::new(timeline, config, symbols, log.is_none())?;
    if let Some(n) = a.at {
        // The run may end before that.
        let there = travel.go_to(Some(n.boot), n, &mut |_| {})?;
        let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("trapeze: {}\n", there.trim_end()));
    }
    let (sender, raw) = (travel.sender.take(), travel.raw.is_some());
    if let Some(sender) = sender {
        let name = listen::start(&a.gdb, sender)?;
        let end = if raw { "\r\n" } else { "\n" };
        // Standard error may be closed; nothing depends on it.
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("trapeze: listening for GDB at {name}; the guest waits for it{end}"),
        );
    }
    let end = travel.run()?;
    drop(travel);
    Ok(match end {
        End::Signal(_) => Exit::Interrupt,
        _ => Exit::Ok,
    }
    .into())
}

impl Travel {
    /// Runs to the end.
    fn run(&mut self) -> Result<End, CliError> {
        loop {
            self.poll()?;
            if let Some(end) = self.stop.take() {
                return Ok(end);
            }
            if let Some(Inbound::Connected(stream)) = self.inbox.pop_front() {
                match gdb::serve(self, stream)? {
                    Served::Detached => self.halted = false,
                    Served::Killed => return Ok(End::Quit),
                    Served::Ended(end) => return Ok(end),
                }
                continue;
            }
            if self.halted {
                self.wait_for_more()?;
                continue;
            }
            if let Advance::Ended(end) = self.advance()? {
                return Ok(end);
            }
        }
    }

    fn event(&mut self, e: Event) -> Result<(), CliError> {
        match e {
            Event::Bytes(bytes) if self.raw.is_none() => self.input(&bytes)?,
            Event::Bytes(bytes) => {
                for b in bytes {
                    match self.escape.feed(b) {
                        Key::Nothing => {}
                        Key::Quit => self.stop = Some(End::Quit),
                        Key::Help | Key::Monitor => self.say(escape::HELP)?,
                        Key::Guest(b) => self.input(&[b])?,
                    }
                }
            }
            Event::End => self.open = false,
            Event::Stop(signal) => self.stop = Some(End::Signal(signal)),
            Event::Debugger(i) => self.inbox.push_back(i),
            Event::Continued => {
                if let Some(raw) = &self.raw {
                    raw.again();
                }
            }
        }
        Ok(())
    }

    /// Typed bytes become part of the run where it is now.
    fn input(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        if self.live && self.timeline.to_come() == 0 {
            return self.timeline.decide(Decision::Input(bytes.to_vec())).map_err(CliError::replay);
        }
        if !std::mem::replace(&mut self.told_typist, true) {
            self.say("\ntrapeze: this part of the run is replayed and takes no bytes ('monitor live' in GDB lets it go on by itself)\n")?;
        }
        Ok(())
    }

    fn say(&mut self, text: &str) -> Result<(), CliError> {
        self.print(text.as_bytes())
    }

    fn print(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        if output::write(bytes)? == Reader::Gone {
            self.stop = Some(End::OutputGone);
        }
        Ok(())
    }
}
