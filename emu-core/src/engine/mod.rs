//! Engines: run one hart until a deadline or until the machine must look.

pub mod block;
pub mod breaks;
pub mod step;
pub mod trap;
pub mod watch;

use crate::bus::Bus;
use crate::hart::Hart;
use crate::insn::Decoder;
use crate::observer::Observer;

/// A hart's turn: who runs, with what, and until when. Every engine takes one.
pub struct Turn<'a, 'o, T> {
    /// Who runs.
    pub hart: &'a mut Hart,
    /// RAM and devices.
    pub bus: &'a mut Bus,
    /// The instructions of its ISA.
    pub decoder: &'a Decoder,
    /// What they cost ([`crate::timing::TimingModel`]).
    pub timing: &'a mut T,
    /// The turn ends when the hart's `cycles` have reached this.
    pub until: u64,
    /// Who hears of it.
    pub observer: &'a mut Option<&'o mut dyn Observer>,
}

/// Why an engine gave the hart back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SliceEnd {
    /// The deadline is reached.
    Deadline,
    /// The hart has entered M-mode and native firmware may want it.
    EnteredM,
    /// The hart waits ([`crate::hart::Hart::wait`]).
    Wait,
    /// A device, timer or counter changed what the machine computed for this slice.
    Look,
    /// A debugger's breakpoint, watchpoint or step ([`breaks::Breaks::hit`]).
    Break,
    /// A double trap in M-mode has stopped the hart for good ([`trap::Traps::critical`]).
    CriticalError,
}
