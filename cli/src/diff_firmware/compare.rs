//! What differs between two events, or two runs.

use std::collections::BTreeMap;

use emu_csr::{Exception, table};
use sbi_model::call::{Extension, Function};
use sbi_model::ext::EXTENSIONS;

use super::align::{Pair, align};
use super::events::{Event, Key, Sequences, VISIBLE};

/// One difference.
#[derive(Clone, PartialEq, Debug)]
pub struct Difference {
    /// Hart id.
    pub hart: u64,
    /// Place of the event in each run; none in the one that has it not.
    pub at: [Option<usize>; 2],
    /// Function or exception.
    pub call: String,
    /// Which part.
    pub field: &'static str,
    /// Its value in each run; none if it was left as it was, or there is none.
    pub values: [Option<u64>; 2],
}

/// The declaration of a call.
pub fn function(eid: u64, fid: u64) -> Option<(&'static Extension, &'static Function)> {
    let e = EXTENSIONS.iter().find(|e| (e.first..=e.last).contains(&eid))?;
    Some((e, e.function(eid, fid)?))
}

/// The name of the extension that has a function.
pub fn named(function: &str) -> Option<&'static str> {
    EXTENSIONS.iter().find(|e| e.functions.iter().any(|f| f.name == function)).map(|e| e.name)
}

/// The name that the specification gives an event.
pub fn name(key: Key) -> String {
    match key {
        Key::Call(eid, fid) => match function(eid, fid) {
            Some((_, f)) => f.name.to_owned(),
            None => format!("unknown call {eid:#x}/{fid:#x}"),
        },
        Key::Trap(cause) => u8::try_from(cause)
            .ok()
            .and_then(|c| Exception::from_code(u64::from(c)))
            .map_or_else(|| format!("exception {cause}"), |e| e.name().to_owned()),
        Key::Start => "start".to_owned(),
    }
}

/// What an event was asked with, by name.
pub fn arguments(e: &Event) -> Vec<(&'static str, u64)> {
    match e.key {
        Key::Call(eid, fid) => function(eid, fid).map_or(Vec::new(), |(_, f)| f.args.iter().copied().zip(e.args).collect()),
        Key::Trap(_) => ["tval", "tval2", "tinst"].into_iter().zip(e.args).collect(),
        Key::Start => Vec::new(),
    }
}

/// Two runs.
pub struct Comparison {
    /// Everything that differs, by hart, then in order.
    pub differences: Vec<Difference>,
    /// Events in each run, and in both.
    pub events: [usize; 2],
    /// Those that both have.
    pub common: usize,
}

/// Compares two runs.
pub fn compare(a: &Sequences, b: &Sequences) -> Comparison {
    let mut all = Comparison { differences: Vec::new(), events: [a, b].map(|s| s.values().map(Vec::len).sum()), common: 0 };
    let harts: BTreeMap<u64, ()> = a.keys().chain(b.keys()).map(|h| (*h, ())).collect();
    for &hart in harts.keys() {
        let of = |s: &'_ Sequences| s.get(&hart).cloned().unwrap_or_default();
        let (a, b) = (of(a), of(b));
        for pair in align(&a, &b) {
            let (at, call, fields) = match pair {
                Pair::Both(i, j) => {
                    all.common += 1;
                    ([Some(i), Some(j)], name(a[i].key), fields(&a[i], &b[j]))
                }
                Pair::First(i) => ([Some(i), None], name(a[i].key), vec![("only", [Some(1), None])]),
                Pair::Second(j) => ([None, Some(j)], name(b[j].key), vec![("only", [None, Some(1)])]),
            };
            let one = |(field, values)| Difference { hart, at, call: call.clone(), field, values };
            all.differences.extend(fields.into_iter().map(one));
        }
    }
    all
}

type Field = (&'static str, [Option<u64>; 2]);

/// What differs between two events of one key.
fn fields(a: &Event, b: &Event) -> Vec<Field> {
    let mut list: Vec<Field> = Vec::new();
    let mut put = |name, x: Option<u64>, y: Option<u64>| {
        if x != y {
            list.push((name, [x, y]));
        }
    };
    for ((name, x), (_, y)) in arguments(a).into_iter().zip(arguments(b)) {
        put(name, Some(x), Some(y));
    }
    let (x, y) = match (&a.end, &b.end) {
        (Some(x), Some(y)) => (x, y),
        (None, None) => return list,
        (x, y) => {
            put("returns", Some(u64::from(x.is_some())), Some(u64::from(y.is_some())));
            return list;
        }
    };
    put("mode", Some(x.to as u64), Some(y.to as u64));
    // A guest that lies elsewhere goes on elsewhere too.
    if x.pc.wrapping_sub(a.pc) != y.pc.wrapping_sub(b.pc) {
        put("pc", Some(x.pc), Some(y.pc));
    }
    let legacy = matches!(a.key, Key::Call(eid, _) if eid <= sbi_model::ext::LAST_LEGACY);
    match a.key {
        Key::Trap(_) => {}
        Key::Start => {
            put("a0", Some(x.result[0]), Some(y.result[0]));
            put("a1", Some(x.result[1]), Some(y.result[1]));
        }
        Key::Call(..) => {
            put(if legacy { "result" } else { "error" }, Some(x.result[0]), Some(y.result[0]));
            put(if legacy { "a1" } else { "value" }, Some(x.result[1]), Some(y.result[1]));
        }
    }
    let results = matches!(a.key, Key::Call(..));
    // "All other registers remain in an undefined state" where a hart starts or resumes: but for satp, sstatus.SIE, a0 and a1.
    let fresh = a.key == Key::Start || !legacy && results && [a, b].iter().any(|e| starts_anew(e));
    let value = |list: &[(u8, u64)], n: u8| list.iter().find(|(i, _)| *i == n).map(|(_, v)| *v);
    for n in (1..32).filter(|n| !(results && [10, 11].contains(n))) {
        let name = if fresh { UNDEFINED } else { REGISTERS[usize::from(n)] };
        put(name, value(&x.registers, n), value(&y.registers, n));
    }
    for (i, &csr) in (0..).zip(&VISIBLE) {
        let (x, y) = (value(&x.csrs, i), value(&y.csrs, i));
        match csr {
            table::SSTATUS if fresh => {
                let sie = |v: Option<u64>| v.map(|v| v & 2);
                put("sstatus.SIE", sie(x), sie(y));
                let rest = |v: Option<u64>| v.map(|v| v & !2);
                put(UNDEFINED, rest(x), rest(y));
            }
            table::SATP => put("satp", x, y),
            _ if fresh => put(UNDEFINED, x, y),
            _ => put(table::name(csr).unwrap_or("csr"), x, y),
        }
    }
    list
}

/// The field of everything that the text leaves undefined.
const UNDEFINED: &str = "undefined";

/// Whether the hart goes on elsewhere after a call of HSM or SUSP, as one that starts or resumes.
fn starts_anew(e: &Event) -> bool {
    const HSM: u64 = 0x48_534d;
    const SUSP: u64 = 0x5355_5350;
    let elsewhere = e.end.as_ref().is_some_and(|end| end.pc != e.pc.wrapping_add(4));
    matches!(e.key, Key::Call(HSM | SUSP, _)) && elsewhere
}

/// ABI names of the integer registers.
pub const REGISTERS: [&str; 32] = [
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "s2", "s3",
    "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
];
