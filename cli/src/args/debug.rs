//! Options of `trapeze debug`.

// Comments here are the help texts, whose square brackets mean "optional", not links.
#![allow(rustdoc::broken_intra_doc_links)]

use std::path::PathBuf;

use clap::Args;

use super::values;

/// Options of `trapeze debug`.
#[derive(Args, Clone, Debug)]
pub struct DebugArgs {
    /// A log, a bundle or a token to replay
    #[arg(long, value_name = "FILE|TOKEN")]
    pub replay: Option<String>,
    /// Where to look for images that are not where they were; may be given more than once
    #[arg(long, value_name = "DIR")]
    pub images: Vec<PathBuf>,
    /// Oracles whose violations stop the debugger: names and numbers of `trapeze oracles`, or all
    #[arg(long, value_name = "ORACLES")]
    pub check: Option<String>,
    /// Findings of oracles without consequence: a file as for `trapeze run --exempt`
    #[arg(long, value_name = "FILE")]
    pub exempt: Option<PathBuf>,
    /// ELF file with the guest's symbols; the kernel's own if it is one
    #[arg(long, value_name = "FILE")]
    pub symbols: Option<PathBuf>,
    /// Where to listen for GDB: tcp:[HOST]:PORT or unix:PATH
    #[arg(long, value_name = "PLACE", default_value = crate::gdb::listen::USUAL)]
    pub gdb: crate::gdb::listen::Place,
    /// Where to begin: how many instructions all harts have retired by then; N+K is K cycles later, BOOT:N after so many reboots
    #[arg(long, value_name = "PLACE", value_parser = values::place_of_run)]
    pub at: Option<replay::timeline::Place>,
    /// Memory that checkpoints may hold beside what they share
    #[arg(long, value_name = "SIZE", value_parser = values::size, default_value = "1G")]
    pub checkpoint_memory: u64,
    /// Instructions between two checkpoints near the present position; farther away they are fewer
    #[arg(long, value_name = "N", value_parser = values::positive, default_value = "16M")]
    pub spacing: u64,
    /// The options of `trapeze run`
    #[arg(last = true, value_name = "RUN OPTIONS")]
    pub run: Vec<std::ffi::OsString>,
}
