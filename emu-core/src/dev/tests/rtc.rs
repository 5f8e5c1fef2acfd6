//! Goldfish real-time clock.

use super::*;

const EPOCH: u64 = 1_700_000_000_000_000_000;

#[test]
fn time_is_the_epoch_plus_virtual_nanoseconds_and_high_is_latched() {
    let (mut d, mut rig) = (Rtc::new(0x1_ffff_fffe), Rig::new());
    rig.now = 1;
    assert_eq!(rig.read(&mut d, 0, 4), 0xffff_ffff);
    rig.now = 2;
    assert_eq!(rig.read(&mut d, 4, 4), 1, "the half that belongs to the last low one");
    assert_eq!(rig.read(&mut d, 0, 4), 0);
    assert_eq!(rig.read(&mut d, 4, 4), 2);
}

#[test]
fn an_alarm_interrupts_at_its_time_until_it_is_cleared() {
    let (mut d, mut rig) = (Rtc::new(EPOCH), Rig::new());
    let at = EPOCH + 5000;
    rig.write(&mut d, 0x0c, 4, at >> 32);
    rig.write(&mut d, 0x08, 4, at & 0xffff_ffff);
    rig.write(&mut d, 0x10, 4, 1);
    assert_eq!(rig.read(&mut d, 0x18, 4), 1);
    assert_eq!(d.next_event(&rig.cx()), Some(5000));
    rig.now = 4999;
    d.advance(&mut rig.cx());
    assert!(!d.irq());
    rig.now = 5000;
    d.advance(&mut rig.cx());
    assert!(d.irq());
    assert_eq!(rig.read(&mut d, 0x18, 4), 0);
    assert_eq!(d.next_event(&rig.cx()), None);
    rig.write(&mut d, 0x1c, 4, 1);
    assert!(!d.irq());
}

#[test]
fn a_cleared_alarm_does_not_fire_and_a_masked_one_does_not_interrupt() {
    let (mut d, mut rig) = (Rtc::new(0), Rig::new());
    rig.write(&mut d, 0x08, 4, 10);
    rig.write(&mut d, 0x14, 4, 1);
    rig.now = 20;
    d.advance(&mut rig.cx());
    rig.write(&mut d, 0x10, 4, 1);
    assert!(!d.irq());
    rig.write(&mut d, 0x10, 4, 0);
    rig.write(&mut d, 0x08, 4, 10);
    assert!(!d.irq(), "past, but masked");
    rig.write(&mut d, 0x10, 4, 1);
    assert!(d.irq());
}

#[test]
fn setting_the_time_moves_the_epoch() {
    let (mut d, mut rig) = (Rtc::new(EPOCH), Rig::new());
    rig.now = 1000;
    rig.write(&mut d, 4, 4, 1);
    rig.write(&mut d, 0, 4, 7);
    rig.now = 1010;
    assert_eq!(rig.read(&mut d, 0, 4), 17);
    assert_eq!(rig.read(&mut d, 4, 4), 1);
}

/// A guest whose clock was set to just after 1970: what it has run for is more than its time.
#[test]
fn an_alarm_fires_at_its_time_on_a_clock_that_was_set_back_to_1970() {
    let (mut d, mut rig) = (Rtc::new(EPOCH), Rig::new());
    rig.now = 60_000;
    rig.write(&mut d, 4, 4, 0);
    rig.write(&mut d, 0, 4, 5);
    rig.write(&mut d, 0x10, 4, 1);
    rig.write(&mut d, 0x0c, 4, 0);
    rig.write(&mut d, 0x08, 4, 1005);
    assert_eq!(d.next_event(&rig.cx()), Some(61_000));
    rig.now = 60_999;
    d.advance(&mut rig.cx());
    assert!(!d.irq());
    rig.now = 61_000;
    d.advance(&mut rig.cx());
    assert!(d.irq());
}
