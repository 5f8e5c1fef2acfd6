//! Outcomes of CSR accesses.

/// Why an access was refused (Zicsr and the hypervisor extension's rules on virtual-instruction exceptions).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Denied {
    /// Raise an illegal-instruction exception.
    Illegal,
    /// Raise a virtual-instruction exception.
    Virtual,
}

/// The hart's clocks at the moment of an access; the CSR crate has none of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Now {
    /// Cycles since reset (raw, before mcycle's offset).
    pub cycles: u64,
    /// Instructions retired since reset, not counting the one that asks.
    pub instret: u64,
    /// mtime, in timebase ticks.
    pub time: u64,
}

/// What the machine must do after a CSR write, trap entry or return. A small set of flags.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Effects(pub u16);

impl Effects {
    /// Nothing to do.
    pub const NONE: Effects = Effects(0);
    /// The translation context changed (mode, satp, vsatp, hgatp, SUM, MXR, MPRV...): choose the TLB bank again.
    pub const CONTEXT: Effects = Effects(1);
    /// Cached translations may be wrong whatever their context (PMP, envcfg.PBMTE/ADUE): drop them all.
    pub const FLUSH: Effects = Effects(2);
    /// Look at pending interrupts again.
    pub const INTERRUPTS: Effects = Effects(4);
    /// A time comparison changed (stimecmp, vstimecmp, htimedelta, STCE): compute the next deadline again.
    pub const TIMER: Effects = Effects(8);
    /// FS of mstatus or vsstatus may have changed.
    pub const FP: Effects = Effects(32);
    /// Counter inhibition, selection or value changed: compute overflow deadlines again.
    pub const COUNTERS: Effects = Effects(64);
    /// The hart is in the critical-error state: it has stopped for good, and nothing has changed (Smdbltrp).
    pub const CRITICAL: Effects = Effects(128);

    /// Both sets.
    #[must_use]
    #[inline(always)]
    pub const fn with(self, other: Effects) -> Effects {
        Effects(self.0 | other.0)
    }

    /// The flags that `other` has not.
    #[must_use]
    #[inline(always)]
    pub const fn without(self, other: Effects) -> Effects {
        Effects(self.0 & !other.0)
    }

    /// Whether any flag of `other` is set.
    #[inline(always)]
    pub const fn has(self, other: Effects) -> bool {
        self.0 & other.0 != 0
    }
}

/// A word that means something within one instruction only: no state, equal to any other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scratch<T>(pub T);

impl<T> PartialEq for Scratch<T> {
    fn eq(&self, _: &Scratch<T>) -> bool {
        true
    }
}

impl<T> Eq for Scratch<T> {}
