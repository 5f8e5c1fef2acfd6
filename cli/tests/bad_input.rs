//! Files and options that are wrong, each as a user meets it: one message with the file, what is wrong and a remedy, the documented
//! exit code, and no guest that starts.
#![allow(missing_docs, clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod common;
use common::*;

/// Ends with `want`, says all of `words` and nothing twice, and prints nothing on standard output.
fn refused(args: &[&str], want: i32, words: &[&str]) {
    let o = run(args);
    let text = stderr(&o);
    assert_eq!(code(&o), want, "{args:?}: {text}");
    for w in words {
        assert!(text.contains(w), "{args:?}: no {w:?} in: {text}");
    }
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "one message and its remedy: {text}");
    assert!(lines[0].starts_with("trapeze: ") && lines[1].starts_with("  remedy: "), "{text}");
    assert!(o.stdout.is_empty(), "{args:?}: {}", stdout(&o));
}

/// `trapeze run -bios none -kernel FILE MORE...` is refused as wrong (2), naming the file.
fn kernel(d: &Dir, name: &str, bytes: &[u8], more: &[&str], words: &[&str]) {
    let file = d.file(name, bytes);
    let mut args = vec!["run", "-bios", "none", "-kernel", file.as_str()];
    args.extend(more);
    let mut all = vec![file.as_str()];
    all.extend(words);
    refused(&args, 2, &all);
}

/// An Image header that claims `size` bytes of memory, then zeroes up to `len` bytes.
fn image(len: usize, size: u64) -> Vec<u8> {
    let mut v = vec![0; len];
    v[8..16].copy_from_slice(&0x20_0000u64.to_le_bytes());
    v[16..24].copy_from_slice(&size.to_le_bytes());
    v[56..60].copy_from_slice(b"RSC\x05");
    v
}

#[test]
fn elf_files_that_are_cut_off_or_for_another_machine() {
    let d = Dir::new("elf");
    let elf = std::fs::read(rom("pass")).unwrap();
    kernel(&d, "header", &elf[..40], &[], &["cut off"]);
    kernel(&d, "body", &elf[..elf.len() / 2], &[], &["cut off"]);
    let patched = |at: usize, v: u8| {
        let mut e = elf.clone();
        e[at] = v;
        e
    };
    kernel(&d, "x86", &patched(18, 62), &[], &["x86-64", "riscv64"]);
    kernel(&d, "arm64", &patched(18, 183), &[], &["arm64", "riscv64"]);
    kernel(&d, "rv32", &patched(4, 1), &[], &["32-bit"]);
    kernel(&d, "big", &patched(5, 2), &[], &["big-endian"]);
    kernel(&d, "object", &patched(16, 1), &[], &["not linked"]);
    let o = run(&["run", "-bios", &d.file("foreign-bios", &patched(18, 62)), "-kernel", &rom("pass")]);
    assert_eq!(code(&o), 2, "{}", stderr(&o));
}

#[test]
fn images_for_another_machine_cut_off_or_compressed_in_another_way() {
    let d = Dir::new("image");
    let mut arm = image(4096, 4096);
    arm[56..60].copy_from_slice(b"ARM\x64");
    kernel(&d, "arm64", &arm, &[], &["arm64"]);
    let mut x86 = vec![0; 4096];
    x86[0x202..0x206].copy_from_slice(b"HdrS");
    kernel(&d, "bzImage", &x86, &[], &["x86"]);
    kernel(&d, "Image.xz", &[&[0xfd, b'7', b'z', b'X', b'Z', 0][..], &[0; 100]].concat(), &[], &["xz"]);
    kernel(&d, "Image.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3], &[], &["gzip"]);
    kernel(&d, "Image.zst", &[0x28, 0xb5, 0x2f, 0xfd, 0x24, 0xff], &[], &["zstd"]);
    // A PE section table says how long the file must be.
    let mut cut = image(4096, 1 << 20);
    cut[60..64].copy_from_slice(&64u32.to_le_bytes());
    cut[64..68].copy_from_slice(b"PE\0\0");
    cut[70] = 1; // one section
    cut[64 + 24 + 16..64 + 24 + 20].copy_from_slice(&0x10_0000u32.to_le_bytes());
    cut[64 + 24 + 20..64 + 24 + 24].copy_from_slice(&0x1000u32.to_le_bytes());
    kernel(&d, "cut", &cut, &[], &["cut off"]);
    kernel(&d, "script", b"#!/bin/sh\necho this is no kernel, whatever its name says\nexit 1\n", &[], &["neither ELF nor"]);
    kernel(&d, "initrd", b"070701 and what follows", &[], &["cpio", "-initrd"]);
    kernel(&d, "empty", b"", &[], &["empty"]);
}

#[test]
fn what_does_not_fit_into_memory() {
    let d = Dir::new("fit");
    kernel(&d, "huge", &image(4096, 1 << 30), &["-m", "64M"], &["main memory is 0x80000000 to 0x84000000", "-m"]);
    kernel(&d, "long", &image(3 << 20, 3 << 20), &["-m", "2M"], &["-m"]);
    let initrd = d.file("initrd", &vec![7; 6 << 20]);
    let good = rom("pass");
    refused(&["run", "-bios", "none", "-m", "4M", "-kernel", &good, "-initrd", &initrd], 2, &[&initrd, "do not fit", "-m"]);
    refused(&["run", "-kernel", &good, "-m", "512k"], 2, &["-m", "1M"]);
    refused(&["run", "-kernel", &good, "-m", "2000G"], 2, &["-m", "1T"]);
    let firmware = d.file("fw", &vec![1; 3 << 20]);
    refused(&["run", "-bios", &firmware, "-m", "2M", "-kernel", &good], 2, &[&firmware, "-m"]);
}

#[test]
fn device_trees_that_lie() {
    let d = Dir::new("tree");
    let good = rom("pass");
    let path = d.0.join("made.dtb");
    let made = path.to_str().unwrap();
    assert_eq!(code(&run(&["run", "-smp", "4", "-m", "256M", "--dump-dtb", made])), 0);
    let tree = |file: &str, more: &[&str], words: &[&str]| {
        let mut args = vec!["run", "-bios", "none", "-kernel", &good, "-dtb", file];
        args.extend(more);
        let mut all = vec![file];
        all.extend(words);
        refused(&args, 2, &all);
    };
    // More memory and more harts than there are.
    tree(made, &["-smp", "4", "-m", "128M"], &["memory", "-m"]);
    tree(made, &["-smp", "2", "-m", "256M"], &["hart 2 does not exist", "-smp"]);
    // Instructions and translation that the harts lack.
    tree(made, &["-smp", "4", "-m", "256M", "-cpu", "max,h=off"], &["/cpus/cpu@0", "claims 'h'", "-cpu"]);
    tree(made, &["-smp", "4", "-m", "256M", "-cpu", "rva22,sv57=off"], &["/cpus/cpu@0", "-cpu"]);
    let bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(6).position(|w| w == b"rv64im").unwrap();
    let mut vector = bytes.clone();
    vector[at + 4..at + 6].copy_from_slice(b"iv");
    tree(&d.file("vector", &vector), &["-smp", "4", "-m", "256M"], &["claims 'v'"]);
    tree(&d.file("cut", &bytes[..bytes.len() / 2]), &["-smp", "4"], &[]);
    tree(&d.file("text", b"/dts-v1/; / { };"), &[], &[]);
    let mut size = bytes.clone();
    size[4..8].copy_from_slice(&u32::MAX.to_be_bytes());
    tree(&d.file("size", &size), &["-smp", "4"], &[]);
    let mut structure = bytes.clone();
    structure[8..12].copy_from_slice(&0x7fff_fff0u32.to_be_bytes());
    tree(&d.file("structure", &structure), &["-smp", "4"], &[]);
}

#[test]
fn disk_images_and_overlays_that_are_damaged_or_foreign() {
    let d = Dir::new("disk");
    let good = rom("pass");
    let drive = |option: &str, words: &[&str]| {
        refused(&["run", "-bios", "none", "-kernel", &good, "-drive", option], 2, words);
    };
    let odd = d.file("odd.img", &[0; 1000]);
    drive(&format!("file={odd}"), &[&odd, "1000 bytes", "sectors"]);
    let qcow = d.file("disk.qcow2", &[b"QFI\xfb".as_slice(), &[0; 508]].concat());
    drive(&format!("file={qcow}"), &[&qcow, "qcow2", "qemu-img convert"]);
    let base = d.file("base.img", &[7; 4096]);
    let over = d.0.join("over").to_str().unwrap().to_owned();
    let option = format!("file={base},overlay={over}");
    assert_eq!(code(&run_rom("pass", &["-drive", &option])), 0);
    let made = std::fs::read(&over).unwrap();
    std::fs::write(&over, &made[..100]).unwrap();
    drive(&option, &[&over, "truncated"]);
    std::fs::write(&over, [b"something else".as_slice(), &made[14..]].concat()).unwrap();
    drive(&option, &[&over, "not an overlay"]);
    std::fs::write(&over, &made).unwrap();
    std::fs::write(&base, [8; 4096]).unwrap();
    drive(&option, &[&over, "another base image"]);
    // None of this wrote to the base.
    assert_eq!(std::fs::read(&base).unwrap(), [8; 4096]);
}

#[test]
fn harts_that_cannot_be() {
    let cpu = |text: &str, words: &[&str]| refused(&["run", "-kernel", "x", "-cpu", text], 2, words);
    cpu("pdp11", &["pdp11", "max"]);
    cpu("max,warp=on", &["'warp' is unknown"]);
    cpu("rva22,h=on,s=off", &["'h' needs 's'", "s=on"]);
    cpu("rva22,d=on,f=off", &["'d' needs 'f'"]);
    cpu("rva22,svade=off", &["svade", "svadu"]);
    cpu("max,zba", &["zba", "=on"]);
    cpu("max,i=off", &["'i' cannot be switched off"]);
}

#[test]
fn options_that_contradict_each_other_or_mean_nothing_together() {
    let run = |args: &[&str], words: &[&str]| {
        let mut all = vec!["run"];
        all.extend(args);
        refused(&all, 2, words);
    };
    run(&["-initrd", "x"], &["-initrd", "-kernel"]);
    run(&["-append", "quiet"], &["-append", "-kernel"]);
    run(&["-kernel", "x", "-drive", "file=a,snapshot=off,overlay=b"], &["contradict"]);
    run(&["-kernel", "x", "--overlay", "o"], &["--overlay", "no drive"]);
    run(&["-kernel", "x", "-device", "virtio-blk-device,drive=hd"], &["hd"]);
    run(&["-kernel", "x", "--quantum", "0"], &["--quantum"]);
    run(&["-kernel", "x", "--cycle-hz", "5"], &["--cycle-hz", "1G"]);
    run(&["-kernel", "x", "-machine", "pc"], &["pc", "virt"]);
    run(&["-kernel", "x", "-serial", "tcp::1"], &["-serial", "stdio"]);
    run(&["-kernel", "x", "-icount", "3"], &["-icount", "--cycle-hz"]);
    run(&["-kernel", "x", "-bios"], &["-bios", "needs a value"]);
}

#[test]
fn a_recording_or_snapshot_that_is_damaged_is_named_by_whatever_reads_it() {
    let d = Dir::new("damaged");
    let (empty, junk) = (d.file("empty", b""), d.file("junk", &[7; 5000]));
    let log = d.0.join("ok.tlog").to_str().unwrap().to_owned();
    let kernel = rom("pass");
    assert_eq!(code(&run(&["record", "-o", &log, "--", "-bios", "none", "-kernel", &kernel])), 0);
    let cut = d.file("cut.tlog", &std::fs::read(&log).unwrap()[..100]);
    for file in [&empty, &junk, &cut] {
        for args in [&["replay", file][..], &["log", "dump", file], &["log", "token", file], &["bundle", file]] {
            refused(args, 2, &[file]);
        }
        refused(&["query", file, "writer", "a0"], 2, &[file]);
        refused(&["snapshot", "info", file], 2, &[file]);
        refused(&["run", "--from-snapshot", file], 2, &[file]);
    }
    refused(&["log", "assemble", &empty, "-o", &log], 2, &[&empty]);
    let binary = d.file("binary", &[0xff; 20]);
    for args in [&["run", "--config", &binary][..], &["test", &binary], &["lab", "--expected", &binary]] {
        refused(args, 2, &[&binary, "UTF-8"]);
    }
}

#[test]
fn an_output_that_cannot_be_written_is_refused_before_the_guest_starts() {
    let d = Dir::new("outputs");
    let dir = d.0.join("dir").to_str().unwrap().to_owned();
    std::fs::create_dir(&dir).unwrap();
    let absent = d.0.join("absent/x").to_str().unwrap().to_owned();
    // A guest that never ends: whatever looks at its output at the end only would hang.
    let (spin, scenario) = (rom("spin"), concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/scenarios/spv.toml"));
    for out in [&dir, &absent] {
        let guest = ["--", "-bios", "none", "-kernel", &spin];
        let with = |args: &[&str], more: &[&str]| refused(&[args, more].concat(), 3, &[out, "cannot write"]);
        with(&["record", "-o", out], &guest);
        with(&["report", "-o", out], &guest);
        with(&["trace", "--perfetto", out], &guest);
        with(&["snapshot", "save", "--at", "9999G", "-o", out], &guest);
        with(&["run", "--snapshot-at", &format!("9999G={out}")], &guest[1..]);
        with(&["test", scenario, "--junit", out], &[]);
        with(&["test", scenario, "--json", out], &[]);
        with(&["lab", "--write-expected", out], &[]);
        with(&["lab", "--case", "P4", "--report", out], &[]);
    }
    assert_eq!(std::fs::read_dir(&d.0).unwrap().count(), 1, "something was left behind");
}

#[test]
fn what_can_match_nothing_is_refused_and_not_answered_by_silence() {
    let kernel = rom("pass");
    let trace = |option: &str, value: &str, words: &[&str]| {
        refused(&["trace", option, value, "--", "-bios", "none", "-kernel", &kernel], 2, words);
    };
    trace("--cause", "no such thing", &["no such thing", "page fault"]);
    trace("--hart", "9", &["hart 9", "harts are 0"]);
    trace("--symbol", "nowhere", &["nowhere", "--symbols"]);
    refused(&["explain", "trap", "0", "--", "-bios", "none", "-kernel", &kernel], 2, &["no entry 0", "nothing was trapped"]);
    refused(&["diff-firmware", "spec", "opensbi-1.9", "--", "-bios", "none", "-kernel", &kernel], 2, &["-bios", "before --"]);
    refused(&["run", "--domain", "empty", "-kernel", &kernel], 2, &["'empty' has no harts"]);
    refused(&["run", "--print-config", "--dump-dtb", "x", "-kernel", &kernel], 2, &["--print-config", "--dump-dtb"]);
    refused(&["trace", "--json", "--perfetto", "x", "--", "-kernel", &kernel], 2, &["--json", "--perfetto"]);
    refused(&["test", "x.toml", "-j", "0"], 2, &["--jobs", "1 or more"]);
    refused(&["debug", "--spacing", "0", "--replay", "x"], 2, &["--spacing", "1 or more"]);
}

#[test]
fn a_missing_or_unknown_word_is_answered_with_those_there_are_and_the_help_to_read() {
    refused(&["explain"], 2, &["requires a subcommand", "trap, cause, csr", "trapeze explain --help"]);
    refused(&["cpu"], 2, &["requires a subcommand", "list"]);
    refused(&["snapshot"], 2, &["save, load, list, info"]);
    refused(&["log"], 2, &["dump, token, assemble"]);
    refused(&["log", "assemble", "x"], 2, &["--output <FILE>", "trapeze log assemble --help"]);
    refused(&["completions", "tcl"], 2, &["bash", "zsh", "SUBCOMMAND --help"]);
    refused(&["run", "-kernel", "x", "--limit", "-5"], 2, &["'-5'", "trapeze run --help"]);
    refused(&["replay", ""], 3, &["''"]);
}

#[test]
fn programs_that_the_laboratory_cannot_use() {
    let d = Dir::new("lab-input");
    let text = d.file("text", b"hello\n");
    refused(&["lab", "--payload", &text], 2, &[&text, "not an ELF file", "docs/laboratory.md"]);
    refused(&["lab", "--payload", &rom("pass")], 2, &["pass.elf", "docs/laboratory.md"]);
    refused(&["lab", "--firmware", &text, "--case", "P4"], 2, &["text", "never came to spin_victim", "trapeze run"]);
    refused(&["disasm", &text], 2, &[&text, "not an ELF file"]);
    // The table's head is printed already.
    let o = run(&["bench", "--bios", &text, "--engine", "block", "timer"]);
    assert_eq!(code(&o), 4);
    assert!(stderr(&o).contains("traps for ever") && stderr(&o).contains("remedy: "), "{}", stderr(&o));
    let list = d.file("list.toml", b"\nhello\n");
    let kernel = rom("pass");
    refused(&["diff-firmware", "spec", "spec", "--expected", &list, "--", "-kernel", &kernel], 2, &["list.toml:2"]);
}

#[test]
fn a_word_that_is_also_a_subcommand_reaches_the_guest() {
    let d = Dir::new("append-run");
    let log = d.0.join("l").to_str().unwrap().to_owned();
    assert_eq!(code(&run(&["record", "-o", &log, "--", "-bios", "none", "-kernel", &rom("pass"), "-append", "run"])), 0);
    assert!(stdout(&run(&["log", "dump", &log])).contains("append"), "the guest's command line was lost");
}
