//! `trapeze lab`: the SSE laboratory on the command line.

mod expect;
mod jobs;
mod program;
mod story;
mod table;

use std::path::{Path, PathBuf};

use emu_core::board::load::{Bios, File, Images};
use emu_core::machine::Machine;
use replay::lab::{Boundary, Case, LabError, Options, Setting, Story, Window};
use replay::log::Log;
use replay::oracle::Chosen;

use crate::args::LabArgs;
use crate::config::Config;
use crate::console::output;
use crate::exit::{CliError, Exit};
use crate::recording::{bundle, find};
use crate::{images, machine, page};
use program::Program;

pub use program::BUILT_IN;

/// What lives in M-mode.
#[derive(Clone, Debug)]
pub enum Firmware {
    /// The native firmware with one profile.
    Native(String),
    /// A binary, by the name it has in tables.
    Binary(String, Vec<u8>, PathBuf),
}

impl Firmware {
    /// `opensbi-1.9`, or the file's name.
    pub fn name(&self) -> &str {
        match self {
            Firmware::Native(name) | Firmware::Binary(name, ..) => name,
        }
    }

    /// What `trapeze run` would need to make the same machine.
    fn config(&self, program: &Program) -> Config {
        let (cpu, kernel) = (program.cpu.clone(), Some(program.kernel.clone()));
        let config = Config { memory: 64 << 20, smp: 2, cpu, kernel, ..Config::default() };
        match self {
            Firmware::Native(profile) => Config { sbi_profile: profile.clone(), ..config },
            Firmware::Binary(_, _, file) => Config { bios: file.to_string_lossy().into_owned(), ..config },
        }
    }

    /// A fresh machine of two harts with the program under this firmware.
    pub fn machine(&self, program: &Program) -> Result<Machine, CliError> {
        let config = self.config(program);
        let bios = match self {
            Firmware::Native(_) => Bios::Native,
            Firmware::Binary(name, bytes, _) => Bios::File(File { name, bytes }),
        };
        let images =
            Images { bios, kernel: Some(File { name: &program.payload.name, bytes: &program.elf }), ..Images::default() };
        machine::start(&config, machine::board_config(&config)?, Vec::new(), &images)
    }
}

/// Runs the matrix and prints it.
pub fn run(args: &LabArgs) -> Result<Exit, CliError> {
    let firmwares = firmwares(args)?;
    let program = Program::chosen(args)?;
    let options = options(args, &program)?;
    let check = crate::check::chosen("--check", &args.check)?;
    if let Some(file) = &args.report {
        output::ready(file, "page")?;
    }
    if let Some(place) = &args.case {
        return cases(&program, &firmwares, &options, args, place);
    }
    let expected = args.expected.as_deref().map_or_else(|| Ok(program.expected()), expect::read)?;
    if let Some(file) = &args.write_expected {
        output::ready(file, "expectations")?;
    }
    let matrix = jobs::run(&program, &firmwares, &options, check, !args.quiet)?;
    if let Some(file) = &args.write_expected {
        expect::write(file, &matrix)?;
    }
    let findings = expect::compare(&expected, &matrix);
    if args.json {
        output::print(&table::json(&matrix, &findings)?)?;
    } else {
        output::print(&table::text(&matrix, &firmwares, &options, &findings))?;
    }
    Ok(if findings.is_empty() { Exit::Ok } else { Exit::Unexpected })
}

/// Tells one case on each firmware.
fn cases(program: &Program, firmwares: &[Firmware], options: &Options, args: &LabArgs, place: &str) -> Result<Exit, CliError> {
    let first = |list: &[u32], given: &[String], default| {
        if given.is_empty() { default } else { list.first().copied().unwrap_or(default) }
    };
    let setting = Setting {
        policy: first(&options.policies, &args.policy, 1),
        variant: first(&options.variants, &args.variant, 0),
        layout: first(&options.layouts, &args.layout, 0),
    };
    let mut pages = Vec::new();
    for f in firmwares {
        let (story, text) = told(program, f, setting, place, crate::check::chosen("--check", &args.check)?)?;
        output::print(&text)?;
        output::print("\n")?;
        if args.report.is_some() {
            pages.push(page::case(&story, &program.payload, f.name(), &text));
        }
    }
    if let Some(file) = &args.report {
        page::write(file, &pages)?;
    }
    Ok(Exit::Ok)
}

/// A program or firmware that the laboratory can do nothing with.
fn refused(e: LabError) -> CliError {
    let remedy = match &e {
        LabError::Symbol(_) | LabError::NoConfig(_) => "docs/laboratory.md lists what a program must have",
        LabError::Astray { .. } => "run the program on this firmware with trapeze run and see what it prints",
        LabError::Endless(..) => "end the window where the program comes to in every case, or make it shorter",
        LabError::Fork(_) => "leave out what forks cannot share",
    };
    CliError::usage(e.to_string(), remedy)
}

/// One case on one firmware, and its text.
fn told(
    program: &Program,
    firmware: &Firmware,
    setting: Setting,
    place: &str,
    check: Chosen,
) -> Result<(Story, String), CliError> {
    let payload = &program.payload;
    let mut prepared = payload.boot(firmware.machine(program)?, firmware.name(), check).map_err(refused)?;
    let mut start = payload.enter(&mut prepared, setting).map_err(refused)?;
    let window = Window::walk(payload, &mut start).map_err(refused)?;
    let known = |b: &&Boundary| b.point == place || place.parse() == Ok(b.step);
    let Some(b) = window.boundaries.iter().find(known) else {
        let mut points: Vec<&str> = window.boundaries.iter().map(|b| b.point.as_str()).collect();
        points.sort_unstable();
        points.dedup();
        return Err(CliError::usage(
            format!("option --case: the window has no place '{place}'"),
            format!("give a step below {} or one of {}", window.boundaries.len(), points.join(", ")),
        ));
    };
    let story = replay::lab::tell(payload, &mut prepared, Case { setting, step: b.step }).map_err(refused)?;
    let token = token(program, firmware, &story)?.map_or(String::new(), |t| format!("again: trapeze replay {t}\n"));
    let text = story::text(&story, payload, firmware.name(), setting) + &token;
    Ok((story, text))
}

/// The case as a replay token: it ends in the same state.
fn token(program: &Program, firmware: &Firmware, story: &Story) -> Result<Option<String>, CliError> {
    let header = find::header(&firmware.config(program))?;
    let log = Log { header, records: story.decisions.records().to_vec(), end: Some(story.end.clone()), cut: None };
    bundle::token(&log, &[])
}

/// What `trapeze` alone shows of the laboratory: one defect of a real firmware, and the same event under two repairs.
pub fn demonstration() -> Result<(), CliError> {
    let program = Program::built_in("hyp")?;
    let setting = Setting { policy: 1, variant: 0, layout: 0 };
    output::print(
        "\nThe SSE laboratory: a small hypervisor is interrupted by a Supervisor Software Event in the middle of its world switch. The\n\
         event's handler does nothing. First OpenSBI 1.9 as it behaves, then the same event under two repairs.\n\n",
    )?;
    for profile in ["opensbi-1.9", "spec", "private-resume"] {
        output::print(&told(&program, &Firmware::Native(profile.to_owned()), setting, "P4", Chosen::NONE)?.1)?;
        output::print("\n")?;
    }
    output::print("All places and all repairs: trapeze lab. One place: trapeze lab --case P4. Next: scripts/boot-linux\n")
}

fn firmwares(args: &LabArgs) -> Result<Vec<Firmware>, CliError> {
    let mut list = Vec::new();
    for f in &args.firmware {
        if sbi_model::profile::Profile::find(f).is_some() {
            list.push(Firmware::Native(f.clone()));
        } else {
            // NAME=FILE or FILE: a binary.
            let (name, file) = f.split_once('=').unwrap_or((f, f));
            let bytes = images::read(Path::new(file), "firmware (and there is no such profile)", |_| false)?.bytes;
            list.push(Firmware::Binary(name.to_owned(), bytes, PathBuf::from(file)));
        }
    }
    Ok(list)
}

fn options(args: &LabArgs, program: &Program) -> Result<Options, CliError> {
    let variants = &Setting::VARIANTS[..program.payload.variants()];
    let all = Options { variants: (0..variants.len() as u32).collect(), ..Options::default() };
    Ok(Options {
        policies: choose("--policy", &args.policy, &Setting::POLICIES)?.unwrap_or(all.policies),
        variants: choose("--variant", &args.variant, variants)?.unwrap_or(all.variants),
        layouts: choose("--layout", &args.layout, &Setting::LAYOUTS)?.unwrap_or(all.layouts),
    })
}

/// Numbers of chosen names; None if nothing was chosen.
fn choose(option: &str, chosen: &[String], names: &[&str]) -> Result<Option<Vec<u32>>, CliError> {
    let number = |c: &String| match names.iter().position(|n| n == c) {
        Some(i) => Ok(i as u32),
        None => Err(CliError::usage(format!("option {option}: there is no '{c}'"), format!("give one of {}", names.join(", ")))),
    };
    if chosen.is_empty() {
        return Ok(None);
    }
    chosen.iter().map(number).collect::<Result<Vec<_>, _>>().map(Some)
}
