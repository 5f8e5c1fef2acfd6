//! Where events come from: counter overflow and double traps on this hart, and what is switched when their events are.

use emu_core::observer::FwField;
use emu_csr::Interrupt;
use emu_csr::table;

use super::event::{Place, id, state};
use super::{deliver, signal};
use crate::bug::BugId;
use crate::call::{Call, Outcome};
use crate::leave;
use crate::profile::policy::{DoubleTrap, PmuDisable, PmuOneShot};

/// What happened to an event that its source must know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// UNUSED to REGISTERED.
    Registered,
    /// REGISTERED to UNUSED.
    Unregistered,
    /// REGISTERED to ENABLED.
    Enabled,
    /// ENABLED to REGISTERED, also by a one-shot event's completion.
    Disabled,
    /// RUNNING to ENABLED.
    Completed,
    /// The same on the way to REGISTERED; [`Source::Disabled`] came first.
    CompletedOneShot,
}

impl Source {
    fn name(self) -> &'static str {
        match self {
            Source::Registered => "registered",
            Source::Unregistered => "unregistered",
            Source::Enabled => "enabled",
            Source::Disabled => "disabled",
            Source::Completed | Source::CompletedOneShot => "completed",
        }
    }
}

const LCOFI: u64 = Interrupt::CounterOverflow.mask();

/// Tells the source of an event on this hart.
pub fn notify(c: &mut Call<'_, '_>, place: Place, what: Source) {
    let event = c.state.sse.at(place).id;
    let to = c.state.sse.at(place).state();
    if event == id::PMU_OVERFLOW {
        overflow_source(c, what);
    }
    let event = u64::from(event);
    c.platform.record(c.hart, "sse", what.name(), || {
        let same = |name, v| FwField { name, before: v, after: v };
        vec![same("event_id", event), same("state", to)]
    });
}

/// The counter-overflow interrupt: M-mode's while the event is registered, enabled while it may be taken.
fn overflow_source(c: &mut Call<'_, '_>, what: Source) {
    let bugs = c.rules.bugs;
    let (lost, one_shot) = (c.rules.policies.pmu_disable, c.rules.policies.pmu_one_shot);
    let late = bugs.has(BugId::MidelegAtEnable);
    let (h, bus) = (&mut c.platform.harts[c.hart], &mut *c.platform.bus);
    let now = h.now(bus);
    let mut put = |csr: u16, on: bool| {
        let old = h.csr.peek(csr, &now).unwrap_or(0);
        h.csr.poke(csr, if on { old | LCOFI } else { old & !LCOFI }, &now);
    };
    match what {
        Source::Registered if !late => put(table::MIDELEG, false),
        Source::Unregistered if !late => put(table::MIDELEG, true),
        Source::Registered | Source::Unregistered => {}
        Source::Enabled => {
            if late {
                put(table::MIDELEG, false);
            }
            if bugs.has(BugId::EnableClearsLcofi) {
                put(table::MIP, false);
            }
            put(table::MIE, true);
        }
        Source::Disabled => {
            put(table::MIE, false);
            if lost == PmuDisable::Cleared {
                put(table::MIP, false);
            }
            if late {
                put(table::MIDELEG, true);
            }
        }
        Source::Completed => put(table::MIE, true),
        Source::CompletedOneShot if one_shot == PmuOneShot::On => put(table::MIE, true),
        Source::CompletedOneShot => {}
    }
    h.apply(emu_csr::Effects::INTERRUPTS);
}

/// The counter-overflow interrupt has come to M-mode. It stays off until the event completes, for it would come again at once.
pub fn overflowed(c: &mut Call<'_, '_>) {
    let h = &mut c.platform.harts[c.hart];
    let now = h.now(c.platform.bus);
    let mie = h.csr.mie & !LCOFI;
    h.csr.poke(table::MIE, mie, &now);
    if let Ok(place) = c.state.sse.find(c.rules, c.hart, id::PMU_OVERFLOW) {
        // A signal that is refused is a sample that is lost: nobody is there to be told.
        let _refused = signal::signal(c, place);
    }
}

/// A trap of the supervisor's that found sstatus.SDT=1 (Ssdbltrp, "double trap exception"). From VS-mode it is HS-mode's; from HS-mode it is
/// the event's, if that can be taken.
pub fn trapped_twice(c: &mut Call<'_, '_>) -> Outcome {
    let h = &mut c.platform.harts[c.hart];
    let from = leave::previous(h);
    if from.level() != 1 {
        return Outcome::Fatal("a double trap that is not the supervisor's");
    }
    if from.virt() {
        return match leave::trap_taken(h) {
            Some(trap) => Outcome::Trap(trap),
            None => Outcome::Placed,
        };
    }
    let dead = Outcome::Fatal("a double trap of the supervisor, and no event handler for it");
    if c.rules.bugs.has(BugId::DoubleTrapPanic) {
        return dead;
    }
    let Ok(place) = c.state.sse.find(c.rules, c.hart, id::DOUBLE_TRAP) else { return dead };
    if c.state.sse.at(place).state() < state::ENABLED || signal::signal(c, place).is_err() {
        return dead;
    }
    if c.rules.policies.double_trap == DoubleTrap::Halt && deliver::candidate(c.rules, c.state, c.hart) != Some(place) {
        return Outcome::Fatal("a double trap of the supervisor while its event cannot be delivered");
    }
    Outcome::Placed
}
