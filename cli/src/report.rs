//! What is said when a run has ended: one line for a person, one of JSON for a program.

use std::time::Duration;

use emu_core::machine::{Machine, RunEnd};
use serde::Serialize;

use crate::exit::Exit;
use crate::histogram::Line;
use crate::session::End;

/// The final report (`--json`); its fields are documented in docs/using.md.
#[derive(Serialize, Debug)]
pub struct Report {
    /// Version of this form.
    pub schema: u32,
    /// One word for how it ended.
    pub end: &'static str,
    /// The guest's own code, where it gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u64>,
    /// The end in words.
    pub text: String,
    /// This process's exit code.
    pub exit: u8,
    /// Instructions over all harts.
    pub instret: u64,
    /// Instructions of each hart.
    pub harts: Vec<u64>,
    /// Virtual seconds since power-on.
    pub virtual_seconds: f64,
    /// Host seconds from the start of the command to the guest's first instruction.
    pub start_seconds: f64,
    /// Host seconds the run took, with the start.
    pub host_seconds: f64,
    /// Millions of guest instructions in a host second.
    pub mips: f64,
    /// Violations of oracles, and how often each oracle spoke (with `--check`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oracles: Option<crate::check::Verdict>,
    /// Hash of the whole state (with `--hash`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Calls of the firmware (with `--sbi-histogram`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sbi: Option<Vec<Line>>,
}

/// How long it took on the host, from the start of the command.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// To the guest's first instruction.
    pub start: Duration,
    /// To the end.
    pub all: Duration,
}

impl Report {
    /// Describes how a run ended.
    pub fn new(end: &End, machine: &Machine, cycle_hz: u64, times: Times, guest_code: bool) -> Report {
        let (word, code, text, exit) = describe(end);
        let exit = match code {
            Some(c) if guest_code && matches!(exit, Exit::Ok | Exit::Guest) => c as u8,
            _ => exit as u8,
        };
        let instret = machine.instret();
        let host_seconds = times.all.as_secs_f64();
        Report {
            schema: 1,
            end: word,
            code,
            text,
            exit,
            instret,
            harts: machine.harts().iter().map(|h| h.instret).collect(),
            virtual_seconds: machine.cycles() as f64 / cycle_hz as f64,
            start_seconds: times.start.as_secs_f64(),
            host_seconds,
            mips: instret as f64 / host_seconds.max(1e-9) / 1e6,
            oracles: None,
            hash: None,
            sbi: None,
        }
    }

    /// The line for a person.
    pub fn line(&self) -> String {
        format!(
            "trapeze: {}; {} instructions, {:.3} virtual s, {:.3} host s\n",
            self.text, self.instret, self.virtual_seconds, self.host_seconds
        )
    }
}

/// How a run ended, in words.
pub fn words(end: &End) -> String {
    describe(end).2
}

/// One word, the guest's code, the words, the exit code.
fn describe(end: &End) -> (&'static str, Option<u64>, String, Exit) {
    let own = |word, text: &str, exit| (word, None, text.to_owned(), exit);
    match end {
        End::Machine(m) => ended(m),
        End::Limit => own("limit", "the instruction limit was reached", Exit::Limit),
        End::Quit => own("quit", "ended by the user", Exit::Ok),
        End::Signal(n) => own("signal", &format!("ended by signal {n}"), Exit::Interrupt),
        End::Violation => own("violation", "an oracle was violated", Exit::Violation),
        End::OutputGone => own("output-gone", "nobody reads the output", Exit::Ok),
    }
}

/// The same of a machine that ended by itself.
fn ended(end: &RunEnd) -> (&'static str, Option<u64>, String, Exit) {
    let (word, code) = crate::machine::end_word(end);
    let guest = |who: &str| match code {
        Some(0) | None => (format!("{who} with success"), Exit::Ok),
        Some(c) => (format!("{who} with failure code {c}"), Exit::Guest),
    };
    let (text, exit) = match end {
        RunEnd::PowerOff(_) => guest("the guest powered off"),
        RunEnd::HtifExit(_) => guest("the guest ended through tohost"),
        RunEnd::Reset => (end.to_string(), Exit::Ok),
        RunEnd::Limit => (end.to_string(), Exit::Limit),
        _ => (end.to_string(), Exit::Unsupported),
    };
    (word, code, text, exit)
}

/// Bytes as hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |s, b| format!("{s}{b:02x}"))
}
