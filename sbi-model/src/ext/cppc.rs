//! SBI, "CPPC Extension": a virtual frequency. A hart's performance level is what the supervisor asks for, between the limits; it takes
//! effect at once and changes only how fast the delivered counter runs, never how fast the hart does.

use emu_core::dev::StateIo;

use crate::call::{Call, Extension, Function, function};
use crate::error::SbiError;

/// The extension.
pub static EXTENSION: Extension = Extension { available: super::driven, ..Extension::new(0x4350_5043, "CPPC", FUNCTIONS) };

const FUNCTIONS: &[Function] = &[
    function(0, "sbi_cppc_probe", &["cppc_reg_id"], |c| probe(c).into()),
    function(1, "sbi_cppc_read", &["cppc_reg_id"], |c| read(c).into()),
    // On RV64 the high part is always 0.
    function(2, "sbi_cppc_read_hi", &["cppc_reg_id"], |c| read(c).map(|_| 0).into()),
    function(3, "sbi_cppc_write", &["cppc_reg_id", "val"], |c| write(c).into()),
];

/// Highest, nominal and reference performance, on a scale without unit.
const NOMINAL: u32 = 100;
/// Lowest performance.
const LOWEST: u32 = 10;
/// Last register of ACPI.
const LAST_ACPI: u32 = 0x14;
/// The one register besides.
const TRANSITION_LATENCY: u32 = 0x8000_0000;

/// One hart's registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cppc {
    /// DesiredPerformance, MinimumPerformance, MaximumPerformance, as written.
    pub asked: [u32; 3],
    /// CPPCEnable.
    pub enabled: bool,
    /// DeliveredPerformanceCounter at the tick `since`, when something was last written.
    pub delivered: u64,
    /// That tick.
    pub since: u64,
    /// Hundredths of a count beyond `delivered`.
    pub rest: u64,
}

impl Default for Cppc {
    fn default() -> Cppc {
        Cppc { asked: [NOMINAL, LOWEST, NOMINAL], enabled: false, delivered: 0, since: 0, rest: 0 }
    }
}

impl Cppc {
    /// The performance level now.
    pub fn level(&self) -> u32 {
        let [desired, min, max] = self.asked.map(|v| v.clamp(LOWEST, NOMINAL));
        if self.enabled { desired.max(min).min(max) } else { NOMINAL }
    }

    /// The delivered counter, and the rest, at a tick.
    fn delivered_at(&self, tick: u64) -> (u64, u64) {
        let parts = u128::from(tick.wrapping_sub(self.since)) * u128::from(self.level()) + u128::from(self.rest);
        let nominal = u128::from(NOMINAL);
        (self.delivered.wrapping_add((parts / nominal) as u64), (parts % nominal) as u64)
    }

    /// Makes `change`, which may be of the level, at a tick.
    fn at(&mut self, tick: u64, change: impl FnOnce(&mut Cppc)) {
        (self.delivered, self.rest) = self.delivered_at(tick);
        self.since = tick;
        change(self);
    }

    /// Visits it, to save it or to restore it.
    pub fn visit(&mut self, io: &mut dyn StateIo) {
        for v in &mut self.asked {
            let mut wide = u64::from(*v);
            io.u64("cppc performance", &mut wide);
            *v = wide as u32;
        }
        let mut enabled = u64::from(self.enabled);
        io.u64("cppc enabled", &mut enabled);
        self.enabled = enabled != 0;
        io.u64("cppc delivered", &mut self.delivered);
        io.u64("cppc since", &mut self.since);
        io.u64("cppc rest", &mut self.rest);
    }
}

/// What a register is.
#[derive(Clone, Copy)]
enum Register {
    /// A constant.
    Fixed(u32),
    /// A place of [`Cppc::asked`].
    Asked(usize),
    /// A 64-bit counter; whether it is the delivered one.
    Counter(bool),
    /// CPPCEnable.
    Enable,
    /// PerformanceLimited: nothing ever limits it.
    Limited,
}

impl Register {
    fn width(self) -> u64 {
        if matches!(self, Register::Counter(_)) { 64 } else { 32 }
    }
}

/// The register of a0; none if this platform has not got it. The reserved ones are invalid.
fn register(c: &Call<'_, '_>) -> Result<Option<Register>, SbiError> {
    use Register::*;
    let id = c.narrow(c.args[0]).ok_or(SbiError::InvalidParam)?;
    let mhz = (c.platform.bus.clock.cycle_hz / 1_000_000) as u32;
    Ok(Some(match id {
        0 | 1 | 0x12 => Fixed(NOMINAL),
        2 | 3 => Fixed(LOWEST),
        5..=7 => Asked(id as usize - 5),
        0xb => Counter(false),
        0xc => Counter(true),
        0xd => Limited,
        0xe => Enable,
        0x13 => Fixed(mhz / (NOMINAL / LOWEST)),
        0x14 => Fixed(mhz),
        TRANSITION_LATENCY => Fixed(0),
        ..=LAST_ACPI => return Ok(None),
        _ => return Err(SbiError::InvalidParam),
    }))
}

/// SBI, "Probe CPPC register" (FID 0): its width, or 0.
fn probe(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    Ok(register(c)?.map_or(0, Register::width))
}

/// SBI, "Read CPPC register" (FID 1).
fn read(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    let register = register(c)?.ok_or(SbiError::NotSupported)?;
    let tick = c.tick();
    let state = &c.state.cppc[c.hart];
    Ok(match register {
        Register::Fixed(v) => u64::from(v),
        Register::Asked(i) => u64::from(state.asked[i]),
        Register::Counter(false) => tick,
        Register::Counter(true) => state.delivered_at(tick).0,
        Register::Enable => u64::from(state.enabled),
        Register::Limited => 0,
    })
}

/// SBI, "Write to CPPC register" (FID 3).
fn write(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    let register = register(c)?.ok_or(SbiError::NotSupported)?;
    let (tick, value) = (c.tick(), c.args[1] as u32);
    let state = &mut c.state.cppc[c.hart];
    match register {
        Register::Fixed(_) | Register::Counter(_) => return Err(SbiError::Denied),
        Register::Asked(i) => state.at(tick, |s| s.asked[i] = value),
        Register::Enable => state.at(tick, |s| s.enabled = value & 1 != 0),
        // Writing 0 acknowledges what never happens.
        Register::Limited => {}
    }
    Ok(0)
}

impl Call<'_, '_> {
    /// mtime, as the calling hart sees it.
    fn tick(&self) -> u64 {
        self.platform.harts[self.hart].now(self.platform.bus).time
    }
}
