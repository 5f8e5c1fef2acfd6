//! SBI, "Firmware Features Extension". Each feature is bits of M-level registers, read where they are; only the locks are state. A
//! hart's start brings back every feature's reset value, with no lock; suspension keeps both.

use emu_core::dev::StateIo;
use emu_csr::table::{self, field::menvcfg};
use emu_csr::{Effects, Exception, Ext, Isa};

use super::pmu::put;
use crate::call::{Call, Extension, Function, function};
use crate::error::SbiError;

/// The extension.
pub static EXTENSION: Extension = Extension::new(0x4657_4654, "FWFT", FUNCTIONS);

const FUNCTIONS: &[Function] = &[
    function(0, "sbi_fwft_set", &["feature", "value", "flags"], |c| set(c).into()),
    function(1, "sbi_fwft_get", &["feature"], |c| get(c).into()),
];

/// flags: the feature cannot be set again.
const LOCK: u64 = 1;

/// One feature that the specification defines.
struct Feature {
    /// The register its bits are in.
    csr: u16,
    /// All 1 if it is on, all 0 if it is off.
    bits: u64,
    /// Whether harts of these ISA extensions can turn it on and off.
    supported: fn(Isa) -> bool,
}

/// By feature id.
const FEATURES: &[Feature] = &[
    // MISALIGNED_EXC_DELEG
    Feature {
        csr: table::MEDELEG,
        bits: 1 << Exception::LoadAddrMisaligned as u64 | 1 << Exception::StoreAddrMisaligned as u64,
        supported: |_| true,
    },
    // LANDING_PAD
    Feature { csr: table::MENVCFG, bits: menvcfg::LPE, supported: |isa| isa.has(Ext::Zicfilp) },
    // SHADOW_STACK
    Feature { csr: table::MENVCFG, bits: menvcfg::SSE, supported: |isa| isa.has(Ext::Zicfiss) },
    // DOUBLE_TRAP
    Feature { csr: table::MENVCFG, bits: menvcfg::DTE, supported: |isa| isa.has(Ext::Ssdbltrp) },
    // PTE_AD_HW_UPDATING: its reset value, off, is only possible with Svade.
    Feature { csr: table::MENVCFG, bits: menvcfg::ADUE, supported: |isa| isa.has(Ext::Svadu) && isa.has(Ext::Svade) },
    // POINTER_MASKING_PMLEN: no hart has Smnpm.
    Feature { csr: table::MENVCFG, bits: 0, supported: |_| false },
];

/// A hart's locks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Fwft {
    /// Bit `i`: feature `i` is locked.
    pub locked: u64,
}

impl Fwft {
    /// Visits it, to save it or to restore it.
    pub fn visit(&mut self, io: &mut dyn StateIo) {
        io.u64("fwft locks", &mut self.locked);
    }
}

/// The feature of a0 and its id. DENIED if it is reserved, or a platform's, and this platform has none.
fn find(c: &mut Call<'_, '_>) -> Result<(usize, &'static Feature), SbiError> {
    // SBI, "Binary Encoding": of an argument that is 32 bits wide only those are used.
    let id = c.args[0] as u32 as usize;
    let feature = FEATURES.get(id).ok_or(SbiError::Denied)?;
    if !(feature.supported)(c.caller().csr.isa) {
        return Err(SbiError::NotSupported);
    }
    Ok((id, feature))
}

/// SBI, "Firmware Features Set" (FID 0).
fn set(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    let (id, feature) = find(c)?;
    let [_, value, flags, ..] = c.args;
    if flags & !LOCK != 0 {
        return Err(SbiError::InvalidParam);
    }
    if c.state.fwft[c.hart].locked >> id & 1 != 0 {
        return Err(SbiError::DeniedLocked);
    }
    if value > 1 {
        return Err(SbiError::InvalidParam);
    }
    let h = &mut c.platform.harts[c.hart];
    let now = h.now(c.platform.bus);
    let old = h.csr.peek(feature.csr, &now).ok_or(SbiError::Failed)?;
    let new = if value == 1 { old | feature.bits } else { old & !feature.bits };
    put(h, c.platform.bus, feature.csr, new);
    // Whatever has been translated or decoded under the old value.
    h.apply(Effects::FLUSH.with(Effects::CONTEXT));
    c.state.fwft[c.hart].locked |= flags << id;
    Ok(0)
}

/// SBI, "Firmware Features Get" (FID 1).
fn get(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    let (_, feature) = find(c)?;
    let h = &c.platform.harts[c.hart];
    let value = h.csr.peek(feature.csr, &h.now(c.platform.bus)).ok_or(SbiError::Failed)?;
    Ok(u64::from(value & feature.bits != 0))
}
