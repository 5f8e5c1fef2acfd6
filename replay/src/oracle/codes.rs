//! The errors that the text gives for a call of the SSE extension ("Supervisor Software Events Extension", tables of error codes).
//! Where it says nothing, every answer that is known of firmware is right.

use sbi_model::error::SbiError;
use sbi_model::ext::ids::sse;
use sbi_model::sse::{attr, flag, id, status};

use super::world::{Call, World};

const FAILED: i64 = SbiError::Failed as i64;
const NOT_SUPPORTED: i64 = SbiError::NotSupported as i64;
const INVALID_PARAM: i64 = SbiError::InvalidParam as i64;
const DENIED: i64 = SbiError::Denied as i64;
const INVALID_ADDRESS: i64 = SbiError::InvalidAddress as i64;
const ALREADY_STARTED: i64 = SbiError::AlreadyStarted as i64;
const ALREADY_STOPPED: i64 = SbiError::AlreadyStopped as i64;
const INVALID_STATE: i64 = SbiError::InvalidState as i64;
const BAD_RANGE: i64 = SbiError::BadRange as i64;

/// Names of the errors.
pub(super) fn name(code: i64) -> String {
    let error = SbiError::ALL.into_iter().find(|e| *e as i64 == code);
    match error {
        Some(e) => e.name().trim_start_matches("SBI_ERR_").to_owned(),
        None if code == 0 => "success".to_owned(),
        None => code.to_string(),
    }
}

/// Whether an error of a call that names an event says that the event exists: what is wrong is its state or another argument.
pub(super) fn means_known(error: i64) -> bool {
    matches!(error, INVALID_STATE | DENIED | BAD_RANGE | INVALID_ADDRESS)
}

/// Answers that a call may get.
#[derive(Default)]
pub(super) struct Answers {
    /// Errors that something about the call asks for: one of them must come.
    pub must: Vec<i64>,
    /// Answers that are right besides, because the text leaves them open or the model does not know.
    pub may: Vec<i64>,
}

impl Answers {
    fn must(&mut self, when: bool, error: i64) {
        if when {
            self.must.push(error);
        }
    }

    /// Whether an answer is right.
    pub fn has(&self, error: i64) -> bool {
        self.may.contains(&error) || if self.must.is_empty() { error == 0 } else { self.must.contains(&error) }
    }

    /// In words.
    pub fn text(&self) -> String {
        let mut all = if self.must.is_empty() { vec![0] } else { self.must.clone() };
        all.sort_unstable_by_key(|c| -c);
        all.dedup();
        all.into_iter().map(name).collect::<Vec<_>>().join(" or ")
    }
}

/// The answers to a call of hart index `hart`; none if the model knows too little.
pub(super) fn answers(world: &World, hart: usize, call: &Call) -> Option<Answers> {
    let mut a = Answers::default();
    let event = call.args[0] as u32;
    match call.fid {
        sse::READ_ATTRS..=sse::DISABLE => {
            let key = World::key(hart, event);
            let e = world.event(key);
            let state = e.state?;
            identified(&mut a, event, e.supported);
            let wrong = |a: &mut Answers, wanted: u64| a.must(state != wanted, INVALID_STATE);
            match call.fid {
                sse::READ_ATTRS => range(&mut a, call),
                sse::WRITE_ATTRS => {
                    range(&mut a, call);
                    written(&mut a, world, hart, call, state, key.0.is_some());
                }
                sse::REGISTER => {
                    a.must(call.args[1] & 1 != 0, INVALID_PARAM);
                    wrong(&mut a, status::UNUSED);
                    // Whether the supervisor may execute there is for firmware to know.
                    a.may.push(INVALID_ADDRESS);
                }
                sse::DISABLE => wrong(&mut a, status::ENABLED),
                _ => wrong(&mut a, status::REGISTERED),
            }
        }
        sse::COMPLETE => {}
        sse::INJECT => {
            let global = id::is_global(event);
            let to = world.index(call.args[1]);
            a.must(to.is_none() && !global, INVALID_PARAM);
            if let Some(target) = to.or(global.then_some(hart)) {
                let e = world.event(World::key(target, event));
                identified(&mut a, event, e.supported);
                if !e.armed() {
                    a.may.extend([0, INVALID_STATE]);
                }
                if target != hart || global {
                    a.may.push(FAILED);
                }
            }
        }
        sse::HART_UNMASK | sse::HART_MASK => {
            let masked = world.harts.get(hart)?.masked?;
            a.must(call.fid == sse::HART_UNMASK && !masked, ALREADY_STARTED);
            a.must(call.fid == sse::HART_MASK && masked, ALREADY_STOPPED);
        }
        _ => a.must(true, NOT_SUPPORTED),
    }
    Some(a)
}

/// What the event's id may be answered with: an unknown id must be refused, one without a source too; which have one is the platform's.
fn identified(a: &mut Answers, event: u32, supported: Option<bool>) {
    let standard = id::STANDARD.contains(&event);
    a.must(!standard && !id::is_platform(event), INVALID_PARAM);
    if !standard {
        a.may.extend([NOT_SUPPORTED, INVALID_PARAM]);
    } else if supported != Some(true) && !matches!(event, id::LOCAL_SOFTWARE | id::GLOBAL_SOFTWARE) {
        a.may.push(NOT_SUPPORTED);
    }
}

fn range(a: &mut Answers, call: &Call) {
    let (first, count) = (u64::from(call.args[1] as u32), u64::from(call.args[2] as u32));
    a.must(count == 0, INVALID_PARAM);
    a.must(first + count > attr::COUNT as u64, BAD_RANGE);
    let bad = !call.args[3].is_multiple_of(8) || call.args[4] != 0 || (call.buffer.len() as u64) < count.min(attr::COUNT as u64);
    a.must(bad, INVALID_ADDRESS);
    if bad {
        a.may.push(FAILED);
    }
    // Memory that is the firmware's own cannot be told from the outside.
    a.may.push(INVALID_ADDRESS);
}

fn written(a: &mut Answers, world: &World, hart: usize, call: &Call, state: u64, local: bool) {
    let mine = world.harts[hart].running.iter().any(|r| r.key == World::key(hart, call.args[0] as u32));
    let early = state == status::UNUSED || state == status::REGISTERED;
    for (i, &v) in call.buffer.iter().enumerate() {
        match call.args[1] as u32 as usize + i {
            attr::STATUS | attr::ENTRY_PC | attr::ENTRY_ARG => a.must(true, DENIED),
            attr::PRIORITY => {
                a.must(!early, INVALID_STATE);
                a.must(v >> 32 != 0, INVALID_PARAM);
            }
            attr::CONFIG => {
                a.must(!early, INVALID_STATE);
                a.must(v & !1 != 0, INVALID_PARAM);
            }
            attr::PREFERRED_HART => {
                a.must(local, DENIED);
                a.must(!early, INVALID_STATE);
                a.must(world.index(v).is_none(), INVALID_PARAM);
                if world.index(v).is_some_and(|h| world.harts[h].stopped) {
                    a.may.push(INVALID_PARAM);
                }
            }
            n @ attr::SEPC..=attr::A7 => {
                a.must(state != status::RUNNING, INVALID_STATE);
                a.must(n == attr::FLAGS && v & !flag::ALL != 0, INVALID_PARAM);
                if !mine && state == status::RUNNING {
                    a.must.extend([INVALID_PARAM, INVALID_STATE]);
                }
            }
            _ => {}
        }
    }
}
