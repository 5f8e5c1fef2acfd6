//! SBI, "Vendor Specific Extension Space": how whoever embeds the firmware adds functions of their own. A function is declared as the
//! firmware's own are, in a table; what it keeps goes into [`sbi_model::state::State::vendor`], so that snapshots and hashes have it.
#![allow(clippy::expect_used)] // tests

mod common;

use common::*;
use emu_core::dev::state::{Restorer, Saver};
use emu_core::firmware::Firmware;
use sbi_model::Config;
use sbi_model::call::{Call, Extension, Function, Outcome, function};
use sbi_model::error::SbiError;
use sbi_model::memory::Access;

/// The lower 24 bits are those of mvendorid, which is 0 here.
const EID: u64 = 0x0900_0000;

/// An extension with a counter that all harts share and a function that copies it to memory.
static COUNTER: Extension = Extension::new(EID, "COUNTER", FUNCTIONS);

const FUNCTIONS: &[Function] = &[
    function(0, "counter_add", &["amount"], |c| {
        let count = c.state.vendor.entry(EID).or_default();
        *count = count.wrapping_add(c.args[0]);
        Outcome::Return(Ok(*count))
    }),
    function(1, "counter_store", &["phys_lo", "phys_hi"], |c| store(c).into()),
];

fn store(c: &mut Call<'_, '_>) -> Result<u64, SbiError> {
    let at = c.shared(c.args[0], c.args[1], 8, 8, Access::Write).ok_or(SbiError::InvalidAddress)?;
    let count = c.state.vendor.get(&EID).copied().unwrap_or(0);
    if c.write_word(at, count) { Ok(0) } else { Err(SbiError::Failed) }
}

fn rig() -> Rig {
    Rig::of(2, "max", Config { vendor: vec![&COUNTER], ..Config::default() })
}

#[test]
fn functions_of_a_vendor_are_called_and_probed_as_any() {
    let mut rig = rig();
    assert_eq!(rig.call(0, BASE, 3, &[EID]), (0, 1));
    assert_eq!(rig.call(0, EID, 0, &[40]), (0, 40));
    assert_eq!(rig.call(0, EID, 0, &[2]), (0, 42));
    assert_eq!(rig.call(0, EID, 1, &[RAM + 0x100, 0]), (0, 0));
    assert_eq!(rig.bus.ram.read(RAM + 0x100, 8), Some(42));
    assert_eq!(rig.call(0, EID, 1, &[RAM + RAM_SIZE, 0]).0, INVALID_ADDRESS);
    assert_eq!(rig.call(0, EID, 2, &[]).0, NOT_SUPPORTED);
    assert_eq!(Rig::new(1).call(0, BASE, 3, &[EID]), (0, 0), "nobody's by default");
    assert_eq!(Rig::new(1).call(0, EID, 0, &[]).0, NOT_SUPPORTED);
}

#[test]
fn the_lower_24_bits_of_the_id_are_mvendorids() {
    let mut rig = rig();
    rig.harts[0].csr.mvendorid = 0x1234_5678;
    assert_eq!(rig.call(0, BASE, 3, &[EID]), (0, 0));
    assert_eq!(rig.call(0, EID, 0, &[1]).0, NOT_SUPPORTED);
    rig.harts[0].csr.mvendorid = 0x1200_0000;
    assert_eq!(rig.call(0, EID, 0, &[1]), (0, 1));
    static OUTSIDE: Extension = Extension::new(0x0a00_0000, "OUTSIDE", FUNCTIONS);
    let mut rig = Rig::of(1, "max", Config { vendor: vec![&OUTSIDE], ..Config::default() });
    assert_eq!(rig.call(0, 0x0a00_0000, 0, &[1]).0, NOT_SUPPORTED, "an id outside the vendors' space");
}

#[test]
fn what_a_vendor_keeps_is_state_of_the_firmware() {
    let mut first = rig();
    first.call(0, EID, 0, &[7]);
    let mut saved = Saver::default();
    Firmware::state(&mut first.fw, &mut saved);
    let mut second = rig();
    let mut restorer = Restorer::new(&saved.0);
    Firmware::state(&mut second.fw, &mut restorer);
    assert!(restorer.complete());
    assert_eq!(second.call(0, EID, 0, &[1]), (0, 8));
}
