//! Debug triggers (Debug 1.0, "Sdtrig") in the hart, with either engine: what fires, when, and what it leaves in the registers.

#![allow(clippy::unwrap_used)] // tests

mod small;

use emu_core::machine::Machine;
use emu_csr::{Mode, Now, table};
use small::*;

/// tdata1 bits of mcontrol6.
const T6: u64 = 6 << 60;
const M: u64 = 1 << 6;
const U: u64 = 1 << 3;
const X: u64 = 4;
const ST: u64 = 2;
const LD: u64 = 1;
const DATA_VALUE: u64 = 1 << 21;
const CHAIN: u64 = 1 << 11;
const HIT0: u64 = 1 << 22;
const HIT1: u64 = 1 << 25;
const MIE: u64 = 1 << 3;

fn trigger(m: &mut Machine, i: u64, tdata1: u64, tdata2: u64) {
    for (csr, v) in [
        (table::TSELECT, i),
        (table::TDATA0 + 1, 0),
        (table::TDATA0 + 2, tdata2),
        (table::TDATA0 + 3, 0),
        (table::TDATA0 + 1, tdata1),
    ] {
        poke(m, csr, v);
    }
}

fn tdata1(m: &mut Machine, i: u64) -> u64 {
    poke(m, table::TSELECT, i);
    m.harts()[0].csr.peek(table::TDATA0 + 1, &Now::default()).unwrap()
}

/// The first trap of `code` in M-mode with interrupts on, and the machine: mepc, mtval, mcause; the same with both engines.
fn first_trap(code: &[u32], set_up: impl Fn(&mut Machine)) -> ((u64, u64, u64), Machine) {
    let run = |engine| {
        let mut m = machine(engine, code);
        poke(&mut m, table::MSTATUS, MIE | 3 << 13);
        set_up(&mut m);
        for cycle in 1..60 {
            m.run(cycle);
            if m.harts()[0].csr.mcause != 0 {
                break;
            }
        }
        let c = &m.harts()[0].csr;
        ((c.mepc, c.mtval, c.mcause), m)
    };
    let (a, mut ma) = run(ENGINES[0]);
    let (b, mut mb) = run(ENGINES[1]);
    assert_eq!(a, b);
    assert_eq!(ma.state_hash(), mb.state_hash());
    (a, ma)
}

/// nop; ld x6,0(x10); sd x6,8(x10); lw x7,16(x10); sb x7,27(x10); a jump to itself.
fn code() -> Vec<u32> {
    vec![
        op("addi", 0, 0, 0, 0),
        op("ld", 6, 10, 0, 0),
        op("sd", 0, 10, 6, 8),
        op("lw", 7, 10, 0, 16),
        op("sb", 0, 10, 7, 27),
        op("jal", 0, 0, 0, 0),
    ]
}

fn data(m: &mut Machine) {
    put(m, DATA, &[0x1111_2222, 0x3333_4444, 0, 0, 0x8000_00aa]);
}

const QUIET: (u64, u64, u64) = (0, 0, 0);

#[test]
fn execution_stops_before_the_instruction() {
    let (end, mut m) = first_trap(&code(), |m| trigger(m, 0, T6 | M | X, CODE + 8));
    assert_eq!(end, (CODE + 8, CODE + 8, 3));
    assert_eq!(tdata1(&mut m, 0), T6 | M | X | HIT0);
    // By opcode: the sd.
    let (end, _) = first_trap(&code(), |m| trigger(m, 3, T6 | M | X | DATA_VALUE, u64::from(code()[2])));
    assert_eq!(end, (CODE + 8, CODE + 8, 3));
    // Size: 16-bit instructions only; 32-bit ones.
    let (end, _) = first_trap(&code(), |m| trigger(m, 0, T6 | M | X | 2 << 16, CODE + 8));
    assert_eq!(end, QUIET);
    let (end, _) = first_trap(&code(), |m| trigger(m, 0, T6 | M | X | 3 << 16, CODE + 8));
    assert_eq!(end.0, CODE + 8);
}

#[test]
fn accesses_stop_before_by_address_and_loads_after_by_data() {
    for (tdata1_, tdata2, pc, tval) in [
        (LD, DATA, CODE + 4, DATA),
        (LD, DATA + 7, CODE + 4, DATA),
        (LD | ST, DATA + 8, CODE + 8, DATA + 8),
        (LD | 3 << 16, DATA + 17, CODE + 12, DATA + 16),
        (ST | 1 << 16, DATA + 27, CODE + 16, DATA + 27),
        // Data: a store before it is made, a load behind the instruction, of lw the low half.
        (ST | DATA_VALUE, 0x3333_4444_1111_2222, CODE + 8, DATA + 8),
        (LD | DATA_VALUE, 0x3333_4444_1111_2222, CODE + 8, DATA),
        (LD | DATA_VALUE | 3 << 16, 0xffff_ffff_8000_00aa, CODE + 16, DATA + 16),
        (ST | DATA_VALUE | 1 << 16, 0xffaa, CODE + 16, DATA + 27),
    ] {
        let (end, mut m) = first_trap(&code(), |m| {
            data(m);
            trigger(m, 1, T6 | M | tdata1_, tdata2);
        });
        assert_eq!(end, (pc, tval, 3), "{tdata1_:#x} {tdata2:#x}");
        let after = tdata1_ & DATA_VALUE != 0 && tdata1_ & LD != 0;
        assert_eq!(tdata1(&mut m, 1), T6 | M | tdata1_ | if after { HIT0 | HIT1 } else { HIT0 });
        let h = &m.harts()[0];
        assert_eq!(h.x[6] != 0, pc > CODE + 4, "the load before it, if any, was made");
        if pc == CODE + 8 && !after {
            assert_eq!(m.bus().ram.read(DATA + 8, 8), Some(0), "the store was not");
        }
    }
    for (tdata1_, tdata2) in
        [(LD, DATA + 8), (ST, DATA), (LD, DATA + 20), (ST | 2 << 16, DATA + 27), (LD | DATA_VALUE, 5), (X, DATA)]
    {
        let (end, _) = first_trap(&code(), |m| trigger(m, 1, T6 | M | tdata1_, tdata2));
        assert_eq!(end, QUIET, "{tdata1_:#x} {tdata2:#x}");
    }
}

#[test]
fn every_kind_of_comparison() {
    // Loads are at DATA..8 and DATA+16..20; the first pc that fires, by match and tdata2.
    let first = CODE + 4;
    let second = CODE + 12;
    for (kind, tdata2, pc) in [
        (0, DATA + 16, second),
        (1, DATA | 7, first),
        (1, (DATA + 16) | 3, second),
        (2, DATA + 8, second),
        (2, DATA + 20, 0),
        (3, DATA, 0),
        (3, DATA + 1, first),
        (4, 0xff << 32 | 0x10, second),
        (5, 0xffff_ffff << 32, first),
        (5, 1 << 32 | 1, 0),
        (8, DATA, second),
        (9, DATA | 7, second),
        (12, 0xff << 32, second),
        (13, 0xffff_ffff << 32, 0),
    ] {
        let (end, _) = first_trap(&code(), |m| {
            trigger(m, 0, T6 | M | LD | kind << 7, tdata2);
            let legal = T6 | M | LD | kind << 7;
            assert_eq!(tdata1(m, 0), legal, "match {kind} is kept");
        });
        let (mepc, cause) = if pc == 0 { (0, 0) } else { (pc, 3) };
        assert_eq!((end.0, end.2), (mepc, cause), "match {kind}, {tdata2:#x}");
    }
}

#[test]
fn a_chain_needs_all_its_triggers() {
    let set = |pc: u64, value: u64| {
        move |m: &mut Machine| {
            data(m);
            trigger(m, 2, T6 | M | X | CHAIN, pc);
            trigger(m, 3, T6 | M | LD | DATA_VALUE, value);
        }
    };
    let (end, mut m) = first_trap(&code(), set(CODE + 4, 0x3333_4444_1111_2222));
    assert_eq!((end.0, end.2), (CODE + 8, 3), "with a loaded value the whole chain fires after");
    assert_eq!((tdata1(&mut m, 2) & (HIT0 | HIT1), tdata1(&mut m, 3) & (HIT0 | HIT1)), (HIT0 | HIT1, HIT0 | HIT1));
    assert_eq!(first_trap(&code(), set(CODE + 12, 0x3333_4444_1111_2222)).0, QUIET, "another instruction");
    assert_eq!(first_trap(&code(), set(CODE + 4, 1)).0, QUIET, "another value");
    // The last trigger cannot chain.
    let mut m = machine(ENGINES[0], &code());
    trigger(&mut m, 7, T6 | M | X | CHAIN, 0);
    assert_eq!(tdata1(&mut m, 7), T6 | M | X);
}

#[test]
fn nothing_fires_where_the_handler_would_be_lost() {
    let quiet = |m: &mut Machine| {
        poke(m, table::MSTATUS, 3 << 13);
        trigger(m, 0, T6 | M | X, CODE + 8);
    };
    assert_eq!(first_trap(&code(), quiet).0, QUIET, "MIE=0 in M");
    let user = |m: &mut Machine| {
        for (csr, v) in [(table::PMPADDR0, u64::MAX), (table::PMPCFG0, 0x1f)] {
            poke(m, csr, v);
        }
        m.harts_mut()[0].set_mode(Mode::HS);
        trigger(m, 0, T6 | 1 << 4 | X, CODE + 8);
    };
    assert_eq!(first_trap(&code(), user).0, (CODE + 8, CODE + 8, 3), "S with breakpoints not delegated");
    let delegated = |m: &mut Machine| {
        user(m);
        poke(m, table::MEDELEG, 8);
    };
    let (end, m) = first_trap(&code(), delegated);
    assert_eq!((end, m.harts()[0].csr.scause), (QUIET, 0), "delegated, SIE=0");
    let (_, m) = first_trap(&code(), |m| {
        delegated(m);
        poke(m, table::MSTATUS, 2 | MIE);
    });
    assert_eq!((m.harts()[0].csr.scause, m.harts()[0].csr.sepc), (3, CODE + 8), "delegated, SIE=1");
}

/// M-mode returns to U-mode at CODE + 8 with an instruction count of one or three.
#[test]
fn an_instruction_count_steps_the_mode_it_is_for() {
    let mut program = code();
    program[0] = op("mret", 0, 0, 0, 0);
    for count in [1u64, 3] {
        let (end, mut m) = first_trap(&program, |m| {
            for (csr, v) in [(table::PMPADDR0, u64::MAX), (table::PMPCFG0, 0x1f), (table::MEPC, CODE + 4), (table::MSTATUS, 0)] {
                poke(m, csr, v);
            }
            trigger(m, 4, 3 << 60 | count << 10 | 1 << 6, 0);
        });
        assert_eq!(end, (CODE + 4 + 4 * count, 0, 3), "after {count} instructions");
        assert_eq!(tdata1(&mut m, 4), 3 << 60 | 1 << 24 | 1 << 6, "hit, count 0, not pending");
    }
}

/// An illegal instruction in U goes to S; the trigger on it goes to M before S's first instruction.
#[test]
fn an_exception_trigger_fires_before_the_handler() {
    let mut program = code();
    program[1] = 0;
    let set = |bits: u64| {
        move |m: &mut Machine| {
            for (csr, v) in [(table::PMPADDR0, u64::MAX), (table::PMPCFG0, 0x1f), (table::MEDELEG, 4), (table::STVEC, CODE + 16)]
            {
                poke(m, csr, v);
            }
            m.harts_mut()[0].set_mode(Mode::U);
            trigger(m, 0, 5 << 60 | 1 << 6, bits);
        }
    };
    let (end, mut m) = first_trap(&program, set(4));
    assert_eq!(end, (CODE + 16, 0, 3));
    assert_eq!((m.harts()[0].csr.sepc, m.harts()[0].csr.scause), (CODE + 4, 2), "the first trap was taken");
    assert_eq!(tdata1(&mut m, 0), 5 << 60 | 1 << 58 | 1 << 6);
    let (end, _) = first_trap(&program, set(8));
    assert_ne!(end.2, 3, "another exception's trigger");
}

#[test]
fn registers_hold_legal_values_only() {
    let mut m = machine(ENGINES[0], &[]);
    let read = |m: &Machine, csr| m.harts()[0].csr.peek(csr, &Now::default()).unwrap();
    poke(&mut m, table::TSELECT, 7);
    poke(&mut m, table::TSELECT, 8);
    assert_eq!(read(&m, table::TSELECT), 7, "there are eight");
    assert_eq!(read(&m, table::TINFO), 1 << 24 | 1 << 15 | 0b111_1100);
    for t in [0, 1 << 60, 7 << 60, 12 << 60, 15 << 60 | 0xfff] {
        trigger(&mut m, 0, t, 0);
        assert_eq!(tdata1(&mut m, 0), 15 << 60, "type {}", t >> 60);
    }
    // dmode, actions other than the breakpoint, uncertain, reserved sizes and matches.
    trigger(&mut m, 0, T6 | 1 << 59 | 1 << 12 | 3 << 26 | 1 << 5 | 4 << 16 | 6 << 7 | M | X, 0);
    assert_eq!(tdata1(&mut m, 0), T6 | M | X);
    // The registers of one trigger are not those of another.
    trigger(&mut m, 1, T6 | M | LD, 5);
    assert_eq!(tdata1(&mut m, 0), T6 | M | X);
    trigger(&mut m, 2, T6 | M | U | 1 << 7, 0);
    poke(&mut m, table::TDATA0 + 2, u64::MAX);
    assert_eq!(read(&m, table::TDATA0 + 2), !(1 << 62), "maskmax6 is 63");
}

/// Debug, "Enumeration": where there is no trigger, tinfo.info is 1.
#[test]
fn a_hart_without_triggers_says_so() {
    let csr = emu_csr::Csrs::new(emu_csr::Isa::parse("max,sdtrig=off").unwrap(), 0);
    assert_eq!(
        [table::TSELECT, table::TINFO, table::TDATA0 + 1].map(|n| csr.peek(n, &Now::default())),
        [Some(0), Some(1), Some(0)]
    );
}
