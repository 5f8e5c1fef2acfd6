//! The walk that explains: the MMU's verdict, its reason, and nothing changed.

use emu_csr::{Exception, Mode};
use proptest::prelude::*;

use super::clauses::{KERNEL, Mapper, USER};
use super::world::World;
use super::{BASE, machine};
use crate::mmu::{Attempt, Kind, Refusal, Stage, Walk};

const MODES: [Mode; 6] = [Mode::M, Mode::U, Mode::HS, Mode::VU, Mode::VS, Mode::VS];
const KINDS: [Kind; 6] = [Kind::Fetch, Kind::Load, Kind::LoadExec, Kind::Store, Kind::Shadow, Kind::Block];

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 500 }, failure_persistence: None, ..ProptestConfig::default() })]

    /// Before the access: the same verdict as the access then gets. After a refused one: still the same.
    #[test]
    fn the_verdict_is_the_mmus_on_random_tables(seed: u64) {
        let mut w = World::new(seed);
        for _ in 0..40 {
            if w.rng.one_in(8) {
                w.registers();
            }
            let len = w.rng.pick(&[1u64, 2, 4, 8]);
            let at = w.rng.below(w.addresses.len() as u64) as usize;
            let page = if w.rng.one_in(3) { w.address() } else { w.addresses[at] };
            let attempt = Attempt {
                va: page & !0xfff | (w.rng.below(4096 / len) * len),
                len,
                kind: w.rng.pick(&KINDS),
                mode: w.rng.pick(&MODES),
            };
            let told = w.hart.explain_walk(&w.bus, attempt);
            let place = w.hart.place(&mut w.bus, attempt.va, len, attempt.kind, attempt.mode);
            prop_assert_eq!(told.result.map(|t| t.pa), place.map(|p| p.pa));
            prop_assert_eq!(told.refused.is_some(), told.result.is_err());
            if told.result.is_err() {
                let again = w.hart.explain_walk(&w.bus, attempt);
                prop_assert_eq!((again.result, again.refused), (told.result, told.refused));
            }
        }
    }
}

fn explain(h: &mut crate::hart::Hart, b: &crate::bus::Bus, va: u64, kind: Kind, mode: Mode) -> Walk {
    h.explain_walk(b, Attempt { va, len: 4, kind, mode })
}

#[test]
fn each_check_of_a_leaf_says_what_failed() {
    const V: u64 = 1;
    const R: u64 = 2;
    const W: u64 = 4;
    const X: u64 = 8;
    const U: u64 = 16;
    const A: u64 = 64;
    const D: u64 = 128;
    let cases: &[(u64, Kind, Mode, Refusal)] = &[
        (0, Kind::Load, Mode::HS, Refusal::NotValid),
        (V | W, Kind::Load, Mode::HS, Refusal::WriteWithoutRead),
        (V, Kind::Load, Mode::HS, Refusal::NoLeaf),
        (V | A, Kind::Load, Mode::HS, Refusal::TableBits),
        (V | R | A | 1 << 54, Kind::Load, Mode::HS, Refusal::ReservedBits),
        (V | R | A, Kind::Load, Mode::U, Refusal::NotUser),
        (V | R | A | U, Kind::Load, Mode::HS, Refusal::UserWithoutSum),
        (V | R | X | A | U, Kind::Fetch, Mode::HS, Refusal::SupervisorFetchesUser),
        (V | X | A, Kind::Load, Mode::HS, Refusal::NotReadable),
        (V | R | A | D, Kind::Store, Mode::HS, Refusal::NotWritable),
        (V | R | A, Kind::Fetch, Mode::HS, Refusal::NotExecutable),
        (V | R, Kind::Load, Mode::HS, Refusal::NotAccessed),
        (V | R | W | A, Kind::Store, Mode::HS, Refusal::NotDirty),
    ];
    for &(bits, kind, mode, why) in cases {
        let (mut h, mut b) = machine();
        let mut m = Mapper::first();
        let leaf = m.map(&mut b, 0x4000_0000, BASE, KERNEL, 0);
        h.csr.satp = m.atp(0);
        let pte = BASE >> 12 << 10 | bits;
        b.ram.write(leaf, 8, pte, &mut Vec::new());
        let walk = explain(&mut h, &b, 0x4000_0000, kind, mode);
        let refused = walk.refused.unwrap();
        assert_eq!((refused.stage, refused.input, refused.why), (Some(Stage::S), 0x4000_0000, why), "{bits:#x}");
        let last = walk.accesses.last().unwrap();
        assert_eq!((last.pa, last.value, last.level), (leaf, pte, 0), "the entry that was refused is the last one told");
    }
}

#[test]
fn a_guest_page_fault_of_a_table_names_the_g_stage_and_the_tables_address() {
    let (mut h, mut b) = machine();
    let mut g = Mapper::guest();
    g.map(&mut b, BASE, BASE, USER, 2);
    let mut m = Mapper::first();
    m.map(&mut b, 0x4000_0000, BASE, KERNEL, 0);
    h.csr.vsatp = m.atp(0);
    h.csr.hgatp = g.atp(1);
    assert!(explain(&mut h, &b, 0x4000_0000, Kind::Load, Mode::VS).result.is_ok());
    // Nothing of the guest's memory is mapped any more.
    let root = (h.csr.hgatp & ((1 << 44) - 1)) << 12;
    b.ram.write(root + (BASE >> 30) * 8, 8, 0, &mut Vec::new());
    let walk = explain(&mut h, &b, 0x4000_0000, Kind::Load, Mode::VS);
    let refused = walk.refused.unwrap();
    assert_eq!((refused.stage, refused.why), (Some(Stage::G), Refusal::NotValid));
    let trap = walk.result.unwrap_err();
    assert_eq!(trap.cause, Exception::LoadGuestPageFault);
    assert_eq!((refused.input >> 2, trap.tinst), (trap.tval2, 0x3000), "the implicit read of the VS-stage's root entry");
    assert!(walk.accesses.iter().all(|a| a.stage == Stage::G && a.input == refused.input));
}

#[test]
fn checks_outside_of_the_tables_have_reasons_too() {
    let (mut h, mut b) = machine();
    let mut m = Mapper::first();
    m.map(&mut b, 0x4000_0000, BASE, KERNEL, 0);
    h.csr.satp = m.atp(0);
    let why = |w: Walk| w.refused.map(|r| r.why);
    assert_eq!(why(explain(&mut h, &b, 1 << 63, Kind::Load, Mode::HS)), Some(Refusal::NotCanonical));
    assert_eq!(why(explain(&mut h, &b, BASE, Kind::Shadow, Mode::M)), Some(Refusal::ShadowUntranslated));
    h.csr.pmpcfg[0] = 0;
    assert_eq!(why(explain(&mut h, &b, 0x4000_0000, Kind::Load, Mode::HS)), Some(Refusal::PteRead));
    h.csr.satp = 0;
    assert_eq!(why(explain(&mut h, &b, BASE, Kind::Load, Mode::HS)), Some(Refusal::Pmp));
    h.csr.hgatp = 8 << 60 | BASE >> 12;
    assert_eq!(why(explain(&mut h, &b, 1 << 50, Kind::Load, Mode::VS)), Some(Refusal::GuestAddressTooWide));
}

#[test]
fn every_reason_has_words_and_a_clause_of_its_own_text() {
    let mut texts: Vec<&str> = Refusal::ALL.iter().map(|r| r.text()).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), Refusal::ALL.len());
    assert!(Refusal::ALL.iter().all(|r| r.clause().contains('"')));
}
