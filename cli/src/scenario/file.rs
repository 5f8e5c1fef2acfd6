//! Reading scenario files. A mistake is told with file, line and remedy, and nothing runs.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use replay::oracle::Exemption;
use serde::Deserialize;
use toml::{Spanned, Table, Value as Toml};

use super::step::Step;
use super::value::Count;
use super::{check, place};
use crate::config::Config;
use crate::exit::CliError;
use crate::recording::find;

/// Cycles that a step may take if the scenario says nothing: ten virtual seconds.
const WITHIN: u64 = 10_000_000_000;
/// No scenario is so long; a wrong file must not fill the host's memory.
const LIMIT: u64 = 1 << 20;
/// Scenarios one after the other, each after the last: every one has a machine until the last has run.
const DEEPEST: usize = 32;

/// A step with its line.
#[derive(Clone, PartialEq, Debug)]
pub struct Placed {
    /// The line it begins on, from 1.
    pub line: usize,
    /// What it is.
    pub step: Step,
}

/// One scenario, ready to run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its file.
    pub file: PathBuf,
    /// The line of its name.
    pub line: usize,
    /// Its name, one of its kind in the file.
    pub name: String,
    /// What it shows.
    pub about: String,
    /// The scenario of the same file whose end it begins at.
    pub after: Option<String>,
    /// The machine, as `trapeze run` would make it.
    pub config: Config,
    /// Values it needs that the command line did not give; it is skipped if there are any.
    pub lacks: Vec<String>,
    /// The ELF file with the guest's symbols, if not the kernel.
    pub symbols: Option<PathBuf>,
    /// What the oracles may say without consequence: the same for all scenarios of a file.
    pub exempt: Vec<Exemption>,
    /// Cycles that a step may take.
    pub within: u64,
    /// What happens.
    pub steps: Vec<Placed>,
}

impl Scenario {
    /// `FILE#NAME`: how it is called in reports and by `--only`.
    pub fn id(&self) -> String {
        format!("{}#{}", self.file.display(), self.name)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    #[serde(default)]
    about: String,
    #[serde(default)]
    needs: Vec<String>,
    guest: Option<Spanned<Table>>,
    symbols: Option<String>,
    exempt: Option<String>,
    within: Option<Count>,
    scenario: Vec<Raw>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Raw {
    name: Spanned<String>,
    #[serde(default)]
    about: String,
    after: Option<Spanned<String>>,
    guest: Option<Spanned<Table>>,
    within: Option<Count>,
    steps: Vec<Spanned<Step>>,
}

/// What is said about a place in a file.
struct Source<'a> {
    file: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    fn line(&self, span: &Range<usize>) -> usize {
        self.text.get(..span.start.min(self.text.len())).map_or(1, |t| t.matches('\n').count() + 1)
    }

    fn bad(&self, span: &Range<usize>, what: impl std::fmt::Display, remedy: impl Into<String>) -> CliError {
        CliError::usage(format!("{}:{}: {what}", self.file.display(), self.line(span)), remedy)
    }
}

/// Reads a file. `values` are those of `--define`.
pub fn read(file: &Path, values: &BTreeMap<String, String>) -> Result<Vec<Scenario>, CliError> {
    let doing = "read the scenario";
    let mut text = String::new();
    // A file that says it is empty may be endless.
    let mut from = std::fs::File::open(file).map_err(|e| CliError::file(file, doing, e))?.take(LIMIT + 1);
    from.read_to_string(&mut text).map_err(|e| CliError::file(file, doing, e))?;
    if text.len() as u64 > LIMIT {
        return Err(CliError::usage(
            format!("{}: larger than any scenario", file.display()),
            "check that this is the file you meant",
        ));
    }
    parse(file, &text, values)
}

/// The scenarios of a file's text.
fn parse(file: &Path, text: &str, values: &BTreeMap<String, String>) -> Result<Vec<Scenario>, CliError> {
    let source = Source { file, text };
    let parsed: File = toml::from_str(text).map_err(|e| {
        let what = e.message().trim_end().replace('\n', "; ");
        source.bad(&e.span().unwrap_or(0..0), what, "docs/scenarios.md lists the keys of a scenario and of its steps")
    })?;
    let lacks: Vec<String> = parsed.needs.iter().filter(|n| !values.contains_key(*n)).cloned().collect();
    let exempt = match &parsed.exempt {
        Some(f) => crate::check::exemptions(&place(file, &filled(f, values)))?,
        None => Vec::new(),
    };
    let mut list: Vec<Scenario> = Vec::new();
    for raw in &parsed.scenario {
        let mut s = scenario(&source, &parsed, raw, &list, values, &lacks)?;
        let before = |s: &Scenario| list.iter().find(|b| s.after.as_ref() == Some(&b.name));
        if std::iter::successors(before(&s), |b| before(b)).nth(DEEPEST - 1).is_some() {
            return Err(source.bad(
                &raw.name.span(),
                format!("more than {DEEPEST} scenarios stand before this one, each after the other"),
                "put their steps into one scenario",
            ));
        }
        s.exempt.clone_from(&exempt);
        list.push(s);
    }
    Ok(list)
}

fn scenario(
    source: &Source<'_>,
    file: &File,
    raw: &Raw,
    before: &[Scenario],
    values: &BTreeMap<String, String>,
    lacks: &[String],
) -> Result<Scenario, CliError> {
    let name = raw.name.get_ref();
    if name.is_empty() || before.iter().any(|s| s.name == *name) {
        return Err(source.bad(
            &raw.name.span(),
            format!("the name '{name}' is empty or taken"),
            "give each scenario of a file a name of its own",
        ));
    }
    let config = match (&raw.after, &raw.guest) {
        (None, own) => {
            let mut table = Table::new();
            let mut span = raw.name.span();
            for t in [&file.guest, own].into_iter().flatten() {
                span = t.span();
                table.extend(t.get_ref().clone());
            }
            guest(source, &span, table, values, lacks.is_empty())?
        }
        (Some(after), None) => match before.iter().find(|s| s.name == *after.get_ref()) {
            Some(s) => s.config.clone(),
            None => {
                return Err(source.bad(
                    &after.span(),
                    format!("no scenario '{}' stands before this one", after.get_ref()),
                    "name one of the same file that stands further up",
                ));
            }
        },
        (Some(_), Some(g)) => {
            return Err(source.bad(
                &g.span(),
                "'guest' and 'after' contradict each other",
                "leave out 'guest': the machine is the other scenario's",
            ));
        }
    };
    let mut steps = Vec::new();
    for s in &raw.steps {
        check::step(s.get_ref()).map_err(|(what, remedy)| source.bad(&s.span(), what, remedy))?;
        if let Some(hart) = hart_of(s.get_ref()).filter(|h| *h >= config.smp) {
            return Err(source.bad(
                &s.span(),
                format!("there is no hart {hart}"),
                format!("the machine has {} (smp)", config.smp),
            ));
        }
        steps.push(Placed { line: source.line(&s.span()), step: s.get_ref().clone() });
    }
    Ok(Scenario {
        file: source.file.to_owned(),
        line: source.line(&raw.name.span()),
        name: name.clone(),
        about: if raw.about.is_empty() { file.about.clone() } else { raw.about.clone() },
        after: raw.after.as_ref().map(|a| a.get_ref().clone()),
        config,
        lacks: lacks.to_vec(),
        symbols: file.symbols.as_deref().map(|s| place(source.file, &filled(s, values))),
        exempt: Vec::new(),
        within: raw.within.or(file.within).map_or(WITHIN, |c| c.0),
        steps,
    })
}

/// The hart that a step names.
fn hart_of(s: &Step) -> Option<u64> {
    match s {
        Step::Until(u) => u.hart.map(|h| h as u64),
        Step::Check(c) => Some(c.hart as u64),
        Step::Memory(m) => m.hart.map(|h| h as u64),
        Step::Spins(x) => Some(x.hart as u64),
        Step::Violated(v) => v.hart.map(|h| h as u64),
        Step::Inject(i) => i.hart,
        _ => None,
    }
}

/// The machine's configuration: keys as `trapeze run --print-config` prints them, paths from where the file is.
fn guest(
    source: &Source<'_>,
    span: &Range<usize>,
    mut table: Table,
    values: &BTreeMap<String, String>,
    complete: bool,
) -> Result<Config, CliError> {
    table.iter_mut().for_each(|(_, v)| fill(v, values));
    let mut c: Config = table.try_into().map_err(|e: toml::de::Error| {
        source.bad(span, e.message().trim_end().replace('\n', "; "), "give keys that 'trapeze run --print-config' prints")
    })?;
    for p in [&mut c.kernel, &mut c.initrd, &mut c.dtb].into_iter().flatten() {
        *p = place(source.file, &p.to_string_lossy());
    }
    if !matches!(c.bios.as_str(), "native" | "none") {
        c.bios = place(source.file, &c.bios).to_string_lossy().into_owned();
    }
    c.drives.iter_mut().for_each(|d| d.file = place(source.file, &d.file.to_string_lossy()));
    for (given, key, other) in [
        (c.limit.is_some(), "limit", "'within' of the scenario"),
        (c.from_snapshot.is_some(), "from-snapshot", "'after' and another scenario"),
        (c.exit_with_guest_code, "exit-with-guest-code", "an 'end' step with 'code'"),
    ] {
        if given {
            return Err(source.bad(span, format!("'{key}' has no meaning here"), format!("use {other}")));
        }
    }
    if let Some(d) = find::written(&c) {
        return Err(source.bad(
            span,
            format!("drive {}: a scenario's guest writes to no file, so that it finds the same one each time", d.file.display()),
            "leave out 'overlay' and 'snapshot = false': writes are kept in memory, for each scenario its own",
        ));
    }
    if c.kernel.is_none() && matches!(c.bios.as_str(), "native" | "none") {
        return Err(source.bad(
            span,
            "nothing to run",
            "give the guest a kernel: a file, or \"rom:NAME\" for a built-in program",
        ));
    }
    if complete {
        c.check().map_err(|e| match e {
            CliError::Usage { what, remedy } => source.bad(span, what, remedy),
            other => other,
        })?;
    }
    Ok(c)
}

/// Puts the values of `--define` in the place of `${NAME}` in all texts.
fn fill(v: &mut Toml, values: &BTreeMap<String, String>) {
    match v {
        Toml::String(s) => *s = filled(s, values),
        Toml::Array(a) => a.iter_mut().for_each(|v| fill(v, values)),
        Toml::Table(t) => t.iter_mut().for_each(|(_, v)| fill(v, values)),
        _ => {}
    }
}

fn filled(s: &str, values: &BTreeMap<String, String>) -> String {
    values.iter().fold(s.to_owned(), |s, (name, value)| s.replace(&format!("${{{name}}}"), value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As many as `PROPTEST_CASES` says (docs/fuzzing.md), or enough for every day.
    fn cases() -> u32 {
        std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(500)
    }

    /// Pieces that mean something in a scenario, to be put anywhere.
    const PIECES: [&str; 24] = [
        "[[scenario]]\n",
        "[guest]\n",
        "name = \"a\"\n",
        "after = \"spec\"\n",
        "steps = []\n",
        "within = \"99999999999G\"\n",
        "needs = [\"x\"]\n",
        "exempt = \"/nonexistent\"\n",
        "symbols = \"../../x\"\n",
        "{ oracles = \"all\" },",
        "{ violated = { oracle = \"E2\" } },",
        "{ until = { more = -1 } },",
        "{ until = { nth = 18446744073709551615, symbol = \"a\" } },",
        "{ inject = { name = \"memory\", args = [1, 2, 3] } },",
        "smp = 99999999\n",
        "memory = \"16E\"\n",
        "limit = 3\n",
        "kernel = \"rom:../echo\"\n",
        "[[[[[[[[",
        "{ hash = \"",
        "\u{0}",
        "]",
        "}",
        "'''",
    ];

    const OWN: [&str; 3] = [
        include_str!("../../../tests/scenarios/spv.toml"),
        include_str!("../../../tests/scenarios/linux.toml"),
        include_str!("../../../tests/scenarios/perf-top.toml"),
    ];

    proptest! {
        #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

        #[test]
        fn a_damaged_file_is_read_or_refused_with_its_name_and_line(
            which in 0..OWN.len(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            end in any::<prop::sample::Index>(),
            cut in any::<bool>(),
            pieces in prop::collection::vec((any::<prop::sample::Index>(), 0..PIECES.len()), 0..3),
        ) {
            let mut bytes = OWN[which].as_bytes().to_vec();
            if cut {
                bytes.truncate(end.index(bytes.len()));
            }
            for (at, byte) in changes.iter().filter(|_| !bytes.is_empty()).collect::<Vec<_>>() {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            for (at, piece) in pieces {
                let at = at.index(bytes.len() + 1);
                bytes.splice(at..at, PIECES[piece].bytes());
            }
            let text = String::from_utf8_lossy(&bytes);
            if let Err(e) = parse(Path::new("damaged.toml"), &text, &BTreeMap::new()) {
                let said = e.to_string();
                let file = matches!(e, CliError::File { .. }) && said.contains("exemptions");
                prop_assert!(file || matches!(e, CliError::Usage { .. }), "{said}");
                prop_assert!(file || said.starts_with("damaged.toml:"), "{said}");
            }
        }
    }

    #[test]
    fn own_files_are_read_and_values_of_the_command_line_are_filled_in() {
        let values = BTreeMap::from([("kernel".to_owned(), "K".to_owned()), ("initrd".to_owned(), "I".to_owned())]);
        let list = parse(Path::new("d/linux.toml"), OWN[1], &values).unwrap();
        assert_eq!(list[0].config.kernel.as_deref(), Some(Path::new("d/K")));
        assert!(list[0].lacks.is_empty() && list[1].after.as_deref() == Some("boot"));
        assert_eq!(list[1].config, list[0].config);
        let without = parse(Path::new("linux.toml"), OWN[1], &BTreeMap::new()).unwrap();
        assert_eq!(without[0].lacks, ["kernel", "initrd"]);
    }
}
