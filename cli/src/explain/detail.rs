//! What a trap's value registers say, and which check of which page-table entry made it.

use emu_core::insn::{Decoder, disassemble};
use emu_core::mmu::{PTE_FIELDS, PteAccess, Refused, Stage, Walk};
use emu_core::observer::TrapEntry;
use emu_csr::{Cause, Exception, Isa};
use replay::symbols::Symbols;

/// What xtval says: an address by symbol, an instruction as text; none where it says nothing.
pub fn tval(t: &TrapEntry, symbols: &Symbols) -> Option<String> {
    let Cause::Exception(e) = t.cause else { return None };
    match e {
        Exception::IllegalInst | Exception::VirtualInst => (t.tval != 0).then(|| instruction(t.tval as u32)),
        // Zicfilp and Zicfiss: "Software Check Exception".
        Exception::SoftwareCheck if t.tval == 2 => Some("landing pad fault".to_owned()),
        Exception::SoftwareCheck if t.tval == 3 => Some("shadow stack fault".to_owned()),
        _ if e.has_address() => Some(symbols.text(t.tval)),
        _ => None,
    }
}

/// What mtval2 or htval says: a guest physical address, or what a double trap was at first.
pub fn tval2(t: &TrapEntry) -> Option<String> {
    match t.cause {
        Cause::Exception(Exception::DoubleTrap) => Cause::from_bits(t.tval2).map(|c| format!("the first trap: {}", c.name())),
        Cause::Exception(e) if is_guest_fault(e) => {
            // Hypervisor, "htval": the lowest two bits are those of xtval, if the fault is of the access itself.
            let low = if t.tinst & 0xffff_ffdf == 0x3000 { 0 } else { t.tval & 3 };
            Some(format!("guest physical address {:#x}", t.tval2 << 2 | low))
        }
        _ => None,
    }
}

/// What mtinst or htinst says.
pub fn tinst(t: &TrapEntry) -> Option<String> {
    match t.tinst {
        0 => None,
        0x3000 => Some("an implicit read of a VS-stage page-table entry".to_owned()),
        0x3020 => Some("an implicit write of a VS-stage page-table entry (A or D)".to_owned()),
        bits => {
            // Bit 1 is clear for a compressed instruction; rs1's field is how far behind the access's first byte the fault lies.
            let length = if bits & 2 == 0 { "16-bit" } else { "32-bit" };
            let offset = bits >> 15 & 31;
            let plain = bits as u32 & !(31 << 15) | 3;
            Some(format!("transformed {length} instruction {}, address offset {offset}", instruction(plain)))
        }
    }
}

fn is_guest_fault(e: Exception) -> bool {
    matches!(e, Exception::InstGuestPageFault | Exception::LoadGuestPageFault | Exception::StoreGuestPageFault)
}

fn instruction(bits: u32) -> String {
    let len = if bits & 3 == 3 { 4 } else { 2 };
    disassemble(&Decoder::new(Isa::max()).decode(bits, len), 0)
}

/// Interrupts that were pending and enabled but not taken, and why not.
pub fn losers(t: &TrapEntry) -> Vec<(emu_csr::Interrupt, String)> {
    let why = |to: emu_csr::Mode| {
        if to == t.to {
            format!("also for {}-mode, but of lower priority", to.name())
        } else {
            format!("for {}-mode, whose interrupts come after {}-mode's or are disabled", to.name(), t.to.name())
        }
    };
    t.losers.iter().map(|&(i, to)| (i, why(to))).collect()
}

/// A page-table entry's set fields: `PPN 0x80001 DA-UXWRV`.
pub fn pte(value: u64) -> String {
    let mut text = String::new();
    let mut flags = String::new();
    for f in &PTE_FIELDS {
        let v = f.of(value);
        match f.name {
            "PPN" => text += &format!("PPN {v:#x} "),
            "N" | "PBMT" | "reserved" | "RSW" => {
                if v != 0 {
                    text += &format!("{} {v:#x} ", f.name);
                }
            }
            letter => flags += if v != 0 { letter } else { "-" },
        }
    }
    text + &flags
}

/// One line for the check that failed.
pub fn refused(r: &Refused) -> String {
    let of = match r.stage {
        Some(Stage::G) => format!("the G-stage, for guest physical address {:#x}", r.input),
        Some(s) => format!("the {}-stage, for {:#x}", s.name(), r.input),
        None => format!("physical memory, at {:#x}", r.input),
    };
    format!("{of}: {}", r.why.text())
}

/// The whole walk, a line an entry.
pub fn walk(w: &Walk) -> Vec<String> {
    let a = &w.attempt;
    let mut lines = vec![format!("walk of a {} of {} bytes at {:#x} as {}-mode", a.kind.name(), a.len, a.va, a.mode.name())];
    lines.extend(w.accesses.iter().map(entry));
    if let Some(r) = &w.refused {
        lines.push(format!("refused by {} ({})", refused(r), r.why.clause()));
    }
    lines
}

fn entry(a: &PteAccess) -> String {
    let place = if a.address == a.pa { format!("{:#x}", a.pa) } else { format!("guest {:#x} = {:#x}", a.address, a.pa) };
    let verb = if a.write { "written" } else { "read" };
    format!("{:<2} level {} for {:#x}: {verb} {place}: {:#018x}  {}", a.stage.name(), a.level, a.input, a.value, pte(a.value))
}
