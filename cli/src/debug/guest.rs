//! A run with a history as the debugger's server sees it.

use std::path::Path;
use std::time::Instant;

use emu_core::engine::breaks::Hit;
use emu_core::machine::{Machine, RunEnd};
use gdbstub::stub::MultiThreadStopReason as Reason;
use gdbstub::target::ext::base::reverse_exec::ReplayLogPosition;
use replay::debug::{self, Breakpoints, Moved};
use replay::ledger::{Entry, FieldName};
use replay::log::Decision;
use replay::oracle::Violation;
use replay::query::{What, csr_writer};
use replay::symbols::Symbols;
use replay::timeline::{Halt, Place, Position, Timeline};

use super::Travel;
use crate::config::Config;
use crate::console::escape::Escape;
use crate::console::input::{self, Event};
use crate::console::output::clean;
use crate::console::raw::Raw;
use crate::exit::CliError;
use crate::gdb::listen::Inbound;
use crate::gdb::{Advance, Back, Guest, Resume, Say, Stops, Writer, tid, trapped};
use crate::query;
use crate::recording::snapshot;
use crate::report::words;
use crate::session::{End, place};

/// Cycles of all harts together between two looks at what has come in.
const SLICE: u64 = 20_000_000;

impl Travel {
    /// Takes over the terminal.
    pub fn new(timeline: Timeline, config: Config, symbols: Symbols, live: bool) -> Result<Travel, CliError> {
        let raw = if live { Raw::enter()? } else { None };
        let (sender, events) = input::start()?;
        Ok(Travel {
            timeline,
            config,
            symbols,
            events,
            sender: Some(sender),
            raw,
            open: true,
            escape: Escape::default(),
            stop: None,
            inbox: Default::default(),
            live,
            told_typist: false,
            halted: true,
            attached: false,
            stops: Stops::default(),
            want: Resume::default(),
            told: None,
        })
    }

    /// Moves the run as the debugger wants it.
    fn moved(&mut self) -> Result<Moved, CliError> {
        let mut seen = Vec::new();
        let events = &self.events;
        let mut poll = || {
            while let Ok(e) = events.try_recv() {
                let stop = match &e {
                    Event::Debugger(Inbound::Bytes(b)) => b.contains(&3),
                    Event::Debugger(Inbound::Gone) | Event::Stop(_) => true,
                    _ => false,
                };
                seen.push(e);
                if stop {
                    return false;
                }
            }
            true
        };
        let plain = self.want.steps.iter().find(|s| s.1 >= s.2).map(|s| s.0);
        let mut finder = Breakpoints::new(&self.stops.pcs(), &self.stops.watchpoints(), &mut poll);
        finder.steps.clone_from(&self.want.steps);
        (finder.told, finder.oracles) = (self.told, true);
        let t = &mut self.timeline;
        let back = self.want.back.take();
        let moved = match (back, plain) {
            (Some(Back::Step(hart)), _) => debug::step_back(t, hart),
            (Some(Back::Continue), _) => debug::back(t, &mut finder),
            (None, Some(hart)) => {
                // Others may step, too; whichever is first ends it.
                finder.steps.retain(|s| s.0 != hart);
                debug::step(t, hart, &mut finder)
            }
            (None, None) => debug::forward(t, &mut finder, SLICE),
        };
        let moved = moved.map_err(CliError::replay)?;
        self.told = match moved {
            Moved::Stopped(hart, hit) => {
                debug::told(&self.timeline, hart, back.is_none() && matches!(hit, Hit::Watchpoint { .. }))
            }
            _ => None,
        };
        let output = self.timeline.take_output();
        self.print(&output)?;
        seen.into_iter().try_for_each(|e| self.event(e))?;
        Ok(moved)
    }

    /// The end of what is known, told as such, so that the debugger can go back from there.
    fn at_end(&self, text: String) -> Advance {
        // GDB wants a thread of a machine with several; that of the step which the end has cut short, if there is one.
        let hart = self.want.steps.first().map_or(0, |s| s.0);
        Advance::Said(text, Reason::ReplayLog { tid: Some(tid(hart)), pos: ReplayLogPosition::End })
    }
}

/// Says where a long operation is, once a second.
fn patience<'a>(say: Say<'a>) -> impl FnMut(Position) + 'a {
    let mut last = Instant::now();
    move |at| {
        if last.elapsed().as_millis() >= 1000 {
            last = Instant::now();
            say(&format!("... at {at}\n"));
        }
    }
}

impl Guest for Travel {
    fn look(&self) -> &Machine {
        self.timeline.machine()
    }

    fn inspect(&mut self) -> &mut Machine {
        self.timeline.inspect_mut()
    }

    fn change(&mut self) -> &mut Machine {
        self.timeline.machine_mut()
    }

    fn is_fixed(&self) -> Option<&'static str> {
        (!self.live).then_some("a replayed run takes no changes; 'monitor live' lets it go on by itself from here")
    }

    fn has_history(&self) -> bool {
        true
    }

    fn attach(&mut self) {
        self.attached = true;
    }

    fn detach(&mut self) {
        self.attached = false;
        self.stops = Stops::default();
        self.want = Resume::default();
    }

    fn poll(&mut self) -> Result<(), CliError> {
        while let Ok(e) = self.events.try_recv() {
            self.event(e)?;
        }
        Ok(())
    }

    fn wait_for_more(&mut self) -> Result<(), CliError> {
        match self.events.recv() {
            Ok(e) => self.event(e),
            Err(_) => {
                self.stop = Some(End::Quit);
                Ok(())
            }
        }
    }

    fn take_stop(&mut self) -> Option<End> {
        self.stop.take()
    }

    fn inbound(&mut self) -> Option<Inbound> {
        self.inbox.pop_front()
    }

    fn resume(&mut self, stops: Stops, resume: &Resume) {
        self.stops = stops;
        self.want = resume.clone();
    }

    fn advance(&mut self) -> Result<Advance, CliError> {
        let moved = self.moved()?;
        Ok(match moved {
            Moved::Going => Advance::Going,
            Moved::Stopped(hart, hit) => self.stops.stop(self.look(), hart, hit),
            Moved::Violated(v) => {
                let here = self.timeline.position();
                let all = self.timeline.violations().into_iter().filter(|(p, _)| *p == here);
                let texts: Vec<String> = all.map(|(_, v)| v.text(|a| self.symbols.text(a))).collect();
                Advance::Said(texts.join("\n"), trapped(v.hart))
            }
            Moved::Begin => Advance::Stopped(Reason::ReplayLog { tid: Some(tid(0)), pos: ReplayLogPosition::Begin }),
            Moved::End(RunEnd::AllAsleep { .. }) if self.live && self.open && self.timeline.to_come() == 0 => {
                self.wait_for_more()?;
                Advance::Going
            }
            Moved::Recorded(_) | Moved::End(_) if !self.attached => Advance::Ended(End::Quit),
            Moved::Recorded(reason) => self.at_end(format!("the recording ends here: {}", clean(&reason))),
            Moved::End(end) => self.at_end(format!("the run ends here: {}", words(&End::Machine(end)))),
        })
    }

    fn recent(&mut self, count: usize, hart: Option<usize>, say: Say<'_>) -> Result<Vec<Entry>, CliError> {
        let keep = |e: &Entry| hart.is_none_or(|h| h == e.hart());
        debug::recent(&mut self.timeline, count, keep, &mut patience(say)).map_err(CliError::replay)
    }

    fn last_writer(&mut self, hart: usize, field: &FieldName, say: Say<'_>) -> Result<Writer, CliError> {
        let here = self.timeline.position();
        let t = &mut self.timeline;
        let found = csr_writer(t, hart, field, &mut patience(say)).map_err(CliError::replay)?;
        t.seek(here).map_err(CliError::replay)?;
        let never = || "not changed since the run began\n".to_owned();
        Ok(found.ok_or_else(never).and_then(|answer| match answer.what {
            What::Entry(e) => e.change_of(field).map(|(before, after)| (*e, before, after)).ok_or_else(never),
            What::Holds => Err(never()),
            What::Value { before, after, .. } => Err(format!(
                "changed from {before:#x} to {after:#x}, by nothing that the ledger names, before:\n{}",
                query::place(&answer, &self.symbols)
            )),
        }))
    }

    fn violations(&self) -> Option<Vec<String>> {
        let line = |(at, v): (Position, Violation)| format!("before {at}: {}", v.text(|a| self.symbols.text(a)));
        self.timeline.is_checked().then(|| self.timeline.violations().into_iter().map(line).collect())
    }

    fn back_to(&mut self, of: &str, hart: usize, say: Say<'_>) -> Result<String, CliError> {
        let found = match query::writer(&mut self.timeline, of, hart, &self.symbols, &mut patience(say)) {
            Err(CliError::Usage { what, remedy }) => return Ok(format!("{what}; {remedy}\n")),
            other => other?,
        };
        self.told = None;
        Ok(match found {
            Some(answer) => query::text(&answer, &self.symbols),
            None => "not written since the run began\n".to_owned(),
        })
    }

    fn position(&self) -> String {
        let points = self.timeline.checkpoints();
        format!("{}; {} checkpoints, {} recorded events to come\n", place(self.look()), points.len(), self.timeline.to_come())
    }

    fn checkpoints(&self) -> String {
        let points = self.timeline.checkpoints();
        let list: String = points.iter().map(|p: &Position| format!("  {p}\n")).collect();
        format!("{} checkpoints, {} KiB of their own:\n{list}", points.len(), self.timeline.checkpoint_memory() >> 10)
    }

    fn go_to(&mut self, boot: Option<u32>, goal: Place, say: Say<'_>) -> Result<String, CliError> {
        /// Instructions between two looks at the clock.
        const PART: u64 = 10_000_000;
        let began = Instant::now();
        let boot = boot.unwrap_or(self.timeline.position().boot);
        let (goal, instret) = (Place { boot, ..goal }, goal.instret);
        let mut say = patience(say);
        let halt = loop {
            let here = self.timeline.position();
            let next = if here.boot == boot && here.instret < instret {
                instret.min(here.instret.saturating_add(PART))
            } else {
                instret
            };
            let halt = if next < instret { self.timeline.seek_instret(boot, next) } else { self.timeline.seek_place(goal) };
            match halt.map_err(CliError::replay)? {
                Halt::There if next < instret && self.timeline.position().boot == boot => say(self.timeline.position()),
                halt => break halt,
            }
        };
        self.told = None;
        let output = self.timeline.take_output();
        self.print(&output)?;
        let what = match halt {
            Halt::Recorded(reason) => format!(" (the recording ends there: {})", clean(&reason)),
            Halt::End(end) => format!(" (the run ends there: {})", words(&End::Machine(end))),
            _ if self.timeline.position().boot > boot => {
                format!(" (the guest rebooted before that: this is {})", self.timeline.position())
            }
            _ => String::new(),
        };
        Ok(format!("{}{what}, in {:.2} s\n", place(self.look()), began.elapsed().as_secs_f64()))
    }

    fn save(&mut self, file: &Path) -> String {
        match snapshot::save(&self.config, self.timeline.inspect_mut(), file) {
            Ok(id) => format!("saved: {} (id {})", file.display(), crate::report::hex(&id)),
            Err(e) => e.to_string(),
        }
    }

    fn inject(&mut self, name: &str, args: &[u64]) -> Result<(), String> {
        if let Some(why) = self.is_fixed() {
            return Err(why.to_owned());
        }
        let what = Decision::Inject { name: name.to_owned(), args: args.to_vec() };
        self.timeline.decide(what).map_err(|e| e.to_string())
    }

    fn go_live(&mut self) -> String {
        self.timeline.go_live();
        self.live = true;
        "the recorded future is forgotten; the run goes on by itself from here\n".to_owned()
    }
}
