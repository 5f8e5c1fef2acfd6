//! `trapeze diff-firmware` as a user runs it, on a payload whose answers are known to differ: a software event in HS-mode with SPV set.
#![allow(missing_docs, clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Dir, code, run, stderr, stdout};

fn payload() -> String {
    format!("{}/../roms/sse/spv-stale.elf", env!("CARGO_MANIFEST_DIR"))
}

fn diff(options: &[&str], a: &str, b: &str) -> std::process::Output {
    let kernel = payload();
    run(&[&["diff-firmware"], options, &[a, b, "--", "-kernel", &kernel, "--limit", "1M"]].concat())
}

#[test]
fn a_firmware_does_not_differ_from_itself() {
    let out = diff(&[], "spec", "spec");
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let text = stdout(&out);
    assert!(text.contains("8 events in both") && text.contains("no other difference") && !text.contains("expected:"), "{text}");
}

#[test]
fn the_first_difference_is_told_with_symbol_function_and_arguments() {
    let out = diff(&[], "spec", "opensbi-1.9");
    assert_eq!(code(&out), 4);
    let text = stdout(&out);
    let last = text.split_once("first difference: ").expect("a first difference").1;
    assert!(last.starts_with("hart 0 after 24 instructions, at 0x8020006c <_start+0x6c>"), "{text}");
    let line = "event 4: sbi_sse_inject(event_id = 0xffffffffffff0000, hart_id = 0x0) hstatus = ";
    assert!(last.contains(&format!("  spec             {line}0x200000000\n")), "{text}");
    assert!(last.contains(&format!("  opensbi-1.9      {line}0x200000180\n")), "{text}");
    // What follows from it: the handler's completion leads to another mode, and the program says so.
    assert!(text.contains("1  sbi_sse_complete mode: first 0x1 / 0x5"), "{text}");
    assert!(text.contains("1  sbi_system_reset reset_reason: first 0x0 / 0x1"), "{text}");
    assert!(text.contains("1  sbi_debug_console_write base_addr_lo: guest: "), "expected, and counted: {text}");
}

#[test]
fn differences_that_a_file_expects_are_counted_and_no_failure() {
    let dir = Dir::new("diff-expected");
    let entry = |call, field| format!("[[expected]]\ncall = \"{call}\"\nfield = \"{field}\"\nwhy = \"OpenSBI leaves SPV\"\n");
    let list = [
        ("sbi_sse_inject", "hstatus"),
        ("sbi_sse_complete", "mode"),
        ("sbi_debug_console_write", "*"),
        ("sbi_system_reset", "reset_reason"),
        ("end", "code"),
    ];
    let file = dir.file("expected.toml", list.map(|(c, f)| entry(c, f)).concat().as_bytes());
    let out = diff(&["--expected", &file], "spec", "opensbi-1.9");
    assert_eq!(code(&out), 0, "{}", stdout(&out));
    assert!(stdout(&out).contains("       1  sbi_sse_inject hstatus: OpenSBI leaves SPV"), "{}", stdout(&out));
    // How the runs end counts by itself.
    let file = dir.file("end.toml", list[..4].iter().map(|(c, f)| entry(c, f)).collect::<String>().as_bytes());
    let out = diff(&["--expected", &file], "spec", "opensbi-1.9");
    assert_eq!(code(&out), 4, "{}", stdout(&out));
    let ends = "1  the runs end differently: the guest powered off with code 0 / the guest powered off with code 1\n";
    assert!(stdout(&out).contains(ends), "{}", stdout(&out));
    let file = dir.file("one.toml", entry("sbi_sse_inject", "hstatus").as_bytes());
    assert_eq!(code(&diff(&["--expected", &file], "spec", "opensbi-1.9")), 4);
}

#[test]
fn the_report_is_also_json() {
    let out = diff(&["--json"], "spec", "opensbi-1.9");
    let report: serde_json::Value = serde_json::from_str(&stdout(&out)).expect("JSON");
    assert_eq!((&report["schema"], &report["events"][0], &report["common"]), (&1.into(), &8.into(), &8.into()));
    let first = &report["differences"][0];
    assert_eq!((&first["call"], &first["field"]), (&"sbi_sse_inject".into(), &"hstatus".into()));
    assert_eq!(first["first"]["values"], serde_json::json!([0x2_0000_0000_u64, 0x2_0000_0180_u64]));
    assert_eq!(report["runs"][1]["firmware"], "opensbi-1.9");
}

#[test]
fn firmware_that_is_neither_a_profile_nor_a_file_is_refused_and_so_is_a_bad_list() {
    let out = diff(&[], "spec", "opensbi-9.9");
    assert_eq!(code(&out), 2);
    assert!(stderr(&out).contains("'opensbi-9.9' is neither a profile nor a file") && stderr(&out).contains("private-resume"));
    let dir = Dir::new("diff-bad");
    let file = dir.file("bad.toml", b"[[expected]]\ncall = \"x\"\n");
    let out = diff(&["--expected", &file], "spec", "spec");
    assert_eq!(code(&out), 2);
    assert!(stderr(&out).contains("bad.toml") && stderr(&out).contains("field"), "{}", stderr(&out));
    assert_eq!(code(&run(&["diff-firmware", "spec", "spec"])), 2, "no guest");
    assert_eq!(code(&run(&["diff-firmware", "--list-expected"])), 0);
}
