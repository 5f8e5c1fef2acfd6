//! Where events come from, and harts that sleep and stop: E10, E11, E15.

use emu_core::firmware::Platform;
use sbi_model::bug::BugId;

use crate::common::*;
use crate::*;

/// The checks.
pub fn checks() -> Vec<Check> {
    let answered = |says, tamper: At, run| check("E10", says, after(tamper), run);
    let resumed = |says, tamper: At| {
        check("E15", says, after(tamper), |r, _| {
            r.arm(0, PMU);
            let h = &mut r.machine.harts_mut()[0].csr;
            h.mie |= 2;
            r.pend(0, 2);
            r.call(0, HSM, 3, &[0x8000_0000, CALL + 4, 0]);
            r.steps(0, 4);
        })
    };
    // A hart that resumes is at the place it gave, which is also where calls return to.
    fn awake<'a>(p: &'a mut Platform<'_>, h: usize) -> Option<&'a mut emu_csr::Csrs> {
        let hart = &mut p.harts[h];
        (hart.pc == CALL + 4 && (hart.x[16], hart.x[17]) == (3, HSM)).then_some(&mut hart.csr)
    }
    vec![
        answered(
            "mie.LCOFIE must be 0 while the event is not enabled, is 1",
            when!(is(REGISTER), h => h.csr.mie |= LCOFI),
            |r, _| {
                r.register(0, PMU);
            },
        ),
        answered(
            "counter-overflow interrupt must be not M-mode's before the event is enabled, is taken",
            when!(is(REGISTER), h => h.csr.mie |= LCOFI),
            |r, _| {
                r.register(0, PMU);
                let on = r.machine.harts()[0].csr.mie & LCOFI;
                r.pend(0, on);
                r.steps(0, 2);
            },
        ),
        answered(
            "mideleg.LCOFI must be 0 while the event is registered, is 1",
            when!(is(REGISTER), h => h.csr.mideleg |= LCOFI),
            |r, _| {
                r.register(0, PMU);
            },
        ),
        answered(
            "mideleg.LCOFI must be 1 while the event is UNUSED, is 0",
            when!(is(UNREGISTER), h => h.csr.mideleg &= !LCOFI),
            |r, _| {
                // Another event keeps the oracles at work.
                r.register(0, LOCAL);
                r.register(0, PMU);
                r.sse(0, UNREGISTER, &[PMU.into()]);
            },
        ),
        answered(
            "mie.LCOFIE must be 1 while the event is ENABLED and not pending, is 0",
            when!(is(ENABLE), h => h.csr.mie &= !LCOFI),
            |r, _| {
                r.arm(0, PMU);
            },
        ),
        answered(
            "mip.LCOFIP must be 1: an overflow that waits, is 0",
            |p, h| {
                if is(p, h, ENABLE) {
                    let (csr, now) = (&mut p.harts[h].csr, Default::default());
                    csr.poke(emu_csr::table::MIP, csr.mip & !LCOFI, &now);
                }
            },
            |r, _| {
                r.register(0, PMU);
                r.pend(0, LCOFI);
                r.sse(0, ENABLE, &[PMU.into()]);
            },
        ),
        check(
            "E11",
            "instret must be an instruction between two double traps, is none",
            On { bug: Some(BugId::DoubleTrapRetry), ..all(HEALTHY) },
            |r, _| {
                r.arm(0, 1);
                double_trap(r);
            },
        ),
        check(
            "E11",
            "pc must be the handler of the double trap's event, is 0x80130004",
            all(before(|p, h| {
                let hart = &mut p.harts[h];
                if hart.csr.mcause == 16 {
                    (hart.csr.mcause, hart.x[16], hart.x[17]) = (9, 0, 0x10);
                }
            })),
            |r, _| {
                r.arm(0, 1);
                r.sse(0, UNMASK, &[]);
                double_trap(r);
            },
        ),
        check(
            "E11",
            "pc must be the handler of the double trap's event, is ",
            On { bug: Some(BugId::DoubleTrapPanic), ..all(HEALTHY) },
            |r, _| {
                r.arm(0, 1);
                r.sse(0, UNMASK, &[]);
                double_trap(r);
            },
        ),
        resumed("mideleg must be 0x", |p, h| {
            if let Some(c) = awake(p, h) {
                c.mideleg ^= 2
            }
        }),
        resumed("mie.LCOFIE must be 0x2000, is 0x0", |p, h| {
            if let Some(c) = awake(p, h) {
                c.mie &= !LCOFI
            }
        }),
        resumed("mcountinhibit must be 0xfffffff8, is 0xfffffffc", |p, h| {
            if let Some(c) = awake(p, h) {
                c.mcountinhibit |= 4
            }
        }),
        check(
            "E15",
            "STATUS.state must be not RUNNING: its hart has stopped, is RUNNING",
            two(after(|p, h| read_as(p, h, 3))),
            |r, _| {
                r.set(0, GLOBAL, 3, 1);
                r.arm(1, GLOBAL);
                r.sse(1, UNMASK, &[]);
                r.sse(1, INJECT, &[GLOBAL.into(), 0]);
                // hart_stop.
                r.call(1, HSM, 1, &[]);
                r.get(0, GLOBAL, 0);
            },
        ),
    ]
}

/// A trap of HS-mode while sstatus.SDT is set.
fn double_trap(r: &mut Rig) {
    let h = &mut r.machine.harts_mut()[0];
    h.csr.menvcfg |= 1 << 59;
    h.csr.mstatus |= SDT;
    h.pc = CODE;
    r.store(CODE, &[EBREAK]);
    r.steps(0, 3);
}
