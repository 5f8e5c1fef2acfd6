//! `trapeze query`: questions about a recorded run.

mod predicate;

use std::process::ExitCode;
use std::rc::Rc;

use emu_core::insn::{F_NAMES, X_NAMES};
use emu_csr::{Cause, Exception, Interrupt};
use replay::ReplayError;
use replay::debug::Progress;
use replay::ledger::{Entry, FieldName};
use replay::query::{self, Answer, EventState, Register, What};
use replay::symbols::Symbols;
use replay::timeline::{Halt, Options, Timeline};
use sbi_model::ext::EXTENSIONS;

use crate::args::{QueryArgs, Question};
use crate::console::output;
use crate::exit::{CliError, Exit};
use crate::recording::{bundle, find};
use crate::{entry, images, machine};

/// What `--first` and the like may name, for messages.
const NUMBER: &str = "give a hexadecimal address, for example 0x80001000";

/// Answers one question. The exit code is 0 with an answer, 1 without.
pub fn run(a: &QueryArgs) -> Result<ExitCode, CliError> {
    let opened = bundle::open(&a.what)?;
    let mut places = opened.places.clone();
    places.extend(a.images.iter().cloned());
    opened.log.header.check("log").map_err(CliError::replay)?;
    let config = find::config(&opened.log.header, &places)?;
    let symbols = images::symbols(a.symbols.as_deref(), &config)?;
    let again = config.at_start();
    let boot = Rc::new(move || machine::build(&again).map_err(|e| ReplayError::Machine(e.to_string())));
    let options = Options { boot: Some(boot), ..Options::default() };
    let mut t = Timeline::replaying(machine::build(&config)?, &opened.log, options).map_err(CliError::replay)?;
    let reached = match a.at {
        Some(at) => t.seek_place(at),
        None if forwards(&a.question) => Ok(Halt::There),
        None => t.run_forward(None, &mut ()),
    };
    let reached = reached.map_err(CliError::replay)?;
    if let Some(at) = a.at {
        let most = t.position();
        if most.boot > at.boot {
            return Err(CliError::usage(
                format!("option --at: the guest rebooted before {at}"),
                format!("give fewer instructions, or the boot with them: {}:0", at.boot + 1),
            ));
        }
        if reached != Halt::There {
            return Err(CliError::usage(format!("option --at: the run has {} instructions", most.instret), "give fewer"));
        }
    }
    let Some(answer) = ask(&mut t, &a.question, &symbols)? else {
        output::print(&format!("never, as far as the run goes {}\n", if forwards(&a.question) { "on" } else { "back" }))?;
        return Ok(Exit::Guest.into());
    };
    let file = if a.what.starts_with(replay::token::PREFIX) { "TOKEN".to_owned() } else { quoted(&a.what) };
    let images = a.images.iter().fold(String::new(), |s, d| format!("{s} --images {}", quoted(&d.to_string_lossy())));
    let place = t.place().map_err(CliError::replay)?;
    let text = text(&answer, &symbols) + &format!("look there: trapeze debug --replay {file}{images} --at {place}\n");
    output::print(&text)?;
    Ok(Exit::Ok.into())
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%=".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

fn forwards(q: &Question) -> bool {
    matches!(q, Question::Next { .. })
}

fn ask(t: &mut Timeline, q: &Question, symbols: &Symbols) -> Result<Option<Answer>, CliError> {
    let answer = match q {
        Question::Writer { of, hart } => return writer(t, of, *hart, symbols, &mut |_| {}),
        Question::Left { event, state } => {
            let id = crate::firmware::event(event).ok_or_else(|| {
                CliError::usage(format!("there is no event '{event}'"), "give its number, or ras-high, ras-low ...")
            })?;
            let state = match state {
                None => None,
                Some(name) => Some(EventState::ALL.into_iter().find(|s| s.name() == name.to_lowercase()).ok_or_else(|| {
                    CliError::usage(
                        format!("no software event has a state '{name}'"),
                        "give unused, registered, enabled or running",
                    )
                })?),
            };
            query::event_left(t, id, state)
        }
        Question::First { predicate } => {
            let p = predicate::parse(&predicate.join(" "), symbols)?;
            there(t, Some(p.hart()))?;
            query::first(t, &mut |m| p.holds(m))
        }
        Question::Next { kind, hart } | Question::Previous { kind, hart } => {
            let kind = known(kind)?;
            there(t, *hart)?;
            query::entry(t, forwards(q), &|e| is(e, &kind, *hart), &mut |_| {})
        }
    };
    answer.map_err(CliError::replay)
}

/// Transitions of software events that the native firmware's records name; those of a source are the states' own.
const TRANSITIONS: [&str; 11] =
    ["inject", "complete", "signal", "ipi", "mask", "unmask", "registered", "unregistered", "enabled", "disabled", "completed"];

/// A kind of entry as it is compared, if there is any of which it holds: "never" would say that it did not happen.
fn known(kind: &str) -> Result<String, CliError> {
    let kind = plain(kind);
    let causes = Exception::ALL.map(|e| e.name()).into_iter().chain(Interrupt::ALL.map(|i| i.name()));
    let calls = EXTENSIONS.iter().flat_map(|e| e.functions).map(|f| f.name).chain(["unknown"]);
    let firmware = calls.map(|f| format!("call {f}")).chain(TRANSITIONS.map(|t| format!("sse {t}")));
    let exact = ["trap", "interrupt", "exception", "return"].contains(&kind.as_str());
    if !kind.is_empty() && (exact || causes.map(str::to_owned).chain(firmware).any(|n| plain(&n).contains(&kind))) {
        return Ok(kind);
    }
    Err(CliError::usage(
        format!("nothing that a run's ledger holds is called '{kind}'"),
        format!(
            "give trap, interrupt, exception, return, words of a cause ('page fault') or of a call (sbi_sse_inject), call, sse, or sse with \
             one of {}",
            TRANSITIONS.join(", ")
        ),
    ))
}

/// A hart that was asked for, if it is there.
fn there(t: &Timeline, hart: Option<usize>) -> Result<(), CliError> {
    match hart.filter(|h| *h >= t.machine().harts().len()) {
        Some(h) => Err(CliError::usage(format!("there is no hart {h}"), "harts count from 0")),
        None => Ok(()),
    }
}

/// Words as they are compared.
fn plain(words: &str) -> String {
    words.to_lowercase().replace('_', " ")
}

/// Whether an entry is of a kind: `trap`, `interrupt`, `exception`, `return`, or words of a cause's, a call's or a transition's name.
fn is(e: &Entry, kind: &str, hart: Option<usize>) -> bool {
    if hart.is_some_and(|h| h != e.hart()) {
        return false;
    }
    let named = |name: &str| plain(name).contains(kind);
    match e {
        Entry::Trap(t) => {
            let interrupt = matches!(t.cause, Cause::Interrupt(_));
            kind == "trap" || kind == if interrupt { "interrupt" } else { "exception" } || named(t.cause.name())
        }
        Entry::Return(_) => kind == "return",
        Entry::Firmware(r) => r.kind == kind || named(&format!("{} {}", r.kind, r.name)),
        Entry::Write(_) => false,
    }
}

/// What last wrote a register, a CSR or its field (`hart`'s), or memory (`va:` or `pa:`). The timeline is at the answer.
pub fn writer(
    t: &mut Timeline,
    of: &str,
    hart: usize,
    symbols: &Symbols,
    progress: Progress<'_>,
) -> Result<Option<Answer>, CliError> {
    there(t, Some(hart))?;
    let address = |text: &str| {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        u64::from_str_radix(digits, 16).map_err(|_| CliError::usage(format!("'{text}' is no address"), NUMBER))
    };
    let numbered = |prefix| of.strip_prefix(prefix).and_then(|n: &str| n.parse().ok()).filter(|n| *n < 32);
    let x = X_NAMES.iter().position(|n| *n == of).or_else(|| numbered('x')).map(Register::X);
    let register = x.or_else(|| F_NAMES.iter().position(|n| *n == of).or_else(|| numbered('f')).map(Register::F));
    let answer = if let Some(pa) = of.strip_prefix("pa:") {
        query::physical_writer(t, address(pa)?, progress)
    } else if let Some(va) = of.strip_prefix("va:") {
        query::virtual_writer(t, symbols.find(va).map_or_else(|| address(va), Ok)?, 8, progress)
    } else if let Some(n) = register {
        query::register_writer(t, hart, n, progress)
    } else if let Some(field) = FieldName::new(of) {
        if ["cycle", "time", "instret"].contains(&field.register) || field.register.starts_with("hpmcounter") {
            return Err(CliError::usage(
                format!("{} counts by itself, and nothing writes it", field.register),
                format!("ask when it reached a value: trapeze query FILE first '{} >= N'", field.register),
            ));
        }
        query::csr_writer(t, hart, &field, progress)
    } else {
        return Err(CliError::usage(
            format!("'{of}' is no register, CSR or address"),
            "give a0 or x10, fa0 or f10, sepc, hstatus.SPV, va:ADDRESS or pa:ADDRESS",
        ));
    };
    answer.map_err(CliError::replay)
}

/// Where an answer is, in a line.
pub fn place(a: &Answer, symbols: &Symbols) -> String {
    match a.hart {
        Some(h) => format!("{}: hart {h}, its instruction {}, pc {}\n", a.at, a.instret, symbols.text(a.pc)),
        None => format!("{}: no instruction of a hart\n", a.at),
    }
}

/// An answer in lines.
pub fn text(a: &Answer, symbols: &Symbols) -> String {
    let head = place(a, symbols);
    match &a.what {
        What::Entry(e) => format!("{head}  {}\n", entry::text(e, symbols, |_| true)),
        What::Value { before, after, by } => {
            let by = by.as_ref().map_or(String::new(), |by| format!(", written by {by}"));
            format!("{head}  {before:#x} -> {after:#x}{by}\n")
        }
        What::Holds => format!("{}: it holds from here on\n", a.at),
    }
}
