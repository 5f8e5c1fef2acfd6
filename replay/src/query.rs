//! Questions about a run: who wrote this last, when did that hold first. Every answer is a position, so that a debugger can be put there.
//!
//! Questions look at the run before (or after) the timeline's present position. They leave the timeline at the position of the answer: the
//! moment before what they answer happened; with no answer, where it was.

mod changes;

use emu_core::engine::breaks::{Hit, Watchpoint};
use emu_core::insn::File;
use emu_core::machine::Machine;
use emu_core::mem::Access;
use emu_core::observer::FwRecord;

use crate::debug::{self, Breakpoints, Progress, Stopped};
use crate::error::ReplayError;
use crate::ledger::{Entry, FieldName, Ledger, last_writer};
use crate::timeline::{Each, Halt, Position, Timeline};

/// What was asked for, and where.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The moment before it.
    pub at: Position,
    /// Hart index, if a hart did it.
    pub hart: Option<usize>,
    /// Instructions that this hart had retired.
    pub instret: u64,
    /// Its program counter then.
    pub pc: u64,
    /// What it was.
    pub what: What,
}

/// What an answer names.
#[derive(Clone, Debug)]
pub enum What {
    /// An entry of the ledger.
    Entry(Box<Entry>),
    /// A value changed (or was written again).
    Value {
        /// Before.
        before: u64,
        /// After.
        after: u64,
        /// Who wrote it, in words, if it was no instruction: a device, firmware.
        by: Option<String>,
    },
    /// The predicate holds from here on.
    Holds,
}

/// A state of a software event (SBI 3.0, "Software event states").
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum EventState {
    Unused,
    Registered,
    Enabled,
    Running,
}

impl EventState {
    /// All, in order.
    pub const ALL: [EventState; 4] = [EventState::Unused, EventState::Registered, EventState::Enabled, EventState::Running];

    /// `running`.
    pub fn name(self) -> &'static str {
        ["unused", "registered", "enabled", "running"][self as usize]
    }

    /// The state that a transition leaves, by the name of the firmware's record.
    fn left_by(record: &str) -> Option<EventState> {
        Some(match record {
            "registered" => EventState::Unused,
            "unregistered" | "enabled" => EventState::Registered,
            "disabled" | "inject" => EventState::Enabled,
            "completed" => EventState::Running,
            _ => return None,
        })
    }
}

/// Cycles of all harts together that are looked at step by step where a search has narrowed a write down to so few.
const WINDOW: u64 = 1 << 12;

fn at_hart(t: &Timeline, hart: usize, what: What) -> Answer {
    let h = t.machine().harts().get(hart);
    Answer { at: t.position(), hart: h.map(|_| hart), instret: h.map_or(0, |h| h.instret), pc: h.map_or(0, |h| h.pc), what }
}

/// Goes to the last moment at which entry number `index` of those since `low`, which is this one, had not happened: the step that its hart
/// makes next makes it.
fn at_entry(t: &mut Timeline, low: Position, index: u64, e: Entry) -> Result<Answer, ReplayError> {
    let hart = e.hart();
    t.seek(low)?;
    // With no room it only counts.
    let ledger = Ledger::new(0);
    let shared = ledger.clone();
    t.observe(Some(std::rc::Rc::new(move || Box::new(shared.clone()))));
    let found = before_entry(t, hart, e.instret(), &|| ledger.dropped() > index);
    t.observe(None);
    t.seek(found?)?;
    Ok(at_hart(t, hart, What::Entry(Box::new(e))))
}

/// The last position of a hart before `happened`, from here on, where it has about so many instructions behind it in one of the boots to come.
fn before_entry(t: &mut Timeline, hart: usize, instret: u64, happened: &dyn Fn() -> bool) -> Result<Position, ReplayError> {
    loop {
        let boot = t.position().boot;
        let mut at = t.position();
        t.run_to_hart_instret(boot, hart, instret.saturating_sub(1))?;
        while !happened() && t.position().boot == boot && t.machine().harts().get(hart).is_some_and(|h| h.instret <= instret) {
            at = t.position();
            if t.step_forward(hart, 1, &mut ())? != Halt::There {
                break;
            }
        }
        if happened() {
            return Ok(at);
        }
        if t.position().boot == boot {
            let next = Position { boot: boot + 1, elapsed: 0, instret: 0 };
            if t.run_forward(Some(next), &mut ())? != Halt::There {
                return Ok(at);
            }
        }
    }
}

/// What last changed a CSR, or a field of it, on a hart: an instruction, a trap, a return, firmware; or something that none of those names: a
/// floating-point operation that sets a flag or makes the state dirty, a line that makes an interrupt pending.
pub fn csr_writer(
    t: &mut Timeline,
    hart: usize,
    field: &FieldName,
    progress: Progress<'_>,
) -> Result<Option<Answer>, ReplayError> {
    let end = t.position();
    let number = emu_csr::table::by_name(field.register);
    let value = |m: &Machine| {
        let h = m.harts().get(hart);
        h.and_then(|h| h.csr.peek(number?, &h.now(m.bus()))).map_or(0, |v| field.of(v))
    };
    let mut named = None;
    debug::each_part(t, progress, |low, entries| {
        if let Some((i, _, _)) = last_writer(&entries, hart, field) {
            named = entries.get(i).map(|e| (low, i as u64, e.clone()));
        }
        named.is_none()
    })?;
    let answer = match named {
        Some((low, index, e)) => Some(at_entry(t, low, index, e)?),
        None => None,
    };
    // What came later than that, and changed it all the same.
    let low = match &answer {
        Some(_) => {
            t.step_forward(hart, 1, &mut ())?;
            t.position()
        }
        None => t.checkpoints().first().copied().unwrap_or(end),
    };
    if let Some(later) = changes::last(t, low.min(end), end, hart, &value, !field.is_pending(), progress)? {
        return Ok(Some(later));
    }
    t.seek(answer.as_ref().map_or(end, |a| a.at))?;
    Ok(answer)
}

/// The last entry before the present position, or the first after it, of which `is` holds: a trap of a kind, a call, a transition.
pub fn entry(
    t: &mut Timeline,
    forward: bool,
    is: &dyn Fn(&Entry) -> bool,
    progress: Progress<'_>,
) -> Result<Option<Answer>, ReplayError> {
    if !forward {
        let mut last = None;
        debug::each_part(t, progress, |low, entries| {
            last = entries.into_iter().enumerate().rev().find(|(_, e)| is(e)).map(|(i, e)| (low, i as u64, e));
            last.is_none()
        })?;
        return match last {
            Some((low, index, e)) => at_entry(t, low, index, e).map(Some),
            None => Ok(None),
        };
    }
    /// Cycles of all harts together between two looks at what has happened.
    const PART: u64 = 1 << 20;
    let from = t.position();
    loop {
        let low = t.position();
        progress(low);
        let ledger = Ledger::new(usize::MAX);
        let shared = ledger.clone();
        t.observe(Some(std::rc::Rc::new(move || Box::new(shared.clone()))));
        let to = Position { elapsed: low.elapsed + PART, ..low };
        let halt = t.run_forward(Some(to), &mut ())?;
        t.observe(None);
        if let Some((i, e)) = ledger.take().into_iter().enumerate().find(|(_, e)| is(e)) {
            return at_entry(t, low, i as u64, e).map(Some);
        }
        if halt != Halt::There {
            t.seek(from)?;
            return Ok(None);
        }
    }
}

/// When a software event last left a state (`None`: any state).
pub fn event_left(t: &mut Timeline, event: u64, state: Option<EventState>) -> Result<Option<Answer>, ReplayError> {
    let of = |r: &FwRecord| r.fields.iter().any(|f| f.name == "event_id" && f.after == event);
    let left = |e: &Entry| match e {
        Entry::Firmware(r) if r.kind == "sse" && of(r) => {
            EventState::left_by(r.name).is_some_and(|s| state.is_none_or(|want| want == s))
        }
        _ => false,
    };
    entry(t, false, &left, &mut |_| {})
}

/// The first position after the beginning of the run, and not after the present one, at which a predicate holds. Looks at every step.
pub fn first(t: &mut Timeline, holds: &mut dyn FnMut(&mut Machine) -> bool) -> Result<Option<Answer>, ReplayError> {
    let end = t.position();
    let Some(start) = t.checkpoints().first().copied() else { return Ok(None) };
    t.seek(start)?;
    let found = t.inspect(&mut *holds) || t.run_forward(Some(end), &mut Each(holds))? == Halt::Found;
    if !found {
        t.seek(end)?;
        return Ok(None);
    }
    Ok(Some(Answer { at: t.position(), hart: None, instret: 0, pc: 0, what: What::Holds }))
}

/// A register that instructions write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Register {
    /// Integer, by number.
    X(usize),
    /// Floating-point.
    F(usize),
}

impl Register {
    fn of(self, m: &Machine, hart: usize) -> u64 {
        m.harts().get(hart).map_or(0, |h| match self {
            Register::X(n) => h.x[n & 31],
            Register::F(n) => h.f[n & 31],
        })
    }
}

/// The last instruction of a hart that wrote a register, also with the value that it had.
pub fn register_writer(
    t: &mut Timeline,
    hart: usize,
    register: Register,
    progress: Progress<'_>,
) -> Result<Option<Answer>, ReplayError> {
    let end = t.position();
    let mut reach = 64;
    loop {
        let halt = t.step_back(hart, reach)?;
        let mut last = None;
        // Steps of this hart up to the present, and of each: whether its instruction has the register as its destination.
        while t.position() < end {
            let before = t.position();
            let value = |m: &Machine| register.of(m, hart);
            progress(before);
            let (names, old) = (t.inspect(|m| writes(m, hart, register)), value(t.machine()));
            if t.step_forward(hart, 1, &mut ())? != Halt::There || t.position() > end {
                break;
            }
            let new = value(t.machine());
            if names && t.machine().harts()[hart].instret > 0 || new != old {
                last = Some((before, old, new));
            }
        }
        if let Some((at, before, after)) = last {
            t.seek(at)?;
            return Ok(Some(at_hart(t, hart, What::Value { before, after, by: None })));
        }
        t.seek(end)?;
        if halt == Halt::Start {
            return Ok(None);
        }
        reach *= 8;
    }
}

/// Whether the instruction at a hart's pc has this register as its destination.
fn writes(m: &mut Machine, hart: usize, register: Register) -> bool {
    let Some(pc) = m.harts().get(hart).map(|h| h.pc) else { return false };
    let mut raw = [0; 4];
    let n = m.peek_virtual(hart, pc, &mut raw);
    if n < 2 {
        return false;
    }
    let word = u32::from_le_bytes(raw);
    let (word, len) = if word & 3 == 3 { (word, 4) } else { (word & 0xffff, 2) };
    let insn = m.decoder().decode(word, len);
    match register {
        Register::X(n) => matches!(insn.def.operands.0, File::X) && usize::from(insn.rd) == n,
        Register::F(n) => matches!(insn.def.operands.0, File::F) && usize::from(insn.rd) == n,
    }
}

/// The last store to one of `len` bytes at a virtual address, as the harts see it.
pub fn virtual_writer(t: &mut Timeline, va: u64, len: u64, progress: Progress<'_>) -> Result<Option<Answer>, ReplayError> {
    let end = t.position();
    let watched = vec![Watchpoint { first: va, last: va.saturating_add(len.max(1) - 1), load: false, store: true }];
    let mut poll = || {
        progress(end);
        true
    };
    let mut finder = Breakpoints { just_written: true, ..Breakpoints::new(&[], &watched, &mut poll) };
    if t.run_back(None, &mut finder)? != Halt::Found {
        t.seek(end)?;
        return Ok(None);
    }
    let (hart, by) = match finder.kept {
        Some(Stopped::Hart(hart, Hit::Foreign { by, .. })) => (hart, Some(t.machine().bus().writer(by))),
        Some(Stopped::Hart(hart, _)) => (hart, None),
        _ => (0, None),
    };
    let read = |t: &mut Timeline| {
        let mut bytes = [0; 8];
        t.inspect(|m| m.peek_virtual(hart, va, &mut bytes[..len.clamp(1, 8) as usize]));
        u64::from_le_bytes(bytes)
    };
    if by.is_some() {
        // The run has stopped behind the write.
        let after = read(t);
        t.step_back(hart, 1)?;
        let before = read(t);
        return Ok(Some(at_hart(t, hart, What::Value { before, after, by })));
    }
    let (at, before) = (t.position(), read(t));
    t.step_forward(hart, 1, &mut ())?;
    let after = read(t);
    t.seek(at)?;
    Ok(Some(at_hart(t, hart, What::Value { before, after, by })))
}

/// What last changed a doubleword of RAM, by its physical address: a hart's store, firmware, or a device. Parts of the run in which its page was
/// not written are not looked at: a page that two forks still share was not.
pub fn physical_writer(t: &mut Timeline, pa: u64, progress: Progress<'_>) -> Result<Option<Answer>, ReplayError> {
    let pa = pa & !7;
    let end = t.position();
    let value = |m: &Machine| m.bus().ram.read(pa, 8).unwrap_or(0);
    let mut high = end;
    while let Some(low) = t.checkpoints().into_iter().rfind(|p| *p < high && p.boot == end.boot) {
        progress(low);
        t.seek(low)?;
        let base = fork(t)?;
        t.run_forward(Some(high), &mut ())?;
        if !base.bus().ram.shares_page(&t.machine().bus().ram, pa)
            && let Some(answer) = narrow(t, low, high, &value, pa)?
        {
            return Ok(Some(answer));
        }
        high = low;
    }
    t.seek(end)?;
    Ok(None)
}

fn fork(t: &Timeline) -> Result<Machine, ReplayError> {
    t.machine().fork().map_err(|e| ReplayError::Machine(e.to_string()))
}

/// Looks for the last change between two positions: in the later half first, if its page was written there at all.
fn narrow(
    t: &mut Timeline,
    low: Position,
    high: Position,
    value: &dyn Fn(&Machine) -> u64,
    pa: u64,
) -> Result<Option<Answer>, ReplayError> {
    if high.elapsed - low.elapsed > WINDOW {
        let middle = Position { elapsed: low.elapsed + (high.elapsed - low.elapsed) / 2, ..low };
        for (from, to) in [(middle, high), (low, middle)] {
            t.seek(from)?;
            let base = fork(t)?;
            t.run_forward(Some(to), &mut ())?;
            if !base.bus().ram.shares_page(&t.machine().bus().ram, pa)
                && let Some(answer) = narrow(t, from, to, value, pa)?
            {
                return Ok(Some(answer));
            }
        }
        return Ok(None);
    }
    t.seek(low)?;
    t.inspect(|m| {
        m.set_breaks(&[], &[]);
        m.bus_mut().ram.set_journal(true, false);
    });
    let mut last = None;
    let mut before = (t.position(), value(t.machine()), turns(t.machine()));
    while t.position() < high {
        let next = Position { elapsed: t.position().elapsed + 1, ..low };
        if t.run_forward(Some(next), &mut ())? != Halt::There {
            break;
        }
        let now = (t.position(), value(t.machine()), turns(t.machine()));
        let others = t.inspect(|m| m.bus_mut().ram.take_accesses());
        if now.1 != before.1 {
            let hart = before.2.iter().zip(&now.2).position(|(a, b)| a != b);
            let meets = |w: &&Access| w.pa < pa + 8 && pa < w.pa.saturating_add(w.len);
            let by = others.iter().rfind(meets).map(|w| t.machine().bus().writer(w.by));
            last = Some((before.0, hart, before.1, now.1, by));
        }
        before = now;
    }
    t.inspect(|m| m.bus_mut().ram.set_journal(false, false));
    let Some((at, hart, before, after, by)) = last else { return Ok(None) };
    t.seek(at)?;
    Ok(Some(at_hart(t, hart.unwrap_or(usize::MAX), What::Value { before, after, by })))
}

/// Which hart has done something shows in its cycles.
fn turns(m: &Machine) -> Vec<u64> {
    m.harts().iter().map(|h| h.cycles).collect()
}
