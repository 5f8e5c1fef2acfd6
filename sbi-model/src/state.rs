//! The firmware's own state: plain data.

use std::collections::BTreeMap;

use emu_core::dev::StateIo;
use emu_core::hart::{Hart, Wait};

use crate::ext::{Cppc, Dbtr, FwEvent, Fwft, Mpxy, Nacl, Pmu};
use crate::sse::Sse;

/// What HSM keeps of one hart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum HartState {
    /// STOPPED.
    #[default]
    Stopped,
    /// STARTED.
    Started,
    /// START_PENDING: another hart is starting it.
    StartPending,
    /// STOP_PENDING.
    StopPending,
    /// SUSPENDED, since this many instructions had retired; it is STARTED again once it no longer waits.
    Suspended(u64),
}

/// How far the firmware is with a trap of one hart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Stage {
    /// The hart is not in M-mode, or has just entered it.
    #[default]
    Idle,
    /// The answer to the trap has begun.
    Answer,
    /// The answer is complete; software events may be delivered.
    Events,
    /// All is done but the return.
    Return,
}

/// Words an operation may keep between its steps.
pub const WORDS: usize = 16;

/// The operation in progress on one hart. What it was called with is still in the hart's registers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Work {
    /// How far it is.
    pub stage: Stage,
    /// Within the answer: the operation's own count of its steps, 0 at first.
    pub at: u64,
    /// What it keeps until its next step; all 0 at first.
    pub words: [u64; WORDS],
}

/// State of the whole firmware.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct State {
    /// By hart index.
    pub harts: Vec<HartState>,
    /// By hart index.
    pub work: Vec<Work>,
    /// Software events.
    pub sse: Sse,
    /// By hart index.
    pub pmu: Vec<Pmu>,
    /// By hart index.
    pub dbtr: Vec<Dbtr>,
    /// By hart index.
    pub fwft: Vec<Fwft>,
    /// By hart index.
    pub cppc: Vec<Cppc>,
    /// Message channels.
    pub mpxy: Mpxy,
    /// By hart index.
    pub nacl: Vec<Nacl>,
    /// Words of vendor-specific extensions, under keys of their own.
    pub vendor: BTreeMap<u64, u64>,
    /// By hart index: htimedelta of harts without Zicntr.
    pub delta: Vec<u64>,
}

impl State {
    /// State before boot for this many harts.
    pub fn new(harts: usize) -> State {
        State {
            harts: vec![HartState::Stopped; harts],
            work: vec![Work::default(); harts],
            sse: Sse::default(),
            pmu: vec![Pmu::default(); harts],
            dbtr: vec![Dbtr::default(); harts],
            fwft: vec![Fwft::default(); harts],
            cppc: vec![Cppc::default(); harts],
            mpxy: Mpxy::new(harts),
            nacl: vec![Nacl::default(); harts],
            vendor: BTreeMap::new(),
            delta: vec![0; harts],
        }
    }

    /// A hart's state as it is now.
    pub fn of(&self, index: usize, hart: &Hart) -> HartState {
        match self.harts.get(index) {
            Some(HartState::Suspended(at)) if hart.wait != Wait::Wfi || hart.instret != *at => HartState::Started,
            Some(s) => *s,
            None => HartState::Stopped,
        }
    }

    /// Whether a hart is STOPPED, or on its way there or from there.
    pub fn off(&self, index: usize) -> bool {
        use HartState::{StartPending, StopPending, Stopped};
        self.harts.get(index).is_none_or(|h| matches!(h, Stopped | StartPending | StopPending))
    }

    /// Whether a hart takes what others send it: it is STARTED or SUSPENDED.
    pub fn takes_part(&self, index: usize, hart: &Hart) -> bool {
        matches!(self.of(index, hart), HartState::Started | HartState::Suspended(_))
    }

    /// Sets a hart's state.
    pub fn set(&mut self, index: usize, state: HartState) {
        if let Some(s) = self.harts.get_mut(index) {
            *s = state;
        }
    }

    /// Counts a firmware event (SBI, "PMU Extension") of a hart.
    pub fn count(&mut self, index: usize, event: FwEvent) {
        if let Some(p) = self.pmu.get_mut(index) {
            p.count(event);
        }
    }

    /// Visits it, to save it or to restore it.
    pub fn visit(&mut self, io: &mut dyn StateIo) {
        for h in &mut self.harts {
            let (mut kind, mut since) = match *h {
                HartState::Stopped => (1, 0),
                HartState::Started => (0, 0),
                HartState::StartPending => (2, 0),
                HartState::StopPending => (3, 0),
                HartState::Suspended(at) => (4, at),
            };
            io.u64("hsm state", &mut kind);
            io.u64("hsm suspended at", &mut since);
            *h = match kind {
                0 => HartState::Started,
                2 => HartState::StartPending,
                3 => HartState::StopPending,
                4 => HartState::Suspended(since),
                _ => HartState::Stopped,
            };
        }
        self.work.iter_mut().for_each(|w| w.visit(io));
        self.sse.visit(io);
        self.pmu.iter_mut().for_each(|p| p.visit(io));
        self.dbtr.iter_mut().for_each(|d| d.visit(io));
        self.fwft.iter_mut().for_each(|f| f.visit(io));
        self.cppc.iter_mut().for_each(|p| p.visit(io));
        self.mpxy.visit(io);
        self.nacl.iter_mut().for_each(|n| n.visit(io));
        let mut pairs: Vec<u8> = self.vendor.iter().flat_map(|(k, v)| [k.to_le_bytes(), v.to_le_bytes()].concat()).collect();
        io.bytes("vendor", &mut pairs);
        let word = |b: &[u8]| b.iter().rev().fold(0, |v, &b| v << 8 | u64::from(b));
        self.vendor = pairs.chunks_exact(16).map(|p| (word(&p[..8]), word(&p[8..]))).collect();
        self.delta.iter_mut().for_each(|d| io.u64("htimedelta", d));
    }
}

impl Work {
    fn visit(&mut self, io: &mut dyn StateIo) {
        let mut stage = self.stage as u64;
        io.u64("firmware stage", &mut stage);
        self.stage = match stage {
            1 => Stage::Answer,
            2 => Stage::Events,
            3 => Stage::Return,
            _ => Stage::Idle,
        };
        io.u64("firmware step", &mut self.at);
        self.words.iter_mut().for_each(|w| io.u64("firmware word", w));
    }
}
