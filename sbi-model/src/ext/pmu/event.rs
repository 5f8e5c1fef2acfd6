//! Event indices (SBI, "PMU Extension", event types) and what of this machine they name.

use emu_csr::events::Event;
use emu_csr::{Ext, Isa};

/// Firmware events (SBI, table "PMU Firmware Events").
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[allow(missing_docs)] // the table's own names
pub enum FwEvent {
    MisalignedLoad,
    MisalignedStore,
    AccessLoad,
    AccessStore,
    IllegalInsn,
    SetTimer,
    IpiSent,
    IpiReceived,
    FenceISent,
    FenceIReceived,
    SfenceVmaSent,
    SfenceVmaReceived,
    SfenceVmaAsidSent,
    SfenceVmaAsidReceived,
    HfenceGvmaSent,
    HfenceGvmaReceived,
    HfenceGvmaVmidSent,
    HfenceGvmaVmidReceived,
    HfenceVvmaSent,
    HfenceVvmaReceived,
    HfenceVvmaAsidSent,
    HfenceVvmaAsidReceived,
}

/// Codes of firmware events that the specification names.
const FW_CODES: u64 = FwEvent::HfenceVvmaAsidReceived as u64 + 1;

/// event_idx.type in place.
pub(crate) const FIRMWARE: u64 = 0xf << 16;
const CACHE: u64 = 1 << 16;
const RAW: u64 = 2 << 16;
const RAW_V2: u64 = 3 << 16;

/// What an event index with its event data stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    /// mhpmevent's event field.
    Hardware(u64),
    /// A firmware event's code.
    Firmware(u64),
}

/// What `index` and `data` name on a hart of these extensions; none if it cannot be counted.
pub(crate) fn target(index: u64, data: u64, isa: Isa) -> Option<Target> {
    let code = index & 0xffff;
    let hardware = |selector: u64| (Event::of_selector(selector) != Event::None).then_some(Target::Hardware(selector));
    match index & !0xffff {
        // Selectors are the zero-extended event_idx, as the specification suggests; non-zero event_data is reserved.
        0 if data == 0 && code <= 10 => hardware(code),
        CACHE if data == 0 => hardware(index),
        RAW if code == 0 && data >> 48 == 0 => hardware(data),
        RAW_V2 if code == 0 && data >> 56 == 0 => hardware(data),
        FIRMWARE if data == 0 && code < FW_CODES => {
            let hfence = code >= FwEvent::HfenceGvmaSent as u64;
            (!hfence || isa.has(Ext::H)).then_some(Target::Firmware(code))
        }
        _ => None,
    }
}
