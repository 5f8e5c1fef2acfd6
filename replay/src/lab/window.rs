//! The window: where the victim is at each instruction boundary when nobody interrupts it.

use emu_core::hart::Hart;
use emu_core::machine::HartStep;
use emu_csr::Mode;

use super::payload::{LabError, Payload, Prepared};

/// Steps that any window takes at most.
const LONGEST: usize = 20_000;

/// A place between two instructions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Boundary {
    /// Steps of the victim since the beginning of the window.
    pub step: usize,
    /// Mode.
    pub mode: Mode,
    /// The next instruction.
    pub pc: u64,
    /// What the victim is doing: the mode, and in HS-mode the last `point_` label passed.
    pub point: String,
}

impl Boundary {
    /// Where a hart is.
    pub(super) fn of(payload: &Payload, hart: &Hart, step: usize) -> Boundary {
        Boundary { step, mode: hart.mode, pc: hart.pc, point: point(payload, hart.mode, hart.pc) }
    }
}

/// All boundaries of a window.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// In order.
    pub boundaries: Vec<Boundary>,
}

impl Window {
    /// Walks through the window without an event.
    pub fn walk(payload: &Payload, start: &mut Prepared) -> Result<Window, LabError> {
        let mut machine = start.machine.fork()?;
        let mut boundaries: Vec<Boundary> = Vec::new();
        for step in 0..LONGEST {
            let h = &machine.harts()[start.victim];
            let (mode, pc) = (h.mode, h.pc);
            if pc == payload.places.window_end && mode == Mode::HS {
                return Ok(Window { boundaries });
            }
            // Foreign firmware has boundaries of its own; events come to it later.
            if mode != Mode::M {
                boundaries.push(Boundary::of(payload, h, step));
            }
            if matches!(machine.step_hart(start.victim), HartStep::End(_)) {
                break;
            }
        }
        Err(LabError::Endless(payload.name.clone(), LONGEST))
    }
}

fn point(payload: &Payload, mode: Mode, pc: u64) -> String {
    const LABEL: &str = "point_";
    match mode {
        Mode::HS => match payload.symbols.at(pc, |n| n.starts_with(LABEL)) {
            Some((name, _)) => name[LABEL.len()..].to_owned(),
            None => "HS".to_owned(),
        },
        other => other.name().to_owned(),
    }
}
