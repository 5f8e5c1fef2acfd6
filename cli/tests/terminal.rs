//! Sessions on a pseudo-terminal: escape keys, monitor, and the terminal as it was on every way out.
#![allow(missing_docs, clippy::disallowed_types, clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

mod common;
use common::*;
use rustix::process::{Pid, Signal, kill_process};

fn start(name: &str) -> Terminal {
    let file = rom(name);
    Terminal::start(&["run", "-bios", "none", "-kernel", &file])
}

#[test]
fn typing_reaches_the_guest_raw_and_power_off_restores_the_terminal() {
    let mut t = start("echo");
    t.expect("ready\r\n");
    assert!(!t.is_cooked(), "raw while the guest runs");
    // Ctrl-C and Ctrl-Z are the guest's; each byte comes back plus one, and nothing is echoed by the terminal.
    t.type_(b"hal\x03\x1a");
    assert_eq!(t.expect("\x1b"), "ibm\x04\x1b");
    t.type_(b"q");
    assert_eq!(t.wait(), 0);
    assert!(t.is_cooked());
}

#[test]
fn ctrl_a_x_quits_and_restores() {
    let mut t = start("spin");
    t.type_(b"\x01x");
    assert_eq!(t.wait(), 0);
    assert!(t.is_cooked());
}

#[test]
fn ctrl_a_ctrl_a_is_one_ctrl_a_and_ctrl_a_h_lists_the_keys() {
    let mut t = start("echo");
    t.expect("ready\r\n");
    t.type_(b"\x01h");
    t.expect("quit");
    t.expect("send Ctrl-A to the guest\r\n");
    t.type_(b"\x01\x01q");
    t.expect("\x02");
    assert_eq!(t.wait(), 0);
}

#[test]
fn the_monitor_shows_registers_and_csrs_by_field_and_goes_back() {
    let mut t = start("echo");
    t.expect("ready\r\n");
    t.type_(b"\x01c");
    t.expect("> ");
    t.type_(b"csr mstatus\r");
    assert!(t.expect("> ").contains("MPP"));
    t.type_(b"info registers\r");
    assert!(t.expect("> ").contains("pc 0x00000000800000"));
    t.type_(b"harts\r");
    assert!(t.expect("> ").contains("M-mode"));
    t.type_(b"hash\r");
    assert!(t.expect("> ").lines().any(|l| l.trim().len() == 64));
    t.type_(b"csr nonsense\r");
    assert!(t.expect("> ").contains("no CSR 'nonsense'"));
    t.type_(b"raise ras-high\r");
    assert!(t.expect("> ").contains("there is no native firmware"));
    t.type_(b"raise loud\r");
    assert!(t.expect("> ").contains("no event 'loud'"));
    t.type_(b"continue\r");
    t.type_(b"a");
    t.expect("b");
    t.type_(b"\x01cquit\r");
    assert_eq!(t.wait(), 0);
    assert!(t.is_cooked());
}

#[test]
fn a_signal_restores_the_terminal() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        let mut t = start("echo");
        t.expect("ready\r\n");
        kill_process(Pid::from_child(&t.child), signal).unwrap();
        assert_eq!(t.wait(), 130);
        assert!(t.is_cooked(), "{signal:?}");
    }
}

#[test]
fn a_stopped_process_leaves_the_terminal_as_it_was_and_takes_it_back() {
    use rustix::process::{WaitOptions, waitpid};
    let mut t = start("echo");
    t.expect("ready\r\n");
    let pid = Pid::from_child(&t.child);
    kill_process(pid, Signal::TSTP).unwrap();
    let (_, status) = waitpid(Some(pid), WaitOptions::UNTRACED).unwrap().expect("it stops");
    assert!(status.stopped());
    assert!(t.is_cooked());
    kill_process(pid, Signal::CONT).unwrap();
    // A byte without a line end gets through in raw mode only.
    t.type_(b"a");
    t.expect("b");
    assert!(!t.is_cooked());
    t.type_(b"\x01x");
    assert_eq!(t.wait(), 0);
    assert!(t.is_cooked());
}

#[test]
fn every_way_a_guest_ends_restores_the_terminal() {
    for (name, more, want) in [
        ("pass", &[][..], 0),
        ("fail", &[], 1),
        ("fail", &["--exit-with-guest-code"], 3),
        ("spin", &["--limit", "1M"], 5),
        ("traploop", &[], 7),
        ("reboot", &["--no-reboot"], 0),
        ("reboot", &["--limit", "5k"], 5),
    ] {
        let file = rom(name);
        let mut args = vec!["run", "-bios", "none", "-kernel", &file];
        args.extend(more);
        let mut t = Terminal::start(&args);
        assert_eq!(t.wait_reading(), want, "{name} {more:?}");
        assert!(t.is_cooked(), "{name} {more:?}");
    }
}

#[test]
fn an_error_before_the_start_leaves_the_terminal_alone() {
    let mut t = Terminal::start(&["run", "-kernel", "/nonexistent"]);
    t.expect("remedy");
    assert_eq!(t.wait(), 3);
    assert!(t.is_cooked());
}

#[test]
fn a_guest_that_cannot_go_on_restores_the_terminal() {
    let mut t = start("traploop");
    assert_eq!(t.wait(), 7);
    assert!(t.is_cooked());
}
