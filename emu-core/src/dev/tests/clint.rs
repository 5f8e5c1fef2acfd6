//! "ACLINT specification": MSWI, MTIMER, SSWI; and the clock arithmetic behind them.

use super::*;

#[test]
fn mtimecmp_is_written_in_halves_and_pends_from_its_tick_on() {
    let (mut d, mut rig) = (Clint::new(2), Rig::new());
    rig.write(&mut d, 0x4008, 4, 50);
    rig.write(&mut d, 0x400c, 4, 0);
    assert_eq!(d.mtimecmp(1), 50);
    assert_eq!(rig.read(&mut d, 0x4008, 8), 50);
    assert_eq!(rig.read(&mut d, 0x400c, 4), 0);
    assert!(!d.mtip(1, 49));
    assert!(d.mtip(1, 50));
    assert!(!d.mtip(0, u64::MAX - 1), "hart 0's is its own");
    assert_eq!(d.next_event(&rig.cx()), Some(5000), "10 MHz ticks at 1 GHz");
    rig.now = 5000;
    assert_eq!(d.next_event(&rig.cx()), None, "reached");
}

#[test]
fn writing_mtime_moves_the_clock_both_ways() {
    let (mut d, mut rig) = (Clint::new(1), Rig::new());
    rig.now = 1_000_000;
    assert_eq!(rig.read(&mut d, 0xbff8, 8), 10_000);
    rig.write(&mut d, 0xbff8, 8, 3);
    assert_eq!(rig.read(&mut d, 0xbff8, 8), 3);
    rig.write(&mut d, 0x4000, 8, 10);
    assert_eq!(d.next_event(&rig.cx()), Some(1_000_700), "set back");
    rig.write(&mut d, 0xbff8, 8, 1 << 40);
    assert!(d.mtip(0, rig.clock.ticks(rig.now)), "set forward");
    rig.write(&mut d, 0xbffc, 4, 0);
    assert_eq!(rig.read(&mut d, 0xbff8, 8), 0, "one half");
}

#[test]
fn msip_has_one_bit_a_hart_and_no_other() {
    let (mut d, mut rig) = (Clint::new(2), Rig::new());
    rig.write(&mut d, 4, 4, 0xffff_fffe);
    assert!(!d.msip(1));
    rig.write(&mut d, 4, 4, 0xffff_ffff);
    assert!(d.msip(1) && !d.msip(0));
    assert_eq!(rig.read(&mut d, 4, 4), 1);
    rig.write(&mut d, 8, 4, 1);
    assert_eq!(rig.read(&mut d, 8, 4), 0, "no hart 2");
}

/// "MSWI": registers of 32 bits. A wider access that was taken and did nothing would be an IPI lost without a word.
#[test]
fn msip_takes_accesses_of_its_width_only_and_mtimecmp_of_a_half_or_the_whole() {
    let (mut d, mut rig) = (Clint::new(2), Rig::new());
    for size in [1, 2, 8] {
        assert_eq!(d.write(0, size, 1, &mut rig.cx()), Err(BusError), "{size}");
        assert_eq!(d.read(0, size, &mut rig.cx()), Err(BusError), "{size}");
    }
    assert!(!d.msip(0));
    for (size, answered) in [(1, false), (2, false), (4, true), (8, true)] {
        for offset in [0x4000, 0x4008, 0xbff8] {
            assert_eq!(d.read(offset, size, &mut rig.cx()).is_ok(), answered, "{offset:#x} {size}");
            assert_eq!(d.write(offset, size, 0, &mut rig.cx()).is_ok(), answered, "{offset:#x} {size}");
        }
    }
}

#[test]
fn setssip_sends_one_edge_and_reads_zero() {
    let (mut d, mut rig) = (Sswi::new(2), Rig::new());
    rig.write(&mut d, 4, 4, 1);
    rig.write(&mut d, 0, 4, 2);
    rig.write(&mut d, 8, 4, 1);
    assert_eq!(rig.read(&mut d, 4, 4), 0);
    assert_eq!(d.take_edges(), 0b10);
    assert_eq!(d.take_edges(), 0);
}

proptest! {
    #[test]
    fn ticks_are_the_exact_quotient_and_cycle_of_is_the_first_cycle(
        cycles in any::<u64>(), hz in prop_oneof![Just(1_000_000_000), 1000..=1_000_000_000_000u64], offset in prop_oneof![Just(0), any::<u64>()], ahead in 1..1_000_000u64,
    ) {
        let c = Clock { cycle_hz: hz, timebase_hz: 10_000_000, offset };
        let exact = (u128::from(cycles) * 10_000_000 / u128::from(hz)) as u64;
        prop_assert_eq!(c.ticks(cycles), exact.wrapping_add(offset));
        if let Some(target) = c.ticks(cycles).checked_add(ahead)
            && let Some(at) = c.cycle_after(target, cycles)
        {
            prop_assert!(at > cycles);
            prop_assert!(c.ticks(at).wrapping_sub(offset) >= target.wrapping_sub(offset));
            prop_assert!(c.ticks(at - 1).wrapping_sub(offset) < target.wrapping_sub(offset));
            if offset == 0 {
                prop_assert_eq!(c.cycle_of(target), at);
            }
        }
    }
}

#[test]
fn registers_belong_to_hart_ids_counted_from_the_lowest() {
    let ids = [7, 5, 14];
    let (mut d, mut s, mut rig) = (Clint::with_ids(&ids), Sswi::with_ids(&ids), Rig::new());
    for (id, index) in [(7, 0), (5, 1), (14, 2)] {
        let n = id - 5;
        rig.write(&mut d, 4 * n, 4, 1);
        assert!(d.msip(index), "hart {id}");
        assert_eq!(rig.read(&mut d, 4 * n, 4), 1);
        rig.write(&mut d, 0x4000 + 8 * n, 8, 100 + n);
        assert_eq!(d.mtimecmp(index), 100 + n);
        rig.write(&mut s, 4 * n, 4, 1);
        assert_eq!(s.take_edges(), 1 << index);
    }
    // A gap, and behind the last.
    for n in [1, 10, 4094] {
        rig.write(&mut d, 4 * n, 4, 1);
        rig.write(&mut d, 0x4000 + 8 * n, 8, 1);
        rig.write(&mut s, 4 * n, 4, 1);
        assert_eq!((rig.read(&mut d, 4 * n, 4), rig.read(&mut d, 0x4000 + 8 * n, 8)), (0, 0));
    }
    assert_eq!(s.take_edges(), 0);
    assert_eq!([0, 1, 2].map(|i| d.mtimecmp(i)), [102, 100, 109]);
}
