//! Counters that a hart has only at M-level: reads of time, cycle, instret and the hpmcounters, and htimedelta, as OpenSBI does them.
//!
//! A hart without Zicntr (or Zihpm) has mcounteren all the same; what its bits and those of hcounteren and scounteren would allow if the
//! register were there is what the firmware does.

use emu_core::insn::{Format, Insn};
use emu_csr::table::{self, CYCLE, HTIMEDELTA, INSTRET, TIME};
use emu_csr::{Ext, Mode};

use crate::call::Call;
use crate::leave;
use crate::profile::policy::HpmReads;

/// What an instruction does to a register that firmware keeps.
struct Operation {
    csr: u16,
    rd: u8,
    /// What is written, given the old value; none if the instruction only reads.
    write: Option<fn(u64, u64) -> u64>,
    operand: u64,
}

/// Carries out a CSR instruction on one of those registers. None if it is none of them, or not allowed.
pub(crate) fn access(c: &mut Call<'_, '_>, raw: u32) -> Option<()> {
    let hart = c.hart;
    let op = operation(c, raw)?;
    let mode = leave::previous(&c.platform.harts[hart]);
    let old = read(c, op.csr, mode)?;
    if let Some(new) = op.write {
        if op.csr != HTIMEDELTA {
            return None;
        }
        c.state.delta[hart] = new(old, op.operand);
    }
    let h = &mut c.platform.harts[hart];
    h.set(op.rd, old);
    leave::past(h, 4);
    Some(())
}

fn operation(c: &Call<'_, '_>, raw: u32) -> Option<Operation> {
    if raw & 3 != 3 {
        return None;
    }
    let h = &c.platform.harts[c.hart];
    let insn: Insn = c.platform.decoder.decode(raw, 4);
    let (operand, always) = match insn.def.format {
        Format::Csr => (h.get(insn.rs1), insn.def.name == "csrrw"),
        Format::CsrI => (u64::from(insn.rs1), insn.def.name == "csrrwi"),
        _ => return None,
    };
    let change: fn(u64, u64) -> u64 = match insn.def.name {
        "csrrw" | "csrrwi" => |_, v| v,
        "csrrs" | "csrrsi" => |old, v| old | v,
        _ => |old, v| old & !v,
    };
    // The other forms with register or immediate 0 only read (Zicsr).
    Some(Operation { csr: insn.csr(), rd: insn.rd, write: (always || insn.rs1 != 0).then_some(change), operand })
}

/// The register's value for the interrupted context. None if the hart has the register itself, so that the refusal stands, or the
/// context may not read it.
fn read(c: &Call<'_, '_>, csr: u16, mode: Mode) -> Option<u64> {
    let h = &c.platform.harts[c.hart];
    let isa = h.csr.isa;
    let now = h.now(c.platform.bus);
    match csr {
        HTIMEDELTA => (mode == Mode::HS && isa.has(Ext::H) && !isa.has(Ext::Zicntr)).then(|| c.state.delta[c.hart]),
        CYCLE | TIME | INSTRET if isa.has(Ext::Zicntr) || !allowed(c, csr - CYCLE, mode) => None,
        TIME => Some(now.time.wrapping_add(if mode.virt() { c.state.delta[c.hart] } else { 0 })),
        CYCLE | INSTRET => Some(h.csr.counter((csr - CYCLE) as u8, &now)),
        _ => {
            let emulated = c.rules.policies.hpm_reads == HpmReads::Emulated && !isa.has(Ext::Zihpm);
            let i = csr.checked_sub(table::HPMCOUNTER0).filter(|i| (3..32).contains(i))?;
            (emulated && allowed(c, i, mode)).then(|| h.csr.counter(i as u8, &now))
        }
    }
}

/// Whether mcounteren, hcounteren and scounteren open counter `i` to `mode`.
fn allowed(c: &Call<'_, '_>, i: u16, mode: Mode) -> bool {
    let csr = &c.platform.harts[c.hart].csr;
    let mut open = csr.mcounteren;
    if mode.virt() {
        open &= csr.hcounteren;
    }
    if mode.level() == 0 {
        open &= csr.scounteren;
    }
    open >> i & 1 != 0
}
