//! Illegal instructions. Every instruction and CSR this machine's harts have works without help, so all of them are the supervisor's.

use emu_core::firmware::Platform;

/// Hands the exception on, with the instruction's bits in tval.
pub fn instruction(platform: &mut Platform<'_>, hart: usize) {
    super::access::redirect(platform, hart);
}
