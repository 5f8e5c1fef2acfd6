//! The machine as a debugger's target: registers and memory of every hart, and how it goes on.

use emu_core::machine::Machine;
use emu_csr::Mode;
use gdbstub::common::{Signal, Tid};
use gdbstub::stub::MultiThreadStopReason;
use gdbstub::target::ext::base::BaseOps;
use gdbstub::target::ext::base::multithread::{
    MultiThreadBase, MultiThreadRangeStepping, MultiThreadRangeSteppingOps, MultiThreadResume, MultiThreadResumeOps,
    MultiThreadSchedulerLocking, MultiThreadSchedulerLockingOps, MultiThreadSingleStep, MultiThreadSingleStepOps,
};
use gdbstub::target::ext::base::reverse_exec::{ReverseCont, ReverseContOps, ReverseStep, ReverseStepOps};
use gdbstub::target::ext::base::single_register_access::{SingleRegisterAccess, SingleRegisterAccessOps};
use gdbstub::target::ext::breakpoints::{
    Breakpoints, BreakpointsOps, HwBreakpoint, HwBreakpointOps, HwWatchpoint, HwWatchpointOps, SwBreakpoint, SwBreakpointOps,
    WatchKind,
};
use gdbstub::target::ext::monitor_cmd::{ConsoleOutput, MonitorCmd, MonitorCmdOps};
use gdbstub::target::ext::target_description_xml_override::{TargetDescriptionXmlOverride, TargetDescriptionXmlOverrideOps};
use gdbstub::target::ext::thread_extra_info::{ThreadExtraInfo, ThreadExtraInfoOps};
use gdbstub::target::{Target, TargetError, TargetResult};

use super::arch::{Core, Register, Rv64};
use super::guest::{Back, Guest, Resume};
use super::stops::{Stops, hart, tid};
use super::{monitor, xml};
use crate::exit::CliError;

/// EPERM, EFAULT and EINVAL, as GDB shows them.
const NOT_PERMITTED: u8 = 1;
const BAD_ADDRESS: u8 = 14;
const INVALID: u8 = 22;

/// The target.
pub struct Debugged<'s> {
    /// The run.
    pub guest: &'s mut (dyn Guest + 's),
    /// What is set.
    pub stops: Stops,
    /// What was set when the machine went on last.
    before: Stops,
    /// What is wanted.
    pub resume: Resume,
    /// The thread that GDB looked at last: its packet for a step back names none.
    focus: Tid,
    /// Addresses are physical.
    pub physical: bool,
    /// An interrupt came while nothing ran.
    pub interrupted: bool,
    /// The description.
    xml: String,
}

impl<'s> Debugged<'s> {
    /// A target for this run.
    pub fn new(guest: &'s mut (dyn Guest + 's)) -> Debugged<'s> {
        let isa = guest.look().harts().first().map_or(emu_csr::Isa::max(), |h| h.csr.isa);
        let (stops, before) = (Stops::default(), Stops::default());
        let xml = xml::target(isa);
        let resume = Resume::default();
        Debugged { guest, stops, before, resume, focus: tid(0), physical: false, interrupted: false, xml }
    }

    /// The machine, to look at.
    pub fn machine(&self) -> &Machine {
        self.guest.look()
    }

    /// The hart to show when nobody asked for one: the first that executes.
    pub fn active(&self) -> Tid {
        use emu_core::hart::Wait;
        tid(self.machine().harts().iter().position(|h| h.wait == Wait::Running).unwrap_or(0))
    }

    /// Who is to be told of for a stop of this thread. GDB steps one hart, with all others locked, over a breakpoint, and takes an event of
    /// another for the end of the world (its assertion in `finish_step_over`); but the others go on here as their turns come.
    pub fn answering(&self, stopped: Tid) -> Tid {
        let steps = &self.resume.steps;
        match steps.first() {
            Some(first) if self.resume.locked && steps.iter().all(|s| tid(s.0) != stopped) => tid(first.0),
            _ => stopped,
        }
    }

    /// A stop as GDB can take it, with words if it was another hart's.
    pub fn answer(&self, reason: MultiThreadStopReason<u64>) -> (Option<String>, MultiThreadStopReason<u64>) {
        use gdbstub::stub::BaseStopReason::{HwBreak, SignalWithThread, SwBreak, Watch};
        let (SwBreak(stopped) | HwBreak(stopped) | Watch { tid: stopped, .. } | SignalWithThread { tid: stopped, .. }) = reason
        else {
            return (None, reason);
        };
        let tid = self.answering(stopped);
        if tid == stopped {
            return (None, reason);
        }
        let [other, own] = [stopped, tid].map(hart);
        let pc = self.machine().harts().get(other).map_or(0, |h| h.pc);
        let words = format!("hart {other} has stopped at {pc:#x}, before hart {own} could make its step");
        (Some(words), SignalWithThread { tid, signal: Signal::SIGTRAP })
    }

    /// Refuses changes where they would make a recording or a history untrue.
    fn may_change(&self) -> TargetResult<(), Self> {
        if self.guest.is_fixed().is_some() { Err(TargetError::Errno(NOT_PERMITTED)) } else { Ok(()) }
    }

    fn read(&self, i: usize, r: Register) -> Option<u64> {
        let m = self.machine();
        let now = m.harts().get(i)?.now(m.bus());
        let h = m.harts().get(i)?;
        Some(match r {
            Register::X(n) => h.x[usize::from(n & 31)],
            Register::Pc => h.pc,
            Register::F(n) => h.f[usize::from(n & 31)],
            Register::Csr(n) => h.csr.peek(n, &now)?,
            Register::Priv => h.mode.level(),
            Register::Virt => u64::from(h.mode.virt()),
        })
    }

    /// Writes a register. Only what is done changes the run: a history keeps its future if it cannot be done.
    fn write(&mut self, i: usize, r: Register, v: u64) -> bool {
        let done = assign(self.guest.inspect(), i, r, v);
        if done {
            self.guest.change();
        }
        done
    }
}

/// Gives a register of a hart a value, or says that it cannot have it.
fn assign(m: &mut Machine, i: usize, r: Register, v: u64) -> bool {
    if let Register::Csr(n) = r {
        return m.poke_csr(i, n, v);
    }
    let Some(h) = m.harts_mut().get_mut(i) else { return false };
    match r {
        Register::X(0) => {}
        Register::X(n) => h.x[usize::from(n & 31)] = v,
        Register::F(n) => h.f[usize::from(n & 31)] = v,
        Register::Pc => (h.pc, h.next_pc) = (v & !1, v & !1),
        Register::Priv if v < 4 && v != 2 => {
            let virt = h.mode.virt() && v != 3;
            h.set_mode(Mode::from_parts(v, virt));
        }
        Register::Virt if v < 2 && (v == 0 || h.mode != Mode::M && h.csr.isa.has(emu_csr::Ext::H)) => {
            let level = h.mode.level();
            h.set_mode(Mode::from_parts(level, v != 0));
        }
        Register::Priv | Register::Virt | Register::Csr(_) => return false,
    }
    true
}

impl Target for Debugged<'_> {
    type Arch = Rv64;
    type Error = CliError;

    fn base_ops(&mut self) -> BaseOps<'_, Rv64, CliError> {
        BaseOps::MultiThread(self)
    }

    fn support_breakpoints(&mut self) -> Option<BreakpointsOps<'_, Self>> {
        Some(self)
    }

    fn support_monitor_cmd(&mut self) -> Option<MonitorCmdOps<'_, Self>> {
        Some(self)
    }

    fn support_target_description_xml_override(&mut self) -> Option<TargetDescriptionXmlOverrideOps<'_, Self>> {
        Some(self)
    }
}

impl MultiThreadBase for Debugged<'_> {
    fn read_registers(&mut self, regs: &mut Core, tid: Tid) -> TargetResult<(), Self> {
        self.focus = tid;
        let h = self.machine().harts().get(hart(tid)).ok_or(TargetError::Errno(INVALID))?;
        regs.x.copy_from_slice(&h.x[..32]);
        regs.pc = h.pc;
        Ok(())
    }

    fn write_registers(&mut self, regs: &Core, tid: Tid) -> TargetResult<(), Self> {
        self.may_change()?;
        for (n, v) in regs.x.iter().enumerate() {
            self.write(hart(tid), Register::X(n as u8), *v);
        }
        self.write(hart(tid), Register::Pc, regs.pc);
        Ok(())
    }

    fn support_single_register_access(&mut self) -> Option<SingleRegisterAccessOps<'_, Tid, Self>> {
        Some(self)
    }

    fn read_addrs(&mut self, start: u64, data: &mut [u8], tid: Tid) -> TargetResult<usize, Self> {
        self.focus = tid;
        let physical = self.physical;
        let m = self.guest.inspect();
        let n = match physical {
            true if m.peek_physical(start, data) => data.len(),
            true => 0,
            false => m.peek_virtual(hart(tid), start, data),
        };
        if n == 0 && !data.is_empty() { Err(TargetError::Errno(BAD_ADDRESS)) } else { Ok(n) }
    }

    fn write_addrs(&mut self, start: u64, data: &[u8], tid: Tid) -> TargetResult<(), Self> {
        self.may_change()?;
        let physical = self.physical;
        let m = self.guest.inspect();
        let done = if physical { m.poke_physical(start, data) } else { m.poke_virtual(hart(tid), start, data) };
        if !done {
            return Err(TargetError::Errno(BAD_ADDRESS));
        }
        // GDB asks with no bytes whether it may send them as they are.
        if !data.is_empty() {
            self.guest.change();
        }
        Ok(())
    }

    fn list_active_threads(&mut self, thread_is_active: &mut dyn FnMut(Tid)) -> Result<(), CliError> {
        (0..self.machine().harts().len()).map(tid).for_each(thread_is_active);
        Ok(())
    }

    fn support_resume(&mut self) -> Option<MultiThreadResumeOps<'_, Self>> {
        Some(self)
    }

    fn support_thread_extra_info(&mut self) -> Option<ThreadExtraInfoOps<'_, Self>> {
        Some(self)
    }
}

impl ThreadExtraInfo for Debugged<'_> {
    fn thread_extra_info(&self, tid: Tid, buf: &mut [u8]) -> Result<usize, CliError> {
        let text = monitor::thread(self.guest.look(), hart(tid));
        let n = text.len().min(buf.len());
        buf[..n].copy_from_slice(&text.as_bytes()[..n]);
        Ok(n)
    }
}

impl SingleRegisterAccess<Tid> for Debugged<'_> {
    fn read_register(&mut self, tid: Tid, r: Register, buf: &mut [u8]) -> TargetResult<usize, Self> {
        self.focus = tid;
        let v = self.read(hart(tid), r).ok_or(TargetError::Errno(INVALID))?;
        let bytes = v.to_le_bytes();
        let n = buf.len().min(bytes.len());
        buf[..n].copy_from_slice(&bytes[..n]);
        Ok(n)
    }

    fn write_register(&mut self, tid: Tid, r: Register, val: &[u8]) -> TargetResult<(), Self> {
        self.may_change()?;
        let bytes = <[u8; 8]>::try_from(val).map_err(|_| TargetError::Errno(INVALID))?;
        if self.write(hart(tid), r, u64::from_le_bytes(bytes)) { Ok(()) } else { Err(TargetError::Errno(INVALID)) }
    }
}

impl MultiThreadResume for Debugged<'_> {
    fn resume(&mut self) -> Result<(), CliError> {
        let mut stops = self.stops.clone();
        if self.resume.locked {
            // GDB takes its breakpoints out to step one hart over one of them. Others whose turn comes meanwhile still stop at theirs.
            stops.software.extend(self.before.pcs());
        } else {
            self.before = self.stops.clone();
        }
        let resume = self.resume.clone();
        self.guest.resume(stops, &resume);
        Ok(())
    }

    fn clear_resume_actions(&mut self) -> Result<(), CliError> {
        self.resume = Resume::default();
        Ok(())
    }

    fn set_resume_action_continue(&mut self, _tid: Tid, _signal: Option<Signal>) -> Result<(), CliError> {
        Ok(())
    }

    fn support_single_step(&mut self) -> Option<MultiThreadSingleStepOps<'_, Self>> {
        Some(self)
    }

    fn support_range_step(&mut self) -> Option<MultiThreadRangeSteppingOps<'_, Self>> {
        Some(self)
    }

    fn support_reverse_step(&mut self) -> Option<ReverseStepOps<'_, Tid, Self>> {
        self.guest.has_history().then_some(self as _)
    }

    fn support_reverse_cont(&mut self) -> Option<ReverseContOps<'_, Tid, Self>> {
        self.guest.has_history().then_some(self as _)
    }

    fn support_scheduler_locking(&mut self) -> Option<MultiThreadSchedulerLockingOps<'_, Self>> {
        Some(self)
    }
}

impl MultiThreadSingleStep for Debugged<'_> {
    fn set_resume_action_step(&mut self, tid: Tid, _signal: Option<Signal>) -> Result<(), CliError> {
        self.resume.steps.push((hart(tid), 0, 0));
        Ok(())
    }
}

impl MultiThreadRangeStepping for Debugged<'_> {
    fn set_resume_action_range_step(&mut self, tid: Tid, start: u64, end: u64) -> Result<(), CliError> {
        self.resume.steps.push((hart(tid), start, end));
        Ok(())
    }
}

impl MultiThreadSchedulerLocking for Debugged<'_> {
    fn set_resume_action_scheduler_lock(&mut self) -> Result<(), CliError> {
        self.resume.locked = true;
        Ok(())
    }
}

impl Debugged<'_> {
    fn backwards(&mut self, how: Back) {
        self.before = self.stops.clone();
        let stops = self.stops.clone();
        self.resume = Resume { back: Some(how), ..Resume::default() };
        self.guest.resume(stops, &self.resume);
    }
}

impl ReverseStep<Tid> for Debugged<'_> {
    fn reverse_step(&mut self, _tid: Tid) -> Result<(), CliError> {
        self.backwards(Back::Step(hart(self.focus)));
        Ok(())
    }
}

impl ReverseCont<Tid> for Debugged<'_> {
    fn reverse_cont(&mut self) -> Result<(), CliError> {
        self.backwards(Back::Continue);
        Ok(())
    }
}

impl Breakpoints for Debugged<'_> {
    fn support_sw_breakpoint(&mut self) -> Option<SwBreakpointOps<'_, Self>> {
        Some(self)
    }

    fn support_hw_breakpoint(&mut self) -> Option<HwBreakpointOps<'_, Self>> {
        Some(self)
    }

    fn support_hw_watchpoint(&mut self) -> Option<HwWatchpointOps<'_, Self>> {
        Some(self)
    }
}

/// Takes one of the entries out that `is` accepts.
fn remove<T>(list: &mut Vec<T>, is: impl Fn(&T) -> bool) -> bool {
    let at = list.iter().position(is);
    at.map(|i| list.remove(i)).is_some()
}

impl SwBreakpoint for Debugged<'_> {
    fn add_sw_breakpoint(&mut self, addr: u64, _kind: usize) -> TargetResult<bool, Self> {
        // A breakpoint that is set twice is one: the protocol's packets are to do the same when they come again.
        if !self.stops.software.contains(&addr) {
            self.stops.software.push(addr);
        }
        Ok(true)
    }

    fn remove_sw_breakpoint(&mut self, addr: u64, _kind: usize) -> TargetResult<bool, Self> {
        Ok(remove(&mut self.stops.software, |a| *a == addr))
    }
}

impl HwBreakpoint for Debugged<'_> {
    fn add_hw_breakpoint(&mut self, addr: u64, _kind: usize) -> TargetResult<bool, Self> {
        if !self.stops.hardware.contains(&addr) {
            self.stops.hardware.push(addr);
        }
        Ok(true)
    }

    fn remove_hw_breakpoint(&mut self, addr: u64, _kind: usize) -> TargetResult<bool, Self> {
        Ok(remove(&mut self.stops.hardware, |a| *a == addr))
    }
}

impl HwWatchpoint for Debugged<'_> {
    fn add_hw_watchpoint(&mut self, addr: u64, len: u64, kind: WatchKind) -> TargetResult<bool, Self> {
        Ok(self.stops.watch(addr, len, kind))
    }

    fn remove_hw_watchpoint(&mut self, addr: u64, len: u64, kind: WatchKind) -> TargetResult<bool, Self> {
        Ok(remove(&mut self.stops.watched, |w| *w == (addr, len, kind)))
    }
}

impl TargetDescriptionXmlOverride for Debugged<'_> {
    fn target_description_xml(&self, annex: &[u8], offset: u64, length: usize, buf: &mut [u8]) -> TargetResult<usize, Self> {
        if annex != b"target.xml" {
            return Err(TargetError::NonFatal);
        }
        let xml = self.xml.as_bytes();
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(xml.len());
        let n = length.min(buf.len()).min(xml.len() - from);
        buf[..n].copy_from_slice(&xml[from..from + n]);
        Ok(n)
    }
}

impl MonitorCmd for Debugged<'_> {
    fn handle_monitor_cmd(&mut self, cmd: &[u8], mut out: ConsoleOutput<'_>) -> Result<(), CliError> {
        let line = String::from_utf8_lossy(cmd).into_owned();
        let mut say = |text: &str| {
            out.write_raw(text.as_bytes());
            out.flush();
        };
        let text = monitor::command(self, &line, &mut say)?;
        say(&text);
        Ok(())
    }
}
