//! Zicsr: the CSR instructions.

use super::macros::{plain, table};
use crate::bus::Bus;
use crate::hart::{Hart, event};
use crate::insn::Insn;
use crate::observer::CsrWrite;
use emu_csr::Ext::Zicsr;
use emu_csr::{ChangeList, Denied, Op, Trap};

plain! {
    "csrrw"  "cccccccccccc aaaaa 001 ddddd 1110011" &[Zicsr], Csr, Csr, Plain, |h, bus, i| csr(h, bus, i, Op::Write, h.get(i.rs1), true);
    "csrrs"  "cccccccccccc aaaaa 010 ddddd 1110011" &[Zicsr], Csr, Csr, Plain, |h, bus, i| csr(h, bus, i, Op::Set, h.get(i.rs1), i.rs1 != 0);
    "csrrc"  "cccccccccccc aaaaa 011 ddddd 1110011" &[Zicsr], Csr, Csr, Plain, |h, bus, i| csr(h, bus, i, Op::Clear, h.get(i.rs1), i.rs1 != 0);
    "csrrwi" "cccccccccccc aaaaa 101 ddddd 1110011" &[Zicsr], CsrI, Csr, Plain, |h, bus, i| csr(h, bus, i, Op::Write, i.rs1 as u64, true);
    "csrrsi" "cccccccccccc aaaaa 110 ddddd 1110011" &[Zicsr], CsrI, Csr, Plain, |h, bus, i| csr(h, bus, i, Op::Set, i.rs1 as u64, i.rs1 != 0);
    "csrrci" "cccccccccccc aaaaa 111 ddddd 1110011" &[Zicsr], CsrI, Csr, Plain, |h, bus, i| csr(h, bus, i, Op::Clear, i.rs1 as u64, i.rs1 != 0);
}

/// One CSR instruction: check, read, write, effects.
fn csr(h: &mut Hart, bus: &mut Bus, i: &Insn, op: Op, operand: u64, write: bool) -> Result<(), Trap> {
    if write && h.observed.writes() {
        return observed_write(h, bus, i, op, operand);
    }
    let now = h.now(bus);
    match h.csr.read_modify_write(i.csr(), op, operand, write, h.mode, &now, &mut ()) {
        Ok((old, effects)) => {
            h.set(i.rd, old);
            h.apply(effects);
            Ok(())
        }
        Err(denied) => Err(refusal(denied, i)),
    }
}

/// The same for a write that somebody wants to hear of.
#[cold]
fn observed_write(h: &mut Hart, bus: &Bus, i: &Insn, op: Op, operand: u64) -> Result<(), Trap> {
    let now = h.now(bus);
    let mut changes = ChangeList::default();
    let (old, effects) =
        h.csr.read_modify_write(i.csr(), op, operand, true, h.mode, &now, &mut changes).map_err(|denied| refusal(denied, i))?;
    h.set(i.rd, old);
    h.apply(effects);
    let (hart, instret, pc, mode) = (h.index, h.instret, h.pc, h.mode);
    h.last_write = Some(Box::new(CsrWrite { hart, instret, pc, mode, changes }));
    h.events |= event::TOLD;
    Ok(())
}

/// The exception for a refused access.
#[cold]
pub(super) fn refusal(denied: Denied, i: &Insn) -> Trap {
    match denied {
        Denied::Illegal => Trap::illegal(i.raw),
        Denied::Virtual => Trap::virtual_inst(i.raw),
    }
}

table!(PLAIN);
