//! Options of the subcommands for recorded runs and saved machines.

// Comments here are the help texts, whose square brackets mean "optional", not links.
#![allow(rustdoc::broken_intra_doc_links)]

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Engine, values};

/// Options of `trapeze record`.
#[derive(Args, Debug)]
pub struct RecordArgs {
    /// The log. Until the run has ended it is FILE.part, which can be replayed too
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
    /// The options of `trapeze run`
    #[arg(last = true, required = true, value_name = "RUN OPTIONS")]
    pub run: Vec<OsString>,
}

/// Options of `trapeze replay`.
#[derive(Args, Debug)]
pub struct ReplayArgs {
    /// A log, a bundle or a token
    #[arg(value_name = "FILE|TOKEN")]
    pub what: String,
    /// Where to look for images that are not where they were; may be given more than once
    #[arg(long, value_name = "DIR")]
    pub images: Vec<PathBuf>,
    /// Engine, instead of the recorded one. The results are the same
    #[arg(long, value_enum)]
    pub engine: Option<Engine>,
    /// At the end print a hash of the whole state
    #[arg(long)]
    pub hash: bool,
    /// Do not print what the guest prints
    #[arg(long)]
    pub silent: bool,
    /// Say nothing on standard error but errors
    #[arg(long, short)]
    pub quiet: bool,
    /// Replay also what a build with other tables recorded
    #[arg(long)]
    pub force: bool,
}

/// Options of `trapeze log`.
#[derive(Args, Debug)]
#[command(arg_required_else_help = false)] // the message names what is missing
pub struct LogArgs {
    /// What to do
    #[command(subcommand)]
    pub what: LogCommand,
}

/// What `trapeze log` does.
#[derive(Subcommand, Debug)]
pub enum LogCommand {
    /// Print a log as lines of JSON
    Dump {
        /// The log
        log: PathBuf,
    },
    /// Print a run whose decisions are few as one line, for trapeze replay
    Token {
        /// The log
        log: PathBuf,
        /// Where to look for images; may be given more than once
        #[arg(long, value_name = "DIR")]
        images: Vec<PathBuf>,
    },
    /// Make a log from such lines
    Assemble {
        /// The lines
        text: PathBuf,
        /// The log to write
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
    },
}

/// Options of `trapeze query`.
#[derive(Args, Debug)]
pub struct QueryArgs {
    /// A log, a bundle or a token
    #[arg(value_name = "FILE|TOKEN")]
    pub what: String,
    /// Ask as of this place: instructions over all harts; N+K is K cycles later, BOOT:N after so many reboots. Default: the recording's end, of
    /// next its beginning
    #[arg(long, value_name = "PLACE", value_parser = values::place_of_run)]
    pub at: Option<replay::timeline::Place>,
    /// Where to look for images that are not where they were; may be given more than once
    #[arg(long, value_name = "DIR")]
    pub images: Vec<PathBuf>,
    /// ELF file with the guest's symbols; the kernel's own if it is an ELF file
    #[arg(long, value_name = "FILE")]
    pub symbols: Option<PathBuf>,
    /// The question
    #[command(subcommand)]
    pub question: Question,
}

/// What `trapeze query` is asked.
#[derive(Subcommand, Debug)]
pub enum Question {
    /// Who wrote this last: a register (a0, fa0), a CSR or a field of it (sepc, hstatus.SPV), va:ADDRESS or pa:ADDRESS (a doubleword). ADDRESS is hexadecimal, or of va: a symbol
    Writer {
        /// What
        of: String,
        /// The hart whose register it is
        #[arg(long, default_value_t = 0)]
        hart: usize,
    },
    /// When a software event last left a state: unused, registered, enabled, running (any, if none is given)
    Left {
        /// Its number, or ras-high, ras-low, global-ras-high, global-ras-low
        event: String,
        /// The state
        state: Option<String>,
    },
    /// When this held first: TERM OP NUMBER, where TERM is pc, mode, instret, a register, a CSR or field, or mem:ADDRESS (a doubleword of physical memory), of hart 0 or with hartN. before it; for NUMBER also a symbol
    First {
        /// The predicate
        #[arg(required = true)]
        predicate: Vec<String>,
    },
    /// The next trap, return or firmware operation of a kind
    Next {
        /// trap, interrupt, exception, return, or words of a cause's, a call's or a transition's name
        kind: String,
        /// Only on this hart
        #[arg(long)]
        hart: Option<usize>,
    },
    /// The previous one
    Previous {
        /// As for next
        kind: String,
        /// Only on this hart
        #[arg(long)]
        hart: Option<usize>,
    },
}

/// Options of `trapeze bundle`.
#[derive(Args, Debug)]
pub struct BundleArgs {
    /// The log
    pub log: PathBuf,
    /// The bundle to write (default: the log's name with .bundle)
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Where to look for images that are not where they were; may be given more than once
    #[arg(long, value_name = "DIR")]
    pub images: Vec<PathBuf>,
}

/// Options of `trapeze snapshot`.
#[derive(Args, Debug)]
#[command(arg_required_else_help = false)]
pub struct SnapshotArgs {
    /// What to do
    #[command(subcommand)]
    pub what: SnapshotCommand,
}

/// What `trapeze snapshot` does.
#[derive(Subcommand, Debug)]
pub enum SnapshotCommand {
    /// Run a guest without input to an instruction and save it
    Save {
        /// The snapshot to write
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
        /// Instructions over all harts (5M, 2G)
        #[arg(long, value_name = "N", value_parser = values::count)]
        at: u64,
        /// The options of `trapeze run`
        #[arg(last = true, required = true, value_name = "RUN OPTIONS")]
        run: Vec<OsString>,
    },
    /// Go on from a snapshot: `trapeze run --from-snapshot FILE`
    Load {
        /// The snapshot
        file: PathBuf,
        /// Options of `trapeze run` that do not change the machine
        #[arg(last = true, value_name = "RUN OPTIONS")]
        run: Vec<OsString>,
    },
    /// List the snapshots in directories
    List {
        /// The directories (default: this one)
        dirs: Vec<PathBuf>,
    },
    /// Say what a snapshot holds
    Info {
        /// The snapshot
        file: PathBuf,
        /// Where to look for images and snapshots; may be given more than once
        #[arg(long, value_name = "DIR")]
        images: Vec<PathBuf>,
        /// Load it, which checks the whole state
        #[arg(long)]
        check: bool,
    },
}
