//! SBI, "Supervisor Software Events Extension". What events are is in [`crate::sse`].

use crate::bug::BugId;
use crate::call::{Call, Extension, Function, Outcome, function};
use crate::error::SbiError;
use crate::ext::ids::sse as fid;
use crate::memory::Access;
use crate::profile::policy::{BufferLayout, CheckOrder, Fetch, GlobalInject, HandlerPc, Locks, Remote, Snapshot};
use crate::sse::{self, Place, Signalled, Source, Write, attr, id, status};
use crate::state::WORDS;

/// The extension.
pub static EXTENSION: Extension = Extension::new(fid::EID, "SSE", FUNCTIONS);

const ATTRS: &[&str] = &["event_id", "base_attr_id", "attr_count", "phys_lo", "phys_hi"];

const FUNCTIONS: &[Function] = &[
    function(fid::READ_ATTRS, "sbi_sse_read_attrs", ATTRS, read_attrs),
    function(fid::WRITE_ATTRS, "sbi_sse_write_attrs", ATTRS, write_attrs),
    function(fid::REGISTER, "sbi_sse_register", &["event_id", "handler_entry_pc", "handler_entry_arg"], register),
    function(fid::UNREGISTER, "sbi_sse_unregister", &["event_id"], unregister),
    function(fid::ENABLE, "sbi_sse_enable", &["event_id"], enable),
    function(fid::DISABLE, "sbi_sse_disable", &["event_id"], disable),
    function(fid::COMPLETE, "sbi_sse_complete", &[], sse::complete),
    function(fid::INJECT, "sbi_sse_inject", &["event_id", "hart_id"], inject),
    function(fid::HART_UNMASK, "sbi_sse_hart_unmask", &[], |c| set_mask(c, false)),
    function(fid::HART_MASK, "sbi_sse_hart_mask", &[], |c| set_mask(c, true)),
];

/// The event that a0 names: of a 32-bit argument only those bits count (SBI, "Binary Encoding").
fn event(c: &Call<'_, '_>) -> Result<Place, SbiError> {
    c.state.sse.find(c.rules, c.hart, c.args[0] as u32)
}

/// Runs an operation on a0's event with its locks held, and releases them at its end.
fn locked(c: &mut Call<'_, '_>, list: bool, run: impl FnOnce(&mut Call<'_, '_>, Place) -> Outcome) -> Outcome {
    let place = match event(c) {
        Ok(p) => p,
        Err(e) => return e.into(),
    };
    if let Some(wait) = sse::lock(c, place, list) {
        return wait;
    }
    let outcome = run(c, place);
    if !matches!(outcome, Outcome::More | Outcome::Spin) {
        sse::unlock(c);
    }
    outcome
}

/// The attributes and the buffer of a call.
struct Range {
    first: usize,
    count: usize,
    at: u64,
}

/// Checks the arguments of read_attrs and write_attrs but for the event.
fn range(c: &Call<'_, '_>, access: Access) -> Result<Range, SbiError> {
    let (first, count) = (c.args[1] as u32 as u64, c.args[2] as u32 as u64);
    if count == 0 {
        return Err(SbiError::InvalidParam);
    }
    if first + count > attr::COUNT as u64 {
        return Err(SbiError::BadRange);
    }
    let skip = if c.rules.policies.buffer_layout == BufferLayout::ByAttribute { first } else { 0 };
    let at = c.shared(c.args[3], c.args[4], 8 * (skip + count), 8, access).ok_or(SbiError::InvalidAddress)?;
    Ok(Range { first: first as usize, count: count as usize, at: at + 8 * skip })
}

/// The range, with the event checked before or after it.
fn attrs(c: &Call<'_, '_>, access: Access) -> Result<Range, SbiError> {
    if c.rules.policies.check_order == CheckOrder::EventFirst {
        event(c)?;
    }
    range(c, access)
}

/// SBI, "Read software event attributes" (FID 0).
fn read_attrs(c: &mut Call<'_, '_>) -> Outcome {
    let r = match attrs(c, Access::Write) {
        Ok(r) => r,
        Err(e) => return e.into(),
    };
    locked(c, false, |c, place| {
        if c.rules.policies.snapshot == Snapshot::Whole {
            let mut bytes = [0; 8 * attr::COUNT];
            for (i, word) in bytes.chunks_exact_mut(8).take(r.count).enumerate() {
                word.copy_from_slice(&sse::read(c.state.sse.at(place), r.first + i).to_le_bytes());
            }
            c.write_bytes(r.at, &bytes[..8 * r.count]);
            return Outcome::Return(Ok(0));
        }
        // Word by word, with other harts in between.
        let done = c.work().words[0] as usize;
        let value = sse::read(c.state.sse.at(place), r.first + done);
        c.write_word(r.at + 8 * done as u64, value);
        c.work().words[0] += 1;
        c.work().at += 1;
        if done + 1 < r.count { Outcome::More } else { Outcome::Return(Ok(0)) }
    })
}

/// SBI, "Write software event attributes" (FID 1): all of them, or none.
fn write_attrs(c: &mut Call<'_, '_>) -> Outcome {
    let r = match attrs(c, Access::Read) {
        Ok(r) => r,
        Err(e) => return e.into(),
    };
    locked(c, false, |c, place| {
        let twice = c.rules.policies.fetch == Fetch::Twice;
        if c.work().words[0] == 0 {
            match checked(c, place, &r) {
                Err(e) => return e.into(),
                Ok(values) => c.work().words[1..=attr::COUNT].copy_from_slice(&values),
            }
            c.work().words[0] = 1;
            if twice {
                return Outcome::More;
            }
        }
        for i in 0..r.count {
            let seen = c.work().words[1 + i];
            let value = if twice { c.read_word(r.at + 8 * i as u64).unwrap_or(seen) } else { seen };
            sse::write(c, Write { place, attr: r.first + i, value });
        }
        Outcome::Return(Ok(0))
    })
}

const _: () = assert!(WORDS > attr::COUNT);

/// Reads and checks all values; the first error by attribute id counts, and then nothing is written.
fn checked(c: &Call<'_, '_>, place: Place, r: &Range) -> Result<[u64; attr::COUNT], SbiError> {
    let mut values = [0; attr::COUNT];
    for (i, value) in values.iter_mut().take(r.count).enumerate() {
        *value = c.read_word(r.at + 8 * i as u64).ok_or(SbiError::InvalidAddress)?;
        sse::check(c, Write { place, attr: r.first + i, value: *value })?;
    }
    Ok(values)
}

/// SBI, "Register a software event" (FID 2).
fn register(c: &mut Call<'_, '_>) -> Outcome {
    let (pc, arg) = (c.args[1], c.args[2]);
    if c.rules.policies.check_order == CheckOrder::EventFirst
        && let Err(e) = event(c)
    {
        return e.into();
    }
    if pc & 1 != 0 {
        return SbiError::InvalidParam.into();
    }
    let physical = c.rules.policies.handler_pc == HandlerPc::Physical && !c.rules.bugs.has(BugId::HandlerInFirmware);
    if physical && !c.domain_allows(pc, 8, Access::Execute) {
        return SbiError::InvalidAddress.into();
    }
    locked(c, false, |c, place| {
        let e = c.state.sse.at_mut(place);
        if e.state() != status::UNUSED {
            return SbiError::InvalidState.into();
        }
        e.attrs[attr::ENTRY_PC] = pc;
        e.attrs[attr::ENTRY_ARG] = arg;
        e.set_state(status::REGISTERED);
        sse::notify(c, place, Source::Registered);
        Outcome::Return(Ok(0))
    })
}

/// SBI, "Unregister a software event" (FID 3).
fn unregister(c: &mut Call<'_, '_>) -> Outcome {
    locked(c, false, |c, place| {
        if c.state.sse.at(place).state() != status::REGISTERED {
            return SbiError::InvalidState.into();
        }
        sse::notify(c, place, Source::Unregistered);
        c.state.sse.at_mut(place).set_state(status::UNUSED);
        Outcome::Return(Ok(0))
    })
}

/// SBI, "Enable a software event" (FID 4).
fn enable(c: &mut Call<'_, '_>) -> Outcome {
    locked(c, true, |c, place| {
        let hart = c.state.sse.at(place).hart;
        if let Some(fatal) = sse::endless(c, hart) {
            return fatal;
        }
        if let Err(e) = sse::enable(c, place) {
            return e.into();
        }
        to_itself(c, place).unwrap_or(Outcome::Return(Ok(0)))
    })
}

/// The IPI that announces a global event which is pending already, when it is for this very hart: OpenSBI looks at the hart's queue at
/// once, with the event's lock still held.
fn to_itself(c: &mut Call<'_, '_>, place: Place) -> Option<Outcome> {
    let e = c.state.sse.at(place);
    if !id::is_global(e.id) || !e.pending() || e.hart != c.hart {
        return None;
    }
    if c.rules.bugs.has(BugId::SelfIpi) {
        return Some(Outcome::Fatal("firmware waits in M-mode for an IPI that it has sent to itself"));
    }
    let held = c.rules.policies.locks == Locks::EventAndList && c.state.sse.harts[c.hart].queue.contains(&e.id);
    if held {
        return Some(Outcome::Fatal("firmware waits for a lock of a software event that this very hart holds"));
    }
    if c.rules.policies.remote == Remote::Queue {
        sse::drain(c);
    }
    None
}

/// SBI, "Disable a software event" (FID 5).
fn disable(c: &mut Call<'_, '_>) -> Outcome {
    locked(c, true, |c, place| {
        if c.state.sse.at(place).state() != status::ENABLED {
            return SbiError::InvalidState.into();
        }
        sse::disable(c, place);
        Outcome::Return(Ok(0))
    })
}

/// The event that an inject call means, on the hart that it means.
fn injected(c: &Call<'_, '_>) -> Result<Place, SbiError> {
    let (event, hart_id) = (c.args[0] as u32, c.args[1]);
    let global = id::is_global(event);
    if c.rules.policies.check_order == CheckOrder::EventFirst {
        c.state.sse.find(c.rules, c.hart, event)?;
    }
    let named = c.hart_of(hart_id);
    let needed = !global || c.rules.policies.global_inject == GlobalInject::Checked;
    if needed && named.is_none() {
        return Err(SbiError::InvalidParam);
    }
    c.state.sse.find(c.rules, named.filter(|_| !global).unwrap_or(c.hart), event)
}

/// SBI, "Inject a software event" (FID 7).
fn inject(c: &mut Call<'_, '_>) -> Outcome {
    // The second step of a signal to another hart: the IPI.
    if let to @ 1.. = c.work().words[1] {
        return match sse::kick(c, to as usize - 1) {
            Ok(()) => Outcome::Return(Ok(0)),
            Err(e) => e.into(),
        };
    }
    let place = match injected(c) {
        Ok(p) => p,
        Err(e) => return e.into(),
    };
    if let Some(wait) = sse::lock(c, place, false) {
        return wait;
    }
    let signalled = sse::signal(c, place);
    sse::unlock(c);
    match signalled {
        Ok(Signalled::Here) => Outcome::Return(Ok(0)),
        Ok(Signalled::There(to)) => {
            c.work().words[1] = to as u64 + 1;
            Outcome::More
        }
        Err(e) => e.into(),
    }
}

/// SBI, "Unmask software events on a hart" and "Mask software events on a hart" (FID 8 and 9).
fn set_mask(c: &mut Call<'_, '_>, to: bool) -> Outcome {
    let hart = c.hart;
    let already = c.state.sse.harts[hart].masked == to;
    let (stopped, started) = (SbiError::AlreadyStopped, SbiError::AlreadyStarted);
    if already {
        return if to != c.rules.bugs.has(BugId::MaskCodes) { stopped } else { started }.into();
    }
    c.state.sse.harts[hart].masked = to;
    c.platform.record(hart, "sse", if to { "mask" } else { "unmask" }, Vec::new);
    if to {
        sse::forward(c);
    }
    Outcome::Return(Ok(0))
}
