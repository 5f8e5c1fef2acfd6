//! How extensions and their functions are declared, and what one call sees.

use emu_core::bus::Request;
use emu_core::firmware::Platform;
use emu_core::hart::Hart;
use emu_csr::{Isa, Trap};

use crate::config::Rules;
use crate::error::SbiError;
use crate::profile::policy::Narrow;
use crate::state::{State, Work};

/// One extension.
#[derive(Debug)]
pub struct Extension {
    /// First extension id (a7).
    pub first: u64,
    /// Last extension id; more than `first` only for the legacy extensions, where the id is also the function's.
    pub last: u64,
    /// The specification's name.
    pub name: &'static str,
    /// Its functions.
    pub functions: &'static [Function],
    /// Whether firmware of these rules offers it on a machine of these extensions.
    pub available: fn(&Rules, Isa) -> bool,
}

impl Extension {
    /// An extension of one id that every machine offers.
    pub const fn new(id: u64, name: &'static str, functions: &'static [Function]) -> Extension {
        Extension { first: id, last: id, name, functions, available: |_, _| true }
    }

    /// Whether its calls return in a0 alone and take the function from a7 (SBI, "Legacy Extensions").
    pub const fn legacy(&self) -> bool {
        self.last <= crate::ext::LAST_LEGACY
    }

    /// The function a call names.
    pub fn function(&self, eid: u64, fid: u64) -> Option<&'static Function> {
        let id = if self.legacy() { eid } else { fid };
        self.functions.iter().find(|f| f.id == id)
    }
}

/// One function of an extension: what traces, tests and documentation know of it.
#[derive(Debug)]
pub struct Function {
    /// Function id (a6), or extension id of a legacy call.
    pub id: u64,
    /// The specification's name.
    pub name: &'static str,
    /// Names of its arguments, a0 first.
    pub args: &'static [&'static str],
    /// What it does.
    pub run: fn(&mut Call<'_, '_>) -> Outcome,
}

/// Declares a function.
pub const fn function(
    id: u64,
    name: &'static str,
    args: &'static [&'static str],
    run: fn(&mut Call<'_, '_>) -> Outcome,
) -> Function {
    Function { id, name, args, run }
}

/// How a call ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Return to the caller: an error, or the value for a1 (a0 of a legacy call).
    Return(Result<u64, SbiError>),
    /// Return to the caller an error, with a value for a1 all the same.
    Refused(SbiError, u64),
    /// The call has itself decided where this hart goes on: mepc, mstatus.MPP and MPV say where.
    Placed,
    /// This step is done and the operation is not: it is called again, with its own [`Work`] as it left it.
    More,
    /// The operation waits for another hart's: it is called again after that had time.
    Spin,
    /// This hart stays in M-mode and waits to be started.
    Held,
    /// The firmware cannot go on, which this text explains.
    Fatal(&'static str),
    /// The whole machine stops or starts again.
    Request(Request),
    /// The caller takes this exception at the `ecall` instead.
    Trap(Trap),
}

impl From<Result<u64, SbiError>> for Outcome {
    fn from(r: Result<u64, SbiError>) -> Outcome {
        Outcome::Return(r)
    }
}

impl From<SbiError> for Outcome {
    fn from(e: SbiError) -> Outcome {
        Outcome::Return(Err(e))
    }
}

/// One call in progress.
pub struct Call<'a, 'p> {
    /// What the firmware is.
    pub rules: &'a Rules,
    /// The firmware's state.
    pub state: &'a mut State,
    /// The machine.
    pub platform: &'a mut Platform<'p>,
    /// Index of the calling hart.
    pub hart: usize,
    /// a0 to a5.
    pub args: [u64; 6],
}

impl Call<'_, '_> {
    /// The calling hart.
    pub fn caller(&mut self) -> &mut Hart {
        &mut self.platform.harts[self.hart]
    }

    /// An argument of 32 bits (SBI, "Binary Encoding": only those are used); none if the profile takes the upper half for part of it and
    /// it is not 0.
    pub(crate) fn narrow(&self, word: u64) -> Option<u32> {
        match self.rules.policies.narrow {
            Narrow::Low32 => Some(word as u32),
            Narrow::Whole => u32::try_from(word).ok(),
        }
    }

    /// What this operation keeps between its steps.
    pub fn work(&mut self) -> &mut Work {
        &mut self.state.work[self.hart]
    }
}
