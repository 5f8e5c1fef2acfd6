//! Misaligned loads and stores of a hart that does not do them itself.

use emu_core::insn::{Decoder, Format, complete_trap};
use emu_csr::{Effects, Mode};

use crate::call::{Call, Outcome};
use crate::leave;

/// Carries out the load or store at mepc with the privilege and translation of the interrupted context, and goes on behind it. What the
/// access itself raises, and a misaligned access that is no plain load or store (atomics), goes to the supervisor.
pub fn access(c: &mut Call<'_, '_>) -> Outcome {
    let h = &mut c.platform.harts[c.hart];
    let bus = &mut *c.platform.bus;
    let from = leave::previous(h);
    let epc = h.csr.mepc;
    let Some(trap) = leave::trap_taken(h) else { return Outcome::Placed };

    // The very instruction runs again, in the interrupted mode, with the hart's own refusal of misaligned accesses off.
    h.set_mode(from);
    let refuses = std::mem::replace(&mut h.tlb.trap_misaligned, false);
    let done = match h.fetch(bus, epc) {
        Ok((raw, len)) => {
            let insn = Decoder::new(h.csr.isa).decode(raw, len);
            if matches!(insn.def.format, Format::Load | Format::Store) {
                h.pc = epc;
                (insn.def.exec)(h, bus, &insn).map(|()| insn.len).map_err(|t| complete_trap(t, &insn, h))
            } else {
                Err(trap)
            }
        }
        Err(t) => Err(t),
    };
    h.tlb.trap_misaligned = refuses;
    h.set_mode(Mode::M);
    h.apply(Effects::INTERRUPTS);
    match done {
        Ok(len) => {
            leave::past(h, bus, u64::from(len));
            Outcome::Placed
        }
        Err(t) => Outcome::Trap(t),
    }
}
