//! Counters: cycle, instret and the programmable ones, inhibited, filtered by mode, and overflowing (Privileged ISA,
//! "Hardware Performance Monitor"; Sscofpmf; Smcntrpmf).
//!
//! A counter is never stepped. While it counts, `counter_base` holds its value less its raw clock; while it stands, its
//! value. It is rebased whenever it starts or stops: on writes of the inhibit bits, filters and events, and on mode
//! changes when a filter makes them matter.

use crate::access::{Effects, Now};
use crate::change::{Change, ChangeSink};
use crate::csrs::Csrs;
use crate::isa::Ext;
use crate::mode::Mode;
use crate::table::field::mhpmevent;
use crate::table::{MCYCLE, MHPMCOUNTER0, MHPMEVENT0, MINSTRET, Reg};
use crate::warl;

/// What a programmable counter counts, by mhpmevent's number. Other numbers are not kept by the register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Event {
    /// Nothing.
    None = 0,
    /// Clock cycles.
    Cycles = 1,
    /// Instructions retired.
    Instructions = 2,
}

impl Event {
    /// The event an mhpmevent value selects.
    pub const fn of(selector: u64) -> Event {
        match selector & mhpmevent::EVENT {
            1 => Event::Cycles,
            2 => Event::Instructions,
            _ => Event::None,
        }
    }

    /// The raw clock that the event follows.
    const fn raw(self, now: &Now) -> u64 {
        match self {
            Event::None => 0,
            Event::Cycles => now.cycles,
            Event::Instructions => now.instret,
        }
    }
}

/// The clocks after the instruction that asks has completed: it takes effect then, and is not counted by what it writes.
fn after(now: &Now) -> Now {
    Now { cycles: now.cycles.wrapping_add(1), instret: now.instret.wrapping_add(1), time: now.time }
}

/// The filter bit of a mode.
const fn filter(mode: Mode) -> u64 {
    match mode {
        Mode::M => mhpmevent::MINH,
        Mode::HS => mhpmevent::SINH,
        Mode::U => mhpmevent::UINH,
        Mode::VS => mhpmevent::VSINH,
        Mode::VU => mhpmevent::VUINH,
    }
}

const FILTERS: u64 = mhpmevent::MINH | mhpmevent::SINH | mhpmevent::UINH | mhpmevent::VSINH | mhpmevent::VUINH;

impl Csrs {
    /// What counter `i` counts (0 cycle, 2 instret, 3 to 31 programmable).
    fn event(&self, i: u8) -> Event {
        match i {
            0 => Event::Cycles,
            2 => Event::Instructions,
            _ => Event::of(self.mhpmevent[usize::from(i & 31)]),
        }
    }

    /// The filter bits of counter `i`.
    fn filters(&self, i: u8) -> u64 {
        FILTERS
            & match i {
                0 => self.mcyclecfg,
                2 => self.minstretcfg,
                _ => self.mhpmevent[usize::from(i & 31)],
            }
    }

    /// The value of counter `i`.
    #[inline]
    pub fn counter(&self, i: u8, now: &Now) -> u64 {
        let base = self.counter_base[usize::from(i & 31)];
        if self.counting >> (i & 31) & 1 != 0 { base.wrapping_add(self.event(i).raw(now)) } else { base }
    }

    /// Whether counter `i` should count in `mode`.
    fn should_count(&self, i: u8, mode: Mode) -> bool {
        self.event(i) != Event::None && self.mcountinhibit >> i & 1 == 0 && self.filters(i) & filter(mode) == 0
    }

    /// Starts or stops counter `i` at `now`.
    fn set_counting(&mut self, i: u8, on: bool, now: &Now) {
        let was = self.counting >> i & 1 != 0;
        if was == on {
            return;
        }
        let raw = self.event(i).raw(now);
        let base = &mut self.counter_base[usize::from(i & 31)];
        *base = if on { base.wrapping_sub(raw) } else { base.wrapping_add(raw) };
        self.counting ^= 1 << i;
    }

    /// Starts and stops counters after a write of `reg`. Inhibition acts at once, the writing instruction is not counted;
    /// filters act on the instructions that follow.
    pub(crate) fn recount(&mut self, mode: Mode, reg: Reg, now: &Now) {
        let now = if reg == Reg::mcountinhibit { *now } else { after(now) };
        for i in (0..32).filter(|&i| i != 1) {
            self.set_counting(i, self.should_count(i, mode), &now);
        }
        self.find_filters();
    }

    /// Whether any counter depends on the mode.
    pub(crate) fn find_filters(&mut self) {
        self.counters_by_mode = (0..32).any(|i| i != 1 && self.event(i) != Event::None && self.filters(i) != 0);
    }

    /// Starts and stops the counters that are filtered by mode. The machine calls it on every change of mode while
    /// [`Csrs::counters_by_mode`] is set, with `now` counting all that retired in `old` (an xRET counts there).
    pub fn on_mode_change(&mut self, old: Mode, new: Mode, now: &Now) -> Effects {
        if old == new || !self.counters_by_mode {
            return Effects::NONE;
        }
        for i in (0..32).filter(|&i| i != 1) {
            self.set_counting(i, self.should_count(i, new), now);
        }
        Effects::COUNTERS
    }

    /// Writes counter `i`. The written value is what the next instruction reads: the write takes precedence over the
    /// increment for the writing instruction (Privileged ISA, "Hardware Performance Monitor").
    pub(crate) fn put_counter(&mut self, i: u8, value: u64, now: &Now, sink: &mut impl ChangeSink) -> Effects {
        let i = i & 31;
        let before = self.counter(i, now);
        let counts = self.counting >> i & 1 != 0;
        let raw = if counts { self.event(i).raw(&after(now)) } else { 0 };
        self.counter_base[usize::from(i)] = value.wrapping_sub(raw);
        self.armed = warl::merge(self.armed, (value >> 63) << i, 1 << i);
        let csr = match i {
            0 => MCYCLE,
            2 => MINSTRET,
            _ => MHPMCOUNTER0 + u16::from(i),
        };
        sink.change(Change { csr, before, after: value });
        Effects::COUNTERS
    }

    /// Writes `mhpmevent<i>`.
    pub(crate) fn put_event(&mut self, i: u8, value: u64, mode: Mode, now: &Now, sink: &mut impl ChangeSink) -> Effects {
        let i = i & 31;
        let at = usize::from(i);
        let new = warl::hpmevent(self, value);
        let then = after(now);
        // The writing instruction still counts, and may overflow, under the old event.
        let raised = self.raise_overflows(&then, sink);
        let before = self.mhpmevent[at];
        self.set_counting(i, false, &then);
        self.mhpmevent[at] = new;
        self.set_counting(i, self.should_count(i, mode), &then);
        // A carry that OF masked is past: only the next one counts.
        self.armed = warl::merge(self.armed, (self.counter(i, &then) >> 63) << i, 1 << i);
        self.find_filters();
        sink.change(Change { csr: MHPMEVENT0 + u16::from(i), before, after: new });
        raised.with(if before == new { Effects::NONE } else { Effects::COUNTERS })
    }

    /// scountovf: the OF bits, those of counters not enabled for `mode` as zero (Sscofpmf).
    pub(crate) fn overflow_flags(&self, mode: Mode) -> u64 {
        let mut flags = 0;
        for i in 3..32 {
            flags |= (self.mhpmevent[i] >> 63) << i;
        }
        let enabled = match mode {
            Mode::M => u64::MAX,
            Mode::HS | Mode::U => self.mcounteren,
            Mode::VS | Mode::VU => self.mcounteren & self.hcounteren,
        };
        flags & enabled
    }

    /// Cycles until the first count overflow that would set an OF bit, if one is on its way. An instruction takes at
    /// least a cycle, so for counters of instructions this is a lower bound; ask again then.
    pub fn next_overflow(&self, now: &Now) -> Option<u64> {
        let of = |i: u8| self.mhpmevent[usize::from(i)] & mhpmevent::OF != 0;
        if self.armed & self.counting & !0b111 == 0 || !self.isa.has(Ext::Sscofpmf) {
            return None;
        }
        (3..32u8)
            .filter(|&i| self.armed & self.counting & 1 << i != 0 && !of(i))
            .map(|i| if self.counter(i, now) >> 63 == 0 { 0 } else { self.counter(i, now).wrapping_neg() })
            .min()
    }

    /// Sets OF and mip.LCOFIP for counters that have passed 2^64 (Sscofpmf, "Count Overflow Control"). To be called when
    /// the time given by [`Csrs::next_overflow`] has come; harmless at any other time.
    pub fn raise_overflows(&mut self, now: &Now, sink: &mut impl ChangeSink) -> Effects {
        let mut effects = Effects::NONE;
        for i in 3..32u8 {
            if self.armed >> i & 1 == 0 || self.counter(i, now) >> 63 != 0 {
                continue;
            }
            self.armed &= !(1 << i);
            let before = self.mhpmevent[usize::from(i)];
            if !self.isa.has(Ext::Sscofpmf) || before & mhpmevent::OF != 0 {
                continue;
            }
            self.mhpmevent[usize::from(i)] |= mhpmevent::OF;
            sink.change(Change { csr: MHPMEVENT0 + u16::from(i), before, after: before | mhpmevent::OF });
            effects = self.set_line(crate::trap::Interrupt::CounterOverflow, true).with(Effects::COUNTERS);
        }
        effects
    }
}
