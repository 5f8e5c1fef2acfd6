//! Backwards: from checkpoint to checkpoint, each time running forwards and remembering the last hit.

use super::forward::Goal;
use super::{Finder, Halt, Position, Timeline};
use crate::error::ReplayError;

impl Timeline {
    /// Goes back to the last position before the present one (or to that, if [`Finder::before_here`]) at which the finder hits, but not before
    /// `to` if one is given. With nothing found the timeline is at `to` ([`Halt::There`]) or at its beginning ([`Halt::Start`]); if
    /// [`Finder::poll`] stopped it, where it was.
    pub fn run_back(&mut self, to: Option<Position>, finder: &mut dyn Finder) -> Result<Halt, ReplayError> {
        self.settle_changes()?;
        let from = self.here;
        let low = to.unwrap_or(self.points.first()).max(self.points.first());
        let mut high = from;
        while high > low {
            let start = self.points.last_where(|p, _| p < high).unwrap_or(self.points.first());
            self.restore_before(start)?;
            if self.here < low {
                self.go(&Goal::at(low), &mut ())?;
            }
            let begin = self.here;
            let mut last = None;
            loop {
                match self.go(&Goal::at(high), finder)? {
                    Halt::Found if self.here < high || self.here == high && (high < from || finder.before_here()) => {
                        finder.kept();
                        last = Some(self.here);
                    }
                    Halt::Stopped => {
                        self.seek(from)?;
                        return Ok(Halt::Stopped);
                    }
                    _ => break,
                }
                if self.here >= high {
                    break;
                }
            }
            if let Some(p) = last {
                self.seek(p)?;
                return Ok(Halt::Found);
            }
            // A run forwards may have made checkpoints between these two; the part is searched.
            high = begin;
        }
        self.seek(low)?;
        Ok(if to.is_some() { Halt::There } else { Halt::Start })
    }
}
