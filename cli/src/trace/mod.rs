//! `trapeze trace`: the trap ledger of a run, as text, as lines of JSON, or for Perfetto.

mod filter;
mod json;
mod perfetto;

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use emu_core::machine::RunEnd;
use replay::ledger::{Entry, Ledger};
use replay::symbols::Symbols;

use crate::args::{RunArgs, TraceArgs};
use crate::config::Config;
use crate::exit::{CliError, Exit};
use crate::{entry, images, machine};
use filter::Filter;

/// Cycles between looks at the ledger.
const SLICE: u64 = 1_000_000;
/// Entries that fit into it; a slice makes fewer.
const ROOM: usize = 4 << 20;

/// An entry with what only the whole run tells.
pub struct Numbered {
    /// Position in the ledger, from 0, over all harts.
    pub number: u64,
    /// For a return: the number of the trap that it ends, and instructions since.
    pub ends: Option<(u64, u64)>,
    /// The entry.
    pub entry: Entry,
}

/// Runs a guest and prints what its harts' traps did.
pub fn run(args: &TraceArgs) -> Result<ExitCode, CliError> {
    let run: RunArgs = crate::args::run_options(&args.run)?;
    let config = Config::resolve(&run)?;
    let filter = Filter::new(args)?;
    let symbols = symbols(args, &config)?;
    let mut guest = machine::build(&config)?;
    let ledger = Ledger::new(ROOM);
    guest.set_observer(Box::new(ledger.clone()));
    let mut out = Output::new(args)?;
    let mut matcher = Matcher::new(guest.harts().len());
    let mut number = 0;
    let end = loop {
        let left = config.limit.map(|l| l.saturating_sub(guest.instret()));
        if left == Some(0) {
            break None;
        }
        let cycles = left.map_or(SLICE, |l| SLICE.min(l.div_ceil(guest.harts().len() as u64)));
        let end = guest.run(guest.cycles() + cycles);
        for entry in ledger.take() {
            let ends = matcher.see(number, &entry);
            let e = Numbered { number, ends, entry };
            number += 1;
            if filter.wants(&e.entry, &symbols) {
                out.put(&e, &symbols)?;
            }
        }
        let console = guest.take_console_output();
        if args.console && !console.is_empty() {
            // A closed standard error is no reason to end the trace.
            let _ = std::io::stderr().write_all(&console);
        }
        if end != RunEnd::Limit {
            break Some(end);
        }
    };
    out.finish()?;
    if ledger.dropped() > 0 {
        return Err(CliError::Mismatch(format!("{} entries were lost: more than {ROOM} in one slice", ledger.dropped())));
    }
    Ok(match end {
        None => Exit::Limit,
        Some(RunEnd::PowerOff(0) | RunEnd::HtifExit(0) | RunEnd::Reset) => Exit::Ok,
        Some(RunEnd::PowerOff(_) | RunEnd::HtifExit(_)) => Exit::Guest,
        Some(_) => Exit::Unsupported,
    }
    .into())
}

/// Symbols of the kernel, if it is an ELF file, or of the file that the user names.
fn symbols(args: &TraceArgs, config: &Config) -> Result<Symbols, CliError> {
    let given = args.symbols.as_deref();
    let Some(file) = given.or(config.kernel.as_deref()) else { return Ok(Symbols::default()) };
    let bytes = images::read(file, "symbols", |_| false)?.bytes;
    match Symbols::of(&file.display().to_string(), &bytes) {
        Ok(s) => Ok(s),
        Err(e) if given.is_some() => Err(CliError::usage(e.to_string(), "give an ELF file with a symbol table")),
        Err(_) => Ok(Symbols::default()),
    }
}

/// Finds the trap that each return ends: the last one that entered the mode it leaves and has not returned.
struct Matcher(Vec<Vec<(u64, u64, emu_csr::Mode)>>);

impl Matcher {
    fn new(harts: usize) -> Matcher {
        Matcher(vec![Vec::new(); harts])
    }

    fn see(&mut self, number: u64, e: &Entry) -> Option<(u64, u64)> {
        /// Traps that a guest may leave open (it never returns from some) before the oldest are forgotten.
        const OPEN: usize = 64;
        let open = self.0.get_mut(e.hart())?;
        match e {
            Entry::Trap(t) => {
                if open.len() == OPEN {
                    open.remove(0);
                }
                open.push((number, t.instret, t.to));
                None
            }
            Entry::Return(r) => {
                let at = open.iter().rposition(|(_, _, to)| *to == r.from)?;
                let (trap, instret, _) = open[at];
                open.truncate(at);
                Some((trap, r.instret - instret))
            }
            Entry::Write(_) | Entry::Firmware(_) => None,
        }
    }
}

/// Where the entries go, and in which form.
enum Output {
    Text(BufWriter<std::io::Stdout>),
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
            (None, false) => Output::Text(out),
        })
    }

    fn put(&mut self, e: &Numbered, symbols: &Symbols) -> Result<(), CliError> {
        match self {
            Output::Text(out) => {
                let ends = e.ends.map_or(String::new(), |(t, n)| format!("  (ends #{t} after {n} instructions)"));
                let line = entry::text(&e.entry, symbols, |_| true);
                written(writeln!(out, "#{} hart {} @{} {line}{ends}", e.number, e.entry.hart(), e.entry.instret()))
            }
            Output::Json(out) => written(writeln!(out, "{}", json::line(e, symbols))),
            Output::Perfetto(trace) => trace.put(e),
        }
    }

    fn finish(self) -> Result<(), CliError> {
        match self {
            Output::Text(mut out) | Output::Json(mut out) => written(out.flush()),
            Output::Perfetto(trace) => trace.finish(),
        }
    }
}

fn written(r: std::io::Result<()>) -> Result<(), CliError> {
    r.map_err(|source| CliError::Terminal { doing: "write the trace", source })
}
