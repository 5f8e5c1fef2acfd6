//! Helpers for [`Device::state`](super::Device::state): narrow types, and the plain byte form of saved state.

use super::StateIo;

/// A byte.
pub fn u8(io: &mut dyn StateIo, name: &'static str, v: &mut u8) {
    let mut w = u64::from(*v);
    io.u64(name, &mut w);
    *v = w as u8;
}

/// A 16-bit number.
pub fn u16(io: &mut dyn StateIo, name: &'static str, v: &mut u16) {
    let mut w = u64::from(*v);
    io.u64(name, &mut w);
    *v = w as u16;
}

/// A 32-bit number.
pub fn u32(io: &mut dyn StateIo, name: &'static str, v: &mut u32) {
    let mut w = u64::from(*v);
    io.u64(name, &mut w);
    *v = w as u32;
}

/// A 128-bit number, low half first.
pub fn u128(io: &mut dyn StateIo, name: &'static str, v: &mut u128) {
    let (mut lo, mut hi) = (*v as u64, (*v >> 64) as u64);
    io.u64(name, &mut lo);
    io.u64(name, &mut hi);
    *v = u128::from(hi) << 64 | u128::from(lo);
}

/// A truth value.
pub fn bool(io: &mut dyn StateIo, name: &'static str, v: &mut bool) {
    let mut w = u64::from(*v);
    io.u64(name, &mut w);
    *v = w != 0;
}

/// A number that may be absent.
pub fn option(io: &mut dyn StateIo, name: &'static str, v: &mut Option<u64>) {
    let (mut some, mut w) = (v.is_some(), v.unwrap_or(0));
    bool(io, name, &mut some);
    io.u64(name, &mut w);
    *v = some.then_some(w);
}

/// Saves state as bytes: numbers as 8 little-endian bytes, byte strings as their length and themselves.
#[derive(Default)]
pub struct Saver(pub Vec<u8>);

impl StateIo for Saver {
    fn u64(&mut self, _name: &'static str, v: &mut u64) {
        self.0.extend_from_slice(&v.to_le_bytes());
    }

    fn bytes(&mut self, name: &'static str, v: &mut Vec<u8>) {
        self.u64(name, &mut (v.len() as u64));
        self.0.extend_from_slice(v);
    }
}

/// Restores what [`Saver`] saved.
pub struct Restorer<'a> {
    rest: &'a [u8],
    bad: bool,
}

impl<'a> Restorer<'a> {
    /// From saved bytes.
    pub fn new(bytes: &'a [u8]) -> Restorer<'a> {
        Restorer { rest: bytes, bad: false }
    }

    /// Whether all bytes were used and none was missing: otherwise the state is of another machine, or damaged.
    pub fn complete(&self) -> bool {
        !self.bad && self.rest.is_empty()
    }

    fn take(&mut self, n: usize) -> &'a [u8] {
        match self.rest.split_at_checked(n) {
            Some((a, b)) => {
                self.rest = b;
                a
            }
            None => {
                self.bad = true;
                &[]
            }
        }
    }
}

impl StateIo for Restorer<'_> {
    fn u64(&mut self, _name: &'static str, v: &mut u64) {
        if let Ok(b) = <[u8; 8]>::try_from(self.take(8)) {
            *v = u64::from_le_bytes(b);
        }
    }

    fn bytes(&mut self, name: &'static str, v: &mut Vec<u8>) {
        let mut n = u64::MAX;
        self.u64(name, &mut n);
        *v = self.take(usize::try_from(n).unwrap_or(usize::MAX)).to_vec();
    }
}
