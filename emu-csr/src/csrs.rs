//! The CSR state of one hart.

/// All privileged state of a hart that CSR instructions, traps and returns read and write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Csrs {
    /// mstatus, all fields.
    pub mstatus: u64,
}
