//! Runs of double-word loads or stores at one base register, as functions save and restore registers: one probe of the TLB and one
//! dispatch for all of them.
//!
//! Every instruction of a run keeps its own slot with a handler for the rest of the run, so a run that is not inside one page goes on
//! one by one.

use super::handlers::{Ld, St, go, one, reg, set};
use super::{Fast, handler};
use crate::insn::{Insn, i};

/// Number of instructions of a run, 2 or more.
trait Len {
    const N: usize;
}

struct N<const K: usize>;
impl<const K: usize> Len for N<K> {
    const N: usize = K;
}

handler! {
    /// `ld` times N.
    fn loads<L: Len>(c, ip, pc, fuel) {
        // SAFETY: the builder has made sure that N loads at one base follow each other, with offsets that rise or fall and differ by
        // multiples of 8: if the first is aligned and the last in the same page, then all are. The base is changed by the last at most.
        unsafe {
            let first = &*ip;
            let base = reg(c, first.rs1);
            let va = base.wrapping_add(first.imm as i64 as u64);
            let last = base.wrapping_add((*ip.add(L::N - 1)).imm as i64 as u64);
            let hit = (*(*c).tlb.data_bank).load_ptr::<8>(va);
            let (Some(p), true) = (hit, (va ^ last) >> 12 == 0) else { return one::<Ld<i::Ld>>(c, ip, pc, fuel) };
            for k in 0..L::N {
                let o = &*ip.add(k);
                let v = p.offset(o.imm as isize - first.imm as isize).cast::<u64>().read();
                set(c, o.rd, u64::from_le(v));
            }
            go!(c, ip.add(L::N), pc, fuel)
        }
    }
}

handler! {
    /// `sd` times N.
    fn stores<L: Len>(c, ip, pc, fuel) {
        // SAFETY: as for loads.
        unsafe {
            let first = &*ip;
            let base = reg(c, first.rs1);
            let va = base.wrapping_add(first.imm as i64 as u64);
            let last = base.wrapping_add((*ip.add(L::N - 1)).imm as i64 as u64);
            let hit = (*(*c).tlb.data_bank).store_ptr::<8>(va);
            let (Some(p), true) = (hit, (va ^ last) >> 12 == 0) else { return one::<St<i::Sd>>(c, ip, pc, fuel) };
            for k in 0..L::N {
                let o = &*ip.add(k);
                p.offset(o.imm as isize - first.imm as isize).cast::<u64>().write(reg(c, o.rs2).to_le());
            }
            go!(c, ip.add(L::N), pc, fuel)
        }
    }
}

/// Longest run that one handler serves.
const MOST: usize = 16;

/// Handlers of runs of 2 to [`MOST`].
macro_rules! lengths {
    ($f:ident) => {
        [
            $f::<N<2>>,
            $f::<N<3>>,
            $f::<N<4>>,
            $f::<N<5>>,
            $f::<N<6>>,
            $f::<N<7>>,
            $f::<N<8>>,
            $f::<N<9>>,
            $f::<N<10>>,
            $f::<N<11>>,
            $f::<N<12>>,
            $f::<N<13>>,
            $f::<N<14>>,
            $f::<N<15>>,
            $f::<N<16>>,
        ]
    };
}
static LOADS: [Fast; MOST - 1] = lengths!(loads);
static STORES: [Fast; MOST - 1] = lengths!(stores);

/// The handler for the run that starts with the first of `insns`, if there is one.
pub(super) fn run(insns: &[Insn]) -> Option<Fast> {
    let first = insns.first()?;
    let table = match first.def.name {
        "ld" => &LOADS,
        "sd" => &STORES,
        _ => return None,
    };
    let load = first.def.name == "ld";
    let mut n = 1;
    for pair in insns.windows(2).take(MOST - 1) {
        let (a, b) = (&pair[0], &pair[1]);
        // The second may be any instruction here, with an immediate of 32 bits.
        let way = insns[1].imm.wrapping_sub(first.imm).signum();
        let joins = std::ptr::eq(b.def, first.def)
            && b.rs1 == first.rs1
            && !(load && a.rd == first.rs1)
            && (b.imm - a.imm).signum() == way
            && (b.imm - a.imm) % 8 == 0;
        if !joins {
            break;
        }
        n += 1;
    }
    (n >= 2).then(|| table[n - 2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insn::Decoder;
    use emu_csr::Isa;

    #[test]
    fn a_load_before_an_instruction_with_a_large_immediate_is_no_run() {
        // ld a0, 8(a1); lui a0, 0x80000
        assert!(run(&decoded(&[0x0085_b503, 0x8000_0537])).is_none());
    }

    fn decoded(words: &[u32]) -> Vec<Insn> {
        let d = Decoder::new(Isa::max());
        words.iter().map(|w| d.decode(*w, 4)).collect()
    }

    fn ld(rd: u32, rs1: u32, imm: u32) -> u32 {
        imm << 20 | rs1 << 15 | 3 << 12 | rd << 7 | 0x03
    }

    fn sd(rs2: u32, rs1: u32, imm: u32) -> u32 {
        imm >> 5 << 25 | rs2 << 20 | rs1 << 15 | 3 << 12 | (imm & 31) << 7 | 0x23
    }

    /// Length of the run that a handler serves, if it is one.
    fn length(words: &[u32]) -> Option<usize> {
        let h = run(&decoded(words))? as usize;
        LOADS.iter().chain(&STORES).position(|f| *f as usize == h).map(|at| at % (MOST - 1) + 2)
    }

    #[test]
    fn a_run_ends_where_its_base_order_or_kind_changes() {
        assert_eq!(length(&[ld(1, 2, 40), ld(8, 2, 32), ld(9, 2, 24)]), Some(3));
        assert_eq!(length(&[sd(1, 2, 8), sd(8, 2, 16), sd(9, 2, 32), sd(9, 2, 24)]), Some(3));
        assert_eq!(length(&[sd(1, 2, 8), sd(8, 2, 16), sd(9, 3, 24)]), Some(2));
        assert_eq!(length(&[sd(1, 2, 8), ld(8, 2, 16)]), None);
        assert_eq!(length(&[sd(1, 2, 8), sd(8, 2, 20)]), None, "another alignment");
        assert_eq!(length(&[sd(1, 2, 8), sd(8, 2, 8), sd(9, 2, 8)]), Some(3), "the same place again");
    }

    #[test]
    fn a_load_of_the_base_is_the_last_of_a_run() {
        assert_eq!(length(&[ld(1, 2, 40), ld(2, 2, 32), ld(9, 2, 24)]), Some(2));
        assert_eq!(length(&[ld(2, 2, 40), ld(1, 2, 32)]), None);
    }

    #[test]
    fn long_runs_are_served_in_parts() {
        let words: Vec<u32> = (0..40).map(|k| sd(5, 2, k * 8)).collect();
        assert_eq!(length(&words), Some(MOST));
    }
}
