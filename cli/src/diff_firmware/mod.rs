//! `trapeze diff-firmware`: one guest on two firmwares, and what M-mode answered differently.

mod align;
pub mod compare;
pub mod events;
mod policy;
mod report;

use std::io::Write;
use std::path::Path;

use emu_core::machine::RunEnd;
use sbi_model::profile::{PROFILES, Profile};

use crate::args::DiffFirmwareArgs;
use crate::config::Config;
use crate::console::output;
use crate::exit::{CliError, Exit};
use crate::{images, machine};
use events::{Listener, Sequences};
use policy::Policies;
use report::{Report, Side};

/// Cycles between looks at the console and the limit.
const SLICE: u64 = 1_000_000;

/// Runs the guest twice, compares, and tells.
pub fn run(args: &DiffFirmwareArgs) -> Result<Exit, CliError> {
    if args.list_expected {
        output::print(Policies::text())?;
        return Ok(Exit::Ok);
    }
    let policies = Policies::read(args.expected.as_deref())?;
    let run = crate::args::run_options(&args.run)?;
    if run.bios.is_some() || run.sbi_profile.is_some() {
        let what = "-bios and --sbi-profile choose a firmware, and so do the two before --";
        return Err(CliError::usage(what, "leave them out"));
    }
    let config = Config::resolve(&run)?;
    if config.kernel.is_none() {
        return Err(CliError::usage("diff-firmware needs a guest", "add -kernel FILE after --"));
    }
    let symbols = images::symbols(args.symbols.as_deref(), &config)?;
    let (first, second) = match args.firmware.as_slice() {
        [a, b] => (on(&config, a)?, on(&config, b)?),
        _ => return Err(CliError::usage("diff-firmware compares two firmwares", "name two before --")),
    };
    let a = observe(&first, args.console)?;
    let b = observe(&second, args.console)?;
    let sides = [side(&args.firmware[0], &a), side(&args.firmware[1], &b)];
    let report = Report::new(sides, [&a.events, &b.events], &policies, &symbols);
    if args.json {
        let line = serde_json::to_string(&report).map_err(|e| CliError::Mismatch(format!("the report is not JSON: {e}")))?;
        output::print(&format!("{line}\n"))?;
    } else {
        output::print(&report.text())?;
    }
    Ok(if report.differences.is_empty() { Exit::Ok } else { Exit::Mismatch })
}

/// The configuration with one of the firmwares: a profile's name, or a file.
fn on(config: &Config, firmware: &str) -> Result<Config, CliError> {
    let mut c = config.clone();
    if Profile::find(firmware).is_some() {
        c.bios = "native".into();
        c.sbi_profile = firmware.into();
    } else if Path::new(firmware).exists() {
        c.bios = firmware.into();
    } else {
        let names: Vec<_> = PROFILES.iter().map(|p| p.name).collect();
        return Err(CliError::usage(
            format!("'{firmware}' is neither a profile nor a file"),
            format!("name a firmware file, or one of {}", names.join(", ")),
        ));
    }
    Ok(c)
}

/// One run.
struct Run {
    events: Sequences,
    /// None: the limit was reached.
    end: Option<RunEnd>,
    instret: u64,
}

fn observe(config: &Config, console: bool) -> Result<Run, CliError> {
    let mut guest = machine::build(config)?;
    let listener = Listener::default();
    guest.harts().iter().for_each(|h| listener.started(h));
    guest.set_observer(Box::new(listener.clone()));
    let limit = config.limit.unwrap_or(u64::MAX);
    let end = loop {
        if guest.instret() >= limit {
            break None;
        }
        let end = guest.run_for(guest.cycles().saturating_add(SLICE), limit);
        let out = guest.take_console_output();
        if console && !out.is_empty() {
            // A closed standard error is no reason to stop.
            let _ = std::io::stderr().write_all(&out);
        }
        if end != RunEnd::Limit {
            break Some(end);
        }
    };
    Ok(Run { events: listener.take(), end, instret: guest.instret() })
}

fn side(name: &str, run: &Run) -> Side {
    let end = match &run.end {
        None => "the instruction limit was reached".to_owned(),
        Some(end) => end.to_string(),
    };
    let (way, code) = match &run.end {
        None => ("limit", None),
        Some(end) => machine::end_word(end),
    };
    Side { firmware: name.to_owned(), end, instret: run.instret, way, code }
}
