//! Starting and stopping counters (SBI, "Start a set of counters", "Stop a set of counters").

use emu_core::hart::Hart;
use emu_csr::{Interrupt, field::mhpmevent, table};

use super::counters::{Configured, HARDWARE, NONE, Pmu};
use super::{put, shared};
use crate::call::Call;
use crate::error::SbiError;

const SET_INIT_VALUE: u64 = 1 << 0;
const INIT_SNAPSHOT: u64 = 1 << 1;
const RESET: u64 = 1 << 0;
const TAKE_SNAPSHOT: u64 = 1 << 1;

/// Whether counter `i` counts.
pub(super) fn is_started(pmu: &Pmu, hart: &Hart, i: usize) -> bool {
    match i.checked_sub(HARDWARE) {
        None => hart.csr.mcountinhibit >> i & 1 == 0,
        Some(k) => pmu.started >> k & 1 != 0,
    }
}

/// Its value.
fn value(c: &mut Call<'_, '_>, i: usize) -> u64 {
    match i.checked_sub(HARDWARE) {
        None => {
            let hart = &c.platform.harts[c.hart];
            hart.csr.counter(i as u8, &hart.now(c.platform.bus))
        }
        Some(k) => c.pmu().values[k],
    }
}

/// Lets counter `i` count, from `initial` if given.
pub(super) fn start_one(c: &mut Call<'_, '_>, i: usize, initial: Option<u64>) {
    let pmu = &mut c.state.pmu[c.hart];
    let (hart, bus) = (&mut c.platform.harts[c.hart], &*c.platform.bus);
    match i.checked_sub(HARDWARE) {
        Some(k) => {
            pmu.started |= 1 << k;
            if let Some(v) = initial {
                pmu.values[k] = v;
            }
        }
        None => {
            if i > 2 {
                // OF is cleared, so that an overflow interrupts, unless one waits whose handler has yet to read the flag.
                let waits = hart.csr.mip & Interrupt::CounterOverflow.mask() != 0;
                let of = if waits { mhpmevent::OF } else { 0 };
                put(hart, bus, table::MHPMEVENT0 + i as u16, pmu.counters[i].selector | of);
            }
            if let Some(v) = initial {
                put(hart, bus, table::MCYCLE + i as u16, v);
            }
            let inhibit = hart.csr.mcountinhibit & !(1 << i);
            put(hart, bus, table::MCOUNTINHIBIT, inhibit);
        }
    }
}

fn stop_one(c: &mut Call<'_, '_>, i: usize) {
    match i.checked_sub(HARDWARE) {
        Some(k) => c.pmu().started &= !(1 << k),
        None => {
            let (hart, bus) = (&mut c.platform.harts[c.hart], &*c.platform.bus);
            let inhibit = hart.csr.mcountinhibit | 1 << i;
            put(hart, bus, table::MCOUNTINHIBIT, inhibit);
        }
    }
}

/// FID 3. Counters without an event are passed over, unless there is no other; the rest are started even if one of them was
/// already.
pub(super) fn start(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    let [base, _, flags, initial, ..] = c.args;
    let set = c.counter_set()?;
    if flags & !(SET_INIT_VALUE | INIT_SNAPSHOT) != 0 || flags == SET_INIT_VALUE | INIT_SNAPSHOT {
        return Err(SbiError::InvalidParam);
    }
    if flags & INIT_SNAPSHOT != 0 && c.pmu().snapshot == NONE {
        return Err(SbiError::NoShmem);
    }
    let mut result = Err(SbiError::InvalidParam);
    for i in set {
        if !c.pmu().configured(i) {
            continue;
        }
        if is_started(&c.state.pmu[c.hart], &c.platform.harts[c.hart], i) {
            result = Err(SbiError::AlreadyStarted);
            continue;
        }
        let initial = match flags {
            SET_INIT_VALUE => Some(initial),
            INIT_SNAPSHOT => Some(shared::read_value(c, i - base as usize)?),
            _ => None,
        };
        start_one(c, i, initial);
        if result == Err(SbiError::InvalidParam) {
            result = Ok(0);
        }
    }
    result
}

/// FID 4. As FID 3 for counters without an event and for those that stood already.
pub(super) fn stop(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    let [base, _, flags, ..] = c.args;
    let set = c.counter_set()?;
    if flags & !(RESET | TAKE_SNAPSHOT) != 0 {
        return Err(SbiError::InvalidParam);
    }
    if flags & TAKE_SNAPSHOT != 0 && c.pmu().snapshot == NONE {
        return Err(SbiError::NoShmem);
    }
    let mut result = Err(SbiError::InvalidParam);
    for i in set {
        if !c.pmu().configured(i) {
            continue;
        }
        if !is_started(&c.state.pmu[c.hart], &c.platform.harts[c.hart], i) {
            result = Err(SbiError::AlreadyStopped);
        } else {
            stop_one(c, i);
            if result == Err(SbiError::InvalidParam) {
                result = Ok(0);
            }
        }
        if flags & TAKE_SNAPSHOT != 0 {
            let (v, of) = (value(c, i), c.caller().csr.mhpmevent.get(i).is_some_and(|e| e & mhpmevent::OF != 0));
            shared::save(c, i - base as usize, v, of);
        }
        if flags & RESET != 0 && i > 2 {
            c.pmu().counters[i] = Configured { event: NONE, selector: 0 };
            if i < HARDWARE {
                let (hart, bus) = (&mut c.platform.harts[c.hart], &*c.platform.bus);
                put(hart, bus, table::MHPMEVENT0 + i as u16, 0);
            }
        }
    }
    // While the overflow interrupt is M-mode's (a software event is registered for it) the supervisor cannot clear it itself.
    let h = c.caller();
    if h.csr.mideleg & Interrupt::CounterOverflow.mask() == 0 {
        let effects = h.csr.set_line(Interrupt::CounterOverflow, false);
        h.apply(effects);
    }
    result
}
