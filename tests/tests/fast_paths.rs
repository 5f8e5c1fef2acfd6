//! What the block engine does in its own way agrees with the stepper: runs of loads and stores, atomics, `cbo.zero`, CSR instructions on
//! plain registers and on sstatus with interrupts waiting, and jumps fused with what is before them.

#![allow(clippy::unwrap_used)] // helpers of tests, which clippy takes for other code

mod small;

use emu_core::machine::{EngineKind, Machine};
use emu_csr::{Mode, table};
use small::{CODE, DATA, op, poke, put};

/// xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

const SUPERVISOR: u64 = small::HANDLER + 0x100;
/// What programs load into; x8, x9 and x18 are bases, kept in x19, x20 and x21.
const REGISTERS: [u8; 8] = [5, 6, 7, 10, 11, 28, 29, 30];
const BASES: [u8; 3] = [8, 9, 18];

/// A run of loads or stores: at one base, mostly in one direction, now and then across what ends a run.
fn run(r: &mut Random, code: &mut Vec<u32>) {
    let (base, load, step) = (r.pick(&BASES), r.below(2) == 0, r.pick(&[8, -8, 8, -8, 16, 4, 0]));
    let mut imm = 8 * r.below(64) as i32 - 128;
    for _ in 0..r.below(20) + 1 {
        let register = if r.below(24) == 0 {
            base
        } else if r.below(12) == 0 {
            0
        } else {
            r.pick(&REGISTERS)
        };
        code.push(if load { op("ld", register, base, 0, imm) } else { op("sd", 0, base, register, imm) });
        imm += if r.below(16) == 0 { 4 } else { step };
    }
}

/// An instruction on a CSR with a register or an immediate.
fn csr(r: &mut Random) -> u32 {
    let own = [
        table::SSCRATCH,
        table::SCAUSE,
        table::STVAL,
        table::SCOUNTEREN,
        table::MSCRATCH,
        table::MTVAL,
        table::SATP,
        table::STVEC,
    ];
    let rd = if r.below(3) == 0 { 0 } else { r.pick(&REGISTERS) };
    match r.below(4) {
        // Bits 1 (SIE), 5 (SPIE) and 18 (SUM, in x12); SSIP of sip, so that something waits for SIE.
        0 => op(r.pick(&["csrrsi", "csrrci"]), rd, r.pick(&[0, 2, 2, 2]), 0, i32::from(table::SSTATUS)),
        1 => op(r.pick(&["csrrs", "csrrc"]), rd, r.pick(&[0, 12, 13]), 0, i32::from(table::SSTATUS)),
        2 => op("csrrsi", rd, 2, 0, i32::from(table::SIP)),
        _ => match r.pick(&own) {
            // Read only: what becomes of it matters.
            c @ (table::SATP | table::STVEC) => op("csrrs", rd, 0, 0, i32::from(c)),
            c => op(r.pick(&["csrrw", "csrrs", "csrrc", "csrrwi", "csrrsi", "csrrci"]), rd, r.pick(&REGISTERS), 0, i32::from(c)),
        },
    }
}

fn program(r: &mut Random) -> Vec<u32> {
    let amos = ["amoswap.w", "amoadd.d", "amoxor.w", "amoand.d", "amoor.w", "amomin.w", "amomax.d", "amominu.d", "amomaxu.w"];
    let mut code: Vec<u32> = BASES.iter().zip(19..).map(|(b, kept)| op("addi", *b, kept, 0, 0)).collect();
    while code.len() < 300 {
        let (rd, base) = (r.pick(&REGISTERS), r.pick(&BASES));
        match r.below(10) {
            0..=2 => run(r, &mut code),
            3 => code.push(op(r.pick(&amos), if rd == 5 { 0 } else { rd }, base, r.pick(&REGISTERS), 0)),
            4 => code.extend([op("lr.d", rd, base, 0, 0), op("sc.d", 5, r.pick(&[base, base, 9]), rd, 0)]),
            5 => code.extend([op("lr.w", rd, base, 0, 0), op("sc.w", 0, base, rd, 0)]),
            6 => code.push(op("cbo.zero", 0, base, 0, 0)),
            7 => code.push(op("fence", 0, 0, 0, 0)),
            8 => code.push(csr(r)),
            // Jumps behind something: to what follows, by an immediate and by a register.
            _ => code.extend([
                op("addi", 5, 5, 0, 1),
                op("jal", 1, 0, 0, 4),
                op("auipc", 6, 0, 0, 0),
                op("addi", 6, 6, 0, 12),
                op("jalr", 1, 6, 0, 0),
            ]),
        }
    }
    let back = -4 * code.len() as i32;
    code.push(op("jal", 0, 0, 0, back));
    code
}

fn machine(engine: EngineKind, code: &[u32], mode: Mode) -> Machine {
    let mut m = small::machine(engine, code);
    let clear = [op("csrrci", 0, 2, 0, i32::from(table::SIP)), op("addi", 14, 14, 0, 1), op("sret", 0, 0, 0, 0)];
    put(&mut m, SUPERVISOR, &clear);
    for (csr, value) in [
        (table::PMPADDR0, u64::MAX),
        (table::PMPCFG0, 0x1f),
        (table::MIDELEG, 1 << 1),
        (table::MIE, 1 << 1),
        (table::STVEC, SUPERVISOR),
        (table::MENVCFG, 1 << 7),
    ] {
        poke(&mut m, csr, value);
    }
    let h = &mut m.harts_mut()[0];
    (h.x[12], h.x[13]) = (1 << 18, 1 << 5 | 1 << 1);
    // In the middle of a page, near its end, and not aligned.
    (h.x[19], h.x[20], h.x[21]) = (DATA + 0x800, DATA + 0x1000, DATA + 0x2a04);
    h.set_mode(mode);
    m
}

fn agree(mode: Mode, seeds: std::ops::Range<u64>) -> u64 {
    let mut interrupts = 0;
    for seed in seeds {
        let mut r = Random(seed * 2 + 1);
        let code = program(&mut r);
        let (mut a, mut b) = (machine(EngineKind::Step, &code, mode), machine(EngineKind::Block, &code, mode));
        let mut stop = 0;
        for _ in 0..12 {
            stop += 1 + r.below(700);
            assert_eq!(a.run(stop), b.run(stop));
            let (x, y) = (&a.harts()[0], &b.harts()[0]);
            assert_eq!((x.pc, x.instret, &x.x[..32]), (y.pc, y.instret, &y.x[..32]), "{mode:?}, program {seed}, cycle {stop}");
            assert_eq!(a.state_hash(), b.state_hash(), "{mode:?}, program {seed}, cycle {stop}");
        }
        assert!(b.blocks_built() > 0 && b.harts()[0].pc.wrapping_sub(CODE) < 0x2_0000);
        interrupts += b.harts()[0].x[14];
    }
    interrupts
}

#[test]
fn in_machine_mode() {
    agree(Mode::M, 0..40);
}

#[test]
fn in_supervisor_mode_with_interrupts() {
    assert!(agree(Mode::HS, 100..160) > 60, "too few interrupts came to test anything");
}

#[test]
fn in_user_mode_where_most_of_it_traps() {
    agree(Mode::U, 200..220);
}
