//! ELF programs: firmware, bare-metal tests, kernels.

use goblin::elf::header::{EM_RISCV, ET_DYN, ET_EXEC};
use goblin::elf::program_header::PT_LOAD;
use goblin::elf::{Elf, header};

use super::place::{Loader, Program};
use super::{File, LoadError};

const ANOTHER: &str = "give a program for riscv64";
const AGAIN: &str = "get or build the file again";

/// Whether the file says it is ELF.
pub(super) fn is_elf(f: &File<'_>) -> bool {
    f.bytes.starts_with(header::ELFMAG)
}

fn machine_name(machine: u16) -> String {
    match machine {
        header::EM_386 => "x86 (32 bit)".into(),
        header::EM_X86_64 => "x86-64".into(),
        header::EM_ARM => "Arm (32 bit)".into(),
        header::EM_AARCH64 => "arm64".into(),
        header::EM_PPC64 => "PowerPC".into(),
        header::EM_S390 => "s390".into(),
        header::EM_MIPS => "MIPS".into(),
        m => format!("machine number {m}"),
    }
}

/// Parses the file, refusing what is not little-endian RV64.
fn parse<'a>(f: &File<'a>) -> Result<Elf<'a>, LoadError> {
    let b = f.bytes;
    if !is_elf(f) {
        return Err(LoadError::format(f, 0, "not an ELF file", ANOTHER));
    }
    if b.len() < header::header64::SIZEOF_EHDR {
        return Err(LoadError::format(f, b.len() as u64, "the ELF header is cut off", AGAIN));
    }
    let bad = |offset, what: String| Err(LoadError::format(f, offset, what, ANOTHER));
    // Endianness first: it says how to read the rest.
    if b[header::EI_DATA] != header::ELFDATA2LSB {
        return bad(header::EI_DATA as u64, "a big-endian ELF file".into());
    }
    let machine = u16::from_le_bytes([b[18], b[19]]);
    if machine != EM_RISCV {
        return bad(18, format!("an ELF file for {}", machine_name(machine)));
    }
    if b[header::EI_CLASS] != header::ELFCLASS64 {
        return bad(header::EI_CLASS as u64, "a 32-bit RISC-V ELF file".into());
    }
    let kind = u16::from_le_bytes([b[16], b[17]]);
    if kind != ET_EXEC && kind != ET_DYN {
        return Err(LoadError::format(f, 16, "an ELF file that is not linked (object or core)", "link it first"));
    }
    Elf::parse(b).map_err(|e| LoadError::format(f, 0, format!("the ELF file is cut off or damaged: {e}"), AGAIN))
}

/// Loads the segments at their physical addresses; a position-independent program goes to `at` unless it lies in RAM already.
pub(super) fn load(loader: &mut Loader<'_>, f: &File<'_>, at: u64) -> Result<Program, LoadError> {
    let elf = parse(f)?;
    let segments = || elf.program_headers.iter().filter(|p| p.p_type == PT_LOAD && p.p_memsz != 0);
    let Some(lowest) = segments().map(|p| p.p_paddr).min() else {
        return Err(LoadError::format(f, elf.header.e_phoff, "no segment to load", AGAIN));
    };
    let inside = lowest >= loader.base() && lowest < loader.ram_end();
    let bias = if elf.header.e_type == ET_DYN && !inside { at.wrapping_sub(lowest & !0xfff) } else { 0 };

    for (i, p) in segments().enumerate() {
        let data =
            usize::try_from(p.p_offset).ok().and_then(|s| f.bytes.get(s..s.checked_add(usize::try_from(p.p_filesz).ok()?)?));
        let Some(data) = data else {
            let what = format!("segment {i} is outside of the file: it is cut off");
            return Err(LoadError::format(f, p.p_offset, what, AGAIN));
        };
        if p.p_filesz > p.p_memsz {
            let what = format!("segment {i} has more bytes in the file than in memory");
            return Err(LoadError::format(f, elf.header.e_phoff, what, AGAIN));
        }
        loader.write(f.name, p.p_paddr.wrapping_add(bias), data, p.p_memsz)?;
    }
    // Entry and symbols are virtual addresses; images that start with translation off are linked at their load address or
    // next to it.
    let physical = |va: u64| {
        let p = segments().find(|p| va.wrapping_sub(p.p_vaddr) < p.p_memsz)?;
        Some(va.wrapping_sub(p.p_vaddr).wrapping_add(p.p_paddr).wrapping_add(bias))
    };
    let Some(entry) = physical(elf.entry) else {
        let what = format!("the entry point {:#x} is in no segment", elf.entry);
        return Err(LoadError::format(f, 24, what, "link it with an entry symbol"));
    };
    let mut program = Program::at(entry);
    for sym in elf.syms.iter() {
        match elf.strtab.get_at(sym.st_name) {
            Some("tohost") => program.tohost = physical(sym.st_value),
            Some("fromhost") => program.fromhost = physical(sym.st_value),
            _ => {}
        }
    }
    Ok(program)
}

/// A named place in a program.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Symbol {
    /// Virtual address.
    pub addr: u64,
    /// Bytes; 0 if unknown.
    pub size: u64,
    /// Name.
    pub name: String,
}

/// Functions, objects and labels of an ELF file, by address.
pub fn symbols(f: &File<'_>) -> Result<Vec<Symbol>, LoadError> {
    use goblin::elf::sym::{STT_FUNC, STT_NOTYPE, STT_OBJECT};
    let elf = parse(f)?;
    let mut out: Vec<Symbol> = elf
        .syms
        .iter()
        .filter(|s| matches!(s.st_type(), STT_FUNC | STT_NOTYPE | STT_OBJECT) && s.st_shndx != 0)
        .filter_map(|s| {
            // "$x" and the like mark code and data, not places.
            let name = elf.strtab.get_at(s.st_name).filter(|n| !n.is_empty() && !n.starts_with('$'))?;
            Some(Symbol { addr: s.st_value, size: s.st_size, name: name.into() })
        })
        .collect();
    out.sort();
    Ok(out)
}
