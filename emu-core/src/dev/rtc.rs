//! Goldfish real-time clock: nanoseconds since 1970 as virtual time from a fixed epoch, and one alarm.

use super::{Device, StateIo, state};
use crate::bus::{BusError, DevCx};

const TIME_LOW: u64 = 0x00;
const TIME_HIGH: u64 = 0x04;
const ALARM_LOW: u64 = 0x08;
const ALARM_HIGH: u64 = 0x0c;
const IRQ_ENABLED: u64 = 0x10;
const CLEAR_ALARM: u64 = 0x14;
const ALARM_STATUS: u64 = 0x18;
const CLEAR_INTERRUPT: u64 = 0x1c;

/// The clock. All registers are 32 bits wide.
#[derive(Clone)]
pub struct Rtc {
    /// Time at cycle 0 in nanoseconds since 1970; the guest changes it by setting the time.
    epoch_ns: u64,
    /// Upper half of the time, latched by a read of TIME_LOW.
    time_high: u32,
    alarm: u64,
    running: bool,
    enabled: bool,
    pending: bool,
}

impl Rtc {
    /// A clock that reads `epoch_ns` nanoseconds since 1970 at cycle 0.
    pub fn new(epoch_ns: u64) -> Rtc {
        Rtc { epoch_ns, time_high: 0, alarm: 0, running: false, enabled: false, pending: false }
    }

    fn time(&self, cx: &DevCx<'_>) -> u64 {
        self.epoch_ns.wrapping_add(cx.clock.nanos(cx.now))
    }

    fn check_alarm(&mut self, cx: &DevCx<'_>) {
        if self.running && self.alarm <= self.time(cx) {
            self.running = false;
            self.pending = true;
        }
    }
}

fn set_low(v: &mut u64, half: u64) {
    *v = *v & !0xffff_ffff | half & 0xffff_ffff;
}

fn set_high(v: &mut u64, half: u64) {
    *v = *v & 0xffff_ffff | half << 32;
}

impl Device for Rtc {
    fn name(&self) -> &str {
        "rtc@101000"
    }

    fn read(&mut self, offset: u64, size: u8, cx: &mut DevCx<'_>) -> Result<u64, BusError> {
        if size != 4 {
            return Err(BusError);
        }
        Ok(match offset {
            TIME_LOW => {
                let t = self.time(cx);
                self.time_high = (t >> 32) as u32;
                t & 0xffff_ffff
            }
            TIME_HIGH => u64::from(self.time_high),
            ALARM_LOW => self.alarm & 0xffff_ffff,
            ALARM_HIGH => self.alarm >> 32,
            IRQ_ENABLED => u64::from(self.enabled),
            ALARM_STATUS => u64::from(self.running),
            _ => 0,
        })
    }

    fn write(&mut self, offset: u64, size: u8, value: u64, cx: &mut DevCx<'_>) -> Result<(), BusError> {
        if size != 4 {
            return Err(BusError);
        }
        match offset {
            TIME_LOW | TIME_HIGH => {
                let mut t = self.time(cx);
                if offset == TIME_LOW {
                    set_low(&mut t, value)
                } else {
                    set_high(&mut t, value)
                }
                self.epoch_ns = t.wrapping_sub(cx.clock.nanos(cx.now));
                self.check_alarm(cx);
            }
            ALARM_HIGH => set_high(&mut self.alarm, value),
            // Writing the low half arms: drivers write the high half first.
            ALARM_LOW => {
                set_low(&mut self.alarm, value);
                self.running = true;
                self.check_alarm(cx);
            }
            IRQ_ENABLED => self.enabled = value & 1 != 0,
            CLEAR_ALARM => self.running = false,
            CLEAR_INTERRUPT => self.pending = false,
            _ => {}
        }
        Ok(())
    }

    fn next_event(&self, cx: &DevCx<'_>) -> Option<u64> {
        // By what is left of it: the epoch lies before 1970 once the guest has set the time to less than it has run. One that was passed
        // by setting the time is due at once.
        let left = self.alarm.saturating_sub(self.time(cx));
        let at = |left| cx.clock.cycle_of_nanos(cx.clock.nanos(cx.now).saturating_add(left)).max(cx.now);
        self.running.then(|| if left == 0 { cx.now } else { at(left) })
    }

    fn advance(&mut self, cx: &mut DevCx<'_>) {
        self.check_alarm(cx);
    }

    fn irq(&self) -> bool {
        self.enabled && self.pending
    }

    fn state(&mut self, io: &mut dyn StateIo) {
        io.u64("epoch", &mut self.epoch_ns);
        state::u32(io, "time high", &mut self.time_high);
        io.u64("alarm", &mut self.alarm);
        state::bool(io, "alarm running", &mut self.running);
        state::bool(io, "irq enabled", &mut self.enabled);
        state::bool(io, "irq pending", &mut self.pending);
    }

    fn fork(&self) -> Option<Box<dyn Device>> {
        Some(Box::new(self.clone()))
    }

    fn as_any(&mut self) -> &mut dyn std::any::Any {
        self
    }
}
