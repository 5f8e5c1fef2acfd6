//! The locks of OpenSBI's implementation: one for each global event, one for each hart's list of enabled events. They are taken in steps
//! of their own, so that a schedule can let operations of several harts meet.

use super::event::Place;
use crate::call::{Call, Outcome};
use crate::profile::policy::Locks;

/// The count of steps from which an operation that has locks to take does its work.
pub(crate) const LOCKED: u64 = 2;

/// Takes the event's lock, then, if `list`, that of its hart's list: one step each. Gives how that step ends, or None when both are held.
pub(crate) fn lock(c: &mut Call<'_, '_>, place: Place, list: bool) -> Option<Outcome> {
    let me = c.hart + 1;
    if c.work().at == 0 {
        c.work().at = 1;
        if let Place::Global(i) = place {
            let holder = c.state.sse.global[i].lock;
            if holder != 0 {
                c.work().at = 0;
                return Some(wait(c, holder));
            }
            if c.rules.policies.locks == Locks::EventAndList {
                c.state.sse.global[i].lock = me;
                return Some(Outcome::More);
            }
        }
    }
    if c.work().at == 1 {
        if list && let Some(wait) = lock_list(c, c.state.sse.at(place).hart) {
            return Some(wait);
        }
        c.work().at = LOCKED;
    }
    None
}

/// Takes the lock of a hart's list and gives how the step ends; None if there are no locks, or this hart holds it.
pub(crate) fn lock_list(c: &mut Call<'_, '_>, hart: usize) -> Option<Outcome> {
    let me = c.hart + 1;
    if c.rules.policies.locks == Locks::None {
        return None;
    }
    let h = c.state.sse.harts.get_mut(hart)?;
    match h.lock {
        0 => {
            h.lock = me;
            Some(Outcome::More)
        }
        holder if holder == me => None,
        holder => Some(wait(c, holder)),
    }
}

/// What a step can do while another hart holds what it needs.
fn wait(c: &Call<'_, '_>, holder: usize) -> Outcome {
    use crate::state::HartState::Stopped;
    if holder == c.hart + 1 {
        return Outcome::Fatal("firmware waits for a lock of a software event that this very hart holds");
    }
    if c.state.harts.get(holder - 1) == Some(&Stopped) {
        return Outcome::Fatal("firmware waits for a lock of a software event that a stopped hart holds");
    }
    Outcome::Spin
}

/// Releases what this hart holds.
pub(crate) fn unlock(c: &mut Call<'_, '_>) {
    let me = c.hart + 1;
    let sse = &mut c.state.sse;
    sse.global.iter_mut().filter(|e| e.lock == me).for_each(|e| e.lock = 0);
    sse.harts.iter_mut().filter(|h| h.lock == me).for_each(|h| h.lock = 0);
}
