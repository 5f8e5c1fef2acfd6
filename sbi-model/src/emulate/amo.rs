//! Misaligned atomic memory operations.

use emu_core::bus::Bus;
use emu_core::hart::Hart;
use emu_core::insn::Insn;
use emu_core::mem::Ram;
use emu_core::mmu::Access;
use emu_csr::{Exception, Mode, Trap};

/// Where the scratch memory lies that the operation itself works on.
const SCRATCH: u64 = 0x8000_0000;

/// Bytes of an operation that can be carried out here: two, four or eight, by funct3. LR and SC need an aligned reservation; sixteen
/// bytes and shadow stacks are left to those who ask for them.
pub(super) fn size(insn: &Insn) -> Option<u8> {
    let size = 1u8 << (insn.wide >> 12 & 7).min(4);
    (insn.def.name.starts_with("amo") && matches!(size, 2 | 4 | 8)).then_some(size)
}

/// Reads, computes and writes with the privilege and translation of `mode`. No other hart runs in between. The value is computed by
/// the instruction itself, on a hart and memory of its own that hold nothing else.
pub(super) fn access(h: &mut Hart, bus: &mut Bus, insn: &Insn, size: u8, mode: Mode) -> Result<(), Trap> {
    let access = Access { mode, hlvx: false, forced: false };
    let at = h.get(insn.rs1);
    let old = h.load_as(bus, at, size, access).map_err(as_store)?;
    let (rd, new) = compute(h, bus, insn, size, old)?;
    h.store_as(bus, at, size, new, access)?;
    h.set(insn.rd, rd);
    Ok(())
}

/// What rd and memory become.
fn compute(h: &Hart, bus: &Bus, insn: &Insn, size: u8, old: u64) -> Result<(u64, u64), Trap> {
    let mut memory = Bus::new(Ram::new(SCRATCH, 4096), bus.clock);
    let mut hart = Hart::new(h.csr.isa, h.id);
    hart.x = h.x;
    // The address goes into a register that the instruction does not name.
    let free = (1..32).find(|r| ![insn.rd, insn.rs2].contains(r)).unwrap_or(insn.rs1);
    let insn = Insn { rs1: free, ..*insn };
    hart.set(free, SCRATCH);
    memory.ram.write(SCRATCH, size, old, &mut memory.code_writes);
    (insn.def.exec)(&mut hart, &mut memory, &insn)?;
    Ok((hart.get(insn.rd), memory.ram.read(SCRATCH, size).unwrap_or(old)))
}

/// An AMO's faults are all store/AMO faults.
fn as_store(t: Trap) -> Trap {
    let cause = match t.cause {
        Exception::LoadAccessFault => Exception::StoreAccessFault,
        Exception::LoadPageFault => Exception::StorePageFault,
        Exception::LoadGuestPageFault => Exception::StoreGuestPageFault,
        other => other,
    };
    // The pseudo-instruction of an implicit read of a VS-stage page table stays what it is.
    Trap { cause, ..t }
}
