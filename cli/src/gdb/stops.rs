//! Breakpoints and watchpoints as the debugger set them, and what a stop is called when it is told.

use emu_core::engine::breaks::{Hit, Watchpoint};
use emu_core::machine::{MOST_PAGES, Machine};
use gdbstub::common::{Signal, Tid};
use gdbstub::stub::MultiThreadStopReason;
use gdbstub::target::ext::breakpoints::WatchKind;

use super::guest::Advance;

/// What is set. Software and hardware breakpoints are the same here but for the name that is told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stops {
    /// Software breakpoints.
    pub software: Vec<u64>,
    /// Hardware breakpoints.
    pub hardware: Vec<u64>,
    /// Watchpoints: first address, bytes, kind.
    pub watched: Vec<(u64, u64, WatchKind)>,
}

impl Stops {
    /// All breakpoints.
    pub fn pcs(&self) -> Vec<u64> {
        self.software.iter().chain(&self.hardware).copied().collect()
    }

    /// The watchpoints as the machine wants them.
    pub fn watchpoints(&self) -> Vec<Watchpoint> {
        let one = |&(first, len, kind): &(u64, u64, WatchKind)| Watchpoint {
            first,
            last: first.saturating_add(len.max(1) - 1),
            load: kind != WatchKind::Write,
            store: kind != WatchKind::Read,
        };
        self.watched.iter().map(one).collect()
    }

    /// Sets them on a machine, in the place of what was set.
    pub fn apply(&self, m: &mut Machine) {
        m.set_breaks(&self.pcs(), &self.watchpoints());
    }

    /// Adds a watchpoint; false if it is larger than a watchpoint can be.
    pub fn watch(&mut self, first: u64, len: u64, kind: WatchKind) -> bool {
        if len > (MOST_PAGES as u64 - 1) * 4096 {
            return false;
        }
        if !self.watched.contains(&(first, len, kind)) {
            self.watched.push((first, len, kind));
        }
        true
    }

    /// How a stop of hart index `hart` is told.
    pub fn stop(&self, m: &Machine, hart: usize, hit: Hit) -> Advance {
        let pc = m.harts().get(hart).map_or(0, |h| h.pc);
        let reason = self.reason(hart, pc, hit);
        match hit {
            Hit::Foreign { address, store, by } => {
                let done = if store { "written" } else { "read" };
                Advance::Said(format!("{address:#x} was {done} by {}", m.bus().writer(by)), reason)
            }
            _ => Advance::Stopped(reason),
        }
    }

    fn reason(&self, hart: usize, pc: u64, hit: Hit) -> MultiThreadStopReason<u64> {
        let tid = tid(hart);
        match hit {
            Hit::Step => MultiThreadStopReason::SignalWithThread { tid, signal: Signal::SIGTRAP },
            Hit::Breakpoint if self.software.contains(&pc) => MultiThreadStopReason::SwBreak(tid),
            Hit::Breakpoint if self.hardware.contains(&pc) => MultiThreadStopReason::HwBreak(tid),
            Hit::Breakpoint => MultiThreadStopReason::SignalWithThread { tid, signal: Signal::SIGTRAP },
            Hit::Watchpoint { address, load, store } => self.watch_reason(tid, address, load, store),
            Hit::Foreign { address, store, .. } => self.watch_reason(tid, address, !store, store),
        }
    }

    fn watch_reason(&self, tid: Tid, address: u64, load: bool, store: bool) -> MultiThreadStopReason<u64> {
        let fits = |k: WatchKind| load && k != WatchKind::Write || store && k != WatchKind::Read;
        let at = |first: u64, len: u64| address >= first && address - first < len.max(1);
        let kind = self.watched.iter().find(|(first, len, k)| at(*first, *len) && fits(*k)).map(|w| w.2);
        MultiThreadStopReason::Watch { tid, kind: kind.unwrap_or(WatchKind::ReadWrite), addr: address }
    }
}

/// A stop of a hart for a reason that only words tell.
pub fn trapped(hart: usize) -> MultiThreadStopReason<u64> {
    MultiThreadStopReason::SignalWithThread { tid: tid(hart), signal: Signal::SIGTRAP }
}

/// The thread number of a hart index.
pub fn tid(hart: usize) -> Tid {
    Tid::MIN.saturating_add(hart)
}

/// The hart index of a thread number.
pub fn hart(tid: Tid) -> usize {
    tid.get() - 1
}
