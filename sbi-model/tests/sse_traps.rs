//! Double traps as software events, and trap state that events carry: SDT and ELP (SBI, "Supervisor Software Events Extension").

#![allow(clippy::expect_used)] // helpers of tests, which clippy takes for other code

mod common;

use common::sse::*;
use common::*;
use emu_core::firmware::FwStep;
use emu_csr::table::{self, field::mstatus};
use emu_csr::{Exception, Mode, Trap};
use sbi_model::sse::{attr, flag, id};

const PROFILES: [&str; 4] = ["spec", "opensbi-1.9", "opensbi-1.6", "private-resume"];

fn ready(rig: &mut Rig, hart: usize, events: &[u32]) {
    events.iter().for_each(|&e| rig.arm(hart, e));
    assert_eq!(rig.sse(hart, UNMASK, &[]), 0);
}

fn at(rig: &Rig, hart: usize) -> u64 {
    rig.harts[hart].pc
}

/// mstatus.SDT, and menvcfg.DTE, which makes it exist for the supervisor.
const SDT: u64 = 1 << 24;
const DTE: u64 = 1 << 59;

fn page_fault() -> Trap {
    Trap::new(Exception::LoadPageFault, 0x1234)
}

/// A hart whose supervisor has double traps and is ready for their event.
fn double_trapping(p: &str) -> Rig {
    let mut rig = Rig::running(1, config(p));
    rig.poke(0, table::MENVCFG, DTE);
    ready(&mut rig, 0, &[id::DOUBLE_TRAP]);
    rig
}

#[test]
fn a_double_trap_of_the_supervisor_is_an_event() {
    for p in ["spec", "opensbi-1.9", "private-resume"] {
        let mut rig = double_trapping(p);
        rig.poke(0, table::SSTATUS, SDT | mstatus::SPP);
        let pc = at(&rig, 0);
        assert!(matches!(rig.raise(0, page_fault()), FwStep::Done { .. }), "{p}");
        let h = &rig.harts[0];
        assert_eq!((h.pc, h.csr.sepc, h.csr.mcause, h.csr.mtval2), (handler(id::DOUBLE_TRAP), pc, 16, 13), "{p}");
        assert_ne!(h.csr.mstatus & SDT, 0, "{p}: S-mode disable trap is 1 in the handler");
        assert_eq!(rig.event(0, id::DOUBLE_TRAP).attrs[attr::FLAGS], flag::SDT | flag::SPP, "{p}");
        rig.step_call(0, SSE, COMPLETE, &[]);
        let h = &rig.harts[0];
        assert_eq!((h.pc, h.mode, h.csr.mstatus & SDT), (pc, Mode::HS, SDT), "{p}: and 1 again in what it interrupted");
    }
}

#[test]
fn a_double_trap_without_a_handler_stops_the_hart() {
    for p in ["spec", "opensbi-1.9"] {
        let mut rig = double_trapping(p);
        rig.sse(0, DISABLE, &[u64::from(id::DOUBLE_TRAP)]);
        rig.poke(0, table::SSTATUS, SDT);
        assert!(matches!(rig.raise(0, page_fault()), FwStep::Fatal(_)), "{p}");
    }
}

#[test]
fn a_double_trap_that_cannot_be_delivered_stops_the_hart_or_repeats_for_ever() {
    for (p, stops) in [("spec", true), ("opensbi-1.9", false)] {
        let mut rig = double_trapping(p);
        rig.sse(0, MASK, &[]);
        rig.poke(0, table::SSTATUS, SDT);
        let pc = at(&rig, 0);
        let end = rig.raise(0, page_fault());
        assert_eq!(matches!(end, FwStep::Fatal(_)), stops, "{p}");
        assert!(stops || (at(&rig, 0), rig.harts[0].csr.mstatus & SDT) == (pc, SDT), "{p}");
    }
    // Also in the event's own handler, which starts with SDT=1.
    let mut rig = double_trapping("spec");
    rig.poke(0, table::SSTATUS, SDT);
    rig.raise(0, page_fault());
    assert!(matches!(rig.raise(0, page_fault()), FwStep::Fatal(_)));
}

#[test]
fn a_double_trap_of_a_guest_is_its_hypervisors() {
    for p in ["spec", "opensbi-1.9"] {
        let mut rig = double_trapping(p);
        rig.poke(0, table::HENVCFG, DTE);
        rig.poke(0, table::STVEC, RAM + 0x2000);
        rig.poke(0, table::HEDELEG, 1 << 13);
        rig.poke(0, table::VSSTATUS, SDT);
        rig.harts[0].set_mode(Mode::VS);
        rig.harts[0].pc = 0x5_0000;
        assert!(matches!(rig.raise(0, page_fault()), FwStep::Done { .. }), "{p}");
        let h = &rig.harts[0];
        assert_eq!((h.mode, h.pc, h.csr.scause, h.csr.sepc), (Mode::HS, RAM + 0x2000, 16, 0x5_0000), "{p}");
    }
}

#[test]
fn handlers_start_with_traps_disabled_where_the_supervisor_has_double_traps() {
    for p in PROFILES {
        let rig = &mut Rig::running(1, config(p));
        for dte in [0, DTE] {
            rig.poke(0, table::MENVCFG, dte);
            if dte == 0 {
                ready(rig, 0, &[LOCAL]);
            }
            rig.sse(0, INJECT, &[u64::from(LOCAL), 0]);
            assert_eq!(rig.harts[0].csr.mstatus & SDT != 0, dte != 0 && p != "opensbi-1.6", "{p}");
            rig.step_call(0, SSE, COMPLETE, &[]);
            assert_eq!(rig.harts[0].csr.mstatus & SDT, 0, "{p}");
        }
    }
}

#[test]
fn an_event_between_an_indirect_jump_and_its_landing_pad_leaves_the_expectation_as_it_was() {
    const LPE: u64 = 1 << 2;
    for (p, carried) in [("spec", true), ("opensbi-1.9", false), ("private-resume", false)] {
        for mode in [Mode::U, Mode::HS, Mode::VU, Mode::VS] {
            let mut rig = Rig::of(1, "max,zicfilp=on", config(p));
            for csr in [table::MENVCFG, table::HENVCFG, table::SENVCFG] {
                rig.poke(0, csr, LPE);
            }
            ready(&mut rig, 0, &[LOCAL]);
            rig.harts[0].set_mode(mode);
            rig.harts[0].csr.elp = true;
            rig.signal(0, LOCAL).expect("enabled");
            rig.interrupts(0);
            let h = &rig.harts[0];
            assert_eq!(h.pc, handler(LOCAL));
            let seen = (h.csr.elp, h.csr.mstatus & mstatus::SPELP != 0);
            assert_eq!(seen, (!carried, carried), "{p} {mode:?}: ELP and SPELP in the handler");
            rig.harts[0].csr.elp = false;
            rig.step_call(0, SSE, COMPLETE, &[]);
            assert_eq!((rig.harts[0].mode, rig.harts[0].csr.elp), (mode, carried), "{p} {mode:?}");
        }
    }
}
