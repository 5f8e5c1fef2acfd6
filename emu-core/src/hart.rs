//! One hart: registers, privileged state, translation cache and clocks.

use emu_csr::{Csrs, Isa, Mode, Now};

use crate::bus::Bus;
use crate::engine::block::T1;
use crate::engine::breaks::Breaks;
use crate::engine::trap::Traps;
use crate::engine::watch::tlb::CountedTlbs;
use crate::mmu::{Attempt, Tlb};
use crate::observer::{CsrWrite, Interest, TrapReturn};

/// Something an instruction did that the engine must act on before it goes on: a small set of flags in [`Hart::events`].
pub mod event {
    /// WFI (or WRS) wants to wait: [`super::Hart::wait`] says for what.
    pub const WAIT: u32 = 1;
    /// The instruction stream may have changed (`fence.i`, a store to a page that has decoded code).
    pub const CODE: u32 = 2;
    /// Interrupts must be looked at again before the next instruction.
    pub const INTERRUPTS: u32 = 4;
    /// The deadline must be computed again (timer, counters, a device asked for an earlier event).
    pub const DEADLINE: u32 = 8;
    /// The translation context changed (mode, satp, SUM...): blocks and jump cache are looked up again.
    pub const CONTEXT: u32 = 16;
    /// The machine must stop or look (power off, HTIF exit, breakpoint).
    pub const STOP: u32 = 32;
    /// A CSR write or a trap return waits in [`super::Hart::last_write`] or [`super::Hart::last_return`] for the observer.
    pub const TOLD: u32 = 64;
}

/// Whether a hart executes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Wait {
    /// Executing.
    #[default]
    Running,
    /// In WFI: until an enabled interrupt is pending ([`Csrs::wfi_wakes`]).
    Wfi,
    /// In WRS.NTO/WRS.STO: until the reservation is lost, an interrupt is pending, or (STO) the given cycle.
    Wrs(u64),
    /// Held by firmware or never started (HSM STOPPED, SUSPENDED): only firmware starts it.
    Held,
}

/// Poisoned data that an instruction wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Poisoned {
    /// The line's physical address.
    pub line: u64,
    /// The instruction did not ask for it itself: a page table entry.
    pub implicit: bool,
}

/// The state of one hart. Contract with instruction semantics: when one runs, `pc` is its address, `next_pc` its fall-through
/// address (write it to jump), `instret` and `cycles` count what came before it; a failed instruction changes nothing but what
/// the manual says.
#[repr(C)]
pub struct Hart {
    /// Integer registers. `x[0]` stays 0; index 32 is where engines send writes to x0.
    pub x: [u64; 33],
    /// Program counter.
    pub pc: u64,
    /// Address of the next instruction; see the contract above.
    pub next_pc: u64,
    /// Flags of [`event`], cleared by the engine.
    pub events: u32,
    /// Privilege mode. Change it only through [`Hart::set_mode`].
    pub mode: Mode,
    /// FLEN=64 floating-point registers, NaN-boxed.
    pub f: [u64; 32],
    /// Instructions retired.
    pub instret: u64,
    /// Virtual cycles on the machine's common time line, including those spent waiting.
    pub cycles: u64,
    /// Privileged state.
    pub csr: Csrs,
    /// Address translation cache and the access paths that use it.
    pub tlb: Tlb,
    /// LR's reservation: physical address of the reserved 64-byte set, dropped when another hart gets the machine.
    pub reservation: Option<u64>,
    /// Whether the hart executes or waits.
    pub wait: Wait,
    /// mhartid.
    pub id: u64,
    /// Its place among the machine's harts: what records of what it did call it.
    pub index: usize,
    /// Whether M-mode is native firmware's: the guest runs no instruction there.
    pub firmware: bool,
    /// How deep it is in traps, for finding trap loops.
    pub traps: Traps,
    /// What an observer wants to hear of.
    pub observed: Interest,
    /// A trap return not yet reported.
    pub last_return: Option<Box<TrapReturn>>,
    /// A CSR write not yet reported.
    pub last_write: Option<Box<CsrWrite>>,
    /// The last access that the TLB could not answer, while an observer listens: what a fault's page walk is about.
    pub attempt: Option<Attempt>,
    /// The counted TLBs, while a counter counts an event of theirs.
    pub counted: Option<Box<CountedTlbs>>,
    /// Where a debugger wants this hart to stop. No guest state.
    pub breaks: Option<Box<Breaks>>,
    /// The poisoned line that the last hardware error of an access was about.
    pub poisoned: Option<Poisoned>,
    /// The same, of a hardware-error exception that was taken and is not logged yet.
    pub hardware_error: Option<Poisoned>,
    /// What the block engine keeps here while it runs this hart.
    pub t1: T1,
}

impl Hart {
    /// A hart after reset: M-mode, pc 0 (the board sets it), all registers 0.
    pub fn new(isa: Isa, id: u64) -> Hart {
        Hart {
            x: [0; 33],
            pc: 0,
            next_pc: 0,
            events: 0,
            mode: Mode::M,
            f: [0; 32],
            instret: 0,
            cycles: 0,
            csr: Csrs::new(isa, id),
            tlb: Tlb::new(),
            reservation: None,
            wait: Wait::Running,
            id,
            index: 0,
            firmware: false,
            traps: Traps::default(),
            observed: Interest::NONE,
            last_return: None,
            last_write: None,
            attempt: None,
            counted: None,
            poisoned: None,
            hardware_error: None,
            breaks: None,
            t1: T1::new(),
        }
    }

    /// The clocks as an instruction at this point sees them.
    #[inline]
    pub fn now(&self, bus: &Bus) -> Now {
        Now { cycles: self.cycles, instret: self.instret, time: bus.clock.ticks(self.cycles) }
    }
}
