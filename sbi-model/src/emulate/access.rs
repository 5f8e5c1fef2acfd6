//! Exceptions that M-mode takes first and has no answer to: access faults, and whatever else is not delegated.

use crate::call::{Call, Outcome};
use crate::leave;

/// Hands the exception that has entered M-mode to the supervisor of the interrupted context, with tval, tval2, tinst and GVA as taken.
pub fn redirect(c: &mut Call<'_, '_>) -> Outcome {
    match leave::trap_taken(c.caller()) {
        Some(trap) => Outcome::Trap(trap),
        None => Outcome::Placed,
    }
}
