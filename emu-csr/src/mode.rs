//! The five real privilege modes.

/// A hart's privilege mode with the virtualisation mode V folded in (Privileged ISA, "Privilege Levels" and
/// "Privilege Modes" of the hypervisor extension).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Mode {
    /// User mode, V=0.
    U = 0,
    /// Supervisor mode, V=0: S on a hart without the hypervisor extension, HS on one with it.
    HS = 1,
    /// Machine mode.
    M = 3,
    /// Virtual user mode, V=1.
    VU = 4,
    /// Virtual supervisor mode, V=1.
    VS = 5,
}

impl Mode {
    /// All five.
    pub const ALL: [Mode; 5] = [Mode::M, Mode::HS, Mode::U, Mode::VS, Mode::VU];

    /// V: true in VS and VU.
    #[inline(always)]
    pub const fn virt(self) -> bool {
        self as u8 & 4 != 0
    }

    /// The nominal privilege encoding used by xPP fields: 0 user, 1 supervisor, 3 machine.
    #[inline(always)]
    pub const fn level(self) -> u64 {
        self as u64 & 3
    }

    /// The mode of an xPP value and V. Level 2 (reserved) reads as U; M ignores V.
    pub const fn from_parts(level: u64, virt: bool) -> Mode {
        match (level & 3, virt) {
            (3, _) => Mode::M,
            (1, false) => Mode::HS,
            (1, true) => Mode::VS,
            (_, false) => Mode::U,
            (_, true) => Mode::VU,
        }
    }

    /// The manuals' name of the mode.
    pub const fn name(self) -> &'static str {
        match self {
            Mode::U => "U",
            Mode::HS => "HS",
            Mode::M => "M",
            Mode::VU => "VU",
            Mode::VS => "VS",
        }
    }
}
