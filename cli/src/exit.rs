//! How the process ends: the one list of exit codes, and the error type that carries one with its explanation.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Exit codes of every subcommand. `docs/exit-codes.md` and `--help` are checked against this list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Exit {
    /// The guest ended well, or the command did what it was asked.
    Ok = 0,
    /// The guest ended and reported failure.
    Guest = 1,
    /// The command line, a configuration or an image is wrong; the guest did not start.
    Usage = 2,
    /// The host refused: a file cannot be opened, read or written, the terminal cannot be set.
    HostIo = 3,
    /// Two things that must agree do not.
    Mismatch = 4,
    /// The instruction limit was reached.
    Limit = 5,
    /// A laboratory or a check found what was not expected.
    Unexpected = 6,
    /// The guest did what the machine cannot go on from: an endless trap loop, all harts asleep for good, a firmware dead end.
    Unsupported = 7,
    /// An oracle was violated.
    Violation = 8,
    /// Stopped from outside (SIGINT, SIGTERM, SIGHUP, SIGQUIT).
    Interrupt = 130,
}

impl Exit {
    /// All codes in ascending order.
    pub const ALL: [Exit; 10] = [
        Exit::Ok,
        Exit::Guest,
        Exit::Usage,
        Exit::HostIo,
        Exit::Mismatch,
        Exit::Limit,
        Exit::Unexpected,
        Exit::Unsupported,
        Exit::Violation,
        Exit::Interrupt,
    ];

    /// What the code means, as `--help` and the book say it.
    pub const fn meaning(self) -> &'static str {
        match self {
            Exit::Ok => "the guest ended well, or the command did what it was asked",
            Exit::Guest => "the guest ended and reported failure (see --exit-with-guest-code)",
            Exit::Usage => "the command line, a configuration or an image is wrong; the guest did not start",
            Exit::HostIo => "a host file or terminal could not be opened, read, written or set",
            Exit::Mismatch => "two things that must agree do not",
            Exit::Limit => "the limit given with --limit was reached",
            Exit::Unexpected => "a laboratory's or a scenario's result is not what its file says",
            Exit::Unsupported => "the machine cannot go on: endless trap loop, all harts asleep for good, firmware dead end",
            Exit::Violation => "an oracle was violated (see --check)",
            Exit::Interrupt => "stopped from outside (SIGINT, SIGTERM, SIGHUP, SIGQUIT)",
        }
    }

    /// The list as text, one code a line.
    pub fn help() -> String {
        Exit::ALL.iter().fold("Exit codes:\n".to_owned(), |s, e| format!("{s}  {:>3}  {}\n", *e as u8, e.meaning()))
    }
}

impl From<Exit> for ExitCode {
    fn from(e: Exit) -> ExitCode {
        ExitCode::from(e as u8)
    }
}

/// A failure of the command itself: what happened, where, and what to do about it.
#[derive(thiserror::Error, Debug)]
pub enum CliError {
    /// Command line or configuration.
    #[error("{what}\n  remedy: {remedy}")]
    Usage {
        /// What is wrong, naming the option or the file and line.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// An image is not what it should be.
    #[error("{}: {what}\n  remedy: {remedy}", shown(file))]
    Image {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// The host refused an operation on a file.
    #[error("{}: cannot {doing}: {source}\n  remedy: {remedy}", shown(file))]
    File {
        /// The file.
        file: PathBuf,
        /// The operation ("read the kernel").
        doing: String,
        /// The host's reason.
        source: std::io::Error,
        /// What to do.
        remedy: String,
    },
    /// The host refused something that is no file of the user's.
    #[error("{what}\n  remedy: {remedy}")]
    Host {
        /// What, and the host's reason.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// The terminal or standard output failed.
    #[error(
        "cannot {doing}: {source}\n  remedy: see what standard input and output are connected to, and whether there is space"
    )]
    Terminal {
        /// The operation.
        doing: &'static str,
        /// The host's reason.
        source: std::io::Error,
    },
    /// Two things that must agree do not.
    #[error("{0}")]
    Mismatch(String),
}

/// A path in a message; one of no length would not be seen.
fn shown(file: &Path) -> String {
    if file.as_os_str().is_empty() { "''".to_owned() } else { file.display().to_string() }
}

impl CliError {
    /// A usage error.
    pub fn usage(what: impl Into<String>, remedy: impl Into<String>) -> CliError {
        CliError::Usage { what: what.into(), remedy: remedy.into() }
    }

    /// A file error; the remedy follows from the host's reason. Contents that are not what they must be (`InvalidData`: text that is no
    /// UTF-8) are a wrong image, not a refusal of the host.
    pub fn file(file: &Path, doing: impl Into<String>, source: std::io::Error) -> CliError {
        use std::io::ErrorKind as K;
        let doing = doing.into();
        if source.kind() == K::InvalidData {
            let what = format!("cannot {doing}: {source}");
            return CliError::Image { file: file.to_owned(), what, remedy: "check that this is the file you meant".to_owned() };
        }
        let remedy = match source.kind() {
            K::NotFound => "check the path; it is taken relative to the current directory",
            K::PermissionDenied => "check the file's permissions",
            K::IsADirectory => "name a file, not a directory",
            K::NotADirectory => "check the path: what must be a directory in it is a file",
            K::StorageFull => "free some space",
            _ => "check that the file is on a working file system",
        };
        CliError::File { file: file.to_owned(), doing, source, remedy: remedy.to_owned() }
    }

    /// As [`CliError::replay`], of what was read from a file, which the message names.
    pub fn replay_of(file: &Path, e: replay::ReplayError) -> CliError {
        let named = |what: String| format!("{}: {what}", shown(file));
        match CliError::replay(e) {
            CliError::Usage { what, remedy } => CliError::Usage { what: named(what), remedy },
            CliError::Mismatch(text) => CliError::Mismatch(named(text)),
            other => other,
        }
    }

    /// A refusal of a recording or snapshot: a difference between builds is a mismatch, anything else a wrong input.
    pub fn replay(e: replay::ReplayError) -> CliError {
        let text = e.to_string();
        match (e, text.split_once("\n  remedy: ")) {
            (replay::ReplayError::Misfit { .. }, _) => CliError::Mismatch(text),
            (_, Some((what, remedy))) => CliError::usage(what, remedy),
            (_, None) => CliError::Mismatch(text),
        }
    }

    /// The exit code this failure ends the process with.
    pub fn exit(&self) -> Exit {
        match self {
            CliError::Usage { .. } | CliError::Image { .. } => Exit::Usage,
            CliError::File { .. } | CliError::Host { .. } | CliError::Terminal { .. } => Exit::HostIo,
            CliError::Mismatch(_) => Exit::Mismatch,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn the_book_lists_every_exit_code_with_its_meaning() {
        let book = include_str!("../../docs/exit-codes.md");
        for e in Exit::ALL {
            let row = format!("| {} | {} |", e as u8, e.meaning());
            assert!(book.contains(&row), "docs/exit-codes.md lacks: {row}");
        }
    }
}
