//! The result, as text and as JSON.

use std::collections::BTreeMap;

use replay::symbols::Symbols;
use sbi_model::error::SbiError;
use serde::Serialize;

use super::compare::{Comparison, Difference, arguments, compare};
use super::events::{Event, Sequences};
use super::policy::Policies;

/// One of the two runs.
#[derive(Serialize, Debug)]
pub struct Side {
    /// As the user named it.
    pub firmware: String,
    /// How it ended.
    pub end: String,
    /// Instructions over all harts.
    pub instret: u64,
    /// How it ended in one word.
    #[serde(skip)]
    pub way: &'static str,
    /// The code with which it did, if there is one.
    #[serde(skip)]
    pub code: Option<u64>,
}

/// Differences of one kind.
#[derive(Serialize, Debug)]
pub struct Kind {
    /// Function or exception.
    pub call: String,
    /// Which part.
    pub field: &'static str,
    /// How many.
    pub count: usize,
    /// Why it is expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The first of them.
    pub first: First,
}

/// Where a difference is first seen.
#[derive(Serialize, Debug)]
pub struct First {
    /// Hart id.
    pub hart: u64,
    /// Place of the event in each run's sequence.
    pub event: [Option<usize>; 2],
    /// Instructions of the hart before it, in the first run that has it.
    pub instret: u64,
    /// Symbol and offset, or the address.
    pub at: String,
    /// Arguments by name, in each run that has the event.
    pub arguments: [Option<String>; 2],
    /// The values; none where it was left as it was.
    pub values: [Option<u64>; 2],
}

/// Everything.
#[derive(Serialize, Debug)]
pub struct Report {
    /// Version of this form.
    pub schema: u32,
    /// The runs.
    pub runs: [Side; 2],
    /// Events in each.
    pub events: [usize; 2],
    /// Events in both.
    pub common: usize,
    /// What differs and is not expected, in the order in which it is first seen.
    pub differences: Vec<Kind>,
    /// What differs and is expected.
    pub expected: Vec<Kind>,
}

impl Kind {
    /// How the runs end, in words.
    fn ends(&self) -> String {
        let [a, b] = self.first.arguments.each_ref().map(|e| e.as_deref().unwrap_or_default());
        format!("the runs end differently: {a} / {b}")
    }

    /// That two runs do not end alike: in another way, or with another code. A limit is the tool's, and cuts each run where it may.
    fn end(runs: &[Side; 2], policies: &Policies) -> Option<Kind> {
        let [a, b] = runs;
        if runs.iter().any(|r| r.way == "limit") || (a.way, a.code) == (b.way, b.code) {
            return None;
        }
        let (call, field) = ("end", if a.way == b.way { "code" } else { "way" });
        Some(Kind {
            call: call.to_owned(),
            field,
            count: 1,
            why: policies.find(call, field).map(|p| p.why.clone()),
            first: First {
                hart: 0,
                event: [None, None],
                instret: a.instret,
                at: "the end of the run".to_owned(),
                arguments: runs.each_ref().map(|r| Some(r.end.clone())),
                values: runs.each_ref().map(|r| r.code),
            },
        })
    }
}

impl Report {
    /// Compares and counts.
    pub fn new(runs: [Side; 2], events: [&Sequences; 2], policies: &Policies, symbols: &Symbols) -> Report {
        let Comparison { differences, events: counts, common } = compare(events[0], events[1]);
        let event = |d: &Difference, side: usize| -> Option<&Event> { events[side].get(&d.hart)?.get(d.at[side]?) };
        let mut kinds: BTreeMap<(&str, &str), (usize, &Difference)> = BTreeMap::new();
        for d in &differences {
            kinds.entry((&d.call, d.field)).or_insert((0, d)).0 += 1;
        }
        let kind = |((call, field), (count, d)): ((&str, &'static str), (usize, &Difference))| {
            let seen = event(d, 0).or(event(d, 1));
            let text = |e: &Event| arguments(e).iter().map(|(n, v)| format!("{n} = {v:#x}")).collect::<Vec<_>>().join(", ");
            Kind {
                call: call.to_owned(),
                field,
                count,
                why: policies.find(call, field).map(|p| p.why.clone()),
                first: First {
                    hart: d.hart,
                    event: d.at,
                    instret: seen.map_or(0, |e| e.instret),
                    at: seen.map_or(String::new(), |e| symbols.text(e.pc)),
                    arguments: [0, 1].map(|i| event(d, i).map(text)),
                    values: d.values,
                },
            }
        };
        let mut all: Vec<Kind> = differences
            .iter()
            .filter_map(|d| kinds.remove_entry(&(d.call.as_str(), d.field)).map(|((c, _), v)| kind(((c, d.field), v))))
            .collect();
        all.sort_by_key(|k| (k.first.instret, k.first.hart));
        all.extend(Kind::end(&runs, policies));
        let (expected, differences) = all.into_iter().partition(|k| k.why.is_some());
        Report { schema: 1, runs, events: counts, common, differences, expected }
    }

    /// For a person.
    pub fn text(&self) -> String {
        let [a, b] = &self.runs;
        let mut s = String::new();
        for (i, r) in self.runs.iter().enumerate() {
            s += &format!("{}: {}; {} instructions, {} events\n", r.firmware, r.end, r.instret, self.events[i]);
        }
        s += &format!("{} events in both\n", self.common);
        if !self.expected.is_empty() {
            s += "\nexpected:\n";
            for k in &self.expected {
                let why = k.why.as_deref().unwrap_or_default();
                s += &format!("{:>8}  {} {}: {why}\n", k.count, k.call, k.field);
            }
        }
        if self.differences.is_empty() {
            return s + "\nno other difference\n";
        }
        s += "\ndifferences:\n";
        for k in &self.differences {
            if k.call == "end" {
                s += &format!("{:>8}  {}\n", k.count, k.ends());
                continue;
            }
            let [x, y] = k.first.values.map(|v| value(k.field, v));
            s += &format!("{:>8}  {} {}: first {x} / {y}\n", k.count, k.call, k.field);
        }
        let Some(k) = self.differences.iter().find(|k| k.call != "end") else { return s };
        let f = &k.first;
        s += &format!("\nfirst difference: hart {} after {} instructions, at {}\n", f.hart, f.instret, f.at);
        for (i, run) in [a, b].into_iter().enumerate() {
            s += &match (&f.arguments[i], f.event[i]) {
                (Some(args), Some(n)) => {
                    format!(
                        "  {:<16} event {n}: {}({args}) {} = {}\n",
                        run.firmware,
                        k.call,
                        k.field,
                        value(k.field, f.values[i])
                    )
                }
                _ => format!("  {:<16} has no such event here\n", run.firmware),
            };
        }
        s
    }
}

/// A value with its name, if it is an error.
fn value(field: &str, v: Option<u64>) -> String {
    match v {
        None => "unchanged".to_owned(),
        Some(0) if field == "error" => "SBI_SUCCESS".to_owned(),
        Some(v) if field == "error" => {
            SbiError::ALL.iter().find(|e| e.code() == v).map_or_else(|| format!("{v:#x}"), |e| e.name().to_owned())
        }
        Some(v) => format!("{v:#x}"),
    }
}
