//! Double traps and resumable NMIs, clause by clause (Privileged ISA, "Double Trap Control in mstatus Register" and "Double Trap Control
//! in sstatus Register"; Smdbltrp, Ssdbltrp, Smrnmi). What every trap and return does to every field is in traps.rs.

#![allow(clippy::expect_used)] // a bad CPU name here is a bug of the test

mod common;

use common::now;
use emu_csr::{Cause, Csrs, Effects, Exception, Interrupt, Isa, Mode, Trap, table};

const MDT: u64 = 1 << 42;
const SDT: u64 = 1 << 24;
const MIE: u64 = 1 << 3;
const SIE: u64 = 1 << 1;
const DTE: u64 = 1 << 59;
const NMIE: u64 = 1 << 3;

fn hart(cpu: &str) -> Csrs {
    Csrs::new(Isa::parse(cpu).expect("a legal CPU"), 0)
}

/// A hart that delegates page faults to S and enables double traps there.
fn delegating(cpu: &str) -> Csrs {
    let mut csrs = hart(cpu);
    for (csr, value) in [(table::MENVCFG, DTE), (table::HENVCFG, DTE), (table::MEDELEG, 1 << 13), (table::MTVEC, 0x8000_0000)] {
        csrs.poke(csr, value, &now());
    }
    csrs
}

fn fault(csrs: &mut Csrs, mode: Mode) -> emu_csr::Entry {
    let trap = Trap { tval2: 0x123, ..Trap::new(Exception::LoadPageFault, 0x4000) };
    csrs.enter_exception(mode, 0x1000, &trap, &mut ())
}

#[test]
fn mdt_is_one_after_reset_and_keeps_mie_clear() {
    assert_eq!(hart("max").mstatus & MDT, 0, "without Smdbltrp");
    let mut csrs = hart("max,smdbltrp=on");
    assert_eq!(csrs.mstatus & MDT, MDT);
    let mut write = |value| {
        csrs.write(table::MSTATUS, value, Mode::M, &now(), &mut ()).expect("M may");
        csrs.mstatus & (MDT | MIE)
    };
    assert_eq!(write(MDT | MIE), MDT, "regardless of the value written to MIE");
    assert_eq!(write(MIE), MIE, "MDT is being set to 0 by the same write");
    assert_eq!(write(MDT | MIE), MDT);
}

#[test]
fn setting_sdt_clears_sie_in_every_view() {
    for (csr, mode) in [(table::MSTATUS, Mode::M), (table::SSTATUS, Mode::HS), (table::SSTATUS, Mode::VS)] {
        let mut csrs = delegating("max");
        let mut write = |value| {
            csrs.write(csr, value, mode, &now(), &mut ()).expect("allowed");
            csrs.read(csr, mode, &now()).expect("allowed") & (SDT | SIE)
        };
        assert_eq!(write(SIE), SIE, "{mode:?}");
        assert_eq!(write(SDT | SIE), SDT, "{mode:?}");
        assert_eq!(write(SIE), SIE, "{mode:?}");
    }
}

#[test]
fn without_dte_sdt_is_read_only_zero_and_traps_do_not_set_it() {
    let mut csrs = hart("max");
    csrs.poke(table::MEDELEG, 1 << 13, &now());
    csrs.poke(table::MSTATUS, SDT, &now());
    csrs.poke(table::VSSTATUS, SDT, &now());
    assert_eq!((csrs.mstatus | csrs.vsstatus) & SDT, 0);
    for _ in 0..2 {
        assert_eq!(fault(&mut csrs, Mode::HS).mode, Mode::HS, "the second trap is no double trap either");
        assert_eq!(csrs.mstatus & SDT, 0);
    }
}

#[test]
fn closing_dte_hides_sdt_and_opening_it_shows_it_again() {
    let mut csrs = delegating("max");
    fault(&mut csrs, Mode::HS);
    csrs.poke(table::VSSTATUS, SDT, &now());
    csrs.poke(table::MENVCFG, 0, &now());
    assert_eq!((csrs.mstatus & SDT, csrs.vsstatus & SDT, csrs.henvcfg & DTE), (0, 0, 0));
    assert_eq!(fault(&mut csrs, Mode::HS).mode, Mode::HS);
    csrs.poke(table::MENVCFG, DTE, &now());
    assert_eq!((csrs.mstatus & SDT, csrs.vsstatus & SDT, csrs.henvcfg & DTE), (SDT, SDT, DTE));
    assert_eq!(fault(&mut csrs, Mode::HS).mode, Mode::M);
}

#[test]
fn a_trap_into_s_with_sdt_set_goes_to_m_with_its_cause_in_mtval2() {
    let mut csrs = delegating("max,h=off");
    assert_eq!(fault(&mut csrs, Mode::HS).mode, Mode::HS);
    assert_eq!(csrs.mstatus & SDT, SDT);
    let supervisor = (csrs.sepc, csrs.scause, csrs.stval);
    let entry = fault(&mut csrs, Mode::HS);
    assert_eq!((entry.mode, entry.pc, entry.cause), (Mode::M, 0x8000_0000, Some(Cause::Exception(Exception::DoubleTrap))));
    assert_eq!((csrs.mcause, csrs.mtval, csrs.mtval2, csrs.mepc), (16, 0x4000, 13, 0x1000), "the GPA is not reported");
    assert_eq!((csrs.sepc, csrs.scause, csrs.stval), supervisor);
    assert_eq!(csrs.mstatus & SDT, SDT, "it is M-mode's to clear");
    // A trap from U in that state is unexpected as well: SDT belongs to the handler, not to the trapping mode.
    assert_eq!(fault(&mut csrs, Mode::U).cause, Some(Cause::Exception(Exception::DoubleTrap)));
}

#[test]
fn a_trap_into_vs_with_its_sdt_set_goes_to_m() {
    let mut csrs = delegating("max");
    csrs.poke(table::HEDELEG, 1 << 13, &now());
    assert_eq!(fault(&mut csrs, Mode::VU).mode, Mode::VS);
    assert_eq!((csrs.vsstatus & SDT, csrs.mstatus & SDT), (SDT, 0));
    let entry = fault(&mut csrs, Mode::VS);
    assert_eq!((entry.mode, csrs.mcause, csrs.mtval2), (Mode::M, 16, 13));
    assert_eq!((csrs.mstatus >> 39 & 1, csrs.mstatus >> 38 & 1, csrs.mstatus >> 11 & 3), (1, 1, 1), "MPV, GVA, MPP");
    // HS's own state was not touched, so a trap from VS to HS is an expected one.
    csrs.poke(table::HEDELEG, 0, &now());
    assert_eq!(fault(&mut csrs, Mode::VS).mode, Mode::HS);
}

#[test]
fn a_double_trap_of_an_interrupt_has_the_interrupts_own_code() {
    let mut csrs = delegating("max");
    csrs.poke(table::HIDELEG, 1 << 6, &now());
    csrs.poke(table::VSSTATUS, SDT, &now());
    let entry = csrs.enter_interrupt(Mode::VU, 0x1000, Interrupt::VSTimer, Mode::VS, &mut ());
    assert_eq!((entry.mode, csrs.mcause, csrs.mtval2), (Mode::M, 16, 1 << 63 | 6));
    csrs.poke(table::MTVEC, 0x9000_0001, &now());
    let entry = csrs.enter_interrupt(Mode::VU, 0x1000, Interrupt::VSTimer, Mode::VS, &mut ());
    assert_eq!(entry.pc, 0x9000_0000, "an exception is not vectored");
}

#[test]
fn handing_a_trap_on_is_never_a_double_trap_and_sets_sdt() {
    let mut csrs = delegating("max");
    let trap = Trap::new(Exception::IllegalInst, 0);
    for _ in 0..2 {
        let entry = csrs.enter_exception_at(Mode::HS, Mode::HS, 0x1000, &trap, &mut ());
        assert_eq!((entry.mode, csrs.scause, csrs.mstatus & SDT), (Mode::HS, 2, SDT));
    }
}

#[test]
fn a_double_trap_in_m_without_smrnmi_is_a_critical_error_and_changes_nothing() {
    let mut csrs = hart("max,smdbltrp=on");
    let before = csrs.clone();
    let entry = fault(&mut csrs, Mode::M);
    assert_eq!((entry.mode, entry.pc, entry.effects), (Mode::M, 0x1000, Effects::CRITICAL));
    assert_eq!(csrs, before);
    csrs.poke(table::MSTATUS, 0, &now());
    assert!(!fault(&mut csrs, Mode::M).effects.has(Effects::CRITICAL));
    assert_eq!(csrs.mstatus & MDT, MDT);
    assert!(fault(&mut csrs, Mode::M).effects.has(Effects::CRITICAL));
    assert_eq!(csrs.mret(&mut ()).mode, Mode::M);
    assert_eq!(csrs.mstatus & MDT, 0);
}

#[test]
fn a_double_trap_in_m_with_smrnmi_goes_to_the_rnmi_handler() {
    let mut csrs = hart("max,smdbltrp=on,smrnmi=on");
    (csrs.rnmi_vector, csrs.rnmi_exception_vector) = (0x9000, 0xa000);
    assert!(fault(&mut csrs, Mode::M).effects.has(Effects::CRITICAL), "NMIE is 0 after reset");
    csrs.poke(table::MNSTATUS, NMIE, &now());
    csrs.poke(table::MSTATUS, MDT, &now());
    let entry = fault(&mut csrs, Mode::M);
    assert_eq!((entry.mode, entry.pc), (Mode::M, 0x9000));
    assert_eq!((csrs.mnepc, csrs.mncause, csrs.mnstatus), (0x1000, 13, 3 << 11));
    assert_eq!((csrs.mepc, csrs.mcause), (0, 0));
    // "a trap that occurs when executing in M-mode with NMIE set to 0 is an unexpected trap", whatever MDT is.
    csrs.poke(table::MSTATUS, 0, &now());
    assert!(fault(&mut csrs, Mode::M).effects.has(Effects::CRITICAL));
    let entry = csrs.mnret(&mut ());
    assert_eq!((entry.mode, entry.pc, csrs.mnstatus & NMIE), (Mode::M, 0x1000, NMIE));
}

#[test]
fn an_rnmi_comes_before_all_interrupts_and_is_no_double_trap() {
    let mut csrs = hart("max,smdbltrp=on,smrnmi=on");
    csrs.rnmi_vector = 0x9000;
    csrs.poke(table::MIE, 1 << 11, &now());
    csrs.set_line(Interrupt::MExt, true);
    csrs.set_line(Interrupt::Rnmi, true);
    assert_eq!(csrs.pending_interrupt(Mode::U), None, "NMIE=0 disables all interrupts");
    assert!(csrs.wfi_wakes(), "the setting of NMIE does not affect WFI");
    csrs.poke(table::MNSTATUS, NMIE, &now());
    for mode in common::MODES {
        let mut csrs = csrs.clone();
        assert_eq!(csrs.pending_interrupt(mode), Some((Interrupt::Rnmi, Mode::M)), "{mode:?}");
        let before = csrs.mstatus;
        let entry = csrs.enter_interrupt(mode, 0x1234, Interrupt::Rnmi, Mode::M, &mut ());
        assert_eq!((entry.mode, entry.pc, csrs.mncause), (Mode::M, 0x9000, 1 << 63));
        assert_eq!(csrs.mstatus, before, "MDT is neither looked at nor set");
        assert_eq!(csrs.pending_interrupt(Mode::M), None);
        let back = csrs.mnret(&mut ());
        assert_eq!((back.mode, back.pc), (mode, 0x1234));
        // "MNRET sets MDT to 0 if the new privilege mode is not M."
        assert_eq!(csrs.mstatus & MDT, if mode == Mode::M { MDT } else { 0 });
    }
    csrs.set_line(Interrupt::Rnmi, false);
    assert_eq!(csrs.pending_interrupt(Mode::U), Some((Interrupt::MExt, Mode::M)));
}

#[test]
fn without_smrnmi_there_is_no_rnmi() {
    let mut csrs = hart("max");
    csrs.set_line(Interrupt::Rnmi, true);
    assert!(!csrs.interrupt_possible());
    assert!(csrs.nmi_enabled() && !csrs.exists(table::MNSTATUS));
}

#[test]
fn nmie_can_be_set_but_not_cleared() {
    let mut csrs = hart("max,smrnmi=on");
    assert_eq!(csrs.mnstatus & NMIE, 0);
    for value in [NMIE, 0] {
        csrs.write(table::MNSTATUS, value, Mode::M, &now(), &mut ()).expect("M may");
        assert_eq!(csrs.mnstatus & NMIE, NMIE);
    }
    csrs.poke(table::MNSTATUS, u64::MAX, &now());
    assert_eq!(csrs.mnstatus & !(1 << 9), 3 << 11 | 1 << 7 | NMIE, "MNPP, MNPV, NMIE; the others are reserved");
    csrs.poke(table::MNSTATUS, 2 << 11, &now());
    assert_eq!(csrs.mnstatus >> 11 & 3, 0, "level 2 is reserved");
}

#[test]
fn an_exception_of_the_rnmi_handler_has_its_own_address() {
    let mut csrs = hart("max,smrnmi=on");
    (csrs.rnmi_exception_vector, csrs.mtvec) = (0xa000, 0x8000_0000);
    let entry = fault(&mut csrs, Mode::M);
    assert_eq!((entry.pc, csrs.mcause, csrs.mepc), (0xa000, 13, 0x1000), "as if NMIE were set, but for the pc");
    assert_eq!(fault(&mut csrs, Mode::U).pc, 0x8000_0000, "only in M-mode");
}
