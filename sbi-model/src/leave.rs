//! Ways out of M-mode. Each sets mepc, mstatus.MPP and mstatus.MPV; the return itself, [`mret`], comes when all is done.

use emu_core::bus::Bus;
use emu_core::engine::trap;
use emu_core::hart::Hart;
use emu_csr::table::{self, field::mstatus};
use emu_csr::{Exception, Ext, Mode, Trap};

/// The mode the trap came from: mstatus.MPP and MPV.
pub(crate) fn previous(hart: &Hart) -> Mode {
    let status = hart.csr.mstatus;
    Mode::from_parts((status & mstatus::MPP) >> 11, status & mstatus::MPV != 0)
}

/// The exception that has entered M-mode; none if it was an interrupt or a cause this hart does not know.
pub(crate) fn trap_taken(hart: &Hart) -> Option<Trap> {
    let csr = &hart.csr;
    let cause = Exception::from_code(csr.mcause)?;
    let gva = csr.mstatus & mstatus::GVA != 0;
    Some(Trap { cause, tval: csr.mtval, tval2: csr.mtval2, tinst: csr.mtinst, gva })
}

/// `mret`, to where mepc, MPP and MPV say.
pub(crate) fn mret(hart: &mut Hart, bus: &Bus) {
    trap::firmware_ret(hart, bus);
    hart.pc = hart.next_pc;
}

/// Past the instruction that trapped, which is `len` bytes long.
pub(crate) fn past(hart: &mut Hart, len: u64) {
    let next = hart.csr.mepc.wrapping_add(len);
    set_epc(hart, next);
}

/// To `pc` in `mode`.
pub(crate) fn to(hart: &mut Hart, bus: &Bus, mode: Mode, pc: u64) {
    let now = hart.now(bus);
    let virt = if mode.virt() { mstatus::MPV } else { 0 };
    let status = hart.csr.mstatus & !(mstatus::MPP | mstatus::MPV) | mode.level() << 11 | virt;
    hart.csr.poke(table::MSTATUS, status, &now);
    set_epc(hart, pc);
}

/// Hands an exception of the interrupted context to the supervisor as if the hart itself had taken it there: VS-mode's if it was raised
/// with V=1 and hedeleg delegates it, HS-mode's otherwise (Privileged ISA, "Machine Trap Delegation"; Hypervisor, "Trap Entry").
pub(crate) fn redirect(hart: &mut Hart, bus: &Bus, trap: Trap) {
    let from = previous(hart);
    let to_vs = from.virt() && hart.csr.hedeleg >> trap.cause as u8 & 1 != 0;
    let target = if to_vs { Mode::VS } else { Mode::HS };
    let epc = hart.csr.mepc;
    let entry = hart.csr.enter_exception_at(target, from, epc, &trap, &mut ());
    to(hart, bus, entry.mode, entry.pc);
}

/// A write of mepc. It has no effects and needs no clock, which every call would otherwise read.
fn set_epc(hart: &mut Hart, pc: u64) {
    hart.csr.mepc = aligned(hart, pc);
}

/// What mepc and sepc hold of a pc: IALIGN is 16 with C and 32 without.
pub(crate) fn aligned(hart: &Hart, pc: u64) -> u64 {
    pc & if hart.csr.isa.has(Ext::Zca) { !1 } else { !3 }
}
