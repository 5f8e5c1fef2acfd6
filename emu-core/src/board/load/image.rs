//! Linux' RISC-V Image ("Boot image header in RISC-V Linux": 64 bytes, then code).

use super::place::{Loader, Program, align_up};
use super::{File, KERNEL_ALIGN, LoadError, Stream};

const HEADER: usize = 64;
const TEXT_OFFSET: usize = 8;
const IMAGE_SIZE: usize = 16;
const FLAGS: usize = 24;
const MAGIC2: usize = 56;
const PE_OFFSET: usize = 60;
const FLAG_BIG_ENDIAN: u64 = 1;
const ANOTHER: &str = "give a riscv64 kernel";

/// Whether a file that begins so is an Image that is not compressed.
pub fn is_image(head: &[u8]) -> bool {
    head.len() >= HEADER && head.get(MAGIC2..MAGIC2 + 4) == Some(b"RSC\x05")
}

/// Loads an Image at `at`, or above it if its text_offset asks for that. With `rest`, `f` is its beginning.
pub(super) fn load(loader: &mut Loader<'_>, f: &File<'_>, rest: Option<&dyn Stream>, at: u64) -> Result<Program, LoadError> {
    if !is_image(f.bytes) {
        return Err(foreign(f));
    }
    let header = &f.bytes[..HEADER];
    let len = rest.map_or(f.bytes.len() as u64, |s| s.len());
    let quad = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| header[at + i]));
    if quad(FLAGS) & FLAG_BIG_ENDIAN != 0 {
        return Err(LoadError::format(f, FLAGS as u64, "a big-endian kernel", "give a little-endian riscv64 kernel"));
    }
    whole(f, len)?;
    // The offset is from the start of RAM; with nothing below the kernel it may start there.
    let wanted = loader.base().checked_add(quad(TEXT_OFFSET)).filter(|a| *a <= loader.ram_end());
    let Some(wanted) = wanted else {
        let what = format!("text_offset {:#x} is beyond main memory", quad(TEXT_OFFSET));
        return Err(LoadError::format(f, TEXT_OFFSET as u64, what, "give the machine more memory with -m, or another kernel"));
    };
    let at = if at == loader.base() { at } else { align_up(at.max(wanted), KERNEL_ALIGN) };
    let size = quad(IMAGE_SIZE).max(len);
    let at = loader.lowest(f.name, at, size, KERNEL_ALIGN)?;
    loader.fill(f, rest, at, size)?;
    Ok(Program::at(at))
}

/// The EFI stub's section table says how long the file must be.
fn whole(f: &File<'_>, file_len: u64) -> Result<(), LoadError> {
    let half = |at: usize| f.bytes.get(at..at.checked_add(2)?).map(|b| usize::from(b[0]) | usize::from(b[1]) << 8);
    let word = |at: usize| Some(half(at)? | half(at.checked_add(2)?)? << 16);
    let Some(pe) = word(PE_OFFSET).filter(|&pe| f.bytes.get(pe..pe.saturating_add(4)) == Some(b"PE\0\0")) else {
        return Ok(());
    };
    let (Some(sections), Some(optional)) = (half(pe + 6), half(pe + 20)) else { return Ok(()) };
    for i in 0..sections {
        let s = pe + 24 + optional + 40 * i;
        let (Some(len), Some(start)) = (word(s + 16), word(s + 20)) else { break };
        if start.saturating_add(len) as u64 > file_len {
            let what = format!("the Image is cut off: section {i} ends at {:#x}, the file at {file_len:#x}", start + len);
            return Err(LoadError::format(f, file_len, what, "get the file again"));
        }
    }
    Ok(())
}

/// Says what a file that is no Image is instead.
fn foreign(f: &File<'_>) -> LoadError {
    let b = f.bytes;
    let has = |at: usize, magic: &[u8]| b.get(at..at + magic.len()) == Some(magic);
    if b.is_empty() {
        return LoadError::format(f, 0, "the file is empty", ANOTHER);
    }
    if has(0x38, b"ARM\x64") {
        return LoadError::format(f, 0x38, "a Linux Image for arm64", ANOTHER);
    }
    if has(0x38, b"\xc8\x21\x82\x07") || has(0x38, b"\x23\x61\x83\x7f") {
        return LoadError::format(f, 0x38, "a Linux Image for another machine", ANOTHER);
    }
    if has(0x202, b"HdrS") {
        return LoadError::format(f, 0x202, "a Linux bzImage for x86", ANOTHER);
    }
    if has(0, &[0x27, 0x05, 0x19, 0x56]) {
        return LoadError::format(f, 0, "a U-Boot legacy image", "give the kernel inside it");
    }
    if has(0, &[0xd0, 0x0d, 0xfe, 0xed]) {
        return LoadError::format(f, 0, "a device tree blob", "give it with -dtb");
    }
    if has(0, b"070701") {
        return LoadError::format(f, 0, "a cpio archive", "give it with -initrd");
    }
    if b.len() < HEADER {
        return LoadError::format(f, b.len() as u64, "the file is shorter than an Image's header", "get the file again");
    }
    let what = "neither ELF nor a riscv64 Linux Image (no \"RSC\\x05\")";
    LoadError::format(
        f,
        MAGIC2 as u64,
        what,
        "give an ELF file, Image, Image.gz or zstd-compressed Image; raw code goes to -bios",
    )
}
