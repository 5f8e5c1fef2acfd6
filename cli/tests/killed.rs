//! Killed in the middle of its work, trapeze leaves no half of a file under the name that was asked for, and of a recording what there was.
#![allow(missing_docs, clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use common::*;

fn path(d: &Dir, name: &str) -> String {
    d.0.join(name).to_str().unwrap().to_owned()
}

/// Starts a recording of the echo program, types a line, and kills the recorder when the line has come back.
fn killed_recording(log: &str) {
    let mut child = trapeze(&["record", "-o", log, "--", "-bios", "none", "-kernel", "rom:echo"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut seen = Vec::new();
    let mut until = |text: &str| {
        while !String::from_utf8_lossy(&seen).contains(text) {
            let mut b = [0];
            screen.read_exact(&mut b).expect("the guest talks");
            seen.push(b[0]);
        }
    };
    until("ready");
    for line in ["first words\r", "second words\r"] {
        keys.write_all(line.as_bytes()).unwrap();
        // The guest answers with the next letters.
        let answer: String = line.trim().bytes().map(|b| (b + 1) as char).collect();
        until(&answer);
    }
    // SIGKILL: nothing of the recorder runs any more.
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
}

#[test]
fn a_killed_recorder_leaves_what_replays_on_both_engines_to_its_last_chunk() {
    let d = Dir::new("killed-record");
    let (log, part) = (path(&d, "a.tlog"), path(&d, "a.tlog.part"));
    killed_recording(&log);
    assert!(!Path::new(&log).exists(), "half a log has the name of a whole one");
    let mut hashes = Vec::new();
    for engine in ["step", "block"] {
        let o = run(&["replay", &part, "--hash", "--engine", engine]);
        assert_eq!(code(&o), 5, "{}", stderr(&o));
        assert!(stderr(&o).contains("its recorder was killed; replaying to the last complete one"), "{}", stderr(&o));
        assert!(stderr(&o).contains("replayed to the last complete chunk"), "{}", stderr(&o));
        assert!(stdout(&o).contains("gjstu!xpset"), "what was typed first is missing: {}", stdout(&o));
        hashes.push(stdout(&o).lines().last().unwrap().to_owned());
    }
    assert!(hashes[0].starts_with("state hash: ") && hashes[0] == hashes[1], "{hashes:?}");
    // Whoever asks for the whole log is told where the part is.
    let o = run(&["replay", &log]);
    assert!(code(&o) == 2 && stderr(&o).contains("a.tlog.part"), "{}", stderr(&o));
    // It can be kept, moved and asked as another.
    let bundle = path(&d, "a.bundle");
    assert_eq!(code(&run(&["bundle", &part, "-o", &bundle])), 0);
    assert_eq!(stdout(&run(&["replay", &bundle, "--hash"])).lines().last(), Some(hashes[0].as_str()));
}

/// Runs a command that may write no file of more than 512 bytes: the host kills it when it writes on.
fn stopped_in_the_middle(args: &[&str]) {
    let o = Command::new("sh")
        .args(["-c", "ulimit -c 0; ulimit -f 1; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_trapeze")])
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(o.status.signal(), Some(25), "not killed by SIGXFSZ: {args:?}: {} {}", stdout(&o), stderr(&o));
}

#[test]
fn a_command_that_is_killed_while_it_writes_leaves_the_file_that_was_there() {
    let d = Dir::new("killed-write");
    let out = d.file("out", b"as it was");
    let log = path(&d, "a.tlog");
    let kernel = rom("echo");
    let guest = ["--", "-bios", "none", "-kernel", kernel.as_str()];
    assert_eq!(code(&run(&[&["record", "-o", &log][..], &guest].concat())), 7, "it sleeps for ever");
    let text = d.file("text", stdout(&run(&["log", "dump", &log])).as_bytes());
    let fails = d.file(
        "a.toml",
        b"[guest]\nkernel = \"rom:echo\"\nbios = \"none\"\n[[scenario]]\nname = \"a\"\nsteps = [{ expect = \"x\" }]\n",
    );
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/scenarios/spv.toml");
    let commands: [&[&str]; 8] = [
        &["record", "-o", &out],
        &["snapshot", "save", "--at", "40", "-o", &out],
        &["bundle", &log, "-o", &out],
        &["log", "assemble", &text, "-o", &out],
        &["test", own, "--junit", &out],
        &["test", own, "--json", &out],
        &["report", "-o", &out],
        &["run", "--dump-dtb", &out],
    ];
    for c in commands {
        let more = if matches!(c[0], "record" | "snapshot" | "report") {
            &guest[..]
        } else if c[0] == "run" {
            &guest[1..]
        } else {
            &[]
        };
        stopped_in_the_middle(&[c, more].concat());
        assert_eq!(std::fs::read(&out).unwrap(), b"as it was", "{c:?}");
    }
    // A failing scenario: neither its log nor its bundle is there in part.
    let left = path(&d, "left");
    stopped_in_the_middle(&["test", &fails, "-o", &left]);
    for f in std::fs::read_dir(&left).unwrap() {
        let name = f.unwrap().file_name().to_string_lossy().into_owned();
        assert!(name.ends_with(".part") || name.ends_with(".console"), "half-written: {name}");
    }
}
