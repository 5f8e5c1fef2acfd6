//! What M-mode does for instructions that a hart cannot do: counters it has only at M-level, and misaligned accesses.
#![allow(clippy::expect_used)] // tests

mod common;

use common::*;
use emu_core::firmware::FwStep;
use emu_csr::{Effects, Exception, Mode, Trap, table};
use sbi_model::Config;
use sbi_model::profile::Profile;

/// A hart with H and without Zicntr.
const BARE: &str = "rv64gc,zicntr=off,h=on";

/// rd = a1, and the CSR; funct3 2 is csrrs.
fn csr_insn(csr: u16, funct3: u32, rs1: u32) -> u32 {
    u32::from(csr) << 20 | rs1 << 15 | funct3 << 12 | 11 << 7 | 0x73
}

/// Executes a CSR instruction that this hart refuses, in `mode`, through the firmware: a1 if it was carried out.
fn refused(rig: &mut Rig, mode: Mode, insn: u32) -> Option<u64> {
    let h = &mut rig.harts[0];
    h.csr.stvec = RAM + 0x2000;
    h.set_mode(mode);
    h.pc = ENTRY;
    h.x[11] = 0xdead;
    assert!(matches!(rig.raise(0, Trap::illegal(insn)), FwStep::Done { .. }));
    let h = &rig.harts[0];
    if h.pc == ENTRY + 4 {
        assert_eq!(h.mode, mode);
        return Some(h.x[11]);
    }
    assert_eq!((h.mode, h.pc, h.csr.scause, h.csr.sepc), (Mode::HS, RAM + 0x2000, 2, ENTRY));
    assert_eq!((h.csr.stval, h.x[11]), (u64::from(insn), 0xdead));
    None
}

#[test]
fn time_cycle_and_instret_are_read_for_harts_that_have_them_only_at_machine_level() {
    let mut rig = Rig::with(1, BARE);
    let h = &mut rig.harts[0];
    (h.cycles, h.instret) = (500_000, 77);
    h.csr.assign(table::SCOUNTEREN, 7, &Default::default());
    for mode in [Mode::HS, Mode::U] {
        assert_eq!(refused(&mut rig, mode, csr_insn(table::TIME, 2, 0)), Some(5000), "{mode:?}");
        assert_eq!(refused(&mut rig, mode, csr_insn(table::CYCLE, 2, 0)), Some(500_000));
        assert_eq!(refused(&mut rig, mode, csr_insn(table::INSTRET, 2, 0)), Some(77));
        // csrrc and the immediate forms read too.
        for funct3 in [3, 6, 7] {
            assert_eq!(refused(&mut rig, mode, csr_insn(table::TIME, funct3, 0)), Some(5000));
        }
    }
}

#[test]
fn counters_are_read_only() {
    let mut rig = Rig::with(1, BARE);
    for (funct3, rs1) in [(1, 0), (1, 5), (2, 5), (3, 5), (5, 0), (6, 1), (7, 31)] {
        assert_eq!(refused(&mut rig, Mode::HS, csr_insn(table::TIME, funct3, rs1)), None, "{funct3} {rs1}");
    }
}

#[test]
fn each_counter_enable_register_on_the_way_must_allow_the_read() {
    let mut rig = Rig::with(1, BARE);
    let now = Default::default();
    // mcounteren, hcounteren, scounteren, and which of HS, U, VS, VU may read.
    for (m, h, s, may) in [
        (7, 7, 7, [true; 4]),
        (0, 7, 7, [false; 4]),
        (7, 0, 7, [true, true, false, false]),
        (7, 7, 0, [true, false, true, false]),
        (5, 7, 7, [false; 4]),
    ] {
        let csr = &mut rig.harts[0].csr;
        csr.assign(table::MCOUNTEREN, m, &now);
        csr.assign(table::HCOUNTEREN, h, &now);
        csr.assign(table::SCOUNTEREN, s, &now);
        let read =
            [Mode::HS, Mode::U, Mode::VS, Mode::VU].map(|mode| refused(&mut rig, mode, csr_insn(table::TIME, 2, 0)).is_some());
        assert_eq!(read, may, "{m} {h} {s}");
    }
}

#[test]
fn htimedelta_is_the_firmwares_and_shifts_the_guests_time() {
    let mut rig = Rig::with(1, BARE);
    rig.harts[0].csr.assign(table::HCOUNTEREN, 7, &Default::default());
    rig.harts[0].x[5] = 1000;
    assert_eq!(refused(&mut rig, Mode::HS, csr_insn(table::HTIMEDELTA, 1, 5)), Some(0));
    assert_eq!(refused(&mut rig, Mode::HS, csr_insn(table::HTIMEDELTA, 7, 8)), Some(1000), "clears bit 3");
    assert_eq!(refused(&mut rig, Mode::HS, csr_insn(table::HTIMEDELTA, 2, 0)), Some(992));
    for mode in [Mode::U, Mode::VS, Mode::VU] {
        assert_eq!(refused(&mut rig, mode, csr_insn(table::HTIMEDELTA, 2, 0)), None);
    }
    rig.harts[0].cycles = 100_000;
    assert_eq!(refused(&mut rig, Mode::VS, csr_insn(table::TIME, 2, 0)), Some(1992));
    assert_eq!(refused(&mut rig, Mode::HS, csr_insn(table::TIME, 2, 0)), Some(1000));
}

#[test]
fn a_hart_that_has_the_counter_was_refused_for_good_reason() {
    let mut rig = Rig::new(1);
    for csr in [table::TIME, table::CYCLE, table::INSTRET, table::HPMCOUNTER0 + 3, table::HTIMEDELTA] {
        assert_eq!(refused(&mut rig, Mode::HS, csr_insn(csr, 2, 0)), None, "{csr:#x}");
    }
}

#[test]
fn reads_of_hpmcounters_are_carried_out_or_the_supervisors_by_policy() {
    for (name, got) in [("spec", Some(42)), ("opensbi-1.9", None)] {
        let config = Config::new(Profile::find(name).expect("a profile"));
        let mut rig = Rig::of(1, "rv64gc", config);
        rig.harts[0].csr.assign(table::MHPMCOUNTER0 + 5, 42, &Default::default());
        assert_eq!(refused(&mut rig, Mode::HS, csr_insn(table::HPMCOUNTER0 + 5, 2, 0)), got, "{name}");
        assert_eq!(refused(&mut rig, Mode::HS, csr_insn(table::HPMCOUNTER0 + 5, 1, 0)), None, "{name}");
    }
}

#[test]
fn other_illegal_instructions_are_the_supervisors() {
    let mut rig = Rig::with(1, BARE);
    // Compressed zero, an unknown CSR, a machine CSR, no instruction at all.
    for insn in [0, csr_insn(0x123, 2, 0), csr_insn(table::MSTATUS, 2, 0), 0xffff_ffff] {
        assert_eq!(refused(&mut rig, Mode::U, insn), None, "{insn:#x}");
    }
}

/// A hart that refuses misaligned accesses, with an instruction at its pc.
fn misaligned(cpu: &str, name: &str, insn: u32) -> Rig {
    let mut rig = Rig::of(1, cpu, Config::new(Profile::find(name).expect("a profile")));
    rig.bus.ram.write(ENTRY, 4, u64::from(insn), &mut Vec::new());
    rig.bus.ram.write(RAM + 0x100, 8, 0x8877_6655_4433_2211, &mut Vec::new());
    rig.bus.ram.write(RAM + 0x108, 8, 0xffee_ddcc_bbaa_0099, &mut Vec::new());
    let h = &mut rig.harts[0];
    h.tlb.trap_misaligned = true;
    h.csr.stvec = RAM + 0x2000;
    h.x[10] = RAM + 0x103;
    h.x[11] = 0x0123_4567_89ab_cdef;
    h.pc = ENTRY;
    rig
}

fn word(rig: &Rig, at: u64) -> u64 {
    rig.bus.ram.read(at, 8).expect("memory")
}

#[test]
fn every_misaligned_load_is_carried_out() {
    // lh, lhu, lw, lwu, ld of a1 from 0(a0); c.lw, c.ld; a0 is 3 modulo 8.
    for (insn, len, value) in [
        (0x0005_1583, 4, 0x5544),
        (0x0005_5583, 4, 0x5544),
        (0x0005_2583, 4, 0x7766_5544),
        (0x0005_6583, 4, 0x7766_5544),
        (0x0005_3583, 4, 0xaa00_9988_7766_5544),
        (0x410c, 2, 0x7766_5544),
        (0x610c, 2, 0xaa00_9988_7766_5544),
    ] {
        let mut rig = misaligned("max", "spec", insn);
        assert!(matches!(rig.raise(0, Trap::new(Exception::LoadAddrMisaligned, RAM + 0x103)), FwStep::Done { .. }));
        let h = &rig.harts[0];
        assert_eq!((h.x[11], h.pc), (value, ENTRY + len), "{insn:#x}");
    }
}

#[test]
fn every_misaligned_store_is_carried_out_and_touches_no_other_byte() {
    // sh, sw, sd of a1 to 0(a0); c.sw, c.sd.
    for (insn, len, first, second) in [
        (0x00b5_1023, 4, 0x8877_66cd_ef33_2211, 0xffee_ddcc_bbaa_0099_u64),
        (0x00b5_2023, 4, 0x8889_abcd_ef33_2211, 0xffee_ddcc_bbaa_0099),
        (0x00b5_3023, 4, 0x6789_abcd_ef33_2211, 0xffee_ddcc_bb01_2345),
        (0xc10c, 2, 0x8889_abcd_ef33_2211, 0xffee_ddcc_bbaa_0099),
        (0xe10c, 2, 0x6789_abcd_ef33_2211, 0xffee_ddcc_bb01_2345),
    ] {
        let mut rig = misaligned("max", "spec", insn);
        rig.raise(0, Trap::new(Exception::StoreAddrMisaligned, RAM + 0x103));
        assert_eq!((word(&rig, RAM + 0x100), word(&rig, RAM + 0x108)), (first, second), "{insn:#x}");
        assert_eq!(rig.harts[0].pc, ENTRY + len);
    }
}

#[test]
fn misaligned_floating_point_accesses_are_carried_out_and_dirty_fs() {
    // flw, fld, c.fld of fa1; fsw, fsd, c.fsd.
    for (insn, value) in [(0x0005_2587, 0xffff_ffff_7766_5544), (0x210c, 0xaa00_9988_7766_5544)] {
        let mut rig = misaligned("max", "spec", insn);
        rig.harts[0].csr.mstatus = rig.harts[0].csr.mstatus & !(3 << 13) | 1 << 13;
        rig.raise(0, Trap::new(Exception::LoadAddrMisaligned, RAM + 0x103));
        let h = &rig.harts[0];
        assert_eq!((h.f[11], h.csr.mstatus >> 13 & 3), (value, 3), "{insn:#x}");
    }
    for insn in [0x00b5_3027, 0xa10c] {
        let mut rig = misaligned("max", "spec", insn);
        rig.harts[0].f[11] = 0x0123_4567_89ab_cdef;
        rig.raise(0, Trap::new(Exception::StoreAddrMisaligned, RAM + 0x103));
        assert_eq!(word(&rig, RAM + 0x100), 0x6789_abcd_ef33_2211, "{insn:#x}");
    }
}

#[test]
fn misaligned_atomics_are_carried_out_or_the_supervisors_by_policy() {
    // amoadd.w, amoswap.d a2 = (a0) op a1; amomaxu.h (Zabha); amocas.w (Zacas) with a2 = the old value.
    for (insn, a2, rd, first) in [
        (0x00b5_262f, 0, 0x7766_5544, 0x8801_1223_3333_2211),
        (0x08b5_362f, 0, 0xaa00_9988_7766_5544, 0x6789_abcd_ef33_2211),
        (0xe0b5_162f, 0, 0x5544, 0x8877_66cd_ef33_2211),
        (0x28b5_262f, 0x7766_5544, 0x7766_5544, 0x8889_abcd_ef33_2211),
        (0x28b5_262f, 0x7766_5545, 0x7766_5544, 0x8877_6655_4433_2211),
    ] {
        let mut rig = misaligned("max", "spec", insn);
        rig.harts[0].x[12] = a2;
        rig.raise(0, Trap::new(Exception::StoreAddrMisaligned, RAM + 0x103));
        let h = &rig.harts[0];
        assert_eq!((h.x[12], h.pc, word(&rig, RAM + 0x100)), (rd, ENTRY + 4, first), "{insn:#x}");
        // Of atomics also harts refuse them that do other misaligned accesses, and go on doing those.
        for refuses in [true, false] {
            let mut rig = misaligned("max", "spec", insn);
            rig.harts[0].tlb.trap_misaligned = refuses;
            rig.raise(0, Trap::new(Exception::StoreAddrMisaligned, RAM + 0x103));
            assert_eq!((rig.harts[0].pc, rig.harts[0].tlb.trap_misaligned), (ENTRY + 4, refuses), "{insn:#x}");
        }
        let mut rig = misaligned("max", "opensbi-1.9", insn);
        rig.raise(0, Trap::new(Exception::StoreAddrMisaligned, RAM + 0x103));
        let h = &rig.harts[0];
        assert_eq!((h.pc, h.csr.scause, h.csr.stval), (RAM + 0x2000, 6, RAM + 0x103), "{insn:#x}");
        assert_eq!(word(&rig, RAM + 0x100), 0x8877_6655_4433_2211);
    }
}

#[test]
fn an_atomic_whose_operands_are_one_register_computes_with_the_address() {
    // amoadd.d a0 = (a0) + a0.
    let mut rig = misaligned("max", "spec", 0x00a5_352f);
    rig.raise(0, Trap::new(Exception::StoreAddrMisaligned, RAM + 0x103));
    assert_eq!(rig.harts[0].x[10], 0xaa00_9988_7766_5544);
    let sum = 0xaa00_9988_7766_5544_u64.wrapping_add(RAM + 0x103);
    assert_eq!(word(&rig, RAM + 0x100) >> 24, sum & 0xff_ffff_ffff);
}

#[test]
fn lr_sc_and_sixteen_byte_atomics_are_the_supervisors() {
    // lr.w, sc.w, amocas.q.
    for (insn, cause) in [
        (0x1005_262f, Exception::LoadAddrMisaligned),
        (0x18b5_262f, Exception::StoreAddrMisaligned),
        (0x28e5_462f, Exception::StoreAddrMisaligned),
    ] {
        let mut rig = misaligned("max", "spec", insn);
        rig.raise(0, Trap::new(cause, RAM + 0x103));
        let h = &rig.harts[0];
        assert_eq!((h.pc, h.csr.scause, h.csr.stval, h.csr.sepc), (RAM + 0x2000, cause as u64, RAM + 0x103, ENTRY), "{insn:#x}");
    }
}

/// Sv39 with one gigapage at virtual 0 that leads to RAM, at `root`: valid, with these permissions.
fn gigapage(rig: &mut Rig, root: u64, bits: u64) {
    rig.bus.ram.write(root, 8, (RAM >> 12) << 10 | bits, &mut Vec::new());
}

const SV39: u64 = 8 << 60;

#[test]
fn the_access_uses_the_interrupted_contexts_translation_and_privilege() {
    let insn = 0x0005_3583; // ld a1, 0(a0)
    let root = RAM + 0x20_000;
    let virt = |rig: &mut Rig, mode: Mode| {
        let h = &mut rig.harts[0];
        h.x[10] = 0x103;
        h.pc = ENTRY - RAM;
        h.csr.mstatus &= !(1 << 18); // SUM
        h.apply(Effects::FLUSH);
        h.set_mode(mode);
        rig.raise(0, Trap { gva: mode.virt(), ..Trap::new(Exception::LoadAddrMisaligned, 0x103) });
        let h = &rig.harts[0];
        (h.x[11], h.pc, h.mode, h.csr.scause, h.csr.stval)
    };
    // V, R, W, X, A, D, and U where the mode needs it.
    for (mode, bits) in [(Mode::HS, 0xcf), (Mode::U, 0xdf), (Mode::VS, 0xcf), (Mode::VU, 0xdf)] {
        let mut rig = misaligned("max", "spec", insn);
        gigapage(&mut rig, root, bits);
        if mode.virt() {
            rig.harts[0].csr.vsatp = SV39 | root >> 12;
        } else {
            rig.harts[0].csr.satp = SV39 | root >> 12;
        }
        assert_eq!(virt(&mut rig, mode), (0xaa00_9988_7766_5544, ENTRY - RAM + 4, mode, 0, 0), "{mode:?}");
    }
    // The supervisor's page is not the user's: the access itself faults, at its own address.
    let mut rig = misaligned("max", "spec", insn);
    gigapage(&mut rig, root, 0xdf);
    rig.harts[0].csr.satp = SV39 | root >> 12;
    let (_, pc, mode, cause, _) = virt(&mut rig, Mode::HS);
    assert_eq!((pc, mode, cause), (RAM + 0x2000, Mode::HS, 12), "even the instruction is not the supervisor's to fetch");
}

#[test]
fn hypervisor_accesses_use_the_guests_translation() {
    let root = RAM + 0x20_000;
    // hlv.d a1, (a0); hsv.w a1, (a0): of VS as hstatus.SPVP says.
    for (insn, cause) in [(0x6c05_45f3, Exception::LoadAddrMisaligned), (0x6ab5_4073, Exception::StoreAddrMisaligned)] {
        let mut rig = misaligned("max", "spec", insn);
        gigapage(&mut rig, root, 0xcf);
        let h = &mut rig.harts[0];
        h.csr.vsatp = SV39 | root >> 12;
        h.csr.hstatus |= 1 << 8;
        h.x[10] = 0x103;
        h.apply(Effects::FLUSH);
        rig.raise(0, Trap { gva: true, ..Trap::new(cause, 0x103) });
        let h = &rig.harts[0];
        assert_eq!((h.pc, h.mode), (ENTRY + 4, Mode::HS), "{insn:#x}");
        if cause == Exception::LoadAddrMisaligned {
            assert_eq!(h.x[11], 0xaa00_9988_7766_5544);
        } else {
            assert_eq!(word(&rig, RAM + 0x100), 0x8889_abcd_ef33_2211);
        }
    }
}

#[test]
fn an_access_that_faults_in_its_second_page_says_so_and_has_done_nothing() {
    // sd a1, 0(a0) across the end of memory.
    let mut rig = misaligned("max", "spec", 0x00b5_3023);
    let end = RAM + RAM_SIZE;
    rig.harts[0].x[10] = end - 3;
    rig.raise(0, Trap::new(Exception::StoreAddrMisaligned, end - 3));
    let h = &rig.harts[0];
    assert_eq!((h.pc, h.csr.scause, h.csr.stval, h.csr.sepc), (RAM + 0x2000, 7, end, ENTRY));
    // Transformed sd with the offset of the faulting part.
    assert_eq!(h.csr.htinst, 0x00b0_3023 | 3 << 15);
    assert_eq!(word(&rig, end - 8), 0);
    // An atomic there is a store fault too, although its load faults first.
    let mut rig = misaligned("max", "spec", 0x08b5_362f);
    rig.harts[0].x[10] = end - 3;
    rig.raise(0, Trap::new(Exception::StoreAddrMisaligned, end - 3));
    assert_eq!((rig.harts[0].csr.scause, rig.harts[0].csr.stval, word(&rig, end - 8)), (7, end, 0));
}
