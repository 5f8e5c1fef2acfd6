//! `trapeze disasm`: instruction words, or the code of an ELF file, as assembly text.

use std::path::Path;

use emu_core::board::load::{File, symbols};
use emu_core::insn::Decoder;
use emu_core::insn::disassemble;
use emu_csr::Isa;
use goblin::elf::Elf;
use goblin::elf::section_header::SHF_EXECINSTR;

use crate::args::DisasmArgs;
use crate::console::output::{self, Reader};
use crate::exit::CliError;
use crate::{cpu, images};

/// Runs the command.
pub fn run(args: &DisasmArgs) -> Result<(), CliError> {
    let isa = args.cpu.as_deref().map_or(Ok(Isa::max()), |text| Ok(cpu::parse(text)?.isa))?;
    let decoder = Decoder::new(isa);
    if let [file] = args.input.as_slice()
        && (word(file).is_none() || Path::new(file).is_file())
    {
        return elf(&decoder, Path::new(file));
    }
    let mut text = String::new();
    for w in &args.input {
        let Some((raw, len)) = word(w) else {
            return Err(CliError::usage(
                format!("'{w}' is not an instruction word"),
                "give 8 hexadecimal digits, or 4 for a compressed instruction, or one ELF file alone",
            ));
        };
        let digits = usize::from(len) * 2;
        text += &format!("{raw:0digits$x}  {}\n", disassemble(&decoder.decode(raw, len), 0));
    }
    output::print(&text)
}

/// A word and its length in bytes, which its low bits tell ("Base Instruction-Length Encoding").
fn word(text: &str) -> Option<(u32, u8)> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let raw = u32::from_str_radix(digits, 16).ok()?;
    let len = if raw & 3 == 3 { 4 } else { 2 };
    (digits.len() <= usize::from(len) * 2 || raw >> 16 == 0).then_some((raw, len))
}

const REMEDY: &str = "give an RV64 ELF file, or instruction words in hexadecimal";

fn elf(decoder: &Decoder, path: &Path) -> Result<(), CliError> {
    let bytes = images::read(path, "program", |_| false)?.bytes;
    let name = path.display().to_string();
    let bad = |what: String| CliError::Image { file: path.to_owned(), what, remedy: REMEDY.into() };
    // Its message names the file.
    let names = symbols(&File { name: &name, bytes: &bytes }).map_err(|e| CliError::usage(e.to_string(), REMEDY))?;
    let elf = Elf::parse(&bytes).map_err(|e| bad(e.to_string()))?;
    let mut labels = names.iter().filter(|s| !s.name.is_empty() && !s.name.starts_with('$')).peekable();
    for s in elf.section_headers.iter().filter(|s| s.sh_flags & u64::from(SHF_EXECINSTR) != 0) {
        let Some(code) = s.file_range().and_then(|r| bytes.get(r)) else {
            return Err(bad(format!("section at {:#x} lies beyond the end of the file", s.sh_addr)));
        };
        let mut at = 0;
        let mut text = String::new();
        while let Some((raw, len)) = fetch(code, at) {
            let pc = s.sh_addr.wrapping_add(at as u64);
            while labels.peek().is_some_and(|l| l.addr < pc) {
                labels.next();
            }
            while let Some(l) = labels.next_if(|l| l.addr == pc) {
                text += &format!("\n{}:\n", l.name);
            }
            let digits = usize::from(len) * 2;
            let shown = format!("{raw:0digits$x}");
            text += &format!("{pc:>10x}:  {shown:<8}  {}\n", disassemble(&decoder.decode(raw, len), pc));
            at += usize::from(len);
        }
        if output::write(text.as_bytes())? == Reader::Gone {
            return Ok(());
        }
    }
    Ok(())
}

/// The instruction at an offset: its bits and length.
fn fetch(code: &[u8], at: usize) -> Option<(u32, u8)> {
    let half = |at: usize| code.get(at..at + 2).map(|b| u32::from(u16::from_le_bytes([b[0], b[1]])));
    let low = half(at)?;
    match half(at + 2) {
        Some(high) if low & 3 == 3 => Some((high << 16 | low, 4)),
        _ => Some((low, 2)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_from_other_text() {
        assert_eq!(word("00150513"), Some((0x0015_0513, 4)));
        assert_eq!(word("0x4505"), Some((0x4505, 2)));
        assert_eq!(word("13"), Some((0x13, 4)));
        assert_eq!(word("vmlinux"), None);
        assert_eq!(word("112345678"), None);
    }
}
