//! `run --check` as a user runs it.

#![allow(missing_docs, clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{code, run, stderr, stdout};

/// The program of docs/sse.md, from this crate's directory.
const SPV: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../roms/sse/spv-stale.elf");

fn check(more: &[&str]) -> std::process::Output {
    run(&[&["run", "-kernel", SPV][..], more].concat())
}

#[test]
fn a_call_that_foreign_firmware_never_answers_is_told_once() {
    let says = "violation of E17 liveness: hart 0 @20000019 at 0x80000050 <supervisor+0x8>:";
    let must = "call must be function 0 of extension 0x10 returns, is still in M-mode after 20000000 instructions";
    let o = common::run_rom("stuck", &["--check", "E17"]);
    assert_eq!(code(&o), 8, "{}", stderr(&o));
    assert!(stderr(&o).contains(says) && stderr(&o).contains(must), "{}", stderr(&o));
    let o = common::run_rom("stuck", &["--check", "all", "--on-violation", "record", "--json", "--limit", "60M"]);
    assert!(stdout(&o).contains("\"spoke\":{\"E17\":1}"), "{}", stdout(&o));
}

#[test]
fn every_payload_that_is_right_is_silent_on_firmware_that_is_right() {
    // The guests of perf-top and ras share a page with their hosts.
    let cfi = "max,zicfilp=on,zicfiss=on,ssdbltrp=on";
    for (name, cpu) in [
        ("nesting", "max"),
        ("perf-top", "max"),
        ("ras", "max"),
        ("locks", "max"),
        ("spv-stale", "max"),
        ("landing-pad", cfi),
        ("shadow-stack", cfi),
        ("masked-double-trap", cfi),
    ] {
        let rom = format!("{}/../roms/sse/{name}.elf", env!("CARGO_MANIFEST_DIR"));
        for harts in ["1", "2", "4"] {
            let args = ["run", "-q", "--json", "-smp", harts, "-cpu", cpu, "-m", "16M", "-kernel", &rom, "--sbi-profile", "spec"];
            let o = run(&[&args[..], &["--ras", "--limit", "400k", "--check", "all", "--on-violation", "record"]].concat());
            let report = stdout(&o);
            assert!(
                report.contains("\"oracles\":{\"violations\":0,\"exempted\":0,"),
                "{name} on {harts}: {report}{}",
                stderr(&o)
            );
            assert!(report.contains("\"spoke\":{}"), "{name} on {harts}: {report}");
        }
    }
}

#[test]
fn a_violation_ends_the_run_with_code_8_and_names_field_values_and_records() {
    let out = check(&["--check", "all", "--sbi-profile", "opensbi-1.9"]);
    assert_eq!(code(&out), 8, "{}", stderr(&out));
    let text = stderr(&out);
    assert!(text.contains("violation of E2 entry: event 0xffff0000, hart 0 @24 at"), "{text}");
    assert!(text.contains("<handler>: hstatus.SPV must be 0x0, is 0x1 (records #"), "{text}");
    // It ended before the program printed anything.
    assert_eq!(stdout(&out), "");
    let healthy = check(&["--check", "all"]);
    assert_eq!((code(&healthy), stdout(&healthy).as_str()), (0, "V=0 as it was: ok\n"), "{}", stderr(&healthy));
}

#[test]
fn a_run_may_go_on_after_violations_and_tells_all_or_only_counts_them() {
    let out = check(&["--check", "all", "--sbi-profile", "opensbi-1.9", "--on-violation", "record"]);
    assert_eq!(code(&out), 8);
    let text = stderr(&out);
    assert!(text.contains("violation of E1 context:") && text.contains("mode must be HS, is VS"), "{text}");
    assert!(text.contains("violation of E20 virtualisation:"), "{text}");
    let out = check(&["--check", "E1,entry", "--sbi-profile", "opensbi-1.9", "--on-violation", "ignore", "--json"]);
    assert_eq!(code(&out), 1, "{}", stderr(&out));
    assert!(!stderr(&out).contains("violation of"), "{}", stderr(&out));
    assert!(stdout(&out).contains(r#""oracles":{"violations":2,"exempted":0,"#), "{}", stdout(&out));
    assert!(stdout(&out).contains(r#""spoke":{"E1":1,"E2":1}"#), "{}", stdout(&out));
}

#[test]
fn exemptions_cover_what_they_name_and_mistakes_in_them_are_refused() {
    let dir = std::env::temp_dir().join(format!("trapeze-exempt-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let file = dir.join("exempt.toml");
    let path = file.to_str().unwrap();
    let with = |text: &str| {
        std::fs::write(&file, text).unwrap();
        check(&["--check", "E2", "--sbi-profile", "opensbi-1.9", "--exempt", path, "--json"])
    };
    let out = with("[[exempt]]\noracle = 'entry'\nevent = 0xffff0000\nfield = 'hstatus'\nreason = 'known'\n");
    assert!(stdout(&out).contains(r#""violations":0,"exempted":1"#), "{}{}", stdout(&out), stderr(&out));
    for (wrong, word) in [
        ("[[exempt]]\noracle = 'entry'\nfield = 'sepc'\nreason = 'another field'\n", "violation of E2"),
        ("\n[[exempt]]\noracle = 'E99'\nreason = 'x'\n", "exempt.toml:3: there is no oracle 'E99'"),
        ("[[exempt]]\noracle = 'entry'\nreason = ' '\n", "exempt.toml:1: the exemption of 'entry' has no reason"),
        ("[[exempt]]\noracle = 'entry'\n", "missing field `reason`"),
        ("[[exempt]]\noracle = 'entry'\nharts = 1\nreason = 'x'\n", "exempt.toml:3: unknown field `harts`"),
    ] {
        let out = with(wrong);
        assert_ne!(code(&out), 0);
        assert!(stderr(&out).contains(word), "{word}: {}", stderr(&out));
    }
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn options_that_make_no_sense_are_refused() {
    for (args, word) in [
        (&["--check", "E23"][..], "there is no oracle 'E23'"),
        (&["--exempt", "x.toml"][..], "add --check all"),
        (&["--on-violation", "stop"][..], "add --check all"),
        (&["--check", "all", "--exempt", "/nowhere.toml"][..], "/nowhere.toml"),
    ] {
        let out = check(args);
        assert_ne!(code(&out), 0);
        assert!(stderr(&out).contains(word), "{}", stderr(&out));
    }
}

#[test]
fn determinism_is_checked_by_a_second_execution() {
    let out = check(&["--check", "determinism"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
}
