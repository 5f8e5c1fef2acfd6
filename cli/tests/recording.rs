//! Recording and replaying on the command line: logs, bundles, tokens, as a user has them; what is damaged is refused.
#![allow(missing_docs, clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::fs::File;
use std::path::Path;
use std::process::Output;

use common::{Dir, code, rom, run, stderr, stdout, trapeze};

fn path(d: &Dir, name: &str) -> String {
    d.0.join(name).to_str().unwrap().to_owned()
}

fn last(o: &Output) -> String {
    stdout(o).lines().last().unwrap_or_else(|| panic!("nothing printed; {}", stderr(o))).to_owned()
}

/// Records the echo program with typed bytes; the last line is the state hash.
fn record(d: &Dir, log: &str, kernel: &str) -> Output {
    let typed = File::open(d.file("typed", b"some words\rand more\r\x04")).unwrap();
    let args = ["record", "-o", log, "--", "-bios", "none", "-kernel", kernel, "--limit", "3M", "--hash"];
    let o = trapeze(&args).stdin(typed).output().unwrap();
    assert!(last(&o).starts_with("state hash"), "{} {}", stdout(&o), stderr(&o));
    o
}

#[test]
fn a_recorded_run_is_replayed_on_both_engines_from_a_log_a_bundle_and_a_token() {
    let d = Dir::new("record");
    let kernel = d.file("echo.elf", &std::fs::read(rom("echo")).unwrap());
    let log = path(&d, "a.log");
    let recorded = record(&d, &log, &kernel);
    assert!(!Path::new(&path(&d, "a.log.part")).exists());
    for engine in ["step", "block"] {
        let o = run(&["replay", &log, "--hash", "--engine", engine]);
        assert_eq!(last(&o), last(&recorded), "{engine}: {}", stderr(&o));
        assert!(stdout(&o).contains("tpnf!xpset"), "{}", stdout(&o));
    }
    let bundle = path(&d, "a.bundle");
    assert_eq!(code(&run(&["bundle", &log])), 0);
    // On another host: the image is nowhere.
    std::fs::rename(&kernel, path(&d, "elsewhere.elf")).unwrap();
    let o = run(&["replay", &log]);
    assert_eq!(code(&o), 2);
    assert!(stderr(&o).contains("kernel echo.elf") && stderr(&o).contains("--images"), "{}", stderr(&o));
    let dir = d.0.to_str().unwrap();
    assert_eq!(last(&run(&["replay", &log, "--hash", "--images", dir])), last(&recorded), "found by its contents");
    let o = run(&["replay", &bundle, "--hash", "--silent"]);
    assert_eq!(last(&o), last(&recorded), "{}", stderr(&o));
    // The token that was printed names the program by its hash.
    let text = stderr(&recorded);
    let token = text.lines().find_map(|l| l.strip_prefix("trapeze: token ")).unwrap_or_else(|| panic!("{text}"));
    assert_eq!(last(&run(&["replay", token, "--hash", "--images", dir])), last(&recorded));
    let mut wrong = token.to_owned();
    wrong.pop();
    let o = run(&["replay", &wrong]);
    assert_eq!(code(&o), 2);
    assert!(stderr(&o).contains("characters are missing"), "{}", stderr(&o));
}

#[test]
fn a_token_of_a_built_in_program_needs_no_file() {
    let d = Dir::new("token");
    let log = path(&d, "a.log");
    let recorded = record(&d, &log, "rom:echo");
    let o = run(&["log", "token", &log]);
    let token = last(&o);
    assert!(token.starts_with("trapeze:1:"), "{token}");
    std::fs::remove_file(&log).unwrap();
    assert_eq!(last(&run(&["replay", &token, "--hash"])), last(&recorded));
}

#[test]
fn a_case_of_the_laboratory_has_a_token_that_ends_in_the_same_corrupted_state() {
    let o = run(&["lab", "--case", "P4", "--firmware", "opensbi-1.9"]);
    let text = stdout(&o);
    assert!(text.contains("CORRUPTED"), "{text}");
    let token = text.lines().find_map(|l| l.strip_prefix("again: trapeze replay ")).unwrap_or_else(|| panic!("{text}"));
    for engine in ["step", "block"] {
        let o = run(&["replay", token, "--engine", engine, "--hash"]);
        assert_eq!(code(&o), 0, "{}", stderr(&o));
        assert!(stderr(&o).contains("the case is over"), "{}", stderr(&o));
    }
    // Under another firmware the same decisions end elsewhere.
    let other = run(&["lab", "--case", "P4", "--firmware", "private-resume"]);
    let other = stdout(&other);
    let other = other.lines().find_map(|l| l.strip_prefix("again: trapeze replay ")).unwrap();
    assert_ne!(last(&run(&["replay", token, "--hash"])), last(&run(&["replay", other, "--hash"])));
}

#[test]
fn a_log_is_text_and_back_and_a_changed_one_is_told_from_the_run() {
    let d = Dir::new("dump");
    let log = path(&d, "a.log");
    record(&d, &log, "rom:echo");
    let text = stdout(&run(&["log", "dump", &log]));
    let again = path(&d, "b.log");
    assert_eq!(code(&run(&["log", "assemble", &d.file("text", text.as_bytes()), "-o", &again])), 0);
    assert_eq!(std::fs::read(&log).unwrap(), std::fs::read(&again).unwrap());
    // "some" becomes "soe": the run ends elsewhere, and the replay says so.
    let other = text.replace("736f6d65", "736f65");
    assert_ne!(other, text);
    assert_eq!(code(&run(&["log", "assemble", &d.file("text", other.as_bytes()), "-o", &again])), 0);
    let o = run(&["replay", &again]);
    assert_eq!(code(&o), 4, "{}", stderr(&o));
    assert!(stderr(&o).contains("differs from its recording"), "{}", stderr(&o));
}

#[test]
fn a_moment_with_a_right_witness_and_a_wrong_one_is_not_called_the_same() {
    let d = Dir::new("moment");
    let log = path(&d, "a.log");
    record(&d, &log, "rom:echo");
    let text = stdout(&run(&["log", "dump", &log]));
    let (before, end) = text.trim_end().rsplit_once('\n').unwrap();
    let end: serde_json::Value = serde_json::from_str(end).unwrap();
    let (at, all) = (&end["end"]["at"], end["end"]["parts"].as_array().unwrap());
    // A mark covers no memory.
    let parts: Vec<_> = all.iter().filter(|p| !p[0].as_str().unwrap().starts_with("memory")).collect();
    let witnesses = [
        serde_json::json!({"parts": {"at": at, "exact": false, "parts": parts}}),
        serde_json::json!({"mark": {"at": at, "exact": false, "hash": "ab".repeat(16)}}),
    ];
    let planted = format!("{before}\n{}\n{}\n{end}\n", witnesses[0], witnesses[1]);
    let again = path(&d, "b.log");
    let o = run(&["log", "assemble", &d.file("text", planted.as_bytes()), "-o", &again]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let o = run(&["replay", &again]);
    assert_eq!(code(&o), 4, "{}", stderr(&o));
    let said = stderr(&o);
    assert!(said.contains("differs from its recording") && said.contains("other witnesses of that moment hold"), "{said}");
    assert!(!said.contains("it was the same at"), "{said}");
}

#[test]
fn what_a_killed_recorder_leaves_replays_to_its_last_chunk() {
    let d = Dir::new("killed");
    let log = path(&d, "a.log");
    record(&d, &log, "rom:echo");
    let bytes = std::fs::read(&log).unwrap();
    let part = d.file("b.log.part", &bytes[..bytes.len() - 20]);
    let o = run(&["replay", &part]);
    assert_eq!(code(&o), 5, "{}", stderr(&o));
    assert!(stderr(&o).contains("its recorder was killed"), "{}", stderr(&o));
    let o = run(&["replay", &path(&d, "b.log")]);
    assert_eq!(code(&o), 2);
    assert!(stderr(&o).contains("b.log.part"), "{}", stderr(&o));
}

#[test]
fn damaged_and_hostile_files_are_refused_and_nothing_is_left_behind() {
    let d = Dir::new("hostile");
    let kernel = d.file("echo.elf", &std::fs::read(rom("echo")).unwrap());
    let log = path(&d, "a.log");
    record(&d, &log, &kernel);
    assert_eq!(code(&run(&["bundle", &log])), 0);
    let tmp = d.0.join("tmp");
    std::fs::create_dir(&tmp).unwrap();
    let replay = |file: &str| trapeze(&["replay", file]).env("TMPDIR", &tmp).output().unwrap();
    let bundle = std::fs::read(path(&d, "a.bundle")).unwrap();
    let bytes = std::fs::read(&log).unwrap();
    for (name, whole) in [("log", &bytes), ("bundle", &bundle)] {
        for at in [0, 9, 14, 40, whole.len() / 2, whole.len() - 1] {
            let mut b = whole.clone();
            b[at] ^= 0x41;
            let o = replay(&d.file(name, &b));
            assert_eq!(code(&o), 2, "{name}, byte {at}: {}", stderr(&o));
            assert!(stderr(&o).contains("remedy"), "{name}, byte {at}: {}", stderr(&o));
        }
        let o = replay(&d.file(name, &whole[..30]));
        assert_eq!(code(&o), 2, "{name}: {}", stderr(&o));
    }
    use replay::bundle::{Entry, Writer};
    let made = |entries: &[(&str, u64, &[u8])]| {
        let mut w = Writer::new(Vec::new()).unwrap();
        for (name, size, bytes) in entries {
            let entry = Entry { role: "log".into(), name: (*name).into(), size: *size };
            w.add(&entry, &mut std::io::Read::chain(*bytes, std::io::repeat(7))).unwrap();
        }
        w.finish().unwrap()
    };
    for (name, says) in [("../escaped", "not plain"), ("/tmp/escaped", "not plain"), ("..", "not plain"), ("a/b", "not plain")] {
        let o = replay(&d.file("escape", &made(&[(name, 3, b"abc")])));
        assert_eq!(code(&o), 2, "{name}");
        assert!(stderr(&o).contains(says), "{name}: {}", stderr(&o));
    }
    assert!(!d.0.join("escaped").exists());
    let o = replay(&d.file("twice", &made(&[("log", 3, b"abc"), ("log", 3, b"abc")])));
    assert!(code(&o) == 2 && stderr(&o).contains("two of its files have the name log"), "{}", stderr(&o));
    let o = replay(&d.file("bomb", &made(&[("log", 300 << 20, b"")])));
    assert!(code(&o) == 2 && stderr(&o).contains("times as large"), "{}", stderr(&o));
    assert_eq!(std::fs::read_dir(&tmp).unwrap().count(), 0, "temporary files are removed");
}

#[test]
fn a_run_verifies_itself() {
    let o = run(&["run", "-bios", "none", "-kernel", "rom:tour", "--verify", "-smp", "2", "--limit", "200k"]);
    assert!(matches!(code(&o), 0 | 5), "{}", stderr(&o));
}
