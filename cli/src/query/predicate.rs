//! What may hold at a moment of a run: `pc == 0x80000000`, `hart1.sstatus.SPP == 1`, `mem:0x80001000 != 0`.

use emu_core::insn::X_NAMES;
use emu_core::machine::Machine;
use emu_csr::table;
use replay::ledger::FieldName;
use replay::symbols::Symbols;

use crate::exit::CliError;

/// A value of a machine.
enum Term {
    Pc,
    Mode,
    Instret,
    X(usize),
    Csr(u16, FieldName),
    /// A doubleword of RAM.
    Memory(u64),
}

/// Compares a term's value with a number.
type Compare = fn(u64, u64) -> bool;

/// A comparison.
pub struct Predicate {
    hart: usize,
    term: Term,
    compare: Compare,
    value: u64,
}

/// The comparisons, the longer names first.
const OPS: [(&str, Compare); 7] = [
    ("==", |a, b| a == b),
    ("!=", |a, b| a != b),
    ("<=", |a, b| a <= b),
    (">=", |a, b| a >= b),
    ("<", |a, b| a < b),
    (">", |a, b| a > b),
    ("&", |a, b| a & b != 0),
];

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Reads one.
pub fn parse(text: &str, symbols: &Symbols) -> Result<Predicate, CliError> {
    let wrong = |what: String| {
        CliError::usage(what, "give TERM OP NUMBER, for example 'hart1.sstatus.SPP == 1' or 'mem:0x80001000 != 0'")
    };
    let found = OPS.iter().filter_map(|op| text.find(op.0).map(|at| (at, op))).min_by_key(|(at, op)| (*at, 2 - op.0.len()));
    let (at, op) = found.ok_or_else(|| wrong(format!("'{text}' compares nothing")))?;
    let (left, right) = (text[..at].trim(), text[at + op.0.len()..].trim());
    let value = number(right).or_else(|| symbols.find(right));
    let value = value.ok_or_else(|| wrong(format!("'{right}' is no number and no symbol")))?;
    let (hart, name) = match left.strip_prefix("hart").and_then(|r| r.split_once('.')) {
        Some((n, rest)) => (n.parse().map_err(|_| wrong(format!("there is no hart '{n}'")))?, rest),
        None => (0, left),
    };
    let unknown = || wrong(format!("'{name}' is no register, CSR or memory"));
    let register = X_NAMES.iter().position(|n| *n == name).or_else(|| name.strip_prefix('x')?.parse().ok().filter(|n| *n < 32));
    let term = match name {
        "pc" => Term::Pc,
        "mode" => Term::Mode,
        "instret" => Term::Instret,
        _ if name.starts_with("mem:") => {
            let at = number(&name[4..]).ok_or_else(unknown)?;
            if at % 8 != 0 {
                return Err(wrong(format!("{at:#x} is no doubleword's address: it is not a multiple of 8")));
            }
            Term::Memory(at)
        }
        _ => match (register, FieldName::new(name)) {
            (Some(n), _) => Term::X(n),
            (None, Some(f)) => Term::Csr(table::by_name(f.register).ok_or_else(unknown)?, f),
            (None, None) => return Err(unknown()),
        },
    };
    Ok(Predicate { hart, term, compare: op.1, value })
}

impl Predicate {
    /// The hart that it is about, by index.
    pub fn hart(&self) -> usize {
        self.hart
    }

    /// Whether it holds now. What a machine does not have is never equal to anything.
    pub fn holds(&self, m: &mut Machine) -> bool {
        let Some(h) = m.harts().get(self.hart) else { return false };
        let value = match &self.term {
            Term::Pc => h.pc,
            Term::Mode => h.mode as u64,
            Term::Instret => h.instret,
            Term::X(n) => h.x[*n],
            Term::Csr(number, field) => match h.csr.peek(*number, &h.now(m.bus())) {
                Some(v) => field.of(v),
                None => return false,
            },
            Term::Memory(at) => match m.bus().ram.read(*at, 8) {
                Some(v) => v,
                None => return false,
            },
        };
        (self.compare)(value, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_are_read_with_the_longest_operator_and_nonsense_is_refused() {
        for (text, value) in [("pc==0x10", 0x10), ("hart2.a0 <= 7", 7), ("sstatus.SPP != 1", 1), ("mem:0x80000000 & 3", 3)] {
            assert_eq!(parse(text, &Symbols::default()).map(|p| p.value).map_err(|e| e.to_string()), Ok(value), "{text}");
        }
        let le = parse("a0 <= 7", &Symbols::default()).unwrap();
        assert!((le.compare)(7, 7) && !(le.compare)(8, 7));
        for text in [
            "",
            "pc",
            "pc == ",
            "nothing == 1",
            "hartx.pc == 1",
            "mem:zz == 1",
            "mem:0x80000004 == 1",
            "pc == nowhere",
            "sstatus.NO == 1",
        ] {
            assert!(parse(text, &Symbols::default()).is_err(), "{text}");
        }
    }
}
