//! PMP registers: locks, reserved encodings and Smepmp's rules (Privileged ISA, "Physical Memory Protection"; Smepmp).

mod common;

use common::{Random, now};
use emu_csr::{Csrs, Isa, table};
use proptest::prelude::*;

/// Whether pmpcfg and pmpaddr may be written, clause by clause.
fn locked(c: &Csrs, i: usize) -> bool {
    // "mseccfg.RLB: when 1, locked PMP rules may be removed or modified."
    c.pmpcfg[i] >> 7 == 1 && c.mseccfg >> 2 & 1 == 0
}

proptest! {
    #[test]
    fn entries_are_written_by_the_book(seed: u64) {
        let mut random = Random::new(seed);
        let mut csrs = Csrs::new(Isa::max(), 0);
        for _ in 0..60 {
            let before = csrs.clone();
            let value = random.value();
            match random.next() >> 62 {
                0 => {
                    let i = random.next() as usize >> 32 & 63;
                    csrs.poke(table::PMPADDR0 + i as u16, value, &now());
                    for k in 0..16 {
                        // "If PMP entry i is locked, writes to pmpcfg i and pmpaddr i are ignored. Additionally, if PMP
                        // entry i is locked and pmpcfg i.A is set to TOR, writes to pmpaddr i-1 are ignored."
                        let tor = k + 1 < 16 && locked(&before, k + 1) && before.pmpcfg[k + 1] >> 3 & 3 == 1;
                        let open = k == i && !locked(&before, k) && !tor;
                        prop_assert_eq!(csrs.pmpaddr[k], if open { value << 10 >> 10 } else { before.pmpaddr[k] });
                    }
                }
                1 | 2 => {
                    let even = random.next() as usize >> 32 & 7;
                    // Mostly unlocked, or everything is soon locked for good.
                    let value = if random.next() & 3 == 0 { value } else { value & 0x7f7f_7f7f_7f7f_7f7f };
                    csrs.poke(table::PMPCFG0 + 2 * even as u16, value, &now());
                    for k in 0..16 {
                        let old = before.pmpcfg[k];
                        let new = (value >> (8 * (k % 8))) as u8 & 0x9f;
                        let (r, w, x, l) = (new & 1 != 0, new & 2 != 0, new & 4 != 0, new >> 7 != 0);
                        let (mml, rlb) = (before.mseccfg & 1 != 0, before.mseccfg & 4 != 0);
                        let expected = if k / 8 != even || locked(&before, k) {
                            old
                        } else if !mml {
                            // "The combination R=0 and W=1 is reserved": it becomes no access.
                            if !r { new & !2 } else { new }
                        } else if l && !rlb && match (r, w, x) {
                            // The rows of the truth table that are locked and let M-mode execute, or share code.
                            (false, false, true) | (true, false, true) => true,
                            (false, true, _) => true,
                            _ => false,
                        } {
                            // "Adding a rule with executable privileges that either is M-mode-only or a locked
                            // Shared-Region is not possible and such pmpcfg writes are ignored."
                            old
                        } else {
                            new
                        };
                        prop_assert_eq!(csrs.pmpcfg[k], expected, "entry {}", k);
                    }
                }
                _ => {
                    csrs.poke(table::MSECCFG, value, &now());
                    let (old, new) = (before.mseccfg, csrs.mseccfg);
                    prop_assert_eq!(new & 3, (old | value) & 3, "MML and MMWP are sticky");
                    let any_locked = before.pmpcfg.iter().any(|cfg| cfg >> 7 == 1);
                    let rlb = if any_locked && old >> 2 & 1 == 0 { 0 } else { value >> 2 & 1 };
                    prop_assert_eq!((new & !(1 << 10)) >> 2, rlb, "RLB, and nothing above but MLPE");
                }
            }
        }
    }
}

#[test]
fn entries_beyond_sixteen_are_read_only_zero() {
    let mut csrs = Csrs::new(Isa::max(), 0);
    for csr in (table::PMPADDR0 + 16..=table::PMPADDR0 + 63).chain((4..16).step_by(2).map(|i| table::PMPCFG0 + i)) {
        csrs.poke(csr, u64::MAX, &now());
        assert_eq!(csrs.peek(csr, &now()), Some(0), "{:?}", table::name(csr));
    }
    assert_eq!(csrs.peek(table::PMPCFG0 + 1, &now()), None, "odd pmpcfg registers are RV32's");
}

#[test]
fn configuration_bytes_stand_in_order() {
    let mut csrs = Csrs::new(Isa::max(), 0);
    csrs.poke(table::PMPCFG0, 0x0000_0000_0000_0f1b, &now());
    csrs.poke(table::PMPCFG0 + 2, 0x9900_0000_0000_0000, &now());
    assert_eq!((csrs.pmpcfg[0], csrs.pmpcfg[1], csrs.pmpcfg[15]), (0x1b, 0x0f, 0x99));
    assert_eq!(csrs.peek(table::PMPCFG0, &now()), Some(0x0f1b));
}
