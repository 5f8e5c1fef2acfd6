//! Random calls that mean harm, by every profile; `sbi-model/examples/abuse.rs` makes as many as one likes.
#![allow(clippy::expect_used)] // tests

mod common;

use common::abuse::{divided, run};
use sbi_model::Config;
use sbi_model::bug::{Bug, Bugs};
use sbi_model::profile::PROFILES;

#[test]
fn whatever_is_called_nothing_is_disclosed_half_written_or_stopped() {
    for p in PROFILES {
        for (config, successes) in [(Config::new as fn(_) -> _, 4_000), (divided, 2_000)] {
            let counts = run(&|| config(p), true, 1, 20_000).unwrap_or_else(|finding| panic!("{}: {finding}", p.name));
            // The calls are not all refused, and they do interleave.
            assert!(counts.successes > successes && counts.interleaved > 1_000 && counts.traps > 10, "{counts:?}");
        }
    }
}

#[test]
fn a_firmware_that_does_not_know_its_own_memory_is_found() {
    let finding = run(&Config::default, false, 1, 20_000).expect_err("a finding");
    assert!(finding.contains("disclosed") || finding.contains("console"), "{finding}");
}

#[test]
fn an_error_that_is_not_the_functions_is_found() {
    let bug = Bug::find("mask-codes").expect("a bug").id;
    let config = || Config { bugs: Bugs::NONE.with(bug), ..Config::default() };
    let finding = run(&config, true, 1, 20_000).expect_err("a finding");
    assert!(finding.contains("0x535345/") && finding.contains("not in its table"), "{finding}");
}
