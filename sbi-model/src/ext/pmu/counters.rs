//! The logical counters of one hart: which event each counts, and those that only firmware counts.

use emu_core::dev::StateIo;
use emu_csr::{Ext, Isa};

use super::event::{FIRMWARE, FwEvent};

/// Hardware counters: the index is that of the counter's CSR, so 1 (time) is none.
pub const HARDWARE: usize = 32;
/// Firmware counters, behind the hardware's.
pub const SOFTWARE: usize = 16;
/// All.
pub const TOTAL: usize = HARDWARE + SOFTWARE;
/// No event, no memory.
pub const NONE: u64 = u64::MAX;

/// What a counter was configured for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Configured {
    /// event_idx, or `NONE`.
    pub event: u64,
    /// mhpmevent's event field and filters, for a hardware counter.
    pub selector: u64,
}

/// PMU state of one hart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pmu {
    /// By counter index.
    pub counters: [Configured; TOTAL],
    /// Values of the firmware counters.
    pub values: [u64; SOFTWARE],
    /// Firmware counters that count, by bit.
    pub started: u64,
    /// Address of the snapshot shared memory, or `NONE`.
    pub snapshot: u64,
}

impl Default for Pmu {
    fn default() -> Pmu {
        let mut counters = [Configured { event: NONE, selector: 0 }; TOTAL];
        // cycle and instret count what their names say from the start.
        (counters[0].event, counters[2].event) = (1, 2);
        Pmu { counters, values: [0; SOFTWARE], started: 0, snapshot: NONE }
    }
}

impl Pmu {
    /// Whether counter `i` exists on a hart of these extensions.
    pub fn exists(i: usize, isa: Isa) -> bool {
        match i {
            0 | 2 => isa.has(Ext::Zicntr),
            1 => false,
            3..HARDWARE => isa.has(Ext::Zihpm),
            _ => i < TOTAL,
        }
    }

    /// Counts a firmware event in every counter that counts it.
    pub fn count(&mut self, event: FwEvent) {
        if self.started == 0 {
            return;
        }
        for i in (0..SOFTWARE).filter(|i| self.started >> i & 1 != 0) {
            if self.counters[HARDWARE + i].event == FIRMWARE | event as u64 {
                self.values[i] = self.values[i].wrapping_add(1);
            }
        }
    }

    /// Visits it, to save it or to restore it.
    pub fn visit(&mut self, io: &mut dyn StateIo) {
        for c in &mut self.counters {
            io.u64("pmu event", &mut c.event);
            io.u64("pmu selector", &mut c.selector);
        }
        self.values.iter_mut().for_each(|v| io.u64("pmu value", v));
        io.u64("pmu started", &mut self.started);
        io.u64("pmu snapshot", &mut self.snapshot);
    }
}
