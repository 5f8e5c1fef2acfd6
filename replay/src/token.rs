//! Replay tokens: a run whose decisions are few as one line of text, `trapeze:1:...`.
//!
//! After the version comes base64url (RFC 4648, section 5, without padding) of a zstd frame's size, the frame, and a checksum. The frame holds
//! the log: header, records but marks, end; then images that are so small that the token carries them.

use crate::bytes::{Cursor, check, put, put_bytes};
use crate::error::{ReplayError, bad};
use crate::log::{Log, LogWriter};
use crate::packed::{pack, unpack};
use crate::semantics::TOOL;

/// What every token begins with, whatever its version.
pub const PREFIX: &str = "trapeze:";
const VERSION: &str = "1";
const KIND: &str = "token";
/// Longest token, in characters: what a terminal, a chat or an issue takes as one line.
pub const LONGEST: usize = 4096;
/// Most bytes that a token unpacks to.
const MOST: u64 = 1 << 20;
/// Bytes of the checksum.
const SHORT: usize = 6;

/// What a token says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    /// The run.
    pub log: Log,
    /// Images that are in the token itself: their bytes, by role.
    pub images: Vec<(String, Vec<u8>)>,
}

impl Token {
    /// The token's text; `None` if it would be too long to be of use.
    pub fn text(&self) -> Option<String> {
        let mut log = self.log.clone();
        log.records.retain(|r| !r.what.is_witness());
        log.end.iter_mut().for_each(|e| e.parts = Default::default());
        let mut body = Vec::new();
        put_bytes(&mut body, &log_bytes(&log)?);
        put(&mut body, self.images.len() as u64);
        for (role, bytes) in &self.images {
            put_bytes(&mut body, role.as_bytes());
            put_bytes(&mut body, bytes);
        }
        let text = sealed(&body);
        (text.len() <= LONGEST && body.len() as u64 <= MOST).then_some(text)
    }

    /// Reads a token.
    pub fn read(text: &str) -> Result<Token, ReplayError> {
        let text = text.trim();
        let rest = text.strip_prefix(PREFIX).ok_or_else(|| bad(KIND, 0, format!("it does not begin with {PREFIX}")))?;
        let (version, data) = rest.split_once(':').ok_or_else(|| bad(KIND, PREFIX.len(), "it has no version"))?;
        if version != VERSION {
            return Err(ReplayError::Version {
                kind: KIND,
                found: format!("a version of trapeze with tokens of format {version}"),
                ours: format!("{TOOL} with format {VERSION}"),
                what: "the format differs".into(),
                remedy: "use that version",
            });
        }
        let start = text.len() - data.len();
        if text.len() > LONGEST {
            return Err(bad(KIND, LONGEST, "it is longer than any token"));
        }
        let broken = || bad(KIND, start, "the checksum does not fit: characters are missing or changed");
        let bytes = decode(data).map_err(|wrong| match wrong {
            Wrong::Character(at) => bad(KIND, start + at, "a character that no token has"),
            Wrong::End => broken(),
        })?;
        let (bytes, found) = bytes.split_at_checked(bytes.len().wrapping_sub(SHORT)).ok_or_else(broken)?;
        if check(&[version.as_bytes(), bytes])[..SHORT] != *found {
            return Err(broken());
        }
        let mut c = Cursor::new(KIND, bytes, 0);
        let size = c.number()?;
        if size > MOST {
            return Err(bad(KIND, 0, format!("{size} bytes are announced, more than any token has")));
        }
        let place = c.place();
        let body = unpack(KIND, c.take(c.left())?, size as usize, place)?;
        let mut c = Cursor::new(KIND, &body, 0);
        let log = Log::read(c.bytes()?)?;
        let n = c.count()?;
        let images = (0..n).map(|_| Ok((c.text()?, c.bytes()?.to_vec()))).collect::<Result<_, ReplayError>>()?;
        Ok(Token { log, images })
    }

    /// Whether text is meant as a token.
    pub fn is_one(text: &str) -> bool {
        text.trim_start().starts_with(PREFIX)
    }
}

/// The text of a token with this body, whatever it holds: size, frame and checksum fit.
pub fn sealed(body: &[u8]) -> String {
    let mut bytes = Vec::new();
    put(&mut bytes, body.len() as u64);
    bytes.extend_from_slice(&pack(body));
    let c = check(&[VERSION.as_bytes(), &bytes]);
    bytes.extend_from_slice(&c[..SHORT]);
    format!("{PREFIX}{VERSION}:{}", encode(&bytes))
}

fn log_bytes(log: &Log) -> Option<Vec<u8>> {
    let mut w = LogWriter::new(Vec::new(), &log.header).ok()?;
    for r in &log.records {
        w.record(r).ok()?;
    }
    match &log.end {
        Some(e) => w.finish(e).ok(),
        None => {
            w.flush().ok()?;
            Some(w.into_inner())
        }
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(3) {
        let word = part.iter().enumerate().fold(0u32, |w, (i, b)| w | u32::from(*b) << (16 - 8 * i));
        for i in 0..=part.len() {
            out.push(DIGITS[(word >> (18 - 6 * i) & 63) as usize] as char);
        }
    }
    out
}

/// Why text is no base64url.
#[derive(PartialEq, Eq, Debug)]
enum Wrong {
    /// It has this character.
    Character(usize),
    /// It ends as nothing does that was encoded (RFC 4648, 3.5): in the middle of a byte, or with bits of one that are not there.
    End,
}

fn decode(text: &str) -> Result<Vec<u8>, Wrong> {
    let text = text.as_bytes();
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for (n, part) in text.chunks(4).enumerate() {
        let mut word = 0u32;
        for (i, c) in part.iter().enumerate() {
            let digit = DIGITS.iter().position(|d| d == c).ok_or(Wrong::Character(n * 4 + i))?;
            word |= (digit as u32) << (18 - 6 * i);
        }
        let unused = 24 - 8 * (part.len() as u32 - 1);
        if part.len() == 1 || word & ((1 << unused) - 1) != 0 {
            return Err(Wrong::End);
        }
        out.extend_from_slice(&word.to_be_bytes()[1..part.len()]);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Header;

    #[test]
    fn base64url_has_the_test_vectors_of_rfc_4648() {
        for (plain, text) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(text).unwrap(), plain.as_bytes());
        }
        assert_eq!(encode(&[0xfb, 0xff]), "-_8");
        assert_eq!(decode("Zg+v"), Err(Wrong::Character(2)));
        for end in ["Z", "Zm9vY", "Zh", "Zm9", "Zm9vYmF"] {
            assert_eq!(decode(end), Err(Wrong::End), "{end}");
        }
    }

    #[test]
    fn a_token_reads_back_and_a_changed_one_is_refused() {
        let header = Header::new("smp = 2\n".into(), Vec::new());
        let bytes = LogWriter::new(Vec::new(), &header).unwrap().into_inner();
        let token = Token { log: Log::read(&bytes).unwrap(), images: vec![("kernel".into(), vec![1, 2, 3])] };
        let text = token.text().unwrap();
        assert_eq!(Token::read(&format!("  {text}\n")).unwrap(), token);
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(Token::read(&String::from_utf8(changed).unwrap()).is_err(), "character {at}");
            let cut = Token::read(&text[..at]).unwrap_err().to_string();
            assert!(at < "trapeze:1:".len() || cut.contains("characters are missing"), "cut at {at}: {cut}");
        }
    }
}
