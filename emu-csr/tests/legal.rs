//! Written values: what is read back is legal and stays, aliases agree, whatever was written before.

mod common;

use common::{MODES, Random, cpus, hart, hart_of, now};
use emu_csr::{Csrs, Ext, Interrupt, Isa, Mode, Now, table};
use proptest::prelude::*;

/// The moment after an instruction at `now()`, when its CSR write has taken effect.
fn later() -> Now {
    let now = now();
    Now { cycles: now.cycles + 1, instret: now.instret + 1, time: now.time }
}

proptest! {
    #[test]
    fn what_was_read_can_be_written_back_and_stays(seed: u64, salt: u64) {
        let mut random = Random::new(salt);
        for decl in table::all() {
            let mut csrs = hart(seed);
            if !csrs.poke(decl.number, random.value(), &now()) {
                continue;
            }
            let first = csrs.peek(decl.number, &later());
            csrs.poke(decl.number, first.unwrap_or_default(), &now());
            prop_assert_eq!(csrs.peek(decl.number, &later()), first, "{}", decl.name);
        }
    }

    #[test]
    fn no_bit_outside_the_declared_fields_is_ever_set(seed: u64) {
        let csrs = hart(seed);
        for decl in table::all().filter(|decl| !decl.fields.is_empty()) {
            let known = decl.fields.iter().fold(0, |mask, field| mask | field.mask());
            for mode in MODES {
                if let Ok(value) = csrs.read(decl.number, mode, &now()) {
                    // With V=1 another register answers, whose fields its own line checks.
                    prop_assert_eq!(if mode.virt() { 0 } else { value & !known }, 0, "{} reads {:#x}", decl.name, value);
                }
            }
        }
    }

    #[test]
    fn fields_hold_legal_values(seed: u64) {
        let csrs = hart(seed);
        let read = |csr| csrs.peek(csr, &now());
        let has = |ext| csrs.isa.has(ext);
        let mstatus = read(table::MSTATUS).unwrap_or_default();
        let mpp = mstatus >> 11 & 3;
        prop_assert!(mpp == 3 || mpp == 0 && has(Ext::U) || mpp == 1 && has(Ext::S));
        prop_assert_eq!(mstatus >> 63, u64::from(mstatus >> 13 & 3 == 3));
        prop_assert_eq!(mstatus >> 32 & 3, if has(Ext::U) { 2 } else { 0 });
        prop_assert_eq!(mstatus >> 34 & 3, if has(Ext::S) { 2 } else { 0 });
        for csr in [table::SATP, table::VSATP, table::HGATP] {
            let legal = match read(csr).unwrap_or_default() >> 60 {
                0 => true,
                8 => has(Ext::Sv39),
                9 => has(Ext::Sv48),
                10 => has(Ext::Sv57),
                _ => false,
            };
            prop_assert!(legal, "{:?}", table::name(csr));
        }
        prop_assert_eq!(read(table::HGATP).unwrap_or_default() & (3 | 3 << 58), 0);
        for csr in [table::MENVCFG, table::HENVCFG, table::SENVCFG] {
            prop_assert_ne!(read(csr).unwrap_or_default() >> 4 & 3, 2, "{:?}", table::name(csr));
        }
        for csr in [table::MTVEC, table::STVEC, table::VSTVEC] {
            prop_assert!(read(csr).unwrap_or_default() & 3 < 2);
        }
        for csr in [table::MEPC, table::SEPC, table::VSEPC] {
            prop_assert_eq!(read(csr).unwrap_or_default() & if has(Ext::Zca) { 1 } else { 3 }, 0);
        }
        // "If menvcfg.x is zero, henvcfg.x is read-only zero", for PBMTE, ADUE, STCE, DTE and SSE.
        let (m, h) = (read(table::MENVCFG).unwrap_or_default(), read(table::HENVCFG).unwrap_or_default());
        prop_assert_eq!(h & (7 << 61 | 1 << 59 | 1 << 3) & !m, 0);
        // "When menvcfg.DTE is zero, the implementation behaves as though Ssdbltrp is not implemented."
        prop_assert!(mstatus & 1 << 24 == 0 || m & 1 << 59 != 0);
        prop_assert!(read(table::VSSTATUS).unwrap_or_default() & 1 << 24 == 0 || h & 1 << 59 != 0);
        // MDT and SDT keep MIE and SIE clear.
        prop_assert!(mstatus & 1 << 42 == 0 || mstatus & 1 << 3 == 0);
        prop_assert!(mstatus & 1 << 24 == 0 || mstatus & 1 << 1 == 0);
        prop_assert!(has(Ext::Smdbltrp) || mstatus & 1 << 42 == 0);
        let mideleg = read(table::MIDELEG).unwrap_or_default();
        let forced = 1 << 2 | 1 << 6 | 1 << 10 | 1 << 12;
        prop_assert_eq!(mideleg & forced, if has(Ext::H) { forced } else { 0 });
        prop_assert_eq!(mideleg & (1 << 3 | 1 << 7 | 1 << 11), 0);
        prop_assert_eq!(read(table::MEDELEG).unwrap_or_default() & (1 << 11 | 1 << 14 | 1 << 16), 0);
        prop_assert_eq!(read(table::HEDELEG).unwrap_or_default() & (7 << 9 | 1 << 16 | 15 << 20), 0);
        prop_assert_eq!(read(table::HIDELEG).unwrap_or_default() & !(1 << 2 | 1 << 6 | 1 << 10), 0);
        prop_assert!(read(table::HSTATUS).unwrap_or_default() >> 12 & 63 <= csrs.geilen);
        let guests = (0..64).filter(|&i| i >= 1 && i <= csrs.geilen).fold(0, |mask, i| mask | 1u64 << i);
        prop_assert_eq!(read(table::HGEIE).unwrap_or_default() & !guests, 0);
        prop_assert_eq!(read(table::HGEIP).unwrap_or_default() & !guests, 0);
        for i in 0..4 {
            let h = read(table::HSTATEEN0 + i).unwrap_or_default();
            prop_assert_eq!(h & !read(table::MSTATEEN0 + i).unwrap_or_default(), 0, "hstateen{}", i);
        }
        for i in 0..16 {
            let cfg = csrs.pmpcfg[i];
            prop_assert_eq!(cfg & 0x60, 0);
            let mml = csrs.mseccfg & 1 != 0;
            prop_assert!(mml || cfg & 3 != 2, "R=0 W=1 without MML");
        }
    }

    #[test]
    fn sstatus_is_a_part_of_mstatus(seed: u64, value: u64) {
        let mut csrs = hart_of(Isa::max(), seed);
        let before = csrs.mstatus;
        csrs.write(table::SSTATUS, value, Mode::HS, &now(), &mut ()).expect("HS may");
        // SIE SPIE SPP FS SUM MXR.
        let (lpe, dte) = (csrs.isa.has(Ext::Zicfilp), csrs.menvcfg >> 59 & 1);
        let part = 1 << 1 | 1 << 5 | 1 << 8 | 3 << 13 | 1 << 18 | 1 << 19 | u64::from(lpe) << 23 | dte << 24;
        let sum = before & !part | value & part;
        // "When the SDT bit is set to 1 by an explicit CSR write, the SIE bit is cleared to 0."
        prop_assert_eq!(csrs.mstatus, if sum & 1 << 24 != 0 { sum & !(1 << 1) } else { sum });
        let sstatus = csrs.read(table::SSTATUS, Mode::HS, &now()).expect("HS may");
        let shown = part | 3 << 32 | 1 << 63;
        prop_assert_eq!(sstatus, csrs.peek(table::MSTATUS, &now()).expect("exists") & shown);
    }

    #[test]
    fn with_v_the_supervisors_numbers_are_the_vs_registers(seed: u64, value: u64, index in 0usize..10) {
        let pairs = [
            (table::SSTATUS, table::VSSTATUS), (table::SIE, table::VSIE), (table::STVEC, table::VSTVEC),
            (table::SSCRATCH, table::VSSCRATCH), (table::SEPC, table::VSEPC), (table::SCAUSE, table::VSCAUSE),
            (table::STVAL, table::VSTVAL), (table::SIP, table::VSIP), (table::SATP, table::VSATP),
            (table::STIMECMP, table::VSTIMECMP),
        ];
        let (s, vs) = pairs[index];
        let mut csrs = hart_of(Isa::max(), seed);
        let supervisors = csrs.peek(s, &now());
        let Ok(before) = csrs.read(s, Mode::VS, &now()) else { return Ok(()) };
        prop_assert_eq!(Some(before), csrs.peek(vs, &now()));
        let mut direct = csrs.clone();
        csrs.write(s, value, Mode::VS, &now(), &mut ()).expect("it could be read");
        direct.poke(vs, value, &now());
        let unsupported = s == table::SATP && !matches!(value >> 60, 0 | 8 | 9 | 10);
        if unsupported {
            // Hypervisor, "vsatp": "a write to satp with an unsupported MODE value is ignored" with V=1.
            prop_assert_eq!(csrs.peek(vs, &now()), Some(before));
        } else {
            prop_assert_eq!(&csrs, &direct);
        }
        if !matches!(s, table::SIP | table::SSTATUS) {
            prop_assert_eq!(csrs.peek(s, &now()), supervisors);
        }
    }

    #[test]
    fn interrupt_registers_are_aliases(seed: u64, value: u64) {
        let mut csrs = hart_of(Isa::max(), seed);
        let (mideleg, hideleg) = (csrs.mideleg, csrs.hideleg);
        let vs = 1 << 2 | 1 << 6 | 1 << 10;
        let s = (1 << 1 | 1 << 5 | 1 << 9 | 1 << 13) & mideleg;
        let see = |csrs: &emu_csr::Csrs| {
            let read = |csr| csrs.peek(csr, &now()).unwrap_or_default();
            prop_assert_eq!(read(table::SIE), read(table::MIE) & s);
            prop_assert_eq!(read(table::SIP), read(table::MIP) & s);
            prop_assert_eq!(read(table::HIE), read(table::MIE) & (vs | 1 << 12));
            prop_assert_eq!(read(table::HIP), read(table::MIP) & (vs | 1 << 12));
            prop_assert_eq!(read(table::VSIE), (read(table::HIE) & hideleg) >> 1);
            prop_assert_eq!(read(table::VSIP), (read(table::HIP) & hideleg) >> 1);
            // "VSSIP in hip is an alias (writable) of the same bit in hvip."
            prop_assert_eq!(read(table::HIP) & 4, read(table::HVIP) & 4);
            Ok(())
        };
        see(&csrs)?;
        for (csr, writable, shift) in [
            (table::SIE, s, 0),
            (table::HIE, vs | 1 << 12, 0),
            (table::VSIE, hideleg, 1),
        ] {
            let before = csrs.mie;
            csrs.poke(csr, value, &now());
            prop_assert_eq!(csrs.mie, before & !writable | value << shift & writable);
            see(&csrs)?;
        }
        for (csr, writable, shift) in [
            // "sip": SSIP and LCOFIP are writable, SEIP and STIP read-only.
            (table::SIP, s & (1 << 1 | 1 << 13), 0),
            (table::HIP, 1 << 2, 0),
            (table::VSIP, hideleg & 1 << 2, 1),
        ] {
            let before = csrs.peek(table::MIP, &now()).unwrap_or_default();
            csrs.poke(csr, value, &now());
            prop_assert_eq!(csrs.peek(table::MIP, &now()).unwrap_or_default(), before & !writable | value << shift & writable);
            see(&csrs)?;
        }
        let before = csrs.hvip;
        csrs.poke(table::HVIP, value, &now());
        prop_assert_eq!(csrs.hvip, before & !vs | value & vs);
        see(&csrs)?;
    }

    #[test]
    fn state_goes_out_and_back_in(seed: u64, other: u64) {
        let csrs = hart(seed);
        let words = csrs.words();
        let mut copy = hart(other);
        let mut next = words.iter();
        copy.visit_state(&mut |_, word| *word = *next.next().expect("the same list"));
        copy.restored();
        prop_assert_eq!(&copy, &csrs);
        prop_assert_eq!(copy.words(), words);
    }
}

#[test]
fn reset_values_are_legal_for_every_cpu() {
    for isa in cpus() {
        let reset = emu_csr::Csrs::new(isa, 5);
        for decl in table::all().filter(|decl| !decl.read_only()) {
            let mut csrs = reset.clone();
            let Some(value) = csrs.peek(decl.number, &Now::default()) else { continue };
            csrs.poke(decl.number, value, &Now::default());
            // A counter written takes effect after the writing instruction.
            let then = if decl.number & 0xf00 == 0xb00 { Now { cycles: 1, instret: 1, time: 0 } } else { Now::default() };
            assert_eq!(csrs.peek(decl.number, &then), Some(value), "{} of {}", decl.name, isa.isa_string());
        }
        assert_eq!(reset.peek(table::MHARTID, &now()), Some(5));
        assert_eq!(reset.peek(table::MISA, &now()), Some(isa.misa()));
        // "Reset": MIE and MPRV are zero.
        assert_eq!(reset.mstatus & (1 << 3 | 1 << 17), 0);
        assert_eq!(reset.pending_interrupt(Mode::U), None);
    }
}

#[test]
fn seip_of_mip_keeps_the_software_bit_apart_from_the_signal() {
    use emu_csr::Op;
    let mut csrs = emu_csr::Csrs::new(Isa::max(), 0);
    let seip = 1 << 9;
    csrs.set_line(Interrupt::SExt, true);
    let (old, _) = csrs.read_modify_write(table::MIP, Op::Set, 1 << 1, true, Mode::M, &now(), &mut ()).expect("M may write mip");
    assert_eq!(old & seip, seip, "rd shows the signal");
    csrs.set_line(Interrupt::SExt, false);
    assert_eq!(csrs.peek(table::MIP, &now()), Some(1 << 1), "the signal was not written into the bit");
    csrs.poke(table::MIP, seip, &now());
    csrs.set_line(Interrupt::SExt, true);
    csrs.set_line(Interrupt::SExt, false);
    assert_eq!(csrs.peek(table::MIP, &now()), Some(seip), "the bit outlives the signal");
}

#[test]
fn henvcfg_bits_hidden_by_menvcfg_come_back() {
    let mut csrs = emu_csr::Csrs::new(Isa::max(), 0);
    let adue = 1 << 61;
    csrs.poke(table::MENVCFG, adue, &now());
    csrs.poke(table::HENVCFG, adue, &now());
    csrs.poke(table::MENVCFG, 0, &now());
    assert_eq!((csrs.henvcfg, csrs.peek(table::HENVCFG, &now())), (0, Some(0)));
    csrs.poke(table::MENVCFG, adue, &now());
    assert_eq!(csrs.henvcfg, adue);
}

#[test]
fn a_write_of_fcsr_makes_the_floating_point_state_dirty_in_both_registers() {
    for (csr, mode) in [(table::FFLAGS, Mode::VU), (table::FRM, Mode::VS), (table::FCSR, Mode::U)] {
        let mut csrs = emu_csr::Csrs::new(Isa::max(), 0);
        csrs.poke(table::MSTATUS, 1 << 13, &now());
        csrs.poke(table::VSSTATUS, 1 << 13, &now());
        csrs.write(csr, 1, mode, &now(), &mut ()).expect("FS is on");
        assert_eq!(csrs.mstatus >> 13 & 3, 3);
        assert_eq!(csrs.vsstatus >> 13 & 3, if mode.virt() { 3 } else { 1 });
        assert_eq!(csrs.peek(table::FCSR, &now()), Some(if csr == table::FRM { 1 << 5 } else { 1 }));
    }
}

/// Hypervisor, table "Bits of hedeleg that must be writable or must be read-only zero", and what a hart never raises.
#[test]
fn the_delegation_registers_keep_the_exceptions_that_may_be_delegated() {
    for (cpu, medeleg, hedeleg) in
        [("max", 0xfc_b7fe, Some(0xc_b1fe)), ("max,c=off", 0xfc_b7ff, Some(0xc_b1ff)), ("rv64gc", 0x8_b3fe, None)]
    {
        let mut csrs = Csrs::new(Isa::parse(cpu).expect("a CPU"), 0);
        csrs.poke(table::MEDELEG, u64::MAX, &now());
        csrs.poke(table::HEDELEG, u64::MAX, &now());
        assert_eq!(csrs.peek(table::MEDELEG, &now()), Some(medeleg), "{cpu}");
        assert_eq!(csrs.peek(table::HEDELEG, &now()), hedeleg, "{cpu}");
    }
}
