//! Ledger entries as lines of JSON. The schema's version is in the first line; fields are only ever added to it.

use emu_core::mmu::{PTE_FIELDS, PteAccess, Walk};
use replay::ledger::Entry;
use replay::symbols::Symbols;
use serde_json::{Map, Value, json};

use super::links::Numbered;
use crate::explain::detail;

/// The name and version of the schema (docs/trace-format.md).
pub const SCHEMA: &str = "trapeze-ledger-1";

/// The first line.
pub const HEADER: &str = r#"{"schema":"trapeze-ledger-1"}"#;

/// One entry as a line.
pub fn line(e: &Numbered, symbols: &Symbols) -> String {
    value(e, symbols).to_string()
}

/// One entry.
pub fn value(e: &Numbered, symbols: &Symbols) -> Value {
    let place = |pc: u64| match symbols.at(pc, |_| true) {
        Some((name, by)) if by < 0x10_0000 => json!({ "pc": hex(pc), "symbol": name, "offset": by }),
        _ => json!({ "pc": hex(pc) }),
    };
    let mut m = Map::new();
    let mut put = |k: &str, v: Value| {
        m.insert(k.to_owned(), v);
    };
    put("n", json!(e.number));
    put("hart", json!(e.entry.hart()));
    put("instret", json!(e.entry.instret()));
    match &e.entry {
        Entry::Trap(t) => {
            put("kind", json!("trap"));
            put("from", json!(t.from.name()));
            put("to", json!(t.to.name()));
            put("cause", json!({ "bits": hex(t.cause.bits()), "name": t.cause.name() }));
            put("at", place(t.pc));
            put("why", json!(crate::explain::why(t)));
            put("pending", json!(hex(t.pending)));
            put(
                "losers",
                detail::losers(t).iter().map(|(i, why)| json!({ "code": *i as u8, "name": i.name(), "why": why })).collect(),
            );
            for (name, v, text) in [
                ("tval", t.tval, detail::tval(t, symbols)),
                ("tval2", t.tval2, detail::tval2(t)),
                ("tinst", t.tinst, detail::tinst(t)),
            ] {
                put(name, json!({ "bits": hex(v), "text": text }));
            }
            if let Some(w) = &t.walk {
                put("walk", walk(w));
            }
        }
        Entry::Return(r) => {
            put("kind", json!("return"));
            put("from", json!(r.from.name()));
            put("to", json!(r.to.name()));
            put("at", place(r.pc));
            put("target", place(r.target));
        }
        Entry::Write(w) => {
            put("kind", json!("write"));
            put("mode", json!(w.mode.name()));
            put("at", place(w.pc));
        }
        Entry::Firmware(r) => {
            put("kind", json!("firmware"));
            put("family", json!(r.kind));
            put("name", json!(r.name));
            let field =
                |f: &emu_core::observer::FwField| json!({ "name": f.name, "before": hex(f.before), "after": hex(f.after) });
            put("fields", r.fields.iter().map(field).collect());
        }
    }
    for (name, link) in [("ends", e.ends), ("ended", e.ended)] {
        if let Some(l) = link {
            put(name, json!({ "n": l.n, "instructions": l.instructions }));
        }
    }
    if let Some(changes) = e.entry.changes() {
        put("changes", changes.0.iter().map(change).collect());
    }
    Value::Object(m)
}

/// A page walk: the access, every entry with its fields, and the check that failed.
fn walk(w: &Walk) -> Value {
    let entry = |a: &PteAccess| {
        let fields: Map<String, Value> = PTE_FIELDS.iter().map(|f| (f.name.to_owned(), json!(hex(f.of(a.value))))).collect();
        json!({
            "stage": a.stage.name(), "level": a.level, "input": hex(a.input), "address": hex(a.address), "pa": hex(a.pa),
            "value": hex(a.value), "write": a.write, "fields": fields,
        })
    };
    let a = &w.attempt;
    json!({
        "access": { "va": hex(a.va), "bytes": a.len, "kind": a.kind.name(), "mode": a.mode.name() },
        "entries": w.accesses.iter().map(entry).collect::<Vec<_>>(),
        "refused": w.refused.map(|r| json!({
            "stage": r.stage.map(|s| s.name()), "input": hex(r.input), "why": r.why.text(), "clause": r.why.clause(),
        })),
    })
}

fn change(c: &emu_csr::Change) -> Value {
    let fields: Vec<Value> =
        c.fields().map(|f| json!({ "name": f.field.name, "before": hex(f.before), "after": hex(f.after) })).collect();
    json!({ "csr": c.name(), "before": hex(c.before), "after": hex(c.after), "fields": fields })
}

/// JSON's numbers lose the low bits of large registers in many readers; text does not.
fn hex(v: u64) -> String {
    format!("{v:#x}")
}
