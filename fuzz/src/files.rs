//! Hostile recordings: logs, tokens, bundles and snapshots. Whatever they hold, the answer is a value or one message with a remedy.
//!
//! Checksums would keep nearly every input out, so each is read twice: as it is, and as the contents of a file whose checksums fit.

use emu_core::board::load::{Bios, File, Images};
use emu_core::board::{self};
use emu_core::machine::{EngineKind, Machine, MachineConfig};
use replay::ReplayError;
use replay::bundle::{self, BundleError, Entry, Sink};
use replay::bytes::put_bytes;
use replay::framed::{ChunkWriter, Format};
use replay::log::{self, Header, Image, Log, assemble, dump};
use replay::snapshot::{self, Snapshot};
use replay::timeline::{Options, Position, Timeline};
use replay::token::{self, Token};

use crate::bytes::Bytes;

/// Runs no longer than this along a hostile log.
const CYCLES: u64 = 20_000;

/// The machine that logs and snapshots are tried on: two harts, no firmware.
pub(crate) fn machine() -> Option<Machine> {
    const PROGRAM: &[u8] = include_bytes!("../../roms/test/echo.elf");
    let board = board::Config { harts: 2, ram_size: 2 << 20, ..board::Config::default() };
    let images = Images { bios: Bios::None, kernel: Some(File { name: "echo", bytes: PROGRAM }), ..Images::default() };
    Machine::new(MachineConfig { board, engine: EngineKind::Block, quantum: 100 }, Vec::new(), &images, None).ok()
}

/// A file of this format whose checksums fit: header, then chunks of a tag, a 16-bit length and a payload.
pub(crate) fn sealed(format: &Format, header: Option<&[u8]>, mut chunks: Bytes<'_>) -> Vec<u8> {
    let begun = header.map_or_else(|| ChunkWriter::bare(Vec::new(), format), |h| ChunkWriter::new(Vec::new(), format, h));
    // Writing to memory cannot fail.
    let Ok(mut out) = begun else { return Vec::new() };
    while !chunks.0.is_empty() {
        let tag = chunks.u8();
        let n = usize::from(chunks.u16());
        if out.put(tag, chunks.take(n)).is_err() {
            break;
        }
    }
    out.into_inner()
}

fn said(e: &ReplayError) {
    let text = e.to_string();
    assert!(!text.is_empty() && text.lines().count() <= 2, "more than a sentence and its remedy: {text:?}");
}

fn header() -> Vec<u8> {
    let image = Image { role: "kernel".into(), name: "echo".into(), size: 9, hash: [1; 32] };
    let mut out = Vec::new();
    Header::new("smp = 2\n".into(), vec![image]).put(&mut out);
    out
}

/// A log (or, with a first byte of 1, a token's text; with 2 a bundle; with 3 a token's body behind a log, the log behind its 16-bit length).
pub fn log(data: &[u8]) {
    let mut b = Bytes(data);
    match b.u8() {
        1 => {
            let text = format!("{}1:{}", replay::token::PREFIX, String::from_utf8_lossy(b.0));
            if let Err(e) = Token::read(&text) {
                said(&e);
            }
        }
        3 => {
            let n = usize::from(b.u16());
            let mut body = Vec::new();
            put_bytes(&mut body, &sealed(&log::FORMAT, Some(&header()), Bytes(b.take(n))));
            body.extend_from_slice(b.0);
            for body in [&body, data] {
                if let Err(e) = Token::read(&token::sealed(body)) {
                    said(&e);
                }
            }
        }
        2 => {
            unbundled(b.0);
            unbundled(&sealed(&bundle::FORMAT, None, b));
        }
        _ => {
            read(b.0);
            let own = b.u8() & 1 != 0;
            let head = if own {
                header()
            } else {
                let n = usize::from(b.u16());
                b.take(n).to_vec()
            };
            read(&sealed(&log::FORMAT, Some(&head), b));
        }
    }
}

fn read(bytes: &[u8]) {
    let log = match Log::read(bytes) {
        Ok(l) => l,
        Err(e) => return said(&e),
    };
    let text = dump(&log);
    let again = assemble(&text).map(|b| Log::read(&b));
    match again {
        Ok(Ok(again)) => assert_eq!(again.records, log.records),
        other => panic!("a log that was read cannot be written: {other:?}"),
    }
    let token = Token { log: log.clone(), images: Vec::new() };
    if let Some(text) = token.text() {
        assert!(Token::read(&text).is_ok());
    }
    let Some(m) = machine() else { return };
    match Timeline::replaying(m, &log, Options::default()) {
        Ok(mut t) => {
            if let Err(e) = t.seek(Position { elapsed: CYCLES, ..Position::default() }) {
                said(&e);
            }
        }
        Err(e) => said(&e),
    }
}

/// Counts what it is given.
#[derive(Default)]
struct Count(u64);

impl Sink for Count {
    fn begin(&mut self, entry: &Entry) -> Result<(), BundleError> {
        assert!(bundle::is_plain(&entry.name));
        self.0 = entry.size;
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), BundleError> {
        assert!(bytes.len() as u64 <= self.0, "more than was announced");
        self.0 -= bytes.len() as u64;
        Ok(())
    }

    fn end(&mut self) -> Result<(), BundleError> {
        assert_eq!(self.0, 0);
        Ok(())
    }
}

fn unbundled(mut bytes: &[u8]) {
    match bundle::read(&mut bytes, &mut Count::default()) {
        Err(BundleError::Format(e)) => said(&e),
        Ok(()) | Err(BundleError::Io(_)) => {}
    }
}

/// A snapshot: bytes as they are, and as chunks behind a header that fits. What can be applied leaves a machine that runs.
pub fn snapshot(data: &[u8]) {
    applied(data);
    let mut head = header();
    // At the start, with a state hash that nothing has, from the images.
    head.extend_from_slice(&[0, 0]);
    head.extend_from_slice(&[0; 32]);
    head.push(0);
    applied(&sealed(&snapshot::FORMAT, Some(&head), Bytes(data)));
}

fn applied(bytes: &[u8]) {
    let s = match Snapshot::read(bytes) {
        Ok(s) => s,
        Err(e) => return said(&e),
    };
    let Some(mut m) = machine() else { return };
    if let Err(e) = s.apply(&mut m) {
        said(&e);
    }
    // Nobody would use it, but even then it harms nothing.
    m.run(m.cycles().saturating_add(2_000));
}
