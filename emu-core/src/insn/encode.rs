//! From a declaration and operands back to bits: a small assembler, for programs that tests and tools build in place.

use super::{Format, InsnDef, TABLES};

/// Operand fields of an instruction to encode. What the instruction lacks is ignored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Fields {
    /// Destination register.
    pub rd: u8,
    /// First source register; the immediate of CSRRWI and the like; the index of FLI.
    pub rs1: u8,
    /// Second source register.
    pub rs2: u8,
    /// Third source register.
    pub rs3: u8,
    /// Immediate, shift amount, offset, CSR number or rounding mode, as in [`super::Insn::imm`].
    pub imm: i32,
}

/// The declaration of that mnemonic.
pub fn by_name(name: &str) -> Option<&'static InsnDef> {
    TABLES.iter().flat_map(|table| table.iter()).find(|def| def.name == name)
}

impl InsnDef {
    /// The 32-bit encoding with these operands; bits of an operand beyond its field are dropped.
    pub fn encode(&self, f: Fields) -> u32 {
        let register = |r: u8, at: u32| u32::from(r & 31) << at;
        let fields = register(f.rd, 7) | register(f.rs1, 15) | register(f.rs2, 20);
        let fields = if self.format == Format::R4 { fields | register(f.rs3, 27) } else { fields };
        // An immediate takes the place of the register fields its format does not have.
        let free = !self.mask;
        let immediate = self.format.immediate_bits();
        self.bits | fields & free & !immediate | self.format.place(f.imm) & free & immediate
    }
}

impl Format {
    /// Which bits of the encoding the immediate takes.
    const fn immediate_bits(self) -> u32 {
        match self {
            Format::I | Format::Load | Format::Csr | Format::CsrI => 0xfff0_0000,
            Format::Shift => 0x03f0_0000,
            Format::ShiftW => 0x01f0_0000,
            Format::Store | Format::B => 0xfe00_0f80,
            Format::Prefetch => 0xfe00_0000,
            Format::U | Format::J => 0xffff_f000,
            Format::R | Format::R4 | Format::R1 => 0x0000_7000,
            _ => 0,
        }
    }

    /// The immediate in place; the inverse of [`Format::imm`].
    const fn place(self, imm: i32) -> u32 {
        let v = imm as u32;
        match self {
            Format::I | Format::Load | Format::Csr | Format::CsrI | Format::Shift | Format::ShiftW => v << 20,
            Format::Store => (v >> 5) << 25 | (v & 31) << 7,
            Format::Prefetch => (v >> 5) << 25,
            Format::B => (v >> 12 & 1) << 31 | (v >> 5 & 0x3f) << 25 | (v >> 1 & 15) << 8 | (v >> 11 & 1) << 7,
            Format::U => v & 0xffff_f000,
            Format::J => (v >> 20 & 1) << 31 | (v >> 1 & 0x3ff) << 21 | (v >> 11 & 1) << 20 | (v >> 12 & 0xff) << 12,
            Format::R | Format::R4 | Format::R1 => (v & 7) << 12,
            _ => 0,
        }
    }
}
