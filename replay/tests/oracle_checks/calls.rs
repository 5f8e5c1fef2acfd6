//! What calls change and answer: E8, E12, E13, E19.

use sbi_model::bug::BugId;

use crate::common::*;
use crate::*;

/// The checks.
pub fn checks() -> Vec<Check> {
    let reads = |says, tamper: At, run| check("E8", says, after(tamper), run);
    let mut list = vec![
        check(
            "E8",
            "PRIORITY must be refused while ENABLED or RUNNING, is written",
            before(|p, h| forget(p, h, WRITE)),
            |r, _| {
                r.arm(0, LOCAL);
                r.set(0, LOCAL, 1, 5);
            },
        ),
        check(
            "E8",
            "PREFERRED_HART must be refused while ENABLED or RUNNING, is written",
            before(|p, h| forget(p, h, WRITE)),
            |r, _| {
                r.arm(0, GLOBAL);
                r.set(0, GLOBAL, 3, 0);
            },
        ),
        reads("STATUS must be zeros in reserved bits, is 0x10", |p, h| read_as(p, h, 16), |r, _| _ = r.get(0, LOCAL, 0)),
        reads(
            "PRIORITY must be zeros in reserved bits, is 0x100000000",
            |p, h| read_as(p, h, 1 << 32),
            |r, _| _ = r.get(0, LOCAL, 1),
        ),
        reads("CONFIG must be zeros in reserved bits, is 0x2", |p, h| read_as(p, h, 2), |r, _| _ = r.get(0, LOCAL, 2)),
        reads(
            "INTERRUPTED_FLAGS must be zeros in reserved bits, is 0x40",
            |p, h| read_as(p, h, 64),
            |r, _| _ = r.get(0, LOCAL, 7),
        ),
        reads(
            "PRIORITY must be 0x5, is 0x3",
            |p, h| read_as(p, h, 3),
            |r, _| {
                assert_eq!(r.set(0, LOCAL, 1, 5), 0);
                r.get(0, LOCAL, 1);
            },
        ),
        reads("CONFIG must be 0x0, is 0x1", |p, h| read_as(p, h, 1), |r, _| _ = r.get(0, LOCAL, 2)),
        reads("PREFERRED_HART must be 0x0, is 0x1", |p, h| read_as(p, h, 1), |r, _| _ = r.get(0, LOCAL, 3)),
        reads(
            "ENTRY_PC must be 0x801105e8, is 0x1",
            |p, h| read_as(p, h, 1),
            |r, _| {
                r.register(0, LOCAL);
                r.get(0, LOCAL, 4);
            },
        ),
        reads(
            "ENTRY_ARG must be 0xffff00a0, is 0x1",
            |p, h| read_as(p, h, 1),
            |r, _| {
                r.register(0, LOCAL);
                r.get(0, LOCAL, 5);
            },
        ),
    ];
    let state = |says, tamper: At, run| check("E12", says, before(tamper), run);
    list.extend([
        state(
            "state must be UNUSED, is REGISTERED",
            |p, h| forget(p, h, REGISTER),
            |r, _| (0..2).for_each(|_| _ = r.register(0, LOCAL)),
        ),
        state(
            "state must be REGISTERED, is UNUSED",
            |p, h| forget(p, h, UNREGISTER),
            |r, _| _ = r.sse(0, UNREGISTER, &[LOCAL.into()]),
        ),
        state(
            "state must be REGISTERED, is ENABLED",
            |p, h| forget(p, h, ENABLE),
            |r, _| {
                assert_eq!(r.register(0, LOCAL), 0);
                (0..2).for_each(|_| _ = r.sse(0, ENABLE, &[LOCAL.into()]));
            },
        ),
        state(
            "state must be ENABLED, is REGISTERED",
            |p, h| forget(p, h, DISABLE),
            |r, _| {
                assert_eq!(r.register(0, LOCAL), 0);
                r.sse(0, DISABLE, &[LOCAL.into()]);
            },
        ),
        state(
            "STATUS.state must be REGISTERED, is ENABLED",
            |p, h| forget(p, h, DISABLE),
            |r, _| {
                r.arm(0, LOCAL);
                r.sse(0, DISABLE, &[LOCAL.into()]);
                r.get(0, LOCAL, 0);
            },
        ),
        state(
            "state must be ENABLED at delivery, is REGISTERED",
            |p, h| forget(p, h, DISABLE),
            |r, _| {
                r.arm(0, LOCAL);
                r.sse(0, UNMASK, &[]);
                r.sse(0, DISABLE, &[LOCAL.into()]);
                r.sse(0, INJECT, &[LOCAL.into(), 0]);
            },
        ),
        state(
            "pc must be that of the interrupted context, is after the call",
            |p, h| forget(p, h, COMPLETE),
            |r, _| {
                r.in_handler(LOCAL);
                r.exec(0, &[NOP]);
                let h = &mut r.machine.harts_mut()[0];
                (h.x[16], h.x[17], h.pc) = (COMPLETE, SSE, CODE + 0x8000);
                r.store(CODE + 0x8000, &[0x73, NOP, NOP]);
                r.steps(0, 2);
            },
        ),
        check("E12", "pending must be 1 at delivery, is 0", after(|p, h| again(p, h, LOCAL)), |r, _| {
            r.arm(0, LOCAL);
            (0..2).for_each(|_| _ = r.sse(0, UNMASK, &[]));
        }),
        check(
            "E12",
            "source must be on before its event is announced, is off",
            On { bug: Some(BugId::EnableAfterIpi), ..HEALTHY },
            |r, _| {
                r.arm(0, GLOBAL);
                r.sse(0, INJECT, &[GLOBAL.into(), 0]);
                r.sse(0, DISABLE, &[GLOBAL.into()]);
                r.sse(0, ENABLE, &[GLOBAL.into()]);
            },
        ),
    ]);
    list.extend(errors());
    list
}

/// E13: every call gets the error -9, which none may.
fn errors() -> Vec<Check> {
    let answer: At = |p, h| {
        let hart = &mut p.harts[h];
        if hart.pc == CALL + 4 && hart.x[17] == SSE && hart.x[5] == 77 {
            hart.x[10] = -9i64 as u64;
        }
    };
    let refused = |says, run| check("E13", says, after(answer), run);
    fn ask(r: &mut Rig, fid: u64, args: &[u64]) {
        r.machine.harts_mut()[0].x[5] = 77;
        r.sse(0, fid, args);
        r.machine.harts_mut()[0].x[5] = 0;
    }
    fn put(r: &mut Rig, event: u32, attribute: u64, value: u64) {
        r.put(BUFFER, value);
        ask(r, WRITE, &[event.into(), attribute, 1, BUFFER, 0]);
    }
    const EVENT: u64 = LOCAL as u64;
    vec![
        refused("error of function 0 must be success, is NO_SHMEM", |r, _| ask(r, READ, &[EVENT, 0, 1, BUFFER, 0])),
        refused("error of function 0 must be INVALID_PARAM, is NO_SHMEM", |r, _| ask(r, READ, &[EVENT, 0, 0, BUFFER, 0])),
        refused("error of function 0 must be BAD_RANGE, is NO_SHMEM", |r, _| ask(r, READ, &[EVENT, 9, 2, BUFFER, 0])),
        refused("error of function 0 must be INVALID_ADDRESS, is NO_SHMEM", |r, _| ask(r, READ, &[EVENT, 0, 1, BUFFER + 4, 0])),
        refused("error of function 0 must be INVALID_PARAM, is NO_SHMEM", |r, _| ask(r, READ, &[3, 0, 1, BUFFER, 0])),
        refused("error of function 1 must be DENIED, is NO_SHMEM", |r, _| put(r, LOCAL, 0, 0)),
        refused("error of function 1 must be DENIED, is NO_SHMEM", |r, _| put(r, LOCAL, 3, 0)),
        refused("error of function 1 must be INVALID_PARAM, is NO_SHMEM", |r, _| put(r, LOCAL, 1, 1 << 32)),
        refused("error of function 1 must be INVALID_PARAM, is NO_SHMEM", |r, _| put(r, LOCAL, 2, 2)),
        refused("error of function 1 must be INVALID_PARAM, is NO_SHMEM", |r, _| put(r, GLOBAL, 3, 9)),
        refused("error of function 1 must be INVALID_STATE, is NO_SHMEM", |r, _| put(r, LOCAL, 6, 0)),
        refused("error of function 1 must be INVALID_STATE, is NO_SHMEM", |r, _| {
            r.arm(0, LOCAL);
            put(r, LOCAL, 1, 0);
        }),
        refused("error of function 1 must be INVALID_STATE, is NO_SHMEM", |r, _| {
            r.arm(0, LOCAL);
            put(r, LOCAL, 2, 0);
        }),
        refused("error of function 1 must be INVALID_STATE, is NO_SHMEM", |r, _| {
            r.arm(0, GLOBAL);
            put(r, GLOBAL, 3, 0);
        }),
        refused("error of function 1 must be INVALID_PARAM, is NO_SHMEM", |r, _| {
            r.in_handler(LOCAL);
            put(r, LOCAL, 7, 64);
        }),
        check("E13", "error of function 1 must be INVALID_PARAM or INVALID_STATE, is NO_SHMEM", two(after(answer)), |r, _| {
            r.in_handler(GLOBAL);
            // On the other hart, which does not run it.
            r.machine.harts_mut()[1].x[5] = 77;
            r.put(BUFFER, 1);
            r.sse(1, WRITE, &[GLOBAL.into(), 8, 1, BUFFER, 0]);
        }),
        refused("error of function 2 must be INVALID_PARAM, is NO_SHMEM", |r, _| ask(r, REGISTER, &[EVENT, HANDLER + 1, 0])),
        refused("error of function 2 must be INVALID_STATE, is NO_SHMEM", |r, _| {
            r.register(0, LOCAL);
            ask(r, REGISTER, &[EVENT, HANDLER, 0]);
        }),
        refused("error of function 3 must be INVALID_STATE, is NO_SHMEM", |r, _| ask(r, UNREGISTER, &[EVENT])),
        refused("error of function 4 must be INVALID_STATE, is NO_SHMEM", |r, _| ask(r, ENABLE, &[EVENT])),
        refused("error of function 5 must be INVALID_STATE, is NO_SHMEM", |r, _| {
            r.register(0, LOCAL);
            ask(r, DISABLE, &[EVENT]);
        }),
        refused("error of function 6 must be success, is NO_SHMEM", |r, _| ask(r, COMPLETE, &[])),
        refused("error of function 7 must be INVALID_PARAM, is NO_SHMEM", |r, _| ask(r, INJECT, &[EVENT, 9])),
        refused("error of function 7 must be success, is NO_SHMEM", |r, _| {
            r.arm(0, LOCAL);
            ask(r, INJECT, &[EVENT, 0]);
        }),
        refused("error of function 8 must be ALREADY_STARTED, is NO_SHMEM", |r, _| {
            r.sse(0, UNMASK, &[]);
            ask(r, UNMASK, &[]);
        }),
        refused("error of function 8 must be success, is NO_SHMEM", |r, _| ask(r, UNMASK, &[])),
        refused("error of function 9 must be ALREADY_STOPPED, is NO_SHMEM", |r, _| ask(r, MASK, &[])),
        refused("error of function 10 must be NOT_SUPPORTED, is NO_SHMEM", |r, _| ask(r, 10, &[])),
    ]
}
