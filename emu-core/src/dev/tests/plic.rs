//! "RISC-V Platform-Level Interrupt Controller Specification".

use super::*;

const M0: usize = 0;
const S0: usize = 1;
const S1: usize = 3;

fn enable(rig: &mut Rig, d: &mut Plic, ctx: usize, sources: u64) {
    rig.write(d, 0x2000 + 0x80 * ctx as u64, 4, sources & 0xffff_ffff);
}

fn claim_at(ctx: usize) -> u64 {
    0x20_0004 + 0x1000 * ctx as u64
}

/// A PLIC for two harts with sources 1, 2, 3 of priorities 1, 5, 5, enabled for hart 0's S-mode.
fn plic() -> (Plic, Rig) {
    let (mut d, mut rig) = (Plic::new(2), Rig::new());
    for (s, p) in [(1, 1), (2, 5), (3, 5)] {
        rig.write(&mut d, 4 * s, 4, p);
    }
    enable(&mut rig, &mut d, S0, 0b1110);
    (d, rig)
}

#[test]
fn claim_takes_the_highest_priority_then_the_lowest_number() {
    let (mut d, mut rig) = plic();
    d.set_levels(0b1110);
    assert_eq!(rig.read(&mut d, 0x1000, 4), 0b1110, "pending");
    let claims: Vec<u64> = (0..4).map(|_| rig.read(&mut d, claim_at(S0), 4)).collect();
    assert_eq!(claims, [2, 3, 1, 0]);
    assert!(!d.eip(S0));
    assert_eq!(rig.read(&mut d, 0x1000, 4), 0);
}

#[test]
fn notification_needs_enable_and_a_priority_above_the_threshold() {
    let (mut d, mut rig) = plic();
    d.set_levels(0b100);
    assert!(d.eip(S0));
    assert!(!d.eip(M0) && !d.eip(S1), "not enabled there");
    rig.write(&mut d, 0x20_1000, 4, 5);
    assert!(!d.eip(S0), "threshold 5 masks priority 5");
    rig.write(&mut d, 0x20_1000, 4, 4);
    assert!(d.eip(S0));
    rig.write(&mut d, 8, 4, 0);
    assert!(!d.eip(S0), "priority 0 never interrupts");
}

#[test]
fn claim_ignores_the_threshold() {
    let (mut d, mut rig) = plic();
    rig.write(&mut d, 0x20_1000, 4, 7);
    d.set_levels(0b10);
    assert_eq!(rig.read(&mut d, claim_at(S0), 4), 1);
}

#[test]
fn a_gateway_forwards_again_only_after_completion_while_the_line_is_high() {
    let (mut d, mut rig) = plic();
    d.set_levels(0b10);
    assert_eq!(rig.read(&mut d, claim_at(S0), 4), 1);
    d.set_levels(0b10);
    assert!(!d.eip(S0), "in service");
    rig.write(&mut d, claim_at(S0), 4, 1);
    assert!(d.eip(S0), "still high");
    assert_eq!(rig.read(&mut d, claim_at(S0), 4), 1);
    d.set_levels(0);
    rig.write(&mut d, claim_at(S0), 4, 1);
    assert!(!d.eip(S0));
    d.set_levels(0b10);
    assert!(d.eip(S0), "rises again");
}

#[test]
fn a_forwarded_request_stays_when_the_line_falls() {
    let (mut d, mut rig) = plic();
    d.set_levels(0b10);
    d.set_levels(0);
    assert_eq!(rig.read(&mut d, claim_at(S0), 4), 1);
}

#[test]
fn completion_by_a_context_without_the_source_is_ignored() {
    let (mut d, mut rig) = plic();
    d.set_levels(0b10);
    assert_eq!(rig.read(&mut d, claim_at(S0), 4), 1);
    rig.write(&mut d, claim_at(S1), 4, 1);
    assert!(!d.eip(S0));
    rig.write(&mut d, claim_at(S0), 4, 1000);
    assert!(!d.eip(S0));
    rig.write(&mut d, claim_at(S0), 4, 1);
    assert!(d.eip(S0));
}

#[test]
fn completion_of_a_request_that_was_not_claimed_is_ignored() {
    let (mut d, mut rig) = plic();
    d.set_levels(0b10);
    d.set_levels(0);
    rig.write(&mut d, claim_at(S0), 4, 1);
    assert_eq!(rig.read(&mut d, claim_at(S0), 4), 1);
    d.set_levels(0b10);
    assert!(!d.eip(S0), "in service");
}

#[test]
fn source_zero_and_sources_beyond_95_do_not_exist() {
    let (mut d, mut rig) = (Plic::new(1), Rig::new());
    for w in 0..4 {
        rig.write(&mut d, 0x2000 + 4 * w, 4, 0xffff_ffff);
    }
    let words: Vec<u64> = (0..5).map(|w| rig.read(&mut d, 0x2000 + 4 * w, 4)).collect();
    assert_eq!(words, [0xffff_fffe, 0xffff_ffff, 0xffff_ffff, 0, 0]);
    rig.write(&mut d, 0, 4, 7);
    assert_eq!(rig.read(&mut d, 0, 4), 0);
    rig.write(&mut d, 4 * 95, 4, 0xff);
    assert_eq!(rig.read(&mut d, 4 * 95, 4), 7, "three priority bits");
    d.set_levels(u128::MAX);
    assert_eq!(rig.read(&mut d, claim_at(M0), 4), 95);
}

proptest! {
    /// Each request is served once by one context, whoever claims.
    #[test]
    fn no_request_is_lost_or_served_twice(levels in any::<u128>(), order in prop::collection::vec(0..4usize, 200)) {
        let (mut d, mut rig) = (Plic::new(2), Rig::new());
        for s in 1..96 {
            rig.write(&mut d, 4 * s, 4, 1 + s % 7);
        }
        for ctx in 0..4 {
            for w in 0..3 {
                rig.write(&mut d, 0x2000 + 0x80 * ctx + 4 * w, 4, 0xffff_ffff);
            }
        }
        d.set_levels(levels);
        let mut served = 0u128;
        for ctx in order {
            let s = rig.read(&mut d, claim_at(ctx), 4);
            prop_assert!(s == 0 || served >> s & 1 == 0, "source {} twice", s);
            served |= u128::from(s != 0) << s;
        }
        prop_assert_eq!(served, levels & ((1 << 96) - 1) & !1);
    }
}
