//! Trap entry: which mode takes a trap, and every CSR that changes (Privileged ISA, "Machine Trap Delegation", "mstatus";
//! Hypervisor, "Trap Entry").

use crate::access::Effects;
use crate::change::{Change, ChangeSink};
use crate::csrs::{Csrs, with_sd};
use crate::isa::Ext;
use crate::mode::Mode;
use crate::table::field::{hstatus, menvcfg, mnstatus, mstatus};
use crate::table::{self, Reg};
use crate::trap::{Cause, Exception, Interrupt, Trap};

/// Where a hart goes on after a trap entry or return.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The new mode.
    pub mode: Mode,
    /// The new pc.
    pub pc: u64,
    /// What the machine must do.
    pub effects: Effects,
    /// What the handler is told of a trap: its own cause, or a double trap. `None` for a return.
    pub cause: Option<Cause>,
}

/// Why a trap goes where it goes: what the delegation registers say of its cause.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Why {
    /// The cause.
    pub cause: Cause,
    /// medeleg's or mideleg's bit; `None` when the trap was raised in M-mode, whose exceptions are never delegated.
    pub machine: Option<bool>,
    /// hedeleg's or hideleg's bit; `None` when it did not come to that: V=0, or not delegated by M-mode.
    pub hypervisor: Option<bool>,
}

/// Everything a trap writes besides the status registers.
struct Values {
    cause: Cause,
    epc: u64,
    tval: u64,
    tval2: u64,
    tinst: u64,
    gva: bool,
}

/// How a trap into M-mode is delivered ("Double Trap Control in mstatus Register").
enum Machine {
    /// As ever.
    Expected,
    /// To the RNMI handler.
    Rnmi,
    /// Not at all.
    CriticalError,
}

const SWITCH: Effects = Effects::CONTEXT.with(Effects::INTERRUPTS);

impl Csrs {
    /// Which mode takes a trap of this cause raised in `mode` (M, HS or VS), and the bits that decide it.
    pub fn delegate(&self, mode: Mode, cause: Cause) -> (Mode, Why) {
        let (machine, hypervisor, code) = match cause {
            Cause::Exception(exception) => (self.medeleg, self.hedeleg, exception as u8),
            Cause::Interrupt(interrupt) => (self.mideleg, self.hideleg, interrupt as u8),
        };
        let mut why = Why { cause, machine: None, hypervisor: None };
        if mode == Mode::M {
            return (Mode::M, why);
        }
        let to_hs = machine >> code & 1 != 0;
        why.machine = Some(to_hs);
        if !to_hs {
            return (Mode::M, why);
        }
        if !mode.virt() {
            return (Mode::HS, why);
        }
        let to_vs = hypervisor >> code & 1 != 0;
        why.hypervisor = Some(to_vs);
        (if to_vs { Mode::VS } else { Mode::HS }, why)
    }

    /// Takes a synchronous exception raised in `mode` by the instruction at `pc`.
    #[inline]
    pub fn enter_exception(&mut self, mode: Mode, pc: u64, trap: &Trap, sink: &mut impl ChangeSink) -> Entry {
        let (target, _) = self.delegate(mode, Cause::Exception(trap.cause));
        self.take(mode, target, Values::of(mode, pc, trap), sink)
    }

    /// As [`Csrs::enter_exception`], but `target` takes it whatever the delegation registers say: how M-mode firmware hands a trap
    /// on to the supervisor. The hart is still in M-mode afterwards; the entry says where its return must lead. This is never a double
    /// trap, and the ELP that the trap into M-mode has saved in MPELP is passed on.
    pub fn enter_exception_at(&mut self, target: Mode, mode: Mode, pc: u64, trap: &Trap, sink: &mut impl ChangeSink) -> Entry {
        if self.mstatus & mstatus::MPELP != 0 {
            self.set_status(table::MSTATUS, Reg::mstatus, self.mstatus & !mstatus::MPELP, sink);
            self.elp = true;
        }
        self.enter(mode, target, Values::of(mode, pc, trap), sink)
    }

    /// Takes an interrupt in `mode` before the instruction at `pc`; `target` is what `pending_interrupt` chose.
    pub fn enter_interrupt(
        &mut self,
        mode: Mode,
        pc: u64,
        interrupt: Interrupt,
        target: Mode,
        sink: &mut impl ChangeSink,
    ) -> Entry {
        let values = Values { cause: Cause::Interrupt(interrupt), epc: pc, tval: 0, tval2: 0, tinst: 0, gva: false };
        if interrupt == Interrupt::Rnmi {
            return self.enter_rnmi(mode, &values, sink);
        }
        self.take(mode, target, values, sink)
    }

    /// Delivers a trap that hardware takes: to `target`, unless trap-taking is disabled there.
    #[inline]
    fn take(&mut self, mode: Mode, target: Mode, mut values: Values, sink: &mut impl ChangeSink) -> Entry {
        let status = match target {
            Mode::VS => self.vsstatus,
            Mode::HS => self.mstatus,
            _ => 0,
        };
        let mut target = target;
        if status & mstatus::SDT != 0 {
            // Supervisor, "Double Trap Control in sstatus Register": M gets it, with the cause of the unexpected trap in mtval2.
            values.tval2 = values.cause.bits();
            values.cause = Cause::Exception(Exception::DoubleTrap);
            target = Mode::M;
        }
        if target == Mode::M {
            match self.machine_delivery(mode) {
                Machine::Expected => {}
                Machine::Rnmi => return self.enter_rnmi(Mode::M, &values, sink),
                Machine::CriticalError => {
                    return Entry { mode, pc: values.epc, effects: Effects::CRITICAL, cause: Some(values.cause) };
                }
            }
        }
        self.enter(mode, target, values, sink)
    }

    /// Whether a trap from `mode` into M-mode is an unexpected one, and what becomes of it.
    #[inline]
    fn machine_delivery(&self, mode: Mode) -> Machine {
        let enabled = self.nmi_enabled();
        let unexpected = self.mstatus & mstatus::MDT != 0 || mode == Mode::M && !enabled;
        if !unexpected || !self.isa.has(Ext::Smdbltrp) {
            Machine::Expected
        } else if enabled && self.isa.has(Ext::Smrnmi) {
            Machine::Rnmi
        } else {
            Machine::CriticalError
        }
    }

    /// mnstatus.NMIE, which is 1 without Smrnmi: clear, it disables all interrupts and MPRV.
    #[inline(always)]
    pub fn nmi_enabled(&self) -> bool {
        self.mnstatus & mnstatus::NMIE != 0
    }

    /// ELP on the way into a trap's PELP field: `field` if it was set; it is clear afterwards.
    fn take_elp(&mut self, field: u64) -> u64 {
        if std::mem::take(&mut self.elp) { field } else { 0 }
    }

    /// Smrnmi, "RNMI Operation": mnstatus is the only status register that changes.
    #[cold]
    fn enter_rnmi(&mut self, mode: Mode, values: &Values, sink: &mut impl ChangeSink) -> Entry {
        use mnstatus::{MNPELP, MNPV};
        let elp = self.take_elp(MNPELP);
        let virt = if mode.virt() { MNPV } else { 0 };
        // "If the reason is an interrupt and RNMI causes are not supported, zero is written to the least-significant bits."
        self.set(table::MNSTATUS, Reg::mnstatus, mode.level() << 11 | virt | elp, sink);
        self.set(table::MNEPC, Reg::mnepc, values.epc, sink);
        self.set(table::MNCAUSE, Reg::mncause, values.cause.bits(), sink);
        Entry { mode: Mode::M, pc: self.rnmi_vector, effects: SWITCH, cause: Some(values.cause) }
    }

    /// The CSR writes of `target`.
    #[inline]
    fn enter(&mut self, mode: Mode, target: Mode, values: Values, sink: &mut impl ChangeSink) -> Entry {
        match target {
            Mode::VS => self.enter_vs(mode, values, sink),
            Mode::HS => self.enter_hs(mode, values, sink),
            // U and VU take no traps.
            Mode::M | Mode::U | Mode::VU => self.enter_m(mode, values, sink),
        }
    }

    /// Writes one register and reports it.
    #[inline]
    fn set(&mut self, csr: u16, reg: Reg, value: u64, sink: &mut impl ChangeSink) {
        let before = self.reg(reg);
        *self.reg_mut(reg) = value;
        sink.change(Change { csr, before, after: value });
    }

    /// Writes a status register, whose SD is computed, and reports it.
    #[inline]
    pub(crate) fn set_status(&mut self, csr: u16, reg: Reg, value: u64, sink: &mut impl ChangeSink) {
        let before = with_sd(self.reg(reg));
        *self.reg_mut(reg) = value;
        sink.change(Change { csr, before, after: with_sd(value) });
    }

    /// Hypervisor, "Trap Entry": a trap into M-mode.
    fn enter_m(&mut self, mode: Mode, values: Values, sink: &mut impl ChangeSink) -> Entry {
        use mstatus::{GVA, MIE, MPIE, MPP, MPV};
        let elp = self.take_elp(mstatus::MPELP);
        let old = self.mstatus;
        let mut new = old & !(MPV | GVA | MPP | MPIE | MIE | mstatus::MPELP) | elp;
        new |= if self.isa.has(Ext::Smdbltrp) { mstatus::MDT } else { 0 };
        new |= mode.level() << 11;
        new |= if old & MIE != 0 { MPIE } else { 0 };
        if self.isa.has(Ext::H) {
            new |= if mode.virt() { MPV } else { 0 };
            new |= if values.gva { GVA } else { 0 };
        }
        self.set_status(table::MSTATUS, Reg::mstatus, new, sink);
        if self.tcontrol != 0 {
            // mpte takes mte, which becomes 0 (Debug, tcontrol).
            self.set(table::TCONTROL, Reg::tcontrol, (self.tcontrol & 8) << 4, sink);
        }
        self.set(table::MEPC, Reg::mepc, values.epc, sink);
        self.set(table::MCAUSE, Reg::mcause, values.cause.bits(), sink);
        self.set(table::MTVAL, Reg::mtval, values.tval, sink);
        if self.isa.has(Ext::H) || self.isa.has(Ext::Ssdbltrp) {
            self.set(table::MTVAL2, Reg::mtval2, values.tval2, sink);
        }
        if self.isa.has(Ext::H) {
            self.set(table::MTINST, Reg::mtinst, values.tinst, sink);
        }
        // Smrnmi: "except that the program counter is set to the RNMI exception trap handler address".
        let nested = mode == Mode::M && !self.nmi_enabled();
        let pc = if nested { self.rnmi_exception_vector } else { vectored(self.mtvec, values.cause.bits()) };
        Entry { mode: Mode::M, pc, effects: SWITCH, cause: Some(values.cause) }
    }

    /// Hypervisor, "Trap Entry": a trap into HS-mode, or into S-mode without H.
    fn enter_hs(&mut self, mode: Mode, values: Values, sink: &mut impl ChangeSink) -> Entry {
        let elp = self.take_elp(mstatus::SPELP);
        let status = pushed(self.mstatus, mode, elp, self.menvcfg);
        self.set_status(table::MSTATUS, Reg::mstatus, status, sink);
        if self.isa.has(Ext::H) {
            use hstatus::{GVA, SPV, SPVP};
            let mut new = self.hstatus & !(SPV | GVA);
            new |= if values.gva { GVA } else { 0 };
            if mode.virt() {
                new = new & !SPVP | SPV | if mode == Mode::VS { SPVP } else { 0 };
            }
            self.set(table::HSTATUS, Reg::hstatus, new, sink);
        }
        self.set(table::SEPC, Reg::sepc, values.epc, sink);
        self.set(table::SCAUSE, Reg::scause, values.cause.bits(), sink);
        self.set(table::STVAL, Reg::stval, values.tval, sink);
        if self.isa.has(Ext::H) {
            self.set(table::HTVAL, Reg::htval, values.tval2, sink);
            self.set(table::HTINST, Reg::htinst, values.tinst, sink);
        }
        Entry { mode: Mode::HS, pc: vectored(self.stvec, values.cause.bits()), effects: SWITCH, cause: Some(values.cause) }
    }

    /// Hypervisor, "Trap Entry": a trap into VS-mode; hstatus and the HS-level sstatus stay.
    fn enter_vs(&mut self, mode: Mode, values: Values, sink: &mut impl ChangeSink) -> Entry {
        let elp = self.take_elp(mstatus::SPELP);
        // henvcfg's DTE is zero while menvcfg's is.
        let status = pushed(self.vsstatus, mode, elp, self.henvcfg);
        // Hypervisor, "hideleg": VS sees its interrupts under the supervisor's codes, one less.
        let cause = match values.cause {
            Cause::Interrupt(Interrupt::VSSoft | Interrupt::VSTimer | Interrupt::VSExt) => values.cause.bits() - 1,
            cause => cause.bits(),
        };
        self.set_status(table::VSSTATUS, Reg::vsstatus, status, sink);
        self.set(table::VSEPC, Reg::vsepc, values.epc, sink);
        self.set(table::VSCAUSE, Reg::vscause, cause, sink);
        self.set(table::VSTVAL, Reg::vstval, values.tval, sink);
        Entry { mode: Mode::VS, pc: vectored(self.vstvec, cause), effects: SWITCH, cause: Some(values.cause) }
    }
}

impl Values {
    /// What an exception reports.
    fn of(mode: Mode, pc: u64, trap: &Trap) -> Values {
        Values {
            cause: Cause::Exception(trap.cause),
            epc: pc,
            tval: trap.tval,
            tval2: trap.tval2,
            tinst: trap.tinst,
            // With V=1 every address the trap reports is a guest virtual one.
            gva: trap.gva || mode.virt() && trap.cause.has_address(),
        }
    }
}

/// SPELP, SPP, SPIE, SIE and SDT of a trap into S- or VS-mode, whose envcfg says whether SDT exists.
fn pushed(status: u64, mode: Mode, elp: u64, envcfg: u64) -> u64 {
    use mstatus::{SDT, SIE, SPELP, SPIE, SPP};
    let mut new = status & !(SPP | SPIE | SIE | SPELP) | elp;
    new |= if envcfg & menvcfg::DTE != 0 { SDT } else { 0 };
    new |= if mode.level() != 0 { SPP } else { 0 };
    new | if status & SIE != 0 { SPIE } else { 0 }
}

/// The handler's address: the base, plus four times an interrupt's code in vectored mode ("mtvec").
fn vectored(tvec: u64, cause: u64) -> u64 {
    let base = tvec & !3;
    if tvec & 3 == 1 && cause >> 63 != 0 { base.wrapping_add(cause << 2) } else { base }
}

impl Exception {
    /// The environment-call exception of `mode`.
    pub const fn ecall(mode: Mode) -> Exception {
        match mode {
            Mode::U | Mode::VU => Exception::EcallU,
            Mode::HS => Exception::EcallS,
            Mode::VS => Exception::EcallVS,
            Mode::M => Exception::EcallM,
        }
    }
}
