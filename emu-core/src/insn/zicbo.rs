//! Zicbom, Zicboz, Zicbop: cache-block instructions. There is no cache, so management is its permission check alone and a
//! prefetch is the hint `ori x0, rs1, imm` it is encoded as.

use super::macros::{plain, table};
use super::zicsr::refusal;
use crate::bus::Bus;
use crate::engine::block::plain as fast;
use crate::hart::Hart;
use crate::insn::Insn;
use emu_csr::Ext::{Zicbom, Zicbop, Zicboz};
use emu_csr::{Cbo, Trap};

plain! {
    "cbo.inval"  "000000000000 aaaaa 010 00000 0001111" &[Zicbom], Block, Cache, Plain, |h, bus, i| block(h, bus, i, Cbo::Inval);
    "cbo.clean"  "000000000001 aaaaa 010 00000 0001111" &[Zicbom], Block, Cache, Plain, |h, bus, i| block(h, bus, i, Cbo::Clean);
    "cbo.flush"  "000000000010 aaaaa 010 00000 0001111" &[Zicbom], Block, Cache, Plain, |h, bus, i| block(h, bus, i, Cbo::Flush);
    "cbo.zero"   "000000000100 aaaaa 010 00000 0001111" &[Zicboz], Block, Cache, Plain, |h, bus, i| block(h, bus, i, Cbo::Zero) => fast::zero;
    "prefetch.i" "iiiiiii 00000 aaaaa 110 00000 0010011" &[Zicbop], Prefetch, Cache, Plain, |_, _, _| Ok(()) => fast::nothing;
    "prefetch.r" "iiiiiii 00001 aaaaa 110 00000 0010011" &[Zicbop], Prefetch, Cache, Plain, |_, _, _| Ok(()) => fast::nothing;
    "prefetch.w" "iiiiiii 00011 aaaaa 110 00000 0010011" &[Zicbop], Prefetch, Cache, Plain, |_, _, _| Ok(()) => fast::nothing;
}

/// One cache-block instruction on the block that holds the address in rs1. Memory is always coherent with the cache there is
/// not, so invalidation loses nothing and equals a flush.
fn block(h: &mut Hart, bus: &mut Bus, i: &Insn, cbo: Cbo) -> Result<(), Trap> {
    let cbo = h.csr.check_cbo(cbo, h.mode).map_err(|denied| refusal(denied, i))?;
    let address = h.get(i.rs1);
    match cbo {
        Cbo::Zero => h.zero_block(bus, address),
        Cbo::Inval | Cbo::Clean | Cbo::Flush => h.check_block(bus, address),
    }
}

table!(PLAIN);
