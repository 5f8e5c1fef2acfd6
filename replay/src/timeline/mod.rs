//! A run as a line in time: forwards by running, backwards by checkpoints and running forwards again.
//!
//! A [`Timeline`] holds a machine at a [`Position`], the decisions that enter its run, and checkpoints (copy-on-write forks) on the way.
//! Between decisions a machine is closed, so every position is one state, however it is reached: on either engine, from any checkpoint.
//! A run can be a recorded one ([`Timeline::replaying`]), or one that is made now ([`Timeline::new`]): bytes and events that enter through
//! [`Timeline::decide`] become part of it, and what lay in the future then is forgotten.

mod back;
mod checkpoints;
mod events;
mod find;
mod forward;
mod oracles;
mod place;
mod step;

use std::fmt;
use std::rc::Rc;

use emu_core::machine::{Machine, RunEnd};
use emu_core::observer::Observer;

use crate::error::ReplayError;
use crate::log::{Decision, Log};
use checkpoints::Checkpoints;
use events::{Event, When};
use oracles::Oracles;

pub use find::{Each, Finder, Found};
pub use place::Place;

/// A moment of a run. Positions of one run are in order; two with the same `boot` and `elapsed` are the same.
///
/// The state at a position is the one in which all that comes before the next instruction has happened: the decisions made there, and
/// interrupts that are due. An interrupt's entry has therefore no position of its own, an exception's has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Position {
    /// Reboots before it.
    pub boot: u32,
    /// Cycles of all harts together since the (last) boot: [`Machine::elapsed`].
    pub elapsed: u64,
    /// Instructions retired by all harts since the (last) boot.
    pub instret: u64,
}

impl Position {
    /// Where a machine is that has been booted `boot` times before.
    pub fn of(boot: u32, m: &Machine) -> Position {
        Position { boot, elapsed: m.elapsed(), instret: m.instret() }
    }
}

impl PartialEq for Position {
    fn eq(&self, other: &Position) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Position {}

impl PartialOrd for Position {
    fn partial_cmp(&self, other: &Position) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Position {
    fn cmp(&self, other: &Position) -> std::cmp::Ordering {
        (self.boot, self.elapsed).cmp(&(other.boot, other.elapsed))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "instruction {}", self.instret)?;
        if self.boot > 0 { write!(f, " after reboot {}", self.boot) } else { Ok(()) }
    }
}

/// Makes a machine at its start, for a guest that reboots.
pub type Boot = Rc<dyn Fn() -> Result<Machine, ReplayError>>;
/// Makes an observer for each machine that takes the timeline's place.
pub type Observers = Rc<dyn Fn() -> Box<dyn Observer>>;

/// What a timeline may use, and what it is told.
#[derive(Clone)]
pub struct Options {
    /// Instructions between two checkpoints near the present position; farther away they are fewer.
    pub spacing: u64,
    /// Bytes of guest memory that checkpoints may hold beside what they share. At least two are kept.
    pub memory: u64,
    /// Instructions between two calls of [`Finder::poll`].
    pub poll: u64,
    /// Makes the machine that goes on after a reboot. Without it a run ends there.
    pub boot: Option<Boot>,
}

impl Default for Options {
    fn default() -> Options {
        Options { spacing: 16 << 20, memory: 1 << 30, poll: 4 << 20, boot: None }
    }
}

/// Why a movement along a timeline came to its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Halt {
    /// The position that was asked for is reached.
    There,
    /// What was looked for is found; the timeline is there.
    Found,
    /// The beginning of the timeline is reached, and nothing was found.
    Start,
    /// The recording ends here. [`Timeline::go_live`] lets the run go on beyond.
    Recorded(String),
    /// The run ends here by itself.
    End(RunEnd),
    /// [`Finder::poll`] said so.
    Stopped,
}

/// A witness of the recording that does not hold in this run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// The last position whose witness held.
    pub good: Option<Position>,
    /// Where one did not.
    pub bad: Position,
}

/// A run that can be moved along. See the module's text.
pub struct Timeline {
    machine: Machine,
    /// Where the machine is.
    here: Position,
    /// What happened when the run could not go on from here.
    ended: Option<RunEnd>,
    /// The position at which the machine was brought to rest last.
    settled_at: Option<Position>,
    events: Vec<Event>,
    /// Events carried out so far.
    done: usize,
    points: Checkpoints,
    options: Options,
    observers: Option<Observers>,
    /// The oracles that listen, and what they have found.
    oracles: Option<Oracles>,
    /// The machine may have been changed from outside since it last moved.
    touched: bool,
    /// What was printed up to there has been collected.
    printed: Position,
    output: Vec<u8>,
    good: Option<Position>,
    broken: Option<Broken>,
}

impl Timeline {
    /// A run that begins with this machine, into which nothing has come yet. Refused if a drive writes to its file.
    pub fn new(machine: Machine, options: Options) -> Result<Timeline, ReplayError> {
        Timeline::with(machine, Vec::new(), options)
    }

    fn with(machine: Machine, events: Vec<Event>, options: Options) -> Result<Timeline, ReplayError> {
        let here = Position::of(0, &machine);
        let mut t = Timeline {
            points: Checkpoints::default(),
            machine,
            here,
            ended: None,
            settled_at: None,
            events,
            done: 0,
            options,
            observers: None,
            oracles: None,
            touched: false,
            printed: here,
            output: Vec::new(),
            good: None,
            broken: None,
        };
        t.arrive(None, false)?;
        t.checkpoint()?;
        Ok(t)
    }

    /// A recorded run, on a machine at its start ([`Options::boot`] makes the others, if the guest rebooted).
    pub fn replaying(machine: Machine, log: &Log, options: Options) -> Result<Timeline, ReplayError> {
        Timeline::with(machine, Event::recorded(log), options)
    }

    /// The present position.
    pub fn position(&self) -> Position {
        self.here
    }

    /// The machine there.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The machine there, to change it: what lies in the future is forgotten, and the change becomes part of the run. Use
    /// [`Timeline::inspect`] where a method needs `&mut` but changes nothing that the guest could see.
    pub fn machine_mut(&mut self) -> &mut Machine {
        self.touched = true;
        &mut self.machine
    }

    /// Lets `look` call methods of the machine that need `&mut` but change no state (hashes, reads without side effects).
    pub fn inspect<R>(&mut self, look: impl FnOnce(&mut Machine) -> R) -> R {
        look(&mut self.machine)
    }

    /// As [`Timeline::inspect`], for callers that a closure does not suit.
    pub fn inspect_mut(&mut self) -> &mut Machine {
        &mut self.machine
    }

    /// Has an observer told of everything that happens while the run moves, also when a part is run again.
    pub fn observe(&mut self, observers: Option<Observers>) {
        self.observers = observers;
        self.listen();
    }

    /// Lets something enter the run here, and forgets what lay in the future. What cannot enter changes nothing.
    pub fn decide(&mut self, what: Decision) -> Result<(), ReplayError> {
        if let Decision::Inject { name, args } = &what {
            let mut trial = Timeline::fork(&self.machine)?;
            trial.inject(name, args).map_err(|e| ReplayError::Machine(e.to_string()))?;
        }
        self.settle_changes()?;
        self.go_live();
        if self.ended.is_none() {
            // The end of a recording may have left what comes before the next instruction undone.
            self.arrive(None, false)?;
        }
        let event = Event { at: When::Elapsed(self.here), what: events::What::Decision(what) };
        event.apply(&mut self.machine)?;
        self.events.push(event);
        self.done = self.events.len();
        self.ended = None;
        Ok(())
    }

    /// Forgets the future: recorded decisions that are still to come, the end of the recording, checkpoints.
    pub fn go_live(&mut self) {
        self.events.truncate(self.done);
        self.points.forget_from(self.here);
        if let Some(o) = &mut self.oracles {
            o.forget_after(self.here);
        }
        self.printed = self.printed.min(self.here);
    }

    /// The decisions of the run that come after the present position.
    pub fn to_come(&self) -> usize {
        self.events.len() - self.done
    }

    /// Takes what the guest has printed. A part that is run again prints nothing again.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// The first witness of the recording that did not hold, if one did not.
    pub fn broken(&self) -> Option<&Broken> {
        self.broken.as_ref()
    }

    /// Where the checkpoints are, in order.
    pub fn checkpoints(&self) -> Vec<Position> {
        self.points.positions()
    }

    /// Bytes of guest memory that the checkpoints hold beside what they share.
    pub fn checkpoint_memory(&self) -> u64 {
        self.points.memory()
    }

    fn fork(m: &Machine) -> Result<Machine, ReplayError> {
        m.fork().map_err(|e| ReplayError::Machine(e.to_string()))
    }

    /// Puts a machine in the place of the present one.
    fn replace(&mut self, m: Machine, at: Position, done: usize) {
        self.machine = m;
        self.here = at;
        self.done = done;
        self.ended = None;
        self.listen();
    }

    /// Makes what was done to the machine from outside part of the run.
    fn settle_changes(&mut self) -> Result<(), ReplayError> {
        if !std::mem::take(&mut self.touched) {
            return Ok(());
        }
        self.go_live();
        self.here = Position { instret: self.machine.instret(), ..self.here };
        self.settled_at = Some(self.here);
        let kept = Timeline::fork(&self.machine)?;
        self.events.push(Event { at: When::Elapsed(self.here), what: events::What::Changed(Rc::new(kept)) });
        self.done = self.events.len();
        self.ended = None;
        Ok(())
    }
}
