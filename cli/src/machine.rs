//! From a configuration to a machine: files are opened and read here, and nowhere else.

use std::path::Path;

use emu_core::board::load::{Bios, Images, Streams, is_image};
use emu_core::board::{self, fdt};
use emu_core::firmware::Firmware;
use emu_core::machine::{EngineKind, Machine, MachineConfig, RunEnd};
use sbi_model::Sbi;

use crate::args::Engine;
use crate::config::Config;
use crate::exit::CliError;
use crate::images::Loaded;
use crate::{cpu, disk, firmware, images};

/// The board's part of a configuration.
pub fn board_config(c: &Config) -> Result<board::Config, CliError> {
    let cpu = cpu::parse(&c.cpu)?;
    Ok(board::Config {
        harts: c.smp as usize,
        hart_ids: c.hart_ids.clone(),
        ras: c.ras,
        ram_size: c.memory,
        isa: cpu.isa,
        trap_misaligned: cpu.trap_misaligned,
        seed: c.seed,
        epoch_ns: c
            .epoch
            .checked_mul(1_000_000_000)
            .ok_or_else(|| CliError::usage(format!("option --epoch: {}", c.epoch), "give seconds before the year 2554"))?,
        cycle_hz: c.cycle_hz,
        ..board::Config::default()
    })
}

/// Builds the machine with everything loaded, ready to run: at its start, or where its snapshot was made.
pub fn build(c: &Config) -> Result<Machine, CliError> {
    let mut m = fresh(c)?;
    if let Some(file) = &c.from_snapshot {
        crate::recording::snapshot::load(&mut m, file, &c.places)?;
    }
    Ok(m)
}

/// Builds the machine at its start.
fn fresh(c: &Config) -> Result<Machine, CliError> {
    let board = board_config(c)?;
    let firmware_file = !matches!(c.bios.as_str(), "native" | "none");
    let read = |path: Option<&Path>, what, as_is| path.map(|p| images::read(p, what, as_is)).transpose();
    let bios = read(firmware_file.then(|| Path::new(&c.bios)), "firmware", |_| false)?;
    let kernel = read(c.kernel.as_deref(), "kernel", is_image)?;
    let initrd = read(c.initrd.as_deref(), "initial RAM disk", |_| true)?;
    let dtb = read(c.dtb.as_deref(), "device tree", |_| false)?;
    let images = Images {
        bios: match (&bios, c.bios.as_str()) {
            (Some(f), _) => Bios::File(f.file()),
            (None, "none") => Bios::None,
            (None, _) => Bios::Native,
        },
        kernel: kernel.as_ref().map(Loaded::file),
        initrd: initrd.as_ref().map(Loaded::file),
        bootargs: c.append.clone().unwrap_or_default(),
        dtb: dtb.as_ref().map(Loaded::file),
        streams: Streams { kernel: kernel.as_ref().and_then(Loaded::stream), initrd: initrd.as_ref().and_then(Loaded::stream) },
    };
    let drives = c.drives.iter().map(disk::open).collect::<Result<Vec<_>, _>>()?;
    start(c, board, drives, &images)
}

/// Builds a machine from images in memory (the built-in programs).
pub fn start(c: &Config, board: board::Config, drives: Vec<board::Drive>, images: &Images<'_>) -> Result<Machine, CliError> {
    let engine = match c.engine {
        Engine::Step => EngineKind::Step,
        Engine::Block => EngineKind::Block,
    };
    let firmware: Option<Box<dyn Firmware>> = match images.bios {
        Bios::Native => Some(Box::new(Sbi::new(firmware::config(c)?))),
        Bios::None | Bios::File(_) => None,
    };
    let config = MachineConfig { board, engine, quantum: c.quantum };
    Machine::new(config, drives, images, firmware).map_err(|e| refused(&e.to_string()))
}

/// A refusal of the model, which says file, what and remedy in one sentence: the remedy comes after the last semicolon.
fn refused(text: &str) -> CliError {
    match text.rsplit_once("; ") {
        Some((what, remedy)) => CliError::usage(what, remedy),
        None => CliError::usage(text, "see trapeze run --help"),
    }
}

/// The device tree the guest would get: with images, what loading them puts into memory.
pub fn device_tree(c: &Config) -> Result<Vec<u8>, CliError> {
    if c.kernel.is_none() && matches!(c.bios.as_str(), "native" | "none") {
        let chosen = fdt::Chosen { bootargs: c.append.clone().unwrap_or_default(), ..fdt::Chosen::default() };
        let mut board = board_config(c)?;
        if c.bios == "native" {
            board.partition = Sbi::new(firmware::config(c)?).partition(&board.ids());
        }
        return fdt::device_tree(&board, &chosen).map_err(|e| refused(&e.to_string()));
    }
    let machine = build(c)?;
    // a1 of the boot hart; the tree's length is its second word.
    let at = machine.harts().first().map_or(0, |h| h.x[11]);
    let ram = &machine.bus().ram;
    let mut head = [0; 8];
    let read = ram.read_bytes(at, &mut head);
    let mut tree = vec![0; if read { u32::from_be_bytes([head[4], head[5], head[6], head[7]]) as usize } else { 0 }];
    if !read || !ram.read_bytes(at, &mut tree) {
        return Err(CliError::Mismatch(format!("there is no device tree at {at:#x}, where the guest would look for it")));
    }
    Ok(tree)
}

/// The word of an end, and the guest's code.
pub fn end_word(end: &RunEnd) -> (&'static str, Option<u64>) {
    match end {
        RunEnd::PowerOff(c) => ("power-off", Some(u64::from(*c))),
        RunEnd::HtifExit(c) => ("htif-exit", Some(*c)),
        RunEnd::Reset => ("reset", None),
        RunEnd::TrapLoop { .. } => ("trap-loop", None),
        RunEnd::CriticalError { .. } => ("critical-error", None),
        RunEnd::AllAsleep { .. } => ("all-asleep", None),
        RunEnd::Fatal(_) => ("fatal", None),
        RunEnd::Limit => ("limit", None),
        RunEnd::Break { .. } => ("end", None),
    }
}
