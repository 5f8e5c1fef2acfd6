//! Two machines, field by field, and the first step at which two runs part.

use std::collections::BTreeMap;

use emu_core::dev::StateIo;
use emu_core::machine::{Machine, RunEnd, Stop};

use crate::error::ReplayError;

/// A field that differs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Difference {
    /// Where: `hart 0`, `serial@10000000`, `memory`.
    pub part: String,
    /// Its name, with a number if the part has several of that name; an address for memory.
    pub field: String,
    /// In the first machine.
    pub a: String,
    /// In the second.
    pub b: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {} | {}", self.part, self.field, self.a, self.b)
    }
}

/// Writes down all fields.
#[derive(Default)]
struct Collector {
    part: String,
    counts: BTreeMap<&'static str, usize>,
    fields: BTreeMap<(String, String), String>,
}

impl Collector {
    fn add(&mut self, name: &'static str, value: String) {
        let n = self.counts.entry(name).or_default();
        // Registers by number: x1 comes first.
        let first = usize::from(name == "x");
        let field = match (name, *n) {
            ("x" | "f", n) => format!("{name}{}", n + first),
            (_, 0) => name.to_owned(),
            (_, n) => format!("{name}[{n}]"),
        };
        *n += 1;
        self.fields.insert((self.part.clone(), field), value);
    }
}

impl StateIo for Collector {
    fn u64(&mut self, name: &'static str, v: &mut u64) {
        self.add(name, format!("{v:#x}"));
    }

    fn bytes(&mut self, name: &'static str, v: &mut Vec<u8>) {
        let shown: String = v.iter().take(16).map(|b| format!("{b:02x}")).collect();
        let more = if v.len() > 16 { format!("... ({} bytes, {:016x})", v.len(), short(v)) } else { String::new() };
        self.add(name, format!("[{shown}{more}]"));
    }

    fn part(&mut self, name: &str, index: usize) {
        self.part = if name == "hart" { format!("hart {index}") } else { name.to_owned() };
        self.counts.clear();
    }
}

fn short(bytes: &[u8]) -> u64 {
    let h = blake3::hash(bytes);
    u64::from_le_bytes(std::array::from_fn(|i| h.as_bytes()[i]))
}

/// Every field of a machine but RAM, by part and name.
pub fn fields(m: &mut Machine) -> BTreeMap<(String, String), String> {
    let mut c = Collector::default();
    m.visit_state(&mut c);
    c.fields
}

/// What differs between two machines of one configuration: registers and devices by name, then memory in doublewords, at most `memory` of them.
pub fn diff(a: &mut Machine, b: &mut Machine, memory: usize) -> Vec<Difference> {
    let (fa, fb) = (fields(a), fields(b));
    let mut out = Vec::new();
    let none = String::from("(absent)");
    for (key, va) in &fa {
        let vb = fb.get(key).unwrap_or(&none);
        if va != vb {
            out.push(Difference { part: key.0.clone(), field: key.1.clone(), a: va.clone(), b: vb.clone() });
        }
    }
    for (key, vb) in fb.iter().filter(|(k, _)| !fa.contains_key(*k)) {
        out.push(Difference { part: key.0.clone(), field: key.1.clone(), a: none.clone(), b: vb.clone() });
    }
    let mut left = memory;
    let (ra, rb) = (&a.bus().ram, &b.bus().ram);
    ra.for_each_difference(rb, &mut |pa, x, y| {
        for (i, (p, q)) in x.as_chunks::<8>().0.iter().zip(y.as_chunks::<8>().0).enumerate() {
            if p != q && left > 0 {
                left -= 1;
                out.push(Difference {
                    part: "memory".into(),
                    field: format!("{:#x}", pa + 8 * i as u64),
                    a: format!("{:#018x}", u64::from_le_bytes(*p)),
                    b: format!("{:#018x}", u64::from_le_bytes(*q)),
                });
            }
        }
    });
    out
}

/// Whether two machines are in the same state; cheap where they share pages.
pub fn same(a: &mut Machine, b: &mut Machine) -> bool {
    if a.register_hash() != b.register_hash() {
        return false;
    }
    let mut same = true;
    a.bus().ram.for_each_difference(&b.bus().ram, &mut |_, _, _| same = false);
    same
}

/// The first step at which two runs part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FirstDifference {
    /// Instructions retired by all harts when both were still the same.
    pub instret: u64,
    /// Program counters then, by hart.
    pub pcs: Vec<u64>,
    /// What differs one instruction later (or at the end of the run, if none retires any more).
    pub fields: Vec<Difference>,
}

/// Finds where two machines in the same state part when both run on without input up to `end`, by halving. None if they do not.
pub fn first_difference(a: &Machine, b: &Machine, end: &Stop, memory: usize) -> Result<Option<FirstDifference>, ReplayError> {
    let fork = |m: &Machine| m.fork().map_err(|e| ReplayError::Machine(e.to_string()));
    let (mut low_a, mut low_b) = (fork(a)?, fork(b)?);
    let (mut x, mut y) = (fork(a)?, fork(b)?);
    let ends: (RunEnd, RunEnd) = (x.run_until(end), y.run_until(end));
    if ends.0 == ends.1 && same(&mut x, &mut y) {
        return Ok(None);
    }
    let mut high = x.instret().max(y.instret());
    // Same at `low`, not the same at `high`.
    while high.saturating_sub(low_a.instret()) > 1 {
        let middle = low_a.instret() + (high - low_a.instret()) / 2;
        let stop = Stop { instret: middle, ..*end };
        let (mut p, mut q) = (fork(&low_a)?, fork(&low_b)?);
        let ends = (p.run_until(&stop), q.run_until(&stop));
        let equal = ends.0 == ends.1 && same(&mut p, &mut q);
        (x, y) = (fork(&p)?, fork(&q)?);
        if equal && p.instret() > low_a.instret() {
            (low_a, low_b) = (p, q);
        } else if equal {
            break;
        } else {
            high = middle;
        }
    }
    let stop = Stop { instret: high, ..*end };
    let (mut p, mut q) = (fork(&low_a)?, fork(&low_b)?);
    p.run_until(&stop);
    q.run_until(&stop);
    if same(&mut p, &mut q) {
        (p, q) = (x, y);
    }
    Ok(Some(FirstDifference {
        instret: low_a.instret(),
        pcs: low_a.harts().iter().map(|h| h.pc).collect(),
        fields: diff(&mut p, &mut q, memory),
    }))
}
