//! Extensions that add to trap state, as instructions see them: Smrnmi, Smdbltrp.

use emu_csr::{Interrupt, Isa, Mode};

use super::{Bench, RAM, asm};
use crate::engine::SliceEnd;
use crate::engine::step::StepEnd;
use crate::insn::Fields;

fn bench(cpu: &str) -> Bench {
    let mut t = Bench::with(Isa::parse(cpu).unwrap());
    t.hart.set_mode(Mode::M);
    t
}

fn none() -> Fields {
    Fields::default()
}

#[test]
fn an_rnmi_interrupts_with_all_interrupts_off_and_mnret_resumes() {
    let mut t = bench("max,smrnmi=on");
    (t.hart.csr.rnmi_vector, t.hart.csr.mnstatus) = (RAM + 0x100, 1 << 3);
    t.program(&[asm("addi", Fields { rd: 5, imm: 7, ..none() })]);
    t.hart.pc = RAM + 0x100;
    t.program(&[asm("mnret", none())]);
    t.hart.pc = RAM;
    let effects = t.hart.csr.set_line(Interrupt::Rnmi, true);
    t.hart.apply(effects);
    t.step();
    assert_eq!((t.hart.pc, t.hart.csr.mnepc, t.hart.csr.mnstatus), (RAM + 0x100, RAM, 3 << 11));
    t.hart.csr.set_line(Interrupt::Rnmi, false);
    t.step();
    t.step();
    assert_eq!((t.hart.pc, t.hart.x[5], t.hart.csr.mnstatus), (RAM + 4, 7, 3 << 11 | 1 << 3));
}

#[test]
fn an_observer_hears_which_instruction_returned() {
    use crate::engine::trap::Return;
    for (name, by) in [("mret", Return::Machine), ("sret", Return::Supervisor), ("mnret", Return::NonMaskable)] {
        let mut t = bench("max,smrnmi=on");
        t.hart.observed = crate::observer::Interest::ALL;
        t.exec(name, none()).unwrap();
        let told = t.hart.last_return.take().unwrap();
        assert_eq!((told.by, told.by.name(), told.from), (by, name, Mode::M));
    }
}

#[test]
fn an_rnmi_wakes_wfi_even_with_nmie_clear() {
    let mut t = bench("max,smrnmi=on");
    t.hart.csr.set_line(Interrupt::Rnmi, true);
    t.exec("wfi", none()).unwrap();
    assert_eq!(t.hart.wait, crate::hart::Wait::Running);
}

#[test]
fn while_nmie_is_clear_mprv_does_nothing() {
    let mut t = bench("max,smrnmi=on");
    // MPP is U, and no PMP entry lets U load anything.
    t.hart.csr.mstatus |= 1 << 17;
    t.hart.recontext();
    t.hart.x[5] = RAM;
    t.exec("ld", Fields { rd: 6, rs1: 5, ..none() }).unwrap();
    t.hart.x[5] = 1 << 3;
    t.exec("csrrs", Fields { rs1: 5, imm: 0x744, ..none() }).unwrap();
    t.hart.x[5] = RAM;
    t.exec("ld", Fields { rd: 6, rs1: 5, ..none() }).unwrap_err();
}

#[test]
fn a_double_trap_in_m_stops_the_hart_where_it_is() {
    let mut t = bench("max,smdbltrp=on");
    t.program(&[asm("ecall", none())]);
    let x = t.hart.csr.clone();
    for _ in 0..2 {
        assert_eq!(t.step(), StepEnd::Slice(SliceEnd::CriticalError), "and again, if somebody lets it run");
        assert_eq!((t.hart.pc, t.hart.mode, &t.hart.csr), (RAM, Mode::M, &x));
        assert_eq!(t.hart.traps.critical, 11);
    }
}

const SSE: u64 = 1 << 3;

/// M-mode with landing pads on, x10 to x12 pointing at the instruction behind the first.
fn padded(first: u32, second: u32) -> Bench {
    let mut t = bench("max");
    t.hart.csr.mseccfg = 1 << 10;
    t.hart.csr.mtvec = RAM + 0x100;
    t.hart.recontext();
    t.program(&[first, second]);
    for r in [1, 5, 7, 10] {
        t.hart.x[r] = RAM + 4;
    }
    t
}

fn jalr(rs1: u8) -> u32 {
    asm("jalr", Fields { rs1, ..none() })
}

fn lpad(label: i32) -> u32 {
    asm("lpad", Fields { imm: label << 12, ..none() })
}

const NOP: u32 = 0x13;

#[test]
fn an_indirect_jump_expects_a_landing_pad_unless_it_returns_or_is_guarded() {
    for (rs1, expected) in [(10, true), (1, false), (5, false), (7, false)] {
        let mut t = padded(jalr(rs1), NOP);
        t.step();
        assert_eq!((t.hart.pc, t.hart.csr.elp), (RAM + 4, expected), "x{rs1}");
        t.step();
        assert_eq!(t.hart.csr.mcause == 18, expected);
    }
    // Nothing is expected where landing pads are off.
    let mut t = padded(jalr(10), NOP);
    t.hart.csr.mseccfg = 0;
    t.hart.recontext();
    t.step();
    assert!(!t.hart.csr.elp);
}

#[test]
fn a_landing_pad_fault_is_a_software_check_with_tval_2_and_keeps_elp_for_the_return() {
    for second in [NOP, 0, lpad(6), asm("auipc", Fields { rd: 1, ..none() })] {
        let mut t = padded(jalr(10), second);
        t.hart.x[7] = 5 << 12;
        t.step();
        t.step();
        let c = &t.hart.csr;
        assert_eq!((c.mcause, c.mtval, c.mepc, c.mstatus >> 41 & 1, c.elp), (18, 2, RAM + 4, 1, false), "{second:#x}");
        assert_eq!(t.hart.instret, 1, "nothing but the jump has retired");
    }
}

#[test]
fn a_landing_pad_takes_label_zero_or_that_of_x7() {
    for (label, x7) in [(0, 0x1234_5678), (0x12345, 0x1234_5fff), (-1, 0xffff_f000u64)] {
        let mut t = padded(jalr(10), lpad(label));
        t.hart.x[7] = x7 | 0xabcd << 32;
        t.step();
        t.step();
        assert_eq!((t.hart.pc, t.hart.csr.elp), (RAM + 8, false));
    }
    // "not 4-byte aligned" is a fault too.
    let mut t = padded(jalr(10), 0);
    t.hart.pc = RAM + 6;
    t.program(&[lpad(0)]);
    (t.hart.pc, t.hart.x[10]) = (RAM, RAM + 6);
    t.step();
    t.step();
    assert_eq!(t.hart.csr.mcause, 18);
}

#[test]
fn a_fetch_fault_comes_before_a_landing_pad_fault_and_an_illegal_instruction_behind_it() {
    let mut t = padded(jalr(10), 0);
    t.hart.x[10] = 0x1000;
    t.step();
    t.step();
    assert_eq!((t.hart.csr.mcause, t.hart.csr.mstatus >> 41 & 1), (1, 1));
}

#[test]
fn an_interrupt_between_jump_and_landing_pad_keeps_elp() {
    let mut t = padded(jalr(10), lpad(0));
    t.hart.pc = RAM + 0x100;
    t.program(&[asm("mret", none())]);
    t.hart.pc = RAM;
    (t.hart.csr.mie, t.hart.csr.mstatus) = (1 << 3, t.hart.csr.mstatus | 1 << 3);
    t.step();
    let effects = t.hart.csr.set_line(Interrupt::MSoft, true);
    t.hart.apply(effects);
    t.step();
    t.hart.csr.set_line(Interrupt::MSoft, false);
    assert!(!t.hart.csr.elp || t.hart.pc == RAM + 4);
    t.step();
    t.step();
    assert_eq!((t.hart.pc, t.hart.csr.elp, t.hart.csr.mcause), (RAM + 8, false, 1 << 63 | 3));
}

#[test]
fn shadow_stack_instructions_are_may_be_operations_where_sse_is_off() {
    let mut t = bench("max");
    for mode in Mode::ALL {
        t.hart.mode = mode;
        (t.hart.csr.ssp, t.hart.x[6]) = (0x4000, 9);
        t.exec("sspush", Fields { rs2: 1, ..none() }).unwrap();
        t.exec("sspopchk", Fields { rs1: 5, ..none() }).unwrap();
        t.exec("ssrdp", Fields { rd: 6, ..none() }).unwrap();
        assert_eq!((t.hart.csr.ssp, t.hart.x[6]), (0x4000, 0), "{mode:?}");
    }
    // M-mode never has them.
    (t.hart.csr.menvcfg, t.hart.mode) = (SSE, Mode::M);
    t.exec("sspush", Fields { rs2: 1, ..none() }).unwrap();
    assert_eq!(t.hart.csr.ssp, 0x4000);
}

#[test]
fn ssamoswap_and_ssp_are_illegal_or_virtual_as_sse_says() {
    use emu_csr::Exception::{IllegalInst as I, StoreAccessFault as F, VirtualInst as V};
    for (mode, m, h, s, swap, csr) in [
        (Mode::HS, 0, 0, 0, I, Some(I)),
        (Mode::HS, SSE, 0, 0, F, None),
        (Mode::U, SSE, 0, 0, I, Some(I)),
        (Mode::U, SSE, 0, SSE, F, None),
        (Mode::VS, 0, 0, 0, I, Some(I)),
        (Mode::VS, SSE, 0, SSE, V, Some(V)),
        (Mode::VS, SSE, SSE, 0, F, None),
        (Mode::VU, SSE, 0, SSE, V, Some(V)),
        (Mode::VU, SSE, SSE, 0, V, Some(V)),
        (Mode::VU, SSE, SSE, SSE, F, None),
        (Mode::M, 0, 0, 0, F, None),
    ] {
        let mut t = bench("max");
        (t.hart.csr.menvcfg, t.hart.csr.henvcfg, t.hart.csr.senvcfg) = (m, h, s);
        t.hart.set_mode(mode);
        t.hart.x[5] = RAM;
        let trap = t.exec("ssamoswap.d", Fields { rs1: 5, ..none() }).unwrap_err();
        assert_eq!(trap.cause, swap, "{mode:?} {m} {h} {s}: everything is bare here, so it faults once it is allowed");
        let trap = t.exec("csrrs", Fields { rd: 6, imm: 0x11, ..none() }).err();
        assert_eq!(trap.map(|t| t.cause), csr, "{mode:?} {m} {h} {s}");
    }
}
