//! Carrying out a scenario's steps.

use emu_core::machine::RunEnd;
use replay::ledger::FieldName;
use replay::log::Decision;

use super::machine::{Failed, Moving, end_text};
use super::step::{Check, Inject, LedgerCheck, Memory, Step};
use super::{Scenario, check, oracles};
use crate::report::hex;

/// A step that did not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The line of the step in the scenario's file; that of the scenario's name if it is about no step.
    pub line: usize,
    /// What was found.
    pub what: String,
}

/// Carries out all steps, up to the first that fails.
pub fn steps(m: &mut Moving<'_>, s: &Scenario) -> Result<(), Failure> {
    let mut within = s.within;
    for p in &s.steps {
        step(m, &p.step, &mut within).map_err(|what| Failure { line: p.line, what })?;
    }
    Ok(())
}

fn step(m: &mut Moving<'_>, s: &Step, within: &mut u64) -> Result<(), Failed> {
    match s {
        Step::Within(c) => *within = c.0,
        Step::Expect(text) => return m.expect(text, *within),
        Step::Send(text) => return m.decide(Decision::Input(text.clone().into_bytes())),
        Step::Until(u) => return m.until(u, *within),
        Step::Inject(i) => return m.decide(injection(m, i)?),
        Step::Check(c) => return state(m, c),
        Step::Memory(c) => return memory(m, c),
        Step::Ledger(l) => return ledger(m, l),
        Step::Oracles(names) => return oracles::silent(&m.violations(), names, m.symbols),
        Step::Violated(v) => return oracles::violated(&m.violations(), v, m.symbols),
        Step::Spins(x) => return m.spins(x.hart, &x.stack, *within),
        Step::Lacks(text) => {
            if find(&m.at.console, text) {
                return Err(format!("the console shows {text:?}"));
            }
        }
        Step::End(e) => {
            let end = m.end(*within)?;
            let (how, code) = crate::machine::end_word(&end);
            if how != e.how || e.code.is_some() && e.code != code {
                let wanted = e.code.map_or(String::new(), |c| format!(" with code {c}"));
                return Err(format!("expected the end {}{wanted}, found {}", e.how, end_text(&end)));
            }
        }
        Step::Hash(h) => {
            let found = hex(&m.at.machine.state_hash());
            if !h.eq_ignore_ascii_case(&found) {
                return Err(format!("the state hash is {found}"));
            }
        }
    }
    Ok(())
}

/// Whether bytes contain a text.
fn find(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|w| w == text.as_bytes())
}

fn injection(m: &Moving<'_>, i: &Inject) -> Result<Decision, Failed> {
    let (name, args) = match (&i.event, &i.name) {
        (Some(e), _) => {
            let event = crate::firmware::event(e).ok_or_else(|| format!("there is no event '{e}'"))?;
            ("event", vec![event, i.hart.unwrap_or(0)])
        }
        (None, name) => {
            let args = i.args.iter().map(|a| a.resolve(m.symbols)).collect::<Result<_, _>>()?;
            (name.as_deref().unwrap_or_default(), args)
        }
    };
    Ok(Decision::Inject { name: name.to_owned(), args })
}

fn state(m: &Moving<'_>, c: &Check) -> Result<(), Failed> {
    let Some(h) = m.at.machine.harts().get(c.hart) else { return Err(format!("there is no hart {}", c.hart)) };
    let now = h.now(m.at.machine.bus());
    let mut wrong = Vec::new();
    if let Some(mode) = c.mode.as_deref().filter(|n| *n != h.mode.name()) {
        wrong.push(format!("mode: expected {mode}, found {}", h.mode.name()));
    }
    let mut compare = |name: &str, wanted: u64, found: u64| {
        if wanted != found {
            wrong.push(format!("{name}: expected {wanted:#x}, found {}", m.symbols.text(found)));
        }
    };
    if let Some(pc) = &c.pc {
        compare("pc", pc.resolve(m.symbols)?, h.pc);
    }
    for (name, v) in &c.registers {
        let found = match check::register(name) {
            Some(check::Register::X(i)) => h.x[i],
            Some(check::Register::F(i)) => h.f[i],
            None => return Err(format!("there is no register '{name}'")),
        };
        compare(name, v.resolve(m.symbols)?, found);
    }
    for (name, v) in &c.csr {
        let number = emu_csr::table::by_name(name.split('.').next().unwrap_or(name));
        let found = number.and_then(|n| h.csr.peek(n, &now)).zip(FieldName::new(name));
        let Some((register, field)) = found else { return Err(format!("hart {} does not have {name}", c.hart)) };
        compare(name, v.resolve(m.symbols)?, field.of(register));
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("hart {}: {}", c.hart, wrong.join("; "))) }
}

fn memory(m: &mut Moving<'_>, c: &Memory) -> Result<(), Failed> {
    let at = c.at.resolve(m.symbols)?;
    let mut bytes = [0; 8];
    let part = &mut bytes[..c.size.min(8) as usize];
    let there = match c.hart {
        Some(h) => m.at.machine.peek_virtual(h, at, part) == part.len(),
        None => m.at.machine.peek_physical(at, part),
    };
    let place = m.symbols.text(at);
    if !there {
        return Err(format!("memory at {place} cannot be read"));
    }
    let found = u64::from_le_bytes(bytes);
    use std::cmp::Ordering::{Equal, Greater, Less};
    let limits =
        [("", &c.is, [Equal, Equal]), ("at least ", &c.at_least, [Greater, Equal]), ("at most ", &c.at_most, [Less, Equal])];
    for (word, value, allowed) in limits {
        if let Some(v) = value {
            let v = v.resolve(m.symbols)?;
            if !allowed.contains(&found.cmp(&v)) {
                return Err(format!("memory at {place}: expected {word}{v:#x}, found {found:#x}"));
            }
        }
    }
    Ok(())
}

fn ledger(m: &Moving<'_>, l: &LedgerCheck) -> Result<(), Failed> {
    let seen = |t: &String| m.counts.get(t).copied().unwrap_or(0);
    let first = |t: &String| m.lines.iter().find(|line| line.contains(t.as_str())).cloned().unwrap_or_default();
    if let Some(t) = l.has.iter().find(|t| seen(t) == 0) {
        return Err(format!("no line of the ledger has {t:?}"));
    }
    if let Some(t) = l.lacks.iter().find(|t| seen(t) > 0) {
        return Err(format!("{} lines of the ledger have {t:?}, the first is: {}", seen(t), first(t)));
    }
    if let Some((t, n)) = l.count.iter().find(|(t, n)| seen(t) != **n) {
        return Err(format!("expected {n} lines of the ledger with {t:?}, found {}", seen(t)));
    }
    let mut lines = m.lines.iter();
    for (i, t) in l.order.iter().enumerate() {
        if !lines.any(|line| line.contains(t.as_str())) {
            let after = match i {
                0 => String::new(),
                _ => format!(" after those before it ({:?})", l.order[i - 1]),
            };
            return Err(format!("no line of the ledger has {t:?}{after}"));
        }
    }
    Ok(())
}

/// How a run ended, for reports.
pub fn ended(e: Option<&RunEnd>) -> String {
    e.map_or_else(|| "going on".to_owned(), end_text)
}
