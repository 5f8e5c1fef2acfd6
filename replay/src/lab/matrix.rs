//! The matrix: every boundary of the window under every setting, counted by what the victim was doing.

use std::collections::BTreeMap;

use emu_core::machine::HartStep;

use super::case::{After, Ending, Outcome, Run};
use super::payload::{LabError, Payload, Prepared, Setting};
use super::window::{Boundary, Window};

/// Which settings to try.
#[derive(Clone, Debug)]
pub struct Options {
    /// Policies of the kernel.
    pub policies: Vec<u32>,
    /// Variants of the handler.
    pub variants: Vec<u32>,
    /// Layouts of the world switch.
    pub layouts: Vec<u32>,
}

impl Default for Options {
    fn default() -> Options {
        Options { policies: vec![0, 1, 2, 3], variants: vec![0, 1, 2, 3, 4, 5], layouts: vec![0, 1] }
    }
}

impl Options {
    /// All settings, in order.
    pub fn settings(&self) -> Vec<Setting> {
        let mut list = Vec::new();
        for &layout in &self.layouts {
            for &policy in &self.policies {
                for &variant in &self.variants {
                    list.push(Setting { policy, variant, layout });
                }
            }
        }
        list
    }
}

/// One cell of the matrix.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Cell {
    /// The firmware's name.
    pub firmware: String,
    /// The payload's setting.
    pub setting: Setting,
    /// Where the victim was: a mode, or a point of the world switch.
    pub point: String,
}

/// What happened in a cell.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// The first boundary tried, as a step of the window.
    pub began: usize,
    /// Boundaries tried.
    pub tried: usize,
    /// Those after which everything was back.
    pub healthy: usize,
    /// The first boundary that was not healthy, as a step of the window.
    pub first: Option<usize>,
    /// What was wrong there in short: `hstatus.SPV 0 -> 1`; empty while all is healthy.
    pub worst: String,
    /// What became of the program there.
    pub after: Option<After>,
    /// Boundaries after which each oracle was violated, by its number.
    pub violated: BTreeMap<&'static str, usize>,
    /// Boundaries that were not healthy although no oracle was violated, by what was wrong.
    pub unseen: BTreeMap<String, usize>,
    /// Healthy boundaries after which one was violated.
    pub suspected: usize,
}

/// All cells.
pub type Matrix = BTreeMap<Cell, Tally>;

/// Tries every boundary of the window with one setting on one firmware. `progress` hears of every boundary done.
pub fn run(
    payload: &Payload,
    prepared: &mut Prepared,
    setting: Setting,
    progress: &mut dyn FnMut(&Boundary, &Outcome),
) -> Result<Matrix, LabError> {
    let mut base = payload.enter(prepared, setting)?;
    let window = Window::walk(payload, &mut base)?;
    let mut matrix = Matrix::new();
    let mut step = 0;
    for b in &window.boundaries {
        while step < b.step {
            step += 1;
            if let HartStep::End(_) = base.machine.step_hart(base.victim) {
                return Err(LabError::Endless(payload.name.clone(), step));
            }
        }
        let (machine, monitor) = base.fork(None)?;
        let outcome = Run {
            steps: None,
            payload,
            setting,
            machine,
            victim: base.victim,
            injector: base.injector,
            marks: None,
            touches: None,
            at: BTreeMap::new(),
            monitor,
        }
        .go();
        progress(b, &outcome);
        let cell = Cell { firmware: base.firmware.clone(), setting, point: b.point.clone() };
        matrix.entry(cell).or_default().add(b, &outcome);
    }
    Ok(matrix)
}

impl Tally {
    fn add(&mut self, at: &Boundary, o: &Outcome) {
        if self.tried == 0 {
            self.began = at.step;
        }
        self.tried += 1;
        let worst = o.worst();
        for id in &o.violated {
            *self.violated.entry(id).or_default() += 1;
        }
        match (worst.is_empty(), o.violated.is_empty()) {
            (false, true) => {
                let what = worst.split(' ').next().unwrap_or_default().to_owned();
                *self.unseen.entry(what).or_default() += 1;
            }
            (true, false) => self.suspected += 1,
            _ => {}
        }
        if worst.is_empty() {
            self.healthy += 1;
        } else if self.first.is_none() {
            (self.first, self.worst, self.after) = (Some(at.step), worst, Some(o.after));
        }
    }
}

impl Outcome {
    /// What is wrong in short; empty for a healthy case.
    pub fn worst(&self) -> String {
        match &self.ending {
            Ending::Healthy if self.after == After::HtvalLost => "htval".to_owned(),
            Ending::Healthy => String::new(),
            // Registers that traps overwrite matter to those who have yet to read them.
            Ending::Leftover(_) if self.after != After::HtvalLost => String::new(),
            Ending::Leftover(d) | Ending::Corrupt(d) => d.first().map(|d| d.text()).unwrap_or_default(),
            Ending::NeverCompleted { .. } => "never completed".to_owned(),
            Ending::NeverDelivered => "never delivered".to_owned(),
        }
    }
}
