//! The debug triggers of one hart as the supervisor has them. A trigger's index is that of the hart's own trigger.

use emu_core::dev::StateIo;
use emu_csr::Mode;
use emu_csr::triggers::TRIGGERS;
use emu_csr::triggers::fields::{kind, kind_of, matching};

/// trig_state.mapped.
pub const MAPPED: u64 = 1 << 0;
/// No shared memory.
pub const NONE: u64 = u64::MAX;

/// trig_state's saved modes: its bits of U, S, VU and VS.
pub const SAVED: [(u64, Mode); 4] = [(1 << 1, Mode::U), (1 << 2, Mode::HS), (1 << 3, Mode::VU), (1 << 4, Mode::VS)];

/// Whether the trigger is one of a chain with the next.
pub const fn chained(tdata1: u64) -> bool {
    matches!(kind_of(tdata1), kind::MCONTROL | kind::MCONTROL6) && tdata1 & matching::CHAIN != 0
}

/// DBTR state of one hart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dbtr {
    /// Address of the shared memory, or `NONE`.
    pub memory: u64,
    /// trig_state of each trigger; 0 if it is free.
    pub state: [u64; TRIGGERS],
}

impl Default for Dbtr {
    fn default() -> Dbtr {
        Dbtr { memory: NONE, state: [0; TRIGGERS] }
    }
}

impl Dbtr {
    /// Visits it, to save it or to restore it.
    pub fn visit(&mut self, io: &mut dyn StateIo) {
        io.u64("dbtr memory", &mut self.memory);
        self.state.iter_mut().for_each(|s| io.u64("dbtr state", s));
    }
}
