//! Global software events on a machine divided into domains (policy `domains`).
#![allow(clippy::expect_used)] // tests

mod common;

use common::sse::*;
use common::*;
use emu_core::dev::reri::Signal;
use emu_core::dev::state::{Restorer, Saver};
use emu_core::firmware::Firmware;
use sbi_model::domain::{Boot, Domain, Region};
use sbi_model::sse::{attr, id};

const FAILED: i64 = -1;
const INVALID_STATE: i64 = -10;

/// Harts 0 and 3 are the root domain's, 1 and 2 another's, which boots on 2.
fn divided(profile: &str) -> Rig {
    let boot = Some(Boot { hart: 2, entry: ENTRY, arg: 0 });
    let safe = Domain { name: "safe".into(), harts: vec![1, 2], regions: vec![Region::WHOLE], boot, may_reset: true };
    let mut rig = Rig::of(4, "max", sbi_model::Config { domains: vec![safe], ..config(profile) });
    for (by, hart) in [(0, 3), (2, 1)] {
        assert_eq!(rig.call(by, HSM, 0, &[hart, ENTRY, 0]).0, 0);
    }
    rig
}

fn runs(rig: &Rig, hart: usize, event: u32) -> bool {
    rig.event(hart, event).running_on == hart + 1
}

#[test]
fn each_domain_has_global_events_of_its_own() {
    let mut rig = divided("spec");
    assert_eq!(rig.attr(0, GLOBAL, attr::PREFERRED_HART), Ok(0));
    assert_eq!(rig.attr(1, GLOBAL, attr::PREFERRED_HART), Ok(2), "the hart that boots the domain");
    rig.arm(0, GLOBAL);
    // What one domain does the other neither sees nor undoes.
    let id = u64::from(GLOBAL);
    assert_eq!(rig.status(1, GLOBAL) & 3, 0);
    assert_eq!(rig.sse(2, DISABLE, &[id]), INVALID_STATE);
    rig.arm(2, GLOBAL);
    assert_eq!(rig.set_attr(1, GLOBAL, attr::PRIORITY, 7), INVALID_STATE);
    assert_eq!(rig.sse(1, DISABLE, &[id]), 0);
    assert_eq!(rig.set_attr(1, GLOBAL, attr::PRIORITY, 7), 0);
    assert_eq!((rig.attr(2, GLOBAL, attr::PRIORITY), rig.attr(3, GLOBAL, attr::PRIORITY)), (Ok(7), Ok(0)));
    assert_eq!((rig.status(1, GLOBAL) & 3, rig.status(3, GLOBAL) & 3), (1, 2));
}

#[test]
fn a_global_event_is_taken_in_the_domain_that_injects_it() {
    let mut rig = divided("spec");
    for hart in [0, 2] {
        rig.arm(hart, GLOBAL);
    }
    // The root domain's only ready hart is not the first ready one of the machine.
    for hart in [1, 2, 3] {
        assert_eq!(rig.sse(hart, UNMASK, &[]), 0);
    }
    assert_eq!(rig.sse(0, INJECT, &[u64::from(GLOBAL), 0]), 0);
    for hart in [1, 2, 3] {
        rig.interrupts(hart);
        assert_eq!(runs(&rig, hart, GLOBAL), hart == 3, "hart {hart}");
    }
    assert!(!rig.event(2, GLOBAL).pending());
    rig.sse(1, INJECT, &[u64::from(GLOBAL), 0]);
    rig.interrupts(2);
    assert!(runs(&rig, 2, GLOBAL) && runs(&rig, 3, GLOBAL), "both at once");
    rig.sse(3, COMPLETE, &[]);
    assert!(runs(&rig, 2, GLOBAL) && !runs(&rig, 3, GLOBAL));
}

#[test]
fn an_error_of_the_memory_all_share_is_an_event_in_every_domain() {
    let mut rig = divided("spec");
    for hart in [0, 2] {
        rig.arm(hart, id::GLOBAL_RAS_HIGH);
        rig.sse(hart, UNMASK, &[]);
    }
    rig.with_platform(|fw, p| fw.ras(p, Signal { hart: None, high: true }));
    for hart in [0, 2] {
        rig.interrupts(hart);
        assert!(runs(&rig, hart, id::GLOBAL_RAS_HIGH), "hart {hart}");
    }
}

#[test]
fn the_state_of_every_domains_events_is_saved() {
    let mut rig = divided("spec");
    let save = |rig: &mut Rig| {
        let mut all = Saver::default();
        Firmware::state(&mut rig.fw, &mut all);
        all.0
    };
    let before = save(&mut rig);
    rig.arm(2, GLOBAL);
    let after = save(&mut rig);
    assert_ne!(after, before);
    let mut other = divided("spec");
    Firmware::state(&mut other.fw, &mut Restorer::new(&after));
    assert_eq!((other.event(1, GLOBAL), other.event(3, GLOBAL)), (rig.event(1, GLOBAL), rig.event(3, GLOBAL)));
}

/// OpenSBI has one set of global events. The caller's domain limits its IPIs, so a signal for another domain's hart fails half done: it
/// waits in that hart's queue, and the next event for that hart brings it along.
#[test]
fn opensbis_domains_share_global_events_and_cannot_wake_each_others_harts() {
    for (profile, told) in [("opensbi-1.9", FAILED), ("opensbi-1.6", 0)] {
        let mut rig = divided(profile);
        assert_eq!(rig.attr(1, GLOBAL, attr::PREFERRED_HART), Ok(0), "{profile}");
        rig.arm(0, GLOBAL);
        rig.arm(0, LOCAL);
        rig.sse(0, UNMASK, &[]);
        let id = u64::from(GLOBAL);
        assert_eq!(rig.sse(1, REGISTER, &[id, HANDLER, 0]), INVALID_STATE, "{profile}: the root domain has it");
        assert_eq!(rig.sse(1, INJECT, &[id, 1]), told, "{profile}");
        rig.interrupts(0);
        assert!(!runs(&rig, 0, GLOBAL), "{profile}");
        // Another hart of the root domain signals an event of lower priority.
        assert_eq!(rig.sse(3, INJECT, &[u64::from(LOCAL), 0]), 0);
        assert_eq!(rig.set_attr(3, GLOBAL, attr::PREFERRED_HART, 3), INVALID_STATE);
        rig.interrupts(0);
        assert!(runs(&rig, 0, LOCAL), "{profile}: the local event goes first, by its id");
        assert!(rig.event(0, GLOBAL).pending(), "{profile}: the signal that failed is there too");
        // Any domain may take the event away.
        assert_eq!(rig.sse(2, DISABLE, &[id]), 0, "{profile}");
        assert_eq!(rig.set_attr(2, GLOBAL, attr::PREFERRED_HART, 0), INVALID_PARAM, "{profile}: no hart of its own");
        assert_eq!(rig.set_attr(2, GLOBAL, attr::PREFERRED_HART, 1), 0, "{profile}");
    }
}
