//! Timing models other than one cycle an instruction: the block engine charges what the stepper does, to the cycle, wherever it is stopped.

#![allow(clippy::unwrap_used)] // helpers of tests, which clippy takes for other code

use emu_core::bus::{Bus, Clock};
use emu_core::engine::block::BlockCache;
use emu_core::engine::{SliceEnd, Turn, block, step};
use emu_core::hart::Hart;
use emu_core::insn::{Decoder, Fields, by_name};
use emu_core::mem::Ram;
use emu_core::timing::{TimingClass, TimingModel, Unit};
use emu_csr::Isa;

const RAM: u64 = 0x8000_0000;

/// Costs by class, and every third load is late: what a load costs depends on those before it.
#[derive(Clone, Default)]
struct Weighted {
    loads: u64,
}

impl TimingModel for Weighted {
    const UNIT: bool = false;

    fn cost(&mut self, class: TimingClass) -> u64 {
        match class {
            TimingClass::Load => {
                self.loads += 1;
                if self.loads.is_multiple_of(3) { 40 } else { 3 }
            }
            TimingClass::Mul => 4,
            TimingClass::Div => 33,
            TimingClass::Jump | TimingClass::Branch => 2,
            TimingClass::Csr => 5,
            _ => 1,
        }
    }
}

fn op(name: &str, rd: u8, rs1: u8, rs2: u8, imm: i32) -> u32 {
    by_name(name).unwrap().encode(Fields { rd, rs1, rs2, rs3: 0, imm })
}

/// A loop with loads in a row, a division, a read of mcycle in the middle of a block, a call, and a trap every fourth round.
fn program() -> Vec<u32> {
    vec![
        op("ld", 5, 10, 0, 0),
        op("ld", 6, 10, 0, 8),
        op("ld", 7, 10, 0, 16),
        op("addi", 11, 11, 0, 1),
        op("csrrs", 12, 0, 0, 0xb00),
        op("add", 13, 13, 12, 0),
        op("div", 5, 11, 13, 0),
        op("mul", 6, 5, 11, 0),
        op("jal", 1, 0, 0, 20),
        op("andi", 7, 11, 0, 3),
        op("bne", 0, 7, 0, 8),
        op("ecall", 0, 0, 0, 0),
        op("jal", 0, 0, 0, -48),
        op("sd", 0, 10, 12, 24),
        op("csrrs", 12, 0, 0, 0xb00),
        op("jalr", 0, 1, 0, 0),
    ]
}

fn machine() -> (Hart, Bus) {
    let mut bus = Bus::new(Ram::new(RAM, 1 << 20), Clock { cycle_hz: 1_000_000_000, timebase_hz: 10_000_000, offset: 0 });
    let put = |bus: &mut Bus, at: u64, code: &[u32]| {
        let bytes: Vec<u8> = code.iter().flat_map(|w| w.to_le_bytes()).collect();
        assert!(bus.ram.write_bytes(at, &bytes, &mut Vec::new()));
    };
    put(&mut bus, RAM, &program());
    // mepc += 4, and the time of the trap into x14.
    let handler = [
        op("csrrs", 31, 0, 0, 0x341),
        op("addi", 31, 31, 0, 4),
        op("csrrw", 0, 31, 0, 0x341),
        op("csrrs", 14, 0, 0, 0xb00),
        op("mret", 0, 0, 0, 0),
    ];
    put(&mut bus, RAM + 0x1000, &handler);
    let mut hart = Hart::new(Isa::max(), 0);
    (hart.pc, hart.csr.mtvec, hart.x[10]) = (RAM, RAM + 0x1000, RAM + 0x8000);
    (hart, bus)
}

/// State of a hart in the stepper and the block engine at each of the given cycles.
fn both<T: TimingModel>(stops: &[u64]) {
    let decoder = Decoder::new(Isa::max());
    let ((mut a, mut bus_a), (mut b, mut bus_b)) = (machine(), machine());
    let mut blocks = BlockCache::new(RAM, 1 << 20, 1);
    let (mut ta, mut tb) = (T::default(), T::default());
    for &stop in stops {
        let decoder = &decoder;
        loop {
            let (hart, bus, timing) = (&mut a, &mut bus_a, &mut ta);
            let turn = Turn { hart, bus, decoder, timing, until: stop, observer: &mut None };
            if step::run(turn, &mut ()) == SliceEnd::Deadline {
                break;
            }
        }
        loop {
            let (hart, bus, timing) = (&mut b, &mut bus_b, &mut tb);
            let turn = Turn { hart, bus, decoder, timing, until: stop, observer: &mut None };
            if block::run(turn, 0, &mut blocks) == SliceEnd::Deadline {
                break;
            }
        }
        assert_eq!((a.pc, a.instret, a.cycles), (b.pc, b.instret, b.cycles), "stopped at cycle {stop}");
        assert_eq!(a.x[..32], b.x[..32], "stopped at cycle {stop}");
    }
    assert!(blocks.built > 0 && a.x[14] != 0);
    assert_eq!(T::UNIT, a.x[12] < 2 * a.instret, "mcycle shows the model's cycles");
}

#[test]
fn the_block_engine_charges_what_the_stepper_does() {
    let stops: Vec<u64> = (1..400).map(|i| i * 37).collect();
    both::<Weighted>(&stops);
    both::<Weighted>(&[100_000]);
}

#[test]
fn with_one_cycle_an_instruction_too() {
    let stops: Vec<u64> = (1..400).map(|i| i * 11).collect();
    both::<Unit>(&stops);
}
