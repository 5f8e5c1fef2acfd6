//! How runs end: exit codes and reports of small guest programs.
#![allow(missing_docs, clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod common;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use common::*;

#[test]
fn a_guest_that_passes_is_exit_0_and_its_output_is_there() {
    for engine in ["step", "block"] {
        let o = run_rom("pass", &["--engine", engine]);
        assert_eq!((code(&o), stdout(&o).as_str()), (0, "ok\n"), "{}", stderr(&o));
    }
}

#[test]
fn a_guest_that_fails_is_exit_1_or_its_own_code() {
    let o = run_rom("fail", &[]);
    assert_eq!(code(&o), 1);
    assert!(stderr(&o).contains("failure code 3"), "{}", stderr(&o));
    assert_eq!(code(&run_rom("fail", &["--exit-with-guest-code"])), 3);
}

#[test]
fn the_instruction_limit_is_exact_and_exit_5() {
    for (engine, smp) in [("step", "1"), ("block", "1"), ("step", "3"), ("block", "3")] {
        let o = run_rom("spin", &["--limit", "1234567", "--json", "--quiet", "--engine", engine, "-smp", smp]);
        assert_eq!(code(&o), 5);
        let report: serde_json::Value = serde_json::from_slice(&o.stdout).expect("one line of JSON");
        assert_eq!(report["instret"], 1_234_567, "{engine}, {smp} harts");
        assert_eq!((report["end"].as_str(), report["exit"].as_u64()), (Some("limit"), Some(5)));
        assert!(o.stderr.is_empty());
    }
}

#[test]
fn two_runs_and_both_engines_print_the_same_hash() {
    let hash = |more: &[&str]| {
        let mut args = vec!["--hash", "--limit", "100k"];
        args.extend(more);
        let o = run_rom("spin", &args);
        stdout(&o).lines().last().unwrap_or_default().to_owned()
    };
    let first = hash(&[]);
    assert!(first.starts_with("state hash: ") && first.len() == 12 + 64, "{first}");
    assert_eq!(hash(&[]), first);
    assert_eq!(hash(&["--engine", "step"]), first);
    let three = hash(&["-smp", "3"]);
    assert_ne!(three, first);
    assert_eq!(hash(&["-smp", "3"]), three);
    assert_eq!(hash(&["-smp", "3", "--engine", "step"]), three);
    assert_ne!(hash(&["--limit", "100001"]), first);
}

#[test]
fn the_board_has_up_to_32_harts_and_memory_costs_what_is_touched() {
    let o = run_rom("pass", &["-smp", "32", "-m", "64G"]);
    assert_eq!((code(&o), stdout(&o).as_str()), (0, "ok\n"), "{}", stderr(&o));
}

#[test]
fn a_guest_that_sleeps_for_good_is_explained_and_exit_7() {
    let o = run_rom("sleep", &[]);
    assert_eq!(code(&o), 7, "{}", stderr(&o));
    assert!(stderr(&o).contains("wfi"), "{}", stderr(&o));
}

#[test]
fn an_endless_trap_loop_is_explained_and_exit_7() {
    for engine in ["step", "block"] {
        let o = run_rom("traploop", &["--engine", engine]);
        assert_eq!(code(&o), 7, "{}", stderr(&o));
        for word in ["hart 0", "0x1000000000", "instruction access fault (cause 0x1)"] {
            assert!(stderr(&o).contains(word), "{}", stderr(&o));
        }
    }
}

#[test]
fn a_reboot_starts_again_unless_told_otherwise() {
    let o = run_rom("reboot", &["--limit", "100"]);
    assert_eq!(code(&o), 5, "{}", stderr(&o));
    assert!(stdout(&o).starts_with("rr"), "{}", stdout(&o));
    let o = run_rom("reboot", &["--no-reboot"]);
    assert_eq!((code(&o), stdout(&o).as_str()), (0, "r"), "{}", stderr(&o));
}

#[test]
fn input_from_a_pipe_reaches_the_guest_byte_for_byte() {
    let file = rom("echo");
    let mut child = trapeze(&["run", "-bios", "none", "-kernel", &file, "--quiet"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // \x01x would quit on a terminal; from a pipe it is data.
    child.stdin.take().unwrap().write_all(b"abc\x01xq").unwrap();
    let o = child.wait_with_output().unwrap();
    assert_eq!((code(&o), o.stdout.as_slice()), (0, b"ready\nbcd\x02y".as_slice()));
}

#[test]
fn a_guest_waiting_for_input_that_has_ended_is_exit_7() {
    let o = run_rom("echo", &[]);
    assert_eq!(code(&o), 7, "{}", stderr(&o));
    assert_eq!(stdout(&o).trim_end(), "ready");
}

#[test]
fn a_closed_output_pipe_is_a_normal_end() {
    let file = rom("flood");
    let mut child = trapeze(&["run", "-bios", "none", "-kernel", &file, "--quiet"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "y\n");
    drop(out);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_signal_is_exit_130() {
    use rustix::process::{Pid, Signal, kill_process};
    let file = rom("flood");
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut child = trapeze(&["run", "-bios", "none", "-kernel", &file, "--quiet"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        // The first byte means that handlers are in place: they are installed before the guest starts.
        out.read_exact(&mut [0]).unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        std::io::copy(&mut out, &mut std::io::sink()).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{signal:?}");
    }
}

#[test]
fn the_tour_visits_every_mode_and_explains_by_field() {
    let o = run(&[]);
    let text = stdout(&o);
    assert_eq!(code(&o), 0, "{text}{}", stderr(&o));
    for word in [
        "M -> M",
        "HS -> M",
        "HS -> HS",
        "U -> HS",
        "VS -> HS",
        "VU -> VS",
        "VU -> HS",
        "medeleg[8]=1 and hedeleg[8]=1",
        "hideleg[2]=1",
        "MPP",
        "SPV 0x0 -> 0x1",
        "htval",
        "virtual",
    ] {
        assert!(text.contains(word), "no {word:?} in {text}");
    }
    assert_eq!(code(&run(&["tour", "--brief"])), 0);
}

#[test]
fn a_disk_overlay_and_the_base_image_are_opened_as_asked() {
    let d = Dir::new("disk");
    let base = d.file("base.img", &[7; 4096]);
    let over = d.0.join("over");
    let o = run_rom("pass", &["-drive", &format!("file={base}"), "--overlay", over.to_str().unwrap()]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    assert!(over.exists());
    assert_eq!(std::fs::read(&base).unwrap(), [7; 4096]);
}

#[test]
fn the_stale_spv_program_tells_the_profiles_apart() {
    let file = format!("{}/../roms/sse/spv-stale.elf", env!("CARGO_MANIFEST_DIR"));
    let healthy = "V=0 as it was: ok\n";
    let corrupted = "V=1: a wrong context\n";
    for (profile, text, exit) in
        [("spec", healthy, 0), ("opensbi-1.9", corrupted, 1), ("opensbi-1.6", corrupted, 1), ("private-resume", healthy, 0)]
    {
        for engine in ["step", "block"] {
            let o = run(&["run", "-kernel", &file, "--sbi-profile", profile, "--engine", engine]);
            assert_eq!((stdout(&o).as_str(), code(&o)), (text, exit), "{profile}: {}", stderr(&o));
        }
    }
    let o = run(&["run", "-kernel", &file, "--bug", "spv-not-cleared"]);
    assert_eq!(stdout(&o), corrupted);
    // The same program on a real OpenSBI, where one is given.
    if let Ok(bios) = std::env::var("TRAPEZE_OPENSBI") {
        let o = run(&["run", "-bios", &bios, "-kernel", &file]);
        assert!(stdout(&o).contains(corrupted.trim_end()), "{}", stdout(&o));
    }
}

#[test]
fn the_histogram_counts_calls_by_function_with_any_firmware() {
    let kernel = format!("{}/../roms/sse/spv-stale.elf", env!("CARGO_MANIFEST_DIR"));
    let o = run(&["run", "--quiet", "--sbi-histogram", "-kernel", &kernel]);
    let text = stdout(&o);
    let lines: Vec<Vec<&str>> = text.lines().skip(1).map(|l| l.split_whitespace().collect()).collect();
    let expected = [
        ["SSE", "sbi_sse_register", "1"],
        ["SSE", "sbi_sse_enable", "1"],
        ["SSE", "sbi_sse_complete", "1"],
        ["SSE", "sbi_sse_inject", "1"],
        ["SSE", "sbi_sse_hart_unmask", "1"],
        ["DBCN", "sbi_debug_console_write", "1"],
        ["SRST", "sbi_system_reset", "1"],
    ];
    assert!(expected.iter().all(|e| lines.iter().any(|l| l == e)), "{text}");
    let o = run(&["run", "--quiet", "--json", "--sbi-histogram", "-kernel", &kernel]);
    let report = String::from_utf8(o.stdout).expect("text");
    let report: serde_json::Value = serde_json::from_str(report.lines().last().expect("a report")).expect("JSON");
    assert_eq!(report["sbi"].as_array().map(Vec::len), Some(expected.len()), "{report}");
    assert_eq!(report["sbi"][0], serde_json::json!({"extension": "SSE", "function": "sbi_sse_register", "count": 1}));
}
