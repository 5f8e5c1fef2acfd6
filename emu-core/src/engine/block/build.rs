//! Makes a block from guest memory.

use std::ptr::NonNull;

use super::arena::Unit;
use super::cache::{BlockCache, Header, LANDING_PADS, data_op};
use super::{Fast, Link, MAX_BLOCK, Op, fuse, handlers, plain, runs};
use crate::bus::Bus;
use crate::insn::{Decoder, Format, Insn, Shape, zicfilp};

/// Decodes the block at the physical address in `key`, which may have [`LANDING_PADS`] set: up to control flow, an instruction that crosses the page's end, the page's end, or
/// [`MAX_BLOCK`] instructions. Gives its first op, or none if not even one instruction lies wholly inside the page and RAM. The block
/// lives in the cache's arenas but is not in its table yet.
pub(super) fn build(bus: &mut Bus, decoder: &Decoder, blocks: &mut BlockCache, key: u64) -> Option<*const Op> {
    let pa = key & !LANDING_PADS;
    let page = bus.ram.page_for_read(pa)?;
    let start = (pa & 0xfff) as usize;
    // SAFETY: a page handed out for reading has 4096 bytes and nothing writes to it during this call.
    let bytes: &[u8; 4096] = unsafe { &*page.cast::<[u8; 4096]>() };
    blocks.scratch.clear();
    let mut at = start;
    while blocks.scratch.len() < MAX_BLOCK && at < 4096 {
        let half = |i: usize| u16::from_le_bytes([bytes[i], bytes[i + 1]]) as u32;
        let lo = half(at);
        let (raw, len) = if lo & 3 != 3 {
            (lo, 2)
        } else if at + 4 <= 4096 {
            (lo | half(at + 2) << 16, 4)
        } else {
            break;
        };
        if blocks.stops_at(pa & !0xfff | at as u64) {
            break;
        }
        let insn = Insn { off: (at - start) as u16, ..decoder.decode(raw, len) };
        blocks.scratch.push(insn);
        at += len as usize;
        if insn.def.shape.ends_block() {
            break;
        }
    }
    let last = *blocks.scratch.last()?;
    Some(assemble(blocks, key, last, (at - start) as i32))
}

/// Units that so many instructions take.
pub(super) const fn insn_units(count: usize) -> usize {
    (count * size_of::<Insn>()).div_ceil(size_of::<Unit>())
}

/// The handler of the first of the instructions that are left.
fn handler(rest: &[Insn], pads: bool) -> Fast {
    let insn = &rest[0];
    // A jump that expects a landing pad is left to `exec`.
    let expects = |i: &Insn| pads && i.def.shape == Shape::Jalr && zicfilp::expects_pad(i.rs1);
    if expects(insn) {
        return handlers::slow;
    }
    let pair = || rest.get(1).filter(|next| !expects(next)).and_then(|next| fuse::pair(insn, next));
    runs::run(rest)
        .or_else(pair)
        .or(insn.def.fast)
        .or_else(|| plain::csr(insn))
        .or_else(|| plain::call(insn))
        .unwrap_or(handlers::slow)
}

fn assemble(blocks: &mut BlockCache, key: u64, last: Insn, len: i32) -> *const Op {
    let n = blocks.scratch.len();
    let last_off = i32::from(last.off);
    let (links, count): ([i32; 2], usize) = match last.def.shape {
        Shape::Branch => ([last_off + last.imm, len], 2),
        Shape::Jal => ([last_off + last.imm, 0], 1),
        Shape::Jalr => ([0; 2], 0),
        _ => ([len, 0], 1),
    };
    let extra = !matches!(last.def.shape, Shape::Branch | Shape::Jal) as usize;
    let slots = 1 + n + extra + 2 * count;
    let insns: NonNull<Insn> = blocks.insns.get(insn_units(n)).cast();
    let base: *mut Op = blocks.ops.get(slots).as_ptr().cast();
    // SAFETY: the first piece has room for `n` instructions, the second for `slots` ops; both are aligned for what they hold (asserted
    // below) and nobody else uses them.
    let (cold, ops) = unsafe {
        insns.as_ptr().copy_from_nonoverlapping(blocks.scratch.as_ptr(), n);
        base.cast::<Header>().write(Header { insns, count: n as u16, slots: slots as u16, pad: 0 });
        (&blocks.scratch[..], base.add(1))
    };
    let put = |i: usize, op: Op| {
        debug_assert!(i < slots - 1);
        // SAFETY: as above; `i` counts from the slot behind the header.
        unsafe { ops.add(i).write(op) }
    };
    for (i, insn) in cold.iter().enumerate() {
        let handler = handler(&cold[i..], key & LANDING_PADS != 0);
        let off = i32::from(insn.off);
        let imm = match insn.def.shape {
            Shape::Auipc => insn.imm.wrapping_add(off),
            Shape::Jal => off + insn.len as i32,
            _ if matches!(insn.def.format, Format::Csr | Format::CsrI) => i32::from(insn.csr()),
            _ if insn.def.format == Format::R4 => insn.imm | (insn.rs3 as i32) << 8,
            _ => insn.imm,
        };
        let rd = if insn.rd == 0 && insn.def.writes_int() { 32 } else { insn.rd };
        put(i, Op { handler, imm, rd, rs1: insn.rs1, rs2: insn.rs2, index: i as u8 });
    }
    match last.def.shape {
        Shape::Branch | Shape::Jal => {}
        Shape::Jalr => put(n, Op { imm: len, ..data_op() }),
        // Also behind an instruction that always leaves by its slow path: it costs one slot and keeps one rule.
        _ => put(n, Op { handler: handlers::fall, index: n as u8, ..data_op() }),
    }
    let first_link = n + extra;
    let page_off = (key & 0xfff) as i32;
    for (k, delta) in links.into_iter().take(count).enumerate() {
        let same_page = (page_off + delta) >> 12 == 0;
        let stub = first_link + count + k;
        // `rd` is the distance from the stub back to its link, `imm` whether the link may be patched.
        put(stub, Op { handler: handlers::resolve, imm: same_page as i32, rd: count as u8, ..data_op() });
        // SAFETY: both slots are inside the piece; Link and Op have the same size and alignment (asserted below), and the slot is only
        // ever read as a Link from now on.
        unsafe {
            ops.add(first_link + k).cast::<Link>().write(Link { target: ops.add(stub), delta, pad: 0 });
        }
    }
    ops
}

const _: () = assert!(size_of::<Link>() == size_of::<Op>() && align_of::<Link>() == align_of::<Op>() && size_of::<Op>() == 16);
const _: () = assert!(size_of::<Header>() == size_of::<Op>() && size_of::<Unit>() == size_of::<Op>());
const _: () = assert!(align_of::<Unit>() >= align_of::<Op>() && align_of::<Unit>() >= align_of::<Insn>());
