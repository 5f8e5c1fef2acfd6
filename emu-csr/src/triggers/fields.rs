//! The fields of tdata1 and tdata3, by trigger type (Debug 1.0, "Sdtrig", "Trigger Module Registers"). Each constant is the field's mask.

use crate::mode::Mode;
use crate::table::get;

/// tdata1.type.
pub const TYPE: u64 = 15 << 60;
/// tdata1.dmode: only Debug Mode may write the trigger.
pub const DMODE: u64 = 1 << 59;

/// tdata1.type values that this hart's triggers can have.
pub mod kind {
    /// Address or data match, the deprecated layout.
    pub const MCONTROL: u64 = 2;
    /// Instruction count.
    pub const ICOUNT: u64 = 3;
    /// Interrupt.
    pub const ITRIGGER: u64 = 4;
    /// Exception.
    pub const ETRIGGER: u64 = 5;
    /// Address or data match.
    pub const MCONTROL6: u64 = 6;
    /// External inputs; no trigger of this hart has any.
    pub const TMEXTTRIGGER: u64 = 7;
    /// Disabled.
    pub const DISABLED: u64 = 15;
}

/// tdata1 of both address and data match types, where their layouts agree.
#[allow(missing_docs)] // the manual's names
pub mod matching {
    pub const CHAIN: u64 = 1 << 11;
    pub const MATCH: u64 = 15 << 7;
    pub const M: u64 = 1 << 6;
    pub const S: u64 = 1 << 4;
    pub const U: u64 = 1 << 3;
    pub const EXECUTE: u64 = 1 << 2;
    pub const STORE: u64 = 1 << 1;
    pub const LOAD: u64 = 1 << 0;
}

/// tdata1 of type 2, besides [`matching`].
#[allow(missing_docs)] // the manual's names
pub mod mcontrol {
    pub const MASKMAX: u64 = 63 << 53;
    pub const SIZEHI: u64 = 3 << 21;
    pub const HIT: u64 = 1 << 20;
    pub const SELECT: u64 = 1 << 19;
    pub const TIMING: u64 = 1 << 18;
    pub const SIZELO: u64 = 3 << 16;
}

/// tdata1 of type 6, besides [`matching`].
#[allow(missing_docs)] // the manual's names
pub mod mcontrol6 {
    pub const HIT1: u64 = 1 << 25;
    pub const VS: u64 = 1 << 24;
    pub const VU: u64 = 1 << 23;
    pub const HIT0: u64 = 1 << 22;
    pub const SELECT: u64 = 1 << 21;
    pub const SIZE: u64 = 7 << 16;
}

/// tdata1 of type 3.
#[allow(missing_docs)] // the manual's names
pub mod icount {
    pub const VS: u64 = 1 << 26;
    pub const VU: u64 = 1 << 25;
    pub const HIT: u64 = 1 << 24;
    pub const COUNT: u64 = 0x3fff << 10;
    pub const M: u64 = 1 << 9;
    pub const PENDING: u64 = 1 << 8;
    pub const S: u64 = 1 << 7;
    pub const U: u64 = 1 << 6;
}

/// tdata1 of types 4 (itrigger) and 5 (etrigger).
#[allow(missing_docs)] // the manual's names
pub mod on_trap {
    pub const HIT: u64 = 1 << 58;
    pub const VS: u64 = 1 << 12;
    pub const VU: u64 = 1 << 11;
    pub const M: u64 = 1 << 9;
    pub const S: u64 = 1 << 7;
    pub const U: u64 = 1 << 6;
}

/// tdata3 of all types (textra64).
#[allow(missing_docs)] // the manual's names
pub mod textra {
    pub const MHVALUE: u64 = 0x1fff << 51;
    pub const MHSELECT: u64 = 7 << 48;
    pub const SBYTEMASK: u64 = 15 << 36;
    pub const SVALUE: u64 = 0xffff_ffff << 2;
    pub const SSELECT: u64 = 3;
}

/// tdata1.type.
pub const fn kind_of(tdata1: u64) -> u64 {
    get(tdata1, TYPE)
}

/// tdata1's bit that enables the trigger in a mode; 0 if its type has none.
pub const fn mode_bit(kind: u64, mode: Mode) -> u64 {
    match kind {
        kind::MCONTROL | kind::MCONTROL6 => match mode {
            Mode::M => matching::M,
            Mode::HS => matching::S,
            Mode::U => matching::U,
            // The deprecated layout does not know them.
            _ if kind == kind::MCONTROL => 0,
            Mode::VS => mcontrol6::VS,
            Mode::VU => mcontrol6::VU,
        },
        kind::ICOUNT => match mode {
            Mode::M => icount::M,
            Mode::HS => icount::S,
            Mode::U => icount::U,
            Mode::VS => icount::VS,
            Mode::VU => icount::VU,
        },
        kind::ITRIGGER | kind::ETRIGGER => match mode {
            Mode::M => on_trap::M,
            Mode::HS => on_trap::S,
            Mode::U => on_trap::U,
            Mode::VS => on_trap::VS,
            Mode::VU => on_trap::VU,
        },
        _ => 0,
    }
}
