//! Virtual time: how cycles, timebase ticks and nanoseconds follow from each other.

/// Converts cycles to timebase ticks. Time is virtual: cycle `c` is at tick `c * timebase_hz / cycle_hz`, rounded down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    /// Cycles in a virtual second (default 1 GHz: one instruction is 1 ns under the unit timing model).
    pub cycle_hz: u64,
    /// mtime ticks in a virtual second (QEMU virt's 10 MHz).
    pub timebase_hz: u64,
    /// Ticks added to the result: what a guest or debugger wrote to mtime.
    pub offset: u64,
}

/// The rates of [`Clock`] that nearly all machines have, and their quotient: divided by a constant, mtime costs no division of the host.
const USUAL: (u64, u64) = (1_000_000_000, 10_000_000);
const USUAL_RATIO: u64 = USUAL.0 / USUAL.1;

impl Clock {
    /// mtime at a cycle.
    #[inline]
    pub fn ticks(&self, cycles: u64) -> u64 {
        if (self.cycle_hz, self.timebase_hz) == USUAL {
            return (cycles / USUAL_RATIO).wrapping_add(self.offset);
        }
        // Whole seconds and the rest apart: exact, and without a 128-bit division.
        let (s, r) = (cycles / self.cycle_hz, cycles % self.cycle_hz);
        let rest = match r.checked_mul(self.timebase_hz) {
            Some(p) => p / self.cycle_hz,
            None => (r as u128 * self.timebase_hz as u128 / self.cycle_hz as u128) as u64,
        };
        s.wrapping_mul(self.timebase_hz).wrapping_add(rest).wrapping_add(self.offset)
    }

    /// First cycle at which mtime is at least `ticks`; `u64::MAX` if that is out of reach. An offset of 2^63 or more is a clock
    /// that was set back.
    pub fn cycle_of(&self, ticks: u64) -> u64 {
        let t = (ticks as i128 - self.offset as i64 as i128).max(0) as u128;
        u64::try_from((t * self.cycle_hz as u128).div_ceil(self.timebase_hz as u128)).unwrap_or(u64::MAX)
    }

    /// First cycle after `now` at which mtime reaches `ticks`; None if it has reached it already or never will.
    pub fn cycle_after(&self, ticks: u64, now: u64) -> Option<u64> {
        let mtime = self.ticks(now);
        self.cycle_after_ticks(ticks, mtime)
    }

    /// The same where mtime is known.
    #[inline]
    pub fn cycle_after_ticks(&self, ticks: u64, mtime: u64) -> Option<u64> {
        let wait = ticks.checked_sub(mtime).filter(|w| *w > 0)?;
        let raw = mtime.wrapping_sub(self.offset) as u128 + wait as u128;
        if (self.cycle_hz, self.timebase_hz) == USUAL {
            return u64::try_from(raw).ok()?.checked_mul(USUAL_RATIO);
        }
        u64::try_from((raw * self.cycle_hz as u128).div_ceil(self.timebase_hz as u128)).ok()
    }

    /// Virtual nanoseconds since the machine started.
    pub fn nanos(&self, cycles: u64) -> u64 {
        (cycles as u128 * 1_000_000_000 / self.cycle_hz as u128) as u64
    }

    /// First cycle at which [`Clock::nanos`] is at least `nanos`; `u64::MAX` if that is out of reach.
    pub fn cycle_of_nanos(&self, nanos: u64) -> u64 {
        u64::try_from((nanos as u128 * self.cycle_hz as u128).div_ceil(1_000_000_000)).unwrap_or(u64::MAX)
    }
}
