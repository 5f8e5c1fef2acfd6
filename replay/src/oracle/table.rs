//! The list of oracles: what each is called, which clause it holds a machine to, and the function that looks. Adding one adds a line.

use super::fact::{Fact, Out};
use super::world::World;
use super::{calls, context, delivery, safety, sources};

/// One oracle.
#[derive(Debug)]
pub struct Oracle {
    /// Its number: `E1`.
    pub id: &'static str,
    /// Its name: `context`.
    pub name: &'static str,
    /// The clause that it holds the machine to. SSE is "Supervisor Software Events Extension" of SBI 3.0.
    pub clause: &'static str,
    /// What it checks.
    pub checks: &'static str,
    /// Whether what it says is a warning, which changes no exit code and stops no run.
    pub advice: bool,
    /// Looks at one fact, before the model of the world takes it in.
    pub(super) look: fn(&World, &Fact<'_>, &mut Out<'_>),
}

/// What only a second execution can check: see `determinism` in the list.
fn second(_: &World, _: &Fact<'_>, _: &mut Out<'_>) {}

macro_rules! oracles {
    ($( $id:literal $name:literal $advice:literal $look:path, $clause:literal, $checks:literal; )+) => {
        /// Every oracle, in order.
        pub static ORACLES: &[Oracle] = &[$(
            Oracle { id: $id, name: $name, clause: $clause, checks: $checks, advice: $advice, look: $look },
        )+];
    };
}

oracles! {
    "E1" "context" false context::integrity, "SSE, Software Event Completion",
        "what complete brings back is what was interrupted, or what the handler chose: mode, V, pc, ELP, registers, CSRs of HS and VS";
    "E2" "entry" false context::entry, "SSE, Software Event Injection",
        "a handler starts with the registers that injection must set, and every other one as it was";
    "E3" "attributes" false context::attributes, "SSE, Software Event Attributes",
        "INTERRUPTED_SEPC, FLAGS, A6 and A7 are those of the interrupted context, change by write_attrs only, and are restored";
    "E4" "mask" false delivery::mask, "SSE, sbi_sse_hart_mask",
        "nothing is delivered on a masked hart, nor before the first unmask after boot";
    "E5" "lost" false delivery::lost, "SSE, Software Event States",
        "a signal of an enabled or running event stays pending until it is delivered, and is delivered when it can be";
    "E6" "target" false delivery::target, "SSE, Software Event Attributes",
        "a global event runs on one hart, the preferred one if that is ready; PREFERRED_HART is a hart's id";
    "E7" "priority" false delivery::priority, "SSE, Software Event Priority",
        "an event interrupts only handlers of lower priority, and none of higher priority waits meanwhile";
    "E8" "immutable" false calls::immutable, "SSE, Software Event Attributes",
        "attributes change in the states that allow it, read as they were written, and have zeros in reserved bits";
    "E9" "handler-traps" true context::handler_traps, "SSE, Software Event Completion",
        "a handler that took traps has put sstatus and hstatus back before it completes, and htval and htinst if its victim is about to read them (a warning)";
    "E10" "pmu" false sources::pmu, "SSE, Software Event Identification",
        "the counter-overflow interrupt is M-mode's while event 0x10000 is registered, enabled while the event can be taken, never lost";
    "E11" "double-trap" false sources::double_trap, "Privileged ISA, Double Trap; SSE, Software Event Identification",
        "a double trap of the supervisor is delivered as event 1, and never repeats without an instruction in between";
    "E12" "states" false calls::states, "SSE, Software Event States",
        "every transition is one of the text's, STATUS tells the state, and a source is on before its event is announced";
    "E13" "errors" false calls::errors, "SSE, the functions' error codes",
        "each call returns an error that the text gives for its arguments, and no other";
    "E14" "exclusive" false delivery::exclusive, "SSE, Software Event States",
        "an event is not delivered again before it completes";
    "E15" "lifecycle" false sources::lifecycle, "SBI 3.0, Hart State Management Extension",
        "a stopped hart runs no event; suspension leaves mideleg, mie.LCOFIE and mcountinhibit as they were";
    "E16" "stale-handler" false safety::stale_handler, "SSE, sbi_sse_register",
        "at delivery the handler's address still leads to the code that was registered";
    "E17" "liveness" false safety::liveness, "SBI 3.0, Binary Encoding",
        "every call ends: no endless wait for a lock, no walk of a cyclic list";
    "E18" "firmware" false safety::firmware, "SBI 3.0, Binary Encoding; SSE, sbi_sse_read_attrs",
        "M-mode takes no exception of its own while it answers, and writes no more of a buffer than it was given";
    "E19" "migrated" false calls::migrated, "SSE, sbi_sse_complete",
        "no handler completes on another hart than it began on";
    "E20" "virtualisation" false safety::virtualisation, "Privileged ISA, Hypervisor Extension, Trap Return",
        "a return to V=1 goes to a context that had V=1, not to code of the host";
    "E21" "stvec" false safety::vector, "Privileged ISA, Supervisor Trap Vector Base Address Register",
        "traps of a handler go to the vector of the kernel that registered it, or to one that the handler set";
    "E22" "determinism" false second, "docs/determinism.md",
        "a second execution is the same, instruction for instruction";
}

/// The oracle of a name or number, in any case of letters.
pub fn find(name: &str) -> Option<usize> {
    ORACLES.iter().position(|o| o.name.eq_ignore_ascii_case(name) || o.id.eq_ignore_ascii_case(name))
}
