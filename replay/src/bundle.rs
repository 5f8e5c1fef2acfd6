//! Bundles: a recording and everything it was made from in one file. `docs/log-format.md` has it byte by byte.
//!
//! A bundle is written and read as a stream; nothing in it is believed before its checksum has been seen, no name can lead out of a
//! directory, and sizes are announced and kept.

use std::io::{self, Read, Write};

use crate::bytes::{CHECK, Cursor, check, put, put_bytes};
use crate::error::{ReplayError, bad};
use crate::framed::{ChunkWriter, Format};
use crate::packed::{pack, unpack};

/// How a bundle starts; its head has no body.
pub const FORMAT: Format = Format { kind: KIND, magic: b"TRPZBDL\0", oldest: 1, version: 1 };
const KIND: &str = "bundle";
const FILE: u8 = 1;
const DATA: u8 = 2;
const END: u8 = 3;
/// Most bytes that a chunk unpacks to, and a little more than its packed form can have.
const PART: usize = 1 << 20;
const MOST_PAYLOAD: usize = PART + PART / 8;
/// Most files, and most bytes of one.
const MOST_FILES: usize = 1000;
const MOST_BYTES: u64 = 1 << 40;

/// What a file in a bundle is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// `log`, or the role of an image in the log's header.
    pub role: String,
    /// Its name, without directories.
    pub name: String,
    /// Bytes.
    pub size: u64,
}

/// A reading or writing that failed, or a bundle that is none.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The host could not read or write.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What was read is no whole bundle.
    #[error(transparent)]
    Format(#[from] ReplayError),
}

/// Whether a name is that of a file in a directory and cannot lead out of it.
pub fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.len() <= 200 && name != "." && name != ".." && !name.contains(['/', '\\', '\0'])
}

/// Writes a bundle.
pub struct Writer<W: Write> {
    out: ChunkWriter<W>,
    files: u64,
}

impl<W: Write> Writer<W> {
    /// Begins one.
    pub fn new(out: W) -> io::Result<Writer<W>> {
        Ok(Writer { out: ChunkWriter::bare(out, &FORMAT)?, files: 0 })
    }

    /// Adds a file of `entry.size` bytes, which `from` gives.
    pub fn add(&mut self, entry: &Entry, from: &mut dyn Read) -> io::Result<()> {
        let mut p = Vec::new();
        put_bytes(&mut p, entry.role.as_bytes());
        put_bytes(&mut p, entry.name.as_bytes());
        put(&mut p, entry.size);
        self.out.put(FILE, &p)?;
        self.files += 1;
        let (mut left, mut buf) = (entry.size, vec![0; PART]);
        while left > 0 {
            let part = &mut buf[..left.min(PART as u64) as usize];
            from.read_exact(part)?;
            left -= part.len() as u64;
            let mut p = Vec::new();
            put(&mut p, part.len() as u64);
            p.extend_from_slice(&pack(part));
            self.out.put(DATA, &p)?;
        }
        Ok(())
    }

    /// Ends it.
    pub fn finish(mut self) -> io::Result<W> {
        let mut p = Vec::new();
        put(&mut p, self.files);
        self.out.put(END, &p)?;
        self.out.flush()?;
        Ok(self.out.into_inner())
    }
}

/// Takes what a bundle holds, file by file.
pub trait Sink {
    /// A file begins. An error refuses the bundle.
    fn begin(&mut self, entry: &Entry) -> Result<(), BundleError>;
    /// Its next bytes.
    fn data(&mut self, bytes: &[u8]) -> Result<(), BundleError>;
    /// It is complete.
    fn end(&mut self) -> Result<(), BundleError>;
}

/// Reads a bundle and gives its files to `sink`.
pub fn read(from: &mut dyn Read, sink: &mut dyn Sink) -> Result<(), BundleError> {
    let mut head = [0; 12];
    let got = fill(from, &mut head)?;
    FORMAT.starts(&head[..got])?;
    FORMAT.accepts(if got < head.len() { 0 } else { u32::from_le_bytes([head[8], head[9], head[10], head[11]]) })?;
    let (mut before, mut at, mut files) = (check(&[&head]), 12, 0);
    let mut open: Option<u64> = None;
    loop {
        let (tag, start, payload) = chunk(from, &mut before, &mut at)?;
        let mut c = Cursor::new(KIND, &payload, start);
        match (tag, open) {
            (FILE, None) => {
                let entry = Entry { role: c.text()?, name: c.text()?, size: c.number()? };
                files += 1;
                if !is_plain(&entry.name) {
                    return Err(bad(KIND, start, format!("a file's name that is not plain: {:?}", entry.name)).into());
                }
                if files > MOST_FILES || entry.size > MOST_BYTES {
                    return Err(bad(KIND, start, "more than any recording has").into());
                }
                sink.begin(&entry)?;
                open = close(entry.size, sink)?;
            }
            (DATA, Some(left)) => {
                let size = c.number()?;
                if size == 0 || size > left || size > PART as u64 {
                    return Err(bad(KIND, start, format!("{size} bytes of a file that has {left} left")).into());
                }
                let place = c.place();
                sink.data(&unpack(KIND, c.take(c.left())?, size as usize, place)?)?;
                open = close(left - size, sink)?;
            }
            (END, None) if c.number()? == files as u64 => break,
            _ => return Err(bad(KIND, start, format!("a chunk of kind {tag} where there can be none")).into()),
        }
    }
    if fill(from, &mut [0])? > 0 {
        return Err(bad(KIND, at, "bytes after the end").into());
    }
    Ok(())
}

fn close(left: u64, sink: &mut dyn Sink) -> Result<Option<u64>, BundleError> {
    if left > 0 {
        return Ok(Some(left));
    }
    sink.end()?;
    Ok(None)
}

/// Reads as much as there is, up to the buffer's length.
fn fill(from: &mut dyn Read, buf: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buf.len() {
        match from.read(&mut buf[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(got)
}

/// The next chunk: tag, where its payload starts, payload.
fn chunk(from: &mut dyn Read, before: &mut [u8; CHECK], at: &mut usize) -> Result<(u8, usize, Vec<u8>), BundleError> {
    let cut = |at: usize| bad(KIND, at, "the file breaks off in the chunk");
    let mut head = [0; 5];
    if fill(from, &mut head)? < head.len() {
        return Err(cut(*at).into());
    }
    let length = [head[1], head[2], head[3], head[4]];
    let n = u32::from_le_bytes(length) as usize;
    if n > MOST_PAYLOAD {
        return Err(bad(KIND, *at, format!("a chunk of {n} bytes, more than any has")).into());
    }
    let mut rest = vec![0; n + CHECK];
    if fill(from, &mut rest)? < rest.len() {
        return Err(cut(*at).into());
    }
    let found: [u8; CHECK] = std::array::from_fn(|i| rest[n + i]);
    rest.truncate(n);
    if found != check(&[before, &head[..1], &length, &rest]) {
        return Err(bad(KIND, *at, "the checksum of a chunk does not fit its bytes").into());
    }
    *before = found;
    let start = *at + head.len();
    *at = start + n + CHECK;
    Ok((head[0], start, rest))
}
