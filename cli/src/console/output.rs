//! Standard output with the convention that a closed pipe is a normal end.

use std::io::{ErrorKind, Write, stdout};

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
