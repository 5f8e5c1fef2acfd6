//! Policies: what implementations of the SBI do differently where its text is silent, ambiguous, or not followed. Each is one enum; a
//! profile is one value of each ([`super::PROFILES`]).

/// One policy of a profile, as listings show it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// What part of the text it settles.
    pub about: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it decides.
    pub doc: &'static str,
    /// The profile's choice.
    pub value: &'static str,
    /// What the choice means.
    pub meaning: &'static str,
}

/// Declares the policies: enums, the struct of all of them, and the listing, from one text.
macro_rules! policies {
    ($( $about:literal #[doc = $doc:literal] $field:ident: $name:ident { $( #[doc = $vdoc:literal] $variant:ident = $word:literal, )+ } )+) => {
        $(
            #[doc = $doc]
            #[derive(Clone, Copy, PartialEq, Eq, Debug)]
            pub enum $name {
                $( #[doc = $vdoc] $variant, )+
            }

            impl $name {
                /// Name and meaning of the choice.
                pub const fn text(self) -> (&'static str, &'static str) {
                    match self {
                        $( $name::$variant => ($word, $vdoc), )+
                    }
                }
            }
        )+

        /// One choice of every policy.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct Policies {
            $( #[doc = $doc] pub $field: $name, )+
        }

        impl Policies {
            /// The listing, in the order of the declaration.
            pub fn rows(&self) -> Vec<Row> {
                vec![$( {
                    let (value, meaning) = self.$field.text();
                    Row { about: $about, name: stringify!($field), doc: $doc.trim_ascii(), value, meaning: meaning.trim_ascii() }
                } ),+]
            }
        }
    };
}

policies! {
    "inject, steps 2.9"
    /// What injection writes to hstatus.SPV.
    spv: Spv {
        /// The interrupted V, as the text says.
        Interrupted = "interrupted",
        /// Set if the interrupted V was 1, otherwise left as it is: an event that interrupts HS-mode while SPV=1 resumes with V=1.
        OnlySet = "only-set",
    }
    "S7"
    /// What injection writes to hstatus.SPVP when SPV becomes 0.
    spvp: Spvp {
        /// Nothing.
        Left = "left",
        /// Zero.
        Cleared = "cleared",
    }
    "inject, step 2.7; S6"
    /// The landing-pad state (Zicfilp) around a handler.
    elp: Elp {
        /// Goes to sstatus.SPELP, is NO_LP_EXPECTED at the handler's entry, and comes back from SPELP at completion, which the text forgets to say.
        Carried = "carried",
        /// Stays where the trap put it: SPELP is 0 and the handler's first instruction must be a landing pad if one was expected.
        Lost = "lost",
    }
    "complete; S8"
    /// What completion restores the interrupted context from.
    resume: Resume {
        /// From sepc, sstatus and hstatus as the handler leaves them, and the event's attributes; GVA, htval and htinst stay as they are.
        Registers = "registers",
        /// hstatus, V, SIE, SPIE and SPP from a copy that firmware keeps hidden; pc and privilege from sepc and SPP.
        Private = "private",
    }
    "S1"
    /// Where attribute base+i lies in the buffer of read_attrs and write_attrs.
    buffer_layout: BufferLayout {
        /// At XLEN/8 * i: what the buffer's stated size allows and every implementation does.
        Packed = "packed",
        /// At XLEN/8 * (base+i): the letter of the text.
        ByAttribute = "by-attribute",
    }
    "S10"
    /// Order of a call's checks.
    check_order: CheckOrder {
        /// Event, then attribute range, then buffer or address; for an attribute read-only, then state, then value.
        EventFirst = "event-first",
        /// Count, range, buffer or address, then the event; the value of INTERRUPTED_FLAGS before its state.
        BufferFirst = "buffer-first",
    }
    "W7"
    /// How often write_attrs reads the caller's buffer.
    fetch: Fetch {
        /// Once: the values that were checked are the values that are written.
        Once = "once",
        /// Twice, to check and to write: another hart may change them in between.
        Twice = "twice",
    }
    "S15"
    /// How read_attrs sees an event that another hart is injecting.
    snapshot: Snapshot {
        /// All attributes at one moment.
        Whole = "whole",
        /// One after the other.
        Torn = "torn",
    }
    "register"
    /// What is asked of a handler's pc besides its alignment.
    handler_pc: HandlerPc {
        /// Nothing: it is a virtual address, and no error is listed for it.
        Unchecked = "unchecked",
        /// Read as a physical address it must not lie in memory that only M-mode may execute.
        Physical = "physical",
    }
    "S3"
    /// An event signalled while UNUSED or REGISTERED.
    early_signal: EarlySignal {
        /// Becomes pending and waits.
        Latched = "latched",
        /// Is refused with INVALID_STATE if the signal is this hart's own, dropped silently if it came from another.
        Refused = "refused",
    }
    "S4"
    /// What disable and unregister do to the pending bit.
    disable_pending: DisablePending {
        /// Nothing: it fires when the event is enabled again.
        Kept = "kept",
        /// Clear it.
        Cleared = "cleared",
    }
    "inject"
    /// The hart_id of an inject call for a global event.
    global_inject: GlobalInject {
        /// Ignored.
        Ignored = "hart-ignored",
        /// Must name a hart all the same.
        Checked = "hart-checked",
    }
    "W1, W3"
    /// How a signal reaches another hart.
    remote: Remote {
        /// The event becomes pending at once; an IPI makes the hart look.
        Direct = "direct",
        /// The event's id goes into the hart's queue, with an IPI; the hart makes it pending. A stopped hart is passed over silently.
        Queue = "queue",
    }
    "A.6; S13"
    /// Which hart takes a global event.
    routing: Routing {
        /// The one that was chosen, unless it has stopped; otherwise the boot hart if it is ready; otherwise the first that is ready.
        AnyReady = "any-ready",
        /// The preferred hart only, even if it has stopped.
        Preferred = "preferred",
    }
    "hart ids"
    /// How many bits of a hart id that a call names are compared.
    hart_id: HartIdWidth {
        /// All.
        Whole = "whole",
        /// The lower 32. PREFERRED_HART keeps all of them: the event of a longer id is never delivered.
        Low32 = "low32",
    }
    "IPI, RFENCE: hart_mask"
    /// A hart mask that names more than harts of the caller's domain that run or are suspended.
    hart_mask: HartMask {
        /// Is INVALID_PARAM if one of them is no hart of the domain; stopped harts are passed over.
        Available = "available",
        /// Is INVALID_PARAM, also for a hart that is stopped.
        Running = "running",
        /// Is cut down to the others.
        PassedOver = "passed-over",
    }
    "S5"
    /// The software events of a hart that stops and starts again.
    hart_stop: HartStop {
        /// As after boot: local events UNUSED with reset attributes, masked; a global event it runs is disabled.
        Reset = "reset",
        /// ENABLED and RUNNING events become UNUSED; REGISTERED ones, pending bits, attributes and the mask stay.
        Kept = "kept",
    }
    "N7"
    /// A double trap whose event cannot be taken now (masked, or an event of higher priority runs).
    double_trap: DoubleTrap {
        /// The hart stops for good, as it does when the event is not enabled.
        Halt = "halt",
        /// The event becomes pending and the hart returns to the instruction that traps: for ever.
        Retry = "retry",
    }
    "N6"
    /// The counter-overflow interrupt after a one-shot PMU event completes.
    pmu_one_shot: PmuOneShot {
        /// Off, as after disable.
        Off = "off",
        /// On again: the next overflow is taken in M-mode and lost.
        On = "on",
    }
    "N15"
    /// What disabling the PMU event does to an overflow that waits in mip.LCOFI.
    pmu_disable: PmuDisable {
        /// Nothing: it is delivered once the event is enabled again.
        Kept = "kept",
        /// Clears it: the sample is lost.
        Cleared = "cleared",
    }
    "RAS"
    /// The four RAS events.
    ras_events: RasEvents {
        /// Are there: machine and monitor can signal them.
        Offered = "offered",
        /// Are NOT_SUPPORTED, as no driver has added a source.
        Absent = "absent",
    }
    "PMU, FID 7"
    /// The snapshot shared memory of the PMU extension.
    pmu_snapshot: PmuSnapshot {
        /// Offered.
        Offered = "offered",
        /// Not supported.
        Absent = "absent",
    }
    "DBTR, FID 6 and 7"
    /// Enabling or disabling a debug trigger that is not installed, on which the tables of errors and kvm-unit-tests disagree.
    dbtr_enable: DbtrEnable {
        /// Is INVALID_PARAM, as the tables say.
        Refused = "refused",
        /// Does nothing and succeeds, as the tests expect.
        PassedOver = "passed-over",
    }
    "DBTR, Debug's native triggers"
    /// Where breakpoint exceptions go while a trigger is enabled for the supervisor; a hart fires none with interrupts off while they are delegated.
    breakpoints: Breakpoints {
        /// To M-mode, which hands them on: triggers fire wherever the supervisor asked for.
        Firmware = "firmware",
        /// To the supervisor, as ever.
        Delegated = "delegated",
    }
    "HSM, pending states"
    /// Whether a hart's change of state can be seen half done.
    hart_change: HartChange {
        /// No: it is one step.
        AtOnce = "at-once",
        /// Yes: START_PENDING, STOP_PENDING and SUSPEND_PENDING last until the operation's next step, in which other harts may run.
        Pending = "pending",
    }
    "RFENCE, SBI_ERR_INVALID_ADDRESS"
    /// A range of addresses that wraps around.
    fence_range: FenceRange {
        /// Is INVALID_ADDRESS.
        Checked = "checked",
        /// Is never looked at; so long a range is all addresses.
        Unchecked = "unchecked",
    }
    "SRST, CPPC: parameters of 32 bits"
    /// The upper halves of reset_type, reset_reason and cppc_reg_id.
    narrow: Narrow {
        /// Are not looked at: of data that is 32 bits wide only those are used.
        Low32 = "low32",
        /// Count: a value that does not fit is a reserved one.
        Whole = "whole",
    }
    "DBCN, base_addr_hi"
    /// A console buffer beyond the first 2^64 bytes.
    console_high: ConsoleHigh {
        /// Is INVALID_PARAM, as the tables of errors say.
        Invalid = "invalid",
        /// Is FAILED.
        Failed = "failed",
    }
    "SUSP"
    /// What a system suspend asks for first.
    suspend_order: SuspendOrder {
        /// A valid resume address, then that all other harts have stopped.
        AddressFirst = "address-first",
        /// That all other harts have stopped, then a valid resume address.
        HartsFirst = "harts-first",
    }
    "SUSP, CPPC"
    /// The two extensions that need a driver of the platform.
    platform_drivers: PlatformDrivers {
        /// Are there: this firmware is the driver.
        Present = "present",
        /// Are not, as on a board whose device tree names none.
        Absent = "absent",
    }
    "Legacy, sbi_clear_ipi"
    /// What it returns.
    clear_ipi: ClearIpi {
        /// 1 if an IPI had been pending, otherwise 0.
        Pending = "pending",
        /// 0.
        Zero = "zero",
    }
    "Legacy, hart_mask"
    /// A hart mask at address 0.
    null_mask: NullMask {
        /// Is read there like any other.
        Address = "address",
        /// Is all harts.
        AllHarts = "all-harts",
    }
    "Legacy, 0x09 to 0x0f"
    /// What a call of a reserved legacy extension returns.
    reserved_legacy: ReservedLegacy {
        /// NOT_SUPPORTED in a0 alone, as every legacy call.
        One = "a0-alone",
        /// NOT_SUPPORTED in a0 and 0 in a1, as every call that is not a legacy one.
        Pair = "a0-and-a1",
    }
    "M-mode, counters"
    /// A read of an hpmcounter on a hart that has only the mhpmcounter (no Zihpm).
    hpm_reads: HpmReads {
        /// Is carried out, as one of time, cycle or instret is.
        Emulated = "emulated",
        /// Is the supervisor's illegal instruction.
        Redirected = "redirected",
    }
    "M-mode, misaligned atomics"
    /// A misaligned atomic memory operation (LR and SC excepted, whose reservation must be aligned).
    misaligned_amo: MisalignedAmo {
        /// Is carried out: between two steps of the firmware no other hart runs.
        Emulated = "emulated",
        /// Is the supervisor's.
        Redirected = "redirected",
    }
    "B.3"
    /// The locks that operations of several harts contend for.
    locks: Locks {
        /// None: an operation's change of state is one step.
        None = "none",
        /// One for a global event and one for a hart's list of enabled events, taken and released in steps of their own.
        EventAndList = "event-and-list",
    }
    "S9"
    /// An event for a hart that waits (wfi, suspended).
    wake: Wake {
        /// Ends the wait and is delivered at once, with sepc behind the instruction that waited.
        AtOnce = "at-once",
    }
    "S11"
    /// sstatus.SPP and hstatus.SPV at completion.
    complete_mode: CompleteMode {
        /// Any combination: the handler may resume U, VU, HS or VS.
        Any = "any",
    }
    "S12"
    /// sstatus.SIE and sstatus.SDT both to be 1 at completion.
    sdt: Sdt {
        /// SIE becomes 0, as for any explicit write of sstatus that sets SDT.
        ClearsSie = "clears-sie",
    }
    "S14"
    /// The result of an ecall whose trap exit delivers an event.
    own_result: OwnResult {
        /// Is in a0 and a1 before the event is injected, and so part of the interrupted context.
        BeforeInjection = "before-injection",
    }
    "S2"
    /// STATUS of an event that was never used.
    status_reset: StatusReset {
        /// Zero but for the injectable bit, which is a property of the event.
        Injectable = "injectable",
    }
    "S16; Software Event"
    /// Global software events on a machine divided into domains.
    domains: DomainScope {
        /// Each domain has global events of its own, taken by its harts only: what one does with them no other sees.
        PerDomain = "per-domain",
        /// All domains share them, and a signal for a hart of another domain is left in that hart's queue without an IPI.
        Shared = "shared",
    }
}
