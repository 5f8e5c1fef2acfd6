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
