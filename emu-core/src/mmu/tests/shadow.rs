//! Zicfiss, "Shadow Stack Memory Protection": pages and the accesses they take, clause by clause.

use emu_csr::{Exception, Mode, Trap};

use super::clauses::{G_TABLES, Mapper, SV39, USER};
use super::{BASE, machine};
use crate::bus::Bus;
use crate::hart::Hart;

/// V W A D, and with U.
const SHADOW: u64 = 0xc5;
const USER_SHADOW: u64 = 0xd5;
const SSE: u64 = 1 << 3;
const VA: u64 = 0x4000_0000;

/// A supervisor with shadow stacks on and one page at [`VA`] with these flags.
fn mapped(flags: u64) -> (Hart, Bus) {
    let (mut h, mut b) = machine();
    let mut m = Mapper::first();
    m.map(&mut b, VA, BASE, flags, 0);
    h.csr.satp = m.atp(1);
    (h.csr.menvcfg, h.csr.henvcfg, h.csr.senvcfg) = (SSE, SSE, SSE);
    h.set_mode(Mode::HS);
    (h, b)
}

fn fault(cause: Exception) -> Trap {
    Trap::new(cause, VA)
}

#[test]
fn a_shadow_stack_page_takes_shadow_accesses_and_loads_and_nothing_else() {
    use Exception::{InstAccessFault, StoreAccessFault};
    let (mut h, mut b) = mapped(SHADOW);
    for _ in 0..2 {
        h.shadow_store(&mut b, VA, 0x1234).unwrap();
        assert_eq!(h.shadow_load(&mut b, VA), Ok(0x1234));
        assert_eq!(h.load(&mut b, VA, 8), Ok(0x1234), "readable by all instructions that only load from memory");
        assert_eq!(h.load(&mut b, VA + 1, 2), Ok(0x12));
        assert_eq!(h.load_reserved(&mut b, VA, 8), Ok(0x1234));
        assert_eq!(h.store(&mut b, VA, 8, 0), Err(fault(StoreAccessFault)));
        assert_eq!(h.store_conditional(&mut b, VA, 8, 0), Err(fault(StoreAccessFault)));
        assert_eq!(h.amo(&mut b, VA, 8, &mut |m| m), Err(fault(StoreAccessFault)));
        assert_eq!(h.zero_block(&mut b, VA), Err(fault(StoreAccessFault)));
        assert_eq!(h.check_block(&mut b, VA), Err(fault(StoreAccessFault)));
        assert_eq!(h.fetch(&mut b, VA), Err(fault(InstAccessFault)));
        assert_eq!(h.shadow_swap(&mut b, VA, 4, 0x1234), Ok(0x1234));
    }
}

#[test]
fn other_pages_refuse_shadow_accesses_the_read_only_one_with_a_page_fault() {
    use Exception::{StoreAccessFault, StorePageFault};
    for (xwr, cause) in
        [(1, StorePageFault), (3, StoreAccessFault), (4, StoreAccessFault), (5, StoreAccessFault), (7, StoreAccessFault)]
    {
        let (mut h, mut b) = mapped(0xc1 | xwr << 1);
        assert_eq!(h.shadow_store(&mut b, VA, 0), Err(fault(cause)), "xwr={xwr:03b}");
        assert_eq!(h.shadow_load(&mut b, VA), Err(fault(cause)), "a pop's faults are a store's");
    }
    let (mut h, mut b) = mapped(0);
    assert_eq!(h.shadow_load(&mut b, VA), Err(fault(StorePageFault)), "not mapped");
}

#[test]
fn without_sse_the_encoding_stays_reserved() {
    let (mut h, mut b) = mapped(SHADOW);
    h.csr.menvcfg = 0;
    assert_eq!(h.load(&mut b, VA, 8), Err(fault(Exception::LoadPageFault)));
    // xwr=110 is reserved with it as well.
    let (mut h, mut b) = mapped(SHADOW | 8);
    assert_eq!(h.load(&mut b, VA, 8), Err(fault(Exception::LoadPageFault)));
    assert_eq!(h.shadow_load(&mut b, VA), Err(fault(Exception::StorePageFault)));
}

#[test]
fn changing_sse_needs_no_fence() {
    let (mut h, mut b) = mapped(SHADOW);
    let now = h.now(&b);
    h.load(&mut b, VA, 8).unwrap();
    let effects = h.csr.write(emu_csr::table::MENVCFG, 0, Mode::M, &now, &mut ()).unwrap();
    h.apply(effects);
    assert_eq!(h.load(&mut b, VA, 8), Err(fault(Exception::LoadPageFault)));
}

#[test]
fn u_and_sum_are_enforced_as_ever() {
    let (mut h, mut b) = mapped(USER_SHADOW);
    assert_eq!(h.shadow_load(&mut b, VA), Err(fault(Exception::StorePageFault)));
    h.csr.mstatus |= 1 << 18;
    h.recontext();
    h.shadow_load(&mut b, VA).unwrap();
    h.set_mode(Mode::U);
    h.shadow_store(&mut b, VA, 1).unwrap();
    let (mut h, mut b) = mapped(SHADOW);
    h.set_mode(Mode::U);
    assert_eq!(h.shadow_load(&mut b, VA), Err(fault(Exception::StorePageFault)));
}

#[test]
fn a_shadow_access_needs_translation() {
    let (mut h, mut b) = mapped(SHADOW);
    h.csr.satp = 0;
    for mode in [Mode::HS, Mode::U, Mode::M] {
        h.set_mode(mode);
        let trap = h.shadow_swap(&mut b, BASE, 8, 0).unwrap_err();
        assert_eq!((trap.cause, trap.tval), (Exception::StoreAccessFault, BASE), "{mode:?}");
    }
    h.csr.vsatp = 0;
    h.set_mode(Mode::VS);
    assert_eq!(h.shadow_load(&mut b, BASE).map_err(|t| t.cause), Err(Exception::StoreAccessFault));
}

#[test]
fn pmp_must_let_a_pop_write() {
    let (mut h, mut b) = mapped(SHADOW);
    h.csr.pmpcfg[0] = 0x1d;
    h.tlb.flush();
    h.load(&mut b, VA, 8).unwrap();
    assert_eq!(h.shadow_load(&mut b, VA), Err(fault(Exception::StoreAccessFault)));
}

#[test]
fn the_g_stage_must_be_writable_and_has_no_shadow_stack_pages() {
    for (g, expected) in
        [(USER, None), (0x53, Some(Exception::StoreGuestPageFault)), (USER_SHADOW, Some(Exception::StoreGuestPageFault))]
    {
        let (mut h, mut b) = mapped(SHADOW);
        let mut first = Mapper::first();
        first.map(&mut b, VA, 0x1000, SHADOW, 0);
        let mut guest = Mapper::guest();
        guest.map(&mut b, 0x1000, BASE, g, 0);
        // The first-stage tables, one to one.
        guest.map(&mut b, BASE, BASE, USER, 2);
        (h.csr.vsatp, h.csr.hgatp) = (first.atp(1), SV39 | G_TABLES >> 12);
        h.set_mode(Mode::VS);
        assert_eq!(h.shadow_load(&mut b, VA).map_err(|t| (t.cause, t.tval2)).err(), expected.map(|e| (e, 0x1000 >> 2)), "{g:#x}");
        // "when V=1 and henvcfg.SSE=0, this encoding remains reserved".
        h.csr.henvcfg = 0;
        assert_eq!(h.load(&mut b, VA, 8).map_err(|t| t.cause), Err(Exception::LoadPageFault));
    }
}

#[test]
fn a_pop_sets_d_as_a_push_does() {
    for pop in [false, true] {
        let (mut h, mut b) = machine();
        let mut m = Mapper::first();
        let leaf = m.map(&mut b, VA, BASE, SHADOW & !0xc0, 0);
        h.csr.satp = m.atp(1);
        h.csr.menvcfg = SSE | 1 << 61;
        h.set_mode(Mode::HS);
        let done = if pop { h.shadow_load(&mut b, VA).map(|_| ()) } else { h.shadow_store(&mut b, VA, 1) };
        assert_eq!(done, Ok(()));
        assert_eq!(b.ram.read(leaf, 8).unwrap() & 0xff, SHADOW);
    }
}
