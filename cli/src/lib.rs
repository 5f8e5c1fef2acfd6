//! `trapeze`: arguments, files, terminal and reports. What the machine does is in the crates below.
#![allow(clippy::disallowed_types, clippy::disallowed_methods)] // this crate talks to the world; the model crates do not

mod args;
mod bench;
mod builtin;
mod check;
mod config;
mod console;
mod cpu;
mod debug;
mod diff_firmware;
mod disasm;
mod disk;
mod domains;
mod drives;
mod entry;
mod exit;
mod explain;
mod firmware;
mod gdb;
mod generate;
mod histogram;
pub mod hostile;
mod images;
mod lab;
mod machine;
mod monitor;
mod page;
mod query;
mod recording;
mod report;
mod run;
mod scenario;
mod session;
mod tour;
mod trace;

use std::process::ExitCode;

use args::{Cli, Command};
use clap::Parser;
use exit::{CliError, Exit};

/// The program `trapeze`: reads the process's arguments and does what they say.
pub fn main() -> ExitCode {
    match dispatch() {
        Ok(code) => code,
        Err(e) => {
            console::raw::restore();
            // Standard error may be closed; the exit code still tells.
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("trapeze: {}\n", console::output::clean(&e.to_string())),
            );
            e.exit().into()
        }
    }
}

fn dispatch() -> Result<ExitCode, CliError> {
    let argv = args::qemu::translate(std::env::args_os().collect())?;
    let cli = match Cli::try_parse_from(argv) {
        Ok(cli) => cli,
        Err(e) => return help_or_usage(&e),
    };
    let ok = |()| Exit::Ok.into();
    match cli.command {
        Some(Command::Completions { shell }) => generate::completions(shell).map(ok),
        Some(Command::Run(a)) => run::run(&a),
        Some(Command::Record(a)) => recording::commands::record(&a),
        Some(Command::Replay(a)) => recording::commands::replay(&a),
        Some(Command::Query(a)) => query::run(&a),
        Some(Command::Bundle(a)) => recording::commands::bundle(&a),
        Some(Command::Snapshot(a)) => recording::snapshot::command(&a.what),
        Some(Command::Debug(a)) => debug::run(&a),
        Some(Command::Log(a)) => recording::commands::log(&a.what),
        Some(Command::Cpu(a)) => match a.what {
            args::CpuCommand::List => cpu::list().map(ok),
        },
        Some(Command::Profiles { name }) => firmware::profiles(name.as_deref()).map(ok),
        Some(Command::Bugs) => firmware::list_bugs().map(ok),
        Some(Command::Oracles) => check::list().map(ok),
        Some(Command::Man { subcommand }) => generate::man(subcommand.as_deref()).map(ok),
        Some(Command::Tour(a)) => tour::run(&a).map(Into::into),
        None => {
            tour::run(&Default::default())?;
            lab::demonstration().map(ok)
        }
        Some(Command::Trace(a)) => trace::run(&a),
        Some(Command::DiffFirmware(a)) => diff_firmware::run(&a).map(Into::into),
        Some(Command::Report(a)) => page::run(&a),
        Some(Command::Explain(a)) => explain::command::run(&a),
        Some(Command::Lab(a)) => lab::run(&a).map(Into::into),
        Some(Command::Test(a)) => scenario::run(&a).map(Into::into),
        Some(Command::Bench(a)) => bench::run(&a).map(ok),
        Some(Command::Disasm(a)) => disasm::run(&a).map(ok),
    }
}

/// clap reports help and version as errors too; those go to standard output and end well.
fn help_or_usage(e: &clap::Error) -> Result<ExitCode, CliError> {
    if e.use_stderr() {
        return Err(args::refusal(e));
    }
    console::output::print(&e.render().to_string())?;
    Ok(Exit::Ok.into())
}
