//! Native firmware: its boot, its steps in a hart's time, and what asks something of it from outside.

use super::{Machine, RunEnd, observing};
use crate::firmware::{Firmware, FwStep, Platform};
use crate::hart::{Wait, event};
use crate::mem::Writer;

/// Cycles between two looks at what another hart's firmware operation holds.
const SPIN: u64 = 100;

impl Machine {
    /// Boots native firmware, if there is one.
    pub(super) fn boot(&mut self, entry: u64, dtb: u64) {
        self.bus.code_writes.clear();
        if let Some((fw, mut platform)) = self.native() {
            for h in platform.harts.iter_mut() {
                h.wait = Wait::Held;
                h.firmware = true;
            }
            fw.boot(&mut platform, 0, entry, dtb);
        }
    }

    /// The native firmware, if there is one, and the machine as it sees it.
    pub(super) fn native(&mut self) -> Option<(&mut dyn Firmware, Platform<'_>)> {
        let platform = Platform {
            harts: &mut self.harts,
            bus: &mut self.bus,
            decoder: &self.decoder,
            console_out: &mut self.console_out,
            console_in: &mut self.console_in,
            observer: observing(&mut self.observer),
        };
        Some((self.firmware.as_deref_mut()?, platform))
    }

    /// Lets native firmware work on a hart that is in M-mode: a trap that has just entered, or an operation that has paused.
    pub(super) fn call_firmware(&mut self, i: usize) -> Option<RunEnd> {
        self.in_firmware &= !(1 << i);
        loop {
            let (fw, mut platform) = self.native()?;
            if platform.bus.ram.has_journal() {
                let (hart, (what, step)) = (i, fw.doing(&platform.harts[i], i));
                platform.bus.ram.accessed_by(Some(Writer::Firmware { hart, what, step }));
            }
            let step = fw.step(&mut platform, i);
            self.bus.ram.accessed_by(None);
            let pause = match step {
                FwStep::More => self.pause,
                FwStep::Spin => SPIN,
                FwStep::Done { cost } => {
                    let h = &mut self.harts[i];
                    h.cycles = h.cycles.saturating_add(cost);
                    if h.csr.counters_by_mode {
                        // The firmware has returned already, but its time was M-mode's.
                        h.csr.charge_machine_cycles(cost, h.mode);
                    }
                    if h.csr.interrupt_possible() {
                        h.events |= event::INTERRUPTS;
                    }
                    // Before any other hart goes on, which may see what this operation has done.
                    if let (Some(r), Some(o)) = (h.last_return.take(), &mut self.observer) {
                        h.tell_return(&self.bus, o.as_mut(), &r);
                    }
                    return None;
                }
                FwStep::Request(r) => {
                    self.bus.request = Some(r);
                    return self.request();
                }
                FwStep::Fatal(text) => return Some(RunEnd::Fatal(text)),
            };
            if pause > 0 {
                let h = &mut self.harts[i];
                h.cycles = h.cycles.saturating_add(pause);
                self.in_firmware |= 1 << i;
                return None;
            }
        }
    }

    /// The native firmware, if there is one.
    pub fn firmware(&self) -> Option<&dyn Firmware> {
        self.firmware.as_deref()
    }

    /// Whether hart index `hart` is in an operation of native firmware that has paused.
    pub fn is_in_firmware(&self, hart: usize) -> bool {
        hart < 64 && self.in_firmware >> hart & 1 != 0
    }

    /// Harts, one bit each by index, on which an operation of native firmware has paused.
    pub fn firmware_pending(&self) -> u64 {
        self.in_firmware
    }

    /// Signals an event of native firmware's own (a RAS event, a platform's) to hart index `hart`, before the next instruction that
    /// [`Machine::run`] executes. The error says why the firmware refuses.
    pub fn raise(&mut self, event: u64, hart: usize) -> Result<(), &'static str> {
        let Some((fw, mut platform)) = self.native() else { return Err("there is no native firmware") };
        fw.raise(&mut platform, event, hart)
    }
}
