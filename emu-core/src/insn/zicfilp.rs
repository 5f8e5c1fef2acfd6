//! Zicfilp: landing pads ("Control-Flow Integrity", "Landing Pad").

use super::macros::{def, table};
use super::{Format, Insn, InsnDef, Shape};
use crate::engine::block::handlers;
use crate::hart::{Hart, event};
use crate::timing::TimingClass;
use emu_csr::Ext::Zicfilp;
use emu_csr::{Exception, Trap};

/// tval of a software-check exception: landing pad fault.
const LANDING_PAD_FAULT: u64 = 2;

// LPAD is AUIPC with rd=x0, which does nothing by itself: what it means is checked before it executes.
const LPAD: &[InsnDef] = &[def(
    "lpad",
    "iiiiiiiiiiiiiiiiiiii 00000 0010111",
    &[Zicfilp],
    Format::U,
    TimingClass::Alu,
    Shape::Lui,
    |_, _, _| Ok(()),
    Some(handlers::lui()),
)];

/// Before the instruction at `hart.pc` executes while ELP is LP_EXPECTED: it must be an aligned LPAD whose label is zero or that of
/// bits 31 to 12 of x7. Then ELP is NO_LP_EXPECTED again. This comes before an illegal-instruction exception and behind those of the fetch.
#[cold]
pub fn land(hart: &mut Hart, insn: &Insn) -> Result<(), Trap> {
    let label = insn.wide >> 12;
    let pad = insn.len == 4 && insn.wide & 0xfff == 0x17 && hart.pc & 3 == 0;
    if !pad || label != 0 && label != hart.x[7] as u32 >> 12 {
        return Err(Trap::new(Exception::SoftwareCheck, LANDING_PAD_FAULT));
    }
    hart.csr.elp = false;
    Ok(())
}

/// Whether an indirect jump through `rs1` expects a landing pad where landing pads are enabled: x1 and x5 return, x7 is a
/// software-guarded branch.
#[inline(always)]
pub const fn expects_pad(rs1: u8) -> bool {
    !matches!(rs1, 1 | 5 | 7)
}

/// What an indirect jump does besides jumping.
#[inline]
pub(super) fn jumped(hart: &mut Hart, rs1: u8) {
    if expects_pad(rs1) && hart.csr.landing_pads(hart.mode) {
        hart.csr.elp = true;
        // The block engine must leave its block: the stepper looks at the target.
        hart.events |= event::CONTEXT;
    }
}

table!(LPAD);
