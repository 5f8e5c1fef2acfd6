//! What the PMU extension keeps in the caller's memory: snapshots of counters, and the answers of the event query.

use emu_csr::Ext;

use super::counters::NONE;
use super::event::target;
use crate::call::Call;
use crate::error::SbiError;
use crate::memory::Access;
use crate::profile::policy::PmuSnapshot;

/// Bytes of the snapshot shared memory, and its alignment.
const SIZE: u64 = 4096;
/// Offset of counter_values.
const VALUES: u64 = 8;
/// Bytes of an event info entry.
const ENTRY: u64 = 16;

/// FID 7.
pub(super) fn set(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    let [low, high, flags, ..] = c.args;
    if c.rules.policies.pmu_snapshot == PmuSnapshot::Absent {
        return Err(SbiError::NotSupported);
    }
    if flags != 0 {
        return Err(SbiError::InvalidParam);
    }
    if (low, high) == (NONE, NONE) {
        c.pmu().snapshot = NONE;
        return Ok(0);
    }
    if !low.is_multiple_of(SIZE) {
        return Err(SbiError::InvalidParam);
    }
    let at = c.shared(low, high, SIZE, 1, Access::Write).ok_or(SbiError::InvalidAddress)?;
    c.pmu().snapshot = at;
    Ok(0)
}

/// The value that the supervisor has put in place `slot` of counter_values.
pub(super) fn read_value(c: &mut Call<'_, '_>, slot: usize) -> Result<u64, SbiError> {
    let at = c.pmu().snapshot + VALUES + 8 * slot as u64;
    c.read_word(at).ok_or(SbiError::Failed)
}

/// Puts a counter's value in place `slot`, and its overflow flag in the bitmap; bits and values of others stay.
pub(super) fn save(c: &mut Call<'_, '_>, slot: usize, value: u64, overflow: bool) {
    let at = c.pmu().snapshot;
    // Without Sscofpmf no counter has a flag, and the bitmap must be zero.
    let flags = if c.caller().csr.isa.has(Ext::Sscofpmf) { c.read_word(at).unwrap_or(0) } else { 0 };
    let bitmap = flags & !(1 << slot) | u64::from(overflow) << slot;
    c.write_word(at, bitmap);
    c.write_word(at + VALUES + 8 * slot as u64, value);
}

/// FID 8. Every entry is checked before any is answered.
pub(super) fn event_info(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    let [low, high, entries, flags, ..] = c.args;
    if flags != 0 || !low.is_multiple_of(ENTRY) {
        return Err(SbiError::InvalidParam);
    }
    let len = entries.checked_mul(ENTRY).ok_or(SbiError::InvalidAddress)?;
    let at = c.shared(low, high, len, 1, Access::Write).ok_or(SbiError::InvalidAddress)?;
    // event_idx is in the low half of the first word, the answer in its high half.
    let index = |c: &Call<'_, '_>, i: u64| c.read_word(at + i * ENTRY).map_or(0, |w| w & 0xffff_ffff);
    if (0..entries).any(|i| index(c, i) >> 20 != 0) {
        return Err(SbiError::InvalidParam);
    }
    let isa = c.caller().csr.isa;
    for i in 0..entries {
        let event = index(c, i);
        let typed = matches!(event >> 16, 2 | 3 | 15);
        let data = if typed { c.read_word(at + i * ENTRY + 8).unwrap_or(0) } else { 0 };
        let known = u32::from(target(event, data, isa).is_some());
        c.write_bytes(at + i * ENTRY + 4, &known.to_le_bytes());
    }
    Ok(0)
}
