//! Recordings and scenarios from somebody who means harm: they write nowhere, read nothing for ever, and say nothing to the terminal or shell but
//! text.
#![allow(missing_docs, clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod common;
use common::*;

fn path(d: &Dir, name: &str) -> String {
    d.0.join(name).to_str().unwrap().to_owned()
}

/// A log of a run with a drive, its configuration changed by `change`.
fn forged(d: &Dir, change: impl Fn(&str) -> String) -> String {
    let (log, out) = (path(d, "good.tlog"), path(d, "forged.tlog"));
    let disk = d.file("disk.img", &[7; 4096]);
    let drive = format!("file={disk}");
    let o = run(&["record", "-o", &log, "--", "-bios", "none", "-kernel", &rom("pass"), "-drive", &drive]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let text = stdout(&run(&["log", "dump", &log]));
    let other = change(&text);
    assert_ne!(text, other, "nothing was changed");
    let o = run(&["log", "assemble", &d.file("text", other.as_bytes()), "-o", &out]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    out
}

#[test]
fn a_recording_that_would_write_to_files_is_refused_and_writes_none() {
    let d = Dir::new("hostile-drive");
    let victim = d.0.join("victim");
    let overlay = format!("snapshot = true\\noverlay = '{}'", victim.display());
    for (what, with) in [("an overlay", overlay.as_str()), ("the image itself", "snapshot = false")] {
        let log = forged(&d, |text| text.replace("snapshot = true", with));
        for command in [&["replay", &log][..], &["bundle", &log], &["query", &log, "writer", "a0"]] {
            let o = run(command);
            assert_eq!(code(&o), 2, "{what}: {command:?}: {}", stderr(&o));
            assert!(stderr(&o).contains("a drive that is written to"), "{what}: {command:?}: {}", stderr(&o));
        }
        assert!(!victim.exists(), "{what}: written");
        assert_eq!(std::fs::read(d.0.join("disk.img")).unwrap(), [7; 4096], "{what}: written");
    }
}

#[test]
fn a_recording_of_a_machine_that_cannot_be_is_refused() {
    let d = Dir::new("hostile-machine");
    for (was, is, words) in [
        ("smp = 1", "smp = 0", "1 to 32 harts"),
        ("smp = 1", "smp = 999999999999", "1 to 32 harts"),
        ("memory = \\\"1G\\\"", "memory = \\\"2000G\\\"", "at most 1T"),
        ("memory = \\\"1G\\\"", "memory = 0", "at least 1M"),
        ("quantum = 10000", "quantum = 0", "no turn"),
        ("cycle-hz = 1000000000", "cycle-hz = 0", "10M to 100G"),
        ("cpu = \\\"max\\\"", "cpu = \\\"\\\"", "remedy"),
    ] {
        let log = forged(&d, |text| text.replacen(was, is, 1));
        let o = run(&["replay", &log]);
        assert_eq!(code(&o), 2, "{is}: {}", stderr(&o));
        assert!(stderr(&o).contains(words), "{is}: {}", stderr(&o));
    }
}

#[test]
fn a_recording_whose_image_is_no_plain_file_is_answered_and_not_read_for_ever() {
    let d = Dir::new("hostile-endless");
    let kernel = rom("pass");
    let fifo = d.0.join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    for place in ["/dev/zero", fifo.to_str().unwrap()] {
        let log = forged(&d, |text| text.replace(&kernel, place));
        let o = run(&["replay", &log]);
        assert_eq!(code(&o), 2, "{place}: {}", stderr(&o));
        assert!(stderr(&o).contains("kernel pass.elf"), "{place}: {}", stderr(&o));
    }
    let o = run(&["record", "-o", &path(&d, "no.tlog"), "--", "-bios", "none", "-kernel", "/dev/zero"]);
    assert_eq!(code(&o), 2, "{}", stderr(&o));
    assert!(stderr(&o).contains("/dev/zero: a device"), "{}", stderr(&o));
}

#[test]
fn a_directory_of_images_that_is_not_there_does_not_hide_the_next() {
    let d = Dir::new("hostile-places");
    let kernel = d.file("pass.elf", &std::fs::read(rom("pass")).unwrap());
    let log = path(&d, "a.tlog");
    assert_eq!(code(&run(&["record", "-o", &log, "--", "-bios", "none", "-kernel", &kernel])), 0);
    std::fs::create_dir(d.0.join("images")).unwrap();
    std::fs::rename(&kernel, d.0.join("images/other-name")).unwrap();
    let o = run(&["replay", &log, "--images", &path(&d, "absent"), "--images", &path(&d, "images")]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
}

#[test]
fn a_scenario_that_would_write_to_files_is_refused_with_its_line() {
    let d = Dir::new("hostile-scenario");
    d.file("disk.img", &[7; 4096]);
    for drive in ["snapshot = false", "overlay = \"../victim\""] {
        let text = format!(
            "[guest]\nkernel = \"rom:pass\"\ndrive = [{{ file = \"disk.img\", {drive} }}]\n[[scenario]]\nname = \"a\"\nsteps = []\n"
        );
        let f = d.file("a.toml", text.as_bytes());
        let o = run(&["test", &f, "-o", &path(&d, "out")]);
        assert_eq!(code(&o), 2, "{drive}: {}", stderr(&o));
        assert!(stderr(&o).contains(&format!("{f}:1: drive")), "{drive}: {}", stderr(&o));
    }
    assert_eq!(std::fs::read_dir(&d.0).unwrap().count(), 2, "something was written");
}

#[test]
fn a_name_is_one_word_of_the_shell_and_no_message_steers_the_terminal() {
    let d = Dir::new("hostile-name");
    let text = "[guest]\nkernel = \"rom:pass\"\n[[scenario]]\nname = \"a'; touch victim; '\"\nsteps = [{ lacks = \"nothing\" }, { expect = \"x\" }]\n";
    let f = d.file("a.toml", text.as_bytes());
    let o = run(&["test", &f, "-o", &path(&d, "out")]);
    assert_eq!(code(&o), 6, "{}", stderr(&o));
    let text = stdout(&o);
    let again = text.lines().find_map(|l| l.trim().strip_prefix("again: trapeze test ")).expect("a command");
    let script = format!("cd {} && printf '%s|' {again}", d.0.display());
    let said = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(stdout(&said), format!("{f}|--only=a'; touch victim; '|"), "{again}");
    assert!(!d.0.join("victim").exists());
    for bad in [
        "[[scenario]]\nname = \"a\\u001b]0;b\"\nsteps = []\n",
        "\"\\u001b]0;x\" = 1\n[[scenario]]\n",
        "[guest]\nkernel = \"\\u001b]0;x\"\n[[scenario]]\nname = \"a\"\nsteps = []\n",
    ] {
        let o = run(&["test", &d.file("b.toml", bad.as_bytes()), "-o", &path(&d, "out")]);
        assert!(matches!(code(&o), 2 | 3), "{bad}: {}", stderr(&o));
        let said = [o.stdout, o.stderr].concat();
        assert!(!said.contains(&0x1b), "{bad}: {:?}", String::from_utf8_lossy(&said));
    }
}

#[test]
fn no_word_of_a_recording_or_of_a_symbol_table_steers_the_terminal() {
    let d = Dir::new("hostile-words");
    let reason = |t: &str| t.replace(r#""reason":""#, r#""reason":"\u001b]0;x\u0007"#);
    let ended = run(&["replay", &forged(&d, reason)]);
    let event = r#"{"inject":{"at":[0,0],"exact":false,"name":"\u001b]0;x\n","args":[]}}"#;
    let injected = run(&["replay", &forged(&d, |t| t.replace("\n{\"end\"", &format!("\n{event}\n{{\"end\"")))]);
    assert!(stderr(&injected).contains(r"cannot inject \u{1b}]0;x\n: there is no such event"), "{}", stderr(&injected));
    let mut elf = std::fs::read(rom("../tour/tour")).unwrap();
    let at = elf.windows(7).position(|w| w == b"m_trap\0").expect("a symbol");
    elf[at..at + 6].copy_from_slice(b"\x1b]0;x\x07");
    let traced = run(&["trace", "--", "-bios", "none", "-m", "16M", "-kernel", &d.file("tour.elf", &elf)]);
    assert_eq!(code(&traced), 0, "{}", stderr(&traced));
    for o in [ended, injected, traced] {
        let said = [o.stdout, o.stderr].concat();
        assert!(!said.contains(&0x1b) && String::from_utf8_lossy(&said).contains("]0;x"), "{:?}", String::from_utf8_lossy(&said));
    }
}

#[test]
fn a_recording_of_another_version_or_build_is_refused_with_a_remedy_that_helps() {
    let d = Dir::new("hostile-version");
    let other = forged(&d, |text| {
        let at = text.find("\"semantics\":\"").unwrap() + 13;
        format!("{}dead{}", &text[..at], &text[at + 4..])
    });
    let o = run(&["replay", &other]);
    assert!(code(&o) == 2 && stderr(&o).contains("trapeze replay --force"), "{}", stderr(&o));
    assert_eq!(code(&run(&["replay", &other, "--force"])), 0);
    let mut bytes = std::fs::read(path(&d, "good.tlog")).unwrap();
    bytes[8] = 9;
    let o = run(&["replay", &d.file("later.tlog", &bytes)]);
    assert!(code(&o) == 2 && stderr(&o).contains("log format 9"), "{}", stderr(&o));
    // A format that nobody here can read is not read by force either.
    assert!(stderr(&o).contains("remedy: use that version\n"), "{}", stderr(&o));
}
