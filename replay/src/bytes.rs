//! Numbers and strings as bytes: LEB128 numbers, length-prefixed strings, checksums.

use crate::error::{ReplayError, bad};

/// Bytes of a checksum: the first of a BLAKE3 hash.
pub const CHECK: usize = 16;

/// Appends a number, seven bits a byte, low ones first; the top bit says that more follow.
pub fn put(out: &mut Vec<u8>, mut v: u64) {
    while v >= 0x80 {
        out.push(v as u8 | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

/// Appends a length and bytes.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads what the functions above wrote; every error names the place.
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    /// What `bytes[0]` is in the file.
    origin: usize,
    pub(crate) kind: &'static str,
}

impl<'a> Cursor<'a> {
    /// Over bytes that start at `origin` of a file of this kind.
    pub fn new(kind: &'static str, bytes: &'a [u8], origin: usize) -> Cursor<'a> {
        Cursor { bytes, at: 0, origin, kind }
    }

    /// Place in the file.
    pub fn place(&self) -> usize {
        self.origin + self.at
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// Bytes left.
    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next `n` bytes.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], ReplayError> {
        let part = self.at.checked_add(n).and_then(|end| self.bytes.get(self.at..end));
        let part =
            part.ok_or_else(|| bad(self.kind, self.place(), format!("{n} bytes are announced, {} are there", self.left())))?;
        self.at += n;
        Ok(part)
    }

    /// A number.
    pub fn number(&mut self) -> Result<u64, ReplayError> {
        let start = self.place();
        let mut v = 0u64;
        for shift in (0..64).step_by(7) {
            let b = self.take(1)?[0];
            let part = u64::from(b & 0x7f);
            if part << shift >> shift != part {
                break;
            }
            v |= part << shift;
            if b & 0x80 == 0 {
                return Ok(v);
            }
        }
        Err(bad(self.kind, start, "a number of more than 64 bits"))
    }

    /// A number that counts things of at least one byte each, so it cannot exceed what is left.
    pub fn count(&mut self) -> Result<usize, ReplayError> {
        let start = self.place();
        let n = self.number()?;
        usize::try_from(n)
            .ok()
            .filter(|n| *n <= self.left())
            .ok_or_else(|| bad(self.kind, start, format!("{n} things are announced, {} bytes are left", self.left())))
    }

    /// Length-prefixed bytes.
    pub fn bytes(&mut self) -> Result<&'a [u8], ReplayError> {
        let n = self.count()?;
        self.take(n)
    }

    /// Length-prefixed UTF-8.
    pub fn text(&mut self) -> Result<String, ReplayError> {
        let start = self.place();
        let b = self.bytes()?;
        String::from_utf8(b.to_vec()).map_err(|_| bad(self.kind, start, "text that is not UTF-8"))
    }

    /// A fixed array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], ReplayError> {
        let start = self.place();
        self.take(N)?.try_into().map_err(|_| bad(self.kind, start, "too few bytes"))
    }

    /// Four bytes, low one first.
    pub fn u32(&mut self) -> Result<u32, ReplayError> {
        Ok(u32::from_le_bytes(self.array()?))
    }
}

/// The first bytes of the hash of some parts.
pub fn check(parts: &[&[u8]]) -> [u8; CHECK] {
    let mut h = blake3::Hasher::new();
    for p in parts {
        h.update(p);
    }
    let mut c = [0; CHECK];
    c.copy_from_slice(&h.finalize().as_bytes()[..CHECK]);
    c
}
