//! The trap ledger as a user reads it, on the tour's program.

#![allow(missing_docs, clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Dir, code, run, stderr, stdout};

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

#[test]
fn a_perfetto_trace_opens_and_closes_every_slice() {
    let dir = Dir::new("perfetto");
    let file = dir.file("trace.json", b"");
    assert_eq!(code(&tour(&["--perfetto", &file])), 0);
    let trace: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let count = |ph: &str| events.iter().filter(|e| e["ph"] == ph).count();
    assert!(count("B") > 20);
    assert_eq!(count("B"), count("E"));
}
