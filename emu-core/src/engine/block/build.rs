//! Makes a block from guest memory.

use super::cache::{Block, data_op};
use super::{Link, MAX_BLOCK, Op, fuse, handlers};
use crate::bus::Bus;
use crate::insn::{Decoder, Format, Insn, Shape};

/// Decodes the block at physical address `pa`: up to control flow, an instruction that crosses the page's end, the page's end, or
/// [`MAX_BLOCK`] instructions. None if not even one instruction lies wholly inside the page and RAM.
pub(super) fn build(bus: &mut Bus, decoder: &Decoder, pa: u64) -> Option<Box<Block>> {
    let page = bus.ram.page_for_read(pa)?;
    let start = (pa & 0xfff) as usize;
    // SAFETY: a page handed out for reading has 4096 bytes and nothing writes to it during this call.
    let bytes: &[u8; 4096] = unsafe { &*page.cast::<[u8; 4096]>() };
    let (mut insns, mut offs): (Vec<Insn>, Vec<u16>) = (Vec::with_capacity(8), Vec::with_capacity(8));
    let mut at = start;
    while insns.len() < MAX_BLOCK && at < 4096 {
        let half = |i: usize| u16::from_le_bytes([bytes[i], bytes[i + 1]]) as u32;
        let lo = half(at);
        let (raw, len) = if lo & 3 != 3 {
            (lo, 2)
        } else if at + 4 <= 4096 {
            (lo | half(at + 2) << 16, 4)
        } else {
            break;
        };
        let insn = decoder.decode(raw, len);
        offs.push((at - start) as u16);
        insns.push(insn);
        at += len as usize;
        if insn.def.shape.ends_block() {
            break;
        }
    }
    insns.shrink_to_fit();
    offs.shrink_to_fit();
    let last = *insns.last()?;
    Some(assemble(pa, insns, offs, last, (at - start) as i32))
}

fn assemble(pa: u64, insns: Vec<Insn>, offs: Vec<u16>, last: Insn, len: i32) -> Box<Block> {
    let n = insns.len();
    let mut ops: Vec<Op> = Vec::with_capacity(n + 6);
    ops.push(data_op());
    for (i, insn) in insns.iter().enumerate() {
        let handler = insns.get(i + 1).and_then(|next| fuse::pair(insn, next)).or(insn.def.fast).unwrap_or(handlers::slow);
        let off = offs[i] as i32;
        let imm = match insn.def.shape {
            Shape::Auipc => insn.imm.wrapping_add(off),
            Shape::Jal => off + insn.len as i32,
            _ if insn.def.format == Format::R4 => insn.imm | (insn.rs3 as i32) << 8,
            _ => insn.imm,
        };
        let rd = if insn.rd == 0 && insn.def.writes_int() { 32 } else { insn.rd };
        ops.push(Op { handler, imm, rd, rs1: insn.rs1, rs2: insn.rs2, index: i as u8 });
    }
    let last_off = offs[n - 1] as i32;
    let mut links: Vec<i32> = Vec::new();
    match last.def.shape {
        Shape::Branch => links.extend([last_off + last.imm, len]),
        Shape::Jal => links.push(last_off + last.imm),
        Shape::Jalr => ops.push(Op { imm: len, ..data_op() }),
        _ => {
            // Also behind an instruction that always leaves by its slow path: it costs one slot and keeps one rule.
            ops.push(Op { handler: handlers::fall, index: n as u8, ..data_op() });
            links.push(len);
        }
    }
    let (first_link, count) = (ops.len(), links.len());
    ops.resize(first_link + 2 * count, data_op());
    let mut ops = ops.into_boxed_slice();
    let base = ops.as_mut_ptr();
    let page_off = (pa & 0xfff) as i32;
    for (k, delta) in links.into_iter().enumerate() {
        let same_page = (page_off + delta) >> 12 == 0;
        let stub = first_link + count + k;
        // `rd` is the distance from the stub back to its link, `imm` whether the link may be patched.
        ops[stub] = Op { handler: handlers::resolve, imm: same_page as i32, rd: count as u8, ..data_op() };
        // SAFETY: `first_link + k` and `stub` are inside `ops`; Link and Op have the same size and alignment (asserted below), and the
        // slot is only ever read as a Link from now on. The boxed slice does not move when its box does.
        unsafe {
            base.add(first_link + k).cast::<Link>().write(Link { target: base.add(stub), delta, pad: 0 });
        }
    }
    let mut block = Box::new(Block { pa, offs, insns, ops });
    let address: *const Block = &*block;
    // SAFETY: slot 0 is the header slot, 16 bytes, aligned for a pointer.
    unsafe { block.ops.as_mut_ptr().cast::<*const Block>().write(address) };
    block
}

const _: () = assert!(size_of::<Link>() == size_of::<Op>() && align_of::<Link>() == align_of::<Op>() && size_of::<Op>() == 16);
