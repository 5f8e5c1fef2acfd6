//! The software events of a hart that stops and starts again (HSM).

use emu_core::bus::Bus;
use emu_core::hart::Hart;
use emu_csr::{Interrupt, table};

use super::event::{Event, id, state};
use super::{kick, ready, target};
use crate::bug::BugId;
use crate::call::{Call, Outcome};
use crate::config::Rules;
use crate::profile::policy::HartStop;

/// This hart stops. Gives the end of the firmware where a defect leads there.
pub fn stop(c: &mut Call<'_, '_>) -> Option<Outcome> {
    let me = c.hart;
    let exit_null = c.rules.bugs.has(BugId::ExitNull);
    if exit_null && id::STANDARD.iter().any(|&e| c.state.sse.find(c.rules, me, e).is_err()) {
        return Some(Outcome::Fatal("a load access fault in M-mode, at the state of a software event that does not exist"));
    }
    if c.rules.bugs.has(BugId::ExitLock) {
        c.state.sse.global.iter_mut().for_each(|e| e.lock = me + 1);
    }
    match c.rules.policies.hart_stop {
        HartStop::Reset => reset(c),
        HartStop::Kept => keep(c),
    }
    None
}

/// As after boot.
fn reset(c: &mut Call<'_, '_>) {
    let (me, hart_id) = (c.hart, c.platform.harts[c.hart].id);
    let h = &mut c.state.sse.harts[me];
    h.masked = true;
    h.ipi = false;
    h.cyclic = false;
    h.queue.clear();
    h.local.iter_mut().for_each(|e| *e = Event::new(e.id, me, hart_id));
    for e in &mut c.state.sse.global {
        if e.running_on == me + 1 {
            e.running_on = 0;
            e.set_state(state::REGISTERED);
            e.linked = false;
        }
    }
    forward(c);
}

/// What only this hart would have taken may now be for another.
pub(crate) fn forward(c: &mut Call<'_, '_>) {
    for place in c.state.sse.places(c.hart).filter(|p| matches!(p, super::Place::Global(_))).collect::<Vec<_>>() {
        let e = c.state.sse.at(place);
        if e.pending() && e.state() == state::ENABLED {
            let to = target(c.rules, c.state, place);
            if to != c.hart && ready(c.rules, c.state, to) {
                let _untold = kick(c, to);
            }
        }
    }
}

/// What is above REGISTERED becomes UNUSED, and nothing else changes: not even the list it is in.
fn keep(c: &mut Call<'_, '_>) {
    let me = c.hart;
    let mut alive = Vec::new();
    for place in c.state.sse.places(me).collect::<Vec<_>>() {
        let e = c.state.sse.at_mut(place);
        if e.hart == me && e.state() > state::REGISTERED {
            e.set_state(state::UNUSED);
            e.running_on = 0;
            alive.push(e.id);
        }
    }
    if c.rules.bugs.has(BugId::ExitPrint) {
        // By its place among those OpenSBI 1.6 knows: RAS, double trap, global RAS, PMU overflow, software, global software.
        const KNOWN: [u32; 6] = [0, 1, 0x8000, 0x1_0000, 0xffff_0000, 0xffff_8000];
        for place in alive.iter().filter_map(|event| KNOWN.iter().position(|k| k == event)) {
            c.platform.console_out.extend_from_slice(format!("Event {place} in invalid state at exit").as_bytes());
        }
    }
}

/// A hart resumes from non-retentive suspension, over which its events stay.
pub(crate) fn resume(rules: &Rules, h: &mut Hart, bus: &Bus) {
    if rules.bugs.has(BugId::SuspendMideleg) {
        let now = h.now(bus);
        let all = h.csr.mideleg | Interrupt::CounterOverflow.mask();
        h.csr.poke(table::MIDELEG, all, &now);
    }
    if rules.bugs.has(BugId::SuspendInhibits) {
        let now = h.now(bus);
        h.csr.poke(table::MCOUNTINHIBIT, 0xffff_fff8, &now);
        h.apply(emu_csr::Effects::COUNTERS);
    }
}

/// Hart index `hart` starts: its list and queue are new. An event that is ENABLED for it is in no list from then on; where firmware looks
/// for events in that list alone, it is never found again.
pub fn start(c: &mut Call<'_, '_>, hart: usize) {
    for place in c.state.sse.places(hart).collect::<Vec<_>>() {
        let e = c.state.sse.at_mut(place);
        if e.hart == hart {
            e.linked = false;
        }
    }
    if let Some(h) = c.state.sse.harts.get_mut(hart) {
        h.queue.clear();
        h.ipi = false;
        h.cyclic = false;
    }
}
