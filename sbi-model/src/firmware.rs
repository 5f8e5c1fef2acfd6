//! The firmware as the machine sees it.

use emu_core::dev::StateIo;
use emu_core::firmware::{Firmware, FwStep, Platform};
use emu_csr::{Cause, Exception, Interrupt, Mode};

use crate::call::{Call, Outcome};
use crate::error::SbiError;
use crate::state::{HartState, State};
use crate::{boot, emulate, ext, leave};

/// Price in cycles of every trap the firmware answers, from its entry to its return. OpenSBI takes a few hundred instructions.
pub const COST: u64 = 200;

/// Native SBI firmware.
#[derive(Default)]
pub struct Sbi {
    state: State,
}

impl Sbi {
    /// Firmware that has not booted.
    pub fn new() -> Sbi {
        Sbi::default()
    }

    /// Its state.
    pub fn state(&self) -> &State {
        &self.state
    }
}

impl Firmware for Sbi {
    fn boot(&mut self, platform: &mut Platform<'_>, boot: usize, entry: u64, dtb: u64) {
        self.state.harts = vec![HartState::Stopped; platform.harts.len()];
        for h in platform.harts.iter_mut() {
            boot::hold(h);
        }
        if let Some(h) = platform.harts.get_mut(boot) {
            boot::start(h, platform.bus, entry, dtb);
            self.state.set(boot, HartState::Started);
        }
    }

    fn step(&mut self, platform: &mut Platform<'_>, hart: usize) -> FwStep {
        let Some(h) = platform.harts.get_mut(hart) else { return FwStep::Fatal("a trap on a hart the firmware does not know") };
        if leave::previous(h) == Mode::M {
            return FwStep::Fatal("a trap in M-mode itself, where native firmware runs no instruction");
        }
        let Some(cause) = Cause::from_bits(h.csr.mcause) else {
            return FwStep::Fatal("a trap into M-mode with an unknown mcause");
        };
        match cause {
            Cause::Interrupt(Interrupt::MTimer) => emulate::timer::expired(platform, hart),
            Cause::Interrupt(Interrupt::MSoft) => emulate::software::received(platform, hart),
            Cause::Interrupt(_) => return FwStep::Fatal("an interrupt that should be the supervisor's came to M-mode"),
            Cause::Exception(Exception::EcallS) => return self.ecall(platform, hart),
            Cause::Exception(Exception::LoadAddrMisaligned | Exception::StoreAddrMisaligned) => {
                emulate::misaligned::access(platform, hart)
            }
            Cause::Exception(Exception::IllegalInst) => emulate::illegal::instruction(platform, hart),
            Cause::Exception(_) => emulate::access::redirect(platform, hart),
        }
        FwStep::Done { cost: COST }
    }

    fn state(&mut self, io: &mut dyn StateIo) {
        self.state.visit(io);
    }
}

impl Sbi {
    /// An `ecall` from HS-mode.
    fn ecall(&mut self, platform: &mut Platform<'_>, hart: usize) -> FwStep {
        let h = &platform.harts[hart];
        let isa = h.csr.isa;
        let mut args = [0; 6];
        args.copy_from_slice(&h.x[10..16]);
        let (fid, eid) = (h.x[16], h.x[17]);
        let extension = ext::find(eid, isa);
        let outcome = match extension.and_then(|e| e.function(eid, fid)) {
            Some(f) => (f.run)(&mut Call { state: &mut self.state, platform, hart, args }),
            None => SbiError::NotSupported.into(),
        };
        let h = &mut platform.harts[hart];
        match outcome {
            Outcome::Return(result) => {
                let legacy = extension.is_some_and(|e| e.legacy());
                // Legacy calls have one result, in a0, and change no other register.
                h.x[10] = match result {
                    Ok(value) => {
                        if legacy {
                            value
                        } else {
                            h.x[11] = value;
                            0
                        }
                    }
                    Err(e) => {
                        if !legacy {
                            h.x[11] = 0;
                        }
                        e.code()
                    }
                };
                leave::past(h, platform.bus, 4);
            }
            Outcome::Placed => {}
            Outcome::Trap(trap) => leave::redirect(h, platform.bus, trap),
            Outcome::Request(r) => return FwStep::Request(r),
        }
        FwStep::Done { cost: COST }
    }
}
