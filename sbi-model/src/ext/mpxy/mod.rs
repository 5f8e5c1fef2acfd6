//! SBI, "Message Proxy Extension": channels of messages to services that this firmware itself provides.

pub mod attributes;
pub mod channel;
mod rpmi;

use emu_core::dev::StateIo;

use crate::call::{Call, Extension, Function, Outcome, function};
use crate::error::SbiError;
use crate::memory::Access;
use crate::sse;
use channel::{CHANNELS, Channel, KEPT, Memory, Notification, RETURNED, capability};

/// The extension.
pub static EXTENSION: Extension = Extension {
    available: |rules, isa| rules.optional.mpxy && super::driven(rules, isa),
    ..Extension::new(0x4d50_5859, "MPXY", FUNCTIONS)
};

const FUNCTIONS: &[Function] = &[
    function(0, "sbi_mpxy_get_shmem_size", &[], |_| Outcome::Return(Ok(SIZE))),
    function(1, "sbi_mpxy_set_shmem", &["shmem_phys_lo", "shmem_phys_hi", "flags"], |c| set_shmem(c).into()),
    function(2, "sbi_mpxy_get_channel_ids", &["start_index"], |c| get_channel_ids(c).into()),
    function(3, "sbi_mpxy_read_attributes", RANGE, |c| attributes::read(c).into()),
    function(4, "sbi_mpxy_write_attributes", RANGE, |c| attributes::write(c).into()),
    function(5, "sbi_mpxy_send_message_with_response", MESSAGE, |c| send(c, false).into()),
    function(6, "sbi_mpxy_send_message_without_response", MESSAGE, |c| send(c, true).into()),
    function(7, "sbi_mpxy_get_notification_events", &["channel_id"], |c| get_notification_events(c).into()),
];

const RANGE: &[&str] = &["channel_id", "base_attribute_id", "attribute_count"];
const MESSAGE: &[&str] = &["channel_id", "message_id", "message_data_len"];

/// Bytes of a hart's shared memory: one page, no less than any channel's MSG_DATA_MAX_LEN.
pub const SIZE: u64 = 4096;

/// The address of shared memory that is disabled.
pub const NONE: u64 = u64::MAX;

/// The extension's state.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Mpxy {
    /// By hart index: the shared memory's address, or [`NONE`].
    pub shmem: Vec<u64>,
    /// By index in [`CHANNELS`].
    pub channels: Vec<Memory>,
}

impl Mpxy {
    /// State before boot for this many harts.
    pub fn new(harts: usize) -> Mpxy {
        Mpxy { shmem: vec![NONE; harts], channels: vec![Memory::default(); CHANNELS.len()] }
    }

    /// Visits it, to save it or to restore it.
    pub fn visit(&mut self, io: &mut dyn StateIo) {
        self.shmem.iter_mut().for_each(|a| io.u64("mpxy shared memory", a));
        self.channels.iter_mut().for_each(|c| c.visit(io));
    }
}

/// SBI, "Set shared memory" (FID 1).
fn set_shmem(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    /// Flags: the old address goes into the new memory.
    const RETURN: u64 = 1;
    let [low, high, flags, ..] = c.args;
    if flags > RETURN {
        return Err(SbiError::InvalidParam);
    }
    let old = c.state.mpxy.shmem[c.hart];
    if low == NONE && high == NONE {
        c.state.mpxy.shmem[c.hart] = NONE;
        return Ok(0);
    }
    if !low.is_multiple_of(4096) {
        return Err(SbiError::InvalidParam);
    }
    let read = c.shared(low, high, SIZE, 4096, Access::Read);
    let at = read.and(c.shared(low, high, SIZE, 4096, Access::Write)).ok_or(SbiError::InvalidAddress)?;
    c.state.mpxy.shmem[c.hart] = at;
    if flags == RETURN {
        let old_high = if old == NONE { NONE } else { 0 };
        let words = [old.to_le_bytes(), old_high.to_le_bytes()].concat();
        put(c, 0, &words)?;
    }
    Ok(0)
}

/// The calling hart's shared memory.
fn shmem(c: &Call<'_, '_>) -> Result<u64, SbiError> {
    Some(c.state.mpxy.shmem[c.hart]).filter(|&a| a != NONE).ok_or(SbiError::NoShmem)
}

/// Writes into it, from an offset on.
fn put(c: &mut Call<'_, '_>, offset: u64, bytes: &[u8]) -> Result<(), SbiError> {
    let at = shmem(c)?;
    if c.write_bytes(at + offset, bytes) { Ok(()) } else { Err(SbiError::Failed) }
}

/// Writes 32-bit words into it.
fn put_words(c: &mut Call<'_, '_>, offset: u64, words: &[u32]) -> Result<(), SbiError> {
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    put(c, offset, &bytes)
}

/// Reads from its beginning.
fn get(c: &Call<'_, '_>, len: u64) -> Result<Vec<u8>, SbiError> {
    let mut bytes = vec![0; len as usize];
    if c.read_bytes(shmem(c)?, &mut bytes) { Ok(bytes) } else { Err(SbiError::Failed) }
}

/// The channel of a0: its index, and itself.
fn channel(c: &Call<'_, '_>) -> Result<(usize, &'static Channel), SbiError> {
    let id = c.args[0] as u32;
    CHANNELS.iter().enumerate().find(|(_, ch)| ch.id == id).ok_or(SbiError::NotSupported)
}

/// The same, if it has what a function needs.
fn capable(c: &Call<'_, '_>, bit: u32) -> Result<(usize, &'static Channel), SbiError> {
    channel(c).and_then(|ch| if ch.1.capability & bit != 0 { Ok(ch) } else { Err(SbiError::NotSupported) })
}

/// SBI, "Get Channel IDs" (FID 2).
fn get_channel_ids(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    const ROOM: usize = (SIZE as usize - 8) / 4;
    shmem(c)?;
    let rest = CHANNELS.get(c.args[0] as u32 as usize..).filter(|r| !r.is_empty()).ok_or(SbiError::InvalidParam)?;
    let returned = rest.len().min(ROOM);
    let mut words = vec![(rest.len() - returned) as u32, returned as u32];
    words.extend(rest[..returned].iter().map(|ch| ch.id));
    put_words(c, 0, &words)?;
    Ok(0)
}

/// SBI, "Send Message with Response" and "Send Message without Response" (FID 5 and 6).
/// Sends a message, posted or not.
fn send(c: &mut Call<'_, '_>, posted: bool) -> Result<u64, SbiError> {
    let len = c.args[2];
    shmem(c)?;
    let bit = if posted { capability::WITHOUT_RESPONSE } else { capability::WITH_RESPONSE };
    let (index, ch) = capable(c, bit)?;
    if len > u64::from(ch.max_len).min(SIZE) {
        return Err(SbiError::InvalidParam);
    }
    let id = c.args[1] as u32;
    let service = ch.services.iter().find(|s| s.id == id && s.posted == posted).ok_or(SbiError::NotSupported)?;
    let data = get(c, len)?;
    let mut answer = (service.run)(c, index, &data)?;
    if posted {
        return Ok(0);
    }
    answer.truncate(ch.max_len as usize);
    put(c, 0, &answer)?;
    Ok(answer.len() as u64)
}

/// SBI, "Get Notifications" (FID 7).
fn get_notification_events(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    shmem(c)?;
    let (index, _) = capable(c, capability::NOTIFICATIONS)?;
    let m = &mut c.state.mpxy.channels[index];
    let returned = m.events.len().min(RETURNED);
    let events: Vec<Notification> = m.events.drain(..returned).collect();
    let (remaining, lost, reports) = (m.events.len() as u32, m.lost, m.reports);
    if reports {
        m.lost = 0;
        put_words(c, 0, &[remaining, returned as u32, lost, 0])?;
    }
    // RPMI, "Events": EVENT_ID in bits 23 to 16 and EVENT_DATALEN below, then the data.
    let words: Vec<u32> = events.iter().flat_map(|e| [u32::from(e.id) << 16 | 4, e.data]).collect();
    put_words(c, 16, &words)?;
    Ok(4 * words.len() as u64)
}

/// A channel's event `id` happens: if the supervisor has enabled it, it is kept, and the channel's software event says so.
fn notify(c: &mut Call<'_, '_>, index: usize, id: u8, data: u32) {
    let m = &mut c.state.mpxy.channels[index];
    if m.enabled >> (id & 63) & 1 == 0 {
        return;
    }
    if m.events.len() == KEPT {
        // Only while reporting is on are they counted.
        m.lost = if m.reports { m.lost.saturating_add(1) } else { m.lost };
        return;
    }
    m.events.push(Notification { id, data });
    // A supervisor that has not registered the software event polls.
    let _polled = sse::raise(c, channel::EVENT);
}
