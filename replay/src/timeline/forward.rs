//! Forwards: to a position, or to what a finder finds.

use emu_core::machine::{Machine, RunEnd, Stop};

use super::events::{Event, What, When};
use super::{Broken, Finder, Found, Halt, Position, Timeline, oracles};
use crate::error::ReplayError;
use crate::log::Decision;

/// Where a movement ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Goal {
    pub(super) boot: u32,
    /// Of [`Stop::cycles`] only the default is allowed: that one changes where rounds end.
    pub(super) stop: Stop,
}

impl Goal {
    pub(super) const NONE: Goal = Goal { boot: u32::MAX, stop: Stop::NEVER };

    pub(super) fn at(p: Position) -> Goal {
        Goal { boot: p.boot, stop: Stop { elapsed: p.elapsed, ..Stop::NEVER } }
    }
}

impl Timeline {
    /// Goes to a position; [`Halt::There`], or why the run ends before.
    pub fn seek(&mut self, to: Position) -> Result<Halt, ReplayError> {
        self.settle_changes()?;
        let far = self.points.before(to).is_some_and(|p| p > self.here);
        if to < self.here || far {
            self.restore_before(to)?;
        }
        self.go(&Goal::at(to), &mut ())
    }

    /// Goes to the first moment at which all harts together have retired `instret` instructions since boot number `boot`.
    pub fn seek_instret(&mut self, boot: u32, instret: u64) -> Result<Halt, ReplayError> {
        self.settle_changes()?;
        // A checkpoint with as many may be later than the first moment.
        let low = self.points.last_where(|p, _| p.boot < boot || p.boot == boot && p.instret < instret);
        let start = self.points.first();
        let from = low.unwrap_or(start);
        if (self.here.boot, self.here.instret) >= (boot, instret) || from > self.here {
            self.restore_before(from)?;
        }
        self.go(&Goal { boot, stop: Stop { instret, ..Stop::NEVER } }, &mut ())
    }

    /// Goes to the first moment at which a hart, by index, has retired `instret` instructions since boot number `boot`.
    pub fn seek_hart_instret(&mut self, boot: u32, hart: usize, instret: u64) -> Result<Halt, ReplayError> {
        self.settle_changes()?;
        let fewer = |m: &Machine| m.harts().get(hart).is_some_and(|h| h.instret < instret);
        let low = self.points.last_where(|p, m| p.boot < boot || p.boot == boot && fewer(m));
        let from = low.unwrap_or(self.points.first());
        if self.here.boot > boot || self.here.boot == boot && !fewer(&self.machine) || from > self.here {
            self.restore_before(from)?;
        }
        self.go(&Goal { boot, stop: Stop { hart: Some((hart, instret)), ..Stop::NEVER } }, &mut ())
    }

    /// Runs on to `to`, if one is given, or until the finder finds something after the present position.
    pub fn run_forward(&mut self, to: Option<Position>, finder: &mut dyn Finder) -> Result<Halt, ReplayError> {
        self.settle_changes()?;
        self.go(&to.map_or(Goal::NONE, Goal::at), finder)
    }

    fn reached(&self, goal: &Goal) -> bool {
        let p = self.here;
        p.boot > goal.boot || p.boot == goal.boot && (p.elapsed >= goal.stop.elapsed || self.machine.stands_at(&goal.stop))
    }

    pub(super) fn go(&mut self, goal: &Goal, finder: &mut dyn Finder) -> Result<Halt, ReplayError> {
        loop {
            if self.reached(goal) {
                return Ok(Halt::There);
            }
            if let Some(end) = &self.ended {
                return Ok(Halt::End(end.clone()));
            }
            if let Some(Event { what: What::End(reason), .. }) = self.events.get(self.done).filter(|e| e.due(&self.machine)) {
                return Ok(Halt::Recorded(reason.clone()));
            }
            if !finder.poll() {
                return Ok(Halt::Stopped);
            }
            let step = self.events.get(self.done).is_some_and(|e| e.is_step() && e.due(&self.machine));
            let told = self.oracles.as_ref().map_or(0, oracles::Oracles::count);
            let mut found = if step {
                // The next step of a hart is a decision: nothing runs.
                let old = self.here < self.printed;
                self.carry_out()?;
                self.arrive(None, old)?;
                finder.here(&mut self.machine)
            } else {
                self.leg(goal, finder)?
            };
            found |= finder.arrived(&mut self.machine);
            if let Some(o) = &self.oracles {
                found |= o.since(told).iter().any(|v| finder.violated(v));
            }
            if self.ended.is_none() && self.points.due(self.here, self.options.spacing) {
                self.checkpoint()?;
            }
            if found {
                return Ok(Halt::Found);
            }
        }
    }

    /// Runs as far as nothing has to be done but running. True if the finder has found something.
    fn leg(&mut self, goal: &Goal, finder: &mut dyn Finder) -> Result<bool, ReplayError> {
        let m = &mut self.machine;
        let next = self.events.get(self.done).map_or(Stop::NEVER, |e| e.stop_of(m));
        let part = self.options.poll.min(self.points.distance(self.here, self.options.spacing)).max(1);
        let mut stop = Stop { instret: next.instret.min(m.instret().saturating_add(part)), ..next };
        if goal.boot == self.here.boot {
            stop.instret = stop.instret.min(goal.stop.instret);
            stop.elapsed = stop.elapsed.min(goal.stop.elapsed);
            (stop.hart, stop.own) = (goal.stop.hart, goal.stop.own);
        }
        let old = self.here < self.printed;
        if old && self.printed.boot == self.here.boot {
            stop.elapsed = stop.elapsed.min(self.printed.elapsed);
        }
        let found = finder.run(m, &stop);
        let end = match &found {
            Found::Hit | Found::Ran(RunEnd::Limit) => None,
            Found::Ran(end) => Some(end.clone()),
        };
        self.arrive(end, old)?;
        Ok(found == Found::Hit)
    }

    /// Brings the machine from where it stopped into the state that its position stands for.
    pub(super) fn arrive(&mut self, mut end: Option<RunEnd>, old: bool) -> Result<(), ReplayError> {
        loop {
            self.collect(old);
            if end.is_none() && self.events.get(self.done).is_some_and(|e| e.is_step() && e.due(&self.machine)) {
                return Ok(());
            }
            let due = match (self.events.get(self.done), &end) {
                (None, _) => false,
                (Some(e), Some(RunEnd::Reset)) => e.is_reboot(),
                (Some(e), Some(RunEnd::AllAsleep { .. })) => e.fits(&self.machine) && !matches!(e.what, What::End(_)),
                (Some(_), Some(_)) => false,
                (Some(e), None) => {
                    let before = !e.after_settling() || self.settled();
                    e.due(&self.machine) && before && !matches!(e.what, What::End(_))
                }
            };
            if due {
                end = None;
                self.carry_out()?;
                continue;
            }
            if let (Some(RunEnd::Reset), true, Some(_)) = (&end, self.events.len() == self.done, &self.options.boot) {
                self.events.push(Event { at: When::Elapsed(self.here), what: What::Decision(Decision::Reboot) });
                continue;
            }
            if end.is_some() {
                if let (Some(o), Some(end)) = (&mut self.oracles, &end) {
                    o.ended(self.here, &self.machine, end);
                }
                self.ended = end;
                return Ok(());
            }
            // Already settled, or at the recording's end, which comes first.
            let next = self.events.get(self.done);
            if next.is_some_and(|e| e.due(&self.machine) && !e.after_settling()) || self.settled() {
                return Ok(());
            }
            let next = next.map_or(Stop::NEVER, |e| e.stop_of(&self.machine));
            let elapsed = self.machine.elapsed();
            match self.machine.run_until(&Stop { elapsed, ..next }) {
                RunEnd::Limit => {}
                other => end = Some(other),
            }
            self.here = Position::of(self.here.boot, &self.machine);
            self.settled_at = (end.is_none() && !self.machine.stands_at(&next)).then_some(self.here);
        }
    }

    fn settled(&self) -> bool {
        self.settled_at == Some(Position::of(self.here.boot, &self.machine))
    }

    /// Notes where the machine is and what it has printed.
    fn collect(&mut self, old: bool) {
        let here = Position::of(self.here.boot, &self.machine);
        self.here = here;
        if let Some(o) = &mut self.oracles {
            o.note(here, &self.machine);
        }
        let mut bytes = self.machine.take_console_output();
        if !old {
            self.output.append(&mut bytes);
        }
        self.printed = self.printed.max(here);
    }

    /// Carries out the next event.
    fn carry_out(&mut self) -> Result<(), ReplayError> {
        let Some(event) = self.events.get(self.done).cloned() else { return Ok(()) };
        match &event.what {
            What::Decision(Decision::Reboot) => {
                let boot = self.options.boot.clone().ok_or_else(|| {
                    ReplayError::Machine("the guest rebooted, and nothing says what machine it goes on with".into())
                })?;
                let m = boot()?;
                if let Some(o) = &mut self.oracles {
                    o.rebooted(&m);
                }
                let here = Position::of(self.here.boot + 1, &m);
                self.replace(m, here, self.done);
                self.printed = self.printed.max(here);
            }
            What::Changed(m) => {
                let m = Timeline::fork(m)?;
                self.replace(m, self.here, self.done);
            }
            What::Decision(d) => {
                let held = event.apply(&mut self.machine)?;
                if d.is_witness() && self.broken.is_none() {
                    if held {
                        self.good = self.good.max(Some(self.here));
                    } else {
                        self.broken = Some(Broken { good: self.good, bad: self.here });
                    }
                }
            }
            What::End(_) => {}
        }
        self.done += 1;
        if !event.after_settling() {
            self.settled_at = None;
        }
        Ok(())
    }
}
