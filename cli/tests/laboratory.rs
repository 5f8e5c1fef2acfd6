//! The laboratory as a user runs it. The whole matrix is a step of `scripts/test`; here is one policy of it.

#![allow(missing_docs, clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{code, run, stdout};

const ONE: [&str; 8] = ["lab", "--quiet", "--policy", "sstatus", "--layout", "asm", "--variant", "nothing"];

#[test]
fn opensbi_resumes_the_world_switch_as_the_guest_and_the_specification_does_not() {
    let out = run(&[&ONE[..], &["--firmware", "opensbi-1.9", "--firmware", "spec"]].concat());
    assert_eq!(code(&out), 0, "{}", stdout(&out));
    let text = stdout(&out);
    let (opensbi, spec) = text.split_once("firmware spec").unwrap();
    assert!(opensbi.lines().any(|l| l.trim_start().starts_with("P4 ") && l.ends_with("mode HS -> VS")), "{opensbi}");
    assert!(!spec.split("healthy boundaries").next().unwrap().contains("->"), "{spec}");
}

#[test]
fn a_case_is_told_with_its_last_writer() {
    let out = run(&["lab", "--case", "P4", "--firmware", "opensbi-1.9"]);
    let text = stdout(&out);
    assert!(text.contains("mode HS -> VS") && text.contains("complete makes it of hstatus.SPV"), "{text}");
    assert!(text.contains("hstatus.SPV was last written by") && text.contains("<point_P1+0x4>"), "{text}");
    let healthy = stdout(&run(&["lab", "--case", "P4", "--firmware", "spec"]));
    assert!(healthy.contains("healthy: everything that was interrupted came back"), "{healthy}");
}

#[test]
fn a_landing_pad_that_was_expected_is_still_expected_only_if_firmware_carries_elp() {
    let out = run(&[&ONE[..], &["--payload", "cfi", "--firmware", "opensbi-1.9", "--firmware", "spec"]].concat());
    assert_eq!(code(&out), 0, "{}", stdout(&out));
    let text = stdout(&out);
    let (opensbi, spec) = text.split_once("firmware spec").unwrap();
    for place in ["HS ", "U ", "KERNEL ", "VS ", "VU "] {
        assert!(
            opensbi.lines().any(|l| l.trim_start().starts_with(place) && l.ends_with("elp 0x1 -> 0x0")),
            "{place}: {opensbi}"
        );
    }
    assert!(!spec.split("healthy boundaries").next().unwrap().contains("->"), "{spec}");
}

/// The options of one case of the `cfi` payload: the first boundary of a row that is not healthy on OpenSBI 1.9.
fn first_bad(point: &str, variant: &str, policy: &str) -> String {
    let args = ["lab", "-q", "--payload", "cfi", "--json", "--firmware", "opensbi-1.9", "--layout", "asm", "--check", "none"];
    let out = run(&[&args[..], &["--variant", variant, "--policy", policy]].concat());
    let cells: serde_json::Value = serde_json::from_str(&stdout(&out)).unwrap();
    let cell = cells["cells"].as_array().unwrap().iter().find(|c| c["point"] == point).unwrap();
    cell["first_step"].as_u64().unwrap().to_string()
}

#[test]
fn every_field_of_the_context_is_told_with_its_writer() {
    // ELP, which no record of the ledger names: who cleared SPELP, which complete makes it of.
    let step = first_bad("U", "nothing", "hstatus");
    let args = ["lab", "--payload", "cfi", "--firmware", "opensbi-1.9", "--policy", "hstatus", "--case", &step];
    let text = stdout(&run(&args));
    assert!(text.contains("elp 0x1 -> 0x0\n      complete makes it of sstatus.SPELP"), "{text}");
    assert!(text.contains("nothing has written sstatus.SPELP since the window began: nor has the firmware's inject"), "{text}");
    // What neither injection nor completion touches: the nested trap overwrote it.
    let args = ["--policy", "stvec", "--variant", "breakpoint", "--firmware", "spec", "--layout", "asm", "--check", "none"];
    let cells: serde_json::Value = serde_json::from_str(&stdout(&run(&[&["lab", "-q", "--json"][..], &args].concat()))).unwrap();
    let cell = cells["cells"].as_array().unwrap().iter().find(|c| c["point"] == "P7").unwrap();
    let step = cell["first_step"].as_u64().unwrap().to_string();
    let text = stdout(&run(&[&["lab", "--case", &step][..], &args].concat()));
    let gva = text.split("hstatus.GVA 0x1 -> 0x0\n").nth(1).unwrap_or_else(|| panic!("{text}"));
    assert!(gva.starts_with("      neither inject nor complete touches it"), "{gva}");
    let writer = gva.lines().nth(1).unwrap();
    assert!(writer.contains("hstatus.GVA was last written by #") && writer.contains("<with_breakpoint>"), "{writer}");
}

#[test]
fn a_double_trap_in_a_handler_is_an_event_that_nests() {
    let args = ["lab", "-q", "--payload", "cfi", "--variant", "double-trap", "--layout", "asm", "--policy", "hstatus"];
    let out = run(&[&args[..], &["--firmware", "opensbi-1.9", "--firmware", "spec"]].concat());
    assert_eq!(code(&out), 0, "{}", stdout(&out));
    let text = stdout(&out);
    let (opensbi, spec) = text.split_once("firmware spec").unwrap();
    // The nested event finds the outer one's SPV, and OpenSBI never clears it.
    assert!(opensbi.lines().any(|l| l.trim_start().starts_with("VS ") && l.ends_with("never completed")), "{opensbi}");
    let rows = spec.split("healthy boundaries").next().unwrap();
    assert!(!rows.contains("->") && !rows.contains("never"), "{spec}");
    let refused = run(&["lab", "--variant", "double-trap"]);
    assert!(code(&refused) == 2 && common::stderr(&refused).contains("there is no 'double-trap'"));
}

#[test]
fn a_program_of_ones_own_is_interrupted_too_and_one_without_the_places_is_refused_by_name() {
    let rom = |name: &str| format!("{}/../roms/{name}.elf", env!("CARGO_MANIFEST_DIR"));
    let out = run(&[&ONE[..], &["--payload", &rom("lab/hyp"), "--firmware", "opensbi-1.9"]].concat());
    assert_eq!(code(&out), 0, "{}", common::stderr(&out));
    assert!(stdout(&out).lines().any(|l| l.trim_start().starts_with("P4 ") && l.ends_with("mode HS -> VS")));
    let out = run(&["lab", "--payload", &rom("test/spin")]);
    assert_ne!(code(&out), 0);
    assert!(common::stderr(&out).contains("lab_config"), "{}", common::stderr(&out));
}

#[test]
fn a_result_that_is_not_expected_ends_with_code_6() {
    let dir = std::env::temp_dir().join(format!("trapeze-lab-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let file = dir.join("wrong.expected");
    std::fs::write(&file, "firmware spec\nspec asm sstatus nothing P4: mode HS -> VS\n").unwrap();
    let path = file.to_str().unwrap();
    let out = run(&[&ONE[..], &["--firmware", "spec", "--expected", path]].concat());
    assert_eq!(code(&out), 6);
    let text = stdout(&out);
    assert!(text.contains("unexpected: spec asm sstatus nothing P4: expected mode HS -> VS, found healthy"), "{text}");
    std::fs::write(&file, "nonsense\n").unwrap();
    let out = run(&[&ONE[..], &["--firmware", "spec", "--expected", path]].concat());
    assert_eq!(code(&out), 2);
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn the_help_names_every_value_that_the_options_take() {
    let help = stdout(&run(&["lab", "--help"]));
    let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in ["hyp (a small hypervisor)", "shadow stacks and double traps", "spec, opensbi-1.9"] {
        assert!(words.contains(word), "{word}: {help}");
    }
    // What a refusal lists is what is looked up.
    for option in ["--policy", "--variant", "--layout"] {
        let refused = common::stderr(&run(&["lab", "--payload", "cfi", option, "nonsense"]));
        let all = refused.split("give one of ").nth(1).unwrap_or_else(|| panic!("{refused}"));
        for value in all.trim().split(", ") {
            assert!(help.contains(value), "{option} {value}: {help}");
        }
    }
}

#[test]
fn a_program_that_never_comes_to_its_place_is_told_in_words() {
    let out = run(&["lab", "--cpu", "rva22", "--firmware", "spec"]);
    let text = common::stderr(&out);
    assert_eq!(code(&out), 2, "{text}");
    assert!(text.contains("hyp under spec: hart 0 never came to spin_victim: ") && !text.contains(['{', '(']), "{text}");
}

#[test]
fn places_and_settings_that_do_not_exist_are_refused_with_those_that_do() {
    for (args, word) in [
        (&["lab", "--case", "P99"][..], "P10c"),
        (&["lab", "--policy", "all"][..], "hstatus"),
        (&["lab", "--firmware", "/nowhere/fw.bin"][..], "/nowhere/fw.bin"),
        (&["lab", "--payload", "/nowhere/kernel"][..], "/nowhere/kernel"),
    ] {
        let out = run(args);
        assert_ne!(code(&out), 0);
        assert!(common::stderr(&out).contains(word), "{}", common::stderr(&out));
    }
}
