//! `trapeze bench`: how fast this build runs small guest programs on this host.

use std::path::Path;
use std::time::{Duration, Instant};

use emu_core::board::load::{Bios, File, Images};
use emu_core::machine::{Machine, RunEnd};
use emu_csr::Mode;
use serde::Serialize;

use crate::args::{BenchArgs, Engine};
use crate::config::Config;
use crate::console::output;
use crate::exit::CliError;
use crate::images::{self, Loaded};
use crate::machine;

/// A built-in program.
struct Program {
    name: &'static str,
    /// What it does, and what one unit of its work is.
    what: &'static str,
    unit: &'static str,
    /// Units in one run.
    units: u64,
    bios: Bios<'static>,
    elf: &'static [u8],
}

macro_rules! programs {
    ($($name:literal $units:literal $unit:literal $bios:ident $what:literal;)*) => {
        &[$(Program {
            name: $name, what: $what, unit: $unit, units: $units, bios: Bios::$bios,
            elf: include_bytes!(concat!("../../roms/bench/", $name, ".elf")),
        }),*]
    };
}

const PROGRAMS: &[Program] = programs! {
    "integer" 10_000_000 "round" None "shifts, exclusive ors and a data-dependent branch";
    "calls" 5_000_000 "call" None "indirect calls through a table, and returns";
    "copy" 52_428_800 "byte" None "copies 256 KiB again and again";
    "chase" 10_000_000 "load" None "pointer chase over 4 MiB through 4 KiB pages";
    "walk" 1_200_000 "page" None "touches 6000 pages in turn: one-stage page walks";
    "walk2" 300_000 "page" None "the same in a guest: two-stage page walks";
    "trap" 1_000_000 "trip" None "ecall from S-mode to M-mode and back";
    "timer" 1_000_000 "call" Native "sbi_set_timer from S-mode to firmware";
    "illegal" 200_000 "trap" Native "an illegal instruction in S-mode, which firmware hands on to S-mode's handler";
    "ipi" 1_000_000 "ipi" Native "sbi_send_ipi to another hart, and its receipt there";
    "sse" 500_000 "pair" Native "sbi_sse_inject into the calling hart, and sbi_sse_complete";
    "code" 20_000 "build" None "writes 550 bytes of code, fence.i, runs it";
    "fadd" 10_000_000 "op" None "fadd.d, inexact";
    "fmul" 10_000_000 "op" None "fmul.d, inexact";
    "ffma" 10_000_000 "op" None "fmadd.d, inexact";
    "fdiv" 3_000_000 "op" None "fdiv.d, inexact";
    "fsqrt" 3_000_000 "op" None "fsqrt.d, inexact";
};

/// Cycles in which every program has long ended.
const LONG: u64 = 100_000_000_000;

/// One line of the result.
#[derive(Serialize)]
struct Row {
    program: &'static str,
    engine: Engine,
    /// In M-mode, of the programs that call it: `native`, or the file given with --bios.
    #[serde(skip_serializing_if = "Option::is_none")]
    firmware: Option<&'static str>,
    instructions: u64,
    seconds: f64,
    mips: f64,
    unit: &'static str,
    ns_per_unit: f64,
}

/// Forks measured at once; the best of so many batches is printed.
const BATCH: u32 = 100;

/// How long it takes to fork the machine of a snapshot, let the fork execute 1,000 instructions, and drop it.
fn forks(file: &Path, runs: u32) -> Result<(), CliError> {
    let config = crate::recording::snapshot::config(file, &[], false)?;
    let mut m = machine::build(&Config { from_snapshot: Some(file.to_owned()), ..config })?;
    let fork = |m: &Machine| m.fork().map_err(|e| CliError::Mismatch(e.to_string()));
    let mut best = Duration::MAX;
    for _ in 0..runs.max(2) {
        let began = Instant::now();
        for _ in 0..BATCH {
            let mut f = fork(&m)?;
            let to = f.instret() + 1000;
            f.run_for(u64::MAX, to);
        }
        best = best.min(began.elapsed() / BATCH);
        // The next batch is of another moment.
        m.run_for(u64::MAX, m.instret() + 1000);
    }
    let alive: Vec<Machine> = (0..1000).map(|_| fork(&m)).collect::<Result<_, _>>()?;
    output::print(&format!(
        "fork, 1000 instructions, drop: {:.1} us ({} harts, {} MiB of RAM, {} pages of it in use); {} forks alive at once\n",
        best.as_secs_f64() * 1e6,
        m.harts().len(),
        m.bus().ram.size() >> 20,
        m.bus().ram.pages_touched(),
        alive.len()
    ))
}

/// Runs the benchmark.
pub fn run(args: &BenchArgs) -> Result<(), CliError> {
    if let Some(file) = &args.fork {
        return forks(file, args.runs);
    }
    if args.list {
        return output::print(
            &PROGRAMS.iter().fold(String::new(), |s, p| format!("{s}{:<8} {} (unit: {})\n", p.name, p.what, p.unit)),
        );
    }
    if let Some(bad) = args.names.iter().find(|n| !PROGRAMS.iter().any(|p| p.name == **n)) {
        return Err(CliError::usage(format!("there is no benchmark '{bad}'"), "see trapeze bench --list"));
    }
    let engines = args.engine.map_or(vec![Engine::Step, Engine::Block], |e| vec![e]);
    if !args.json {
        output::print(&format!(
            "{:<8} {:<6} {:>12} {:>9} {:>9}  unit\n",
            "program", "engine", "instructions", "MIPS", "ns/unit"
        ))?;
    }
    let file = args.bios.as_deref().map(|f| images::read(f, "firmware", |_| false)).transpose()?;
    let wanted = |p: &&Program| match &args.names[..] {
        // A firmware file is for those who call it.
        [] => file.is_none() || matches!(p.bios, Bios::Native),
        names => names.iter().any(|n| n == p.name),
    };
    for p in PROGRAMS.iter().filter(wanted) {
        for &engine in &engines {
            let row = measure(p, engine, args.runs, file.as_ref())?;
            let line = if args.json {
                serde_json::to_string(&row).map_err(|e| CliError::Mismatch(format!("the result is not JSON: {e}")))?
            } else {
                let engine = format!("{:?}", row.engine).to_lowercase();
                format!(
                    "{:<8} {engine:<6} {:>12} {:>9.1} {:>9.2}  {}",
                    row.program, row.instructions, row.mips, row.ns_per_unit, row.unit
                )
            };
            output::print(&format!("{line}\n"))?;
        }
    }
    Ok(())
}

/// The best of several runs: noise only ever makes a run slower. What a firmware file does before the program starts is not counted.
fn measure(p: &Program, engine: Engine, runs: u32, file: Option<&Loaded>) -> Result<Row, CliError> {
    let bios = match (p.bios, file) {
        (Bios::Native, Some(f)) => Bios::File(f.file()),
        (bios, _) => bios,
    };
    let bare = matches!(bios, Bios::None);
    let firmware = (!bare).then_some(if file.is_some() { "file" } else { "native" });
    let smp = if p.name == "ipi" { 2 } else { 1 };
    let config = Config { memory: 64 << 20, engine, smp, ..Config::default() };
    let mut best = Duration::MAX;
    let mut instructions = 0;
    for _ in 0..runs {
        let images = Images { bios, kernel: Some(File { name: p.name, bytes: p.elf }), ..Images::default() };
        let mut guest = machine::start(&config, machine::board_config(&config)?, Vec::new(), &images)?;
        while !bare && guest.cycles() < LONG && guest.harts().iter().all(|h| h.mode == Mode::M) {
            // An end without the program shows below, and would never come to it here.
            if guest.run(guest.cycles() + 10_000) != RunEnd::Limit {
                break;
            }
        }
        let before = guest.instret();
        let began = Instant::now();
        let end = guest.run(LONG);
        best = best.min(began.elapsed());
        if end != RunEnd::PowerOff(0) {
            return Err(CliError::Mismatch(format!(
                "benchmark {} ended unexpectedly: {}\n  remedy: without --bios, report it; with --bios, name a firmware that starts a kernel in S-mode",
                p.name, end
            )));
        }
        instructions = guest.instret() - before;
    }
    let seconds = best.as_secs_f64();
    Ok(Row {
        program: p.name,
        engine,
        firmware,
        instructions,
        seconds,
        mips: instructions as f64 / seconds / 1e6,
        unit: p.unit,
        ns_per_unit: seconds * 1e9 / p.units as f64,
    })
}
