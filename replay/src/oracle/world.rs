//! What the oracles know of a machine: each hart's visit to M-mode, and the software events as the supervisor's calls have made them.

use std::collections::BTreeMap;

use emu_core::hart::Hart;
use emu_csr::{Cause, Interrupt, Mode};
use sbi_model::ext::ids::sse;
use sbi_model::sse::{attr, id, status};

use super::walk::Code;
use super::writers::{Writer, Writers};
use crate::context::Context;

/// mip, mie and mideleg of the counter-overflow interrupt.
pub(super) const LCOFI: u64 = Interrupt::CounterOverflow.mask();

/// An event: the hart index for a local one, and the id.
pub(super) type Key = (Option<usize>, u32);

/// Bits of M-mode's CSRs that belong to event sources and survive suspension.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Sources {
    pub mideleg: u64,
    pub mie: u64,
    pub mip: u64,
    pub mcountinhibit: u64,
}

impl Sources {
    pub fn of(h: &Hart) -> Sources {
        Sources { mideleg: h.csr.mideleg, mie: h.csr.mie, mip: h.csr.mip, mcountinhibit: h.csr.mcountinhibit }
    }
}

/// An ecall from HS-mode, as it entered M-mode.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub eid: u64,
    pub fid: u64,
    pub args: [u64; 6],
    /// The words of the buffer that it names.
    pub buffer: Vec<u64>,
    /// The word before and the word after it.
    pub around: [Option<u64>; 2],
}

/// A visit of a hart to M-mode, from the trap that entered it.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub record: u64,
    pub instret: u64,
    pub pc: u64,
    pub from: Mode,
    pub cause: Cause,
    /// The interrupted context; none while no event is in use.
    pub x: Option<Context>,
    pub sources: Sources,
    pub call: Option<Call>,
    /// Last writers of what `complete` reads, if it is that call.
    pub writers: Vec<Writer>,
    pub sp: u64,
    /// Native firmware has turned the source on since; or has announced the event with the source still off.
    pub enabled: bool,
    pub early: bool,
    /// E17 has said that it does not end.
    pub endless: bool,
}

/// A handler that runs.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub key: Key,
    pub record: u64,
    /// The interrupted context.
    pub x: Context,
    /// Whether its sepc, sstatus and hstatus are known.
    pub exact: bool,
    /// The handler's first context.
    pub entry: Context,
    /// INTERRUPTED_SEPC, FLAGS, A6, A7 as they must be now; none if not known.
    pub attrs: [Option<u64>; 4],
    /// Whether the handler has written one of them.
    pub wrote: bool,
    /// Fields that the handler itself, outside of nested traps, has set to other values than it found, and to which.
    pub chosen: BTreeMap<&'static str, u64>,
    /// Nested traps into HS-mode: how deep now, and how many there were.
    pub depth: u32,
    pub traps: u32,
    /// The last record of a nested trap.
    pub last_trap: u64,
    pub sp: u64,
    /// stvec that the handler itself has set.
    pub stvec: Option<u64>,
}

/// A software event. Unknown parts are none.
#[derive(Clone, Debug, Default)]
pub(super) struct Event {
    pub state: Option<u64>,
    pub pending: Option<bool>,
    /// The record of the signal that made it pending.
    pub signal: u64,
    /// The record of the last delivery.
    pub delivered: u64,
    /// PRIORITY, CONFIG, PREFERRED_HART.
    pub attrs: [Option<u64>; 3],
    /// Whether PREFERRED_HART was written.
    pub chosen: bool,
    pub entry_pc: u64,
    pub entry_arg: u64,
    pub registered: u64,
    /// stvec when it was registered.
    pub vector: u64,
    pub code: Option<Code>,
    /// The hart index that runs its handler.
    pub on: Option<usize>,
    pub supported: Option<bool>,
    /// Since when it could have been delivered: visits of its hart to M-mode, and instructions.
    pub due: Option<(u64, u64)>,
}

impl Event {
    pub fn key(&self, id: u32) -> (u64, u32) {
        (self.attrs[0].unwrap_or(0), id)
    }

    pub fn is(&self, state: u64) -> bool {
        self.state == Some(state)
    }

    /// ENABLED or RUNNING.
    pub fn armed(&self) -> bool {
        self.state.is_some_and(|s| s >= status::ENABLED)
    }
}

/// Physical addresses of instructions: by page, a bit for each halfword.
#[derive(Clone, Debug, Default)]
pub(super) struct Executed(BTreeMap<u64, [u64; 32]>);

impl Executed {
    /// Word and bit of an address in its page.
    fn place(pa: u64) -> (usize, u64) {
        ((pa >> 7 & 31) as usize, 1 << (pa >> 1 & 63))
    }

    pub fn put(&mut self, pa: u64) {
        let (word, bit) = Executed::place(pa);
        self.0.entry(pa >> 12).or_insert([0; 32])[word] |= bit;
    }

    pub fn has(&self, pa: u64) -> bool {
        let (word, bit) = Executed::place(pa);
        self.0.get(&(pa >> 12)).is_some_and(|page| page[word] & bit != 0)
    }
}

/// A hart.
#[derive(Clone, Debug, Default)]
pub(super) struct HartView {
    /// mhartid.
    pub id: u64,
    pub masked: Option<bool>,
    pub masked_at: u64,
    /// Stopped by HSM, or never started.
    pub stopped: bool,
    /// Suspended by HSM; the sources as they were.
    pub suspended: Option<(u64, Sources)>,
    pub visit: Option<Visit>,
    pub running: Vec<Running>,
    /// Visits to M-mode.
    pub visits: u64,
    pub instret: u64,
    /// The last double trap: its pc, instructions retired, record.
    pub doubled: Option<(u64, u64, u64)>,
    /// Whether mideleg had LCOFI before event 0x10000 was ever registered.
    pub delegated: Option<bool>,
    pub writers: Writers,
    /// HS-mode handles a guest-page fault and has not enabled interrupts since: htval and htinst are still to be read.
    pub guest_fault: bool,
    /// Where HS-mode was seen executing.
    pub host: Executed,
}

/// Everything known.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub(super) harts: Vec<HartView>,
    pub(super) events: BTreeMap<Key, Event>,
    /// Number of the record that is being looked at.
    pub(super) record: u64,
    /// Whether the machine was seen from its start.
    known: bool,
}

impl World {
    /// A machine with these mhartids. What has happened is `known` if it has not run.
    pub fn new(ids: &[u64], known: bool) -> World {
        let hart = |id: &u64| HartView { id: *id, masked: known.then_some(true), stopped: known, ..HartView::default() };
        World { harts: ids.iter().map(hart).collect(), known, ..World::default() }
    }

    /// The index of a hart by its mhartid.
    pub(super) fn index(&self, hart_id: u64) -> Option<usize> {
        self.harts.iter().position(|h| h.id == hart_id)
    }

    /// Whether any event is registered.
    pub(super) fn in_use(&self) -> bool {
        !self.known || self.events.values().any(|e| e.state.is_none_or(|s| s != status::UNUSED))
    }

    /// The event of an id as a hart sees it.
    pub(super) fn key(hart: usize, event: u32) -> Key {
        ((!id::is_global(event)).then_some(hart), event)
    }

    pub(super) fn event(&self, key: Key) -> Event {
        let fresh = Event {
            state: Some(status::UNUSED),
            pending: Some(false),
            attrs: [Some(0), Some(0), key.0.and_then(|h| self.harts.get(h)).map(|h| h.id)],
            ..Event::default()
        };
        self.events.get(&key).cloned().unwrap_or(if self.known { fresh } else { Event::default() })
    }

    pub(super) fn event_mut(&mut self, key: Key) -> &mut Event {
        let fresh = self.event(key);
        self.events.entry(key).or_insert(fresh)
    }

    /// Whether an event is for a hart: its own, or a global one that prefers it or has no choice.
    pub(super) fn is_for(&self, hart: usize, key: Key, e: &Event) -> bool {
        match key.0 {
            Some(h) => h == hart,
            None => self.harts.len() == 1 || e.chosen && e.attrs[2] == self.harts.get(hart).map(|h| h.id),
        }
    }

    /// Whether a hart could take an event now, but for others of higher priority that wait too.
    pub(super) fn deliverable(&self, hart: usize, key: Key, e: &Event) -> bool {
        let Some(h) = self.harts.get(hart) else { return false };
        let above = |r: &Running| e.key(key.1) < self.event(r.key).key(r.key.1);
        e.is(status::ENABLED)
            && e.pending == Some(true)
            && h.masked == Some(false)
            && !h.stopped
            && self.is_for(hart, key, e)
            && h.running.iter().all(above)
    }

    /// The event that a hart should take now.
    pub(super) fn next(&self, hart: usize) -> Option<(Key, &Event)> {
        self.events.iter().filter(|(k, e)| self.deliverable(hart, **k, e)).min_by_key(|(k, e)| e.key(k.1)).map(|(k, e)| (*k, e))
    }

    /// A signal has come for an event, since the record `since`.
    pub(super) fn signal(&mut self, key: Key, since: u64) {
        let record = self.record;
        let e = self.event_mut(key);
        if e.delivered > since && e.pending != Some(true) {
            // Another hart has taken it before the call that signals it is over: perhaps with this signal.
            e.pending = None;
        } else if e.armed() && e.pending != Some(true) {
            e.pending = Some(true);
            e.signal = record;
        } else if !e.armed() {
            // The text does not say whether it latches.
            e.pending = None;
        }
    }

    /// Whether another hart is in a call that signals an event to this one. Firmware may deliver it before that call returns.
    pub(super) fn being_signalled(&self, hart: usize, key: Key) -> bool {
        let calls = |h: &HartView| {
            let call = h.visit.as_ref().and_then(Visit::sse).filter(|c| c.fid == sse::INJECT && c.args[0] as u32 == key.1);
            call.is_some_and(|c| key.0.is_none() || self.index(c.args[1]) == key.0)
        };
        self.harts.iter().enumerate().any(|(i, h)| i != hart && calls(h))
    }

    /// An event that was found to be delivered.
    pub(super) fn deliver(&mut self, hart: usize, running: Running) {
        let e = self.event_mut(running.key);
        e.delivered = running.record;
        (e.state, e.pending, e.on, e.due) = (Some(status::RUNNING), Some(false), Some(hart), None);
        if let Some(h) = self.harts.get_mut(hart) {
            h.running.push(running);
        }
    }

    /// The handler that a complete on this hart ends: the one of highest priority.
    pub(super) fn top(&self, hart: usize) -> Option<usize> {
        let h = self.harts.get(hart)?;
        (0..h.running.len()).min_by_key(|&i| (self.event(h.running[i].key).key(h.running[i].key.1), usize::MAX - i))
    }

    /// A handler has completed.
    pub(super) fn complete(&mut self, hart: usize) -> Option<Running> {
        let at = self.top(hart)?;
        let r = self.harts.get_mut(hart)?.running.remove(at);
        let e = self.event_mut(r.key);
        let one_shot = e.attrs[1].map(|c| c & 1 != 0);
        e.state = one_shot.map(|one| if one { status::REGISTERED } else { status::ENABLED });
        if one_shot != Some(false) {
            e.pending = None;
        }
        (e.on, e.due) = (None, None);
        Some(r)
    }

    /// What a successful call of the SSE extension changes, which began with the record `since`.
    pub(super) fn called(&mut self, hart: usize, call: &Call, since: u64, vector: u64, code: Option<Code>) {
        let event = call.args[0] as u32;
        let key = World::key(hart, event);
        let record = self.record;
        if call.fid <= sse::DISABLE {
            self.event_mut(key).supported = Some(true);
        }
        match call.fid {
            sse::WRITE_ATTRS => self.wrote(hart, key, call),
            sse::REGISTER => {
                let e = self.event_mut(key);
                (e.state, e.entry_pc, e.entry_arg) = (Some(status::REGISTERED), call.args[1], call.args[2]);
                (e.registered, e.vector, e.code) = (record, vector, code);
            }
            sse::UNREGISTER => {
                let e = self.event_mut(key);
                (e.state, e.pending) = (Some(status::UNUSED), e.pending.filter(|p| !p));
            }
            sse::ENABLE => self.event_mut(key).state = Some(status::ENABLED),
            sse::DISABLE => {
                let e = self.event_mut(key);
                // The text does not say whether a pending bit stays.
                (e.state, e.pending, e.due) = (Some(status::REGISTERED), e.pending.filter(|p| !p), None);
            }
            sse::INJECT => {
                let target = if id::is_global(event) { None } else { self.index(call.args[1]) };
                if target.is_some() || id::is_global(event) {
                    self.signal((target, event), since);
                }
            }
            sse::HART_UNMASK | sse::HART_MASK => {
                if let Some(h) = self.harts.get_mut(hart) {
                    (h.masked, h.masked_at) = (Some(call.fid == sse::HART_MASK), record);
                }
            }
            _ => {}
        }
    }

    fn wrote(&mut self, hart: usize, key: Key, call: &Call) {
        let first = call.args[1] as u32 as usize;
        for (i, &value) in call.buffer.iter().enumerate() {
            let at = first + i;
            match at {
                attr::PRIORITY | attr::CONFIG | attr::PREFERRED_HART => {
                    let e = self.event_mut(key);
                    e.attrs[at - attr::PRIORITY] = Some(value);
                    e.chosen |= at == attr::PREFERRED_HART;
                }
                attr::SEPC..=attr::A7 => {
                    let running = self.harts.get_mut(hart).and_then(|h| h.running.iter_mut().find(|r| r.key == key));
                    if let Some(r) = running {
                        r.wrote |= r.attrs[at - attr::SEPC] != Some(value);
                        r.attrs[at - attr::SEPC] = Some(value);
                    }
                }
                _ => {}
            }
        }
    }

    /// A hart has stopped: what becomes of its events is the firmware's business until the supervisor says something of them again.
    pub(super) fn stopped(&mut self, hart: usize) {
        let id = self.harts.get(hart).map(|h| h.id);
        for (key, e) in &mut self.events {
            let own = key.0 == Some(hart) || e.on == Some(hart) || key.0.is_none() && e.attrs[2] == id;
            if own {
                *e = Event { supported: e.supported, ..Event::default() };
            }
        }
        if let Some(h) = self.harts.get_mut(hart) {
            h.running.clear();
            (h.stopped, h.masked) = (true, None);
        }
    }
}
