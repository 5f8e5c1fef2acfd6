//! The walker, PMP and access paths against the reference.

use emu_csr::Mode;
use proptest::prelude::*;

use super::BASE;
use super::world::{G_TABLES, World};
use crate::mmu::{Fence, Stage};

const MODES: [Mode; 8] = [Mode::M, Mode::U, Mode::HS, Mode::HS, Mode::VU, Mode::VS, Mode::VS, Mode::VS];

fn cases(n: u32) -> ProptestConfig {
    ProptestConfig { cases: if cfg!(miri) { 2 } else { n }, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(3000))]

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
        for _ in 0..300 {
            match w.rng.below(24) {
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
                    let satp = w.hart.csr.satp;
                    // A new address space has an ASID of its own.
                    w.hart.csr.satp = satp & !0xfff_ffff_ffff & !(0xffff << 44) | p << 44 | ((BASE >> 12) + p);
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

/// Orders all table changes before all later accesses at the addresses in use, in one of the ways the manual gives.
fn fence(w: &mut World) {
    let vmid = Some((w.hart.csr.hgatp >> 44) as u16 & 0x3fff);
    let all = Fence::default();
    w.hart.fence(Fence { stage: Stage::G, id: vmid.filter(|_| w.rng.one_in(2)), ..all });
    match w.rng.below(3) {
        0 => {
            w.hart.fence(all);
            w.hart.fence(Fence { stage: Stage::Vs, vmid, ..all });
        }
        1 => {
            for id in 0..4 {
                w.hart.fence(Fence { id: Some(id), ..all });
                w.hart.fence(Fence { id: Some(id), stage: Stage::Vs, vmid, ..all });
            }
        }
        _ => {
            for va in w.addresses.clone() {
                // An access may reach into the next page.
                for addr in [Some(va), Some(va.wrapping_add(4096))] {
                    w.hart.fence(Fence { addr, ..all });
                    w.hart.fence(Fence { addr, stage: Stage::Vs, vmid, ..all });
                }
            }
        }
    }
}
