//! What happened, told to whoever asked: tracing, oracles, the tour. Off costs nothing in the engines' fast paths.

use emu_csr::{Cause, ChangeList, Interrupt, Mode, Why};

use crate::bus::Bus;
use crate::engine::trap::Return;
use crate::hart::Hart;
use crate::insn::{Footprint, Insn};
use crate::mmu::Walk;

/// A trap entry.
#[derive(Clone, Debug)]
pub struct TrapEntry {
    /// Hart index.
    pub hart: usize,
    /// Instructions retired before.
    pub instret: u64,
    /// Interrupted or faulting pc.
    pub pc: u64,
    /// Mode before and after.
    pub from: Mode,
    /// Mode after.
    pub to: Mode,
    /// What happened.
    pub cause: Cause,
    /// Which delegation bits chose the mode that takes it.
    pub why: Why,
    /// Interrupts pending and enabled at that moment (mip and mie), by bit: among them those that lost to the one taken.
    pub pending: u64,
    /// For an interrupt: the others of `pending`, each with the mode that it would have gone to.
    pub losers: Vec<(Interrupt, Mode)>,
    /// What xtval tells the handler: an address, an instruction, or 0.
    pub tval: u64,
    /// What mtval2 or htval does: a guest physical address shifted right by 2, for a double trap the first one's cause, or 0.
    pub tval2: u64,
    /// What mtinst or htinst does: a transformed instruction, a pseudo-instruction, or 0.
    pub tinst: u64,
    /// For page, guest-page and access faults: the page walk.
    pub walk: Option<Box<Walk>>,
    /// Every CSR it changed.
    pub changes: ChangeList,
}

/// A trap return (sret, mret, mnret).
#[derive(Clone, Debug)]
pub struct TrapReturn {
    /// Hart index.
    pub hart: usize,
    /// Instructions retired before it.
    pub instret: u64,
    /// pc of the return instruction.
    pub pc: u64,
    /// Which instruction. SRET may be executed in M-mode too.
    pub by: Return,
    /// Mode before.
    pub from: Mode,
    /// Mode after.
    pub to: Mode,
    /// pc after.
    pub target: u64,
    /// Every CSR it changed.
    pub changes: ChangeList,
}

/// A CSR instruction that was allowed to write.
#[derive(Clone, Debug)]
pub struct CsrWrite {
    /// Hart index.
    pub hart: usize,
    /// Instructions retired before it.
    pub instret: u64,
    /// pc of the instruction.
    pub pc: u64,
    /// Mode it ran in.
    pub mode: Mode,
    /// Every CSR it changed; empty if it wrote what was there.
    pub changes: ChangeList,
}

/// One value that a firmware operation read or changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FwField {
    /// What it is: a field of a CSR (`hstatus.SPV`), a register (`a6`), an attribute or an argument.
    pub name: &'static str,
    /// Value before the operation.
    pub before: u64,
    /// Value after it; the same as before when it was only read.
    pub after: u64,
}

/// Something native firmware did, or a note it makes: a call, an emulated trap, a transition of one of its objects.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FwRecord {
    /// Hart index.
    pub hart: usize,
    /// Instructions retired before.
    pub instret: u64,
    /// Family of the record (`call`, `trap`, `sse`, `note`...), chosen by the firmware.
    pub kind: &'static str,
    /// What it was, in the terms of the firmware's own specification.
    pub name: &'static str,
    /// Values, in the order in which the specification lists them.
    pub fields: Vec<FwField>,
}

/// An instruction that has retired; the hart is as it is afterwards.
pub struct Retired<'a> {
    /// The hart.
    pub hart: &'a Hart,
    /// Memory and devices.
    pub bus: &'a Bus,
    /// Its address.
    pub pc: u64,
    /// Mode it ran in.
    pub mode: Mode,
    /// The instruction.
    pub insn: &'a Insn,
    /// The memory access that it made, if any.
    pub access: Option<Footprint>,
    /// What a store has left in memory: its low `access.size` bytes. None if nothing was stored.
    pub stored: Option<u64>,
    /// fcsr before it.
    pub fcsr: u64,
}

/// Tells two observers the same: what either of them wants to hear of.
pub struct Both(
    /// The one who is told first.
    pub Box<dyn Observer>,
    /// The other.
    pub Box<dyn Observer>,
);

impl Observer for Both {
    fn interest(&self) -> Interest {
        Interest(self.0.interest().0 | self.1.interest().0)
    }

    fn stop(&self) -> bool {
        self.0.stop() || self.1.stop()
    }

    fn trap(&mut self, e: &TrapEntry) {
        self.0.trap(e);
        self.1.trap(e);
    }

    fn trapped(&mut self, hart: &Hart, bus: &Bus, e: &TrapEntry) {
        self.0.trapped(hart, bus, e);
        self.1.trapped(hart, bus, e);
    }

    fn ret(&mut self, r: &TrapReturn) {
        self.0.ret(r);
        self.1.ret(r);
    }

    fn returned(&mut self, hart: &Hart, bus: &Bus, r: &TrapReturn) {
        self.0.returned(hart, bus, r);
        self.1.returned(hart, bus, r);
    }

    fn csr_write(&mut self, w: &CsrWrite) {
        self.0.csr_write(w);
        self.1.csr_write(w);
    }

    fn firmware(&mut self, r: &FwRecord) {
        self.0.firmware(r);
        self.1.firmware(r);
    }

    fn wants_instructions(&self) -> bool {
        self.0.wants_instructions() || self.1.wants_instructions()
    }

    fn retired(&mut self, r: &Retired<'_>) {
        self.0.retired(r);
        self.1.retired(r);
    }
}

/// What an observer wants to hear of besides M-mode: traps into it, returns from it and what native firmware does are always told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interest(
    /// The bits below, or'ed.
    pub u8,
);

impl Interest {
    /// M-mode only.
    pub const MACHINE: Interest = Interest(Interest::ON);
    /// Also traps into HS- and VS-mode, and returns from them.
    pub const TRAPS: Interest = Interest(Interest::ON | Interest::LOWER);
    /// Also CSR instructions that write, in every mode.
    pub const ALL: Interest = Interest(Interest::ON | Interest::LOWER | Interest::WRITES);
    const ON: u8 = 1;
    const LOWER: u8 = 2;
    const WRITES: u8 = 4;

    /// What a hart tells that nobody observes.
    pub const NONE: Interest = Interest(0);

    /// Whether traps into `mode` and returns from it are told.
    #[inline]
    pub fn mode(self, mode: Mode) -> bool {
        self.0 & if mode as u8 == Mode::M as u8 { Interest::ON } else { Interest::LOWER } != 0
    }

    /// Whether traps below M-mode are told.
    #[inline]
    pub fn lower(self) -> bool {
        self.0 & Interest::LOWER != 0
    }

    /// Whether CSR writes are told.
    #[inline]
    pub fn writes(self) -> bool {
        self.0 & Interest::WRITES != 0
    }
}

/// Receives events in order.
pub trait Observer {
    /// What it wants to hear of. It is asked again after each record of a trap or return, and before a hart's turn.
    fn interest(&self) -> Interest {
        Interest::ALL
    }
    /// Whether the run is to stop where it is. It is asked where [`Observer::interest`] is; the machine then says that it has reached
    /// its limit ([`crate::machine::RunEnd::Limit`]).
    fn stop(&self) -> bool {
        false
    }
    /// A trap was entered.
    fn trap(&mut self, _e: &TrapEntry) {}
    /// A trap returned.
    fn ret(&mut self, _r: &TrapReturn) {}
    /// As [`Observer::trap`], which comes first, with the hart itself: its registers, pc and mode are still those of the moment before,
    /// its CSRs those after the entry.
    fn trapped(&mut self, _hart: &Hart, _bus: &Bus, _e: &TrapEntry) {}
    /// As [`Observer::ret`], which comes first, with the hart as it goes on.
    fn returned(&mut self, _hart: &Hart, _bus: &Bus, _r: &TrapReturn) {}
    /// A CSR instruction wrote.
    fn csr_write(&mut self, _w: &CsrWrite) {}
    /// Native firmware did something.
    fn firmware(&mut self, _r: &FwRecord) {}
    /// Whether [`Observer::retired`] is to be told; asked at every turn of a hart. If so, harts run on the exact stepper.
    fn wants_instructions(&self) -> bool {
        false
    }
    /// An instruction retired.
    fn retired(&mut self, _r: &Retired<'_>) {}
}
