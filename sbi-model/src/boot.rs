//! The state in which the firmware hands a hart to the supervisor (SBI, "Hart State Management Extension", hart start state), with the
//! M-level set-up that OpenSBI makes.

use emu_core::bus::Bus;
use emu_core::hart::{Hart, Wait, event};
use emu_csr::table::{self, field};
use emu_csr::triggers::TRIGGERS;
use emu_csr::{Effects, Exception, Ext, Interrupt, Mode};

use crate::domain::Domains;
use crate::leave;

/// S-level and counter-overflow interrupts go to the supervisor.
const MIDELEG: u64 =
    Interrupt::SSoft.mask() | Interrupt::STimer.mask() | Interrupt::SExt.mask() | Interrupt::CounterOverflow.mask();

/// Exceptions that the supervisor takes without M-mode; the firmware wants to see all others first.
const MEDELEG: &[Exception] = &[
    Exception::InstAddrMisaligned,
    Exception::Breakpoint,
    Exception::EcallU,
    Exception::InstPageFault,
    Exception::LoadPageFault,
    Exception::StorePageFault,
    Exception::EcallVS,
    Exception::InstGuestPageFault,
    Exception::LoadGuestPageFault,
    Exception::VirtualInst,
    Exception::StoreGuestPageFault,
    Exception::SoftwareCheck,
];

/// Counters 3 to 31 stand still until somebody configures them.
const HPM_INHIBITED: u64 = 0xffff_fff8;

/// Sets up a hart's M-level registers and those whose values at start the supervisor may rely on.
fn set_up(hart: &mut Hart, bus: &Bus, domains: &Domains) {
    let now = hart.now(bus);
    let (isa, id) = (hart.csr.isa, hart.id);
    let on = |ext: Ext, bits: u64| if isa.has(ext) { bits } else { 0 };
    let csr = &mut hart.csr;
    // Registers this hart has not are passed over, and so are bits it has not.
    let mut put = |number: u16, value: u64| csr.poke(number, value, &now);
    put(table::MSTATUS, field::mstatus::FS);
    // Without this the hart would take no interrupt at all (Smrnmi).
    put(table::MNSTATUS, field::mnstatus::NMIE);
    put(table::MEDELEG, MEDELEG.iter().fold(0, |set, &e| set | 1 << e as u8));
    put(table::MIDELEG, MIDELEG);
    put(table::MIE, Interrupt::MSoft.mask());
    put(table::MCOUNTEREN, u64::MAX);
    put(table::MCOUNTINHIBIT, HPM_INHIBITED);
    // No counter interrupts before somebody configures it, and none counts in M-mode.
    for i in 3..32 {
        put(table::MHPMEVENT0 + i, field::mhpmevent::OF | field::mhpmevent::MINH);
    }
    // No debug trigger.
    for i in 0..TRIGGERS as u64 {
        put(table::TSELECT, i);
        put(table::TDATA0 + 1, 0);
    }
    put(table::SCOUNTEREN, field::scounteren::TM);
    use field::menvcfg::{CBCFE, CBIE, CBZE, PBMTE, STCE};
    // Without Svade only the hart itself can keep A and D.
    let adue = if isa.has(Ext::Svadu) && !isa.has(Ext::Svade) { field::menvcfg::ADUE } else { 0 };
    let envcfg = on(Ext::Smcdeleg, field::menvcfg::CDE)
        | on(Ext::Zicboz, CBZE)
        | on(Ext::Zicbom, CBCFE | CBIE)
        | on(Ext::Svpbmt, PBMTE)
        | on(Ext::Sstc, STCE)
        | adue;
    put(table::MENVCFG, envcfg);
    for (i, n) in (table::MSTATEEN0..).take(4).enumerate() {
        put(n, if i == 0 { u64::MAX } else { 1 << 63 });
    }
    for n in (table::HSTATEEN0..).take(4).chain((table::SSTATEEN0..).take(4)) {
        put(n, 0);
    }
    // No time comparison fires before the supervisor has set one.
    put(table::STIMECMP, u64::MAX);
    put(table::VSTIMECMP, u64::MAX);
    // What S and U may do in memory. A machine without domains has one entry, NAPOT over the whole address space.
    let mut cfg = [0u8; 16];
    for (i, (addr, byte)) in domains.pmp(id).into_iter().take(cfg.len()).enumerate() {
        put(table::PMPADDR0 + i as u16, addr);
        cfg[i] = byte;
    }
    for (i, bytes) in cfg.as_chunks::<8>().0.iter().enumerate() {
        put(table::PMPCFG0 + 2 * i as u16, u64::from_le_bytes(*bytes));
    }
    put(table::HSTATUS, 0);
    put(table::SSCRATCH, 0);
    put(table::SIE, 0);
    put(table::SATP, 0);
    hart.csr.set_line(Interrupt::SSoft, false);
    hart.csr.set_line(Interrupt::STimer, false);
    hart.apply(Effects::FLUSH.with(Effects::TIMER));
}

/// Lets the hart run in S-mode (HS-mode with H) at `entry` with a0 = its id and a1 = `arg`; from boot, hart start and resume.
pub(crate) fn start(hart: &mut Hart, bus: &Bus, entry: u64, arg: u64, domains: &Domains) {
    hart.set_mode(Mode::M);
    hart.reservation = None;
    set_up(hart, bus, domains);
    let now = hart.now(bus);
    hart.csr.poke(table::STVEC, entry, &now);
    enter(hart, bus, entry, arg);
    leave::mret(hart, bus);
    hart.wait = Wait::Running;
}

/// Makes the return from M-mode lead to S-mode at `entry` with translation and interrupts off: what hart start and non-retentive resume have in common.
pub(crate) fn enter(hart: &mut Hart, bus: &Bus, entry: u64, arg: u64) {
    let now = hart.now(bus);
    hart.csr.poke(table::SATP, 0, &now);
    let status = hart.csr.mstatus & !field::mstatus::SIE;
    hart.csr.poke(table::MSTATUS, status, &now);
    hart.apply(Effects::CONTEXT);
    hart.set(10, hart.id);
    hart.set(11, arg);
    leave::to(hart, bus, Mode::HS, entry);
    hart.events |= event::INTERRUPTS | event::CONTEXT | event::CODE;
}

/// Puts a hart that nobody has started yet into the state in which it waits for HSM's hart start.
pub(crate) fn hold(hart: &mut Hart) {
    hart.set_mode(Mode::M);
    hart.wait = Wait::Held;
}
