//! Compressed kernels: gzip, zstd, and the EFI zboot container around either.

use std::io::Read;

use super::{File, LoadError};

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// Formats a kernel may be compressed with that we do not expand.
const OTHERS: [(&[u8], &str); 5] = [
    (&[0xfd, b'7', b'z', b'X', b'Z'], "xz"),
    (b"BZh", "bzip2"),
    (&[0x5d, 0, 0], "lzma"),
    (&[0x89, b'L', b'Z', b'O'], "lzo"),
    (&[0x02, 0x21, 0x4c, 0x18], "lz4"),
];
const REMEDY: &str = "get the file again, or expand it with the tool that made it";

/// The expanded content of a compressed file, at most `limit` bytes; None if it is not compressed.
pub(super) fn expand(f: &File<'_>, limit: u64) -> Result<Option<Vec<u8>>, LoadError> {
    if let Some(payload) = zboot(f)? {
        let inner = File { name: f.name, bytes: payload };
        return match expand_plain(&inner, limit)? {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(LoadError::format(f, 24, "an EFI zboot image compressed with neither gzip nor zstd", REMEDY)),
        };
    }
    expand_plain(f, limit)
}

fn expand_plain(f: &File<'_>, limit: u64) -> Result<Option<Vec<u8>>, LoadError> {
    if f.bytes.starts_with(GZIP) {
        return read(f, "gzip", flate2::read::GzDecoder::new(f.bytes), limit).map(Some);
    }
    if f.bytes.starts_with(ZSTD) {
        let decoder = ruzstd::decoding::StreamingDecoder::new(f.bytes)
            .map_err(|e| LoadError::format(f, 0, format!("the zstd data is damaged: {e}"), REMEDY))?;
        return read(f, "zstd", decoder, limit).map(Some);
    }
    match OTHERS.iter().find(|(magic, _)| f.bytes.starts_with(magic)) {
        Some((_, name)) => {
            let what = format!("compressed with {name}, which is not supported");
            Err(LoadError::format(f, 0, what, "expand it first, or give gzip or zstd"))
        }
        None => Ok(None),
    }
}

fn read(f: &File<'_>, kind: &str, from: impl Read, limit: u64) -> Result<Vec<u8>, LoadError> {
    let mut out = Vec::new();
    let result = from.take(limit.saturating_add(1)).read_to_end(&mut out);
    if let Err(e) = result {
        return Err(LoadError::format(f, 0, format!("the {kind} data is cut off or damaged: {e}"), REMEDY));
    }
    if out.len() as u64 > limit {
        let what = format!("expands to more than the {limit:#x} bytes of main memory");
        return Err(LoadError::place(f.name, what, "give the machine more memory with -m"));
    }
    Ok(out)
}

/// The payload of an EFI zboot image ("MZ", then "zimg", offset and size of the payload).
fn zboot<'a>(f: &File<'a>) -> Result<Option<&'a [u8]>, LoadError> {
    if !f.bytes.starts_with(b"MZ") || f.bytes.get(4..8) != Some(b"zimg") {
        return Ok(None);
    }
    let word = |at: usize| f.bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes);
    let payload =
        word(8).zip(word(12)).and_then(|(at, len)| f.bytes.get(at as usize..(at as usize).saturating_add(len as usize)));
    match payload {
        Some(p) => Ok(Some(p)),
        None => Err(LoadError::format(f, 8, "the payload of the EFI zboot image is outside of the file: it is cut off", REMEDY)),
    }
}
