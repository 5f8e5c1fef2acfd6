//! Calls of the firmware that mean harm, by the million: `cargo run --release -p sbi-model --example abuse -- CALLS [SEED]`.
//!
//! The calls are shared out among the profiles, each with domains and without. A finding ends it with code 1 and the seed that shows it again.
#![allow(clippy::expect_used, clippy::disallowed_methods, clippy::disallowed_types)] // a program of the tests, which tells how long it took

#[path = "../tests/common/mod.rs"]
mod common;

use std::process::ExitCode;
use std::time::Instant;

use sbi_model::Config;
use sbi_model::profile::PROFILES;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).map(|a| a.replace('_', "").parse::<u64>());
    let (Some(Ok(calls)), seed) = (args.next(), args.next().and_then(Result::ok).unwrap_or(1)) else {
        eprintln!("give a number of calls, and a seed if you like");
        return ExitCode::from(2);
    };
    let mut ok = true;
    let machines =
        PROFILES.iter().flat_map(|p| [(p, "", Config::new as fn(_) -> _), (p, " with domains", common::abuse::divided)]);
    for (p, how, config) in machines {
        let began = Instant::now();
        match common::abuse::run(&|| config(p), true, seed, calls / (2 * PROFILES.len() as u64)) {
            Ok(c) => println!(
                "{}{how}: {} calls, {} of them successful, {} begun in the middle of others, {} other traps; {:.0} s",
                p.name,
                c.calls,
                c.successes,
                c.interleaved,
                c.traps,
                began.elapsed().as_secs_f64()
            ),
            Err(finding) => {
                ok = false;
                println!("{}{how}: {finding}", p.name);
            }
        }
    }
    ExitCode::from(u8::from(!ok))
}
