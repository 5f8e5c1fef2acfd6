//! E8, E12, E13, E19: what the calls of the SSE extension return and change.

use sbi_model::ext::ids::sse;
use sbi_model::sse::{attr, flag, status};

use super::codes;
use super::fact::{Fact, Out, hex};
use super::visit::words;
use super::world::World;

/// Bits of an attribute that may be set.
fn legal(attribute: usize) -> u64 {
    match attribute {
        attr::STATUS => status::STATE | status::PENDING | status::INJECTABLE,
        attr::PRIORITY => 0xffff_ffff,
        attr::CONFIG => 1,
        attr::FLAGS => flag::ALL,
        _ => u64::MAX,
    }
}

/// E8.
pub(super) fn immutable(world: &World, fact: &Fact<'_>, out: &mut Out<'_>) {
    let Fact::Called { visit, error: 0 } = fact else { return };
    let (Some(call), Some(at)) = (visit.sse().filter(|c| c.fid <= sse::WRITE_ATTRS), out.at) else { return };
    let event = call.args[0] as u32;
    let e = world.event(World::key(at.index, event));
    let first = call.args[1] as u32 as usize;
    for (i, found) in words(at, call).into_iter().enumerate() {
        let a = first + i;
        let Some(name) = attr::NAMES.get(a) else { return };
        if call.fid == sse::WRITE_ATTRS {
            let locked = e.state.is_some_and(|s| s > status::REGISTERED) && (attr::PRIORITY..=attr::PREFERRED_HART).contains(&a);
            if locked {
                out.say(Some(event), name, "refused while ENABLED or RUNNING", "written").since(e.registered);
                return;
            }
            continue;
        }
        let expected = match a {
            attr::PRIORITY..=attr::PREFERRED_HART => e.attrs[a - attr::PRIORITY],
            attr::ENTRY_PC if e.registered != 0 && e.state.is_some() => Some(e.entry_pc),
            attr::ENTRY_ARG if e.registered != 0 && e.state.is_some() => Some(e.entry_arg),
            _ => None,
        };
        if found & !legal(a) != 0 {
            out.say(Some(event), name, "zeros in reserved bits", hex(found)).since(visit.record);
            return;
        }
        // An unregistered event may keep or forget its handler.
        let unused = e.is(status::UNUSED) && a >= attr::ENTRY_PC;
        if let Some(expected) = expected.filter(|v| *v != found && !unused) {
            out.say(Some(event), name, hex(expected), hex(found)).since(e.registered);
            return;
        }
    }
}

/// E12.
pub(super) fn states(world: &World, fact: &Fact<'_>, out: &mut Out<'_>) {
    const NAMES: [&str; 4] = ["UNUSED", "REGISTERED", "ENABLED", "RUNNING"];
    let name = |s: u64| NAMES[(s & status::STATE) as usize];
    match fact {
        Fact::Called { visit, error: 0 } => {
            let (Some(call), Some(at)) = (visit.sse(), out.at) else { return };
            let key = World::key(at.index, call.args[0] as u32);
            let e = world.event(key);
            let from = match call.fid {
                sse::REGISTER => Some(status::UNUSED),
                sse::UNREGISTER | sse::ENABLE => Some(status::REGISTERED),
                sse::DISABLE => Some(status::ENABLED),
                _ => None,
            };
            let (Some(state), event) = (e.state, Some(key.1)) else { return };
            if let Some(from) = from.filter(|f| *f != state) {
                out.say(event, "state", name(from), name(state)).since(e.registered);
            }
            if visit.early {
                out.say(event, "source", "on before its event is announced", "off").since(visit.record);
            }
            if call.fid == sse::COMPLETE
                && let Some(t) = world.top(at.index)
            {
                let r = &world.harts[at.index].running[t];
                out.say(Some(r.key.1), "pc", "that of the interrupted context", "after the call").since(r.record);
            }
            if call.fid == sse::READ_ATTRS && call.args[1] as u32 == 0 {
                let found = words(at, call).first().copied().unwrap_or(0);
                if found & status::STATE != state {
                    out.say(event, "STATUS.state", name(state), name(found)).since(e.registered);
                }
            }
        }
        Fact::Injected { running, .. } => {
            let e = world.event(running.key);
            if let Some(s) = e.state.filter(|s| *s < status::ENABLED) {
                out.say(Some(running.key.1), "state", "ENABLED at delivery", name(s)).since(e.registered);
            } else if e.is(status::ENABLED) && e.pending == Some(false) && !world.being_signalled(out.hart, running.key) {
                out.say(Some(running.key.1), "pending", "1 at delivery", "0").since(e.registered);
            }
        }
        _ => {}
    }
}

/// E13.
pub(super) fn errors(world: &World, fact: &Fact<'_>, out: &mut Out<'_>) {
    let Fact::Called { visit, error } = fact else { return };
    let (Some(call), Some(at)) = (visit.sse(), out.at) else { return };
    let Some(answers) = codes::answers(world, at.index, call) else { return };
    // An event that the platform has not is refused whatever else is wrong.
    let event = call.args[0] as u32;
    if !answers.has(*error) {
        out.say(Some(event), &format!("error of function {}", call.fid), answers.text(), codes::name(*error)).since(visit.record);
    }
}

/// E19.
pub(super) fn migrated(world: &World, fact: &Fact<'_>, out: &mut Out<'_>) {
    /// A stack: handlers complete on the one that they began on.
    const STACK: u64 = 16 << 10;
    let Fact::Called { visit, error: 0 } = fact else { return };
    let (Some(_), Some(at)) = (visit.sse().filter(|c| c.fid == sse::COMPLETE), out.at) else { return };
    if world.top(at.index).is_some() {
        return;
    }
    for (i, h) in world.harts.iter().enumerate().filter(|(i, _)| *i != at.index) {
        if let Some(r) = h.running.iter().find(|r| r.sp.abs_diff(visit.sp) < STACK) {
            let found = format!("on hart {}, with the stack of the handler", at.index);
            out.say(Some(r.key.1), "complete", format!("on hart {i}"), found).since(r.record);
            return;
        }
    }
}
