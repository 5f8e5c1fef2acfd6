//! An error bank ("RISC-V RAS Error-Record Register Interface", RERI 1.0): record 0 is main memory's, record 1 + i that of hart index i.
//!
//! A record signals as its control register says: low- and high-priority RAS signals go to native firmware ([`Reri::take_signals`]), the
//! platform-specific one is the device's interrupt line. Injected records come `eid` cycles after they were asked for.

use super::{Device, StateIo, state};
use crate::bus::{BusError, DevCx};

/// Most records a bank has.
pub const MAX_RECORDS: usize = 63;

/// Fields of `control_i`.
pub mod control {
    /// Errors are logged and signaled.
    pub const ELSE: u64 = 1;
    /// Corrected errors are counted.
    pub const CECE: u64 = 1 << 1;
    /// Signal of corrected errors, uncorrected deferred ones, uncorrected critical ones: their lowest bits.
    pub const SIGNALS: [u32; 3] = [2, 4, 6];
    /// Error-injection delay: its lowest bit.
    pub const EID: u32 = 32;
    /// Invalidate the status register.
    pub const SINV: u64 = 1 << 48;
    /// Set read-in-progress.
    pub const SRDP: u64 = 1 << 49;
    /// What is kept of a write.
    pub const KEPT: u64 = 0xff;
}

/// Fields of `status_i`.
pub mod status {
    /// Valid.
    pub const V: u64 = 1;
    /// Corrected error.
    pub const CE: u64 = 1 << 1;
    /// Uncorrected error, deferred.
    pub const UED: u64 = 1 << 2;
    /// Uncorrected error, critical.
    pub const UEC: u64 = 1 << 3;
    /// Priority.
    pub const PRI: u64 = 3 << 4;
    /// Multiple occurrences.
    pub const MO: u64 = 1 << 6;
    /// Containable.
    pub const C: u64 = 1 << 7;
    /// Transaction type: its lowest bit.
    pub const TT: u32 = 8;
    /// Address-or-info type: a supervisor physical address.
    pub const AIT_SPA: u64 = 1 << 12;
    /// Timestamp valid.
    pub const TSV: u64 = 1 << 17;
    /// The corrected-error counter has overflowed.
    pub const CECO: u64 = 1 << 21;
    /// Read in progress.
    pub const RDIP: u64 = 1 << 23;
    /// Error code: its lowest bit.
    pub const EC: u32 = 24;
    /// Corrected-error counter: its lowest bit.
    pub const CEC: u32 = 48;
    /// What software may write: all fields that exist, but not V.
    pub const WRITABLE: u64 = 0xffff_0000_ffb3_fffe;
    /// What a new error brings with it when it overwrites: pri, c, tt, iv, ait, siv, tsv, scrub, ec.
    pub const OVERWRITTEN: u64 = PRI | C | 0xff << 8 | 3 << 16 | 1 << 20 | 0xff << EC;
}

/// Error codes.
pub mod code {
    /// Corrupted data access, such as an attempt to consume poisoned data.
    pub const CORRUPTED_DATA: u64 = 2;
    /// System memory data.
    pub const MEMORY_DATA: u64 = 20;
}

/// Error classes, by severity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Class {
    /// An update that is no error.
    Informational,
    /// Corrected.
    Corrected,
    /// Uncorrected and deferred.
    Deferred,
    /// Uncorrected, and it needs handling at once.
    Critical,
}

impl Class {
    /// The class of a number, 0 to 3.
    pub fn of(n: u64) -> Option<Class> {
        [Class::Informational, Class::Corrected, Class::Deferred, Class::Critical].get(usize::try_from(n).ok()?).copied()
    }

    fn severity(status: u64) -> Class {
        match status {
            s if s & status::UEC != 0 => Class::Critical,
            s if s & status::UED != 0 => Class::Deferred,
            s if s & status::CE != 0 => Class::Corrected,
            _ => Class::Informational,
        }
    }

    /// Its bit in `status_i`.
    pub fn bit(self) -> u64 {
        [0, status::CE, status::UED, status::UEC][self as usize]
    }
}

/// A RAS signal on its way to firmware.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signal {
    /// Index of the hart whose record it is; none for memory's.
    pub hart: Option<usize>,
    /// High priority.
    pub high: bool,
}

#[derive(Clone, Default)]
struct Record {
    control: u64,
    status: u64,
    addr_info: u64,
    info: u64,
    suppl_info: u64,
    timestamp: u64,
    /// The cycle at which an injected record becomes valid.
    due: Option<u64>,
}

/// The bank.
#[derive(Clone)]
pub struct Reri {
    records: Vec<Record>,
    signals: Vec<Signal>,
}

impl Reri {
    /// For `harts` harts: one record each, and memory's.
    pub fn new(harts: usize) -> Reri {
        Reri { records: vec![Record::default(); (harts + 1).min(MAX_RECORDS)], signals: Vec::new() }
    }

    /// Error records.
    pub fn records(&self) -> usize {
        self.records.len()
    }

    /// `status_i`; 0 if there is no such record.
    pub fn status(&self, record: usize) -> u64 {
        self.records.get(record).map_or(0, |r| r.status)
    }

    /// Sets `control_i`'s lasting fields, as firmware does that owns the bank.
    pub fn set_control(&mut self, record: usize, value: u64) {
        if let Some(r) = self.records.get_mut(record) {
            r.control = value & control::KEPT;
        }
    }

    /// The hardware unit of a record has found an error ("Error Record Overwrite Rules"): class and fields of `status`, the address, and
    /// the time in ticks.
    pub fn log(&mut self, record: usize, new: u64, address: u64, ticks: u64) {
        let Some(r) = self.records.get_mut(record) else { return };
        if r.control & control::ELSE == 0 {
            return;
        }
        let class = Class::severity(new);
        let old = r.status;
        let mut overwrite = true;
        if old & status::V != 0 {
            let before = Class::severity(old);
            overwrite = class > before;
            if class > before {
                r.status &= !status::MO;
            }
            if class == before {
                r.status |= status::MO;
                overwrite = new & status::PRI > old & status::PRI;
            }
            r.status = r.status & !status::RDIP | class.bit();
        } else {
            r.status = old & (status::CECO | 0xffff << status::CEC) | status::RDIP | class.bit();
        }
        let counted = class == Class::Corrected && r.control & control::CECE != 0;
        let mut overflow = false;
        if counted {
            let count = (r.status >> status::CEC) + 1;
            overflow = count > 0xffff && r.status & status::CECO == 0;
            r.status = r.status & !(0xffff << status::CEC) | (count & 0xffff) << status::CEC;
            r.status |= if count > 0xffff { status::CECO } else { 0 };
        }
        if overwrite {
            let fields = (new | status::AIT_SPA | status::TSV) & status::OVERWRITTEN;
            r.status = r.status & !status::OVERWRITTEN | fields | status::V;
            (r.addr_info, r.timestamp) = (address, ticks);
        }
        // An error that only leaves its mark in a record that keeps what it has is not signaled; and while corrected errors are counted,
        // only the counter's overflow is.
        if overflow || overwrite && !counted {
            self.signal(record, class);
        }
    }

    /// Signals an error of a class as the record's control register says.
    fn signal(&mut self, record: usize, class: Class) {
        let Some(r) = self.records.get(record) else { return };
        let field = control::SIGNALS[(class as usize).saturating_sub(1)];
        let how = r.control >> field & 3;
        let signal = Signal { hart: record.checked_sub(1), high: how == 2 };
        if matches!(how, 1 | 2) && !self.signals.contains(&signal) {
            self.signals.push(signal);
        }
    }

    /// Signals since the last call.
    pub fn take_signals(&mut self) -> Vec<Signal> {
        std::mem::take(&mut self.signals)
    }

    /// Register `n` (in units of 8 bytes) of the bank at cycle `now`.
    fn get(&self, n: u64, now: u64) -> u64 {
        let valid = || (0..).zip(&self.records).fold(1, |set, (i, r)| set | (r.status & status::V) << (i + 1));
        match n {
            0 => 0,
            // n_err_recs; layout 0; version 1.
            1 => (self.records.len() as u64) << 16 | 1 << 56,
            2 => valid(),
            _ => self.records.get((n / 8).wrapping_sub(1) as usize).map_or(0, |r| match n % 8 {
                // The delay is a counter: what is left of it, so that software that changes another field writes that back.
                0 => r.control | r.due.map_or(0, |at| at.saturating_sub(now).min(0xffff)) << control::EID,
                1 => r.status,
                2 => r.addr_info,
                3 => r.info,
                4 => r.suppl_info,
                5 => r.timestamp,
                _ => 0,
            }),
        }
    }

    fn put(&mut self, n: u64, value: u64, mask: u64, now: u64) {
        let Some(r) = self.records.get_mut((n / 8).wrapping_sub(1) as usize) else { return };
        let merged = |old: u64| old & !mask | value & mask;
        match n % 8 {
            0 => {
                r.control = merged(r.control) & control::KEPT;
                let set = value & mask;
                if set & control::SRDP != 0 {
                    r.status |= status::RDIP;
                }
                if set & control::SINV != 0 && r.status & status::RDIP != 0 {
                    r.status &= !status::V;
                }
                if mask >> control::EID & 0xffff != 0 {
                    let delay = set >> control::EID & 0xffff;
                    r.due = (delay != 0).then_some(now.saturating_add(delay));
                }
            }
            1 if r.status & status::V == 0 => r.status = merged(r.status) & status::WRITABLE,
            2 => r.addr_info = merged(r.addr_info),
            3 => r.info = merged(r.info),
            4 => r.suppl_info = merged(r.suppl_info),
            5 => r.timestamp = merged(r.timestamp),
            _ => {}
        }
    }
}

impl Device for Reri {
    fn name(&self) -> &str {
        "reri@10200000"
    }

    fn read(&mut self, offset: u64, size: u8, cx: &mut DevCx<'_>) -> Result<u64, BusError> {
        if size < 4 {
            return Err(BusError);
        }
        Ok(super::low_bytes(self.get(offset / 8, cx.now) >> (8 * (offset & 7)), size))
    }

    fn write(&mut self, offset: u64, size: u8, value: u64, cx: &mut DevCx<'_>) -> Result<(), BusError> {
        if size < 4 {
            return Err(BusError);
        }
        let shift = 8 * (offset & 7);
        self.put(offset / 8, value << shift, super::low_bytes(u64::MAX, size) << shift, cx.now);
        Ok(())
    }

    fn next_event(&self, _cx: &DevCx<'_>) -> Option<u64> {
        self.records.iter().filter_map(|r| r.due).min()
    }

    fn advance(&mut self, cx: &mut DevCx<'_>) {
        for i in 0..self.records.len() {
            let r = &mut self.records[i];
            if r.due.is_none_or(|at| at > cx.now) {
                continue;
            }
            r.due = None;
            if r.status & status::V == 0 {
                r.status |= status::V | status::RDIP;
                let class = Class::severity(r.status);
                self.signal(i, class);
            }
        }
    }

    fn irq(&self) -> bool {
        self.records.iter().any(|r| {
            let field = control::SIGNALS[(Class::severity(r.status) as usize).saturating_sub(1)];
            r.status & status::V != 0 && r.control >> field & 3 == 3
        })
    }

    fn state(&mut self, io: &mut dyn StateIo) {
        for r in &mut self.records {
            for (name, v) in [
                ("control", &mut r.control),
                ("status", &mut r.status),
                ("addr_info", &mut r.addr_info),
                ("info", &mut r.info),
                ("suppl_info", &mut r.suppl_info),
                ("timestamp", &mut r.timestamp),
            ] {
                io.u64(name, v);
            }
            state::option(io, "injection due", &mut r.due);
        }
        let code = |s: &Signal| s.hart.map_or(0, |h| h as u8 + 1) << 1 | u8::from(s.high);
        let mut signals: Vec<u8> = self.signals.iter().map(code).collect();
        io.bytes("signals", &mut signals);
        let signal = |b: &u8| Signal { hart: (usize::from(b >> 1)).checked_sub(1), high: b & 1 != 0 };
        self.signals = signals.iter().map(signal).filter(|s| s.hart.is_none_or(|h| h + 1 < self.records.len())).collect();
    }

    fn fork(&self) -> Option<Box<dyn Device>> {
        Some(Box::new(self.clone()))
    }

    fn as_any(&mut self) -> &mut dyn std::any::Any {
        self
    }
}
