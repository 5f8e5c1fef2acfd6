//! The short ways of `emu_csr::quick` equal the general one.

use emu_csr::{Csrs, Isa, Mode, Now, Op, quick, table};
use proptest::prelude::*;

const NOW: Now = Now { cycles: 1000, instret: 900, time: 7 };

/// A hart whose registers hold what they can of the given words.
fn hart(words: &[u64]) -> Csrs {
    let mut csrs = Csrs::new(Isa::max(), 0);
    for (decl, word) in table::all().zip(words.iter().cycle()) {
        csrs.poke(decl.number, *word, &NOW);
    }
    csrs
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![Just(Op::Write), Just(Op::Set), Just(Op::Clear)]
}

#[test]
fn the_registers_that_traps_of_linux_use_are_simple() {
    for csr in [table::SSCRATCH, table::SEPC, table::SCAUSE, table::STVAL, table::STVEC] {
        assert_eq!(quick::simple(csr), Some(Mode::HS));
    }
    for csr in [table::MSCRATCH, table::MEPC, table::MCAUSE, table::MTVAL] {
        assert_eq!(quick::simple(csr), Some(Mode::M));
    }
    for csr in
        [table::MSTATUS, table::SATP, table::MENVCFG, table::STIMECMP, table::FCSR, table::MHARTID, table::MCYCLE, table::MISA]
    {
        assert_eq!(quick::simple(csr), None);
    }
}

proptest! {
    #[test]
    fn a_simple_instruction_is_the_general_one(words in prop::collection::vec(any::<u64>(), 97), op in op(), operand: u64, write: bool) {
        let before = hart(&words);
        for decl in table::all() {
            let Some(mode) = quick::simple(decl.number) else { continue };
            let (mut a, mut b) = (before.clone(), before.clone());
            let general = a.read_modify_write(decl.number, op, operand, write, mode, &NOW, &mut ());
            let old = b.simple_instruction(decl.number, op, operand, write);
            prop_assert_eq!(general, Ok((old, emu_csr::Effects::NONE)), "{}", decl.name);
            prop_assert_eq!(a, b, "{}", decl.name);
        }
    }

    #[test]
    fn an_instruction_on_sstatus_is_the_general_one(words in prop::collection::vec(any::<u64>(), 97), op in op(), operand: u64, write: bool) {
        let (mut a, mut b) = (hart(&words), hart(&words));
        let general = a.read_modify_write(table::SSTATUS, op, operand, write, Mode::HS, &NOW, &mut ());
        prop_assert_eq!(general, Ok(b.sstatus_instruction(op, operand, write)));
        prop_assert_eq!(a, b);
    }
}
