//! Results as text, as JSON, and as JUnit's XML.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use serde_json::{Value, json};

use super::Scenario;
use super::jobs::{Outcome, Verdict};
use super::oracles;
use super::shard::Shard;

/// The line of one result, and what to do about a failure.
pub fn line(s: &Scenario, o: &Outcome) -> String {
    let seconds = o.took.as_secs_f64();
    match &o.verdict {
        Verdict::Passed => format!("passed   {} ({seconds:.2} s)\n", s.id()),
        Verdict::Skipped(why) => format!("skipped  {}: {why}\n", s.id()),
        Verdict::Failed(f, kept) => {
            let mut t = format!("FAILED   {} ({seconds:.2} s)\n  {}:{}: {}\n", s.id(), s.file.display(), f.line, f.what);
            t += &format!("  the machine is at instruction {}, cycle {}\n", o.at.0, o.at.1);
            kept.files.iter().for_each(|f| t += &format!("  kept: {}\n", f.display()));
            kept.commands.iter().for_each(|c| t += &format!("  again: {c}\n"));
            t
        }
    }
}

/// How many passed, failed and were skipped.
pub fn counts(all: &[Outcome]) -> [usize; 3] {
    let mut n = [0; 3];
    for o in all {
        n[match o.verdict {
            Verdict::Passed => 0,
            Verdict::Failed(..) => 1,
            Verdict::Skipped(_) => 2,
        }] += 1;
    }
    n
}

/// The last line.
pub fn summary(all: &[Outcome]) -> String {
    let [passed, failed, skipped] = counts(all);
    let more = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    format!("{passed} passed, {failed} failed{more}\n")
}

/// All results as one JSON value. Fields are only ever added to it.
pub fn json(list: &[Scenario], all: &[Outcome], shard: Shard) -> String {
    let one = |o: &Outcome| {
        let s = &list[o.number];
        let mut v = json!({
            "file": s.file.display().to_string(), "line": s.line, "name": s.name, "about": s.about,
            "seconds": o.took.as_secs_f64(), "instret": o.at.0, "cycles": o.at.1,
        });
        let mut put = |k: &str, x: Value| v[k] = x;
        if !o.violations.is_empty() {
            put("violations", o.violations.iter().map(oracles::json).collect());
        }
        match &o.verdict {
            Verdict::Passed => put("verdict", json!("passed")),
            Verdict::Skipped(why) => {
                put("verdict", json!("skipped"));
                put("why", json!(why));
            }
            Verdict::Failed(f, kept) => {
                put("verdict", json!("failed"));
                put("failure", json!({ "line": f.line, "what": f.what }));
                put("files", kept.files.iter().map(|f| f.display().to_string()).collect());
                put("commands", json!(kept.commands));
            }
        }
        v
    };
    let [passed, failed, skipped] = counts(all);
    let scenarios: Vec<Value> = all.iter().map(one).collect();
    let v = json!({
        "schema": "trapeze-test-1", "shard": { "index": shard.index + 1, "count": shard.count },
        "passed": passed, "failed": failed, "skipped": skipped, "scenarios": scenarios,
    });
    format!("{v:#}\n")
}

/// The same in the form that JUnit's reporters made common, as the schema of Jenkins (`junit-10.xsd`) has it: a suite a file, a case a scenario.
pub fn junit(list: &[Scenario], all: &[Outcome]) -> std::io::Result<Vec<u8>> {
    let mut w = Writer::new_with_indent(Vec::new(), b' ', 2);
    w.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let mut files: Vec<_> = all.iter().map(|o| &list[o.number].file).collect();
    files.dedup();
    let totals = |of: &[Outcome]| {
        let [_, failed, skipped] = counts(of);
        let time: f64 = of.iter().map(|o| o.took.as_secs_f64()).sum();
        [
            ("tests", of.len().to_string()),
            ("failures", failed.to_string()),
            ("errors", "0".to_owned()),
            ("skipped", skipped.to_string()),
            ("time", format!("{time:.3}")),
        ]
    };
    let suites = w.create_element("testsuites").with_attribute(("name", "trapeze"));
    // The schema has no number of skipped ones for all suites together.
    let suites =
        totals(all).into_iter().filter(|(k, _)| *k != "skipped").fold(suites, |e, (k, v)| e.with_attribute((k, v.as_str())));
    suites.write_inner_content(|w| {
        for file in files {
            let of: Vec<Outcome> = all.iter().filter(|o| list[o.number].file == *file).cloned().collect();
            let name = plain(&file.display().to_string());
            let suite =
                w.create_element("testsuite").with_attribute(("name", name.as_str())).with_attribute(("file", name.as_str()));
            let suite = totals(&of).into_iter().fold(suite, |e, (k, v)| e.with_attribute((k, v.as_str())));
            suite.write_inner_content(|w| of.iter().try_for_each(|o| case(w, &list[o.number], o)))?;
        }
        Ok(())
    })?;
    let mut bytes = w.into_inner();
    bytes.push(b'\n');
    Ok(bytes)
}

fn case(w: &mut Writer<Vec<u8>>, s: &Scenario, o: &Outcome) -> std::io::Result<()> {
    let class = s.file.with_extension("").display().to_string().replace('/', ".");
    let class = plain(class.trim_start_matches('.'));
    let time = format!("{:.3}", o.took.as_secs_f64());
    let name = plain(&s.name);
    let attributes = [("name", name.as_str()), ("classname", &class), ("time", &time)];
    let e = attributes.into_iter().fold(w.create_element("testcase"), |e, a| e.with_attribute(a));
    match &o.verdict {
        Verdict::Passed => e.write_empty().map(drop),
        Verdict::Skipped(why) => {
            let why = plain(why);
            e.write_inner_content(|w| {
                w.create_element("skipped").with_attribute(("message", why.as_str())).write_empty().map(drop)
            })
            .map(drop)
        }
        Verdict::Failed(f, _) => {
            let what = plain(&f.what);
            let text = plain(&line(s, o));
            e.write_inner_content(|w| {
                w.create_element("failure")
                    .with_attribute(("message", what.as_str()))
                    .with_attribute(("type", "scenario"))
                    .write_text_content(BytesText::new(&text))
                    .map(drop)
            })
            .map(drop)
        }
    }
}

/// Without characters that XML 1.0 cannot have in any form (a guest's console may have them).
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..='\u{10ffff}' => c,
            _ => '\u{fffd}',
        })
        .collect()
}
