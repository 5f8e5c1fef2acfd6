//! Any bits: decode, disassemble, encode again. Nothing panics, at most one declaration fits (but for encodings carved out of wider
//! ones), and what an instruction's operands show is enough to build it again.

use std::sync::LazyLock;

use emu_core::insn::{Decoder, Fields, Format, InsnDef, TABLES, disassemble};
use emu_csr::{Ext, Isa};

use crate::bytes::Bytes;

/// Decoders of some configurations: everything, without compressed instructions, and the profiles.
static DECODERS: LazyLock<Vec<Decoder>> = LazyLock::new(|| {
    let mut sets = vec![Isa::all(), Isa::max(), Isa::max().without(Ext::C).without(Ext::Zca)];
    sets.extend(emu_csr::isa::PROFILES.iter().filter_map(|(name, _)| Isa::profile(name)));
    sets.into_iter().map(Decoder::new).collect()
});

/// One input: instruction words for one configuration.
pub fn run(data: &[u8]) {
    let mut b = Bytes(data);
    let decoder = &DECODERS[usize::from(b.u8()) % DECODERS.len()];
    while !b.is_empty() {
        let raw = b.u32();
        wide(decoder, raw);
        for half in [raw as u16, (raw >> 16) as u16] {
            if half & 3 != 3 {
                compressed(decoder, half);
            }
        }
    }
}

fn wide(decoder: &Decoder, raw: u32) {
    let insn = decoder.decode(raw, 4);
    let text = disassemble(&insn, u64::from(raw) << 1);
    assert!(!text.is_empty(), "{raw:08x} has no text");
    let fits: Vec<&InsnDef> =
        TABLES.iter().flat_map(|t| t.iter()).filter(|d| d.present(decoder.isa()) && raw & d.mask == d.bits).collect();
    for (i, a) in fits.iter().enumerate() {
        for c in &fits[i + 1..] {
            let common = a.mask & c.mask;
            assert!(common == a.mask || common == c.mask, "{raw:08x} is {} and {}", a.name, c.name);
        }
    }
    if insn.def.name == "illegal" {
        assert!(fits.is_empty(), "{raw:08x} is {} but does not decode", fits[0].name);
        return;
    }
    let hidden = match insn.def.format {
        Format::None => !insn.def.mask,
        Format::Amo | Format::Addr => 3 << 25,
        Format::R | Format::R1 if insn.def.name.starts_with("mop") => 0x4c30_0000,
        _ => 0,
    };
    let fields = Fields { rd: insn.rd, rs1: insn.rs1, rs2: insn.rs2, rs3: insn.rs3, imm: insn.imm };
    let again = insn.def.encode(fields) | raw & hidden & !insn.def.mask;
    assert_eq!(again, raw, "{} does not encode to what it was decoded from", insn.def.name);
}

/// A compressed instruction is the one it expands to, but for its length and its bits as fetched.
fn compressed(decoder: &Decoder, half: u16) {
    let c = decoder.decode(u32::from(half), 2);
    let _ = disassemble(&c, 0x8000_0000);
    if c.def.name == "illegal" {
        return;
    }
    assert_eq!((c.len, c.raw), (2, u32::from(half)));
    let w = decoder.decode(c.wide, 4);
    let operands = |i: &emu_core::insn::Insn| (i.rd, i.rs1, i.rs2, i.rs3, i.imm);
    assert_eq!((c.def.name, operands(&c)), (w.def.name, operands(&w)), "{half:04x} expands to {:08x}", c.wide);
    wide(decoder, c.wide);
}
