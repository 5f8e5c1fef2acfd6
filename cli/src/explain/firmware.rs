//! What an operation of the firmware does, field by field, with the rule of SBI 3.0 for each, and where the firmware departs from it.

use emu_core::observer::FwRecord;
use sbi_model::error::SbiError;

use crate::diff_firmware::compare::named;

/// One field's rule: its name, where the text has its value from, and that value by the record's own fields, if they tell.
type Row = (&'static str, &'static str, fn(&Record<'_>) -> Option<u64>);

/// A record's fields by name.
struct Record<'a>(&'a FwRecord);

impl Record<'_> {
    fn before(&self, name: &str) -> Option<u64> {
        self.0.fields.iter().find(|f| f.name == name).map(|f| f.before)
    }
}

/// SBI 3.0, "Software Event Injection".
const INJECTION: [Row; 15] = [
    ("pc", "the event's ENTRY_PC", |_| None),
    ("mode", "S-mode", |_| Some(1)),
    ("V", "0", |_| Some(0)),
    ("ELP", "NO_LP_EXPECTED", |_| Some(0)),
    ("sstatus.SIE", "0", |_| Some(0)),
    ("sstatus.SPIE", "sstatus.SIE of the interrupted context", |r| r.before("sstatus.SIE")),
    ("sstatus.SPP", "the interrupted privilege mode", |r| r.before("mode")),
    ("sstatus.SPELP", "ELP of the interrupted context", |r| r.before("ELP")),
    ("sstatus.SDT", "1 if the supervisor has Ssdbltrp", |_| None),
    ("hstatus.SPV", "V of the interrupted context", |r| r.before("V")),
    ("hstatus.SPVP", "sstatus.SPP if V was 1; else it stays", |r| {
        let field = if r.before("V") == Some(1) { "mode" } else { "hstatus.SPVP" };
        r.before(field)
    }),
    ("hstatus.GVA", "it stays", |r| r.before("hstatus.GVA")),
    ("sepc", "the interrupted pc", |r| r.before("pc")),
    ("a6", "the hart id", |_| None),
    ("a7", "the event's ENTRY_ARG", |_| None),
];

/// SBI 3.0, "Software Event Completion".
const COMPLETION: [Row; 15] = [
    ("pc", "sepc", |r| r.before("sepc")),
    ("mode", "sstatus.SPP", |r| r.before("sstatus.SPP")),
    ("V", "hstatus.SPV", |r| r.before("hstatus.SPV")),
    ("ELP", "sstatus.SPELP", |r| r.before("sstatus.SPELP")),
    ("sstatus.SIE", "sstatus.SPIE", |r| r.before("sstatus.SPIE")),
    ("sstatus.SPIE", "INTERRUPTED_FLAGS", |_| None),
    ("sstatus.SPP", "INTERRUPTED_FLAGS", |_| None),
    ("sstatus.SPELP", "INTERRUPTED_FLAGS", |_| None),
    ("sstatus.SDT", "INTERRUPTED_FLAGS", |_| None),
    ("hstatus.SPV", "INTERRUPTED_FLAGS", |_| None),
    ("hstatus.SPVP", "INTERRUPTED_FLAGS", |_| None),
    ("hstatus.GVA", "it stays", |r| r.before("hstatus.GVA")),
    ("sepc", "INTERRUPTED_SEPC", |_| None),
    ("a6", "INTERRUPTED_A6", |_| None),
    ("a7", "INTERRUPTED_A7", |_| None),
];

/// What it is, and the clause.
pub fn what(r: &FwRecord) -> String {
    let text = match (r.kind, r.name) {
        ("sse", "inject") => "an event is injected (SBI 3.0, SSE, \"Software Event Injection\")".to_owned(),
        ("sse", "complete") => "an event's handler has completed (SBI 3.0, SSE, \"Software Event Completion\")".to_owned(),
        ("sse", name @ ("registered" | "unregistered" | "enabled" | "disabled" | "completed")) => {
            format!("an event is {name} (SBI 3.0, SSE, \"Software Event States\")")
        }
        ("sse", "signal") => "an event becomes pending (SBI 3.0, SSE, \"Software Event States\")".to_owned(),
        ("sse", "ipi") => "another hart is told of a pending event".to_owned(),
        ("sse", name) => format!("the hart's events: {name} (SBI 3.0, SSE, sbi_sse_hart_{name})"),
        ("call", name) => match named(name) {
            Some(e) => format!("the supervisor's call {name} is answered (SBI 3.0, {e})"),
            None => "a call of a function that this firmware has not is answered (SBI 3.0, \"Binary Encoding\")".to_owned(),
        },
        ("trap", name) => format!("a trap into M-mode is dealt with: {name}"),
        (kind, name) => format!("{kind} {name}"),
    };
    format!("the firmware: {text}")
}

/// Its fields, a line each.
pub fn fields(r: &FwRecord) -> String {
    let rows: &[Row] = match (r.kind, r.name) {
        ("sse", "inject") => &INJECTION,
        ("sse", "complete") => &COMPLETION,
        _ => &[],
    };
    let mut s = String::new();
    for f in &r.fields {
        let value = if f.before == f.after { format!("{:#x}", f.after) } else { format!("{:#x} -> {:#x}", f.before, f.after) };
        let told = match rows.iter().find(|row| row.0 == f.name) {
            Some((_, rule, must)) => {
                let wrong = must(&Record(r)).filter(|v| *v != f.after);
                format!(": {rule}{}", wrong.map_or(String::new(), |v| format!("; by the text it must be {v:#x}")))
            }
            None if f.name == "error" => {
                let error = SbiError::ALL.iter().find(|e| e.code() == f.after).map(|e| e.name());
                format!(": {}", error.unwrap_or(if f.after == 0 { "SBI_SUCCESS" } else { "an error of its own" }))
            }
            None => String::new(),
        };
        s += &format!("    {} {value}{told}\n", f.name);
    }
    if s.is_empty() { s } else { format!("  fields\n{s}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use emu_core::observer::FwField;

    fn record(name: &'static str, fields: &[(&'static str, u64, u64)]) -> FwRecord {
        let fields = fields.iter().map(|&(name, before, after)| FwField { name, before, after }).collect();
        FwRecord { hart: 0, instret: 0, kind: "sse", name, fields }
    }

    #[test]
    fn a_field_that_departs_from_the_text_is_told_with_what_it_must_be() {
        let all = [("mode", 1, 1), ("V", 0, 0), ("hstatus.SPV", 1, 1), ("hstatus.SPVP", 0, 1)];
        let text = fields(&record("inject", &all));
        assert!(text.contains("hstatus.SPV 0x1: V of the interrupted context; by the text it must be 0x0\n"), "{text}");
        assert!(text.contains("hstatus.SPVP 0x0 -> 0x1: sstatus.SPP if V was 1; else it stays; by the text it must be 0x0\n"));
        assert!(text.contains("mode 0x1: S-mode\n") && text.contains("V 0x0: 0\n"), "{text}");
        let back = fields(&record("complete", &[("V", 0, 0), ("hstatus.SPV", 1, 0), ("sepc", 4, 8), ("pc", 0, 4)]));
        assert!(
            back.contains("V 0x0: hstatus.SPV; by the text it must be 0x1\n") && back.contains("pc 0x0 -> 0x4: sepc\n"),
            "{back}"
        );
    }
}
