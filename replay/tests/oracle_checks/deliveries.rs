//! Whether, where, when and in which order events come: E4 to E7, E14.

use sbi_model::bug::BugId;

use crate::common::*;
use crate::*;

/// The checks.
pub fn checks() -> Vec<Check> {
    let lost = |says, run| check("E5", says, before(|p, h| forget(p, h, INJECT)), run);
    let order = |oracle, says, run| check(oracle, says, before(|p, h| forget(p, h, WRITE)), run);
    vec![
        check("E4", "mask must be clear before a delivery, is set", On { bug: Some(BugId::NoMask), ..HEALTHY }, |r, _| {
            r.arm(0, LOCAL);
            r.sse(0, UNMASK, &[]);
            r.sse(0, MASK, &[]);
            r.sse(0, INJECT, &[LOCAL.into(), 0]);
        }),
        lost("pending must be delivered when the hart could take it, is still waiting after 4 visits", |r, _| {
            r.in_handler(LOCAL);
            (0..5).for_each(|_| _ = r.call(0, 0x10, 0, &[]));
        }),
        lost("STATUS.pending must be 1, is 0", |r, _| {
            r.in_handler(LOCAL);
            r.sse(0, INJECT, &[LOCAL.into(), 0]);
            r.get(0, LOCAL, 0);
        }),
        check("E6", "hart must be 1, is 0", two(before(|p, h| forget(p, h, WRITE))), |r, _| {
            assert_eq!(r.set(0, GLOBAL, 3, 1), 0);
            r.arm(0, GLOBAL);
            r.sse(0, UNMASK, &[]);
            r.sse(1, UNMASK, &[]);
            r.sse(0, INJECT, &[GLOBAL.into(), 0]);
            r.steps(1, 2);
        }),
        check("E6", "PREFERRED_HART must be a hart's id, is 0x9", before(|p, h| forget(p, h, WRITE)), |r, wrong| {
            if wrong || r.word(BUFFER) == 0 {
                r.set(0, GLOBAL, 3, 9);
            }
        }),
        order(
            "E7",
            "priority must be a higher priority than event 0xffff0000 of priority 0, whose handler runs, is event 0x4000 of priority 5",
            |r, _| {
                assert_eq!(r.set(0, PLATFORM, 1, 5), 0);
                r.arm(0, PLATFORM);
                r.in_handler(LOCAL);
                r.sse(0, INJECT, &[PLATFORM.into(), 0]);
            },
        ),
        order("E7", "order must be event 0xffff0000 of priority 0 first, is event 0x4000 of priority 5", |r, _| {
            assert_eq!(r.set(0, PLATFORM, 1, 5), 0);
            r.arm(0, PLATFORM);
            r.arm(0, LOCAL);
            r.sse(0, INJECT, &[PLATFORM.into(), 0]);
            r.sse(0, INJECT, &[LOCAL.into(), 0]);
            r.sse(0, UNMASK, &[]);
        }),
        check("E14", "state must be not RUNNING at delivery, is RUNNING (", after(|p, h| again(p, h, LOCAL)), |r, _| {
            r.in_handler(LOCAL);
            r.sse(0, UNMASK, &[]);
        }),
        check(
            "E14",
            "state must be not RUNNING at delivery, is RUNNING on hart 0",
            two(after(|p, h| again(p, h, GLOBAL))),
            |r, _| {
                r.sse(1, UNMASK, &[]);
                r.in_handler(GLOBAL);
                r.sse(1, UNMASK, &[]);
            },
        ),
    ]
}
