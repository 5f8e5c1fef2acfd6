//! E10, E11, E15: where events come from, double traps, and harts that stop, start and sleep.

use emu_csr::{Cause, Exception, Ext, Interrupt, Mode};
use sbi_model::ext::ids::{hsm, sse};
use sbi_model::sse::{id, status};

use super::fact::{Fact, Out, hex};
use super::visit::words;
use super::world::{LCOFI, Sources, World};

/// E10.
pub(super) fn pmu(world: &World, fact: &Fact<'_>, out: &mut Out<'_>) {
    let Some(at) = out.at.filter(|a| a.hart.csr.isa.has(Ext::Sscofpmf)) else { return };
    let e = world.event((Some(at.index), id::PMU_OVERFLOW));
    let (event, view) = (Some(id::PMU_OVERFLOW), &world.harts[at.index]);
    let on = |bits: u64| u64::from(bits & LCOFI != 0).to_string();
    match fact {
        Fact::Entered(visit) => {
            let early = e.is(status::UNUSED) || e.is(status::REGISTERED);
            if visit.cause == Cause::Interrupt(Interrupt::CounterOverflow) && early && view.delegated == Some(true) {
                out.say(event, "counter-overflow interrupt", "not M-mode's before the event is enabled", "taken")
                    .since(e.registered);
            }
        }
        Fact::Left { visit, injected, .. } => {
            let (Some(state), Sources { mideleg, mie, mip, .. }) = (e.state, Sources::of(at.hart)) else { return };
            let delegated = mideleg & LCOFI != 0;
            let late = state == status::UNUSED && !delegated && view.delegated == Some(true) && e.registered != 0;
            if state >= status::REGISTERED && delegated || late {
                let expected = if late { "1 while the event is UNUSED" } else { "0 while the event is registered" };
                let by = view.writers.of("mideleg");
                out.say(event, "mideleg.LCOFI", expected, on(mideleg)).since(e.registered).by(by);
            } else if state == status::REGISTERED && mie & LCOFI != 0 && (visit.sources.mie & LCOFI == 0 || left_enabled(visit)) {
                let by = view.writers.of("mie");
                out.say(event, "mie.LCOFIE", "0 while the event is not enabled", "1").since(e.registered).by(by);
            } else if state == status::ENABLED && e.pending == Some(false) && mie & LCOFI == 0 && injected.is_none() {
                let by = view.writers.of("mie");
                out.say(event, "mie.LCOFIE", "1 while the event is ENABLED and not pending", "0").since(e.registered).by(by);
            }
            let kept =
                visit.sse().is_some_and(|c| matches!(c.fid, sse::ENABLE | sse::DISABLE) && c.args[0] as u32 == id::PMU_OVERFLOW);
            if kept && visit.sources.mip & LCOFI != 0 && mip & LCOFI == 0 && e.pending != Some(true) {
                let by = view.writers.of("mip");
                out.say(event, "mip.LCOFIP", "1: an overflow that waits", "0").since(visit.record).by(by);
            }
        }
        _ => {}
    }
}

/// A call that ends what enabled the interrupt. Before any other, the supervisor may itself have set sie.LCOFIE, while the interrupt was
/// delegated to it: it stays set when the event is registered, as any kernel with a driver of its own shows.
fn left_enabled(visit: &super::world::Visit) -> bool {
    visit.sse().is_some_and(|c| c.fid == sse::DISABLE && c.args[0] as u32 == id::PMU_OVERFLOW || c.fid == sse::COMPLETE)
}

/// E11.
pub(super) fn double_trap(world: &World, fact: &Fact<'_>, out: &mut Out<'_>) {
    let event = Some(id::DOUBLE_TRAP);
    let key = (Some(out.hart), id::DOUBLE_TRAP);
    let doubled = |v: &super::world::Visit| v.cause == Cause::Exception(Exception::DoubleTrap) && v.from == Mode::HS;
    match fact {
        Fact::Entered(visit) if doubled(visit) => {
            if let Some((pc, instret, record)) = world.harts[out.hart].doubled
                && (pc, instret) == (visit.pc, visit.instret)
            {
                out.say(event, "instret", "an instruction between two double traps", "none").since(record);
            }
        }
        Fact::Left { visit, injected, .. }
            if doubled(visit) && *injected != Some(key)
            // Deliverable still, and not delivered.
            && world.next(out.hart).is_some_and(|(k, _)| k == key) =>
        {
            out.say(event, "pc", "the handler of the double trap's event", hex(out.pc)).since(visit.record);
        }
        Fact::Ended { dead: Some(text) } => {
            let Some(visit) = world.harts[out.hart].visit.as_ref().filter(|v| doubled(v)) else { return };
            let e = world.event(key);
            if e.is(status::ENABLED) && world.deliverable(out.hart, key, &e) {
                out.say(event, "pc", "the handler of the double trap's event", (*text).to_owned()).since(visit.record);
            }
        }
        _ => {}
    }
}

/// E15.
pub(super) fn lifecycle(world: &World, fact: &Fact<'_>, out: &mut Out<'_>) {
    let Some(at) = out.at else { return };
    match fact {
        Fact::Left { visit, .. } if visit.ids() == Some((hsm::EID, hsm::HART_SUSPEND)) => {
            let Some((record, before)) = world.harts[at.index].suspended else { return };
            let now = Sources::of(at.hart);
            let view = &world.harts[at.index];
            let rows = [
                ("mideleg", before.mideleg, now.mideleg),
                ("mie.LCOFIE", before.mie & LCOFI, now.mie & LCOFI),
                ("mcountinhibit", before.mcountinhibit, now.mcountinhibit),
            ];
            if let Some((name, expected, found)) = rows.into_iter().find(|(_, a, b)| a != b) {
                let by = view.writers.of(name.split('.').next().unwrap_or(name));
                out.say(None, name, hex(expected), hex(found)).since(record).by(by);
            }
        }
        Fact::Called { visit, error: 0 } => {
            // A global event that another hart reads: nobody who has stopped runs its handler.
            let Some(call) = visit.sse().filter(|c| c.fid == sse::READ_ATTRS && c.args[1] as u32 == 0) else { return };
            let event = call.args[0] as u32;
            if !id::is_global(event) || world.harts.iter().any(|h| h.running.iter().any(|r| r.key.1 == event)) {
                return;
            }
            let found = words(at, call).first().copied().unwrap_or(0) & status::STATE;
            if found == status::RUNNING && world.event((None, event)).state.is_none() {
                out.say(Some(event), "STATUS.state", "not RUNNING: its hart has stopped", "RUNNING").since(visit.record);
            }
        }
        _ => {}
    }
}
