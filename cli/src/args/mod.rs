//! The command line's definition: help, man page, completions and parsing all come from it.

// Comments here are the help texts, whose square brackets mean "optional", not links.
#![allow(rustdoc::broken_intra_doc_links)]

mod debug;
mod diff_firmware;
mod lab;
mod ledger;
mod parse;
pub mod qemu;
mod recording;
pub mod test;
pub mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use debug::DebugArgs;
pub use diff_firmware::DiffFirmwareArgs;
pub use ledger::{ExplainArgs, ExplainCommand, ReportArgs, TraceArgs};
pub use parse::{refusal, run_options};
pub use recording::{
    BundleArgs, LogArgs, LogCommand, QueryArgs, Question, RecordArgs, ReplayArgs, SnapshotArgs, SnapshotCommand,
};

/// A deterministic RV64GCH machine with firmware that can be seen.
///
/// With no subcommand it runs a small built-in program that tours the privilege modes and explains each trap it takes, and then shows one
/// defect of a real firmware in the laboratory.
#[derive(Parser, Debug)]
#[command(name = "trapeze", version, after_help = crate::exit::Exit::help())]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run a guest: a kernel under native or real firmware, or a bare ELF program.
    ///
    /// QEMU's spellings (-kernel, -initrd, -append, -smp, -m, -drive, -bios, -dtb, -cpu, -M, -nographic ...) are understood too.
    Run(Box<RunArgs>),
    /// Run a guest and keep what entered it: `trapeze record -o FILE -- RUN OPTIONS`.
    Record(RecordArgs),
    /// Run a recorded run again, exactly, and check that it is the same.
    Replay(ReplayArgs),
    /// Look into a recording, or make one from text.
    Log(LogArgs),
    /// Ask who wrote something last in a recorded run, or when something happened.
    Query(QueryArgs),
    /// Pack a recording and all images that it needs into one file.
    Bundle(BundleArgs),
    /// Save machines in the middle of their runs, and go on from there.
    Snapshot(SnapshotArgs),
    /// Let GDB move through a run, forwards and backwards: `trapeze debug --replay FILE`, or `trapeze debug -- RUN OPTIONS`.
    Debug(DebugArgs),
    /// Run the built-in program that tours the privilege modes.
    Tour(TourArgs),
    /// Measure this build's speed with built-in guest programs.
    Bench(BenchArgs),
    /// Disassemble instruction words given in hexadecimal, or an ELF file's code.
    Disasm(DisasmArgs),
    /// Run a guest and print its trap ledger: every trap, return, CSR write and firmware operation with the fields it changed
    Trace(TraceArgs),
    /// Run a guest and write its trap ledger as one page of HTML: timeline, search, fields, page walks
    Report(ReportArgs),
    /// Explain a trap of a run, a cause, or why a CSR holds what it holds: rule, clause, last writer
    Explain(ExplainArgs),
    /// Interrupt a small hypervisor by a software event at every instruction boundary, and show what comes back wrong
    Lab(LabArgs),
    /// Run one guest on two firmwares and compare their answers to each call and trap: `trapeze diff-firmware A B -- RUN OPTIONS`
    DiffFirmware(DiffFirmwareArgs),
    /// Run scenarios, guests that must behave as a TOML file says: `trapeze test DIR|FILE...`
    Test(test::TestArgs),
    /// What `-cpu` accepts.
    Cpu(CpuArgs),
    /// List the native firmware's profiles and the policies in which they differ, or explain one profile's.
    Profiles {
        /// The profile to explain.
        name: Option<String>,
    },
    /// List the firmware defects that `run --bug` brings back.
    Bugs,
    /// List the oracles of `run --check` and of the laboratory: number, name, clause, what is checked.
    Oracles,
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page (troff): `trapeze man | man -l -`.
    Man {
        /// A subcommand's page instead of the main one.
        subcommand: Option<String>,
    },
}

/// Options of `trapeze run`. Every one but the reporting ones may also stand in a `--config` file.
#[derive(Args, Debug, Default)]
#[command(after_help = crate::exit::Exit::help())]
pub struct RunArgs {
    /// Kernel (Image, also gzip or zstd compressed) or ELF program
    #[arg(long, value_name = "FILE", help_heading = "Guest")]
    pub kernel: Option<PathBuf>,
    /// Initial RAM disk
    #[arg(long, value_name = "FILE", help_heading = "Guest")]
    pub initrd: Option<PathBuf>,
    /// Kernel command line
    #[arg(long, value_name = "TEXT", help_heading = "Guest", allow_hyphen_values = true)]
    pub append: Option<String>,
    /// M-mode firmware: 'native' (built in), 'none' (the kernel starts in M-mode), or an OpenSBI fw_dynamic/fw_jump FILE
    #[arg(long, value_name = "native|none|FILE", help_heading = "Guest")]
    pub bios: Option<String>,
    /// Whose behaviour the native firmware shows; see `trapeze profiles`
    #[arg(long, value_name = "NAME", help_heading = "Guest")]
    pub sbi_profile: Option<String>,
    /// A defect for the native firmware to have; see `trapeze bugs`. May be given more than once
    #[arg(long, value_name = "NAME", help_heading = "Guest")]
    pub bug: Vec<String>,
    /// Switch an extension of the native firmware: NAME=on|off[,NAME=...] with mpxy (on) or nacl (off; KVM uses it when it is on)
    #[arg(long, value_name = "NAME=on|off", help_heading = "Guest")]
    pub sbi_ext: Option<String>,
    /// A domain of the native firmware: NAME[,harts=ID:ID...][,mem=BASE+SIZE:rwx ...][,boot=ID@ENTRY][,reset=off]. May be given more than
    /// once; 'root' is the domain of all other harts
    #[arg(long, value_name = "NAME,...", help_heading = "Guest")]
    pub domain: Vec<String>,
    /// Device tree blob to pass instead of the generated one
    #[arg(long, value_name = "FILE", help_heading = "Guest")]
    pub dtb: Option<PathBuf>,

    /// Number of harts, 1 to 32
    #[arg(long, value_name = "N", value_parser = values::number, help_heading = "Machine")]
    pub smp: Option<u64>,
    /// mhartid of each hart, from the one that boots on: '0:2:5:9'; without --smp as many harts as ids
    #[arg(long, value_name = "ID:ID...", value_parser = values::ids, help_heading = "Machine")]
    pub hart_ids: Option<values::Ids>,
    /// Give the machine an error bank (RERI), whose signals the native firmware turns into RAS events
    #[arg(long, help_heading = "Machine")]
    pub ras: bool,
    /// RAM (a bare number is MiB)
    #[arg(long, value_name = "SIZE", value_parser = values::memory, help_heading = "Machine")]
    pub memory: Option<u64>,
    /// Hart profile and features: NAME[,FEATURE=on|off...]; see `trapeze cpu list`
    #[arg(long, value_name = "NAME,...", help_heading = "Machine")]
    pub cpu: Option<String>,
    /// Block device: file=FILE[,snapshot=on|off][,overlay=FILE][,readonly=on][,if=virtio|none,id=ID]. Without snapshot=off
    /// writes go to the overlay file, or are forgotten at exit
    #[arg(long, value_name = "file=FILE,...", help_heading = "Machine")]
    pub drive: Vec<String>,
    /// Attach a drive given with if=none: virtio-blk-device,drive=ID. virtio-rng-device is always there
    #[arg(long, value_name = "NAME,...", help_heading = "Machine")]
    pub device: Vec<String>,
    /// File that keeps what the guest writes to the first drive; the base image stays untouched
    #[arg(long, value_name = "FILE", help_heading = "Machine")]
    pub overlay: Option<PathBuf>,
    /// Let no drive's writes reach its file
    #[arg(long, help_heading = "Machine")]
    pub snapshot: bool,
    /// Seed of the guest's random number device
    #[arg(long, value_name = "N", value_parser = values::number, help_heading = "Machine")]
    pub seed: Option<u64>,
    /// Virtual real-time clock at start, seconds since 1970-01-01 UTC
    #[arg(long, value_name = "SECONDS", value_parser = values::number, help_heading = "Machine")]
    pub epoch: Option<u64>,
    /// Cycles (instructions) in a virtual second
    #[arg(long, visible_alias = "rate", value_name = "HZ", value_parser = values::count, help_heading = "Machine")]
    pub cycle_hz: Option<u64>,
    /// Cycles a hart runs before the next hart's turn
    #[arg(long, value_name = "CYCLES", value_parser = values::count, help_heading = "Machine")]
    pub quantum: Option<u64>,
    /// How instructions run: one exact step at a time, or decoded blocks. The results are the same
    #[arg(long, value_enum, help_heading = "Machine")]
    pub engine: Option<Engine>,

    /// Stop after this many instructions over all harts (5M, 2G)
    #[arg(long, value_name = "N", value_parser = values::count, help_heading = "Run")]
    pub limit: Option<u64>,
    /// End with 0 at a guest reboot instead of starting again
    #[arg(long, help_heading = "Run")]
    pub no_reboot: bool,
    /// End the process with the guest's own code where it gives one
    #[arg(long, help_heading = "Run")]
    pub exit_with_guest_code: bool,
    /// Let virtual time run ahead of the host's clock when the guest is idle
    #[arg(long, help_heading = "Run")]
    pub no_throttle: bool,
    /// Listen for GDB at tcp:[HOST]:PORT or unix:PATH. -s is --gdb tcp::1234
    #[arg(long, value_name = "PLACE", help_heading = "Run")]
    pub gdb: Option<crate::gdb::listen::Place>,
    /// Do not start before a debugger says so (-S)
    #[arg(long, requires = "gdb", help_heading = "Run")]
    pub freeze: bool,
    /// Accepted for QEMU's sake: there is never a graphical display
    #[arg(long, hide = true)]
    pub nographic: bool,

    /// Go on from a snapshot, whose configuration the run has
    #[arg(long, value_name = "FILE", help_heading = "Snapshots")]
    pub from_snapshot: Option<PathBuf>,
    /// Save the machine when all harts together have retired so many instructions, and go on. May be given more than once
    #[arg(long, value_name = "INSTRET=FILE", help_heading = "Snapshots")]
    pub snapshot_at: Vec<String>,
    /// Where to look for a snapshot's images and those it is a difference to; may be given more than once
    #[arg(long, value_name = "DIR", help_heading = "Snapshots")]
    pub images: Vec<PathBuf>,

    /// Read options from a TOML file (what --print-config prints); the command line wins
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    pub config: Option<PathBuf>,
    /// Print the resolved configuration as TOML and stop
    #[arg(long, help_heading = "Configuration", conflicts_with = "dump_dtb")]
    pub print_config: bool,
    /// Write the device tree the guest would get, and stop
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    pub dump_dtb: Option<PathBuf>,

    /// Oracles to hold the run to: all, none, or names and numbers with commas between; see `trapeze oracles`
    #[arg(long, value_name = "all|NAME,...", help_heading = "Check")]
    pub check: Option<String>,
    /// What a violation does: end the run there, be told while the run goes on, or be counted only
    #[arg(long, value_enum, value_name = "WHAT", help_heading = "Check")]
    pub on_violation: Option<OnViolation>,
    /// TOML file of violations that are exempted, each with a reason; see docs/oracles.md
    #[arg(long, value_name = "FILE", help_heading = "Check")]
    pub exempt: Option<PathBuf>,
    /// ELF file with the guest's symbols, for addresses in violations; the kernel's own if it is an ELF file
    #[arg(long, value_name = "FILE", help_heading = "Check")]
    pub symbols: Option<PathBuf>,

    /// At the end print a hash of the whole state (harts, RAM, devices)
    #[arg(long, help_heading = "Report")]
    pub hash: bool,
    /// At the end print a report as one line of JSON
    #[arg(long, help_heading = "Report")]
    pub json: bool,
    /// At the end say how often the guest called each function of the firmware
    #[arg(long, help_heading = "Report")]
    pub sbi_histogram: bool,
    /// Execute the run twice and compare: on a difference say at which instruction and in which fields
    #[arg(long, help_heading = "Report")]
    pub verify: bool,
    /// Say nothing on standard error but errors
    #[arg(long, short, help_heading = "Report")]
    pub quiet: bool,
}

/// What a violation of an oracle does to a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum OnViolation {
    /// End the run where the violation is
    #[default]
    Stop,
    /// Tell it and go on
    Record,
    /// Count it and go on; the exit code is that of a run without oracles
    Ignore,
}

/// Which engine runs the harts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Exact stepper
    Step,
    /// Decoded blocks
    Block,
}

/// Options of `trapeze tour`.
#[derive(Args, Debug, Default)]
pub struct TourArgs {
    /// Print the program's own output and one line a trap only
    #[arg(long)]
    pub brief: bool,
}

/// Options of `trapeze bench`.
#[derive(Args, Debug)]
pub struct BenchArgs {
    /// Programs to run (default: all)
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Engine to measure (default: both)
    #[arg(long, value_enum)]
    pub engine: Option<Engine>,
    /// Let the programs that call firmware (timer, ipi, sse) call that of an OpenSBI FILE, and run only those
    #[arg(long, value_name = "FILE")]
    pub bios: Option<PathBuf>,
    /// Runs of each program; the best is printed
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: u32,
    /// Measure instead how long a fork of the machine in this snapshot takes, with 1,000 instructions and its end
    #[arg(long, value_name = "SNAPSHOT")]
    pub fork: Option<PathBuf>,
    /// One line of JSON a program
    #[arg(long)]
    pub json: bool,
    /// List the programs
    #[arg(long)]
    pub list: bool,
}

/// Options of `trapeze lab`.
#[derive(Args, Debug)]
pub struct LabArgs {
    #[arg(long, value_name = "NAME|FILE", default_value = "hyp", help = lab::payload_help())]
    pub payload: String,
    /// Harts, as for run. Default: what the payload needs
    #[arg(long, value_name = "CPU")]
    pub cpu: Option<String>,
    /// Firmware: a profile (spec, opensbi-1.9 ...; see `trapeze profiles`), an OpenSBI binary's FILE, or NAME=FILE. May be given several times
    #[arg(long, value_name = "PROFILE|FILE", default_values_t = ["opensbi-1.9", "spec", "private-resume"].map(String::from))]
    pub firmware: Vec<String>,
    #[arg(long, value_name = "POLICY", help = lab::policy_help())]
    pub policy: Vec<String>,
    #[arg(long, value_name = "VARIANT", help = lab::variant_help())]
    pub variant: Vec<String>,
    #[arg(long, value_name = "LAYOUT", help = lab::layout_help())]
    pub layout: Vec<String>,
    /// Tell one case instead of running the matrix: a step of the window, or a point (P0 to P11, HS, U, VS ...), whose first step is
    /// taken. Takes the first policy, variant and layout given (default: sstatus, nothing, asm)
    #[arg(long, value_name = "STEP|POINT")]
    pub case: Option<String>,
    /// Also write the case, on each firmware, as a page of HTML (as `trapeze report`)
    #[arg(long, value_name = "FILE", requires = "case")]
    pub report: Option<PathBuf>,
    /// Oracles to hold every boundary to: all, none, or names and numbers with commas between; see `trapeze oracles`
    #[arg(long, value_name = "all|none|NAME,...", default_value = "all")]
    pub check: String,
    /// Compare with this file instead of the built-in expectations
    #[arg(long, value_name = "FILE", conflicts_with = "case")]
    pub expected: Option<PathBuf>,
    /// Write what was found as expectations
    #[arg(long, value_name = "FILE", conflicts_with = "case")]
    pub write_expected: Option<PathBuf>,
    /// Print the matrix as one line of JSON
    #[arg(long)]
    pub json: bool,
    /// Show no progress
    #[arg(long, short)]
    pub quiet: bool,
}

/// Options of `trapeze disasm`.
#[derive(Args, Debug)]
pub struct DisasmArgs {
    /// Hexadecimal instruction words (32 bits, or 16 for compressed ones), or one ELF file
    #[arg(required = true, value_name = "WORD|FILE")]
    pub input: Vec<String>,
    /// Hart profile whose instructions are known
    #[arg(long, value_name = "NAME,...")]
    pub cpu: Option<String>,
}

/// Options of `trapeze cpu`.
#[derive(Args, Debug)]
#[command(arg_required_else_help = false)]
pub struct CpuArgs {
    /// What to do
    #[command(subcommand)]
    pub what: CpuCommand,
}

/// What `trapeze cpu` does.
#[derive(Subcommand, Debug)]
pub enum CpuCommand {
    /// List profiles and features
    List,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
