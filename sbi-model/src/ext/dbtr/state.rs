//! The debug triggers of one hart as the supervisor has them. A trigger's index is that of the hart's own trigger.

use emu_core::dev::StateIo;
use emu_csr::triggers::TRIGGERS;

/// trig_state.mapped.
pub const MAPPED: u64 = 1 << 0;
/// No shared memory.
pub const NONE: u64 = u64::MAX;

/// trig_state's saved modes: its bits of U, S, VU and VS, and where tdata1 of each type has them (Debug, mcontrol6, icount, itrigger,
/// etrigger; mcontrol has only U and S).
pub const fn mode_bits(kind: u64) -> &'static [(u8, u8)] {
    match kind {
        2 => &[(1, 3), (2, 4)],
        3 => &[(1, 6), (2, 7), (3, 25), (4, 26)],
        4 | 5 => &[(1, 6), (2, 7), (3, 11), (4, 12)],
        6 => &[(1, 3), (2, 4), (3, 23), (4, 24)],
        _ => &[],
    }
}

/// tdata1.m of a type.
pub const fn machine_bit(kind: u64) -> u64 {
    match kind {
        2 | 6 => 1 << 6,
        _ => 1 << 9,
    }
}

/// tdata1.type.
pub const fn kind(tdata1: u64) -> u64 {
    tdata1 >> 60
}

/// Whether the trigger is one of a chain with the next.
pub const fn chained(tdata1: u64) -> bool {
    matches!(kind(tdata1), 2 | 6) && tdata1 >> 11 & 1 != 0
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
