//! The supervisor's guest (SBI, "Feature: Synchronize SRET", "Feature: Autoswap CSR"): into it, and out of it again.
//!
//! While it runs, what M-mode delegates and the supervisor does not is not delegated, so that its traps come here before they are the
//! supervisor's. That is so only with V=1: whatever runs with V=0, a software event's handler for one, has the delegation that it expects.

use emu_csr::{Cause, Mode, table};

use super::{NONE, shmem, sync};
use crate::call::{Call, Outcome};
use crate::leave;

/// The nested autoswap context's offset: flags, then hstatus.
const AUTOSWAP: u64 = 0x200;

/// sbi_nacl_sync_sret: CSRs, then fences, then the registers, then SRET.
pub(super) fn sync_sret(c: &mut Call<'_, '_>) -> Outcome {
    let at = match shmem(c) {
        Ok(at) => at,
        Err(e) => return e.into(),
    };
    if let Err(e) = sync::csrs(c, u64::MAX).and_then(|_| sync::hfences(c, u64::MAX)) {
        return e.into();
    }
    for i in 1..32 {
        let value = c.read_word(at + 8 * i).unwrap_or(0);
        c.caller().set(i as u8, value);
    }
    autoswap(c, at);
    let (h, bus) = (&mut c.platform.harts[c.hart], &*c.platform.bus);
    let entry = h.csr.sret(Mode::HS, &mut ());
    h.apply(entry.effects);
    let elp = std::mem::take(&mut h.csr.elp);
    leave::to(h, bus, entry.mode, entry.pc);
    if elp {
        let now = h.now(bus);
        h.csr.poke(table::MSTATUS, h.csr.mstatus | table::field::mstatus::MPELP, &now);
    }
    c.state.nacl[c.hart].nested = entry.mode.virt();
    sync::write_back(c, at);
    Outcome::Placed
}

/// Swaps hstatus with the value in the shared memory, if the supervisor asks for it.
fn autoswap(c: &mut Call<'_, '_>, at: u64) {
    let (Some(flags), Some(value)) = (c.read_word(at + AUTOSWAP), c.read_word(at + AUTOSWAP + 8)) else { return };
    if flags & 1 == 0 {
        return;
    }
    let h = &mut c.platform.harts[c.hart];
    let (now, old) = (h.now(c.platform.bus), h.csr.hstatus);
    if let Some(effects) = h.csr.assign(table::HSTATUS, value, &now) {
        h.apply(effects);
    }
    c.write_word(at + AUTOSWAP + 8, old);
}

/// What a trap that has entered M-mode is, if it is here only because a guest runs: the supervisor's, or an interrupt that was placed there.
pub(crate) fn taken(c: &mut Call<'_, '_>, cause: Cause) -> Option<Outcome> {
    let (exceptions, interrupts) = c.state.nacl[c.hart].delegation?;
    let virt = leave::previous(&c.platform.harts[c.hart]).virt();
    if !virt {
        // The hart itself gave the supervisor a trap that nothing but hideleg decides: it has left its guest before this.
        left(c);
    }
    match cause {
        Cause::Exception(e) if exceptions >> e as u8 & 1 != 0 => leave::trap_taken(&c.platform.harts[c.hart]).map(Outcome::Trap),
        // With the delegation that the return restores, it is taken when the supervisor lets it.
        Cause::Interrupt(i) if interrupts >> i as u8 & 1 != 0 && !virt => Some(Outcome::Placed),
        Cause::Interrupt(i) if interrupts >> i as u8 & 1 != 0 => {
            let (h, bus) = (&mut c.platform.harts[c.hart], &*c.platform.bus);
            let (from, epc) = (leave::previous(h), h.csr.mepc);
            // HS-mode cannot be in a trap handler of its own with V=1, so that this is no double trap.
            let entry = h.csr.enter_interrupt(from, epc, i, Mode::HS, &mut ());
            leave::to(h, bus, entry.mode, entry.pc);
            left(c);
            Some(Outcome::Placed)
        }
        _ => None,
    }
}

/// The supervisor is about to take a trap of its guest's: hstatus is swapped and the CSR space brought up to date.
pub(crate) fn left(c: &mut Call<'_, '_>) {
    let nacl = &mut c.state.nacl[c.hart];
    if !std::mem::take(&mut nacl.nested) {
        return;
    }
    let at = nacl.shmem;
    if at != NONE {
        autoswap(c, at);
        sync::write_back(c, at);
    }
}

/// Whether [`entered`] has something to do.
#[inline]
pub(crate) fn shares(nacl: &super::Nacl) -> bool {
    nacl.nested || nacl.delegation.is_some()
}

/// The last thing before the return from M-mode: the delegation is that of where it leads.
pub(crate) fn entered(c: &mut Call<'_, '_>) {
    let nacl = &mut c.state.nacl[c.hart];
    let h = &mut c.platform.harts[c.hart];
    let now = h.now(c.platform.bus);
    let guest = nacl.nested && leave::previous(h).virt();
    let (exceptions, interrupts) = nacl.delegation.take().unwrap_or((h.csr.medeleg, h.csr.mideleg));
    let mut put = (exceptions, interrupts);
    if guest {
        nacl.delegation = Some(put);
        put = (exceptions & h.csr.hedeleg, interrupts & h.csr.hideleg);
    }
    h.csr.poke(table::MEDELEG, put.0, &now);
    h.csr.poke(table::MIDELEG, put.1, &now);
    h.apply(emu_csr::Effects::INTERRUPTS);
}
