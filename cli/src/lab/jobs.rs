//! The matrix on all of the host's cores. Each job is one firmware with one setting; machines never cross threads.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use replay::lab::{self, Matrix, Options, Prepared, Setting};
use replay::oracle::Chosen;

use super::Firmware;
use super::program::Program;
use crate::exit::CliError;

/// Runs every setting on every firmware.
pub fn run(
    program: &Program,
    firmwares: &[Firmware],
    options: &Options,
    check: Chosen,
    progress: bool,
) -> Result<Matrix, CliError> {
    let jobs: Vec<(usize, Setting)> =
        (0..firmwares.len()).flat_map(|f| options.settings().into_iter().map(move |s| (f, s))).collect();
    let next = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let all: Mutex<Result<Matrix, CliError>> = Mutex::new(Ok(Matrix::new()));
    let bar = progress && std::io::stderr().is_terminal();
    let work = || {
        let mut prepared = BTreeMap::new();
        loop {
            let Some(&(f, setting)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
            let result = job(program, &firmwares[f], f, (setting, check), &mut prepared);
            let Ok(mut all) = all.lock() else { return };
            match (&mut *all, result) {
                (Ok(matrix), Ok(part)) => matrix.extend(part),
                (Ok(_), Err(e)) => *all = Err(e),
                (Err(_), _) => return,
            }
            drop(all);
            let n = done.fetch_add(1, Ordering::Relaxed) + 1;
            if bar {
                let width = 30 * n / jobs.len();
                // Progress is for people who look; a closed terminal is no failure.
                let _ = write!(std::io::stderr(), "\r[{:<30}] {n}/{} {:<20}", "=".repeat(width), jobs.len(), firmwares[f].name());
            }
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from).min(jobs.len());
    thread::scope(|s| {
        for _ in 0..workers {
            s.spawn(work);
        }
    });
    if bar {
        let _ = write!(std::io::stderr(), "\r{:<70}\r", "");
    }
    all.into_inner().unwrap_or_else(|_| Err(CliError::Mismatch("a laboratory run ended by a panic; please report it".to_owned())))
}

fn job(
    program: &Program,
    firmware: &Firmware,
    index: usize,
    (setting, check): (Setting, Chosen),
    prepared: &mut BTreeMap<usize, Prepared>,
) -> Result<Matrix, CliError> {
    let said = super::refused;
    let ready = match prepared.entry(index) {
        std::collections::btree_map::Entry::Occupied(e) => e.into_mut(),
        std::collections::btree_map::Entry::Vacant(e) => {
            e.insert(program.payload.boot(firmware.machine(program)?, firmware.name(), check).map_err(said)?)
        }
    };
    lab::run(&program.payload, ready, setting, &mut |_, _| {}).map_err(said)
}
