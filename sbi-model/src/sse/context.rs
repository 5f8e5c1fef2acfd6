//! What injection and completion do to a hart's registers (SBI, "Software Event Injection" and "Software Event Completion"), on the
//! state that the M-mode trap has saved: mepc, mstatus.MPP, MPV and MPELP are the interrupted pc, privilege, V and landing-pad state.

use emu_core::bus::Bus;
use emu_core::hart::Hart;
use emu_core::observer::FwField;
use emu_csr::table::field::mstatus::{MPELP, SDT, SPELP};
use emu_csr::table::{self, field::hstatus, field::mstatus};
use emu_csr::{Effects, Ext, Mode};

use super::event::{Event, attr, flag};
use crate::bug::BugId;
use crate::config::Rules;
use crate::leave;
use crate::profile::policy::{Elp, Resume, Spv, Spvp};

/// `set` or not, as a bit of `mask`.
const fn bit(set: bool, mask: u64) -> u64 {
    if set { mask } else { 0 }
}

/// Interrupted flags of the context in the hart's registers.
fn flags(h: &Hart, rules: &Rules) -> u64 {
    let (m, hs) = (h.csr.mstatus, h.csr.hstatus);
    let virt = h.csr.isa.has(Ext::H);
    bit(m & mstatus::SPP != 0, flag::SPP)
        | bit(m & mstatus::SPIE != 0, flag::SPIE)
        | bit(virt && hs & hstatus::SPV != 0, flag::SPV)
        | bit(virt && hs & hstatus::SPVP != 0, flag::SPVP)
        | bit(m & SPELP != 0 && !rules.bugs.has(BugId::SpelpLost), flag::SPELP)
        | bit(m & SDT != 0 && !rules.bugs.has(BugId::SdtLost), flag::SDT)
}

/// Redirects the hart to the event's handler, and keeps what completion needs in the event.
pub(super) fn inject(e: &mut Event, h: &mut Hart, bus: &Bus, rules: &Rules) {
    let p = &rules.policies;
    let now = h.now(bus);
    let old = h.csr.mstatus;
    e.attrs[attr::FLAGS] = flags(h, rules);
    e.attrs[attr::SEPC] = h.csr.sepc;
    (e.attrs[attr::A6], e.attrs[attr::A7]) = (h.x[16], h.x[17]);
    e.hidden = [h.csr.hstatus, old & (mstatus::MPV | mstatus::SIE | mstatus::SPIE | mstatus::SPP)];

    let spp = old & mstatus::MPP != 0;
    let mut new = old & !(mstatus::SPP | mstatus::SPIE | mstatus::SIE | mstatus::MPP | mstatus::MPV);
    new |= bit(spp, mstatus::SPP) | bit(old & mstatus::SIE != 0, mstatus::SPIE) | Mode::HS.level() << 11;
    if !rules.bugs.has(BugId::SpelpLost) {
        new &= !SPELP;
    }
    if p.elp == Elp::Carried {
        new = new & !MPELP | bit(old & MPELP != 0, SPELP);
    }
    if !rules.bugs.has(BugId::SdtLost) {
        // A hart without Ssdbltrp, or whose supervisor does not have it, has no such bit.
        new |= SDT;
    }
    if h.csr.isa.has(Ext::H) {
        let virt = old & mstatus::MPV != 0;
        let mut hs = h.csr.hstatus | bit(virt, hstatus::SPV);
        if !virt && p.spv == Spv::Interrupted {
            hs &= !hstatus::SPV;
        }
        if hs & hstatus::SPV != 0 {
            hs = hs & !hstatus::SPVP | bit(spp, hstatus::SPVP);
        } else if p.spvp == Spvp::Cleared {
            hs &= !hstatus::SPVP;
        }
        // SPV and SPVP alone: any value is legal.
        h.csr.hstatus = hs;
    }
    h.csr.sepc = h.csr.mepc;
    h.csr.mepc = leave::aligned(h, e.attrs[attr::ENTRY_PC]);
    h.csr.poke(table::MSTATUS, new, &now);
    let (a6, a7) = (h.id, e.attrs[attr::ENTRY_ARG]);
    let (a6, a7) = if rules.bugs.has(BugId::A6A7Swapped) { (a7, a6) } else { (a6, a7) };
    h.set(16, a6);
    h.set(17, a7);
    h.apply(Effects::CONTEXT.with(Effects::INTERRUPTS));
}

/// Puts the interrupted context back.
pub(super) fn resume(e: &Event, h: &mut Hart, bus: &Bus, rules: &Rules) {
    let now = h.now(bus);
    let (old, f) = (h.csr.mstatus, e.attrs[attr::FLAGS]);
    let mut new = old & !(mstatus::MPP | mstatus::SIE | mstatus::SPIE | mstatus::SPP);
    new |= bit(old & mstatus::SPP != 0, Mode::HS.level() << 11);
    let hidden = rules.policies.resume == Resume::Private;
    if hidden {
        new |= e.hidden[1] & !mstatus::MPV;
    } else {
        new |= bit(old & mstatus::SPIE != 0, mstatus::SIE);
        new |= bit(f & flag::SPIE != 0, mstatus::SPIE) | bit(f & flag::SPP != 0, mstatus::SPP);
    }
    if rules.policies.elp == Elp::Carried {
        new = new & !MPELP | bit(old & SPELP != 0, MPELP);
    }
    if !rules.bugs.has(BugId::SpelpLost) {
        new = new & !SPELP | bit(f & flag::SPELP != 0, SPELP);
    }
    if !rules.bugs.has(BugId::SdtLost) {
        new = new & !SDT | bit(f & flag::SDT != 0, SDT);
    }
    if h.csr.isa.has(Ext::H) {
        let old = h.csr.hstatus;
        new &= !mstatus::MPV;
        let hs = if hidden {
            new |= e.hidden[1] & mstatus::MPV;
            e.hidden[0]
        } else {
            new |= bit(old & hstatus::SPV != 0, mstatus::MPV);
            old & !(hstatus::SPV | hstatus::SPVP)
                | bit(f & flag::SPV != 0, hstatus::SPV)
                | bit(f & flag::SPVP != 0, hstatus::SPVP)
        };
        if hidden {
            h.csr.poke(table::HSTATUS, hs, &now);
        } else {
            // SPV and SPVP alone: any value is legal.
            h.csr.hstatus = hs;
        }
    }
    h.csr.mepc = h.csr.sepc;
    h.csr.sepc = leave::aligned(h, e.attrs[attr::SEPC]);
    h.csr.poke(table::MSTATUS, new, &now);
    h.set(16, e.attrs[attr::A6]);
    h.set(17, e.attrs[attr::A7]);
    h.apply(Effects::CONTEXT.with(Effects::INTERRUPTS));
}

/// Everything that injection and completion may change, for records.
#[derive(Clone, Copy)]
pub(super) struct Seen([u64; 15]);

const NAMES: [&str; 15] = [
    "pc",
    "mode",
    "V",
    "ELP",
    "sstatus.SIE",
    "sstatus.SPIE",
    "sstatus.SPP",
    "sstatus.SPELP",
    "sstatus.SDT",
    "hstatus.SPV",
    "hstatus.SPVP",
    "hstatus.GVA",
    "sepc",
    "a6",
    "a7",
];

impl Seen {
    /// As they are now.
    pub(super) fn of(h: &Hart) -> Seen {
        let (m, hs) = (h.csr.mstatus, h.csr.hstatus);
        let on = |bits: u64, mask: u64| u64::from(bits & mask != 0);
        Seen([
            h.csr.mepc,
            (m & mstatus::MPP) >> 11,
            on(m, mstatus::MPV),
            on(m, MPELP),
            on(m, mstatus::SIE),
            on(m, mstatus::SPIE),
            on(m, mstatus::SPP),
            on(m, SPELP),
            on(m, SDT),
            on(hs, hstatus::SPV),
            on(hs, hstatus::SPVP),
            on(hs, hstatus::GVA),
            h.csr.sepc,
            h.x[16],
            h.x[17],
        ])
    }

    /// The record's fields: the event first.
    pub(super) fn since(self, e: &Event, h: &Hart) -> Vec<FwField> {
        let event = FwField { name: "event_id", before: u64::from(e.id), after: u64::from(e.id) };
        let after = Seen::of(h);
        let fields = NAMES.iter().zip(self.0).zip(after.0);
        std::iter::once(event).chain(fields.map(|((name, before), after)| FwField { name, before, after })).collect()
    }
}
