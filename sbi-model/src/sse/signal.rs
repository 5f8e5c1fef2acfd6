//! Signals: an event becomes pending on the hart that is to take it, and that hart is told.

use emu_core::dev::Clint;
use emu_core::observer::FwField;
use emu_csr::Interrupt;

use super::event::{Event, Place, attr, id, state};
use super::sources::{self, Source};
use crate::bug::BugId;
use crate::call::Call;
use crate::config::Rules;
use crate::error::SbiError;
use crate::profile::policy::{DisablePending, EarlySignal, HartMask, HartStop, Remote, Routing};
use crate::state::{HartState, State};

/// How a signal ended, if it was not refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signalled {
    /// The event is pending for this hart itself, which looks when it leaves M-mode.
    Here,
    /// Another hart, of this index, must be told.
    There(usize),
}

/// Whether a hart may receive events: it is not stopped and not masked.
pub fn ready(rules: &Rules, s: &State, hart: usize) -> bool {
    !s.off(hart) && s.sse.harts.get(hart).is_some_and(|h| !h.masked || rules.bugs.has(BugId::NoMask))
}

/// Whether any ready hart may take an event: it is global, and the hart that the supervisor prefers has stopped, or it prefers none and
/// the event's own is not ready.
pub fn is_free(rules: &Rules, s: &State, e: &Event) -> bool {
    let stopped = s.off(e.hart);
    let waits = if e.chosen { !stopped } else { ready(rules, s, e.hart) };
    id::is_global(e.id) && rules.policies.routing == Routing::AnyReady && !waits
}

/// The hart that an event at a place is to be delivered to.
pub fn target(rules: &Rules, s: &State, place: Place) -> usize {
    let e = s.sse.at(place);
    let other = is_free(rules, s, e)
        .then(|| (0..s.harts.len()).find(|&i| s.sse.harts[i].group == e.group && ready(rules, s, i)))
        .flatten();
    other.unwrap_or(e.hart)
}

/// Makes an event pending.
pub fn set_pending(c: &mut Call<'_, '_>, place: Place) -> Result<(), SbiError> {
    let early = c.rules.policies.early_signal;
    let e = c.state.sse.at_mut(place);
    if e.state() < state::ENABLED && early == EarlySignal::Refused {
        return Err(SbiError::InvalidState);
    }
    e.set_pending(true);
    let event = u64::from(e.id);
    c.platform.record(c.hart, "sse", "signal", || vec![FwField { name: "event_id", before: event, after: event }]);
    Ok(())
}

/// Signals the event at `place`, seen from hart index `to`, in the name of the hart that runs the firmware.
pub fn signal(c: &mut Call<'_, '_>, place: Place) -> Result<Signalled, SbiError> {
    let to = target(c.rules, c.state, place);
    if to == c.hart {
        return set_pending(c, place).map(|()| Signalled::Here);
    }
    let event = c.state.sse.at(place).id;
    match c.rules.policies.remote {
        Remote::Direct => set_pending(c, place)?,
        Remote::Queue => {
            let room = c.state.sse.places(to).count();
            let Some(h) = c.state.sse.harts.get_mut(to) else { return Err(SbiError::InvalidParam) };
            if h.queue.len() >= room {
                if !c.rules.bugs.has(BugId::QueueOverwrite) {
                    return Err(SbiError::Failed);
                }
                h.queue.remove(0);
            }
            h.queue.push(event);
        }
    }
    Ok(Signalled::There(to))
}

/// Signals an event from outside to this hart, or, if it is global, to the one that takes it.
pub fn raise(c: &mut Call<'_, '_>, event: u32) -> Result<(), SbiError> {
    let place = c.state.sse.find(c.rules, c.hart, event)?;
    let to = target(c.rules, c.state, place);
    set_pending(c, place)?;
    notice(c, to);
    Ok(())
}

/// Sends hart index `to` an IPI that makes it look at its events, if the caller may: where global events are shared, they may be for a hart
/// of another domain.
pub fn kick(c: &mut Call<'_, '_>, to: usize) -> Result<(), SbiError> {
    let harts = &c.platform.harts;
    let same = harts.get(to).is_some_and(|h| c.rules.domains.same(harts[c.hart].id, h.id));
    if same {
        notice(c, to);
    }
    if same || c.rules.policies.hart_mask == HartMask::PassedOver { Ok(()) } else { Err(SbiError::Failed) }
}

/// The IPI itself. A stopped hart is passed over.
fn notice(c: &mut Call<'_, '_>, to: usize) {
    let Some(h) = c.platform.harts.get_mut(to) else { return };
    let asleep = matches!(c.state.of(to, h), HartState::Suspended(_)) && c.rules.bugs.has(BugId::SuspendLosesIpi);
    if c.state.off(to) || asleep {
        return;
    }
    c.state.sse.harts[to].ipi = true;
    let effects = h.csr.set_line(Interrupt::MSoft, true);
    h.apply(effects);
    if let Some(clint) = c.platform.bus.device::<Clint>() {
        clint.set_msip(to, true);
        c.platform.bus.lines_changed = true;
    }
    let hart = to as u64;
    c.platform.record(c.hart, "sse", "ipi", || vec![FwField { name: "hart", before: hart, after: hart }]);
}

/// Whether a call of another hart holds an event that is in this hart's queue.
pub(crate) fn must_wait(c: &Call<'_, '_>) -> bool {
    let sse = &c.state.sse;
    let held = |q: u32| sse.find(c.rules, c.hart, q).is_ok_and(|p| ![0, c.hart + 1].contains(&sse.at(p).lock));
    sse.harts[c.hart].queue.iter().any(|&q| held(q))
}

/// The IPI has come: what is in this hart's queue becomes pending. Signals that are refused are forgotten, as nobody waits for an answer.
pub fn drain(c: &mut Call<'_, '_>) {
    let h = &mut c.state.sse.harts[c.hart];
    h.ipi = false;
    for event in std::mem::take(&mut h.queue) {
        if let Ok(place) = c.state.sse.find(c.rules, c.hart, event) {
            let _refused = set_pending(c, place);
        }
    }
}

/// REGISTERED to ENABLED.
pub(crate) fn enable(c: &mut Call<'_, '_>, place: Place) -> Result<(), SbiError> {
    let e = c.state.sse.at_mut(place);
    if e.state() != state::REGISTERED {
        return Err(SbiError::InvalidState);
    }
    e.set_state(state::ENABLED);
    let twice = std::mem::replace(&mut e.linked, true) && c.rules.policies.hart_stop == HartStop::Kept;
    let list = e.hart;
    if twice && let Some(h) = c.state.sse.harts.get_mut(list) {
        h.cyclic = true;
    }
    if !c.rules.bugs.has(BugId::EnableAfterIpi) {
        sources::notify(c, place, Source::Enabled);
    }
    let e = c.state.sse.at(place);
    if e.pending() && (id::is_global(e.id) || c.rules.bugs.has(BugId::EnableAfterIpi)) {
        let to = target(c.rules, c.state, place);
        if to != c.hart || c.rules.bugs.has(BugId::EnableAfterIpi) {
            // That the other hart cannot be told is no error of this call.
            let _untold = kick(c, to);
        }
    }
    if c.rules.bugs.has(BugId::EnableAfterIpi) {
        sources::notify(c, place, Source::Enabled);
    }
    Ok(())
}

/// ENABLED to REGISTERED.
pub(crate) fn disable(c: &mut Call<'_, '_>, place: Place) {
    sources::notify(c, place, Source::Disabled);
    let clear = c.rules.policies.disable_pending == DisablePending::Cleared;
    let e = c.state.sse.at_mut(place);
    e.set_state(state::REGISTERED);
    e.linked = false;
    if clear {
        e.set_pending(false);
    }
}

/// The index of the hart that a PREFERRED_HART names; as many as there are when it names none.
pub(crate) fn index_of(c: &Call<'_, '_>, hart_id: u64) -> usize {
    let none = c.platform.harts.len();
    if c.rules.bugs.has(BugId::HartIdAsIndex) {
        return usize::try_from(hart_id).unwrap_or(none).min(none);
    }
    c.hart_of(hart_id).unwrap_or(none)
}

/// Gives a global event to another hart.
pub(crate) fn prefer(c: &mut Call<'_, '_>, place: Place, hart_id: u64) {
    let index = index_of(c, hart_id);
    let e = c.state.sse.at_mut(place);
    e.attrs[attr::PREFERRED_HART] = hart_id;
    e.hart = index;
    e.chosen = true;
}
