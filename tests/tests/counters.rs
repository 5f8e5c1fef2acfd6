//! Counters of the machine's events: exact numbers on small programs, overflow at the instruction, filters by mode, and both engines
//! alike (Sscofpmf; Smcntrpmf; Privileged ISA, "Hardware Performance Monitor").

#![allow(clippy::unwrap_used)] // helpers of tests, which clippy takes for other code

mod small;

use emu_core::insn::TABLES;
use emu_core::machine::{EngineKind, Machine};
use emu_csr::events::EVENTS;
use emu_csr::{Mode, Now, table};
use small::*;

const TABLE: u64 = emu_core::board::map::RAM + 0x8_0000;
const OF: u64 = 1 << 63;

fn counter(m: &Machine, i: u16) -> u64 {
    m.harts()[0].csr.peek(table::MHPMCOUNTER0 + i, &m.harts()[0].now(m.bus())).unwrap()
}

/// The counts of `selectors` after `code` has reached its last instruction, a jump to itself, with either engine.
fn counts(code: &[u32], cycles: u64, selectors: &[u64], set_up: fn(&mut Machine)) -> Vec<u64> {
    let run = |engine| {
        let mut m = machine(engine, code);
        set_up(&mut m);
        for (i, &s) in (3..).zip(selectors) {
            poke(&mut m, table::MHPMEVENT0 + i, s);
        }
        m.run(cycles);
        ((3..).zip(selectors).map(|(i, _)| counter(&m, i)).collect::<Vec<u64>>(), m.state_hash())
    };
    let (a, b) = (run(EngineKind::Step), run(EngineKind::Block));
    assert_eq!(a, b, "the engines count alike");
    a.0
}

fn selector(name: &str) -> u64 {
    EVENTS.iter().find(|e| e.name == name).unwrap().selector
}

#[test]
fn each_event_of_a_loop_is_counted_exactly() {
    // Ten rounds of: two loads (one misaligned), a store, an AMO, mul, div, a call and its return, a branch taken nine times.
    let code = [
        op("addi", 5, 0, 0, 10),
        op("ld", 6, 10, 0, 0),       // loop:
        op("lw", 6, 10, 0, 2),       // misaligned
        op("sd", 0, 10, 6, 8),       //
        op("amoadd.d", 7, 10, 6, 0), //
        op("mul", 6, 6, 6, 0),       //
        op("divu", 6, 6, 5, 0),      //
        op("jal", 1, 0, 0, 16),      // call +16
        op("addi", 5, 5, 0, -1),     //
        op("bne", 0, 5, 0, -32),     //
        op("jal", 0, 0, 0, 0),       // end
        op("jalr", 0, 1, 0, 0),      // the routine
    ];
    let names = [
        "loads",
        "misaligned loads",
        "stores",
        "AMOs",
        "multiplications",
        "divisions",
        "calls",
        "returns",
        "conditional branches",
        "taken conditional branches",
        "compressed instructions",
    ];
    let selectors: Vec<u64> = names.iter().map(|n| selector(n)).collect();
    // 1 + 10 * 10 instructions: the next would be the jump to itself, which counts as a jump only.
    assert_eq!(counts(&code, 101, &selectors, |_| ()), [20, 10, 10, 10, 10, 10, 10, 10, 10, 9, 0]);
    let jumps = [selector("jumps"), selector("branch instructions"), selector("instructions"), selector("cycles")];
    let all = counts(&code, 105, &jumps, |_| ());
    assert_eq!(all, [24, 34, 105, 105], "the counters were set up before the first instruction");
}

#[test]
fn traps_are_counted_by_cause_and_mode() {
    // ebreak, ecall, illegal, load from nowhere, three times over.
    let code = [
        op("addi", 5, 0, 0, 3),
        op("ebreak", 0, 0, 0, 0), // loop:
        op("ecall", 0, 0, 0, 0),
        0,
        op("ld", 6, 0, 0, 0),
        op("addi", 5, 5, 0, -1),
        op("bne", 0, 5, 0, -20),
        op("jal", 0, 0, 0, 0),
    ];
    let selectors = [
        selector("traps"),
        selector("exceptions"),
        selector("interrupts"),
        selector("traps to M"),
        selector("traps to HS"),
        selector("environment calls"),
        selector("access faults"),
        0x200 + 3,
        0x200 + 2,
        selector("trap returns"),
    ];
    let n = counts(&code, 100, &selectors, |_| ());
    assert_eq!(n, [12, 12, 0, 12, 0, 3, 3, 3, 3, 12]);
}

#[test]
fn an_unknown_selector_selects_nothing() {
    for s in [3, 0x99, 0x115, 0x280, 0x1_0000, u64::MAX >> 8] {
        let mut m = machine(EngineKind::Step, &[]);
        poke(&mut m, table::MHPMEVENT0 + 3, s);
        assert_eq!(m.harts()[0].csr.peek(table::MHPMEVENT0 + 3, &Now::default()), Some(0), "selector {s:#x}");
    }
}

/// The fifth store overflows: mepc of the interrupt is the instruction behind it, OF and LCOFIP are set, and only then.
#[test]
fn an_overflow_interrupts_before_the_next_instruction() {
    let code = [op("addi", 5, 5, 0, 1), op("sd", 0, 10, 6, 8), op("addi", 6, 6, 0, 1), op("jal", 0, 0, 0, -12)];
    for engine in ENGINES {
        for (event, at, behind) in [("stores", 4 * 4 + 2, 2), ("instructions", 5, 1), ("jumps", 20, 0)] {
            let mut m = machine(engine, &code);
            poke(&mut m, table::MHPMCOUNTER0 + 3, 5u64.wrapping_neg());
            poke(&mut m, table::MHPMEVENT0 + 3, selector(event));
            poke(&mut m, table::MIE, 1 << 13);
            poke(&mut m, table::MSTATUS, 8 | 3 << 11);
            m.run(at);
            assert_eq!(m.harts()[0].csr.mcause, 0, "{event} with {engine:?}: not yet");
            assert_eq!(counter(&m, 3), 0);
            m.run(at + 1);
            let h = &m.harts()[0];
            assert_eq!((h.csr.mcause, h.csr.mepc), (1 << 63 | 13, CODE + 4 * behind), "{event} with {engine:?}");
            assert_eq!(h.csr.mhpmevent[3] & OF, OF);
            // The handler runs a loop of traps no longer: a second carry with OF set raises nothing.
            assert_eq!(h.csr.peek(table::MIP, &Now::default()).unwrap() >> 13 & 1, 1);
        }
    }
}

/// Of a loop of stores in M and U, MINH leaves those of U, UINH those of M.
#[test]
fn filters_count_by_mode() {
    // M: three stores, mret to U: two stores, ecall back (mepc + 4 in the handler, which returns to U), a jump to itself.
    let code = [
        op("sd", 0, 10, 0, 8),
        op("sd", 0, 10, 0, 8),
        op("sd", 0, 10, 0, 8),
        op("mret", 0, 0, 0, 0),
        op("sd", 0, 10, 0, 8),
        op("sd", 0, 10, 0, 8),
        op("ecall", 0, 0, 0, 0),
        op("jal", 0, 0, 0, 0),
    ];
    fn user(m: &mut Machine) {
        for (csr, v) in [(table::PMPADDR0, u64::MAX), (table::PMPCFG0, 0x1f), (table::MEPC, CODE + 16), (table::MSTATUS, 3 << 13)]
        {
            poke(m, csr, v);
        }
    }
    let (minh, uinh, sinh) = (1u64 << 62, 1u64 << 60, 1u64 << 61);
    let s = selector("stores");
    let ecalls = selector("environment calls");
    let instructions = selector("instructions");
    let selectors = [
        s,
        s | minh,
        s | uinh,
        s | sinh,
        s | minh | uinh,
        ecalls | minh,
        ecalls | uinh,
        instructions | minh,
        instructions | uinh,
    ];
    // 3 stores, mret, 2 stores, ecall (1 cycle, not retired), handler of 4, and 5 rounds of the jump.
    let n = counts(&code, 3 + 1 + 2 + 1 + 4 + 5, &selectors, user);
    assert_eq!(n, [5, 2, 3, 5, 0, 1, 0, 2 + 5, 3 + 1 + 4]);
}

/// Two pages 64 pages apart share an entry of the counted TLB, two neighbours do not. Translation off counts nothing.
#[test]
fn the_counted_tlb_misses_by_its_own_rule() {
    let code = [
        op("addi", 5, 0, 0, 4),
        op("ld", 6, 10, 0, 0),   // loop:
        op("ld", 6, 11, 0, 0),   // a neighbour
        op("sd", 0, 12, 6, 0),   // 64 pages on: the first's entry
        op("addi", 5, 5, 0, -1), //
        op("bne", 0, 5, 0, -16), //
        op("sfence.vma", 0, 0, 0, 0),
        op("ld", 6, 11, 0, 0),
        op("jal", 0, 0, 0, 0),
    ];
    fn pages(m: &mut Machine) {
        let h = &mut m.harts_mut()[0];
        (h.x[11], h.x[12]) = (DATA + 0x1000, DATA + 0x4_0000);
    }
    fn translated(m: &mut Machine) {
        pages(m);
        // Identity gigapages, executable and writable for S, A and D set.
        let ptes: Vec<u32> = (0..4u64).flat_map(|i| [(i << 28 | 0xcf) as u32, (i << 28 >> 32) as u32]).collect();
        put(m, TABLE, &ptes);
        for (csr, v) in [(table::PMPADDR0, u64::MAX), (table::PMPCFG0, 0x1f), (table::SATP, 8 << 60 | TABLE >> 12)] {
            poke(m, csr, v);
        }
        m.harts_mut()[0].set_mode(Mode::HS);
    }
    let selectors = [0x10018, 0x10019, 0x1001a, 0x1001b, 0x10020, 0x10021, selector("page walks")];
    // 1 + 4 * 5 + sfence, ld: 23 instructions.
    let off = counts(&code, 23, &selectors, pages);
    assert_eq!(off, [0; 7]);
    let on = counts(&code, 23, &selectors, translated);
    // Reads: 8 + 1. Misses: the first page each round (4), the neighbour once, and once after the fence; each store; code once and once
    // after the fence.
    assert_eq!(on, [9, 6, 4, 4, 23, 2, 6 + 4 + 2]);
}

/// Random code under random counters: the engines agree on every bit of state at arbitrary stops.
#[test]
fn engines_agree_whatever_is_counted() {
    let mut seed = 0x7472_6170u64;
    let mut next = move || {
        seed ^= seed >> 12;
        seed ^= seed << 25;
        seed ^= seed >> 27;
        seed.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    };
    let all: Vec<_> = TABLES.iter().flat_map(|t| t.iter()).filter(|d| !["wfi", "wrs.nto", "wrs.sto"].contains(&d.name)).collect();
    for round in 0..40 {
        let mut code: Vec<u32> = Vec::new();
        for _ in 0..300 {
            let d = all[next() as usize % all.len()];
            let mut w = d.bits | next() as u32 & !d.mask;
            if w & 0x7f == 0x73 && w >> 12 & 3 != 0 {
                // A CSR access: of a counter, an event, a filter or the inhibit register as often as not.
                let csrs = [0xb03, 0xb04, 0x323, 0x324, 0x320, 0x321, 0xb00, 0xb02, 0xda0, 0x344, 0xc03];
                w = w & 0x000f_ffff | csrs[next() as usize % csrs.len()] << 20;
            }
            if w >> 7 & 31 == 31 {
                w &= !(1 << 7) | d.mask;
            }
            code.push(w);
        }
        let events: Vec<u64> = (0..8)
            .map(|_| EVENTS[next() as usize % EVENTS.len()].selector | [0, 1 << 62, 1 << 60, 1 << 61][next() as usize % 4])
            .collect();
        let mut both = ENGINES.map(|engine| {
            let mut m = machine(engine, &code);
            for (i, &e) in (3..).zip(&events) {
                poke(&mut m, table::MHPMEVENT0 + i, e);
                poke(&mut m, table::MHPMCOUNTER0 + i, 30u64.wrapping_neg());
            }
            poke(&mut m, table::MIE, 1 << 13);
            for (i, x) in m.harts_mut()[0].x[1..31].iter_mut().enumerate() {
                *x = DATA + (i as u64 * 264) % 0x2000;
            }
            m
        });
        let mut stop = 0;
        for _ in 0..10 {
            stop += 1 + next() % 300;
            let ends = both.each_mut().map(|m| (m.run(stop), m.state_hash()));
            assert_eq!(ends[0], ends[1], "round {round} at cycle {stop}");
        }
    }
}
