//! Standard output with the convention that a closed pipe is a normal end, and files written whole.

use std::io::{ErrorKind, Write, stdout};
use std::path::{Path, PathBuf};

use crate::exit::CliError;

/// Whether anyone still reads standard output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reader {
    /// Yes.
    There,
    /// No: end quietly.
    Gone,
}

/// Writes and flushes.
pub fn write(bytes: &[u8]) -> Result<Reader, CliError> {
    let mut out = stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(Reader::There),
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(source) => Err(CliError::Terminal { doing: "write to standard output", source }),
    }
}

/// Writes a text for a command whose only work is to print it: a closed pipe is no failure.
pub fn print(text: &str) -> Result<(), CliError> {
    write(text.as_bytes()).map(drop)
}

/// A text that may hold words of a file or a guest, without what would steer a terminal.
pub fn clean(text: &str) -> String {
    let plain = |c: char| if c.is_control() && !matches!(c, '\n' | '\t') { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().map(plain).collect()
}

/// A text as one word of a shell's command line.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | ':' | ',' | '+' | '=' | '@' | '%');
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// Whether [`file()`] can write there, asked before work whose result would be lost; `what` completes "cannot write the ...". Leaves nothing.
pub fn ready(path: &Path, what: &str) -> Result<(), CliError> {
    let fail = |e| CliError::file(path, format!("write the {what}"), e);
    match std::fs::metadata(path) {
        Ok(m) if m.is_dir() => return Err(fail(ErrorKind::IsADirectory.into())),
        // A pipe or a terminal: opening it may wait for its reader.
        Ok(m) if !m.is_file() => return Ok(()),
        _ => {}
    }
    let part = part(path).map_err(fail)?;
    std::fs::File::create(&part).and_then(|_| std::fs::remove_file(&part)).map_err(fail)
}

/// Whether there is something that is no plain file: a pipe, a terminal, /dev/null. It is written to as it is, since another file that took
/// its name would end it.
pub fn is_stream(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|m| !m.is_file())
}

/// The name under which a file is written until it is whole.
pub fn part(path: &Path) -> std::io::Result<PathBuf> {
    let mut name = path.file_name().ok_or(ErrorKind::IsADirectory)?.to_owned();
    name.push(format!(".{}.part", std::process::id()));
    Ok(path.with_file_name(name))
}

/// Writes a file so that nobody ever finds half of it: under another name, which then takes the file's place. What is there and is no
/// plain file (a pipe, a terminal) is written to as it is.
pub fn file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if is_stream(path) {
        return std::fs::write(path, bytes);
    }
    let part = part(path)?;
    let result = std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, path));
    if result.is_err() {
        // What is left of it helps nobody; the first error is the one to tell.
        let _ = std::fs::remove_file(&part);
    }
    result
}
