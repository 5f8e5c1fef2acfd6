//! Reliability: poisoned memory, errors that go into the error bank, and its signals on their way to native firmware.

use super::Machine;
use crate::dev::Reri;
use crate::dev::reri::{Class, code, status};
use crate::hart::event;

/// Transaction types of an error record: explicit and implicit read.
const READ: [u64; 2] = [4, 6];

impl Machine {
    /// Poisons all 64-byte lines of a range of RAM, or takes the poison from them: an instruction that reads such a line, also to fetch
    /// it or as a page table entry, raises a hardware-error exception; CBO.ZERO of the line, which reads nothing of it, cures it. False
    /// if the range is not RAM or has too many lines ([`crate::mem::Poison::MAX`]).
    pub fn poison(&mut self, address: u64, bytes: u64, on: bool) -> bool {
        if bytes == 0 || !self.bus.ram.set_poison(address, bytes, on) {
            return false;
        }
        // Whoever has a page of it cached for direct access must look again.
        let (first, last) = (address >> 12, (address + (bytes - 1)) >> 12);
        self.bus.code_writes.extend(first..=last);
        for h in &mut self.harts {
            h.tlb.flush();
            h.events |= event::CODE | event::CONTEXT;
        }
        true
    }

    /// Logs an error of a class (0 to 3) in a record of the error bank, as if the record's unit had found it. The error says why not.
    pub fn log_error(&mut self, record: u64, class: u64, address: u64) -> Result<(), &'static str> {
        let now = self.cycles();
        let ticks = self.bus.clock.ticks(now);
        let Some(class) = Class::of(class) else { return Err("classes are 0 (informational) to 3 (critical)") };
        let Some(bank) = self.bus.device::<Reri>() else { return Err("this machine has no error bank; give it one with --ras") };
        let Some(record) = usize::try_from(record).ok().filter(|r| *r < bank.records()) else {
            return Err("there is no such record");
        };
        bank.log(record, class.bit() | code::MEMORY_DATA << status::EC, address, ticks);
        self.bus.lines_changed = true;
        Ok(())
    }

    /// The hardware-error exception that hart `i` has just taken: its error record says of what. It is containable, for nothing
    /// of the instruction has happened.
    pub(super) fn log_hardware_error(&mut self, i: usize) {
        let h = &mut self.harts[i];
        let Some(p) = h.hardware_error.take() else { return };
        let ticks = self.bus.clock.ticks(h.cycles);
        let Some(bank) = self.bus.device::<Reri>() else { return };
        let kind = READ[usize::from(p.implicit)] << status::TT;
        bank.log(1 + i, status::UEC | status::C | kind | code::CORRUPTED_DATA << status::EC, p.line, ticks);
        self.bus.lines_changed = true;
        self.ras_signals();
    }

    /// Tells native firmware of the bank's signals.
    pub(super) fn ras_signals(&mut self) {
        let signals = self.bus.device::<Reri>().map(Reri::take_signals).unwrap_or_default();
        let Some((fw, mut platform)) = self.native() else { return };
        for signal in signals {
            fw.ras(&mut platform, signal);
        }
    }
}
