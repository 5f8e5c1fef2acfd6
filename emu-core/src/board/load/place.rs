//! Which part of RAM is taken by what.

use super::{File, LoadError, Stream};
use crate::board::partition::{Ranges, overlap};
use crate::mem::Ram;

/// The next multiple of `align` (a power of two); saturates.
pub(super) fn align_up(v: u64, align: u64) -> u64 {
    v.checked_next_multiple_of(align).unwrap_or(u64::MAX)
}

/// A program in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Program {
    /// First instruction, physical.
    pub entry: u64,
    /// Symbol `tohost`, physical.
    pub tohost: Option<u64>,
    /// Symbol `fromhost`, physical.
    pub fromhost: Option<u64>,
}

impl Program {
    pub fn at(entry: u64) -> Program {
        Program { entry, tohost: None, fromhost: None }
    }
}

/// What OpenSBI's `fw_dynamic` finds at a2 (`include/sbi/fw_dynamic.h`, version 2).
pub(super) struct FwDynamicInfo {
    /// Entry of the next stage.
    pub next_addr: u64,
    /// Its mode: 1 is S-mode.
    pub next_mode: u64,
    /// Options for the firmware.
    pub options: u64,
    /// The hart that should boot.
    pub boot_hart: u64,
}

impl FwDynamicInfo {
    /// Bytes in memory.
    pub const SIZE: u64 = 48;
    const MAGIC: u64 = 0x4942_534f; // "OSBI"
    const VERSION: u64 = 2;

    pub fn to_bytes(&self) -> Vec<u8> {
        let words = [Self::MAGIC, Self::VERSION, self.next_addr, self.next_mode, self.options, self.boot_hart];
        words.iter().flat_map(|w| w.to_le_bytes()).collect()
    }
}

/// Bytes that are read at once: they stay in the host's cache until they are copied.
const PIECE: usize = 1 << 16;

/// Writes images into RAM and keeps them apart.
pub(super) struct Loader<'a> {
    ram: &'a mut Ram,
    code_writes: &'a mut Vec<u64>,
    /// Name, first address, the one behind the last.
    taken: Vec<(String, u64, u64)>,
    /// Memory that is not the booting software's.
    closed: Ranges,
}

impl<'a> Loader<'a> {
    pub fn new(ram: &'a mut Ram, code_writes: &'a mut Vec<u64>, closed: Ranges) -> Loader<'a> {
        Loader { ram, code_writes, taken: Vec::new(), closed }
    }

    pub fn base(&self) -> u64 {
        self.ram.base()
    }

    pub fn size(&self) -> u64 {
        self.ram.size()
    }

    pub fn ram_end(&self) -> u64 {
        self.ram.base().saturating_add(self.ram.size())
    }

    /// End of everything loaded so far.
    pub fn end(&self) -> u64 {
        self.taken.iter().map(|t| t.2).max().unwrap_or(self.base())
    }

    /// Raw code.
    pub fn raw(&mut self, f: &File<'_>, at: u64) -> Result<Program, LoadError> {
        if f.bytes.is_empty() {
            return Err(LoadError::format(f, 0, "the file is empty", "give firmware as raw code or ELF"));
        }
        self.write(f.name, at, f.bytes, f.bytes.len() as u64)?;
        Ok(Program::at(at))
    }

    /// Writes `bytes` at `at` and takes `size` bytes there (what follows the bytes is zero: RAM is fresh).
    pub fn write(&mut self, name: &str, at: u64, bytes: &[u8], size: u64) -> Result<(), LoadError> {
        if self.take(name, at, size.max(bytes.len() as u64))? {
            self.ram.write_bytes(at, bytes, self.code_writes);
        }
        Ok(())
    }

    /// As [`Loader::write`], with the bytes of a file or, piece by piece, of the stream it is the beginning of.
    pub fn fill(&mut self, f: &File<'_>, rest: Option<&dyn Stream>, at: u64, size: u64) -> Result<(), LoadError> {
        let Some(stream) = rest else { return self.write(f.name, at, f.bytes, size) };
        let len = stream.len();
        if !self.take(f.name, at, size.max(len))? {
            return Ok(());
        }
        let mut buf = vec![0; PIECE.min(len as usize)];
        let mut offset = 0;
        while offset < len {
            let part = &mut buf[..PIECE.min((len - offset) as usize)];
            let failed = |e: std::io::Error| LoadError::Read { file: f.name.into(), offset, error: e.to_string() };
            stream.read_at(offset, part).map_err(failed)?;
            self.ram.write_bytes(at + offset, part, self.code_writes);
            offset += part.len() as u64;
        }
        Ok(())
    }

    /// Takes `size` bytes at `at`; false if that is nothing at all.
    fn take(&mut self, name: &str, at: u64, size: u64) -> Result<bool, LoadError> {
        if size == 0 {
            return Ok(false);
        }
        let Some(end) = at.checked_add(size).filter(|_| self.ram.contains(at, size)) else {
            let (base, ram_end) = (self.base(), self.ram_end());
            let what = format!("needs {size:#x} bytes at {at:#x}, but main memory is {base:#x} to {ram_end:#x}");
            return Err(LoadError::place(name, what, "give the machine more memory with -m, or link it for this address"));
        };
        if let Some((other, s, e)) = self.taken.iter().find(|(_, s, e)| at < *e && *s < end) {
            let what = format!("its place {at:#x} to {end:#x} overlaps {other} at {s:#x} to {e:#x}");
            return Err(LoadError::place(name, what, "give the machine more memory with -m, or link one of them elsewhere"));
        }
        self.taken.push((name.into(), at, end));
        Ok(true)
    }

    /// The lowest place of `size` open bytes at or above `at`, which is a multiple of `align`.
    pub fn lowest(&self, name: &str, at: u64, size: u64, align: u64) -> Result<u64, LoadError> {
        let mut place = at;
        while let Some((base, len)) = overlap(&self.closed, place, place.saturating_add(size)) {
            place = align_up(base.saturating_add(*len), align);
        }
        if place != at && !self.ram.contains(place, size) {
            let what = format!("of the memory from {at:#x} on no {size:#x} bytes in a row are open to the domain that boots");
            return Err(LoadError::place(name, what, "give the domain more memory with mem="));
        }
        Ok(place)
    }

    /// The highest free and open place of `size` bytes that ends at or below `top`.
    pub fn highest(&self, name: &str, top: u64, size: u64, align: u64) -> Result<u64, LoadError> {
        let below = |top: u64| top.checked_sub(size).map(|a| a & !(align - 1)).filter(|a| *a >= self.base());
        let mut at = below(top);
        while let Some((base, _)) = at.and_then(|a| overlap(&self.closed, a, a + size)) {
            at = below(*base);
        }
        let free = |a: &u64| !self.taken.iter().any(|(_, s, e)| *a < *e && *s < *a + size);
        at.filter(free).ok_or_else(|| {
            let (used, ram_end) = (self.end(), self.ram_end());
            let what = format!("its {size:#x} bytes do not fit between {used:#x}, where other images end, and {top:#x}");
            let remedy = if !self.closed.is_empty() {
                "give the domain that boots more memory with mem="
            } else if ram_end <= super::LOW_END {
                "give the machine more memory with -m"
            } else {
                "make it smaller"
            };
            LoadError::place(name, what, remedy)
        })
    }
}
