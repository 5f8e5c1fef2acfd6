//! What a laboratory does to a machine, as the decisions of a log: so that a case can be replayed, searched and debugged like any other run.

use emu_core::machine::{HartStep, InjectError, Machine};

use crate::log::{Decision, MOST_STEPS, Position, Record};

/// Decisions in order.
#[derive(Clone, Default)]
pub struct Steps(Vec<Record>);

impl Steps {
    /// Stores a word in RAM.
    pub(super) fn store(&mut self, m: &mut Machine, at: u64, word: u32) -> Result<(), InjectError> {
        let (name, args) = ("memory".to_owned(), vec![at, 4, u64::from(word)]);
        let place = Position::of(m);
        m.inject(&name, &args)?;
        self.0.push(Record { at: place, what: Decision::Inject { name, args } });
        Ok(())
    }

    /// Lets one hart make a step.
    pub(super) fn step(&mut self, m: &mut Machine, hart: usize) -> HartStep {
        let at = Position::of(m);
        let end = m.step_hart(hart);
        match self.0.last_mut() {
            Some(Record { what: Decision::Step { hart: h, count }, .. }) if *h == hart as u64 && *count < MOST_STEPS => {
                *count += 1
            }
            _ => self.0.push(Record { at, what: Decision::Step { hart: hart as u64, count: 1 } }),
        }
        end
    }

    /// All of them.
    pub fn records(&self) -> &[Record] {
        &self.0
    }
}
