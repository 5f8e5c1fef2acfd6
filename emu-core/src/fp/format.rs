//! The three interchange formats, NaN boxing, and the constants that `FLI` loads.

/// An IEEE 754 binary interchange format of at most 64 bits (IEEE 754-2019 clause 3.4).
pub trait Format: Copy + 'static {
    /// Width of the exponent field in bits.
    const EXP: u32;
    /// Width of the trailing significand field in bits.
    const FRAC: u32;

    /// Width of the encoding in bits.
    const BITS: u32 = 1 + Self::EXP + Self::FRAC;
    /// Exponent bias.
    const BIAS: i32 = (1 << (Self::EXP - 1)) - 1;
    /// The exponent field of infinities and NaNs: all ones.
    const EXP_MAX: i32 = (1 << Self::EXP) - 1;
    /// Mask of the trailing significand field.
    const FRAC_MASK: u64 = (1 << Self::FRAC) - 1;
    /// The sign bit.
    const SIGN: u64 = 1 << (Self::BITS - 1);
    /// Positive infinity.
    const INF: u64 = (Self::EXP_MAX as u64) << Self::FRAC;
    /// The bit that makes a NaN quiet.
    const QUIET: u64 = 1 << (Self::FRAC - 1);
    /// The canonical NaN (Unprivileged ISA, "F", NaN generation and propagation).
    const NAN: u64 = Self::INF | Self::QUIET;
    /// The smallest positive normal number.
    const MIN_NORMAL: u64 = 1 << Self::FRAC;
    /// The greatest finite number.
    const MAX_FINITE: u64 = Self::INF - 1;

    /// Whether `a` is a NaN, quiet or signalling.
    #[inline]
    fn is_nan(a: u64) -> bool {
        a & !Self::SIGN > Self::INF
    }

    /// Whether `a` is a signalling NaN (IEEE 754-2019 clause 6.2.1).
    #[inline]
    fn is_snan(a: u64) -> bool {
        Self::is_nan(a) && a & Self::QUIET == 0
    }

    /// Whether the sign bit of `a` is set.
    #[inline]
    fn sign(a: u64) -> bool {
        a & Self::SIGN != 0
    }

    /// The exponent field of `a`.
    #[inline]
    fn exp(a: u64) -> i32 {
        (a >> Self::FRAC) as i32 & Self::EXP_MAX
    }

    /// The sign bit, set if `sign`.
    #[inline]
    fn sign_bit(sign: bool) -> u64 {
        (sign as u64) << (Self::BITS - 1)
    }
}

/// binary16, half precision (Unprivileged ISA, "Zfh").
#[derive(Clone, Copy, Debug)]
pub struct F16;
/// binary32, single precision (Unprivileged ISA, "F").
#[derive(Clone, Copy, Debug)]
pub struct F32;
/// binary64, double precision (Unprivileged ISA, "D").
#[derive(Clone, Copy, Debug)]
pub struct F64;

impl Format for F16 {
    const EXP: u32 = 5;
    const FRAC: u32 = 10;
}

impl Format for F32 {
    const EXP: u32 = 8;
    const FRAC: u32 = 23;
}

impl Format for F64 {
    const EXP: u32 = 11;
    const FRAC: u32 = 52;
}

/// Boxes a half-precision value in a 64-bit register: the upper bits become ones (Unprivileged ISA, "D", NaN boxing of
/// narrower values).
#[inline]
pub const fn box16(a: u64) -> u64 {
    a | !0xffff
}

/// Boxes a single-precision value in a 64-bit register: the upper bits become ones (Unprivileged ISA, "D", NaN boxing of
/// narrower values).
#[inline]
pub const fn box32(a: u64) -> u64 {
    a | !0xffff_ffff
}

/// The half-precision value in a 64-bit register, as an operation on halves reads it: the canonical NaN if the register is not
/// properly boxed (Unprivileged ISA, "D", NaN boxing of narrower values).
#[inline]
pub const fn unbox16(reg: u64) -> u64 {
    if reg >> 16 == 0xffff_ffff_ffff { reg & 0xffff } else { F16::NAN }
}

/// The single-precision value in a 64-bit register, as an operation on singles reads it: the canonical NaN if the register is
/// not properly boxed (Unprivileged ISA, "D", NaN boxing of narrower values).
#[inline]
pub const fn unbox32(reg: u64) -> u64 {
    if reg >> 32 == 0xffff_ffff { reg & 0xffff_ffff } else { F32::NAN }
}

/// Entries 2 to 29 of the `FLI` table as (exponent, two leading fraction bits).
const FLI: [(i32, u64); 28] = [
    (-16, 0),
    (-15, 0),
    (-8, 0),
    (-7, 0),
    (-4, 0),
    (-3, 0),
    (-2, 0),
    (-2, 1),
    (-2, 2),
    (-2, 3),
    (-1, 0),
    (-1, 1),
    (-1, 2),
    (-1, 3),
    (0, 0),
    (0, 1),
    (0, 2),
    (0, 3),
    (1, 0),
    (1, 1),
    (1, 2),
    (2, 0),
    (3, 0),
    (4, 0),
    (7, 0),
    (8, 0),
    (15, 0),
    (16, 0),
];

/// The constant that `FLI.fmt` loads for the value `index` of its `rs1` field (only the low five bits count), in the format's
/// own bits, not boxed. In half precision entries 2 and 3 are subnormal and entry 29 is infinity (Unprivileged ISA, "Zfa",
/// load-immediate instructions).
pub fn fli<F: Format>(index: u8) -> u64 {
    let index = index & 31;
    match index {
        0 => F::SIGN | (F::BIAS as u64) << F::FRAC,
        1 => F::MIN_NORMAL,
        30 => F::INF,
        31 => F::NAN,
        _ => {
            let (exp, quarter) = FLI.get(usize::from(index) - 2).copied().unwrap_or_default();
            let field = exp + F::BIAS;
            let frac = quarter << (F::FRAC - 2);
            if field >= F::EXP_MAX {
                F::INF
            } else if field >= 1 {
                (field as u64) << F::FRAC | frac
            } else {
                (F::MIN_NORMAL | frac) >> (1 - field)
            }
        }
    }
}
