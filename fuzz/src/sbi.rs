//! Calls of the native firmware from several harts, by the words of the input; what must hold is the same as for random ones.

use sbi_model::Config;
use sbi_model::profile::PROFILES;

use crate::bytes::Bytes;
use crate::common::abuse::{Abuse, Source, Stop, divided};

struct Words<'a>(Bytes<'a>);

impl Source for Words<'_> {
    fn word(&mut self) -> Option<u64> {
        (!self.0.is_empty()).then(|| self.0.u64())
    }
}

/// One input: a profile, on a machine with domains if bit 7 is set, then words.
pub fn run(data: &[u8]) {
    let mut b = Bytes(data);
    let first = b.u8();
    let profile = &PROFILES[usize::from(first & 0x7f) % PROFILES.len()];
    let config = if first & 0x80 != 0 { divided(profile) } else { Config::new(profile) };
    let mut abuse = Abuse::new(config, true);
    let mut words = Words(b);
    loop {
        match abuse.act(&mut words) {
            Ok(()) => {}
            Err(Stop::End) => return,
            Err(Stop::Finding(text)) => panic!("{}: {text}", profile.name),
        }
    }
}
