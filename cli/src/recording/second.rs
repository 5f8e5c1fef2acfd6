//! A second execution of a recorded run, and where it parts from the first.

use std::fmt::Write;

use emu_core::machine::{EngineKind, Machine, Stop};
use replay::ReplayError;
use replay::diff::first_difference;
use replay::log::{Decision, Log};
use replay::play::{Divergence, Outcome, Sought, apply, replay, seek};

use crate::config::Config;
use crate::console::output;
use crate::exit::CliError;
use crate::machine;

/// Cycles between two looks at the console.
const SLICE: u64 = 20_000_000;
/// Memory words that are printed of a difference.
const WORDS: usize = 16;

/// Replays a log with this configuration; prints the guest's output if `show`, and says whether that ended in the middle of a line.
pub fn execute(c: &Config, log: &Log, show: bool) -> Result<(Machine, Outcome, bool), CliError> {
    let mut m = machine::build(c)?;
    let (mut failed, mut open) = (None, false);
    let mut boot = || machine::build(&c.at_start()).map_err(|e| ReplayError::Machine(e.to_string()));
    let outcome = replay(&mut m, log, &mut boot, SLICE, &mut |m| {
        let text = m.take_console_output();
        open = text.last().map_or(open, |b| show && *b != b'\n');
        match output::write(if show { &text } else { &[] }) {
            Ok(output::Reader::There) => true,
            Ok(output::Reader::Gone) => false,
            Err(e) => {
                failed = Some(e);
                false
            }
        }
    });
    match failed {
        Some(e) => Err(e),
        None => Ok((m, outcome.map_err(CliError::replay)?, open)),
    }
}

/// Describes a divergence. Runs the part between the last good witness and the first bad one twice more, on the engines given, to find
/// the first step at which the two part, with the fields that differ.
pub fn explain(c: &Config, log: &Log, d: &Divergence, engines: [EngineKind; 2]) -> Result<String, CliError> {
    let at = |p: &replay::log::Position| format!("cycle {}, instruction {}", p.cycles, p.instret);
    let mut text = format!("the run differs from its recording at {}: {}\n", at(&d.bad), d.what);
    match &d.good {
        Some(g) if *g == d.bad => text.push_str("  other witnesses of that moment hold\n"),
        Some(g) => {
            let _ = writeln!(text, "  it was the same at {}", at(g));
        }
        None => text.push_str("  no earlier witness held\n"),
    }
    let mut pair = [machine::build(c)?, machine::build(c)?];
    for (m, e) in pair.iter_mut().zip(engines) {
        m.set_engine(e);
    }
    let [a, b] = &mut pair;
    for (n, r) in log.records.iter().enumerate().take(d.record + 1) {
        let after = d.good.is_none_or(|g| r.at > g);
        if after {
            let stop = if r.at.exact {
                Stop { instret: r.at.instret, ..Stop::NEVER }
            } else {
                Stop { cycles: r.at.cycles, ..Stop::NEVER }
            };
            if let Some(first) = first_difference(a, b, &stop, WORDS).map_err(CliError::replay)? {
                let _ = writeln!(
                    text,
                    "  {:?} and {:?} part after instruction {}, harts at {:x?}:",
                    engines[0], engines[1], first.instret, first.pcs
                );
                first.fields.iter().for_each(|f| {
                    let _ = writeln!(text, "    {f}");
                });
                return Ok(text);
            }
        }
        if n == d.record {
            break;
        }
        for m in [&mut *a, &mut *b] {
            if seek(m, &r.at, SLICE, &mut |_| true) == Sought::Stopped {
                break;
            }
            if r.what == Decision::Reboot {
                *m = machine::build(&c.at_start())?;
            } else {
                apply(m, r).map_err(CliError::replay)?;
            }
        }
    }
    text.push_str(
        "  two executions by this build agree with each other: the recording was made by another build, or was changed\n",
    );
    Ok(text)
}
