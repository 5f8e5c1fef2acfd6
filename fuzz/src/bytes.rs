//! Takes an input apart. What is missing at its end reads as zero, so every input means something.

/// The rest of an input.
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// The next byte.
    pub fn u8(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    /// The next two bytes, little-endian.
    pub fn u16(&mut self) -> u16 {
        self.number(2) as u16
    }

    /// The next four bytes.
    pub fn u32(&mut self) -> u32 {
        self.number(4) as u32
    }

    /// The next eight bytes.
    pub fn u64(&mut self) -> u64 {
        self.number(8)
    }

    /// Up to `n` bytes.
    pub fn take(&mut self, n: usize) -> &'a [u8] {
        let (a, b) = self.0.split_at(n.min(self.0.len()));
        self.0 = b;
        a
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn number(&mut self, n: usize) -> u64 {
        self.take(n).iter().rev().fold(0, |v, b| v << 8 | u64::from(*b))
    }
}
