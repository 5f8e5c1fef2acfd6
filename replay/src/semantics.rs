//! What this build means by an instruction, a CSR and an SBI function, as one number.

use emu_core::insn::TABLES;

/// This tool's name and version.
pub const TOOL: &str = concat!("trapeze ", env!("CARGO_PKG_VERSION"));

/// BLAKE3 of the instruction, CSR and SBI tables: names, encodings, numbers. Builds with other tables may run the same guest otherwise.
pub fn semantic_hash() -> [u8; 32] {
    let mut h = blake3::Hasher::new();
    let mut text = |s: &str| {
        h.update(&(s.len() as u64).to_le_bytes());
        h.update(s.as_bytes());
    };
    for t in TABLES {
        for i in t.iter() {
            text(i.name);
            text(&format!("{:x}/{:x}", i.bits, i.mask));
        }
    }
    for d in emu_csr::table::all() {
        text(d.name);
        text(&format!("{:x}", d.number));
    }
    for e in sbi_model::ext::EXTENSIONS {
        text(e.name);
        text(&format!("{:x}-{:x}", e.first, e.last));
        for f in e.functions {
            text(f.name);
        }
    }
    *h.finalize().as_bytes()
}
