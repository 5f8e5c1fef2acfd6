//! M-mode's native resident. A trap to M-mode first changes the architectural state exactly as hardware does; then the firmware runs,
//! one atomic step at a time, sees and changes those same CSRs, and leaves by an architectural `mret`.

use crate::board::Partition;
use crate::bus::{Bus, Request};
use crate::dev::StateIo;
use crate::dev::reri::Signal;
use crate::hart::Hart;
use crate::insn::Decoder;
use crate::observer::{FwField, FwRecord, Observer};

/// What firmware sees of the machine.
pub struct Platform<'a> {
    /// All harts, by index (not by mhartid).
    pub harts: &'a mut [Hart],
    /// Memory, devices, time.
    pub bus: &'a mut Bus,
    /// Tells the instructions of the harts apart, all of which have the same.
    pub decoder: &'a Decoder,
    /// Bytes the firmware prints (DBCN, legacy putchar), to the same console as the UART.
    pub console_out: &'a mut Vec<u8>,
    /// Bytes typed and not yet read by the UART (DBCN read, legacy getchar).
    pub console_in: &'a mut std::collections::VecDeque<u8>,
    /// Who is told what the firmware does; see [`Platform::record`].
    pub observer: Option<&'a mut dyn Observer>,
}

impl Platform<'_> {
    /// Tells the observer, if there is one, what the firmware has done on hart index `hart`. `fields` is called only then.
    pub fn record(&mut self, hart: usize, kind: &'static str, name: &'static str, fields: impl FnOnce() -> Vec<FwField>) {
        if let Some(o) = &mut self.observer {
            let instret = self.harts.get(hart).map_or(0, |h| h.instret);
            o.firmware(&FwRecord { hart, instret, kind, name, fields: fields() });
        }
    }
}

/// How a step ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FwStep {
    /// The operation goes on: call again (other harts may run in between if a pause was injected).
    More,
    /// The operation waits for something that another hart's operation holds: call again after other harts have run.
    Spin,
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
    /// What it keeps from the software that it boots on the first of the harts with these ids: the device tree says so, and images keep out.
    fn partition(&self, _ids: &[u64]) -> Partition {
        Partition::default()
    }
    /// One step of handling the trap that has just entered M-mode on hart index `hart` (mcause, mepc... are set).
    fn step(&mut self, platform: &mut Platform<'_>, hart: usize) -> FwStep;
    /// What the next step on this hart (by index) belongs to, in the firmware's own terms, and its number there, from 1: for whoever wants to
    /// know who wrote memory.
    fn doing(&self, _hart: &Hart, _index: usize) -> (&'static str, u64) {
        ("native firmware", 1)
    }
    /// Something outside the harts (a device, a monitor) signals the firmware's event `event` to hart index `hart`. Which events there are
    /// is the firmware's business; it says why it refuses one.
    fn raise(&mut self, _platform: &mut Platform<'_>, _event: u64, _hart: usize) -> Result<(), &'static str> {
        Err("this firmware takes no events from outside")
    }
    /// An error record of the machine's error bank sends a low- or high-priority RAS signal.
    fn ras(&mut self, _platform: &mut Platform<'_>, _signal: Signal) {}
    /// Visits all state, to save it or to restore it.
    fn state(&mut self, io: &mut dyn StateIo);
    /// Itself, for a debugger that knows this firmware and shows its state.
    fn as_any(&self) -> Option<&dyn std::any::Any> {
        None
    }
    /// Firmware in the same state for a fork of the machine.
    fn fork(&self) -> Box<dyn Firmware>;
}
