//! Illegal instructions. Every instruction and CSR this machine's harts have works without help, so all of them are the supervisor's.

use crate::call::{Call, Outcome};

/// Hands the exception on, with the instruction's bits in tval.
pub fn instruction(c: &mut Call<'_, '_>) -> Outcome {
    super::access::redirect(c)
}
