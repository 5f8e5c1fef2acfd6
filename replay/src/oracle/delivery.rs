//! E4, E5, E6, E7, E14: whether, where, when and in which order events are delivered.

use sbi_model::ext::ids::sse;
use sbi_model::sse::{attr, id, status};

use super::fact::{Fact, Out, hex};
use super::world::{Event, Key, World};

/// Visits to M-mode in which a hart that could take an event must have taken it.
const VISITS: u64 = 4;
/// Instructions in which it must: an interrupt that says so is taken at once.
const INSTRUCTIONS: u64 = 200_000;

/// E4.
pub(super) fn mask(world: &World, fact: &Fact<'_>, out: &mut Out<'_>) {
    let Fact::Injected { running, .. } = fact else { return };
    let h = &world.harts[out.hart];
    if h.masked == Some(true) {
        out.say(Some(running.key.1), "mask", "clear before a delivery", "set").since(h.masked_at);
    }
}

/// E5.
pub(super) fn lost(world: &World, fact: &Fact<'_>, out: &mut Out<'_>) {
    match fact {
        Fact::Left { .. } | Fact::Ended { dead: None } => {
            let Some((key, e)) = world.next(out.hart) else { return };
            let h = &world.harts[out.hart];
            let Some((visits, instret)) = e.due else { return };
            let (waited, ran) = (h.visits - visits, out.instret.saturating_sub(instret));
            // Once; not at every return from here on.
            let over = waited == VISITS || ran >= INSTRUCTIONS && waited <= VISITS;
            if over && h.suspended.is_none() {
                let found = format!("still waiting after {waited} visits to M-mode and {ran} instructions");
                out.say(Some(key.1), "pending", "delivered when the hart could take it", found).since(e.signal);
            }
        }
        // STATUS as the hart that would take it reads it.
        Fact::Called { visit, error: 0 } => {
            let (Some(call), Some(at)) = (visit.sse().filter(|c| c.fid == sse::READ_ATTRS && c.args[1] as u32 == 0), out.at)
            else {
                return;
            };
            let key = World::key(at.index, call.args[0] as u32);
            let e = world.event(key);
            let found = super::visit::words(at, call).first().copied().unwrap_or(0);
            if key.0.is_some() && e.armed() && e.pending == Some(true) && found & status::PENDING == 0 {
                out.say(Some(key.1), "STATUS.pending", "1", "0").since(e.signal);
            }
        }
        _ => {}
    }
}

/// E6.
pub(super) fn target(world: &World, fact: &Fact<'_>, out: &mut Out<'_>) {
    match fact {
        Fact::Injected { running, .. } if running.key.0.is_none() => {
            let e = world.event(running.key);
            let preferred = e.attrs[2].filter(|_| e.chosen).and_then(|id| world.index(id));
            let ready = |i: usize| !world.harts[i].stopped && world.harts[i].masked == Some(false);
            if let Some(p) = preferred.filter(|&p| p != out.hart && ready(p) && e.pending == Some(true)) {
                out.say(Some(running.key.1), "hart", p.to_string(), out.hart.to_string()).since(e.signal);
            }
        }
        Fact::Called { visit, error: 0 } => {
            let Some(call) = visit.sse().filter(|c| c.fid == sse::WRITE_ATTRS) else { return };
            let at = attr::PREFERRED_HART.wrapping_sub(call.args[1] as u32 as usize);
            if let Some(v) = call.buffer.get(at).filter(|v| world.index(**v).is_none()) {
                out.say(Some(call.args[0] as u32), "PREFERRED_HART", "a hart's id", hex(*v)).since(visit.record);
            }
        }
        _ => {}
    }
}

/// What orders events, in words.
fn order(key: Key, e: &Event) -> String {
    format!("event {:#x} of priority {}", key.1, e.attrs[0].unwrap_or(0))
}

/// E7.
pub(super) fn priority(world: &World, fact: &Fact<'_>, out: &mut Out<'_>) {
    let Fact::Injected { running, visit, .. } = fact else { return };
    let e = world.event(running.key);
    let mine = e.key(running.key.1);
    let h = &world.harts[out.hart];
    for r in h.running.iter().filter(|r| r.key != running.key) {
        let other = world.event(r.key);
        if other.key(r.key.1) <= mine && e.attrs[0].is_some() && other.attrs[0].is_some() {
            let text = format!("a higher priority than {}, whose handler runs", order(r.key, &other));
            out.say(Some(running.key.1), "priority", text, order(running.key, &e)).since(r.record);
            return;
        }
    }
    // Signals that came while M-mode was at work may be too late for this delivery.
    let waits = world.next(out.hart).filter(|(k, n)| *k != running.key && n.key(k.1) < mine && n.signal < visit.record);
    if let Some((k, n)) = waits.filter(|_| e.attrs[0].is_some()) {
        out.say(Some(running.key.1), "order", format!("{} first", order(k, n)), order(running.key, &e)).since(n.signal);
    }
}

/// E14.
pub(super) fn exclusive(world: &World, fact: &Fact<'_>, out: &mut Out<'_>) {
    let Fact::Injected { running, .. } = fact else { return };
    let e = world.event(running.key);
    if let (true, Some(on)) = (e.is(status::RUNNING), e.on) {
        let first = world.harts[on].running.iter().find(|r| r.key == running.key).map_or(0, |r| r.record);
        let global = if id::is_global(running.key.1) { format!(" on hart {on}") } else { String::new() };
        out.say(Some(running.key.1), "state", "not RUNNING at delivery", format!("RUNNING{global}")).since(first);
    }
}
