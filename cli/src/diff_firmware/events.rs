//! What M-mode does for the modes below, as they see it: one event for every exception that enters M-mode, from the entry to the return,
//! whoever lives there.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use emu_core::bus::Bus;
use emu_core::hart::Hart;
use emu_core::observer::{Observer, TrapEntry, TrapReturn};
use emu_csr::{Cause, Mode, table};

/// CSRs that the supervisor or its guest can read, whose changes by M-mode are compared. Counters and clocks run on by themselves.
pub const VISIBLE: [u16; 33] = [
    table::SSTATUS,
    table::SIE,
    table::SIP,
    table::STVEC,
    table::SCOUNTEREN,
    table::SSCRATCH,
    table::SEPC,
    table::SCAUSE,
    table::STVAL,
    table::SATP,
    table::SENVCFG,
    table::STIMECMP,
    table::HSTATUS,
    table::HEDELEG,
    table::HIDELEG,
    table::HIE,
    table::HIP,
    table::HCOUNTEREN,
    table::HENVCFG,
    table::HTVAL,
    table::HTINST,
    table::HTIMEDELTA,
    table::HGATP,
    table::VSSTATUS,
    table::VSTVEC,
    table::VSSCRATCH,
    table::VSEPC,
    table::VSCAUSE,
    table::VSTVAL,
    table::VSATP,
    table::VSTIMECMP,
    table::FCSR,
    table::SSP,
];

/// What was asked of M-mode: by this two runs are aligned.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Key {
    /// The supervisor's ecall: extension and function id (0 for the legacy ones, whose callers leave anything there).
    Call(u64, u64),
    /// Another exception, by cause.
    Trap(u64),
    /// Nothing was: M-mode starts the hart in a mode below.
    Start,
}

/// One of them.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// What was asked.
    pub key: Key,
    /// Instructions the hart had retired.
    pub instret: u64,
    /// Where.
    pub pc: u64,
    /// Mode it came from.
    pub from: Mode,
    /// a0 to a5, or mtval, mtval2 and mtinst of an exception.
    pub args: [u64; 6],
    /// How it went on; none if it never did.
    pub end: Option<End>,
}

/// The return.
#[derive(Clone, PartialEq, Debug)]
pub struct End {
    /// Mode and pc.
    pub to: Mode,
    /// Where it goes on.
    pub pc: u64,
    /// a0 and a1.
    pub result: [u64; 2],
    /// Registers whose values differ from those at the entry: number and value.
    pub registers: Vec<(u8, u64)>,
    /// Of [`VISIBLE`], by place: those that differ, with the value after.
    pub csrs: Vec<(u8, u64)>,
}

/// Events of each hart id, in order.
pub type Sequences = BTreeMap<u64, Vec<Event>>;

/// An event whose end has not come, with the hart at its entry.
struct Open {
    registers: [u64; 32],
    csrs: [u64; VISIBLE.len()],
}

#[derive(Default)]
struct Inner {
    done: Sequences,
    open: BTreeMap<u64, Open>,
}

/// Listens to a machine.
#[derive(Clone, Default)]
pub struct Listener(Rc<RefCell<Inner>>);

impl Listener {
    /// Native firmware has started this hart before anybody listened.
    pub fn started(&self, h: &Hart) {
        if h.mode != Mode::M {
            self.0.borrow_mut().done.insert(h.id, vec![start(h)]);
        }
    }

    /// All events so far.
    pub fn take(&self) -> Sequences {
        std::mem::take(&mut self.0.borrow_mut().done)
    }
}

fn csrs(h: &Hart) -> [u64; VISIBLE.len()] {
    let now = Default::default();
    VISIBLE.map(|n| h.csr.peek(n, &now).unwrap_or(0))
}

fn registers(h: &Hart) -> [u64; 32] {
    std::array::from_fn(|i| h.x[i])
}

/// The state in which a hart is started: what is not zero. Of the registers only a0 and a1 are defined.
fn start(h: &Hart) -> Event {
    let csrs = (0..).zip(csrs(h)).filter(|(_, v)| *v != 0).collect();
    let end = End { to: h.mode, pc: h.pc, result: [h.x[10], h.x[11]], registers: Vec::new(), csrs };
    Event { key: Key::Start, instret: h.instret, pc: h.pc, from: Mode::M, args: [0; 6], end: Some(end) }
}

impl Observer for Listener {
    fn trapped(&mut self, h: &Hart, _: &Bus, e: &TrapEntry) {
        let Cause::Exception(cause) = e.cause else { return };
        if e.to != Mode::M || e.from == Mode::M {
            return;
        }
        let x = registers(h);
        let key = Key::of(h, cause);
        let args = match key {
            Key::Call(..) => std::array::from_fn(|i| x[10 + i]),
            _ => [h.csr.mtval, h.csr.mtval2, h.csr.mtinst, 0, 0, 0],
        };
        let mut inner = self.0.borrow_mut();
        inner.open.insert(h.id, Open { registers: x, csrs: csrs(h) });
        let event = Event { key, instret: e.instret, pc: e.pc, from: e.from, args, end: None };
        inner.done.entry(h.id).or_default().push(event);
    }

    fn returned(&mut self, h: &Hart, _: &Bus, r: &TrapReturn) {
        if r.from != Mode::M || r.to == Mode::M {
            return;
        }
        let mut inner = self.0.borrow_mut();
        let Some(open) = inner.open.remove(&h.id) else {
            // A return from an interrupt, unless it is the first of all.
            inner.done.entry(h.id).or_insert_with(|| vec![start(h)]);
            return;
        };
        let changed = |before: &[u64], after: &[u64]| -> Vec<(u8, u64)> {
            (0..).zip(before.iter().zip(after)).filter(|(_, (b, a))| b != a).map(|(i, (_, a))| (i, *a)).collect()
        };
        let end = End {
            to: r.to,
            pc: r.target,
            result: [h.x[10], h.x[11]],
            registers: changed(&open.registers, &registers(h)),
            csrs: changed(&open.csrs, &csrs(h)),
        };
        if let Some(event) = inner.done.get_mut(&h.id).and_then(|s| s.last_mut()) {
            event.end = Some(end);
        }
    }
}
