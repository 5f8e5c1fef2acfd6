//! Options of `trapeze test`.

// Comments here are the help texts, whose square brackets mean "optional", not links.
#![allow(rustdoc::broken_intra_doc_links)]

use std::path::PathBuf;

use clap::Args;

use super::values;

/// Options of `trapeze test`.
#[derive(Args, Debug)]
#[command(after_help = crate::exit::Exit::help())]
pub struct TestArgs {
    /// Files with scenarios, or directories with such files at any depth
    #[arg(value_name = "DIR|FILE", required = true)]
    pub what: Vec<PathBuf>,
    /// Only scenarios whose FILE#NAME contains this text. May be given more than once
    #[arg(long, value_name = "TEXT")]
    pub only: Vec<String>,
    /// A value for ${NAME} in scenarios; those that need one that is not given are skipped. May be given more than once
    #[arg(long, short = 'D', value_name = "NAME=VALUE")]
    pub define: Vec<String>,
    /// How many run at a time; as many as the host has cores
    #[arg(long, short, value_name = "N", value_parser = values::positive)]
    pub jobs: Option<u64>,
    /// Run the I-th of N parts, from 1. In a Slurm array or a Kubernetes indexed job it is chosen by the task's number
    #[arg(long, value_name = "I/N")]
    pub shard: Option<String>,
    /// Where failed scenarios leave their logs and consoles
    #[arg(long, short, value_name = "DIR", default_value = "trapeze-failures")]
    pub output: PathBuf,
    /// Write the results as JUnit's XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write the results as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// List what would run
    #[arg(long)]
    pub list: bool,
    /// Print the ledger of each scenario before its result, as trapeze trace does
    #[arg(long)]
    pub trace: bool,
    /// Print failures and the number of results only
    #[arg(long, short)]
    pub quiet: bool,
}
