//! Bad command lines, bad files, and the commands that only print: one clear message, and the documented exit code.
#![allow(missing_docs, clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod common;
use common::*;

/// Each must end with this code and say these words on standard error, with a remedy, before any guest starts.
fn refused(args: &[&str], want: i32, words: &[&str]) {
    let o = run(args);
    let text = stderr(&o);
    assert_eq!(code(&o), want, "{args:?}: {text}");
    for w in words {
        assert!(text.contains(w), "{args:?}: no {w:?} in: {text}");
    }
    assert!(text.contains("remedy: "), "{args:?}: no remedy in: {text}");
    assert!(o.stdout.is_empty(), "{args:?}: {}", stdout(&o));
    assert!(!text.contains("panicked"), "{text}");
}

#[test]
fn unknown_and_conflicting_options_are_exit_2() {
    refused(&["run", "--colour"], 2, &["--colour"]);
    refused(&["walk"], 2, &["walk"]);
    refused(&["run"], 2, &["nothing to run", "-kernel"]);
    refused(&["run", "-kernel"], 2, &["-kernel", "needs a value"]);
    refused(&["run", "-kernel", "x", "-kernel", "y"], 2, &["kernel", "multiple times"]);
    refused(&["run", "-m", "lots"], 2, &["lots"]);
    refused(&["run", "-smp", "0", "-kernel", "x"], 2, &["-smp", "32"]);
    refused(&["run", "-kernel", "x", "-cpu", "pdp11"], 2, &["pdp11", "max"]);
    refused(&["run", "-kernel", "x", "-cpu", "max,warp=on"], 2, &["warp"]);
    refused(&["run", "-kernel", "x", "-drive", "file=a,snapshot=off,overlay=b"], 2, &["contradict"]);
    refused(&["run", "-initrd", "x"], 2, &["-initrd", "-kernel"]);
    refused(&["bench", "sieve-of-nobody"], 2, &["sieve-of-nobody", "--list"]);
    refused(&["man", "nothing"], 2, &["nothing"]);
}

#[test]
fn gdb_options_say_that_there_is_no_gdb_stub() {
    refused(&["run", "-S", "-kernel", "x"], 2, &["--gdb"]);
}

#[test]
fn files_that_cannot_be_read_are_exit_3() {
    let d = Dir::new("unreadable");
    let dir = d.0.to_str().unwrap();
    let good = rom("pass");
    for option in ["-kernel", "-initrd", "-dtb", "-bios"] {
        let with = |file| match option {
            "-kernel" => vec!["run", "-kernel", file],
            _ => vec!["run", "-kernel", &good, option, file],
        };
        refused(&with("/nonexistent/file"), 3, &["/nonexistent/file", "cannot read"]);
        refused(&with(dir), 3, &[dir, "directory"]);
    }
    refused(&["run", "-kernel", &good, "-drive", "file=/nonexistent/disk"], 3, &["/nonexistent/disk"]);
    refused(&["run", "--config", "/nonexistent/c.toml"], 3, &["/nonexistent/c.toml"]);
    refused(&["run", "--dump-dtb", "/nonexistent/x.dtb"], 3, &["/nonexistent/x.dtb"]);
}

#[test]
fn images_that_are_not_what_they_should_be_are_exit_2() {
    let d = Dir::new("images");
    let elf = std::fs::read(rom("pass")).unwrap();
    let text = d.file("text", b"#!/bin/sh\necho this is no kernel\n");
    let cut = d.file("cut.elf", &elf[..elf.len().min(100)]);
    let mut foreign = elf.clone();
    foreign[18] = 62; // e_machine: x86-64
    let foreign = d.file("foreign.elf", &foreign);
    let empty = d.file("empty", b"");
    for f in [&text, &cut, &foreign, &empty] {
        refused(&["run", "-kernel", f], 2, &[f]);
    }
    let good = rom("pass");
    let big = d.file("big", &vec![1; 3 << 20]);
    refused(&["run", "-bios", "none", "-m", "2M", "-kernel", &good, "-initrd", &big], 2, &[&big, "-m"]);
    refused(&["run", "-kernel", &good, "-dtb", &text], 2, &[&text]);
    refused(&["run", "-kernel", &good, "-drive", &format!("file={text}")], 2, &[&text, "sectors"]);
    let qcow = d.file("disk.qcow2", &[b"QFI\xfb".as_slice(), &[0; 508]].concat());
    refused(&["run", "-kernel", &good, "-drive", &format!("file={qcow}")], 2, &["qcow2", "qemu-img"]);
}

#[test]
fn a_configuration_error_names_file_and_line() {
    let d = Dir::new("config");
    let f = d.file("bad.toml", b"smp = 2\nmemroy = '1G'\n");
    refused(&["run", "--config", &f], 2, &["bad.toml:2", "memroy"]);
    let f = d.file("type.toml", b"smp = 'two'\n");
    refused(&["run", "--config", &f], 2, &["type.toml:1"]);
}

#[test]
fn print_config_prints_what_config_reads_and_the_command_line_wins() {
    let d = Dir::new("roundtrip");
    let o = run(&["run", "-kernel", "Image", "-smp", "3", "-m", "512M", "--limit", "5M", "--print-config"]);
    assert_eq!(code(&o), 0);
    assert!(stdout(&o).contains("smp = 3") && stdout(&o).contains("512M"), "{}", stdout(&o));
    let f = d.file("c.toml", &o.stdout);
    let again = run(&["run", "--config", &f, "--print-config"]);
    assert_eq!(stdout(&again), stdout(&o));
    let changed = run(&["run", "--config", &f, "-smp", "4", "--print-config"]);
    assert!(stdout(&changed).contains("smp = 4"));
}

#[test]
fn printing_commands_print_and_end_well() {
    for (args, words) in [
        (&["--help"][..], &["Usage", "run", "130"][..]),
        (&["--version"], &["trapeze"]),
        (&["help"], &["Usage", "lab", "130"]),
        (&["help", "lab"], &["Usage: trapeze lab", "--variant"]),
        (&["help", "log", "dump"], &["Usage: trapeze log dump"]),
        (&["run", "--help"], &["--kernel", "--limit", "Exit codes"]),
        (&["cpu", "list"], &["rva22", "max", "svadu"]),
        (&["completions", "bash"], &["complete", "--kernel"]),
        (&["completions", "zsh"], &["#compdef"]),
        (&["completions", "fish"], &["complete -c trapeze"]),
        (&["man"], &[".TH trapeze"]),
        (&["man", "run"], &["kernel"]),
        (&["bench", "--list"], &["integer", "chase"]),
    ] {
        let o = run(args);
        assert_eq!(code(&o), 0, "{args:?}: {}", stderr(&o));
        for w in words {
            assert!(stdout(&o).contains(w), "{args:?}: no {w:?}");
        }
    }
}

#[test]
fn disasm_reads_words_and_elf_files() {
    let o = run(&["disasm", "00150513", "4505", "ffffffff"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let text = stdout(&o);
    assert!(text.contains("addi a0,a0,1") || text.contains("addi a0, a0, 1"), "{text}");
    assert!(text.contains("li a0") && text.contains(".4byte"), "{text}");
    let o = run(&["disasm", &rom("pass")]);
    assert!(stdout(&o).contains("_start:") && stdout(&o).contains("wfi"), "{}", stdout(&o));
    refused(&["disasm", "nonsense", "00150513"], 2, &["nonsense"]);
    refused(&["help", "nonsense"], 2, &["nonsense"]);
    refused(&["disasm", "/nonexistent"], 3, &["/nonexistent"]);
}

#[test]
fn the_options_of_run_are_those_listed() {
    let help = stdout(&run(&["run", "--help"]));
    // Columns and wrapping depend on the terminal; the options and their order do not.
    let options: Vec<&str> = help
        .lines()
        .map(str::trim_start)
        .filter(|l| l.starts_with('-'))
        .filter_map(|l| l.split(' ').find(|w| w.starts_with("--")))
        .collect();
    let want = include_str!("run-options.txt");
    assert_eq!(options.join("\n"), want.trim_end());
}

#[test]
fn dump_dtb_writes_a_device_tree() {
    let d = Dir::new("dtb");
    let f = d.0.join("virt.dtb");
    let name = f.to_str().unwrap();
    assert_eq!(code(&run(&["run", "-smp", "2", "--dump-dtb", name])), 0);
    let tree = std::fs::read(&f).unwrap();
    assert_eq!(tree[..4], [0xd0, 0x0d, 0xfe, 0xed]);
    assert!(tree.windows(6).any(|w| w == b"cpu@1\0"));
    let other = d.0.join("qemu.dtb");
    assert_eq!(code(&run(&["run", "-smp", "2", "-machine", &format!("virt,dumpdtb={}", other.display())])), 0);
    assert_eq!(std::fs::read(other).unwrap(), tree);
    assert_eq!(std::fs::read_dir(&d.0).unwrap().count(), 2, "a temporary file is left");
    // What the native firmware closes to the domain that boots is in it.
    let domains = ["--domain", "safe,harts=1,mem=0x90000000+16M:rwx", "--domain", "root,mem=0x90000000+16M:none,mem=all:rwx"];
    assert_eq!(code(&run(&[&["run", "-smp", "2", "--dump-dtb", name][..], &domains].concat())), 0);
    let divided = std::fs::read(&f).unwrap();
    assert!(divided.windows(20).any(|w| w == b"mmode_resv0@90000000") && divided.windows(9).any(|w| w == b"disabled\0"));
    // With images it is what the guest finds in memory, initrd and all, and as good as the generated one when given back.
    let (kernel, initrd) = (rom("pass"), d.file("initrd", &[1; 5000]));
    let with = |more: &[&str]| {
        let mut args = vec!["run", "-bios", "none", "-kernel", &kernel, "-initrd", &initrd, "--dump-dtb", name];
        args.extend(more);
        let o = run(&args);
        assert_eq!(code(&o), 0, "{}", stderr(&o));
        std::fs::read(&f).unwrap()
    };
    let tree = with(&[]);
    assert!(tree.windows(17).any(|w| w == b"linux,initrd-end\0"));
    let given = d.file("given.dtb", &tree);
    assert_eq!(with(&["-dtb", &given]).len(), tree.len());
    let o = run(&["run", "-bios", "none", "-kernel", &kernel, "-dtb", &given]);
    assert_eq!((code(&o), stdout(&o).as_str()), (0, "ok\n"), "{}", stderr(&o));
}

#[test]
fn output_that_cannot_be_written_is_exit_3_with_a_remedy() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for args in
        [&["profiles"][..], &["run", "-bios", "none", "-kernel", &rom("pass")], &["lab", "--case", "P4", "--firmware", "spec"]]
    {
        let o = trapeze(args).stdout(full()).output().unwrap();
        assert_eq!(code(&o), 3, "{args:?}");
        assert!(stderr(&o).contains("cannot write to standard output") && stderr(&o).contains("remedy: "), "{}", stderr(&o));
    }
}

#[test]
fn the_fields_and_ends_of_the_report_are_in_the_book() {
    let book = include_str!("../../docs/using.md");
    let table = book.split("\n## ").find(|s| s.starts_with("Reports")).unwrap();
    let kernel = rom("pass");
    let o = run(&["run", "--json", "--hash", "--sbi-histogram", "--check", "all", "-kernel", &kernel]);
    let report: serde_json::Value = serde_json::from_str(stdout(&o).lines().last().unwrap()).unwrap();
    for key in report.as_object().unwrap().keys() {
        let named = |l: &str| l.split('|').nth(1).is_some_and(|names| names.split(',').any(|n| n.trim() == key));
        assert!(table.lines().any(named), "docs/using.md says nothing of '{key}'");
    }
    for end in
        ["power-off", "htif-exit", "reset", "limit", "quit", "signal", "output-gone", "violation", "trap-loop", "all-asleep"]
    {
        assert!(table.contains(&format!("`{end}`")), "docs/using.md says nothing of the end '{end}'");
    }
}
