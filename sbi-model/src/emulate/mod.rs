//! Services of M-mode besides calls: one file a kind of trap.

use emu_csr::{Cause, Exception, Interrupt};

use crate::call::{Call, Outcome};
use crate::ext::FwEvent;
use crate::sse;

pub mod access;
mod amo;
mod counter;
pub mod hardware;
pub mod illegal;
pub mod misaligned;
pub mod software;
pub mod timer;

/// One step of the answer to a trap that is no call.
pub(crate) fn trap(c: &mut Call<'_, '_>, cause: Cause) -> Outcome {
    if let Cause::Exception(e) = cause
        && let Some(event) = counted(e)
    {
        c.count(event);
    }
    match cause {
        Cause::Interrupt(Interrupt::MTimer) => timer::expired(c.platform, c.hart),
        Cause::Interrupt(Interrupt::MSoft) => return software::received(c),
        Cause::Interrupt(Interrupt::CounterOverflow) => sse::overflowed(c),
        Cause::Exception(Exception::DoubleTrap) => return sse::trapped_twice(c),
        Cause::Interrupt(_) => return Outcome::Fatal("an interrupt that should be the supervisor's came to M-mode"),
        Cause::Exception(Exception::LoadAddrMisaligned | Exception::StoreAddrMisaligned) => {
            return misaligned::access(c);
        }
        Cause::Exception(Exception::IllegalInst) => return illegal::instruction(c),
        Cause::Exception(Exception::HardwareError) => return hardware::error(c),
        Cause::Exception(_) => return access::redirect(c),
    }
    Outcome::Placed
}

/// The firmware event that a trap to M-mode is.
fn counted(e: Exception) -> Option<FwEvent> {
    Some(match e {
        Exception::LoadAddrMisaligned => FwEvent::MisalignedLoad,
        Exception::StoreAddrMisaligned => FwEvent::MisalignedStore,
        Exception::LoadAccessFault => FwEvent::AccessLoad,
        Exception::StoreAccessFault => FwEvent::AccessStore,
        Exception::IllegalInst => FwEvent::IllegalInsn,
        _ => return None,
    })
}
