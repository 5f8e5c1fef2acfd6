//! `trapeze explain`: a trap of a run, a cause, or why a CSR holds what it holds.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use emu_core::machine::Stop;
use replay::ledger::{Entry, FieldName};
use replay::symbols::Symbols;

use super::{cause, firmware, register};
use crate::args::{ExplainArgs, ExplainCommand};
use crate::config::Config;
use crate::console::output;
use crate::exit::{CliError, Exit};
use crate::trace::links::Numbered;
use crate::{entry, images, machine, trace};

/// Explains.
pub fn run(args: &ExplainArgs) -> Result<ExitCode, CliError> {
    let text = match &args.what {
        ExplainCommand::Cause { cause } => cause::text(&cause.join(" "))?,
        ExplainCommand::Trap { number, symbols, run } => record(*number, symbols.as_deref(), run)?,
        ExplainCommand::Csr { name, at, hart, symbols, run } => {
            let field = FieldName::new(name).ok_or_else(|| {
                CliError::usage(format!("there is no CSR or field '{name}'"), "give for example sstatus or sstatus.SPP")
            })?;
            let rule = register::rule(&field);
            match (run.is_empty(), at) {
                (true, None) => rule,
                (true, Some(_)) => {
                    return Err(CliError::usage("option --at needs a run", "give the options of trapeze run behind --"));
                }
                (false, _) => rule + &holds(&field, *at, *hart, symbols.as_deref(), run)?,
            }
        }
    };
    output::print(&text)?;
    Ok(Exit::Ok.into())
}

/// One ledger entry in plain words.
fn record(number: u64, symbols: Option<&Path>, run: &[OsString]) -> Result<String, CliError> {
    let config = Config::resolve(&crate::args::run_options(run)?)?;
    let symbols = images::symbols(symbols, &config)?;
    let mut guest = machine::build(&config)?;
    let (mut found, mut seen) = (None, 0);
    trace::follow(&mut guest, &trace::until(&config), false, &mut |e| {
        seen = e.number + 1;
        if e.number == number {
            found = Some(e);
        }
        Ok(found.is_none())
    })?;
    let e = found.ok_or_else(|| {
        CliError::usage(
            format!("the run's ledger has no entry {number}"),
            match seen {
                0 => "nothing was trapped in this run; see trapeze trace".to_owned(),
                n => format!("give a number below {n}; see trapeze trace"),
            },
        )
    })?;
    Ok(told(&e, &symbols))
}

fn told(e: &Numbered, symbols: &Symbols) -> String {
    let mut s = format!("#{}, hart {}, after {} instructions\n", e.number, e.entry.hart(), e.entry.instret());
    let mut line = |name: &str, text: &str| s += &format!("  {name:<9} {text}\n");
    match &e.entry {
        Entry::Trap(t) => {
            let (raised, clause) = cause::raised(t.cause);
            line("what", &format!("{} in {}-mode, taken by {}-mode", cause::name(t.cause), t.from.name(), t.to.name()));
            line("comes of", &format!("{raised} ({clause})"));
            line("at", &symbols.text(t.pc));
            line("why there", &format!("{} ({})", super::why(t), "Privileged ISA, \"Machine Trap Delegation\""));
            for text in entry::more(&e.entry, symbols) {
                line("", &text);
            }
        }
        Entry::Return(r) => {
            line("what", &format!("a return from {}-mode to {}-mode", r.from.name(), r.to.name()));
            line("at", &symbols.text(r.pc));
            line("to", &symbols.text(r.target));
            line("rule", &register::return_rule(r));
        }
        Entry::Write(w) => {
            line("what", &format!("a CSR instruction in {}-mode", w.mode.name()));
            line("at", &symbols.text(w.pc));
        }
        Entry::Firmware(r) => line("what", &firmware::what(r)),
    }
    for (verb, link) in [("ends", e.ends), ("ended by", e.ended)] {
        if let Some(l) = link {
            line(verb, &format!("#{}, {} instructions apart", l.n, l.instructions));
        }
    }
    if let Entry::Firmware(r) = &e.entry {
        return s + &firmware::fields(r);
    }
    s + &register::changes(e.entry.changes())
}

/// What a field holds at a point of a run, and who wrote it last.
fn holds(field: &FieldName, at: Option<u64>, hart: usize, symbols: Option<&Path>, run: &[OsString]) -> Result<String, CliError> {
    let config = Config::resolve(&crate::args::run_options(run)?)?;
    let symbols = images::symbols(symbols, &config)?;
    let mut guest = machine::build(&config)?;
    let index = guest.harts().iter().position(|h| h.id == hart as u64).ok_or_else(|| {
        CliError::usage(format!("option --hart: there is no hart {hart}"), format!("the run has {} harts", guest.harts().len()))
    })?;
    let stop = Stop { hart: at.map(|n| (index, n)), ..trace::until(&config) };
    let mut last: Option<(Numbered, u64, u64)> = None;
    let mut writes = 0u64;
    trace::follow(&mut guest, &stop, false, &mut |e| {
        if e.entry.hart() == index
            && let Some((before, after)) = e.entry.change_of(field)
        {
            writes += 1;
            last = Some((e, before, after));
        }
        Ok(true)
    })?;
    let h = &guest.harts()[index];
    let value = emu_csr::table::by_name(field.register)
        .and_then(|csr| h.csr.peek(csr, &h.now(guest.bus())))
        .map(|v| field.of(v))
        .ok_or_else(|| CliError::usage(format!("this hart has no {}", field.register), "see trapeze cpu list"))?;
    let mut s =
        format!("\nhart {hart}, after {} instructions, in {}-mode at {}:\n", h.instret, h.mode.name(), symbols.text(h.pc));
    s += &format!("  {} = {value:#x}\n", field.name());
    match &last {
        None if register::computed(field) => s += "  hardware computes it when it is read\n",
        None => s += "  nothing in this run has changed it: it is what reset left\n",
        Some((e, before, after)) => {
            s += &format!(
                "  changed {}, the last time {before:#x} -> {after:#x} by\n    {}\n",
                if writes == 1 { "once".to_owned() } else { format!("{writes} times") },
                trace::text(e, &symbols)
            );
            if *after != value {
                s += "  and since then by no trap, return, CSR instruction or firmware record: hardware computes it, or firmware wrote it in passing\n";
            } else {
                s += &register::reason(&e.entry, field);
            }
        }
    }
    Ok(s)
}
