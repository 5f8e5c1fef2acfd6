//! The CSR table: one line a register. Numbers, names, fields, access gates, legal values, state, snapshot order and
//! documentation all come from it. How to add a register is in CONTRIBUTING.
//!
//! Three kinds of lines:
//! - `own`: a register with 64 bits of state of its own, a public field of [`Csrs`];
//! - `view`: a window on other registers or on the counters, whose reads and writes are arms in `view.rs`;
//! - `array`: a run of numbered views (`pmpaddr0`...).

#[macro_use]
mod declare;
mod list;

pub use list::*;

use crate::access::{Denied, Effects};
use crate::isa::Isa;
use crate::mode::Mode;

/// A field of a register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    /// The manual's name.
    pub name: &'static str,
    /// Highest bit.
    pub hi: u8,
    /// Lowest bit.
    pub lo: u8,
    /// What it says.
    pub doc: &'static str,
}

impl Field {
    /// The field's bits in place.
    pub const fn mask(&self) -> u64 {
        (u64::MAX >> (63 - (self.hi - self.lo))) << self.lo
    }

    /// The field's value in `register`.
    pub const fn of(&self, register: u64) -> u64 {
        (register & self.mask()) >> self.lo
    }
}

/// The value of the field that `mask` is in place.
#[inline(always)]
pub const fn get(register: u64, mask: u64) -> u64 {
    (register & mask) >> mask.trailing_zeros()
}

/// A value in the place of the field that `mask` is.
#[inline(always)]
pub const fn put(value: u64, mask: u64) -> u64 {
    value << mask.trailing_zeros() & mask
}

/// What a write to an `own` register keeps.
#[derive(Clone, Copy)]
pub enum Rule {
    /// All 64 bits.
    Any,
    /// These bits; the others stay as they are.
    Mask(u64),
    /// Nothing: writes are ignored.
    Fixed,
    /// The legal value made of the state, the value before and the value written.
    Warl(fn(&Csrs, u64, u64) -> u64),
}

/// A condition on accesses besides privilege. "Closed by M" is an illegal-instruction exception in every mode below M,
/// "closed by the hypervisor" a virtual-instruction exception with V=1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gate {
    /// FS=Off in mstatus, or with V=1 in vsstatus, is illegal in every mode (Privileged ISA, "Extension Context Status").
    Fs,
    /// A counter, by its bit of mcounteren, hcounteren and scounteren.
    Counter(u8),
    /// satp: mstatus.TVM closes it to HS, hstatus.VTVM to VS.
    Tvm,
    /// hgatp: mstatus.TVM closes it to HS.
    Gtvm,
    /// stimecmp and vstimecmp: mcounteren.TM and menvcfg.STCE, hcounteren.TM and henvcfg.STCE.
    Stce,
    /// ssp: SSE of menvcfg, henvcfg and senvcfg.
    Ssp,
    /// A bit of mstateen0 and of hstateen0.
    StateEn0(u8),
    /// A register that only harts without S-mode have.
    WithoutS,
    /// Bit 63 of `mstateenN` and `hstateenN`.
    StateEn(u8),
    /// sireg to sireg6, by number: what siselect, or with V=1 vsiselect, selects.
    Sireg(u8),
    /// mireg to mireg6 and vsireg to vsireg6: none of this hart's extensions has anything there.
    Mireg,
    /// menvcfg.CDE, and never in a virtual machine.
    Cde,
    /// scountovf: with menvcfg.CDE not in a virtual machine.
    Overflows,
}

impl Rule {
    /// The rule in words.
    pub fn text(&self) -> String {
        match self {
            Rule::Any => "keeps every bit that is written".to_owned(),
            Rule::Mask(mask) => format!("keeps the bits {mask:#x} of what is written; the others stay"),
            Rule::Fixed => "ignores writes".to_owned(),
            Rule::Warl(_) => "is WARL: of what is written it keeps what is legal, by field".to_owned(),
        }
    }
}

impl Gate {
    /// The condition in words, with its clause.
    pub fn text(&self) -> String {
        match self {
            Gate::Fs => "illegal while FS is Off (Privileged ISA, \"Extension Context Status\")".to_owned(),
            Gate::Counter(bit) => {
                format!("below M by bit {bit} of mcounteren, hcounteren and scounteren (Privileged ISA, \"Counter-Enable\")")
            }
            Gate::Tvm => {
                "closed to HS by mstatus.TVM, to VS by hstatus.VTVM (Privileged ISA, \"Virtualization Support\")".to_owned()
            }
            Gate::Gtvm => "closed to HS by mstatus.TVM (Hypervisor, \"hgatp\")".to_owned(),
            Gate::Stce => {
                "below M by mcounteren.TM and menvcfg.STCE, in VS also hcounteren.TM and henvcfg.STCE (Sstc)".to_owned()
            }
            Gate::Ssp => "below M by SSE of menvcfg, henvcfg and senvcfg (Zicfiss)".to_owned(),
            Gate::StateEn0(bit) => format!("below M by bit {bit} of mstateen0 and hstateen0 (Smstateen)"),
            Gate::WithoutS => "exists only without S-mode (Debug, \"Native Triggers\")".to_owned(),
            Gate::StateEn(n) => format!("below M by bit 63 of mstateen{n} and hstateen{n} (Smstateen)"),
            Gate::Sireg(i) => format!(
                "part {i} of what siselect, in VS vsiselect, selects: a counter that mcounteren delegates while menvcfg.CDE is set (Smcdeleg, \"Counter Delegation\")"
            ),
            Gate::Mireg => "illegal: no extension of this hart has a register there (Smcsrind)".to_owned(),
            Gate::Cde => {
                "illegal while menvcfg.CDE is clear, otherwise closed to VS and VU (Smcdeleg, \"scountinhibit\")".to_owned()
            }
            Gate::Overflows => "closed to VS and VU while menvcfg.CDE is set (Smcdeleg, \"Virtualizing scountovf\")".to_owned(),
        }
    }
}

/// Where a register's value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A register of its own.
    Own(Reg),
    /// A view (`view.rs`), with its index in the run, 0 for a single one.
    View(View, u8),
}

/// One declared CSR.
pub struct Decl {
    /// The 12-bit number.
    pub number: u16,
    /// The manual's name.
    pub name: &'static str,
    /// Extensions without which the register does not exist.
    pub needs: Isa,
    /// Extensions that bring it as well, without those above; empty: there are none.
    pub or: Isa,
    /// Conditions on accesses besides privilege.
    pub gates: &'static [Gate],
    /// Where its value is.
    pub place: Place,
    /// What a write keeps (views have their own rules).
    pub rule: Rule,
    /// What the machine must look at after a write that changed the value.
    pub effects: Effects,
    /// Table index of the register that takes its place when V=1 (`sepc`: `vsepc`), or its own index.
    pub virt: u16,
    /// The fields, highest first. Empty when the register is one number.
    pub fields: &'static [Field],
    /// What it is, with the clause.
    pub doc: &'static str,
}

impl Decl {
    /// Lowest privilege that may access it: 0 user, 1 supervisor, 2 hypervisor, 3 machine (Privileged ISA, "CSR Address
    /// Mapping Conventions").
    pub const fn level(&self) -> u8 {
        (self.number >> 8 & 3) as u8
    }

    /// Whether a hart with these extensions has it.
    #[inline(always)]
    pub const fn present(&self, isa: Isa) -> bool {
        isa.contains(self.needs) || self.or.0 != 0 && isa.contains(self.or)
    }

    /// Whether the number says read-only.
    pub const fn read_only(&self) -> bool {
        self.number >> 10 == 3
    }
}

/// Table index plus one by number; 0 where there is no register.
static INDEX: [u16; 4096] = index();

const fn index() -> [u16; 4096] {
    let mut index = [0; 4096];
    let mut i = 0;
    while i < TABLE.len() {
        // Two lines with one number stop the build.
        assert!(index[TABLE[i].number as usize] == 0, "CSR number declared twice");
        index[TABLE[i].number as usize] = i as u16 + 1;
        i += 1;
    }
    index
}

/// The line of a number, whether or not a particular hart has the register.
#[inline(always)]
pub fn find(csr: u16) -> Option<&'static Decl> {
    let at = INDEX[csr as usize & 0xfff];
    if at == 0 { None } else { Some(&TABLE[at as usize - 1]) }
}

/// Every declared CSR, in table order (the order of snapshots and documentation).
pub fn all() -> impl Iterator<Item = &'static Decl> {
    TABLE.iter()
}

/// The name of a number.
pub fn name(csr: u16) -> Option<&'static str> {
    find(csr).map(|decl| decl.name)
}

/// The number of a name (lower case, as the manual writes it).
pub fn by_name(name: &str) -> Option<u16> {
    TABLE.iter().find(|decl| decl.name == name).map(|decl| decl.number)
}

/// The number of the register that takes this one's place when V=1 (`sepc`: `vsepc`), or the same number.
pub fn replaced(csr: u16) -> u16 {
    find(csr).map_or(csr, |decl| TABLE[decl.virt as usize].number)
}

/// The fields of a number, highest first; empty for an unknown number or a register that is one number.
pub fn fields(csr: u16) -> &'static [Field] {
    find(csr).map_or(&[], |decl| decl.fields)
}

impl Csrs {
    /// The line a CSR instruction in `mode` really accesses, or why it may not: existence, privilege, read-only numbers,
    /// the gates, and the substitution of VS registers when V=1.
    #[inline]
    pub(crate) fn resolve(&self, csr: u16, write: bool, mode: Mode) -> Result<&'static Decl, Denied> {
        let decl = find(csr).ok_or(Denied::Illegal)?;
        self.check_access(decl, write, mode)?;
        Ok(if mode.virt() { &TABLE[decl.virt as usize] } else { decl })
    }

    /// Whether this hart has the register at all.
    pub fn exists(&self, csr: u16) -> bool {
        find(csr).is_some_and(|decl| decl.present(self.isa))
    }
}
