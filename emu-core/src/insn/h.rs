//! Hypervisor loads and stores (Privileged ISA, Hypervisor, "Hypervisor Virtual-Machine Load and Store Instructions").

use super::macros::{plain, table};
use super::zicsr::refusal;
use crate::bus::Bus;
use crate::hart::Hart;
use crate::insn::Insn;
use crate::mmu::Access;
use emu_csr::Ext::H;
use emu_csr::{Mode, Trap, field};

plain! {
    "hlv.b"   "0110000 00000 aaaaa 100 ddddd 1110011" &[H], Addr, Load, Plain, |h, bus, i| { let v = load(h, bus, i, 1, false)?; h.set(i.rd, v as i8 as u64); Ok(()) };
    "hlv.bu"  "0110000 00001 aaaaa 100 ddddd 1110011" &[H], Addr, Load, Plain, |h, bus, i| { let v = load(h, bus, i, 1, false)?; h.set(i.rd, v); Ok(()) };
    "hlv.h"   "0110010 00000 aaaaa 100 ddddd 1110011" &[H], Addr, Load, Plain, |h, bus, i| { let v = load(h, bus, i, 2, false)?; h.set(i.rd, v as i16 as u64); Ok(()) };
    "hlv.hu"  "0110010 00001 aaaaa 100 ddddd 1110011" &[H], Addr, Load, Plain, |h, bus, i| { let v = load(h, bus, i, 2, false)?; h.set(i.rd, v); Ok(()) };
    "hlvx.hu" "0110010 00011 aaaaa 100 ddddd 1110011" &[H], Addr, Load, Plain, |h, bus, i| { let v = load(h, bus, i, 2, true)?; h.set(i.rd, v); Ok(()) };
    "hlv.w"   "0110100 00000 aaaaa 100 ddddd 1110011" &[H], Addr, Load, Plain, |h, bus, i| { let v = load(h, bus, i, 4, false)?; h.set(i.rd, v as i32 as u64); Ok(()) };
    "hlv.wu"  "0110100 00001 aaaaa 100 ddddd 1110011" &[H], Addr, Load, Plain, |h, bus, i| { let v = load(h, bus, i, 4, false)?; h.set(i.rd, v); Ok(()) };
    "hlvx.wu" "0110100 00011 aaaaa 100 ddddd 1110011" &[H], Addr, Load, Plain, |h, bus, i| { let v = load(h, bus, i, 4, true)?; h.set(i.rd, v); Ok(()) };
    "hlv.d"   "0110110 00000 aaaaa 100 ddddd 1110011" &[H], Addr, Load, Plain, |h, bus, i| { let v = load(h, bus, i, 8, false)?; h.set(i.rd, v); Ok(()) };
    "hsv.b"   "0110001 bbbbb aaaaa 100 00000 1110011" &[H], AddrStore, Store, Plain, |h, bus, i| store(h, bus, i, 1);
    "hsv.h"   "0110011 bbbbb aaaaa 100 00000 1110011" &[H], AddrStore, Store, Plain, |h, bus, i| store(h, bus, i, 2);
    "hsv.w"   "0110101 bbbbb aaaaa 100 00000 1110011" &[H], AddrStore, Store, Plain, |h, bus, i| store(h, bus, i, 4);
    "hsv.d"   "0110111 bbbbb aaaaa 100 00000 1110011" &[H], AddrStore, Store, Plain, |h, bus, i| store(h, bus, i, 8);
}

/// Whether the mode may; and the privilege of the access: that of VS or VU as hstatus.SPVP says, with V=1.
fn access(h: &Hart, i: &Insn, hlvx: bool) -> Result<Access, Trap> {
    h.csr.check_hlv(h.mode).map_err(|denied| refusal(denied, i))?;
    let mode = if h.csr.hstatus & field::hstatus::SPVP != 0 { Mode::VS } else { Mode::VU };
    Ok(Access { mode, hlvx, forced: true })
}

fn load(h: &mut Hart, bus: &mut Bus, i: &Insn, size: u8, hlvx: bool) -> Result<u64, Trap> {
    let access = access(h, i, hlvx)?;
    h.load_as(bus, h.get(i.rs1), size, access)
}

fn store(h: &mut Hart, bus: &mut Bus, i: &Insn, size: u8) -> Result<(), Trap> {
    let access = access(h, i, false)?;
    h.store_as(bus, h.get(i.rs1), size, h.get(i.rs2), access)
}

table!(PLAIN);
