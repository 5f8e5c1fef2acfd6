//! The PMU end to end: a supervisor configures a counter through the firmware, and its overflow arrives as an interrupt or as a
//! software event at the exact instruction (SBI, "PMU Extension", "Supervisor Software Events"; Sscofpmf).

#![allow(clippy::unwrap_used)] // tests

mod small;

use emu_core::board;
use emu_core::board::load::{Bios, File, Images};
use emu_core::machine::{EngineKind, Machine, MachineConfig};
use sbi_model::{Config, Sbi};
use small::*;

const PMU: i32 = 0x50_4d55;
const SSE: i32 = 0x53_5345;
const EVENT: i32 = 0x1_0000;
const STORES: i32 = 0x101;

/// `rd = value`
fn li(rd: u8, value: i32) -> [u32; 2] {
    let low = value << 20 >> 20;
    [op("lui", rd, 0, 0, value.wrapping_sub(low)), op("addiw", rd, rd, 0, low)]
}

/// An environment call.
fn ecall(eid: i32, fid: i32, args: &[i32]) -> Vec<u32> {
    let mut code = Vec::new();
    for (i, &a) in (10..).zip(args) {
        code.extend(li(i, a));
    }
    code.extend(li(16, fid));
    code.extend(li(17, eid));
    code.push(op("ecall", 0, 0, 0, 0));
    code
}

fn machine(engine: EngineKind) -> Machine {
    let board = board::Config { harts: 1, ram_size: 16 << 20, ..board::Config::default() };
    let images = Images { bios: Bios::Native, kernel: Some(File { name: "pass.elf", bytes: BASE }), ..Images::default() };
    let config = MachineConfig { board, engine, quantum: 1000 };
    Machine::new(config, Vec::new(), &images, Some(Box::new(Sbi::new(Config::default())))).unwrap()
}

/// Counter 3 counts stores, from -5: configured, started.
fn counter() -> Vec<u32> {
    [ecall(PMU, 2, &[3, 1, 0, 2 << 16, STORES]), ecall(PMU, 3, &[3, 1, 1, -5])].concat()
}

/// Stores for ever, three instructions a round, with a count of them in x9.
fn stores() -> [u32; 3] {
    [op("addi", 9, 9, 0, 1), op("sd", 0, 8, 9, 0), op("jal", 0, 0, 0, -8)]
}

/// Runs `code` and, behind it, the stores, with both engines; the handler saves x9 in x18 and where it came from in x19.
fn run(code: Vec<u32>, handler: Vec<u32>, cycles: u64) -> (Machine, u64) {
    let at_stores = CODE + 4 * code.len() as u64;
    let mut both = ENGINES.map(|engine| {
        let mut m = machine(engine);
        put(&mut m, CODE, &[code.clone(), stores().to_vec()].concat());
        put(&mut m, HANDLER, &handler);
        let h = &mut m.harts_mut()[0];
        (h.pc, h.x[8]) = (CODE, DATA);
        m.run(cycles);
        (m.state_hash(), m)
    });
    assert_eq!(both[0].0, both[1].0, "the engines agree");
    let [(_, m), _] = {
        both.reverse();
        both
    };
    (m, at_stores)
}

/// mv x18, x9; csrr x19, sepc; csrr x20, scause
fn note() -> Vec<u32> {
    vec![op("addi", 18, 9, 0, 0), op("csrrs", 19, 0, 0, 0x141), op("csrrs", 20, 0, 0, 0x142)]
}

#[test]
fn an_overflow_is_the_supervisors_interrupt() {
    // stvec, sie.LCOFIE, sstatus.SIE.
    let mut code = li(5, HANDLER as i32).to_vec();
    code.extend([op("slli", 5, 5, 0, 32), op("srli", 5, 5, 0, 32), op("csrrw", 0, 5, 0, 0x105)]);
    code.extend(li(5, 1 << 13));
    code.extend([op("csrrs", 0, 5, 0, 0x104), op("csrrsi", 0, 2, 0, 0x100)]);
    code.extend(counter());
    let (m, loop_at) = run(code, [note(), vec![op("jal", 0, 0, 0, 0)]].concat(), 10_000);
    let h = &m.harts()[0];
    assert_eq!((h.x[18], h.x[19], h.x[20]), (5, loop_at + 8, 1 << 63 | 13), "behind the fifth store");
}

#[test]
fn an_overflow_is_a_software_event_while_one_is_registered() {
    let handler = HANDLER as i32;
    // register with a zero-extended entry: a1 is shifted up and down behind its li.
    let mut register = ecall(SSE, 2, &[EVENT, handler, 0]);
    register.splice(4..4, [op("slli", 11, 11, 0, 32), op("srli", 11, 11, 0, 32)]);
    let code = [register, ecall(SSE, 4, &[EVENT]), ecall(SSE, 8, &[]), counter()].concat();
    // The handler counts itself in x21, stops the counter, starts it again from -5 and completes.
    let again = [ecall(PMU, 4, &[3, 1, 0]), ecall(PMU, 3, &[3, 1, 1, -5]), ecall(SSE, 6, &[])].concat();
    let keep = vec![op("addi", 21, 21, 0, 1)];
    let (m, loop_at) = run(code, [note(), keep, again].concat(), 40_000);
    let h = &m.harts()[0];
    assert!(h.x[21] >= 3, "it comes again and again: {}", h.x[21]);
    assert_eq!((h.x[18], h.x[19]), (5 * h.x[21], loop_at + 8), "each time behind the fifth store");
    assert_eq!(h.csr.mideleg >> 13 & 1, 0);
}
