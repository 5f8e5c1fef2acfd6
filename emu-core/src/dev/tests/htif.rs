//! Host-target interface.

use super::*;

const TOHOST: u64 = RAM + 0x1000;
const FROMHOST: u64 = RAM + 0x1040;

struct Host {
    htif: Htif,
    rig: Rig,
}

impl Host {
    fn new() -> Host {
        Host { htif: Htif::new(TOHOST, Some(FROMHOST)), rig: Rig::new() }
    }

    fn put(&mut self, at: u64, v: u64) {
        assert!(self.rig.ram.write_bytes(at, &v.to_le_bytes(), &mut Vec::new()));
    }

    fn poll(&mut self) -> Vec<u8> {
        self.htif.poll(&mut self.rig.ram, &mut self.rig.request, &mut self.rig.code_writes)
    }

    fn say(&mut self, v: u64) -> Vec<u8> {
        self.put(TOHOST, v);
        let out = self.poll();
        assert_eq!(self.rig.ram.read(TOHOST, 8), Some(0), "taken");
        out
    }

    fn answer(&mut self) -> u64 {
        let v = self.rig.ram.read(FROMHOST, 8).unwrap();
        self.put(FROMHOST, 0);
        v
    }
}

#[test]
fn an_odd_payload_exits_with_its_upper_bits() {
    let mut h = Host::new();
    assert_eq!(h.poll(), b"");
    assert_eq!(h.rig.request, None);
    h.say(1);
    assert_eq!(h.rig.request, Some(Request::PowerOff(0)));
    let mut h = Host::new();
    h.say(5 << 1 | 1);
    assert_eq!(h.rig.request, Some(Request::PowerOff(5)));
}

#[test]
fn putchar_prints_and_getchar_answers_when_input_comes() {
    let mut h = Host::new();
    assert_eq!(h.say(1 << 56 | 1 << 48 | u64::from(b'A')), b"A");
    assert_eq!(h.answer(), 0, "Spike answers none: the next getchar would take it for its own");
    assert!(!h.htif.push_input(b'x'), "nobody asked");
    h.say(1 << 56);
    assert!(h.htif.push_input(b'x'));
    h.poll();
    assert_eq!(h.answer(), 1 << 56 | 0x178);
}

#[test]
fn an_answer_waits_until_the_last_one_was_taken() {
    let mut h = Host::new();
    h.put(FROMHOST, 99);
    h.say(1 << 56);
    assert!(h.htif.push_input(b'A'));
    h.poll();
    assert_eq!(h.answer(), 99);
    h.poll();
    assert_eq!(h.answer(), 1 << 56 | 0x141);
}

#[test]
fn a_proxied_write_prints_and_returns_its_length() {
    let mut h = Host::new();
    let (args, text) = (RAM + 0x2000, RAM + 0x3000);
    h.rig.ram.write_bytes(text, b"hello", &mut Vec::new());
    for (i, v) in [64, 1, text, 5].into_iter().enumerate() {
        h.put(args + 8 * i as u64, v);
    }
    assert_eq!(h.say(args), b"hello");
    assert_eq!(h.rig.ram.read(args, 8), Some(5));
    assert_eq!(h.answer(), 1);
    for (i, v) in [64, 1, 0x1000, u64::MAX].into_iter().enumerate() {
        h.put(args + 8 * i as u64, v);
    }
    assert_eq!(h.say(args), b"");
    assert_eq!(h.rig.ram.read(args, 8), Some(-14i64 as u64), "EFAULT");
}
