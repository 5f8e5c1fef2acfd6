//! What memory accesses cost: through the TLB, past it, and past it with one and two stages of page tables.

#![allow(missing_docs)] // criterion's macros make public functions

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use emu_core::bus::{Bus, Clock};
use emu_core::hart::Hart;
use emu_core::mem::Ram;
use emu_core::mmu::{Access, Fence};
use emu_csr::{Isa, Mode};

const BASE: u64 = 0x8000_0000;
const SV39: u64 = 8 << 60;
/// V R W X U A D.
const USER: u64 = 0xdf;
/// V R W X A D.
const KERNEL: u64 = 0xcf;
/// Pages mapped at virtual 1 GiB.
const PAGES: u64 = 512;

fn poke(bus: &mut Bus, pa: u64, value: u64) {
    bus.ram.write(pa, 8, value, &mut Vec::new());
}

/// A hart with `PAGES` 4 KiB pages mapped through three levels; under V=1 also the G-stage, by 4 KiB pages.
fn machine(mode: Mode) -> (Hart, Bus) {
    let mut bus = Bus::new(Ram::new(BASE, 64 << 20), Clock { cycle_hz: 1_000_000_000, timebase_hz: 10_000_000, offset: 0 });
    let mut hart = Hart::new(Isa(u128::MAX), 0);
    hart.csr.pmpcfg[0] = 0x1f;
    hart.csr.pmpaddr[0] = u64::MAX >> 10;
    let pointer = |pa: u64| pa >> 12 << 10 | 1;
    let flags = if mode == Mode::U { USER } else { KERNEL };
    let (root, mid, leaves) = (BASE + 0x10_0000, BASE + 0x10_1000, BASE + 0x10_2000);
    poke(&mut bus, root + 8, pointer(mid));
    poke(&mut bus, mid, pointer(leaves));
    for i in 0..PAGES {
        poke(&mut bus, leaves + i * 8, (BASE + (4 << 20) + i * 4096) >> 12 << 10 | flags);
        poke(&mut bus, BASE + (4 << 20) + i * 4096, i);
    }
    if mode.virt() {
        let (root, mid) = (BASE + 0x20_0000, BASE + 0x20_4000);
        poke(&mut bus, root + 16, pointer(mid));
        for m in 0..8 {
            let leaves = mid + 0x1000 + m * 0x1000;
            poke(&mut bus, mid + m * 8, pointer(leaves));
            for i in 0..512 {
                poke(&mut bus, leaves + i * 8, (BASE + (m << 21) + i * 4096) >> 12 << 10 | USER);
            }
        }
        hart.csr.hgatp = SV39 | (BASE + 0x20_0000) >> 12;
        hart.csr.vsatp = SV39 | root_ppn();
    } else {
        hart.csr.satp = SV39 | root_ppn();
    }
    hart.set_mode(mode);
    (hart, bus)
}

fn root_ppn() -> u64 {
    (BASE + 0x10_0000) >> 12
}

fn sweep(h: &mut Hart, b: &mut Bus, step: u64) -> u64 {
    let mut sum = 0u64;
    for i in 0..256 {
        sum = sum.wrapping_add(h.load(b, (1 << 30) + i * step, 8).unwrap_or(0));
    }
    sum
}

fn mmu(c: &mut Criterion) {
    let mut g = c.benchmark_group("mmu, 256 accesses");
    let (mut h, mut b) = machine(Mode::HS);
    g.bench_function("load, TLB hit", |t| t.iter(|| black_box(sweep(&mut h, &mut b, 4096))));
    g.bench_function("load, misaligned in a page", |t| {
        t.iter(|| {
            let mut sum = 0u64;
            for i in 0..256 {
                sum = sum.wrapping_add(h.load(&mut b, (1 << 30) + i * 4096 + 1, 8).unwrap_or(0));
            }
            black_box(sum)
        })
    });
    g.bench_function("store, TLB hit", |t| {
        t.iter(|| {
            for i in 0..256 {
                let _ = black_box(h.store(&mut b, (1 << 30) + i * 4096, 8, i));
            }
        })
    });
    g.bench_function("load, miss, one stage", |t| {
        t.iter(|| {
            h.tlb.flush();
            black_box(sweep(&mut h, &mut b, 4096))
        })
    });
    let forced = Access { mode: Mode::HS, hlvx: false, forced: false };
    g.bench_function("walk, one stage, three levels", |t| {
        t.iter(|| {
            for i in 0..256 {
                let _ = black_box(h.load_as(&mut b, (1 << 30) + i * 4096, 8, forced));
            }
        })
    });
    let (mut h, mut b) = machine(Mode::VS);
    g.bench_function("load, miss, two stages", |t| {
        t.iter(|| {
            h.tlb.flush();
            black_box(sweep(&mut h, &mut b, 4096))
        })
    });
    let forced = Access { mode: Mode::VS, hlvx: false, forced: true };
    g.bench_function("walk, two stages, three levels each", |t| {
        t.iter(|| {
            for i in 0..256 {
                let _ = black_box(h.load_as(&mut b, (1 << 30) + i * 4096, 8, forced));
            }
        })
    });
    g.finish();

    let mut g = c.benchmark_group("mmu");
    let (mut h, mut b) = machine(Mode::HS);
    g.bench_function("sfence.vma of one page and its refill", |t| {
        t.iter(|| {
            h.fence(Fence { addr: Some(1 << 30), id: Some(0), ..Fence::default() });
            black_box(h.load(&mut b, 1 << 30, 8))
        })
    });
    g.bench_function("sfence.vma of everything after 64 fills", |t| {
        t.iter(|| {
            for i in 0..64 {
                let _ = black_box(h.load(&mut b, (1 << 30) + i * 4096, 8));
            }
            h.fence(Fence::default());
        })
    });
    g.bench_function("mode switch there and back", |t| {
        t.iter(|| {
            h.set_mode(Mode::U);
            h.set_mode(Mode::HS);
        })
    });
    let ram = b.ram.clone();
    g.bench_function("fork of 64 MiB", |t| t.iter(|| black_box(ram.clone())));
    g.finish();
}

criterion_group!(benches, mmu);
criterion_main!(benches);
