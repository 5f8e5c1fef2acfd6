//! Memory whose contents are known to be corrupted ("poisoned" data; RISC-V RERI, "RAS features and requirements"): lines of 64 bytes that no
//! instruction may consume.

use crate::dev::StateIo;

/// Bytes of a line.
pub const LINE: u64 = 64;

/// Poisoned lines, by their first physical address, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Poison(Vec<u64>);

impl Poison {
    /// Most lines that can be poisoned at a time.
    pub const MAX: usize = 4096;

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first poisoned line of those that `len` bytes at `pa` touch.
    pub fn find(&self, pa: u64, len: u64) -> Option<u64> {
        let first = pa & !(LINE - 1);
        let at = self.0.partition_point(|&l| l < first);
        self.0.get(at).copied().filter(|&l| l <= pa.saturating_add(len.max(1) - 1))
    }

    /// Poisons every line that the range touches. False, and nothing is done, if there would be more than [`Poison::MAX`].
    pub(super) fn add(&mut self, pa: u64, len: u64) -> bool {
        let (first, last) = (pa & !(LINE - 1), pa.saturating_add(len.max(1) - 1) & !(LINE - 1));
        let lines = (last - first) / LINE + 1;
        if lines.saturating_add(self.0.len() as u64) > Self::MAX as u64 {
            return false;
        }
        self.0.extend((0..lines).map(|i| first + i * LINE));
        self.0.sort_unstable();
        self.0.dedup();
        true
    }

    /// Takes the poison from every line that the range touches.
    pub(super) fn remove(&mut self, pa: u64, len: u64) {
        let end = pa.saturating_add(len.max(1) - 1);
        self.0.retain(|&l| l > end || l + (LINE - 1) < pa);
    }

    /// Visits the lines, to save them or to restore them.
    pub fn state(&mut self, io: &mut dyn StateIo) {
        let mut bytes: Vec<u8> = self.0.iter().flat_map(|l| l.to_le_bytes()).collect();
        io.bytes("poison", &mut bytes);
        let line = |b: &[u8]| b.iter().rev().fold(0, |v, &b| v << 8 | u64::from(b)) & !(LINE - 1);
        self.0 = bytes.chunks_exact(8).take(Self::MAX).map(line).collect();
        self.0.sort_unstable();
        self.0.dedup();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_that_a_range_touches_is_poisoned_and_no_other() {
        let mut p = Poison::default();
        assert!(p.is_empty() && p.add(0x8000_003f, 2));
        assert_eq!(p.find(0x8000_0000, 1), Some(0x8000_0000));
        assert_eq!(p.find(0x8000_007f, 1), Some(0x8000_0040));
        assert_eq!(p.find(0x8000_0080, 8), None);
        assert_eq!(p.find(0x7fff_fff8, 8), None);
        assert_eq!(p.find(0x7fff_f000, 4096), None);
        assert_eq!(p.find(0x7fff_f000, 4097), Some(0x8000_0000));
        p.remove(0x8000_0040, 64);
        assert_eq!((p.find(0x8000_0040, 1), p.find(0x8000_0000, 64)), (None, Some(0x8000_0000)));
        assert!(!p.add(0x9000_0000, 1 << 20), "too many");
        assert_eq!(p.find(0x9000_0000, 1 << 20), None);
    }
}
