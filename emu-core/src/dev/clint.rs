//! The core-local interruptors of the RISC-V ACLINT specification: MSWI and MTIMER in the layout of the SiFive CLINT
//! ([`Clint`]), SSWI on its own ([`Sswi`]).

use super::{Device, StateIo, state};
use crate::bus::{BusError, DevCx};

const MTIMECMP: u64 = 0x4000;
const MTIME: u64 = 0xbff8;

/// Which hart each register belongs to ("ACLINT, hart index"): the register number is the hart's id less the lowest id, as firmware
/// computes it. Registers in the gaps belong to nobody: they ignore writes and read 0.
#[derive(Clone)]
struct Places(Vec<u64>);

impl Places {
    fn new(ids: &[u64]) -> Places {
        let low = ids.iter().min().copied().unwrap_or(0);
        Places(ids.iter().map(|id| id - low).collect())
    }

    /// Index of the hart that register `n` belongs to.
    fn hart(&self, n: u64) -> Option<usize> {
        // Nearly always ids are indices.
        if self.0.get(n as usize) == Some(&n) { Some(n as usize) } else { self.0.iter().position(|&p| p == n) }
    }
}

/// MSWI at offset 0 (one 32-bit MSIP register a hart) and MTIMER at 0x4000 (one 64-bit MTIMECMP a hart) with MTIME at 0xbff8.
#[derive(Clone)]
pub struct Clint {
    places: Places,
    msip: Vec<bool>,
    mtimecmp: Vec<u64>,
}

impl Clint {
    /// For `harts` harts with ids from 0; each MTIMECMP starts at its maximum, so that no timer interrupt is pending.
    pub fn new(harts: usize) -> Clint {
        Clint::with_ids(&(0..harts as u64).collect::<Vec<_>>())
    }

    /// For harts with these ids, by index.
    pub fn with_ids(ids: &[u64]) -> Clint {
        Clint { places: Places::new(ids), msip: vec![false; ids.len()], mtimecmp: vec![u64::MAX; ids.len()] }
    }

    /// Whether hart index `hart` has a machine software interrupt pending.
    pub fn msip(&self, hart: usize) -> bool {
        self.msip.get(hart).copied().unwrap_or(false)
    }

    /// Sets or clears MSIP of a hart (native firmware's IPI).
    pub fn set_msip(&mut self, hart: usize, v: bool) {
        if let Some(m) = self.msip.get_mut(hart) {
            *m = v;
        }
    }

    /// Whether mtime has reached the hart's MTIMECMP.
    pub fn mtip(&self, hart: usize, mtime: u64) -> bool {
        self.mtimecmp.get(hart).is_some_and(|&c| mtime >= c)
    }

    /// The hart's MTIMECMP; `u64::MAX` if there is no such hart.
    pub fn mtimecmp(&self, hart: usize) -> u64 {
        self.mtimecmp.get(hart).copied().unwrap_or(u64::MAX)
    }

    /// Sets the hart's MTIMECMP.
    pub fn set_mtimecmp(&mut self, hart: usize, ticks: u64) {
        if let Some(c) = self.mtimecmp.get_mut(hart) {
            *c = ticks;
        }
    }
}

/// Reads `size` bytes at `offset` of a 64-bit register.
fn part(reg: u64, offset: u64, size: u8) -> u64 {
    super::low_bytes(reg >> (8 * (offset & 7)), size)
}

/// Replaces `size` bytes at `offset` of a 64-bit register.
fn with_part(reg: u64, offset: u64, size: u8, value: u64) -> u64 {
    let shift = 8 * (offset & 7) as u32;
    let mask = super::low_bytes(u64::MAX, size).wrapping_shl(shift);
    reg & !mask | value.wrapping_shl(shift) & mask
}

/// Whether there are accesses of `size` bytes at `offset`: the MSIP registers have 32 bits, the others 64 with halves of their own.
fn answers(offset: u64, size: u8) -> bool {
    size == 4 || size == 8 && offset >= MTIMECMP
}

impl Device for Clint {
    fn name(&self) -> &str {
        "clint@2000000"
    }

    fn read(&mut self, offset: u64, size: u8, cx: &mut DevCx<'_>) -> Result<u64, BusError> {
        if !answers(offset, size) {
            return Err(BusError);
        }
        Ok(if offset < MTIMECMP {
            u64::from(self.places.hart(offset / 4).is_some_and(|h| self.msip(h)))
        } else if (MTIMECMP..MTIME).contains(&offset) {
            self.places.hart((offset - MTIMECMP) / 8).map_or(0, |h| part(self.mtimecmp(h), offset, size))
        } else if (MTIME..MTIME + 8).contains(&offset) {
            part(cx.clock.ticks(cx.now), offset, size)
        } else {
            0
        })
    }

    fn write(&mut self, offset: u64, size: u8, value: u64, cx: &mut DevCx<'_>) -> Result<(), BusError> {
        if !answers(offset, size) {
            return Err(BusError);
        }
        if offset < MTIMECMP {
            if let Some(hart) = self.places.hart(offset / 4) {
                self.set_msip(hart, value & 1 != 0);
            }
        } else if (MTIMECMP..MTIME).contains(&offset) {
            if let Some(hart) = self.places.hart((offset - MTIMECMP) / 8) {
                self.set_mtimecmp(hart, with_part(self.mtimecmp(hart), offset, size, value));
            }
        } else if (MTIME..MTIME + 8).contains(&offset) {
            let old = cx.clock.ticks(cx.now);
            let new = with_part(old, offset, size, value);
            cx.clock.offset = cx.clock.offset.wrapping_add(new.wrapping_sub(old));
        }
        Ok(())
    }

    fn next_event(&self, cx: &DevCx<'_>) -> Option<u64> {
        self.mtimecmp.iter().filter_map(|&c| cx.clock.cycle_after(c, cx.now)).min()
    }

    fn state(&mut self, io: &mut dyn StateIo) {
        for v in &mut self.msip {
            state::bool(io, "msip", v);
        }
        for v in &mut self.mtimecmp {
            io.u64("mtimecmp", v);
        }
    }

    fn fork(&self) -> Option<Box<dyn Device>> {
        Some(Box::new(self.clone()))
    }

    fn as_any(&mut self) -> &mut dyn std::any::Any {
        self
    }
}

/// SSWI: one 32-bit SETSSIP register a hart. Writing 1 sends one edge to the hart's SSIP; reads give 0.
#[derive(Clone)]
pub struct Sswi {
    places: Places,
    edges: u64,
}

impl Sswi {
    /// For `harts` harts (at most 64) with ids from 0.
    pub fn new(harts: usize) -> Sswi {
        Sswi::with_ids(&(0..harts as u64).collect::<Vec<_>>())
    }

    /// For harts with these ids, by index.
    pub fn with_ids(ids: &[u64]) -> Sswi {
        Sswi { places: Places::new(ids), edges: 0 }
    }

    /// Sends an edge to hart index `hart`.
    pub fn send(&mut self, hart: usize) {
        if hart < self.places.0.len() {
            self.edges |= 1u64.checked_shl(hart as u32).unwrap_or(0);
        }
    }

    /// Takes the edges sent since the last call, one bit a hart.
    pub fn take_edges(&mut self) -> u64 {
        std::mem::take(&mut self.edges)
    }
}

impl Device for Sswi {
    fn name(&self) -> &str {
        "sswi@2f00000"
    }

    fn read(&mut self, _offset: u64, size: u8, _cx: &mut DevCx<'_>) -> Result<u64, BusError> {
        if size == 4 { Ok(0) } else { Err(BusError) }
    }

    fn write(&mut self, offset: u64, size: u8, value: u64, _cx: &mut DevCx<'_>) -> Result<(), BusError> {
        if size != 4 {
            return Err(BusError);
        }
        if let Some(hart) = self.places.hart(offset / 4)
            && value & 1 != 0
        {
            self.send(hart);
        }
        Ok(())
    }

    fn state(&mut self, io: &mut dyn StateIo) {
        io.u64("edges", &mut self.edges);
    }

    fn fork(&self) -> Option<Box<dyn Device>> {
        Some(Box::new(self.clone()))
    }

    fn as_any(&mut self) -> &mut dyn std::any::Any {
        self
    }
}
