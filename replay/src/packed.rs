//! zstd, with sizes that are known and bounded before anything is unpacked.

use std::io::Read;

use ruzstd::decoding::StreamingDecoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use crate::error::{ReplayError, bad};

/// Packs bytes as one zstd frame.
pub fn pack(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// Unpacks a frame that must have exactly `size` bytes, of which the caller has made sure that they are not too many. `at` is where the frame
/// lies in its file.
pub fn unpack(kind: &'static str, frame: &[u8], size: usize, at: usize) -> Result<Vec<u8>, ReplayError> {
    let mut out = Vec::new();
    unpack_into(kind, frame, size, at, &mut out)?;
    Ok(out)
}

/// As [`unpack`], appending to `out`.
pub fn unpack_into(kind: &'static str, frame: &[u8], size: usize, at: usize, out: &mut Vec<u8>) -> Result<(), ReplayError> {
    let wrong = |what: String| bad(kind, at, format!("packed bytes that are no zstd frame ({what})"));
    let decoder = StreamingDecoder::new(frame).map_err(|e| wrong(e.to_string()))?;
    let before = out.len();
    decoder.take(size as u64 + 1).read_to_end(out).map_err(|e| wrong(e.to_string()))?;
    match out.len() - before {
        n if n == size => Ok(()),
        n => Err(bad(
            kind,
            at,
            format!("{size} bytes are announced, {} are packed", if n > size { "more".into() } else { n.to_string() }),
        )),
    }
}
