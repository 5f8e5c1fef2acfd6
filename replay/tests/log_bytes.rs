//! `docs/log-format.md`, read as somebody does who has nothing but that page: every byte of a log, by hand.

#![allow(missing_docs, clippy::unwrap_used)] // a byte that is missing is a failure

use replay::log::{Decision, End, Header, Image, LogWriter, Parts, Position, Record};

/// What has not been read yet.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, n: usize) -> &'a [u8] {
        let (here, rest) = self.0.split_at(n);
        self.0 = rest;
        here
    }

    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().unwrap())
    }

    /// "LEB128: seven bits a byte, low ones first, the top bit set on all but the last".
    fn number(&mut self) -> u64 {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let b = self.byte();
            value |= u64::from(b & 0x7f) << shift;
            if b & 0x80 == 0 {
                break;
            }
        }
        value
    }

    fn bytes(&mut self) -> &'a [u8] {
        let n = self.number();
        self.take(n as usize)
    }

    fn text(&mut self) -> String {
        String::from_utf8(self.bytes().to_vec()).unwrap()
    }

    /// "number of parts; each: text name; then 4 bytes a part".
    fn parts(&mut self) -> Vec<(String, [u8; 4])> {
        let names: Vec<String> = (0..self.number()).map(|_| self.text()).collect();
        names.into_iter().map(|n| (n, self.take(4).try_into().unwrap())).collect()
    }
}

/// "A checksum is the first 16 bytes of a BLAKE3 hash."
fn checksum(of: &[&[u8]]) -> Vec<u8> {
    let mut h = blake3::Hasher::new();
    of.iter().for_each(|b| {
        h.update(b);
    });
    h.finalize().as_bytes()[..16].to_vec()
}

/// Kind with its flag, and the position.
struct Place {
    kind: u8,
    at: Position,
}

fn place(b: &mut Bytes<'_>, last: &mut (u64, u64)) -> Place {
    let kind = b.byte();
    *last = (last.0 + b.number(), last.1 + b.number());
    Place { kind: kind & 0x7f, at: Position { cycles: last.0, instret: last.1, exact: kind & 0x80 != 0 } }
}

/// A record; `parts` are those of the last record of kind 8 or 9.
fn record(b: &mut Bytes<'_>, last: &mut (u64, u64), parts: &mut Vec<(String, [u8; 4])>) -> Record {
    let Place { kind, at } = place(b, last);
    let half = |b: &mut Bytes<'_>| [b.take(16), &[0; 16]].concat().try_into().unwrap();
    let what = match kind {
        1 => Decision::Input(b.bytes().to_vec()),
        2 => {
            let name = b.text();
            let args = (0..b.number()).map(|_| b.number()).collect();
            Decision::Inject { name, args }
        }
        3 => Decision::Reboot,
        4 => Decision::Command(b.text()),
        5 => Decision::Mark(half(b)),
        6 => Decision::State(b.take(32).try_into().unwrap()),
        7 => Decision::Step { hart: b.number(), count: b.number() },
        8 => {
            *parts = b.parts();
            Decision::Parts(Parts::from(parts.clone()))
        }
        9 => {
            let bits = b.take(parts.len().div_ceil(8));
            for (i, p) in parts.iter_mut().enumerate() {
                if bits[i / 8] >> (i % 8) & 1 != 0 {
                    p.1 = b.take(4).try_into().unwrap();
                }
            }
            Decision::Parts(Parts::from(parts.clone()))
        }
        k => panic!("kind {k} is not on the page"),
    };
    if kind == 3 {
        *last = (0, 0);
    }
    Record { at, what }
}

fn written() -> (Header, Vec<Record>, End) {
    let image = |role: &str, size| Image { role: role.into(), name: format!("{role}.bin"), size, hash: [role.len() as u8; 32] };
    let header = Header::new("smp = 2\n".into(), vec![image("kernel", 300), image("drive0", 1 << 40)]);
    let at = |cycles, instret, exact| Position { cycles, instret, exact };
    let parts = |change: u8| {
        let hash = |i: u8| if i.is_multiple_of(3) { [i; 4] } else { [change; 4] };
        Decision::Parts(Parts::from((0..20u8).map(|i| (format!("part {i}"), hash(i))).collect::<Vec<_>>()))
    };
    let mark: [u8; 32] = [[0x5a; 16], [0; 16]].concat().try_into().unwrap();
    let all = vec![
        (at(3, 2, false), Decision::Input(b"ls\r".to_vec())),
        (at(3, 2, true), Decision::Inject { name: "event".into(), args: vec![0xffff_0000, 1, u64::MAX] }),
        (at(1 << 28, 200_000_000, false), parts(1)),
        (at(1 << 28, 200_000_000, false), Decision::Mark(mark)),
        (at(1 << 29, 300_000_000, false), parts(2)),
        (at(1 << 29, 300_000_001, true), Decision::Step { hart: 1, count: 900 }),
        (at(1 << 30, 300_000_001, false), Decision::Command("harts".into())),
        (at(1 << 31, 400_000_000, false), Decision::State([0xa5; 32])),
        (at(1 << 32, 400_000_000, false), Decision::Reboot),
        (at(77, 66, true), Decision::Input(vec![0, 0xff])),
    ];
    let records = all.into_iter().map(|(at, what)| Record { at, what }).collect();
    let parts = Parts::from(vec![("hart 0".to_owned(), [9; 4]), ("memory".to_owned(), [8; 4])]);
    (header, records, End { at: at(100, 90, true), reason: "the guest powered off".into(), hash: [0xee; 32], parts })
}

#[test]
fn a_log_is_what_its_page_says_byte_by_byte() {
    let (header, records, end) = written();
    let mut w = LogWriter::new(Vec::new(), &header).unwrap();
    for (i, r) in records.iter().enumerate() {
        w.record(r).unwrap();
        // Chunks end anywhere between records.
        if i % 4 == 3 {
            w.flush().unwrap();
        }
    }
    let log = w.finish(&end).unwrap();

    let mut b = Bytes(&log);
    assert_eq!(b.take(8), b"TRPZLOG\0");
    assert_eq!(b.u32(), 3);
    let size = b.u32() as usize;
    let mut h = Bytes(b.take(size));
    let (tool, semantics, config) = (h.text(), h.take(32), h.text());
    assert_eq!((tool, semantics, config), (header.tool.clone(), &header.semantics[..], header.config.clone()));
    for i in 0..h.number() as usize {
        let image = Image { role: h.text(), name: h.text(), size: h.number(), hash: h.take(32).try_into().unwrap() };
        assert_eq!(image, header.images[i]);
    }
    assert!(h.0.is_empty());
    let mut before = b.take(16).to_vec();
    assert_eq!(before, checksum(&[&log[..16 + size]]));

    let (mut read, mut last, mut parts, mut ended) = (Vec::new(), (0, 0), Vec::new(), None);
    while !b.0.is_empty() {
        let chunk = b.0;
        let (tag, n) = (b.byte(), b.u32() as usize);
        let mut payload = Bytes(b.take(n));
        let sum = b.take(16);
        assert_eq!(sum, checksum(&[&before, &chunk[..5 + n]]));
        before = sum.to_vec();
        match tag {
            1 => {
                while !payload.0.is_empty() {
                    read.push(record(&mut payload, &mut last, &mut parts));
                }
            }
            2 => {
                let at = place(&mut payload, &mut last).at;
                let (reason, hash) = (payload.text(), payload.take(32).try_into().unwrap());
                ended = Some(End { at, reason, hash, parts: Parts::from(payload.parts()) });
                assert!(payload.0.is_empty());
            }
            t => panic!("tag {t} is not on the page"),
        }
    }
    assert_eq!(read, records);
    assert_eq!(ended, Some(end));
}
