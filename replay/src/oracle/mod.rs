//! Oracles: what must hold of any firmware and any supervisor, checked while a machine runs (`docs/oracles.md`).
//!
//! They hear the machine's observer records and look at the harts then; they need no hook in the firmware, native or foreign. What the
//! firmware keeps to itself is inferred from the calls that enter it and from where it returns ([`World`]): an ecall from HS-mode with
//! its result, an `mret` to a registered handler (an injection), an `mret` that ends `sbi_sse_complete`.
//!
//! A run without registered events costs the records of M-mode traps only ([`emu_core::observer::Interest`]).

mod calls;
mod codes;
mod context;
mod delivery;
mod fact;
mod monitor;
mod safety;
mod second;
mod sources;
mod table;
mod violation;
mod visit;
mod walk;
mod world;
mod writers;

pub use monitor::{Monitor, OnViolation};
pub use second::determinism;
pub use table::{ORACLES, Oracle, find};
pub use violation::{Exemption, Violation};
pub use world::World;
pub use writers::{How, Writer};

/// A set of oracles, by place in [`ORACLES`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Chosen(u32);

impl Chosen {
    /// None.
    pub const NONE: Chosen = Chosen(0);

    /// All but those that need a second execution.
    pub fn all() -> Chosen {
        Chosen((1 << ORACLES.len()) - 1).without(find("determinism").unwrap_or(0))
    }

    /// With one more.
    #[must_use]
    pub fn with(self, oracle: usize) -> Chosen {
        Chosen(self.0 | 1 << oracle)
    }

    /// With one less.
    #[must_use]
    pub fn without(self, oracle: usize) -> Chosen {
        Chosen(self.0 & !(1 << oracle))
    }

    /// Whether one is in the set.
    pub fn has(self, oracle: usize) -> bool {
        self.0 >> oracle & 1 != 0
    }

    /// Reads `all`, `none`, or names and numbers with commas between them. The error is the name that there is not.
    pub fn parse(text: &str) -> Result<Chosen, String> {
        text.split(',').map(str::trim).filter(|n| !n.is_empty()).try_fold(Chosen::NONE, |set, name| match name {
            "all" => Ok(Chosen(set.0 | Chosen::all().0)),
            "none" => Ok(Chosen::NONE),
            _ => find(name).map(|i| set.with(i)).ok_or_else(|| name.to_owned()),
        })
    }
}
