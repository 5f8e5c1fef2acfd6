//! Rounds and turns, and what happens between them.

use emu_csr::Interrupt;

use super::stop::{FOREVER, Stop};
use super::{Machine, RunEnd};
use crate::engine::SliceEnd;
use crate::hart::Wait;

/// Interrupts entered one after another without an instruction between them: more kinds than there are.
const MAX_ENTRIES: usize = 16;
/// Least cycles of a turn of a hart that is alone.
const ALONE: u64 = 1_000_000;

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

    /// Between rounds: devices catch up, input enters, and the next round's end is chosen.
    fn next_round(&mut self, until: u64) -> Option<RunEnd> {
        let now = self.cycles();
        if self.bus.next_event(now).is_some_and(|at| at <= now) || self.round > 0 {
            self.bus.advance(now);
            // What a device sends by itself leaves it at once: how much it holds must not depend on when somebody asks.
            self.collect();
        }
        self.feed();
        self.lines(now);
        if let Some(end) = self.htif_request().or_else(|| self.request()) {
            return Some(end);
        }
        let event = self.bus.next_event(now).unwrap_or(FOREVER).max(now + 1);
        let awake = self.in_firmware != 0 || self.harts.iter().any(|h| matches!(h.wait, Wait::Running) || h.wakes());
        let end = if awake {
            event.min(now.saturating_add(self.turn_length()))
        } else {
            // Everyone waits: time jumps to the first thing that is armed.
            let armed = (0..self.harts.len()).map(|i| self.next_own_event(i)).min().unwrap_or(FOREVER).min(event);
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
        let bounds = self.bounds(i, to);
        loop {
            if self.observer.as_ref().is_some_and(|o| o.stop()) {
                return Some(RunEnd::Limit);
            }
            let timers = self.timers(i);
            let h = &mut self.harts[i];
            if h.instret >= bounds.instret || h.cycles >= bounds.own {
                return Some(RunEnd::Limit);
            }
            // An instruction takes at least a cycle.
            let stop = stop.min(bounds.own).min(h.cycles.saturating_add(bounds.instret - h.instret));
            if h.cycles >= self.round {
                return None;
            }
            if h.cycles >= stop {
                return Some(RunEnd::Limit);
            }
            if h.cycles >= bounds.elapsed {
                return Some(self.settle(i).unwrap_or(RunEnd::Limit));
            }
            let stop = stop.min(bounds.elapsed);
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
