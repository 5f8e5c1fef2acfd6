//! The walker, PMP and access paths against the reference.

use emu_csr::Mode;
use proptest::prelude::*;

use super::BASE;
use super::world::{G_TABLES, TABLES, World};
use crate::mmu::{Fence, Stage};

const MODES: [Mode; 8] = [Mode::M, Mode::U, Mode::HS, Mode::HS, Mode::VU, Mode::VS, Mode::VS, Mode::VS];

fn cases(n: u32) -> ProptestConfig {
    ProptestConfig { cases: if cfg!(miri) { 2 } else { n }, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(1000))]

    /// Random tables and registers, every context from scratch: same value or same trap in all its fields, same A and D.
    #[test]
    fn every_access_does_what_the_manual_says(seed: u64) {
        let mut w = World::new(seed);
        for _ in 0..40 {
            if w.rng.one_in(8) {
                w.registers();
            }
            let mode = w.rng.pick(&MODES);
            w.hart.set_mode(mode);
            w.hart.tlb.flush();
            let _ = w.compare();
        }
    }

    /// With the TLB kept: registers change with `recontext`, tables with the fence the manual asks for, and nothing else.
    #[test]
    fn cached_translations_equal_fresh_walks(seed: u64) {
        let mut w = World::new(seed);
        for _ in 0..200 {
            match w.rng.below(30) {
                0..=2 => {
                    let mode = w.rng.pick(&MODES);
                    w.hart.set_mode(mode);
                }
                3 => {
                    w.status();
                    w.hart.recontext();
                }
                4 => {
                    let p = w.rng.below(4);
                    // Each address space has an ASID, or VMID, of its own.
                    let space = |atp: u64, p: u64| atp & 0xf << 60 | p << 44 | ((BASE >> 12) + p);
                    match w.rng.below(4) {
                        0 => w.hart.csr.vsatp = space(w.hart.csr.vsatp, p),
                        1 => w.hart.csr.hgatp = space(w.hart.csr.hgatp, TABLES + p) & !3,
                        _ => w.hart.csr.satp = space(w.hart.csr.satp, p),
                    }
                    w.hart.recontext();
                }
                5 => {
                    let page = w.rng.below(G_TABLES);
                    let index = w.rng.pick(&[0, 1, 2, 3, 511]);
                    let pte = w.entry(page);
                    w.poke(page, index, pte);
                    fence(&mut w);
                }
                6 => {
                    let p = w.rng.below(64);
                    let has = w.rng.one_in(2);
                    if let Some(host) = w.bus.ram.set_code(BASE + p * 4096, has) {
                        w.hart.tlb.forget_writes(host);
                    }
                }
                7 => {
                    // A fork lives for a while or not at all; the hart gets the machine again afterwards.
                    let fork = w.bus.ram.clone();
                    w.hart.tlb.sync(&w.bus.ram);
                    for _ in 0..w.rng.below(4) {
                        step(&mut w);
                    }
                    drop(fork);
                }
                _ => step(&mut w),
            }
        }
    }
}

/// One access; if it changed a table, the fences that takes.
fn step(w: &mut World) {
    if let Ok(p) = w.compare()
        && p.iter().any(|pa| *pa < BASE + G_TABLES * 4096)
    {
        fence(w);
    }
}

/// Orders all table changes before all later accesses at the addresses in use, in one of the ways the manual gives. Guests and address
/// spaces share tables here, so each of them is fenced.
fn fence(w: &mut World) {
    let all = Fence::default();
    let ids = if w.rng.one_in(2) { None..None } else { Some(0)..Some(16) };
    let each = |range: std::ops::Range<Option<u16>>| -> Vec<Option<u16>> {
        match (range.start, range.end) {
            (Some(a), Some(b)) => (a..b).map(Some).collect(),
            _ => vec![None],
        }
    };
    for id in each(ids.clone()) {
        w.hart.fence(Fence { stage: Stage::G, id, ..all });
    }
    let by_address = w.rng.one_in(2);
    let mut addresses = vec![None];
    if by_address {
        // An access may reach into the next page.
        addresses = w.addresses.iter().flat_map(|va| [Some(*va), Some(va.wrapping_add(4096))]).collect();
    }
    for addr in addresses {
        for id in each(if w.rng.one_in(2) { None..None } else { Some(0)..Some(4) }) {
            w.hart.fence(Fence { addr, id, ..all });
            for vmid in each(ids.clone()) {
                w.hart.fence(Fence { addr, id, vmid, stage: Stage::Vs });
            }
        }
    }
}
