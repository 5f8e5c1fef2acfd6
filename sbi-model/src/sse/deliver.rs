//! Delivery and completion on one hart.

use super::context::{self, Seen};
use super::event::{Event, Place, attr, state};
use super::sources::{self, Source};
use super::{lock, signal};
use crate::bug::BugId;
use crate::call::{Call, Outcome};
use crate::config::Rules;
use crate::profile::policy::Routing;
use crate::state::State;

/// The event that this hart would take now: pending, ENABLED, for this hart, and of higher priority than all that run on it.
pub fn candidate(rules: &Rules, s: &State, hart: usize) -> Option<Place> {
    let h = s.sse.harts.get(hart)?;
    if h.masked && !rules.bugs.has(BugId::NoMask) {
        return None;
    }
    // Mostly there is none, and this is asked at every trap's end.
    let waits = |e: &Event| e.attrs[attr::STATUS] & (state::PENDING | state::STATE) == state::PENDING | state::ENABLED;
    if !h.local.iter().any(waits) && !s.sse.global.iter().any(waits) {
        return None;
    }
    let mut best: Option<(Place, (u64, u32))> = None;
    for place in s.sse.places(hart) {
        let e = s.sse.at(place);
        if e.state() == state::ENABLED && e.pending() && mine(rules, s, hart, e) && best.is_none_or(|(_, k)| e.key() < k) {
            best = Some((place, e.key()));
        }
    }
    let (place, key) = best?;
    running(s, hart).is_none_or(|r| key < s.sse.at(r).key()).then_some(place)
}

/// Whether an event is for this hart.
fn mine(rules: &Rules, s: &State, hart: usize, e: &Event) -> bool {
    match rules.policies.routing {
        Routing::Preferred => e.hart == hart && e.linked && e.attrs[attr::PREFERRED_HART] >> 32 == 0,
        Routing::AnyReady => e.hart == hart || signal::is_free(rules, s, e),
    }
}

/// The event of highest priority whose handler runs on this hart.
pub(super) fn running(s: &State, hart: usize) -> Option<Place> {
    let (local, global) = (&s.sse.harts.get(hart)?.local, &s.sse.global);
    let mut best: Option<(Place, &Event)> = None;
    // Two plain loops: this is asked at every delivery and every completion.
    for (i, e) in local.iter().enumerate().filter(|(_, e)| e.running_on == hart + 1) {
        if best.is_none_or(|(_, b)| e.key() < b.key()) {
            best = Some((Place::Local(hart, i), e));
        }
    }
    for (i, e) in global.iter().enumerate().filter(|(_, e)| e.running_on == hart + 1) {
        if best.is_none_or(|(_, b)| e.key() < b.key()) {
            best = Some((Place::Global(i), e));
        }
    }
    best.map(|(place, _)| place)
}

/// One step of delivery at the end of a trap: [`Outcome::Placed`] when there is no more to do.
pub fn deliver(c: &mut Call<'_, '_>) -> Outcome {
    if let Some(fatal) = endless(c, c.hart) {
        return fatal;
    }
    if let Some(wait) = lock::lock_list(c, c.hart) {
        return wait;
    }
    if let Some(place) = candidate(c.rules, c.state, c.hart) {
        inject(c, place);
    }
    lock::unlock(c);
    Outcome::Placed
}

/// A walk of a list that has become a cycle.
pub(crate) fn endless(c: &Call<'_, '_>, hart: usize) -> Option<Outcome> {
    let cyclic = c.state.sse.harts.get(hart).is_some_and(|h| h.cyclic);
    cyclic.then_some(Outcome::Fatal("firmware walks a hart's list of enabled software events, which has become a cycle"))
}

fn inject(c: &mut Call<'_, '_>, place: Place) {
    let h = &mut c.platform.harts[c.hart];
    let seen = Seen::of(h);
    let e = c.state.sse.at_mut(place);
    e.set_state(state::RUNNING);
    e.running_on = c.hart + 1;
    if c.rules.bugs.has(BugId::StatusBits) {
        e.attrs[attr::STATUS] = !state::PENDING;
    } else {
        e.set_pending(false);
    }
    context::inject(e, h, c.platform.bus, c.rules);
    h.wait = emu_core::hart::Wait::Running;
    let (e, hart) = (c.state.sse.at(place), c.hart);
    if c.platform.observer.is_some() {
        let fields = seen.since(e, &c.platform.harts[hart]);
        c.platform.record(hart, "sse", "inject", || fields);
    }
}

/// `sbi_sse_complete`: one step.
pub fn complete(c: &mut Call<'_, '_>) -> Outcome {
    if let Some(fatal) = endless(c, c.hart) {
        return fatal;
    }
    if let Some(wait) = lock::lock_list(c, c.hart) {
        return wait;
    }
    let Some(place) = running(c.state, c.hart) else {
        lock::unlock(c);
        return Outcome::Return(Ok(0));
    };
    let h = &c.platform.harts[c.hart];
    let seen = Seen::of(h);
    let e = c.state.sse.at_mut(place);
    e.running_on = 0;
    e.set_state(state::ENABLED);
    let one_shot = e.one_shot();
    if one_shot {
        signal::disable(c, place);
    }
    sources::notify(c, place, if one_shot { Source::CompletedOneShot } else { Source::Completed });
    let (e, hart) = (c.state.sse.at(place), c.hart);
    context::resume(e, &mut c.platform.harts[hart], c.platform.bus, c.rules);
    if c.platform.observer.is_some() {
        let fields = seen.since(e, &c.platform.harts[hart]);
        c.platform.record(hart, "sse", "complete", || fields);
    }
    lock::unlock(c);
    Outcome::Placed
}
