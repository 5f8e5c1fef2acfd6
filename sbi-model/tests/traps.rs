//! M-mode's services besides calls, and what hostile registers can do.

mod common;

use common::*;
use emu_core::bus::Request;
use emu_core::firmware::{Firmware, FwStep};
use emu_core::hart::Wait;
use emu_csr::{Exception, Mode, Trap};
use proptest::prelude::*;

/// Raises the same exception in two equal harts, one with delegation and one through the firmware, and compares what the supervisor sees.
fn same_as_hardware(mode: Mode, hedeleg: bool, trap: Trap) {
    let prepare = || {
        let mut rig = Rig::new(1);
        let h = &mut rig.harts[0];
        h.csr.stvec = RAM + 0x2000;
        h.csr.vstvec = RAM + 0x3000;
        h.csr.mstatus |= 2;
        h.csr.vsstatus |= 2;
        h.csr.hedeleg = u64::from(hedeleg) << trap.cause as u8;
        h.set_mode(mode);
        rig
    };
    let (mut hardware, mut firmware) = (prepare(), prepare());
    let h = &mut hardware.harts[0];
    h.csr.medeleg |= 1 << trap.cause as u8;
    let entry = h.csr.enter_exception(mode, ENTRY, &trap, &mut ());
    assert_eq!(firmware.raise(0, trap), FwStep::Done { cost: sbi_model::COST });
    let (h, f) = (&hardware.harts[0].csr, &firmware.harts[0]);
    assert_eq!((f.mode, f.pc), (entry.mode, entry.pc));
    let s = |c: &emu_csr::Csrs| [c.mstatus & 0x122, c.hstatus, c.sepc, c.scause, c.stval, c.htval, c.htinst];
    let vs = |c: &emu_csr::Csrs| [c.vsstatus, c.vsepc, c.vscause, c.vstval];
    assert_eq!(s(h), s(&f.csr));
    assert_eq!(vs(h), vs(&f.csr));
}

#[test]
fn faults_reach_the_supervisor_exactly_as_if_delegated() {
    for mode in [Mode::U, Mode::HS, Mode::VU, Mode::VS] {
        for hedeleg in [false, true] {
            same_as_hardware(mode, hedeleg, Trap::illegal(0xc000_1073));
            let fault = Trap { tinst: 0x3003, gva: mode.virt(), ..Trap::new(Exception::LoadAccessFault, 0x1234) };
            same_as_hardware(mode, hedeleg, fault);
            same_as_hardware(mode, hedeleg, Trap { cause: Exception::StoreAccessFault, ..fault });
            same_as_hardware(mode, hedeleg, Trap { gva: mode.virt(), ..Trap::new(Exception::InstAccessFault, 0x40) });
        }
    }
}

#[test]
fn misaligned_loads_and_stores_are_carried_out() {
    let mut rig = Rig::new(1);
    rig.bus.ram.write(RAM + 0x100, 8, 0x8877_6655_4433_2211, &mut Vec::new());
    rig.bus.ram.write(ENTRY, 4, 0x0005_2583, &mut Vec::new()); // lw a1, 0(a0)
    rig.bus.ram.write(ENTRY + 4, 4, 0x00b5_2023, &mut Vec::new()); // sw a1, 0(a0)
    rig.harts[0].tlb.trap_misaligned = true;
    rig.harts[0].x[10] = RAM + 0x103;
    let end = rig.raise(0, Trap::new(Exception::LoadAddrMisaligned, RAM + 0x103));
    assert_eq!(end, FwStep::Done { cost: sbi_model::COST });
    assert_eq!((rig.harts[0].x[11], rig.harts[0].pc, rig.harts[0].mode), (0x7766_5544, ENTRY + 4, Mode::HS));
    rig.harts[0].x[10] = RAM + 0x201;
    rig.raise(0, Trap::new(Exception::StoreAddrMisaligned, RAM + 0x201));
    assert_eq!(rig.bus.ram.read(RAM + 0x200, 8), Some(0x77_6655_4400));
    assert!(rig.harts[0].tlb.trap_misaligned, "the hart's own behaviour stays");
}

#[test]
fn a_machine_software_interrupt_becomes_ssip() {
    let mut rig = Rig::new(1);
    rig.bus.write(0x200_0000, 4, 1, 0).expect("MSIP");
    let h = &mut rig.harts[0];
    h.csr.set_line(emu_csr::Interrupt::MSoft, true);
    let (i, to) = h.csr.pending_interrupt(h.mode).expect("pending");
    let e = h.csr.enter_interrupt(Mode::HS, ENTRY, i, to, &mut ());
    h.set_mode(e.mode);
    rig.with_platform(|fw, p| fw.step(p, 0));
    assert!(rig.ssip(0));
    assert_eq!(rig.bus.read(0x200_0000, 4, 0), Ok(0));
    assert_eq!((rig.harts[0].mode, rig.harts[0].pc), (Mode::HS, ENTRY));
}

#[test]
fn state_is_saved_and_restored() {
    use emu_core::dev::state::{Restorer, Saver};
    let mut rig = Rig::new(3);
    rig.call(0, HSM, 0, &[1, ENTRY, 0]);
    let before = rig.fw.state().clone();
    let mut saved = Saver::default();
    Firmware::state(&mut rig.fw, &mut saved);
    rig.call(0, HSM, 0, &[2, ENTRY, 0]);
    assert_ne!(rig.fw.state(), &before);
    let mut restorer = Restorer::new(&saved.0);
    Firmware::state(&mut rig.fw, &mut restorer);
    assert!(restorer.complete());
    assert_eq!(rig.fw.state(), &before);
}

/// Values that find edges: hart ids, memory's ends, wrap-around.
fn word() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        0..8u64,
        (0..64u64).prop_map(|i| 1 << i),
        (0..16u64).prop_map(|i| u64::MAX - i),
        (0..16u64).prop_map(|i| RAM + RAM_SIZE - i),
        (0..16u64).prop_map(|i| RAM + 8 * i),
    ]
}

fn eid() -> impl Strategy<Value = u64> {
    prop_oneof![8 => prop::sample::select(vec![BASE, TIME, IPI, RFENCE, HSM, DBCN, SRST, common::sse::SSE, FWFT, SUSP, CPPC]), 3 => 0..16u64, 1 => any::<u64>()]
}

proptest! {
    #[test]
    fn hostile_calls_never_panic_and_always_answer(
        calls in prop::collection::vec((0..3usize, eid(), prop_oneof![0..8u64, any::<u64>()], prop::array::uniform6(word())), 1..40)
    ) {
        let mut rig = Rig::new(3);
        for (hart, eid, fid, args) in calls {
            if rig.harts[hart].wait == Wait::Held {
                continue;
            }
            rig.harts[hart].wait = Wait::Running;
            // Every call is a new one, whatever the last has made of the hart.
            rig.harts[hart].set_mode(Mode::HS);
            match rig.step_call(hart, eid, fid, &args) {
                FwStep::Done { .. } => {
                    let h = &rig.harts[hart];
                    prop_assert!(h.wait == Wait::Held && h.mode == Mode::M || h.mode == Mode::HS);
                    prop_assert_eq!(h.x[0], 0);
                }
                FwStep::Request(r) => prop_assert!(eid == SRST || eid == 8, "{:?}", r == Request::Reset),
                end => prop_assert!(false, "{:?}", end),
            }
        }
    }
}
