//! Hardware errors, firmware first: what an error record signals becomes a RAS event, and a hardware-error exception is the supervisor's
//! own only if that event cannot be delivered in its place.

use emu_core::dev::Reri;
use emu_core::dev::reri::{Signal, control};
use emu_core::firmware::Platform;
use emu_csr::Mode;

use super::access;
use crate::call::{Call, Outcome};
use crate::profile::policy::RasEvents;
use crate::sse::{self, id};

/// Sets the error bank up, if there is one and the profile has RAS events: every record logs; critical errors are of high priority.
pub fn set_up(ras: RasEvents, platform: &mut Platform<'_>) {
    let [ces, ueds, uecs] = control::SIGNALS;
    if ras == RasEvents::Offered
        && let Some(bank) = platform.bus.device::<Reri>()
    {
        (0..bank.records()).for_each(|i| bank.set_control(i, control::ELSE | 1 << ces | 1 << ueds | 2 << uecs));
    }
}

/// The hardware-error exception that has entered M-mode. With the event the supervisor comes back to the instruction, which raises it
/// again if nothing has been done about the data.
pub fn error(c: &mut Call<'_, '_>) -> Outcome {
    let place = c.state.sse.find(c.rules, c.hart, id::LOCAL_RAS_HIGH).ok();
    if place.is_some() && sse::candidate(c.rules, c.state, c.hart) == place {
        return Outcome::Placed;
    }
    access::redirect(c)
}

/// The event of an error record's signal becomes pending: a local one on the hart whose record it is.
pub fn signalled(c: &mut Call<'_, '_>, signal: Signal) {
    let event = match (signal.hart.is_some(), signal.high) {
        (true, true) => id::LOCAL_RAS_HIGH,
        (true, false) => id::LOCAL_RAS_LOW,
        (false, true) => id::GLOBAL_RAS_HIGH,
        (false, false) => id::GLOBAL_RAS_LOW,
    };
    // A hart that is in M-mode looks at its events before it leaves. Where the profile has no such event, nobody is told.
    let _unknown = match c.state.sse.find(c.rules, c.hart, event) {
        Ok(place) if c.caller().mode == Mode::M && sse::target(c.rules, c.state, place) == c.hart => sse::set_pending(c, place),
        _ => sse::raise(c, event),
    };
}
