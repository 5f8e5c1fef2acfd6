//! A channel's attributes (SBI, "Message Channel Attributes").

use super::channel::{Channel, EVENT, Memory, capability};
use super::{SIZE, channel, get, put_words, shmem};
use crate::call::Call;
use crate::error::SbiError;

/// The first attribute of the message protocol's own.
const PROTOCOL: u32 = 0x8000_0000;

/// MSG_PROT_ID to EVENTS_STATE_CONTROL.
const STANDARD: u32 = 12;
/// The first that may be written: MSI_CONTROL. The MSI attributes ignore writes and read 0, for no channel has MSIs.
const MSI_CONTROL: u32 = 7;
const EVENTS_STATE_CONTROL: u32 = 11;

/// The value of a standard attribute.
fn standard(ch: &Channel, m: &Memory, id: u32) -> u32 {
    match id {
        0 => ch.protocol,
        1 => ch.version,
        2 => ch.max_len,
        3 => ch.timeout,
        4 => 2 * ch.timeout,
        5 => ch.capability,
        6 if ch.capability & capability::SSE_EVENT != 0 => EVENT,
        EVENTS_STATE_CONTROL => u32::from(m.reports),
        _ => 0,
    }
}

/// Checks what reading and writing have in common: a range of existing attributes of one kind. Returns the channel, the first attribute
/// and how many.
fn range(c: &Call<'_, '_>) -> Result<(usize, &'static Channel, u32, u32), SbiError> {
    let [_, base, count, ..] = c.args.map(|a| a as u32);
    shmem(c)?;
    if count == 0 || u64::from(count) > SIZE / 4 {
        return Err(SbiError::InvalidParam);
    }
    let (index, ch) = channel(c)?;
    let (first, end) = if base < PROTOCOL { (0, STANDARD) } else { (PROTOCOL, PROTOCOL + ch.attributes.len() as u32) };
    if !(first..end).contains(&base) {
        return Err(SbiError::InvalidParam);
    }
    if count > end - base {
        return Err(SbiError::BadRange);
    }
    Ok((index, ch, base, count))
}

/// sbi_mpxy_read_attributes.
pub(super) fn read(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    let (index, ch, base, count) = range(c)?;
    let m = &c.state.mpxy.channels[index];
    let value = |id| if id < PROTOCOL { standard(ch, m, id) } else { ch.attributes[(id - PROTOCOL) as usize] };
    let words: Vec<u32> = (base..base + count).map(value).collect();
    put_words(c, 0, &words)?;
    Ok(0)
}

/// sbi_mpxy_write_attributes: all of them, or none if one is refused.
pub(super) fn write(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    let (index, ch, base, count) = range(c)?;
    if !(MSI_CONTROL..PROTOCOL).contains(&base) {
        return Err(SbiError::BadRange);
    }
    let bytes = get(c, 4 * u64::from(count))?;
    let written = |id: u32| {
        let at = 4 * (id.checked_sub(base)?) as usize;
        Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
    };
    let Some(v) = written(EVENTS_STATE_CONTROL) else { return Ok(0) };
    if ch.capability & capability::EVENTS_STATE == 0 {
        return Ok(0);
    }
    if v > 1 {
        return Err(SbiError::InvalidParam);
    }
    let m = &mut c.state.mpxy.channels[index];
    m.reports = v == 1;
    if v == 0 {
        m.lost = 0;
    }
    Ok(0)
}
