//! From an observer's records to facts: the monitor listens, keeps the world up to date and asks the oracles.

use std::cell::{Ref, RefCell};
use std::rc::Rc;

use emu_core::bus::Bus;
use emu_core::hart::Hart;
use emu_core::machine::{Machine, RunEnd};
use emu_core::observer::{CsrWrite, FwRecord, Interest, Observer, TrapEntry, TrapReturn};
use emu_csr::Mode;

use super::fact::{At, Fact, Out};
use super::table::ORACLES;
use super::violation::{Exemption, Violation};
use super::world::World;
use super::writers::{How, Moment};
use super::{Chosen, safety};

/// What a violation does to the run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnViolation {
    /// It ends where the violation is.
    #[default]
    Stop,
    /// It goes on; the violation is kept.
    Record,
}

/// Most violations of one oracle that are kept if nobody says otherwise; the rest are counted.
const KEPT: usize = 20;

pub(super) struct Inner {
    pub(super) world: World,
    chosen: Chosen,
    on: OnViolation,
    exempt: Vec<Exemption>,
    violations: Vec<Violation>,
    counts: [u64; ORACLES.len()],
    exempted: u64,
    stop: bool,
    kept: usize,
    interest: Interest,
}

/// The oracles of one machine. Clones are handles to the same one.
#[derive(Clone)]
pub struct Monitor(Rc<RefCell<Inner>>);

impl Monitor {
    /// For a machine. Of one that has run already, what came before is not known, and not judged.
    pub fn new(machine: &Machine, chosen: Chosen, on: OnViolation, exempt: Vec<Exemption>) -> Monitor {
        let ids: Vec<u64> = machine.harts().iter().map(|h| h.id).collect();
        Monitor(Rc::new(RefCell::new(Inner {
            world: World::new(&ids, machine.instret() == 0),
            chosen,
            on,
            exempt,
            violations: Vec::new(),
            counts: [0; ORACLES.len()],
            exempted: 0,
            stop: false,
            kept: KEPT,
            interest: if machine.instret() == 0 { Interest::MACHINE } else { Interest::ALL },
        })))
    }

    /// What to give to [`Machine::set_observer`].
    pub fn observer(&self) -> Box<dyn Observer> {
        Box::new(self.clone())
    }

    /// The same knowledge for a fork of the machine, without what was found so far.
    pub fn fork(&self) -> Monitor {
        let i = self.0.borrow();
        Monitor(Rc::new(RefCell::new(Inner {
            world: i.world.clone(),
            chosen: i.chosen,
            on: i.on,
            exempt: i.exempt.clone(),
            violations: Vec::new(),
            counts: [0; ORACLES.len()],
            exempted: 0,
            stop: false,
            kept: i.kept,
            interest: i.interest,
        })))
    }

    /// The same rules for a machine at its start: a guest has rebooted.
    pub fn again(&self, machine: &Machine) -> Monitor {
        let i = self.0.borrow();
        let new = Monitor::new(machine, i.chosen, i.on, i.exempt.clone());
        new.keep(i.kept);
        new
    }

    /// Looks at harts that may be stuck in M-mode; to be called from time to time. Each such visit is told once.
    pub fn look(&self, machine: &Machine) {
        let mut inner = self.0.borrow_mut();
        let inner = &mut *inner;
        for (i, h) in machine.harts().iter().enumerate() {
            let stuck = safety::stuck(&inner.world, i, h);
            let Some((oracle, v)) = stuck.zip(super::find("liveness")).map(|(v, o)| (o, v)) else { continue };
            if let Some(visit) = &mut inner.world.harts[i].visit {
                visit.endless = true;
            }
            if inner.chosen.has(oracle) {
                inner.keep(Violation { oracle, ..v });
            }
        }
    }

    /// The run has ended.
    pub fn end(&self, machine: &Machine, end: Option<&RunEnd>) {
        self.look(machine);
        let dead = match end {
            Some(RunEnd::Fatal(text)) => Some((*text).to_owned()),
            Some(RunEnd::TrapLoop { pc, .. }) => Some(format!("it traps for ever at {pc:#x}")),
            _ => None,
        };
        let mut inner = self.0.borrow_mut();
        for (index, hart) in machine.harts().iter().enumerate() {
            let at = At { index, hart, bus: machine.bus() };
            inner.ask(Some(at), index, hart.instret, hart.pc, &Fact::Ended { dead: dead.as_deref() });
        }
    }

    /// Keeps up to so many violations of each oracle.
    pub fn keep(&self, most: usize) {
        self.0.borrow_mut().kept = most;
    }

    /// What was found, up to 20 an oracle, or [`Monitor::keep`].
    pub fn violations(&self) -> Ref<'_, [Violation]> {
        Ref::map(self.0.borrow(), |i| &i.violations[..])
    }

    /// Takes what was found since the last time.
    pub fn take(&self) -> Vec<Violation> {
        std::mem::take(&mut self.0.borrow_mut().violations)
    }

    /// How often each oracle spoke, by place in [`ORACLES`], exemptions not counted.
    pub fn counts(&self) -> [u64; ORACLES.len()] {
        self.0.borrow().counts
    }

    /// How many violations there were (warnings are none).
    pub fn total(&self) -> u64 {
        self.counts().iter().zip(ORACLES).filter(|(_, o)| !o.advice).map(|(n, _)| n).sum()
    }

    /// How many findings were exempted.
    pub fn exempted(&self) -> u64 {
        self.0.borrow().exempted
    }

    /// Records heard so far.
    pub fn records(&self) -> u64 {
        self.0.borrow().world.record
    }

    /// Whether a violation has stopped the run.
    pub fn stopped(&self) -> bool {
        self.0.borrow().stop
    }

    /// Lets a run that a violation has stopped go on, up to the next one.
    pub fn resume(&self) {
        self.0.borrow_mut().stop = false;
    }
}

impl Inner {
    /// Asks every oracle.
    pub(super) fn ask(&mut self, at: Option<At<'_>>, hart: usize, instret: u64, pc: u64, fact: &Fact<'_>) {
        let mut found = Vec::new();
        for (oracle, o) in ORACLES.iter().enumerate().filter(|(i, _)| self.chosen.has(*i)) {
            let mut out = Out { at, hart, instret, pc, record: self.world.record, oracle, found: &mut found };
            (o.look)(&self.world, fact, &mut out);
        }
        for v in found {
            self.keep(v);
        }
    }

    fn keep(&mut self, v: Violation) {
        if self.exempt.iter().any(|e| e.covers(&v)) {
            self.exempted += 1;
            return;
        }
        self.counts[v.oracle] += 1;
        self.stop |= self.on == OnViolation::Stop && !ORACLES[v.oracle].advice;
        if self.counts[v.oracle] <= self.kept as u64 {
            self.violations.push(v);
        }
    }

    /// A record has come.
    fn count(&mut self) {
        self.world.record += 1;
    }

    fn interested(&mut self) {
        self.interest = if self.world.in_use() { Interest::ALL } else { Interest::MACHINE };
    }

    fn trap(&mut self, e: &TrapEntry, hart: &Hart, bus: &Bus) {
        self.count();
        let Some(index) = self.world.index(hart.id) else { return };
        let at = At { index, hart, bus };
        let moment = Moment { pc: e.pc, instret: e.instret, record: self.world.record };
        if e.to != Mode::M {
            self.world.harts[index].writers.changed(&e.changes, &How::Trap(e.to), moment);
            self.ask(Some(at), index, e.instret, e.pc, &Fact::Trapped(e));
            self.world.trapped(e, at);
        } else if e.from == Mode::M {
            self.ask(Some(at), index, e.instret, e.pc, &Fact::Fault(e));
        } else {
            let visit = self.world.visit(e, at);
            self.ask(Some(at), index, e.instret, e.pc, &Fact::Entered(&visit));
            self.world.entered(visit, at);
        }
    }

    fn ret(&mut self, r: &TrapReturn, hart: &Hart, bus: &Bus) {
        self.count();
        let Some(index) = self.world.index(hart.id) else { return };
        let at = At { index, hart, bus };
        let moment = Moment { pc: r.pc, instret: r.instret, record: self.world.record };
        self.world.harts[index].writers.changed(&r.changes, &How::Return(r.from), moment);
        if r.from != Mode::M {
            self.ask(Some(at), index, r.instret, r.target, &Fact::Returned(r));
            self.world.returned(r, at);
        } else if r.to != Mode::M {
            self.left(r, at);
            self.interested();
        }
    }

    fn write(&mut self, w: &CsrWrite) {
        if w.changes.0.is_empty() {
            return;
        }
        self.count();
        let Some(h) = self.world.harts.get_mut(w.hart) else { return };
        let moment = Moment { pc: w.pc, instret: w.instret, record: self.world.record };
        h.writers.changed(&w.changes, &How::Csr(w.mode), moment);
        self.world.wrote_csr(w.hart, w);
    }

    fn native(&mut self, r: &FwRecord) {
        self.count();
        let Some(h) = self.world.harts.get_mut(r.hart) else { return };
        let pc = h.visit.as_ref().map_or(0, |v| v.pc);
        h.writers.firmware(r, Moment { pc, instret: r.instret, record: self.world.record });
        self.world.native(r);
    }
}

impl Observer for Monitor {
    fn interest(&self) -> Interest {
        self.0.borrow().interest
    }

    fn stop(&self) -> bool {
        self.0.borrow().stop
    }

    fn trapped(&mut self, hart: &Hart, bus: &Bus, e: &TrapEntry) {
        self.0.borrow_mut().trap(e, hart, bus);
    }

    fn returned(&mut self, hart: &Hart, bus: &Bus, r: &TrapReturn) {
        self.0.borrow_mut().ret(r, hart, bus);
    }

    fn csr_write(&mut self, w: &CsrWrite) {
        self.0.borrow_mut().write(w);
    }

    fn firmware(&mut self, r: &FwRecord) {
        self.0.borrow_mut().native(r);
    }
}
