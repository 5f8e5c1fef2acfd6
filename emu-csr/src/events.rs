//! What programmable counters can count: one table line an event, from which selectors, names and documentation come.
//!
//! The selector is the number in mhpmevent's low 56 bits. Events that the SBI names have its event_idx as their selector, as
//! SBI ("PMU Extension", "Event: Hardware general events", "Event: Hardware cache events") recommends; the machine's own have
//! selectors from 0x100 on.

use crate::mode::Mode;
use crate::trap::Cause;

/// What a counter counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// Nothing: selector 0, or one this machine does not know.
    None,
    /// A clock that always runs: clock cycles.
    Cycles,
    /// A clock that always runs: instructions retired.
    Instructions,
    /// Something an instruction did, which only an engine that looks at each one sees.
    Step(Step),
    /// Something about a trap that the hart took.
    Trap(TrapEvent),
}

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub struct EventInfo {
    /// mhpmevent's value.
    pub selector: u64,
    /// The event.
    pub event: Event,
    /// Its name, in words.
    pub name: &'static str,
    /// Exactly what it counts.
    pub doc: &'static str,
}

/// Kinds of traps that can be counted. A trap counts in the mode in which it was raised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // the table says what they are
pub enum TrapEvent {
    Any,
    Exceptions,
    Interrupts,
    ToM,
    ToHs,
    ToVs,
    PageFaults,
    GuestPageFaults,
    AccessFaults,
    Misaligned,
    Ecalls,
    Exception(u8),
    Interrupt(u8),
}

/// Selector of exception code 0; add the code.
pub const EXCEPTION_SELECTOR: u64 = 0x200;
/// Selector of interrupt code 0; add the code.
pub const INTERRUPT_SELECTOR: u64 = 0x240;

macro_rules! events {
    (
        clocks { $($cev:ident $csel:literal $cname:literal $cdoc:literal;)* }
        steps { $($step:ident $ssel:literal $sname:literal $sdoc:literal;)* }
        traps { $($trap:ident $tsel:literal $tname:literal $tdoc:literal;)* }
    ) => {
        /// Events of single instructions; the number is the event's bit in the sets that [`crate::Csrs::count_step`] takes.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Step { $(#[doc = $sdoc] $step,)* }

        /// Every event that has a line of its own; traps by cause have a selector for each code besides.
        pub static EVENTS: &[EventInfo] = &[
            $(EventInfo { selector: $csel, event: Event::$cev, name: $cname, doc: $cdoc },)*
            $(EventInfo { selector: $ssel, event: Event::Step(Step::$step), name: $sname, doc: $sdoc },)*
            $(EventInfo { selector: $tsel, event: Event::Trap(TrapEvent::$trap), name: $tname, doc: $tdoc },)*
        ];

        impl Event {
            /// The event of a selector (mhpmevent's low 56 bits).
            pub const fn of_selector(selector: u64) -> Event {
                match selector {
                    $($csel => Event::$cev,)*
                    $($ssel => Event::Step(Step::$step),)*
                    $($tsel => Event::Trap(TrapEvent::$trap),)*
                    0x200..=0x23f => Event::Trap(TrapEvent::Exception((selector & 63) as u8)),
                    0x240..=0x27f => Event::Trap(TrapEvent::Interrupt((selector & 63) as u8)),
                    _ => Event::None,
                }
            }
        }
    };
}

events! {
    clocks {
        Cycles 0x1 "cycles" "Clock cycles, including those spent waiting in WFI.";
        Instructions 0x2 "instructions" "Instructions retired.";
        Cycles 0xa "reference cycles" "As cycles: the clock has one frequency.";
    }
    steps {
        BranchInstructions 0x5 "branch instructions" "Conditional branches, JAL and JALR retired.";
        DtlbReadAccess 0x10018 "data TLB read accesses" "Pages that loads (LR, HLV) looked up in the counted data TLB.";
        DtlbReadMiss 0x10019 "data TLB read misses" "Of these, those that were not in it: each is a page walk.";
        DtlbWriteAccess 0x1001a "data TLB write accesses" "Pages that stores, SC, AMOs, HSV and cache-block instructions looked up.";
        DtlbWriteMiss 0x1001b "data TLB write misses" "Of these, those that were not in it: each is a page walk.";
        ItlbReadAccess 0x10020 "instruction TLB accesses" "Pages that instruction fetches looked up in the counted instruction TLB.";
        ItlbReadMiss 0x10021 "instruction TLB misses" "Of these, those that were not in it: each is a page walk.";
        Loads 0x100 "loads" "Loads retired: integer, floating-point, LR, HLV and HLVX.";
        Stores 0x101 "stores" "Stores retired: integer, floating-point, SC whether or not it stored, HSV.";
        Amos 0x102 "AMOs" "AMO and AMOCAS instructions retired.";
        Branches 0x103 "conditional branches" "Conditional branches retired.";
        TakenBranches 0x104 "taken conditional branches" "Conditional branches retired whose condition held.";
        Jumps 0x105 "jumps" "JAL and JALR retired.";
        Calls 0x106 "calls" "Of the jumps, those that write x1 or x5.";
        Returns 0x107 "returns" "JALR from x1 or x5 that writes neither.";
        CsrInstructions 0x108 "CSR instructions" "Zicsr instructions retired.";
        Fences 0x109 "fences" "Memory, instruction and address-translation fences retired.";
        FpInstructions 0x10a "floating-point instructions" "Floating-point computations, comparisons, conversions and moves retired (not loads and stores).";
        Multiplications 0x10b "multiplications" "Integer multiplications retired.";
        Divisions 0x10c "divisions" "Integer divisions and remainders retired.";
        Compressed 0x10d "compressed instructions" "Instructions of 16 bits retired.";
        MisalignedLoads 0x10e "misaligned loads" "Loads retired whose address is no multiple of their size.";
        MisalignedStores 0x10f "misaligned stores" "Stores retired whose address is no multiple of their size.";
        CacheBlocks 0x110 "cache-block operations" "CBO instructions retired.";
        TrapReturns 0x111 "trap returns" "MRET, SRET and MNRET retired, in the mode they leave.";
        LoadReserved 0x112 "load-reserved" "LR retired.";
        StoreConditional 0x113 "store-conditional" "SC retired, successful or not.";
        PageWalks 0x114 "page walks" "Misses of the counted instruction and data TLBs.";
    }
    traps {
        Any 0x140 "traps" "Traps taken, exceptions and interrupts, to any mode.";
        Exceptions 0x141 "exceptions" "Exceptions taken.";
        Interrupts 0x142 "interrupts" "Interrupts taken.";
        ToM 0x143 "traps to M" "Traps that M-mode took.";
        ToHs 0x144 "traps to HS" "Traps that S-mode (HS-mode) took.";
        ToVs 0x145 "traps to VS" "Traps that VS-mode took.";
        PageFaults 0x146 "page faults" "Instruction, load and store page faults (12, 13, 15).";
        GuestPageFaults 0x147 "guest-page faults" "Instruction, load and store guest-page faults (20, 21, 23).";
        AccessFaults 0x148 "access faults" "Instruction, load and store access faults (1, 5, 7).";
        Misaligned 0x149 "misaligned traps" "Address-misaligned exceptions (0, 4, 6).";
        Ecalls 0x14a "environment calls" "Environment calls from any mode (8 to 11).";
    }
}

impl Step {
    /// Its bit in a set.
    pub const fn bit(self) -> u64 {
        1 << self as u8
    }

    /// Whether it is one of the counted TLBs' events, so that these must be kept.
    pub const fn of_tlb(self) -> bool {
        matches!(
            self,
            Step::DtlbReadAccess
                | Step::DtlbReadMiss
                | Step::DtlbWriteAccess
                | Step::DtlbWriteMiss
                | Step::ItlbReadAccess
                | Step::ItlbReadMiss
                | Step::PageWalks
        )
    }
}

impl TrapEvent {
    /// Whether a trap of `cause` that `to` takes is counted.
    pub fn counts(self, cause: Cause, to: Mode) -> bool {
        let (exception, code) = match cause {
            Cause::Exception(e) => (true, e as u8),
            Cause::Interrupt(i) => (false, i as u8),
        };
        match self {
            TrapEvent::Any => true,
            TrapEvent::Exceptions => exception,
            TrapEvent::Interrupts => !exception,
            TrapEvent::ToM => to == Mode::M,
            TrapEvent::ToHs => to == Mode::HS,
            TrapEvent::ToVs => to == Mode::VS,
            TrapEvent::PageFaults => exception && matches!(code, 12 | 13 | 15),
            TrapEvent::GuestPageFaults => exception && matches!(code, 20 | 21 | 23),
            TrapEvent::AccessFaults => exception && matches!(code, 1 | 5 | 7),
            TrapEvent::Misaligned => exception && matches!(code, 0 | 4 | 6),
            TrapEvent::Ecalls => exception && matches!(code, 8..=11),
            TrapEvent::Exception(c) => exception && code == c,
            TrapEvent::Interrupt(c) => !exception && code == c,
        }
    }
}
