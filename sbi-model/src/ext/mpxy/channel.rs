//! What a message channel is (SBI, "Message Channels"), and the two of this machine.

use emu_core::dev::{StateIo, state};

use super::rpmi;
use crate::call::Call;
use crate::error::SbiError;

/// Bits of CHANNEL_CAPABILITY.
pub mod capability {
    /// Availability of notifications is indicated by a software event.
    pub const SSE_EVENT: u32 = 1 << 1;
    /// The state of events is reported.
    pub const EVENTS_STATE: u32 = 1 << 2;
    /// sbi_mpxy_send_message_with_response.
    pub const WITH_RESPONSE: u32 = 1 << 3;
    /// sbi_mpxy_send_message_without_response.
    pub const WITHOUT_RESPONSE: u32 = 1 << 4;
    /// sbi_mpxy_get_notification_events.
    pub const NOTIFICATIONS: u32 = 1 << 5;
}

/// The software event that says that a channel has notifications: global, the platform's own.
pub const EVENT: u32 = 0xffff_c0fe;

/// Notifications that a channel keeps until they are fetched; older ones stay, younger ones are lost.
pub const KEPT: usize = 8;
/// Notifications that one call returns.
pub const RETURNED: usize = 4;

/// What a service makes of a message.
pub type Reply = Result<Vec<u8>, SbiError>;

/// One kind of message.
pub struct Service {
    /// Its message id.
    pub id: u32,
    /// Its name.
    pub name: &'static str,
    /// Whether it is posted: sent without response, and only so.
    pub posted: bool,
    /// What it does with the data, on a channel of this index; the answer of a posted one is thrown away.
    pub run: fn(&mut Call<'_, '_>, usize, &[u8]) -> Reply,
}

/// One channel.
pub struct Channel {
    /// Its id.
    pub id: u32,
    /// MSG_PROT_ID.
    pub protocol: u32,
    /// MSG_PROT_VERSION.
    pub version: u32,
    /// MSG_DATA_MAX_LEN in bytes.
    pub max_len: u32,
    /// MSG_SEND_TIMEOUT in microseconds; MSG_COMPLETION_TIMEOUT is twice that.
    pub timeout: u32,
    /// CHANNEL_CAPABILITY.
    pub capability: u32,
    /// The protocol's own attributes from 0x80000000 on, all read-only.
    pub attributes: &'static [u32],
    /// Its messages.
    pub services: &'static [Service],
}

/// Every channel, in the order of their ids.
pub static CHANNELS: &[Channel] = &[rpmi::CHANNEL, MACHINE];

/// What the vendor-specific channel's messages return: the machine's clocks.
const MACHINE: Channel = Channel {
    id: 0x1001,
    protocol: 0x8054_525a,
    version: 1 << 16,
    max_len: 64,
    timeout: 10,
    capability: capability::WITH_RESPONSE,
    attributes: &[],
    services: &[
        Service { id: 1, name: "READ_CYCLES", posted: false, run: |c, _, _| Ok(c.caller().cycles.to_le_bytes().to_vec()) },
        Service { id: 2, name: "READ_INSTRET", posted: false, run: |c, _, _| Ok(c.caller().instret.to_le_bytes().to_vec()) },
    ],
};

/// A notification.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notification {
    /// The protocol's id of it.
    pub id: u8,
    /// Its data, a word.
    pub data: u32,
}

/// What a channel remembers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Memory {
    /// EVENTS_STATE_CONTROL.
    pub reports: bool,
    /// Notifications not yet fetched, oldest first.
    pub events: Vec<Notification>,
    /// Notifications lost since they were last reported, counted while reporting is on.
    pub lost: u32,
    /// Notifications that the supervisor has enabled, one bit an id.
    pub enabled: u64,
    /// Messages posted.
    pub posted: u32,
    /// The sum of their first words.
    pub sum: u32,
}

impl Memory {
    /// Visits it, to save it or to restore it.
    pub fn visit(&mut self, io: &mut dyn StateIo) {
        state::bool(io, "mpxy events state", &mut self.reports);
        let mut events: Vec<u8> = self.events.iter().flat_map(|e| [&[e.id][..], &e.data.to_le_bytes()].concat()).collect();
        io.bytes("mpxy events", &mut events);
        let word = |b: &[u8]| b.iter().rev().fold(0, |v, &b| v << 8 | u32::from(b));
        self.events = events.chunks_exact(5).take(KEPT).map(|e| Notification { id: e[0], data: word(&e[1..]) }).collect();
        state::u32(io, "mpxy lost", &mut self.lost);
        io.u64("mpxy enabled", &mut self.enabled);
        state::u32(io, "mpxy posted", &mut self.posted);
        state::u32(io, "mpxy sum", &mut self.sum);
    }
}
