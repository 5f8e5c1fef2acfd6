//! CSR instructions on registers that need nothing but themselves: no gate, no clock, no other register. An engine that knows the
//! register before it runs the instruction spares the general path ([`Csrs::read_modify_write`]), whose results these equal.

use crate::access::Effects;
use crate::csrs::{Csrs, Op};
use crate::isa::{Ext, Isa};
use crate::mode::Mode;
use crate::table::{self, Place, Rule};
use crate::warl;

/// The mode in which a CSR instruction on this register is [`Csrs::simple_instruction`]: registers of their own that keep what is written
/// or a part of it, with no effect on anything else. `None` for all others.
pub fn simple(csr: u16) -> Option<Mode> {
    let decl = table::find(csr)?;
    let own = matches!(decl.place, Place::Own(_)) && !matches!(decl.rule, Rule::Fixed);
    if !own || decl.read_only() || !decl.gates.is_empty() || decl.effects != Effects::NONE || decl.or != Isa::of(&[]) {
        return None;
    }
    match decl.level() {
        // Whoever is in HS-mode has S. Other modes have their own registers under these numbers, or none.
        1 if decl.needs == Isa::of(&[Ext::S]) => Some(Mode::HS),
        3 if decl.needs == Isa::of(&[]) => Some(Mode::M),
        _ => None,
    }
}

impl Csrs {
    /// A CSR instruction on a register for which [`simple`] names the present mode. Gives the value for `rd`; there are no effects.
    #[inline]
    pub fn simple_instruction(&mut self, csr: u16, op: Op, operand: u64, write: bool) -> u64 {
        let Some(decl) = table::find(csr) else { return 0 };
        let Place::Own(reg) = decl.place else { return 0 };
        let old = self.reg(reg);
        if write {
            let value = op.apply(old, operand);
            *self.reg_mut(reg) = match decl.rule {
                Rule::Any => value,
                Rule::Mask(mask) => warl::merge(old, value, mask),
                Rule::Fixed => old,
                Rule::Warl(legal) => legal(self, old, value),
            };
        }
        old
    }

    /// A CSR instruction on sstatus in HS-mode. Gives the value for `rd`.
    #[inline]
    pub fn sstatus_instruction(&mut self, op: Op, operand: u64, write: bool) -> (u64, Effects) {
        let old = self.sstatus();
        let effects = if write { self.put_sstatus(op.apply(old, operand), &mut ()) } else { Effects::NONE };
        (old, effects)
    }
}
