//! What an observer is told of the firmware's answer to a trap.

use emu_core::bus::Bus;
use emu_core::hart::Hart;
use emu_core::observer::FwField;
use emu_csr::table;

use crate::call::{Function, Outcome};
use crate::error::SbiError;

/// CSRs that an answer may change for the supervisor and its guests, besides the M-level ones that every trap changes.
const WATCHED: [u16; 17] = [
    table::MSTATUS,
    table::HSTATUS,
    table::SEPC,
    table::SCAUSE,
    table::STVAL,
    table::HTVAL,
    table::HTINST,
    table::VSSTATUS,
    table::VSEPC,
    table::VSCAUSE,
    table::VSTVAL,
    table::SATP,
    table::STIMECMP,
    table::MIE,
    table::MIP,
    table::MIDELEG,
    table::MEPC,
];

/// Registers before an answer.
pub(crate) struct Before([Option<u64>; WATCHED.len()]);

impl Before {
    /// As they are now.
    pub(crate) fn of(h: &Hart, bus: &Bus) -> Before {
        let now = h.now(bus);
        Before(WATCHED.map(|n| h.csr.peek(n, &now)))
    }

    /// Those that have changed since, under their names.
    pub(crate) fn changed(&self, h: &Hart, bus: &Bus) -> Vec<FwField> {
        let after = Before::of(h, bus).0;
        let all = WATCHED.iter().zip(self.0).zip(after);
        all.filter(|((_, before), after)| before != after)
            .filter_map(|((n, before), after)| Some(FwField { name: table::name(*n)?, before: before?, after: after? }))
            .collect()
    }
}

/// A value that did not change.
pub(crate) fn same(name: &'static str, v: u64) -> FwField {
    FwField { name, before: v, after: v }
}

/// A call: its ids, its arguments by name, its result.
pub(crate) fn call(function: Option<&Function>, ids: (u64, u64), args: &[u64; 6], outcome: Outcome) -> Vec<FwField> {
    let mut fields = vec![same("eid", ids.0), same("fid", ids.1)];
    let names = function.map_or(&[][..], |f| f.args);
    fields.extend(names.iter().zip(args).map(|(name, &v)| same(name, v)));
    let result = match outcome {
        Outcome::Return(result) => Some((result.err().map_or(0, SbiError::code), result.unwrap_or(0))),
        Outcome::Refused(error, value) => Some((error.code(), value)),
        _ => None,
    };
    if let Some((error, value)) = result {
        fields.extend([same("error", error), same("value", value)]);
    }
    fields
}
