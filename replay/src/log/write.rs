//! Writing a log: chunks that are complete on their own, so that what was written before a kill can be replayed.

use std::io::{self, Write};

use super::{Decision, End, FOOTER, FORMAT, Header, Parts, Position, RECORDS, Record};
use crate::bytes::{put, put_bytes};
use crate::framed::ChunkWriter;

/// A chunk is written when it has grown to this many bytes, or when [`LogWriter::flush`] is called.
const CHUNK: usize = 16 << 10;

/// Writes a log as it is made.
pub struct LogWriter<W: Write> {
    out: ChunkWriter<W>,
    pending: Vec<u8>,
    last: Position,
    /// Hashes of parts, as they were written last.
    parts: Option<Parts>,
}

impl<W: Write> LogWriter<W> {
    /// Writes the header.
    pub fn new(out: W, header: &Header) -> io::Result<LogWriter<W>> {
        let mut body = Vec::new();
        header.put(&mut body);
        let mut out = ChunkWriter::new(out, &FORMAT, &body)?;
        out.flush()?;
        Ok(LogWriter { out, pending: Vec::new(), last: Position::default(), parts: None })
    }

    /// Adds a record; positions must not go back but by [`Decision::Reboot`].
    pub fn record(&mut self, r: &Record) -> io::Result<()> {
        put_record(&mut self.pending, &mut self.last, r, self.parts.as_ref());
        if let Decision::Parts(p) = &r.what {
            self.parts = Some(p.clone());
        }
        if self.pending.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    /// Makes what was recorded so far safe from a kill.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let payload = std::mem::take(&mut self.pending);
        self.chunk(RECORDS, &payload)
    }

    /// Ends the log.
    pub fn finish(mut self, end: &End) -> io::Result<W> {
        self.flush()?;
        let mut p = Vec::new();
        put_position(&mut p, 0, &mut self.last, &end.at);
        put_bytes(&mut p, end.reason.as_bytes());
        p.extend_from_slice(&end.hash);
        put_names(&mut p, &end.parts);
        end.parts.hashes.iter().for_each(|h| p.extend_from_slice(h));
        self.chunk(FOOTER, &p)?;
        Ok(self.out.into_inner())
    }

    /// What it writes to, without a footer; what was not flushed is lost.
    pub fn into_inner(self) -> W {
        self.out.into_inner()
    }

    fn chunk(&mut self, tag: u8, payload: &[u8]) -> io::Result<()> {
        self.out.put(tag, payload)?;
        self.out.flush()
    }
}

/// Kind with its flag, and the way from the last position.
fn put_position(out: &mut Vec<u8>, kind: u8, last: &mut Position, at: &Position) {
    out.push(kind | u8::from(at.exact) << 7);
    put(out, at.cycles.saturating_sub(last.cycles));
    put(out, at.instret.saturating_sub(last.instret));
    *last = *at;
}

fn put_names(out: &mut Vec<u8>, parts: &Parts) {
    put(out, parts.names.len() as u64);
    parts.names.iter().for_each(|n| put_bytes(out, n.as_bytes()));
}

/// `known` are the hashes of parts that were written last; of the same parts only those that have changed are written.
fn put_record(out: &mut Vec<u8>, last: &mut Position, r: &Record, known: Option<&Parts>) {
    let known = |p: &Parts| known.filter(|k| k.names == p.names);
    let kind = match &r.what {
        Decision::Input(_) => 1,
        Decision::Inject { .. } => 2,
        Decision::Reboot => 3,
        Decision::Command(_) => 4,
        Decision::Mark(_) => 5,
        Decision::State(_) => 6,
        Decision::Step { .. } => 7,
        Decision::Parts(p) if known(p).is_none() => 8,
        Decision::Parts(_) => 9,
    };
    put_position(out, kind, last, &r.at);
    match &r.what {
        Decision::Input(bytes) => put_bytes(out, bytes),
        Decision::Inject { name, args } => {
            put_bytes(out, name.as_bytes());
            put(out, args.len() as u64);
            args.iter().for_each(|a| put(out, *a));
        }
        Decision::Reboot => *last = Position::default(),
        Decision::Command(text) => put_bytes(out, text.as_bytes()),
        // Half of a hash tells two states apart as well as the whole, and marks are most of an idle guest's log.
        Decision::Mark(hash) => out.extend_from_slice(&hash[..16]),
        Decision::State(hash) => out.extend_from_slice(hash),
        Decision::Step { hart, count } => {
            put(out, *hart);
            put(out, *count);
        }
        Decision::Parts(p) => {
            let before = known(p);
            if before.is_none() {
                put_names(out, p);
            }
            let changed: Vec<bool> = match before {
                Some(b) => p.hashes.iter().zip(&b.hashes).map(|(h, b)| h != b).collect(),
                None => vec![true; p.hashes.len()],
            };
            if before.is_some() {
                let byte = |bits: &[bool]| bits.iter().rev().fold(0, |b, c| b << 1 | u8::from(*c));
                out.extend(changed.chunks(8).map(byte));
            }
            p.hashes.iter().zip(changed).filter(|(_, c)| *c).for_each(|(h, _)| out.extend_from_slice(h));
        }
    }
}
