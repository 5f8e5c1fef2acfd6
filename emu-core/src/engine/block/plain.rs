//! Handlers of instructions that are neither arithmetic nor plain loads and stores but common in kernels: fences, atomics, `cbo.zero`,
//! and CSR instructions on registers without side effects. What is not the common case goes to the instruction's `exec`.

use super::handlers::{finish, go, instruction, reg, set, slow};
use super::{Fast, handler, status};
use crate::hart::Hart;
use crate::insn::shape::AmoK;
use crate::insn::{Format, Insn};
use crate::mmu::BLOCK;
use emu_csr::{Cbo, Exception, Mode, Op, Trap, quick, table};

handler! {
    /// An instruction that does nothing here (fences order what is in order already).
    pub fn nothing(c, ip, pc, fuel) {
        // SAFETY: the next op follows in the same block.
        unsafe { go!(c, ip.add(1), pc, fuel) }
    }
}

handler! {
    /// `ecall`: nothing is decided here but which exception it is.
    fn ecall(c, ip, pc, fuel) {
        // SAFETY: called by the engine with a live hart and op.
        unsafe {
            let h = &mut *c;
            h.t1.trap = Trap::new(Exception::ecall(h.mode), 0);
            leave(h, ip, pc, fuel, status::TRAP)
        }
    }
}

/// Leaves at an instruction that does not retire.
///
/// # Safety
/// As for a handler.
#[inline(always)]
unsafe fn leave(h: &mut Hart, ip: *const super::Op, pc: u64, fuel: i64, why: u64) -> u64 {
    // SAFETY: forwarded contract.
    unsafe {
        let insn = instruction(ip);
        h.pc = pc.wrapping_add(u64::from(insn.off));
        h.next_pc = h.pc.wrapping_add(u64::from(insn.len));
        h.t1.fuel = fuel - (*ip).index as i64;
        h.t1.status = why;
        std::ptr::read_volatile(&raw const h.t1.status)
    }
}

/// The handler of `ecall`.
pub(super) fn call(insn: &Insn) -> Option<Fast> {
    (insn.def.name == "ecall").then_some(ecall as Fast)
}

/// Host address of an aligned access of four or eight bytes through a TLB array; leaves by the slow path if it is not cached.
macro_rules! hit {
    ($size:expr, $bank:ident.$f:ident($va:ident), $slow:expr) => {
        match if $size == 4 { (*$bank).$f::<4>($va) } else { (*$bank).$f::<8>($va) } {
            Some(p) => p,
            None => return $slow,
        }
    };
}

handler! {
    /// An AMO of four or eight bytes.
    pub fn amo<K: AmoK>(c, ip, pc, fuel) {
        // SAFETY: called by the engine with a live hart and op. A hit's pointer is inside a live page that may be written, aligned to SIZE.
        unsafe {
            let o = &*ip;
            let (va, bank) = (reg(c, o.rs1), (*c).tlb.data_bank);
            let p = hit!(K::SIZE, bank.store_ptr(va), slow(c, ip, pc, fuel));
            let operand = reg(c, o.rs2);
            let old = if K::SIZE == 4 {
                let old = u64::from(u32::from_le(p.cast::<u32>().read()));
                p.cast::<u32>().write((K::f(old, operand) as u32).to_le());
                old
            } else {
                let old = u64::from_le(p.cast::<u64>().read());
                p.cast::<u64>().write(K::f(old, operand).to_le());
                old
            };
            set(c, o.rd, K::extend(old));
            go!(c, ip.add(1), pc, fuel)
        }
    }
}

/// A width of LR and SC.
pub trait Reserved {
    /// Bytes.
    const SIZE: u8;
}
/// Four bytes.
pub struct Word;
/// Eight bytes.
pub struct Double;
impl Reserved for Word {
    const SIZE: u8 = 4;
}
impl Reserved for Double {
    const SIZE: u8 = 8;
}

handler! {
    /// LR.
    pub fn load_reserved<W: Reserved>(c, ip, pc, fuel) {
        // SAFETY: as for AMOs, but the page may be read only.
        unsafe {
            let o = &*ip;
            let (va, bank) = (reg(c, o.rs1), (*c).tlb.data_bank);
            let p = hit!(W::SIZE, bank.load_ptr(va), slow(c, ip, pc, fuel));
            (*c).reservation = Some((*bank).load_pa(va) & !(BLOCK - 1));
            let v = if W::SIZE == 4 {
                u32::from_le(p.cast::<u32>().read()) as i32 as u64
            } else {
                u64::from_le(p.cast::<u64>().read())
            };
            set(c, o.rd, v);
            go!(c, ip.add(1), pc, fuel)
        }
    }
}

handler! {
    /// SC.
    pub fn store_conditional<W: Reserved>(c, ip, pc, fuel) {
        // SAFETY: as for AMOs.
        unsafe {
            let o = &*ip;
            let (va, bank) = (reg(c, o.rs1), (*c).tlb.data_bank);
            let p = hit!(W::SIZE, bank.store_ptr(va), slow(c, ip, pc, fuel));
            let held = (*c).reservation.take() == Some((*bank).store_pa(va) & !(BLOCK - 1));
            if held {
                let v = reg(c, o.rs2);
                if W::SIZE == 4 { p.cast::<u32>().write((v as u32).to_le()) } else { p.cast::<u64>().write(v.to_le()) }
            }
            set(c, o.rd, u64::from(!held));
            go!(c, ip.add(1), pc, fuel)
        }
    }
}

handler! {
    /// `cbo.zero`.
    pub fn zero(c, ip, pc, fuel) {
        // SAFETY: as for AMOs; an aligned block of 64 bytes lies inside the page.
        unsafe {
            let (va, bank) = (reg(c, (*ip).rs1), (*c).tlb.data_bank);
            if (*c).csr.check_cbo(Cbo::Zero, (*c).mode).is_err() {
                return slow(c, ip, pc, fuel);
            }
            let Some(p) = (*bank).store_ptr::<8>(va & !(BLOCK - 1)) else { return slow(c, ip, pc, fuel) };
            p.write_bytes(0, BLOCK as usize);
            go!(c, ip.add(1), pc, fuel)
        }
    }
}

/// A Zicsr instruction.
trait Zicsr {
    /// What it does.
    const OP: Op;
    /// Its operand is the five bits of rs1, not a register.
    const IMM: bool;
}

/// Operand and whether it writes.
macro_rules! operand {
    ($k:ident, $c:ident, $o:ident) => {{
        let operand = if $k::IMM { u64::from($o.rs1) } else { reg($c, $o.rs1) };
        (operand, matches!($k::OP, Op::Write) || $o.rs1 != 0)
    }};
}

handler! {
    /// On a register of [`quick::simple`], whose number is in `imm`.
    fn simple<K: Zicsr>(c, ip, pc, fuel) {
        // SAFETY: called by the engine with a live hart and op.
        unsafe {
            let o = &*ip;
            let (operand, write) = operand!(K, c, o);
            let h = &mut *c;
            // The mode of the register is in its number.
            if h.mode as u8 != (o.imm >> 8 & 3) as u8 || write && h.observed.writes() {
                return slow(c, ip, pc, fuel);
            }
            let old = h.csr.simple_instruction(o.imm as u16, K::OP, operand, write);
            set(c, o.rd, old);
            go!(c, ip.add(1), pc, fuel)
        }
    }
}

handler! {
    /// On sstatus.
    fn status<K: Zicsr>(c, ip, pc, fuel) {
        // SAFETY: called by the engine with a live hart and op.
        unsafe {
            let o = &*ip;
            let (operand, write) = operand!(K, c, o);
            let h = &mut *c;
            if h.mode != Mode::HS || write && h.observed.writes() {
                return slow(c, ip, pc, fuel);
            }
            let (old, effects) = h.csr.sstatus_instruction(K::OP, operand, write);
            h.apply(effects);
            let events = h.events;
            set(c, o.rd, old);
            if events != 0 {
                return finish(c, ip, pc, fuel);
            }
            go!(c, ip.add(1), pc, fuel)
        }
    }
}

macro_rules! zicsr {
    ($($t:ident $op:ident $imm:literal;)*) => { $(
        struct $t;
        impl Zicsr for $t {
            const OP: Op = Op::$op;
            const IMM: bool = $imm;
        }
    )* };
}
zicsr! { Rw Write false; Rs Set false; Rc Clear false; Rwi Write true; Rsi Set true; Rci Clear true; }

/// The handler of a Zicsr instruction whose register has one.
pub(super) fn csr(insn: &Insn) -> Option<Fast> {
    const SIMPLE: [Option<Fast>; 8] = [
        None,
        Some(simple::<Rw>),
        Some(simple::<Rs>),
        Some(simple::<Rc>),
        None,
        Some(simple::<Rwi>),
        Some(simple::<Rsi>),
        Some(simple::<Rci>),
    ];
    const STATUS: [Option<Fast>; 8] = [
        None,
        Some(status::<Rw>),
        Some(status::<Rs>),
        Some(status::<Rc>),
        None,
        Some(status::<Rwi>),
        Some(status::<Rsi>),
        Some(status::<Rci>),
    ];
    if !matches!(insn.def.format, Format::Csr | Format::CsrI) {
        return None;
    }
    let funct3 = (insn.wide >> 12 & 7) as usize;
    match insn.csr() {
        table::SSTATUS => STATUS[funct3],
        other if quick::simple(other).is_some() => SIMPLE[funct3],
        _ => None,
    }
}
