//! Tests by the manual's clauses; the page tables are built by hand.

mod against_reference;
mod clauses;
mod explain;
mod global;
mod reference;
mod shadow;
mod world;

use emu_csr::{Exception, Isa, Mode, Trap};

use crate::bus::{Bus, Clock};
use crate::hart::{Hart, event};
use crate::mem::Ram;

pub(super) const BASE: u64 = 0x8000_0000;

/// A machine of RAM only, with PMP open below M-mode.
pub(super) fn machine() -> (Hart, Bus) {
    let bus = Bus::new(Ram::new(BASE, 16 << 20), Clock { cycle_hz: 1_000_000_000, timebase_hz: 10_000_000, offset: 0 });
    let mut hart = Hart::new(Isa(u128::MAX), 0);
    // As after reset software with Smrnmi leaves it: MPRV works.
    hart.csr.mnstatus = 1 << 3;
    hart.csr.pmpcfg[0] = 0x1f;
    hart.csr.pmpaddr[0] = u64::MAX >> 10;
    (hart, bus)
}

#[test]
fn m_mode_accesses_are_physical_and_any_alignment_works() {
    let (mut h, mut b) = machine();
    for at in [BASE, BASE + 0xffd, BASE + 0x1003, BASE + 0x1ff9] {
        for _ in 0..2 {
            h.store(&mut b, at, 8, 0x0102_0304_0506_0708).unwrap();
            assert_eq!(h.load(&mut b, at, 8), Ok(0x0102_0304_0506_0708));
            assert_eq!(h.load(&mut b, at + 1, 2), Ok(0x0607));
        }
    }
    assert_eq!(h.load(&mut b, 0, 8), Err(Trap::new(Exception::LoadAccessFault, 0)));
    let end = BASE + (16 << 20);
    assert_eq!(h.store(&mut b, end - 4, 8, 0), Err(Trap::new(Exception::StoreAccessFault, end)));
    assert_eq!(h.load(&mut b, end - 8, 8), Ok(0), "nothing written before the fault");
}

#[test]
fn lower_modes_need_a_pmp_entry() {
    let (mut h, mut b) = machine();
    h.set_mode(Mode::HS);
    assert_eq!(h.load(&mut b, BASE, 8), Ok(0));
    h.csr.pmpcfg[0] = 0;
    h.tlb.flush();
    assert_eq!(h.load(&mut b, BASE, 8), Err(Trap::new(Exception::LoadAccessFault, BASE)));
}

#[test]
fn a_store_to_decoded_code_tells_the_engine() {
    let (mut h, mut b) = machine();
    h.store(&mut b, BASE, 8, 1).unwrap();
    if let Some(host) = b.ram.set_code(BASE, true) {
        h.tlb.forget_writes(host);
    }
    assert_eq!(h.events & event::CODE, 0);
    h.store(&mut b, BASE + 8, 8, 2).unwrap();
    assert_eq!(b.code_writes, [BASE >> 12]);
    assert_ne!(h.events & event::CODE, 0);
}

#[test]
fn loads_see_the_first_write_to_a_page_they_cached() {
    let (mut h, mut b) = machine();
    assert_eq!(h.load(&mut b, BASE + 0x5000, 8), Ok(0));
    assert_eq!(h.fetch(&mut b, BASE + 0x5000), Ok((0, 2)));
    h.store(&mut b, BASE + 0x5000, 8, 0x13).unwrap();
    assert_eq!(h.load(&mut b, BASE + 0x5000, 8), Ok(0x13));
    assert_eq!(h.fetch(&mut b, BASE + 0x5000), Ok((0x13, 4)));
}
