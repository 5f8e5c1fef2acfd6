//! Snapshots on the command line: saved, listed, gone on from; refused when something of theirs is not there.
#![allow(missing_docs, clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Dir, code, rom, run, stderr, stdout};

/// The last line of a run with `--hash`.
fn hash(args: &[&str]) -> String {
    let o = run(args);
    let text = stdout(&o);
    let line = text.lines().rev().find(|l| l.contains("state hash"));
    line.unwrap_or_else(|| panic!("no hash in {text:?} {:?}", stderr(&o))).to_owned()
}

#[test]
fn a_run_from_a_snapshot_ends_as_the_whole_run() {
    let d = Dir::new("snapshot");
    let path = |n: &str| d.0.join(n).to_str().unwrap().to_owned();
    let (first, second) = (path("first.snap"), path("second.snap"));
    let whole = hash(&["run", "-bios", "none", "-kernel", "rom:tour", "--hash"]);
    let o = run(&["snapshot", "save", "-o", &first, "--at", "5000", "--", "-bios", "none", "-kernel", "rom:tour"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    assert_eq!(hash(&["run", "--from-snapshot", &first, "--hash"]), whole);
    assert_eq!(hash(&["run", "--from-snapshot", &first, "--hash", "--engine", "step"]), whole);
    assert_eq!(hash(&["snapshot", "load", &first, "--", "--hash"]), whole);
    // A second one, as a difference to the first, on the way.
    let at = format!("9000={second}");
    assert_eq!(hash(&["run", "--from-snapshot", &first, "--snapshot-at", &at, "--hash"]), whole);
    assert_eq!(hash(&["run", "--from-snapshot", &second, "--hash"]), whole);
    let list = stdout(&run(&["snapshot", "list", d.0.to_str().unwrap()]));
    assert!(list.contains("first.snap\tinstruction 5000\t") && list.contains("from start"), "{list}");
    assert!(list.contains("second.snap\tinstruction 9000\t") && list.contains("from first.snap"), "{list}");
    let info = run(&["snapshot", "info", &second, "--check"]);
    assert!(stdout(&info).contains("loads: yes, at instruction 9000"), "{} {}", stdout(&info), stderr(&info));
    // Without the one it is a difference to it says what is missing; in another directory it is found by its contents.
    std::fs::create_dir(d.0.join("kept")).unwrap();
    std::fs::rename(&first, d.0.join("kept/renamed")).unwrap();
    let o = run(&["run", "--from-snapshot", &second]);
    assert_eq!(code(&o), 2);
    assert!(stderr(&o).contains("first.snap") && stderr(&o).contains("--images"), "{}", stderr(&o));
    assert_eq!(hash(&["run", "--from-snapshot", &second, "--images", &path("kept"), "--hash"]), whole);
}

#[test]
fn what_a_snapshot_does_not_allow_is_refused() {
    let d = Dir::new("snapshot-refused");
    let snap = d.0.join("a.snap").to_str().unwrap().to_owned();
    let o = run(&["snapshot", "save", "-o", &snap, "--at", "100", "--", "-bios", "none", "-kernel", "rom:spin", "-smp", "2"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let o = run(&["run", "--from-snapshot", &snap, "-smp", "4"]);
    assert_eq!(code(&o), 2);
    assert!(stderr(&o).contains("cannot be changed"), "{}", stderr(&o));
    let bytes = std::fs::read(&snap).unwrap();
    let mut flipped = bytes.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for (name, bytes) in
        [("cut", &bytes[..bytes.len() - 9]), ("flipped", &flipped), ("empty", &[][..]), ("other", b"hello there")]
    {
        let o = run(&["run", "--from-snapshot", &d.file(name, bytes)]);
        assert_eq!(code(&o), 2, "{name}: {}", stderr(&o));
        assert!(stderr(&o).contains(name) && stderr(&o).contains("remedy"), "{name}: {}", stderr(&o));
    }
    // A run that ends before: no file, and it says so.
    let none = d.0.join("none.snap").to_str().unwrap().to_owned();
    let o = run(&["snapshot", "save", "-o", &none, "--at", "5G", "--", "-bios", "none", "-kernel", "rom:pass"]);
    assert_eq!(code(&o), 4, "{}", stderr(&o));
    assert!(!std::path::Path::new(&none).exists());
}

#[test]
fn a_chain_with_a_missing_swapped_or_foreign_link_is_refused_with_its_name() {
    let d = Dir::new("snapshot-chain");
    let path = |n: &str| d.0.join(n).to_str().unwrap().to_owned();
    let save = |from: &[&str], at: &str| assert_eq!(code(&run(&[&["run", "--snapshot-at", at][..], from].concat())), 0);
    let tour = ["-bios", "none", "-kernel", "rom:tour", "--quiet"];
    let [a, b, c, other] = ["a.snap", "b.snap", "c.snap", "other.snap"].map(path);
    save(&tour, &format!("3000={a}"));
    save(&["--from-snapshot", &a], &format!("5000={b}"));
    save(&["--from-snapshot", &b], &format!("7000={c}"));
    save(&tour, &format!("4000={other}"));
    let whole = hash(&["run", "-bios", "none", "-kernel", "rom:tour", "--hash"]);
    assert_eq!(hash(&["run", "--from-snapshot", &c, "--hash"]), whole);
    let refused = |words: &[&str], exit: i32| {
        let o = run(&["run", "--from-snapshot", &c, "--quiet"]);
        assert_eq!(code(&o), exit, "{}", stderr(&o));
        for w in words {
            assert!(stderr(&o).contains(w), "no {w:?} in {}", stderr(&o));
        }
        assert!(stdout(&o).is_empty(), "no guest has run: {}", stdout(&o));
    };
    // Another snapshot under the name of one in the middle, or of the first.
    for link in [&b, &a] {
        let kept = std::fs::read(link).unwrap();
        std::fs::copy(&other, link).unwrap();
        refused(&["is missing", "remedy", link.rsplit('/').next().unwrap()], 2);
        std::fs::remove_file(link).unwrap();
        refused(&["is missing"], 2);
        // One of the same name whose end was made to look right: its bytes are not what it is.
        let mut forged = std::fs::read(&other).unwrap();
        let (n, end) = (forged.len(), kept.len());
        forged[n - 16..].copy_from_slice(&kept[end - 16..]);
        std::fs::write(link, &forged).unwrap();
        refused(&["checksum", "remedy", link.rsplit('/').next().unwrap()], 2);
        std::fs::write(link, &kept).unwrap();
    }
    assert_eq!(hash(&["run", "--from-snapshot", &c, "--hash"]), whole, "all is as it was");
    // Of another build: its tables of instructions differ, which its header says. The checksums fit.
    use replay::bytes::CHECK;
    let bytes = std::fs::read(&c).unwrap();
    let mine = replay::semantics::semantic_hash();
    let at = bytes.windows(32).position(|w| w == mine).expect("the header's semantic hash");
    let len = 16 + u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    let mut foreign = bytes[..len].to_vec();
    foreign[at] ^= 1;
    let check = blake3::hash(&foreign);
    foreign.extend_from_slice(&check.as_bytes()[..CHECK]);
    std::fs::write(&c, &foreign).unwrap();
    refused(&["tables", "remedy"], 2);
}

#[test]
fn a_recorded_run_may_begin_with_a_snapshot() {
    let d = Dir::new("snapshot-recorded");
    let path = |n: &str| d.0.join(n).to_str().unwrap().to_owned();
    let echo = rom("echo");
    let (snap, log) = (path("a.snap"), path("a.log"));
    let o = run(&["snapshot", "save", "-o", &snap, "--at", "30", "--", "-bios", "none", "-kernel", &echo]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let o = common::trapeze(&["record", "-o", &log, "--", "--from-snapshot", &snap, "--limit", "2M", "--hash"])
        .stdin(std::fs::File::open(d.file("typed", b"hello\r\n")).unwrap())
        .output()
        .unwrap();
    let recorded = stdout(&o);
    assert!(recorded.contains("state hash"), "{recorded} {}", stderr(&o));
    let o = run(&["replay", &log, "--hash"]);
    assert_eq!(stdout(&o).lines().last(), recorded.lines().last(), "{}", stderr(&o));
}

#[test]
fn nothing_is_written_over_what_a_run_is_made_of() {
    let d = Dir::new("written-over");
    let kernel = d.file("kernel", &std::fs::read(rom("pass")).unwrap());
    let path = |n: &str| d.0.join(n).to_str().unwrap().to_owned();
    let (first, second, log, text) = (path("first.snap"), path("second.snap"), path("run.tlog"), path("run.txt"));
    let guest = ["-bios", "none", "-kernel", &kernel, "--quiet"];
    let with = |before: &[&str]| run(&[before, &["--"], &guest].concat());
    assert_eq!(code(&with(&["snapshot", "save", "-o", &first, "--at", "3"])), 0);
    let o = run(&["run", "--from-snapshot", &first, "--snapshot-at", &format!("5={second}"), "--quiet"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    assert_eq!(code(&with(&["record", "-o", &log])), 0);
    std::fs::write(&text, run(&["log", "dump", &log]).stdout).unwrap();
    std::os::unix::fs::symlink(&first, path("link.snap")).unwrap();
    let kept = |n: &str| std::fs::read(n).unwrap();
    let before: Vec<_> = [&kernel, &first, &second, &log, &text].map(|n| kept(n)).into();
    for (what, o) in [
        ("own kernel", with(&["snapshot", "save", "-o", &kernel, "--at", "3"])),
        ("own kernel", with(&["record", "-o", &kernel])),
        ("own kernel", run(&["bundle", &log, "-o", &kernel])),
        ("own snapshot", run(&["run", "--from-snapshot", &first, "--snapshot-at", &format!("5={first}")])),
        ("own snapshot", run(&["run", "--from-snapshot", &second, "--snapshot-at", &format!("7={first}")])),
        ("own snapshot", run(&["run", "--from-snapshot", &second, "--snapshot-at", &format!("7={}", path("link.snap"))])),
        ("the log", run(&["bundle", &log, "-o", &log])),
        ("the text", run(&["log", "assemble", &text, "-o", &text])),
    ] {
        let said = stderr(&o);
        assert!(code(&o) == 2 && said.contains(what) && said.contains("another name"), "{what}: {} {said}", code(&o));
    }
    let after: Vec<_> = [&kernel, &first, &second, &log, &text].map(|n| kept(n)).into();
    assert_eq!(before, after);
}

/// Another file in its place would end a pipe or a device for everybody.
#[test]
fn what_is_no_plain_file_is_written_to_and_stays() {
    use std::io::{Read, Write};
    use std::os::unix::fs::FileTypeExt;
    let d = Dir::new("streams");
    let path = |n: &str| d.0.join(n).to_str().unwrap().to_owned();
    let (kernel, log, pipe) = (rom("pass"), path("run.tlog"), path("pipe"));
    let guest = ["--", "-bios", "none", "-kernel", &kernel];
    assert_eq!(code(&run(&[&["record", "-o", &log], &guest[..]].concat())), 0);
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let commands: [&[&str]; 4] = [
        &["record", "-o", &pipe],
        &["snapshot", "save", "--at", "3", "-o", &pipe],
        &["trace", "--commit-log", &pipe],
        &["trace", "--perfetto", &pipe],
    ];
    let all = commands.map(|c| [c, &guest[..]].concat()).into_iter().chain([vec!["bundle", &log, "-o", &pipe]]);
    // Open at both ends, so that nobody waits for anybody.
    let mut both = std::fs::File::options().read(true).write(true).open(&pipe).unwrap();
    for command in all {
        let o = run(&command);
        assert!(code(&o) == 0, "{command:?}: {}", stderr(&o));
        assert!(std::fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo(), "{command:?} replaced it");
        both.write_all(b"!").unwrap();
        let mut bytes = vec![0; 1 << 16];
        assert!(both.read(&mut bytes).unwrap() > 1, "{command:?}");
    }
    assert_eq!(std::fs::read_dir(&d.0).unwrap().count(), 2, "nothing else is left");
    // A name of an open file, as /dev/stdout is.
    let (text, copy) = (d.file("text", run(&["log", "dump", &log]).stdout.as_slice()), path("copy.tlog"));
    let out = std::fs::File::create(&copy).unwrap();
    let o = common::trapeze(&["log", "assemble", &text, "-o", "/proc/self/fd/1"]).stdout(out).output().unwrap();
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    assert_eq!(stdout(&run(&["log", "dump", &copy])), stdout(&run(&["log", "dump", &log])));
}
