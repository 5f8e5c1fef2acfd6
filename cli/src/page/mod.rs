//! `trapeze report`: a run's trap ledger as one page of HTML that needs no network: timeline, list and details, with its data inside.

use std::path::Path;
use std::process::ExitCode;

use replay::lab::{Payload, Story};
use replay::oracle::{Chosen, Monitor, OnViolation, Violation, Writer};
use replay::symbols::Symbols;
use serde_json::{Value, json};

use crate::args::{ReportArgs, RunArgs};
use crate::check::Check;
use crate::config::Config;
use crate::console::output;
use crate::exit::CliError;
use crate::trace::links::{Linker, Numbered};
use crate::trace::{self, json};
use crate::{images, machine};

const HTML: &str = include_str!("page.html");
const CSS: &str = include_str!("page.css");
const SCRIPTS: [&str; 4] =
    [include_str!("model.js"), include_str!("timeline.js"), include_str!("details.js"), include_str!("page.js")];

/// Runs a guest and writes its page.
pub fn run(args: &ReportArgs) -> Result<ExitCode, CliError> {
    let run: RunArgs = crate::args::run_options(&args.run)?;
    let config = Config::resolve(&run)?;
    output::ready(&args.output, "page")?;
    let symbols = images::symbols(args.symbols.as_deref(), &config)?;
    let mut guest = machine::build(&config)?;
    let (chosen, exempt) = Check::of_page(&run)?;
    let monitor = (chosen != Chosen::NONE).then(|| Monitor::new(&guest, chosen, OnViolation::Record, exempt));
    if let Some(m) = &monitor {
        m.keep(args.max.try_into().unwrap_or(usize::MAX));
        guest.set_observer(m.observer());
    }
    let (mut entries, mut seen) = (Vec::new(), 0u64);
    let wanted = (args.skip, args.skip.saturating_add(args.max));
    let end = trace::follow(&mut guest, &trace::until(&config), args.console, &mut |e| {
        seen += 1;
        if (wanted.0..wanted.1).contains(&e.number) {
            entries.push(json::value(&e, &symbols));
        }
        Ok(true)
    })?;
    let violations = monitor.map_or(Vec::new(), |m| {
        m.end(&guest, end.over());
        // The oracles hear what the ledger does, and count from 1.
        m.take().iter().map(|v| violation(v, &symbols, |record| record.checked_sub(1))).collect()
    });
    let command: Vec<String> = args.run.iter().map(|a| a.to_string_lossy().into_owned()).collect();
    let title = match &config.kernel {
        Some(k) => k.file_name().map_or_else(|| k.display().to_string(), |n| n.to_string_lossy().into_owned()),
        None => "built-in".to_owned(),
    };
    let left = (seen > entries.len() as u64)
        .then(|| format!("{} of {seen} entries, from number {}; --skip and --max choose others", entries.len(), args.skip));
    let run = json!({
        "title": title, "command": format!("trapeze report -- {}", command.join(" ")), "entries": entries, "note": left,
        "verdict": Value::Null, "violations": violations,
    });
    write(&args.output, &[run])?;
    Ok(trace::exit(&end).into())
}

/// What an oracle says, with the numbers of the ledger entries that contradict each other.
fn violation(v: &Violation, symbols: &Symbols, number: impl Fn(u64) -> Option<u64>) -> Value {
    let (since, at) = (v.records.0.and_then(&number), number(v.records.1));
    let o = v.oracle();
    // Told with the page's numbers.
    let mut told = v.clone();
    told.records = (since, at.unwrap_or(v.records.1));
    told.writer = told.writer.and_then(|w| Some(Writer { record: number(w.record)?, ..w }));
    json!({
        "oracle": o.id, "name": o.name, "warning": o.advice, "clause": o.clause, "field": v.field,
        "text": told.text(|a| symbols.text(a)), "entry": at, "since": since,
    })
}

/// One case of the laboratory, for a page of several.
pub fn case(story: &Story, payload: &Payload, firmware: &str, told: &str) -> Value {
    let mut linker = Linker::new(usize::MAX);
    for e in &story.entries {
        linker.put(e.clone());
    }
    let all: Vec<Numbered> = std::iter::from_fn(|| linker.take(true)).collect();
    let entries: Vec<Value> = all.iter().map(|e| json::value(e, &payload.symbols)).collect();
    let wrong: Vec<Value> = story
        .blames
        .iter()
        .map(|b| json!({ "name": b.difference.name(), "text": b.difference.text(), "made_of": b.made_of(), "writer": b.writer }))
        .collect();
    let entry = |record: u64| story.entry_of(record).map(|i| i as u64);
    let violations: Vec<Value> = story.violations.iter().map(|v| violation(v, &payload.symbols, entry)).collect();
    let b = &story.boundary;
    let place = payload.symbols.text(b.pc);
    json!({
        "title": firmware,
        "command": format!("the event comes at step {} of the window, in {}, {}-mode, before {place}", b.step, b.point, b.mode.name()),
        "entries": entries,
        "note": Value::Null,
        "verdict": {
            "wrong": wrong, "sent": story.sent, "delivered": story.delivered, "completed": story.completed,
            "resumed": story.resumed, "text": told,
        },
        "violations": violations,
    })
}

/// The page of one run or several.
pub fn page(runs: &[Value]) -> String {
    // Inside of a script element only `<` could end it early.
    let data = json!({ "schema": json::SCHEMA, "runs": runs }).to_string().replace('<', "\\u003c");
    HTML.replace("/*CSS*/", CSS).replace("/*SCRIPT*/", &SCRIPTS.concat()).replace("/*DATA*/", &data)
}

/// Writes the page.
pub fn write(file: &Path, runs: &[Value]) -> Result<(), CliError> {
    output::file(file, page(runs).as_bytes()).map_err(|e| CliError::file(file, "write the page", e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_loads_nothing_and_its_data_cannot_end_its_script() {
        let p = page(&[json!({ "title": "</script><script>alert(1)</script>", "entries": [] })]);
        assert!(!p.contains("alert(1)</script>") && p.contains("\\u003c/script>"));
        for outside in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!p.contains(outside), "{outside}");
        }
        assert!(!p.contains("/*CSS*/") && !p.contains("/*SCRIPT*/") && !p.contains("/*DATA*/"));
    }
}
