//! `trapeze test` as a user drives it.
#![allow(missing_docs, clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod common;
use common::*;

const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/scenarios");
const ECHO: &str = "[guest]\nkernel = \"rom:echo\"\nbios = \"none\"\nmemory = \"16M\"\n";

/// Writes a scenario file of the echo program with these scenarios.
fn echo(d: &Dir, name: &str, scenarios: &str) -> String {
    d.file(name, format!("{ECHO}{scenarios}").as_bytes())
}

fn output(d: &Dir) -> String {
    d.0.join("out").to_str().unwrap().to_owned()
}

#[test]
fn the_projects_own_scenarios_hold() {
    let d = Dir::new("scenario-own");
    let o = run(&["test", OWN, "-o", &output(&d)]);
    assert_eq!(code(&o), 0, "{}{}", stdout(&o), stderr(&o));
    assert!(stdout(&o).contains("linux.toml#boot: needs --define of kernel, initrd"), "{}", stdout(&o));
    assert!(!d.0.join("out").exists(), "nothing failed, so nothing is left");
}

#[test]
fn a_failure_names_its_line_and_leaves_a_log_that_replays() {
    let d = Dir::new("scenario-fails");
    let f = echo(
        &d,
        "e.toml",
        "[[scenario]]\nname = \"types\"\nsteps = [\n{ expect = \"ready\" },\n{ send = \"abc\" },\n{ expect = \"bcd\" },\n{ lacks = \"bcd\" },\n]\n",
    );
    let o = run(&["test", &f, "-o", &output(&d)]);
    let text = stdout(&o);
    assert_eq!(code(&o), 6, "{text}{}", stderr(&o));
    assert!(text.contains(&format!("{f}:11: the console shows \"bcd\"")), "{text}");
    assert!(text.contains("0 passed, 1 failed"), "{text}");
    let log = text.lines().find_map(|l| l.trim().strip_prefix("again: trapeze replay ")).expect("a command that replays it");
    let again = run(&["replay", log, "--hash"]);
    assert_eq!(code(&again), 0, "{}", stderr(&again));
    assert!(stdout(&again).contains("bcd"), "the typed bytes are in the log: {}", stdout(&again));
    let console = d.0.join("out/e-6-types.console");
    assert!(std::fs::read_to_string(console).unwrap().contains("bcd"));
}

#[test]
fn each_kind_of_step_can_fail() {
    let d = Dir::new("scenario-steps");
    for (i, (steps, words)) in [
        ("{ expect = \"nothing of the kind\" }", "the console showed \"nothing of the kind\": all-asleep"),
        ("{ within = 1000 }, { until = { cycles = 2000 } }", "not within 1000 cycles"),
        ("{ until = { symbol = \"nowhere\" } }", "no symbol 'nowhere'"),
        ("{ until = { trap = \"23\" } }", "a trap 23"),
        ("{ check = { mode = \"VS\" } }", "mode: expected VS, found M"),
        ("{ check = { registers = { t0 = 77 } } }", "t0: expected 0x4d, found"),
        ("{ check = { csr = { \"mstatus.MPP\" = 3 } } }", "mstatus.MPP: expected 0x3, found 0x0"),
        ("{ memory = { at = \"ready\", size = 1, is = 0 } }", "expected 0x0, found 0x72"),
        ("{ memory = { at = \"ready\", size = 1, at-most = 0x10 } }", "expected at most 0x10"),
        ("{ memory = { at = 0x10, size = 1, is = 0 } }", "cannot be read"),
        ("{ until = { instret = 20 } }, { ledger = { has = [\"breakpoint\"] } }", "no line of the ledger has \"breakpoint\""),
        ("{ end = { how = \"power-off\" } }", "expected the end power-off, found all-asleep"),
        ("{ until = { more = 10 } }, { hash = \"0000000000000000000000000000000000000000000000000000000000000000\" }", "hash is"),
    ]
    .into_iter()
    .enumerate()
    {
        let f = echo(&d, &format!("s{i}.toml"), &format!("[[scenario]]\nname = \"one\"\nsteps = [{steps}]\n"));
        let o = run(&["test", &f, "-o", &output(&d)]);
        assert_eq!(code(&o), 6, "{steps}: {}{}", stdout(&o), stderr(&o));
        assert!(stdout(&o).contains(words), "{steps}: no {words:?} in {}", stdout(&o));
    }
}

/// The program whose injection leaves a stale hstatus.SPV on the profile of OpenSBI 1.9.
fn stale(d: &Dir, name: &str, head: &str, scenarios: &str) -> String {
    let kernel = concat!(env!("CARGO_MANIFEST_DIR"), "/../roms/sse/spv-stale.elf");
    let guest = format!("[guest]\nkernel = \"{kernel}\"\nmemory = \"16M\"\nsbi-profile = \"opensbi-1.9\"\n");
    d.file(name, format!("{head}{guest}{scenarios}").as_bytes())
}

#[test]
fn a_violated_oracle_is_named_with_its_field_and_instruction() {
    let d = Dir::new("scenario-oracles");
    let report = d.0.join("r.json");
    let f = stale(
        &d,
        "v.toml",
        "",
        "[[scenario]]\nname = \"one\"\nsteps = [{ until = { symbol = \"handler\" } }, { oracles = \"all\" }]\n\
         [[scenario]]\nname = \"none yet\"\nsteps = [{ until = { instret = 20 } }, { oracles = \"all\" }]\n\
         [[scenario]]\nname = \"another\"\nsteps = [{ until = { symbol = \"handler\" } }, { oracles = \"context,states\" }]\n\
         [[scenario]]\nname = \"later\"\nafter = \"another\"\nsteps = [{ oracles = \"all\" }, { end = { how = \"power-off\" } }, { violated = { oracle = \"context\" } }]\n\
         [[scenario]]\nname = \"not this field\"\nsteps = [{ end = { how = \"power-off\" } }, { violated = { oracle = \"entry\", field = \"a0\" } }]\n",
    );
    let o = run(&["test", &f, "-o", &output(&d), "--json", report.to_str().unwrap()]);
    let text = stdout(&o);
    assert_eq!(code(&o), 6, "{text}{}", stderr(&o));
    let said =
        "v.toml:7: violation of E2 entry: event 0xffff0000, hart 0 @24 at 0x8020008c <handler>: hstatus.SPV must be 0x0, is 0x1";
    assert!(text.contains(said), "{text}");
    assert!(text.contains("no such violation of entry; the first one is another: violation of E2"), "{text}");
    assert!(text.contains("3 passed, 2 failed"), "{text}");
    assert!(text.contains("again: trapeze debug --check all --replay "), "{text}");
    let v: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
    let first = &v["scenarios"][0]["violations"][0];
    assert_eq!((&first["oracle"], &first["field"], &first["instret"]), (&"E2".into(), &"hstatus.SPV".into(), &24.into()));
    assert!(v["scenarios"][1]["violations"].is_null(), "{v}");
}

#[test]
fn what_a_shared_beginning_violated_is_listed_for_each_file_and_its_ledger_shown() {
    let d = Dir::new("scenario-shared");
    let report = d.0.join("r.json");
    let text = "[[scenario]]\nname = \"up\"\nsteps = [{ end = { how = \"power-off\" } }, { violated = { oracle = \"entry\" } }]\n\
                [[scenario]]\nname = \"then\"\nafter = \"up\"\nsteps = [{ lacks = \"never\" }]\n";
    let files = ["one.toml", "two.toml"].map(|n| stale(&d, n, "", text));
    let json = report.to_str().unwrap();
    let printed = |what: &[&str]| {
        let o = run(&[&["test", "--trace", "--json", json], what].concat());
        assert_eq!(code(&o), 0, "{}{}", stdout(&o), stderr(&o));
        stdout(&o).lines().filter(|l| l.starts_with("hart ")).count()
    };
    let one = printed(&[&files[0]]);
    assert!(one > 0);
    assert_eq!(printed(&[&files[0], &files[1]]), 2 * one);
    let o = run(&["test", &files[0], &files[1], "--json", json]);
    assert_eq!(code(&o), 0, "{}{}", stdout(&o), stderr(&o));
    let v: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&report).unwrap()).unwrap();
    assert!(v["scenarios"][0]["violations"].is_array(), "{v}");
    assert_eq!(v["scenarios"][0]["violations"], v["scenarios"][2]["violations"]);
}

#[test]
fn exemptions_of_a_file_hold_for_its_scenarios_and_are_read_from_where_it_is() {
    let d = Dir::new("scenario-exempt");
    let steps = "[[scenario]]\nname = \"one\"\nsteps = [{ until = { symbol = \"handler\" } }, { oracles = \"all\" }]\n";
    d.file("e.toml", b"[[exempt]]\noracle = \"E2\"\nfield = \"hstatus\"\nreason = \"known\"\n");
    d.file("other.toml", b"[[exempt]]\noracle = \"E2\"\nfield = \"sstatus\"\nreason = \"known\"\n");
    d.file("bad.toml", b"\n[[exempt]]\noracle = \"E99\"\nreason = \"known\"\n");
    for (name, exit, words) in
        [("e", 0, "1 passed"), ("other", 6, "E2 entry"), ("bad", 2, "bad.toml:3: there is no oracle 'E99'")]
    {
        let f = stale(&d, "s.toml", &format!("exempt = \"{name}.toml\"\n"), steps);
        let o = run(&["test", &f, "-o", &output(&d)]);
        let said = stdout(&o) + &stderr(&o);
        assert_eq!(code(&o), exit, "{name}: {said}");
        assert!(said.contains(words), "{name}: {said}");
    }
}

#[test]
fn mistakes_in_a_file_are_told_with_line_and_remedy_before_anything_runs() {
    let d = Dir::new("scenario-bad");
    for (i, (text, line, words)) in [
        ("[[scenario]]\nname = \"a\"\nsteps = [{ expct = \"x\" }]\n", 7, "expct"),
        ("[[scenario]]\nname = \"a\"\nsteps = [{ until = { symbol = \"x\", color = 1 } }]\n", 7, "color"),
        ("[[scenario]]\nname = \"a\"\nsteps = [\n{ until = { symbol = \"x\", cycles = 1 } }]\n", 8, "one moment"),
        ("[[scenario]]\nname = \"a\"\nsteps = [\n\n{ check = { csr = { \"mstatus.XYZ\" = 1 } } }]\n", 9, "mstatus.XYZ"),
        ("[[scenario]]\nname = \"a\"\nsteps = [{ check = { hart = 4, mode = \"M\" } }]\n", 7, "no hart 4"),
        ("[[scenario]]\nname = \"a\"\nsteps = [{ check = { hart = 0 } }]\n", 7, "nothing to compare"),
        ("[[scenario]]\nname = \"a\"\nsteps = [{ end = { how = \"well\" } }]\n", 7, "power-off"),
        ("[[scenario]]\nname = \"a\"\nsteps = [{ inject = { event = \"tuesday\" } }]\n", 7, "ras-high"),
        ("[[scenario]]\nname = \"a\"\nguest = { colour = 3 }\nsteps = []\n", 7, "colour"),
        ("[[scenario]]\nname = \"a\"\nguest = { smp = 99 }\nsteps = []\n", 7, "1 to 32"),
        ("[[scenario]]\nname = \"a\"\nsteps = []\n[[scenario]]\nname = \"a\"\nsteps = []\n", 9, "taken"),
        ("[[scenario]]\nname = \"a\"\nafter = \"b\"\nsteps = []\n", 7, "'b'"),
        ("[[scenario]]\nname = \"a\"\nsteps = [{ until = { instret = -1 } }]\n", 7, "-1"),
        ("[[scenario]]\nname = \"a\"\nsteps = [{ until = { trap = \"page fualt\" } }]\n", 7, "no cause 'page fualt'"),
        ("[[scenario]]\nname = \"a\"\nsteps = [{ oracles = \"all,E77\" }]\n", 7, "no oracle 'E77'"),
        ("[[scenario]]\nname = \"a\"\nsteps = [{ oracles = \"\" }]\n", 7, "no oracle is named"),
        ("[[scenario]]\nname = \"a\"\nsteps = [{ oracles = \"E22\" }]\n", 7, "executed once"),
        ("[[scenario]]\nname = \"a\"\nsteps = [{ violated = { oracle = \"all\", colour = 1 } }]\n", 7, "colour"),
        ("[[scenario]]\nname = \"a\"\nsteps = [{ violated = { oracle = \"all\", count = 0 } }]\n", 7, "'count' is 0"),
        ("[[scenario]]\nname = \"a\"\nsteps = [{ until = { violation = \"sometimes\" } }]\n", 7, "no oracle 'sometimes'"),
        ("[[scenario\n", 5, "remedy"),
    ]
    .into_iter()
    .enumerate()
    {
        let f = echo(&d, &format!("b{i}.toml"), text);
        let o = run(&["test", &f, "-o", &output(&d)]);
        let said = stderr(&o);
        assert_eq!(code(&o), 2, "{text}: {}{said}", stdout(&o));
        assert!(said.contains(&format!("b{i}.toml:{line}: ")), "{text}: {said}");
        assert!(said.contains(words) && said.contains("remedy: "), "{text}: no {words:?} in {said}");
        assert!(o.stdout.is_empty(), "{text}");
    }
    assert_eq!(code(&run(&["test", "/nonexistent.toml"])), 3);
    assert_eq!(code(&run(&["test", OWN, "--only", "no such scenario"])), 2);
    assert_eq!(code(&run(&["test", OWN, "--shard", "3/2"])), 2);
}

#[test]
fn scenarios_that_begin_after_another_share_its_machine_and_not_each_others() {
    let d = Dir::new("scenario-after");
    let f = echo(
        &d,
        "after.toml",
        "[[scenario]]\nname = \"up\"\nsteps = [{ expect = \"ready\" }, { send = \"a\" }, { expect = \"b\" }]\n\
         [[scenario]]\nname = \"x\"\nafter = \"up\"\nsteps = [{ send = \"x\" }, { expect = \"y\" }, { lacks = \"ready\" }]\n\
         [[scenario]]\nname = \"z\"\nafter = \"up\"\nsteps = [{ send = \"q\" }, { end = { how = \"power-off\", code = 0 } }, { lacks = \"y\\u0000\" }]\n\
         [[scenario]]\nname = \"broken\"\nsteps = [{ lacks = \"never\" }, { end = { how = \"reset\" } }]\n\
         [[scenario]]\nname = \"behind it\"\nafter = \"broken\"\nsteps = []\n",
    );
    let report = d.0.join("r.json");
    let o = run(&["test", &f, "-o", &output(&d), "--json", report.to_str().unwrap()]);
    let text = stdout(&o);
    assert_eq!(code(&o), 6, "{text}{}", stderr(&o));
    assert!(text.contains("passed   ") && text.contains("#z ") && text.contains("2 passed, 2 failed, 1 skipped"), "{text}");
    let v: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
    assert_eq!(v["scenarios"].as_array().unwrap().len(), 5);
    assert_eq!(v["scenarios"][4]["verdict"], "skipped");
    // The log of a scenario that began in the middle is the run from power-on.
    let log = text.lines().find_map(|l| l.trim().strip_prefix("again: trapeze replay ")).unwrap();
    let again = run(&["replay", log]);
    assert_eq!(code(&again), 0, "{}", stderr(&again));
    assert!(stdout(&again).starts_with("ready"), "{}", stdout(&again));
}

#[test]
fn shards_share_the_scenarios_and_the_environment_chooses_one() {
    let list = |more: &[&str], env: &[(&str, &str)]| {
        let mut c = trapeze(&[&["test", OWN, "--list"], more].concat());
        env.iter().for_each(|(k, v)| {
            c.env(k, v);
        });
        let o = c.output().unwrap();
        assert_eq!(code(&o), 0, "{}", stderr(&o));
        stdout(&o).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let all = list(&[], &[]);
    let parts = [list(&["--shard", "1/3"], &[]), list(&["--shard", "2/3"], &[]), list(&["--shard", "3/3"], &[])];
    let mut joined = parts.concat();
    joined.sort();
    let mut sorted = all.clone();
    sorted.sort();
    assert_eq!(joined, sorted);
    assert!(parts.iter().all(|p| !p.is_empty()));
    let kubernetes = [("JOB_COMPLETION_INDEX", "1"), ("JOB_COMPLETIONS", "3")];
    assert_eq!(list(&[], &kubernetes), parts[1]);
    let slurm = [("SLURM_ARRAY_TASK_ID", "7"), ("SLURM_ARRAY_TASK_MIN", "5"), ("SLURM_ARRAY_TASK_COUNT", "3")];
    assert_eq!(list(&[], &slurm), parts[2]);
    // Those that begin after one another stay together.
    let has = |p: &Vec<String>| p.iter().filter(|l| l.contains("linux.toml")).count();
    assert!(parts.iter().any(|p| has(p) == has(&all)));
}

#[test]
fn junit_and_json_say_what_the_text_says_whatever_the_guest_printed() {
    let d = Dir::new("scenario-reports");
    let f = echo(
        &d,
        "r.toml",
        "[[scenario]]\nname = \"<good> & \\\"quoted\\\"\"\nsteps = [{ expect = \"ready\" }]\n\
         [[scenario]]\nname = \"bad\"\nsteps = [{ expect = \"\\u0001]]><&\" }]\n",
    );
    let (xml, json) = (d.0.join("r.xml"), d.0.join("r.json"));
    let o = run(&["test", &f, "-q", "-o", &output(&d), "--junit", xml.to_str().unwrap(), "--json", json.to_str().unwrap()]);
    assert_eq!(code(&o), 6);
    assert!(!stdout(&o).contains("passed   "), "--quiet prints failures alone: {}", stdout(&o));
    let text = std::fs::read_to_string(xml).unwrap();
    let mut reader = quick_xml::Reader::from_str(&text);
    let (mut cases, mut failures) = (0, 0);
    // Elements, their attributes, and in capitals those that must be there: the schema of Jenkins' reader, junit-10.xsd.
    let schema = [
        ("testsuites", "name time tests failures errors"),
        ("testsuite", "NAME TESTS FAILURES ERRORS group time skipped timestamp hostname id package file log url version"),
        ("testcase", "NAME time classname group"),
        ("failure", "type message"),
        ("skipped", "type message"),
    ];
    loop {
        match reader.read_event().expect("well-formed XML") {
            quick_xml::events::Event::Eof => break,
            quick_xml::events::Event::Start(e) | quick_xml::events::Event::Empty(e) => {
                let name = e.name().as_ref().to_owned();
                let (_, allowed) = schema.iter().find(|(n, _)| *n == name).unwrap_or_else(|| panic!("an element {name}"));
                let given: Vec<String> = e.attributes().map(|a| a.unwrap().key.as_ref().to_owned()).collect();
                let words = |capital: bool| allowed.split(' ').filter(move |w| w.to_uppercase() == **w || !capital);
                assert!(given.iter().all(|g| words(false).any(|w| w.to_lowercase() == *g)), "{name}: {given:?}");
                assert!(words(true).all(|w| given.contains(&w.to_lowercase())), "{name}: {given:?}");
                match name.as_str() {
                    "testcase" => cases += 1,
                    "failure" => failures += 1,
                    _ => {}
                }
            }
            _ => {}
        }
    }
    assert_eq!((cases, failures), (2, 1), "{text}");
    assert!(text.contains("name=\"&lt;good&gt; &amp; &quot;quoted&quot;\""), "{text}");
    assert!(!text.contains('\u{1}'), "a character that XML cannot have");
    let v: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!((&v["passed"], &v["failed"], &v["schema"]), (&1.into(), &1.into(), &"trapeze-test-1".into()));
    assert_eq!(v["scenarios"][1]["failure"]["line"], 10);
}

#[test]
fn results_do_not_depend_on_how_many_run_at_a_time() {
    let d = Dir::new("scenario-jobs");
    let results = |jobs: &str| {
        let json = d.0.join(format!("{jobs}.json"));
        let o = run(&["test", OWN, "-j", jobs, "-o", &output(&d), "--json", json.to_str().unwrap()]);
        assert_eq!(code(&o), 0, "{}", stdout(&o));
        // Each line ends in the time that it took.
        let said: Vec<String> = stdout(&o).lines().map(|l| l.split(" (").next().unwrap().to_owned()).collect();
        let v: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
        let one = |s: &serde_json::Value| (s["name"].clone(), s["verdict"].clone(), s["instret"].clone(), s["cycles"].clone());
        (said, v["scenarios"].as_array().unwrap().iter().map(one).collect::<Vec<_>>())
    };
    assert_eq!(results("1"), results("4"));
}

#[test]
fn an_injection_at_a_symbol_of_several_harts_replays_from_its_log() {
    let d = Dir::new("scenario-inject");
    let kernel = concat!(env!("CARGO_MANIFEST_DIR"), "/../roms/lab/hyp.elf");
    let f = d.file(
        "i.toml",
        format!(
            "[guest]\nkernel = \"{kernel}\"\nsmp = 2\nmemory = \"64M\"\n[[scenario]]\nname = \"i\"\nsteps = [\n\
             {{ until = {{ symbol = \"window_begin\", hart = 0 }} }},\n{{ inject = {{ name = \"x\", args = [0, 5, \"0x1234\"] }} }},\n\
             {{ check = {{ registers = {{ t0 = 0x1234 }} }} }},\n{{ check = {{ mode = \"M\" }} }} ]\n"
        )
        .as_bytes(),
    );
    let o = run(&["test", &f, "-o", &output(&d)]);
    let text = stdout(&o);
    assert_eq!(code(&o), 6, "{text}{}", stderr(&o));
    assert!(text.contains("mode: expected M"), "{text}");
    let log = text.lines().find_map(|l| l.trim().strip_prefix("again: trapeze replay ")).expect("a command that replays it");
    assert_eq!(code(&run(&["replay", log])), 0);
}

#[test]
fn hostile_files_are_refused_and_write_nothing_where_they_should_not() {
    let d = Dir::new("scenario-hostile");
    let refused = |file: &str, words: &str| {
        let o = run(&["test", file, "-o", &output(&d)]);
        let said = stderr(&o);
        assert_eq!(code(&o), 2, "{file}: {}{said}", stdout(&o));
        assert!(said.contains(words) && said.contains("remedy: ") && o.stdout.is_empty(), "{file}: no {words:?} in {said}");
    };
    // Each after itself, after one further down, and in a circle.
    let s = |name: &str, after: &str| format!("[[scenario]]\nname = \"{name}\"\nafter = \"{after}\"\nsteps = []\n");
    refused(&echo(&d, "self.toml", &s("a", "a")), "no scenario 'a' stands before");
    refused(&echo(&d, "circle.toml", &(s("a", "b") + &s("b", "a"))), "no scenario 'b' stands before");
    // A chain that would need as many machines.
    let first = "[[scenario]]\nname = \"0\"\nsteps = []\n".to_owned();
    let chain: String = (1..10_000).map(|n| s(&n.to_string(), &(n - 1).to_string())).collect();
    refused(&echo(&d, "chain.toml", &(first + &chain)), "more than 32 scenarios");
    // Endless, too large, nested, not text.
    refused("/dev/zero", "larger than any scenario");
    refused(&d.file("large.toml", &vec![b'#'; 2 << 20]), "larger than any scenario");
    refused(&echo(&d, "deep.toml", &format!("x = {}\n", "[".repeat(100_000))), "deep.toml:5");
    refused(&d.file("binary.toml", &[0xff, 0xfe, 0, 1]), "valid UTF-8");
    refused(
        &d.file("exempt.toml", format!("exempt = \"/dev/zero\"\n{ECHO}[[scenario]]\nname = \"a\"\nsteps = []\n").as_bytes()),
        "exemptions",
    );
    // Numbers as large as they can be end in time, and a name is no path.
    let huge = "[[scenario]]\nname = \"../../escaped/\\u0000name\"\nwithin = \"0xffffffffffffffff\"\n\
                steps = [{ within = 100000 }, { until = { symbol = \"_start\", nth = 9223372036854775807 } }]\n";
    let o = run(&["test", &echo(&d, "huge.toml", huge), "-o", &output(&d)]);
    assert_eq!(code(&o), 6, "{}{}", stdout(&o), stderr(&o));
    let left: Vec<String> =
        std::fs::read_dir(output(&d)).unwrap().map(|f| f.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert!(!left.is_empty() && left.iter().all(|n| n.starts_with("huge-6-")), "{left:?}");
    assert!(!d.0.join("escaped").exists() && !d.0.join("out/escaped").exists());
}

#[test]
fn files_of_one_name_in_two_directories_keep_each_its_own_and_none_runs_twice() {
    let d = Dir::new("scenario-same");
    for (dir, word) in [("one", "first"), ("two", "second")] {
        std::fs::create_dir(d.0.join(dir)).unwrap();
        echo(&d, &format!("{dir}/a.toml"), &format!("[[scenario]]\nname = \"same\"\nsteps = [{{ expect = \"{word}\" }}]\n"));
    }
    let dir = d.0.to_str().unwrap();
    let again = d.0.join("one/../two/a.toml");
    let o = run(&["test", dir, again.to_str().unwrap(), "-o", &output(&d)]);
    assert!(stdout(&o).contains("0 passed, 2 failed"), "{}", stdout(&o));
    let logs: Vec<String> = stdout(&o)
        .lines()
        .filter_map(|l| l.trim().strip_prefix("kept: ").filter(|f| f.ends_with(".tlog")).map(str::to_owned))
        .collect();
    let said: Vec<String> = logs.iter().map(|l| stdout(&run(&["log", "dump", l]))).collect();
    assert!(logs.len() == 2 && ["first", "second"].iter().all(|w| said.iter().any(|s| s.contains(w))), "{logs:?} {said:?}");
}
