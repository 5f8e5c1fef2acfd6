//! The payloads of `roms/sse`, each with what it must print on every profile: programs that judge for themselves what an event did to them.

#![allow(clippy::unwrap_used)] // helpers of tests, which clippy takes for other code

use emu_core::board;
use emu_core::board::load::{Bios, File, Images};
use emu_core::machine::{EngineKind, Machine, MachineConfig, RunEnd};
use emu_csr::Isa;
use sbi_model::profile::Profile;
use sbi_model::profile::policy::{Policies, RasEvents};
use sbi_model::{Config, Sbi};

/// Runs a program on a profile until it powers off; what it printed, the same on both engines.
fn prints(program: &'static [u8], profile: &str, harts: usize) -> String {
    let (text, end) = outcome(program, profile, harts, "max");
    assert!(matches!(end, RunEnd::PowerOff(_)), "{profile}: {end:?} after {text}");
    text
}

/// What a program printed on a profile and how its run ended, the same on both engines.
fn outcome(program: &'static [u8], profile: &str, harts: usize, cpu: &str) -> (String, RunEnd) {
    let run = |engine| {
        let isa = Isa::parse(cpu).unwrap();
        let board = board::Config { harts, isa, ram_size: 16 << 20, ..board::Config::default() };
        let images = Images { bios: Bios::Native, kernel: Some(File { name: "payload", bytes: program }), ..Images::default() };
        let firmware = Sbi::new(Config::new(Profile::find(profile).unwrap()));
        let config = MachineConfig { board, engine, quantum: 1000 };
        let mut m = Machine::new(config, Vec::new(), &images, Some(Box::new(firmware))).unwrap();
        let end = m.run(100_000_000);
        let text = String::from_utf8(m.take_console_output()).unwrap();
        (text, end, m.state_hash())
    };
    let (step, block) = (run(EngineKind::Step), run(EngineKind::Block));
    assert!(step == block, "{profile}: engines differ");
    (step.0, step.1)
}

#[test]
fn sstatus_leaks_out_of_a_handler_in_both_directions() {
    let program = include_bytes!("../../roms/sse/sstatus-leak.elf");
    const DOWN: &str = "2: the kernel's pc went on in U-mode\n";
    const UP: &str = "3: SPP = 1 in a system call\n";
    for (profile, two, three) in [
        ("spec", DOWN, UP),
        ("opensbi-1.9", DOWN, UP),
        ("opensbi-1.6", DOWN, UP),
        // It keeps SIE, SPIE and SPP to itself, but takes the mode from SPP as the handler left it.
        ("private-resume", DOWN, "3: healthy\n"),
    ] {
        assert_eq!(prints(program, profile, 1), format!("0: healthy\n1: healthy\n{two}{three}"), "{profile}");
    }
}

#[test]
fn two_events_nest_by_priority_then_number_and_stay_or_go_with_their_hart() {
    let program = include_bytes!("../../roms/sse/nesting.elf");
    let cases = "\
both pending, equal: LlGg a a
both pending, local first: LlGg a a
both pending, global first: GgLl a a
a higher one preempts: LGgl a a
a lower one waits: LlGg a a
an equal one with a higher number waits: LlGg a a
an equal one with a lower number: GLlg a a
a signal while it runs: LlLl a a
one-shot: Ll 9 a
a signal while a one-shot event runs: Ll d a
on the other hart: 1!
after a stop and a start:";
    for (profile, restart) in [
        ("spec", " 8 masked"),
        ("opensbi-1.9", " 8 unmasked"),
        ("private-resume", " 8 unmasked"),
        ("opensbi-1.6", "Event 4 in invalid state at exit 8 unmasked"),
    ] {
        assert_eq!(prints(program, profile, 2), format!("{cases}{restart}\ndone\n"), "{profile}");
    }
}

#[test]
fn a_double_trap_that_no_event_can_take_repeats_for_ever_or_stops_the_machine() {
    let program = include_bytes!("../../roms/sse/masked-double-trap.elf");
    for (profile, retries) in [("spec", false), ("opensbi-1.9", true), ("private-resume", true)] {
        let (text, end) = outcome(program, profile, 1, "max,ssdbltrp=on");
        assert_eq!(text, "", "{profile}");
        match end {
            // The breakpoint's second trap, "double trap" (16), which firmware returns from to where it came from.
            RunEnd::TrapLoop { hart: 0, pc, cause: 16 } if retries => {
                assert!((0x8020_0000..0x8020_1000).contains(&pc), "{pc:#x}")
            }
            RunEnd::Fatal(why) if !retries => assert!(why.contains("double trap"), "{why}"),
            other => panic!("{profile}: {other:?}"),
        }
    }
}

/// Runs `ras` on a profile that has the RAS events, with the guest's line poisoned; what it printed, the same on both engines.
fn consumed(profile: &str, choice: &str) -> (String, RunEnd) {
    let elf: &'static [u8] = include_bytes!("../../roms/sse/ras.elf");
    let symbols = replay::symbols::Symbols::of("ras.elf", elf).unwrap();
    let at = |name| symbols.find(name).unwrap();
    let base = Profile::find(profile).unwrap();
    let policies = Policies { ras_events: RasEvents::Offered, ..base.policies };
    let with_events: &'static Profile = Box::leak(Box::new(Profile { policies, ..*base }));
    let run = |engine| {
        let board = board::Config { isa: Isa::parse("max").unwrap(), ram_size: 16 << 20, ras: true, ..board::Config::default() };
        let kernel = Some(File { name: "ras", bytes: elf });
        let images = Images { bios: Bios::Native, kernel, bootargs: choice.to_owned(), ..Images::default() };
        let config = MachineConfig { board, engine, quantum: 1000 };
        let mut m = Machine::new(config, Vec::new(), &images, Some(Box::new(Sbi::new(Config::new(with_events))))).unwrap();
        while m.harts()[0].pc != at("guest_load") {
            m.run(m.cycles() + 1);
        }
        m.inject("poison", &[at("poisoned"), 8]).unwrap();
        let end = m.run(100_000_000);
        (String::from_utf8(m.take_console_output()).unwrap(), end, m.state_hash())
    };
    let (step, block) = (run(EngineKind::Step), run(EngineKind::Block));
    assert!(step == block, "{profile} {choice}: engines differ");
    (step.0, step.1)
}

#[test]
fn what_becomes_of_a_guest_that_consumes_poison_is_its_monitors_choice() {
    for (choice, verdict) in [
        ("ras=leave", "the guest has taken a hardware error of its own: ok\n"),
        ("ras=repair", "the guest has read a fresh line: ok\n"),
        ("ras=kill", "the guest is dead before it tries again: ok\n"),
        ("ras=elsewhere", "the monitor has gone on elsewhere: ok\n"),
    ] {
        for profile in ["spec", "opensbi-1.9", "private-resume"] {
            let (text, end) = consumed(profile, choice);
            let all = format!("local high-priority RAS event in the guest\n{verdict}");
            if profile == "private-resume" && choice == "ras=elsewhere" {
                // It brings V=1 back whatever hstatus.SPV says: the monitor's code runs as the guest.
                assert_eq!(text, "local high-priority RAS event in the guest\nanother trap of the guest's\n", "{end:?}");
            } else {
                assert_eq!(text, all, "{profile} {choice}: {end:?}");
            }
        }
    }
}
