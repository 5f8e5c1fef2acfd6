//! Software events on the rig.

use emu_core::firmware::{Firmware, FwStep};
use emu_core::hart::Hart;
use emu_csr::table::{self, field::hstatus, field::mstatus};
use emu_csr::{Exception, Interrupt, Mode, Trap};
use sbi_model::bug::BugId;
use sbi_model::profile::Profile;
use sbi_model::sse::{Event, Place, attr, id};
use sbi_model::{Config, Sbi};

use super::Rig;

pub const SSE: u64 = 0x53_5345;
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
/// Platform events of the rig's machine.
pub const PLAT_LOCAL: u32 = 0x0000_4000;
pub const PLAT_GLOBAL: u32 = 0x0000_c000;

pub const HANDLER: u64 = super::RAM + 0x8000;
pub const BUFFER: u64 = super::RAM + 0x4000;
pub const FIRMWARE: (u64, u64) = (super::RAM + 0xf_0000, 0x1_0000);

pub fn config(profile: &str) -> Config {
    let mut c = Config::new(Profile::find(profile).expect("a profile"));
    c.reserved = vec![FIRMWARE];
    c.platform_events = vec![PLAT_LOCAL, PLAT_GLOBAL];
    c
}

pub fn with_bug(profile: &str, bug: BugId) -> Config {
    let mut c = config(profile);
    c.bugs = c.bugs.with(bug);
    c
}

/// A hart's context as a supervisor could see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Context {
    pub pc: u64,
    pub mode: Mode,
    pub sie: bool,
    pub spie: bool,
    pub spp: bool,
    pub spv: bool,
    pub spvp: bool,
    pub gva: bool,
    pub sepc: u64,
    pub a6: u64,
    pub a7: u64,
}

impl Context {
    pub fn of(h: &Hart) -> Context {
        let (m, s) = (h.csr.mstatus, h.csr.hstatus);
        Context {
            pc: h.pc,
            mode: h.mode,
            sie: m & mstatus::SIE != 0,
            spie: m & mstatus::SPIE != 0,
            spp: m & mstatus::SPP != 0,
            spv: s & hstatus::SPV != 0,
            spvp: s & hstatus::SPVP != 0,
            gva: s & hstatus::GVA != 0,
            sepc: h.csr.sepc,
            a6: h.x[16],
            a7: h.x[17],
        }
    }

    /// Puts a hart into it.
    pub fn put(&self, h: &mut Hart) {
        let bit = |on: bool, mask: u64| if on { mask } else { 0 };
        h.set_mode(self.mode);
        h.pc = self.pc;
        h.csr.mstatus = h.csr.mstatus & !(mstatus::SIE | mstatus::SPIE | mstatus::SPP)
            | bit(self.sie, mstatus::SIE)
            | bit(self.spie, mstatus::SPIE)
            | bit(self.spp, mstatus::SPP);
        h.csr.hstatus = h.csr.hstatus & !(hstatus::SPV | hstatus::SPVP | hstatus::GVA)
            | bit(self.spv, hstatus::SPV)
            | bit(self.spvp, hstatus::SPVP)
            | bit(self.gva, hstatus::GVA);
        h.csr.sepc = self.sepc;
        h.x[16] = self.a6;
        h.x[17] = self.a7;
    }
}

impl Rig {
    /// Harts that all run, with this firmware.
    pub fn running(n: u64, config: Config) -> Rig {
        let mut rig = Rig::of(n, "max", config);
        for i in 1..n {
            assert_eq!(rig.call(0, super::HSM, 0, &[rig.harts[i as usize].id, super::ENTRY, 0]).0, 0);
        }
        rig
    }

    /// The same with these hart ids.
    pub fn running_ids(ids: &[u64], config: Config) -> Rig {
        let mut rig = Rig::ids(ids, "max", config);
        for &id in &ids[1..] {
            assert_eq!(rig.call(0, super::HSM, 0, &[id, super::ENTRY, 0]).0, 0);
        }
        rig
    }

    pub fn event(&self, hart: usize, event: u32) -> &Event {
        let s = &self.fw.state().sse;
        s.at(s.find(self.fw.rules(), hart, event).expect("an event"))
    }

    pub fn place(&self, hart: usize, event: u32) -> Place {
        self.fw.state().sse.find(self.fw.rules(), hart, event).expect("an event")
    }

    /// A call whose trap may end in a handler: the error it returned.
    pub fn sse(&mut self, hart: usize, fid: u64, args: &[u64]) -> i64 {
        let before = self.harts[hart].x;
        let end = self.step_call(hart, SSE, fid, args);
        assert!(matches!(end, FwStep::Done { .. }), "{end:?}");
        let error = self.harts[hart].x[10] as i64;
        let (a6, a7) = (before[16], before[17]);
        if self.harts[hart].x[17] == SSE {
            self.harts[hart].x[16] = a6;
            self.harts[hart].x[17] = a7;
        }
        error
    }

    /// One attribute.
    pub fn attr(&mut self, hart: usize, event: u32, attr: usize) -> Result<u64, i64> {
        match self.sse(hart, READ, &[u64::from(event), attr as u64, 1, BUFFER, 0]) {
            0 => Ok(self.bus.ram.read(BUFFER, 8).expect("memory")),
            e => Err(e),
        }
    }

    pub fn set_attr(&mut self, hart: usize, event: u32, attr: usize, value: u64) -> i64 {
        self.bus.ram.write(BUFFER, 8, value, &mut Vec::new());
        self.sse(hart, WRITE, &[u64::from(event), attr as u64, 1, BUFFER, 0])
    }

    pub fn status(&mut self, hart: usize, event: u32) -> u64 {
        self.attr(hart, event, attr::STATUS).expect("STATUS")
    }

    /// Registers (handler and argument follow from the id) and enables.
    pub fn arm(&mut self, hart: usize, event: u32) {
        assert_eq!(self.sse(hart, REGISTER, &[u64::from(event), handler(event), u64::from(event) ^ 0xa0]), 0);
        assert_eq!(self.sse(hart, ENABLE, &[u64::from(event)]), 0);
    }

    /// Signals from outside, without any hart looking yet.
    pub fn signal(&mut self, hart: usize, event: u32) -> Result<(), &'static str> {
        self.with_platform(|fw: &mut Sbi, p| fw.raise(p, u64::from(event), hart))
    }

    /// Takes the interrupts that are M-mode's, as long as there are any, and lets the firmware answer them.
    pub fn interrupts(&mut self, hart: usize) -> FwStep {
        let mut last = FwStep::Done { cost: 0 };
        for _ in 0..100 {
            let lines = self.bus.hart_lines(hart, 0);
            let h = &mut self.harts[hart];
            h.csr.set_line(Interrupt::MSoft, lines.msip);
            let Some((i, Mode::M)) = h.csr.pending_interrupt(h.mode) else { return last };
            let (from, pc) = (h.mode, h.pc);
            let entry = h.csr.enter_interrupt(from, pc, i, Mode::M, &mut ());
            h.set_mode(entry.mode);
            h.pc = entry.pc;
            last = self.finish(hart);
            if !matches!(last, FwStep::Done { .. }) {
                return last;
            }
        }
        panic!("interrupts without end");
    }

    /// Lets the firmware go on to the end of its operation.
    pub fn finish(&mut self, hart: usize) -> FwStep {
        for _ in 0..1000 {
            match self.with_platform(|fw, p| fw.step(p, hart)) {
                FwStep::More => {}
                end => return end,
            }
        }
        panic!("an operation without end");
    }

    /// Enters an `ecall` without answering it: for operations that are run step by step.
    pub fn begin(&mut self, hart: usize, fid: u64, args: &[u64]) {
        let h = &mut self.harts[hart];
        h.x[10..10 + args.len()].copy_from_slice(args);
        h.x[16] = fid;
        h.x[17] = SSE;
        let (from, pc) = (h.mode, h.pc);
        let entry = h.csr.enter_exception(from, pc, &Trap::new(Exception::EcallS, 0), &mut ());
        h.set_mode(entry.mode);
        h.pc = entry.pc;
    }

    pub fn one_step(&mut self, hart: usize) -> FwStep {
        self.with_platform(|fw, p| fw.step(p, hart))
    }

    /// A trap of the hart into HS-mode and the return from it, as a page fault in a handler would be.
    pub fn nested(&mut self, hart: usize) {
        let h = &mut self.harts[hart];
        let (from, pc) = (h.mode, h.pc);
        let entry = h.csr.enter_exception(from, pc, &Trap::new(Exception::LoadPageFault, 0x1234), &mut ());
        assert_eq!(entry.mode, Mode::HS);
        h.set_mode(entry.mode);
        let entry = h.csr.sret(Mode::HS, &mut ());
        h.set_mode(entry.mode);
        h.pc = entry.pc;
    }

    pub fn poke(&mut self, hart: usize, csr: u16, value: u64) {
        let now = self.harts[hart].now(&self.bus);
        self.harts[hart].csr.poke(csr, value, &now);
    }

    pub fn lcofi(&mut self, hart: usize) {
        self.harts[hart].csr.set_line(Interrupt::CounterOverflow, true);
    }

    pub fn mip_lcofi(&self, hart: usize) -> bool {
        self.harts[hart].csr.peek(table::MIP, &Default::default()).expect("mip") & Interrupt::CounterOverflow.mask() != 0
    }
}

/// The handler of an event.
pub fn handler(event: u32) -> u64 {
    HANDLER + ((u64::from(event) % 0xffc1) & !1)
}
