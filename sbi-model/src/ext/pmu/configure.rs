//! Finding a counter for an event (SBI, "Find and configure a matching counter").

use emu_csr::{Ext, field::mhpmevent, table};

use super::counters::{Configured, HARDWARE, NONE, Pmu};
use super::event::{Target, target};
use super::put;
use super::run::{is_started, start_one};
use crate::call::Call;
use crate::error::SbiError;

const SKIP_MATCH: u64 = 1 << 0;
const CLEAR_VALUE: u64 = 1 << 1;
const AUTO_START: u64 = 1 << 2;
/// Every flag there is.
const FLAGS: u64 = 0xff;

/// SET_VUINH to SET_MINH (bits 3 to 7) as mhpmevent's bits. MINH is always set: what firmware does is not the supervisor's to see.
fn filters(flags: u64) -> u64 {
    let bit = |n: u32, bit: u64| if flags >> n & 1 != 0 { bit } else { 0 };
    bit(3, mhpmevent::VUINH) | bit(4, mhpmevent::VSINH) | bit(5, mhpmevent::UINH) | bit(6, mhpmevent::SINH) | mhpmevent::MINH
}

/// FID 2.
pub(super) fn matching(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    let [_, _, flags, event, data, _] = c.args;
    let mut set = c.counter_set()?;
    if flags & !FLAGS != 0 {
        return Err(SbiError::InvalidParam);
    }
    let isa = c.caller().csr.isa;
    let target = target(event, data, isa).ok_or(SbiError::NotSupported)?;
    let (pmu, hart) = (&c.state.pmu[c.hart], &c.platform.harts[c.hart]);
    let able = |i: usize| match target {
        Target::Firmware(_) => i >= HARDWARE,
        // The fixed counters count their own event only.
        Target::Hardware(selector) => match i {
            0 => selector == 1,
            2 => selector == 2,
            _ => i < HARDWARE,
        },
    };
    let i = if flags & SKIP_MATCH != 0 {
        set.next().filter(|&i| able(i))
    } else {
        // A counter keeps its event until it is stopped with RESET, so one that is configured is somebody's.
        let free = |i: usize| i > 2 && pmu.counters[i].event == NONE && !is_started(pmu, hart, i);
        // Without Smcntrpmf the fixed counters do not filter, where programmable ones do.
        let fixed = |i: usize| i <= 2 && (!isa.has(Ext::Sscofpmf) || isa.has(Ext::Smcntrpmf));
        // The fixed ones come first where only they exist or neither can interrupt, last where a programmable one can.
        let programmable = set.clone().find(|&i| able(i) && free(i));
        let fixed = set.find(|&i| able(i) && fixed(i));
        if isa.has(Ext::Sscofpmf) { programmable.or(fixed) } else { fixed.or(programmable) }
    };
    let i = i.ok_or(SbiError::NotSupported)?;
    set_up(c, i, event, target, flags);
    if flags & AUTO_START != 0 && !is_started(&c.state.pmu[c.hart], &c.platform.harts[c.hart], i) {
        start_one(c, i, None);
    }
    Ok(i as u64)
}

/// Gives counter `i` its event.
fn set_up(c: &mut Call<'_, '_>, i: usize, event: u64, target: Target, flags: u64) {
    let (hart, bus) = (&mut c.platform.harts[c.hart], &*c.platform.bus);
    let pmu = &mut c.state.pmu[c.hart];
    let mut selector = 0;
    match target {
        Target::Hardware(code) => {
            // No overflow interrupt until it is started (Sscofpmf: OF set).
            selector = code | filters(flags);
            match i {
                0 => put(hart, bus, table::MCYCLECFG, filters(flags)),
                2 => put(hart, bus, table::MINSTRETCFG, filters(flags)),
                _ => put(hart, bus, table::MHPMEVENT0 + i as u16, selector | mhpmevent::OF),
            }
            if flags & CLEAR_VALUE != 0 {
                put(hart, bus, table::MCYCLE + i as u16, 0);
            }
        }
        Target::Firmware(_) => {
            if flags & CLEAR_VALUE != 0
                && let Some(v) = i.checked_sub(HARDWARE).and_then(|k| pmu.values.get_mut(k))
            {
                *v = 0;
            }
        }
    }
    pmu.counters[i] = Configured { event, selector };
}

impl Pmu {
    /// Whether counter `i` has an event.
    pub(super) fn configured(&self, i: usize) -> bool {
        self.counters[i].event != NONE
    }
}
