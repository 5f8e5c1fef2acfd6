//! Harts, memory and firmware without an engine: calls are made by entering the trap that `ecall` raises.
#![allow(dead_code, clippy::expect_used)] // each test file uses a part; helpers of tests

pub mod abuse;
pub mod sse;

use std::collections::VecDeque;

use emu_core::bus::{Bus, Clock};
use emu_core::dev::Clint;
use emu_core::firmware::{Firmware, FwStep, Platform};
use emu_core::hart::Hart;
use emu_core::insn::Decoder;
use emu_core::mem::Ram;
use emu_csr::{Exception, Isa, Mode, Trap};
use sbi_model::{Config, Sbi};

pub const RAM: u64 = 0x8000_0000;
pub const RAM_SIZE: u64 = 1 << 20;
pub const ENTRY: u64 = RAM + 0x1000;

pub const BASE: u64 = 0x10;
pub const TIME: u64 = 0x5449_4d45;
pub const IPI: u64 = 0x73_5049;
pub const RFENCE: u64 = 0x5246_4e43;
pub const HSM: u64 = 0x48_534d;
pub const SRST: u64 = 0x5352_5354;
pub const DBCN: u64 = 0x4442_434e;
pub const FWFT: u64 = 0x4657_4654;
pub const SUSP: u64 = 0x5355_5350;
pub const CPPC: u64 = 0x4350_5043;

pub const NOT_SUPPORTED: i64 = -2;
pub const INVALID_PARAM: i64 = -3;
pub const INVALID_ADDRESS: i64 = -5;
pub const ALREADY_AVAILABLE: i64 = -6;

pub struct Rig {
    pub harts: Vec<Hart>,
    pub bus: Bus,
    decoder: Decoder,
    pub out: Vec<u8>,
    pub input: VecDeque<u8>,
    pub fw: Sbi,
}

impl Rig {
    pub fn new(n: u64) -> Rig {
        Rig::with(n, "max")
    }

    pub fn with(n: u64, cpu: &str) -> Rig {
        Rig::of(n, cpu, Config::default())
    }

    pub fn of(n: u64, cpu: &str, config: Config) -> Rig {
        Rig::ids(&(0..n).collect::<Vec<_>>(), cpu, config)
    }

    /// Harts with these ids.
    pub fn ids(ids: &[u64], cpu: &str, config: Config) -> Rig {
        let n = ids.len();
        let isa = Isa::parse(cpu).expect("a known CPU");
        let clock = Clock { cycle_hz: 1_000_000_000, timebase_hz: 10_000_000, offset: 0 };
        let mut bus = Bus::new(Ram::new(RAM, RAM_SIZE), clock);
        bus.add(0x200_0000, 0x1_0000, 0, Box::new(Clint::new(n))).expect("room");
        let mut rig = Rig::unbooted(isa, ids, bus, config);
        rig.with_platform(|fw, p| fw.boot(p, 0, ENTRY, 0x8008_0000));
        rig
    }

    /// Harts with these ids, and firmware that has not booted.
    pub fn unbooted(isa: Isa, ids: &[u64], bus: Bus, config: Config) -> Rig {
        let harts = ids.iter().map(|&id| Hart::new(isa, id)).collect();
        Rig { harts, bus, decoder: Decoder::new(isa), out: Vec::new(), input: VecDeque::new(), fw: Sbi::new(config) }
    }

    pub fn with_platform<R>(&mut self, f: impl FnOnce(&mut Sbi, &mut Platform<'_>) -> R) -> R {
        let mut p = Platform {
            harts: &mut self.harts,
            bus: &mut self.bus,
            decoder: &self.decoder,
            console_out: &mut self.out,
            console_in: &mut self.input,
            observer: None,
        };
        f(&mut self.fw, &mut p)
    }

    /// Raises an exception on a hart and lets the firmware answer it to its end.
    pub fn raise(&mut self, hart: usize, trap: Trap) -> FwStep {
        let h = &mut self.harts[hart];
        let (from, pc) = (h.mode, h.pc);
        let entry = h.csr.enter_exception(from, pc, &trap, &mut ());
        h.set_mode(entry.mode);
        h.pc = entry.pc;
        assert_eq!(h.mode, Mode::M, "{trap:?} is delegated");
        loop {
            match self.with_platform(|fw, p| fw.step(p, hart)) {
                FwStep::More => {}
                end => return end,
            }
        }
    }

    pub fn step_call(&mut self, hart: usize, eid: u64, fid: u64, args: &[u64]) -> FwStep {
        let h = &mut self.harts[hart];
        h.x[10..10 + args.len()].copy_from_slice(args);
        h.x[16] = fid;
        h.x[17] = eid;
        self.raise(hart, Trap::new(Exception::EcallS, 0))
    }

    /// A call that returns: (error, value).
    pub fn call(&mut self, hart: usize, eid: u64, fid: u64, args: &[u64]) -> (i64, u64) {
        let pc = self.harts[hart].pc;
        let end = self.step_call(hart, eid, fid, args);
        assert!(matches!(end, FwStep::Done { .. }), "{end:?}");
        let h = &self.harts[hart];
        assert_eq!((h.mode, h.pc), (Mode::HS, pc.wrapping_add(4)));
        (h.x[10] as i64, h.x[11])
    }

    pub fn ssip(&self, hart: usize) -> bool {
        self.harts[hart].csr.peek(0x144, &Default::default()).expect("sip") & 2 != 0
    }
}
