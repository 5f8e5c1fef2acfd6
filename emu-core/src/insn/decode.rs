//! From bits to [`Insn`].

use emu_csr::{Ext, Isa};

use super::{ILLEGAL, Insn, InsnDef, TABLES, compressed, i};

/// The decoder of one hart configuration: its instructions by major opcode and funct3, most specific pattern first.
pub struct Decoder {
    isa: Isa,
    /// Start of each bucket's range in `defs`, 32 opcodes x 8 funct3, and the end of the last.
    starts: [u16; 257],
    defs: Vec<&'static InsnDef>,
}

impl Decoder {
    /// A decoder for the instructions that `isa` has.
    pub fn new(isa: Isa) -> Decoder {
        let present = |d: &&'static InsnDef| d.present(isa);
        let mut all: Vec<&'static InsnDef> = TABLES.iter().flat_map(|t| t.iter()).filter(present).collect();
        if !isa.has(Ext::C) && !isa.has(Ext::Zca) {
            all.retain(|d| !i::ALIGNED.iter().any(|a| a.name == d.name));
            all.extend(i::ALIGNED);
        }
        // Hints and may-be-operations are carved out of wider encodings, so the pattern with more fixed bits is asked first.
        all.sort_by_key(|d| std::cmp::Reverse(d.mask.count_ones()));
        let mut starts = [0u16; 257];
        let mut defs = Vec::new();
        let fits = |d: &InsnDef, key: u32, mask: u32| (d.bits ^ key) & d.mask & mask == 0;
        for opcode in 0..32u32 {
            let major = 3 | opcode << 2;
            let here: Vec<&'static InsnDef> = all.iter().copied().filter(|d| fits(d, major, 0x7f)).collect();
            for funct3 in 0..8u32 {
                starts[(opcode * 8 + funct3) as usize] = defs.len() as u16;
                defs.extend(here.iter().copied().filter(|d| fits(d, major | funct3 << 12, 0x707f)));
            }
        }
        starts[256] = defs.len() as u16;
        Decoder { isa, starts, defs }
    }

    /// The configuration.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Decodes `raw`; `len` is 2 for a compressed instruction in the low 16 bits. Anything undefined becomes [`ILLEGAL`].
    pub fn decode(&self, raw: u32, len: u8) -> Insn {
        let wide = if len == 2 { compressed::expand(raw as u16, self.isa).unwrap_or(0) } else { raw };
        let def = self.find(wide);
        let op = def.operands;
        let field = |on: bool, shift: u32| if on { (wide >> shift & 31) as u8 } else { 0 };
        use super::{File, Format};
        Insn {
            def,
            imm: def.format.imm(wide),
            raw,
            wide,
            rd: field(op.0 != File::None, 7),
            rs1: field(op.1 != File::None || def.format == Format::CsrI || def.format == Format::R1, 15),
            rs2: field(op.2 != File::None, 20),
            rs3: field(op.3 != File::None, 27),
            len,
            off: 0,
        }
    }

    fn find(&self, wide: u32) -> &'static InsnDef {
        if wide & 3 != 3 {
            return &ILLEGAL;
        }
        let bucket = (wide >> 2 & 31) as usize * 8 + (wide >> 12 & 7) as usize;
        let range = self.starts[bucket] as usize..self.starts[bucket + 1] as usize;
        self.defs[range].iter().copied().find(|d| wide & d.mask == d.bits).unwrap_or(&ILLEGAL)
    }
}
