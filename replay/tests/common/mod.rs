//! A machine whose harts are put where a test wants them, under firmware that may be tampered with, with all oracles on.
#![allow(dead_code, clippy::expect_used, clippy::unwrap_used)] // each test file uses a part; helpers of tests

use emu_core::board::load::{Bios, File, Images};
use emu_core::board::{self};
use emu_core::dev::StateIo;
use emu_core::firmware::{Firmware, FwStep, Platform};
use emu_core::machine::{EngineKind, HartStep, Machine, MachineConfig};
use emu_csr::{Isa, Mode};
use replay::oracle::{Chosen, Monitor, ORACLES, OnViolation};
use sbi_model::bug::BugId;
use sbi_model::profile::Profile;
use sbi_model::sse::id;
use sbi_model::{Config, Sbi};

pub const RAM: u64 = 0x8000_0000;
/// An ecall, then nops.
pub const CALL: u64 = RAM + 0x10_0000;
/// Handlers of events: nops.
pub const HANDLER: u64 = RAM + 0x11_0000;
/// The kernel's vector, which only returns.
pub const VECTOR: u64 = RAM + 0x12_0000;
pub const OTHER_VECTOR: u64 = RAM + 0x12_1000;
pub const CODE: u64 = RAM + 0x13_0000;
pub const BUFFER: u64 = RAM + 0x14_0000;

pub const SSE: u64 = 0x53_5345;
pub const HSM: u64 = 0x48_534d;
pub const READ: u64 = 0;
pub const WRITE: u64 = 1;
pub const REGISTER: u64 = 2;
pub const UNREGISTER: u64 = 3;
pub const ENABLE: u64 = 4;
pub const DISABLE: u64 = 5;
pub const COMPLETE: u64 = 6;
pub const INJECT: u64 = 7;
pub const UNMASK: u64 = 8;
pub const MASK: u64 = 9;
pub const LOCAL: u32 = id::LOCAL_SOFTWARE;
pub const GLOBAL: u32 = id::GLOBAL_SOFTWARE;
pub const PMU: u32 = id::PMU_OVERFLOW;
pub const PLATFORM: u32 = 0x4000;

pub const EBREAK: u32 = 0x0010_0073;
pub const NOP: u32 = 0x13;

pub fn csrrw(rd: u32, csr: u32, rs: u32) -> u32 {
    csr << 20 | rs << 15 | 1 << 12 | rd << 7 | 0x73
}

/// What is done to a firmware: before it answers a trap, and after it has returned.
#[derive(Clone, Copy)]
pub struct Tamper {
    pub before: fn(&mut Platform<'_>, usize),
    pub after: fn(&mut Platform<'_>, usize),
}

pub const UNTOUCHED: Tamper = Tamper { before: |_, _| {}, after: |_, _| {} };

/// Firmware with something done to it.
#[derive(Clone)]
struct Tampered {
    inner: Sbi,
    with: Tamper,
    fresh: bool,
}

impl Firmware for Tampered {
    fn boot(&mut self, platform: &mut Platform<'_>, boot: usize, entry: u64, dtb: u64) {
        self.inner.boot(platform, boot, entry, dtb);
    }

    fn step(&mut self, platform: &mut Platform<'_>, hart: usize) -> FwStep {
        if std::mem::take(&mut self.fresh) {
            (self.with.before)(platform, hart);
        }
        let step = self.inner.step(platform, hart);
        if !matches!(step, FwStep::More | FwStep::Spin) {
            self.fresh = true;
            (self.with.after)(platform, hart);
        }
        step
    }

    fn raise(&mut self, platform: &mut Platform<'_>, event: u64, hart: usize) -> Result<(), &'static str> {
        self.inner.raise(platform, event, hart)
    }

    fn state(&mut self, io: &mut dyn StateIo) {
        Firmware::state(&mut self.inner, io);
    }

    fn fork(&self) -> Box<dyn Firmware> {
        Box::new(self.clone())
    }
}

/// What a scenario runs on.
#[derive(Clone, Copy)]
pub struct On {
    pub profile: &'static str,
    pub cpu: &'static str,
    pub harts: usize,
    pub bug: Option<BugId>,
    pub tamper: Tamper,
    /// Whether the supervisor itself does what it must not.
    pub careless: bool,
}

pub const HEALTHY: On = On { profile: "spec", cpu: "max", harts: 1, bug: None, tamper: UNTOUCHED, careless: false };

pub struct Rig {
    pub machine: Machine,
    pub monitor: Monitor,
    code: u64,
    pub dead: bool,
}

/// A machine that is to run this program.
pub fn machine(on: On, kernel: &'static [u8]) -> Machine {
    let isa = Isa::parse(on.cpu).expect("a known CPU");
    let board = board::Config { harts: on.harts, ram_size: 16 << 20, isa, ..board::Config::default() };
    let mut config = Config::new(Profile::find(on.profile).expect("a profile"));
    config.platform_events = vec![PLATFORM];
    if let Some(bug) = on.bug {
        config.bugs = config.bugs.with(bug);
    }
    let kernel = File { name: "kernel.elf", bytes: kernel };
    let images = Images { bios: Bios::Native, kernel: Some(kernel), ..Images::default() };
    let firmware = Tampered { inner: Sbi::new(config), with: on.tamper, fresh: true };
    let config = MachineConfig { board, engine: EngineKind::Step, quantum: 1000 };
    Machine::new(config, Vec::new(), &images, Some(Box::new(firmware))).unwrap()
}

impl Rig {
    pub fn new(on: On) -> Rig {
        let mut machine = machine(on, include_bytes!("../../../roms/test/spin.elf"));
        let monitor = Monitor::new(&machine, Chosen::all(), OnViolation::Record, Vec::new());
        machine.set_observer(monitor.observer());
        let mut rig = Rig { machine, monitor, code: CODE, dead: false };
        rig.store(CALL, &[0x73]);
        rig.store(CALL + 4, &[NOP; 64]);
        rig.store(HANDLER, &[NOP; 0x2000]);
        // sret.
        rig.store(VECTOR, &[0x1020_0073]);
        rig.store(OTHER_VECTOR, &[0x1020_0073]);
        for h in 1..on.harts {
            assert_eq!(rig.call(0, HSM, 0, &[h as u64, CALL + 4, 0]), 0);
            rig.steps(h, 2);
        }
        for h in 0..on.harts {
            rig.machine.harts_mut()[h].x[2] = RAM + 0x40_0000 + 0x10_0000 * h as u64;
            rig.csrw(h, 0x105, VECTOR);
        }
        rig
    }

    pub fn store(&mut self, at: u64, words: &[u32]) {
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        let bus = self.machine.bus_mut();
        let mut touched = Vec::new();
        assert!(bus.ram.write_bytes(at, &bytes, &mut touched));
        bus.code_writes.append(&mut touched);
    }

    pub fn word(&self, at: u64) -> u64 {
        self.machine.bus().ram.read(at, 8).unwrap()
    }

    pub fn put(&mut self, at: u64, v: u64) {
        self.store(at, &[v as u32, (v >> 32) as u32]);
    }

    pub fn steps(&mut self, h: usize, n: usize) {
        if self.dead {
            // It stands in M-mode, where native firmware has not come back from.
            self.machine.harts_mut()[h].recontext();
        }
        for _ in 0..n {
            if let HartStep::End(end) = self.machine.step_hart(h) {
                self.dead = true;
                self.monitor.end(&self.machine, Some(&end));
                return;
            }
        }
    }

    /// Executes instructions, which may trap, on a hart in HS-mode, one step each and one for the record.
    pub fn exec(&mut self, h: usize, words: &[u32]) {
        let at = self.code;
        self.code += 4 * words.len() as u64 + 64;
        self.store(at, words);
        self.store(at + 4 * words.len() as u64, &[NOP; 4]);
        self.machine.harts_mut()[h].pc = at;
        self.steps(h, words.len() + 1);
    }

    /// `csrw`.
    pub fn csrw(&mut self, h: usize, csr: u32, value: u64) {
        let old = std::mem::replace(&mut self.machine.harts_mut()[h].x[6], value);
        self.exec(h, &[csrrw(0, csr, 6)]);
        self.machine.harts_mut()[h].x[6] = old;
    }

    /// Interrupts of a hart become pending, as if something had signalled them.
    pub fn pend(&mut self, h: usize, bits: u64) {
        let (hart, now) = (&mut self.machine.harts_mut()[h], Default::default());
        let mip = hart.csr.peek(emu_csr::table::MIP, &now).expect("mip");
        assert!(hart.csr.poke(emu_csr::table::MIP, mip | bits, &now));
        hart.apply(emu_csr::Effects::INTERRUPTS);
    }

    /// A breakpoint that the kernel's vector returns from.
    pub fn breakpoint(&mut self, h: usize) {
        let pc = self.machine.harts()[h].pc;
        let at = self.code;
        self.code += 64;
        self.store(at, &[EBREAK, NOP, NOP]);
        self.machine.harts_mut()[h].pc = at;
        self.steps(h, 1);
        self.machine.harts_mut()[h].csr.sepc += 4;
        self.steps(h, 2);
        self.machine.harts_mut()[h].pc = pc;
    }

    /// A call up to its first instruction after: the error, if it returned one.
    pub fn call(&mut self, h: usize, eid: u64, fid: u64, args: &[u64]) -> i64 {
        let hart = &mut self.machine.harts_mut()[h];
        assert!(matches!(hart.mode, Mode::HS), "{:?}", hart.mode);
        hart.x[10..10 + args.len()].copy_from_slice(args);
        (hart.x[16], hart.x[17], hart.pc) = (fid, eid, CALL);
        self.steps(h, 1);
        let error = self.machine.harts()[h].x[10] as i64;
        if !self.dead {
            self.steps(h, 1);
        }
        error
    }

    pub fn sse(&mut self, h: usize, fid: u64, args: &[u64]) -> i64 {
        self.call(h, SSE, fid, args)
    }

    pub fn set(&mut self, h: usize, event: u32, attribute: u64, value: u64) -> i64 {
        self.put(BUFFER, value);
        self.sse(h, WRITE, &[event.into(), attribute, 1, BUFFER, 0])
    }

    pub fn get(&mut self, h: usize, event: u32, attribute: u64) -> u64 {
        assert_eq!(self.sse(h, READ, &[event.into(), attribute, 1, BUFFER, 0]), 0);
        self.word(BUFFER)
    }

    pub fn register(&mut self, h: usize, event: u32) -> i64 {
        self.sse(h, REGISTER, &[event.into(), handler(event), argument(event)])
    }

    pub fn arm(&mut self, h: usize, event: u32) {
        assert_eq!(self.register(h, event), 0);
        assert_eq!(self.sse(h, ENABLE, &[event.into()]), 0);
    }

    /// A hart in the handler of an event that it has injected into itself.
    pub fn in_handler(&mut self, event: u32) {
        self.arm(0, event);
        self.sse(0, UNMASK, &[]);
        self.sse(0, INJECT, &[event.into(), 0]);
    }

    /// How often an oracle spoke.
    pub fn count(&self, oracle: &str) -> u64 {
        self.monitor.counts()[replay::oracle::find(oracle).unwrap()]
    }

    /// Everything that was found, in words.
    pub fn text(&self) -> String {
        let lines: Vec<String> = self.monitor.violations().iter().map(|v| v.text(|a| format!("{a:#x}"))).collect();
        lines.join("\n")
    }

    /// Oracles that spoke.
    pub fn spoke(&self) -> Vec<&'static str> {
        let counts = self.monitor.counts();
        ORACLES.iter().zip(counts).filter(|(_, n)| *n > 0).map(|(o, _)| o.id).collect()
    }
}

/// The handler of an event.
pub fn handler(event: u32) -> u64 {
    HANDLER + ((u64::from(event) % 0x1fc1) & !3)
}

/// What the handler of an event finds in a7.
pub fn argument(event: u32) -> u64 {
    u64::from(event) ^ 0xa0
}

/// Whether a call of this function is answered, or about to be.
pub fn is(p: &Platform<'_>, h: usize, fid: u64) -> bool {
    let hart = &p.harts[h];
    (hart.csr.mcause, hart.x[17], hart.x[16]) == (9, SSE, fid)
}

/// The call becomes `sbi_get_spec_version`, which succeeds and does nothing.
pub fn forget(p: &mut Platform<'_>, h: usize, fid: u64) {
    if is(p, h, fid) {
        let hart = &mut p.harts[h];
        (hart.x[16], hart.x[17]) = (0, 0x10);
    }
}

/// At every second unmask, and nothing else, the event is delivered.
pub fn again(p: &mut Platform<'_>, hart: usize, event: u32) {
    let h = &mut p.harts[hart];
    if (h.x[10] as i64, h.pc) == (-7, CALL + 4) {
        h.csr.sepc = h.pc;
        h.pc = handler(event);
        (h.x[16], h.x[17]) = (h.id, argument(event));
    }
}
