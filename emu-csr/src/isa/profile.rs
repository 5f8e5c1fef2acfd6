//! Named sets of extensions (RISC-V Profiles).

use super::Ext::*;
use super::{Ext, Isa};

/// The names `-cpu` knows, with what they stand for.
pub const PROFILES: [(&str, &str); 4] = [
    ("rva22", "RVA22S64's mandatory extensions, with Sv48, Sv57, Svnapot, Sstc and Sscofpmf of its options; no H"),
    ("rva23h", "RVA23S64's mandatory extensions without V (and what needs it) and without pointer masking"),
    ("rv64gc", "RV64IMAFDC with Zicsr and Zifencei, machine, supervisor and user modes, Sv39: the smallest that boots Linux"),
    (
        "max",
        "everything this machine has that M-mode software need not know of: without smdbltrp, smrnmi, smcsrind and smcdeleg, and with A and D updated from the start: without svade",
    ),
];

/// RV64GC with three modes and Sv39.
const RV64GC: &[Ext] = &[I, M, A, F, D, C, S, U, Zicsr, Zifencei, Zicntr, Zca, Zcd, Svbare, Sv39, Svade];

/// RVA22U64 and RVA22S64, mandatory (Profiles, "RVA22 Profiles"), and the options that every S-mode OS looks for.
const RVA22: &[Ext] = &[
    Zihpm,
    Ziccif,
    Ziccrse,
    Ziccamoa,
    Zicclsm,
    Za64rs,
    Zihintpause,
    Zba,
    Zbb,
    Zbs,
    Zic64b,
    Zicbom,
    Zicbop,
    Zicboz,
    Zfhmin,
    Zkt,
    Ssccptr,
    Sstvecd,
    Sstvala,
    Sscounterenw,
    Svpbmt,
    Svinval,
    Svnapot,
    Sv48,
    Sv57,
    Sstc,
    Sscofpmf,
    Ssu64xl,
    Smepmp,
];

/// What RVA23U64 and RVA23S64 add (Profiles, "RVA23 Profiles"); Sha stands for the extensions that follow H.
const RVA23: &[Ext] = &[
    Zihintntl,
    Zicond,
    Zimop,
    Zcmop,
    Zcb,
    Zfa,
    Zawrs,
    H,
    Ssstateen,
    Smstateen,
    Shcounterenw,
    Shvstvala,
    Shtvala,
    Shvstvecd,
    Shvsatpa,
    Shgatpa,
    Smcntrpmf,
];

impl Isa {
    /// The set a profile name stands for.
    pub fn profile(name: &str) -> Option<Isa> {
        let base = Isa::of(RV64GC);
        let rva22 = Isa(base.0 | Isa::of(RVA22).0);
        match name {
            "rv64gc" => Some(base),
            "rva22" => Some(rva22),
            "rva23h" => Some(Isa(rva22.0 | Isa::of(RVA23).0)),
            "max" => Some(Isa::max()),
            _ => None,
        }
    }

    /// Everything this machine has, but for a few: the default. A and D are the hart's to set from the start: Svade beside Svadu would
    /// tell the supervisor that updating is off until it asks for it (device tree binding "riscv,isa-extensions"). Smdbltrp and Smrnmi
    /// change the state after reset (mstatus.MDT set, mnstatus.NMIE clear), so that M-mode software that does not know them can take
    /// no trap or no interrupt. Smcsrind and Smcdeleg, with what belongs to them, are there for those who ask: a supervisor that sees them
    /// leaves the counters' SBI calls aside.
    pub fn max() -> Isa {
        let asked = [Svade, Smdbltrp, Smrnmi, Smcsrind, Sscsrind, Smcdeleg, Ssccfg];
        asked.into_iter().fold(Isa::all(), Isa::without)
    }
}
