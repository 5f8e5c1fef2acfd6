//! Calls that mean harm, from several harts whose calls interleave: what must hold whatever is asked.
//!
//! After every step of the firmware: it has not stopped the machine; memory that only M-mode may use is as it was and nothing of it is
//! anywhere else; memory has changed only where the call in progress may write. After every call: its error is one that the text lists
//! for the function; an error has changed no memory and none of the state that calls of its kind change; every register but a0 and a1
//! is as it was, unless the hart goes on elsewhere.

use emu_core::bus::{Bus, Clock};
use emu_core::dev::Clint;
use emu_core::dev::reri::Signal;
use emu_core::firmware::{Firmware, FwStep};
use emu_core::hart::Wait;
use emu_core::mem::Ram;
use emu_csr::{Exception, Interrupt, Isa, Mode, Trap};
use sbi_model::Config;
use sbi_model::domain::{Boot, Domain, Region, permission};
use sbi_model::memory::Access;
use sbi_model::profile::Profile;
use sbi_model::state::State;

use super::{BASE, CPPC, DBCN, FWFT, HSM, IPI, RAM, RFENCE, Rig, SRST, SUSP, TIME};

const PMU: u64 = 0x50_4d55;
const DBTR: u64 = 0x4442_5452;
const SSE: u64 = 0x53_5345;
const MPXY: u64 = 0x4d50_5859;
const NACL: u64 = 0x4e41_434c;

/// Bytes of memory, and of them (at `GUARD`) those of the firmware.
const SIZE: u64 = 64 << 10;
const GUARD: u64 = RAM + 0x8000;
const GUARDED: u64 = 0x1000;
/// What the firmware's memory holds, in every word.
const SECRET: u64 = 0x5ec2_e75e_c2e7_5ec3;
/// Hart ids.
const IDS: [u64; 3] = [0, 5, 70];
/// Where calls are made.
const PC: u64 = RAM + 0x1000;

/// Where words come from: random numbers, or an input. At its end there is none.
pub trait Source {
    fn word(&mut self) -> Option<u64>;
}

/// Random numbers (splitmix64).
pub struct Random(pub u64);

impl Source for Random {
    fn word(&mut self) -> Option<u64> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some(z ^ z >> 31)
    }
}

/// The errors that the text lists for a function (its own table, and hart masks'), as a set of -code. None: not of this table.
fn errors(eid: u64, fid: u64) -> Option<u32> {
    const FAILED: u32 = 1 << 1;
    const NOT_SUPPORTED: u32 = 1 << 2;
    const PARAM: u32 = 1 << 3;
    const DENIED: u32 = 1 << 4;
    const ADDRESS: u32 = 1 << 5;
    const AVAILABLE: u32 = 1 << 6;
    const STARTED: u32 = 1 << 7;
    const STOPPED: u32 = 1 << 8;
    const SHMEM: u32 = 1 << 9;
    const STATE: u32 = 1 << 10;
    const RANGE: u32 = 1 << 11;
    const TIMEOUT: u32 = 1 << 12;
    const IO: u32 = 1 << 13;
    const LOCKED: u32 = 1 << 14;
    Some(match (eid, fid) {
        (BASE, 0..=6) | (TIME, 0) | (PMU, 0) | (DBTR, 0) | (DBCN, 2) | (SSE, 6) | (MPXY, 0) | (NACL, 0) => 0,
        (IPI, 0) | (RFENCE, 0) => PARAM,
        (RFENCE, 1 | 2) => PARAM | ADDRESS,
        (RFENCE, 3..=6) => PARAM | ADDRESS | NOT_SUPPORTED,
        (HSM, 0) => PARAM | ADDRESS | AVAILABLE,
        (HSM, 1) => FAILED,
        (HSM, 2) => PARAM,
        (HSM, 3) => PARAM | ADDRESS,
        (SRST, 0) => PARAM | NOT_SUPPORTED,
        (SUSP, 0) => PARAM | ADDRESS | DENIED | NOT_SUPPORTED,
        (FWFT, 0) => NOT_SUPPORTED | PARAM | DENIED | LOCKED,
        (FWFT, 1) => NOT_SUPPORTED | DENIED,
        (CPPC, 0) => PARAM | NOT_SUPPORTED,
        (CPPC, 1..=3) => PARAM | NOT_SUPPORTED | DENIED,
        (DBCN, 0 | 1) => PARAM | FAILED,
        (PMU, 1 | 5 | 6) => PARAM,
        (PMU, 2) => PARAM | NOT_SUPPORTED,
        (PMU, 3) => PARAM | STARTED | SHMEM,
        (PMU, 4) => PARAM | STOPPED | SHMEM,
        (PMU, 7 | 8) => NOT_SUPPORTED | PARAM | ADDRESS,
        (DBTR, 1) => PARAM | ADDRESS,
        (DBTR, 2) => SHMEM | RANGE,
        (DBTR, 3 | 4) => SHMEM | RANGE | PARAM | FAILED | NOT_SUPPORTED,
        (DBTR, 5..=7) => PARAM,
        (SSE, 0) => NOT_SUPPORTED | PARAM | RANGE | ADDRESS,
        (SSE, 1) => NOT_SUPPORTED | PARAM | RANGE | ADDRESS | DENIED | STATE,
        // OpenSBI refuses handlers in its own memory, which no table lists.
        (SSE, 2) => NOT_SUPPORTED | PARAM | STATE | ADDRESS,
        (SSE, 3..=5) => NOT_SUPPORTED | PARAM | STATE,
        (SSE, 7) => NOT_SUPPORTED | PARAM | STATE | FAILED,
        (SSE, 8) => STARTED,
        (SSE, 9) => STOPPED,
        (MPXY | NACL, 1) => PARAM | ADDRESS | FAILED,
        (MPXY, 2) => PARAM | SHMEM | DENIED | FAILED,
        (MPXY, 3) => PARAM | NOT_SUPPORTED | RANGE | SHMEM | FAILED,
        (MPXY, 4) => PARAM | NOT_SUPPORTED | RANGE | SHMEM | DENIED | FAILED,
        (MPXY, 5 | 6) => PARAM | NOT_SUPPORTED | SHMEM | TIMEOUT | IO | FAILED,
        (MPXY, 7) => NOT_SUPPORTED | SHMEM | IO | FAILED,
        (NACL, 2 | 3) => NOT_SUPPORTED | PARAM | SHMEM,
        (NACL, 4) => NOT_SUPPORTED | SHMEM,
        (BASE | TIME | IPI | RFENCE | HSM | SRST | SUSP | FWFT | CPPC | DBCN | PMU | DBTR | SSE | MPXY | NACL, _) => {
            NOT_SUPPORTED
        }
        _ => return None,
    })
}

/// A call of one hart.
#[derive(Clone)]
struct Call {
    eid: u64,
    fid: u64,
    args: [u64; 6],
    x: [u64; 33],
    pc: u64,
    steps: u32,
    wrote: bool,
    state: Option<State>,
}

/// A profile on a machine divided into domains: hart 0 alone, and the others with some memory of their own and some that they may not write.
pub fn divided(profile: &'static Profile) -> Config {
    use permission::{ALL, EXECUTE, READ};
    let own = |allowed| Region { base: RAM + 0xc000, size: 0x4000, allowed };
    let code = Region { base: RAM, size: 0x2000, allowed: READ | EXECUTE };
    let domain = |name: &str, harts: &[u64], regions, boot| Domain {
        name: name.into(),
        harts: harts.to_vec(),
        regions,
        boot,
        may_reset: true,
    };
    let boot = Boot { hart: IDS[1], entry: PC, arg: 0 };
    let other = domain("other", &IDS[1..], vec![code, own(ALL)], Some(boot));
    let root = domain("root", &[], vec![own(0), Region::WHOLE], None);
    Config { domains: vec![other, root], ..Config::new(profile) }
}

/// What has been done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Calls that ended.
    pub calls: u64,
    /// Of these, with success.
    pub successes: u64,
    /// Other traps.
    pub traps: u64,
    /// Calls in whose middle another hart's began.
    pub interleaved: u64,
}

/// Harts, firmware, and what was before.
pub struct Abuse {
    rig: Rig,
    calls: [Option<Call>; IDS.len()],
    memory: Vec<u8>,
    spec: bool,
    /// The release has defects, some of which return other errors for software events.
    defects: bool,
    /// So far.
    pub counts: Counts,
}

/// A finding, or the end of an episode.
pub enum Stop {
    /// Something that must not be.
    Finding(String),
    /// The machine is to stop, or the words have ended.
    End,
}

impl Abuse {
    /// A machine with firmware of a profile. Unless `guarded`, the firmware does not know which memory is its own: a planted fault.
    pub fn new(config: Config, guarded: bool) -> Abuse {
        let mut config = config;
        let spec = config.profile.name == Profile::spec().name;
        let defects = !config.profile.bugs.is_empty();
        config.optional.nacl = spec;
        config.reserved = if guarded { vec![(GUARD, GUARDED)] } else { Vec::new() };
        let isa = Isa::all();
        let clock = Clock { cycle_hz: 1_000_000_000, timebase_hz: 10_000_000, offset: 0 };
        let mut bus = Bus::new(Ram::new(RAM, SIZE), clock);
        bus.add(0x200_0000, 0x1_0000, 0, Box::new(Clint::new(IDS.len()))).expect("room");
        for at in (0..GUARDED).step_by(8) {
            bus.ram.write(GUARD + at, 8, SECRET, &mut Vec::new());
        }
        let mut rig = Rig::unbooted(isa, &IDS, bus, config);
        rig.with_platform(|fw, p| fw.boot(p, 0, PC, 0));
        let mut abuse =
            Abuse { rig, calls: Default::default(), memory: vec![0; SIZE as usize], spec, defects, counts: Counts::default() };
        abuse.rig.bus.ram.read_bytes(RAM, &mut abuse.memory);
        abuse
    }

    /// One thing more: a call begins, or the one in progress on some hart makes a step.
    pub fn act(&mut self, words: &mut dyn Source) -> Result<(), Stop> {
        let choice = words.word().ok_or(Stop::End)?;
        let hart = (choice % 3) as usize;
        if self.calls[hart].is_some() {
            return self.step(hart);
        }
        if self.rig.harts[hart].wait == Wait::Held {
            return self.restart(hart);
        }
        let h = &mut self.rig.harts[hart];
        h.wait = Wait::Running;
        h.set_mode(Mode::HS);
        h.pc = PC + 8 * (choice >> 8 & 0xff);
        if choice >> 16 & 63 == 0 {
            return self.trap(hart, choice >> 24, words);
        }
        self.counts.interleaved += u64::from(self.calls.iter().any(Option::is_some));
        self.begin(hart, choice, words)?;
        // Most calls run to their end at once.
        if choice >> 60 > 3 {
            self.finish(hart)?;
        }
        Ok(())
    }

    /// Steps until the call in progress on a hart has ended.
    fn finish(&mut self, hart: usize) -> Result<(), Stop> {
        while self.calls[hart].is_some() {
            self.step(hart)?;
        }
        Ok(())
    }

    /// Starts a hart that has stopped, by a call of another that has not.
    fn restart(&mut self, hart: usize) -> Result<(), Stop> {
        let idle = |&i: &usize| self.calls[i].is_none() && self.rig.harts[i].wait != Wait::Held;
        let Some(other) = (0..IDS.len()).find(idle) else {
            let busy = self.calls.iter().any(Option::is_some);
            return if busy { Ok(()) } else { Err(Stop::End) };
        };
        let h = &mut self.rig.harts[other];
        h.wait = Wait::Running;
        h.set_mode(Mode::HS);
        h.pc = PC;
        self.enter(other, HSM, 0, [IDS[hart], PC, 0, 0, 0, 0]);
        self.finish(other)
    }

    /// Enters the trap of a call.
    fn begin(&mut self, hart: usize, choice: u64, words: &mut dyn Source) -> Result<(), Stop> {
        const EIDS: [(u64, u64); 15] = [
            (BASE, 7),
            (TIME, 1),
            (IPI, 1),
            (RFENCE, 7),
            (HSM, 4),
            (SRST, 1),
            (DBCN, 3),
            (PMU, 9),
            (DBTR, 8),
            (SSE, 10),
            (FWFT, 2),
            (SUSP, 1),
            (CPPC, 4),
            (MPXY, 8),
            (NACL, 5),
        ];
        let (mut eid, functions) = EIDS[(choice >> 32) as usize % EIDS.len()];
        let mut fid = (choice >> 40) % functions;
        match choice >> 48 & 0xff {
            0..16 => fid = word(words)?,
            16..20 => eid = word(words)?,
            20..28 => eid = choice >> 44 & 15,
            // SRST ends the episode: seldom.
            _ if eid == SRST && choice >> 56 & 15 != 0 => eid = SSE,
            _ => {}
        }
        let mut args = [0; 6];
        for a in &mut args {
            *a = word(words)?;
        }
        if matches!((eid, fid), (SSE, 0..=7)) && choice >> 57 & 3 != 0 {
            const EVENTS: [u64; 8] = [0, 1, 0x8000, 0x1_0000, 0x10_0000, 0x10_8000, 0xffff_0000, 0xffff_8000];
            args[0] = EVENTS[(choice >> 20 & 7) as usize];
        }
        // Where the upper half of an address goes, it is mostly 0.
        let high = match (eid, fid) {
            (DBCN, 0 | 1) => 2,
            (PMU, 7 | 8) | (DBTR | MPXY | NACL, 1) => 1,
            (SSE, 0 | 1) => 4,
            _ => 5,
        };
        if choice >> 54 & 3 != 0 {
            args[high] = 0;
        }
        self.enter(hart, eid, fid, args);
        Ok(())
    }

    fn enter(&mut self, hart: usize, eid: u64, fid: u64, args: [u64; 6]) {
        let h = &mut self.rig.harts[hart];
        h.x[10..16].copy_from_slice(&args);
        (h.x[16], h.x[17]) = (fid, eid);
        let (from, pc) = (h.mode, h.pc);
        let entry = h.csr.enter_exception(from, pc, &Trap::new(Exception::EcallS, 0), &mut ());
        h.set_mode(entry.mode);
        h.pc = entry.pc;
        let x = h.x;
        let state = Some(self.rig.fw.state().clone());
        self.calls[hart] = Some(Call { eid, fid, args, x, pc, steps: 0, wrote: false, state });
    }

    /// One step of the call in progress on a hart.
    fn step(&mut self, hart: usize) -> Result<(), Stop> {
        self.others_move(hart);
        let end = self.rig.with_platform(|fw, p| fw.step(p, hart));
        self.look(hart)?;
        let Some(call) = &mut self.calls[hart] else { return Ok(()) };
        call.steps += 1;
        let what = format!("{:#x}/{} {:x?}", call.eid, call.fid, call.args);
        match end {
            FwStep::More => {
                if call.steps > 1000 {
                    return Err(Stop::Finding(format!("{what} does not end")));
                }
                Ok(())
            }
            FwStep::Spin => {
                // Whoever holds what it needs must go on; alone, it would wait for ever.
                let others = (0..IDS.len()).filter(|&i| i != hart && self.calls[i].is_some()).count();
                if others == 0 {
                    return if self.spec { Err(Stop::Finding(format!("{what} waits for nobody"))) } else { Err(Stop::End) };
                }
                for i in (0..IDS.len()).filter(|&i| i != hart) {
                    if self.calls[i].is_some() {
                        let mut call = self.calls[hart].take();
                        if let Some(c) = &mut call {
                            c.state = None;
                        }
                        let r = self.step(i);
                        std::mem::swap(&mut self.calls[hart], &mut call);
                        r?;
                    }
                }
                if self.calls[hart].as_ref().is_some_and(|c| c.steps > 1000) {
                    return Err(Stop::End);
                }
                Ok(())
            }
            FwStep::Done { .. } => self.done(hart),
            FwStep::Request(_) if call.eid == SRST || call.eid == 8 => Err(Stop::End),
            FwStep::Request(r) => Err(Stop::Finding(format!("{what} stops the machine: {r:?}"))),
            // OpenSBI's locks can wait for themselves, which its profile shows.
            FwStep::Fatal(_) if !self.spec && call.eid == SSE => Err(Stop::End),
            FwStep::Fatal(text) => Err(Stop::Finding(format!("{what}: {text}"))),
        }
    }

    /// What calls of other harts found when they began is no longer theirs alone to change.
    fn others_move(&mut self, hart: usize) {
        let others = self.calls.iter_mut().enumerate().filter(|(i, _)| *i != hart);
        others.filter_map(|(_, c)| c.as_mut()).for_each(|c| c.state = None);
    }

    /// Looks at memory after a step of a hart.
    fn look(&mut self, hart: usize) -> Result<(), Stop> {
        let mut now = vec![0; SIZE as usize];
        self.rig.bus.ram.read_bytes(RAM, &mut now);
        if now == self.memory {
            return Ok(());
        }
        let mut allowed = self.calls[hart].as_ref().map(|c| outputs(c, &self.rig, hart)).unwrap_or_default();
        // A guest's return to its hypervisor is told there, whatever the trap is.
        allowed.push((self.rig.fw.state().nacl[hart].shmem, 4096 + 8192));
        if let Some(c) = &mut self.calls[hart] {
            c.wrote = true;
        }
        for (i, (a, b)) in self.memory.iter().zip(&now).enumerate() {
            let at = RAM + i as u64;
            if a == b {
                continue;
            }
            if !self.rig.fw.rules().domains.allow(IDS[hart], at, 1, Access::Write) {
                return Err(Stop::Finding(format!("hart {} wrote {at:#x}, which its domain may not", IDS[hart])));
            }
            if !allowed.iter().any(|&(first, len)| at >= first && at - first < len) {
                let call = self.calls[hart].as_ref().map(|c| format!("{:#x}/{} {:x?}", c.eid, c.fid, c.args));
                return Err(Stop::Finding(format!("{call:?} wrote {at:#x}, where it may not")));
            }
        }
        let guard = (GUARD - RAM) as usize..(GUARD - RAM + GUARDED) as usize;
        let secret = SECRET.to_le_bytes();
        let outside = [&now[..guard.start], &now[guard.end..]];
        if outside.iter().any(|part| part.windows(8).any(|w| w == secret)) {
            return Err(Stop::Finding("the firmware's memory is disclosed in memory".to_owned()));
        }
        self.memory = now;
        Ok(())
    }

    /// The end of a call.
    fn done(&mut self, hart: usize) -> Result<(), Stop> {
        let Some(call) = self.calls[hart].take() else { return Ok(()) };
        self.counts.calls += 1;
        let what = format!("{:#x}/{} {:x?}", call.eid, call.fid, call.args);
        if self.rig.out.windows(8).any(|w| w == SECRET.to_le_bytes()) {
            return Err(Stop::Finding(format!("{what}: the firmware's memory is on the console")));
        }
        self.rig.out.clear();
        let h = &self.rig.harts[hart];
        if h.x[0] != 0 || h.wait != Wait::Held && h.mode == Mode::M {
            return Err(Stop::Finding(format!("{what}: x0 = {:#x}, mode {:?}", h.x[0], h.mode)));
        }
        // A software event, a fault of the supervisor, or another start: elsewhere.
        let back = h.wait != Wait::Held && h.pc == call.pc.wrapping_add(4) && (h.x[16], h.x[17]) == (call.fid, call.eid);
        let legacy = call.eid <= if self.spec { sbi_model::ext::LAST_LEGACY } else { 8 };
        if !back {
            return Ok(());
        }
        let kept = (1..32).filter(|&r| r != 10 && (r != 11 || legacy)).all(|r| h.x[r] == call.x[r]);
        if !kept {
            return Err(Stop::Finding(format!("{what} changed a register besides a0 and a1")));
        }
        let error = h.x[10] as i64;
        let listed = errors(call.eid, call.fid).map(|set| if self.defects && call.eid == SSE { u32::MAX } else { set });
        if error >= 0 || legacy {
            self.counts.successes += u64::from(error == 0);
            if !legacy && error > 0 {
                return Err(Stop::Finding(format!("{what} returned error {error}")));
            }
            return Ok(());
        }
        if let Some(set) = listed
            && !(error > -32 && set >> -error & 1 != 0)
            && (self.spec || error != -2)
        {
            return Err(Stop::Finding(format!("{what} returned {error}, which is not in its table")));
        }
        if call.wrote && listed.is_some() {
            return Err(Stop::Finding(format!("{what} returned {error} and has written memory")));
        }
        let Some(before) = &call.state else { return Ok(()) };
        let now = self.rig.fw.state();
        // A counter that runs already is an error of a call that has started the others.
        let counters = before.pmu == now.pmu || matches!((call.eid, call.fid), (PMU, 3 | 4));
        let calls = before.dbtr == now.dbtr && before.fwft == now.fwft && before.cppc == now.cppc && before.harts == now.harts;
        // OpenSBI's signal to a hart of another domain fails half done: the id stays in that hart's queue.
        let queued = !self.spec && (call.eid, call.fid, error) == (SSE, 7, -1);
        let same = (before.sse == now.sse || queued) && before.mpxy == now.mpxy && before.nacl == now.nacl && calls && counters;
        if !same && listed.is_some() {
            return Err(Stop::Finding(format!("{what} returned {error} and has changed state")));
        }
        Ok(())
    }

    /// A trap that is no call: an interrupt of M-mode, or an exception that it takes first.
    fn trap(&mut self, hart: usize, kind: u64, words: &mut dyn Source) -> Result<(), Stop> {
        let value = word(words)?;
        if let n @ 7.. = kind % 9 {
            self.others_move(hart);
            self.rig.with_platform(|fw, p| match n {
                7 => fw.ras(p, Signal { hart: (value & 1 != 0).then_some(hart), high: value & 2 != 0 }),
                // Whether the firmware takes the event is its business.
                _ => drop(fw.raise(p, value, hart)),
            });
            self.counts.traps += 1;
            return self.look(hart);
        }
        let h = &mut self.rig.harts[hart];
        let (from, pc) = (h.mode, h.pc);
        let entry = match kind % 9 {
            0 => h.csr.enter_exception(from, pc, &Trap::illegal(value as u32), &mut ()),
            1 => h.csr.enter_exception(from, pc, &Trap::new(Exception::LoadAddrMisaligned, value), &mut ()),
            2 => h.csr.enter_exception(from, pc, &Trap::new(Exception::LoadAccessFault, value), &mut ()),
            6 => h.csr.enter_exception(from, pc, &Trap::new(Exception::HardwareError, value), &mut ()),
            n => {
                let i = [Interrupt::MSoft, Interrupt::MTimer, Interrupt::CounterOverflow][(n - 3) as usize];
                h.csr.set_line(i, true);
                h.csr.enter_interrupt(from, pc, i, Mode::M, &mut ())
            }
        };
        if entry.mode != Mode::M {
            return Ok(());
        }
        self.others_move(hart);
        let h = &mut self.rig.harts[hart];
        h.set_mode(entry.mode);
        h.pc = entry.pc;
        self.counts.traps += 1;
        for _ in 0..1000 {
            let end = self.rig.with_platform(|fw, p| fw.step(p, hart));
            self.look(hart)?;
            match end {
                FwStep::More => {}
                FwStep::Done { .. } => return Ok(()),
                FwStep::Spin => return Err(Stop::End),
                end => return Err(Stop::Finding(format!("a trap ended in {end:?}"))),
            }
        }
        Err(Stop::Finding("a trap's answer does not end".to_owned()))
    }
}

/// Where a call may write memory: first address and length.
fn outputs(c: &Call, rig: &Rig, hart: usize) -> Vec<(u64, u64)> {
    let state = rig.fw.state();
    let words = |n: u64| n.saturating_mul(8);
    match (c.eid, c.fid) {
        (DBCN, 1) => vec![(c.args[1], c.args[0])],
        (SSE, 0) => vec![(c.args[3], words(c.args[2] & 0xffff_ffff))],
        (PMU, 4) => vec![(state.pmu[hart].snapshot, 4096)],
        (PMU, 8) => vec![(c.args[0], c.args[2].saturating_mul(16))],
        // The old address goes into the new memory; attributes, messages and their answers into that which is set.
        (MPXY, 1) => vec![(c.args[0], 4096)],
        (MPXY, _) => vec![(state.mpxy.shmem[hart], 4096)],
        // Of 4096 bytes of scratch and 1024 CSRs.
        (NACL, 1) => vec![(c.args[0], 4096 + 8192)],
        (DBTR, 2) => vec![(state.dbtr[hart].memory, c.args[1].saturating_mul(32))],
        (DBTR, 3) => vec![(state.dbtr[hart].memory, c.args[0].saturating_mul(32))],
        _ => Vec::new(),
    }
}

/// A word that finds edges: small numbers, hart ids, the ends of memory and of what is the firmware's, devices, wrap-around, bits.
fn word(words: &mut dyn Source) -> Result<u64, Stop> {
    let w = words.word().ok_or(Stop::End)?;
    let v = w >> 8;
    Ok(match w & 15 {
        0 => w,
        1..=3 => v % 12,
        4 => IDS[(v % 3) as usize],
        5 => 1 << (v & 63),
        6 => u64::MAX - (v & 15),
        7 => RAM + SIZE - (v & 0x1f),
        8..=10 => RAM + ((v % SIZE) & !0xf),
        11 => RAM + v % SIZE,
        12 => GUARD + (v & 0x1f) - 16,
        13 => GUARD + GUARDED + (v & 0x1f) - 16,
        14 => [0x200_0000, 0x1000_0000, 0, 1 << 32, 6 << 60 | 0x12, 0xffff_0000][(v % 6) as usize],
        _ => v & 0xfff,
    })
}

/// Makes about `calls` calls with random numbers of a seed, on machines of the profile in turn. The counts, or the finding and its seed.
pub fn run(config: &dyn Fn() -> Config, guarded: bool, seed: u64, calls: u64) -> Result<Counts, String> {
    /// Actions on one machine.
    const EPISODE: u64 = 2000;
    let mut total = Counts::default();
    let mut seed = seed;
    while total.calls < calls {
        let mut abuse = Abuse::new(config(), guarded);
        let mut words = Random(seed);
        for _ in 0..EPISODE {
            match abuse.act(&mut words) {
                Ok(()) => {}
                Err(Stop::End) => break,
                Err(Stop::Finding(text)) => return Err(format!("seed {seed}: {text}")),
            }
        }
        total.calls += abuse.counts.calls;
        total.successes += abuse.counts.successes;
        total.traps += abuse.counts.traps;
        total.interleaved += abuse.counts.interleaved;
        seed += 1;
    }
    Ok(total)
}
