//! Which extensions a hart has: one table line each, from which names, needs, misa and the device tree's string come.

mod parse;
mod profile;

pub use parse::IsaError;
pub use profile::PROFILES;

/// A set of extensions, one bit each ([`Ext`]).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Isa(pub u128);

/// What the table says of one extension.
#[derive(Clone, Copy, Debug)]
pub struct ExtInfo {
    /// The extension.
    pub ext: Ext,
    /// Its name in lower case, as ISA strings and `-cpu` write it.
    pub name: &'static str,
    /// Extensions that must be present with it.
    pub requires: &'static [Ext],
    /// Extensions it contains: switching it on switches them on.
    pub implies: &'static [Ext],
    /// Version (major, minor), as the manuals number it.
    pub version: (u8, u8),
    /// What it adds.
    pub doc: &'static str,
}

macro_rules! extensions {
    ($($ext:ident $name:literal ($major:literal $minor:literal) requires[$($req:ident)*] implies[$($imp:ident)*] $doc:literal;)*) => {
        /// An extension that can be switched (`-cpu NAME,feature=on|off`). The order is the order of the table.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Ext { $(#[doc = $doc] $ext,)* }

        /// Every known extension, in the canonical order of ISA strings (Unprivileged ISA, "ISA Extension Naming Conventions").
        pub static EXTENSIONS: &[ExtInfo] = &[$(ExtInfo {
            ext: Ext::$ext, name: $name, requires: &[$(Ext::$req),*], implies: &[$(Ext::$imp),*],
            version: ($major, $minor), doc: $doc,
        },)*];
    };
}

// Canonical order: single letters in the order i m a f d q l c b k j t p v h, then Z by the category letter that follows
// and then by name, then S by name. `S` and `U` are modes: they show in misa, not in the string.
extensions! {
    I "i" (2 1) requires[] implies[] "RV64I base integer instruction set";
    M "m" (2 0) requires[] implies[] "Integer multiplication and division";
    A "a" (2 1) requires[] implies[] "Atomic instructions (LR/SC and AMO)";
    F "f" (2 2) requires[Zicsr] implies[] "Single-precision floating point";
    D "d" (2 2) requires[F] implies[] "Double-precision floating point";
    C "c" (2 0) requires[] implies[Zca] "Compressed instructions";
    H "h" (1 0) requires[S] implies[] "Hypervisor";
    S "s" (1 13) requires[U Zicsr] implies[] "Supervisor mode";
    U "u" (1 13) requires[] implies[] "User mode";
    Zic64b "zic64b" (1 0) requires[] implies[] "Cache blocks of 64 bytes, naturally aligned";
    Zicbom "zicbom" (1 0) requires[] implies[] "Cache-block management instructions";
    Zicbop "zicbop" (1 0) requires[] implies[] "Cache-block prefetch hints";
    Zicboz "zicboz" (1 0) requires[] implies[] "Cache-block zero instruction";
    Ziccamoa "ziccamoa" (1 0) requires[A] implies[] "Main memory supports all AMOs";
    Ziccif "ziccif" (1 0) requires[] implies[] "Main memory supports atomic instruction fetch";
    Zicclsm "zicclsm" (1 0) requires[] implies[] "Main memory supports misaligned loads and stores";
    Ziccrse "ziccrse" (1 0) requires[A] implies[] "Main memory gives eventual success of LR/SC";
    Zicfilp "zicfilp" (1 0) requires[Zicsr] implies[] "Landing pads";
    Zicfiss "zicfiss" (1 0) requires[A S Zicsr Zimop] implies[] "Shadow stacks";
    Zicntr "zicntr" (2 0) requires[Zicsr] implies[] "Base counters and timers";
    Zicond "zicond" (1 0) requires[] implies[] "Integer conditional operations";
    Zicsr "zicsr" (2 0) requires[] implies[] "CSR instructions";
    Zifencei "zifencei" (2 0) requires[] implies[] "Instruction-fetch fence";
    Zihintntl "zihintntl" (1 0) requires[] implies[] "Non-temporal locality hints";
    Zihintpause "zihintpause" (2 0) requires[] implies[] "Pause hint";
    Zihpm "zihpm" (2 0) requires[Zicntr] implies[] "Hardware performance counters";
    Zimop "zimop" (1 0) requires[] implies[] "May-be-operations";
    Za64rs "za64rs" (1 0) requires[A] implies[] "Reservation sets of at most 64 bytes";
    Zabha "zabha" (1 0) requires[A] implies[] "Byte and halfword AMOs";
    Zacas "zacas" (1 0) requires[A] implies[] "Atomic compare-and-swap";
    Zawrs "zawrs" (1 0) requires[A] implies[] "Wait-on-reservation-set instructions";
    Zfa "zfa" (1 0) requires[F] implies[] "Additional floating-point instructions";
    Zfh "zfh" (1 0) requires[F] implies[Zfhmin] "Half-precision floating point";
    Zfhmin "zfhmin" (1 0) requires[F] implies[] "Half-precision transfers and conversions";
    Zca "zca" (1 0) requires[] implies[] "The C extension without floating-point loads and stores";
    Zcb "zcb" (1 0) requires[Zca] implies[] "Simple code-size instructions";
    Zcd "zcd" (1 0) requires[Zca D] implies[] "Compressed double-precision loads and stores";
    Zcmop "zcmop" (1 0) requires[Zca] implies[] "Compressed may-be-operations";
    Zba "zba" (1 0) requires[] implies[] "Address generation";
    Zbb "zbb" (1 0) requires[] implies[] "Basic bit manipulation";
    Zbc "zbc" (1 0) requires[] implies[] "Carry-less multiplication";
    Zbkb "zbkb" (1 0) requires[] implies[] "Bit manipulation for cryptography";
    Zbs "zbs" (1 0) requires[] implies[] "Single-bit instructions";
    Zkt "zkt" (1 0) requires[] implies[] "Data-independent execution latency";
    Sdtrig "sdtrig" (1 0) requires[Zicsr] implies[] "Debug triggers";
    Shcounterenw "shcounterenw" (1 0) requires[H Zihpm] implies[] "Every implemented counter can be enabled in hcounteren";
    Shgatpa "shgatpa" (1 0) requires[H] implies[] "hgatp supports SvNNx4 for each SvNN of satp, and Bare";
    Shtvala "shtvala" (1 0) requires[H] implies[] "htval holds the faulting guest physical address";
    Shvsatpa "shvsatpa" (1 0) requires[H] implies[] "vsatp supports all modes of satp";
    Shvstvala "shvstvala" (1 0) requires[H] implies[] "vstval is written as Sstvala says of stval";
    Shvstvecd "shvstvecd" (1 0) requires[H] implies[] "vstvec supports Direct with any aligned base";
    Smcdeleg "smcdeleg" (1 0) requires[Smcsrind Zihpm] implies[Ssccfg] "Counter delegation to supervisor mode";
    Smcntrpmf "smcntrpmf" (1 0) requires[Zicntr] implies[] "Privilege-mode filtering of cycle and instret";
    Smcsrind "smcsrind" (1 0) requires[S] implies[Sscsrind] "Indirect CSR access, machine level";
    Smdbltrp "smdbltrp" (1 0) requires[] implies[] "Double traps of machine mode";
    Smepmp "smepmp" (1 0) requires[] implies[] "PMP enhancements for M-mode";
    Smrnmi "smrnmi" (1 0) requires[] implies[] "Resumable non-maskable interrupts";
    Smstateen "smstateen" (1 0) requires[] implies[Ssstateen] "State enable registers, machine level";
    Ssccfg "ssccfg" (1 0) requires[Sscsrind Smcdeleg] implies[] "Configuration of delegated counters";
    Ssccptr "ssccptr" (1 0) requires[S] implies[] "Main memory supports hardware page-table reads";
    Sscofpmf "sscofpmf" (1 0) requires[S Zihpm] implies[] "Count overflow and mode-based filtering";
    Sscounterenw "sscounterenw" (1 0) requires[S Zihpm] implies[] "Every implemented counter can be enabled in scounteren";
    Sscsrind "sscsrind" (1 0) requires[S Smcsrind] implies[] "Indirect CSR access, supervisor level";
    Ssdbltrp "ssdbltrp" (1 0) requires[S] implies[] "Double traps below machine mode";
    Ssstateen "ssstateen" (1 0) requires[S Smstateen] implies[] "State enable registers, supervisor level";
    Sstc "sstc" (1 0) requires[S Zicntr] implies[] "Supervisor timer compare";
    Sstvala "sstvala" (1 0) requires[S] implies[] "stval is written with faulting addresses and instructions";
    Sstvecd "sstvecd" (1 0) requires[S] implies[] "stvec supports Direct with any aligned base";
    Ssu64xl "ssu64xl" (1 0) requires[S] implies[] "UXLEN of 64 is supported";
    Sv39 "sv39" (1 0) requires[S] implies[] "39-bit page-based virtual memory";
    Sv48 "sv48" (1 0) requires[Sv39] implies[] "48-bit page-based virtual memory";
    Sv57 "sv57" (1 0) requires[Sv48] implies[] "57-bit page-based virtual memory";
    Svade "svade" (1 0) requires[S] implies[] "A page fault when A or D must be set";
    Svadu "svadu" (1 0) requires[Sv39] implies[] "Hardware updating of A and D";
    Svbare "svbare" (1 0) requires[S] implies[] "satp mode Bare";
    Svinval "svinval" (1 0) requires[S] implies[] "Fine-grained translation-cache invalidation";
    Svnapot "svnapot" (1 0) requires[Sv39] implies[] "NAPOT translation contiguity";
    Svpbmt "svpbmt" (1 0) requires[Sv39] implies[] "Page-based memory types";
    Svvptc "svvptc" (1 0) requires[Sv39] implies[] "Valid PTEs become visible in bounded time";
}

impl Ext {
    /// The table's line of this extension.
    #[inline]
    pub fn info(self) -> &'static ExtInfo {
        &EXTENSIONS[self as usize]
    }

    /// The lower-case name.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// The extension of that lower-case name.
    pub fn by_name(name: &str) -> Option<Ext> {
        EXTENSIONS.iter().find(|info| info.name == name).map(|info| info.ext)
    }
}

impl Isa {
    /// The set of the listed extensions, without what they imply or need.
    pub const fn of(extensions: &[Ext]) -> Isa {
        let mut bits = 0;
        let mut i = 0;
        while i < extensions.len() {
            bits |= 1 << extensions[i] as u8;
            i += 1;
        }
        Isa(bits)
    }

    /// Whether the hart has `ext`.
    #[inline(always)]
    pub const fn has(self, ext: Ext) -> bool {
        self.0 >> ext as u8 & 1 != 0
    }

    /// Whether the hart has every extension of `other`.
    #[inline(always)]
    pub const fn contains(self, other: Isa) -> bool {
        other.0 & !self.0 == 0
    }

    /// The set with `ext` added, and nothing else.
    #[must_use]
    pub const fn with(self, ext: Ext) -> Isa {
        Isa(self.0 | 1 << ext as u8)
    }

    /// The set with `ext` removed, and nothing else.
    #[must_use]
    pub const fn without(self, ext: Ext) -> Isa {
        Isa(self.0 & !(1 << ext as u8))
    }

    /// Every extension of the table.
    pub fn all() -> Isa {
        Isa((1u128 << EXTENSIONS.len()) - 1)
    }

    /// The extensions in canonical order.
    pub fn iter(self) -> impl Iterator<Item = &'static ExtInfo> {
        EXTENSIONS.iter().filter(move |info| self.has(info.ext))
    }

    /// Names for the device tree's `riscv,isa-extensions` property, in canonical order. `S` and `U` are modes and not listed.
    pub fn extensions(self) -> Vec<&'static str> {
        self.iter().filter(|info| !matches!(info.ext, Ext::S | Ext::U)).map(|info| info.name).collect()
    }

    /// The ISA naming string ("rv64imafdch_zicbom_..."; Unprivileged ISA, "ISA Extension Naming Conventions").
    pub fn isa_string(self) -> String {
        let mut string = String::from("rv64");
        for name in self.extensions() {
            if name.len() > 1 {
                string.push('_');
            }
            string.push_str(name);
        }
        string
    }

    /// The value of `misa` (Privileged ISA, "Machine ISA (misa) Register"): MXL=2 and a bit per single-letter extension.
    /// B shows when Zba, Zbb and Zbs are all there.
    pub const fn misa(self) -> u64 {
        const LETTERS: [(Ext, u8); 9] = [
            (Ext::A, b'a'),
            (Ext::C, b'c'),
            (Ext::D, b'd'),
            (Ext::F, b'f'),
            (Ext::H, b'h'),
            (Ext::I, b'i'),
            (Ext::M, b'm'),
            (Ext::S, b's'),
            (Ext::U, b'u'),
        ];
        let mut misa = 2 << 62;
        let mut i = 0;
        while i < LETTERS.len() {
            if self.has(LETTERS[i].0) {
                misa |= 1 << (LETTERS[i].1 - b'a');
            }
            i += 1;
        }
        if self.contains(Isa::of(&[Ext::Zba, Ext::Zbb, Ext::Zbs])) {
            misa |= 1 << 1;
        }
        misa
    }
}
