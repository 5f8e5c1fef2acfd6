//! Hostile logs, tokens, bundles and snapshots: what the fuzz targets do, for some thousands of inputs.

#![allow(clippy::unwrap_used, dead_code)] // helpers of tests, which clippy takes for other code

#[path = "../../fuzz/src/bytes.rs"]
mod bytes;
#[path = "../../fuzz/src/files.rs"]
mod files;

use emu_core::dev::state::Saver;
use replay::bytes::put;
use replay::log::{Decision, End, Header, Log, LogWriter, Parts, Position, Record};
use replay::token::Token;

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n.max(1)
    }
}

/// A chunk as the targets read it: tag, length, payload.
fn chunk(tag: u8, payload: &[u8]) -> Vec<u8> {
    [&[tag][..], &(payload.len() as u16).to_le_bytes(), payload].concat()
}

fn whole_log() -> Vec<u8> {
    let mut w = LogWriter::new(Vec::new(), &Header::new("smp = 2\n".into(), Vec::new())).unwrap();
    let at = |cycles, instret, exact| Position { cycles, instret, exact };
    let parts = |h| Decision::Parts(Parts::from(vec![("hart 0".to_owned(), [7; 4]), ("firmware".to_owned(), h)]));
    let all = [
        (at(0, 0, false), Decision::Input(b"typed".to_vec())),
        (at(700, 900, false), Decision::Inject { name: "msip".into(), args: vec![1, 1] }),
        (at(700, 900, true), Decision::Step { hart: 1, count: 40 }),
        (at(900, 1000, true), Decision::Command("harts".into())),
        (at(1000, 1200, false), parts([1; 4])),
        (at(1000, 1200, false), Decision::Mark([3; 32])),
        (at(1100, 1300, false), parts([2; 4])),
        (at(1200, 1500, false), Decision::State([4; 32])),
        (at(1300, 1600, false), Decision::Reboot),
        (at(10, 10, false), Decision::Input(b"again".to_vec())),
    ];
    for (at, what) in all {
        w.record(&Record { at, what }).unwrap();
    }
    w.finish(&End {
        at: at(4000, 5000, true),
        reason: "test".into(),
        hash: [5; 32],
        parts: Parts::from(vec![("clock".to_owned(), [8; 4])]),
    })
    .unwrap()
}

/// Inputs that mean something, for the targets to be changed from.
fn seeds() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let log = whole_log();
    let token = Token { log: Log::read(&log).unwrap(), images: vec![("kernel".into(), vec![9; 50])] }.text().unwrap();
    let pack = replay::packed::pack;
    // Records as they stand in the log's first chunk, behind magic, version, header and its checksum.
    let header = u32::from_le_bytes([log[12], log[13], log[14], log[15]]) as usize;
    let first = 16 + header + 16;
    let n = u32::from_le_bytes([log[first + 1], log[first + 2], log[first + 3], log[first + 4]]) as usize;
    let records = &log[first + 5..first + 5 + n];
    let file = [&[3][..], b"log", &[1, b'a', 4]].concat();
    let logs = vec![
        [&[0][..], &log].concat(),
        [&[0, 1][..], &chunk(1, records)].concat(),
        [&[1][..], token.strip_prefix("trapeze:1:").unwrap().as_bytes()].concat(),
        [&[2][..], &chunk(1, &file), &chunk(2, &[&[4][..], &pack(b"data")].concat()), &chunk(3, &[1])].concat(),
    ];
    let state = chunk(1, &[&[0x80, 0x08][..], &pack(&[1; 1024])].concat());
    let page = chunk(2, &[&[1, 5][..], &pack(&[7; 4096])].concat());
    let snapshots = vec![[state, page, chunk(3, &[1, 6]), chunk(4, &[0x80, 0x08, 2])].concat()];
    (logs, snapshots)
}

fn changed(r: &mut Random, seed: &[u8]) -> Vec<u8> {
    let mut b = seed.to_vec();
    for _ in 0..=r.below(4) {
        let at = r.below(b.len());
        match r.below(5) {
            0 => b[at] ^= 1 << r.below(8),
            1 => b[at] = [0, 1, 0x7f, 0x80, 0xff][r.below(5)],
            2 => b.truncate(at.max(1)),
            3 => b.insert(at, r.below(256) as u8),
            _ => {
                let end = (at + r.below(20)).min(b.len());
                let part = b[at..end].to_vec();
                b.extend(part);
            }
        }
    }
    b
}

#[test]
fn changed_logs_tokens_and_bundles_are_read_or_refused_and_never_more() {
    let mut r = Random(0x10_6f);
    let (logs, _) = seeds();
    for seed in &logs {
        files::log(seed);
        for _ in 0..250 {
            files::log(&changed(&mut r, seed));
        }
    }
}

#[test]
fn a_state_that_ends_early_leaves_a_machine_that_can_run() {
    let mut m = files::machine().unwrap();
    let user = [emu_csr::Mode::U; 2];
    for (h, mode) in m.harts_mut().iter_mut().zip(user) {
        h.set_mode(mode);
    }
    let mut saver = Saver::default();
    m.visit_saved(&mut saver);
    let short = &saver.0[..saver.0.len() - 1];
    let mut payload = Vec::new();
    put(&mut payload, short.len() as u64);
    payload.extend(replay::packed::pack(short));
    let mut end = Vec::new();
    put(&mut end, short.len() as u64);
    end.push(0);
    files::snapshot(&[chunk(1, &payload), chunk(4, &end)].concat());
}

#[test]
fn changed_snapshots_are_refused_and_harm_nothing() {
    let mut r = Random(0x5a9);
    let (_, snapshots) = seeds();
    for seed in &snapshots {
        files::snapshot(seed);
        for _ in 0..250 {
            files::snapshot(&changed(&mut r, seed));
        }
    }
}
