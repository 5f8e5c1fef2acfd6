//! The only clock and scheduler: harts in round-robin on one virtual time line, device events, native firmware, state hash.
//!
//! Time goes in rounds. A round ends at a cycle known before it starts (quantum, next device event, or the caller's limit); each hart in
//! turn runs up to it. So what a hart sees of the others depends on guest state and the quantum only, never on the engine or the host.

mod breaks;
mod console;
mod detect;
mod end;
mod fork;
mod hash;
mod inject;
mod inspect;
mod native;
mod ras;
mod request;
mod run;
mod save;
mod signals;
mod single;
mod slice;
mod stop;
mod wake;

pub use breaks::MOST_PAGES;
pub use fork::ForkError;
pub use inject::{INJECTIONS, InjectError};
pub use single::HartStep;
pub use stop::Stop;

use std::collections::VecDeque;
use std::sync::Arc;

use emu_csr::Ext;
use emu_csr::field::menvcfg;

use crate::board::load::{self, Images, LoadError};
use crate::board::{self, BoardError, Drive};
use crate::bus::Bus;
use crate::engine::block::BlockCache;
use crate::engine::breaks::{Halves, Hit, Watchpoint};
use crate::firmware::Firmware;
use crate::hart::Hart;
use crate::insn::Decoder;
use crate::observer::Observer;

/// Which engine runs the harts. The choice changes no result.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum EngineKind {
    /// The exact stepper (T0).
    Step,
    /// Blocks of decoded instructions (T1).
    #[default]
    Block,
}

/// What a machine is built from, but for images and disks.
#[derive(Clone, Debug)]
pub struct MachineConfig {
    /// The board.
    pub board: board::Config,
    /// The engine.
    pub engine: EngineKind,
    /// Cycles a hart runs before the next one gets its turn (also with one hart: how often the outside is looked at).
    pub quantum: u64,
}

/// A machine that cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// The board.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// An image.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// Why [`Machine::run`] came back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RunEnd {
    /// The given cycle is reached.
    Limit,
    /// The guest powered off with this code.
    PowerOff(u32),
    /// The guest asked for a reboot.
    Reset,
    /// A program ended through `tohost` with this code.
    HtifExit(u64),
    /// A hart traps again and again and never returns.
    TrapLoop {
        /// Hart index.
        hart: usize,
        /// Where it trapped last.
        pc: u64,
        /// xcause of that trap.
        cause: u64,
    },
    /// A double trap in M-mode with nobody to take it: the hart is in the critical-error state (Smdbltrp), and the platform ends the run.
    CriticalError {
        /// Hart index.
        hart: usize,
        /// Where the unexpected trap happened.
        pc: u64,
        /// xcause of the unexpected trap.
        cause: u64,
    },
    /// All harts wait and nothing is armed that could wake one but, perhaps, input.
    AllAsleep {
        /// Whether bytes from outside could wake one (a hart waits with the external interrupt enabled).
        input: bool,
    },
    /// Native firmware has no answer to a trap.
    Fatal(&'static str),
    /// A hart is where a debugger wants it to stop ([`Machine::set_breaks`]). Going on from here is as if nobody had stopped.
    Break {
        /// Hart index.
        hart: usize,
        /// Why.
        hit: Hit,
    },
}

/// A machine.
pub struct Machine {
    harts: Vec<Hart>,
    bus: Bus,
    decoder: Arc<Decoder>,
    /// Made when first needed: a fork may not live so long.
    blocks: Option<Box<BlockCache>>,
    /// Cycles for which the stepper runs although the block engine was chosen: a fork's first ones, too few to be worth decoding.
    cold: u64,
    firmware: Option<Box<dyn Firmware>>,
    observer: Option<Box<dyn Observer>>,
    /// Places in pages that no block may cover, because a breakpoint has them.
    stops: Option<Box<Halves>>,
    /// Addresses that a debugger watches; whether the run stops for them; what did not stop it.
    watched: Vec<Watchpoint>,
    armed: bool,
    unasked: Option<(usize, Hit)>,
    /// Cycles that pass on a hart between the steps of a firmware operation, in which others may run (injection `pause`).
    pause: u64,
    /// Harts, one bit each by index, whose firmware operation is not at its end.
    in_firmware: u64,
    engine: EngineKind,
    quantum: u64,
    /// The round's end that harts have been run up to, or are being.
    round: u64,
    /// The first hart that has not been run up to `round`.
    turn: usize,
    /// Whether that hart's turn has begun.
    began: bool,
    /// The hart that [`Machine::step_hart`] stepped last, until [`Machine::run`] goes on.
    alone: Option<usize>,
    console_out: Vec<u8>,
    console_in: VecDeque<u8>,
    /// A request through HTIF rather than a device.
    htif: bool,
    /// Whether there is an error bank, whose signals native firmware gets.
    ras: bool,
}

impl Machine {
    /// Builds the board, loads the images and puts every hart at its reset vector. With `firmware` the images' `bios` must be native.
    pub fn new(
        config: MachineConfig,
        drives: Vec<Drive>,
        images: &Images<'_>,
        firmware: Option<Box<dyn Firmware>>,
    ) -> Result<Machine, MachineError> {
        let isa = config.board.isa;
        let mut board = config.board.clone();
        if let Some(fw) = &firmware {
            board.partition = fw.partition(&board.ids());
        }
        let mut machine = Machine::bare(config, drives, isa)?;
        let boot = load::load(&mut machine.bus, &board, images)?;
        // The device tree says that harts update A and D (Svadu without Svade). Native firmware sees to that; where there is none it must
        // hold from reset on. Programs with `tohost` begin as on Spike, which leaves it to them.
        let updates = firmware.is_none() && machine.bus.htif.is_none() && isa.has(Ext::Svadu) && !isa.has(Ext::Svade);
        for h in &mut machine.harts {
            if updates {
                h.csr.menvcfg |= menvcfg::ADUE;
            }
            h.pc = boot.pc;
            h.x[10] = h.id;
            h.x[11] = boot.dtb;
            h.x[12] = boot.info;
            (h.csr.rnmi_vector, h.csr.rnmi_exception_vector) = (board.rnmi_vector, board.rnmi_exception_vector);
            h.recontext();
        }
        machine.firmware = firmware;
        machine.boot(boot.pc, boot.dtb);
        Ok(machine)
    }

    /// Board and harts, nothing loaded.
    fn bare(config: MachineConfig, drives: Vec<Drive>, isa: emu_csr::Isa) -> Result<Machine, MachineError> {
        let bus = board::build(&config.board, drives)?;
        let made = config.board.ids().into_iter().enumerate();
        let mut harts: Vec<Hart> = made.map(|(index, id)| Hart { index, ..Hart::new(isa, id) }).collect();
        for h in &mut harts {
            h.tlb.trap_misaligned = config.board.trap_misaligned;
            h.recontext();
        }
        Ok(Machine {
            blocks: None,
            cold: 0,
            turn: harts.len(),
            harts,
            bus,
            decoder: Arc::new(Decoder::new(isa)),
            firmware: None,
            observer: None,
            stops: None,
            watched: Vec::new(),
            armed: false,
            unasked: None,
            pause: 0,
            in_firmware: 0,
            engine: config.engine,
            quantum: config.quantum.max(1),
            round: 0,
            began: false,
            alone: None,
            console_out: Vec::new(),
            console_in: VecDeque::new(),
            htif: false,
            ras: config.board.ras,
        })
    }

    /// Sets who is told of traps and returns.
    pub fn set_observer(&mut self, observer: Box<dyn Observer>) {
        for h in &mut self.harts {
            h.observed = observer.interest();
        }
        self.observer = Some(observer);
    }

    /// Nobody is told any more. Gives who was.
    pub fn clear_observer(&mut self) -> Option<Box<dyn Observer>> {
        for h in &mut self.harts {
            h.observed = crate::observer::Interest::NONE;
        }
        self.observer.take()
    }

    /// The harts, by index.
    pub fn harts(&self) -> &[Hart] {
        &self.harts
    }

    /// The harts, for tests and debuggers. After changing privileged state call [`Hart::recontext`].
    pub fn harts_mut(&mut self) -> &mut [Hart] {
        &mut self.harts
    }

    /// Sets the RNMI signal of hart index `hart`, a level (Smrnmi). Ignored by a hart without Smrnmi or an index without a hart.
    pub fn set_rnmi(&mut self, hart: usize, on: bool) {
        if let Some(h) = self.harts.get_mut(hart) {
            let effects = h.csr.set_line(emu_csr::Interrupt::Rnmi, on);
            h.apply(effects);
        }
    }

    /// Memory and devices.
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// Memory and devices, for tests and debuggers.
    pub fn bus_mut(&mut self) -> &mut Bus {
        &mut self.bus
    }

    /// The decoder of this machine's harts.
    pub fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Virtual time: the cycle that every hart has reached.
    pub fn cycles(&self) -> u64 {
        self.harts.iter().map(|h| h.cycles).min().unwrap_or(0)
    }

    /// Instructions retired by all harts.
    pub fn instret(&self) -> u64 {
        self.harts.iter().map(|h| h.instret).sum()
    }

    /// Cycles of all harts together: a number that never goes back and that every instruction and every exception raises, also while the
    /// other harts stand still. Only an interrupt's entry does not; see [`Stop::elapsed`].
    pub fn elapsed(&self) -> u64 {
        // A guest may sleep for ages.
        self.harts.iter().fold(0, |sum, h| sum.saturating_add(h.cycles))
    }

    /// Blocks the block engine has built, for benchmarks.
    pub fn blocks_built(&self) -> u64 {
        self.blocks.as_ref().map_or(0, |b| b.built)
    }
}

/// The observer as engines and firmware take it.
fn observing(observer: &mut Option<Box<dyn Observer>>) -> Option<&mut dyn Observer> {
    match observer {
        Some(o) => Some(o.as_mut()),
        None => None,
    }
}
