//! Which entries a trace shows.

use emu_core::machine::Machine;
use emu_csr::{Cause, Mode};
use replay::ledger::Entry;
use replay::symbols::Symbols;

use crate::args::TraceArgs;
use crate::exit::CliError;
use crate::explain::cause;

/// All conditions must hold; one that is absent always does.
pub struct Filter {
    /// Hart indexes.
    harts: Vec<usize>,
    modes: Vec<Mode>,
    causes: Vec<String>,
    kinds: Vec<String>,
    events: Vec<u32>,
    names: Vec<String>,
    range: Option<(u64, u64)>,
}

const KINDS: [&str; 4] = ["trap", "return", "write", "firmware"];

impl Filter {
    /// From the command line. What can match nothing in this guest is refused: an empty trace would say that it did not happen.
    pub fn new(args: &TraceArgs, guest: &Machine, symbols: &Symbols) -> Result<Filter, CliError> {
        for cause in &args.cause {
            cause::named(cause)?;
        }
        for name in &args.symbol {
            if symbols.find(name).is_none() {
                let what = format!("option --symbol: there is no symbol '{name}'");
                return Err(CliError::usage(what, "give a name of the kernel's symbol table, or --symbols FILE that has it"));
            }
        }
        let mode = |name: &String| {
            Mode::ALL
                .into_iter()
                .find(|m| m.name().eq_ignore_ascii_case(name))
                .ok_or_else(|| CliError::usage(format!("option --mode: there is no mode '{name}'"), "give M, HS, U, VS or VU"))
        };
        if let Some(k) = args.kind.iter().find(|k| !KINDS.contains(&k.as_str())) {
            return Err(CliError::usage(
                format!("option --kind: there is no '{k}'"),
                format!("give one of {}", KINDS.join(", ")),
            ));
        }
        Ok(Filter {
            harts: args.hart.iter().map(|id| index(guest, *id)).collect::<Result<_, _>>()?,
            modes: args.mode.iter().map(mode).collect::<Result<_, _>>()?,
            causes: args.cause.iter().map(|c| c.to_lowercase()).collect(),
            kinds: args.kind.clone(),
            events: args.event.iter().map(event).collect::<Result<_, _>>()?,
            names: args.symbol.clone(),
            range: args.range.as_deref().map(range).transpose()?,
        })
    }

    /// Whether an entry is shown.
    pub fn wants(&self, e: &Entry, symbols: &Symbols) -> bool {
        let (kind, modes, pc, cause): (_, &[Mode], _, Option<Cause>) = match e {
            Entry::Trap(t) => ("trap", &[t.from, t.to], Some(t.pc), Some(t.cause)),
            Entry::Return(r) => ("return", &[r.from, r.to], Some(r.pc), None),
            Entry::Write(w) => ("write", &[w.mode], Some(w.pc), None),
            Entry::Firmware(_) => ("firmware", &[Mode::M], None, None),
        };
        let any = |empty: bool, found: bool| empty || found;
        any(self.harts.is_empty(), self.harts.contains(&e.hart()))
            && any(self.kinds.is_empty(), self.kinds.iter().any(|k| k == kind))
            && any(self.modes.is_empty(), self.modes.iter().any(|m| modes.contains(m)))
            && any(self.causes.is_empty(), cause.is_some_and(|c| self.causes.iter().any(|n| is_cause(c, n))))
            && any(self.events.is_empty(), self.of_event(e))
            && any(self.names.is_empty(), pc.is_some_and(|pc| self.in_symbol(pc, symbols)))
            && self.range.is_none_or(|(lo, hi)| pc.is_some_and(|pc| (lo..hi).contains(&pc)))
    }

    /// Whether it is an operation of the firmware that names one of the events. Ids have 32 bits (SBI 3.0, SSE).
    fn of_event(&self, e: &Entry) -> bool {
        let Entry::Firmware(r) = e else { return false };
        r.fields.iter().any(|f| f.name == "event_id" && self.events.contains(&(f.after as u32)))
    }

    fn in_symbol(&self, pc: u64, symbols: &Symbols) -> bool {
        symbols.at(pc, |_| true).is_some_and(|(name, _)| self.names.iter().any(|n| n == name))
    }
}

/// The index of the hart with this mhartid.
fn index(guest: &Machine, id: usize) -> Result<usize, CliError> {
    let harts = guest.harts();
    harts.iter().position(|h| h.id == id as u64).ok_or_else(|| {
        let ids: Vec<String> = harts.iter().map(|h| h.id.to_string()).collect();
        CliError::usage(format!("option --hart: there is no hart {id}"), format!("harts are {}", ids.join(", ")))
    })
}

/// A software event's id.
fn event(name: &String) -> Result<u32, CliError> {
    let none =
        || CliError::usage(format!("option --event: there is no event '{name}'"), "give its number, or ras-high, ras-low ...");
    crate::firmware::event(name).and_then(|id| u32::try_from(id).ok()).ok_or_else(none)
}

/// A cause by its number (an interrupt's with i before it) or by words of its name.
pub fn is_cause(c: Cause, wanted: &str) -> bool {
    let code = c.bits() << 1 >> 1;
    match wanted.strip_prefix('i').unwrap_or(wanted).parse::<u64>() {
        Ok(n) => n == code && wanted.starts_with('i') == matches!(c, Cause::Interrupt(_)),
        Err(_) => c.name().to_lowercase().contains(wanted),
    }
}

fn range(text: &str) -> Result<(u64, u64), CliError> {
    let number = |s: &str| u64::from_str_radix(s.trim_start_matches("0x"), 16).ok();
    text.split_once('-').and_then(|(a, b)| Some((number(a)?, number(b)?))).filter(|(a, b)| a < b).ok_or_else(|| {
        CliError::usage(
            format!("option --range: '{text}' is no range of addresses"),
            "give two, for example 0x80200000-0x80201000",
        )
    })
}
