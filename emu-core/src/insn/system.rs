//! Privileged instructions: environment calls, returns, WFI, and the fences of address translation (Privileged ISA, "Trap-Return
//! Instructions", "Supervisor Memory-Management Fence Instruction", "Hypervisor Instructions", Svinval).

use super::macros::{plain, table};
use super::zicsr::refusal;
use crate::engine::trap::{self, Return};
use crate::hart::{Hart, Wait, event};
use crate::insn::Insn;
use crate::mmu::{Fence, Stage};
use emu_csr::Ext::{H, S, Smrnmi, Svinval, Zawrs};
use emu_csr::{Denied, Exception, Mode, Trap, atp};

plain! {
    "ecall"  "000000000000 00000 000 00000 1110011" &[], None, System, End, |h, _, _| Err(Trap::new(Exception::ecall(h.mode), 0));
    "ebreak" "000000000001 00000 000 00000 1110011" &[], None, System, End, |h, _, _| Err(Trap { gva: h.mode.virt(), ..Trap::new(Exception::Breakpoint, h.pc) });
    "mret"   "001100000010 00000 000 00000 1110011" &[], None, System, End, |h, bus, i| { check(h.csr.check_mret(h.mode), i)?; trap::ret(h, bus, Return::Machine); Ok(()) };
    "sret"   "000100000010 00000 000 00000 1110011" &[S], None, System, End, |h, bus, i| { check(h.csr.check_sret(h.mode), i)?; trap::ret(h, bus, Return::Supervisor); Ok(()) };
    "mnret"  "011100000010 00000 000 00000 1110011" &[Smrnmi], None, System, End, |h, bus, i| { check(h.csr.check_mnret(h.mode), i)?; trap::ret(h, bus, Return::NonMaskable); Ok(()) };
    "wfi"    "000100000101 00000 000 00000 1110011" &[], None, System, End, |h, _, i| { check(h.csr.check_wfi(h.mode), i)?; wait(h, Wait::Wfi); Ok(()) };
    "wrs.nto" "000000001101 00000 000 00000 1110011" &[Zawrs], None, System, End, |h, _, i| { check(h.csr.check_wrs_nto(h.mode), i)?; stall(h, NO_TIMEOUT); Ok(()) };
    "wrs.sto" "000000011101 00000 000 00000 1110011" &[Zawrs], None, System, End, |h, _, _| { stall(h, SHORT_TIMEOUT); Ok(()) };

    "sfence.vma"  "0001001 bbbbb aaaaa 000 00000 1110011" &[S], Fence2, Fence, Plain, |h, _, i| { check(h.csr.check_sfence_vma(h.mode), i)?; sfence(h, i); Ok(()) };
    "sinval.vma"  "0001011 bbbbb aaaaa 000 00000 1110011" &[Svinval], Fence2, Fence, Plain, |h, _, i| { check(h.csr.check_sinval_vma(h.mode), i)?; sfence(h, i); Ok(()) };
    "sfence.w.inval" "000110000000 00000 000 00000 1110011" &[Svinval], None, Fence, Plain, |h, _, i| check(h.csr.check_sfence_inval(h.mode), i);
    "sfence.inval.ir" "000110000001 00000 000 00000 1110011" &[Svinval], None, Fence, Plain, |h, _, i| check(h.csr.check_sfence_inval(h.mode), i);
    "hfence.vvma" "0010001 bbbbb aaaaa 000 00000 1110011" &[H], Fence2, Fence, Plain, |h, _, i| { check(h.csr.check_hfence_vvma(h.mode), i)?; vvma(h, i); Ok(()) };
    "hfence.gvma" "0110001 bbbbb aaaaa 000 00000 1110011" &[H], Fence2, Fence, Plain, |h, _, i| { check(h.csr.check_hfence_gvma(h.mode), i)?; gvma(h, i); Ok(()) };
    "hinval.vvma" "0010011 bbbbb aaaaa 000 00000 1110011" &[Svinval], Fence2, Fence, Plain, |h, _, i| { hinval(h, i)?; check(h.csr.check_hfence_vvma(h.mode), i)?; vvma(h, i); Ok(()) };
    "hinval.gvma" "0110011 bbbbb aaaaa 000 00000 1110011" &[Svinval], Fence2, Fence, Plain, |h, _, i| { hinval(h, i)?; check(h.csr.check_hfence_gvma(h.mode), i)?; gvma(h, i); Ok(()) };
}

fn check(r: Result<(), Denied>, i: &Insn) -> Result<(), Trap> {
    r.map_err(|d| refusal(d, i))
}

/// HINVAL needs the hypervisor extension as well as Svinval.
fn hinval(h: &Hart, i: &Insn) -> Result<(), Trap> {
    if h.csr.isa.has(H) { Ok(()) } else { Err(Trap::illegal(i.raw)) }
}

/// Stops here until something wakes the hart, unless it is awake already.
fn wait(h: &mut Hart, wait: Wait) {
    if !h.csr.wfi_wakes() {
        h.wait = wait;
        h.events |= event::WAIT;
    }
}

/// Cycles after which WRS.STO goes on ("Zawrs": "a short time-out").
const SHORT_TIMEOUT: u64 = 1_000;
/// Cycles after which WRS.NTO goes on. The manual asks for no time-out but lets a stall end for any reason; with this one a hart that
/// waits for a device's store, which ends no reservation here, goes on as well.
const NO_TIMEOUT: u64 = 10_000;

/// WRS: waits while the reservation is valid, which the next turn of another hart ends, for `most` cycles.
fn stall(h: &mut Hart, most: u64) {
    if h.reservation.is_some() {
        wait(h, Wait::Wrs(h.cycles.saturating_add(most)));
    }
}

/// rs1 names an address unless it is x0; rs2 an ASID or VMID unless it is x0.
fn operands(h: &Hart, i: &Insn, id_bits: u32) -> (Option<u64>, Option<u16>) {
    let id = (i.rs2 != 0).then(|| (h.get(i.rs2) & ((1 << id_bits) - 1)) as u16);
    ((i.rs1 != 0).then(|| h.get(i.rs1)), id)
}

fn fence(h: &mut Hart, fence: Fence) {
    let before = h.tlb.fetch_name();
    h.fence(fence);
    if h.tlb.fetch_name() != before {
        h.events |= event::CONTEXT;
    }
}

fn current_vmid(h: &Hart) -> u16 {
    atp::vmid(h.csr.hgatp)
}

fn sfence(h: &mut Hart, i: &Insn) {
    let (addr, id) = operands(h, i, 16);
    // With V=1 it acts on the VS-stage of the current VMID.
    let virt = h.mode == Mode::VS;
    fence(h, Fence { addr, id, vmid: virt.then(|| current_vmid(h)), stage: if virt { Stage::Vs } else { Stage::S } });
}

fn vvma(h: &mut Hart, i: &Insn) {
    let (addr, id) = operands(h, i, 16);
    fence(h, Fence { addr, id, vmid: Some(current_vmid(h)), stage: Stage::Vs });
}

fn gvma(h: &mut Hart, i: &Insn) {
    let (addr, id) = operands(h, i, 14);
    // rs1 holds a guest physical address shifted right by 2.
    fence(h, Fence { addr: addr.map(|a| a << 2), id, vmid: None, stage: Stage::G });
}

table!(PLAIN);
