//! Traps in words: what happened, why it went where it went, and which fields of which CSR changed.

pub mod cause;
pub mod command;
pub mod detail;
mod firmware;
mod register;

use emu_core::observer::{TrapEntry, TrapReturn};
use emu_csr::{Cause, Change, ChangeList, table};

/// The text of a trap entry.
pub fn trap(e: &TrapEntry) -> String {
    let kind = if matches!(e.cause, Cause::Interrupt(_)) { "interrupt" } else { "exception" };
    let code = e.cause.bits() << 1 >> 1;
    let mut s = format!(
        "trap   {} -> {}  {} ({kind} {code})  at pc {:#x}, instruction {}\n",
        e.from.name(),
        e.to.name(),
        e.cause.name(),
        e.pc,
        e.instret
    );
    s += &format!("  why  {}\n", why(e));
    s + &changes(&e.changes)
}

/// The text of a trap return.
pub fn ret(r: &TrapReturn) -> String {
    let mut s = format!("return {} -> {}  by {} at pc {:#x} to {:#x}\n", r.from.name(), r.to.name(), r.by.name(), r.pc, r.target);
    s += &changes(&r.changes);
    s
}

/// Why a trap is taken where it is: the delegation bits that decide it.
pub fn why(e: &TrapEntry) -> String {
    let (from, to, why) = (e.from, e.to, &e.why);
    let (m, h, code) = match why.cause {
        Cause::Exception(e) => ("medeleg", "hedeleg", e as u8),
        Cause::Interrupt(i) => ("mideleg", "hideleg", i as u8),
    };
    let to = to.name();
    match (why.machine, why.hypervisor) {
        (None, _) => format!("raised in {}-mode, whose traps are never delegated", from.name()),
        (Some(false), _) => format!("{m}[{code}]=0: not delegated, so {to}-mode takes it"),
        (Some(true), None) => format!("{m}[{code}]=1: delegated to {to}-mode"),
        (Some(true), Some(false)) => format!("{m}[{code}]=1 and {h}[{code}]=0: delegated once, so {to}-mode takes it"),
        (Some(true), Some(true)) => format!("{m}[{code}]=1 and {h}[{code}]=1: delegated twice, to {to}-mode"),
    }
}

/// Changed CSRs, one a line, by field where the register has fields. Fields that stayed the same are left out.
fn changes(list: &ChangeList) -> String {
    let mut s = String::new();
    for c in &list.0 {
        let name = c.name();
        let fields: Vec<String> = c.fields().map(|f| format!("{} {:#x} -> {:#x}", f.field.name, f.before, f.after)).collect();
        // Cause registers are the one place where a number says less than words.
        let meaning = match name {
            "mcause" | "scause" | "vscause" => Cause::from_bits(c.after).map(|c| format!("  {}", c.name())).unwrap_or_default(),
            _ => String::new(),
        };
        if fields.is_empty() || !meaning.is_empty() {
            s += &format!("       {name:<8} {:#x} -> {:#x}{meaning}\n", c.before, c.after);
        } else {
            s += &format!("       {name:<8} {}\n", fields.join(", "));
        }
    }
    s
}

/// One changed CSR in one line, by field where it has fields: `hstatus.SPV 0x0 -> 0x1`.
pub fn change(c: &Change) -> String {
    let name = c.name();
    let fields: Vec<String> = c.fields().map(|f| format!("{name}.{} {:#x} -> {:#x}", f.field.name, f.before, f.after)).collect();
    if fields.is_empty() { format!("{name} {:#x} -> {:#x}", c.before, c.after) } else { fields.join(", ") }
}

/// A CSR by field, one a line, with what each field says.
pub fn csr(number: u16, value: u64) -> String {
    let Some(decl) = table::find(number) else { return format!("{number:#x} = {value:#018x}\n") };
    let mut s = format!("{} ({:#05x}) = {value:#018x}  {}\n", decl.name, decl.number, decl.doc.trim());
    for f in decl.fields {
        let bits = if f.hi == f.lo { format!("[{}]", f.hi) } else { format!("[{}:{}]", f.hi, f.lo) };
        s += &format!("  {:<8} {bits:<8} {:#x}  {}\n", f.name, f.of(value), f.doc.trim());
    }
    s
}

#[cfg(test)]
mod tests {
    use emu_csr::{Csrs, Exception, Isa, Mode};

    use super::*;

    #[test]
    fn an_ecall_from_u_delegated_once_names_the_bit_and_the_changed_fields_only() {
        let mut csrs = Csrs::new(Isa::max(), 0);
        csrs.medeleg = 1 << 8;
        let mstatus = table::by_name("mstatus").unwrap();
        let e = TrapEntry {
            hart: 0,
            instret: 5,
            pc: 0x1000,
            from: Mode::U,
            to: Mode::HS,
            cause: Cause::Exception(Exception::EcallU),
            why: csrs.delegate(Mode::U, Cause::Exception(Exception::EcallU)).1,
            pending: 0,
            losers: Vec::new(),
            tval: 0,
            tval2: 0,
            tinst: 0,
            walk: None,
            changes: ChangeList(vec![Change { csr: mstatus, before: 2, after: 1 << 5 }]),
        };
        let s = trap(&e);
        assert!(s.contains("U -> HS") && s.contains("medeleg[8]=1: delegated to HS-mode"), "{s}");
        assert!(s.contains("SPIE 0x0 -> 0x1") && s.contains("SIE 0x1 -> 0x0") && !s.contains("MPP"), "{s}");
    }

    #[test]
    fn a_return_names_its_instruction() {
        use emu_core::engine::trap::Return;
        let r = |by| TrapReturn {
            hart: 0,
            instret: 5,
            pc: 0x1000,
            by,
            from: Mode::M,
            to: Mode::HS,
            target: 0x2000,
            changes: ChangeList::default(),
        };
        assert_eq!(ret(&r(Return::Supervisor)), "return M -> HS  by sret at pc 0x1000 to 0x2000\n");
        assert_eq!(ret(&r(Return::Machine)), "return M -> HS  by mret at pc 0x1000 to 0x2000\n");
    }

    #[test]
    fn a_csr_is_shown_by_field() {
        let s = csr(table::by_name("mstatus").unwrap(), 3 << 11);
        assert!(s.contains("MPP") && s.contains("[12:11]") && s.contains("0x3"), "{s}");
    }
}
