//! M-mode's native resident. A trap to M-mode first changes the architectural state exactly as hardware does; then the firmware runs,
//! one atomic step at a time, sees and changes those same CSRs, and leaves by an architectural `mret`.

use crate::bus::{Bus, Request};
use crate::dev::StateIo;
use crate::hart::Hart;

/// What firmware sees of the machine.
pub struct Platform<'a> {
    /// All harts, by index (not by mhartid).
    pub harts: &'a mut [Hart],
    /// Memory, devices, time.
    pub bus: &'a mut Bus,
    /// Bytes the firmware prints (DBCN, legacy putchar), to the same console as the UART.
    pub console_out: &'a mut Vec<u8>,
    /// Bytes typed and not yet read by the UART (DBCN read, legacy getchar).
    pub console_in: &'a mut std::collections::VecDeque<u8>,
}

/// How a step ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FwStep {
    /// The operation goes on: call again (other harts may run in between if the schedule says so).
    More,
    /// The firmware has left M-mode by `mret` (or put the hart to sleep: [`crate::hart::Wait::Held`]); `cost` is its price in cycles.
    Done {
        /// Cycles the operation took.
        cost: u64,
    },
    /// The machine must power off or reset.
    Request(Request),
    /// Nothing can be done (a trap the firmware has no answer for); the text explains it to the user.
    Fatal(&'static str),
}

/// Native firmware.
pub trait Firmware {
    /// Cold boot: sets up the boot hart (index `boot`) for S-mode entry at `entry` with a0 = hart id, a1 = `dtb`, all others held.
    fn boot(&mut self, platform: &mut Platform<'_>, boot: usize, entry: u64, dtb: u64);
    /// One step of handling the trap that has just entered M-mode on hart index `hart` (mcause, mepc... are set).
    fn step(&mut self, platform: &mut Platform<'_>, hart: usize) -> FwStep;
    /// Visits all state, to save it or to restore it.
    fn state(&mut self, io: &mut dyn StateIo);
}
