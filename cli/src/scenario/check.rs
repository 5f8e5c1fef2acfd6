//! Names in steps, checked when a file is read, so that a mistake is told with its line before any guest starts.

use emu_core::insn::{F_NAMES, X_NAMES};
use emu_core::machine::INJECTIONS;
use emu_csr::{Cause, Exception, Interrupt, Mode};
use replay::ledger::FieldName;
use replay::oracle::{Chosen, find};

use super::step::{Check, ENDS, Inject, Step, Until, Violated};

/// A mode by its name.
pub fn mode(name: &str) -> Option<Mode> {
    Mode::ALL.into_iter().find(|m| m.name() == name)
}

/// A register of a hart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Register {
    /// Integer.
    X(usize),
    /// Floating-point.
    F(usize),
}

/// A register by its number or its ABI name: `x10`, `a0`, `f8`, `fs0`.
pub fn register(name: &str) -> Option<Register> {
    let at = |list: &[&str]| list.iter().position(|n| *n == name);
    let number = |prefix| name.strip_prefix(prefix).and_then(|n: &str| n.parse().ok()).filter(|n| *n < 32);
    match name {
        "fp" => Some(Register::X(8)),
        _ => None
            .or_else(|| at(&X_NAMES).or_else(|| number('x')).map(Register::X))
            .or_else(|| at(&F_NAMES).or_else(|| number('f')).map(Register::F)),
    }
}

/// Whether a cause has this number (an interrupt's with i before it) or these words in its name.
pub fn is_cause(c: Cause, wanted: &str) -> bool {
    let code = c.bits() << 1 >> 1;
    match wanted.strip_prefix('i').unwrap_or(wanted).parse::<u64>() {
        Ok(n) => n == code && wanted.starts_with('i') == matches!(c, Cause::Interrupt(_)),
        Err(_) => c.name().to_lowercase().contains(&wanted.to_lowercase()),
    }
}

/// What is wrong, and the remedy.
type Wrong = (String, String);

fn bad(what: impl Into<String>, remedy: &str) -> Result<(), Wrong> {
    Err((what.into(), remedy.to_owned()))
}

/// What is wrong with a step, and the remedy.
pub fn step(s: &Step) -> Result<(), Wrong> {
    match s {
        Step::Expect(t) | Step::Lacks(t) | Step::Send(t) if t.is_empty() => bad("the text is empty", "give what to look for"),
        Step::Until(u) => {
            until(u)?;
            known_mode(&u.from)?;
            known_mode(&u.to)
        }
        Step::Inject(i) => inject(i),
        Step::Check(c) => state(c),
        Step::Memory(m) if !matches!(m.size, 1 | 2 | 4 | 8) => {
            bad(format!("size {}", m.size), "memory is compared in 1, 2, 4 or 8 bytes")
        }
        Step::Memory(m) if m.is.is_none() && m.at_least.is_none() && m.at_most.is_none() => {
            bad("nothing to compare with", "add is, at-least or at-most")
        }
        Step::Ledger(l) if l.texts().next().is_none() => bad("nothing to look for", "add has, lacks, order or count"),
        Step::Ledger(l) if l.texts().any(String::is_empty) => {
            bad("a text of the ledger is empty", "give a part of a line that trapeze trace prints")
        }
        Step::Oracles(names) => oracles(names),
        Step::Violated(v) => violated(v),
        Step::End(e) if !ENDS.contains(&e.how.as_str()) => {
            bad(format!("there is no end '{}'", e.how), &format!("give one of {}", ENDS.join(", ")))
        }
        Step::Hash(h) if h.len() != 64 || !h.bytes().all(|b| b.is_ascii_hexdigit()) => {
            bad("this is no state hash", "give the 64 digits that --hash prints")
        }
        _ => Ok(()),
    }
}

fn known_mode(m: &Option<String>) -> Result<(), Wrong> {
    match m {
        Some(m) if mode(m).is_none() => bad(format!("there is no mode '{m}'"), "give M, HS, U, VS or VU"),
        _ => Ok(()),
    }
}

fn event(name: &str) -> Result<(), Wrong> {
    match crate::firmware::event(name) {
        Some(_) => Ok(()),
        None => bad(format!("there is no event '{name}'"), "give its id, or ras-high, ras-low, global-ras-high, global-ras-low"),
    }
}

fn inject(i: &Inject) -> Result<(), Wrong> {
    match (&i.event, &i.name) {
        (Some(_), None) if !i.args.is_empty() => bad("'args' belongs to 'name'", "give 'event' and 'hart' alone"),
        (Some(e), None) => event(e),
        (None, Some(n)) => match INJECTIONS.iter().find(|(name, ..)| name == n) {
            Some((_, names, _)) if names.len() == i.args.len() && i.hart.is_none() => Ok(()),
            Some((_, names, _)) => {
                bad(format!("'{n}' takes {} arguments", names.len()), &format!("give args = [{}]", names.join(", ")))
            }
            None => {
                let names: Vec<&str> = INJECTIONS.iter().map(|i| i.0).collect();
                bad(format!("there is no injection '{n}'"), &format!("give one of {}", names.join(", ")))
            }
        },
        _ => bad("give either 'event' or 'name'", "for example { event = \"ras-high\", hart = 0 }"),
    }
}

fn state(c: &Check) -> Result<(), Wrong> {
    known_mode(&c.mode)?;
    if c.mode.is_none() && c.pc.is_none() && c.registers.is_empty() && c.csr.is_empty() {
        return bad("nothing to compare", "add mode, pc, registers or csr");
    }
    if let Some(r) = c.registers.keys().find(|r| register(r).is_none()) {
        return bad(
            format!("there is no register '{r}'"),
            "give x0 to x31, f0 to f31 or their ABI names; pc is a key of its own",
        );
    }
    match c.csr.keys().find(|n| FieldName::new(n).is_none()) {
        Some(n) => bad(format!("there is no CSR or field '{n}'"), "write it as docs/csrs.md does, for example \"hstatus.SPV\""),
        None => Ok(()),
    }
}

fn violated(v: &Violated) -> Result<(), Wrong> {
    oracles(&v.oracle)?;
    v.event.as_deref().map_or(Ok(()), event)?;
    if v.field.as_deref() == Some("") {
        return bad("'field' is empty", "give what a violation's text names");
    }
    if v.count == Some(0) {
        return bad("'count' is 0", "use { oracles = NAMES }, which asks for none");
    }
    Ok(())
}

fn until(u: &Until) -> Result<(), Wrong> {
    let named = [u.symbol.is_some(), u.trap.is_some(), u.ledger.is_some(), u.violation.is_some()];
    let given = named.into_iter().chain([u.instret.is_some(), u.cycles.is_some(), u.more.is_some()]);
    if given.filter(|g| *g).count() != 1 {
        return bad("'until' needs one moment", "give one of symbol, trap, ledger, violation, instret, cycles, more");
    }
    if (u.hart.is_some() || u.nth.is_some()) && !named.contains(&true) {
        return bad("'hart' and 'nth' belong to symbol, trap, ledger or violation", "leave them out");
    }
    if (u.from.is_some() || u.to.is_some()) && u.trap.is_none() {
        return bad("'from' and 'to' belong to trap", "leave them out");
    }
    if u.nth == Some(0) {
        return bad("'nth' counts from 1", "give 1 for the next one");
    }
    if let Some(t) = &u.trap {
        let number = t.strip_prefix('i').unwrap_or(t).parse::<u64>().is_ok();
        let exceptions = Exception::ALL.into_iter().map(Cause::Exception);
        let mut all = exceptions.chain(Interrupt::ALL.into_iter().map(Cause::Interrupt));
        if !number && !all.any(|c| is_cause(c, t)) {
            return bad(
                format!("there is no cause '{t}'"),
                "give words of its name in the manual, its number, or i5 for an interrupt's",
            );
        }
    }
    if u.ledger.as_deref() == Some("") {
        return bad("'ledger' is empty", "give a part of a line that trapeze trace prints");
    }
    u.violation.as_deref().map_or(Ok(()), oracles)
}

/// Names of oracles that listen to a scenario: at least one, and none that needs a second execution.
fn oracles(names: &str) -> Result<(), Wrong> {
    match Chosen::parse(names) {
        Err(n) => bad(format!("there is no oracle '{n}'"), "see trapeze oracles"),
        Ok(Chosen::NONE) => bad("no oracle is named", "give all, or names that trapeze oracles prints"),
        Ok(c) if find("determinism").is_some_and(|i| c.has(i)) => {
            bad("a scenario is executed once", "use trapeze run --check determinism, or a step with 'hash'")
        }
        Ok(_) => Ok(()),
    }
}
