//! Tests of the instruction table: encodings, decoding, expansion, text, and the semantics of each family against references
//! written in another way.

mod alu;
mod bits;
mod compressed;
mod decode;
mod encodings;
mod float;
mod memory;
mod privileged;
mod text;
mod touches;
mod trap_state;

use emu_csr::{Isa, Trap};

use super::{Decoder, Fields, Insn, by_name};
use crate::bus::{Bus, Clock};
use crate::engine::step::{self, StepEnd};
use crate::hart::Hart;
use crate::mem::Ram;
use crate::timing::Unit;

/// Where the test's RAM is.
const RAM: u64 = 0x8000_0000;

/// One hart with 64 KiB of RAM, in M-mode with floating point on.
struct Bench {
    hart: Hart,
    bus: Bus,
    decoder: Decoder,
}

impl Bench {
    fn new() -> Bench {
        Bench::with(Isa::max())
    }

    fn with(isa: Isa) -> Bench {
        let bus = Bus::new(Ram::new(RAM, 0x1_0000), Clock { cycle_hz: 1_000_000_000, timebase_hz: 10_000_000, offset: 0 });
        let mut hart = Hart::new(isa, 0);
        hart.pc = RAM;
        hart.csr.mstatus |= 3 << 13;
        Bench { hart, bus, decoder: Decoder::new(isa) }
    }

    /// The instruction `name` with these operands, decoded.
    fn insn(&self, name: &str, fields: Fields) -> Insn {
        self.decoder.decode(by_name(name).unwrap().encode(fields), 4)
    }

    /// Executes one instruction by its `exec`, without fetching it.
    fn exec(&mut self, name: &str, fields: Fields) -> Result<(), Trap> {
        let insn = self.insn(name, fields);
        assert_eq!(insn.def.name, name);
        self.hart.next_pc = self.hart.pc.wrapping_add(4);
        (insn.def.exec)(&mut self.hart, &mut self.bus, &insn)
    }

    /// `rd` of a register-register instruction.
    fn rr(&mut self, name: &str, a: u64, b: u64) -> u64 {
        (self.hart.x[5], self.hart.x[6]) = (a, b);
        self.exec(name, Fields { rd: 7, rs1: 5, rs2: 6, ..Fields::default() }).unwrap();
        self.hart.x[7]
    }

    /// `rd` of a register-immediate instruction.
    fn ri(&mut self, name: &str, a: u64, imm: i32) -> u64 {
        self.hart.x[5] = a;
        self.exec(name, Fields { rd: 7, rs1: 5, imm, ..Fields::default() }).unwrap();
        self.hart.x[7]
    }

    /// Puts words at the program counter.
    fn program(&mut self, words: &[u32]) {
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        assert!(self.bus.ram.write_bytes(self.hart.pc, &bytes, &mut Vec::new()));
    }

    /// One step of the exact engine.
    fn step(&mut self) -> StepEnd {
        let end = step::service_events(&mut self.hart, &mut self.bus, &mut None).map(StepEnd::Slice);
        end.unwrap_or_else(|| step::step(&mut self.hart, &mut self.bus, &self.decoder, &mut Unit, &mut None))
    }
}

/// Encodes `name` with the given fields.
fn asm(name: &str, fields: Fields) -> u32 {
    by_name(name).unwrap().encode(fields)
}
