//! The programs that the laboratory interrupts: those of the repository by name, anybody's by file.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use replay::lab::Payload;

use super::expect::{self, Expected};
use crate::args::LabArgs;
use crate::builtin;
use crate::exit::CliError;
use crate::images;

/// A program of the repository's.
pub struct BuiltIn {
    /// What `--payload` calls it.
    pub name: &'static str,
    /// Name and contents, for the option's help.
    pub help: &'static str,
    cpu: &'static str,
    expected: &'static str,
}

/// All of them.
pub const BUILT_IN: [BuiltIn; 2] = [
    BuiltIn {
        name: "hyp",
        help: "hyp (a small hypervisor)",
        cpu: "max",
        expected: include_str!("../../../roms/lab/hyp.expected"),
    },
    BuiltIn {
        name: "cfi",
        help: "cfi (the same with landing pads, shadow stacks and double traps)",
        cpu: "max,zicfilp=on,zicfiss=on,ssdbltrp=on",
        expected: include_str!("../../../roms/lab/cfi.expected"),
    },
];

/// A program with what it needs.
pub struct Program {
    /// Its places and symbols.
    pub payload: Payload,
    /// The image.
    pub elf: Cow<'static, [u8]>,
    /// What `trapeze run -kernel` would be given.
    pub kernel: PathBuf,
    /// Harts it is for.
    pub cpu: String,
    /// What its matrix is known to be, if anything is known.
    expected: Option<&'static str>,
}

impl Program {
    /// The one that the options choose.
    pub fn chosen(args: &LabArgs) -> Result<Program, CliError> {
        let mut program = match BUILT_IN.iter().any(|b| b.name == args.payload) {
            true => Program::built_in(&args.payload)?,
            false => {
                let kernel = PathBuf::from(&args.payload);
                let elf =
                    images::read(Path::new(&args.payload), "payload (and there is none built in of that name)", |_| false)?.bytes;
                Program::new(&args.payload, elf.into(), kernel, "max", None)?
            }
        };
        if let Some(cpu) = &args.cpu {
            program.cpu.clone_from(cpu);
        }
        Ok(program)
    }

    /// One of the repository's.
    pub fn built_in(name: &str) -> Result<Program, CliError> {
        let missing = || CliError::Mismatch(format!("there is no payload '{name}'"));
        let BuiltIn { name, cpu, expected, .. } = BUILT_IN.iter().find(|b| b.name == name).ok_or_else(missing)?;
        let elf = builtin::find(name).ok_or_else(missing)?;
        Program::new(name, elf.into(), format!("rom:{name}").into(), cpu, Some(expected))
    }

    fn new(
        name: &str,
        elf: Cow<'static, [u8]>,
        kernel: PathBuf,
        cpu: &str,
        expected: Option<&'static str>,
    ) -> Result<Program, CliError> {
        let payload = Payload::new(name, &elf).map_err(super::refused)?;
        Ok(Program { payload, elf, kernel, cpu: cpu.to_owned(), expected })
    }

    /// Its built-in expectations; none for a program that is not built in.
    pub fn expected(&self) -> Expected {
        self.expected.map(expect::built_in).unwrap_or_default()
    }
}
