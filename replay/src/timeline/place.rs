//! Positions as people write them: exact, short where an instruction says it, and good for another process that has the same run.

use std::fmt;

use super::forward::Goal;
use super::{Halt, Position, Timeline};
use crate::error::ReplayError;
use emu_core::machine::Stop;

/// A position in words: `5000`, `5000+1` (behind an exception that instruction 5000 took; instructions of harts and their exceptions are a
/// cycle each), `1:5000` (after the first reboot).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// Reboots before it.
    pub boot: u32,
    /// Instructions that all harts had retired since.
    pub instret: u64,
    /// Cycles of all harts together since the first moment at which they had.
    pub more: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.boot > 0 {
            write!(f, "{}:", self.boot)?;
        }
        write!(f, "{}", self.instret)?;
        if self.more > 0 { write!(f, "+{}", self.more) } else { Ok(()) }
    }
}

impl Timeline {
    /// The present position in words. The timeline stays there.
    pub fn place(&mut self) -> Result<Place, ReplayError> {
        let here = self.position();
        self.seek_instret(here.boot, here.instret)?;
        let first = self.position();
        self.seek(here)?;
        Ok(Place { boot: here.boot, instret: here.instret, more: here.elapsed.saturating_sub(first.elapsed) })
    }

    /// Goes there. With another halt than [`Halt::There`], or in a later boot, the run has no such place.
    pub fn seek_place(&mut self, to: Place) -> Result<Halt, ReplayError> {
        let halt = self.seek_instret(to.boot, to.instret)?;
        let first = self.position();
        if to.more == 0 || halt != Halt::There || first.boot != to.boot {
            return Ok(halt);
        }
        self.seek(Position { elapsed: first.elapsed.saturating_add(to.more), ..first })
    }

    /// Runs on until a hart, by index, has retired `instret` instructions since boot number `boot`. Unlike [`Timeline::seek_hart_instret`]
    /// it takes no checkpoint on the way, so that an observer hears of everything.
    pub fn run_to_hart_instret(&mut self, boot: u32, hart: usize, instret: u64) -> Result<Halt, ReplayError> {
        self.go(&Goal { boot, stop: Stop { hart: Some((hart, instret)), ..Stop::NEVER } }, &mut ())
    }
}
