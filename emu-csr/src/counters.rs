//! Counters: cycle, instret and the programmable ones, inhibited, filtered by mode, and overflowing (Privileged ISA,
//! "Hardware Performance Monitor"; Sscofpmf; Smcntrpmf).
//!
//! A counter is never stepped. While it counts, `counter_base` holds its value less its raw clock; while it stands, its
//! value. It is rebased whenever it starts or stops: on writes of the inhibit bits, filters and events, and on mode
//! changes when a filter makes them matter.

use crate::access::{Effects, Now};
use crate::change::{Change, ChangeSink};
use crate::csrs::Csrs;
use crate::events::{Event, Step};
use crate::isa::Ext;
use crate::mode::Mode;
use crate::table::field::mhpmevent;
use crate::table::{MCYCLE, MHPMCOUNTER0, MHPMEVENT0, MINSTRET, Reg};
use crate::trap::Cause;
use crate::warl;

impl Event {
    /// The event an mhpmevent value selects.
    pub const fn of(selector: u64) -> Event {
        Event::of_selector(selector & mhpmevent::EVENT)
    }

    /// The raw clock that the event follows. Events that are not clocks are counted one by one, in `counter_base` itself.
    const fn raw(self, now: &Now) -> u64 {
        match self {
            Event::None | Event::Step(_) | Event::Trap(_) => 0,
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

    /// Whether any counter depends on the mode, and which counters count instructions' events and traps.
    pub(crate) fn find_filters(&mut self) {
        self.counters_by_mode = (0..32).any(|i| i != 1 && self.event(i) != Event::None && self.filters(i) != 0);
        (self.step_counters, self.trap_counters, self.tlb_counters) = (0, 0, 0);
        for i in 3..32 {
            match self.event(i) {
                Event::Step(step) => {
                    self.step_counters |= 1 << i;
                    self.tlb_counters |= u64::from(step.of_tlb()) << i;
                }
                Event::Trap(_) => self.trap_counters |= 1 << i,
                Event::None | Event::Cycles | Event::Instructions => {}
            }
        }
    }

    /// Whether a counter counts events of instructions now, so that an engine must look at each one ([`Csrs::count_step`]).
    #[inline(always)]
    pub fn counts_steps(&self) -> bool {
        self.counting & self.step_counters != 0 || self.counts_tlb()
    }

    /// Whether a counter counts an event of the counted TLBs in some mode: they must be kept in all modes then.
    #[inline(always)]
    pub fn counts_tlb(&self) -> bool {
        self.tlb_counters & !self.mcountinhibit != 0
    }

    /// The counters that count events of instructions now.
    #[inline(always)]
    pub fn counting_steps(&self) -> u64 {
        self.counting & self.step_counters
    }

    /// Whether a counter counts traps now ([`Csrs::count_trap`]).
    #[inline(always)]
    pub fn counts_traps(&self) -> bool {
        self.counting & self.trap_counters != 0
    }

    /// Counts what an instruction did: `occurred` is a set of [`Step::bit`]s, `counters` what [`Csrs::counting_steps`] gave before
    /// it. A counter whose value or event it wrote does not count it. True if a counter has passed 2^64, so that
    /// [`Csrs::raise_overflows`] is due.
    #[inline]
    pub fn count_step(&mut self, counters: u64, occurred: u64) -> bool {
        self.count_events(counters & !self.written_counters.0, |event| match event {
            Event::Step(step) => occurred & Step::bit(step) != 0,
            _ => false,
        })
    }

    /// Counts a trap of `cause` that `to` takes, while the mode is still that in which it was raised. Result as
    /// [`Csrs::count_step`].
    #[cold]
    pub fn count_trap(&mut self, cause: Cause, to: Mode) -> bool {
        self.count_events(self.counting & self.trap_counters, |event| match event {
            Event::Trap(trap) => trap.counts(cause, to),
            _ => false,
        })
    }

    /// Adds one to each of `counters` whose event has occurred.
    fn count_events(&mut self, mut counters: u64, occurred: impl Fn(Event) -> bool) -> bool {
        let mut overflow = false;
        while counters != 0 {
            let i = counters.trailing_zeros() as usize & 31;
            counters &= counters - 1;
            if occurred(Event::of(self.mhpmevent[i])) {
                self.counter_base[i] = self.counter_base[i].wrapping_add(1);
                overflow |= self.counter_base[i] == 0;
            }
        }
        overflow
    }

    /// Cycles that M-mode has spent where no mode change marked them: native firmware's price, added after it has returned to
    /// `mode`. Counters of cycles that M-mode's filter stops have not counted them, those that `mode`'s stops have.
    pub fn charge_machine_cycles(&mut self, cycles: u64, mode: Mode) {
        for i in (0..32u8).filter(|&i| i != 1) {
            if self.event(i) != Event::Cycles {
                continue;
            }
            let (in_m, here) = (self.should_count(i, Mode::M), self.should_count(i, mode));
            let base_change = match (in_m, here) {
                (false, true) => cycles.wrapping_neg(),
                (true, false) => cycles,
                _ => 0,
            };
            self.counter_base[usize::from(i)] = self.counter_base[usize::from(i)].wrapping_add(base_change);
        }
    }

    /// Starts and stops the counters that are filtered by mode. The machine calls it on every change of mode while
    /// [`Csrs::counters_by_mode`] is set, with `now` counting all that retired in `old` (an xRET counts there).
    pub fn on_mode_change(&mut self, old: Mode, new: Mode, now: &Now) -> Effects {
        if old == new || !self.counters_by_mode {
            return Effects::NONE;
        }
        let before = self.counting;
        for i in (0..32).filter(|&i| i != 1) {
            self.set_counting(i, self.should_count(i, new), now);
        }
        if before == self.counting { Effects::NONE } else { Effects::COUNTERS }
    }

    /// Writes counter `i`. The written value is what the next instruction reads: the write takes precedence over the
    /// increment for the writing instruction (Privileged ISA, "Hardware Performance Monitor").
    pub(crate) fn put_counter(&mut self, i: u8, value: u64, now: &Now, sink: &mut impl ChangeSink) -> Effects {
        let i = i & 31;
        self.written_counters.0 |= 1 << i;
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
        self.written_counters.0 |= 1 << i;
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

    /// Cycles until the first count overflow of a clock that would set an OF bit, if one is on its way; other events overflow when
    /// they are counted. An instruction takes at least a cycle, so for counters of instructions this is a lower bound; ask again then.
    #[inline]
    pub fn next_overflow(&self, now: &Now) -> Option<u64> {
        let clocks = self.armed & self.counting & !self.step_counters & !self.trap_counters & !0b111;
        if clocks == 0 || !self.isa.has(Ext::Sscofpmf) { None } else { self.next_of(clocks, now) }
    }

    /// [`Csrs::next_overflow`] of some counters of clocks.
    #[cold]
    fn next_of(&self, clocks: u64, now: &Now) -> Option<u64> {
        let of = |i: u8| self.mhpmevent[usize::from(i)] & mhpmevent::OF != 0;
        (3..32u8)
            .filter(|&i| clocks & 1 << i != 0 && !of(i))
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
