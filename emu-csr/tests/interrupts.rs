//! Which interrupt is taken, against the manual's conditions read one by one; timers; WFI.

mod common;

use common::{MODES, Random, hart_of, now};
use emu_csr::{Csrs, Effects, Interrupt, Isa, Mode, Now, table};
use proptest::prelude::*;

/// The clauses as they stand, in terms of what software reads (Privileged ISA, "mip and mie", "sip and sie"; Hypervisor,
/// "hvip, hip, and hie").
fn expected(c: &Csrs, mode: Mode) -> Option<(u64, Mode)> {
    let read = |csr| c.peek(csr, &now()).unwrap_or_default();
    let bit = |register: u64, i: u64| register >> i & 1 == 1;
    let (mip, mie, mideleg) = (read(table::MIP), read(table::MIE), read(table::MIDELEG));
    let (sip, sie) = (read(table::SIP), read(table::SIE));
    let (hip, hie, hideleg) = (read(table::HIP), read(table::HIE), read(table::HIDELEG));
    let (vsip, vsie) = (read(table::VSIP), read(table::VSIE));
    // "MEI, MSI, MTI, SEI, SSI, STI, SGEI, VSEI, VSSI, VSTI, LCOFI".
    let order = [11, 3, 7, 9, 1, 5, 12, 10, 2, 6, 13];
    // "An interrupt i will trap to M-mode if all of the following are true: (a) either the current privilege mode is M and
    // the MIE bit in the mstatus register is set, or the current privilege mode has less privilege than M-mode; (b) bit i
    // is set in both mip and mie; and (c) if register mideleg exists, bit i is not set in mideleg."
    let a = mode != Mode::M || bit(c.mstatus, 3);
    if let Some(i) = order.into_iter().find(|&i| a && bit(mip, i) && bit(mie, i) && !bit(mideleg, i)) {
        return Some((i, Mode::M));
    }
    // "An interrupt i will trap to HS-mode whenever all of the following are true: (a) either the current operating mode is
    // HS-mode and the SIE bit in the sstatus register is set, or the current operating mode has less privilege than
    // HS-mode; (b) bit i is set in both sip and sie, or in both hip and hie; and (c) bit i is not set in hideleg."
    let a = mode == Mode::HS && bit(c.mstatus, 1) || matches!(mode, Mode::U | Mode::VS | Mode::VU);
    let b = |i| bit(sip, i) && bit(sie, i) || bit(hip, i) && bit(hie, i);
    if let Some(i) = order.into_iter().find(|&i| a && b(i) && !bit(hideleg, i)) {
        return Some((i, Mode::HS));
    }
    // The same for VS-mode with its own registers: "SEI, SSI, STI", while V=1 only.
    let a = mode == Mode::VS && bit(c.vsstatus, 1) || mode == Mode::VU;
    let vs = [9, 1, 5].into_iter().find(|&i| a && bit(vsip, i) && bit(vsie, i));
    vs.map(|i| (i + 1, Mode::VS))
}

/// A hart with few interrupts pending and enabled, so that every place in the order gets its turn.
fn sparse(seed: u64) -> Csrs {
    let isa = common::cpus()[(seed >> 60) as usize % 12];
    let mut csrs = hart_of(isa, seed);
    let mut random = Random::new(seed);
    for csr in [table::MIE, table::MIP, table::HVIP] {
        let value = random.next() & random.next();
        csrs.poke(csr, value, &now());
    }
    for interrupt in Interrupt::ALL {
        csrs.set_line(interrupt, random.next() & 3 == 0);
    }
    csrs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]
    #[test]
    fn a_tick_is_the_comparisons_and_the_timer_line(seed: u64, time: u64, near: bool, mtip: bool) {
        let mut csrs = sparse(seed);
        let time = if near { csrs.stimecmp.wrapping_add(time % 3).wrapping_sub(1) } else { time };
        let mut other = csrs.clone();
        let effects = other.update_timers(time).with(other.set_line(Interrupt::MTimer, mtip));
        prop_assert_eq!(csrs.tick(time, mtip), effects);
        prop_assert_eq!(csrs, other);
    }

    #[test]
    fn the_interrupt_taken_is_the_manuals(seed: u64) {
        let csrs = sparse(seed);
        for mode in MODES {
            let got = csrs.pending_interrupt(mode).map(|(interrupt, target)| (interrupt as u64, target));
            prop_assert_eq!(got, expected(&csrs, mode), "{:?}", mode);
            prop_assert!(got.is_none() || csrs.interrupt_possible());
        }
        // "WFI resumes if an interrupt is pending and locally enabled, whatever the global enables": mip and mie.
        let read = |csr| csrs.peek(csr, &now()).unwrap_or_default();
        prop_assert_eq!(csrs.wfi_wakes(), read(table::MIP) & read(table::MIE) != 0);
    }

    #[test]
    fn mip_combines_its_sources(seed: u64) {
        let csrs = hart_of(Isa::max(), seed);
        let mip = csrs.peek(table::MIP, &now()).unwrap_or_default();
        let bit = |register: u64, i: u64| register >> i & 1 == 1;
        let stce = bit(csrs.menvcfg, 63);
        let vstce = stce && bit(csrs.henvcfg, 63);
        let vgein = csrs.hstatus >> 12 & 63;
        for (i, expected) in [
            (1, bit(csrs.mip, 1)),
            (2, bit(csrs.hvip, 2)),
            (3, bit(csrs.lines, 3)),
            (5, if stce { bit(csrs.lines, 5) } else { bit(csrs.mip, 5) }),
            (6, bit(csrs.hvip, 6) || vstce && bit(csrs.lines, 6)),
            (7, bit(csrs.lines, 7)),
            (9, bit(csrs.mip, 9) || bit(csrs.lines, 9)),
            (10, bit(csrs.hvip, 10) || vgein != 0 && bit(csrs.hgeip, vgein)),
            (11, bit(csrs.lines, 11)),
            (12, csrs.hgeip & csrs.hgeie != 0),
            (13, bit(csrs.mip, 13)),
        ] {
            prop_assert_eq!(bit(mip, i), expected, "bit {}", i);
        }
        let known = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13;
        prop_assert_eq!(mip & !known, 0);
    }

    #[test]
    fn timers_fire_at_the_next_timer_and_not_before(stimecmp: u64, vstimecmp: u64, htimedelta: u64, start: u64, near: bool) {
        let mut csrs = Csrs::new(Isa::max(), 0);
        let start = start >> 1;
        // Comparands near the clock, or anywhere.
        let (stimecmp, vstimecmp) = if near {
            (start.wrapping_add(stimecmp % 64).wrapping_sub(32), start.wrapping_add(htimedelta).wrapping_add(vstimecmp % 64).wrapping_sub(32))
        } else {
            (stimecmp, vstimecmp)
        };
        let at = Now { time: start, ..Now::default() };
        csrs.poke(table::MENVCFG, 1 << 63, &at);
        csrs.poke(table::HENVCFG, 1 << 63, &at);
        csrs.poke(table::STIMECMP, stimecmp, &at);
        csrs.poke(table::VSTIMECMP, vstimecmp, &at);
        csrs.poke(table::HTIMEDELTA, htimedelta, &at);
        let mip = |csrs: &Csrs| csrs.peek(table::MIP, &at).unwrap_or_default() & (1 << 5 | 1 << 6);
        let signal = |time: u64| u64::from(time >= stimecmp) << 5 | u64::from(time.wrapping_add(htimedelta) >= vstimecmp) << 6;
        prop_assert_eq!(mip(&csrs), signal(start), "a write of a comparand shows at once");
        match csrs.next_timer(start) {
            Some(next) => {
                prop_assert!(next > start);
                prop_assert_eq!(signal(next - 1), signal(start));
                prop_assert_ne!(signal(next), signal(start));
                prop_assert_eq!(csrs.update_timers(next - 1), Effects::NONE);
                prop_assert_eq!(csrs.update_timers(next), Effects::INTERRUPTS);
                prop_assert_eq!(mip(&csrs), signal(next));
            }
            None => {
                prop_assert_eq!(signal(u64::MAX), signal(start));
            }
        }
    }
}

#[test]
fn stce_off_gives_stip_back_to_software() {
    let mut csrs = Csrs::new(Isa::max(), 0);
    let mip = |csrs: &Csrs| csrs.peek(table::MIP, &now()).unwrap_or_default();
    csrs.poke(table::MIP, 1 << 5, &now());
    assert_eq!(mip(&csrs), 1 << 5);
    csrs.poke(table::STIMECMP, u64::MAX, &now());
    csrs.poke(table::MENVCFG, 1 << 63, &now());
    assert_eq!(mip(&csrs), 0, "stimecmp drives it now");
    csrs.poke(table::MIP, 1 << 5, &now());
    assert_eq!(mip(&csrs), 0, "and mip.STIP is read-only");
    csrs.poke(table::STIMECMP, now().time, &now());
    assert_eq!(mip(&csrs), 1 << 5);
}

#[test]
fn vgein_selects_the_guest_interrupt_of_vs() {
    let mut csrs = Csrs::new(Isa::max(), 0).with_geilen(3);
    csrs.set_guest_lines(1 << 2 | 1 << 7);
    assert_eq!(csrs.peek(table::HGEIP, &now()), Some(1 << 2), "GEILEN is 3");
    assert_eq!(csrs.peek(table::HIP, &now()), Some(0));
    csrs.poke(table::HSTATUS, 2 << 12, &now());
    assert_eq!(csrs.peek(table::HIP, &now()), Some(1 << 10));
    csrs.poke(table::HGEIE, 1 << 2, &now());
    assert_eq!(csrs.peek(table::HIP, &now()), Some(1 << 10 | 1 << 12));
    csrs.poke(table::HSTATUS, 9 << 12, &now());
    assert_eq!(csrs.hstatus >> 12 & 63, 2, "beyond GEILEN");
}
