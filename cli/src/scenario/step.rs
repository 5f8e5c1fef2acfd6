//! The steps of a scenario, as they stand in its file.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::value::{Count, Value};

/// One step: a table with one key.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Runs until the console has printed a text that no step has taken yet.
    Expect(String),
    /// Types.
    Send(String),
    /// Runs up to a moment.
    Until(Until),
    /// Lets something happen to the machine from outside, before its next instruction.
    Inject(Inject),
    /// Compares a hart's state.
    Check(Check),
    /// Compares memory.
    Memory(Memory),
    /// Nothing printed so far contains this text.
    Lacks(String),
    /// Compares the trap ledger since the scenario began.
    Ledger(LedgerCheck),
    /// None of these oracles has been violated since the scenario began.
    Oracles(String),
    /// One has.
    Violated(Violated),
    /// Runs until the machine ends by itself.
    End(End),
    /// Runs until a hart goes round and round: a deadlock.
    Spins(Spins),
    /// Compares the state hash.
    Hash(String),
    /// From here on, no step may run longer than so many cycles.
    Within(Count),
}

/// A moment: exactly one of the first seven.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Until {
    /// A hart is about to execute the instruction at this address.
    pub symbol: Option<Value>,
    /// A trap with this cause has been entered: its number (`i5` for an interrupt's), or words of its name; empty for any.
    pub trap: Option<String>,
    /// Something has happened whose line in the ledger contains this.
    pub ledger: Option<String>,
    /// One of these oracles has been violated: names and numbers, or `all`.
    pub violation: Option<String>,
    /// All harts have retired so many instructions since power-on.
    pub instret: Option<Count>,
    /// Virtual time, in cycles since power-on.
    pub cycles: Option<Count>,
    /// As `cycles`, from now on.
    pub more: Option<Count>,
    /// With `symbol`, `trap`, `ledger`, `violation`: on this hart only.
    pub hart: Option<usize>,
    /// With them: the how manieth time from now, from 1.
    pub nth: Option<u64>,
    /// With `trap`: the mode it comes from.
    pub from: Option<String>,
    /// With `trap`: the mode that takes it.
    pub to: Option<String>,
}

/// Something from outside: `event` for short, or one of the machine's injections by name.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Inject {
    /// A software event's id, or `ras-high` and so on.
    pub event: Option<String>,
    /// The hart it goes to.
    pub hart: Option<u64>,
    /// The name of an injection: `msip`, `ssip`, `x`, `memory`.
    pub name: Option<String>,
    /// Its arguments.
    pub args: Vec<Value>,
}

/// What a hart must be like.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Check {
    /// Which hart, by index.
    pub hart: usize,
    /// Its mode.
    pub mode: Option<String>,
    /// Where it is.
    pub pc: Option<Value>,
    /// Integer and floating-point registers, by any of their names.
    pub registers: BTreeMap<String, Value>,
    /// CSRs and their fields: `scause`, `"hstatus.SPV"`.
    pub csr: BTreeMap<String, Value>,
}

/// What memory must hold: little-endian, of 1, 2, 4 or 8 bytes.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Memory {
    /// Address: physical, or with `hart` virtual in that hart's present address space.
    pub at: Value,
    /// Bytes.
    #[serde(default = "eight")]
    pub size: u64,
    /// The hart whose address space it is.
    #[serde(default)]
    pub hart: Option<usize>,
    /// The value.
    #[serde(default)]
    pub is: Option<Value>,
    /// The least value, unsigned.
    #[serde(default)]
    pub at_least: Option<Value>,
    /// The greatest value, unsigned.
    #[serde(default)]
    pub at_most: Option<Value>,
}

fn eight() -> u64 {
    8
}

/// What the ledger must be like. A line is what `trapeze trace` prints from the hart's number on, without the position.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct LedgerCheck {
    /// Each of these stands in a line.
    pub has: Vec<String>,
    /// None of these does.
    pub lacks: Vec<String>,
    /// These stand in lines one after the other, with others in between.
    pub order: Vec<String>,
    /// In how many lines a text stands.
    pub count: BTreeMap<String, u64>,
}

impl LedgerCheck {
    /// All texts that lines are compared with.
    pub fn texts(&self) -> impl Iterator<Item = &String> {
        self.has.iter().chain(&self.lacks).chain(&self.order).chain(self.count.keys())
    }
}

/// What the oracles must have found: any of these, the rest narrows it down.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Violated {
    /// Names and numbers of oracles, or `all`.
    pub oracle: String,
    /// The field that was wrong, or its register.
    pub field: Option<String>,
    /// The software event that it was about: its id, or `ras-high` and so on.
    pub event: Option<String>,
    /// The hart.
    pub hart: Option<usize>,
    /// Instructions that the hart had retired.
    pub instret: Option<Count>,
    /// How often; any number but none if it is not there.
    pub count: Option<u64>,
}
/// A hart that does nothing but go round a few instructions with the same registers.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Spins {
    /// Which hart, by index.
    pub hart: usize,
    /// Symbols of where it is and of its callers, innermost first: the beginning of its stack.
    pub stack: Vec<String>,
}

/// How the machine must end.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct End {
    /// A word of [`ENDS`].
    pub how: String,
    /// The guest's code; for `power-off` 0 is success.
    #[serde(default)]
    pub code: Option<u64>,
}

/// How a machine may end.
pub const ENDS: [&str; 7] = ["power-off", "htif-exit", "reset", "trap-loop", "critical-error", "all-asleep", "fatal"];
