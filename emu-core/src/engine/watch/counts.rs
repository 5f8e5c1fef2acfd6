//! Which events an instruction is, as sets of [`Step::bit`]s. What each event means is said in emu-csr's table of events.

use emu_csr::events::Step::{self, *};
use emu_csr::{Exception, Mode, Trap};

use crate::hart::Hart;
use crate::insn::{Footprint, FootprintKind, Insn};
use crate::timing::TimingClass;

/// The bits of all events given.
macro_rules! set {
    ($($step:expr),*) => { 0 $(| Step::bit($step))* };
}

const CODE: (u64, u64) = (set![ItlbReadAccess], set![ItlbReadMiss, PageWalks]);
const READ: (u64, u64) = (set![DtlbReadAccess], set![DtlbReadMiss, PageWalks]);
const WRITE: (u64, u64) = (set![DtlbWriteAccess], set![DtlbWriteMiss, PageWalks]);

/// What has occurred in one instruction. An event occurs at most once in the instruction itself, and once in each page that it is
/// fetched from or accesses.
#[derive(Default)]
pub(super) struct Seen {
    /// The instruction itself.
    pub retired: u64,
    /// First and second page of code, first and second page of data.
    pub pages: [u64; 4],
}

/// One look-up in a counted TLB.
fn look_up(hart: &mut Hart, mode: Mode, va: u64, (access, miss): (u64, u64), fill: bool) -> u64 {
    if !hart.csr.counts_tlb() {
        return 0;
    }
    let tlbs = hart.counted.get_or_insert_default();
    match tlbs.look_up(&hart.csr, mode, va, access == CODE.0, fill) {
        None => 0,
        Some(true) => access,
        Some(false) => access | miss,
    }
}

/// An instruction of `len` bytes was fetched from `pc`.
pub(super) fn fetched(hart: &mut Hart, seen: &mut Seen, pc: u64, len: u8) {
    let last = pc.wrapping_add(u64::from(len) - 1);
    seen.pages[0] = look_up(hart, hart.mode, pc, CODE, true);
    if last >> 12 != pc >> 12 {
        seen.pages[1] = look_up(hart, hart.mode, last, CODE, true);
    }
}

/// The fetch raised `trap`.
pub(super) fn fetch_faulted(hart: &mut Hart, seen: &mut Seen, mode: Mode, trap: &Trap) {
    seen.pages[0] = look_up(hart, mode, trap.tval, CODE, false);
}

fn side(access: &Footprint) -> (u64, u64) {
    if access.store { WRITE } else { READ }
}

/// An access was made.
pub(super) fn accessed(hart: &mut Hart, seen: &mut Seen, access: &Footprint) {
    let last = access.va.wrapping_add(u64::from(access.size.max(1)) - 1);
    seen.pages[2] = look_up(hart, access.mode, access.va, side(access), true);
    if last >> 12 != access.va >> 12 {
        seen.pages[3] = look_up(hart, access.mode, last, side(access), true);
    }
    let misaligned = access.size != 0 && access.va & (u64::from(access.size) - 1) != 0;
    let kind = match access.kind {
        FootprintKind::Plain | FootprintKind::LoadReserved | FootprintKind::StoreConditional if access.load => {
            set![Loads] | if misaligned { set![MisalignedLoads] } else { 0 }
        }
        FootprintKind::Plain | FootprintKind::LoadReserved | FootprintKind::StoreConditional => {
            set![Stores] | if misaligned { set![MisalignedStores] } else { 0 }
        }
        FootprintKind::Amo => set![Amos],
        FootprintKind::Block => set![CacheBlocks],
    };
    let reserved = match access.kind {
        FootprintKind::LoadReserved => set![LoadReserved],
        FootprintKind::StoreConditional => set![StoreConditional],
        _ => 0,
    };
    seen.retired |= kind | reserved;
}

/// The access raised `trap`: the page that faulted was looked up, and is not put in.
pub(super) fn access_faulted(hart: &mut Hart, seen: &mut Seen, access: &Footprint, trap: &Trap) {
    use Exception::*;
    if matches!(
        trap.cause,
        LoadPageFault | StorePageFault | LoadGuestPageFault | StoreGuestPageFault | LoadAccessFault | StoreAccessFault
    ) {
        seen.pages[2] = look_up(hart, access.mode, trap.tval, side(access), false);
    }
}

/// x1 or x5, the link registers of the return-address stack hints (Unprivileged ISA, "JALR").
fn link(register: u8) -> bool {
    matches!(register, 1 | 5)
}

/// The instruction that was at `pc` has retired; `next_pc` says where it leads.
pub(super) fn retired(hart: &Hart, seen: &mut Seen, insn: &Insn, pc: u64) {
    use TimingClass::*;
    let class = match insn.def.class {
        Branch => {
            let taken = hart.next_pc != pc.wrapping_add(u64::from(insn.len));
            set![BranchInstructions, Branches] | if taken { set![TakenBranches] } else { 0 }
        }
        Jump => {
            let call = if link(insn.rd) { set![Calls] } else { 0 };
            // JALR's opcode; JAL has no rs1.
            let back = insn.wide & 0x7f == 0x67 && link(insn.rs1) && !link(insn.rd);
            set![BranchInstructions, Jumps] | call | if back { set![Returns] } else { 0 }
        }
        Mul => set![Multiplications],
        Div => set![Divisions],
        FpAdd | FpMul | FpFma | FpDiv | FpSqrt | FpCmp | FpCvt | FpMove => set![FpInstructions],
        Csr => set![CsrInstructions],
        Fence => set![Fences],
        System if matches!(insn.wide, 0x3020_0073 | 0x1020_0073 | 0x7020_0073) => set![TrapReturns],
        Alu | Load | Store | Amo | System | Cache => 0,
    };
    seen.retired |= class | if insn.len == 2 { set![Compressed] } else { 0 };
}
