//! Completions and manual pages, from the command line's one definition.

use clap::CommandFactory;

use crate::args::Cli;
use crate::console::output;
use crate::exit::CliError;

/// Prints a completion script.
pub fn completions(shell: clap_complete::Shell) -> Result<(), CliError> {
    let mut buf = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "trapeze", &mut buf);
    output::write(&buf).map(drop)
}

/// Prints a manual page in troff.
pub fn man(subcommand: Option<&str>) -> Result<(), CliError> {
    let mut cmd = Cli::command();
    cmd.build();
    let page = match subcommand {
        None => cmd.name("trapeze"),
        Some(name) => match cmd.find_subcommand(name) {
            Some(sub) => sub.clone().name(format!("trapeze-{name}")),
            None => return Err(CliError::usage(format!("there is no subcommand '{name}'"), "see trapeze --help")),
        },
    };
    let mut buf = Vec::new();
    let render = |source| CliError::Terminal { doing: "render the manual page", source };
    clap_mangen::Man::new(page).render(&mut buf).map_err(render)?;
    output::write(&buf).map(drop)
}
