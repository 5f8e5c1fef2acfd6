//! A payload of the laboratory: its image, the words that set it up, and the places it names.

use emu_core::machine::{ForkError, HartStep, Machine, RunEnd};
use emu_core::observer::Both;

use super::steps::Steps;
use crate::ledger::Ledger;
use crate::oracle::{Chosen, Monitor, OnViolation};
use crate::symbols::{SymbolError, Symbols};

/// Cycles in which any firmware brings two harts to their waiting places.
const BOOT: u64 = 2_000_000_000;
/// Cycles between looks at them.
const LOOK: u64 = 200_000;
/// Steps from the waiting places to the window and to the injecting call.
const APPROACH: usize = 10_000;

/// A laboratory run that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The machine has something that forks cannot share.
    #[error(transparent)]
    Fork(#[from] ForkError),
    /// The image lacks a name.
    #[error(transparent)]
    Symbol(#[from] SymbolError),
    /// The payload never got where the laboratory begins.
    #[error("{payload} under {firmware}: hart {hart} never came to {place}: {how}")]
    Astray {
        /// The payload.
        payload: String,
        /// The firmware.
        firmware: String,
        /// Hart index.
        hart: usize,
        /// The symbol.
        place: &'static str,
        /// How the run went instead.
        how: String,
    },
    /// The window has no end.
    #[error("{0}: the window does not end within {1} steps without any event")]
    Endless(String, usize),
    /// The configuration words are not in RAM.
    #[error("{0}: its lab_config is not in the machine's RAM; link the payload into RAM")]
    NoConfig(String),
}

/// Addresses that the laboratory needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    pub config: u64,
    pub spin_victim: u64,
    pub spin_injector: u64,
    pub window_begin: u64,
    pub window_end: u64,
    pub inject_here: u64,
    pub inject_done: u64,
    pub sse_entry: u64,
    pub complete_here: u64,
    pub vector: u64,
    pub panics: [u64; 2],
    pub elsewhere: u64,
    pub htval_bad: u64,
    /// Where the event of a double trap begins, if the payload has one.
    pub double_trap: Option<u64>,
}

/// A payload.
pub struct Payload {
    /// For messages.
    pub name: String,
    /// Its symbols.
    pub symbols: Symbols,
    pub(super) places: Places,
}

/// What the payload's kernel and handler do: the words of its `lab_config`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Setting {
    /// What the handler saves and restores.
    pub policy: u32,
    /// What the handler does.
    pub variant: u32,
    /// Where hstatus is swapped.
    pub layout: u32,
}

impl Setting {
    /// Names of the policies, by number.
    pub const POLICIES: [&'static str; 4] = ["sepc", "sstatus", "stvec", "hstatus"];
    /// Names of the handler's variants, by number. The last one is for payloads with a `double_trap_entry`.
    pub const VARIANTS: [&'static str; 7] =
        ["nothing", "breakpoint", "page-fault", "user-copy", "interrupt", "elsewhere", "double-trap"];
    /// Names of the layouts, by number.
    pub const LAYOUTS: [&'static str; 2] = ["asm", "c"];
    /// The variant that sends its victim to another place.
    pub const ELSEWHERE: u32 = 5;

    /// Name of the policy.
    pub fn policy_name(&self) -> &'static str {
        name(&Setting::POLICIES, self.policy)
    }

    /// Name of the variant.
    pub fn variant_name(&self) -> &'static str {
        name(&Setting::VARIANTS, self.variant)
    }

    /// Name of the layout.
    pub fn layout_name(&self) -> &'static str {
        name(&Setting::LAYOUTS, self.layout)
    }
}

/// One of a list of names, by number.
fn name(names: &[&'static str], number: u32) -> &'static str {
    names.get(number as usize).copied().unwrap_or("?")
}

/// A machine whose harts wait for the laboratory.
pub struct Prepared {
    /// The machine.
    pub machine: Machine,
    /// Index of the interrupted hart.
    pub victim: usize,
    /// Index of the hart that sends the event.
    pub injector: usize,
    /// The firmware's name, for messages.
    pub firmware: String,
    /// What was done to the machine since its start.
    pub steps: Steps,
    /// The oracles, if any were chosen.
    pub monitor: Option<Monitor>,
}

impl Prepared {
    /// A fork of the machine with a fork of its oracles, and, if there is a `ledger`, that listening too.
    pub(super) fn fork(&self, ledger: Option<&Ledger>) -> Result<(Machine, Option<Monitor>), LabError> {
        let mut machine = self.machine.fork()?;
        let monitor = self.monitor.as_ref().map(Monitor::fork);
        match (&monitor, ledger) {
            (Some(m), Some(l)) => machine.set_observer(Box::new(Both(Box::new(l.clone()), m.observer()))),
            (Some(m), None) => machine.set_observer(m.observer()),
            (None, Some(l)) => machine.set_observer(Box::new(l.clone())),
            (None, None) => {}
        }
        Ok((machine, monitor))
    }
}

impl Payload {
    /// Reads an image's symbols.
    pub fn new(name: &str, elf: &[u8]) -> Result<Payload, LabError> {
        let symbols = Symbols::of(name, elf)?;
        let places = Places {
            config: symbols.need("lab_config")?,
            spin_victim: symbols.need("spin_victim")?,
            spin_injector: symbols.need("spin_injector")?,
            window_begin: symbols.need("window_begin")?,
            window_end: symbols.need("window_end")?,
            inject_here: symbols.need("inject_here")?,
            inject_done: symbols.need("inject_done")?,
            sse_entry: symbols.need("sse_entry")?,
            complete_here: symbols.need("complete_here")?,
            vector: symbols.need("handle_exception")?,
            panics: [symbols.need("panic")?, symbols.need("panic_exit")?],
            elsewhere: symbols.need("elsewhere")?,
            htval_bad: symbols.need("htval_bad")?,
            double_trap: symbols.find("double_trap_entry"),
        };
        Ok(Payload { name: name.to_owned(), symbols, places })
    }

    /// How many of [`Setting::VARIANTS`] it has.
    pub fn variants(&self) -> usize {
        Setting::VARIANTS.len() - usize::from(self.places.double_trap.is_none())
    }

    /// Boots a fresh machine until both harts wait, with these oracles.
    pub fn boot(&self, mut machine: Machine, firmware: &str, chosen: Chosen) -> Result<Prepared, LabError> {
        let p = &self.places;
        let monitor = (chosen != Chosen::NONE).then(|| Monitor::new(&machine, chosen, OnViolation::Record, Vec::new()));
        if let Some(m) = &monitor {
            machine.set_observer(m.observer());
        }
        // Hold the harts before they look.
        let mut steps = Steps::default();
        self.write(&mut steps, &mut machine, p.config + 12, 0)?;
        let waits = |m: &Machine, at: u64| m.harts().iter().position(|h| (at..at + 8).contains(&h.pc));
        loop {
            let end = machine.run(machine.cycles() + LOOK);
            if let (Some(victim), Some(injector)) = (waits(&machine, p.spin_victim), waits(&machine, p.spin_injector)) {
                return Ok(Prepared { machine, victim, injector, firmware: firmware.to_owned(), steps, monitor });
            }
            if end != RunEnd::Limit || machine.cycles() > BOOT {
                let how = match end {
                    RunEnd::Limit => format!("it was not there after {BOOT} cycles"),
                    end => end.to_string(),
                };
                return Err(self.astray(firmware, 0, "spin_victim", how));
            }
        }
    }

    /// A fork of a waiting machine, set up and brought to the beginning of the window: the victim at its first instruction, the injector
    /// at its call.
    pub fn enter(&self, from: &mut Prepared, setting: Setting) -> Result<Prepared, LabError> {
        self.enter_with(from, setting, None)
    }

    pub(super) fn enter_with(&self, from: &Prepared, setting: Setting, ledger: Option<&Ledger>) -> Result<Prepared, LabError> {
        let p = &self.places;
        let (mut machine, monitor) = from.fork(ledger)?;
        let mut steps = from.steps.clone();
        for (i, word) in [setting.policy, setting.variant, setting.layout, 1].into_iter().enumerate() {
            self.write(&mut steps, &mut machine, p.config + 4 * i as u64, word)?;
        }
        let (victim, injector) = (from.victim, from.injector);
        let mut here = Prepared { machine, victim, injector, firmware: from.firmware.clone(), steps, monitor };
        for (hart, place, name) in [(here.victim, p.window_begin, "window_begin"), (here.injector, p.inject_here, "inject_here")]
        {
            let mut steps = 0;
            while here.machine.harts()[hart].pc != place {
                steps += 1;
                let end = here.steps.step(&mut here.machine, hart);
                let how = match end {
                    HartStep::End(end) => end.to_string(),
                    _ if steps > APPROACH => format!("it was not there {APPROACH} steps after its waiting place"),
                    _ => continue,
                };
                return Err(self.astray(&from.firmware, hart, name, how));
            }
        }
        Ok(here)
    }

    fn write(&self, steps: &mut Steps, machine: &mut Machine, at: u64, word: u32) -> Result<(), LabError> {
        steps.store(machine, at, word).map_err(|_| LabError::NoConfig(self.name.clone()))
    }

    fn astray(&self, firmware: &str, hart: usize, place: &'static str, how: String) -> LabError {
        LabError::Astray { payload: self.name.clone(), firmware: firmware.to_owned(), hart, place, how }
    }
}
