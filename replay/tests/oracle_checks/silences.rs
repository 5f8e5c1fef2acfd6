//! What looks like a violation and is none: the oracles say nothing, no warning either.

use emu_csr::table;

use crate::common::*;
use crate::*;

/// csrr t0,time.
const TIME: u32 = 0xc010_22f3;

/// A machine whose firmware must emulate it.
const WITHOUT_TIME: On = On { cpu: "max,zicntr=off", ..HEALTHY };

fn silent(what: &str, on: On, run: fn(&mut Rig)) {
    let mut r = Rig::new(on);
    run(&mut r);
    assert!(r.spoke().is_empty(), "{what}:\n{}", r.text());
}

#[test]
fn of_a_context_that_firmware_has_moved_on_only_what_is_known_is_compared() {
    // The IPI waits, so that the event comes with the answer to an instruction that firmware emulates, and with one that it hands on.
    for word in [TIME, 0] {
        let mut r = Rig::new(two(WITHOUT_TIME));
        r.arm(0, LOCAL);
        r.sse(0, UNMASK, &[]);
        r.store(CODE + 0x8000, &[word, NOP, NOP]);
        let h = &mut r.machine.harts_mut()[0];
        h.csr.mie &= !8;
        h.csr.mcounteren = 2;
        h.csr.mstatus |= MSTATUS_SIE;
        h.pc = CODE + 0x8000;
        assert_eq!(r.sse(1, INJECT, &[LOCAL.into(), 0]), 0);
        assert_eq!(r.machine.harts()[0].pc, CODE + 0x8000, "not yet");
        r.steps(0, 2);
        assert_eq!(r.machine.harts()[0].pc, handler(LOCAL) + 4, "in the handler");
        r.sse(0, COMPLETE, &[]);
        let pc = r.machine.harts()[0].pc;
        assert!(if word == 0 { pc != handler(LOCAL) + 8 } else { pc == CODE + 0x8008 }, "{pc:#x}");
        assert!(r.spoke().is_empty(), "{word:#x}: {}", r.text());
    }
}

#[test]
fn a_handler_may_send_its_victim_elsewhere() {
    silent("another mode", HEALTHY, |r| {
        r.in_handler(LOCAL);
        let status = r.machine.harts()[0].csr.mstatus;
        r.csrw(0, u32::from(table::SSTATUS), status & !SPP);
        r.sse(0, COMPLETE, &[]);
        assert_eq!(r.machine.harts()[0].mode, Mode::U);
    });
    silent("the host instead of the guest", two(HEALTHY), |r| {
        guest_interrupted(r);
        r.csrw(0, u32::from(table::HSTATUS), 2 << 32 | SPVP);
        r.csrw(0, u32::from(table::SEPC), CALL + 0x40);
        let status = r.machine.harts()[0].csr.mstatus;
        r.csrw(0, u32::from(table::SSTATUS), status | SPP);
        r.sse(0, COMPLETE, &[]);
        assert!((r.machine.harts()[0].mode, r.machine.harts()[0].pc) == (Mode::HS, CALL + 0x44));
    });
}

#[test]
fn a_guest_that_m_mode_was_entered_from_goes_on_as_one() {
    silent("an instruction that firmware emulates", WITHOUT_TIME, |r| {
        r.arm(0, LOCAL);
        r.store(CODE + 0x8000, &[TIME, NOP, NOP]);
        let h = &mut r.machine.harts_mut()[0];
        (h.csr.mcounteren, h.csr.hcounteren) = (2, 2);
        (h.mode, h.pc) = (Mode::VS, CODE + 0x8000);
        h.apply(emu_csr::Effects::CONTEXT);
        r.steps(0, 2);
        let h = &r.machine.harts()[0];
        assert_eq!((h.csr.mcause, h.mode, h.pc), (2, Mode::VS, CODE + 0x8008));
    });
}

#[test]
fn the_vector_of_a_trap_within_a_trap_is_the_kernels_affair() {
    silent("stvec", HEALTHY, |r| {
        r.in_handler(LOCAL);
        let (epc, status) = (r.machine.harts()[0].csr.sepc, r.machine.harts()[0].csr.mstatus);
        r.store(CODE + 0x8000, &[EBREAK]);
        r.machine.harts_mut()[0].pc = CODE + 0x8000;
        r.steps(0, 1);
        assert_eq!(r.machine.harts()[0].pc, VECTOR);
        let outer = r.machine.harts()[0].csr.clone();
        r.csrw(0, u32::from(table::STVEC), OTHER_VECTOR);
        r.breakpoint(0);
        r.csrw(0, u32::from(table::STVEC), VECTOR);
        // Back from the outer one, with everything as it was.
        let h = &mut r.machine.harts_mut()[0];
        (h.csr.mstatus, h.csr.sepc, h.pc) = (outer.mstatus, CODE + 0x8100, VECTOR);
        r.store(CODE + 0x8100, &[NOP, NOP]);
        r.steps(0, 2);
        let h = &mut r.machine.harts_mut()[0].csr;
        (h.sepc, h.mstatus) = (epc, status);
        r.sse(0, COMPLETE, &[]);
    });
}

#[test]
fn what_the_text_leaves_open_is_no_violation() {
    silent("a signal before the event is enabled", HEALTHY, |r| {
        assert_eq!(r.register(0, LOCAL), 0);
        r.sse(0, UNMASK, &[]);
        assert_eq!(r.sse(0, INJECT, &[LOCAL.into(), 0]), 0);
        r.sse(0, ENABLE, &[LOCAL.into()]);
        assert_eq!(r.machine.harts()[0].pc, handler(LOCAL) + 4, "in the handler");
        r.sse(0, COMPLETE, &[]);
    });
    let forgets: At = |p, h| read_as(p, h, 0);
    silent("an event that is unregistered forgets its handler", after(forgets), |r| {
        r.register(0, LOCAL);
        r.sse(0, UNREGISTER, &[LOCAL.into()]);
        // The oracles listen while there is an event.
        r.register(0, PLATFORM);
        r.get(0, LOCAL, 4);
        r.get(0, LOCAL, 5);
    });
}

#[test]
fn one_defect_is_one_oracles() {
    // A second delivery is not also one over a handler of the same priority.
    let twice: At = |p, h| again(p, h, LOCAL);
    let mut r = Rig::new(after(twice));
    r.in_handler(LOCAL);
    r.sse(0, UNMASK, &[]);
    assert!(r.count("E14") > 0 && r.count("E7") == 0, "{}", r.text());
}
