//! The decision log: all that a run is, beside its images. `docs/log-format.md` has it byte by byte.

mod header;
mod read;
mod text;
mod write;

use std::sync::Arc;

use emu_core::machine::Machine;

pub use header::{Header, Image};
pub use read::Log;
pub use text::{assemble, dump};
pub use write::LogWriter;

use crate::framed::Format;

/// How a log starts. All of versions 1 and 2 means the same in version 3.
pub const FORMAT: Format = Format { kind: KIND, magic: b"TRPZLOG\0", oldest: 1, version: 3 };
/// Most parts that a record names, and bytes of a name: far more than any machine has.
pub(crate) const MOST_PARTS: usize = 1024;
pub(crate) const LONGEST_NAME: usize = 64;
/// Parts of RAM whose hashes a recording ends with.
pub const RANGES: u64 = 64;
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
    pub fn of(m: &Machine) -> Position {
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
    /// Short hashes of the machine's parts here: [`emu_core::machine::Machine::part_hashes`]. They say where a run of another build differs.
    Parts(Parts),
}

impl Decision {
    /// Whether it changes nothing, but says what must be.
    pub fn is_witness(&self) -> bool {
        matches!(self, Decision::Mark(_) | Decision::State(_) | Decision::Parts(_))
    }
}

/// Short hashes of a machine's parts, by their names.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Parts {
    /// `hart 0`, `serial@10000000`, `memory 0x80000000-0x80ffffff`; shared by the records of a log.
    pub names: Arc<[String]>,
    /// As many hashes.
    pub hashes: Vec<[u8; 4]>,
}

impl Parts {
    /// Harts, devices and firmware.
    pub fn of(m: &mut Machine) -> Parts {
        Parts::from(m.part_hashes())
    }

    /// The same, and RAM.
    pub fn all(m: &mut Machine) -> Parts {
        let mut all = m.part_hashes();
        all.extend(m.ram_hashes(RANGES));
        Parts::from(all)
    }

    /// The names of parts that are not as in another machine's hashes; those that only one of them has are among them.
    pub fn differing(&self, other: &Parts) -> Vec<String> {
        let hash = |p: &Parts, name: &String| p.names.iter().position(|n| n == name).and_then(|i| p.hashes.get(i).copied());
        let only = other.names.iter().filter(|n| hash(self, n).is_none());
        self.names.iter().filter(|n| hash(self, n) != hash(other, n)).chain(only).cloned().collect()
    }
}

impl From<Vec<(String, [u8; 4])>> for Parts {
    fn from(mut list: Vec<(String, [u8; 4])>) -> Parts {
        list.truncate(MOST_PARTS);
        list.iter_mut().for_each(|(n, _)| {
            let end = (0..=LONGEST_NAME.min(n.len())).rfind(|i| n.is_char_boundary(*i)).unwrap_or(0);
            n.truncate(end);
        });
        let (names, hashes): (Vec<String>, Vec<[u8; 4]>) = list.into_iter().unzip();
        Parts { names: names.into(), hashes }
    }
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
    /// Hashes of its parts, RAM among them; none in a token and in logs before version 3.
    pub parts: Parts,
}
