//! Zicfiss: shadow stacks ("Control-Flow Integrity", "Shadow Stack"). Where they are not enabled, the instructions carved out of Zimop
//! are what they are there: they write zero to rd.

use super::macros::{def, table};
use super::zicsr::refusal;
use super::{File, Format, Insn, InsnDef, Operands, Shape};
use crate::bus::Bus;
use crate::hart::Hart;
use crate::timing::TimingClass;
use emu_csr::Ext::Zicfiss;
use emu_csr::{Exception, Trap};

/// tval of a software-check exception: shadow stack fault.
const SHADOW_STACK_FAULT: u64 = 3;

/// One of the instructions in Zimop's space, with its register operand. Its access is not in the declaration's terms: the address is ssp,
/// and there is none where shadow stacks are off. Its class is that of instructions that may touch anything.
const fn mop(name: &'static str, pattern: &str, operands: Operands, exec: super::Exec) -> InsnDef {
    let d = def(name, pattern, &[Zicfiss], Format::None, TimingClass::System, Shape::Plain, exec, None);
    InsnDef { operands, ..d }
}

// SSPUSH and SSPOPCHK take x1 and x5 only, hence the one free bit of the register field.
const MOPS: &[InsnDef] = &[
    mop("sspush", "1100111 00b01 00000 100 00000 1110011", Operands(File::None, File::None, File::X, File::None), push),
    mop("sspopchk", "110011011100 00a01 100 00000 1110011", Operands(File::None, File::X, File::None, File::None), pop),
    mop("ssrdp", "110011011100 00000 100 ddddd 1110011", Operands(File::X, File::None, File::None, File::None), |h, _, i| {
        h.set(i.rd, if h.csr.shadow_stacks(h.mode) { h.csr.ssp } else { 0 });
        Ok(())
    }),
];

fn push(h: &mut Hart, bus: &mut Bus, i: &Insn) -> Result<(), Trap> {
    if h.csr.shadow_stacks(h.mode) {
        let at = h.csr.ssp.wrapping_sub(8);
        h.shadow_store(bus, at, h.get(i.rs2))?;
        h.csr.ssp = at;
    }
    Ok(())
}

fn pop(h: &mut Hart, bus: &mut Bus, i: &Insn) -> Result<(), Trap> {
    if h.csr.shadow_stacks(h.mode) {
        let at = h.csr.ssp;
        if h.shadow_load(bus, at)? != h.get(i.rs1) {
            return Err(Trap::new(Exception::SoftwareCheck, SHADOW_STACK_FAULT));
        }
        h.csr.ssp = at.wrapping_add(8);
    }
    Ok(())
}

/// SSAMOSWAP of one width.
const fn swap(name: &'static str, pattern: &str, exec: super::Exec) -> InsnDef {
    def(name, pattern, &[Zicfiss], Format::Amo, TimingClass::Amo, Shape::Plain, exec, None)
}

const SWAPS: &[InsnDef] = &[
    swap("ssamoswap.w", "01001 oo bbbbb aaaaa 010 ddddd 0101111", |h, bus, i| {
        let old = exchange(h, bus, i, 4)?;
        h.set(i.rd, old as i32 as u64);
        Ok(())
    }),
    swap("ssamoswap.d", "01001 oo bbbbb aaaaa 011 ddddd 0101111", |h, bus, i| {
        let old = exchange(h, bus, i, 8)?;
        h.set(i.rd, old);
        Ok(())
    }),
];

fn exchange(h: &mut Hart, bus: &mut Bus, i: &Insn, size: u8) -> Result<u64, Trap> {
    h.csr.check_shadow_stack(h.mode).map_err(|d| refusal(d, i))?;
    h.shadow_swap(bus, h.get(i.rs1), size, h.get(i.rs2))
}

table!(MOPS, SWAPS);
