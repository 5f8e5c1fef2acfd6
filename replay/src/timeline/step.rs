//! Steps of one hart, in both directions.

use emu_core::hart::Wait;
use emu_core::machine::Stop;

use super::forward::Goal;
use super::{Finder, Halt, Position, Timeline};
use crate::error::ReplayError;

impl Timeline {
    /// Lets hart index `hart` make `n` steps: retire an instruction, or enter an exception (which native firmware answers in the same
    /// step). The others run as the schedule of the run has it. A hart that waits makes its next step when it has woken. The finder is
    /// asked as in [`Timeline::run_forward`]; `&mut ()` looks for nothing.
    pub fn step_forward(&mut self, hart: usize, n: u64, finder: &mut dyn Finder) -> Result<Halt, ReplayError> {
        self.settle_changes()?;
        for _ in 0..n {
            match self.one(hart, u64::MAX, finder)? {
                Halt::There => {}
                other => return Ok(other),
            }
        }
        Ok(Halt::There)
    }

    fn one(&mut self, hart: usize, elapsed: u64, finder: &mut dyn Finder) -> Result<Halt, ReplayError> {
        let h = self.hart(hart)?;
        let stop = match h.wait {
            Wait::Running => Stop { own: Some((hart, h.cycles + 1)), ..Stop::NEVER },
            _ => Stop { hart: Some((hart, h.instret + 1)), ..Stop::NEVER },
        };
        self.go(&Goal { boot: self.here.boot, stop: Stop { elapsed, ..stop } }, finder)
    }

    fn hart(&self, hart: usize) -> Result<&emu_core::hart::Hart, ReplayError> {
        let h = self.machine.harts().get(hart);
        h.ok_or_else(|| ReplayError::Machine(format!("there is no hart {hart}")))
    }

    /// Takes back the last `n` steps of hart index `hart`: goes to the moment after the step before them. [`Halt::Start`] if it has made no
    /// more since the (last) boot.
    pub fn step_back(&mut self, hart: usize, n: u64) -> Result<Halt, ReplayError> {
        self.settle_changes()?;
        if n == 0 {
            return Ok(Halt::There);
        }
        let (from, cycles) = (self.here, self.hart(hart)?.cycles);
        let mut reach = n;
        loop {
            let low = cycles.saturating_sub(reach);
            self.last_step_before(hart, low)?;
            let mut steps: Vec<Position> = Vec::new();
            while self.hart(hart)?.cycles < cycles && self.here < from {
                steps.push(self.here);
                if self.one(hart, from.elapsed, &mut ())? != Halt::There {
                    break;
                }
            }
            let at = usize::try_from(n).ok().and_then(|n| steps.len().checked_sub(n));
            match (at, low) {
                (Some(i), _) => return self.seek(steps[i]),
                (None, 0) => {
                    self.seek(steps.first().copied().unwrap_or(from))?;
                    return Ok(Halt::Start);
                }
                (None, _) => reach = reach.saturating_mul(4),
            }
        }
    }

    /// Goes to the first moment at which a hart has reached `low` cycles; if it waits there, to where its wait began.
    fn last_step_before(&mut self, hart: usize, low: u64) -> Result<(), ReplayError> {
        let boot = self.here.boot;
        self.go_where(boot, |m| m.harts().get(hart).is_some_and(|h| h.cycles < low))?;
        self.go(&Goal { boot, stop: Stop { own: Some((hart, low)), ..Stop::NEVER } }, &mut ())?;
        let h = self.hart(hart)?;
        if h.wait != Wait::Running && h.instret > 0 {
            let n = h.instret;
            self.go_where(boot, |m| m.harts().get(hart).is_some_and(|h| h.instret < n))?;
            self.go(&Goal { boot, stop: Stop { hart: Some((hart, n)), ..Stop::NEVER } }, &mut ())?;
        }
        Ok(())
    }

    /// Goes to the last checkpoint of a boot of which something holds that holds of all before, or to where the boot begins.
    fn go_where(&mut self, boot: u32, holds: impl Fn(&emu_core::machine::Machine) -> bool) -> Result<(), ReplayError> {
        let at = self.points.last_where(|p, m| p.boot < boot || p.boot == boot && holds(m));
        self.restore_before(at.unwrap_or(self.points.first()))?;
        if self.here.boot < boot {
            self.go(&Goal { boot, stop: Stop { elapsed: 0, ..Stop::NEVER } }, &mut ())?;
        }
        Ok(())
    }
}
