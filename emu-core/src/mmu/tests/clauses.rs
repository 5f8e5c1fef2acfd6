//! One clause a test, with Sv39 tables built by hand.

use emu_csr::{Exception, Mode, Trap};

use super::reference::SMEPMP;
use super::{BASE, machine};
use crate::bus::{Bus, BusError, DevCx, Slot};
use crate::dev::{Device, StateIo};
use crate::hart::{Hart, event};
use crate::insn::{Decoder, Fields, by_name};
use crate::mmu::{Access, Fence, Kind, PteAccess, Stage};

/// V R W X U A D, without the execute and user bits where the name says so.
pub(super) const USER: u64 = 0xdf;
pub(super) const KERNEL: u64 = 0xcf;
const EXEC_ONLY: u64 = 0x49;
pub(super) const SV39: u64 = 8 << 60;
/// First-stage tables at BASE + 1 MiB, G-stage tables at BASE + 2 MiB.
const TABLES: u64 = BASE + (1 << 20);
pub(super) const G_TABLES: u64 = BASE + (2 << 20);

pub(super) struct Mapper {
    root: u64,
    next: u64,
    wide: u64,
}

impl Mapper {
    pub(super) fn first() -> Mapper {
        Mapper { root: TABLES, next: TABLES + 0x1000, wide: 0x1ff }
    }

    /// Of another address space.
    pub(super) fn second() -> Mapper {
        Mapper { root: TABLES + 0x8_0000, next: TABLES + 0x8_1000, wide: 0x1ff }
    }

    pub(super) fn guest() -> Mapper {
        Mapper { root: G_TABLES, next: G_TABLES + 0x4000, wide: 0x7ff }
    }

    /// Maps at a level (0: 4 KiB, 1: 2 MiB, 2: 1 GiB) and returns the address of the leaf entry.
    pub(super) fn map(&mut self, bus: &mut Bus, va: u64, pa: u64, flags: u64, level: u32) -> u64 {
        let mut table = self.root;
        for l in (level + 1..3).rev() {
            let mask = if l == 2 { self.wide } else { 0x1ff };
            let at = table + (va >> (12 + 9 * l) & mask) * 8;
            let pte = bus.ram.read(at, 8).unwrap();
            table = if pte & 1 != 0 {
                (pte >> 10) << 12
            } else {
                self.next += 0x1000;
                bus.ram.write(at, 8, (self.next >> 12) << 10 | 1, &mut Vec::new());
                self.next
            };
        }
        let mask = if level == 2 { self.wide } else { 0x1ff };
        let at = table + (va >> (12 + 9 * level) & mask) * 8;
        bus.ram.write(at, 8, (pa >> 12) << 10 | flags, &mut Vec::new());
        at
    }

    pub(super) fn atp(&self, id: u64) -> u64 {
        SV39 | id << 44 | self.root >> 12
    }
}

fn fault(cause: Exception, tval: u64) -> Trap {
    Trap::new(cause, tval)
}

fn poke(bus: &mut Bus, pa: u64, value: u64) {
    bus.ram.write(pa, 8, value, &mut Vec::new());
}

#[test]
fn a_fence_inside_a_superpage_drops_its_other_pages_too() {
    let (mut h, mut b) = machine();
    let mut m = Mapper::first();
    let leaf = m.map(&mut b, 0x4000_0000, BASE + (4 << 20), KERNEL, 1);
    h.csr.satp = m.atp(1);
    h.set_mode(Mode::HS);
    poke(&mut b, BASE + (6 << 20) + 0x5000, 77);
    assert_eq!(h.load(&mut b, 0x4000_5000, 8), Ok(0));
    poke(&mut b, leaf, ((BASE + (6 << 20)) >> 12) << 10 | KERNEL);
    assert_eq!(h.load(&mut b, 0x4000_5000, 8), Ok(0), "still cached");
    h.fence(Fence { addr: Some(0x4000_9000), ..Fence::default() });
    assert_eq!(h.load(&mut b, 0x4000_5000, 8), Ok(77));
}

#[test]
fn a_fence_for_another_asid_or_stage_may_keep_entries_and_its_own_must_not() {
    for (fence, gone) in [
        (Fence { id: Some(2), ..Fence::default() }, false),
        (Fence { stage: Stage::G, ..Fence::default() }, false),
        (Fence { id: Some(1), ..Fence::default() }, true),
        (Fence { addr: Some(0x4000_0000), id: Some(1), ..Fence::default() }, true),
    ] {
        let (mut h, mut b) = machine();
        let mut m = Mapper::first();
        let leaf = m.map(&mut b, 0x4000_0000, BASE, KERNEL, 0);
        h.csr.satp = m.atp(1);
        h.set_mode(Mode::HS);
        h.load(&mut b, 0x4000_0000, 8).unwrap();
        poke(&mut b, leaf, 0);
        h.fence(fence);
        assert_eq!(h.load(&mut b, 0x4000_0000, 8).is_err(), gone, "{fence:?}");
    }
}

#[test]
fn hfence_gvma_drops_the_guests_translations_in_every_mode_of_it() {
    for mode in [Mode::VS, Mode::VU] {
        let (mut h, mut b) = machine();
        let mut m = Mapper::guest();
        let leaf = m.map(&mut b, 0, BASE, USER, 0);
        h.csr.hgatp = m.atp(3);
        h.set_mode(mode);
        assert_eq!(h.load(&mut b, 8, 8), Ok(0));
        poke(&mut b, leaf, 0);
        h.set_mode(Mode::HS);
        h.fence(Fence { stage: Stage::G, id: Some(3), addr: Some(0), vmid: None });
        h.set_mode(mode);
        let t = Trap { gva: true, tval2: 2, ..fault(Exception::LoadGuestPageFault, 8) };
        assert_eq!(h.load(&mut b, 8, 8), Err(t));
    }
}

#[test]
fn a_page_that_pmp_divides_is_checked_at_each_access() {
    let (mut h, mut b) = machine();
    // The upper half of the page allows nothing.
    h.csr.pmpcfg[1] = h.csr.pmpcfg[0];
    h.csr.pmpaddr[1] = h.csr.pmpaddr[0];
    h.csr.pmpcfg[0] = 0x18;
    h.csr.pmpaddr[0] = (BASE + 0x800) >> 2 | 0xff;
    h.set_mode(Mode::HS);
    for _ in 0..2 {
        assert_eq!(h.load(&mut b, BASE + 0x7f8, 8), Ok(0));
        assert_eq!(h.load(&mut b, BASE + 0x800, 8), Err(fault(Exception::LoadAccessFault, BASE + 0x800)));
        assert_eq!(h.load(&mut b, BASE + 0x7fc, 8), Err(fault(Exception::LoadAccessFault, BASE + 0x800)));
        assert_eq!(h.store(&mut b, BASE, 1, 0x13), Ok(()));
        assert_eq!(h.store(&mut b, BASE + 0xffe, 1, 1), Err(fault(Exception::StoreAccessFault, BASE + 0xffe)));
        assert_eq!(h.fetch(&mut b, BASE), Ok((0x13, 4)));
        assert_eq!(h.fetch(&mut b, BASE + 0x800), Err(fault(Exception::InstAccessFault, BASE + 0x800)));
        assert_eq!(h.fetch_place(&mut b, BASE).map(|p| p.whole), Ok(false));
    }
}

/// "Address Matching": TOR matches y < address and y >= the entry below; where that is nothing, the entry matches nothing.
#[test]
fn a_top_of_range_entry_of_no_length_divides_nothing() {
    for low in [(BASE + 0x800) >> 2, (BASE + 0xc00) >> 2] {
        let (mut h, mut b) = machine();
        h.csr.pmpcfg[2] = h.csr.pmpcfg[0];
        h.csr.pmpaddr[2] = h.csr.pmpaddr[0];
        // Entry 0 is off and only a bottom; entry 1, TOR, allows nothing.
        (h.csr.pmpcfg[0], h.csr.pmpcfg[1]) = (0, 0x08);
        (h.csr.pmpaddr[0], h.csr.pmpaddr[1]) = (low, (BASE + 0x800) >> 2);
        h.set_mode(Mode::HS);
        assert_eq!(h.load(&mut b, BASE + 0x7fc, 8), Ok(0), "across the place where it would begin");
        assert_eq!(h.load(&mut b, BASE + 0x800, 8), Ok(0));
    }
    // Entry 0 begins at 0, and ends there too.
    let (mut h, mut b) = machine();
    (h.csr.pmpcfg[1], h.csr.pmpaddr[1]) = (h.csr.pmpcfg[0], h.csr.pmpaddr[0]);
    (h.csr.pmpcfg[0], h.csr.pmpaddr[0]) = (0x08, 0);
    h.set_mode(Mode::HS);
    assert_eq!(h.load(&mut b, BASE, 8), Ok(0));
}

/// rs1 of SFENCE.VMA and HFENCE.VVMA is a virtual address, of HFENCE.GVMA a guest physical address shifted right by 2 bits ("Hypervisor
/// Memory-Management Fence Instructions").
#[test]
fn the_fence_instructions_take_their_addresses_as_the_manual_says() {
    const AT: u64 = 0x4000_0000;
    for (name, mode, rs1) in [
        ("sfence.vma", Mode::HS, AT),
        ("sfence.vma", Mode::VS, AT),
        ("hfence.vvma", Mode::VS, AT),
        ("hfence.gvma", Mode::VS, AT >> 2),
    ] {
        let (mut h, mut b) = machine();
        let mut m = if name == "hfence.gvma" { Mapper::guest() } else { Mapper::first() };
        let leaf = m.map(&mut b, AT, BASE, if name == "hfence.gvma" { USER } else { KERNEL }, 0);
        match (name, mode) {
            ("hfence.gvma", _) => h.csr.hgatp = m.atp(0),
            (_, Mode::HS) => h.csr.satp = m.atp(0),
            _ => h.csr.vsatp = m.atp(0),
        }
        h.set_mode(mode);
        assert_eq!(h.load(&mut b, AT, 8), Ok(0), "{name}");
        poke(&mut b, leaf, 0);
        assert_eq!(h.load(&mut b, AT, 8), Ok(0), "{name}: the old translation, or this shows nothing");
        h.set_mode(if name.starts_with('h') { Mode::HS } else { mode });
        let insn = Decoder::new(h.csr.isa).decode(by_name(name).unwrap().encode(Fields { rs1: 5, ..Fields::default() }), 4);
        h.x[5] = rs1;
        (insn.def.exec)(&mut h, &mut b, &insn).unwrap();
        h.set_mode(mode);
        assert!(h.load(&mut b, AT, 8).is_err(), "{name} in {mode:?} left the translation");
    }
}

#[test]
fn a_locked_pmp_entry_binds_m_mode() {
    let (mut h, mut b) = machine();
    h.csr.pmpcfg[0] = 0x80 | 0x18 | 1;
    h.csr.pmpaddr[0] = BASE >> 2 | 0x1ff;
    h.tlb.flush();
    assert_eq!(h.load(&mut b, BASE, 8), Ok(0));
    assert_eq!(h.store(&mut b, BASE, 8, 0), Err(fault(Exception::StoreAccessFault, BASE)));
    assert_eq!(h.store(&mut b, BASE + 0x1000, 8, 0), Ok(()));
}

/// Privileged ISA, Smepmp, "Truth table when mseccfg.MML is set": each row, in M-mode and below it, for each access.
#[test]
fn with_mml_each_configuration_allows_what_the_truth_table_says() {
    for (row, (lrwx, machine_may, lower_may)) in SMEPMP.into_iter().enumerate() {
        let bit = |i: usize| u8::from(lrwx.as_bytes()[i] == b'1');
        let cfg = bit(0) << 7 | 0x18 | bit(1) | bit(2) << 1 | bit(3) << 2;
        for (mode, may) in [(Mode::M, machine_may), (Mode::HS, lower_may), (Mode::U, lower_may)] {
            let (mut h, mut b) = machine();
            h.csr.pmpcfg[1] = h.csr.pmpcfg[0];
            h.csr.pmpaddr[1] = h.csr.pmpaddr[0];
            (h.csr.pmpcfg[0], h.csr.pmpaddr[0], h.csr.mseccfg) = (cfg, BASE >> 2 | 0x1ff, 1);
            h.set_mode(mode);
            let found: String = [
                ("r", h.load(&mut b, BASE, 8).is_ok()),
                ("w", h.store(&mut b, BASE, 8, 0x13).is_ok()),
                ("x", h.fetch(&mut b, BASE).is_ok()),
            ]
            .into_iter()
            .filter_map(|(name, ok)| ok.then_some(name))
            .collect();
            assert_eq!(found, may, "row {row} LRWX={lrwx} in {mode:?}");
        }
    }
}

/// Smepmp: what no entry matches M-mode may access, but with MML not execute, and with MMWP not at all; lower modes never.
#[test]
fn what_no_pmp_entry_matches_is_m_modes_unless_mml_or_mmwp_close_it() {
    for (mseccfg, may) in [(0, [true, true, true]), (1, [true, true, false]), (2, [false; 3]), (3, [false; 3])] {
        for mode in [Mode::M, Mode::HS, Mode::U] {
            let (mut h, mut b) = machine();
            (h.csr.pmpcfg[0], h.csr.mseccfg) = (0, mseccfg);
            h.set_mode(mode);
            let found = [h.load(&mut b, BASE, 8).is_ok(), h.store(&mut b, BASE, 8, 0x13).is_ok(), h.fetch(&mut b, BASE).is_ok()];
            assert_eq!(found, if mode == Mode::M { may } else { [false; 3] }, "mseccfg {mseccfg} in {mode:?}");
        }
    }
}

#[test]
fn mxr_of_vsstatus_is_for_the_vs_stage_alone() {
    let (mut h, mut b) = machine();
    let mut g = Mapper::guest();
    g.map(&mut b, BASE, BASE, USER, 2);
    let mut m = Mapper::first();
    m.map(&mut b, 0x4000_0000, BASE, EXEC_ONLY, 0);
    h.csr.vsatp = m.atp(1);
    h.csr.hgatp = g.atp(1);
    h.set_mode(Mode::VS);
    let t = Trap { gva: true, ..fault(Exception::LoadPageFault, 0x4000_0000) };
    for _ in 0..2 {
        h.csr.vsstatus = 1 << 19;
        h.recontext();
        assert_eq!(h.load(&mut b, 0x4000_0000, 8), Ok(0));
        h.csr.vsstatus = 0;
        h.recontext();
        assert_eq!(h.load(&mut b, 0x4000_0000, 8), Err(t));
    }
    // Execute-only in the G-stage: only mstatus.MXR helps.
    let leaf = g.map(&mut b, BASE, BASE, EXEC_ONLY | 0x10, 0);
    assert_ne!(leaf, 0);
    let (mut h, mut b) = machine();
    let mut g = Mapper::guest();
    g.map(&mut b, 0, BASE, EXEC_ONLY | 0x10, 0);
    h.csr.hgatp = g.atp(1);
    h.set_mode(Mode::VS);
    h.csr.vsstatus = 1 << 19;
    h.recontext();
    let t = Trap { gva: true, ..fault(Exception::LoadGuestPageFault, 0) };
    assert_eq!(h.load(&mut b, 0, 8), Err(t));
    h.csr.mstatus |= 1 << 19;
    h.recontext();
    assert_eq!(h.load(&mut b, 0, 8), Ok(0));
}

#[test]
fn mprv_takes_mode_and_virtualisation_from_mpp_and_mpv() {
    let (mut h, mut b) = machine();
    let mut m = Mapper::first();
    m.map(&mut b, 0x4000_0000, BASE, KERNEL, 0);
    h.csr.satp = m.atp(1);
    let mode = |h: &mut Hart, mstatus| {
        h.csr.mstatus = mstatus;
        h.recontext();
        h.data_access().mode
    };
    let mprv = 1 << 17;
    assert_eq!(mode(&mut h, 1 << 11), Mode::M);
    assert_eq!(mode(&mut h, mprv | 3 << 11 | 1 << 39), Mode::M);
    assert_eq!(mode(&mut h, mprv | 1 << 39), Mode::VU);
    assert_eq!(mode(&mut h, mprv | 1 << 11 | 1 << 39), Mode::VS);
    assert_eq!(mode(&mut h, mprv), Mode::U);
    assert_eq!(h.load(&mut b, 0x4000_0000, 8), Err(fault(Exception::LoadPageFault, 0x4000_0000)));
    assert_eq!(mode(&mut h, mprv | 1 << 11), Mode::HS);
    assert_eq!(h.load(&mut b, 0x4000_0000, 8), Ok(0));
    assert_eq!(h.fetch(&mut b, BASE), Ok((0, 2)), "fetches stay in M-mode");
    assert_eq!(h.fetch(&mut b, 0x4000_0000), Err(fault(Exception::InstAccessFault, 0x4000_0000)));
}

#[test]
fn every_context_sees_a_page_that_moved() {
    for moves in [1, 5, 20] {
        let (mut h, mut b) = machine();
        let at = |i: u64| BASE + 0x10_000 + i * 4096;
        h.set_mode(Mode::U);
        for i in 0..moves {
            assert_eq!(h.load(&mut b, at(i), 8), Ok(0));
            assert_eq!(h.fetch(&mut b, at(i)), Ok((0, 2)));
        }
        h.set_mode(Mode::HS);
        for i in 0..moves {
            h.store(&mut b, at(i), 8, 0x100 + 4 * i).unwrap();
        }
        h.set_mode(Mode::U);
        for i in 0..moves {
            assert_eq!(h.load(&mut b, at(i), 8), Ok(0x100 + 4 * i), "{moves}");
            assert_eq!(h.fetch(&mut b, at(i)), Ok((0x100 + 4 * i as u32, 2)));
        }
    }
}

#[test]
fn another_hart_catches_up_when_it_gets_the_machine() {
    let (mut h, mut b) = machine();
    let mut other = machine().0;
    assert_eq!(h.load(&mut b, BASE, 8), Ok(0));
    other.store(&mut b, BASE, 8, 5).unwrap();
    h.tlb.sync(&b.ram);
    assert_eq!(h.load(&mut b, BASE, 8), Ok(5));
}

#[test]
fn a_fork_and_its_parent_do_not_see_each_others_stores() {
    let (mut h, mut b) = machine();
    h.store(&mut b, BASE, 8, 1).unwrap();
    let (mut h2, mut b2) = machine();
    b2.ram = b.ram.clone();
    h.tlb.sync(&b.ram);
    h.store(&mut b, BASE, 8, 2).unwrap();
    assert_eq!(h2.load(&mut b2, BASE, 8), Ok(1));
    h2.store(&mut b2, BASE, 8, 3).unwrap();
    assert_eq!(h.load(&mut b, BASE, 8), Ok(2));
    assert_eq!(h2.load(&mut b2, BASE, 8), Ok(3));
}

#[test]
fn more_contexts_than_banks_stay_apart() {
    let (mut h, mut b) = machine();
    for round in 0..3 {
        for i in 0..40u64 {
            let mut m = Mapper { root: TABLES + i * 0x4000, next: TABLES + i * 0x4000 + 0x1000, wide: 0x1ff };
            let at = BASE + (8 << 20) + i * 4096;
            if round == 0 {
                m.map(&mut b, 0x4000_0000, at, KERNEL, 0);
                poke(&mut b, at, i);
            }
            h.csr.satp = m.atp(i);
            h.set_mode(Mode::HS);
            assert_eq!(h.load(&mut b, 0x4000_0000, 8), Ok(i));
        }
    }
}

#[test]
fn a_crossing_access_names_the_part_that_faults_and_writes_nothing() {
    let (mut h, mut b) = machine();
    let mut m = Mapper::first();
    m.map(&mut b, 0x4000_0000, BASE, KERNEL, 0);
    h.csr.satp = m.atp(0);
    h.set_mode(Mode::HS);
    b.ram.write(BASE + 0xffe, 2, 0x13, &mut Vec::new());
    assert_eq!(h.load(&mut b, 0x4000_0ffd, 8), Err(fault(Exception::LoadPageFault, 0x4000_1000)));
    assert_eq!(h.store(&mut b, 0x4000_0ffd, 8, u64::MAX), Err(fault(Exception::StorePageFault, 0x4000_1000)));
    assert_eq!(h.fetch(&mut b, 0x4000_0ffe), Err(fault(Exception::InstPageFault, 0x4000_1000)));
    assert_eq!(h.load(&mut b, 0x3fff_ffff, 2), Err(fault(Exception::LoadPageFault, 0x3fff_ffff)));
    assert_eq!(b.ram.read(BASE + 0xff8, 8), Some(0x13 << 48));
    m.map(&mut b, 0x4000_1000, BASE + 0x5000, KERNEL, 0);
    assert_eq!(h.store(&mut b, 0x4000_0ffd, 8, 0x0807_0605_0403_0201), Ok(()));
    assert_eq!(b.ram.read(BASE + 0x5000, 8), Some(0x08_0706_0504));
    assert_eq!(h.fetch(&mut b, 0x4000_0ffe), Ok((0x0302, 2)));
    b.ram.write(BASE + 0xffe, 2, 0x0213, &mut Vec::new());
    assert_eq!(h.fetch(&mut b, 0x4000_0ffe), Ok((0x0504_0213, 4)));
}

#[test]
fn misaligned_accesses_trap_on_request() {
    let (mut h, mut b) = machine();
    h.tlb.trap_misaligned = true;
    h.store(&mut b, BASE, 8, 7).unwrap();
    assert_eq!(h.load(&mut b, BASE, 8), Ok(7));
    assert_eq!(h.load(&mut b, BASE + 1, 2), Err(fault(Exception::LoadAddrMisaligned, BASE + 1)));
    assert_eq!(h.store(&mut b, BASE + 1, 8, 0), Err(fault(Exception::StoreAddrMisaligned, BASE + 1)));
}

#[test]
fn atomics_want_alignment_and_answer_with_the_old_value() {
    let (mut h, mut b) = machine();
    for _ in 0..2 {
        h.store(&mut b, BASE, 8, 0xffff_ffff_8000_0000).unwrap();
        assert_eq!(h.amo(&mut b, BASE, 4, &mut |v| v + 1), Ok(0x8000_0000));
        assert_eq!(h.load(&mut b, BASE, 8), Ok(0xffff_ffff_8000_0001));
        assert_eq!(h.amo(&mut b, BASE + 2, 4, &mut |v| v), Err(fault(Exception::StoreAddrMisaligned, BASE + 2)));
        assert_eq!(h.load_reserved(&mut b, BASE + 4, 8), Err(fault(Exception::LoadAddrMisaligned, BASE + 4)));
        h.tlb.flush();
    }
    poke(&mut b, BASE + 0x10, 1);
    poke(&mut b, BASE + 0x18, 2);
    assert_eq!(h.amo128(&mut b, BASE + 0x10, &mut |_, _| None), Ok((1, 2)));
    assert_eq!(h.amo128(&mut b, BASE + 0x10, &mut |l, g| Some((g, l))), Ok((1, 2)));
    assert_eq!((b.ram.read(BASE + 0x10, 8), b.ram.read(BASE + 0x18, 8)), (Some(2), Some(1)));
    let t = fault(Exception::StoreAddrMisaligned, BASE + 8);
    assert_eq!(h.amo128(&mut b, BASE + 8, &mut |_, _| None), Err(t));
}

#[test]
fn sc_succeeds_once_and_only_in_the_reserved_set() {
    let (mut h, mut b) = machine();
    // The second round goes through the TLB.
    for _ in 0..2 {
        assert_eq!(h.store_conditional(&mut b, BASE, 8, 9), Ok(false));
        h.load_reserved(&mut b, BASE + 0x40, 4).unwrap();
        assert_eq!(h.reservation, Some(BASE + 0x40));
        assert_eq!(h.store_conditional(&mut b, BASE, 8, 9), Ok(false));
        h.load_reserved(&mut b, BASE, 8).unwrap();
        assert_eq!(h.store_conditional(&mut b, BASE, 8, 9), Ok(true));
        assert_eq!(h.store_conditional(&mut b, BASE, 8, 8), Ok(false));
        assert_eq!(h.load(&mut b, BASE, 8), Ok(9));
        h.store(&mut b, BASE, 8, 0).unwrap();
    }
}

#[test]
fn hlv_uses_the_guests_translation_and_hlvx_execute_permission() {
    let (mut h, mut b) = machine();
    let mut g = Mapper::guest();
    g.map(&mut b, 0, BASE, EXEC_ONLY | 0x10, 0);
    h.csr.hgatp = g.atp(1);
    h.set_mode(Mode::HS);
    poke(&mut b, BASE, 42);
    let hlv = Access { mode: Mode::VS, hlvx: false, forced: true };
    let t = Trap { gva: true, ..fault(Exception::LoadGuestPageFault, 0) };
    assert_eq!(h.load_as(&mut b, 0, 4, hlv), Err(t));
    assert_eq!(h.load_as(&mut b, 0, 4, Access { hlvx: true, ..hlv }), Ok(42));
    let t = Trap { cause: Exception::StoreGuestPageFault, ..t };
    assert_eq!(h.store_as(&mut b, 0, 4, 1, hlv), Err(t));
}

#[test]
fn a_walk_can_be_recorded_step_by_step() {
    let (mut h, mut b) = machine();
    let mut g = Mapper::guest();
    g.map(&mut b, BASE, BASE, USER, 2);
    let mut m = Mapper::first();
    let leaf = m.map(&mut b, 0x4000_0000, BASE, KERNEL & !0xc0, 1);
    h.csr.vsatp = m.atp(1);
    h.csr.hgatp = g.atp(1);
    h.csr.menvcfg = 1 << 61;
    h.csr.henvcfg = 1 << 61;
    let mut log: Vec<PteAccess> = Vec::new();
    let access = Access { mode: Mode::VS, hlvx: false, forced: true };
    let t = h.walk(&mut b, 0x4000_0123, Kind::Store, access, &mut log).unwrap();
    assert_eq!((t.pa, t.leaf), (BASE + 0x123, 1 << 21));
    let steps: Vec<_> = log.iter().map(|a| (a.stage, a.level, a.write)).collect();
    use Stage::{G, Vs};
    assert_eq!(
        steps,
        [(G, 2, false), (Vs, 2, false), (G, 2, false), (Vs, 1, false), (G, 2, false), (Vs, 1, true), (G, 2, false)]
    );
    assert_eq!((log[5].pa, log[5].value & 0xff), (leaf, KERNEL));
    assert_eq!(b.ram.read(leaf, 8).map(|v| v & 0xff), Some(KERNEL));
}

#[test]
fn without_svadu_missing_a_or_d_is_a_page_fault() {
    let (mut h, mut b) = machine();
    let mut m = Mapper::first();
    let leaf = m.map(&mut b, 0x4000_0000, BASE, KERNEL & !0x80, 0);
    h.csr.satp = m.atp(0);
    h.set_mode(Mode::HS);
    assert_eq!(h.load(&mut b, 0x4000_0000, 8), Ok(0));
    assert_eq!(h.store(&mut b, 0x4000_0000, 8, 1), Err(fault(Exception::StorePageFault, 0x4000_0000)));
    h.csr.menvcfg = 1 << 61;
    h.tlb.flush();
    assert_eq!(h.load(&mut b, 0x4000_0000, 8), Ok(0));
    assert_eq!(b.ram.read(leaf, 8).map(|v| v & 0x80), Some(0), "a load does not set D");
    assert_eq!(h.store(&mut b, 0x4000_0000, 8, 1), Ok(()));
    assert_eq!(b.ram.read(leaf, 8).map(|v| v & 0x80), Some(0x80));
}

/// A device that answers its offset and remembers the last store.
#[derive(Clone)]
struct Probe {
    stored: u64,
}

impl Device for Probe {
    fn name(&self) -> &str {
        "probe@1000"
    }
    fn read(&mut self, offset: u64, _size: u8, _cx: &mut DevCx<'_>) -> Result<u64, BusError> {
        if offset == 0x20 { Err(BusError) } else { Ok(offset) }
    }
    fn write(&mut self, offset: u64, _size: u8, value: u64, cx: &mut DevCx<'_>) -> Result<(), BusError> {
        self.stored = value;
        if offset == 0x40 {
            // DMA: the device writes its value to RAM.
            cx.ram.write(BASE, 8, value, cx.code_writes);
        }
        Ok(())
    }
    fn state(&mut self, io: &mut dyn StateIo) {
        io.u64("stored", &mut self.stored);
    }
    fn fork(&self) -> Option<Box<dyn Device>> {
        Some(Box::new(self.clone()))
    }
    fn as_any(&mut self) -> &mut dyn std::any::Any {
        self
    }
}

#[test]
fn devices_take_aligned_loads_and_stores_only() {
    let (mut h, mut b) = machine();
    b.slots.push(Slot { base: 0x1000, size: 0x1000, dev: Box::new(Probe { stored: 0 }), irq: 0 });
    assert_eq!(h.load(&mut b, 0x1008, 4), Ok(8));
    assert_ne!(h.events & event::INTERRUPTS, 0);
    h.events = 0;
    assert_eq!(h.store(&mut b, 0x1010, 4, 5), Ok(()));
    assert_ne!(h.events & event::DEADLINE, 0);
    assert_eq!(h.load(&mut b, 0x1020, 4), Err(fault(Exception::LoadAccessFault, 0x1020)));
    assert_eq!(h.load(&mut b, 0x1009, 4), Err(fault(Exception::LoadAccessFault, 0x1009)));
    assert_eq!(h.store(&mut b, 0x1009, 4, 0), Err(fault(Exception::StoreAccessFault, 0x1009)));
    assert_eq!(h.fetch(&mut b, 0x1000), Err(fault(Exception::InstAccessFault, 0x1000)));
    assert_eq!(h.amo(&mut b, 0x1000, 4, &mut |v| v), Err(fault(Exception::StoreAccessFault, 0x1000)));
    assert_eq!(h.load_reserved(&mut b, 0x1000, 4), Err(fault(Exception::LoadAccessFault, 0x1000)));
    assert_eq!(h.zero_block(&mut b, 0x1000), Err(fault(Exception::StoreAccessFault, 0x1000)));
    // A page table in a device is no page table.
    h.csr.satp = SV39 | 1;
    h.set_mode(Mode::HS);
    assert_eq!(h.load(&mut b, 0x5000, 8), Err(fault(Exception::LoadAccessFault, 0x5000)));
}

#[test]
fn what_a_device_writes_to_memory_is_seen() {
    let (mut h, mut b) = machine();
    b.slots.push(Slot { base: 0x1000, size: 0x1000, dev: Box::new(Probe { stored: 0 }), irq: 0 });
    assert_eq!(h.load(&mut b, BASE, 8), Ok(0));
    h.store(&mut b, 0x1040, 8, 99).unwrap();
    assert_eq!(h.load(&mut b, BASE, 8), Ok(99));
}

#[test]
fn cache_block_zero_clears_its_block_only() {
    let (mut h, mut b) = machine();
    for _ in 0..2 {
        for i in 0..24 {
            h.store(&mut b, BASE + i * 8, 8, u64::MAX).unwrap();
        }
        h.zero_block(&mut b, BASE + 0x7f).unwrap();
        for i in 0..24 {
            let zero = (8..16).contains(&i);
            assert_eq!(h.load(&mut b, BASE + i * 8, 8), Ok(if zero { 0 } else { u64::MAX }));
        }
        h.tlb.flush();
    }
}

/// Unprivileged ISA, "CMO Extensions": xtval has "the faulting effective address (i.e. the value of rs1)".
#[test]
fn faults_of_cache_block_instructions_name_the_address_in_rs1() {
    let (mut h, mut b) = machine();
    assert_eq!(h.check_block(&mut b, 0x1234), Err(fault(Exception::StoreAccessFault, 0x1234)));
    assert_eq!(h.zero_block(&mut b, 0x1234), Err(fault(Exception::StoreAccessFault, 0x1234)));
    h.csr.satp = SV39 | BASE >> 12;
    h.set_mode(Mode::HS);
    assert_eq!(h.check_block(&mut b, 0x1234), Err(fault(Exception::StorePageFault, 0x1234)));
    assert_eq!(h.zero_block(&mut b, 0x1234), Err(fault(Exception::StorePageFault, 0x1234)));
}
