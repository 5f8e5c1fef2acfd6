//! A ledger entry in one line: what happened, where, and which fields changed.

use emu_core::observer::FwRecord;
use emu_csr::{Cause, Change};
use replay::ledger::Entry;
use replay::symbols::Symbols;

use crate::explain::{self, detail};

/// The line, without its number, hart or end. `shown` chooses the CSRs whose changes are told.
pub fn text(e: &Entry, symbols: &Symbols, shown: impl Fn(&Change) -> bool) -> String {
    let at = |pc| symbols.text(pc);
    let head = match e {
        Entry::Trap(t) => {
            let code = t.cause.bits() << 1 >> 1;
            let kind = if matches!(t.cause, Cause::Interrupt(_)) { "interrupt" } else { "exception" };
            let (from, to, name) = (t.from.name(), t.to.name(), t.cause.name());
            let mut s = format!("trap {from} -> {to} {name} ({kind} {code}; {}) at {}", explain::why(t), at(t.pc));
            if t.tval != 0 {
                s += &format!(", tval {}", detail::tval(t, symbols).unwrap_or_else(|| format!("{:#x}", t.tval)));
            }
            if let Some(text) = detail::tval2(t) {
                s += &format!(", {text}");
            }
            if let Some(r) = t.walk.as_ref().and_then(|w| w.refused) {
                s += &format!(", refused by {}", detail::refused(&r));
            }
            s
        }
        Entry::Return(r) => format!("return {} -> {} at {} to {}", r.from.name(), r.to.name(), at(r.pc), at(r.target)),
        Entry::Write(w) => format!("{}-mode writes at {}", w.mode.name(), at(w.pc)),
        Entry::Firmware(r) => return format!("firmware {} {}{}", r.kind, r.name, firmware(r)),
    };
    let fields: Vec<String> = e.changes().iter().flat_map(|c| c.0.iter()).filter(|c| shown(c)).map(explain::change).collect();
    if fields.is_empty() { head } else { format!("{head}: {}", fields.join(", ")) }
}

/// What the line leaves out, a line each: the value registers, interrupts that lost, the page walk.
pub fn more(e: &Entry, symbols: &Symbols) -> Vec<String> {
    let Entry::Trap(t) = e else { return Vec::new() };
    let mut lines = Vec::new();
    let mut value = |name: &str, v: u64, text: Option<String>| {
        if v != 0 || text.is_some() {
            lines.push(format!("{name:<5} {v:#x}{}", text.map_or(String::new(), |t| format!("  {t}"))));
        }
    };
    value("tval", t.tval, detail::tval(t, symbols));
    value("tval2", t.tval2, detail::tval2(t));
    value("tinst", t.tinst, detail::tinst(t));
    for (i, why) in detail::losers(t) {
        lines.push(format!("not taken: {} ({}): {why}", i.name(), i as u8));
    }
    lines.extend(t.walk.iter().flat_map(|w| detail::walk(w)));
    lines
}

/// Values of a firmware record: those that changed with both values, others once.
fn firmware(r: &FwRecord) -> String {
    let one = |f: &emu_core::observer::FwField| {
        if f.before == f.after {
            format!("{} {:#x}", f.name, f.after)
        } else {
            format!("{} {:#x} -> {:#x}", f.name, f.before, f.after)
        }
    };
    let list: Vec<String> = r.fields.iter().map(one).collect();
    if list.is_empty() { String::new() } else { format!(": {}", list.join(", ")) }
}
