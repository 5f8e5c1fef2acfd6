//! Reading a log: everything is checked before anything is believed.

use std::sync::Arc;

use super::{
    Decision, End, FOOTER, FORMAT, Header, KIND, LONGEST_NAME, MOST_PARTS, MOST_STEPS, Parts, Position, RECORDS, Record,
};
use crate::bytes::Cursor;
use crate::error::{ReplayError, bad};
use crate::framed::{Chunk, take_chunk};

/// A log in memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    /// What the run is made from.
    pub header: Header,
    /// What entered it, in order.
    pub records: Vec<Record>,
    /// How it ended; None if the recorder was killed.
    pub end: Option<End>,
    /// Where the file breaks off inside a chunk, if it does: all before it is sound.
    pub cut: Option<u64>,
}

impl Log {
    /// Reads a log file's bytes. A file that breaks off is read up to its last complete chunk ([`Log::cut`]); a changed byte is an error.
    pub fn read(bytes: &[u8]) -> Result<Log, ReplayError> {
        let (mut h, mut c, mut before) = FORMAT.head(bytes)?;
        let mut log = Log { header: Header::take(&mut h)?, records: Vec::new(), end: None, cut: None };
        let mut last = Position::default();
        let mut parts: Option<Parts> = None;
        while !c.is_empty() {
            if log.end.is_some() {
                return Err(bad(KIND, c.place(), "bytes after the footer"));
            }
            match take_chunk(&mut c, &mut before)? {
                Chunk::Cut(at) => {
                    log.cut = Some(at as u64);
                    break;
                }
                Chunk::Whole(RECORDS, at, payload) => {
                    let mut p = Cursor::new(KIND, payload, at);
                    while !p.is_empty() {
                        log.records.push(take_record(&mut p, &mut last, &mut parts)?);
                    }
                }
                Chunk::Whole(FOOTER, at, payload) => {
                    let mut p = Cursor::new(KIND, payload, at);
                    let (_, at) = take_position(&mut p, &mut last)?;
                    let (reason, hash) = (p.text()?, p.array()?);
                    let parts = if p.is_empty() { Parts::default() } else { take_all(&mut p)? };
                    log.end = Some(End { at, reason, hash, parts });
                }
                Chunk::Whole(tag, at, _) => return Err(bad(KIND, at, format!("a chunk of unknown kind {tag}"))),
            }
        }
        Ok(log)
    }

    /// The last position the log knows.
    pub fn last(&self) -> Position {
        match (&self.end, self.records.last()) {
            (Some(e), _) => e.at,
            (None, Some(r)) if r.what != Decision::Reboot => r.at,
            _ => Position::default(),
        }
    }
}

fn take_position(c: &mut Cursor<'_>, last: &mut Position) -> Result<(u8, Position), ReplayError> {
    let start = c.place();
    let kind = c.take(1)?[0];
    let (cycles, instret) = (c.number()?, c.number()?);
    let (Some(cycles), Some(instret)) = (last.cycles.checked_add(cycles), last.instret.checked_add(instret)) else {
        return Err(bad(KIND, start, "a position beyond 2^64"));
    };
    *last = Position { cycles, instret, exact: kind & 0x80 != 0 };
    Ok((kind & 0x7f, *last))
}

fn take_names(c: &mut Cursor<'_>) -> Result<Arc<[String]>, ReplayError> {
    let start = c.place();
    let n = c.count()?;
    if n > MOST_PARTS {
        return Err(bad(KIND, start, format!("a machine of {n} parts")));
    }
    let names = (0..n).map(|_| c.text()).collect::<Result<Vec<String>, _>>()?;
    match names.iter().find(|t| t.len() > LONGEST_NAME) {
        Some(_) => Err(bad(KIND, start, format!("a part's name of more than {LONGEST_NAME} bytes"))),
        None => Ok(names.into()),
    }
}

/// All hashes of parts, and their names.
fn take_all(c: &mut Cursor<'_>) -> Result<Parts, ReplayError> {
    let names = take_names(c)?;
    let hashes = (0..names.len()).map(|_| c.array()).collect::<Result<_, _>>()?;
    Ok(Parts { names, hashes })
}

/// Those that have changed: a bit for each part, then the hashes of those with a one.
fn take_changed(c: &mut Cursor<'_>, known: &Parts) -> Result<Parts, ReplayError> {
    let bits = c.take(known.names.len().div_ceil(8))?.to_vec();
    let mut parts = known.clone();
    for (i, h) in parts.hashes.iter_mut().enumerate() {
        if bits[i / 8] >> (i % 8) & 1 != 0 {
            *h = c.array()?;
        }
    }
    Ok(parts)
}

fn take_record(c: &mut Cursor<'_>, last: &mut Position, known: &mut Option<Parts>) -> Result<Record, ReplayError> {
    let start = c.place();
    let (kind, at) = take_position(c, last)?;
    let what = match kind {
        1 => Decision::Input(c.bytes()?.to_vec()),
        2 => {
            let name = c.text()?;
            let n = c.count()?;
            let args = (0..n).map(|_| c.number()).collect::<Result<_, _>>()?;
            Decision::Inject { name, args }
        }
        3 => {
            *last = Position::default();
            Decision::Reboot
        }
        4 => Decision::Command(c.text()?),
        5 => {
            let mut hash = [0; 32];
            hash[..16].copy_from_slice(c.take(16)?);
            Decision::Mark(hash)
        }
        6 => Decision::State(c.array()?),
        7 => {
            let (hart, count) = (c.number()?, c.number()?);
            if count > MOST_STEPS {
                return Err(bad(KIND, start, format!("{count} steps in one record")));
            }
            Decision::Step { hart, count }
        }
        8 => {
            let parts = take_all(c)?;
            *known = Some(parts.clone());
            Decision::Parts(parts)
        }
        9 => match known {
            Some(k) => {
                *k = take_changed(c, k)?;
                Decision::Parts(k.clone())
            }
            None => return Err(bad(KIND, start, "hashes of parts that nothing has named")),
        },
        other => return Err(bad(KIND, start, format!("a record of unknown kind {other}"))),
    };
    Ok(Record { at, what })
}
