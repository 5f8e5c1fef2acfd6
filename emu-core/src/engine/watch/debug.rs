//! What debug triggers are shown of an instruction, and the exception they raise (Debug, "Sdtrig"). The rules are emu-csr's.

use emu_csr::triggers::{Instruction, Operand};
use emu_csr::{Exception, Mode, Trap};

use crate::hart::Hart;
use crate::insn::{File, Footprint, FootprintKind, Insn};
use crate::mmu::BLOCK;

/// The breakpoint exception of a trigger.
fn breakpoint(tval: u64, virt: bool) -> Trap {
    Trap { gva: virt, ..Trap::new(Exception::Breakpoint, tval) }
}

fn operand(access: &Footprint) -> Operand {
    let (va, len) = match access.kind {
        // A trigger may name any byte of it.
        FootprintKind::Block => (access.va & !(BLOCK - 1), BLOCK as u8),
        _ => (access.va, access.size),
    };
    Operand { va, len, size: access.size, load: access.load, store: access.store, stored: access.data, loaded: None }
}

/// Before the fetch: an instruction count that is through, and triggers on the address alone.
pub(super) fn before_fetch(hart: &mut Hart) -> Option<Trap> {
    let mode = hart.mode;
    if hart.csr.icount_fires(mode) {
        return Some(breakpoint(0, mode.virt()));
    }
    let insn = Instruction { pc: hart.pc, fetched: None, operand: None };
    hart.csr.triggers_match(mode, &insn, false).map(|tval| breakpoint(tval, mode.virt()))
}

/// Before the instruction executes.
pub(super) fn before(hart: &mut Hart, insn: &Insn, access: Option<&Footprint>) -> Option<Trap> {
    let (pc, mode) = (hart.pc, hart.mode);
    // Triggers on execution come before those on the access (Debug, "Priority").
    let fetched = Instruction { pc, fetched: Some((insn.raw, insn.len)), operand: None };
    if let Some(tval) = hart.csr.triggers_match(mode, &fetched, false) {
        return Some(breakpoint(tval, mode.virt()));
    }
    let access = access?;
    let shown = Instruction { operand: Some(operand(access)), ..fetched };
    let tval = hart.csr.triggers_match(mode, &shown, false)?;
    Some(breakpoint(tval, access.mode.virt()))
}

/// After the instruction at `hart.pc`, which ran in `mode`, has executed: triggers on what it loaded, and the instruction count.
pub(super) fn after(hart: &mut Hart, mode: Mode, insn: &Insn, access: Option<&Footprint>) -> Option<Trap> {
    let pc = hart.pc;
    let mut fired = None;
    if let Some(a) = access.filter(|a| a.load) {
        let loaded = match insn.def.operands.0 {
            File::F => Some(hart.f[usize::from(insn.rd & 31)]),
            // Whether a load to x0 matches is unspecified: it does not.
            _ => (insn.rd != 0).then(|| hart.get(insn.rd)),
        };
        let shown = Instruction { pc, fetched: Some((insn.raw, insn.len)), operand: Some(Operand { loaded, ..operand(a) }) };
        let tval = hart.csr.triggers_match(mode, &shown, true);
        fired = tval.map(|tval| breakpoint(tval, a.mode.virt()));
    }
    if fired.is_none() {
        // Otherwise the trap counts: an instruction counts once.
        hart.csr.icount_counts(mode);
    }
    fired
}
