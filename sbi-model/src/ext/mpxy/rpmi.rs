//! The channel of an RPMI service group ("RISC-V Platform Management Interface"; RPMI, "Integration with SBI MPXY Extension"): a group of
//! the implementation-specific range whose services exercise every way in which a message can end.

use super::channel::{Channel, Service, capability};
use super::notify;
use crate::call::Call;
use crate::error::SbiError;

/// MSG_PROT_ID and MSG_PROT_VERSION of RPMI 1.0.
const RPMI: (u32, u32) = (0, 1 << 16);
/// The group: the second of the implementation's own (0x8000 to 0xffff).
const GROUP: u32 = 0x8001;

/// RPMI_SUCCESS.
const SUCCESS: i32 = 0;
/// RPMI_ERR_NOT_SUPPORTED.
const NOT_SUPPORTED: i32 = -2;
/// RPMI_ERR_INVALID_PARAM.
const INVALID_PARAM: i32 = -3;

/// Events of the group are 0 to 3; each carries one word.
const EVENTS: u32 = 4;

/// The channel.
pub const CHANNEL: Channel = Channel {
    id: 0x1000,
    protocol: RPMI.0,
    version: RPMI.1,
    max_len: 256,
    timeout: 1000,
    capability: capability::SSE_EVENT
        | capability::EVENTS_STATE
        | capability::WITH_RESPONSE
        | capability::WITHOUT_RESPONSE
        | capability::NOTIFICATIONS,
    // SERVICEGROUP_ID, SERVICEGROUP_VERSION, IMPLEMENTATION_ID, IMPLEMENTATION_VERSION.
    attributes: &[GROUP, 1 << 16, 0x5452_505a, 1],
    services: &[
        service(1, "ENABLE_NOTIFICATION", enable_notification),
        service(2, "ECHO", |_, _, data| Ok(reply(SUCCESS, data))),
        service(3, "GET_POSTED", |c, i, _| {
            let m = &c.state.mpxy.channels[i];
            Ok(reply(SUCCESS, &[m.posted.to_le_bytes(), m.sum.to_le_bytes()].concat()))
        }),
        Service { id: 4, name: "POST", posted: true, run: post },
        service(5, "RAISE_EVENT", raise_event),
        service(6, "NEVER_ANSWER", |_, _, _| Err(SbiError::Timeout)),
        service(7, "BROKEN_LINE", |_, _, _| Err(SbiError::Io)),
        service(8, "FAIL", |_, _, _| Err(SbiError::Failed)),
    ],
};

const fn service(id: u32, name: &'static str, run: fn(&mut Call<'_, '_>, usize, &[u8]) -> super::channel::Reply) -> Service {
    Service { id, name, posted: false, run }
}

/// STATUS, and what follows it.
fn reply(status: i32, rest: &[u8]) -> Vec<u8> {
    [&status.to_le_bytes()[..], rest].concat()
}

/// Word `n` of a message.
fn word(data: &[u8], n: usize) -> Option<u32> {
    Some(u32::from_le_bytes(data.get(4 * n..4 * n + 4)?.try_into().ok()?))
}

/// EVENT_ID, REQ_STATE: 0 off, 1 on, 2 tells. Returns STATUS, CURRENT_STATE.
fn enable_notification(c: &mut Call<'_, '_>, channel: usize, data: &[u8]) -> super::channel::Reply {
    let (Some(event), Some(wanted @ 0..=2)) = (word(data, 0), word(data, 1)) else { return Ok(reply(INVALID_PARAM, &[0; 4])) };
    if event >= EVENTS {
        return Ok(reply(NOT_SUPPORTED, &[0; 4]));
    }
    let enabled = &mut c.state.mpxy.channels[channel].enabled;
    match wanted {
        0 => *enabled &= !(1 << event),
        1 => *enabled |= 1 << event,
        _ => {}
    }
    Ok(reply(SUCCESS, &((*enabled >> event & 1) as u32).to_le_bytes()))
}

/// A word that is added up. Nobody is told whether it was one.
fn post(c: &mut Call<'_, '_>, channel: usize, data: &[u8]) -> super::channel::Reply {
    let m = &mut c.state.mpxy.channels[channel];
    m.posted = m.posted.wrapping_add(1);
    m.sum = m.sum.wrapping_add(word(data, 0).unwrap_or(0));
    Ok(Vec::new())
}

/// EVENT_ID, a word: the event happens, with the word as its data. Returns STATUS.
fn raise_event(c: &mut Call<'_, '_>, channel: usize, data: &[u8]) -> super::channel::Reply {
    let (Some(event @ 0..EVENTS), Some(v)) = (word(data, 0), word(data, 1)) else { return Ok(reply(INVALID_PARAM, &[])) };
    notify(c, channel, event as u8, v);
    Ok(reply(SUCCESS, &[]))
}
