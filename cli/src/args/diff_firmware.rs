//! Options of `trapeze diff-firmware`.

// Comments here are the help texts, whose square brackets mean "optional", not links.
#![allow(rustdoc::broken_intra_doc_links)]

use std::path::PathBuf;

use clap::Args;

/// Options of `trapeze diff-firmware`.
#[derive(Args, Debug)]
pub struct DiffFirmwareArgs {
    /// The two firmwares: a profile of the native one (see `trapeze profiles`), or an OpenSBI binary's FILE
    #[arg(value_name = "PROFILE|FILE", num_args = 2, required_unless_present = "list_expected")]
    pub firmware: Vec<String>,
    /// Differences that are expected, instead of the built-in list
    #[arg(long, value_name = "FILE")]
    pub expected: Option<PathBuf>,
    /// Print the built-in list of expected differences, which --expected reads
    #[arg(long)]
    pub list_expected: bool,
    /// ELF file with the guest's symbols; the kernel's own if it is an ELF file
    #[arg(long, value_name = "FILE")]
    pub symbols: Option<PathBuf>,
    /// Print the result as one line of JSON
    #[arg(long)]
    pub json: bool,
    /// Copy the guest's console to standard error, one run after the other
    #[arg(long)]
    pub console: bool,
    /// The options of `trapeze run`
    #[arg(last = true, value_name = "RUN OPTIONS")]
    pub run: Vec<std::ffi::OsString>,
}
