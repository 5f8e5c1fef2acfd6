//! The pages that show what commands print: each command is run, and what is shown must be in what it prints.
//!
//! In a `console` block, `$ trapeze ...` is run in a directory that has the repository's `roms` and `tests`, and `$ cat >FILE <<'EOF'` writes a
//! file there. Lines below a command must be lines of its output, in this order; `...` stands for any others, at a line's end for its rest.
#![allow(missing_docs, clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod common;
// Not all of it is needed here.
#[allow(dead_code)]
#[path = "common/rsp.rs"]
mod rsp;
use common::*;
use rsp::{Rsp, bytes};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A command of a page with the lines shown below it, and the page's line.
struct Shown {
    line: usize,
    command: String,
    input: Option<String>,
    lines: Vec<String>,
}

fn commands(page: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    let mut inside = false;
    let mut lines = page.lines().enumerate();
    while let Some((n, line)) = lines.next() {
        match (inside, line) {
            (false, "```console") => inside = true,
            (true, "```") => inside = false,
            (true, l) => match l.strip_prefix("$ ") {
                Some(c) => {
                    let mut command = c.to_owned();
                    while command.ends_with('\\') {
                        command.truncate(command.len() - 1);
                        command += lines.next().expect("a line that goes on").1.trim_start();
                    }
                    let input = command.contains("<<'EOF'").then(|| {
                        lines.by_ref().map(|(_, l)| l).take_while(|l| *l != "EOF").fold(String::new(), |t, l| t + l + "\n")
                    });
                    all.push(Shown { line: n + 1, command, input, lines: Vec::new() });
                }
                None => all.last_mut().expect("a command first").lines.push(l.to_owned()),
            },
            (false, _) => {}
        }
    }
    all
}

/// A line without what changes when a program of `roms` is built anew: addresses, offsets in functions, numbers of steps and entries.
fn plain(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let digits = |from: &str, hex: bool| {
            from.bytes().take_while(|b| if hex { b.is_ascii_hexdigit() } else { b.is_ascii_digit() }).count()
        };
        let prefix = ["+0x", "0x", "#", "@", "step ", "instruction ", "cycle "].into_iter().find(|p| rest.starts_with(p));
        let n = prefix.map_or(0, |p| digits(&rest[p.len()..], p.ends_with('x')));
        match prefix {
            // Small hexadecimal numbers are values.
            Some(p) if n > 0 && (p != "0x" || n > 5) => {
                out += p;
                out.push('_');
                rest = rest[p.len() + n..].trim_start_matches(' ');
            }
            _ => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

/// Words as a shell takes them, with single quotes.
fn words(command: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut quoted = false;
    for c in command.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => out.push(String::new()),
            c => out.last_mut().unwrap().push(c),
        }
    }
    out.retain(|w| !w.is_empty());
    out
}

fn check(page: &str) -> usize {
    let text = std::fs::read_to_string(format!("{ROOT}/docs/{page}")).unwrap();
    let d = Dir::new(&format!("book-{}", page.replace('/', "-")));
    for dir in ["roms", "tests"] {
        std::os::unix::fs::symlink(std::fs::canonicalize(format!("{ROOT}/{dir}")).unwrap(), d.0.join(dir)).unwrap();
    }
    let all = commands(&text);
    for shown in &all {
        let place = format!("docs/{page}:{}: {}", shown.line, shown.command);
        if let Some(input) = &shown.input {
            let file = shown.command.strip_prefix("cat >").and_then(|c| c.split_whitespace().next()).expect(&place);
            std::fs::write(d.0.join(file), input).unwrap();
            continue;
        }
        let w = words(&shown.command);
        assert_eq!(w[0], "trapeze", "{place}");
        let args: Vec<&str> = w[1..].iter().map(String::as_str).collect();
        let o = trapeze(&args).current_dir(&d.0).output().unwrap();
        let printed = stdout(&o) + &stderr(&o);
        let mut lines = printed.lines();
        for want in shown.lines.iter().filter(|l| l.trim() != "...") {
            let there = lines.any(|l| match want.strip_suffix("...") {
                Some(begin) => plain(l).starts_with(&plain(begin)),
                None => plain(l).trim_end() == plain(want).trim_end(),
            });
            assert!(there, "{place}\nno longer prints (in this order):\n{want}\nbut:\n{printed}");
        }
    }
    all.len()
}

#[test]
fn the_pages_of_the_bugs_show_what_the_tool_prints() {
    let mut commands = 0;
    for file in std::fs::read_dir(format!("{ROOT}/docs/bugs")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let run = check(&format!("bugs/{name}"));
        assert!(run >= 1 || name == "README.md", "docs/bugs/{name} has no example");
        commands += run;
    }
    assert!(commands >= 23, "{commands} commands");
}

#[test]
fn the_tutorial_can_be_followed_by_typing() {
    assert!(check("tutorial.md") >= 5);
}

/// Other pages with such blocks; a page that gets its first one is put here.
const PAGES: [&str; 7] = ["using.md", "trace.md", "oracles.md", "sse.md", "diff-firmware.md", "timeline.md", "snapshots.md"];

#[test]
fn the_examples_of_the_other_pages_print_what_the_pages_show() {
    for page in PAGES {
        assert!(check(page) >= 1, "docs/{page} has no example");
    }
}

#[test]
fn every_page_with_an_example_is_run() {
    for file in std::fs::read_dir(format!("{ROOT}/docs")).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        if name.ends_with(".md") && name != "tutorial.md" && std::fs::read_to_string(file.path()).unwrap().contains("```console")
        {
            assert!(PAGES.contains(&name.as_str()), "docs/{name} has examples that no test runs");
        }
    }
}

#[test]
fn a_command_that_prints_something_else_would_be_noticed() {
    let page = "```console\n$ trapeze run a 'b c'\none\n...\ntwo...\n```\n";
    let all = commands(page);
    assert_eq!(words(&all[0].command), ["trapeze", "run", "a", "b c"]);
    assert_eq!(all[0].lines, ["one", "...", "two..."]);
    let moved = plain("#18 hart 0 @33 trap at 0x80200010 <f+0x10>: hstatus.SPV 0x0 -> 0x1");
    assert_eq!(moved, plain("#7  hart 0 @5 trap at 0x80200444 <f+0x8>: hstatus.SPV 0x0 -> 0x1"));
    assert_ne!(moved, plain("#7  hart 0 @5 trap at 0x80200444 <f+0x8>: hstatus.SPV 0x1 -> 0x1"));
}

#[test]
fn the_way_back_from_a_violation_to_who_wrote_the_field_is_as_the_page_shows() {
    let page = std::fs::read_to_string(format!("{ROOT}/docs/debugging.md")).unwrap();
    let mut block = page.lines().skip_while(|l| !l.starts_with("    $ trapeze debug --check all -- -kernel roms"));
    let first = block.next().expect("the session's first line");
    let args = words(first.trim().strip_prefix("$ trapeze debug ").unwrap()).into_iter();
    let args: Vec<String> = args.map(|a| if a.starts_with("roms/") { format!("{ROOT}/{a}") } else { a }).collect();
    let mut g = Rsp::start("book-debugging", &["debug"], &args.iter().map(String::as_str).collect::<Vec<_>>());
    let mut printed = Vec::new();
    let mut typed = 0;
    for line in block.take_while(|l| !l.is_empty()).map(|l| l.strip_prefix("    ").expect("a block")) {
        let Some(command) = line.strip_prefix("(gdb) ") else {
            let at = printed.iter().position(|p: &String| plain(p) == plain(line));
            let at = at.unwrap_or_else(|| panic!("{line}\nis not among\n{}", printed.join("\n")));
            printed.drain(..=at);
            continue;
        };
        typed += 1;
        let text = match command {
            "continue" | "reverse-continue" => {
                let said = g.ask(if command == "continue" { "vCont;c" } else { "bc" });
                assert!(g.answer().starts_with("T05"), "{command}");
                String::from_utf8(bytes(said.strip_prefix('O').expect("words for the user"))).unwrap()
            }
            other => g.monitor(other.strip_prefix("monitor ").expect("a command that the test knows")),
        };
        printed = text.lines().map(str::to_owned).collect();
    }
    assert!(typed >= 5, "{typed} commands");
}
