//! What can be wrong with a recording or a snapshot: what, where, and what to do.

/// A refusal. It prints as a sentence with its remedy.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file is not one of ours, or damaged.
    #[error("{kind}: {what} at byte {at}\n  remedy: {remedy}")]
    Format {
        /// "log", "snapshot", "bundle" or "token".
        kind: &'static str,
        /// What is wrong.
        what: String,
        /// Where, in bytes from the start.
        at: u64,
        /// What to do.
        remedy: &'static str,
    },
    /// Made by a build that means something else by the same bytes.
    #[error("{kind}: made by {found}, this is {ours}: {what}\n  remedy: {remedy}")]
    Version {
        /// "log", "snapshot", "bundle" or "token".
        kind: &'static str,
        /// Its maker.
        found: String,
        /// This build.
        ours: String,
        /// What differs: the format, or the tables.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A recorded decision cannot be carried out where the log says.
    #[error("the log does not fit this machine: {what} at cycle {cycles}, instruction {instret}\n  remedy: {remedy}")]
    Misfit {
        /// What.
        what: String,
        /// Position.
        cycles: u64,
        /// Position.
        instret: u64,
        /// What to do.
        remedy: &'static str,
    },
    /// The machine cannot be copied or restored.
    #[error("{0}")]
    Machine(String),
}

pub(crate) const DAMAGED: &str = "copy the file again from where it was made, or record again";

/// A format error.
pub(crate) fn bad(kind: &'static str, at: usize, what: impl Into<String>) -> ReplayError {
    ReplayError::Format { kind, what: what.into(), at: at as u64, remedy: DAMAGED }
}
