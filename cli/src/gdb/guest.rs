//! What a debugger's server needs of a run, live or with a history.

use std::path::Path;

use emu_core::machine::Machine;
use gdbstub::stub::MultiThreadStopReason;
use replay::ledger::{Entry, FieldName};
use replay::timeline::Place;

use super::listen::Inbound;
use super::stops::Stops;
use crate::exit::CliError;
use crate::session::End;

/// What a slice of a run came to.
#[derive(Debug)]
pub enum Advance {
    /// On to the next.
    Going,
    /// The debugger's breakpoint, watchpoint or step, or the end of a history.
    Stopped(MultiThreadStopReason<u64>),
    /// The same, with words for the debugger's user.
    Said(String, MultiThreadStopReason<u64>),
    /// The run has ended.
    Ended(End),
}

/// A way back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Back {
    /// One step of a hart.
    Step(usize),
    /// To the last stop.
    Continue,
}

/// What the debugger wants of the run next.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Resume {
    /// Steps: hart index, and the range of addresses to leave.
    pub steps: Vec<(usize, u64, u64)>,
    /// Only the harts that step were meant to run.
    pub locked: bool,
    /// Backwards, with nothing of the above.
    pub back: Option<Back>,
}

/// Takes words for the debugger's user while something takes its time. GDB gives a command up that is silent for two seconds.
pub type Say<'a> = &'a mut dyn FnMut(&str);

/// What last changed a CSR: the entry, and the values before and after; or why there is no answer.
pub type Writer = Result<(Entry, u64, u64), String>;

/// A run.
pub trait Guest {
    /// The machine, to look at.
    fn look(&self) -> &Machine;
    /// The machine, for what needs `&mut` and changes nothing that a guest could see.
    fn inspect(&mut self) -> &mut Machine;
    /// The machine, to change it. Only if the run is not [`Guest::is_fixed`].
    fn change(&mut self) -> &mut Machine;
    /// Why the guest may not be changed, if it may not: a recording or a history would not be true any more.
    fn is_fixed(&self) -> Option<&'static str>;
    /// Whether the run can go back.
    fn has_history(&self) -> bool;
    /// A debugger is there.
    fn attach(&mut self);
    /// It has gone: nothing stops the guest any more.
    fn detach(&mut self);
    /// Handles what has come in meanwhile.
    fn poll(&mut self) -> Result<(), CliError>;
    /// Waits until something comes in.
    fn wait_for_more(&mut self) -> Result<(), CliError>;
    /// Why the run is to end, if somebody wants it to.
    fn take_stop(&mut self) -> Option<End>;
    /// The next thing that the debugger's connection did.
    fn inbound(&mut self) -> Option<Inbound>;
    /// Goes on with these stops; [`Guest::advance`] does it.
    fn resume(&mut self, stops: Stops, resume: &Resume);
    /// Goes on for a while.
    fn advance(&mut self) -> Result<Advance, CliError>;
    /// The last `count` entries of the trap ledger (of one hart, if given), oldest first.
    fn recent(&mut self, count: usize, hart: Option<usize>, say: Say<'_>) -> Result<Vec<Entry>, CliError>;
    /// What last changed a CSR or a field on a hart.
    fn last_writer(&mut self, hart: usize, field: &FieldName, say: Say<'_>) -> Result<Writer, CliError>;
    /// Violations of oracles up to here, in words; none if no oracles listen.
    fn violations(&self) -> Option<Vec<String>>;
    /// Goes back to where a register, a CSR or its field, or memory was written last; what came of it, in words.
    fn back_to(&mut self, of: &str, hart: usize, say: Say<'_>) -> Result<String, CliError>;
    /// Where the run is, in words.
    fn position(&self) -> String;
    /// Checkpoints of the history, in words.
    fn checkpoints(&self) -> String;
    /// Goes to a place of the run, in the present boot if none is given; what came of it, in words.
    fn go_to(&mut self, boot: Option<u32>, place: Place, say: Say<'_>) -> Result<String, CliError>;
    /// Saves the machine as it is; what came of it, in words.
    fn save(&mut self, file: &Path) -> String;
    /// Lets something enter the run here ([`Machine::inject`]), as part of its recording or history. An error says why not.
    fn inject(&mut self, name: &str, args: &[u64]) -> Result<(), String>;
    /// Lets a recorded run go on from here by itself; what came of it, in words.
    fn go_live(&mut self) -> String;
}
