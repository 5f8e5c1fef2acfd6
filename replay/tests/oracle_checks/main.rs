//! Each single check of the oracles: what it says of firmware (or a kernel) that breaks this one rule, and that it says nothing without.
//! Firmware breaks a rule by tampering: a register or a word of memory is changed behind the real one's back.

#![allow(clippy::unwrap_used)] // helpers of tests, which clippy takes for other code

/// Firmware that does something to a hart where `$there` is so.
macro_rules! when {
    ($there:ident($($which:expr)?), $h:ident => $wrong:expr) => {
        |p, i| {
            if $there(p, i $(, $which)?) {
                let $h = &mut p.harts[i];
                $wrong
            }
        }
    };
}

mod calls;
#[path = "../common/mod.rs"]
mod common;
mod contexts;
mod deliveries;
mod safety;
mod silences;
mod sources;

use common::*;
use emu_core::firmware::Platform;
use emu_csr::Mode;

/// One check: the oracle, what it must say, on what, and what happens. `wrong` of the closure is whether the kernel is to be careless.
struct Check {
    oracle: &'static str,
    says: &'static str,
    on: On,
    run: fn(&mut Rig, bool),
}

type At = fn(&mut Platform<'_>, usize);
type Run = fn(&mut Rig, bool);

fn check(oracle: &'static str, says: &'static str, on: On, run: Run) -> Check {
    Check { oracle, says, on, run }
}

/// Firmware that does something wrong after each visit.
fn after(after: At) -> On {
    On { tamper: Tamper { after, ..UNTOUCHED }, ..HEALTHY }
}

/// Firmware that finds something wrong before each visit.
fn before(before: At) -> On {
    On { tamper: Tamper { before, ..UNTOUCHED }, ..HEALTHY }
}

const ALL: &str = "max,zicfilp=on,ssdbltrp=on";
const MSTATUS_SIE: u64 = 1 << 1;
const SPIE: u64 = 1 << 5;
const SPP: u64 = 1 << 8;
const SPELP: u64 = 1 << 23;
const SDT: u64 = 1 << 24;
const GVA: u64 = 1 << 6;
const SPV: u64 = 1 << 7;
const SPVP: u64 = 1 << 8;
const LCOFI: u64 = 1 << 13;

/// Whether the hart is at the beginning of an event's handler.
fn begun(p: &Platform<'_>, h: usize, event: u32) -> bool {
    (p.harts[h].pc, p.harts[h].x[17]) == (handler(event), argument(event))
}

/// Whether the hart is back behind the call that injected the event.
fn back(p: &Platform<'_>, h: usize) -> bool {
    let hart = &p.harts[h];
    (hart.pc, hart.x[16], hart.x[17]) == (CALL + 4, INJECT, SSE)
}

fn read_as(p: &mut Platform<'_>, h: usize, value: u64) {
    if is(p, h, READ) {
        p.bus.ram.write(BUFFER, 8, value, &mut Vec::new());
    }
}

fn handled(r: &mut Rig, _: bool) {
    r.in_handler(LOCAL);
}

fn completed(r: &mut Rig, _: bool) {
    r.in_handler(LOCAL);
    r.sse(0, COMPLETE, &[]);
}

/// Hart 0 is in VS-mode when hart 1 sends it an event.
fn guest_interrupted(r: &mut Rig) {
    r.arm(0, LOCAL);
    r.sse(0, UNMASK, &[]);
    r.store(CODE + 0x8000, &[NOP; 8]);
    let h = &mut r.machine.harts_mut()[0];
    (h.mode, h.pc) = (Mode::VS, CODE + 0x8000);
    assert_eq!(r.sse(1, INJECT, &[LOCAL.into(), 0]), 0);
    r.steps(0, 2);
    assert_eq!(r.machine.harts()[0].pc, handler(LOCAL) + 4, "in the handler");
}

/// A handler takes a trap, after which `keep` of sstatus and hstatus stays as the trap left it; all else is put back.
fn trapped(r: &mut Rig, wrong: bool, sepc: bool, sstatus: u64, hstatus: u64) {
    let h = &r.machine.harts()[0].csr;
    let (epc, status, hyp) = (h.sepc, h.mstatus, h.hstatus);
    r.breakpoint(0);
    let h = &mut r.machine.harts_mut()[0].csr;
    let put = |now: u64, old: u64, keep: u64| if wrong { old & !keep | now & keep } else { old };
    h.mstatus = put(h.mstatus, status, sstatus);
    h.hstatus = put(h.hstatus, hyp, hstatus);
    if !(wrong && sepc) {
        h.sepc = epc;
    }
    r.sse(0, COMPLETE, &[]);
}

fn careless(harts: usize) -> On {
    On { careless: true, harts, ..HEALTHY }
}

fn two(on: On) -> On {
    On { harts: 2, ..on }
}

fn all(on: On) -> On {
    On { cpu: ALL, ..on }
}

fn hold(checks: Vec<Check>) {
    let mut wrong = Vec::new();
    for c in &checks {
        let mut rig = Rig::new(c.on);
        (c.run)(&mut rig, c.on.careless);
        let begins = [format!("violation of {} ", c.oracle), format!("warning of {} ", c.oracle)];
        let said = |l: &str| begins.iter().any(|b| l.starts_with(b)) && l.contains(&format!(": {}", c.says));
        if !rig.text().lines().any(said) {
            wrong.push(format!("{} does not say: {}\nbut:\n{}\n", c.oracle, c.says, rig.text()));
        }
        let mut rig = Rig::new(On { bug: None, tamper: UNTOUCHED, careless: false, ..c.on });
        (c.run)(&mut rig, false);
        if rig.count(c.oracle) > 0 || rig.monitor.total() > 0 {
            wrong.push(format!("without a reason for {} to say: {}\n{}\n", c.oracle, c.says, rig.text()));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), checks.len(), wrong.join("\n"));
}

#[test]
fn what_is_interrupted_and_what_a_handler_finds() {
    hold(contexts::checks());
}

#[test]
fn whether_where_when_and_in_which_order_events_come() {
    hold(deliveries::checks());
}

#[test]
fn what_calls_change_and_answer() {
    hold(calls::checks());
}

#[test]
fn where_events_come_from_and_harts_that_sleep_and_stop() {
    hold(sources::checks());
}

#[test]
fn handlers_that_are_still_there_and_firmware_that_keeps_to_itself() {
    hold(safety::checks());
}
