//! `trapeze record`, `replay` and `log`.

use std::path::Path;
use std::process::ExitCode;

use emu_core::machine::EngineKind;
use replay::log::{Log, assemble, dump};
use replay::play::Outcome;

use crate::args::{self, BundleArgs, Engine, LogCommand, RecordArgs, ReplayArgs};
use crate::console::output;
use crate::exit::{CliError, Exit};
use crate::recording::{bundle, find, part, second};
use crate::report::hex;
use crate::run;

/// What a log may be in size: decisions are few, and a wrong file must not fill the host's memory.
const LIMIT: u64 = 1 << 30;

/// Reads a file of a replay whole.
pub fn read(file: &Path, what: &str) -> Result<Vec<u8>, CliError> {
    read_up_to(file, what, LIMIT)
}

/// As [`read`], of what may be larger.
pub fn read_up_to(file: &Path, what: &str, limit: u64) -> Result<Vec<u8>, CliError> {
    let doing = format!("read the {what}");
    let meta = std::fs::metadata(file).map_err(|e| {
        if part(file).exists() {
            let kept = part(file);
            return CliError::usage(
                format!("{}: there is no such file, but {} is there: its recorder was killed", file.display(), kept.display()),
                format!("name {} to replay what it has", kept.display()),
            );
        }
        CliError::file(file, doing.clone(), e)
    })?;
    if meta.len() > limit {
        return Err(CliError::usage(
            format!("{}: larger than any {what}", file.display()),
            "check that this is the file you meant",
        ));
    }
    std::fs::read(file).map_err(|e| CliError::file(file, doing, e))
}

/// Reads a log.
pub fn read_log(file: &Path) -> Result<Log, CliError> {
    Log::read(&read(file, "log")?).map_err(|e| CliError::replay_of(file, e))
}

/// `trapeze record`.
pub fn record(a: &RecordArgs) -> Result<ExitCode, CliError> {
    let options = args::run_options(&a.run)?;
    let code = run::recorded(&options, Some(&a.output))?;
    // What went into a pipe cannot be read again.
    let kept = !output::is_stream(&a.output);
    if kept && !options.quiet && !options.print_config && options.dump_dtb.is_none() {
        let log = read_log(&a.output)?;
        if let Some(token) = bundle::token(&log, &[])? {
            eprintln!("trapeze: token {token}");
        }
    }
    Ok(code)
}

/// `trapeze replay`.
pub fn replay(a: &ReplayArgs) -> Result<ExitCode, CliError> {
    let opened = bundle::open(&a.what)?;
    let (log, mut places) = (opened.log, opened.places);
    places.extend(a.images.iter().cloned());
    if !a.force {
        log.header.check("log").map_err(CliError::replay)?;
    }
    let mut config = find::config(&log.header, &places)?;
    if let Some(e) = a.engine {
        config.engine = e;
    }
    if let (None, false) = (&log.end, a.quiet) {
        let place = log.cut.map_or("ends behind a chunk".to_owned(), |at| format!("breaks off in the chunk at byte {at}"));
        eprintln!("trapeze: the log {place}: its recorder was killed; replaying to the last complete one");
    }
    let (mut machine, outcome, open) = second::execute(&config, &log, !a.silent)?;
    let newline = if open { "\n" } else { "" };
    match outcome {
        Outcome::Same { whole, hash, marks } => {
            if !a.quiet {
                let how = match &log.end {
                    Some(e) => format!("to its end ({})", output::clean(&e.reason)),
                    None => "to the last complete chunk".to_owned(),
                };
                eprintln!("trapeze: replayed {how}; {} instructions, {marks} witnesses held", machine.instret());
            }
            if a.hash {
                output::print(&format!("{newline}state hash: {}\n", hex(&hash)))?;
            }
            Ok(if whole { Exit::Ok } else { Exit::Limit }.into())
        }
        Outcome::Stopped => Ok(Exit::Interrupt.into()),
        Outcome::Differs(d) => {
            if a.hash {
                output::print(&format!("{newline}state hash: {}\n", hex(&machine.state_hash())))?;
            }
            Err(CliError::Mismatch(second::explain(&config, &log, &d, [EngineKind::Step, EngineKind::Block])?))
        }
    }
}

/// `trapeze bundle`.
pub fn bundle(a: &BundleArgs) -> Result<ExitCode, CliError> {
    let to = a.output.clone().unwrap_or_else(|| a.log.with_extension("bundle"));
    output::print(&bundle::pack(&a.log, &to, &a.images)?)?;
    Ok(Exit::Ok.into())
}

/// `trapeze log`.
pub fn log(c: &LogCommand) -> Result<ExitCode, CliError> {
    match c {
        LogCommand::Dump { log } => {
            let log = read_log(log)?;
            output::print(&dump(&log))?;
            if let Some(at) = log.cut {
                eprintln!("trapeze: the log breaks off in the chunk at byte {at}");
            }
        }
        LogCommand::Token { log, images } => {
            let log = read_log(log)?;
            let token = bundle::token(&log, images)?.ok_or_else(|| {
                CliError::usage("this run has too many decisions for a token", "give the log, or a bundle of it (trapeze bundle)")
            })?;
            output::print(&format!("{token}\n"))?;
        }
        LogCommand::Assemble { text: from, output: file } => {
            let bytes = read(from, "log's text")?;
            let text = String::from_utf8(bytes).map_err(|_| {
                CliError::usage(format!("{}: not UTF-8", from.display()), "start from what trapeze log dump prints")
            })?;
            let bytes = assemble(&text).map_err(|e| CliError::replay_of(from, e))?;
            if find::same(from, file) {
                return Err(CliError::usage(
                    format!("{}: this is the text, which would be lost", file.display()),
                    "give the log another name",
                ));
            }
            output::file(file, &bytes).map_err(|e| CliError::file(file, "write the log", e))?;
        }
    }
    Ok(Exit::Ok.into())
}

/// The machine's name of an engine.
pub fn kind(e: Engine) -> EngineKind {
    match e {
        Engine::Step => EngineKind::Step,
        Engine::Block => EngineKind::Block,
    }
}
