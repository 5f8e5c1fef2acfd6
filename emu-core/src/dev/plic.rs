//! Platform-level interrupt controller ("RISC-V Platform-Level Interrupt Controller Specification"), in the layout of QEMU's
//! `virt`: 95 level-triggered sources, priorities 0-7, contexts 2h (M-mode of hart h) and 2h+1 (its S-mode).

use super::{Device, StateIo, state};
use crate::bus::{BusError, DevCx};

/// Number of the last source; source 0 does not exist.
pub const LAST_SOURCE: u32 = 95;
const SOURCES: usize = LAST_SOURCE as usize + 1;
const PRIORITY_MASK: u8 = 7;

const PENDING: u64 = 0x1000;
const ENABLE: u64 = 0x2000;
const ENABLE_STRIDE: u64 = 0x80;
const CONTEXT: u64 = 0x20_0000;
const CONTEXT_STRIDE: u64 = 0x1000;
const VALID: u128 = ((1u128 << SOURCES) - 1) & !1;

#[derive(Clone, Default)]
struct Context {
    enable: u128,
    threshold: u8,
}

/// The controller. Source `s` is bit `s` of each set.
#[derive(Clone)]
pub struct Plic {
    priority: [u8; SOURCES],
    level: u128,
    pending: u128,
    /// Gateways that have forwarded a request which is not completed yet.
    busy: u128,
    contexts: Vec<Context>,
}

impl Plic {
    /// With two contexts a hart.
    pub fn new(harts: usize) -> Plic {
        Plic { priority: [0; SOURCES], level: 0, pending: 0, busy: 0, contexts: vec![Context::default(); 2 * harts] }
    }

    /// The sources' lines, one bit each ("Interrupt Gateways").
    pub fn set_levels(&mut self, levels: u128) {
        self.level = levels & VALID;
        self.forward();
    }

    /// A gateway forwards a request while its line is high and the last request is completed. The request stays pending if the
    /// line falls afterwards.
    fn forward(&mut self) {
        let new = self.level & !self.busy;
        self.pending |= new;
        self.busy |= new;
    }

    /// The source the context would claim: highest priority, then lowest number; 0 if none. The threshold does not count
    /// ("Interrupt Claim Process").
    fn best(&self, ctx: usize) -> (u32, u8) {
        let Some(c) = self.contexts.get(ctx) else { return (0, 0) };
        let mut set = self.pending & c.enable;
        let mut best = (0, 0);
        while set != 0 {
            let s = set.trailing_zeros();
            let p = self.priority[s as usize % SOURCES];
            if p > best.1 {
                best = (s, p);
            }
            set &= set - 1;
        }
        best
    }

    /// Whether the context's interrupt line is high ("Interrupt Notifications").
    pub fn eip(&self, ctx: usize) -> bool {
        // Nearly always nothing is pending, and this is asked for each hart at each slice.
        self.pending != 0 && self.contexts.get(ctx).is_some_and(|c| self.best(ctx).1 > c.threshold)
    }

    fn claim(&mut self, ctx: usize) -> u32 {
        let (s, _) = self.best(ctx);
        self.pending &= !(u128::from(s != 0) << s);
        s
    }

    /// "Interrupt Completion": ignored if the context does not have the source enabled.
    fn complete(&mut self, ctx: usize, source: u64) {
        if source >= SOURCES as u64 {
            return;
        }
        let bit = 1u128 << source;
        if self.contexts.get(ctx).is_some_and(|c| c.enable & bit != 0) && self.pending & bit == 0 {
            self.busy &= !bit;
            self.forward();
        }
    }

    /// The enable word at an offset inside the enable area: context and word number.
    fn enable_at(offset: u64) -> (usize, u32) {
        let o = offset - ENABLE;
        ((o / ENABLE_STRIDE) as usize, (o % ENABLE_STRIDE / 4) as u32)
    }
}

/// 32-bit word `w` of a set.
fn word(set: u128, w: u32) -> u64 {
    if w < 4 { (set >> (32 * w)) as u64 & 0xffff_ffff } else { 0 }
}

impl Device for Plic {
    fn name(&self) -> &str {
        "plic@c000000"
    }

    fn read(&mut self, offset: u64, size: u8, _cx: &mut DevCx<'_>) -> Result<u64, BusError> {
        if size != 4 {
            return Err(BusError);
        }
        Ok(match offset {
            0..PENDING => self.priority.get((offset / 4) as usize).copied().unwrap_or(0).into(),
            PENDING..ENABLE => word(self.pending, ((offset - PENDING) / 4) as u32),
            ENABLE..CONTEXT => {
                let (ctx, w) = Plic::enable_at(offset);
                self.contexts.get(ctx).map_or(0, |c| word(c.enable, w))
            }
            _ => {
                let ctx = ((offset - CONTEXT) / CONTEXT_STRIDE) as usize;
                match (offset - CONTEXT) % CONTEXT_STRIDE {
                    0 => self.contexts.get(ctx).map_or(0, |c| c.threshold.into()),
                    4 => self.claim(ctx).into(),
                    _ => 0,
                }
            }
        })
    }

    fn write(&mut self, offset: u64, size: u8, value: u64, _cx: &mut DevCx<'_>) -> Result<(), BusError> {
        if size != 4 {
            return Err(BusError);
        }
        match offset {
            0..PENDING => {
                let s = (offset / 4) as usize;
                if s != 0
                    && let Some(p) = self.priority.get_mut(s)
                {
                    *p = value as u8 & PRIORITY_MASK;
                }
            }
            PENDING..ENABLE => {}
            ENABLE..CONTEXT => {
                let (ctx, w) = Plic::enable_at(offset);
                if let Some(c) = self.contexts.get_mut(ctx)
                    && w < 4
                {
                    let mask = 0xffff_ffffu128 << (32 * w);
                    c.enable = (c.enable & !mask | u128::from(value & 0xffff_ffff) << (32 * w)) & VALID;
                }
            }
            _ => {
                let ctx = ((offset - CONTEXT) / CONTEXT_STRIDE) as usize;
                match (offset - CONTEXT) % CONTEXT_STRIDE {
                    0 => {
                        if let Some(c) = self.contexts.get_mut(ctx) {
                            c.threshold = value as u8 & PRIORITY_MASK;
                        }
                    }
                    4 => self.complete(ctx, value & 0xffff_ffff),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn state(&mut self, io: &mut dyn StateIo) {
        for p in &mut self.priority {
            state::u8(io, "priority", p);
        }
        state::u128(io, "level", &mut self.level);
        state::u128(io, "pending", &mut self.pending);
        state::u128(io, "busy", &mut self.busy);
        for c in &mut self.contexts {
            state::u128(io, "enable", &mut c.enable);
            state::u8(io, "threshold", &mut c.threshold);
        }
        // Bytes from outside must not name sources that do not exist.
        for set in [&mut self.level, &mut self.pending, &mut self.busy] {
            *set &= VALID;
        }
        for c in &mut self.contexts {
            c.enable &= VALID;
        }
    }

    fn fork(&self) -> Option<Box<dyn Device>> {
        Some(Box::new(self.clone()))
    }

    fn as_any(&mut self) -> &mut dyn std::any::Any {
        self
    }
}
