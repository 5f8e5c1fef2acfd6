//! Forks of a whole machine: both go on from the same state, and neither ever sees what the other does. Memory is shared until written.

use super::Machine;
use crate::engine::block::T1;
use crate::hart::Hart;
use crate::mmu::Tlb;

/// Cycles that a fork runs on the exact stepper before it makes caches of blocks of its own.
const COLD: u64 = 20_000;

/// A machine that cannot be forked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("device {0} writes to a file of the host, which two machines cannot share; give the drive snapshot=on")]
pub struct ForkError(pub String);

impl Machine {
    /// A machine in the same state. Translations and decoded blocks are not copied, they are no state. Nobody
    /// observes the fork.
    pub fn fork(&self) -> Result<Machine, ForkError> {
        let bus = self.bus.fork().map_err(ForkError)?;
        Ok(Machine {
            harts: self.harts.iter().map(Hart::fork).collect(),
            blocks: None,
            cold: COLD,
            bus,
            decoder: self.decoder.clone(),
            firmware: self.firmware.as_ref().map(|f| f.fork()),
            observer: None,
            engine: self.engine,
            quantum: self.quantum,
            round: self.round,
            turn: self.turn,
            alone: self.alone,
            began: self.began,
            in_firmware: self.in_firmware,
            stops: None,
            watched: Vec::new(),
            armed: false,
            unasked: None,
            pause: self.pause,
            console_out: self.console_out.clone(),
            console_in: self.console_in.clone(),
            htif: self.htif,
            ras: self.ras,
        })
    }

    /// Chooses the engine from here on. The choice changes no result.
    pub fn set_engine(&mut self, engine: super::EngineKind) {
        self.engine = engine;
        self.cold = 0;
    }
}

impl Hart {
    /// A hart in the same state with empty caches, which nobody observes. Every field is named: a new one must say what a fork has.
    fn fork(&self) -> Hart {
        let mut tlb = Tlb::new();
        tlb.trap_misaligned = self.tlb.trap_misaligned;
        let mut hart = Hart {
            x: self.x,
            pc: self.pc,
            next_pc: self.next_pc,
            events: 0,
            mode: self.mode,
            f: self.f,
            instret: self.instret,
            cycles: self.cycles,
            csr: self.csr.clone(),
            tlb,
            reservation: self.reservation,
            wait: self.wait,
            id: self.id,
            index: self.index,
            firmware: self.firmware,
            traps: self.traps,
            observed: crate::observer::Interest::NONE,
            last_return: None,
            last_write: None,
            attempt: None,
            counted: self.counted.clone(),
            poisoned: None,
            hardware_error: None,
            breaks: None,
            t1: T1::new(),
        };
        hart.recontext();
        hart.events = self.events;
        hart
    }
}
