//! Exceptions that M-mode takes first and has no answer to: access faults, and whatever else is not delegated.

use emu_core::firmware::Platform;

use crate::leave;

/// Hands the exception that has entered M-mode to the supervisor of the interrupted context, with tval, tval2, tinst and GVA as taken.
pub fn redirect(platform: &mut Platform<'_>, hart: usize) {
    let h = &mut platform.harts[hart];
    if let Some(trap) = leave::trap_taken(h) {
        leave::redirect(h, platform.bus, trap);
    }
}
