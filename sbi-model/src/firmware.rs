//! The firmware as the machine sees it: one step of one hart's trap at a time.

use emu_core::board::Partition;
use emu_core::bus::Bus;
use emu_core::dev::StateIo;
use emu_core::dev::reri::Signal;
use emu_core::firmware::{Firmware, FwStep, Platform};
use emu_core::hart::Hart;
use emu_csr::table::{self, field};
use emu_csr::{Cause, Exception, Mode, Trap};

use crate::bug::BugId;
use crate::call::{Call, Extension, Outcome};
use crate::config::{Config, Rules};
use crate::error::SbiError;
use crate::profile::policy::ReservedLegacy;
use crate::record::{self, Before};
use crate::sse::{self, Sse};
use crate::state::{HartState, Stage, State};
use crate::{boot, emulate, ext, harts, leave};

/// Price in cycles of every trap the firmware answers, from its entry to its return. OpenSBI takes a few hundred instructions.
pub const COST: u64 = 250;

/// Native SBI firmware.
#[derive(Clone)]
pub struct Sbi {
    rules: Rules,
    state: State,
}

impl Default for Sbi {
    fn default() -> Sbi {
        Sbi::new(Config::default())
    }
}

impl Sbi {
    /// Firmware that has not booted.
    pub fn new(config: Config) -> Sbi {
        Sbi { rules: config.into(), state: State::default() }
    }

    /// Its state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What it is.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }
}

impl Firmware for Sbi {
    fn boot(&mut self, platform: &mut Platform<'_>, boot: usize, entry: u64, dtb: u64) {
        self.state = State::new(platform.harts.len());
        self.state.sse = Sse::new(&self.rules, platform, boot);
        emulate::hardware::set_up(self.rules.policies.ras_events, platform);
        for h in platform.harts.iter_mut() {
            boot::hold(h);
        }
        if let Some(h) = platform.harts.get_mut(boot) {
            boot::start(h, platform.bus, entry, dtb, &self.rules.domains);
            self.state.set(boot, HartState::Started);
        }
        for b in self.rules.domains.boots() {
            if let Some(i) = harts::index_of(platform, b.hart).filter(|i| *i != boot) {
                boot::start(&mut platform.harts[i], platform.bus, b.entry, b.arg, &self.rules.domains);
                self.state.set(i, HartState::Started);
            }
        }
    }

    fn partition(&self, ids: &[u64]) -> Partition {
        ids.first().map_or_else(Partition::default, |&boot| self.rules.domains.partition(boot, ids))
    }

    fn step(&mut self, platform: &mut Platform<'_>, hart: usize) -> FwStep {
        let Some(stage) = self.state.work.get(hart).map(|w| w.stage) else {
            return FwStep::Fatal("a trap on a hart the firmware does not know");
        };
        match stage {
            Stage::Idle | Stage::Answer => self.answer(platform, hart),
            Stage::Events => self.events(platform, hart),
            Stage::Return => self.leave(platform, hart),
        }
    }

    fn doing(&self, hart: &Hart, index: usize) -> (&'static str, u64) {
        let work = self.state.work.get(index);
        let what = match work.map(|w| w.stage) {
            Some(Stage::Events) => "delivery of software events",
            Some(Stage::Return) => "return",
            _ => match Cause::from_bits(hart.csr.mcause) {
                Some(Cause::Exception(Exception::EcallS)) => {
                    let (fid, eid) = (hart.x[16], hart.x[17]);
                    let function = ext::find(eid, &self.rules, hart).and_then(|e| e.function(eid, fid));
                    function.map_or("an unknown call", |f| f.name)
                }
                Some(cause) => cause.name(),
                None => "an unknown trap",
            },
        };
        (what, work.map_or(0, |w| w.at) + 1)
    }

    fn raise(&mut self, platform: &mut Platform<'_>, event: u64, hart: usize) -> Result<(), &'static str> {
        let event = u32::try_from(event).map_err(|_| "a software event's id has 32 bits")?;
        if hart >= platform.harts.len() {
            return Err("there is no such hart");
        }
        sse::raise(&mut self.call(platform, hart), event).map_err(SbiError::name)
    }

    fn ras(&mut self, platform: &mut Platform<'_>, signal: Signal) {
        // An error of the memory they share is an event in every group of harts that has global events of its own.
        let harts = signal.hart.map_or_else(|| self.state.sse.groups().collect(), |h| vec![h]);
        for hart in harts {
            if hart < platform.harts.len() {
                emulate::hardware::signalled(&mut self.call(platform, hart), signal);
            }
        }
    }

    fn state(&mut self, io: &mut dyn StateIo) {
        self.state.visit(io);
    }

    fn as_any(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }

    fn fork(&self) -> Box<dyn Firmware> {
        Box::new(self.clone())
    }
}

impl Sbi {
    /// One step of the answer to the trap.
    fn answer(&mut self, platform: &mut Platform<'_>, hart: usize) -> FwStep {
        let h = &platform.harts[hart];
        if leave::previous(h) == Mode::M {
            return FwStep::Fatal("a trap in M-mode itself, where native firmware runs no instruction");
        }
        let Some(cause) = Cause::from_bits(h.csr.mcause) else {
            return FwStep::Fatal("a trap into M-mode with an unknown mcause");
        };
        let mut before = None;
        let outcome = match cause {
            Cause::Exception(Exception::EcallS) => self.ecall(platform, hart),
            _ => {
                before = platform.observer.is_some().then(|| Before::of(h, platform.bus));
                let mut call = self.call(platform, hart);
                let guest = ext::nacl::taken(&mut call, cause);
                guest.unwrap_or_else(|| emulate::trap(&mut call, cause))
            }
        };
        let work = &mut self.state.work[hart];
        work.stage = Stage::Answer;
        match outcome {
            Outcome::More => return FwStep::More,
            Outcome::Spin => return FwStep::Spin,
            _ => {}
        }
        (work.at, work.words) = (0, Default::default());
        match outcome {
            Outcome::Trap(trap) => {
                self.redirect(&mut platform.harts[hart], platform.bus, trap);
                if !leave::previous(&platform.harts[hart]).virt() {
                    ext::nacl::left(&mut self.call(platform, hart));
                }
            }
            Outcome::Held => {
                self.state.work[hart].stage = Stage::Idle;
                return FwStep::Done { cost: COST };
            }
            Outcome::Request(r) => {
                self.state.work[hart].stage = Stage::Idle;
                return FwStep::Request(r);
            }
            Outcome::Fatal(text) => return FwStep::Fatal(text),
            Outcome::More | Outcome::Spin | Outcome::Return(_) | Outcome::Refused(..) | Outcome::Placed => {}
        }
        if let Some(before) = before {
            let (h, bus) = (&platform.harts[hart], &*platform.bus);
            let mut fields = vec![record::same("tval", h.csr.mtval)];
            fields.append(&mut before.changed(h, bus));
            platform.record(hart, "trap", cause.name(), || fields);
        }
        let cyclic = self.state.sse.harts[hart].cyclic && !self.state.sse.harts[hart].masked;
        if cyclic || sse::candidate(&self.rules, &self.state, hart).is_some() {
            self.state.work[hart].stage = Stage::Events;
            return FwStep::More;
        }
        self.leave(platform, hart)
    }

    /// The supervisor gets the exception. That it gets the landing-pad state with it is what [`BugId::ElpNotRedirected`] forgets.
    fn redirect(&self, h: &mut Hart, bus: &Bus, trap: Trap) {
        if !self.rules.bugs.has(BugId::ElpNotRedirected) {
            return leave::redirect(h, bus, trap);
        }
        let now = h.now(bus);
        let elp = h.csr.mstatus & field::mstatus::MPELP;
        h.csr.poke(table::MSTATUS, h.csr.mstatus & !elp, &now);
        leave::redirect(h, bus, trap);
        h.csr.poke(table::MSTATUS, h.csr.mstatus | elp, &now);
    }

    /// One step of the delivery of software events, between the answer and the return.
    fn events(&mut self, platform: &mut Platform<'_>, hart: usize) -> FwStep {
        match sse::deliver(&mut self.call(platform, hart)) {
            Outcome::More => FwStep::More,
            Outcome::Spin => FwStep::Spin,
            Outcome::Fatal(text) => FwStep::Fatal(text),
            _ => {
                self.state.work[hart].stage = Stage::Return;
                FwStep::More
            }
        }
    }

    /// `mret`.
    fn leave(&mut self, platform: &mut Platform<'_>, hart: usize) -> FwStep {
        if ext::nacl::shares(&self.state.nacl[hart]) {
            ext::nacl::entered(&mut self.call(platform, hart));
        }
        leave::mret(&mut platform.harts[hart], platform.bus);
        self.state.work[hart].stage = Stage::Idle;
        FwStep::Done { cost: COST }
    }

    fn call<'a, 'p>(&'a mut self, platform: &'a mut Platform<'p>, hart: usize) -> Call<'a, 'p> {
        let mut args = [0; 6];
        args.copy_from_slice(&platform.harts[hart].x[10..16]);
        Call { rules: &self.rules, state: &mut self.state, platform, hart, args }
    }

    /// One step of an `ecall` from HS-mode.
    fn ecall(&mut self, platform: &mut Platform<'_>, hart: usize) -> Outcome {
        let h = &platform.harts[hart];
        let (fid, eid) = (h.x[16], h.x[17]);
        let extension = ext::find(eid, &self.rules, h);
        let function = extension.and_then(|e| e.function(eid, fid));
        let before = platform.observer.is_some().then(|| Before::of(h, platform.bus));
        let mut call = self.call(platform, hart);
        let args = call.args;
        let outcome = match function {
            Some(f) => (f.run)(&mut call),
            None => SbiError::NotSupported.into(),
        };
        if let Outcome::Return(result) = outcome {
            let h = &mut platform.harts[hart];
            let reserved = eid <= ext::LAST_LEGACY && self.rules.policies.reserved_legacy == ReservedLegacy::One;
            give(h, reserved || extension.is_some_and(Extension::legacy), result);
            leave::past(h, 4);
        }
        if let Outcome::Refused(e, value) = outcome {
            let h = &mut platform.harts[hart];
            (h.x[10], h.x[11]) = (e.code(), value);
            leave::past(h, 4);
        }
        if !matches!(outcome, Outcome::More | Outcome::Spin) {
            let name = function.map_or("unknown", |f| f.name);
            let mut fields = Vec::new();
            if let Some(before) = before {
                fields = record::call(function, (eid, fid), &args, outcome);
                fields.append(&mut before.changed(&platform.harts[hart], platform.bus));
            }
            platform.record(hart, "call", name, || fields);
        }
        outcome
    }
}

/// Puts a result where the caller looks for it. Legacy calls have one result, in a0, and change no other register.
fn give(h: &mut Hart, legacy: bool, result: Result<u64, SbiError>) {
    if legacy {
        h.x[10] = result.unwrap_or_else(SbiError::code);
        return;
    }
    (h.x[10], h.x[11]) = match result {
        Ok(value) => (0, value),
        Err(e) => (e.code(), 0),
    };
}
