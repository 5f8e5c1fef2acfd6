//! Why a walk refused an access: the failing check, as the checks themselves report it.

/// The check of translation or protection that an access failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Upper bits of the virtual address are not copies of the highest translated one.
    NotCanonical,
    /// The guest physical address has more bits than hgatp's mode translates.
    GuestAddressTooWide,
    /// PMP forbids reading the page-table entry.
    PteRead,
    /// The page-table entry does not lie in RAM.
    PteNotRam,
    /// PMP forbids writing A and D into the entry.
    PteWrite,
    /// V=0.
    NotValid,
    /// R=0 and W=1 without shadow stacks.
    WriteWithoutRead,
    /// Reserved bits 60 to 54, or PBMT or N without their extension, are set.
    ReservedBits,
    /// D, A, U, N or PBMT are set in an entry that points to a table.
    TableBits,
    /// PBMT=3.
    ReservedPbmt,
    /// The entry of the last level points to a table.
    NoLeaf,
    /// N=1, and the entry is no 64 KiB page's.
    Napot,
    /// A superpage's lower physical page-number bits are not zero.
    MisalignedSuperpage,
    /// U=0 and the access is a user's.
    NotUser,
    /// U=1, the access is a supervisor's and SUM=0.
    UserWithoutSum,
    /// U=1 and a supervisor fetches.
    SupervisorFetchesUser,
    /// X=0 and the access fetches, or is HLVX.
    NotExecutable,
    /// R=0 (and X=0 or MXR=0) and the access loads.
    NotReadable,
    /// W=0 and the access stores.
    NotWritable,
    /// A shadow-stack page, and the access is neither a load nor a shadow-stack instruction's.
    ShadowPage,
    /// HLVX from a shadow-stack page.
    ShadowNotExecutable,
    /// A shadow-stack instruction on a read-only page.
    ShadowOnReadOnly,
    /// A shadow-stack instruction on any other page that is no shadow-stack page.
    ShadowElsewhere,
    /// A shadow-stack instruction in M-mode or without translation.
    ShadowUntranslated,
    /// A=0, and hardware does not set it.
    NotAccessed,
    /// D=0 and the access stores, and hardware does not set it.
    NotDirty,
    /// PMP forbids the access itself.
    Pmp,
    /// Neither RAM nor a device takes the access at its physical address.
    NothingThere,
}

impl Refusal {
    /// Every check.
    pub const ALL: [Refusal; 28] = [
        Refusal::NotCanonical,
        Refusal::GuestAddressTooWide,
        Refusal::PteRead,
        Refusal::PteNotRam,
        Refusal::PteWrite,
        Refusal::NotValid,
        Refusal::WriteWithoutRead,
        Refusal::ReservedBits,
        Refusal::TableBits,
        Refusal::ReservedPbmt,
        Refusal::NoLeaf,
        Refusal::Napot,
        Refusal::MisalignedSuperpage,
        Refusal::NotUser,
        Refusal::UserWithoutSum,
        Refusal::SupervisorFetchesUser,
        Refusal::NotExecutable,
        Refusal::NotReadable,
        Refusal::NotWritable,
        Refusal::ShadowPage,
        Refusal::ShadowNotExecutable,
        Refusal::ShadowOnReadOnly,
        Refusal::ShadowElsewhere,
        Refusal::ShadowUntranslated,
        Refusal::NotAccessed,
        Refusal::NotDirty,
        Refusal::Pmp,
        Refusal::NothingThere,
    ];

    /// What failed, in words.
    pub const fn text(self) -> &'static str {
        match self {
            Refusal::NotCanonical => "the address's upper bits are not copies of its highest translated bit",
            Refusal::GuestAddressTooWide => "the guest physical address has more bits than hgatp's mode translates",
            Refusal::PteRead => "PMP forbids reading the page-table entry",
            Refusal::PteNotRam => "the page-table entry does not lie in RAM",
            Refusal::PteWrite => "PMP forbids writing A and D into the page-table entry",
            Refusal::NotValid => "V=0: the entry is not valid",
            Refusal::WriteWithoutRead => "W=1 with R=0 is reserved",
            Refusal::ReservedBits => "reserved bits are set, or PBMT or N that are not enabled",
            Refusal::TableBits => "D, A, U, N or PBMT are set in an entry that points to a table",
            Refusal::ReservedPbmt => "PBMT=3 is reserved",
            Refusal::NoLeaf => "the last level's entry is no leaf (R=W=X=0)",
            Refusal::Napot => "N=1, but the entry is not that of a 64 KiB page",
            Refusal::MisalignedSuperpage => "a superpage whose lower page-number bits are not zero",
            Refusal::NotUser => "U=0: the page is no user page, and the access is made as user",
            Refusal::UserWithoutSum => "U=1 and SUM=0: a supervisor may not touch a user page",
            Refusal::SupervisorFetchesUser => "U=1: a supervisor never executes a user page",
            Refusal::NotExecutable => "X=0: the page is not executable",
            Refusal::NotReadable => "R=0: the page is not readable (nor executable with MXR=1)",
            Refusal::NotWritable => "W=0: the page is not writable",
            Refusal::ShadowPage => "the page is a shadow-stack page, which ordinary instructions may only load from",
            Refusal::ShadowNotExecutable => "X=0: the page is a shadow-stack page",
            Refusal::ShadowOnReadOnly => "a shadow-stack instruction, but the page is read-only",
            Refusal::ShadowElsewhere => "a shadow-stack instruction, but the page is no shadow-stack page",
            Refusal::ShadowUntranslated => "a shadow-stack instruction in M-mode or without translation",
            Refusal::NotAccessed => "A=0, and hardware does not set it (ADUE=0)",
            Refusal::NotDirty => "D=0 and the access stores, and hardware does not set it (ADUE=0)",
            Refusal::Pmp => "PMP forbids the access to the physical address",
            Refusal::NothingThere => "neither RAM nor a device takes this access at the physical address",
        }
    }

    /// The clause that says so.
    pub const fn clause(self) -> &'static str {
        const WALK: &str = "Privileged ISA, \"Virtual Address Translation Process\"";
        const SHADOW: &str = "Zicfiss, \"Shadow Stack Memory Protection\"";
        match self {
            Refusal::NotCanonical => "Privileged ISA, \"Addressing and Memory Protection\"",
            Refusal::GuestAddressTooWide => "Hypervisor, \"Guest Physical Address Translation\"",
            Refusal::PteRead | Refusal::PteWrite | Refusal::Pmp => "Privileged ISA, \"Physical Memory Protection\"",
            Refusal::PteNotRam | Refusal::NothingThere => "Privileged ISA, \"Physical Memory Attributes\"",
            Refusal::NotValid
            | Refusal::WriteWithoutRead
            | Refusal::ReservedBits
            | Refusal::TableBits
            | Refusal::NoLeaf
            | Refusal::MisalignedSuperpage
            | Refusal::NotUser
            | Refusal::NotExecutable
            | Refusal::NotReadable
            | Refusal::NotWritable => WALK,
            Refusal::ReservedPbmt => "Privileged ISA, \"Svpbmt\"",
            Refusal::Napot => "Privileged ISA, \"Svnapot\"",
            Refusal::UserWithoutSum | Refusal::SupervisorFetchesUser => {
                "Privileged ISA, \"Memory Privilege in mstatus Register\""
            }
            Refusal::ShadowPage
            | Refusal::ShadowNotExecutable
            | Refusal::ShadowOnReadOnly
            | Refusal::ShadowElsewhere
            | Refusal::ShadowUntranslated => SHADOW,
            Refusal::NotAccessed | Refusal::NotDirty => "Privileged ISA, \"Svade\" and \"Svadu\"",
        }
    }
}
