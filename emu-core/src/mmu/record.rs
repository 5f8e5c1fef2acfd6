//! What a walk tells of its implicit accesses to whoever wants to show it.

use super::Stage;
use super::refusal::Refusal;

/// One implicit access of a walk, for those who want to show it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PteAccess {
    /// Whose table.
    pub stage: Stage,
    /// The address that is translated: virtual, or guest physical for the G-stage.
    pub input: u64,
    /// Level, 0 for the last.
    pub level: u8,
    /// Address the table is known by: guest physical for the VS-stage, physical otherwise.
    pub address: u64,
    /// Physical address.
    pub pa: u64,
    /// The entry as read, or as written by an A/D update.
    pub value: u64,
    /// Whether it was written.
    pub write: bool,
}

/// Receives the implicit accesses of a walk, in order. `()` costs nothing.
pub trait Recorder {
    /// One access.
    fn pte(&mut self, access: PteAccess);
    /// The check that ended the walk, of the stage that translates `input`.
    fn refused(&mut self, _stage: Stage, _input: u64, _why: Refusal) {}
}

impl Recorder for () {
    #[inline(always)]
    fn pte(&mut self, _access: PteAccess) {}
}

impl Recorder for Vec<PteAccess> {
    fn pte(&mut self, access: PteAccess) {
        self.push(access);
    }
}
