//! `trapeze test`: scenarios in TOML files, run in parallel, each as it is written and never twice. `docs/scenarios.md` is its manual.

mod bounded;
mod check;
mod file;
mod jobs;
mod keep;
mod machine;
mod oracles;
mod order;
mod report;
mod run;
mod shard;
mod spin;
mod step;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use bounded::bounded;
pub use file::Scenario;
use jobs::{Outcome, Tree};
use order::InOrder;
use shard::Shard;

use crate::args::test::TestArgs;
use crate::console::output;
use crate::exit::{CliError, Exit};

/// Runs the scenarios of files and directories.
pub fn run(args: &TestArgs) -> Result<Exit, CliError> {
    let values = values(&args.define)?;
    let mut list = Vec::new();
    for f in files(&args.what)? {
        list.extend(file::read(&f, &values)?);
    }
    let shard = Shard::choose(args.shard.as_deref(), |name| std::env::var(name).ok())?;
    let chosen = chosen(&list, &args.only)?;
    let trees = groups(&list, forest(&list, &chosen));
    let trees: Vec<Vec<Tree>> = trees.into_iter().enumerate().filter(|(n, _)| shard.has(*n)).map(|(_, t)| t).collect();
    let mut numbers = Vec::new();
    trees.iter().flatten().for_each(|t| wanted(t, &mut numbers));
    numbers.sort_unstable();
    if args.list {
        let lines: String = numbers.iter().map(|n| format!("{}\n", list[*n].id())).collect();
        return output::print(&output::clean(&lines)).map(|()| Exit::Ok);
    }
    for f in args.json.iter().chain(&args.junit) {
        output::ready(f, "report")?;
    }
    let workers = args.jobs.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), |n| n as usize);
    let print = |o: &Outcome| {
        if !o.ledger.is_empty() {
            output::print(&output::clean(&o.ledger.iter().fold(String::new(), |t, l| t + l + "\n")))?;
        }
        if !args.quiet || matches!(o.verdict, jobs::Verdict::Failed(..)) {
            output::print(&output::clean(&report::line(&list[o.number], o)))?;
        }
        Ok(())
    };
    let mut all: Vec<Outcome> = Vec::new();
    let mut order = InOrder::new(numbers);
    let ended = jobs::run(&list, &trees, workers, &args.output, args.trace, |o| {
        for o in order.put(o.number, o) {
            print(&o)?;
            all.push(o);
        }
        Ok(())
    });
    for o in order.rest() {
        print(&o)?;
        all.push(o);
    }
    ended?;
    all.sort_by_key(|o| o.number);
    if let Some(f) = &args.json {
        write(f, report::json(&list, &all, shard).as_bytes())?;
    }
    if let Some(f) = &args.junit {
        let xml = report::junit(&list, &all).map_err(|e| CliError::file(f, "write the report", e))?;
        write(f, &xml)?;
    }
    output::print(&report::summary(&all))?;
    Ok(if report::counts(&all)[1] == 0 { Exit::Ok } else { Exit::Unexpected })
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), CliError> {
    output::file(file, bytes).map_err(|e| CliError::file(file, "write the report", e))
}

/// `NAME=VALUE` of `--define`.
fn values(define: &[String]) -> Result<BTreeMap<String, String>, CliError> {
    define
        .iter()
        .map(|d| match d.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
            _ => Err(CliError::usage(format!("option --define: '{d}' is not NAME=VALUE"), "give for example -D kernel=Image")),
        })
        .collect()
}

/// The files that are named, and of directories all `.toml` files at any depth, in order of their names; each once, however often it is named.
fn files(what: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut out = Vec::new();
    for w in what {
        if w.is_dir() {
            let before = out.len();
            walk(w, 0, &mut out)?;
            out[before..].sort();
            if out.len() == before {
                return Err(CliError::usage(
                    format!("{}: no .toml file in this directory", w.display()),
                    "name a directory or a file with scenarios",
                ));
            }
        } else {
            out.push(w.clone());
        }
    }
    let mut seen = BTreeSet::new();
    out.retain(|f| seen.insert(std::fs::canonicalize(f).unwrap_or_else(|_| f.clone())));
    Ok(out)
}

/// Deeper is no directory of scenarios.
const DEEPEST: usize = 8;

fn walk(directory: &Path, depth: usize, out: &mut Vec<PathBuf>) -> Result<(), CliError> {
    let fail = |e| CliError::file(directory, "read the directory", e);
    for entry in std::fs::read_dir(directory).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.is_dir() && depth < DEEPEST {
            walk(&path, depth + 1, out)?;
        } else if path.extension().is_some_and(|e| e == "toml") {
            out.push(path);
        }
    }
    Ok(())
}

/// A path as a scenario file gives it: from where that file is, unless it is a built-in program's name.
fn place(file: &Path, path: &str) -> PathBuf {
    if crate::builtin::name(Path::new(path)).is_some() {
        return PathBuf::from(path);
    }
    file.parent().map_or_else(|| PathBuf::from(path), |d| d.join(path))
}

/// Which scenarios are asked for: all, or those whose file and name contain one of the texts.
fn chosen(list: &[Scenario], only: &[String]) -> Result<Vec<bool>, CliError> {
    let wanted = |s: &Scenario| only.is_empty() || only.iter().any(|t| s.id().contains(t.as_str()));
    let chosen: Vec<bool> = list.iter().map(wanted).collect();
    if chosen.contains(&true) {
        return Ok(chosen);
    }
    Err(CliError::usage(
        match only {
            [] => "there is no scenario in these files".to_owned(),
            _ => format!("option --only: no scenario's file and name contain '{}'", only.join("' or '")),
        },
        "see trapeze test FILE --list",
    ))
}

/// Each scenario under the one it begins after; without those that nobody asked for and that nothing asked for comes after.
fn forest(list: &[Scenario], chosen: &[bool]) -> Vec<Tree> {
    let tree = |number: usize| grow(list, chosen, number);
    (0..list.len()).filter(|n| list[*n].after.is_none()).filter_map(tree).collect()
}

fn grow(list: &[Scenario], chosen: &[bool], number: usize) -> Option<Tree> {
    let s = &list[number];
    // Those after it stand further down, so this ends.
    let then: Vec<Tree> = (number + 1..list.len())
        .filter(|n| list[*n].file == s.file && list[*n].after.as_ref() == Some(&s.name))
        .filter_map(|n| grow(list, chosen, n))
        .collect();
    (chosen[number] || !then.is_empty()).then_some(Tree { number, wanted: chosen[number], then })
}

/// Trees that one thread runs one after the other, because they have the same beginning: it is run once.
fn groups(list: &[Scenario], trees: Vec<Tree>) -> Vec<Vec<Tree>> {
    let same = |a: &Tree, b: &Tree| {
        let (a, b) = (&list[a.number], &list[b.number]);
        a.config == b.config && a.within == b.within && a.steps.iter().map(|p| &p.step).eq(b.steps.iter().map(|p| &p.step))
    };
    let mut out: Vec<Vec<Tree>> = Vec::new();
    for t in trees {
        match out.iter_mut().find(|g| same(&g[0], &t)) {
            Some(g) if !t.then.is_empty() => g.push(t),
            _ => out.push(vec![t]),
        }
    }
    out
}

fn wanted(t: &Tree, out: &mut Vec<usize>) {
    if t.wanted {
        out.push(t.number);
    }
    t.then.iter().for_each(|c| wanted(c, out));
}
