//! Which return ends which trap, told on both.

use std::collections::{BTreeMap, VecDeque};

use emu_csr::Mode;
use replay::ledger::Entry;

/// A link to another entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link {
    /// Its number.
    pub n: u64,
    /// Instructions that the hart retired between the two.
    pub instructions: u64,
}

/// An entry with what only the whole run tells.
pub struct Numbered {
    /// Position in the ledger, from 0, over all harts.
    pub number: u64,
    /// For a return: the trap that it ends.
    pub ends: Option<Link>,
    /// For a trap: the return that ended it; none if there was none before the entry had to be given out.
    pub ended: Option<Link>,
    /// The entry.
    pub entry: Entry,
}

/// Numbers entries and links returns with traps: a return ends the last trap that entered the mode it leaves and has not returned.
/// Entries are held back until the traps among them have returned, but not for longer than for `hold` entries.
pub struct Linker {
    /// By hart id.
    open: BTreeMap<usize, Vec<Open>>,
    held: VecDeque<Numbered>,
    hold: usize,
    next: u64,
}

#[derive(Clone, Copy)]
struct Open {
    n: u64,
    instret: u64,
    to: Mode,
}

/// Traps that a guest may leave open (it never returns from some) before the oldest are forgotten.
const OPEN: usize = 64;

impl Linker {
    /// One that holds back at most `hold` entries.
    pub fn new(hold: usize) -> Linker {
        Linker { open: BTreeMap::new(), held: VecDeque::new(), hold, next: 0 }
    }

    /// Takes the next entry.
    pub fn put(&mut self, entry: Entry) {
        let number = self.next;
        self.next += 1;
        let ends = self.see(number, &entry);
        if let Some(link) = ends
            && let Some(first) = self.held.front().map(|e| e.number)
            && let Some(trap) = link.n.checked_sub(first).and_then(|i| self.held.get_mut(i as usize))
        {
            trap.ended = Some(Link { n: number, instructions: link.instructions });
        }
        self.held.push_back(Numbered { number, ends, ended: None, entry });
    }

    /// The next entry that need not wait any more; at the end of the run (`all`) none has to.
    pub fn take(&mut self, all: bool) -> Option<Numbered> {
        let first = self.held.front()?;
        let hart = first.entry.hart();
        let waits = matches!(first.entry, Entry::Trap(_))
            && first.ended.is_none()
            && self.open.get(&hart).is_some_and(|o| o.iter().any(|t| t.n == first.number));
        if waits && !all && self.held.len() <= self.hold {
            return None;
        }
        self.held.pop_front()
    }

    fn see(&mut self, n: u64, e: &Entry) -> Option<Link> {
        let open = self.open.entry(e.hart()).or_default();
        match e {
            Entry::Trap(t) => {
                if open.len() == OPEN {
                    open.remove(0);
                }
                open.push(Open { n, instret: t.instret, to: t.to });
                None
            }
            Entry::Return(r) => {
                let at = open.iter().rposition(|o| o.to == r.from)?;
                let trap = open[at];
                open.truncate(at);
                Some(Link { n: trap.n, instructions: r.instret.saturating_sub(trap.instret) })
            }
            Entry::Write(_) | Entry::Firmware(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use emu_core::engine::trap::Return;
    use emu_core::observer::{TrapEntry, TrapReturn};
    use emu_csr::{Cause, ChangeList, Exception, Why};

    use super::*;

    fn trap(instret: u64, to: Mode) -> Entry {
        let cause = Cause::Exception(Exception::EcallU);
        Entry::Trap(TrapEntry {
            hart: 0,
            instret,
            pc: 0,
            from: Mode::U,
            to,
            cause,
            why: Why { cause, machine: None, hypervisor: None },
            pending: 0,
            losers: Vec::new(),
            tval: 0,
            tval2: 0,
            tinst: 0,
            walk: None,
            changes: ChangeList::default(),
        })
    }

    fn ret(instret: u64, from: Mode) -> Entry {
        Entry::Return(TrapReturn {
            hart: 0,
            instret,
            pc: 0,
            by: Return::Machine,
            from,
            to: Mode::U,
            target: 0,
            changes: ChangeList::default(),
        })
    }

    #[test]
    fn nested_traps_and_their_returns_name_each_other() {
        let mut l = Linker::new(100);
        for e in [trap(10, Mode::HS), trap(20, Mode::M), ret(25, Mode::M)] {
            l.put(e);
        }
        assert!(l.take(false).is_none(), "the first trap has not returned yet");
        l.put(ret(40, Mode::HS));
        let all: Vec<_> = std::iter::from_fn(|| l.take(false)).map(|e| (e.ends, e.ended)).collect();
        let link = |n, instructions| Some(Link { n, instructions });
        assert_eq!(all, [(None, link(3, 30)), (None, link(2, 5)), (link(1, 5), None), (link(0, 30), None)]);
    }

    #[test]
    fn a_trap_that_never_returns_is_held_for_a_while_and_no_longer() {
        let mut l = Linker::new(3);
        for i in 0..4 {
            l.put(trap(i, Mode::HS));
        }
        assert_eq!(l.take(false).map(|e| (e.number, e.ended)), Some((0, None)));
        assert!(l.take(false).is_none());
        assert_eq!(std::iter::from_fn(|| l.take(true)).count(), 3);
    }
}
