//! Attributes as `sbi_sse_read_attrs` and `sbi_sse_write_attrs` see them.

use super::event::{Event, Place, attr, flag, id, state};
use super::signal::prefer;
use crate::bug::BugId;
use crate::call::Call;
use crate::error::SbiError;
use crate::profile::policy::{CheckOrder, Routing};
use crate::state::HartState;

/// One attribute to be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Write {
    /// The event.
    pub place: Place,
    /// The attribute, below [`attr::COUNT`].
    pub attr: usize,
    /// Its value.
    pub value: u64,
}

/// An attribute's value.
pub fn read(e: &Event, attr: usize) -> u64 {
    e.attrs.get(attr).copied().unwrap_or(0)
}

/// Whether an attribute may be written with this value.
pub fn check(c: &Call<'_, '_>, w: Write) -> Result<(), SbiError> {
    let e = c.state.sse.at(w.place);
    let bugs = c.rules.bugs;
    let read_only = if bugs.has(BugId::RoBadRange) { SbiError::BadRange } else { SbiError::Denied };
    let value_first = c.rules.policies.check_order == CheckOrder::BufferFirst;
    let settable = || if e.state() >= state::ENABLED { Err(SbiError::InvalidState) } else { Ok(()) };
    let running = || {
        if e.state() != state::RUNNING {
            return Err(SbiError::InvalidState);
        }
        match (e.running_on == c.hart + 1, value_first) {
            (true, _) => Ok(()),
            (false, true) => Err(SbiError::InvalidParam),
            (false, false) => Err(SbiError::InvalidState),
        }
    };
    let legal = |ok: bool| if ok { Ok(()) } else { Err(SbiError::InvalidParam) };
    match w.attr {
        attr::PRIORITY => {
            settable()?;
            legal(w.value >> 32 == 0 || bugs.has(BugId::PriorityTruncated))
        }
        attr::CONFIG => {
            settable()?;
            legal(w.value & !1 == 0)
        }
        attr::PREFERRED_HART => {
            if !id::is_global(e.id) {
                if value_first {
                    settable()?;
                }
                return Err(SbiError::Denied);
            }
            settable()?;
            legal(is_hart(c, w.value))
        }
        attr::SEPC | attr::FLAGS | attr::A6 | attr::A7 if bugs.has(BugId::AttrsReadOnly) => Err(read_only),
        attr::FLAGS => {
            let value = legal(w.value & !flag::ALL == 0);
            if value_first {
                value?;
                running()
            } else {
                running()?;
                value
            }
        }
        attr::SEPC | attr::A6 | attr::A7 => running(),
        _ => Err(read_only),
    }
}

/// Whether PREFERRED_HART may have this value.
fn is_hart(c: &Call<'_, '_>, hart_id: u64) -> bool {
    let Some(i) = c.hart_of(hart_id) else { return false };
    // OpenSBI wants a hart that runs.
    c.rules.policies.routing == Routing::AnyReady || c.state.of(i, &c.platform.harts[i]) == HartState::Started
}

/// Writes an attribute that [`check`] has allowed; values it has not seen are cut to what the attribute holds.
pub fn write(c: &mut Call<'_, '_>, w: Write) {
    let e = c.state.sse.at_mut(w.place);
    match w.attr {
        attr::PRIORITY => e.attrs[attr::PRIORITY] = w.value & 0xffff_ffff,
        attr::PREFERRED_HART => {
            prefer(c, w.place, w.value);
        }
        i if i < attr::COUNT => e.attrs[i] = w.value,
        _ => {}
    }
}
