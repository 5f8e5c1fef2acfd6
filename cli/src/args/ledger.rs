//! Options of the subcommands that run a guest with its trap ledger.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::values;

/// Options of `trapeze trace`. Conditions of one kind are alternatives; all kinds given must hold.
#[derive(Args, Debug)]
pub struct TraceArgs {
    /// Only these harts, by hart id
    #[arg(long, value_name = "N")]
    pub hart: Vec<usize>,
    /// Only entries that enter, leave or happen in these modes: M, HS, U, VS, VU
    #[arg(long, value_name = "MODE")]
    pub mode: Vec<String>,
    /// Only traps of these causes: a number (of an interrupt with i before it), or words of the name
    #[arg(long, value_name = "CAUSE")]
    pub cause: Vec<String>,
    /// Only entries of these kinds: trap, return, write, firmware
    #[arg(long, value_name = "KIND")]
    pub kind: Vec<String>,
    /// Only what the firmware does with these software events: their number, or ras-high, ras-low ...
    #[arg(long, value_name = "EVENT")]
    pub event: Vec<String>,
    /// Only entries whose instruction lies in these symbols
    #[arg(long, value_name = "NAME")]
    pub symbol: Vec<String>,
    /// Only entries whose instruction lies in this range of addresses (hexadecimal)
    #[arg(long, value_name = "LOW-HIGH")]
    pub range: Option<String>,
    /// ELF file with the guest's symbols; the kernel's own if it is an ELF file
    #[arg(long, value_name = "FILE")]
    pub symbols: Option<PathBuf>,
    /// Lines of JSON instead of text
    #[arg(long)]
    pub json: bool,
    /// Below each line of text also tell its value registers, interrupts that lost, and the page walk of a fault
    #[arg(long, conflicts_with = "json")]
    pub long: bool,
    /// Write every instruction instead, in the format of Spike's commit log; - is standard output
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["json", "perfetto", "long", "hart", "mode", "cause", "kind", "event", "symbol", "range"])]
    pub commit_log: Option<PathBuf>,
    /// Write a trace that Perfetto opens instead: one track a hart and mode, software events as slices
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "long"])]
    pub perfetto: Option<PathBuf>,
    /// Copy the guest's console to standard error
    #[arg(long)]
    pub console: bool,
    /// The options of `trapeze run`
    #[arg(last = true, required = true, value_name = "RUN OPTIONS")]
    pub run: Vec<OsString>,
}

/// Options of `trapeze report`.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// The page
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
    /// Most ledger entries on the page
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = values::count)]
    pub max: u64,
    /// Ledger entries before the first one on the page
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = values::count)]
    pub skip: u64,
    /// ELF file with the guest's symbols; the kernel's own if it is an ELF file
    #[arg(long, value_name = "FILE")]
    pub symbols: Option<PathBuf>,
    /// Copy the guest's console to standard error
    #[arg(long)]
    pub console: bool,
    /// The options of `trapeze run`
    #[arg(last = true, required = true, value_name = "RUN OPTIONS")]
    pub run: Vec<OsString>,
}

/// Options of `trapeze explain`.
#[derive(Args, Debug)]
#[command(arg_required_else_help = false)] // the message names what is missing
pub struct ExplainArgs {
    /// What to explain
    #[command(subcommand)]
    pub what: ExplainCommand,
}

/// What `trapeze explain` explains.
#[derive(Subcommand, Debug)]
pub enum ExplainCommand {
    /// An entry of a run's ledger, by the number that `trapeze trace` gives it: `trapeze explain trap N -- RUN OPTIONS`
    Trap {
        /// The number
        #[arg(value_name = "N")]
        number: u64,
        /// ELF file with the guest's symbols; the kernel's own if it is an ELF file
        #[arg(long, value_name = "FILE")]
        symbols: Option<PathBuf>,
        /// The options of `trapeze run`
        #[arg(last = true, required = true, value_name = "RUN OPTIONS")]
        run: Vec<OsString>,
    },
    /// A cause: its number (an interrupt's with i before it), or words of its name
    Cause {
        /// 21, i5, `page fault`
        #[arg(value_name = "CAUSE", required = true)]
        cause: Vec<String>,
    },
    /// A CSR or one of its fields; with a run, also what it holds and who wrote it: `trapeze explain csr sstatus.SPP -- RUN OPTIONS`
    Csr {
        /// sstatus, hstatus.SPV
        #[arg(value_name = "CSR[.FIELD]")]
        name: String,
        /// When to look: instructions retired by the hart. Default: the end of the run
        #[arg(long, value_name = "INSTRET", value_parser = values::count)]
        at: Option<u64>,
        /// Whose CSR, by hart id
        #[arg(long, value_name = "N", default_value_t = 0)]
        hart: usize,
        /// ELF file with the guest's symbols; the kernel's own if it is an ELF file
        #[arg(long, value_name = "FILE")]
        symbols: Option<PathBuf>,
        /// The options of `trapeze run`
        #[arg(last = true, value_name = "RUN OPTIONS")]
        run: Vec<OsString>,
    },
}
