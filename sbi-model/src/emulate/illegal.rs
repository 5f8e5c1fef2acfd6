//! Illegal instructions: those that only lack a counter are carried out, all others are the supervisor's.

use super::counter;
use crate::call::{Call, Outcome};

/// Reads a counter for the interrupted context, or hands the exception on with the instruction's bits in tval.
pub fn instruction(c: &mut Call<'_, '_>) -> Outcome {
    let raw = c.caller().csr.mtval as u32;
    match counter::access(c, raw) {
        Some(()) => Outcome::Placed,
        None => super::access::redirect(c),
    }
}
