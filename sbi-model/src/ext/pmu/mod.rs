//! SBI, "PMU Extension". Any programmable counter counts any event of the machine, any firmware counter any firmware event.

mod configure;
mod counters;
mod event;
mod run;
mod shared;

pub use counters::{HARDWARE, Pmu, SOFTWARE};
pub use event::FwEvent;

use emu_core::bus::Bus;
use emu_core::hart::Hart;
use emu_csr::table;

use crate::call::{Call, Extension, Function, Outcome, function};
use crate::error::SbiError;
use counters::TOTAL;

/// The extension.
pub static EXTENSION: Extension = Extension::new(0x50_4d55, "PMU", FUNCTIONS);

const FUNCTIONS: &[Function] = &[
    function(0, "sbi_pmu_num_counters", &[], |_| Outcome::Return(Ok(TOTAL as u64))),
    function(1, "sbi_pmu_counter_get_info", &["counter_idx"], get_info),
    function(
        2,
        "sbi_pmu_counter_config_matching",
        &["counter_idx_base", "counter_idx_mask", "config_flags", "event_idx", "event_data"],
        |c| configure::matching(c).into(),
    ),
    function(3, "sbi_pmu_counter_start", &["counter_idx_base", "counter_idx_mask", "start_flags", "initial_value"], |c| {
        run::start(c).into()
    }),
    function(4, "sbi_pmu_counter_stop", &["counter_idx_base", "counter_idx_mask", "stop_flags"], |c| run::stop(c).into()),
    function(5, "sbi_pmu_counter_fw_read", &["counter_idx"], |c| fw_read(c).into()),
    // On RV64 the high part is always 0.
    function(6, "sbi_pmu_counter_fw_read_hi", &["counter_idx"], |c| fw_read(c).map(|_| 0).into()),
    function(7, "sbi_pmu_snapshot_set_shmem", &["shmem_phys_lo", "shmem_phys_hi", "flags"], |c| shared::set(c).into()),
    function(8, "sbi_pmu_event_get_info", &["shmem_phys_lo", "shmem_phys_hi", "num_entries", "flags"], |c| {
        shared::event_info(c).into()
    }),
];

/// Width of a counter less one, in counter_info's place.
const WIDTH: u64 = 63 << 12;
/// counter_info.type: firmware.
const TYPE: u64 = 1 << 63;

/// csr, width and type.
fn get_info(c: &mut Call<'_, '_>) -> Outcome {
    match usize::try_from(c.args[0]) {
        Ok(i) if !Pmu::exists(i, c.caller().csr.isa) => SbiError::InvalidParam.into(),
        Ok(i) if i < HARDWARE => Outcome::Return(Ok((u64::from(table::CYCLE) + i as u64) | WIDTH)),
        Ok(_) => Outcome::Return(Ok(TYPE | WIDTH)),
        Err(_) => SbiError::InvalidParam.into(),
    }
}

/// SBI, "Read a firmware counter" (FID 5).
fn fw_read(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    let i = usize::try_from(c.args[0]).unwrap_or(usize::MAX);
    let i = i.checked_sub(HARDWARE).ok_or(SbiError::InvalidParam)?;
    c.pmu().values.get(i).copied().ok_or(SbiError::InvalidParam)
}

impl Call<'_, '_> {
    /// The calling hart's counters.
    pub(crate) fn pmu(&mut self) -> &mut Pmu {
        &mut self.state.pmu[self.hart]
    }

    /// Counts a firmware event of the calling hart.
    pub(crate) fn count(&mut self, event: FwEvent) {
        self.state.count(self.hart, event);
    }

    /// The counters that counter_idx_base and counter_idx_mask name. There is at least one, and all exist.
    fn counter_set(&mut self) -> Result<impl Iterator<Item = usize> + Clone + use<>, SbiError> {
        let (base, mask) = (self.args[0], self.args[1]);
        let isa = self.caller().csr.isa;
        let last = base.checked_add(63 - u64::from(mask.leading_zeros().min(63))).ok_or(SbiError::InvalidParam)?;
        if mask == 0 || last >= TOTAL as u64 {
            return Err(SbiError::InvalidParam);
        }
        let base = base as usize;
        let set = (0..64).filter(move |i| mask >> i & 1 != 0).map(move |i| base + i);
        if set.clone().any(|i| !Pmu::exists(i, isa)) {
            return Err(SbiError::InvalidParam);
        }
        Ok(set)
    }
}

/// Writes an M-level register of the hart and does what follows.
pub(super) fn put(hart: &mut Hart, bus: &Bus, csr: u16, value: u64) {
    let now = hart.now(bus);
    if let Some(effects) = hart.csr.assign(csr, value, &now) {
        hart.apply(effects);
    }
}
