//! A visit to M-mode from its trap to its return: what it was, told from the outside.

use emu_core::observer::{FwRecord, TrapEntry, TrapReturn};
use emu_csr::table::{self, field};
use emu_csr::{Cause, Change, Exception, Interrupt, Mode};
use sbi_model::ext::ids::{hsm, sse};
use sbi_model::sse::{attr, flag, id, status};

use super::codes;
use super::fact::{At, Fact};
use super::monitor::Inner;
use super::walk::Code;
use super::world::{Call, Key, LCOFI, Running, Sources, Visit, World};
use crate::context::Context;

/// What `complete` reads of a handler's registers.
const READ_BY_COMPLETE: [&str; 5] = ["hstatus.SPV", "sstatus.SPP", "sstatus.SPIE", "sepc", "sstatus.SPELP"];

impl Visit {
    /// The pc after an ecall.
    pub fn next(&self) -> u64 {
        self.pc.wrapping_add(4)
    }

    /// The ids of the ecall that it is.
    pub fn ids(&self) -> Option<(u64, u64)> {
        self.call.as_ref().map(|c| (c.eid, c.fid))
    }

    /// Its call, if that is one of the SSE extension's.
    pub fn sse(&self) -> Option<&Call> {
        self.call.as_ref().filter(|c| c.eid == sse::EID)
    }
}

impl World {
    /// The visit that a trap into M-mode begins.
    pub(super) fn visit(&self, e: &TrapEntry, at: At<'_>) -> Visit {
        let h = at.hart;
        let from_hs = e.cause == Cause::Exception(Exception::EcallS) && e.from == Mode::HS;
        let call = from_hs.then(|| call(at));
        let x = self.in_use().then(|| {
            let mut x = Context::of(h, at.bus);
            // The trap has moved it there.
            x.elp = h.csr.mstatus & field::mstatus::MPELP != 0;
            (x.mode, x.pc) = (e.from, e.pc);
            x
        });
        let completes = call.as_ref().is_some_and(|c| (c.eid, c.fid) == (sse::EID, sse::COMPLETE));
        let writers = &self.harts[at.index].writers;
        let writers = if completes { READ_BY_COMPLETE.iter().filter_map(|f| writers.of(f)).collect() } else { Vec::new() };
        Visit {
            record: self.record,
            instret: e.instret,
            pc: e.pc,
            from: e.from,
            cause: e.cause,
            x,
            sources: Sources::of(h),
            call,
            writers,
            sp: h.x[2],
            enabled: false,
            early: false,
            endless: false,
        }
    }

    /// The same taken in: signals that the trap itself is.
    pub(super) fn entered(&mut self, visit: Visit, at: At<'_>) {
        let i = at.index;
        let cause = visit.cause;
        let hs = visit.from == Mode::HS;
        if cause == Cause::Interrupt(Interrupt::CounterOverflow) {
            self.signal((Some(i), id::PMU_OVERFLOW), self.record);
        }
        if cause == Cause::Exception(Exception::DoubleTrap) && hs {
            self.signal((Some(i), id::DOUBLE_TRAP), self.record);
            self.harts[i].doubled = Some((visit.pc, visit.instret, self.record));
        }
        let sources = visit.sources;
        let view = &mut self.harts[i];
        (view.instret, view.stopped) = (visit.instret, false);
        view.visits += 1;
        view.delegated.get_or_insert(sources.mideleg & LCOFI != 0);
        view.running.iter_mut().for_each(|r| r.sp = visit.sp);
        match visit.ids() {
            Some((hsm::EID, hsm::HART_STOP)) => self.stopped(i),
            Some((hsm::EID, hsm::HART_SUSPEND)) => self.harts[i].suspended = Some((self.record, sources)),
            _ => {}
        }
        self.harts[i].visit = Some(visit);
    }

    /// What native firmware says besides.
    pub(super) fn native(&mut self, r: &FwRecord) {
        if r.kind != "sse" {
            return;
        }
        let event = r.fields.iter().find(|f| f.name == "event_id").map(|f| f.after as u32);
        match (&mut self.harts[r.hart].visit, r.name, event) {
            // Signalled from outside, in nobody's call.
            (None, "signal", Some(e)) => self.signal(World::key(r.hart, e), self.record),
            (Some(v), "enabled", _) => v.enabled = true,
            (Some(v), "ipi", _) if v.ids() == Some((sse::EID, sse::ENABLE)) && !v.enabled => v.early = true,
            _ => {}
        }
    }
}

/// The call that a hart makes.
fn call(at: At<'_>) -> Call {
    let h = at.hart;
    let args: [u64; 6] = std::array::from_fn(|i| h.x[10 + i]);
    let (eid, fid) = (h.x[17], h.x[16]);
    let (mut buffer, mut around) = (Vec::new(), [None; 2]);
    if eid == sse::EID && fid <= sse::WRITE_ATTRS && args[3].is_multiple_of(8) && args[4] == 0 {
        let count = u64::from(args[2] as u32).min(attr::COUNT as u64);
        let word = |i: u64| at.bus.ram.read(args[3].wrapping_add(i.wrapping_mul(8)), 8);
        buffer = (0..count).map_while(word).collect();
        around = [word(u64::MAX), word(count)];
    }
    Call { eid, fid, args, buffer, around }
}

/// The words of a buffer now.
pub(super) fn words(at: At<'_>, call: &Call) -> Vec<u64> {
    (0..call.buffer.len() as u64).map_while(|i| at.bus.ram.read(call.args[3].wrapping_add(i.wrapping_mul(8)), 8)).collect()
}

impl Inner {
    /// M-mode has been left for a lower one.
    pub(super) fn left(&mut self, r: &TrapReturn, at: At<'_>) {
        let i = at.index;
        let view = &mut self.world.harts[i];
        let (began, visit) = (view.stopped, view.visit.take());
        (view.stopped, view.instret) = (false, r.instret);
        let Some(mut visit) = visit else { return };
        let now = self.world.in_use().then(|| Context::of(at.hart, at.bus));
        let injected = now.as_ref().and_then(|now| self.handler(&visit, at, now));
        let sepc = at.hart.csr.sepc;
        let returned =
            visit.call.is_some() && (r.to == Mode::HS && r.target == visit.next() || injected.is_some() && sepc == visit.next());
        let error = at.hart.x[10] as i64;
        let call_sepc = visit.x.as_ref().and_then(|x| x.csr("sepc"));
        let fell = returned && call_sepc != Some(visit.next());
        let completes = visit.ids() == Some((sse::EID, sse::COMPLETE)) && self.world.top(i).is_some() && !fell;
        let mut done = None;
        if completes {
            if let Some(t) = self.world.top(i) {
                let running = self.world.harts[i].running[t].clone();
                let shown = now.as_ref().filter(|_| injected.is_none());
                let fact = Fact::Completed { visit: &visit, running: &running, now: shown };
                self.ask(Some(at), i, r.instret, r.target, &fact);
                done = self.world.complete(i);
            }
        } else if returned && !began {
            self.ask(Some(at), i, r.instret, r.target, &Fact::Called { visit: &visit, error });
            self.called(&visit, at, error);
        }
        if let (Some(key), Some(now)) = (injected, now) {
            let running = self.world.begin(key, &visit, done.as_ref(), now, at);
            self.ask(Some(at), i, r.instret, r.target, &Fact::Injected { visit: &visit, running: &running });
            self.world.deliver(i, running);
        }
        self.world.update_due(i, at.hart.instret);
        visit.x = None;
        let fact = Fact::Left { visit: &visit, to: r, injected, completed: done.as_ref() };
        self.ask(Some(at), i, r.instret, r.target, &fact);
        self.world.harts[i].suspended = None;
        if r.to == Mode::HS {
            self.world.host(at, r.target);
        }
    }

    fn called(&mut self, visit: &Visit, at: At<'_>, error: i64) {
        let Some(call) = visit.sse() else { return };
        let event = call.args[0] as u32;
        if error == 0 {
            let code = if call.fid == sse::REGISTER { Code::at(at.hart, at.bus, call.args[1]) } else { None };
            self.world.called(at.index, call, visit.record, at.hart.csr.stvec, code);
            for i in 0..self.world.harts.len() {
                self.world.update_due(i, self.world.harts[i].instret);
            }
        } else if call.fid <= sse::DISABLE && codes::means_known(error) {
            self.world.event_mut(World::key(at.index, event)).supported = Some(true);
        }
    }

    /// The event whose handler begins here, if M-mode has gone to one and not back to where it came from.
    fn handler(&self, visit: &Visit, at: At<'_>, now: &Context) -> Option<Key> {
        let h = at.hart;
        let back =
            now.pc == visit.pc && now.mode == visit.from && now.csr("sepc") == visit.x.as_ref().and_then(|x| x.csr("sepc"));
        if back || h.mode.virt() {
            return None;
        }
        let seen = |k: &Key| k.0.is_none() || k.0 == Some(at.index);
        // What the call that is being answered makes of an event is not in the world yet.
        let asked = |fid: u64, k: &Key| {
            visit.ids() == Some((sse::EID, fid)) && visit.call.as_ref().is_some_and(|c| c.args[0] as u32 == k.1)
        };
        let fits = |k: &Key, e: &super::world::Event| {
            let arg = e.entry_arg == h.x[17] || e.entry_arg == h.x[16];
            let completes = e.is(status::RUNNING) && visit.ids() == Some((sse::EID, sse::COMPLETE));
            let enabled = e.is(status::ENABLED) || asked(sse::ENABLE, k) || completes;
            (!arg, !(enabled && (e.pending != Some(false) || asked(sse::INJECT, k))))
        };
        let all = self.world.events.iter().filter(|(k, e)| seen(k) && e.entry_pc == h.pc && e.registered != 0);
        all.min_by_key(|(k, e)| (fits(k, e), e.key(k.1))).map(|(k, _)| *k)
    }
}

impl World {
    /// The handler that an injection has begun. What it interrupted is what the trap into M-mode found, moved on by what M-mode did for it.
    fn begin(&self, key: Key, visit: &Visit, ended: Option<&Running>, now: Context, at: At<'_>) -> Running {
        let h = at.hart;
        let mut x = visit.x.clone().unwrap_or_else(|| now.clone());
        let mut exact = visit.x.is_some();
        if let Some(r) = ended {
            // Straight from the end of another handler: what that one interrupted.
            x = r.expected();
            exact = r.exact;
        } else if visit.call.is_some() {
            x.pc = visit.next();
            x.set_x(10, h.x[10]);
            x.set_x(11, h.x[11]);
        } else if matches!(visit.cause, Cause::Exception(e) if e != Exception::DoubleTrap) {
            // M-mode has emulated an instruction, or handed its exception on.
            let mut y = now.clone();
            y.set_x(16, x.x(16));
            y.set_x(17, x.x(17));
            y.pc = h.csr.sepc;
            let (spp, spv) = (h.csr.mstatus & field::mstatus::SPP != 0, h.csr.hstatus & field::hstatus::SPV != 0);
            y.mode = Mode::from_parts(spp.into(), spv);
            y.elp = h.csr.mstatus & field::mstatus::SPELP != 0;
            (x, exact) = (y, false);
        }
        let attrs = if exact { [x.csr("sepc"), Some(flags(&x)), Some(x.x(16)), Some(x.x(17))] } else { [None; 4] };
        Running {
            key,
            record: self.record,
            x,
            exact,
            entry: now,
            attrs,
            wrote: false,
            chosen: Default::default(),
            depth: 0,
            traps: 0,
            last_trap: 0,
            sp: h.x[2],
            stvec: None,
        }
    }

    /// Since when the next event of a hart has been deliverable.
    pub(super) fn update_due(&mut self, hart: usize, instret: u64) {
        let visits = self.harts[hart].visits;
        let next = self.next(hart).map(|(k, _)| k);
        for (k, e) in self.events.iter_mut().filter(|(k, _)| k.0 == Some(hart) || Some(**k) == next) {
            if Some(*k) == next {
                e.due.get_or_insert((visits, instret));
            } else {
                e.due = None;
            }
        }
    }

    /// HS-mode executes here.
    pub(super) fn host(&mut self, at: At<'_>, pc: u64) {
        if self.in_use()
            && let Some(pa) = super::walk::host(at.hart, at.bus, pc)
        {
            self.harts[at.index].host.put(pa);
        }
    }

    /// A trap into HS- or VS-mode was taken.
    pub(super) fn trapped(&mut self, e: &TrapEntry, at: At<'_>) {
        if e.from == Mode::HS {
            self.host(at, e.pc);
        }
        let record = self.record;
        let view = &mut self.harts[at.index];
        view.instret = e.instret;
        if e.to == Mode::HS && e.from.virt() {
            view.guest_fault = matches!(e.cause, Cause::Exception(x) if GUEST_PAGE_FAULTS.contains(&x));
        }
        if e.to == Mode::HS
            && let Some(r) = view.running.last_mut()
        {
            r.depth += 1;
            r.traps += 1;
            r.last_trap = record;
            r.sp = at.hart.x[2];
        }
    }

    /// `sret`.
    pub(super) fn returned(&mut self, r: &TrapReturn, at: At<'_>) {
        let view = &mut self.harts[at.index];
        view.instret = r.instret;
        if r.to.virt() {
            view.guest_fault = false;
        }
        if r.from == Mode::HS
            && let Some(h) = view.running.last_mut()
        {
            h.depth = h.depth.saturating_sub(1);
        }
    }

    /// A CSR instruction of a handler outside of nested traps: what it chooses for itself and its victim.
    pub(super) fn wrote_csr(&mut self, hart: usize, w: &emu_core::observer::CsrWrite) {
        let enables = |c: &Change| c.csr == table::MSTATUS && c.after & field::mstatus::SIE != 0;
        if w.mode == Mode::HS && w.changes.0.iter().any(enables) {
            self.harts[hart].guest_fault = false;
        }
        let Some(r) = self.harts[hart].running.last_mut().filter(|r| r.depth == 0 && w.mode == Mode::HS) else { return };
        for c in &w.changes.0 {
            for (name, register, csr, mask) in CHOICES {
                if c.csr == csr && (c.before ^ c.after) & mask != 0 {
                    let found = r.entry.csr(register).unwrap_or(0) & mask;
                    if c.after & mask == found {
                        r.chosen.remove(name);
                    } else {
                        r.chosen.insert(name, table::get(c.after, mask));
                    }
                }
            }
            if c.csr == table::STVEC {
                // Putting back what it found is no choice of its own.
                r.stvec = (r.entry.csr("stvec") != Some(c.after)).then_some(c.after);
            }
        }
    }
}

/// The exceptions whose handler reads htval and htinst.
const GUEST_PAGE_FAULTS: [Exception; 3] =
    [Exception::InstGuestPageFault, Exception::LoadGuestPageFault, Exception::StoreGuestPageFault];

/// What a handler may change to send its victim elsewhere: name, register of a context, CSR that has the state, bits.
const CHOICES: [(&str, &str, u16, u64); 4] = [
    ("sepc", "sepc", table::SEPC, u64::MAX),
    ("SPP", "sstatus", table::MSTATUS, field::mstatus::SPP),
    ("SPIE", "sstatus", table::MSTATUS, field::mstatus::SPIE),
    ("SPV", "hstatus", table::HSTATUS, field::hstatus::SPV),
];

/// INTERRUPTED_FLAGS of a context.
pub(super) fn flags(x: &Context) -> u64 {
    let (s, h) = (x.csr("sstatus").unwrap_or(0), x.csr("hstatus").unwrap_or(0));
    let bit = |on: bool, flag: u64| if on { flag } else { 0 };
    bit(s & field::mstatus::SPP != 0, flag::SPP)
        | bit(s & field::mstatus::SPIE != 0, flag::SPIE)
        | bit(h & field::hstatus::SPV != 0, flag::SPV)
        | bit(h & field::hstatus::SPVP != 0, flag::SPVP)
        | bit(s & field::mstatus::SPELP != 0, flag::SPELP)
        | bit(s & field::mstatus::SDT != 0, flag::SDT)
}

impl Running {
    /// What `complete` must bring back: the interrupted context, but for what the handler has chosen.
    pub(super) fn expected(&self) -> Context {
        let mut x = self.x.clone();
        let level = self.chosen.get("SPP").copied().unwrap_or(x.mode.level());
        let virt = self.chosen.get("SPV").map_or(x.mode.virt(), |v| *v != 0);
        x.mode = Mode::from_parts(level, virt);
        if let Some(pc) = self.chosen.get("sepc") {
            x.pc = *pc;
        }
        x
    }

    /// Whether the handler has sent its victim elsewhere, or changed what it will find.
    pub(super) fn redirected(&self) -> bool {
        self.wrote || !self.chosen.is_empty()
    }
}
