//! `run --check`: oracles on the command line, exemptions from a file, and `trapeze oracles`.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use emu_core::machine::{Machine, RunEnd};
use emu_core::observer::Both;
use replay::oracle::{Chosen, Exemption, Monitor, ORACLES, OnViolation, Violation, find};
use replay::symbols::Symbols;
use serde::{Deserialize, Serialize};

use crate::args::{self, RunArgs};
use crate::config::Config;
use crate::console::output;
use crate::exit::{CliError, Exit};
use crate::images;
use crate::report::Report;

/// The oracles of a run.
pub struct Check {
    chosen: Chosen,
    on: args::OnViolation,
    exempt: Vec<Exemption>,
    symbols: Symbols,
    monitor: Option<Monitor>,
    /// What was told so far, the last ones.
    told: Vec<String>,
    /// What machines before the last reboot added.
    before: Verdict,
}

/// What the oracles said of a run.
#[derive(Serialize, Clone, PartialEq, Eq, Debug, Default)]
pub struct Verdict {
    /// Violations; warnings and exempted ones are not counted.
    pub violations: u64,
    /// Findings that were exempted.
    pub exempted: u64,
    /// Records that the oracles heard.
    pub records: u64,
    /// How often each oracle spoke, by its number.
    pub spoke: BTreeMap<&'static str, u64>,
}

impl Check {
    /// What the command line asks for; none without `--check`.
    pub fn new(args: &RunArgs, config: &Config) -> Result<Option<Check>, CliError> {
        let Some(list) = &args.check else {
            return match (&args.on_violation, &args.exempt) {
                (None, None) => Ok(None),
                (Some(_), _) => Err(CliError::usage("option --on-violation without --check", "add --check all")),
                (_, Some(_)) => Err(CliError::usage("option --exempt without --check", "add --check all")),
            };
        };
        let chosen = chosen("--check", list)?;
        let exempt = args.exempt.as_deref().map_or(Ok(Vec::new()), exemptions)?;
        let symbols = images::symbols(args.symbols.as_deref(), config)?;
        if chosen == Chosen::NONE {
            return Ok(None);
        }
        let on = args.on_violation.unwrap_or_default();
        Ok(Some(Check { chosen, on, exempt, symbols, monitor: None, told: Vec::new(), before: Verdict::default() }))
    }

    /// Whether a violation has stopped the machine.
    pub fn stopped(&self) -> bool {
        self.monitor.as_ref().is_some_and(Monitor::stopped)
    }

    /// Lets the machine go on behind the violation that has stopped it; the hart, and the violation in words. For a debugger, whose user
    /// hears of it there.
    pub fn pass(&mut self, machine: &Machine) -> (usize, String) {
        let Some(monitor) = &self.monitor else { return (0, String::new()) };
        monitor.look(machine);
        let found = monitor.take();
        monitor.resume();
        let hart = found.iter().find(|v| !v.oracle().advice).map_or(0, |v| v.hart);
        let texts: Vec<String> = found.iter().map(|v| v.text(|a| self.symbols.text(a))).collect();
        let text = texts.join("\n");
        self.keep(texts);
        (hart, text)
    }

    /// What was told so far, up to a few hundred lines, the last ones.
    pub fn told(&self) -> &[String] {
        &self.told
    }

    fn keep(&mut self, texts: Vec<String>) {
        const MOST: usize = 200;
        self.told.extend(texts);
        self.told.drain(..self.told.len().saturating_sub(MOST));
    }

    /// Listens to a machine.
    pub fn attach(&mut self, machine: &mut Machine) {
        let on = if self.on == args::OnViolation::Stop { OnViolation::Stop } else { OnViolation::Record };
        let monitor = Monitor::new(machine, self.chosen, on, self.exempt.clone());
        let mine = monitor.observer();
        let both = match machine.clear_observer() {
            Some(other) => Box::new(Both(other, mine)),
            None => mine,
        };
        machine.set_observer(both);
        self.monitor = Some(monitor);
    }

    /// Tells what was found since the last time; whether the run is to end. `newline` ends the guest's last line.
    pub fn look(&mut self, machine: &Machine, newline: &str, raw: bool) -> bool {
        let Some(monitor) = self.monitor.clone() else { return false };
        monitor.look(machine);
        self.tell(&monitor.take(), newline, raw);
        monitor.stopped()
    }

    fn tell(&mut self, found: &[Violation], newline: &str, raw: bool) {
        if self.on == args::OnViolation::Ignore || found.is_empty() {
            return;
        }
        let texts: Vec<String> = found.iter().map(|v| v.text(|a| self.symbols.text(a))).collect();
        let mut text = newline.to_owned();
        texts.iter().for_each(|t| text += &format!("trapeze: {t}\n"));
        self.keep(texts);
        if raw {
            text = text.replace('\n', "\r\n");
        }
        // Standard error may be closed; the exit code still tells.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
    }

    /// The machine's run is over.
    pub fn end(&mut self, machine: &Machine, end: Option<&RunEnd>) {
        let Some(monitor) = self.monitor.take() else { return };
        if !monitor.stopped() {
            monitor.end(machine, end);
        }
        self.tell(&monitor.take(), "", false);
        let v = &mut self.before;
        v.violations += monitor.total();
        v.exempted += monitor.exempted();
        v.records += monitor.records();
        for (o, n) in ORACLES.iter().zip(monitor.counts()).filter(|(_, n)| *n > 0) {
            *v.spoke.entry(o.id).or_default() += n;
        }
    }

    /// Puts the verdict into the report: its text and its exit code.
    pub fn judge(&self, report: &mut Report) {
        let v = &self.before;
        if v.violations > 0 {
            report.text += &format!("; {} violation{} of oracles", v.violations, if v.violations == 1 { "" } else { "s" });
            if self.on != args::OnViolation::Ignore {
                report.exit = Exit::Violation as u8;
            }
        }
        report.oracles = Some(v.clone());
    }

    /// Whether violations are only counted.
    pub fn ignores(&self) -> bool {
        self.on == args::OnViolation::Ignore
    }

    /// The run's violations for a page: of a machine that nobody looks at while it runs. With `--check none` there are none.
    pub fn of_page(args: &RunArgs) -> Result<(Chosen, Vec<Exemption>), CliError> {
        let chosen = chosen("--check", args.check.as_deref().unwrap_or("all"))?;
        Ok((chosen, args.exempt.as_deref().map_or(Ok(Vec::new()), exemptions)?))
    }

    /// Whether the run is to be executed a second time (E22).
    pub fn twice(&self) -> bool {
        find("determinism").is_some_and(|i| self.chosen.has(i))
    }
}

/// The oracles of an option's list.
pub fn chosen(option: &str, list: &str) -> Result<Chosen, CliError> {
    Chosen::parse(list)
        .map_err(|name| CliError::usage(format!("option {option}: there is no oracle '{name}'"), "see trapeze oracles"))
}

/// The file of exemptions.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    exempt: Vec<toml::Spanned<Line>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    oracle: toml::Spanned<String>,
    event: Option<u32>,
    field: Option<String>,
    reason: String,
}

/// Reads a file of exemptions: `[[exempt]]` tables with `oracle`, `reason`, and perhaps `event` and `field`.
pub fn exemptions(file: &Path) -> Result<Vec<Exemption>, CliError> {
    /// More than anybody writes by hand.
    const LIMIT: u64 = 1 << 20;
    let fail = |e| CliError::file(file, "read the exemptions", e);
    let mut text = String::new();
    std::fs::File::open(file).map_err(fail)?.take(LIMIT + 1).read_to_string(&mut text).map_err(fail)?;
    if text.len() as u64 > LIMIT {
        let what = format!("{}: larger than any list of exemptions", file.display());
        return Err(CliError::usage(what, "check that this is the file you meant"));
    }
    let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
    let refused =
        |at: usize, what: String, remedy: &str| CliError::usage(format!("{}:{}: {what}", file.display(), line(at)), remedy);
    let parsed: File = toml::from_str(&text).map_err(|e| {
        let what = e.message().trim_end().replace('\n', "; ");
        refused(e.span().map_or(0, |s| s.start), what, "write [[exempt]] with oracle, reason, and perhaps event and field")
    })?;
    let mut list = Vec::new();
    for entry in parsed.exempt {
        let at = entry.span().start;
        let l = entry.into_inner();
        let (name, place) = (l.oracle.get_ref().clone(), l.oracle.span().start);
        let Some(oracle) = find(&name) else {
            return Err(refused(place, format!("there is no oracle '{name}'"), "see trapeze oracles"));
        };
        if l.reason.trim().is_empty() {
            return Err(refused(at, format!("the exemption of '{name}' has no reason"), "say why in reason = \"...\""));
        }
        list.push(Exemption { oracle, event: l.event, field: l.field, reason: l.reason });
    }
    Ok(list)
}

/// The table of `trapeze oracles` and docs/oracles.md.
pub fn table() -> String {
    let mut s = "| oracle | name | clause | what is checked |\n|--|--|--|--|\n".to_owned();
    for o in ORACLES {
        s += &format!("| {} | `{}` | {} | {} |\n", o.id, o.name, o.clause, o.checks);
    }
    s
}

/// `trapeze oracles`.
pub fn list() -> Result<(), CliError> {
    output::print(&table())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_book_lists_every_oracle_as_the_command_does() {
        let book = include_str!("../../docs/oracles.md");
        assert!(book.contains(&super::table()), "docs/oracles.md is not what trapeze oracles prints:\n{}", super::table());
    }
}
