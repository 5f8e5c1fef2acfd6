//! Scenarios with bounds on the work, whatever their file asks for.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::jobs::{self, Outcome, Verdict};
use super::shard::Shard;
use super::step::Step;
use super::{file, forest, groups, report};
use crate::exit::CliError;
use crate::hostile::Tested;

/// RAM of a machine, at most.
const RAM: u64 = 16 << 20;
/// Harts, at most.
const HARTS: u64 = 4;

/// Reads a file and runs its scenarios on one thread, each step for at most `cycles`, on machines of at most 4 harts and 16 MiB.
pub fn bounded(from: &Path, output: &Path, cycles: u64) -> Result<Tested, CliError> {
    let mut list = file::read(from, &BTreeMap::new())?;
    for s in &mut list {
        s.within = s.within.min(cycles);
        s.config.memory = s.config.memory.min(RAM);
        s.config.smp = s.config.smp.min(HARTS);
        s.config.hart_ids.truncate(HARTS as usize);
        for p in &mut s.steps {
            if let Step::Within(c) = &mut p.step {
                c.0 = c.0.min(cycles);
            }
        }
    }
    let chosen = vec![true; list.len()];
    let trees = groups(&list, forest(&list, &chosen));
    let mut all: Vec<Outcome> = Vec::new();
    jobs::run(&list, &trees, 1, output, true, |o| {
        all.push(Outcome { took: Duration::ZERO, ..o });
        Ok(())
    })?;
    all.sort_by_key(|o| o.number);
    // Nobody reads it here, but it must come of any file.
    report::junit(&list, &all).map_err(|e| CliError::file(from, "write the report", e))?;
    let files =
        all.iter().filter_map(|o| if let Verdict::Failed(_, kept) = &o.verdict { Some(kept.files.clone()) } else { None });
    let files = files.flatten().collect();
    let shard = Shard { index: 0, count: 1 };
    Ok(Tested { counts: report::counts(&all), files, json: report::json(&list, &all, shard) })
}
