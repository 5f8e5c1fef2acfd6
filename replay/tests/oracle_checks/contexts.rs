//! What is interrupted, what a handler finds, and what comes back: E1, E2, E3, E9.

use emu_csr::{Mode, table};

use crate::common::*;
use crate::*;

/// The checks.
pub fn checks() -> Vec<Check> {
    let entry = |says, tamper: At| check("E2", says, all(after(tamper)), handled);
    let mut list = vec![
        entry("a6 must be 0x0, is 0x9", when!(begun(LOCAL), h => h.x[16] = 9)),
        entry("a7 must be 0xffff00a0, is 0x9", when!(begun(LOCAL), h => h.x[17] = 9)),
        entry("sstatus.SIE must be 0x0, is 0x1", when!(begun(LOCAL), h => h.csr.mstatus |= MSTATUS_SIE)),
        entry("elp must be 0x0, is 0x1", when!(begun(LOCAL), h => h.csr.elp = true)),
        entry("sepc must be 0x80100004, is 0x80100008", when!(begun(LOCAL), h => h.csr.sepc += 4)),
        entry("sstatus.SPP must be 0x1, is 0x0", when!(begun(LOCAL), h => h.csr.mstatus ^= SPP)),
        entry("sstatus.SPIE must be 0x0, is 0x1", when!(begun(LOCAL), h => h.csr.mstatus ^= SPIE)),
        entry("hstatus.SPV must be 0x0, is 0x1", when!(begun(LOCAL), h => h.csr.hstatus ^= SPV)),
        entry("sstatus.SPELP must be 0x0, is 0x1", when!(begun(LOCAL), h => h.csr.mstatus ^= SPELP)),
        check("E2", "sstatus.SDT must be 0x1, is 0x0", all(after(when!(begun(LOCAL), h => h.csr.mstatus ^= SDT))), double_traps),
        entry("x5 must be 0x0, is 0x1", when!(begun(LOCAL), h => h.x[5] ^= 1)),
        entry("f7 must be 0x0, is 0x1", when!(begun(LOCAL), h => h.f[7] ^= 1)),
        entry("hstatus.GVA must be 0x0, is 0x1", when!(begun(LOCAL), h => h.csr.hstatus ^= GVA)),
        entry("vsscratch must be 0x0, is 0x1", when!(begun(LOCAL), h => h.csr.vsscratch ^= 1)),
        check("E2", "hstatus.SPVP must be 0x1, is 0x0", two(after(when!(begun(LOCAL), h => h.csr.hstatus ^= SPVP))), |r, _| {
            guest_interrupted(r)
        }),
    ];
    let resumed = |oracle, says, tamper: At| check(oracle, says, all(after(tamper)), completed);
    list.extend([
        resumed("E1", "x9 must be 0x0, is 0x1", when!(back(), h => h.x[9] ^= 1)),
        resumed("E1", "f9 must be 0x0, is 0x1", when!(back(), h => h.f[9] ^= 1)),
        resumed("E1", "mode must be HS, is U", when!(back(), h => h.mode = Mode::U)),
        resumed("E1", "pc must be 0x80100004, is 0x80100008", when!(back(), h => h.pc += 4)),
        resumed("E1", "elp must be 0x0, is 0x1", when!(back(), h => h.csr.elp = true)),
        resumed("E1", "sstatus.SIE must be 0x0, is 0x1", when!(back(), h => h.csr.mstatus ^= MSTATUS_SIE)),
        resumed("E1", "hstatus.GVA must be 0x0, is 0x1", when!(back(), h => h.csr.hstatus ^= GVA)),
        resumed("E1", "stvec.BASE must be 0x20048000, is 0x20048001", when!(back(), h => h.csr.stvec += 4)),
        resumed("E1", "vsscratch must be 0x0, is 0x1", when!(back(), h => h.csr.vsscratch ^= 1)),
        resumed("E1", "x16 must be 0x7, is 0x9", when!(back(), h => h.x[16] = 9)),
        resumed("E1", "x17 must be 0x535345, is 0x9", when!(back(), h => h.x[17] = 9)),
        // The handler has sent its victim elsewhere, and the firmware knows better.
        check(
            "E1",
            "pc must be 0x80100040, is 0x80100004",
            after(|p, h| {
                if p.harts[h].pc == CALL + 0x40 {
                    p.harts[h].pc = CALL + 4
                }
            }),
            |r, _| {
                r.in_handler(LOCAL);
                r.csrw(0, u32::from(table::SEPC), CALL + 0x40);
                r.sse(0, COMPLETE, &[]);
            },
        ),
        resumed("E3", "a6 must be 0x7, is 0x9", when!(back(), h => h.x[16] = 9)),
        resumed("E3", "a7 must be 0x535345, is 0x9", when!(back(), h => h.x[17] = 9)),
        // What the handler wrote counts.
        check(
            "E3",
            "a6 must be 0x5, is 0x7",
            after(|p, h| {
                if p.harts[h].pc == CALL + 4 && p.harts[h].x[16] == 5 {
                    p.harts[h].x[16] = 7
                }
            }),
            |r, _| {
                r.in_handler(LOCAL);
                assert_eq!(r.set(0, LOCAL, 8, 5), 0);
                r.sse(0, COMPLETE, &[]);
            },
        ),
    ]);
    // What complete makes of the attributes is part of the context, and each is the text's.
    for oracle in ["E1", "E3"] {
        list.extend([
            resumed(oracle, "sepc must be 0x0, is 0x4", when!(back(), h => h.csr.sepc += 4)),
            resumed(oracle, "sstatus.SPP must be 0x0, is 0x1", when!(back(), h => h.csr.mstatus ^= SPP)),
            resumed(oracle, "sstatus.SPIE must be 0x0, is 0x1", when!(back(), h => h.csr.mstatus ^= SPIE)),
            resumed(oracle, "hstatus.SPV must be 0x0, is 0x1", when!(back(), h => h.csr.hstatus ^= SPV)),
            resumed(oracle, "hstatus.SPVP must be 0x0, is 0x1", when!(back(), h => h.csr.hstatus ^= SPVP)),
            resumed(oracle, "sstatus.SPELP must be 0x0, is 0x1", when!(back(), h => h.csr.mstatus ^= SPELP)),
            check(oracle, "sstatus.SDT must be 0x0, is 0x1", all(after(when!(back(), h => h.csr.mstatus ^= SDT))), |r, _| {
                double_traps(r, false);
                r.sse(0, COMPLETE, &[]);
            }),
        ]);
    }
    let attribute = |says, tamper: At, run| check("E3", says, after(tamper), run);
    list.extend([
        attribute("INTERRUPTED_SEPC must be 0x0, is 0x8", |p, h| read_as(p, h, 8), |r, _| in_handler_get(r, 6)),
        attribute("INTERRUPTED_FLAGS must be 0x0, is 0x1", |p, h| read_as(p, h, 1), |r, _| in_handler_get(r, 7)),
        attribute("INTERRUPTED_A6 must be 0x7, is 0x1", |p, h| read_as(p, h, 1), |r, _| in_handler_get(r, 8)),
        attribute("INTERRUPTED_A7 must be 0x535345, is 0x1", |p, h| read_as(p, h, 1), |r, _| in_handler_get(r, 9)),
    ]);
    let left = |says, run| check("E9", says, careless(1), run);
    list.extend([
        left("sepc must be 0x80100004, is 0x", |r, wrong| {
            r.in_handler(LOCAL);
            trapped(r, wrong, true, 0, 0);
        }),
        left("sstatus.SPP must be 0x1, is 0x0", |r, wrong| {
            r.in_handler(LOCAL);
            trapped(r, wrong, false, SPP, 0);
        }),
        left("sstatus.SPIE must be 0x0, is 0x1", |r, wrong| {
            r.in_handler(LOCAL);
            trapped(r, wrong, false, SPIE, 0);
        }),
        left("hstatus.GVA must be 0x1, is 0x0", |r, wrong| {
            r.csrw(0, u32::from(table::HSTATUS), 2 << 32 | GVA);
            r.in_handler(LOCAL);
            trapped(r, wrong, false, 0, GVA);
        }),
        check("E9", "hstatus.SPV must be 0x1, is 0x0", careless(2), |r, wrong| {
            guest_interrupted(r);
            let at = r.machine.harts()[0].csr.sepc;
            trapped_over_guest(r, wrong);
            assert!(wrong || r.machine.harts()[0].pc == at);
        }),
    ]);
    list
}

fn in_handler_get(r: &mut Rig, attribute: u64) {
    r.in_handler(LOCAL);
    r.get(0, LOCAL, attribute);
}

/// As [`trapped`], with what follows from a lost SPV: the hart goes on in HS-mode.
fn trapped_over_guest(r: &mut Rig, wrong: bool) {
    let h = &r.machine.harts()[0].csr;
    let (epc, status, hyp) = (h.sepc, h.mstatus, h.hstatus);
    r.breakpoint(0);
    let h = &mut r.machine.harts_mut()[0];
    (h.csr.sepc, h.csr.mstatus) = (epc, status);
    if !wrong {
        h.csr.hstatus = hyp;
    }
    (h.x[16], h.x[17], h.pc) = (COMPLETE, SSE, CALL);
    r.steps(0, 1);
}

/// A handler where the supervisor has Ssdbltrp.
fn double_traps(r: &mut Rig, _: bool) {
    r.machine.harts_mut()[0].csr.menvcfg |= 1 << 59;
    r.in_handler(LOCAL);
}
