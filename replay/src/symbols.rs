//! Names of a guest's addresses, from its ELF symbol table.

use goblin::elf::Elf;
use goblin::elf::section_header::{SHN_ABS, SHN_UNDEF};
use goblin::elf::sym::{STT_FUNC, STT_NOTYPE, STT_OBJECT};

/// A symbol table that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SymbolError {
    /// Not an ELF file.
    #[error("{name} is not an ELF file: {source}; give the file with symbols")]
    Elf {
        /// The file.
        name: String,
        /// The parser's reason.
        source: goblin::error::Error,
    },
    /// A name that somebody needs is not there.
    #[error("{name} has no symbol {symbol}; build it without stripping its symbols")]
    Missing {
        /// The file.
        name: String,
        /// The symbol.
        symbol: String,
    },
}

/// Symbols of one image, by address.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    name: String,
    /// Address, size (0 if unknown) and name, in ascending order of addresses.
    list: Vec<(u64, u64, String)>,
}

impl Symbols {
    /// The symbols of an ELF file; `name` is for messages.
    pub fn of(name: &str, elf: &[u8]) -> Result<Symbols, SymbolError> {
        let elf = Elf::parse(elf).map_err(|source| SymbolError::Elf { name: name.to_owned(), source })?;
        let mut list: Vec<(u64, u64, String)> = elf
            .syms
            .iter()
            .filter(|s| {
                matches!(s.st_type(), STT_FUNC | STT_NOTYPE | STT_OBJECT) && !matches!(s.st_shndx as u32, SHN_UNDEF | SHN_ABS)
            })
            // A name goes to terminals, which control characters would steer.
            .filter_map(|s| Some((s.st_value, s.st_size, elf.strtab.get_at(s.st_name)?.replace(char::is_control, "\u{fffd}"))))
            // `$x` marks code for disassemblers; it names nothing.
            .filter(|(_, _, n)| !n.is_empty() && !n.starts_with('$'))
            .collect();
        list.sort();
        Ok(Symbols { name: name.to_owned(), list })
    }

    /// The address of a name.
    pub fn find(&self, symbol: &str) -> Option<u64> {
        self.list.iter().find(|s| s.2 == symbol).map(|s| s.0)
    }

    /// The address of a name that must be there.
    pub fn need(&self, symbol: &str) -> Result<u64, SymbolError> {
        self.find(symbol).ok_or_else(|| SymbolError::Missing { name: self.name.clone(), symbol: symbol.to_owned() })
    }

    /// The last symbol at or before an address that `wanted` accepts, and how far behind it the address lies.
    pub fn at(&self, address: u64, wanted: impl Fn(&str) -> bool) -> Option<(&str, u64)> {
        let end = self.list.partition_point(|s| s.0 <= address);
        let s = self.list[..end].iter().rev().find(|s| wanted(&s.2))?;
        if s.1 != 0 && address >= s.0 + s.1 {
            return None;
        }
        Some((&s.2, address - s.0))
    }

    /// The address as people read it: `name+0x10`, or the number alone.
    pub fn text(&self, address: u64) -> String {
        // A program's symbols say nothing about addresses far from it.
        match self.at(address, |_| true) {
            Some((name, 0)) => format!("{address:#x} <{name}>"),
            Some((name, by)) if by < 0x10_0000 => format!("{address:#x} <{name}+{by:#x}>"),
            _ => format!("{address:#x}"),
        }
    }

    /// All symbols whose names `wanted` accepts, in ascending order of addresses.
    pub fn matching<'a>(&'a self, wanted: impl Fn(&str) -> bool + 'a) -> impl Iterator<Item = (&'a str, u64)> {
        self.list.iter().filter(move |s| wanted(&s.2)).map(|s| (s.2.as_str(), s.0))
    }
}
