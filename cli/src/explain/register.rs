//! A CSR's rule, from the line of the table that implements it, and what changed it.

use emu_core::observer::TrapReturn;
use emu_csr::{ChangeList, Effects, Mode, table};
use replay::ledger::{Entry, FieldName};

/// What a register or field is: declaration, access, writes.
pub fn rule(field: &FieldName) -> String {
    let Some(d) = table::by_name(field.register).and_then(table::find) else { return String::new() };
    let mut s = format!("{} (CSR {:#05x}): {}\n", d.name, d.number, d.doc.trim());
    if let Some(f) = d.fields.iter().find(|f| f.name == field.field) {
        let bits = if f.hi == f.lo { format!("bit {}", f.hi) } else { format!("bits {} to {}", f.hi, f.lo) };
        s += &format!("  {}  {bits}: {}\n", field.name(), f.doc);
    }
    let level = ["U-mode", "HS-mode", "HS-mode (a hypervisor register)", "M-mode"][usize::from(d.level() & 3)];
    let only = if d.read_only() { ", to read only" } else { "" };
    s += &format!("  access    from {level} on{only} (Privileged ISA, \"CSR Address Mapping Conventions\")\n");
    for g in d.gates {
        s += &format!("            {}\n", g.text());
    }
    let replaced = table::replaced(d.number);
    if replaced != d.number {
        s += &format!(
            "            with V=1 the instruction accesses {} instead (Hypervisor, \"Hypervisor and Virtual Supervisor CSRs\")\n",
            table::name(replaced).unwrap_or("?")
        );
    }
    let native = table::all().find(|o| o.number != d.number && table::replaced(o.number) == d.number);
    if let Some(o) = native {
        s += &format!(
            "            it is what an instruction with V=1 accesses that names {} (Hypervisor, \"Hypervisor and Virtual Supervisor CSRs\")\n",
            o.name
        );
    }
    match d.place {
        _ if d.read_only() => {}
        table::Place::Own(_) => s += &format!("  a write   {}\n", d.rule.text()),
        table::Place::View(..) => s += "  a write   goes to the registers whose state this one shows\n",
    }
    let effects = [
        (Effects::CONTEXT, "how addresses are translated is looked at again"),
        (Effects::FLUSH, "cached translations are dropped"),
        (Effects::TIMER, "timers are compared again"),
        (Effects::INTERRUPTS, "pending interrupts are looked at before the next instruction"),
    ];
    for (_, text) in effects.iter().filter(|(e, _)| d.effects.has(*e)) {
        s += &format!("            {text}\n");
    }
    s
}

/// Whether a register has no state of its own that instructions write: a counter's value, pending bits.
pub fn computed(field: &FieldName) -> bool {
    let d = table::by_name(field.register).and_then(table::find);
    d.is_some_and(|d| d.read_only() && matches!(d.place, table::Place::View(..)))
}

/// What a return does, by the mode that it leaves.
pub fn return_rule(r: &TrapReturn) -> String {
    match r.from {
        Mode::M => "MRET: the mode is MPP with MPV as V, MIE takes MPIE, MPIE becomes 1, MPP the least mode, MPV 0 (Privileged ISA, \"Trap-Return Instructions\"; Hypervisor, \"Trap Return\")",
        Mode::VS => "SRET in VS-mode: the mode is vsstatus.SPP with V=1, SIE takes SPIE, SPIE becomes 1, SPP 0 (Hypervisor, \"Trap Return\")",
        _ => "SRET: the mode is SPP with hstatus.SPV as V, SIE takes SPIE, SPIE becomes 1, SPP 0, SPV 0 (Hypervisor, \"Trap Return\")",
    }
    .to_owned()
}

/// Why an entry changed a field.
pub fn reason(e: &Entry, field: &FieldName) -> String {
    let doc = table::by_name(field.register)
        .map(table::fields)
        .and_then(|fields| fields.iter().find(|f| f.name == field.field))
        .map_or(String::new(), |f| format!("; {} is: {}", f.name, f.doc));
    let text = match e {
        Entry::Trap(t) => format!("a trap into {}-mode writes it (Hypervisor, \"Trap Entry\"){doc}", t.to.name()),
        Entry::Return(r) => return_rule(r),
        Entry::Write(w) => format!("an instruction of {}-mode at {:#x} wrote it{doc}", w.mode.name(), w.pc),
        Entry::Firmware(r) => format!("the firmware wrote it in its operation '{} {}'{doc}", r.kind, r.name),
    };
    format!("  because {text}\n")
}

/// Changed fields, a line each, with what they say.
pub fn changes(list: Option<&ChangeList>) -> String {
    let Some(list) = list.filter(|l| !l.0.is_empty()) else { return String::new() };
    let mut s = "  changed\n".to_owned();
    for c in &list.0 {
        let fields: Vec<_> = c.fields().collect();
        if fields.is_empty() {
            let doc = table::find(c.csr).map_or("", |d| d.doc.trim());
            s += &format!("    {} {:#x} -> {:#x}: {doc}\n", c.name(), c.before, c.after);
        }
        for f in fields {
            s += &format!("    {}.{} {:#x} -> {:#x}: {}\n", c.name(), f.field.name, f.before, f.after, f.field.doc);
        }
    }
    s
}
