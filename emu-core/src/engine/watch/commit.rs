//! The exact stepper for an observer that wants to hear of every instruction.

use emu_csr::{Mode, Trap};

use super::Eye;
use crate::bus::Bus;
use crate::engine::step::Watch;
use crate::hart::Hart;
use crate::insn::{Footprint, Insn, footprint};
use crate::mmu::{Attempt, BLOCK, Kind};
use crate::observer::{Observer, Retired};

/// What a store has left in memory; none for a failed SC, a cache block, a device, and anything that does not store.
fn stored(hart: &mut Hart, bus: &Bus, b: &Begun) -> Option<u64> {
    let a = b.access.filter(|a| a.store)?;
    let conditional = b.insn.def.name.starts_with("sc.");
    if a.data.is_some() && !conditional {
        return a.data;
    }
    let len = u64::from(a.size.min(8));
    if len == 0 {
        return None;
    }
    let attempt = Attempt { va: a.va, len, kind: Kind::Load, mode: a.mode };
    let pa = hart.explain_walk(bus, attempt).result.ok()?.pa;
    // The register that would tell may be x0.
    if conditional && b.reservation != Some(pa & !(BLOCK - 1)) {
        return None;
    }
    bus.ram.read(pa, len as u8)
}

/// An instruction on its way.
#[derive(Clone, Copy)]
struct Begun {
    pc: u64,
    mode: Mode,
    insn: Insn,
    access: Option<Footprint>,
    reservation: Option<u64>,
    fcsr: u64,
}

/// Tells the observer of each instruction that retires, and watches as ever.
pub(crate) struct Teller {
    eye: Eye,
    before: Option<Begun>,
    done: Option<Begun>,
}

impl Teller {
    /// Before the first instruction.
    pub(crate) fn new() -> Teller {
        Teller { eye: Eye::new(), before: None, done: None }
    }
}

impl Watch for Teller {
    fn before_fetch(&mut self, hart: &mut Hart) -> Option<Trap> {
        self.eye.before_fetch(hart)
    }

    fn fetched(&mut self, hart: &mut Hart, len: u8) {
        self.eye.fetched(hart, len);
    }

    fn before(&mut self, hart: &mut Hart, insn: &Insn) -> Option<Trap> {
        let (pc, mode, access) = (hart.pc, hart.mode, footprint(hart, insn));
        self.before = Some(Begun { pc, mode, insn: *insn, access, reservation: hart.reservation, fcsr: hart.csr.fcsr });
        self.eye.before(hart, insn)
    }

    fn executed(&mut self, hart: &mut Hart, insn: &Insn) {
        self.done = self.before.take();
        self.eye.executed(hart, insn);
    }

    fn faulted(&mut self, hart: &mut Hart, insn: Option<&Insn>, trap: &Trap) {
        self.eye.faulted(hart, insn, trap);
    }

    fn finished(&mut self, hart: &mut Hart, bus: &Bus) -> Option<Trap> {
        self.eye.finished(hart, bus)
    }

    fn after(&mut self, hart: &mut Hart, bus: &Bus, observer: &mut Option<&mut dyn Observer>) {
        self.before = None;
        if let (Some(d), Some(o)) = (self.done.take(), observer) {
            let stored = stored(hart, bus, &d);
            o.retired(&Retired { hart, bus, pc: d.pc, mode: d.mode, insn: &d.insn, access: d.access, stored, fcsr: d.fcsr });
        }
    }
}
