//! `trapeze run`.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use emu_core::machine::Machine;
use replay::log::Log;
use replay::play::Outcome;

use crate::args::RunArgs;
use crate::check::Check;
use crate::config::Config;
use crate::console::output;
use crate::exit::{CliError, Exit};
use crate::histogram::Histogram;
use crate::machine;
use crate::recording::{Bytes, Recorder, commands, find, second, snapshot};
use crate::report::{self, Report, Times};
use crate::session::{End, Options, Rebuild, Session};

/// Runs a guest from start to end.
pub fn run(args: &RunArgs) -> Result<ExitCode, CliError> {
    recorded(args, None)
}

/// As [`run`], and keeps what enters the run in a log, if one is named.
pub fn recorded(args: &RunArgs, log: Option<&Path>) -> Result<ExitCode, CliError> {
    let began = Instant::now();
    let config = Config::resolve(args)?;
    if shown(args, &config)? {
        return Ok(Exit::Ok.into());
    }
    let histogram = args.sbi_histogram.then(Histogram::default);
    let bytes = Bytes::default();
    let mut session = prepare(args, &config, histogram.as_ref(), log, &bytes)?;
    let start = began.elapsed();
    let end = session.run()?;
    let times = Times { start, all: began.elapsed() };
    let mut report = Report::new(&end, session.machine(), config.cycle_hz, times, config.exit_with_guest_code);
    if args.hash {
        report.hash = Some(report::hex(&session.machine().state_hash()));
    }
    report.sbi = histogram.as_ref().map(Histogram::lines);
    if let Some(r) = session.recorder() {
        let exact = matches!(end, End::Limit);
        r.finish(session.machine(), exact, &report.text)?;
    }
    let check = session.checked(&end);
    if let Some(c) = &check {
        c.judge(&mut report);
    }
    let newline = if session.at_line_start() { "" } else { "\n" };
    let unsaved = session.unsaved();
    drop(session); // the terminal is as it was before anything is said
    let differs = match args.verify || check.as_ref().is_some_and(Check::twice) {
        true => verify(&config, log, &bytes)?,
        false => None,
    };
    // As an oracle E22 has its own exit code, and may be ignored.
    let oracle = check.as_ref().filter(|c| c.twice());
    if differs.is_some() && oracle.is_some_and(|c| !c.ignores()) {
        report.exit = Exit::Violation as u8;
    }
    finish(args, &report, newline)?;
    if let Some(h) = histogram.filter(|_| !args.json) {
        output::print(&h.text())?;
    }
    match (differs, oracle) {
        (Some((_, parted)), None) => return Err(CliError::Mismatch(parted)),
        (Some((violation, parted)), Some(c)) if !c.ignores() => {
            // Standard error may be closed; the exit code still tells.
            let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("trapeze: {violation}\n{parted}").as_bytes());
        }
        _ => {}
    }
    unsaved.map_or(Ok(ExitCode::from(report.exit)), |p| Err(missed(&p)))
}

/// Prints what is asked for in place of a run; false if nothing is.
fn shown(args: &RunArgs, config: &Config) -> Result<bool, CliError> {
    if args.print_config {
        output::print(&config.to_toml()?)?;
        return Ok(true);
    }
    if let Some(file) = &args.dump_dtb {
        let tree = machine::device_tree(config)?;
        output::file(file, &tree).map_err(|e| CliError::file(file, "write the device tree", e))?;
        return Ok(true);
    }
    if config.kernel.is_none() && matches!(config.bios.as_str(), "native" | "none") {
        return Err(CliError::usage("nothing to run", "add -kernel FILE, or -bios FILE for firmware alone"));
    }
    Ok(false)
}

/// A session with everything that the command line asks for, before the guest's first instruction. `bytes` take the log if none is named and
/// one is needed.
fn prepare(
    args: &RunArgs,
    config: &Config,
    histogram: Option<&Histogram>,
    log: Option<&Path>,
    bytes: &Bytes,
) -> Result<Session, CliError> {
    let (again, listener) = (config.at_start(), histogram.cloned());
    let build = move |config: &Config| -> Result<Machine, CliError> {
        let mut machine = machine::build(config)?;
        if let Some(h) = &listener {
            machine.set_observer(Box::new(h.clone()));
        }
        Ok(machine)
    };
    let points = snapshot::points(&args.snapshot_at)?;
    points.iter().try_for_each(|p| find::spare(config, &p.file))?;
    let first = build(config)?;
    let rebuild: Rebuild = Box::new(move || build(&again));
    let options = Options {
        limit: config.limit,
        throttle: config.throttle,
        cycle_hz: config.cycle_hz,
        rebuild: (!config.no_reboot).then_some(rebuild),
    };
    let check = Check::new(args, config)?;
    // Before the terminal is taken over: hashing a large disk takes a while.
    let recorder = match log {
        Some(file) => {
            find::spare(config, file)?;
            Some(Recorder::create(file, &find::header(config)?)?)
        }
        None if args.verify || check.as_ref().is_some_and(Check::twice) => Some(Recorder::memory(bytes, &find::header(config)?)?),
        None => None,
    };
    let mut session = Session::new(first, options)?;
    let from = config.clone();
    session.save_at(points, Box::new(move |m, file| snapshot::save(&from, m, file)));
    if let Some(r) = recorder {
        session.record(r);
    }
    if let Some(c) = check {
        session.check(c);
    }
    if let Some(place) = &args.gdb {
        session.listen(place, args.freeze)?;
    }
    Ok(session)
}

/// A snapshot that the run did not come to.
fn missed(p: &snapshot::Point) -> CliError {
    CliError::Mismatch(format!(
        "the run ended before instruction {}: {} was not made\n  remedy: give a smaller number; the end of the run says how many there are",
        p.instret,
        p.file.display()
    ))
}

/// Executes the recorded run a second time. If it differs: the violation of E22, and where the two part.
fn verify(config: &Config, log: Option<&Path>, bytes: &Bytes) -> Result<Option<(String, String)>, CliError> {
    let bytes = match log {
        Some(file) => commands::read(file, "log")?,
        None => bytes.take(),
    };
    let log = Log::read(&bytes).map_err(CliError::replay)?;
    let outcome = second::execute(config, &log, false)?.1;
    match (&outcome, replay::oracle::determinism(&outcome)) {
        (Outcome::Differs(d), Some(violation)) => {
            let engine = commands::kind(config.engine);
            Ok(Some((violation, second::explain(config, &log, d, [engine, engine])?)))
        }
        _ => Ok(None),
    }
}

/// Says how it ended. `newline` ends the guest's last line if the guest did not.
fn finish(args: &RunArgs, report: &Report, newline: &str) -> Result<(), CliError> {
    if !args.quiet {
        // Standard error may be closed; that is no reason to fail.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), report.line().as_bytes());
    }
    if args.json {
        let line = serde_json::to_string(report).map_err(|e| CliError::Mismatch(format!("the report is not JSON: {e}")))?;
        output::print(&format!("{newline}{line}\n"))
    } else if let Some(hash) = &report.hash {
        output::print(&format!("{newline}state hash: {hash}\n"))
    } else {
        // The guest's bytes are not added to unless a person looks at them.
        let newline = if std::io::IsTerminal::is_terminal(&std::io::stdout()) { newline } else { "" };
        output::print(newline)
    }
}
