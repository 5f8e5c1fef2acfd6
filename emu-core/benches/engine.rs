//! The engine as guests use it, through the programs of `trapeze bench`: dispatch, calls, misses of the TLB with one and two stages of
//! page tables, traps, building of blocks, floating point. One iteration is a whole run; the throughput counts the program's units.

#![allow(missing_docs)] // criterion's macros make public functions

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use emu_core::board::load::{Bios, File, Images};
use emu_core::board::{self};
use emu_core::machine::{EngineKind, Machine, MachineConfig, RunEnd};

macro_rules! programs {
    ($($name:literal $units:literal;)*) => {
        &[$(($name, $units, include_bytes!(concat!("../../roms/bench/", $name, ".elf")))),*]
    };
}

/// Name, units of work in one run, and the program.
const PROGRAMS: &[(&str, u64, &[u8])] = programs! {
    "integer" 10_000_000;
    "calls" 5_000_000;
    "chase" 10_000_000;
    "walk" 1_200_000;
    "walk2" 300_000;
    "trap" 1_000_000;
    "code" 20_000;
    "fadd" 10_000_000;
    "fmul" 10_000_000;
    "ffma" 10_000_000;
    "fdiv" 3_000_000;
};

fn machine(name: &str, elf: &[u8], engine: EngineKind) -> Option<Machine> {
    let board = board::Config { ram_size: 64 << 20, ..board::Config::default() };
    let images = Images { bios: Bios::None, kernel: Some(File { name, bytes: elf }), ..Images::default() };
    Machine::new(MachineConfig { board, engine, quantum: 10_000 }, Vec::new(), &images, None).ok()
}

fn engine(c: &mut Criterion) {
    for (kind, label) in [(EngineKind::Block, "block engine"), (EngineKind::Step, "stepper")] {
        let mut g = c.benchmark_group(label);
        g.sample_size(10);
        for &(name, units, elf) in PROGRAMS {
            // The stepper is for comparison: the programs that differ most.
            if kind == EngineKind::Step && !["integer", "trap", "fadd"].contains(&name) {
                continue;
            }
            g.throughput(Throughput::Elements(units));
            g.bench_function(name, |t| {
                t.iter_batched(
                    || machine(name, elf, kind),
                    |m| m.map(|mut m| assert_eq!(m.run(u64::MAX), RunEnd::PowerOff(0))),
                    BatchSize::PerIteration,
                )
            });
        }
        g.finish();
    }
}

criterion_group!(benches, engine);
criterion_main!(benches);
