//! SBI, "Nested Acceleration Extension": this firmware in the part of the L0 hypervisor, the supervisor in that of L1. Only on request,
//! for a supervisor that sees it uses it, and "the M-mode firmware should not implement" it where the hart itself has H.
//!
//! After a synchronized SRET into V=1 the supervisor's traps come to M-mode first (`nested`), so that the CSR space is up to date and
//! the autoswap done before the supervisor sees its guest's trap.

mod nested;
mod sync;

use emu_core::dev::{StateIo, state};
use emu_csr::Ext;

use crate::call::{Call, Extension, Function, Outcome, function};
use crate::error::SbiError;
use crate::memory::Access;

pub(crate) use nested::{entered, left, shares, taken};
pub use sync::csr_index;

/// The extension.
pub static EXTENSION: Extension = Extension {
    available: |rules, isa| rules.optional.nacl && isa.has(Ext::H),
    ..Extension::new(0x4e41_434c, "NACL", FUNCTIONS)
};

const FUNCTIONS: &[Function] = &[
    function(0, "sbi_nacl_probe_feature", &["feature_id"], |c| Outcome::Return(Ok(u64::from((c.args[0] as u32) < FEATURES)))),
    function(1, "sbi_nacl_set_shmem", &["shmem_phys_lo", "shmem_phys_hi", "flags"], |c| set_shmem(c).into()),
    function(2, "sbi_nacl_sync_csr", &["csr_num"], |c| sync::csrs(c, c.args[0]).into()),
    function(3, "sbi_nacl_sync_hfence", &["entry_index"], |c| sync::hfences(c, c.args[0]).into()),
    function(4, "sbi_nacl_sync_sret", &[], nested::sync_sret),
];

/// SYNC_CSR, SYNC_HFENCE, SYNC_SRET, AUTOSWAP_CSR: all there are.
const FEATURES: u32 = 4;

/// Bytes of a hart's shared memory with XLEN=64: scratch space and CSR space.
pub const SIZE: u64 = 4096 + 1024 * 8;
/// The address of shared memory that is disabled.
pub const NONE: u64 = u64::MAX;

/// One hart's state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Nacl {
    /// The shared memory's address, or [`NONE`].
    pub shmem: u64,
    /// Whether a synchronized SRET has led to V=1 and the supervisor has not taken a trap from there since.
    pub nested: bool,
    /// medeleg and mideleg as they are when the supervisor runs, while they are others.
    pub delegation: Option<(u64, u64)>,
}

impl Default for Nacl {
    fn default() -> Nacl {
        Nacl { shmem: NONE, nested: false, delegation: None }
    }
}

impl Nacl {
    /// Visits it, to save it or to restore it.
    pub fn visit(&mut self, io: &mut dyn StateIo) {
        io.u64("nacl shared memory", &mut self.shmem);
        state::bool(io, "nacl nested", &mut self.nested);
        let (mut on, (mut e, mut i)) = (self.delegation.is_some(), self.delegation.unwrap_or_default());
        state::bool(io, "nacl delegation", &mut on);
        io.u64("nacl medeleg", &mut e);
        io.u64("nacl mideleg", &mut i);
        self.delegation = on.then_some((e, i));
    }
}

/// SBI, "Set nested acceleration shared memory" (FID 1).
fn set_shmem(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    let [low, high, flags, ..] = c.args;
    if flags != 0 {
        return Err(SbiError::InvalidParam);
    }
    if low == NONE && high == NONE {
        c.state.nacl[c.hart].shmem = NONE;
        return Ok(0);
    }
    if !low.is_multiple_of(4096) {
        return Err(SbiError::InvalidParam);
    }
    let read = c.shared(low, high, SIZE, 4096, Access::Read);
    let at = read.and(c.shared(low, high, SIZE, 4096, Access::Write)).ok_or(SbiError::InvalidAddress)?;
    c.state.nacl[c.hart].shmem = at;
    // "The SBI implementation MUST update the CSR space": from the beginning.
    sync::write_back(c, at);
    Ok(0)
}

/// The calling hart's shared memory.
fn shmem(c: &Call<'_, '_>) -> Result<u64, SbiError> {
    Some(c.state.nacl[c.hart].shmem).filter(|&a| a != NONE).ok_or(SbiError::NoShmem)
}
