//! What tdata1 of each trigger type says, and its legal values (Debug, "Sdtrig", "Trigger Module Registers").

use crate::csrs::Csrs;
use crate::isa::Ext;
use crate::mode::Mode;

/// tdata1.type values that this hart's triggers can have.
pub(crate) mod kind {
    /// Address or data match, the deprecated layout.
    pub(crate) const MCONTROL: u64 = 2;
    /// Instruction count.
    pub(crate) const ICOUNT: u64 = 3;
    /// Interrupt.
    pub(crate) const ITRIGGER: u64 = 4;
    /// Exception.
    pub(crate) const ETRIGGER: u64 = 5;
    /// Address or data match.
    pub(crate) const MCONTROL6: u64 = 6;
    /// Disabled.
    pub(crate) const DISABLED: u64 = 15;
}

/// tinfo: version 1, and the types above.
pub(crate) const TINFO: u64 = 1 << 24
    | 1 << kind::MCONTROL
    | 1 << kind::ICOUNT
    | 1 << kind::ITRIGGER
    | 1 << kind::ETRIGGER
    | 1 << kind::MCONTROL6
    | 1 << kind::DISABLED;

/// A disabled trigger.
pub(crate) const OFF: u64 = kind::DISABLED << 60;

/// tdata1.type.
pub(crate) const fn kind_of(tdata1: u64) -> u64 {
    tdata1 >> 60
}

/// The bits of M, S, U, VS and VU in a type's tdata1, in this order.
const fn mode_bits(kind: u64) -> [u8; 5] {
    match kind {
        kind::MCONTROL6 => [6, 4, 3, 24, 23],
        kind::ICOUNT => [9, 7, 6, 26, 25],
        kind::ITRIGGER | kind::ETRIGGER => [9, 7, 6, 12, 11],
        // mcontrol has no bits for VS and VU: bit 63 stands for none.
        _ => [6, 4, 3, 63, 63],
    }
}

/// Place of a mode in [`mode_bits`], and its bit in sets of modes.
pub(crate) const fn mode_index(mode: Mode) -> usize {
    match mode {
        Mode::M => 0,
        Mode::HS => 1,
        Mode::U => 2,
        Mode::VS => 3,
        Mode::VU => 4,
    }
}

/// The modes that a trigger is enabled in, as a set by [`mode_index`].
pub(crate) fn modes(tdata1: u64) -> u8 {
    let kind = kind_of(tdata1);
    if matches!(kind, kind::MCONTROL | kind::MCONTROL6 | kind::ICOUNT | kind::ITRIGGER | kind::ETRIGGER) {
        let bits = mode_bits(kind);
        (0..5).filter(|&i| bits[i] != 63 && tdata1 >> bits[i] & 1 != 0).fold(0, |set, i| set | 1 << i)
    } else {
        0
    }
}

/// An address or data match, of either layout.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Match {
    /// Fires on execution.
    pub execute: bool,
    /// Fires on stores.
    pub store: bool,
    /// Fires on loads.
    pub load: bool,
    /// Compares the data or instruction, not the address.
    pub data: bool,
    /// Bytes of the access or instruction; 0 for any.
    pub size: u8,
    /// The kind of comparison.
    pub compare: u8,
    /// Only with the next trigger.
    pub chain: bool,
}

impl Match {
    /// What tdata1 says, if it is of such a type.
    pub(crate) fn of(tdata1: u64) -> Option<Match> {
        let (data, size) = match kind_of(tdata1) {
            kind::MCONTROL6 => (tdata1 >> 21 & 1 != 0, tdata1 >> 16 & 7),
            kind::MCONTROL => (tdata1 >> 19 & 1 != 0, tdata1 >> 16 & 3 | tdata1 >> 19 & 0xc),
            _ => return None,
        };
        let size = match (size, kind_of(tdata1)) {
            (1, _) => 1,
            (2, _) => 2,
            (3, _) => 4,
            (5, _) => 8,
            (6, kind::MCONTROL6) | (9, kind::MCONTROL) => 16,
            _ => 0,
        };
        let bit = |n: u32| tdata1 >> n & 1 != 0;
        let compare = (tdata1 >> 7 & 15) as u8;
        Some(Match { execute: bit(2), store: bit(1), load: bit(0), data, size, compare, chain: bit(11) })
    }

    /// Whether it fires after the instruction: what was loaded is known only then (Debug, table "Suggested Trigger Timings").
    pub(crate) fn after(&self) -> bool {
        self.data && self.load
    }

    /// Whether `value`, of which `bits` count, compares as asked with tdata2.
    pub(crate) fn compares(&self, value: u64, tdata2: u64, bits: u32) -> bool {
        let mask = if bits >= 64 { u64::MAX } else { (1 << bits) - 1 };
        let (value, t) = (value & mask, tdata2 & mask);
        let yes = match self.compare & 7 {
            1 => {
                let ones = (!tdata2).trailing_zeros();
                ones >= 63 || value >> (ones + 1) == t >> (ones + 1)
            }
            2 => value >= t,
            3 => value < t,
            4 => value & tdata2 >> 32 & 0xffff_ffff == tdata2 & 0xffff_ffff,
            5 => value >> 32 & tdata2 >> 32 == tdata2 & 0xffff_ffff,
            _ => value == t,
        };
        yes != (self.compare & 8 != 0)
    }

    /// Whether an address of `len` bytes from `va` compares as asked; "not" types ask that none matches the type they negate.
    pub(crate) fn any_address(&self, va: u64, len: u8, tdata2: u64) -> bool {
        let plain = Match { compare: self.compare & 7, ..*self };
        (0..u64::from(len)).any(|k| plain.compares(va.wrapping_add(k), tdata2, 64)) != (self.compare & 8 != 0)
    }
}

impl Csrs {
    /// The legal tdata1 that a write of `new` to trigger `index` makes. dmode and every action but 0 belong to external debuggers.
    pub(crate) fn legal_tdata1(&self, index: usize, new: u64) -> u64 {
        let kind = kind_of(new);
        let have = |i: usize| match i {
            0 => true,
            1 => self.isa.has(Ext::S),
            2 => self.isa.has(Ext::U),
            _ => self.isa.has(Ext::H),
        };
        let modes = || {
            let bits = mode_bits(kind);
            (0..5).filter(|&i| bits[i] != 63 && have(i)).fold(0, |set, i| set | 1u64 << bits[i])
        };
        let compare = |tdata1: u64| match tdata1 >> 7 & 15 {
            0..=5 | 8 | 9 | 12 | 13 => tdata1,
            _ => tdata1 & !(15 << 7),
        };
        // The last trigger has no next one.
        let chain = if index + 1 < super::TRIGGERS { 1 << 11 } else { 0 };
        let head = kind << 60;
        match kind {
            kind::MCONTROL6 => {
                let size = if new >> 16 & 7 == 4 || new >> 16 & 7 == 7 { 0 } else { 7 << 16 };
                compare(head | new & (modes() | 1 << 25 | 1 << 22 | 1 << 21 | size | chain | 15 << 7 | 7))
            }
            kind::MCONTROL => {
                let (low, high) = (new >> 16 & 3, new >> 21 & 3);
                let size = if matches!(high << 2 | low, 0..=3 | 5 | 9) { 3 << 16 | 3 << 21 } else { 0 };
                // Its timing is that of mcontrol6, and maskmax the whole of XLEN.
                let after = new >> 19 & 1 & new;
                let fixed = head | 63 << 53 | after << 18;
                compare(fixed | new & (modes() | size | 1 << 20 | 1 << 19 | chain | 15 << 7 | 7))
            }
            kind::ICOUNT => head | new & (modes() | 1 << 24 | 0x3fff << 10 | 1 << 8),
            kind::ITRIGGER | kind::ETRIGGER => head | new & (modes() | 1 << 58),
            _ => OFF,
        }
    }

    /// Whether a trigger of this hart would hold these values of tdata1 and tdata3 as they are, read-only fields aside. (The last one
    /// cannot chain.)
    pub fn takes_trigger(&self, tdata1: u64, tdata3: u64) -> bool {
        // maskmax and timing of the deprecated layout tell what the hart does.
        let fixed = if kind_of(tdata1) == kind::MCONTROL { 63 << 53 | 1 << 18 } else { 0 };
        self.isa.has(Ext::Sdtrig) && (self.legal_tdata1(0, tdata1) ^ tdata1) & !fixed == 0 && self.legal_tdata3(tdata3) == tdata3
    }

    /// The legal tdata3 (textra64).
    pub(crate) fn legal_tdata3(&self, new: u64) -> u64 {
        let mhselect = match (new >> 48 & 7, self.isa.has(Ext::H)) {
            (0 | 4, _) | (1 | 2 | 5 | 6, true) => 7 << 48,
            _ => 0,
        };
        let sselect = if new & 3 == 3 { 0 } else { 3 };
        let s = if self.isa.has(Ext::S) { 15 << 36 | 0xffff_ffff << 2 | sselect } else { 0 };
        new & (0x1fff << 51 | mhselect | s)
    }
}
