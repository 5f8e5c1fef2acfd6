//! SBI, "Nested Acceleration Extension", clause by clause.
#![allow(clippy::expect_used)] // tests

mod common;

use common::sse::FIRMWARE;
use common::*;
use emu_core::firmware::FwStep;
use emu_csr::table::field::{hstatus, mstatus};
use emu_csr::{Exception, Interrupt, Mode, Trap, table};
use sbi_model::Config;
use sbi_model::config::Optional;
use sbi_model::ext::nacl::{SIZE, csr_index};

const NACL: u64 = 0x4e41_434c;
const AT: u64 = RAM + 0x1_0000;
const NONE: u64 = u64::MAX;
const NO_SHMEM: i64 = -9;
const GUEST: u64 = 0x4000_1000;
const VECTOR: u64 = RAM + 0x7000;

fn with(reserved: Vec<(u64, u64)>) -> Rig {
    let optional = Optional { nacl: true, ..Optional::default() };
    Rig::of(1, "max", Config { reserved, optional, ..Config::default() })
}

fn rig() -> Rig {
    let mut rig = with(Vec::new());
    assert_eq!(rig.call(0, NACL, 1, &[AT, 0, 0]), (0, 0));
    rig
}

fn word(rig: &Rig, offset: u64) -> u64 {
    rig.bus.ram.read(AT + offset, 8).expect("memory")
}

fn put(rig: &mut Rig, offset: u64, value: u64) {
    assert!(rig.bus.ram.write_bytes(AT + offset, &value.to_le_bytes(), &mut Vec::new()));
}

fn csr(rig: &Rig, number: u16) -> u64 {
    rig.harts[0].csr.peek(number, &Default::default()).expect("a CSR")
}

/// A CSR's word in the CSR space.
fn space(number: u16) -> u64 {
    0x1000 + 8 * csr_index(number)
}

fn dirty(rig: &Rig, number: u16) -> bool {
    let i = csr_index(number);
    word(rig, 0xf80 + i / 64 * 8) >> (i % 64) & 1 != 0
}

/// What the supervisor does to write a CSR.
fn write(rig: &mut Rig, number: u16, value: u64) {
    put(rig, space(number), value);
    let i = csr_index(number);
    let at = 0xf80 + i / 64 * 8;
    put(rig, at, word(rig, at) | 1 << (i % 64));
}

/// Runs the guest by a synchronized SRET: sepc, SPP and SPV say where.
fn enter(rig: &mut Rig) {
    let h = &mut rig.harts[0];
    h.csr.sepc = GUEST;
    h.csr.stvec = VECTOR;
    h.csr.mstatus |= mstatus::SPP;
    write(rig, table::HSTATUS, hstatus::SPV | hstatus::SPVP | 2 << 32);
    let end = rig.step_call(0, NACL, 4, &[]);
    assert!(matches!(end, FwStep::Done { .. }), "{end:?}");
}

#[test]
fn it_is_offered_only_on_request_and_with_h() {
    assert_eq!(Rig::new(1).call(0, BASE, 3, &[NACL]), (0, 0));
    assert_eq!(Rig::new(1).call(0, NACL, 0, &[0]).0, NOT_SUPPORTED);
    assert_eq!(rig().call(0, BASE, 3, &[NACL]), (0, 1));
    let optional = Optional { nacl: true, ..Optional::default() };
    let mut rig = Rig::of(1, "max,h=off", Config { optional, ..Config::default() });
    assert_eq!(rig.call(0, BASE, 3, &[NACL]), (0, 0));
}

/// What the supervisor has written and not yet synchronized is not written over when the CSR space is brought up to date.
#[test]
fn values_that_wait_to_be_synchronized_stay() {
    let mut rig = with(Vec::new());
    rig.harts[0].csr.vsscratch = 0x11;
    write(&mut rig, table::VSSCRATCH, 0x77);
    assert_eq!(rig.call(0, NACL, 1, &[AT, 0, 0]), (0, 0));
    assert_eq!((word(&rig, space(table::VSSCRATCH)), dirty(&rig, table::VSSCRATCH)), (0x77, true));
    assert_eq!(rig.call(0, NACL, 2, &[u64::MAX]), (0, 0));
    assert_eq!((csr(&rig, table::VSSCRATCH), dirty(&rig, table::VSSCRATCH)), (0x77, false));
}

#[test]
fn a_hart_that_is_started_again_has_no_shared_memory() {
    let optional = Optional { nacl: true, ..Optional::default() };
    let mut rig = Rig::running(2, Config { optional, ..Config::default() });
    assert_eq!(rig.call(1, NACL, 1, &[AT, 0, 0]).0, 0);
    rig.step_call(1, HSM, 1, &[]);
    assert_eq!(rig.call(0, HSM, 0, &[1, ENTRY, 0]).0, 0);
    assert_eq!(rig.call(1, NACL, 3, &[NONE]).0, NO_SHMEM);
}

#[test]
fn features_0_to_3_are_there_and_all_others_are_not() {
    let mut rig = with(Vec::new());
    for id in 0..4 {
        assert_eq!(rig.call(0, NACL, 0, &[id]), (0, 1));
    }
    for id in [4, 0x8000_0000, 0xffff_ffff] {
        assert_eq!(rig.call(0, NACL, 0, &[id]), (0, 0));
    }
}

#[test]
fn set_shmem_checks_flags_alignment_and_the_whole_range() {
    let mut rig = with(vec![FIRMWARE]);
    assert_eq!(rig.call(0, NACL, 1, &[AT, 0, 1]).0, INVALID_PARAM);
    assert_eq!(rig.call(0, NACL, 1, &[NONE, NONE, 1]).0, INVALID_PARAM);
    assert_eq!(rig.call(0, NACL, 1, &[AT + 2048, 0, 0]).0, INVALID_PARAM);
    for (low, high) in [(AT, 1), (RAM + RAM_SIZE, 0), (FIRMWARE.0 - 0x2000, 0), (FIRMWARE.0, 0), (0, 0)] {
        assert_eq!(rig.call(0, NACL, 1, &[low, high, 0]).0, INVALID_ADDRESS, "{low:#x}");
    }
    assert_eq!(SIZE, 4096 + 8192);
    assert_eq!(rig.call(0, NACL, 1, &[FIRMWARE.0 - SIZE, 0, 0]).0, 0, "it just fits");
    assert_eq!(rig.call(0, NACL, 1, &[NONE, NONE, 0]).0, 0);
    for fid in 2..5 {
        assert_eq!(rig.call(0, NACL, fid, &[NONE]).0, NO_SHMEM, "{fid}");
    }
}

#[test]
fn the_index_of_a_csr_is_that_of_the_table() {
    for (number, index) in
        [(0x200, 0), (0x2ff, 0xff), (0x600, 0x100), (0x6bf, 0x1bf), (0xa00, 0x200), (0xe12, 0x312), (0xeff, 0x3ff)]
    {
        assert_eq!(csr_index(number), index, "{number:#x}");
    }
}

#[test]
fn the_csr_space_is_filled_when_the_shared_memory_is_set() {
    let mut rig = with(Vec::new());
    rig.harts[0].csr.vsepc = 0x1234;
    rig.harts[0].csr.htval = 0x5678;
    assert_eq!(rig.call(0, NACL, 1, &[AT, 0, 0]).0, 0);
    for n in [table::VSEPC, table::HTVAL, table::HSTATUS, table::HGATP, table::VSSTATUS] {
        assert_eq!(word(&rig, space(n)), csr(&rig, n), "{n:#x}");
    }
}

#[test]
fn a_dirty_csr_is_written_by_its_own_rules_and_read_back() {
    let mut rig = rig();
    write(&mut rig, table::HGATP, 8 << 60 | 0x7 << 44 | 0x12347);
    write(&mut rig, table::VSEPC, 0x2003);
    assert_eq!(rig.call(0, NACL, 2, &[u64::from(table::HGATP)]), (0, 0));
    assert_eq!(csr(&rig, table::HGATP), 8 << 60 | 0x7 << 44 | 0x12344, "the root is 16 KiB aligned");
    assert_eq!(word(&rig, space(table::HGATP)), csr(&rig, table::HGATP));
    assert!(!dirty(&rig, table::HGATP));
    assert!(dirty(&rig, table::VSEPC) && csr(&rig, table::VSEPC) == 0, "one CSR only");
    assert_eq!(rig.call(0, NACL, 2, &[NONE]), (0, 0));
    assert_eq!((csr(&rig, table::VSEPC), word(&rig, space(table::VSEPC))), (0x2002, 0x2002));
    assert!((0..16).all(|i| word(&rig, 0xf80 + 8 * i) == 0), "no bit is left");
}

#[test]
fn a_csr_that_is_not_dirty_is_read_and_not_written() {
    let mut rig = rig();
    rig.harts[0].csr.vsscratch = 77;
    put(&mut rig, space(table::VSSCRATCH), 5);
    assert_eq!(rig.call(0, NACL, 2, &[u64::from(table::VSSCRATCH)]), (0, 0));
    assert_eq!((csr(&rig, table::VSSCRATCH), word(&rig, space(table::VSSCRATCH))), (77, 77));
}

#[test]
fn hvip_is_written_before_hip_and_what_depends_on_it_is_read_after() {
    let mut rig = rig();
    write(&mut rig, table::HVIP, 1 << 10 | 1 << 6);
    assert_eq!(rig.call(0, NACL, 2, &[NONE]), (0, 0));
    assert_eq!(word(&rig, space(table::HIP)) & 1 << 10, 1 << 10);
    write(&mut rig, table::HIDELEG, 1 << 10);
    write(&mut rig, table::VSIE, 1 << 9);
    assert_eq!(rig.call(0, NACL, 2, &[NONE]), (0, 0));
    assert_eq!(csr(&rig, table::HIE) & 1 << 10, 1 << 10, "vsie writes what hideleg delegates");
    assert_eq!(word(&rig, space(table::HIE)), csr(&rig, table::HIE));
}

#[test]
fn sync_csr_takes_h_extension_csrs_that_exist() {
    let mut rig = rig();
    for n in [0x100, 0x300, 0x1200, 0x1600, 0x2ff, 0x6ff, u64::MAX - 1] {
        assert_eq!(rig.call(0, NACL, 2, &[n]).0, INVALID_PARAM, "{n:#x}");
    }
    assert_eq!(rig.call(0, NACL, 2, &[0xe12]), (0, 0), "hgeip");
}

#[test]
fn pending_hfence_entries_are_processed_and_cleared() {
    let mut rig = rig();
    for i in 0..60u64 {
        let (pending, kind) = (i % 3 != 0, i % 9);
        put(&mut rig, 0x800 + 32 * i, u64::from(pending) << 63 | kind << 56 | 3 << 16 | 5);
        put(&mut rig, 0x808 + 32 * i, i);
        put(&mut rig, 0x818 + 32 * i, if i % 2 == 0 { 2 } else { 1 << 40 });
    }
    assert_eq!(rig.call(0, NACL, 3, &[1]), (0, 0));
    assert_eq!(word(&rig, 0x820) >> 63, 0);
    assert_eq!(word(&rig, 0x840) >> 63, 1, "one entry only");
    assert_eq!(rig.call(0, NACL, 3, &[NONE]), (0, 0));
    for i in 0..60u64 {
        assert_eq!(word(&rig, 0x800 + 32 * i), (i % 9) << 56 | 3 << 16 | 5, "only the pending bit goes");
    }
    for i in [60, 61, 1 << 32, u64::MAX - 1] {
        assert_eq!(rig.call(0, NACL, 3, &[i]).0, INVALID_PARAM);
    }
}

/// Each type of entry is the fence that it stands for: a translation of the guest's that has changed is not used any more,
/// found by one page of 2 MiB (order 9) or of 8 KiB (order 1).
#[test]
fn a_synchronized_hfence_drops_the_guests_translations() {
    const ROOT: u64 = RAM + 0x2_0000;
    const VA: u64 = 0x4020_0000;
    let pages = [RAM + 0x3_0000, RAM + 0x3_1000];
    for (kind, order) in (0..8).flat_map(|k| [(k, 1), (k, 9)]) {
        let mut rig = rig();
        let mut write = |at: u64, v: u64| rig.bus.ram.write(at, 8, v, &mut Vec::new());
        let pte = |pa: u64, bits: u64| pa >> 12 << 10 | bits;
        write(ROOT + 8, pte(ROOT + 0x1000, 1));
        write(ROOT + 0x1008, pte(ROOT + 0x2000, 1));
        write(ROOT + 0x2000, pte(pages[0], 0xcf));
        pages.iter().zip([1, 2]).for_each(|(&at, v)| write(at, v));
        let now = rig.harts[0].now(&rig.bus);
        let h = &mut rig.harts[0];
        // Sv39 with ASID 5 in the VS-stage; the G-stage translates nothing, in the name of VMID 0.
        h.csr.poke(table::VSATP, 8 << 60 | 5 << 44 | ROOT >> 12, &now);
        let load = |rig: &mut Rig| {
            let h = &mut rig.harts[0];
            h.set_mode(Mode::VS);
            let v = h.load(&mut rig.bus, VA, 8);
            h.set_mode(Mode::HS);
            v
        };
        assert_eq!(load(&mut rig), Ok(1));
        rig.bus.ram.write(ROOT + 0x2000, 8, pte(pages[1], 0xcf), &mut Vec::new());
        assert_eq!(load(&mut rig), Ok(1), "the old translation is cached");
        put(&mut rig, 0x800, 1 << 63 | kind << 56 | order << 48 | 5);
        put(&mut rig, 0x808, VA >> (order + 12));
        put(&mut rig, 0x818, 1);
        assert_eq!(rig.call(0, NACL, 3, &[0]), (0, 0));
        assert_eq!(load(&mut rig), Ok(2), "type {kind}, order {order}");
    }
}

#[test]
fn sync_sret_restores_all_registers_and_returns_as_sret_does() {
    let mut rig = rig();
    for i in 1..32 {
        put(&mut rig, 8 * i, 0x1000 + i);
    }
    put(&mut rig, 0, 99);
    write(&mut rig, table::VSEPC, 0x2220);
    put(&mut rig, 0x800, 1 << 63 | 1 << 56);
    enter(&mut rig);
    let h = &rig.harts[0];
    assert_eq!((h.mode, h.pc), (Mode::VS, GUEST));
    assert!((1..32).all(|i| h.x[i] == 0x1000 + i as u64) && h.x[0] == 0);
    assert_eq!(h.csr.hstatus & hstatus::SPV, 0, "SRET clears it");
    assert_eq!(h.csr.mstatus & mstatus::SPP, 0);
    assert_eq!(h.csr.vsepc, 0x2220);
    assert_eq!(word(&rig, 0x800) >> 63, 0, "fences too");
    assert_eq!(word(&rig, space(table::HSTATUS)), csr(&rig, table::HSTATUS), "the CSR space is of after the SRET");
}

#[test]
fn sync_sret_without_spv_stays_the_supervisors() {
    let mut rig = rig();
    rig.harts[0].csr.sepc = ENTRY;
    rig.harts[0].csr.mstatus |= mstatus::SPP;
    rig.step_call(0, NACL, 4, &[]);
    assert_eq!((rig.harts[0].mode, rig.harts[0].pc), (Mode::HS, ENTRY));
    assert_eq!(rig.call(0, BASE, 0, &[]), (0, 3 << 24));
}

#[test]
fn the_guests_trap_reaches_the_supervisor_with_the_csr_space_up_to_date() {
    let mut rig = rig();
    let delegation = (rig.harts[0].csr.medeleg, rig.harts[0].csr.mideleg);
    enter(&mut rig);
    let trap = Trap { tval: 0x88, tval2: 0x22, tinst: 0x3000, gva: true, ..Trap::new(Exception::LoadGuestPageFault, 0x88) };
    rig.raise(0, trap);
    let h = &rig.harts[0];
    assert_eq!((h.mode, h.pc), (Mode::HS, VECTOR));
    assert_eq!((h.csr.scause, h.csr.stval, h.csr.sepc), (21, 0x88, GUEST));
    assert_eq!((h.csr.medeleg, h.csr.mideleg), delegation);
    assert_eq!([table::HTVAL, table::HTINST].map(|n| word(&rig, space(n))), [0x22, 0x3000]);
    let status = word(&rig, space(table::HSTATUS));
    assert_eq!(status & (hstatus::SPV | hstatus::GVA), hstatus::SPV | hstatus::GVA);
    assert_eq!(status, csr(&rig, table::HSTATUS));
}

#[test]
fn what_the_supervisor_delegates_the_guest_takes_itself() {
    let mut rig = rig();
    write(&mut rig, table::HEDELEG, 1 << Exception::Breakpoint as u8);
    enter(&mut rig);
    let h = &mut rig.harts[0];
    let entry = h.csr.enter_exception(Mode::VS, GUEST, &Trap::new(Exception::Breakpoint, 0), &mut ());
    assert_eq!(entry.mode, Mode::VS, "without the firmware");
    let entry = h.csr.enter_exception(Mode::VS, GUEST, &Trap::new(Exception::EcallVS, 0), &mut ());
    assert_eq!(entry.mode, Mode::M);
}

#[test]
fn an_interrupt_of_the_supervisors_ends_the_guests_turn() {
    let mut rig = rig();
    enter(&mut rig);
    let h = &mut rig.harts[0];
    h.csr.mie |= Interrupt::SSoft.mask();
    h.csr.set_line(Interrupt::SSoft, true);
    rig.interrupts(0);
    let h = &rig.harts[0];
    assert_eq!((h.mode, h.pc, h.csr.scause), (Mode::HS, VECTOR, 1 << 63 | 1));
    assert_eq!(word(&rig, space(table::HSTATUS)) & hstatus::SPV, hstatus::SPV);
    assert_eq!(h.csr.mideleg & Interrupt::SSoft.mask(), Interrupt::SSoft.mask());
}

#[test]
fn hstatus_is_swapped_before_the_sret_and_after_the_guests_trap() {
    let mut rig = rig();
    let host = csr(&rig, table::HSTATUS) & !(hstatus::SPV | hstatus::SPVP);
    rig.harts[0].csr.sepc = GUEST;
    rig.harts[0].csr.stvec = VECTOR;
    rig.harts[0].csr.mstatus |= mstatus::SPP;
    rig.harts[0].csr.hstatus = host;
    put(&mut rig, 0x200, 1);
    put(&mut rig, 0x208, host | hstatus::SPV | hstatus::SPVP | hstatus::VTW);
    rig.step_call(0, NACL, 4, &[]);
    assert_eq!(rig.harts[0].mode, Mode::VS, "SPV was in the value that was swapped in");
    assert_eq!(word(&rig, 0x208), host);
    rig.raise(0, Trap::new(Exception::EcallVS, 0));
    assert_eq!(rig.harts[0].csr.hstatus, host, "the supervisor's own again");
    assert_eq!(word(&rig, space(table::HSTATUS)), host);
    let guest = word(&rig, 0x208);
    assert_eq!(guest & (hstatus::SPV | hstatus::SPVP | hstatus::VTW), hstatus::SPV | hstatus::SPVP | hstatus::VTW);
    assert_eq!(rig.harts[0].csr.scause, 10);
}
