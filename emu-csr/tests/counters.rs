//! Counters against counters that are stepped instruction by instruction (Privileged ISA, "Hardware Performance Monitor";
//! Sscofpmf; Smcntrpmf).

mod common;

use common::{MODES, Random};
use emu_csr::{Csrs, Effects, Isa, Mode, Now, table};
use proptest::prelude::*;

/// A counter that is stepped.
#[derive(Clone, Copy, Default)]
struct Stepped {
    value: u64,
    /// mcyclecfg, minstretcfg or mhpmevent.
    config: u64,
}

/// Whether Smcntrpmf's and Sscofpmf's filter lets a counter count in `mode`.
fn unfiltered(config: u64, mode: Mode) -> bool {
    let bit = match mode {
        Mode::M => 62,
        Mode::HS => 61,
        Mode::U => 60,
        Mode::VS => 59,
        Mode::VU => 58,
    };
    config >> bit & 1 == 0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]
    /// Instructions of one to three cycles, mode changes, and writes of everything that bears on counters.
    #[test]
    fn counters_count_what_stepping_counts(seed: u64) {
        let mut random = Random::new(seed);
        let mut csrs = Csrs::new(Isa::max(), 0);
        let mut now = Now { cycles: 5, instret: 3, time: 0 };
        // 0 mcycle, 2 minstret, 3 to 5 programmable.
        let mut counters = [Stepped::default(); 6];
        counters[0].value = 5;
        counters[2].value = 3;
        let mut inhibit = 0u64;
        let mut mode = Mode::M;
        let mut lcofip = false;
        for _ in 0..200 {
            let i = random.pick(&[0usize, 2, 3, 4, 5]);
            let (mut written, mut new_inhibit, mut new_config) = (None, None, None);
            match random.next() >> 61 {
                0 => {
                    // Near overflow as often as not.
                    let value = if random.next() & 1 == 0 { (random.next() & 15).wrapping_neg() } else { random.value() };
                    let csr = table::MCYCLE + i as u16;
                    csrs.write(csr, value, mode, &now, &mut ()).ok().filter(|_| mode == Mode::M);
                    if mode == Mode::M {
                        written = Some(value);
                    }
                }
                1 if mode == Mode::M => {
                    let value = random.value();
                    csrs.poke(table::MCOUNTINHIBIT, value, &now);
                    new_inhibit = Some(value);
                }
                2 if mode == Mode::M => {
                    let flags = random.next() & 31 << 58;
                    let (csr, value) = match i {
                        0 => (table::MCYCLECFG, flags),
                        2 => (table::MINSTRETCFG, flags),
                        _ => (table::MHPMEVENT0 + i as u16, flags | random.pick(&[0, 1, 2])),
                    };
                    csrs.poke(csr, value, &now);
                    new_config = Some(value);
                }
                3 if csrs.peek(table::MIP, &now).unwrap_or_default() >> 13 & 1 == 1 => {
                    csrs.poke(table::MIP, 0, &now);
                    lcofip = false;
                }
                _ => {}
            }
            // The instruction takes its cycles and retires; a new inhibit bit acts on it already, a new filter does not.
            if let Some(value) = new_inhibit {
                inhibit = value;
            }
            let cycles = if random.next() & 3 == 0 && written.is_none() && new_config.is_none() { 3 } else { 1 };
            for (k, counter) in counters.iter_mut().enumerate() {
                let counts = match k {
                    0 => cycles,
                    2 => 1,
                    1 => 0,
                    _ => [0, cycles, 1][(counter.config & 3) as usize],
                };
                if k == i && let Some(value) = written {
                    counter.value = value;
                } else if inhibit >> k & 1 == 0 && unfiltered(counter.config, mode) {
                    let (value, carry) = counter.value.overflowing_add(counts);
                    counter.value = value;
                    if carry && k > 2 && counter.config >> 63 == 0 {
                        counter.config |= 1 << 63;
                        lcofip = true;
                    }
                }
            }
            if let Some(value) = new_config {
                counters[i].config = value;
            }
            // The machine calls at the latest when the deadline has come.
            let deadline = csrs.next_overflow(&now);
            now.cycles += cycles;
            now.instret += 1;
            if deadline.is_some_and(|after| after <= cycles) {
                csrs.raise_overflows(&now, &mut ());
            }
            if random.next() & 7 == 0 {
                let next = random.pick(&MODES);
                if csrs.counters_by_mode {
                    csrs.on_mode_change(mode, next, &now);
                }
                mode = next;
            }
            for (k, counter) in counters.iter().enumerate().filter(|&(k, _)| k != 1) {
                let csr = table::MCYCLE + k as u16;
                prop_assert_eq!(csrs.peek(csr, &now), Some(counter.value), "counter {}", k);
                if k > 2 {
                    prop_assert_eq!(csrs.peek(table::MHPMEVENT0 + k as u16, &now), Some(counter.config));
                    let flag = csrs.peek(table::SCOUNTOVF, &now).unwrap_or_default() >> k & 1;
                    prop_assert_eq!(flag, counter.config >> 63);
                }
            }
            prop_assert_eq!(csrs.peek(table::MIP, &now).unwrap_or_default() >> 13 & 1 == 1, lcofip);
        }
    }

    #[test]
    fn the_overflow_deadline_is_never_late(distance in 1u64..1000, cycles in 0u64..1000) {
        let mut csrs = Csrs::new(Isa::max(), 0);
        let now = Now { cycles: 10, instret: 10, time: 0 };
        csrs.poke(table::MHPMEVENT0 + 3, 1, &now);
        csrs.poke(table::MHPMCOUNTER0 + 3, distance.wrapping_neg(), &now);
        let after = Now { cycles: 11, instret: 11, time: 0 };
        prop_assert_eq!(csrs.next_overflow(&after), Some(distance));
        let then = Now { cycles: 11 + cycles, ..after };
        let effects = csrs.raise_overflows(&then, &mut ());
        prop_assert_eq!(effects.has(Effects::INTERRUPTS), cycles >= distance);
        prop_assert_eq!(csrs.mhpmevent[3] >> 63 == 1, cycles >= distance);
        if cycles >= distance {
            prop_assert_eq!(csrs.next_overflow(&then), None, "OF masks further overflows");
        }
    }
}

#[test]
fn a_written_counter_is_read_back_by_the_next_instruction() {
    let mut csrs = Csrs::new(Isa::max(), 0);
    let now = Now { cycles: 50, instret: 40, time: 9 };
    csrs.poke(table::MINSTRET, 1000, &now);
    csrs.poke(table::MCYCLE, 2000, &now);
    let next = Now { cycles: 51, instret: 41, time: 9 };
    assert_eq!(csrs.peek(table::MINSTRET, &next), Some(1000));
    assert_eq!(csrs.peek(table::MCYCLE, &next), Some(2000));
    assert_eq!(csrs.peek(table::INSTRET, &next), Some(1000), "the shadow");
}

#[test]
fn time_is_shifted_by_htimedelta_with_v_only() {
    let mut csrs = Csrs::new(Isa::max(), 0);
    let now = Now { cycles: 0, instret: 0, time: 100 };
    csrs.poke(table::MCOUNTEREN, 7, &now);
    csrs.poke(table::HCOUNTEREN, 7, &now);
    csrs.poke(table::SCOUNTEREN, 7, &now);
    csrs.poke(table::HTIMEDELTA, 90u64.wrapping_neg(), &now);
    for (mode, time) in [(Mode::M, 100), (Mode::HS, 100), (Mode::U, 100), (Mode::VS, 10), (Mode::VU, 10)] {
        assert_eq!(csrs.read(table::TIME, mode, &now), Ok(time), "{mode:?}");
    }
}

#[test]
fn scountovf_shows_what_the_reader_may_read() {
    let mut csrs = Csrs::new(Isa::max(), 0);
    let now = Now::default();
    for i in [3, 4, 5] {
        csrs.poke(table::MHPMEVENT0 + i, 1 << 63, &now);
    }
    csrs.poke(table::MCOUNTEREN, 1 << 3 | 1 << 4, &now);
    csrs.poke(table::HCOUNTEREN, 1 << 4 | 1 << 5, &now);
    assert_eq!(csrs.read(table::SCOUNTOVF, Mode::M, &now), Ok(0b111000));
    assert_eq!(csrs.read(table::SCOUNTOVF, Mode::HS, &now), Ok(0b011000));
    assert_eq!(csrs.read(table::SCOUNTOVF, Mode::VS, &now), Ok(0b010000));
}
