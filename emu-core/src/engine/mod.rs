//! Engines: run one hart until a deadline or until the machine must look.

pub mod block;
pub mod breaks;
pub mod step;
pub mod trap;
pub mod watch;

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
