//! Parsing options that stand behind `--`, and what is said of a command line that is wrong.

use clap::Parser;

use super::{Cli, Command, RunArgs, qemu};
use crate::exit::CliError;

/// The options of `trapeze run` that stand behind `--` of another subcommand.
pub fn run_options(run: &[std::ffi::OsString]) -> Result<RunArgs, CliError> {
    let mut argv: Vec<std::ffi::OsString> = vec!["trapeze".into(), "run".into()];
    argv.extend_from_slice(run);
    match Cli::try_parse_from(qemu::translate(argv)?).map_err(|e| refusal(&e))?.command {
        Some(Command::Run(a)) => Ok(*a),
        _ => Err(CliError::usage("only options of trapeze run may follow --", "see trapeze run --help")),
    }
}

/// What clap says of a wrong command line, in one line, and as the remedy clap's tip or the help of the subcommand that it is about.
pub fn refusal(e: &clap::Error) -> CliError {
    let text = e.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let (first, usage) = text.split_once("\n\nUsage: ").unwrap_or((text, ""));
    let (what, tip) = first.trim_end().split_once("\n\n").unwrap_or((first.trim_end(), ""));
    let what = what.split('\n').map(str::trim).collect::<Vec<_>>().join(" ");
    let verb = |w: &&str| w.starts_with(|c: char| c.is_ascii_lowercase());
    let command: Vec<&str> = usage.split(' ').take_while(verb).collect();
    let remedy = match (tip.trim().strip_prefix("tip: "), command.as_slice()) {
        // A value that begins with a dash is no reason for clap's "use '-- -5'", which means something else here.
        (Some(tip), _) if !tip.starts_with("to pass") => tip.to_owned(),
        (_, [] | ["trapeze"]) => "see trapeze --help, or trapeze SUBCOMMAND --help".to_owned(),
        (_, words) => format!("see {} --help", words.join(" ")),
    };
    CliError::usage(what, remedy)
}
