//! The GDB server, spoken to in GDB's own protocol.
#![allow(missing_docs, clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod common;
#[path = "common/rsp.rs"]
mod rsp;
use common::*;
use rsp::{CSR0, Rsp, bytes};

fn start(test: &str, program: &str, more: &[&str]) -> Rsp {
    let file = rom(program);
    let mut args = vec!["-S", "-bios", "none", "-kernel", file.as_str(), "--quiet"];
    args.extend(more);
    Rsp::start(test, &["run"], &args)
}

#[test]
fn harts_are_threads_and_registers_have_names_from_the_csr_table() {
    let mut g = start("gdb-threads", "spin", &["-smp", "3"]);
    assert_eq!(g.ask("qfThreadInfo"), "mp01.01,p01.02,p01.03");
    assert_eq!(g.ask("qsThreadInfo"), "l");
    let info = g.ask("qThreadExtraInfo,p1.2");
    assert!(String::from_utf8(bytes(&info)).unwrap().starts_with("hart 1, M-mode"), "{info}");
    let xml = g.file("features:read:target.xml");
    for name in ["mstatus", "hstatus", "hgatp", "vsatp", "stimecmp", "priv", "virt", "fa0"] {
        assert!(xml.contains(&format!("<reg name=\"{name}\"")), "{name}");
    }
    assert_eq!(g.register(CSR0 + 0xf14), 0, "mhartid");
    assert_eq!(g.ask("Hgp1.3"), "OK");
    assert_eq!(g.register(CSR0 + 0xf14), 2, "mhartid of the third");
    assert_eq!(g.register(CSR0 + 4096), 3, "priv");
    assert_eq!(g.register(CSR0 + 4097), 0, "virt");
    // hstatus and a floating-point register can be written; mhartid cannot.
    let word = |v: u64| v.to_le_bytes().iter().fold(String::new(), |s, b| format!("{s}{b:02x}"));
    assert_eq!(g.ask(&format!("P{:x}={}", CSR0 + 0x600, word(1 << 7))), "OK");
    assert_eq!(g.register(CSR0 + 0x600) & 1 << 7, 1 << 7, "hstatus.SPV");
    assert_eq!(g.ask(&format!("P{:x}={}", 33 + 10, word(0x1234))), "OK");
    assert_eq!(g.register(33 + 10), 0x1234);
    assert!(g.ask(&format!("P{:x}={}", CSR0 + 0xf14, word(7))).starts_with('E'));
    g.send("k");
    assert_eq!(g.wait(), 0);
}

#[test]
fn steps_breakpoints_and_an_interrupt_from_the_debugger() {
    let mut g = start("gdb-steps", "spin", &[]);
    // The loop of two instructions.
    let loop_ = loop {
        let pc = g.pc();
        let a0 = g.register(10);
        assert_eq!(g.ask("vCont;s:p1.1;c"), "T05thread:p01.01;");
        if g.register(10) == a0 + 1 {
            break pc;
        }
    };
    assert_eq!(g.ask(&format!("Z0,{loop_:x},2")), "OK");
    let before = g.register(10);
    for n in 0..3 {
        assert_eq!(g.ask("vCont;c"), "T05thread:p01.01;swbreak:;");
        assert_eq!((g.pc(), g.register(10)), (loop_, before + n));
    }
    assert_eq!(g.ask(&format!("z0,{loop_:x},2")), "OK");
    assert_eq!(g.ask(&format!("Z1,{loop_:x},2")), "OK");
    assert_eq!(g.ask("vCont;c"), "T05thread:p01.01;hwbreak:;");
    assert_eq!(g.ask(&format!("z1,{loop_:x},2")), "OK");
    // Nothing stops it now but Ctrl-C.
    g.send("vCont;c");
    g.interrupt();
    assert_eq!(g.answer(), "T02thread:p01.01;");
    assert!(g.register(10) >= before + 2);
    // A debugger that detaches leaves a guest that runs; the limit ends it.
    assert_eq!(g.ask("D;1"), "OK");
    assert_eq!(g.answer(), "", "the connection is closed");
}

#[test]
fn a_debugged_run_is_the_run_without_debugger() {
    let plain = run_rom("spin", &["--limit", "3000", "--hash"]);
    let mut g = start("gdb-same", "spin", &["--limit", "3000", "--hash"]);
    let pc = g.pc();
    assert_eq!(g.ask(&format!("Z0,{:x},2", pc + 4)), "OK");
    for _ in 0..20 {
        assert_eq!(g.ask("vCont;c"), "T05thread:p01.01;swbreak:;");
        assert_eq!(g.ask("vCont;s:p1.1;c"), "T05thread:p01.01;");
    }
    assert_eq!(g.ask(&format!("m{pc:x},4")).len(), 8);
    assert_eq!(g.ask(&format!("z0,{:x},2", pc + 4)), "OK");
    assert_eq!(g.ask("vCont;c"), "W05");
    assert_eq!(g.wait(), 5);
    let mut out = String::new();
    std::io::Read::read_to_string(&mut g.child.stdout.take().unwrap(), &mut out).unwrap();
    assert!(out.starts_with("state hash: "), "{out}");
    assert_eq!(out, stdout(&plain));
}

#[test]
fn memory_is_virtual_or_physical_and_devices_are_left_alone() {
    let mut g = start("gdb-memory", "pass", &[]);
    let pc = g.pc();
    let code = g.ask(&format!("m{pc:x},4"));
    assert_eq!(code.len(), 8);
    assert_eq!(g.ask("qqemu.PhyMemMode"), "0");
    assert_eq!(g.ask("Qqemu.PhyMemMode:1"), "OK");
    assert_eq!(g.ask("qqemu.PhyMemMode"), "1");
    assert_eq!(g.ask("m80000000,4"), code);
    assert!(g.ask("m10000000,1").starts_with('E'), "the serial port");
    assert!(g.ask("m0,8").starts_with('E'));
    assert_eq!(g.ask("M80100000,2:beef"), "OK");
    assert_eq!(g.ask("m80100000,2"), "beef");
    assert!(g.monitor("xp 0x80100000 2").contains("be ef"));
    assert_eq!(g.ask("vCont;c"), "W00");
    assert_eq!(g.wait(), 0);
}

#[test]
fn a_watchpoint_stops_before_the_access_and_a_trap_loop_can_be_looked_at() {
    let mut g = start("gdb-watch", "pass", &[]);
    // Stores to the serial port: a watched address need not be memory.
    assert_eq!(g.ask("Z2,10000000,1"), "OK");
    for _ in 0..3 {
        assert_eq!(g.ask("vCont;c"), "T05thread:p01.01;watch:10000000;");
        assert_eq!(g.register(5), 0x1000_0000, "t0");
    }
    assert_eq!(g.ask("vCont;c"), "W00");
    let mut g = start("gdb-loop", "traploop", &[]);
    g.send("vCont;c");
    let said = g.answer();
    assert!(String::from_utf8(bytes(&said[1..])).unwrap().contains("traps for ever"), "{said}");
    assert_eq!(g.answer(), "T06thread:p01.01;");
    assert_eq!(g.pc(), 0x10_0000_0000);
    assert!(g.monitor("traps 3").contains("instruction access fault"), "{}", g.monitor("traps 3"));
    assert!(g.monitor("why mcause").contains("mcause = 0x1"));
    assert!(g.monitor("help").contains("traps [N]"));
    g.send("k");
    assert_eq!(g.wait(), 0);
}

#[test]
fn stops_hold_over_a_reboot_of_the_guest() {
    let mut g = start("gdb-reboot", "reboot", &[]);
    let pc = g.pc();
    assert_eq!(g.ask(&format!("Z0,{pc:x},2")), "OK");
    assert!(g.ask("vCont;c").contains("swbreak"), "where it starts");
    assert!(g.ask("vCont;c").contains("swbreak"), "where it starts again");
    g.send("k");
    assert_eq!(g.wait(), 0);
}

#[test]
fn a_place_that_cannot_be_used_is_refused_before_the_guest_starts() {
    let file = rom("pass");
    for (place, want) in [("tcp::99999", 2), ("stdio", 2), ("unix:/nowhere/at/all/s", 3)] {
        let o = run(&["run", "-bios", "none", "-kernel", &file, "-gdb", place]);
        assert_eq!(code(&o), want, "{place}: {}", stderr(&o));
    }
    let o = run(&["run", "-bios", "none", "-kernel", &file, "-S"]);
    assert_eq!(code(&o), 2, "nobody could start it: {}", stderr(&o));
}

#[test]
fn a_run_with_a_history_goes_back_and_forth() {
    let file = rom("spin");
    let mut g = Rsp::start("gdb-back", &["debug"], &["--spacing", "500", "--", "-bios", "none", "-kernel", &file]);
    assert!(g.features.contains("ReverseStep+") && g.features.contains("ReverseContinue+"), "{}", g.features);
    let pc = g.pc();
    assert_eq!(g.ask("bs"), "T05thread:p01.01;replaylog:begin;", "nothing is before the beginning");
    assert_eq!(g.ask(&format!("Z0,{pc:x},4")), "OK");
    for n in 0..20 {
        assert_eq!(g.ask("vCont;c"), "T05thread:p01.01;swbreak:;");
        assert_eq!(g.register(10), n);
    }
    assert_eq!(g.monitor("goto 5000").split(' ').nth(1), Some("5000"));
    let hash = g.monitor("hash");
    for n in [2499, 2498, 2497] {
        assert_eq!(g.ask("bc"), "T05thread:p01.01;swbreak:;");
        assert_eq!((g.pc(), g.register(10)), (pc, n));
    }
    assert_eq!(g.monitor("goto 5000").split(' ').nth(1), Some("5000"));
    assert_eq!(g.monitor("hash"), hash);
    // Steps, back and forward.
    assert_eq!(g.ask(&format!("z0,{pc:x},4")), "OK");
    let places: Vec<u64> = (0..7)
        .map(|_| {
            let at = g.pc();
            assert_eq!(g.ask("bs"), "T05thread:p01.01;");
            at
        })
        .collect();
    for at in places.iter().rev() {
        assert_eq!(g.ask("vCont;s:p1.1;c"), "T05thread:p01.01;");
        assert_eq!(g.pc(), *at);
    }
    assert_eq!(g.monitor("hash"), hash);
    // A change becomes part of the history.
    let word: String = 7u64.to_le_bytes().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(g.ask(&format!("P9={word}")), "OK");
    assert_eq!(g.ask("vCont;s:p1.1;c"), "T05thread:p01.01;");
    assert_eq!(g.ask("bs"), "T05thread:p01.01;");
    assert_eq!(g.register(9), 7);
    assert_eq!(g.ask("bs"), "T05thread:p01.01;");
    assert_eq!(g.register(9), 0);
    assert!(g.monitor("snapshots").contains("checkpoints"));
    assert!(g.monitor("position").starts_with("instruction 4999"));
    g.send("k");
    assert_eq!(g.answer(), "OK");
    assert_eq!(g.wait(), 0);
}

#[test]
fn what_is_refused_leaves_the_future_as_it_was() {
    let file = rom("spin");
    let mut g = Rsp::start("gdb-refused", &["debug"], &["--", "-bios", "none", "-kernel", &file]);
    let to_come = |g: &mut Rsp| {
        // A movement is what would forget it.
        assert_eq!(g.ask("vCont;s:p1.1;c"), "T05thread:p01.01;");
        assert_eq!(g.ask("bs"), "T05thread:p01.01;");
        g.monitor("position").trim().rsplit_once(" checkpoints, ").unwrap().1.to_owned()
    };
    g.monitor("goto 2000");
    assert_eq!(g.monitor("inject ssip 0"), "done\n");
    g.monitor("goto 1000");
    assert_eq!(to_come(&mut g), "1 recorded events to come");
    let cycle = format!("P{:x}=0000000000000000", CSR0 + 0xc00);
    let privilege = format!("P{:x}=0200000000000000", CSR0 + 4096);
    for (packet, answer) in [(cycle.as_str(), "E16"), (&privilege, "E16"), ("M0,4:00000000", "E0e"), ("X80000000,0:", "OK")] {
        assert_eq!(g.ask(packet), answer, "{packet}");
        assert_eq!(to_come(&mut g), "1 recorded events to come", "{packet}");
    }
    for (line, why) in [("inject nothing", "there is no such event"), ("inject msip 9 1", "there is no hart 9")] {
        let said = g.monitor(line);
        assert!(said.starts_with("refused: cannot inject") && said.contains(why), "{said}");
        assert_eq!(to_come(&mut g), "1 recorded events to come", "{line}");
    }
    // What is done does change it.
    assert_eq!(g.ask("M80001000,1:00"), "OK");
    assert_eq!(to_come(&mut g), "0 recorded events to come");
}

#[test]
fn a_step_from_a_breakpoint_that_was_not_told_is_a_step() {
    let file = rom("spin");
    let mut g = Rsp::start("gdb-at-break", &["debug"], &["--", "-bios", "none", "-kernel", &file]);
    g.monitor("goto 9");
    let pc = g.pc();
    assert_eq!(g.ask(&format!("Z0,{pc:x},2")), "OK");
    // GDB takes its breakpoints out to step over one.
    for (out, step) in [(false, "vCont;s:p1.1;c"), (true, "vCont;s:p1.1")] {
        g.monitor("goto 9");
        if out {
            assert_eq!(g.ask(&format!("z0,{pc:x},2")), "OK");
        }
        assert_eq!(g.ask(step), "T05thread:p01.01;");
        assert!(g.monitor("position").starts_with("instruction 10 "), "{step}");
    }
}

#[test]
fn a_step_with_all_others_locked_is_answered_for_its_own_hart() {
    // GDB ends with an assertion if it hears of another thread while it steps one over a breakpoint that it has taken out.
    let file = rom("spin");
    let options = ["-bios", "none", "-kernel", file.as_str(), "-smp", "2"];
    let mut live = Rsp::start("gdb-locked", &["run"], &[&["-S", "--quiet"], &options[..]].concat());
    let mut past = Rsp::start("gdb-locked-past", &["debug"], &[&["--"], &options[..]].concat());
    for g in [&mut live, &mut past] {
        let pc = g.pc();
        assert_eq!(g.ask(&format!("Z0,{pc:x},4")), "OK");
        assert_eq!(g.ask("vCont;s:p1.1;c"), "T05thread:p01.01;");
        assert_eq!(g.ask("vCont;c"), "T05thread:p01.01;swbreak:;");
        assert_eq!(g.ask(&format!("z0,{pc:x},4")), "OK");
        // Hart 0 comes to it again before hart 1 has a turn.
        let (said, stop) = g.said_and_stopped("vCont;s:p1.2");
        assert!(said.contains(&format!("hart 0 has stopped at {pc:#x}, before hart 1 could make its step")), "{said}");
        assert_eq!(stop, "T05thread:p01.02;");
        // So is an interrupt. Without breakpoints hart 1 makes its step; one that waits for ever would need one.
        g.interrupt();
        assert_eq!(g.ask("vCont;s:p1.2"), "T02thread:p01.02;");
    }
}

#[test]
fn of_several_harts_that_step_the_first_ends_it_with_a_history_and_without() {
    let file = rom("spin");
    let options = ["-bios", "none", "-kernel", file.as_str(), "-smp", "2"];
    let mut live = Rsp::start("gdb-both", &["run"], &[&["-S", "--quiet"], &options[..]].concat());
    let mut past = Rsp::start("gdb-both-past", &["debug"], &[&["--"], &options[..]].concat());
    for g in [&mut live, &mut past] {
        // Hart 0 has the first turn.
        assert_eq!(g.ask("vCont;s:p1.2;s:p1.1"), "T05thread:p01.01;");
        assert_eq!(g.ask("vCont;s"), "T05thread:p01.01;");
    }
}

#[test]
fn a_debugger_that_leaves_in_the_middle_of_a_packet_makes_room_for_the_next() {
    let mut g = start("gdb-cut", "spin", &[]);
    g.send("vCont;c");
    g.again(b"$qSuppor");
    assert_eq!(g.ask("qAttached"), "1");
    let pc = g.pc();
    assert!(pc >= 0x8000_0000, "{pc:x}");
    // The guest was let go and stands still again for this one.
    assert_eq!(g.pc(), pc);
}

#[test]
fn a_recorded_run_is_replayed_under_the_debugger_and_takes_no_changes() {
    let d = Dir::new("gdb-replay");
    let log = d.0.join("log");
    let log = log.to_str().unwrap();
    let file = rom("echo");
    let mut typed = trapeze(&["record", "-o", log, "--", "-bios", "none", "-kernel", &file, "--hash", "--quiet"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(typed.stdin.as_mut().unwrap(), b"abq").unwrap();
    let recorded = stdout(&typed.wait_with_output().unwrap());
    let hash = recorded.lines().find_map(|l| l.strip_prefix("state hash: ")).unwrap().to_owned();

    let mut g = Rsp::start("gdb-replay-s", &["debug"], &["--replay", log]);
    assert_eq!(g.ask("P0=0000000000000000"), "E01", "no changes while it is replayed");
    g.send("vCont;c");
    let said = String::from_utf8(bytes(&g.answer()[1..])).unwrap();
    assert!(said.contains("ends here"), "{said}");
    assert_eq!(g.answer(), "T05thread:p01.01;replaylog:end;");
    assert_eq!(g.monitor("hash").trim(), hash, "the recording's final state");
    // Back to before anything was typed, and to the end once more.
    assert!(g.monitor("goto 10").starts_with("instruction 10 "));
    assert!(g.monitor("position").contains("recorded events to come"));
    g.send("vCont;c");
    g.answer();
    assert!(g.answer().contains("replaylog:end"));
    assert_eq!(g.monitor("hash").trim(), hash);
    // From here on it is a run of its own.
    assert!(g.monitor("goto 10").starts_with("instruction 10 "));
    assert!(g.monitor("live").contains("by itself"));
    assert_eq!(g.ask("P5=0700000000000000"), "OK");
    assert_eq!(g.register(5), 7);
    g.send("k");
    assert_eq!(g.answer(), "OK");
    assert_eq!(g.wait(), 0);
}
