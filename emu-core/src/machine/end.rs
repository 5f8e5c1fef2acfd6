//! How a run ended, in words.

use std::fmt;

use emu_csr::Cause;

use super::RunEnd;

impl fmt::Display for RunEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunEnd::Limit => write!(f, "the run reached its limit"),
            RunEnd::PowerOff(code) => write!(f, "the guest powered off with code {code}"),
            RunEnd::Reset => write!(f, "the guest rebooted"),
            RunEnd::HtifExit(code) => write!(f, "the guest ended through tohost with code {code}"),
            RunEnd::TrapLoop { hart, pc, cause } => {
                let name = Cause::from_bits(*cause).map_or("unknown", |c| c.name());
                write!(
                    f,
                    "hart {hart} traps for ever: at {pc:#x} it raised {name} (cause {cause:#x}), and no handler ever returned"
                )
            }
            RunEnd::CriticalError { hart, pc, cause } => {
                write!(f, "hart {hart} is in the critical-error state: a double trap in M-mode, cause {cause:#x} at {pc:#x}")
            }
            RunEnd::AllAsleep { .. } => write!(
                f,
                "all harts wait (wfi), no timer or device event is armed and no input can come: nothing would ever happen again"
            ),
            RunEnd::Fatal(text) => write!(f, "the machine cannot go on: {text}"),
            RunEnd::Break { hart, .. } => write!(f, "hart {hart} is where a debugger wants it to stop"),
        }
    }
}
