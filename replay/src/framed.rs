//! What the files of this crate have in common: a head (magic, version, in most of them a body with its checksum) and chunks whose
//! checksums are chained, so that none can be changed, left out or put elsewhere.

use std::io::{self, Write};

use crate::bytes::{CHECK, Cursor, check};
use crate::error::{ReplayError, bad};
use crate::semantics::TOOL;

/// A kind of file.
pub struct Format {
    /// What messages call it.
    pub kind: &'static str,
    /// Its first bytes.
    pub magic: &'static [u8; 8],
    /// Versions that are read.
    pub oldest: u32,
    /// The version that is written.
    pub version: u32,
}

impl Format {
    /// Whether these are the first bytes of such a file.
    pub fn starts(&self, bytes: &[u8]) -> Result<(), ReplayError> {
        if bytes.starts_with(self.magic) {
            Ok(())
        } else {
            Err(bad(self.kind, 0, format!("this is not a {} of trapeze", self.kind)))
        }
    }

    /// Whether this version is read.
    pub fn accepts(&self, version: u32) -> Result<(), ReplayError> {
        if (self.oldest..=self.version).contains(&version) {
            return Ok(());
        }
        Err(ReplayError::Version {
            kind: self.kind,
            found: format!("a version of trapeze with {} format {version}", self.kind),
            ours: format!("{TOOL} with {} format {}", self.kind, self.version),
            what: "the format differs".into(),
            remedy: "use that version",
        })
    }

    /// Magic and version.
    fn first(&self) -> Vec<u8> {
        let mut bytes = self.magic.to_vec();
        bytes.extend_from_slice(&self.version.to_le_bytes());
        bytes
    }

    /// Reads a head with a body: the body, what follows, and the checksum that the first chunk's is chained to.
    pub fn head<'a>(&self, bytes: &'a [u8]) -> Result<(Cursor<'a>, Cursor<'a>, [u8; CHECK]), ReplayError> {
        self.starts(bytes)?;
        let mut c = Cursor::new(self.kind, bytes, 0);
        c.take(self.magic.len())?;
        self.accepts(c.u32()?)?;
        let n = c.u32()? as usize;
        let start = c.place();
        let body = c.take(n)?;
        let found: [u8; CHECK] = c.array()?;
        if found != check(&[&bytes[..start + n]]) {
            return Err(bad(self.kind, start, "the checksum of the header does not fit its bytes"));
        }
        Ok((Cursor::new(self.kind, body, start), c, found))
    }
}

/// Writes a file's head and its chunks.
pub struct ChunkWriter<W: Write> {
    out: W,
    before: [u8; CHECK],
}

impl<W: Write> ChunkWriter<W> {
    /// Begins a file whose head has no body.
    pub fn bare(mut out: W, format: &Format) -> io::Result<ChunkWriter<W>> {
        let head = format.first();
        out.write_all(&head)?;
        Ok(ChunkWriter { out, before: check(&[&head]) })
    }

    /// Begins a file: magic, version, length, body, checksum.
    pub fn new(mut out: W, format: &Format, body: &[u8]) -> io::Result<ChunkWriter<W>> {
        let mut head = format.first();
        head.extend_from_slice(&(body.len() as u32).to_le_bytes());
        head.extend_from_slice(body);
        let before = check(&[&head]);
        head.extend_from_slice(&before);
        out.write_all(&head)?;
        Ok(ChunkWriter { out, before })
    }

    /// Adds a chunk.
    pub fn put(&mut self, tag: u8, payload: &[u8]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(payload.len() + 32);
        self.before = put_chunk(&mut bytes, &self.before, tag, payload);
        self.out.write_all(&bytes)
    }

    /// The last checksum written: it depends on all before it.
    pub fn last(&self) -> [u8; CHECK] {
        self.before
    }

    /// Gives what was written to the host.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// What it writes to.
    pub fn into_inner(self) -> W {
        self.out
    }
}

/// Frames a payload: tag, length, payload, checksum over the checksum before it and these. Gives the new checksum.
pub fn put_chunk(out: &mut Vec<u8>, before: &[u8; CHECK], tag: u8, payload: &[u8]) -> [u8; CHECK] {
    let length = (payload.len() as u32).to_le_bytes();
    let c = check(&[before, &[tag], &length, payload]);
    out.push(tag);
    out.extend_from_slice(&length);
    out.extend_from_slice(payload);
    out.extend_from_slice(&c);
    c
}

/// What [`take_chunk`] found.
pub enum Chunk<'a> {
    /// A whole chunk: tag, where its payload starts, payload.
    Whole(u8, usize, &'a [u8]),
    /// The file ends inside the chunk that starts here.
    Cut(usize),
}

/// The next chunk; `before` is brought forward.
pub fn take_chunk<'a>(c: &mut Cursor<'a>, before: &mut [u8; CHECK]) -> Result<Chunk<'a>, ReplayError> {
    let start = c.place();
    if c.left() < 5 {
        return Ok(Chunk::Cut(start));
    }
    let tag = c.take(1)?[0];
    let length = c.u32()?;
    let n = length as usize;
    if c.left() < n.saturating_add(CHECK) {
        return Ok(Chunk::Cut(start));
    }
    let at = c.place();
    let payload = c.take(n)?;
    let found: [u8; CHECK] = c.array()?;
    if found != check(&[before, &[tag], &length.to_le_bytes(), payload]) {
        return Err(bad(c.kind, start, "the checksum of a chunk does not fit its bytes"));
    }
    *before = found;
    Ok(Chunk::Whole(tag, at, payload))
}
