//! Which extensions a hart has.

/// A set of extensions, one bit each ([`Ext`]).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Isa(pub u128);

/// An extension that can be switched (`-cpu NAME,feature=on|off`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)] // the variants are the manuals' own names
pub enum Ext {
    I,
    M,
    A,
    F,
    D,
    C,
    H,
    S,
    U,
}

impl Isa {
    /// Whether the hart has `ext`.
    #[inline(always)]
    pub const fn has(self, ext: Ext) -> bool {
        self.0 >> ext as u8 & 1 != 0
    }
}
