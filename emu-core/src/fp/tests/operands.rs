//! Operands that are likely to find a difference.

use crate::fp::Format;

/// A seeded generator (splitmix64).
pub struct Gen(pub u64);

impl Gen {
    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, n: u64) -> u64 {
        self.bits() % n
    }

    /// A significand field: sparse, dense at either end, near a border, or anything.
    fn frac<F: Format>(&mut self) -> u64 {
        let r = self.bits() & F::FRAC_MASK;
        let at = self.below(u64::from(F::FRAC));
        F::FRAC_MASK
            & match self.below(8) {
                0 => 0,
                1 => F::FRAC_MASK,
                2 => 1 << at,
                3 => !(1 << at),
                4 => r << at,
                5 => r >> at,
                6 => (1u64 << at).wrapping_sub(self.below(4)),
                _ => r,
            }
    }

    /// An operand: often special, often with an exponent near a border of the format or near `close`.
    pub fn operand<F: Format>(&mut self, close: u64) -> u64 {
        let sign = F::sign_bit(self.below(2) == 1);
        let max = F::EXP_MAX as u64;
        let exp = match self.below(16) {
            0 => 0,
            1 => max,
            2 => 1 + self.below(3),
            3 => max - 1 - self.below(3),
            4 | 5 => F::BIAS as u64,
            6 | 7 => F::BIAS as u64 - 2 + self.below(5),
            8..=10 => (F::exp(close) as u64).saturating_add(self.below(5)).saturating_sub(2).min(max),
            11 => (F::exp(close) as u64 + self.below(2 * u64::from(F::FRAC) + 6)).saturating_sub(u64::from(F::FRAC) + 3).min(max),
            12 => F::BIAS as u64 + self.below(70).min(max - F::BIAS as u64),
            _ => self.below(max + 1),
        };
        sign | exp << F::FRAC | self.frac::<F>()
    }

    /// An integer with a random number of significant bits, often next to a power of two or just above a rounding border.
    pub fn integer(&mut self) -> u64 {
        let v = self.bits() >> self.below(64);
        let v = match self.below(4) {
            0 => 1u64.rotate_left(v as u32 & 63).wrapping_add(self.below(5)).wrapping_sub(2),
            1 => v & u64::MAX << self.below(64) | self.below(2),
            _ => v,
        };
        if self.below(2) == 1 { v.wrapping_neg() } else { v }
    }
}
