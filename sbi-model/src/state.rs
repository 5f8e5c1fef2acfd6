//! The firmware's own state: plain data.

use emu_core::dev::StateIo;
use emu_core::hart::{Hart, Wait};

/// What HSM keeps of one hart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum HartState {
    /// STOPPED.
    #[default]
    Stopped,
    /// STARTED.
    Started,
    /// SUSPENDED, since this many instructions had retired; it is STARTED again once it no longer waits.
    Suspended(u64),
}

/// State of the whole firmware.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct State {
    /// By hart index.
    pub harts: Vec<HartState>,
}

impl State {
    /// A hart's state as it is now.
    pub fn of(&self, index: usize, hart: &Hart) -> HartState {
        match self.harts.get(index) {
            Some(HartState::Suspended(at)) if hart.wait != Wait::Wfi || hart.instret != *at => HartState::Started,
            Some(s) => *s,
            None => HartState::Stopped,
        }
    }

    /// Sets a hart's state.
    pub fn set(&mut self, index: usize, state: HartState) {
        if let Some(s) = self.harts.get_mut(index) {
            *s = state;
        }
    }

    /// Visits it, to save it or to restore it.
    pub fn visit(&mut self, io: &mut dyn StateIo) {
        for h in &mut self.harts {
            let (mut kind, mut since) = match *h {
                HartState::Stopped => (1, 0),
                HartState::Started => (0, 0),
                HartState::Suspended(at) => (4, at),
            };
            io.u64("hsm state", &mut kind);
            io.u64("hsm suspended at", &mut since);
            *h = match kind {
                0 => HartState::Started,
                4 => HartState::Suspended(since),
                _ => HartState::Stopped,
            };
        }
    }
}
