//! A whole machine as bytes and pages, and back.

use super::{Machine, MachineConfig, MachineError};
use crate::board::Drive;
use crate::dev::{Htif, StateIo, state};
use crate::firmware::Firmware;

impl Machine {
    /// A machine of this configuration with nothing loaded, to restore a saved state into ([`Machine::visit_saved`]).
    pub fn blank(
        config: MachineConfig,
        drives: Vec<Drive>,
        firmware: Option<Box<dyn Firmware>>,
    ) -> Result<Machine, MachineError> {
        let isa = config.board.isa;
        let mut machine = Machine::bare(config, drives, isa)?;
        machine.firmware = firmware;
        // Firmware makes room for its state when it boots.
        machine.boot(0, 0);
        Ok(machine)
    }

    /// Visits everything but RAM that a machine needs to go on: [`Machine::visit_state`], and what no guest sees but a run's end or
    /// output depends on. After restoring call [`Machine::restored`].
    pub fn visit_saved(&mut self, io: &mut dyn StateIo) {
        let (mut tohost, mut fromhost) = self.bus.htif.as_ref().map_or((None, None), |h| (Some(h.tohost()), h.fromhost()));
        io.part("htif", 0);
        state::option(io, "tohost", &mut tohost);
        state::option(io, "fromhost", &mut fromhost);
        match (&self.bus.htif, tohost) {
            (Some(h), Some(t)) if h.tohost() == t && h.fromhost() == fromhost => {}
            (_, Some(t)) if t % 8 == 0 && self.bus.ram.contains(t, 8) => self.bus.htif = Some(Htif::new(t, fromhost)),
            _ => self.bus.htif = None,
        }
        self.visit_state(io);
        io.part("machine", 0);
        io.u64("pause", &mut self.pause);
        io.bytes("console output", &mut self.console_out);
        for h in &mut self.harts {
            state::u32(io, "events", &mut h.events);
            h.traps.state(io);
        }
    }

    /// Brings everything that follows from the state up to date with it, after it was replaced.
    pub fn restored(&mut self) {
        self.blocks = None;
        self.bus.code_writes.clear();
        self.bus.new_code.clear();
        self.bus.lines_changed = true;
        for h in &mut self.harts {
            h.x[0] = 0;
            h.events &= !crate::hart::event::TOLD;
            h.tlb.flush();
            h.recontext();
        }
    }
}
