//! Loading images into memory and saying where execution begins. Placement is QEMU's: firmware at the start of RAM, the kernel
//! 2 MiB on, the device tree near the end of the first GiB, the initrd just below it.

mod compressed;
mod elf;
mod image;
mod place;
mod stream;

pub use elf::{Symbol, symbols};
pub use image::is_image;
use place::{Loader, align_up};
pub use stream::{HEAD, Stream, Streams};

use crate::board::fdt::{self, Chosen, FdtError};
use crate::board::{Config, map};
use crate::bus::Bus;
use crate::dev::Htif;

/// A file's content, and its name for messages.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// As the user gave it.
    pub name: &'a str,
    /// Content.
    pub bytes: &'a [u8],
}

/// Who lives in M-mode.
#[derive(Clone, Copy, Debug, Default)]
pub enum Bios<'a> {
    /// The native firmware: the kernel starts in S-mode.
    #[default]
    Native,
    /// Nobody: the kernel (or test program) itself starts in M-mode.
    None,
    /// An ELF file, or raw code for the start of RAM.
    File(File<'a>),
}

/// What to load.
#[derive(Clone, Debug, Default)]
pub struct Images<'a> {
    /// Firmware.
    pub bios: Bios<'a>,
    /// ELF file, Linux Image, or a compressed Image (gzip, zstd, EFI zboot).
    pub kernel: Option<File<'a>>,
    /// Initial RAM disk.
    pub initrd: Option<File<'a>>,
    /// Kernel command line; empty leaves that of a supplied device tree.
    pub bootargs: String,
    /// A device tree instead of the board's own.
    pub dtb: Option<File<'a>>,
    /// Where the rest of a large kernel or initrd is.
    pub streams: Streams<'a>,
}

/// How the machine starts: as if a reset vector had set a0 to the hart id, a1 to `dtb` and a2 to `info`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Boot {
    /// First instruction: of the firmware, of the program with [`Bios::None`], of the kernel (S-mode) with [`Bios::Native`].
    pub pc: u64,
    /// Device tree.
    pub dtb: u64,
    /// OpenSBI's `fw_dynamic_info`; 0 unless firmware was loaded.
    pub info: u64,
    /// Entry of the kernel, if there is one.
    pub kernel: Option<u64>,
}

/// An image that cannot be loaded: file, place, remedy.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LoadError {
    /// The file is not what it should be.
    #[error("{file}: {what} (offset {offset:#x}); {remedy}")]
    Format {
        /// Which file.
        file: String,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The file is good but has no place in memory.
    #[error("{file}: {what}; {remedy}")]
    Place {
        /// Which file.
        file: String,
        /// What does not fit.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The device tree is wrong.
    #[error("{file}: {error}")]
    Fdt {
        /// Which file.
        file: String,
        /// What is wrong with it.
        error: FdtError,
    },
    /// The host could not read on.
    #[error("{file}: cannot read on at {offset:#x}: {error}; check that nobody changes the file meanwhile")]
    Read {
        /// Which file.
        file: String,
        /// Where in it.
        offset: u64,
        /// The host's reason.
        error: String,
    },
    /// There is nothing to execute.
    #[error("nothing to run: give a kernel or program with -kernel, or firmware with -bios FILE")]
    Nothing,
}

impl LoadError {
    fn format(file: &File<'_>, offset: u64, what: impl Into<String>, remedy: &'static str) -> LoadError {
        LoadError::Format { file: file.name.into(), offset, what: what.into(), remedy }
    }

    fn place(file: &str, what: impl Into<String>, remedy: &'static str) -> LoadError {
        LoadError::Place { file: file.into(), what: what.into(), remedy }
    }
}

const MIB: u64 = 1 << 20;
const KERNEL_ALIGN: u64 = 2 * MIB;
/// Device tree and initrd stay below this: firmware and early kernels reach the first GiB of RAM only.
const LOW_END: u64 = 3 << 30;
/// Most bytes a device tree may have (Linux' limit).
const MAX_FDT: usize = 2 << 20;

/// Loads everything and writes the device tree. On an error memory holds part of the images and the machine is not to be run.
pub fn load(bus: &mut Bus, config: &Config, images: &Images<'_>) -> Result<Boot, LoadError> {
    let closed = config.partition.closed_in(bus);
    let mut loader = Loader::new(&mut bus.ram, &mut bus.code_writes, closed);
    let start = loader.base();
    let mut program = None;

    let mut firmware = None;
    if let Bios::File(f) = &images.bios {
        let p = if elf::is_elf(f) { elf::load(&mut loader, f, start)? } else { loader.raw(f, start)? };
        firmware = Some(p.entry);
        program = Some(p);
    }
    let kernel_at = match images.bios {
        Bios::None => start,
        _ => align_up(loader.end().max(start + KERNEL_ALIGN), KERNEL_ALIGN),
    };
    let mut kernel = None;
    if let Some(f) = &images.kernel {
        let p = load_kernel(&mut loader, f, images.streams.kernel, kernel_at)?;
        kernel = Some(p.entry);
        if program.as_ref().is_none_or(|p| p.tohost.is_none()) {
            program = Some(p);
        }
    }
    let Some(pc) = firmware.or(kernel) else { return Err(LoadError::Nothing) };

    let (dtb, info) = place_tree(&mut loader, config, images, firmware.is_some(), kernel.unwrap_or(kernel_at))?;
    let htif = program.and_then(|p| p.tohost.map(|t| Htif::new(t, p.fromhost)));
    bus.htif = htif.filter(|h| bus.ram.contains(h.tohost(), 8) && h.tohost() % 8 == 0);
    Ok(Boot { pc, dtb, info, kernel })
}

fn load_kernel(loader: &mut Loader<'_>, f: &File<'_>, rest: Option<&dyn Stream>, at: u64) -> Result<place::Program, LoadError> {
    if elf::is_elf(f) {
        return elf::load(loader, f, at);
    }
    match compressed::expand(f, loader.size())? {
        Some(bytes) => {
            let inner = File { name: f.name, bytes: &bytes };
            if elf::is_elf(&inner) { elf::load(loader, &inner, at) } else { image::load(loader, &inner, None, at) }
        }
        None => image::load(loader, f, rest, at),
    }
}

/// Writes initrd, device tree and, for firmware, `fw_dynamic_info`; returns the addresses of the last two.
fn place_tree(
    loader: &mut Loader<'_>,
    config: &Config,
    images: &Images<'_>,
    firmware: bool,
    next: u64,
) -> Result<(u64, u64), LoadError> {
    let user = match &images.dtb {
        Some(f) => {
            let error = |error| LoadError::Fdt { file: f.name.into(), error };
            Some((f, fdt::validate(f.bytes, config).map_err(error)?))
        }
        None => None,
    };
    let name = images.dtb.map_or("device tree", |f| f.name);
    let make = |initrd| -> Result<Vec<u8>, LoadError> {
        let chosen = Chosen { bootargs: images.bootargs.clone(), initrd };
        let made = match &user {
            // A tree that needs nothing added goes in as it is, byte for byte.
            Some((f, _)) if chosen == Chosen::default() => Ok(f.bytes.to_vec()),
            Some((_, blob)) => {
                let mut blob = blob.clone();
                chosen.apply(&mut blob.root);
                blob.to_bytes()
            }
            None => fdt::device_tree(config, &chosen),
        };
        made.map_err(|error| LoadError::Fdt { file: name.into(), error })
    };

    // The size does not depend on the initrd's place, only on whether there is one.
    let size = make(images.initrd.map(|_| (0, 0)))?.len();
    if size > MAX_FDT {
        return Err(LoadError::place(
            name,
            format!("{size} bytes, but kernels take 2 MiB at most"),
            "shorten the tree or -append",
        ));
    }
    let info_at = align_up(size as u64, 8);
    let whole = info_at + place::FwDynamicInfo::SIZE;
    let top = loader.ram_end().clamp(map::RAM, LOW_END);
    let at = loader.highest(name, top, whole, KERNEL_ALIGN).or_else(|_| loader.highest(name, top, whole, map::PAGE))?;
    let initrd = match &images.initrd {
        Some(f) => {
            let rest = images.streams.initrd;
            let size = rest.map_or(f.bytes.len() as u64, |s| s.len());
            let start = loader.highest(f.name, at, size, map::PAGE)?;
            loader.fill(f, rest, start, size)?;
            Some((start, start + size))
        }
        None => None,
    };
    let blob = make(initrd)?;
    loader.write(name, at, &blob, blob.len() as u64)?;
    if !firmware {
        return Ok((at, 0));
    }
    let info = place::FwDynamicInfo { next_addr: next, next_mode: 1, options: 0, boot_hart: config.hart_id(0) };
    loader.write("fw_dynamic_info", at + info_at, &info.to_bytes(), place::FwDynamicInfo::SIZE)?;
    Ok((at, at + info_at))
}

#[cfg(test)]
mod tests;
