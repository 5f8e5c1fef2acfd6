//! System instructions step by step: traps, returns, waiting, CSRs, and which exception a refusal is.

use emu_csr::{Exception, Isa, Mode, field};

use super::{Bench, RAM, asm};
use crate::engine::SliceEnd;
use crate::engine::step::StepEnd;
use crate::hart::Wait;
use crate::insn::Fields;

fn none() -> Fields {
    Fields::default()
}

/// The exception that `name` raises in `mode`, all operands x0.
fn refused(t: &mut Bench, name: &str, mode: Mode) -> Option<Exception> {
    t.hart.mode = mode;
    t.exec(name, none()).err().map(|trap| trap.cause)
}

#[test]
fn ecall_and_ebreak_raise_their_exceptions() {
    for (mode, cause) in [
        (Mode::U, Exception::EcallU),
        (Mode::VU, Exception::EcallU),
        (Mode::HS, Exception::EcallS),
        (Mode::VS, Exception::EcallVS),
        (Mode::M, Exception::EcallM),
    ] {
        let mut t = Bench::new();
        assert_eq!(refused(&mut t, "ecall", mode), Some(cause));
    }
    let mut t = Bench::new();
    let trap = t.exec("ebreak", none()).unwrap_err();
    assert_eq!((trap.cause, trap.tval), (Exception::Breakpoint, RAM), "tval is the address of the breakpoint");
}

#[test]
fn an_exception_enters_the_handler_and_mret_goes_back() {
    let mut t = Bench::new();
    t.program(&[asm("ecall", none())]);
    t.hart.csr.mtvec = RAM + 0x100;
    t.hart.pc = RAM + 0x100;
    t.program(&[asm("csrrw", Fields { rs1: 5, imm: 0x341, ..none() }), asm("mret", none())]);
    t.hart.pc = RAM;
    t.hart.x[5] = RAM + 4;
    t.hart.set_mode(Mode::M);
    // Everything is open to S-mode.
    (t.hart.csr.pmpaddr[0], t.hart.csr.pmpcfg[0]) = (u64::MAX >> 10, 0x1f);
    t.hart.tlb.flush();
    t.hart.set_mode(Mode::HS);
    assert_eq!(t.step(), StepEnd::Slice(SliceEnd::EnteredM));
    assert_eq!((t.hart.pc, t.hart.mode, t.hart.csr.mepc, t.hart.csr.mcause), (RAM + 0x100, Mode::M, RAM, 9));
    assert_eq!((t.hart.instret, t.hart.cycles), (0, 1), "a trap takes a cycle and retires nothing");
    t.step();
    t.step();
    assert_eq!((t.hart.pc, t.hart.mode), (RAM + 4, Mode::HS));
    assert_eq!((t.hart.instret, t.hart.cycles), (2, 3));
}

#[test]
fn refusals_are_illegal_or_virtual_as_the_mode_says() {
    use Exception::{IllegalInst as I, VirtualInst as V};
    for (name, u, hs, vs, vu) in [
        ("mret", Some(I), Some(I), Some(I), Some(I)),
        ("sret", Some(I), None, None, Some(V)),
        ("wfi", Some(I), None, None, Some(V)),
        ("sfence.vma", Some(I), None, None, Some(V)),
        ("sinval.vma", Some(I), None, None, Some(V)),
        ("sfence.w.inval", Some(I), None, None, Some(V)),
        ("sfence.inval.ir", Some(I), None, None, Some(V)),
        ("hfence.vvma", Some(I), None, Some(V), Some(V)),
        ("hfence.gvma", Some(I), None, Some(V), Some(V)),
        ("hinval.vvma", Some(I), None, Some(V), Some(V)),
        ("hinval.gvma", Some(I), None, Some(V), Some(V)),
    ] {
        for (mode, expected) in [(Mode::U, u), (Mode::HS, hs), (Mode::VS, vs), (Mode::VU, vu)] {
            assert_eq!(refused(&mut Bench::new(), name, mode), expected, "{name} in {mode:?}");
        }
    }
    for (name, u) in [("hlv.w", I), ("hlvx.hu", I), ("hsv.d", I)] {
        assert_eq!(refused(&mut Bench::new(), name, Mode::U), Some(u), "{name}");
        for mode in [Mode::VS, Mode::VU] {
            assert_eq!(refused(&mut Bench::new(), name, mode), Some(V), "{name} in {mode:?}");
        }
    }
}

#[test]
fn traps_of_the_status_registers() {
    use Exception::{IllegalInst as I, VirtualInst as V};
    use field::{hstatus, mstatus};
    let with = |m: u64, h: u64, name: &str, mode: Mode| {
        let mut t = Bench::new();
        t.hart.csr.mstatus |= m;
        t.hart.csr.hstatus |= h;
        refused(&mut t, name, mode)
    };
    assert_eq!(with(mstatus::TSR, 0, "sret", Mode::HS), Some(I));
    assert_eq!(with(mstatus::TSR, 0, "sret", Mode::VS), None);
    assert_eq!(with(0, hstatus::VTSR, "sret", Mode::VS), Some(V));
    assert_eq!(with(mstatus::TVM, 0, "sfence.vma", Mode::HS), Some(I));
    assert_eq!(with(mstatus::TVM, 0, "hfence.gvma", Mode::HS), Some(I));
    assert_eq!(with(mstatus::TVM, 0, "hfence.vvma", Mode::HS), None);
    assert_eq!(with(0, hstatus::VTVM, "sfence.vma", Mode::VS), Some(V));
    assert_eq!(with(mstatus::TW, 0, "wfi", Mode::HS), Some(I));
    assert_eq!(with(0, hstatus::VTW, "wfi", Mode::VS), Some(V));
    assert_eq!(with(0, hstatus::VTVM, "sfence.w.inval", Mode::VS), None);
}

#[test]
fn hypervisor_instructions_do_not_exist_without_h() {
    let mut t = Bench::with(Isa::max().without(emu_csr::Ext::H));
    for name in ["hlv.b", "hsv.w", "hfence.vvma", "hinval.gvma"] {
        let insn = t.decoder.decode(asm(name, none()), 4);
        t.hart.next_pc = t.hart.pc + 4;
        let trap = (insn.def.exec)(&mut t.hart, &mut t.bus, &insn).unwrap_err();
        assert_eq!(trap.cause, Exception::IllegalInst, "{name}");
    }
}

#[test]
fn wfi_retires_and_waits_unless_an_interrupt_is_pending() {
    let mut t = Bench::new();
    t.program(&[asm("wfi", none())]);
    t.step();
    assert_eq!((t.hart.wait, t.hart.pc, t.hart.instret), (Wait::Wfi, RAM + 4, 1));
    assert_eq!(t.step(), StepEnd::Slice(SliceEnd::Wait));

    let mut t = Bench::new();
    t.program(&[asm("wfi", none())]);
    // Pending and enabled in mie; mstatus.MIE is off, so it wakes and is not taken.
    t.hart.csr.mie = 8;
    t.hart.csr.set_line(emu_csr::Interrupt::MSoft, true);
    t.step();
    assert_eq!((t.hart.wait, t.hart.pc), (Wait::Running, RAM + 4));
}

/// "Zawrs": a stall is for a valid reservation, and ends with it, with an interrupt, or with the time-out.
#[test]
fn wrs_waits_while_the_reservation_is_valid_and_no_interrupt_is_pending() {
    for (name, most) in [("wrs.sto", 1_000), ("wrs.nto", 10_000)] {
        let wait = |reserved: bool, pending: bool| {
            let mut t = Bench::new();
            t.program(&[asm(name, none())]);
            t.hart.cycles = 77;
            t.hart.reservation = reserved.then_some(RAM);
            t.hart.csr.mie = 8;
            t.hart.csr.set_line(emu_csr::Interrupt::MSoft, pending);
            t.step();
            assert_eq!((t.hart.pc, t.hart.instret), (RAM + 4, 1), "{name} retires first");
            t.hart.wait
        };
        assert_eq!(wait(true, false), Wait::Wrs(77 + most), "{name}");
        assert_eq!(wait(true, true), Wait::Running, "{name}");
        assert_eq!(wait(false, false), Wait::Running, "{name}");
    }
}

#[test]
fn csr_instructions_read_and_write_as_their_forms_say() {
    let mut t = Bench::new();
    const MSCRATCH: i32 = 0x340;
    let mut csr = |name: &str, rs1: u8, value: u64| {
        t.hart.csr.mscratch = 0b0110;
        t.hart.x[5] = value;
        t.hart.x[7] = 99;
        t.exec(name, Fields { rd: 7, rs1, imm: MSCRATCH, ..none() }).unwrap();
        (t.hart.x[7], t.hart.csr.mscratch)
    };
    assert_eq!(csr("csrrw", 5, 0b1100), (6, 0b1100));
    assert_eq!(csr("csrrs", 5, 0b1100), (6, 0b1110));
    assert_eq!(csr("csrrc", 5, 0b1100), (6, 0b0010));
    assert_eq!(csr("csrrwi", 3, 0), (6, 3));
    assert_eq!(csr("csrrsi", 9, 0), (6, 15));
    assert_eq!(csr("csrrci", 3, 0), (6, 4));
    assert_eq!(csr("csrrw", 0, 0), (6, 0));
    assert_eq!(csr("csrrs", 0, 0), (6, 6));
    // A read-only register may be read by a form that does not write.
    for (name, rs1, ok) in [
        ("csrrs", 0, true),
        ("csrrc", 0, true),
        ("csrrsi", 0, true),
        ("csrrw", 0, false),
        ("csrrs", 5, false),
        ("csrrci", 1, false),
    ] {
        let r = t.exec(name, Fields { rd: 7, rs1, imm: 0xf14, ..none() });
        assert_eq!(r.is_ok(), ok, "{name} {rs1}");
    }
}

#[test]
fn instret_and_cycle_do_not_count_the_reading_instruction() {
    let mut t = Bench::new();
    t.program(&[
        asm("addi", none()),
        asm("csrrs", Fields { rd: 7, imm: 0xb02, ..none() }),
        asm("csrrs", Fields { rd: 8, imm: 0xb00, ..none() }),
    ]);
    for _ in 0..3 {
        t.step();
    }
    assert_eq!((t.hart.x[7], t.hart.x[8]), (1, 2));
}

#[test]
fn hypervisor_loads_use_the_privilege_of_spvp_and_report_guest_addresses() {
    let mut t = Bench::new();
    t.bus.ram.write_bytes(RAM + 0x200, &0xfedc_ba98_8765_4321u64.to_le_bytes(), &mut Vec::new());
    t.hart.x[5] = RAM + 0x200;
    (t.hart.csr.pmpaddr[0], t.hart.csr.pmpcfg[0]) = (u64::MAX >> 10, 0x1f);
    t.hart.tlb.flush();
    for (name, expected) in [
        ("hlv.b", 0x21),
        ("hlv.hu", 0x4321),
        ("hlvx.wu", 0x8765_4321),
        ("hlv.w", 0xffff_ffff_8765_4321),
        ("hlv.d", 0xfedc_ba98_8765_4321),
    ] {
        t.exec(name, Fields { rd: 7, rs1: 5, ..none() }).unwrap();
        assert_eq!(t.hart.x[7], expected, "{name}");
    }
    t.exec("hsv.h", Fields { rs1: 5, rs2: 0, ..none() }).unwrap();
    assert_eq!(t.bus.ram.read(RAM + 0x200, 8), Some(0xfedc_ba98_8765_0000));
    t.hart.x[5] = 8;
    let trap = t.exec("hlv.d", Fields { rd: 7, rs1: 5, ..none() }).unwrap_err();
    assert_eq!((trap.cause, trap.gva), (Exception::LoadAccessFault, true));
}

#[test]
fn without_compressed_instructions_jumps_to_odd_words_are_misaligned() {
    use emu_csr::Ext::{C, Zca};
    let max = Isa::max();
    for (isa, ok) in [(max, true), (max.without(C).without(Zca), false)] {
        for (name, imm) in [("jal", 6), ("jalr", 6), ("beq", 6), ("bge", -2)] {
            let mut t = Bench::with(isa);
            t.hart.x[7] = 99;
            let base = if name == "jalr" {
                t.hart.x[5] = RAM;
                5
            } else {
                0
            };
            let r = t.exec(name, Fields { rd: 7, rs1: base, imm, ..none() });
            if ok {
                assert_eq!((r, t.hart.next_pc), (Ok(()), RAM.wrapping_add(imm as u64)), "{name}");
            } else {
                let trap = r.unwrap_err();
                assert_eq!((trap.cause, trap.tval), (Exception::InstAddrMisaligned, RAM.wrapping_add(imm as u64)), "{name}");
                assert_eq!((t.hart.x[7], t.hart.next_pc), (99, RAM + 4), "{name} links nothing");
            }
            // An untaken branch has no target, and an aligned one is fine.
            assert!(t.exec("bne", Fields { imm: 6, ..none() }).is_ok());
            assert!(t.exec("jal", Fields { imm: 8, ..none() }).is_ok());
        }
    }
}
