//! The loop around the handlers: runs one hart up to a cycle.

use super::costs::Costs;
use super::{BlockCache, Link, MAX_BLOCK, Op, build, cache, handlers, status};
use crate::bus::Bus;
use crate::engine::step::{self, StepEnd};
use crate::engine::{SliceEnd, Turn, trap};
use crate::hart::Hart;
use crate::insn::Decoder;
use crate::observer::Observer;
use crate::timing::TimingModel;

/// Most instructions that run before the handlers return here: that they leave by jumps is an optimisation of the compiler, without which
/// each takes a frame of the host's stack.
const MOST_FUEL: i64 = 10_000;

/// Runs the hart of index `index` until the end of its turn or until the machine must look. Exactly what the stepper would do, sooner.
pub fn run<T: TimingModel>(turn: Turn<'_, '_, T>, index: usize, blocks: &mut BlockCache) -> SliceEnd {
    let Turn { hart, bus, decoder, timing, until, observer } = turn;
    let mut link: *mut Link = std::ptr::null_mut();
    let mut costs = (!T::UNIT).then(Costs::new);
    hart.t1.bus = bus;
    hart.t1.jumps = blocks.jumps[index].as_mut_ptr();
    loop {
        if !bus.code_writes.is_empty() {
            drop_written(bus, blocks);
            link = std::ptr::null_mut();
        }
        if hart.events != 0 {
            link = std::ptr::null_mut();
            if let Some(end) = step::service_events(hart, bus, observer) {
                return end;
            }
        }
        let left = until.saturating_sub(hart.cycles) as i64;
        if left <= 0 {
            return SliceEnd::Deadline;
        }
        name_context(hart, blocks);
        // The context, and with it the jump cache's tag, tells the kinds of blocks apart too.
        hart.t1.kind = if hart.csr.landing_pads(hart.mode) { cache::LANDING_PADS } else { 0 };
        // Near the deadline a block runs only if it fits as a whole; blocks never chain there.
        let fits = |op: &*const Op| {
            // SAFETY: the op is the entry of a live block.
            let length = || unsafe { handlers::length(*op) } as i64;
            match &mut costs {
                None => left >= MAX_BLOCK as i64 || left >= length(),
                // SAFETY: as above.
                Some(costs) => unsafe { costs.of(*op, timing) < left as u64 },
            }
        };
        let op = if hart.csr.elp { None } else { lookup(hart, bus, decoder, blocks, index).filter(fits) };
        let Some(op) = op else {
            // The instruction faults, crosses a page, is not in RAM, must be a landing pad, is reached for the first time, or the
            // deadline lies inside the block: the stepper knows.
            link = std::ptr::null_mut();
            match single(hart, bus, decoder, timing, observer) {
                None => continue,
                Some(end) => return end,
            }
        };
        if !link.is_null() {
            // SAFETY: the link's block is alive: blocks are freed only by `bury` after a drop, which resets `link`.
            unsafe { (*link).target = op };
        }
        // SAFETY: `op` is the entry of a live block for the hart's pc.
        let why = unsafe { handle(hart, blocks, op, left, costs.as_ref(), timing) };
        link = std::ptr::null_mut();
        match why {
            status::LINK => link = hart.t1.link,
            status::BREAK => return SliceEnd::Break,
            status::TRAP => {
                if let Some(end) = raise(hart, bus, observer) {
                    return end;
                }
            }
            _ => {}
        }
    }
}

/// One instruction on the stepper; how the slice ends with it, if it does.
#[inline(always)]
fn single<T: TimingModel>(
    hart: &mut Hart,
    bus: &mut Bus,
    decoder: &Decoder,
    timing: &mut T,
    observer: &mut Option<&mut dyn Observer>,
) -> Option<SliceEnd> {
    if hart.breaks.is_some() && hart.stops_here(bus, decoder) {
        return Some(SliceEnd::Break);
    }
    match step::step(hart, bus, decoder, timing, observer) {
        StepEnd::Next => None,
        StepEnd::Slice(end) => (!goes_on(hart, end)).then_some(end),
    }
}

/// Enters the exception that a handler has left in `t1`; how the slice ends with it, if it does.
#[inline(always)]
fn raise(hart: &mut Hart, bus: &Bus, observer: &mut Option<&mut dyn Observer>) -> Option<SliceEnd> {
    let t = hart.t1.trap;
    // As in the stepper, a trap takes time.
    hart.cycles += 1;
    trap::exception(hart, bus, t, observer).filter(|&end| !goes_on(hart, end))
}

/// Runs handlers from `op` on, for at most `left` cycles, and brings the clocks up to date. Gives a [`status`].
///
/// # Safety
/// `op` is the entry of a live block for the hart's pc, of which `costs` are, and `t1` is set up but for fuel and what follows from it.
#[inline(always)]
unsafe fn handle<T: TimingModel>(
    hart: &mut Hart,
    blocks: &BlockCache,
    op: *const Op,
    left: i64,
    costs: Option<&Costs>,
    timing: &mut T,
) -> u64 {
    let fuel = match costs {
        None => {
            let fuel = left.min(MOST_FUEL);
            hart.t1.cycles_end = hart.cycles.wrapping_add(fuel as u64);
            hart.t1.costs = std::ptr::null();
            fuel
        }
        Some(costs) => {
            // One block at a time: with so little fuel none goes on to another.
            hart.t1.cycles_end = hart.cycles;
            hart.t1.costs = costs.table();
            costs.len() as i64
        }
    };
    hart.t1.instret_end = hart.instret.wrapping_add(fuel as u64);
    (hart.t1.table, hart.t1.mask) = (blocks.table.as_ptr(), blocks.table.len() - 1);
    let c: *mut Hart = hart;
    // SAFETY: `op` is the entry of a live block for the hart's pc; `t1` is set up.
    let why = unsafe { ((*op).handler)(c, op, (*c).pc, fuel) };
    hart.instret = hart.t1.instret_end.wrapping_sub(hart.t1.fuel as u64);
    hart.cycles = match costs {
        None => hart.t1.cycles_end.wrapping_sub(hart.t1.fuel as u64),
        Some(costs) => {
            let retired = fuel.wrapping_sub(hart.t1.fuel) as usize;
            // SAFETY: the block is alive: blocks are freed only by `bury`.
            hart.t1.cycles_end.wrapping_add(unsafe { costs.charge(op, retired, timing) })
        }
    };
    why
}

/// Whether a trap into M-mode is all that ended the slice, and the guest's own code that handles it: the machine would only come back.
#[inline]
fn goes_on(hart: &Hart, end: SliceEnd) -> bool {
    end == SliceEnd::EnteredM && !hart.firmware && hart.breaks.is_none() && hart.hardware_error.is_none() && !hart.traps.endless()
}

/// The entry of the block at `hart.pc`, from the jump cache, the block table or the builder.
#[inline]
fn lookup(hart: &mut Hart, bus: &mut Bus, decoder: &Decoder, blocks: &mut BlockCache, index: usize) -> Option<*const Op> {
    let pc = hart.pc;
    let e = &mut blocks.jumps[index][cache::slot(pc)];
    if e.tag == pc ^ hart.t1.salts[(pc >> 63) as usize] {
        return Some(e.op);
    }
    let at = hart.fetch_place(bus, pc).ok().filter(|at| at.whole)?;
    // The page's translation may have taken the context's name away.
    name_context(hart, blocks);
    let pa = at.pa;
    let key = pa | hart.t1.kind;
    let op = match blocks.find(key) {
        Some(op) => op,
        None => {
            if !blocks.seen(pa) {
                return None;
            }
            let op = build::build(bus, decoder, blocks, key)?;
            if blocks.insert(key, op) {
                // Other harts drop their write access before they run again.
                if let Some(page) = bus.ram.set_code(pa, true) {
                    hart.tlb.forget_writes(page);
                }
                bus.new_code.push(pa >> 12);
            }
            op
        }
    };
    blocks.jumps[index][cache::slot(pc)] = cache::Jump { tag: pc ^ hart.t1.salts[(pc >> 63) as usize], op };
    Some(op)
}

/// Brings the salts up to date.
#[inline]
fn name_context(hart: &mut Hart, blocks: &mut BlockCache) {
    let (names, wrapped) = hart.tlb.fetch_context(hart.pc);
    if wrapped {
        blocks.clear_jumps();
    }
    hart.t1.salts = names.map(|n| n << 57);
}

/// Drops the blocks of pages that were written.
fn drop_written(bus: &mut Bus, blocks: &mut BlockCache) {
    for ppn in std::mem::take(&mut bus.code_writes) {
        blocks.drop_page(ppn);
        let _ = bus.ram.set_code(ppn << 12, false);
    }
    blocks.bury();
}
