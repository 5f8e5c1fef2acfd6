//! The decision log: all that a run is, beside its images. `docs/log-format.md` has it byte by byte.

mod header;
mod read;
mod text;
mod write;

pub use header::{Header, Image};
pub use read::Log;
pub use text::{assemble, dump};
pub use write::LogWriter;

use crate::framed::Format;

/// How a log starts. All of version 1 means the same in version 2.
pub const FORMAT: Format = Format { kind: KIND, magic: b"TRPZLOG\0", oldest: 1, version: 2 };
/// Most steps in one record: they are told apart when it is replayed.
pub(crate) const MOST_STEPS: u64 = 1 << 20;
pub(crate) const KIND: &str = "log";
pub(crate) const RECORDS: u8 = 1;
pub(crate) const FOOTER: u8 = 2;

/// A moment of a run, at which it can be stopped again. With one hart every cycle is one; with more, the ends of rounds, and every
/// number of retired instructions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Position {
    /// Virtual time, [`emu_core::machine::Machine::cycles`].
    pub cycles: u64,
    /// Instructions retired by all harts.
    pub instret: u64,
    /// How to stop here: at the first moment with `instret` (true) or with `cycles` (false). The other number is a check.
    pub exact: bool,
}

impl Position {
    /// Where a machine is that stopped at a cycle.
    pub fn of(m: &emu_core::machine::Machine) -> Position {
        Position { cycles: m.cycles(), instret: m.instret(), exact: false }
    }
}

/// Something that entered a run from outside, or a witness of its state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Bytes came to the console.
    Input(Vec<u8>),
    /// An event was injected: [`emu_core::machine::Machine::inject`].
    Inject {
        /// Its name.
        name: String,
        /// Its arguments.
        args: Vec<u64>,
    },
    /// The guest asked for a reboot, and a fresh machine goes on from position 0.
    Reboot,
    /// The scheduler's choice where it is not the round-robin's: one hart alone makes steps ([`emu_core::machine::Machine::step_hart`]).
    Step {
        /// Hart index.
        hart: u64,
        /// How many.
        count: u64,
    },
    /// A monitor command; none changes state, so this is for the reader.
    Command(String),
    /// The hash of harts, devices and firmware here: [`emu_core::machine::Machine::register_hash`].
    Mark([u8; 32]),
    /// The hash of everything here: [`emu_core::machine::Machine::state_hash`].
    State([u8; 32]),
}

/// A decision and where it was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Position since the last [`Decision::Reboot`].
    pub at: Position,
    /// What.
    pub what: Decision,
}

/// How a recorded run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct End {
    /// Where.
    pub at: Position,
    /// In words.
    pub reason: String,
    /// The state hash.
    pub hash: [u8; 32],
}
