//! Trap entry and return by the clauses of Hypervisor, "Trap Entry" and "Trap Return", and Privileged ISA, "mstatus".

mod common;

use common::{MODES, hart, hart_of, now};
use emu_csr::{Cause, ChangeList, Csrs, Effects, Exception, Ext, Interrupt, Isa, Mode, Trap, table};
use proptest::prelude::*;

fn bit(register: u64, bit: u32) -> u64 {
    register >> bit & 1
}

/// The modes a hart has.
fn modes(csrs: &Csrs) -> Vec<Mode> {
    let has = |mode: &Mode| match mode {
        Mode::M => true,
        Mode::U => csrs.isa.has(Ext::U),
        Mode::HS => csrs.isa.has(Ext::S),
        Mode::VS | Mode::VU => csrs.isa.has(Ext::H),
    };
    MODES.into_iter().filter(has).collect()
}

/// "Trap Entry": where a trap with this delegation bit pair goes.
fn target(mode: Mode, medeleg: u64, hedeleg: u64, code: u32) -> Mode {
    match mode {
        Mode::M => Mode::M,
        _ if bit(medeleg, code) == 0 => Mode::M,
        Mode::U | Mode::HS => Mode::HS,
        _ if bit(hedeleg, code) == 0 => Mode::HS,
        _ => Mode::VS,
    }
}

/// A vector base's handler address.
fn handler(tvec: u64, cause: u64) -> u64 {
    let vectored = tvec & 1 == 1 && cause >> 63 == 1;
    (tvec & !3).wrapping_add(if vectored { 4 * (cause & 0xff) } else { 0 })
}

/// Every register besides the named ones is the same.
fn only_changed(before: &Csrs, after: &Csrs, names: &[&str]) -> Result<(), TestCaseError> {
    let list = |csrs: &Csrs| {
        let mut list = Vec::new();
        csrs.clone().visit_state(&mut |name, word| list.push((name, *word)));
        list
    };
    for (was, is) in list(before).into_iter().zip(list(after)) {
        prop_assert!(was.1 == is.1 || names.contains(&was.0), "{} changed", was.0);
    }
    Ok(())
}

/// The state registers after a trap, whatever its kind.
#[allow(clippy::too_many_arguments)] // the values of the clause
fn check_entry(
    before: &Csrs,
    after: &Csrs,
    mode: Mode,
    target: Mode,
    pc: u64,
    cause: u64,
    tval: u64,
    tval2: u64,
    tinst: u64,
    gva: u64,
) -> Result<u64, TestCaseError> {
    let h = before.isa.has(Ext::H);
    prop_assert!(!after.elp, "ELP");
    let elp = u64::from(before.elp);
    match target {
        Mode::M => {
            only_changed(before, after, &["mstatus", "mepc", "mcause", "mtval", "mtval2", "mtinst", "elp", "tcontrol"])?;
            prop_assert_eq!(after.tcontrol, (before.tcontrol & 8) << 4, "mte goes to mpte");
            let m = after.mstatus;
            prop_assert_eq!(m >> 11 & 3, mode.level(), "MPP");
            prop_assert_eq!(bit(m, 39), u64::from(mode.virt()), "MPV");
            prop_assert_eq!(bit(m, 38), if h { gva } else { 0 }, "GVA");
            prop_assert_eq!(bit(m, 7), bit(before.mstatus, 3), "MPIE");
            prop_assert_eq!(bit(m, 3), 0, "MIE");
            prop_assert_eq!(bit(m, 41), elp, "MPELP");
            prop_assert_eq!(bit(m, 42), u64::from(before.isa.has(Ext::Smdbltrp)), "MDT");
            let fields = 3 << 11 | 1 << 39 | 1 << 38 | 1 << 7 | 1 << 3 | 1 << 41 | 1 << 42;
            prop_assert_eq!(m & !fields, before.mstatus & !fields);
            prop_assert_eq!((after.mepc, after.mcause, after.mtval), (pc, cause, tval));
            if h || before.isa.has(Ext::Ssdbltrp) {
                prop_assert_eq!(after.mtval2, tval2);
            }
            if h {
                prop_assert_eq!(after.mtinst, tinst);
            }
            // Smrnmi: an exception of the RNMI handler has its own address.
            let nested = mode == Mode::M && bit(before.mnstatus, 3) == 0;
            Ok(if nested { before.rnmi_exception_vector } else { handler(before.mtvec, cause) })
        }
        Mode::HS => {
            only_changed(before, after, &["mstatus", "hstatus", "sepc", "scause", "stval", "htval", "htinst", "elp"])?;
            let s = after.mstatus;
            prop_assert_eq!(bit(s, 8), u64::from(mode.level() == 1), "SPP");
            prop_assert_eq!(bit(s, 5), bit(before.mstatus, 1), "SPIE");
            prop_assert_eq!(bit(s, 1), 0, "SIE");
            prop_assert_eq!(bit(s, 24), bit(before.menvcfg, 59), "SDT");
            prop_assert_eq!(bit(s, 23), elp, "SPELP");
            let fields = 1 << 8 | 1 << 5 | 1 << 1 | 1 << 23 | 1 << 24;
            prop_assert_eq!(s & !fields, before.mstatus & !fields);
            prop_assert_eq!((after.sepc, after.scause, after.stval), (pc, cause, tval));
            if h {
                prop_assert_eq!((after.htval, after.htinst), (tval2, tinst));
                prop_assert_eq!(bit(after.hstatus, 7), u64::from(mode.virt()), "SPV");
                prop_assert_eq!(bit(after.hstatus, 6), gva, "GVA");
                // "If V was 1 before the trap, SPVP is set the same as sstatus.SPP; otherwise left unchanged."
                let spvp = if mode.virt() { bit(s, 8) } else { bit(before.hstatus, 8) };
                prop_assert_eq!(bit(after.hstatus, 8), spvp, "SPVP");
                prop_assert_eq!(after.hstatus & !(7 << 6), before.hstatus & !(7 << 6));
            }
            Ok(handler(before.stvec, cause))
        }
        _ => {
            only_changed(before, after, &["vsstatus", "vsepc", "vscause", "vstval", "elp"])?;
            let s = after.vsstatus;
            prop_assert_eq!(bit(s, 8), u64::from(mode == Mode::VS), "SPP");
            prop_assert_eq!(bit(s, 5), bit(before.vsstatus, 1), "SPIE");
            prop_assert_eq!(bit(s, 1), 0, "SIE");
            prop_assert_eq!(bit(s, 24), bit(before.henvcfg, 59), "SDT");
            prop_assert_eq!(bit(s, 23), elp, "SPELP");
            let fields = 1 << 8 | 1 << 5 | 1 << 1 | 1 << 23 | 1 << 24;
            prop_assert_eq!(s & !fields, before.vsstatus & !fields);
            prop_assert_eq!((after.vsepc, after.vscause, after.vstval), (pc, cause, tval));
            Ok(handler(before.vstvec, cause))
        }
    }
}

proptest! {
    #[test]
    fn an_exception_is_entered_by_the_book(seed: u64, pc: u64, tval: u64, tval2: u64, tinst: u64, own_gva: bool) {
        let before = hart(seed);
        let pc = pc & !3;
        for mode in modes(&before) {
            for exception in Exception::ALL {
                let trap = Trap { cause: exception, tval, tval2, tinst, gva: own_gva };
                let code = exception as u32;
                let to = target(mode, before.medeleg, before.hedeleg, code);
                let mut csrs = before.clone();
                let mut changes = ChangeList::default();
                let entry = csrs.enter_exception(mode, pc, &trap, &mut changes);
                let (same, why) = before.delegate(mode, Cause::Exception(exception));
                prop_assert_eq!(same, to);
                prop_assert_eq!(why.machine, (mode != Mode::M).then(|| bit(before.medeleg, code) == 1));
                prop_assert_eq!(why.hypervisor, (mode.virt() && to != Mode::M).then(|| bit(before.hedeleg, code) == 1));
                check_changes(&before, &csrs, &changes)?;
                let end = delivery(&before, mode, to);
                let (to, cause, tval2) = match end {
                    Delivery::Double => (Mode::M, 16, u64::from(code)),
                    _ => (to, u64::from(code), tval2),
                };
                if let Delivery::Rnmi(to_m) = end {
                    check_rnmi(&before, &csrs, Mode::M, pc, if to_m { 16 } else { u64::from(code) })?;
                    prop_assert_eq!((entry.mode, entry.pc), (Mode::M, before.rnmi_vector));
                    continue;
                }
                if end == Delivery::Critical {
                    only_changed(&before, &csrs, &[])?;
                    prop_assert_eq!((entry.mode, entry.pc, entry.effects), (mode, pc, Effects::CRITICAL));
                    continue;
                }
                // "For any trap (breakpoint, address misaligned, access fault, page fault, or guest-page fault) that
                // writes a guest virtual address to stval, GVA is set to 1."
                let address = matches!(code, 0 | 1 | 3..=7 | 12 | 13 | 15 | 20 | 21 | 23);
                let gva = u64::from(own_gva || mode.virt() && address);
                let vector = check_entry(&before, &csrs, mode, to, pc, cause, tval, tval2, tinst, gva)?;
                prop_assert_eq!((entry.mode, entry.pc), (to, vector), "{:?} in {:?}", exception, mode);
                prop_assert!(entry.effects.has(Effects::CONTEXT) && entry.effects.has(Effects::INTERRUPTS));
            }
        }
    }

    #[test]
    fn an_interrupt_is_entered_by_the_book(seed: u64, pc: u64) {
        let before = hart(seed);
        let pc = pc & !3;
        for mode in modes(&before) {
            let Some((interrupt, to)) = before.pending_interrupt(mode) else { continue };
            let mut csrs = before.clone();
            let mut changes = ChangeList::default();
            let entry = csrs.enter_interrupt(mode, pc, interrupt, to, &mut changes);
            check_changes(&before, &csrs, &changes)?;
            let end = if interrupt == Interrupt::Rnmi { Delivery::Rnmi(false) } else { delivery(&before, mode, to) };
            let code = interrupt as u64;
            if let Delivery::Rnmi(double) = end {
                let from = if interrupt == Interrupt::Rnmi { mode } else { Mode::M };
                check_rnmi(&before, &csrs, from, pc, if double { 16 } else { 1 << 63 | code })?;
                prop_assert_eq!((entry.mode, entry.pc), (Mode::M, before.rnmi_vector));
                continue;
            }
            if end == Delivery::Critical {
                only_changed(&before, &csrs, &[])?;
                continue;
            }
            if end == Delivery::Double {
                let vector = check_entry(&before, &csrs, mode, Mode::M, pc, 16, 0, 1 << 63 | code, 0, 0)?;
                prop_assert_eq!((entry.mode, entry.pc), (Mode::M, vector));
                continue;
            }
            // "hideleg": a VS-level interrupt taken by VS has the supervisor's code.
            let code = match (to, interrupt as u64) {
                (Mode::VS, 10) => 9,
                (Mode::VS, 6) => 5,
                (Mode::VS, 2) => 1,
                (_, code) => code,
            };
            let vector = check_entry(&before, &csrs, mode, to, pc, 1 << 63 | code, 0, 0, 0, 0)?;
            prop_assert_eq!((entry.mode, entry.pc), (to, vector));
            prop_assert_eq!(before.delegate(mode, Cause::Interrupt(interrupt)).0, to);
        }
    }

    #[test]
    fn mret_returns_by_the_book(seed: u64) {
        let before = hart(seed);
        let mut csrs = before.clone();
        let mut changes = ChangeList::default();
        let entry = csrs.mret(&mut changes);
        only_changed(&before, &csrs, &["mstatus", "vsstatus", "elp", "tcontrol"])?;
        prop_assert_eq!(csrs.tcontrol, before.tcontrol & 0x80 | before.tcontrol >> 4 & 8, "mte comes from mpte");
        let (old, new) = (before.mstatus, csrs.mstatus);
        let mode = match (old >> 11 & 3, bit(old, 39)) {
            (3, _) => Mode::M,
            (1, 0) => Mode::HS,
            (1, _) => Mode::VS,
            (_, 0) => Mode::U,
            _ => Mode::VU,
        };
        prop_assert_eq!((entry.mode, entry.pc), (mode, before.mepc));
        prop_assert_eq!(bit(new, 39), 0, "MPV");
        prop_assert_eq!(new >> 11 & 3, if before.isa.has(Ext::U) { 0 } else { 3 }, "MPP");
        prop_assert_eq!(bit(new, 3), bit(old, 7), "MIE");
        prop_assert_eq!(bit(new, 7), 1, "MPIE");
        // "An MRET or SRET instruction that changes the privilege mode to a mode less privileged than M also sets MPRV=0."
        prop_assert_eq!(bit(new, 17), if mode == Mode::M { bit(old, 17) } else { 0 }, "MPRV");
        prop_assert_eq!(bit(new, 42), 0, "MDT");
        prop_assert_eq!(bit(new, 24), if matches!(mode, Mode::M | Mode::HS) { bit(old, 24) } else { 0 }, "SDT");
        prop_assert_eq!(bit(new, 41), 0, "MPELP");
        prop_assert_eq!(csrs.vsstatus, left_vs(&before, mode));
        prop_assert_eq!(csrs.elp, bit(old, 41) == 1 && before.landing_pads(mode), "ELP");
        let fields = 1 << 39 | 3 << 11 | 1 << 7 | 1 << 3 | 1 << 17 | 1 << 42 | 1 << 24 | 1 << 41;
        prop_assert_eq!(new & !fields, old & !fields);
        check_changes(&before, &csrs, &changes)?;
    }

    #[test]
    fn sret_returns_by_the_book(seed: u64) {
        let before = hart(seed);
        prop_assume!(before.isa.has(Ext::S));
        for mode in modes(&before).into_iter().filter(|mode| !matches!(mode, Mode::U | Mode::VU)) {
            let mut csrs = before.clone();
            let mut changes = ChangeList::default();
            let entry = csrs.sret(mode, &mut changes);
            check_changes(&before, &csrs, &changes)?;
            let fields = 1 << 8 | 1 << 5 | 1 << 1 | 1 << 23 | 1 << 24;
            let from = mode;
            if mode == Mode::VS {
                only_changed(&before, &csrs, &["vsstatus", "elp"])?;
                let (old, new) = (before.vsstatus, csrs.vsstatus);
                prop_assert_eq!(entry.mode, if bit(old, 8) == 1 { Mode::VS } else { Mode::VU });
                prop_assert_eq!(entry.pc, before.vsepc);
                prop_assert_eq!((bit(new, 8), bit(new, 1), bit(new, 5)), (0, bit(old, 5), 1));
                prop_assert_eq!((bit(new, 23), bit(new, 24)), (0, 0), "SPELP, SDT");
                prop_assert_eq!(csrs.elp, bit(old, 23) == 1 && before.landing_pads(entry.mode), "ELP");
                prop_assert_eq!(new & !fields, old & !fields);
                continue;
            }
            only_changed(&before, &csrs, &["mstatus", "hstatus", "vsstatus", "elp"])?;
            let (old, new) = (before.mstatus, csrs.mstatus);
            let mode = match (bit(before.hstatus, 7), bit(old, 8)) {
                (0, 1) => Mode::HS,
                (0, _) => Mode::U,
                (_, 1) => Mode::VS,
                _ => Mode::VU,
            };
            prop_assert_eq!((entry.mode, entry.pc), (mode, before.sepc));
            prop_assert_eq!((bit(new, 8), bit(new, 1), bit(new, 5), bit(new, 17)), (0, bit(old, 5), 1, 0));
            prop_assert_eq!((bit(new, 23), bit(new, 24)), (0, 0), "SPELP, SDT");
            // "executing an SRET instruction while the current privilege mode is M": MDT as well.
            prop_assert_eq!(bit(new, 42), if from == Mode::M { 0 } else { bit(old, 42) }, "MDT");
            prop_assert_eq!(csrs.vsstatus, left_vs(&before, mode));
            prop_assert_eq!(csrs.elp, bit(old, 23) == 1 && before.landing_pads(mode), "ELP");
            let fields = fields | 1 << 17 | 1 << 42;
            prop_assert_eq!(new & !fields, old & !fields);
            prop_assert_eq!(csrs.hstatus, before.hstatus & !(1 << 7), "SPV");
        }
    }

    #[test]
    fn returning_undoes_entering(seed: u64, pc: u64, code in 0usize..22) {
        // A trap and the return that follows: same mode, same pc, same interrupt enable.
        let mut before = hart_of(Isa::max(), seed);
        // Reentrant handlers: no trap is a double trap.
        before.mstatus &= !(1 << 24);
        before.vsstatus &= !(1 << 24);
        let pc = pc & !1;
        for mode in MODES {
            let mut csrs = before.clone();
            let entry = csrs.enter_exception(mode, pc, &Trap::new(Exception::ALL[code], 0), &mut ());
            let back = match entry.mode {
                Mode::M => csrs.mret(&mut ()),
                handler => csrs.sret(handler, &mut ()),
            };
            prop_assert_eq!((back.mode, back.pc), (mode, pc));
            let enables = |csrs: &Csrs| (csrs.mstatus & (1 << 3 | 1 << 1), csrs.vsstatus & 1 << 1);
            prop_assert_eq!(enables(&csrs), enables(&before));
        }
    }
}

/// vsstatus after a return from M or HS: entering VU clears SDT.
fn left_vs(before: &Csrs, to: Mode) -> u64 {
    before.vsstatus & if to == Mode::VU { !(1 << 24) } else { u64::MAX }
}

/// "Double Trap Control": what becomes of a trap that goes to a mode.
#[derive(PartialEq)]
enum Delivery {
    Expected,
    Double,
    /// To the RNMI handler, perhaps as a double trap of the supervisor.
    Rnmi(bool),
    Critical,
}

fn delivery(csrs: &Csrs, mode: Mode, to: Mode) -> Delivery {
    let double = match to {
        Mode::HS => bit(csrs.mstatus, 24) == 1,
        Mode::VS => bit(csrs.vsstatus, 24) == 1,
        _ => false,
    };
    let nmie = !csrs.isa.has(Ext::Smrnmi) || bit(csrs.mnstatus, 3) == 1;
    let unexpected =
        (to == Mode::M || double) && csrs.isa.has(Ext::Smdbltrp) && (bit(csrs.mstatus, 42) == 1 || mode == Mode::M && !nmie);
    match (unexpected, csrs.isa.has(Ext::Smrnmi) && nmie) {
        (true, true) => Delivery::Rnmi(double),
        (true, false) => Delivery::Critical,
        _ if double => Delivery::Double,
        _ => Delivery::Expected,
    }
}

/// Smrnmi, "RNMI Operation".
fn check_rnmi(before: &Csrs, after: &Csrs, from: Mode, pc: u64, cause: u64) -> Result<(), TestCaseError> {
    only_changed(before, after, &["mnstatus", "mnepc", "mncause", "elp"])?;
    prop_assert_eq!((after.mnepc, after.mncause), (pc, cause));
    let (virt, elp) = (u64::from(from.virt()), u64::from(before.elp));
    prop_assert_eq!(after.mnstatus, from.level() << 11 | elp << 9 | virt << 7, "MNPP, MNPELP, MNPV, NMIE");
    prop_assert!(!after.elp);
    Ok(())
}

/// The reported changes are the differences, each once, in registers that hold the state.
fn check_changes(before: &Csrs, after: &Csrs, changes: &ChangeList) -> Result<(), TestCaseError> {
    let mut replayed = Vec::new();
    for change in &changes.0 {
        prop_assert_eq!(before.peek(change.csr, &now()), Some(change.before), "{}", change.name());
        prop_assert_eq!(after.peek(change.csr, &now()), Some(change.after), "{}", change.name());
        prop_assert!(!replayed.contains(&change.csr), "{} twice", change.name());
        replayed.push(change.csr);
        for field in change.fields() {
            prop_assert_ne!(field.before, field.after);
            prop_assert_eq!(field.field.of(change.after), field.after);
        }
    }
    for decl in table::all().filter(|decl| matches!(decl.place, table::Place::Own(_))) {
        let differs = before.peek(decl.number, &now()) != after.peek(decl.number, &now());
        prop_assert_eq!(differs, replayed.contains(&decl.number), "{}", decl.name);
    }
    Ok(())
}

#[test]
fn a_guest_page_fault_reports_its_guest_physical_address_where_it_goes() {
    let mut csrs = Csrs::new(Isa::max(), 0);
    csrs.poke(table::MEDELEG, 1 << 21, &now());
    csrs.poke(table::STVEC, 0x8000_0001, &now());
    let trap = Trap { cause: Exception::LoadGuestPageFault, tval: 0x4000, tval2: 0x2000_1000 >> 2, tinst: 0x3000, gva: true };
    let entry = csrs.enter_exception(Mode::VU, 0x1000, &trap, &mut ());
    assert_eq!((entry.mode, entry.pc), (Mode::HS, 0x8000_0000), "exceptions are not vectored");
    assert_eq!((csrs.scause, csrs.stval, csrs.htval, csrs.htinst), (21, 0x4000, 0x0800_0400, 0x3000));
    assert_eq!(csrs.hstatus >> 6 & 7, 0b011, "GVA, SPV; SPVP is zero from VU");
    // HLV in HS: GVA without SPV.
    let entry = csrs.enter_exception(Mode::HS, 0x1000, &trap, &mut ());
    assert_eq!(entry.mode, Mode::HS);
    assert_eq!(csrs.hstatus >> 6 & 7, 0b001);
}

#[test]
fn a_vs_timer_interrupt_is_the_guests_supervisor_timer_interrupt() {
    let mut csrs = Csrs::new(Isa::max(), 0);
    csrs.poke(table::HIDELEG, 1 << 6, &now());
    csrs.poke(table::HVIP, 1 << 6, &now());
    csrs.poke(table::HIE, 1 << 6, &now());
    csrs.poke(table::VSTVEC, 0x9000_0001, &now());
    assert_eq!(csrs.pending_interrupt(Mode::HS), None, "VS is not interrupted while V=0");
    assert_eq!(csrs.pending_interrupt(Mode::VS), None, "vsstatus.SIE is clear");
    assert_eq!(csrs.pending_interrupt(Mode::VU), Some((Interrupt::VSTimer, Mode::VS)));
    let entry = csrs.enter_interrupt(Mode::VU, 0x40, Interrupt::VSTimer, Mode::VS, &mut ());
    assert_eq!((entry.mode, entry.pc), (Mode::VS, 0x9000_0000 + 4 * 5));
    assert_eq!(csrs.vscause, 1 << 63 | 5);
}
