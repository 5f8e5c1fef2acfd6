//! What tdata1 of each trigger type says, and its legal values (Debug, "Sdtrig", "Trigger Module Registers").

use super::fields::{TYPE, icount, kind, kind_of, matching, mcontrol, mcontrol6, mode_bit, on_trap, textra};
use crate::csrs::Csrs;
use crate::isa::Ext;
use crate::mode::Mode;
use crate::table::{get, put};

/// tinfo: version 1, and the types above.
pub(crate) const TINFO: u64 = 1 << 24
    | 1 << kind::MCONTROL
    | 1 << kind::ICOUNT
    | 1 << kind::ITRIGGER
    | 1 << kind::ETRIGGER
    | 1 << kind::MCONTROL6
    | 1 << kind::DISABLED;

/// A disabled trigger.
pub(crate) const OFF: u64 = put(kind::DISABLED, TYPE);

/// The modes that a trigger is enabled in, a bit for each by its number.
pub(crate) fn modes(tdata1: u64) -> u8 {
    let kind = kind_of(tdata1);
    Mode::ALL.iter().filter(|&&m| tdata1 & mode_bit(kind, m) != 0).fold(0, |set, &m| set | 1 << m as u8)
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
        let (select, size) = match kind_of(tdata1) {
            kind::MCONTROL6 => (mcontrol6::SELECT, get(tdata1, mcontrol6::SIZE)),
            kind::MCONTROL => (mcontrol::SELECT, get(tdata1, mcontrol::SIZEHI) << 2 | get(tdata1, mcontrol::SIZELO)),
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
        let has = |bit: u64| tdata1 & bit != 0;
        Some(Match {
            execute: has(matching::EXECUTE),
            store: has(matching::STORE),
            load: has(matching::LOAD),
            data: has(select),
            size,
            compare: get(tdata1, matching::MATCH) as u8,
            chain: has(matching::CHAIN),
        })
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
        let have = |mode: Mode| match mode {
            Mode::M => true,
            Mode::HS => self.isa.has(Ext::S),
            Mode::U => self.isa.has(Ext::U),
            Mode::VS | Mode::VU => self.isa.has(Ext::H),
        };
        let modes = Mode::ALL.iter().filter(|&&m| have(m)).fold(0, |set, &m| set | mode_bit(kind, m));
        let compare = match get(new, matching::MATCH) {
            0..=5 | 8 | 9 | 12 | 13 => matching::MATCH,
            _ => 0,
        };
        // The last trigger has no next one.
        let chain = if index + 1 < super::TRIGGERS { matching::CHAIN } else { 0 };
        let both = modes | compare | chain | matching::EXECUTE | matching::STORE | matching::LOAD;
        let head = put(kind, TYPE);
        match kind {
            kind::MCONTROL6 => {
                use mcontrol6::{HIT0, HIT1, SELECT, SIZE};
                let size = if matches!(get(new, SIZE), 4 | 7) { 0 } else { SIZE };
                head | new & (both | HIT1 | HIT0 | SELECT | size)
            }
            kind::MCONTROL => {
                use mcontrol::{HIT, MASKMAX, SELECT, SIZEHI, SIZELO, TIMING};
                let size = if matches!(get(new, SIZEHI) << 2 | get(new, SIZELO), 0..=3 | 5 | 9) { SIZELO | SIZEHI } else { 0 };
                // Its timing is that of mcontrol6, and maskmax the whole of XLEN.
                let after = if new & SELECT != 0 && new & matching::LOAD != 0 { TIMING } else { 0 };
                head | MASKMAX | after | new & (both | size | HIT | SELECT)
            }
            kind::ICOUNT => head | new & (modes | icount::HIT | icount::COUNT | icount::PENDING),
            kind::ITRIGGER | kind::ETRIGGER => head | new & (modes | on_trap::HIT),
            _ => OFF,
        }
    }

    /// Whether a trigger of this hart would hold these values of tdata1 and tdata3 as they are, read-only fields aside. (The last one
    /// cannot chain.)
    pub fn takes_trigger(&self, tdata1: u64, tdata3: u64) -> bool {
        // maskmax and timing of the deprecated layout tell what the hart does.
        let fixed = if kind_of(tdata1) == kind::MCONTROL { mcontrol::MASKMAX | mcontrol::TIMING } else { 0 };
        self.isa.has(Ext::Sdtrig) && (self.legal_tdata1(0, tdata1) ^ tdata1) & !fixed == 0 && self.legal_tdata3(tdata3) == tdata3
    }

    /// The legal tdata3 (textra64).
    pub(crate) fn legal_tdata3(&self, new: u64) -> u64 {
        use textra::{MHSELECT, MHVALUE, SBYTEMASK, SSELECT, SVALUE};
        let mhselect = match (get(new, MHSELECT), self.isa.has(Ext::H)) {
            (0 | 4, _) | (1 | 2 | 5 | 6, true) => MHSELECT,
            _ => 0,
        };
        let sselect = if get(new, SSELECT) == 3 { 0 } else { SSELECT };
        let s = if self.isa.has(Ext::S) { SBYTEMASK | SVALUE | sselect } else { 0 };
        new & (MHVALUE | mhselect | s)
    }
}
