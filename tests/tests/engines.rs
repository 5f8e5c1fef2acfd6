//! The block engine against the exact stepper: same program, same stop, same state hash. Programs are random instructions of every
//! table, with handlers that skip what traps, so faults fall in the middle of blocks; and directed ones for what random code seldom does.

#![allow(clippy::unwrap_used)] // helpers of tests, which clippy takes for other code

mod random;

use emu_core::board;
use emu_core::board::load::{Bios, File, Images};
use emu_core::machine::{EngineKind, Machine, MachineConfig, RunEnd};
use random::{BASE, CODE, DATA, HANDLER, Random};

/// A machine whose harts start at [`CODE`] with `code` there and a handler that steps over whatever traps.
fn machine(engine: EngineKind, harts: usize, code: &[u32]) -> Machine {
    let board = board::Config { harts, ram_size: 16 << 20, ..board::Config::default() };
    let images = Images { bios: Bios::None, kernel: Some(File { name: "pass.elf", bytes: BASE }), ..Images::default() };
    let mut m = Machine::new(MachineConfig { board, engine, quantum: 1000 }, Vec::new(), &images, None).unwrap();
    // csrrw t0 with mscratch would need a free register: x31 belongs to the handler. mepc += 2: a trap in the middle of an
    // instruction's bytes only makes the program more random.
    let handler = [0x3410_2ff3, 0x002f_8f93, 0x341f_9073, 0x3020_0073];
    put(&mut m, HANDLER, &handler);
    put(&mut m, CODE, code);
    for h in m.harts_mut() {
        h.pc = CODE;
        h.csr.mtvec = HANDLER;
        h.csr.mstatus |= 3 << 13;
        for (i, x) in h.x[1..31].iter_mut().enumerate() {
            *x = DATA + (i as u64 * 264 + h.id * 8) % 0x2000;
        }
    }
    m
}

fn put(m: &mut Machine, at: u64, words: &[u32]) {
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    assert!(m.bus_mut().ram.write_bytes(at, &bytes, &mut Vec::new()));
}

/// Random instructions.
fn program(r: &mut Random, len: usize) -> Vec<u32> {
    let all = random::usable();
    (0..len).map(|_| random::instruction(r, &all)).collect()
}

fn agree(harts: usize, code: &[u32], stops: &[u64], what: &str) {
    let mut t0 = machine(EngineKind::Step, harts, code);
    let mut t1 = machine(EngineKind::Block, harts, code);
    for &stop in stops {
        let ends = (t0.run(stop), t1.run(stop));
        assert_eq!(ends.0, ends.1, "{what}: how the run to {stop} ended");
        let (a, b) = (&t0.harts()[0], &t1.harts()[0]);
        assert_eq!((a.pc, a.instret, &a.x[..32]), (b.pc, b.instret, &b.x[..32]), "{what}: hart 0 at cycle {stop}");
        assert_eq!(t0.state_hash(), t1.state_hash(), "{what}: state at cycle {stop}");
    }
    assert!(t1.blocks_built() > 0, "{what}: no block was ever built");
}

#[test]
fn random_programs_agree_at_arbitrary_stops() {
    let mut r = Random(0x7261_7065_7a65);
    for seed in 0..60 {
        let code = program(&mut r, 600);
        let mut stop = 0;
        let stops: Vec<u64> = (0..12)
            .map(|_| {
                stop += 1 + r.below(400) as u64;
                stop
            })
            .collect();
        agree(1, &code, &stops, &format!("program {seed}"));
    }
}

#[test]
fn random_programs_agree_with_four_harts_on_one_memory() {
    let mut r = Random(4);
    for seed in 0..10 {
        let code = program(&mut r, 600);
        agree(4, &code, &[3_000, 20_000], &format!("program {seed}"));
    }
}

/// Handlers in M-mode that never return: the engine goes on at each trap by itself, and must not do so for ever.
#[test]
fn endless_traps_end_both_engines_in_one_state() {
    // An illegal instruction alone makes no progress; behind one that retires it never returns.
    for handler in [vec![0], vec![0x0010_8093, 0]] {
        let ends = [EngineKind::Step, EngineKind::Block].map(|engine| {
            let mut m = machine(engine, 1, &[0x0010_8093, 0]);
            put(&mut m, HANDLER, &handler);
            // Passed on the way, and not enabled: nothing but the state knows.
            m.harts_mut()[0].csr.stimecmp = 5;
            let end = m.run(1 << 30);
            assert!(matches!(end, RunEnd::TrapLoop { hart: 0, cause: 2, .. }), "{end:?}");
            (end, m.instret(), m.state_hash())
        });
        assert_eq!(ends[0], ends[1], "{handler:x?}");
    }
}

/// With landing pads on in M-mode most indirect jumps of a random program are faults, in the middle of its blocks.
#[test]
fn landing_pads_agree() {
    // csrrc mstatus.MPELP first, or the return would want a landing pad again.
    let handler = [0x0010_0f93, 0x029f_9f93, 0x300f_b073, 0x3410_2ff3, 0x002f_8f93, 0x341f_9073, 0x3020_0073];
    let start = |engine, code: &[u32]| {
        let mut m = machine(engine, 1, code);
        put(&mut m, HANDLER, &handler);
        let h = &mut m.harts_mut()[0];
        h.csr.mseccfg = 1 << 10;
        h.recontext();
        m
    };
    let mut r = Random(0x6c70_6164);
    let mut faults = 0;
    for seed in 0..80 {
        let mut code = program(&mut r, 600);
        // A landing pad now and then, for the jumps that find one.
        for word in code.iter_mut().step_by(7) {
            *word = 0x0000_0017;
        }
        for _ in 0..40 {
            // auipc x10, 0; jalr x0, imm(x10): to a multiple of four, which may be a pad.
            let (at, to) = (r.below(590), r.below(64) as u32 * 4);
            (code[at], code[at + 1]) = (0x0000_0517, to << 20 | 10 << 15 | 0x67);
        }
        let (mut t0, mut t1) = (start(EngineKind::Step, &code), start(EngineKind::Block, &code));
        for stop in [500, 501, 733, 2_000, 10_000] {
            assert_eq!(t0.run(stop), t1.run(stop), "program {seed}");
            faults += u32::from(t0.harts()[0].csr.mcause == 18);
            assert_eq!(t0.harts()[0].pc, t1.harts()[0].pc, "program {seed} at {stop}");
            assert_eq!(t0.state_hash(), t1.state_hash(), "program {seed} at {stop}");
        }
    }
    assert!(faults > 10, "{faults} stops behind a landing pad fault");
}

/// A loop that stores a new immediate into an instruction just ahead of itself, with and without fence.i.
#[test]
fn code_that_rewrites_itself_agrees() {
    for fence in [0x0000_100f, 0x0000_0013] {
        let code = [
            0x0000_0397, // auipc t2, 0
            0x01c3_a283, // lw t0, 28(t2): the instruction to patch
            0x0010_0e37, // lui t3, 0x100: one in the immediate field
            0x01c2_82b3, // add t0, t0, t3
            0x0053_ae23, // sw t0, 28(t2)
            fence,       //
            0x0000_0013, // nop
            0x0005_0513, // addi a0, a0, 0: patched each time round
            0xfe1f_f06f, // jal x0, -32
        ];
        agree(1, &code, &[1, 7, 50, 500, 5_000], "self-modifying");
    }
}

/// Hart 1 rewrites what hart 0 runs.
#[test]
fn code_that_another_hart_rewrites_agrees() {
    let code = [
        0xf140_22f3, // csrr t0, mhartid
        0x0000_0397, // auipc t2, 0
        0x0002_9863, // bnez t0, +16
        0x0015_0513, // addi a0, a0, 1: hart 0's loop body, rewritten
        0xffdf_f06f, // jal x0, -4
        0x0000_0013, //
        0x0083_ae03, // lw t3, 8(t2): hart 1
        0x0010_0eb7, // lui t4, 0x100
        0x01de_0e33, // add t3, t3, t4
        0x01c3_a423, // sw t3, 8(t2)
        0xff1f_f06f, // jal x0, -16
    ];
    agree(2, &code, &[2_000, 10_000, 40_000], "another hart's stores");
}

/// A four-byte instruction with its halves on two pages.
#[test]
fn an_instruction_across_pages_agrees() {
    let at = CODE + 0xffe;
    let run = |engine| {
        let mut m = machine(engine, 1, &[]);
        // addi a0, a0, 1; then back to it.
        put_at(&mut m, at, 0x0015_0513);
        put_at(&mut m, at + 4, 0xffdf_f06f);
        m.harts_mut()[0].pc = at;
        m.run(1_001);
        (m.harts()[0].x[10], m.harts()[0].pc, m.state_hash())
    };
    let (a, b) = (run(EngineKind::Step), run(EngineKind::Block));
    assert_eq!(a.0, DATA + 9 * 264 + 501);
    assert_eq!(a, b);
}

fn put_at(m: &mut Machine, at: u64, word: u32) {
    assert!(m.bus_mut().ram.write_bytes(at, &word.to_le_bytes(), &mut Vec::new()));
}

/// The same configuration gives the same hash twice, and another program another hash.
#[test]
fn equal_runs_have_equal_hashes_and_others_do_not() {
    let mut r = Random(99);
    let (p, q) = (program(&mut r, 300), program(&mut r, 300));
    let hash = |code: &[u32]| {
        let mut m = machine(EngineKind::Block, 1, code);
        m.run(10_000);
        m.state_hash()
    };
    assert_eq!(hash(&p), hash(&p));
    assert_ne!(hash(&p), hash(&q));
}
