//! Questions about a recording on the command line.
#![allow(missing_docs, clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{code, run, stderr, stdout};

#[test]
fn a_corrupted_laboratory_case_answers_who_wrote_what_and_when() {
    let o = run(&["lab", "--case", "P4", "--firmware", "opensbi-1.9"]);
    let text = stdout(&o);
    let token = text.lines().find_map(|l| l.strip_prefix("again: trapeze replay ")).unwrap_or_else(|| panic!("{text}"));
    let event = "0xffff0000";
    let ask = |question: &[&str]| {
        let o = run(&[&["query", token], question].concat());
        (code(&o), stdout(&o) + &stderr(&o))
    };
    let (c, left) = ask(&["left", event, "running"]);
    assert!(c == 0 && left.contains("sse completed") && left.contains("look there: trapeze debug"), "{left}");
    let instruction = |text: &str| text.split(' ').nth(1).unwrap().trim_end_matches(':').parse::<u64>().unwrap();
    let (c, entered) = ask(&["left", event, "enabled"]);
    assert!(c == 0 && entered.contains("sse inject"), "{entered}");
    assert!(instruction(&entered) < instruction(&left), "{entered}{left}");
    // The same question asked before it happened has no answer.
    let at = (instruction(&entered) - 10).to_string();
    let (c, none) = ask(&["--at", &at, "left", event, "running"]);
    assert!(c == 1 && none.contains("never"), "{none}");
    for question in [
        &["writer", "hstatus.SPV", "--hart", "0"][..],
        &["writer", "mepc", "--hart", "1"],
        &["writer", "a0"],
        &["previous", "trap"],
        &["previous", "sbi_sse_inject"],
        &["previous", "environment call from s"],
        &["previous", "sse unmask"],
        &["first", "instret", ">", "1000"],
    ] {
        let (c, answer) = ask(question);
        assert!(c == 0 && answer.starts_with("instruction "), "{question:?}: {answer}");
    }
    for (question, says) in [
        (&["writer", "nothing"][..], "no register"),
        (&["left", "nothing"], "no event"),
        (&["left", event, "asleep"], "unused, registered"),
        (&["first", "pc"], "compares nothing"),
        (&["writer", "a0", "--hart", "7"], "no hart 7"),
        (&["first", "hart7.pc == 0"], "no hart 7"),
        (&["first", "mem:0x80200004 == 1"], "not a multiple of 8"),
        (&["first", "pc == nowhere"], "no symbol"),
        (&["writer", "time"], "first 'time >= N'"),
        (&["--at", "x", "writer", "a0"], "no place in a run"),
        (&["--at", "99999999999", "previous", "trap"], "the run has"),
        (&["previous", "nonsense"], "give trap, interrupt, exception, return, words of a cause"),
        (&["next", ""], "nothing that a run's ledger holds"),
        (&["previous", "trap", "--hart", "7"], "no hart 7"),
    ] {
        let (c, answer) = ask(question);
        assert!(c == 2 && answer.contains(says), "{question:?}: {c} {answer}");
    }
}

#[test]
fn answers_after_a_reboot_name_the_boot_and_debug_opens_there() {
    let d = common::Dir::new("query-boots");
    let log = d.0.join("run.tlog").display().to_string();
    let o = run(&["record", "-o", &log, "--", "-bios", "none", "-kernel", &common::rom("reboot"), "--limit", "100", "--quiet"]);
    assert_eq!(code(&o), 5, "{}", stderr(&o));
    let ask = |question: &[&str]| {
        let o = run(&[&["query", log.as_str()], question].concat());
        (code(&o), stdout(&o) + &stderr(&o))
    };
    let (c, last) = ask(&["writer", "t0"]);
    assert!(c == 0 && last.contains(" after reboot "), "{last}");
    let place = last.trim_end().rsplit(' ').next().unwrap();
    let (boot, instret) = place.split_once(':').unwrap_or_else(|| panic!("{last}"));
    assert!(last.starts_with(&format!("instruction {instret} after reboot {boot}: ")), "{last}");
    // The same question from just behind it, and of the first boot.
    let behind = format!("{boot}:{}", instret.parse::<u64>().unwrap() + 1);
    assert_eq!(ask(&["--at", &behind, "writer", "t0"]), (0, last.clone()));
    let (c, first) = ask(&["--at", "5", "writer", "t0"]);
    assert!(c == 0 && !first.contains("reboot"), "{first}");
    let (c, none) = ask(&["--at", "50", "writer", "t0"]);
    assert!(c == 2 && none.contains("rebooted before 50") && none.contains("1:0"), "{none}");
    let o = run(&["debug", "--replay", &log, "--at", &behind, "--gdb", "unix:/nonexistent/s"]);
    assert!(stderr(&o).contains(&format!("instruction {} (", instret.parse::<u64>().unwrap() + 1)), "{}", stderr(&o));
}

#[test]
fn questions_about_views_silent_changes_symbols_and_the_next_trap_are_answered() {
    let d = common::Dir::new("query-views");
    let log = d.0.join("run.tlog").display().to_string();
    let kernel = concat!(env!("CARGO_MANIFEST_DIR"), "/../roms/sse/perf-top.elf");
    let o = run(&["record", "-o", &log, "--", "-kernel", kernel, "--limit", "300k", "--quiet"]);
    assert!(o.status.code().is_some(), "{}", stderr(&o));
    let ask = |question: &[&str]| {
        let o = run(&[&["query", log.as_str()], question].concat());
        (code(&o), stdout(&o) + &stderr(&o))
    };
    // Without a place, the next one is the first of all; and it is opened where it happens.
    let (c, next) = ask(&["next", "environment call"]);
    assert!(c == 0 && next.contains("environment call"), "{next}");
    let place = next.trim_end().rsplit(' ').next().unwrap().to_owned();
    assert_eq!(ask(&["--at", &place, "next", "environment call"]), (0, next.clone()));
    // A symbol is an address; where the predicate holds is a place of its own.
    let (c, first) = ask(&["first", "pc == _start"]);
    assert!(c == 0 && first.starts_with("instruction 0: it holds"), "{first}");
    let (c, cause) = ask(&["first", "mcause == 9"]);
    assert!(c == 0, "{cause}");
    let place = cause.trim_end().rsplit(' ').next().unwrap().to_owned();
    assert!(place.contains('+'), "behind the exception and its answer: {cause}");
    let (c, again) = ask(&["--at", &place, "writer", "mcause"]);
    assert!(c == 0 && again.contains("trap HS -> M"), "{again}");
}
