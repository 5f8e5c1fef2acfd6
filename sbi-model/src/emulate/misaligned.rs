//! Misaligned memory accesses of a hart that does not do them itself.

use emu_core::bus::Bus;
use emu_core::hart::Hart;
use emu_core::insn::{Format, Insn, complete_trap};
use emu_csr::{Effects, Mode, Trap};

use super::amo;
use crate::call::{Call, Outcome};
use crate::leave;
use crate::profile::policy::MisalignedAmo;

/// Carries out the access at mepc with the privilege and translation of the interrupted context, and goes on behind it: loads and
/// stores of integer and floating-point registers, compressed ones, those of the hypervisor extension, and (by policy) atomics. What
/// the access itself raises goes to the supervisor, and so does the exception that came if the instruction is none of these.
pub fn access(c: &mut Call<'_, '_>) -> Outcome {
    let amos = c.rules.policies.misaligned_amo == MisalignedAmo::Emulated;
    let h = &mut c.platform.harts[c.hart];
    let (bus, decoder) = (&mut *c.platform.bus, c.platform.decoder);
    let from = leave::previous(h);
    let epc = h.csr.mepc;
    let Some(trap) = leave::trap_taken(h) else { return Outcome::Placed };

    // The very instruction runs again, in the interrupted mode, with the hart's own refusal of misaligned accesses off.
    h.set_mode(from);
    let refuses = std::mem::replace(&mut h.tlb.trap_misaligned, false);
    let done = h.fetch(bus, epc).and_then(|(raw, len)| {
        let insn = decoder.decode(raw, len);
        h.pc = epc;
        again(h, bus, &insn, from, amos).unwrap_or(Err(trap)).map(|()| insn.len).map_err(|t| complete_trap(t, &insn, h))
    });
    h.tlb.trap_misaligned = refuses;
    h.set_mode(Mode::M);
    h.apply(Effects::INTERRUPTS);
    match done {
        Ok(len) => {
            leave::past(h, u64::from(len));
            Outcome::Placed
        }
        Err(t) => Outcome::Trap(t),
    }
}

/// Runs the instruction; none if it is not one that is carried out here.
fn again(h: &mut Hart, bus: &mut Bus, insn: &Insn, from: Mode, amos: bool) -> Option<Result<(), Trap>> {
    match insn.def.format {
        Format::Load | Format::Store | Format::AddrStore => Some((insn.def.exec)(h, bus, insn)),
        Format::Addr if insn.def.name.starts_with("hlv") => Some((insn.def.exec)(h, bus, insn)),
        Format::Amo if amos => amo::size(insn).map(|size| amo::access(h, bus, insn, size, from)),
        _ => None,
    }
}
