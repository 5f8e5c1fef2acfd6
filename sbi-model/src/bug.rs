//! Defects that firmware has had or has, each a switch that brings it back (`--bug NAME`): the corpus that tests and searches must catch.

use crate::profile::policy::*;

/// What became of a defect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// OpenSBI has mended it in this commit.
    Fixed(&'static str),
    /// Present in OpenSBI 1.9.
    Open,
}

/// One defect.
#[derive(Debug)]
pub struct Bug {
    /// Its place in the table.
    pub id: BugId,
    /// What `--bug` calls it.
    pub name: &'static str,
    /// What became of it.
    pub status: Status,
    /// What one sees.
    pub symptom: &'static str,
    /// The shortest way to see it.
    pub scenario: &'static str,
    /// The policy it turns, if it is no more than that.
    apply: fn(&mut Policies),
}

/// Declares the table and the names of its lines.
macro_rules! bugs {
    ($( $id:ident $name:literal $status:expr, $symptom:literal, $scenario:literal $(, $apply:expr)?; )+) => {
        /// Names of the defects.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum BugId {
            $( #[doc = $symptom] $id, )+
        }

        /// Every defect, in the order of [`BugId`].
        pub static BUGS: &[Bug] = &[$(
            Bug {
                id: BugId::$id,
                name: $name,
                status: $status,
                symptom: $symptom,
                scenario: $scenario,
                apply: { #[allow(unused_mut, unused_assignments)] let mut f: fn(&mut Policies) = |_| {}; $( f = $apply; )? f },
            },
        )+];
    };
}

use Status::{Fixed, Open};

bugs! {
    StatusBits "status-bits" Fixed("6d5b2b9b"), "STATUS of a running event has every bit set but pending",
        "register, enable and inject an event; its handler reads STATUS";
    A6A7Swapped "a6-a7-swapped" Fixed("b47fcd01"), "a handler finds the hart id in a7 and its argument in a6",
        "inject any event";
    MaskCodes "mask-codes" Fixed("f354400e"), "a second mask says ALREADY_STARTED and a second unmask ALREADY_STOPPED",
        "mask twice, unmask twice";
    ExitLock "exit-lock" Fixed("533067d1"), "global events stay locked after a hart stops; the next call for one never returns",
        "hart 1 stops; hart 0 reads an attribute of a global event";
    ExitNull "exit-null" Fixed("37e1544a"), "a hart that stops on a platform without some event faults in M-mode",
        "hart_stop where a standard event is not supported";
    AttrsReadOnly "attrs-read-only" Fixed("ae5ef184"), "the INTERRUPTED attributes cannot be written",
        "a handler writes INTERRUPTED_SEPC";
    EnableAfterIpi "enable-after-ipi" Fixed("ce3c82cb"), "the IPI that announces a pending event goes out before its source is enabled",
        "enable a global event that is pending";
    PriorityTruncated "priority-truncated" Fixed("22ff7509"), "a priority of more than 32 bits is accepted and cut",
        "write 1 << 32 to PRIORITY";
    HandlerInFirmware "handler-in-firmware" Fixed("033104da"), "an event handler may lie in the firmware's own memory",
        "register with a pc in memory that only M-mode may use";
    QueueOverwrite "queue-overwrite" Fixed("94c3c53a"), "a signal that finds the other hart's queue full displaces an older one",
        "send more signals to a hart than it has events before it looks";
    HartIdAsIndex "hart-id-as-index" Fixed("d73a4c74"), "a global event is looked for on the hart whose index is the id of the right one",
        "harts 0 and 4; prefer hart 4 for a global event, enable and inject it";
    NoMask "no-mask" Fixed("b919daf4"), "events are delivered to harts that have not unmasked them",
        "register, enable and inject without unmask";
    DoubleTrapPanic "double-trap-panic" Fixed("b0a7e4b8"), "a double trap of the supervisor stops the hart although its event is enabled",
        "enable event 1; trap with sstatus.SDT=1";
    UnsupportedInvalid "unsupported-invalid" Fixed("ecab71e1"), "a standard event that the platform has not is INVALID_PARAM instead of NOT_SUPPORTED",
        "read STATUS of an event without a source";
    PmuWithoutOverflow "pmu-without-overflow" Fixed("5c7e2c83"), "the PMU event is offered on harts without a counter-overflow interrupt",
        "read STATUS of event 0x10000 on a hart without Sscofpmf";
    OldEventIds "old-event-ids" Fixed("601bea45"), "the low-priority RAS events are unknown",
        "read STATUS of events 0x100000 and 0x108000";
    ExitPrint "exit-print" Fixed("5dc7a6db"), "the firmware prints to the console while a hart stops",
        "hart_stop with an enabled event";
    RoBadRange "ro-bad-range" Fixed("1e7258d6"), "writing a read-only attribute is BAD_RANGE instead of DENIED",
        "write STATUS";
    SpelpLost "spelp-lost" Fixed("b4464b22"), "sstatus.SPELP of the interrupted context is lost",
        "interrupt a context with SPELP=1";
    SdtLost "sdt-lost" Fixed("3ac49712"), "handlers start with sstatus.SDT=0 and SDT of the interrupted context is lost",
        "interrupt a context with SDT=1";
    MidelegAtEnable "mideleg-at-enable" Fixed("b31a0a24"), "between register and enable an overflow goes to the supervisor as an interrupt",
        "register event 0x10000; overflow; enable";
    EnableClearsLcofi "enable-clears-lcofi" Fixed("f30a54f3"), "an overflow that waits when the PMU event is enabled is lost",
        "register event 0x10000; overflow; enable";
    SuspendMideleg "suspend-mideleg" Fixed("55135abc"), "after non-retentive suspend overflows are interrupts of the supervisor again",
        "register and enable event 0x10000; suspend and resume; overflow";
    ElpNotRedirected "elp-not-redirected" Fixed("c0804ed4"), "a trap that firmware hands to the supervisor meets the landing-pad state of the context it interrupts",
        "an access fault between an indirect jump and its landing pad, in U-mode";
    SuspendInhibits "suspend-inhibits" Fixed("1db95da2"), "after non-retentive suspend the counters that ran stand still",
        "start a counter; suspend and resume; read it twice";
    SelfIpi "self-ipi" Fixed("446fa65e"), "a hart that sends itself an IPI waits for it in M-mode for ever",
        "enable a pending global event on its preferred hart";
    SuspendLosesIpi "suspend-loses-ipi" Fixed("a25fc746"), "a signal for a hart that resumes from suspension is lost",
        "inject an event into a suspended hart";
    SpvNotCleared "spv-not-cleared" Open, "an event that interrupts HS-mode while hstatus.SPV=1 resumes with V=1",
        "set hstatus.SPV in HS-mode; inject an event whose handler only completes", |p| p.spv = Spv::OnlySet;
    ElpLost "elp-lost" Open, "the landing-pad state of the interrupted context meets the handler and is lost at completion",
        "interrupt HS-mode between an indirect jump and its landing pad", |p| p.elp = Elp::Lost;
    HartIdTruncated "hart-id-truncated" Open, "PREFERRED_HART accepts an id of more than 32 bits, and the event is never delivered",
        "write 1 << 32 to PREFERRED_HART; enable and inject",
        |p| { p.hart_id = HartIdWidth::Low32; p.routing = Routing::Preferred; };
    DoubleFetch "double-fetch" Open, "write_attrs reads its buffer again after checking it",
        "another hart changes the buffer between the two reads", |p| p.fetch = Fetch::Twice;
    RestartKeepsEvents "restart-keeps-events" Open, "a hart that stops and starts finds registered events, old pending bits and its mask off",
        "register an event; stop and start the hart; register it again", |p| p.hart_stop = HartStop::Kept;
    OneShotOverflow "one-shot-overflow" Open, "completing a one-shot PMU event turns the overflow interrupt on; the next sample is lost",
        "one-shot event 0x10000; overflow; complete; overflow", |p| p.pmu_one_shot = PmuOneShot::On;
    DoubleTrapRetry "double-trap-retry" Open, "a double trap while its event cannot be taken repeats for ever",
        "enable event 1; mask; trap with sstatus.SDT=1", |p| p.double_trap = DoubleTrap::Retry;
    EnableDeadlock "enable-deadlock" Open, "enabling a pending global event on its own hart, with a signal queued, waits for a lock it holds",
        "signal a disabled global event from another hart; enable it on its preferred hart before the IPI is taken",
        |p| { p.locks = Locks::EventAndList; p.remote = Remote::Queue; p.routing = Routing::Preferred; };
    StrandedPending "stranded-pending" Open, "a signal in flight to a hart becomes pending after the event was given to another, which is never told",
        "hart 0 signals hart 1; before hart 1 looks, the event is disabled, given to hart 0, and enabled",
        |p| { p.remote = Remote::Queue; p.routing = Routing::Preferred; };
    ListCycle "list-cycle" Open, "an event enabled again after its hart has stopped is linked twice; the next walk of the list never ends",
        "hart 1 stops with an enabled global event; hart 0 registers and enables it; it is looked for",
        |p| { p.hart_stop = HartStop::Kept; p.routing = Routing::Preferred; };
    GlobalInjectHart "global-inject-hart" Open, "injecting a global event checks the hart id that it should ignore",
        "inject event 0xffff8000 with a hart id that does not exist", |p| p.global_inject = GlobalInject::Checked;
    HandlerPcPhysical "handler-pc-physical" Open, "a handler's virtual pc is refused because of what lies at the same physical address",
        "register with a virtual pc that equals an address of the firmware's memory", |p| p.handler_pc = HandlerPc::Physical;
    RemoteInjectLost "remote-inject-lost" Open, "injecting a registered event into another hart returns success and is forgotten",
        "inject an event that hart 1 has registered and not enabled",
        |p| { p.remote = Remote::Queue; p.early_signal = EarlySignal::Refused; };
    DisableLosesOverflow "disable-loses-overflow" Open, "disabling the PMU event forgets an overflow that waits",
        "overflow while the event is being disabled; enable", |p| p.pmu_disable = PmuDisable::Cleared;
}

/// A set of defects.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Bugs(u64);

impl Bugs {
    /// None.
    pub const NONE: Bugs = Bugs(0);

    /// With one more.
    #[must_use]
    pub const fn with(self, id: BugId) -> Bugs {
        Bugs(self.0 | 1 << id as u8)
    }

    /// Whether one is among them.
    #[inline]
    pub const fn has(self, id: BugId) -> bool {
        self.0 >> id as u8 & 1 != 0
    }

    /// Those among them, in the table's order.
    pub fn iter(self) -> impl Iterator<Item = &'static Bug> {
        BUGS.iter().filter(move |b| self.has(b.id))
    }

    /// The policies with those turned that are policies.
    pub fn applied(self, mut policies: Policies) -> Policies {
        self.iter().for_each(|b| (b.apply)(&mut policies));
        policies
    }
}

impl Bug {
    /// The defect of a name.
    pub fn find(name: &str) -> Option<&'static Bug> {
        BUGS.iter().find(|b| b.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_the_set_holds_all() {
        assert!(BUGS.len() <= 64);
        for (i, b) in BUGS.iter().enumerate() {
            assert_eq!(b.id as usize, i);
            assert_eq!(Bug::find(b.name).map(|b| b.id), Some(b.id));
            let all = Bugs::NONE.with(b.id);
            assert_eq!(all.iter().map(|b| b.name).collect::<Vec<_>>(), [b.name]);
        }
    }
}
