//! Indirect access (Smcsrind, Sscsrind) and delegated counters (Smcdeleg, Ssccfg), clause by clause.
#![allow(clippy::expect_used)] // tests

use emu_csr::table::field::{menvcfg, mhpmevent};
use emu_csr::{Csrs, Denied, Isa, Mode, Now, table};

const CDE: u64 = menvcfg::CDE;
const ILLEGAL: Result<u64, Denied> = Err(Denied::Illegal);
const VIRTUAL: Result<u64, Denied> = Err(Denied::Virtual);

const SIREGS: [u16; 6] = [table::SIREG, table::SIREG2, table::SIREG3, table::SIREG4, table::SIREG5, table::SIREG6];
const VSIREGS: [u16; 6] = [table::VSIREG, table::VSIREG2, table::VSIREG3, table::VSIREG4, table::VSIREG5, table::VSIREG6];
const MIREGS: [u16; 6] = [table::MIREG, table::MIREG2, table::MIREG3, table::MIREG4, table::MIREG5, table::MIREG6];

/// Every counter delegated, all state enabled.
fn hart(cpu: &str) -> Csrs {
    let mut c = Csrs::new(Isa::parse(cpu).expect("a CPU"), 0);
    let now = Now::default();
    for (csr, value) in
        [(table::MSTATEEN0, u64::MAX), (table::HSTATEEN0, u64::MAX), (table::MENVCFG, CDE), (table::MCOUNTEREN, u64::MAX)]
    {
        c.poke(csr, value, &now);
    }
    c
}

fn full() -> Csrs {
    hart("max,smcsrind=on,smcdeleg=on")
}

fn read(c: &Csrs, csr: u16, mode: Mode) -> Result<u64, Denied> {
    c.read(csr, mode, &Now::default())
}

fn write(c: &mut Csrs, csr: u16, value: u64, mode: Mode) -> Result<(), Denied> {
    c.write(csr, value, mode, &Now::default(), &mut ()).map(|_| ())
}

#[test]
fn without_the_extensions_there_is_nothing() {
    let c = hart("max");
    for csr in SIREGS.into_iter().chain(VSIREGS).chain(MIREGS).chain([table::SISELECT, table::MISELECT, table::SCOUNTINHIBIT]) {
        assert_eq!(read(&c, csr, Mode::M), ILLEGAL, "{csr:#x}");
    }
    assert_eq!(c.menvcfg & CDE, 0);
    assert_eq!(c.mstateen0 >> 60 & 1, 0);
    assert!(!Isa::parse("rva22").expect("a CPU").has(emu_csr::Ext::Smcdeleg));
}

#[test]
fn siselect_and_vsiselect_hold_0_to_0xfff_and_the_guest_has_its_own() {
    let mut c = full();
    for v in [0, 0x40, 0x5f, 0xfff] {
        assert_eq!(write(&mut c, table::SISELECT, v, Mode::HS), Ok(()));
        assert_eq!(read(&c, table::SISELECT, Mode::HS), Ok(v));
    }
    assert_eq!(write(&mut c, table::SISELECT, 0x1_0000, Mode::HS), Ok(()));
    assert_eq!(read(&c, table::SISELECT, Mode::HS), Ok(0xfff), "WARL");
    assert_eq!(write(&mut c, table::SISELECT, 0x123, Mode::VS), Ok(()));
    assert_eq!((c.siselect, c.vsiselect), (0xfff, 0x123));
    assert_eq!(read(&c, table::VSISELECT, Mode::HS), Ok(0x123));
}

#[test]
fn virtual_machines_and_users_may_not_reach_what_is_above_them() {
    let c = full();
    for csr in VSIREGS.into_iter().chain([table::VSISELECT]) {
        assert_eq!(read(&c, csr, Mode::VS), VIRTUAL, "{csr:#x}");
        assert_eq!(read(&c, csr, Mode::VU), VIRTUAL, "{csr:#x}");
        assert_eq!(read(&c, csr, Mode::U), ILLEGAL, "{csr:#x}");
    }
    for csr in SIREGS.into_iter().chain([table::SISELECT]) {
        assert_eq!(read(&c, csr, Mode::VU), VIRTUAL, "{csr:#x}");
        assert_eq!(read(&c, csr, Mode::U), ILLEGAL, "{csr:#x}");
    }
    for csr in MIREGS {
        assert!(Mode::ALL.iter().all(|&m| read(&c, csr, m) == ILLEGAL), "no machine-level value is implemented");
    }
}

#[test]
fn bit_60_of_mstateen0_and_hstateen0_controls_access() {
    let mut c = full();
    c.poke(table::HSTATEEN0, 0, &Now::default());
    for csr in SIREGS.into_iter().chain([table::SISELECT]) {
        assert_eq!(read(&c, csr, Mode::VS), VIRTUAL, "{csr:#x}: regardless of vsiselect");
        assert_eq!(read(&c, csr, Mode::VU), VIRTUAL);
    }
    assert!(read(&c, table::SISELECT, Mode::HS).is_ok());
    c.poke(table::MSTATEEN0, 0, &Now::default());
    for csr in SIREGS.into_iter().chain(VSIREGS).chain([table::SISELECT, table::VSISELECT]) {
        for mode in [Mode::HS, Mode::U, Mode::VS, Mode::VU] {
            assert_eq!(read(&c, csr, mode), ILLEGAL, "{csr:#x} {mode:?}");
        }
    }
    assert!(read(&c, table::SISELECT, Mode::M).is_ok(), "M-mode is not affected");
}

#[test]
fn a_delegated_counter_and_its_event_are_read_and_written_through_sireg() {
    for mode in [Mode::M, Mode::HS] {
        let mut c = full();
        write(&mut c, table::MHPMEVENT0 + 5, mhpmevent::MINH | 1, Mode::M).expect("a register");
        write(&mut c, table::SISELECT, 0x45, mode).expect("open");
        assert_eq!(read(&c, table::SIREG2, mode), Ok(1), "MINH reads 0");
        write(&mut c, table::SIREG2, mhpmevent::UINH | 2, mode).expect("open");
        assert_eq!(c.peek(table::MHPMEVENT0 + 5, &Now::default()), Some(mhpmevent::MINH | mhpmevent::UINH | 2), "and stays");
        write(&mut c, table::MCOUNTINHIBIT, u64::MAX, Mode::M).expect("a register");
        write(&mut c, table::SIREG, 0x1234_5678_9abc, mode).expect("open");
        assert_eq!(c.peek(table::MHPMCOUNTER0 + 5, &Now::default()), Some(0x1234_5678_9abc));
        assert_eq!(read(&c, table::SIREG, mode), Ok(0x1234_5678_9abc));
    }
}

#[test]
fn cycle_and_instret_have_their_filters_in_sireg2() {
    let mut c = full();
    write(&mut c, table::MCOUNTINHIBIT, u64::MAX, Mode::M).expect("a register");
    for (select, csr, config) in [(0x40, table::MCYCLE, table::MCYCLECFG), (0x42, table::MINSTRET, table::MINSTRETCFG)] {
        write(&mut c, table::SISELECT, select, Mode::HS).expect("open");
        write(&mut c, config, mhpmevent::MINH, Mode::M).expect("a register");
        write(&mut c, table::SIREG2, mhpmevent::SINH, Mode::HS).expect("open");
        assert_eq!(c.peek(config, &Now::default()), Some(mhpmevent::MINH | mhpmevent::SINH));
        assert_eq!(read(&c, table::SIREG2, Mode::HS), Ok(mhpmevent::SINH));
        write(&mut c, table::SIREG, 99, Mode::HS).expect("open");
        assert_eq!(c.peek(csr, &Now::default()), Some(99));
    }
    let mut c = hart("max,smcsrind=on,smcdeleg=on,smcntrpmf=off");
    write(&mut c, table::SISELECT, 0x40, Mode::HS).expect("open");
    assert!(read(&c, table::SIREG, Mode::HS).is_ok());
    assert_eq!(read(&c, table::SIREG2, Mode::HS), ILLEGAL, "it depends on Smcntrpmf");
}

#[test]
fn illegal_through_sireg_in_m_and_s() {
    for mode in [Mode::M, Mode::HS] {
        let mut c = full();
        write(&mut c, table::SISELECT, 0x43, mode).expect("open");
        assert!(read(&c, table::SIREG, mode).is_ok() && read(&c, table::SIREG2, mode).is_ok());
        for csr in &SIREGS[2..] {
            assert_eq!(read(&c, *csr, mode), ILLEGAL, "{csr:#x}");
        }
        c.poke(table::MCOUNTEREN, !8, &Now::default());
        assert_eq!(read(&c, table::SIREG, mode), ILLEGAL, "not delegated");
        write(&mut c, table::SISELECT, 0x44, mode).expect("open");
        assert!(read(&c, table::SIREG, mode).is_ok());
        c.poke(table::MENVCFG, 0, &Now::default());
        assert!(SIREGS.iter().all(|&r| read(&c, r, mode) == ILLEGAL), "CDE = 0");
        c.poke(table::MENVCFG, CDE, &Now::default());
        for select in [0x41, 0x3f, 0x60, 0, 0xfff] {
            write(&mut c, table::SISELECT, select, mode).expect("open");
            assert!(SIREGS.iter().all(|&r| read(&c, r, mode) == ILLEGAL), "{select:#x}");
        }
        write(&mut c, table::VSISELECT, 0x43, mode).expect("open");
        assert!(VSIREGS.iter().all(|&r| read(&c, r, mode) == ILLEGAL));
    }
}

#[test]
fn a_guest_gets_a_virtual_instruction_exception_or_an_illegal_one_without_cde() {
    let mut c = full();
    for (select, cde, want) in [(0x43, CDE, VIRTUAL), (0x41, CDE, VIRTUAL), (0x43, 0, ILLEGAL), (0x60, CDE, ILLEGAL)] {
        c.poke(table::MENVCFG, cde, &Now::default());
        write(&mut c, table::SISELECT, select, Mode::VS).expect("open");
        assert!(SIREGS.iter().all(|&r| read(&c, r, Mode::VS) == want), "{select:#x} {cde:#x}");
    }
}

#[test]
fn scountinhibit_is_the_delegated_part_of_mcountinhibit() {
    let mut c = full();
    c.poke(table::MCOUNTEREN, 0b1101, &Now::default());
    write(&mut c, table::MCOUNTINHIBIT, 0b1_0001, Mode::M).expect("a register");
    assert_eq!(read(&c, table::SCOUNTINHIBIT, Mode::HS), Ok(1));
    write(&mut c, table::SCOUNTINHIBIT, u64::MAX, Mode::HS).expect("open");
    assert_eq!(c.mcountinhibit, 0b1_1101, "counter 4 is not delegated, and was inhibited before");
    write(&mut c, table::SCOUNTINHIBIT, 0, Mode::HS).expect("open");
    assert_eq!(c.mcountinhibit, 0b1_0000);
    for (mode, open, closed) in [
        (Mode::M, Ok(0), ILLEGAL),
        (Mode::HS, Ok(0), ILLEGAL),
        (Mode::U, ILLEGAL, ILLEGAL),
        (Mode::VS, VIRTUAL, ILLEGAL),
        (Mode::VU, VIRTUAL, ILLEGAL),
    ] {
        c.poke(table::MENVCFG, CDE, &Now::default());
        assert_eq!(read(&c, table::SCOUNTINHIBIT, mode), open, "{mode:?}");
        c.poke(table::MENVCFG, 0, &Now::default());
        assert_eq!(read(&c, table::SCOUNTINHIBIT, mode), closed, "{mode:?}, CDE = 0");
    }
}

#[test]
fn an_inhibited_counter_stands_and_a_released_one_goes_on() {
    let mut c = full();
    let at = |cycles| Now { cycles, instret: cycles, time: 0 };
    c.write(table::SCOUNTINHIBIT, 1, Mode::HS, &at(10), &mut ()).expect("open");
    let stood = c.read(table::MCYCLE, Mode::M, &at(50)).expect("a register");
    assert_eq!(c.read(table::MCYCLE, Mode::M, &at(90)), Ok(stood));
    c.write(table::SCOUNTINHIBIT, 0, Mode::HS, &at(100), &mut ()).expect("open");
    assert_eq!(c.read(table::MCYCLE, Mode::M, &at(150)), Ok(stood + 50));
}

#[test]
fn scountovf_is_not_a_guests_while_counters_are_delegated() {
    let mut c = full();
    assert_eq!([Mode::HS, Mode::VS, Mode::VU].map(|m| read(&c, table::SCOUNTOVF, m)), [Ok(0), VIRTUAL, VIRTUAL]);
    c.poke(table::MENVCFG, 0, &Now::default());
    assert_eq!(read(&c, table::SCOUNTOVF, Mode::VS), Ok(0));
}
