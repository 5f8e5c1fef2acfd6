//! The trap ledger as a user reads it, on the tour's program.

#![allow(missing_docs, clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Dir, code, run, stderr, stdout, trapeze};

fn tour(more: &[&str]) -> std::process::Output {
    let rom = format!("{}/../roms/tour/tour.elf", env!("CARGO_MANIFEST_DIR"));
    let run_options = ["--", "-bios", "none", "-m", "16M", "-kernel", rom.as_str()];
    run(&[&["trace"], more, &run_options[..]].concat())
}

#[test]
fn text_names_causes_delegation_fields_and_the_trap_that_a_return_ends() {
    let out = tour(&[]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let text = stdout(&out);
    let ecall = text.lines().find(|l| l.contains("trap M -> M environment call from M-mode")).unwrap();
    assert!(ecall.contains("(exception 11; raised in M-mode, whose traps are never delegated)"), "{ecall}");
    assert!(ecall.contains("mstatus.MPP 0x0 -> 0x3") || ecall.contains("mepc 0x0 ->"), "{ecall}");
    assert!(text.lines().any(|l| l.contains("return M -> M") && l.contains("(ends #")), "{text}");
}

#[test]
fn conditions_choose() {
    let guest = stdout(&tour(&["--mode", "VU", "--kind", "trap"]));
    assert!(guest.lines().count() > 1 && guest.lines().all(|l| l.contains("trap VU -> ")), "{guest}");
    let faults = stdout(&tour(&["--cause", "21", "--cause", "load guest-page fault"]));
    assert!(faults.lines().count() >= 1 && faults.lines().all(|l| l.contains("exception 21")), "{faults}");
    let one = stdout(&tour(&["--symbol", "m_trap", "--kind", "write"]));
    assert!(one.lines().count() >= 1 && one.lines().all(|l| l.contains("<m_trap")), "{one}");
    let bad = tour(&["--mode", "X"]);
    assert_eq!(code(&bad), 2);
    assert!(stderr(&bad).contains("give M, HS, U, VS or VU"));
}

#[test]
fn a_hart_is_chosen_by_its_id() {
    let rom = format!("{}/../roms/sse/spv-stale.elf", env!("CARGO_MANIFEST_DIR"));
    let ask = |id: &str| run(&["trace", "--hart", id, "--", "-m", "16M", "--hart-ids", "9:3", "-kernel", &rom]);
    let (boots, other) = (stdout(&ask("9")), stdout(&ask("3")));
    assert!(boots.lines().count() > 1 && boots.lines().all(|l| l.contains(" hart 0 ")), "{boots}");
    assert!(other.lines().all(|l| l.contains(" hart 1 ")), "{other}");
    let index = ask("0");
    assert!(code(&index) == 2 && stderr(&index).contains("harts are 9, 3"), "{}", stderr(&index));
}

#[test]
fn the_operations_on_one_event_can_be_chosen() {
    let rom = format!("{}/../roms/sse/spv-stale.elf", env!("CARGO_MANIFEST_DIR"));
    let ask = |event: &str| run(&["trace", "--event", event, "--", "-m", "16M", "-kernel", &rom]);
    let text = stdout(&ask("0xffff0000"));
    let what = |l: &str| l.split(" firmware ").nth(1).unwrap().split(':').next().unwrap().to_owned();
    let all: Vec<String> = text.lines().map(what).collect();
    let calls = ["call sbi_sse_register", "call sbi_sse_enable", "sse inject", "sse complete"];
    assert!(calls.iter().all(|c| all.iter().any(|l| l == c)) && !all.iter().any(|l| l.contains("debug_console")), "{text}");
    assert_eq!(stdout(&ask("ras-high")), "");
    let refused = ask("nonsense");
    assert!(code(&refused) == 2 && stderr(&refused).contains("no event 'nonsense'"), "{}", stderr(&refused));
}

#[test]
fn json_has_a_schema_and_every_field() {
    let text = stdout(&tour(&["--json"]));
    let mut lines = text.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap());
    assert_eq!(lines.next().unwrap()["schema"], "trapeze-ledger-1");
    let all: Vec<_> = lines.collect();
    let traps: Vec<_> = all.iter().filter(|e| e["kind"] == "trap").collect();
    assert!(traps.len() > 10);
    let numbers: Vec<_> = all.iter().map(|e| e["n"].as_u64().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b));
    assert!(traps.iter().all(|t| t["cause"]["name"].is_string() && t["why"].is_string() && t["changes"].is_array()));
    let ended: Vec<_> = all.iter().filter_map(|e| e["ends"]["n"].as_u64()).collect();
    assert!(ended.iter().all(|n| traps.iter().any(|t| t["n"].as_u64() == Some(*n))) && !ended.is_empty());
}

/// What the trace event format asks of duration and metadata events: known phases, a process and a thread each, times that never go
/// back on a thread, every end behind its beginning, and thread ids that belong to one process.
#[test]
fn a_perfetto_trace_keeps_to_the_trace_event_format_whatever_is_chosen() {
    use std::collections::BTreeMap;
    let dir = Dir::new("perfetto");
    let file = dir.file("trace.json", b"");
    let choices: [&[&str]; 3] = [&[], &["--mode", "VS"], &["--kind", "trap"]];
    for more in choices {
        assert_eq!(code(&tour(&[&["--perfetto", file.as_str()], more].concat())), 0);
        let trace: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        assert!(["ns", "ms"].contains(&trace["displayTimeUnit"].as_str().unwrap()));
        let (mut open, mut last, mut owner, mut names) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut begun = 0;
        for e in trace["traceEvents"].as_array().unwrap() {
            let pid = e["pid"].as_u64().filter(|p| *p > 0).unwrap();
            if e["ph"] == "M" {
                match e["name"].as_str().unwrap() {
                    "process_name" => assert!(e["args"]["name"].is_string()),
                    "thread_name" => drop(names.insert(e["tid"].as_u64().unwrap(), e["args"]["name"].as_str().unwrap())),
                    "thread_sort_index" => assert!(e["args"]["sort_index"].is_u64()),
                    other => panic!("{other}"),
                }
                continue;
            }
            let (tid, ts) = (e["tid"].as_u64().unwrap(), e["ts"].as_f64().unwrap());
            assert_eq!(*owner.entry(tid).or_insert(pid), pid);
            assert!(names.contains_key(&tid), "a track with no name");
            assert!(ts >= *last.get(&tid).unwrap_or(&0.0), "time goes back on {}", names[&tid]);
            last.insert(tid, ts);
            let depth: &mut Vec<String> = open.entry(tid).or_default();
            match e["ph"].as_str().unwrap() {
                "B" => {
                    begun += 1;
                    depth.push(e["name"].as_str().unwrap().to_owned());
                }
                // Readers look for a beginning of this name.
                "E" => {
                    assert_eq!(depth.pop().as_deref(), e["name"].as_str(), "what ends on {} is not what was begun", names[&tid])
                }
                other => panic!("phase {other}"),
            }
        }
        assert!(begun >= 10 && open.values().all(Vec::is_empty), "{more:?}: {begun} {open:?}");
    }
}

/// A guest that prints for ever, traced into a file until a signal comes: the exit code, and what the directory holds then.
fn interrupted(option: &str) -> (Option<i32>, Vec<String>, String) {
    use std::io::Read;
    let dir = Dir::new(&format!("interrupted{option}"));
    let rom = format!("{}/../roms/test/flood.elf", env!("CARGO_MANIFEST_DIR"));
    let file = dir.0.join("out");
    let args = ["trace", "--console", option, file.to_str().unwrap(), "--", "-bios", "none", "-m", "16M", "-kernel", &rom];
    let mut child = trapeze(&args).stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::null()).spawn().unwrap();
    // It runs.
    let mut console = child.stderr.take().unwrap();
    console.read_exact(&mut [0; 8]).unwrap();
    drop(console);
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT).unwrap();
    let code = child.wait().unwrap().code();
    let names = std::fs::read_dir(&dir.0).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    (code, names, std::fs::read_to_string(&file).unwrap())
}

#[test]
fn a_signal_ends_a_file_and_leaves_what_was_seen_until_then() {
    let (code, names, text) = interrupted("--perfetto");
    assert_eq!((code, names), (Some(130), vec!["out".to_owned()]));
    assert!(serde_json::from_str::<serde_json::Value>(&text).unwrap()["traceEvents"].is_array());
    let (code, names, text) = interrupted("--commit-log");
    assert_eq!((code, names), (Some(130), vec!["out".to_owned()]));
    assert!(text.starts_with("core   0: 3 0x") && text.ends_with('\n') && text.lines().count() > 1000);
}

#[test]
fn a_perfetto_traces_slices_are_the_stretches_between_the_ledgers_traps_and_returns() {
    use std::collections::BTreeMap;
    let dir = Dir::new("perfetto-slices");
    let file = dir.file("trace.json", b"");
    assert_eq!(code(&tour(&["--perfetto", file.as_str()])), 0);
    let trace: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    // As an importer does it: an end closes what was begun last on its track.
    let (mut names, mut open, mut slices) = (BTreeMap::new(), BTreeMap::<u64, Vec<usize>>::new(), Vec::new());
    for e in trace["traceEvents"].as_array().unwrap() {
        let (tid, text) = (e["tid"].as_u64().unwrap_or(0), |v: &serde_json::Value| v.as_str().unwrap_or_default().to_owned());
        let at = (e["ts"].as_f64().unwrap_or(0.0) * 1000.0).round() as u64;
        match e["ph"].as_str().unwrap() {
            "M" if e["name"] == "thread_name" => drop(names.insert(tid, text(&e["args"]["name"]))),
            "B" => {
                open.entry(tid).or_default().push(slices.len());
                slices.push((names[&tid].clone(), at, text(&e["name"]), None));
            }
            "E" => slices[open.get_mut(&tid).unwrap().pop().unwrap()].3 = Some(at),
            _ => {}
        }
    }
    let ledger = stdout(&tour(&["--json"]));
    let entries = ledger.lines().skip(1).map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap());
    let changes: Vec<_> = entries.filter(|e| e["kind"] == "trap" || e["kind"] == "return").collect();
    assert!(changes.len() > 20 && slices.len() == changes.len(), "{} and {}", slices.len(), changes.len());
    for (i, ((track, from, name, to), e)) in slices.iter().zip(&changes).enumerate() {
        let mode = e["to"].as_str().unwrap();
        assert!(track.contains(mode), "{track}: {e}");
        assert_eq!(Some(*from), e["instret"].as_u64(), "{e}");
        assert_eq!(name, e["cause"]["name"].as_str().unwrap_or(mode), "{e}");
        let next = changes.get(i + 1).and_then(|n| n["instret"].as_u64());
        assert!(next.is_none_or(|n| *to == Some(n)) && to.is_some(), "{e}: it ends at {to:?}, the next begins at {next:?}");
    }
}

#[test]
fn faults_carry_their_page_walk_and_traps_the_return_that_ends_them() {
    let text = stdout(&tour(&["--json", "--kind", "trap"]));
    let traps: Vec<serde_json::Value> = text.lines().skip(1).map(|l| serde_json::from_str(l).unwrap()).collect();
    let fault = traps.iter().find(|t| t["cause"]["bits"] == "0x15").unwrap();
    assert_eq!(fault["walk"]["refused"]["stage"], "G");
    assert_eq!(fault["walk"]["refused"]["input"], "0xc0000000");
    let last = fault["walk"]["entries"].as_array().unwrap().last().unwrap();
    assert_eq!((last["stage"].as_str(), last["fields"]["V"].as_str()), (Some("G"), Some("0x0")));
    assert_eq!(fault["tval2"]["bits"], "0x30000000");
    assert!(traps.iter().all(|t| t["walk"].is_object() == t["cause"]["name"].as_str().unwrap().contains("page fault")
        || t["cause"]["name"].as_str().unwrap().contains("guest-page")));
    let all = stdout(&tour(&["--json"]));
    for t in traps.iter().filter(|t| t["ended"].is_object()) {
        let ret = all.lines().skip(1).map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap());
        let ret = ret.into_iter().find(|e| e["n"] == t["ended"]["n"]).unwrap();
        assert_eq!(ret["ends"]["n"], t["n"]);
        assert_eq!(
            ret["instret"].as_u64().unwrap() - t["instret"].as_u64().unwrap(),
            t["ended"]["instructions"].as_u64().unwrap()
        );
    }
    let long = stdout(&tour(&["--long", "--cause", "21"]));
    assert!(long.contains("\n    VS level 2 for 0x140000000: read 0x80009028"), "{long}");
}

#[test]
fn a_commit_log_has_a_line_an_instruction_in_spikes_format() {
    let log = stdout(&tour(&["--commit-log", "-"]));
    let lines: Vec<&str> = log.lines().collect();
    assert!(lines[0].starts_with("core   0: 3 0x0000000080000000 (0x"), "{}", lines[0]);
    let rom = format!("{}/../roms/tour/tour.elf", env!("CARGO_MANIFEST_DIR"));
    let report = stdout(&run(&["run", "--json", "--quiet", "-bios", "none", "-m", "16M", "-kernel", &rom]));
    let retired = report.split("\"instret\":").nth(1).unwrap().split([',', '}']).next().unwrap();
    assert_eq!(lines.len().to_string(), retired, "one line for each retired instruction");
    assert!(lines.iter().any(|l| l.contains(") c773_mtvec 0x0000000080")), "a CSR by number and name");
    assert!(lines.iter().any(|l| l.contains(" mem 0x0000000010000000 0x")), "a store to the serial port with its byte");
    assert!(lines.iter().any(|l| l.starts_with("core   0: 0 0x00000000c0")), "user mode is privilege 0");
}
