//! E22: what a second execution says of the first.

use super::find;
use super::table::ORACLES;
use crate::play::Outcome;

/// The violation of E22 in words, if a second execution was not the same as the first.
pub fn determinism(second: &Outcome) -> Option<String> {
    let Outcome::Differs(d) = second else { return None };
    let o = &ORACLES[find("determinism")?];
    let (id, name) = (o.id, o.name);
    let good = d.good.map_or("nowhere".to_owned(), |g| format!("up to instruction {}", g.instret));
    Some(format!("violation of {id} {name}: @{}: a second execution must be the same, is so {good}: {}", d.bad.instret, d.what))
}
