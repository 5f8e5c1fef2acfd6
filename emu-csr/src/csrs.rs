//! The CSR state of one hart.

use crate::Isa;

/// All privileged state of a hart that CSR instructions, traps and returns read and write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Csrs {
    /// mstatus, all fields.
    pub mstatus: u64,
}

impl Csrs {
    /// State after reset.
    pub fn new(_isa: Isa, _id: u64) -> Csrs {
        Csrs { mstatus: 0 }
    }
}
