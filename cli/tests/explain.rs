//! `trapeze explain` and `trapeze report` as a user runs them, on the tour's program.

#![allow(missing_docs, clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Dir, code, run, stderr, stdout};

fn with_tour(verb: &[&str]) -> std::process::Output {
    let rom = format!("{}/../roms/tour/tour.elf", env!("CARGO_MANIFEST_DIR"));
    run(&[verb, &["--", "-bios", "none", "-m", "16M", "-kernel", rom.as_str()]].concat())
}

/// The number of the first ledger entry that has a text.
fn number(text: &str) -> String {
    let trace = stdout(&with_tour(&["trace"]));
    let line = trace.lines().find(|l| l.contains(text)).unwrap();
    line.strip_prefix('#').unwrap().split(' ').next().unwrap().to_owned()
}

#[test]
fn a_trap_is_explained_with_its_rule_its_walk_and_what_each_field_says() {
    let n = number("load guest-page fault");
    let out = with_tour(&["explain", "trap", &n]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let text = stdout(&out);
    for part in [
        "load guest-page fault (exception 21) in VS-mode, taken by HS-mode",
        "Hypervisor, \"Guest-Page Faults\"",
        "medeleg[21]=1 and hedeleg[21]=0",
        "guest physical address 0xc0000000",
        "transformed 32-bit instruction lw t1",
        "refused by the G-stage, for guest physical address 0xc0000000: V=0",
        "hstatus.SPV 0x0 -> 0x1: V before the trap into HS",
        "ended by",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let missing = with_tour(&["explain", "trap", "100000"]);
    assert_eq!(code(&missing), 2);
    assert!(stderr(&missing).contains("give a number below"), "{}", stderr(&missing));
}

#[test]
fn a_csr_tells_its_rule_its_value_then_and_its_last_writer() {
    let n = number("load guest-page fault");
    let trace = stdout(&with_tour(&["trace", "--json"]));
    let all: Vec<serde_json::Value> = trace.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let trap = all.iter().find(|e| e["n"].as_u64() == n.parse().ok()).unwrap();
    let after = (trap["instret"].as_u64().unwrap() + 1).to_string();
    let out = with_tour(&["explain", "csr", "hstatus.SPV", "--at", &after]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let text = stdout(&out);
    for part in ["hstatus (CSR 0x600)", "hstatus.SPV = 0x1", &format!("#{n} hart 0"), "a trap into HS-mode writes it"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let rule = stdout(&run(&["explain", "csr", "sepc"]));
    assert!(rule.contains("with V=1 the instruction accesses vsepc instead"), "{rule}");
    let bad = run(&["explain", "csr", "hstatus.XYZ"]);
    assert_eq!(code(&bad), 2);
}

#[test]
fn an_operation_of_the_firmware_is_explained_field_by_field_and_where_it_departs_from_the_text() {
    let rom = concat!(env!("CARGO_MANIFEST_DIR"), "/../roms/sse/spv-stale.elf");
    let guest = |profile| ["--", "-m", "16M", "-kernel", rom, "--sbi-profile", profile];
    let told = |profile: &'static str| {
        let trace = stdout(&run(&[&["trace"][..], &guest(profile)].concat()));
        let line = trace.lines().find(|l| l.contains("firmware sse inject")).unwrap().to_owned();
        let n = line.strip_prefix('#').unwrap().split(' ').next().unwrap().to_owned();
        stdout(&run(&[&["explain", "trap", &n][..], &guest(profile)].concat()))
    };
    let wrong = told("opensbi-1.9");
    assert!(wrong.contains("an event is injected (SBI 3.0, SSE, \"Software Event Injection\")"), "{wrong}");
    assert!(wrong.contains("hstatus.SPV 0x1: V of the interrupted context; by the text it must be 0x0"), "{wrong}");
    assert_eq!(wrong.matches("by the text").count(), 2, "SPV, and SPVP, which follows it: {wrong}");
    let right = told("spec");
    assert!(
        right.contains("hstatus.SPV 0x1 -> 0x0: V of the interrupted context\n") && !right.contains("by the text"),
        "{right}"
    );
}

#[test]
fn registers_that_nobody_writes_and_those_of_a_guest_are_told_as_such() {
    let time = stdout(&with_tour(&["explain", "csr", "time"]));
    assert!(time.contains("hardware computes it") && !time.contains("a write"), "{time}");
    let guests = stdout(&run(&["explain", "csr", "vsatp"]));
    assert!(guests.contains("it is what an instruction with V=1 accesses that names satp"), "{guests}");
    let once = stdout(&with_tour(&["explain", "csr", "hgatp"]));
    assert!(once.contains("changed once, the last time 0x0 ->"), "{once}");
    // A delegated interrupt waits while the hart is in M-mode; an exception there is M-mode's.
    let interrupt = stdout(&run(&["explain", "cause", "i1"]));
    assert!(interrupt.contains("else HS-mode, and then not while the hart is in M-mode"), "{interrupt}");
    assert!(!stdout(&run(&["explain", "cause", "13"])).contains("then not while"));
    assert!(stdout(&run(&["explain", "cause", "i10"])).contains("VS-mode finds 9 in vscause"));
}

#[test]
fn causes_are_found_by_number_and_by_words() {
    let by_number = stdout(&run(&["explain", "cause", "20"]));
    assert!(by_number.starts_with("instruction guest-page fault (exception 20)"), "{by_number}");
    assert_eq!(stdout(&run(&["explain", "cause", "instruction", "guest-page", "fault"])), by_number);
    let timers = stdout(&run(&["explain", "cause", "timer"]));
    assert_eq!(timers.matches("timer interrupt (interrupt").count(), 3, "{timers}");
    assert_eq!(code(&run(&["explain", "cause", "99"])), 2);
}

#[test]
fn a_report_is_one_page_with_every_entry_in_it() {
    let dir = Dir::new("report");
    let file = dir.0.join("page.html");
    let out = with_tour(&["report", "-o", file.to_str().unwrap()]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let page = std::fs::read_to_string(&file).unwrap();
    let data = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    let lines = stdout(&with_tour(&["trace", "--json"]));
    assert_eq!(data["runs"][0]["entries"].as_array().unwrap().len() + 1, lines.lines().count());
    assert_eq!(data["schema"], "trapeze-ledger-1");
    let some = with_tour(&["report", "--skip", "5", "--max", "3", "-o", file.to_str().unwrap()]);
    assert_eq!(code(&some), 0);
    let page = std::fs::read_to_string(&file).unwrap();
    assert!(page.contains("3 of ") && page.contains("entries, from number 5"));
}

#[test]
fn a_report_links_each_violation_of_an_oracle_to_the_entry_that_broke_the_rule() {
    let dir = Dir::new("violations");
    let file = dir.0.join("page.html");
    let rom = concat!(env!("CARGO_MANIFEST_DIR"), "/../roms/sse/spv-stale.elf");
    let data = |more: &[&str]| {
        let args = ["report", "-o", file.to_str().unwrap(), "--", "-m", "16M", "-kernel", rom];
        run(&[&args[..], more].concat());
        let page = std::fs::read_to_string(&file).unwrap();
        let data = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        data["runs"][0].clone()
    };
    let bad = data(&["--sbi-profile", "opensbi-1.9"]);
    let found: Vec<&serde_json::Value> = bad["violations"].as_array().unwrap().iter().collect();
    assert_eq!(found.iter().map(|v| v["oracle"].as_str().unwrap()).collect::<Vec<_>>(), ["E2", "E1", "E20"]);
    // The handler is entered wrong, and the complete goes back wrong.
    for (v, to) in found.iter().zip(["HS", "VS", "VS"]) {
        let e = &bad["entries"][v["entry"].as_u64().unwrap() as usize];
        assert_eq!(
            (e["n"].clone(), &e["kind"], &e["from"], &e["to"]),
            (v["entry"].clone(), &"return".into(), &"M".into(), &to.into())
        );
        assert!(v["text"].as_str().unwrap().contains(&format!("and #{})", v["entry"])), "{v}");
    }
    assert_eq!(data(&["--sbi-profile", "spec"])["violations"].as_array().unwrap().len(), 0);
    assert_eq!(data(&["--sbi-profile", "opensbi-1.9", "--check", "none"])["violations"].as_array().unwrap().len(), 0);
    assert_eq!(data(&["--sbi-profile", "opensbi-1.9", "--check", "E20"])["violations"].as_array().unwrap().len(), 1);
}

#[test]
fn a_case_of_the_laboratory_becomes_a_page_that_names_the_wrong_field() {
    let dir = Dir::new("lab-report");
    let file = dir.0.join("page.html");
    let out = run(&["lab", "--case", "P4", "--firmware", "opensbi-1.9", "--report", file.to_str().unwrap()]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let page = std::fs::read_to_string(&file).unwrap();
    let data = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    let wrong = &data["runs"][0]["verdict"]["wrong"][0];
    assert_eq!((wrong["name"].as_str(), wrong["made_of"].as_str()), (Some("mode"), Some("hstatus.SPV")));
    let writer = wrong["writer"].as_u64().unwrap() as usize;
    assert!(data["runs"][0]["entries"][writer]["changes"].to_string().contains("SPV"));
}
