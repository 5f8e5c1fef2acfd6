//! Interrupt signals on their way to the harts: from devices, and from what each hart compares with its own clocks.

use emu_csr::{Interrupt, Now};

use super::Machine;
use super::stop::FOREVER;
use crate::hart::{Wait, event};

/// One hart's timers at one moment.
#[derive(Clone, Copy)]
pub(super) struct Timers {
    mtime: u64,
    mtimecmp: Option<u64>,
}

impl Machine {
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
    pub(super) fn own_event(&self, i: usize, at: Timers) -> u64 {
        let (h, clock, mtime) = (&self.harts[i], &self.bus.clock, at.mtime);
        let now = Now { cycles: h.cycles, instret: h.instret, time: mtime };
        let next = |ticks| clock.cycle_after_ticks(ticks, mtime);
        let timer = h.csr.next_timer(mtime).and_then(next).unwrap_or(FOREVER);
        let overflow = h.csr.next_overflow(&now).map_or(FOREVER, |c| h.cycles.saturating_add(c.max(1)));
        let wrs = if let Wait::Wrs(at) = h.wait { at } else { FOREVER };
        let mtimer = at.mtimecmp.filter(|c| *c != u64::MAX).and_then(next).unwrap_or(FOREVER);
        timer.min(overflow).min(wrs).min(mtimer)
    }

    /// [`Machine::own_event`] of a hart whose timers have been compared at its present time already.
    pub(super) fn next_own_event(&mut self, i: usize) -> u64 {
        let at = Timers { mtime: self.bus.clock.ticks(self.harts[i].cycles), mtimecmp: self.bus.mtimecmp(i) };
        self.own_event(i, at)
    }
}
