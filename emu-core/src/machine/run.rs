//! Rounds, slices, and what happens between them.

use emu_csr::{Interrupt, Now};

use super::{EngineKind, Machine, RunEnd};
use crate::bus::Request;
use crate::engine::block::BlockCache;
use crate::engine::{SliceEnd, block, breaks, step, watch};
use crate::firmware::FwStep;
use crate::hart::{Hart, Wait, event};
use crate::mem::Writer;
use crate::observer::Observer;
use crate::timing::Unit;

/// Positions at which [`Machine::run_until`] stops, whichever comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stop {
    /// Virtual time in cycles: exact with one hart, the end of the round in which it is reached with more.
    pub cycles: u64,
    /// Instructions retired by all harts ([`Machine::instret`]), exactly. It may be in the middle of a hart's turn: the order in which the
    /// harts retire instructions is part of the machine's state, so the same number is the same state on every engine.
    pub instret: u64,
    /// Instructions retired by one hart (by index), exactly; the others are where their turns have brought them.
    pub hart: Option<(usize, u64)>,
    /// Cycles of all harts together ([`Machine::elapsed`]), which every instruction and every exception moves on: the finest position
    /// there is. The machine stops at the first moment at which they are reached, and what comes before the next instruction (the
    /// round's devices, pending interrupts) has happened then.
    pub elapsed: u64,
    /// Cycles of one hart (by index): exactly there, or where an operation of firmware that reaches beyond has ended.
    pub own: Option<(usize, u64)>,
}

impl Stop {
    /// Nowhere: to be changed.
    pub const NEVER: Stop = Stop { cycles: FOREVER, instret: FOREVER, hart: None, elapsed: FOREVER, own: None };
}

/// One hart's timers at one moment.
#[derive(Clone, Copy)]
pub(super) struct Timers {
    mtime: u64,
    mtimecmp: Option<u64>,
}

/// Cycles between two looks at what another hart's firmware operation holds.
const SPIN: u64 = 100;
/// Interrupts entered one after another without an instruction between them: more kinds than there are.
const MAX_ENTRIES: usize = 16;
/// Least cycles of a turn of a hart that is alone.
const ALONE: u64 = 1_000_000;
/// No such time.
const FOREVER: u64 = u64::MAX;

impl Machine {
    /// Runs until virtual time reaches `until` cycles or something ends the run: exactly with one hart, up to the end of the round with
    /// more, because where rounds end must not depend on how often this is called. May be called again with a later time after
    /// [`RunEnd::Limit`] and, when input has come, [`RunEnd::AllAsleep`].
    pub fn run(&mut self, until: u64) -> RunEnd {
        self.run_for(until, FOREVER)
    }

    /// As [`Machine::run`], and stops exactly when [`Machine::instret`] has reached `limit`; see [`Stop::instret`].
    pub fn run_for(&mut self, until: u64, limit: u64) -> RunEnd {
        self.run_until(&Stop { cycles: until, instret: limit, ..Stop::NEVER })
    }

    /// Runs until the first of the given positions is reached ([`RunEnd::Limit`]) or something ends the run. Going on from there is as if
    /// nobody had stopped.
    pub fn run_until(&mut self, to: &Stop) -> RunEnd {
        let until = to.cycles;
        let stop = if self.harts.len() == 1 { until } else { FOREVER };
        self.alone = None;
        self.forget_hits();
        self.lines(self.cycles());
        loop {
            if self.stands_at(to) {
                return RunEnd::Limit;
            }
            if self.turn >= self.harts.len()
                && let Some(end) = self.next_round(until)
            {
                return end;
            }
            while self.turn < self.harts.len() {
                let i = self.turn;
                if let Some(end) = self.turn_of(i, stop, to) {
                    // Comparisons that no interrupt depends on were last made at the start of a slice, which is the engine's affair.
                    self.timers(i);
                    return end;
                }
                self.turn += 1;
                self.began = false;
            }
        }
    }

    /// Whether [`Machine::run_until`] would stop here before anything happens. [`Stop::elapsed`] is not looked at: reaching it includes what
    /// comes before the next instruction.
    pub fn stands_at(&self, to: &Stop) -> bool {
        let past = |at: Option<(usize, u64)>, of: fn(&Hart) -> u64| {
            at.is_some_and(|(i, n)| self.harts.get(i).is_none_or(|h| of(h) >= n))
        };
        self.instret() >= to.instret
            || past(to.hart, |h| h.instret)
            || past(to.own, |h| h.cycles)
            || self.cycles() >= to.cycles && (self.turn >= self.harts.len() || self.harts.len() == 1)
    }

    /// Between rounds: devices catch up, input enters, and the next round's end is chosen.
    fn next_round(&mut self, until: u64) -> Option<RunEnd> {
        let now = self.cycles();
        if self.bus.next_event(now).is_some_and(|at| at <= now) || self.round > 0 {
            self.bus.advance(now);
        }
        self.feed();
        self.lines(now);
        if let Some(end) = self.htif_request().or_else(|| self.request()) {
            return Some(end);
        }
        let event = self.bus.next_event(now).unwrap_or(FOREVER).max(now + 1);
        let awake = self.in_firmware != 0 || self.harts.iter().any(|h| matches!(h.wait, Wait::Running) || wakes(h));
        let end = if awake {
            event.min(now.saturating_add(self.turn_length()))
        } else {
            // Everyone waits: time jumps to the first thing that is armed.
            let armed = (0..self.harts.len())
                .map(|i| {
                    let mtimecmp = self.bus.mtimecmp(i);
                    self.own_event(i, Timers { mtime: self.bus.clock.ticks(self.harts[i].cycles), mtimecmp })
                })
                .min()
                .unwrap_or(FOREVER)
                .min(event);
            if armed == FOREVER {
                let input =
                    self.harts.iter().any(|h| h.csr.mie & (1 << Interrupt::SExt as u64 | 1 << Interrupt::MExt as u64) != 0);
                return Some(RunEnd::AllAsleep { input });
            }
            // Stopping on the way changes nothing for those who sleep, and lets input come at the caller's pace.
            armed.min(until)
        };
        self.round = end.max(now + 1);
        self.turn = 0;
        self.began = false;
        self.foreign(0)
    }

    /// Cycles of a turn if nothing ends it sooner. A hart that is alone has nobody to take turns with: its rounds are only as short as what
    /// is looked at between them asks for, which is typed input and `tohost`.
    fn turn_length(&self) -> u64 {
        let alone = self.harts.len() == 1 && self.bus.htif.is_none() && self.console_in.is_empty();
        if alone { self.quantum.max(ALONE) } else { self.quantum }
    }

    /// One hart's turn: slices up to the round's end, or what is left of a turn in which the limit was reached.
    fn turn_of(&mut self, i: usize, stop: u64, to: &Stop) -> Option<RunEnd> {
        if self.harts.len() > 1 && !self.began {
            // Others may have stored to the reserved set while it waited for its turn.
            self.harts[i].reservation = None;
            self.forget_new_code();
        }
        self.began = true;
        // What this hart may still retire: the others do not while it has its turn.
        let mut limit = to.instret.saturating_sub(self.instret() - self.harts[i].instret);
        if let Some((hart, n)) = to.hart
            && hart == i
        {
            limit = limit.min(n);
        }
        // The same for its cycles.
        let elapsed = match to.elapsed {
            FOREVER => FOREVER,
            n => n.saturating_sub(self.elapsed() - self.harts[i].cycles),
        };
        let own = to.own.map_or(FOREVER, |(hart, c)| if hart == i { c } else { FOREVER });
        loop {
            if self.observer.as_ref().is_some_and(|o| o.stop()) {
                return Some(RunEnd::Limit);
            }
            let timers = self.timers(i);
            let h = &mut self.harts[i];
            if h.instret >= limit || h.cycles >= own {
                return Some(RunEnd::Limit);
            }
            // An instruction takes at least a cycle.
            let stop = stop.min(own).min(h.cycles.saturating_add(limit - h.instret));
            if h.cycles >= self.round {
                return None;
            }
            if h.cycles >= stop {
                return Some(RunEnd::Limit);
            }
            if h.cycles >= elapsed {
                return Some(self.settle(i).unwrap_or(RunEnd::Limit));
            }
            let stop = stop.min(elapsed);
            if self.in_firmware >> i & 1 != 0 {
                self.harts[i].stepped();
                if let Some(end) = self.after_slice(i, SliceEnd::EnteredM) {
                    return Some(end);
                }
                continue;
            }
            if !self.wake(i) {
                let armed = self.own_event(i, timers).min(self.round).min(stop);
                let h = &mut self.harts[i];
                h.cycles = armed.max(h.cycles + 1).min(self.round);
                continue;
            }
            let until = self.own_event(i, timers).min(self.round).min(stop);
            let end = self.slice(i, until);
            if let Some(end) = self.after_slice(i, end) {
                return Some(end);
            }
        }
    }

    /// Lets happen what comes before the next instruction of hart `i`, whose turn it is: it would happen anyway as soon as the run goes on.
    fn settle(&mut self, i: usize) -> Option<RunEnd> {
        // Firmware that answers an interrupt may leave another one pending.
        for _ in 0..MAX_ENTRIES {
            if self.in_firmware >> i & 1 != 0 || !self.wake(i) || self.harts[i].events == 0 {
                return None;
            }
            let at = self.harts[i].cycles;
            let end = self.slice(i, at);
            if let Some(end) = self.after_slice(i, end) {
                return Some(end);
            }
            if self.harts[i].cycles != at {
                return None;
            }
            self.timers(i);
        }
        None
    }

    /// Runs the engine.
    fn slice(&mut self, i: usize, until: u64) -> SliceEnd {
        let mut observer: Option<&mut dyn Observer> = match &mut self.observer {
            Some(o) => Some(o.as_mut()),
            None => None,
        };
        let harts = self.harts.len();
        let h = &mut self.harts[i];
        let stepping = h.breaks.as_ref().is_some_and(|b| b.step.is_some());
        if let Some(o) = &observer {
            h.observed = o.interest();
        }
        // Other harts, devices and firmware may have written since this hart last ran.
        h.tlb.sync(&self.bus.ram);
        if !h.csr.counts_tlb() {
            h.counted = None;
        }
        let told = observer.as_ref().is_some_and(|o| o.wants_instructions());
        match self.engine {
            _ if h.breaks.is_some() && (stepping || self.engine == EngineKind::Step || self.cold > 0 || h.watched()) => {
                let from = h.cycles;
                let end = if h.watched() {
                    breaks::run(h, &mut self.bus, &self.decoder, &mut Unit, until, &mut observer, &mut watch::Eye::new())
                } else {
                    breaks::run(h, &mut self.bus, &self.decoder, &mut Unit, until, &mut observer, &mut ())
                };
                self.cold = self.cold.saturating_sub(h.cycles - from);
                end
            }
            _ if told => watch::commit::run(h, &mut self.bus, &self.decoder, &mut Unit, until, &mut observer),
            _ if h.watched() => watch::run(h, &mut self.bus, &self.decoder, &mut Unit, until, &mut observer),
            EngineKind::Step => step::run(h, &mut self.bus, &self.decoder, &mut Unit, until, &mut observer),
            EngineKind::Block if self.cold > 0 => {
                let from = h.cycles;
                let end = step::run(h, &mut self.bus, &self.decoder, &mut Unit, until.min(from + self.cold), &mut observer);
                self.cold = self.cold.saturating_sub(h.cycles - from);
                end
            }
            EngineKind::Block => {
                let blocks = self.blocks.get_or_insert_with(|| {
                    Box::new(BlockCache::new(self.bus.ram.base(), self.bus.ram.size(), harts).with_stops(self.stops.clone()))
                });
                block::run(h, i, &mut self.bus, &self.decoder, blocks, &mut Unit, until, &mut observer)
            }
        }
    }

    /// Acts on how a slice ended.
    pub(super) fn after_slice(&mut self, i: usize, end: SliceEnd) -> Option<RunEnd> {
        if end == SliceEnd::CriticalError {
            let h = &self.harts[i];
            return Some(RunEnd::CriticalError { hart: i, pc: h.pc, cause: h.traps.critical });
        }
        if self.harts[i].hardware_error.is_some() {
            self.log_hardware_error(i);
        }
        if end == SliceEnd::EnteredM && self.firmware.is_some() {
            if let Some(end) = self.call_firmware(i) {
                return Some(end);
            }
            self.forget_new_code();
        }
        if self.bus.lines_changed {
            let now = self.harts[i].cycles;
            self.collect();
            self.lines(now);
            // A device may now have something to do before the round's end.
            if self.harts.len() == 1 {
                let event = self.bus.next_event(now).unwrap_or(FOREVER);
                self.round = self.round.min(event.max(now));
            }
        }
        if let Some(end) = self.request().or_else(|| self.foreign(i)) {
            return Some(end);
        }
        if let Some(hit) = self.harts[i].take_hit() {
            return Some(RunEnd::Break { hart: i, hit });
        }
        self.trap_loop(i)
    }

    /// Lets native firmware work on a hart that is in M-mode: a trap that has just entered, or an operation that has paused.
    fn call_firmware(&mut self, i: usize) -> Option<RunEnd> {
        self.in_firmware &= !(1 << i);
        loop {
            let (fw, mut platform) = self.native()?;
            if platform.bus.ram.has_journal() {
                let (hart, (what, step)) = (i, fw.doing(&platform.harts[i], i));
                platform.bus.ram.accessed_by(Some(Writer::Firmware { hart, what, step }));
            }
            let step = fw.step(&mut platform, i);
            self.bus.ram.accessed_by(None);
            let pause = match step {
                FwStep::More => self.pause,
                FwStep::Spin => SPIN,
                FwStep::Done { cost } => {
                    let h = &mut self.harts[i];
                    h.cycles = h.cycles.saturating_add(cost);
                    if h.csr.counters_by_mode {
                        // The firmware has returned already, but its time was M-mode's.
                        h.csr.charge_machine_cycles(cost, h.mode);
                    }
                    if h.csr.interrupt_possible() {
                        h.events |= event::INTERRUPTS;
                    }
                    // Before any other hart goes on, which may see what this operation has done.
                    if let (Some(r), Some(o)) = (h.last_return.take(), &mut self.observer) {
                        h.tell_return(&self.bus, o.as_mut(), &r);
                    }
                    return None;
                }
                FwStep::Request(r) => {
                    self.bus.request = Some(r);
                    return self.request();
                }
                FwStep::Fatal(text) => return Some(RunEnd::Fatal(text)),
            };
            if pause > 0 {
                let h = &mut self.harts[i];
                h.cycles = h.cycles.saturating_add(pause);
                self.in_firmware |= 1 << i;
                return None;
            }
        }
    }

    /// Carries interrupt lines from devices to all harts.
    pub(super) fn lines(&mut self, now: u64) {
        if !self.bus.lines_changed {
            return;
        }
        self.bus.lines_changed = false;
        self.bus.propagate_irqs();
        let edges = self.bus.take_ssip_edges();
        for (i, h) in self.harts.iter_mut().enumerate() {
            let l = self.bus.hart_lines(i, now.max(h.cycles));
            let mut e = h.csr.set_line(Interrupt::MSoft, l.msip);
            e = e.with(h.csr.set_line(Interrupt::MTimer, l.mtip));
            e = e.with(h.csr.set_line(Interrupt::MExt, l.meip));
            e = e.with(h.csr.set_line(Interrupt::SExt, l.seip));
            if i < 64 && edges >> i & 1 != 0 {
                e = e.with(h.csr.set_line(Interrupt::SSoft, true));
            }
            h.apply(e);
        }
        if self.ras {
            self.ras_signals();
        }
    }

    /// Timer and counter-overflow interrupts of one hart at its own time; gives its timers then.
    #[inline]
    pub(super) fn timers(&mut self, i: usize) -> Timers {
        let mtimecmp = self.bus.mtimecmp(i);
        let h = &mut self.harts[i];
        let now = h.now(&self.bus);
        let mut e = h.csr.tick(now.time, mtimecmp.is_some_and(|c| now.time >= c));
        if h.csr.next_overflow(&now) == Some(0) {
            e = e.with(h.csr.raise_overflows(&now, &mut ()));
        }
        h.apply(e);
        h.events &= !event::DEADLINE;
        Timers { mtime: now.time, mtimecmp }
    }

    /// The first cycle at which something of a hart's own is due: its timers, counters, WRS time-out, mtimecmp.
    #[inline]
    fn own_event(&self, i: usize, at: Timers) -> u64 {
        let (h, clock, mtime) = (&self.harts[i], &self.bus.clock, at.mtime);
        let now = Now { cycles: h.cycles, instret: h.instret, time: mtime };
        let next = |ticks| clock.cycle_after_ticks(ticks, mtime);
        let timer = h.csr.next_timer(mtime).and_then(next).unwrap_or(FOREVER);
        let overflow = h.csr.next_overflow(&now).map_or(FOREVER, |c| h.cycles.saturating_add(c.max(1)));
        let wrs = if let Wait::Wrs(at) = h.wait { at } else { FOREVER };
        let mtimer = at.mtimecmp.filter(|c| *c != u64::MAX).and_then(next).unwrap_or(FOREVER);
        timer.min(overflow).min(wrs).min(mtimer)
    }

    /// A power-off or reset that a device or firmware asked for.
    #[inline]
    pub(super) fn request(&mut self) -> Option<RunEnd> {
        self.bus.request?;
        self.requested()
    }

    #[cold]
    fn requested(&mut self) -> Option<RunEnd> {
        self.collect();
        Some(match self.bus.request.take()? {
            Request::PowerOff(code) if self.htif => RunEnd::HtifExit(code as u64),
            Request::PowerOff(code) => RunEnd::PowerOff(code),
            Request::Reset => RunEnd::Reset,
        })
    }

    /// What a program asked for through `tohost`.
    pub(super) fn htif_request(&mut self) -> Option<RunEnd> {
        self.bus.htif.as_ref()?;
        let mut out = self.bus.poll_htif();
        self.console_out.append(&mut out);
        self.htif = self.bus.request.is_some();
        let end = self.request();
        self.htif = false;
        end
    }

    /// Pages that have got decoded code leave every hart's store TLB.
    #[inline]
    pub(super) fn forget_new_code(&mut self) {
        if !self.bus.new_code.is_empty() {
            self.forget_pages();
        }
    }

    #[cold]
    fn forget_pages(&mut self) {
        for ppn in std::mem::take(&mut self.bus.new_code) {
            if let Some(page) = self.bus.ram.page_for_read(ppn << 12) {
                for h in &mut self.harts {
                    h.tlb.forget_writes(page);
                }
            }
        }
    }
}

/// Whether a waiting hart has a reason to go on.
pub(super) fn wakes(h: &Hart) -> bool {
    match h.wait {
        Wait::Running | Wait::Held => false,
        Wait::Wfi => h.csr.wfi_wakes(),
        Wait::Wrs(until) => h.csr.wfi_wakes() || h.cycles >= until || h.reservation.is_none(),
    }
}
