//! `trapeze trace`: the trap ledger of a run, as text, as lines of JSON, or for Perfetto; and the log of its instructions.

mod commits;
pub mod filter;
pub mod json;
pub mod links;
mod perfetto;

use std::io::{BufWriter, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use emu_core::machine::{Machine, RunEnd, Stop};
use emu_core::observer::{Both, Observer};
use replay::ledger::Ledger;
use replay::symbols::Symbols;

use crate::args::{RunArgs, TraceArgs};
use crate::config::Config;
use crate::exit::{CliError, Exit};
use crate::{entry, images, machine};
use filter::Filter;
use links::{Link, Linker, Numbered};

/// Cycles between looks at the ledger.
const SLICE: u64 = 1_000_000;
/// Entries that fit into it; a slice makes fewer.
const ROOM: usize = 4 << 20;

/// Entries that are held back at most until a trap among them has returned.
const HOLD: usize = 1 << 16;

/// Runs a guest and prints what its harts' traps did. A reader that has seen enough ends the run, and well.
pub fn run(args: &TraceArgs) -> Result<ExitCode, CliError> {
    match trace(args) {
        Err(CliError::Terminal { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => Ok(Exit::Ok.into()),
        result => result,
    }
}

fn trace(args: &TraceArgs) -> Result<ExitCode, CliError> {
    let run: RunArgs = crate::args::run_options(&args.run)?;
    let config = Config::resolve(&run)?;
    if let Some(file) = &args.commit_log {
        return commits::run(file, &config, args.console);
    }
    let symbols = images::symbols(args.symbols.as_deref(), &config)?;
    let mut guest = machine::build(&config)?;
    let filter = Filter::new(args, &guest, &symbols)?;
    // Before there is a file that a signal could leave half written.
    interrupts()?;
    let mut out = Output::new(args)?;
    let end = follow(&mut guest, &until(&config), args.console, &mut |e| {
        if filter.wants(&e.entry, &symbols) {
            out.put(&e, &symbols)?;
        }
        Ok(true)
    })?;
    out.finish()?;
    Ok(exit(&end).into())
}

/// Where a run ends by its configuration.
pub fn until(config: &Config) -> Stop {
    Stop { instret: config.limit.unwrap_or(u64::MAX), ..Stop::NEVER }
}

/// How a watched run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ended {
    /// The guest did.
    Over(RunEnd),
    /// Whoever watched has seen enough, or the place to stop at was reached.
    Stopped,
    /// A signal asked for it.
    Interrupted,
}

impl Ended {
    /// The guest's own end.
    pub fn over(&self) -> Option<&RunEnd> {
        match self {
            Ended::Over(end) => Some(end),
            _ => None,
        }
    }
}

/// A flag that signals which would end the process raise instead, so that what was seen until then can be written; a second one ends it.
fn interrupts() -> Result<Arc<AtomicBool>, CliError> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    let mut new = false;
    let asked = ASKED.get_or_init(|| {
        new = true;
        Arc::default()
    });
    if !new {
        return Ok(asked.clone());
    }
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
        // In this order: the first one finds the flag down.
        signal_hook::flag::register_conditional_shutdown(signal, Exit::Interrupt as i32, asked.clone())
            .and_then(|_| signal_hook::flag::register(signal, asked.clone()))
            .map_err(|source| CliError::Terminal { doing: "install signal handlers", source })?;
    }
    Ok(asked.clone())
}

/// Runs a guest to its end, to `stop`, or to a signal, with a ledger whose entries go to `put`, numbered and linked, until that says
/// false. Whoever observes the guest already goes on to, and hears the same, behind the ledger.
pub fn follow(
    guest: &mut Machine,
    stop: &Stop,
    console: bool,
    put: &mut dyn FnMut(Numbered) -> Result<bool, CliError>,
) -> Result<Ended, CliError> {
    let ledger = Ledger::new(ROOM);
    let mine = Box::new(ledger.clone());
    let both = match guest.clear_observer() {
        Some(other) => Box::new(Both(mine, other)),
        None => mine as Box<dyn Observer>,
    };
    guest.set_observer(both);
    let mut linker = Linker::new(HOLD);
    let mut on = true;
    let end = slices(guest, stop, console, &mut || {
        for entry in ledger.take() {
            linker.put(entry);
            while on && let Some(e) = linker.take(false) {
                on = put(e)?;
            }
        }
        Ok(on)
    })?;
    while on && let Some(e) = linker.take(true) {
        on = put(e)?;
    }
    if ledger.dropped() > 0 {
        return Err(CliError::Mismatch(format!("{} entries were lost: more than {ROOM} in one slice", ledger.dropped())));
    }
    Ok(end)
}

/// Runs a guest in slices, with a look after each that says whether to go on.
fn slices(
    guest: &mut Machine,
    stop: &Stop,
    console: bool,
    look: &mut dyn FnMut() -> Result<bool, CliError>,
) -> Result<Ended, CliError> {
    let asked = interrupts()?;
    let there = |g: &Machine| {
        g.instret() >= stop.instret || stop.hart.is_some_and(|(i, n)| g.harts().get(i).is_none_or(|h| h.instret >= n))
    };
    loop {
        if there(guest) {
            return Ok(Ended::Stopped);
        }
        let end = guest.run_until(&Stop { cycles: guest.cycles().saturating_add(SLICE), ..*stop });
        let on = look()?;
        let text = guest.take_console_output();
        if console && !text.is_empty() {
            // A closed standard error is no reason to end the trace.
            let _ = std::io::stderr().write_all(&text);
        }
        if end != RunEnd::Limit {
            return Ok(Ended::Over(end));
        }
        if !on {
            return Ok(Ended::Stopped);
        }
        if asked.load(Ordering::Relaxed) {
            return Ok(Ended::Interrupted);
        }
    }
}

/// The exit code of a run that was only watched.
pub fn exit(end: &Ended) -> Exit {
    match end {
        Ended::Stopped => Exit::Limit,
        Ended::Interrupted => Exit::Interrupt,
        Ended::Over(RunEnd::PowerOff(0) | RunEnd::HtifExit(0) | RunEnd::Reset) => Exit::Ok,
        Ended::Over(RunEnd::PowerOff(_) | RunEnd::HtifExit(_)) => Exit::Guest,
        Ended::Over(_) => Exit::Unsupported,
    }
}

/// Where the entries go, and in which form.
enum Output {
    Text { out: BufWriter<std::io::Stdout>, long: bool },
    Json(BufWriter<std::io::Stdout>),
    Perfetto(perfetto::Trace),
}

impl Output {
    fn new(args: &TraceArgs) -> Result<Output, CliError> {
        let mut out = BufWriter::new(std::io::stdout());
        Ok(match (&args.perfetto, args.json) {
            (Some(file), _) => Output::Perfetto(perfetto::Trace::create(file)?),
            (None, true) => {
                written(writeln!(out, "{}", json::HEADER))?;
                Output::Json(out)
            }
            (None, false) => Output::Text { out, long: args.long },
        })
    }

    fn put(&mut self, e: &Numbered, symbols: &Symbols) -> Result<(), CliError> {
        match self {
            Output::Text { out, long } => {
                written(writeln!(out, "{}", text(e, symbols)))?;
                if *long {
                    for line in entry::more(&e.entry, symbols) {
                        written(writeln!(out, "    {line}"))?;
                    }
                }
                Ok(())
            }
            Output::Json(out) => written(writeln!(out, "{}", json::line(e, symbols))),
            Output::Perfetto(trace) => trace.put(e),
        }
    }

    fn finish(self) -> Result<(), CliError> {
        match self {
            Output::Text { mut out, .. } | Output::Json(mut out) => written(out.flush()),
            Output::Perfetto(trace) => trace.finish(),
        }
    }
}

/// An entry in one line, with its number and links.
pub fn text(e: &Numbered, symbols: &Symbols) -> String {
    let link = |l: &Link, verb: &str| format!("  ({verb} #{} after {} instructions)", l.n, l.instructions);
    let links = e.ends.map_or(String::new(), |l| link(&l, "ends")) + &e.ended.map_or(String::new(), |l| link(&l, "ended by"));
    let line = entry::text(&e.entry, symbols, |_| true);
    format!("#{} hart {} @{} {line}{links}", e.number, e.entry.hart(), e.entry.instret())
}

fn written(r: std::io::Result<()>) -> Result<(), CliError> {
    r.map_err(|source| CliError::Terminal { doing: "write the trace", source })
}
