//! Events from outside that no device makes by itself, by name, so that a log or a test can state them.

use super::Machine;
use crate::dev::{Clint, Sswi};

/// What [`Machine::inject`] knows: name, names of the arguments, what it does.
pub const INJECTIONS: &[(&str, &[&str], &str)] = &[
    (
        "event",
        &["event", "hart"],
        "signals a software event of native firmware to a hart, as a RAS handler or a platform device would",
    ),
    ("msip", &["hart", "level"], "sets or clears a hart's machine software interrupt (ACLINT MSWI)"),
    ("ssip", &["hart"], "sends an edge to a hart's supervisor software interrupt (ACLINT SSWI)"),
    ("rnmi", &["hart", "level"], "sets or clears a hart's RNMI signal (Smrnmi)"),
    ("csr", &["hart", "number", "value"], "writes a CSR without access checks: a counter's phase, a trap's cause"),
    (
        "pause",
        &["cycles"],
        "from here on lets so many cycles pass between the steps of native firmware's operations, in which other harts run; 0: none",
    ),
    ("x", &["hart", "register", "value"], "writes an integer register"),
    ("memory", &["address", "size", "value"], "stores 1, 2, 4 or 8 bytes in RAM"),
    ("poison", &["address", "bytes"], "poisons the 64-byte lines of a range of RAM: to consume one is a hardware error"),
    ("unpoison", &["address", "bytes"], "takes the poison from the lines of a range"),
    (
        "error",
        &["record", "class", "address"],
        "logs an error in the error bank: record 0 is memory's, 1 + i hart index i's; class 1 corrected, 2 deferred, 3 critical",
    ),
];

/// An event that was refused, and why.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("cannot inject {}: {why}", name.escape_debug())]
pub struct InjectError {
    /// Its name, which may come from a file and be anything.
    pub name: String,
    /// Why.
    pub why: String,
}

impl Machine {
    /// Injects an event of [`INJECTIONS`] before the next instruction that [`Machine::run`] executes. A refused one changes nothing.
    pub fn inject(&mut self, name: &str, args: &[u64]) -> Result<(), InjectError> {
        let fail = |why: &str| Err(InjectError { name: name.to_owned(), why: why.to_owned() });
        let Some((_, names, _)) = INJECTIONS.iter().find(|i| i.0 == name) else {
            return fail("there is no such event");
        };
        if args.len() != names.len() {
            return fail(&format!("it takes {} arguments ({})", names.len(), names.join(", ")));
        }
        let arg = |i: usize| args.get(i).copied().unwrap_or(0);
        let hart = usize::try_from(arg(if name == "event" { 1 } else { 0 })).unwrap_or(usize::MAX);
        if names.contains(&"hart") && hart >= self.harts.len() {
            return fail(&format!("there is no hart {hart}"));
        }
        match name {
            "event" => match self.raise(arg(0), hart) {
                Ok(()) => {}
                Err(why) => return fail(why),
            },
            "msip" => {
                if let Some(c) = self.bus.device::<Clint>() {
                    c.set_msip(hart, arg(1) != 0);
                }
            }
            "ssip" => {
                if let Some(s) = self.bus.device::<Sswi>() {
                    s.send(hart);
                }
            }
            "rnmi" => self.set_rnmi(hart, arg(1) != 0),
            "csr" => {
                if !u16::try_from(arg(1)).is_ok_and(|n| self.poke_csr(hart, n, arg(2))) {
                    return fail("this hart has no such CSR, or it is read-only");
                }
            }
            "pause" => self.pause = arg(0),
            "x" if (1..32).contains(&arg(1)) => self.harts[hart].x[arg(1) as usize] = arg(2),
            "x" => return fail("registers are 1 to 31"),
            "poison" | "unpoison" => {
                if !self.poison(arg(0), arg(1), name == "poison") {
                    return fail("the range is not RAM, or has too many lines");
                }
            }
            "error" => self
                .log_error(arg(0), arg(1), arg(2))
                .map_err(|why| InjectError { name: name.to_owned(), why: why.to_owned() })?,
            _ => {
                let (at, size) = (arg(0), arg(1));
                if !matches!(size, 1 | 2 | 4 | 8) || at % size != 0 || !self.bus.ram.contains(at, size) {
                    return fail("the address is not RAM, or not aligned to a size of 1, 2, 4 or 8");
                }
                let code_writes = &mut self.bus.code_writes;
                self.bus.ram.write(at, size as u8, arg(2), code_writes);
            }
        }
        self.bus.lines_changed = true;
        Ok(())
    }
}
