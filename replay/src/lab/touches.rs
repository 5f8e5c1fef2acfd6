//! Which step of a hart last changed each value of its context: what the ledger does not tell of general registers, fcsr, ELP and ssp.

use std::collections::BTreeMap;

use emu_core::bus::Bus;
use emu_core::hart::Hart;
use emu_csr::Mode;

use super::case::Moment;
use crate::context::Context;

/// A step: an instruction, or the trap that it took.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Touch {
    /// Mode before it; native firmware's steps are M-mode's.
    pub mode: Mode,
    /// pc before it.
    pub pc: u64,
    /// Instructions that the hart had retired before.
    pub instret: u64,
}

/// The last step that changed each value, by the value's name.
#[derive(Clone, Debug, Default)]
pub(super) struct Touches {
    last: Option<(Context, Touch)>,
    by: BTreeMap<String, Touch>,
    kept: BTreeMap<Moment, BTreeMap<String, Touch>>,
}

impl Touches {
    /// Looks at the hart after a step.
    pub fn look(&mut self, hart: &Hart, bus: &Bus) {
        let now = Context::of(hart, bus);
        let here = Touch { mode: hart.mode, pc: hart.pc, instret: hart.instret };
        if let Some((before, step)) = &self.last {
            // Every step changes pc.
            let changed = before.differences(&now).into_iter().filter(|d| d.register != "pc");
            changed.for_each(|d| {
                self.by.insert(d.name(), *step);
            });
        }
        self.last = Some((now, here));
    }

    /// Keeps what is known now.
    pub fn keep(&mut self, moment: Moment) {
        self.kept.insert(moment, self.by.clone());
    }

    /// The step that had last changed a value at a moment of [`Touches::keep`].
    pub fn of(&self, moment: Moment, name: &str) -> Option<Touch> {
        self.kept.get(&moment)?.get(name).copied()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // tests
mod tests {
    use super::*;
    use emu_core::board::load::{Bios, File, Images};
    use emu_core::machine::{EngineKind, Machine, MachineConfig};

    #[test]
    fn each_value_has_the_step_that_changed_it_last_before_it_was_kept() {
        // ssp and x5, x5 again: addi x5, x0, 64; csrw ssp, x5; addi x5, x5, 1.
        let code = [0x0400_0293u32, 0x0112_9073, 0x0012_8293];
        let isa = emu_csr::Isa::parse("max,zicfiss=on").unwrap();
        let board = emu_core::board::Config { isa, ram_size: 16 << 20, ..Default::default() };
        let kernel = Some(File { name: "pass", bytes: include_bytes!("../../../roms/test/pass.elf") });
        let images = Images { bios: Bios::None, kernel, ..Images::default() };
        let mut m =
            Machine::new(MachineConfig { board, engine: EngineKind::Step, quantum: 1000 }, Vec::new(), &images, None).unwrap();
        let pc = m.harts()[0].pc;
        let bytes: Vec<u8> = code.iter().flat_map(|w| w.to_le_bytes()).collect();
        assert!(m.bus_mut().ram.write_bytes(pc, &bytes, &mut Vec::new()));
        let mut touches = Touches::default();
        touches.look(&m.harts()[0], m.bus());
        for step in 0..3 {
            m.step_hart(0);
            touches.look(&m.harts()[0], m.bus());
            touches.keep(if step == 2 { Moment::Resumed } else { Moment::Completed });
        }
        let at = |moment, name| touches.of(moment, name).map(|t| (t.mode, t.pc - pc, t.instret));
        let (before, after) = (Moment::Completed, Moment::Resumed);
        assert_eq!(at(before, "x5"), Some((Mode::M, 0, 0)));
        assert_eq!(at(after, "x5"), Some((Mode::M, 8, 2)));
        assert_eq!((at(before, "ssp"), at(after, "ssp")), (Some((Mode::M, 4, 1)), Some((Mode::M, 4, 1))));
        assert_eq!((at(after, "pc"), at(after, "x6"), at(Moment::Sent, "x5")), (None, None, None));
    }
}
