//! The exact stepper for an observer that wants to hear of every instruction.

use emu_csr::{Mode, Trap};

use super::Eye;
use crate::bus::Bus;
use crate::engine::SliceEnd;
use crate::engine::step::{self, Watch};
use crate::hart::Hart;
use crate::insn::{Decoder, Footprint, Insn, footprint};
use crate::mmu::{Attempt, Kind};
use crate::observer::{Observer, Retired};
use crate::timing::TimingModel;

/// As [`step::run`], and tells the observer of each instruction that retires.
pub fn run<T: TimingModel>(
    hart: &mut Hart,
    bus: &mut Bus,
    decoder: &Decoder,
    timing: &mut T,
    until: u64,
    observer: &mut Option<&mut dyn Observer>,
) -> SliceEnd {
    step::run_watched(hart, bus, decoder, timing, until, observer, &mut Teller { eye: Eye::new(), before: None, done: None })
}

/// What a store has left in memory; none for a failed SC, a cache block, a device, and anything that does not store.
fn stored(hart: &mut Hart, bus: &Bus, insn: &Insn, a: &Footprint) -> Option<u64> {
    let failed = insn.def.name.starts_with("sc.") && hart.get(insn.rd) != 0 && insn.rd != 0;
    if !a.store || failed {
        return None;
    }
    if a.data.is_some() {
        return a.data;
    }
    let len = u64::from(a.size.min(8));
    if len == 0 {
        return None;
    }
    let attempt = Attempt { va: a.va, len, kind: Kind::Load, mode: a.mode };
    bus.ram.read(hart.explain_walk(bus, attempt).result.ok()?.pa, len as u8)
}

/// An instruction on its way.
#[derive(Clone, Copy)]
struct Begun {
    pc: u64,
    mode: Mode,
    insn: Insn,
    access: Option<Footprint>,
    fcsr: u64,
}

/// Remembers what [`Retired`] tells, and watches as ever.
struct Teller {
    eye: Eye,
    before: Option<Begun>,
    done: Option<Begun>,
}

impl Watch for Teller {
    fn before_fetch(&mut self, hart: &mut Hart) -> Option<Trap> {
        self.eye.before_fetch(hart)
    }

    fn fetched(&mut self, hart: &mut Hart, len: u8) {
        self.eye.fetched(hart, len);
    }

    fn before(&mut self, hart: &mut Hart, insn: &Insn) -> Option<Trap> {
        let (pc, mode, access, fcsr) = (hart.pc, hart.mode, footprint(hart, insn), hart.csr.fcsr);
        self.before = Some(Begun { pc, mode, insn: *insn, access, fcsr });
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
            let stored = d.access.and_then(|a| stored(hart, bus, &d.insn, &a));
            o.retired(&Retired { hart, bus, pc: d.pc, mode: d.mode, insn: &d.insn, access: d.access, stored, fcsr: d.fcsr });
        }
    }
}
