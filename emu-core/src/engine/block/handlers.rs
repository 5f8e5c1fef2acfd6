//! Handlers: one generic function a shape, instantiated with the semantic functions of the instruction table.
//!
//! Register conventions: `pc` is the virtual address of the block's first instruction, `fuel` what was left there; both stay unchanged
//! until a block is left, so an instruction's own pc and instret follow from its index.

use super::{Fast, Link, MAX_BLOCK, Op, cache, handler, status};
use crate::hart::Hart;
use crate::insn::shape::{AluRI, AluRR, Cond, LoadK, StoreK};
use std::marker::PhantomData;

/// Jumps to the handler of `$ip`.
macro_rules! go {
    ($c:ident, $ip:expr, $pc:expr, $fuel:expr) => {{
        let next: *const crate::engine::block::Op = $ip;
        // Inside an unsafe block: `next` points into a live block, whose ops hold handlers of this signature.
        return ((*next).handler)($c, next, $pc, $fuel);
    }};
}
pub(super) use go;

/// A straight-line instruction as a function of its first operand's value, so that a fused pair can pass a result on in a host register.
pub(super) trait Body {
    /// Executes; false means nothing has happened and the slow path must run. Also returns the value written.
    ///
    /// # Safety
    /// `c` is the running hart, `o` its op.
    unsafe fn ex(c: *mut Hart, o: &Op, pc: u64, a: u64) -> (bool, u64);
}

#[inline(always)]
pub(super) unsafe fn reg(c: *const Hart, r: u8) -> u64 {
    // SAFETY: op registers are at most 32 by construction and `x` has 33.
    unsafe { *(&raw const (*c).x).cast::<u64>().add(r as usize) }
}

#[inline(always)]
pub(super) unsafe fn set(c: *mut Hart, r: u8, v: u64) {
    // SAFETY: as `reg`.
    unsafe { *(&raw mut (*c).x).cast::<u64>().add(r as usize) = v }
}

pub(super) struct RR<A>(PhantomData<A>);
impl<A: AluRR> Body for RR<A> {
    #[inline(always)]
    unsafe fn ex(c: *mut Hart, o: &Op, _pc: u64, a: u64) -> (bool, u64) {
        // SAFETY: forwarded contract.
        unsafe {
            let v = A::f(a, reg(c, o.rs2));
            set(c, o.rd, v);
            (true, v)
        }
    }
}

pub(super) struct RI<A>(PhantomData<A>);
impl<A: AluRI> Body for RI<A> {
    #[inline(always)]
    unsafe fn ex(c: *mut Hart, o: &Op, _pc: u64, a: u64) -> (bool, u64) {
        // SAFETY: forwarded contract.
        unsafe {
            let v = A::f(a, o.imm as i64 as u64);
            set(c, o.rd, v);
            (true, v)
        }
    }
}

pub(super) struct Lui;
impl Body for Lui {
    #[inline(always)]
    unsafe fn ex(c: *mut Hart, o: &Op, _pc: u64, _a: u64) -> (bool, u64) {
        let v = o.imm as i64 as u64;
        // SAFETY: forwarded contract.
        unsafe { set(c, o.rd, v) };
        (true, v)
    }
}

/// `imm` has the instruction's offset in the block added by the builder.
pub(super) struct Auipc;
impl Body for Auipc {
    #[inline(always)]
    unsafe fn ex(c: *mut Hart, o: &Op, pc: u64, _a: u64) -> (bool, u64) {
        let v = pc.wrapping_add(o.imm as i64 as u64);
        // SAFETY: forwarded contract.
        unsafe { set(c, o.rd, v) };
        (true, v)
    }
}

pub(super) struct Ld<K>(PhantomData<K>);
impl<K: LoadK> Body for Ld<K> {
    #[inline(always)]
    unsafe fn ex(c: *mut Hart, o: &Op, _pc: u64, a: u64) -> (bool, u64) {
        // SAFETY: a TLB hit is a live host page and an aligned access inside it.
        unsafe {
            match load_raw(c, a.wrapping_add(o.imm as i64 as u64), K::SIZE) {
                Some(raw) => {
                    let v = K::extend(raw);
                    set(c, o.rd, v);
                    (true, v)
                }
                None => (false, 0),
            }
        }
    }
}

pub(super) struct St<K>(PhantomData<K>);
impl<K: StoreK> Body for St<K> {
    #[inline(always)]
    unsafe fn ex(c: *mut Hart, o: &Op, _pc: u64, a: u64) -> (bool, u64) {
        // SAFETY: as for loads; a store hit is never a page with decoded code or one that a fork shares.
        unsafe { (store_raw(c, a.wrapping_add(o.imm as i64 as u64), K::SIZE, reg(c, o.rs2)), 0) }
    }
}

/// Loads through the TLB; None on a miss or misalignment.
#[inline(always)]
pub(super) unsafe fn load_raw(c: *const Hart, va: u64, size: u8) -> Option<u64> {
    // SAFETY: the bank pointer is valid while the hart runs; a hit's pointer is inside a live page and aligned to `size`.
    unsafe {
        let bank = (*c).tlb.data_bank;
        Some(match size {
            1 => (*bank).load_ptr::<1>(va)?.read() as u64,
            2 => u16::from_le((*bank).load_ptr::<2>(va)?.cast::<u16>().read()) as u64,
            4 => u32::from_le((*bank).load_ptr::<4>(va)?.cast::<u32>().read()) as u64,
            _ => u64::from_le((*bank).load_ptr::<8>(va)?.cast::<u64>().read()),
        })
    }
}

/// Stores through the TLB; false on a miss or misalignment.
#[inline(always)]
pub(super) unsafe fn store_raw(c: *const Hart, va: u64, size: u8, v: u64) -> bool {
    // SAFETY: as `load_raw`.
    unsafe {
        let bank = (*c).tlb.data_bank;
        macro_rules! put {
            ($n:literal, $t:ty) => {
                match (*bank).store_ptr::<$n>(va) {
                    Some(p) => p.cast::<$t>().write((v as $t).to_le()),
                    None => return false,
                }
            };
        }
        match size {
            1 => put!(1, u8),
            2 => put!(2, u16),
            4 => put!(4, u32),
            _ => put!(8, u64),
        }
        true
    }
}

handler! {
    /// One straight-line instruction.
    pub(super) fn one<A: Body>(c, ip, pc, fuel) {
        // SAFETY: called by the engine with a live hart and op.
        unsafe {
            let o = &*ip;
            if !A::ex(c, o, pc, reg(c, o.rs1)).0 {
                return slow(c, ip, pc, fuel);
            }
            go!(c, ip.add(1), pc, fuel)
        }
    }
}

handler! {
    /// Two straight-line instructions.
    pub(super) fn two<A: Body, B: Body>(c, ip, pc, fuel) {
        // SAFETY: the builder fuses only ops that follow each other.
        unsafe {
            let o = &*ip;
            if !A::ex(c, o, pc, reg(c, o.rs1)).0 {
                return slow(c, ip, pc, fuel);
            }
            let ip = ip.add(1);
            let o = &*ip;
            if !B::ex(c, o, pc, reg(c, o.rs1)).0 {
                return slow(c, ip, pc, fuel);
            }
            go!(c, ip.add(1), pc, fuel)
        }
    }
}

handler! {
    /// Two where the second's rs1 is the first's rd (not x0): the value goes on in a host register.
    pub(super) fn two_fwd<A: Body, B: Body>(c, ip, pc, fuel) {
        // SAFETY: as `two`.
        unsafe {
            let o = &*ip;
            let (ok, v) = A::ex(c, o, pc, reg(c, o.rs1));
            if !ok {
                return slow(c, ip, pc, fuel);
            }
            let ip = ip.add(1);
            if !B::ex(c, &*ip, pc, v).0 {
                return slow(c, ip, pc, fuel);
            }
            go!(c, ip.add(1), pc, fuel)
        }
    }
}

/// Follows a link, or leaves if fuel may not last for another block.
macro_rules! follow {
    ($c:ident, $l:expr, $pc:expr, $fuel:expr) => {{
        let l: *const Link = $l;
        let pc = $pc.wrapping_add((*l).delta as i64 as u64);
        if $fuel < MAX_BLOCK as i64 {
            return out($c, l.cast(), pc, $fuel);
        }
        go!($c, (*l).target, pc, $fuel)
    }};
}

handler! {
    /// A conditional branch: ends the block with two links (taken, not taken).
    pub fn branch<A: Cond>(c, ip, pc, fuel) {
        // SAFETY: two links follow the op.
        unsafe {
            let o = &*ip;
            let fuel = fuel - (o.index as i64 + 1);
            let l = ip.add(1).cast::<Link>();
            if A::f(reg(c, o.rs1), reg(c, o.rs2)) { follow!(c, l, pc, fuel) } else { follow!(c, l.add(1), pc, fuel) }
        }
    }
}

handler! {
    /// A straight-line instruction and the branch behind it.
    pub(super) fn two_br<A: Body, B: Cond>(c, ip, pc, fuel) {
        // SAFETY: as `two` and `branch`.
        unsafe {
            let o = &*ip;
            if !A::ex(c, o, pc, reg(c, o.rs1)).0 {
                return slow(c, ip, pc, fuel);
            }
            let ip = ip.add(1);
            let o = &*ip;
            let fuel = fuel - (o.index as i64 + 1);
            let l = ip.add(1).cast::<Link>();
            if B::f(reg(c, o.rs1), reg(c, o.rs2)) { follow!(c, l, pc, fuel) } else { follow!(c, l.add(1), pc, fuel) }
        }
    }
}

handler! {
    /// As `two_br` with the first's rd as the branch's rs1.
    pub(super) fn two_br_fwd<A: Body, B: Cond>(c, ip, pc, fuel) {
        // SAFETY: as `two_br`.
        unsafe {
            let o = &*ip;
            let (ok, v) = A::ex(c, o, pc, reg(c, o.rs1));
            if !ok {
                return slow(c, ip, pc, fuel);
            }
            let ip = ip.add(1);
            let o = &*ip;
            let fuel = fuel - (o.index as i64 + 1);
            let l = ip.add(1).cast::<Link>();
            if B::f(v, reg(c, o.rs2)) { follow!(c, l, pc, fuel) } else { follow!(c, l.add(1), pc, fuel) }
        }
    }
}

handler! {
    /// `jal`: `imm` is the offset of the instruction behind it from the block's start; one link.
    pub fn jal(c, ip, pc, fuel) {
        // SAFETY: a link follows the op.
        unsafe {
            let o = &*ip;
            set(c, o.rd, pc.wrapping_add(o.imm as i64 as u64));
            follow!(c, ip.add(1).cast::<Link>(), pc, fuel - (o.index as i64 + 1))
        }
    }
}

handler! {
    /// End of a block that ran into its length limit or the page's end: `index` is the number of instructions; one link.
    pub(super) fn fall(c, ip, pc, fuel) {
        // SAFETY: a link follows the op.
        unsafe { follow!(c, ip.add(1).cast::<Link>(), pc, fuel - (*ip).index as i64) }
    }
}

/// Jumps through a register.
macro_rules! jump {
    ($c:ident, $ip:expr, $pc:ident, $fuel:ident) => {{
        let ip: *const Op = $ip;
        let o = &*ip;
        let target = reg($c, o.rs1).wrapping_add(o.imm as i64 as u64) & !1;
        set($c, o.rd, $pc.wrapping_add((*ip.add(1)).imm as i64 as u64));
        let fuel = $fuel - (o.index as i64 + 1);
        let e = (*$c).t1.jumps.add(cache::slot(target));
        if (*e).tag != target ^ salt($c, target) || fuel < MAX_BLOCK as i64 {
            return seek($c, ip, target, fuel);
        }
        go!($c, (*e).op, target, fuel)
    }};
}

handler! {
    /// `jalr`: the slot behind it holds the fall-through offset; the target comes from the jump cache.
    pub fn jalr(c, ip, pc, fuel) {
        // SAFETY: an offset slot follows the op; the jump cache has JUMPS entries.
        unsafe { jump!(c, ip, pc, fuel) }
    }
}

handler! {
    /// A straight-line instruction and the `jalr` behind it.
    pub(super) fn two_jalr<A: Body>(c, ip, pc, fuel) {
        // SAFETY: as `two` and `jalr`.
        unsafe {
            let o = &*ip;
            if !A::ex(c, o, pc, reg(c, o.rs1)).0 {
                return slow(c, ip, pc, fuel);
            }
            jump!(c, ip.add(1), pc, fuel)
        }
    }
}

handler! {
    /// A straight-line instruction and the `jal` behind it.
    pub(super) fn two_jal<A: Body>(c, ip, pc, fuel) {
        // SAFETY: as `two` and `jal`.
        unsafe {
            let o = &*ip;
            if !A::ex(c, o, pc, reg(c, o.rs1)).0 {
                return slow(c, ip, pc, fuel);
            }
            let ip = ip.add(1);
            let o = &*ip;
            set(c, o.rd, pc.wrapping_add(o.imm as i64 as u64));
            follow!(c, ip.add(1).cast::<Link>(), pc, fuel - (o.index as i64 + 1))
        }
    }
}

handler! {
    /// An unresolved or cross-page link: tries the jump cache, else asks the loop. `imm` tells whether the link may be patched.
    pub(super) fn resolve(c, ip, pc, fuel) {
        // SAFETY: `ip` is the stub two slots behind its link.
        unsafe {
            if (*ip).imm == 0 {
                let e = (*c).t1.jumps.add(cache::slot(pc));
                if (*e).tag == pc ^ salt(c, pc) {
                    go!(c, (*e).op, pc, fuel)
                }
                return seek(c, ip, pc, fuel);
            }
            let link = ip.sub((*ip).rd as usize) as *mut Link;
            if let Some(op) = known(c, pc) {
                (*link).target = op;
                go!(c, op, pc, fuel)
            }
            (*c).pc = pc;
            (*c).t1.fuel = fuel;
            (*c).t1.link = link;
            (*c).t1.status = status::LINK;
            (*c).t1.status
        }
    }
}

/// The translation context's share of a jump cache tag for a virtual pc.
#[inline(always)]
pub(super) unsafe fn salt(c: *const Hart, pc: u64) -> u64 {
    // SAFETY: the caller's hart; the index is 0 or 1.
    unsafe { *(&raw const (*c).t1.salts).cast::<u64>().add((pc >> 63) as usize) }
}

/// The block at a virtual pc, if it is built and the page's translation is cached.
#[inline(always)]
unsafe fn known(c: *const Hart, pc: u64) -> Option<*const Op> {
    // SAFETY: the caller's hart runs, so its banks and the table are live, and the table has `mask + 1` slots.
    unsafe {
        let (_, pa) = (*(*c).tlb.fetch_bank).fetch_ptr(pc)?;
        let op = cache::find((*c).t1.table, (*c).t1.mask, pa | (*c).t1.kind);
        (!op.is_null()).then_some(op)
    }
}

handler! {
    /// Goes on at `pc`, which the jump cache does not know or for which fuel may not last: by the table of blocks, or leaves.
    #[inline(never)]
    pub(super) fn seek(c, ip, pc, fuel) {
        // SAFETY: called by handlers with the live hart; the jump cache has JUMPS entries.
        unsafe {
            let salt = salt(c, pc);
            if fuel >= MAX_BLOCK as i64
                && salt != 0
                && let Some(op) = known(c, pc)
            {
                *(*c).t1.jumps.add(cache::slot(pc)) = cache::Jump { tag: pc ^ salt, op };
                go!(c, op, pc, fuel)
            }
            out(c, ip, pc, fuel)
        }
    }
}

handler! {
    /// Leaves with LOOKUP at `pc`.
    #[cold]
    #[inline(never)]
    pub(super) fn out(c, _ip, pc, fuel) {
        // SAFETY: called by handlers with the live hart.
        unsafe {
            (*c).pc = pc;
            (*c).t1.fuel = fuel;
            (*c).t1.status = status::LOOKUP;
            std::ptr::read_volatile(&raw const (*c).t1.status)
        }
    }
}

handler! {
    /// Runs one instruction through its own `exec` and goes on with the next op if nothing special happened.
    #[inline(never)]
    pub fn slow(c, ip, pc, fuel) {
        // SAFETY: forwarded contract. What `exec` returns lies in another function's frame, so that this one can leave by a jump.
        unsafe {
            match execute(c, ip, pc, fuel) {
                GO_ON => go!(c, ip.add(1), pc, fuel),
                why => why,
            }
        }
    }
}

/// What [`execute`] returns, besides a status, for an instruction after which the block goes on.
const GO_ON: u64 = u64::MAX;

/// Runs one instruction through its own `exec`; what the engine's loop must know is then in `t1`.
///
/// # Safety
/// As for a handler.
#[inline(never)]
unsafe fn execute(c: *mut Hart, ip: *const Op, pc: u64, fuel: i64) -> u64 {
    // SAFETY: `ip` is an op with an instruction. The bus is live.
    unsafe {
        let o = &*ip;
        let insn = instruction(ip);
        let h = &mut *c;
        let at = pc.wrapping_add(u64::from(insn.off));
        let next = at.wrapping_add(insn.len as u64);
        h.pc = at;
        h.next_pc = next;
        let left = fuel - o.index as i64;
        h.instret = h.t1.instret_end.wrapping_sub(left as u64);
        h.cycles = if h.t1.costs.is_null() {
            h.t1.cycles_end.wrapping_sub(left as u64)
        } else {
            h.t1.cycles_end.wrapping_add(*h.t1.costs.add(o.index as usize))
        };
        let bus = h.t1.bus;
        if h.breaks.is_some() && h.stops_at(insn) {
            h.t1.fuel = left;
            h.t1.status = status::BREAK;
            return h.t1.status;
        }
        match (insn.def.exec)(h, &mut *bus, insn) {
            Ok(()) if h.next_pc == next && h.events == 0 => return GO_ON,
            Ok(()) => {
                h.pc = h.next_pc;
                h.t1.fuel = left - 1;
                h.t1.status = if h.events == 0 { status::LOOKUP } else { status::EVENT };
            }
            Err(t) => {
                h.t1.trap = crate::insn::complete_trap(t, insn, h);
                h.t1.fuel = left;
                h.t1.status = status::TRAP;
            }
        }
        h.t1.status
    }
}

handler! {
    /// Leaves behind an instruction that has set events.
    #[inline(never)]
    pub(super) fn finish(c, ip, pc, fuel) {
        // SAFETY: as `slow`.
        unsafe {
            let insn = instruction(ip);
            (*c).pc = pc.wrapping_add(u64::from(insn.off) + u64::from(insn.len));
            (*c).t1.fuel = fuel - (*ip).index as i64 - 1;
            (*c).t1.status = status::EVENT;
            std::ptr::read_volatile(&raw const (*c).t1.status)
        }
    }
}

handler! {
    /// Fills a block's header slot; never runs.
    pub(super) fn header_slot(c, _ip, _pc, _fuel) {
        // SAFETY: only reads the live hart.
        unsafe { (*c).t1.status }
    }
}

/// The header of the block an op belongs to.
///
/// # Safety
/// `ip` is an instruction's op of a live block.
#[inline(always)]
unsafe fn header(ip: *const Op) -> *const cache::Header {
    // SAFETY: the builder puts the header into the slot before op 0.
    unsafe { ip.sub((*ip).index as usize + 1).cast() }
}

/// The instruction of an op.
///
/// # Safety
/// `ip` is an instruction's op of a block that lives as long as the result is used. Behind its header a block's memory does not move, and
/// nothing is taken back while handlers run.
#[inline(always)]
pub(super) unsafe fn instruction<'a>(ip: *const Op) -> &'a crate::insn::Insn {
    // SAFETY: the block's header lies `index + 1` slots before the op and tells where its instructions are.
    unsafe { &*(*header(ip)).insns.as_ptr().add((*ip).index as usize) }
}

/// Instructions in the block that starts with `entry`.
///
/// # Safety
/// `entry` is the first op of a live block.
#[inline]
pub(super) unsafe fn length(entry: *const Op) -> usize {
    // SAFETY: as promised.
    unsafe { (*header(entry)).count as usize }
}

/// The instructions of the block that starts with `entry`, in order.
///
/// # Safety
/// `entry` is the first op of a block that lives as long as the result is used.
pub(super) unsafe fn instructions<'a>(entry: *const Op) -> &'a [crate::insn::Insn] {
    // SAFETY: the header tells where its instructions are and how many.
    unsafe {
        let h = &*header(entry);
        std::slice::from_raw_parts(h.insns.as_ptr(), h.count as usize)
    }
}

/// Handler of an instruction `rd = f(rs1, rs2)`.
pub const fn alu_rr<A: AluRR>() -> Fast {
    one::<RR<A>>
}
/// Handler of an instruction `rd = f(rs1, imm)`.
pub const fn alu_ri<A: AluRI>() -> Fast {
    one::<RI<A>>
}
/// Handler of an integer load.
pub const fn load<K: LoadK>() -> Fast {
    one::<Ld<K>>
}
/// Handler of an integer store.
pub const fn store<K: StoreK>() -> Fast {
    one::<St<K>>
}
/// Handler of `lui`.
pub const fn lui() -> Fast {
    one::<Lui>
}
/// Handler of `auipc`.
pub const fn auipc() -> Fast {
    one::<Auipc>
}
