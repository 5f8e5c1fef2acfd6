//! What a failed scenario leaves: the log of its run, a bundle with its images, its console, and the commands that show it again.

use std::path::{Path, PathBuf};

use replay::log::{End, Log, LogWriter, Parts, Position};
use replay::play::Outcome;

use super::Scenario;
use super::machine::{Moving, position};
use super::run::{Failure, ended};
use crate::console::output;
use crate::exit::CliError;
use crate::recording::{bundle, find, second};

/// What was left, and where.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Files.
    pub files: Vec<PathBuf>,
    /// Commands that run it again.
    pub commands: Vec<String>,
}

/// Writes log and console of a scenario that failed where the machine stands; `name` is that of the files, without what says which. `directory` is
/// made if need be.
pub fn keep(m: &mut Moving<'_>, s: &Scenario, failure: &Failure, directory: &Path, name: &str) -> Result<Kept, CliError> {
    std::fs::create_dir_all(directory).map_err(|e| CliError::file(directory, "make the directory", e))?;
    let base = directory.join(name);
    let mut kept = Kept::default();
    let console = base.with_extension("console");
    output::file(&console, &m.at.console).map_err(|e| CliError::file(&console, "write the console", e))?;
    kept.files.push(console);
    if let Some((bytes, log)) = log(m, s, failure)? {
        let file = base.with_extension("tlog");
        output::file(&file, &bytes).map_err(|e| CliError::file(&file, "write the log", e))?;
        let packed = base.with_extension("bundle");
        bundle::pack(&file, &packed, &[])?;
        if let Some(token) = bundle::token(&log, &[])? {
            kept.commands.push(format!("trapeze replay {token}"));
        }
        kept.commands.push(format!("trapeze replay {}", shown(&packed)));
        let check = if m.violations().is_empty() { "" } else { "--check all " };
        kept.commands.push(format!("trapeze debug {check}--replay {}", shown(&file)));
        kept.files.extend([file, packed]);
    }
    kept.commands.push(format!("trapeze test {} {}", shown(&s.file), output::quoted(&format!("--only={}", s.name))));
    Ok(kept)
}

fn shown(file: &Path) -> String {
    output::quoted(&file.display().to_string())
}

/// The run up to here as a log, if a log can say it. With several harts a log names moments between
/// instructions only, so that what was injected right behind a trap's entry has no place in it.
fn log(m: &mut Moving<'_>, s: &Scenario, failure: &Failure) -> Result<Option<(Vec<u8>, Log)>, CliError> {
    let Ok(header) = find::header(&s.config) else { return Ok(None) };
    let path = PathBuf::from("(memory)");
    let fail = |e| CliError::file(&path, "write the log", e);
    let mut log = LogWriter::new(Vec::new(), &header).map_err(fail)?;
    for r in &m.at.records {
        log.record(r).map_err(fail)?;
    }
    let at = match m.at.ended {
        Some(_) => Position::of(&m.at.machine),
        None => position(&m.at.machine),
    };
    let hash = m.at.machine.state_hash();
    let reason = format!("{}: line {}: {}; machine: {}", s.id(), failure.line, failure.what, ended(m.at.ended.as_ref()));
    let bytes = log.finish(&End { at, reason, hash, parts: Parts::default() }).map_err(fail)?;
    let read = Log::read(&bytes).map_err(CliError::replay)?;
    let outcome = second::execute(&s.config, &read, false)?.1;
    Ok(matches!(outcome, Outcome::Same { whole: true, .. }).then_some((bytes, read)))
}

/// A file's name for a scenario of a list: its file's and its own, with nothing that a shell or a file system minds, and its number where another
/// one, of another directory, would have the same.
pub fn file_name(list: &[Scenario], number: usize) -> String {
    let own = plain_name(&list[number]);
    let taken = list.iter().enumerate().any(|(i, s)| i != number && plain_name(s) == own);
    if taken { format!("{own}-{number}") } else { own }
}

fn plain_name(s: &Scenario) -> String {
    let stem = s.file.file_stem().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' };
    let all: String = format!("{stem}-{}-{}", s.line, s.name).chars().map(plain).collect();
    all.chars().take(100).collect()
}
