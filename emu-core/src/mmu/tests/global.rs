//! What is global: kept across a fence of one ASID and a change of address space, gone with a fence of all, and the names that jump caches
//! know it by.

use emu_csr::Mode;

use super::clauses::{KERNEL, Mapper};
use super::{BASE, machine};
use crate::bus::Bus;
use crate::hart::Hart;
use crate::mmu::Fence;

const G: u64 = 1 << 5;
/// In the upper half: a global page, and one that is not.
const SHARED: u64 = 0xffff_ffc0_0000_0000;
const OWN: u64 = 0xffff_ffc0_0000_1000;
const ONE: u64 = BASE + (4 << 20);
const OTHER: u64 = BASE + (5 << 20);

struct Space {
    m: Mapper,
    shared: u64,
    own: u64,
}

/// Two address spaces with both pages, each at the page `ONE`, and supervisor mode in the first.
fn spaces() -> (Hart, Bus, [Space; 2]) {
    let (mut h, mut b) = machine();
    for (at, value) in [(ONE, 1), (OTHER, 2)] {
        b.ram.write(at, 8, value, &mut Vec::new());
    }
    let mut space = |mut m: Mapper| {
        let shared = m.map(&mut b, SHARED, ONE, KERNEL | G, 0);
        let own = m.map(&mut b, OWN, ONE, KERNEL, 0);
        Space { m, shared, own }
    };
    let s = [space(Mapper::first()), space(Mapper::second())];
    enter(&mut h, &s[0], 1);
    (h, b, s)
}

fn enter(h: &mut Hart, space: &Space, asid: u64) {
    h.csr.satp = space.m.atp(asid);
    h.set_mode(Mode::HS);
}

/// Makes a leaf point to the page `OTHER`.
fn change(b: &mut Bus, leaf: u64) {
    let flags = b.ram.read(leaf, 8).unwrap() & 0x3ff;
    b.ram.write(leaf, 8, (OTHER >> 12) << 10 | flags, &mut Vec::new());
}

/// Loads from both pages.
fn both(h: &mut Hart, b: &mut Bus) -> (u64, u64) {
    (h.load(b, SHARED, 8).unwrap(), h.load(b, OWN, 8).unwrap())
}

/// Under what name code in the upper half is known.
fn upper(h: &mut Hart) -> u64 {
    h.tlb.fetch_context(SHARED).0[1]
}

#[test]
fn a_fence_of_one_asid_keeps_global_mappings_and_drops_the_others() {
    let (mut h, mut b, s) = spaces();
    assert_eq!(both(&mut h, &mut b), (1, 1));
    change(&mut b, s[0].own);
    let misses = h.tlb.misses;
    h.fence(Fence { id: Some(1), ..Fence::default() });
    assert_eq!(both(&mut h, &mut b), (1, 2));
    assert_eq!(h.tlb.misses - misses, 1, "the global one was still there");
}

#[test]
fn a_fence_of_all_asids_and_one_of_the_page_drop_global_mappings() {
    for fence in [Fence::default(), Fence { addr: Some(SHARED), ..Fence::default() }] {
        let (mut h, mut b, s) = spaces();
        both(&mut h, &mut b);
        h.fetch(&mut b, SHARED).unwrap();
        let name = upper(&mut h);
        enter(&mut h, &s[1], 2);
        assert_eq!(both(&mut h, &mut b), (1, 1));
        for leaf in [s[0].shared, s[1].shared] {
            change(&mut b, leaf);
        }
        h.fence(fence);
        assert_eq!(h.load(&mut b, SHARED, 8), Ok(2), "{fence:?}");
        assert_ne!(upper(&mut h), name, "{fence:?}: jumps to the page are forgotten too");
        enter(&mut h, &s[0], 1);
        assert_eq!(h.load(&mut b, SHARED, 8), Ok(2), "{fence:?}, where it was cached first");
        assert_ne!(upper(&mut h), name, "{fence:?}");
    }
}

#[test]
fn another_address_space_starts_with_what_is_global() {
    let (mut h, mut b, s) = spaces();
    both(&mut h, &mut b);
    change(&mut b, s[1].own);
    let misses = h.tlb.misses;
    enter(&mut h, &s[1], 2);
    assert_eq!(both(&mut h, &mut b), (1, 2));
    assert_eq!(h.tlb.misses - misses, 1);
    // User mode shares nothing.
    h.set_mode(Mode::U);
    assert!(h.load(&mut b, SHARED, 8).is_err());
}

#[test]
fn a_page_that_moved_has_moved_for_those_who_inherit_it_too() {
    let (mut h, mut b, s) = spaces();
    // Untouched memory: its first write gives the page a place of its own.
    let fresh = BASE + (6 << 20);
    for space in &s {
        b.ram.write(space.shared, 8, (fresh >> 12) << 10 | KERNEL | G, &mut Vec::new());
    }
    assert_eq!(h.load(&mut b, SHARED, 8), Ok(0));
    h.set_mode(Mode::M);
    h.store(&mut b, fresh, 8, 7).unwrap();
    enter(&mut h, &s[1], 2);
    assert_eq!(h.load(&mut b, SHARED, 8), Ok(7));
}

#[test]
fn jumps_keep_their_name_while_all_code_of_the_half_is_global() {
    let (mut h, mut b, s) = spaces();
    h.fetch(&mut b, SHARED).unwrap();
    let name = upper(&mut h);
    enter(&mut h, &s[1], 2);
    assert_eq!(upper(&mut h), name);
    h.fence(Fence { id: Some(2), ..Fence::default() });
    assert_eq!(upper(&mut h), name);
    // Code of one address space alone.
    h.fetch(&mut b, OWN).unwrap();
    let own = upper(&mut h);
    assert_ne!(own, name);
    enter(&mut h, &s[0], 1);
    assert_eq!(upper(&mut h), name);
    h.fetch(&mut b, OWN).unwrap();
    let first = upper(&mut h);
    assert!(first != name && first != own, "two spaces never share what is not global");
    h.fence(Fence { id: Some(1), ..Fence::default() });
    assert_eq!(upper(&mut h), name, "only the global code is left");
}

#[test]
fn names_of_the_lower_half_are_of_one_address_space() {
    let (mut h, _, s) = spaces();
    let lower = |h: &mut Hart| h.tlb.fetch_context(0).0[0];
    let first = lower(&mut h);
    enter(&mut h, &s[1], 2);
    let second = lower(&mut h);
    assert_ne!(second, first);
    enter(&mut h, &s[0], 1);
    assert_eq!(lower(&mut h), first);
}

#[test]
fn a_fence_of_another_page_of_a_global_superpage_forgets_jumps_to_all_of_it() {
    let (mut h, mut b, mut s) = spaces();
    let wide = 0xffff_ffd0_0000_0000;
    for space in &mut s {
        space.m.map(&mut b, wide, BASE + (4 << 20), KERNEL | G, 1);
    }
    h.fetch(&mut b, wide + 0x1000).unwrap();
    let name = upper(&mut h);
    // So many spaces that the bank which met the superpage is given to another.
    for asid in 2..40 {
        enter(&mut h, &s[1], asid);
    }
    assert_eq!(upper(&mut h), name);
    h.fence(Fence { addr: Some(wide + 0x5000), ..Fence::default() });
    assert_ne!(upper(&mut h), name);
}
