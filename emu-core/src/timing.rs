//! How long instructions take. A model is a compile-time parameter of the engines, not a flag in their loops.

/// Timing class of an instruction, from the instruction table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum TimingClass {
    Alu,
    Mul,
    Div,
    Branch,
    Jump,
    Load,
    Store,
    Amo,
    FpAdd,
    FpMul,
    FpFma,
    FpDiv,
    FpSqrt,
    FpCmp,
    FpCvt,
    FpMove,
    Csr,
    Fence,
    System,
    Cache,
}

/// A timing model: cycles of a retired instruction, at least one. It is asked once for each instruction, in the order in which they retire,
/// and may remember; the block engine asks a clone how long a block would take.
pub trait TimingModel: Default + Clone {
    /// True if every instruction costs exactly one cycle, so that engines may count instructions only.
    const UNIT: bool;
    /// Cycles of one instruction of this class.
    fn cost(&mut self, class: TimingClass) -> u64;
}

/// One cycle an instruction.
#[derive(Clone, Copy, Default, Debug)]
pub struct Unit;

impl TimingModel for Unit {
    const UNIT: bool = true;
    #[inline(always)]
    fn cost(&mut self, _: TimingClass) -> u64 {
        1
    }
}
