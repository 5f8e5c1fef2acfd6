//! Random calls from several harts, with what must hold after each: the handler's context, priorities, masks, immutable attributes, no lost
//! signal; and the same with operations of several harts interleaved step by step.

mod common;

use common::sse::*;
use common::*;
use emu_core::firmware::FwStep;
use emu_core::hart::Wait;
use emu_csr::Mode;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use sbi_model::Config;
use sbi_model::bug::BugId;
use sbi_model::sse::{Event, Place, attr, candidate, flag, id, status};

const HARTS: usize = 3;
const EVENTS: [u32; 6] = [LOCAL, GLOBAL, PLAT_LOCAL, PLAT_GLOBAL, id::PMU_OVERFLOW, id::GLOBAL_RAS_HIGH];

#[derive(Clone, Debug)]
enum Act {
    /// A function with an event and two more arguments; buffers are set up for attribute calls.
    Call { hart: usize, fid: u64, event: u64, a: u64, b: u64 },
    /// What is set in an attribute.
    Set { hart: usize, event: u32, attr: usize, value: u64 },
    /// A signal from outside.
    Raise { hart: usize, event: u32 },
    /// The hart takes its interrupts.
    Interrupts { hart: usize },
    /// It goes on in another context, if no handler runs on it.
    Context { hart: usize, mode: Mode, bits: u8 },
    /// It stops, and hart 0 starts it again.
    Restart { hart: usize },
}

fn event() -> impl Strategy<Value = u64> {
    prop_oneof![9 => prop::sample::select(EVENTS.to_vec()).prop_map(u64::from), 1 => any::<u64>()]
}

fn value() -> impl Strategy<Value = u64> {
    prop_oneof![0..4u64, any::<u64>(), (0..64u64).prop_map(|i| 1 << i)]
}

fn mode() -> impl Strategy<Value = Mode> {
    prop::sample::select(vec![Mode::U, Mode::HS, Mode::VU, Mode::VS])
}

fn act() -> impl Strategy<Value = Act> {
    let hart = 0..HARTS;
    let known = prop::sample::select(EVENTS.to_vec());
    prop_oneof![
        8 => (hart.clone(), 0..11u64, event(), value(), value()).prop_map(|(hart, fid, event, a, b)| Act::Call { hart, fid, event, a, b }),
        4 => (hart.clone(), prop::sample::select(vec![ENABLE, INJECT, COMPLETE, UNMASK, REGISTER]), event(), 0..4u64)
            .prop_map(|(hart, fid, event, a)| Act::Call { hart, fid, event, a: if fid == REGISTER { HANDLER } else { a }, b: 0 }),
        3 => (hart.clone(), known.clone(), 0..10usize, value()).prop_map(|(hart, event, attr, value)| Act::Set { hart, event, attr, value }),
        2 => (hart.clone(), known).prop_map(|(hart, event)| Act::Raise { hart, event }),
        3 => hart.clone().prop_map(|hart| Act::Interrupts { hart }),
        2 => (hart.clone(), mode(), any::<u8>()).prop_map(|(hart, mode, bits)| Act::Context { hart, mode, bits }),
        1 => (1..HARTS).prop_map(|hart| Act::Restart { hart }),
    ]
}

fn places() -> impl Iterator<Item = (usize, u32)> {
    (0..HARTS).flat_map(|h| EVENTS.into_iter().filter(move |&e| h == 0 || !id::is_global(e)).map(move |e| (h, e)))
}

fn events(rig: &Rig) -> Vec<Event> {
    places().filter_map(|(h, e)| find(rig, h, e).map(|p| rig.fw.state().sse.at(p).clone())).collect()
}

fn find(rig: &Rig, hart: usize, event: u32) -> Option<Place> {
    rig.fw.state().sse.find(rig.fw.rules(), hart, event).ok()
}

/// What must hold between one act on `hart` and the next.
fn check(before: &[Event], after: &[Event], rig: &Rig, restarted: bool) -> Result<(), TestCaseError> {
    for (b, a) in before.iter().zip(after) {
        // Only these bits exist, and the event stays injectable.
        prop_assert_eq!(a.attrs[attr::STATUS] & !7, status::INJECTABLE);
        prop_assert!(a.attrs[attr::FLAGS] & !flag::ALL == 0 && a.attrs[attr::CONFIG] < 2 && a.attrs[attr::PRIORITY] < 1 << 32);
        // A handler runs exactly while the event is RUNNING.
        prop_assert_eq!(a.running_on != 0, a.state() == status::RUNNING);
        if restarted {
            continue;
        }
        // E8: settings stay from ENABLED on.
        if b.state() >= status::ENABLED && a.state() >= status::ENABLED {
            prop_assert_eq!(&b.attrs[1..6], &a.attrs[1..6]);
        }
        // E3: the interrupted state is set by delivery and by its handler only.
        if b.state() != status::RUNNING && a.state() != status::RUNNING {
            prop_assert_eq!(&b.attrs[6..], &a.attrs[6..]);
        }
        // E12: one edge of the state machine at a time, but for complete with one-shot, and delivery behind enable.
        let edge = (b.state(), a.state());
        let legal = [(0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (3, 2), (3, 1), (1, 3)];
        prop_assert!(edge.0 == edge.1 || legal.contains(&edge), "{:#x}: {:?}", a.id, edge);
    }
    // E7: what runs on a hart is a stack, and nothing that could be delivered has a higher priority than its top.
    for hart in 0..HARTS {
        prop_assert!(rig.harts[hart].mode != Mode::M || rig.harts[hart].wait == Wait::Held, "firmware leaves M-mode");
    }
    Ok(())
}

/// The oracle of delivery: which event an act has delivered to a hart, if any.
fn delivered<'a>(before: &[Event], after: &'a [Event], hart: usize) -> Vec<&'a Event> {
    let new = |b: &Event, a: &Event| a.running_on == hart + 1 && b.running_on != hart + 1;
    before.iter().zip(after).filter(|(b, a)| new(b, a)).map(|(_, a)| a).collect()
}

/// E2: the handler's registers, from the context `x` that the trap had saved.
fn entered(e: &Event, rig: &Rig, hart: usize, x: &Context, spec: bool) -> Result<(), TestCaseError> {
    let h = Context::of(&rig.harts[hart]);
    prop_assert_eq!((h.pc, h.mode, h.a6, h.a7), (e.attrs[attr::ENTRY_PC], Mode::HS, hart as u64, e.attrs[attr::ENTRY_ARG]));
    prop_assert_eq!((h.spp, h.spie, h.sie, h.sepc), (x.mode.level() == 1, x.sie, false, x.pc));
    if spec {
        prop_assert_eq!(h.spv, x.mode.virt());
        prop_assert_eq!(h.spvp, if h.spv { h.spp } else { x.spvp });
    }
    let bit = |on: bool, f: u64| if on { f } else { 0 };
    let flags = bit(x.spp, flag::SPP) | bit(x.spie, flag::SPIE) | bit(x.spv, flag::SPV) | bit(x.spvp, flag::SPVP);
    prop_assert_eq!(&e.attrs[6..], &[x.sepc, flags, x.a6, x.a7]);
    Ok(())
}

fn run(config: Config, acts: Vec<Act>) -> Result<(), TestCaseError> {
    let spec = config.profile.name == "spec";
    let mut rig = Rig::running(HARTS as u64, config);
    for act in acts {
        let before = events(&rig);
        let masked: Vec<bool> = rig.fw.state().sse.harts.iter().map(|h| h.masked).collect();
        let mut restarted = false;
        let hart = match act {
            Act::Call { hart, .. } | Act::Set { hart, .. } | Act::Interrupts { hart } | Act::Raise { hart, .. } => hart,
            Act::Context { hart, .. } | Act::Restart { hart } => hart,
        };
        let handling = before.iter().any(|e| e.running_on == hart + 1);
        let mut context = Context::of(&rig.harts[hart]);
        let (mut fid, mut entered_m) = (None, false);
        match act {
            Act::Context { mode, bits, .. } => {
                if !handling {
                    let bit = |i: u8| bits >> i & 1 != 0;
                    let c = Context {
                        mode,
                        sie: bit(0),
                        spie: bit(1),
                        spp: bit(2),
                        spv: bit(3),
                        spvp: bit(4),
                        gva: bit(5),
                        sepc: u64::from(bits) << 4,
                        ..context
                    };
                    c.put(&mut rig.harts[hart]);
                }
                continue;
            }
            Act::Call { event, a, b, fid: f, .. } => {
                if rig.harts[hart].mode != Mode::HS {
                    continue;
                }
                fid = Some(f);
                let args = if f < 2 { [event, a, b, BUFFER, 0] } else { [event, a, b, 0, 0] };
                context = Context { pc: rig.harts[hart].pc.wrapping_add(4), a6: f, a7: SSE, ..context };
                if let FwStep::Fatal(_) = rig.step_call(hart, SSE, f, &args) {
                    prop_assert!(!spec, "the firmware stops");
                    return Ok(());
                }
            }
            Act::Set { event, attr, value, .. } => {
                if rig.harts[hart].mode != Mode::HS {
                    continue;
                }
                fid = Some(WRITE);
                context = Context { pc: rig.harts[hart].pc.wrapping_add(4), a6: WRITE, a7: SSE, ..context };
                rig.bus.ram.write(BUFFER, 8, value, &mut Vec::new());
                rig.step_call(hart, SSE, WRITE, &[u64::from(event), attr as u64, 1, BUFFER, 0]);
            }
            Act::Raise { event, .. } => {
                let pending = find(&rig, hart, event).is_some() && rig.signal(hart, event).is_ok();
                // E5: a signal that is accepted is pending.
                prop_assert!(!pending || rig.event(hart, event).pending());
            }
            Act::Interrupts { .. } => {
                entered_m = rig.interrupts(hart) != FwStep::Done { cost: 0 };
            }
            Act::Restart { .. } => {
                if handling || rig.harts[hart].mode != Mode::HS {
                    continue;
                }
                restarted = true;
                rig.step_call(hart, HSM, 1, &[]);
                let keep = Context::of(&rig.harts[0]);
                rig.harts[0].set_mode(Mode::HS);
                let inside = events(&rig);
                rig.step_call(0, HSM, 0, &[hart as u64, ENTRY, 0]);
                if delivered(&inside, &events(&rig), 0).is_empty() {
                    keep.put(&mut rig.harts[0]);
                } else {
                    return Ok(());
                }
            }
        }
        let after = events(&rig);
        check(&before, &after, &rig, restarted)?;
        let new = delivered(&before, &after, hart);
        prop_assert!(new.len() <= 1, "one delivery a trap");
        for e in new {
            // E4: not on a masked hart. E14: not twice.
            prop_assert!(!masked[hart] || fid == Some(UNMASK));
            if fid != Some(COMPLETE) {
                entered(e, &rig, hart, &context, spec)?;
            }
            // E7: of what could be delivered it is the highest, and higher than what it interrupts.
            let rest = after.iter().filter(|o| o.id != e.id && o.running_on == hart + 1);
            prop_assert!(rest.into_iter().all(|o| e.key() < o.key()), "{:#x} interrupts a higher priority", e.id);
        }
        // E5: nothing that this hart could take stays pending when it has left M-mode.
        if fid.is_some() || entered_m {
            prop_assert_eq!(candidate(rig.fw.rules(), rig.fw.state(), hart), None);
        }
    }
    // E5 at rest: once every hart has taken its interrupts, nothing is left that one of them could take.
    for hart in 0..HARTS {
        rig.interrupts(hart);
    }
    if spec {
        for hart in 0..HARTS {
            prop_assert_eq!(candidate(rig.fw.rules(), rig.fw.state(), hart), None, "hart {}", hart);
        }
    }
    Ok(())
}

/// Each of these defects violates an oracle within a few random runs; so the oracles are not silent because nothing happens.
#[test]
fn the_oracles_fire() {
    for bug in [BugId::StatusBits, BugId::A6A7Swapped, BugId::NoMask, BugId::SpvNotCleared, BugId::ExitLock, BugId::SelfIpi] {
        let mut runner = TestRunner::new_with_rng(
            ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() },
            TestRng::deterministic_rng(RngAlgorithm::ChaCha),
        );
        let found = runner.run(&prop::collection::vec(act(), 1..80), |acts| run(with_bug("spec", bug), acts));
        assert!(found.is_err(), "{bug:?} is not found");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_oracles_hold_for_spec(acts in prop::collection::vec(act(), 1..80)) {
        run(config("spec"), acts)?;
    }

    #[test]
    fn the_oracles_hold_for_opensbi(acts in prop::collection::vec(act(), 1..80)) {
        run(config("opensbi-1.9"), acts)?;
    }

    #[test]
    fn the_oracles_hold_for_private_resume(acts in prop::collection::vec(act(), 1..80)) {
        run(config("private-resume"), acts)?;
    }

    /// Operations of all harts at once, in any order of their steps: each comes to its end, and no lock is left behind.
    #[test]
    fn interleaved_operations_end(
        acts in prop::collection::vec((0..HARTS, 0..10u64, prop::sample::select(vec![LOCAL, GLOBAL, PLAT_GLOBAL]), 0..3u64), 1..40),
        order in prop::collection::vec(0..HARTS, 0..200),
        spec in any::<bool>(),
    ) {
        let mut rig = Rig::running(HARTS as u64, config(if spec { "spec" } else { "opensbi-1.9" }));
        let mut busy = [false; HARTS];
        let mut order = order.into_iter();
        let mut acts = acts.into_iter();
        let mut idle = 0;
        while idle < HARTS * 100 {
            let hart = order.next().unwrap_or(idle % HARTS);
            idle += 1;
            if !busy[hart] {
                let Some((_, fid, event, a)) = acts.next() else { continue };
                rig.begin(hart, fid, &[u64::from(event), if fid == REGISTER { HANDLER } else { a }, 1, BUFFER, 0]);
                (busy[hart], idle) = (true, 0);
                continue;
            }
            match rig.one_step(hart) {
                FwStep::More | FwStep::Spin => {}
                FwStep::Done { .. } => {
                    (busy[hart], idle) = (false, 0);
                    rig.harts[hart].set_mode(Mode::HS);
                }
                FwStep::Fatal(_) => {
                    prop_assert!(!spec);
                    return Ok(());
                }
                FwStep::Request(r) => prop_assert!(false, "{r:?}"),
            }
        }
        prop_assert_eq!(busy, [false; HARTS], "operations without end");
        let sse = &rig.fw.state().sse;
        prop_assert!(sse.global.iter().all(|e| e.lock == 0) && sse.harts.iter().all(|h| h.lock == 0), "a lock is left behind");
    }
}
