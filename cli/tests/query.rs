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
        (&["--at", "99999999999", "previous", "trap"], "the run has"),
        (&["previous", "nonsense"], "give trap, interrupt, exception, return, words of a cause"),
        (&["next", ""], "nothing that a run's ledger holds"),
        (&["previous", "trap", "--hart", "7"], "no hart 7"),
    ] {
        let (c, answer) = ask(question);
        assert!(c == 2 && answer.contains(says), "{question:?}: {c} {answer}");
    }
}
