//! Building the board, and interrupt lines from device to hart.

use super::*;
use crate::bus::Lines;
use crate::dev::state::{Restorer, Saver};
use crate::dev::virtio::MemoryDisk;

fn config(harts: usize) -> Config {
    Config { harts, ram_size: 16 << 20, ..Config::default() }
}

#[test]
fn impossible_configurations_are_refused() {
    let refuse = |c: Config| build(&c, Vec::new()).err().map(|e| e.to_string()).unwrap_or_default();
    assert!(refuse(config(0)).contains("0 harts"));
    assert!(refuse(config(33)).contains("33 harts"));
    assert!(refuse(Config { ram_size: 1000, ..config(1) }).contains("1000 bytes"));
    assert!(refuse(Config { ram_size: (16 << 20) + 1, ..config(1) }).contains("bytes of memory"));
    assert!(refuse(Config { ram_size: !4095, ..config(1) }).contains("bytes of memory"));
    assert!(refuse(Config { cycle_hz: 0, ..config(1) }).contains("0 Hz"));
    let drive = || Drive { backend: Box::new(MemoryDisk::new(vec![0; 512])), read_only: false, serial: String::new() };
    assert!(build(&config(1), (0..7).map(|_| drive()).collect()).is_ok());
    assert!(build(&config(1), (0..8).map(|_| drive()).collect()).is_err());
    assert_eq!(build(&config(32), Vec::new()).map(|b| b.slots.len()).ok(), Some(14));
}

#[test]
fn hart_ids_must_be_distinct_one_a_hart_and_within_the_interruptors_reach() {
    let with = |ids: &[u64]| build(&Config { hart_ids: ids.to_vec(), ..config(3) }, Vec::new()).err().map(|e| e.to_string());
    assert_eq!(with(&[9, 2, 5]), None);
    assert_eq!(with(&[10, 4104, 12]), None);
    for (ids, word) in [
        (&[1, 2][..], "2 hart ids for 3"),
        (&[1, 2, 1], "twice"),
        (&[0, 1, 4095], "4095 apart"),
        (&[1 << 32, (1 << 32) + 1, (1 << 32) + 2], "2^32"),
    ] {
        assert!(with(ids).is_some_and(|e| e.contains(word)), "{ids:?}: {:?}", with(ids));
    }
}

#[test]
fn devices_may_not_overlap_each_other_or_memory() {
    let mut bus = build(&config(1), Vec::new()).unwrap();
    for (base, size) in [(map::UART + 0x80, 0x100), (map::PLIC - 8, 16), (map::RAM - 0x100, 0x200), (0, u64::MAX)] {
        assert!(bus.add(base, size, 0, Box::new(Finisher)).is_err(), "{base:#x}");
    }
    assert!(bus.add(0x3000_0000, 0x1000, 0, Box::new(Finisher)).is_ok());
    assert_eq!(bus.write(0x3000_0000, 4, 0x5555, 0), Ok(()));
    assert_eq!(bus.request, Some(crate::bus::Request::PowerOff(0)));
}

#[test]
fn nobody_answers_between_devices() {
    let mut bus = build(&config(1), Vec::new()).unwrap();
    for pa in [0, 0x1000, map::RTC + 0x1000, map::RAM - 8, map::RAM + (16 << 20), u64::MAX - 7] {
        assert!(bus.read(pa, 8, 0).is_err() && bus.write(pa, 8, 0, 0).is_err(), "{pa:#x}");
    }
    assert!(bus.read(map::UART + 8, 1, 0).is_err(), "beyond the chip's eight registers");
}

#[test]
fn a_byte_on_the_serial_line_interrupts_the_context_that_enabled_it() {
    let mut bus = build(&config(2), Vec::new()).unwrap();
    let enable_s1 = map::PLIC + 0x2000 + 0x80 * 3;
    for (pa, size, v) in [(map::PLIC + 4 * 10, 4, 1), (enable_s1, 4, 1 << 10), (map::UART + 2, 1, 1), (map::UART + 1, 1, 1)] {
        bus.write(pa, size, v, 0).unwrap();
    }
    bus.propagate_irqs();
    assert_eq!(bus.hart_lines(1, 0), Lines::default());
    bus.lines_changed = false;
    assert_eq!(bus.push_input(b"x"), 1);
    assert!(bus.lines_changed);
    bus.propagate_irqs();
    assert_eq!(bus.hart_lines(1, 0), Lines { seip: true, ..Lines::default() });
    assert_eq!(bus.hart_lines(0, 0), Lines::default());
    let claim = map::PLIC + 0x20_3004;
    assert_eq!(bus.read(claim, 4, 0), Ok(10));
    assert_eq!(bus.read(map::UART, 1, 0), Ok(u64::from(b'x')));
    bus.propagate_irqs();
    bus.write(claim, 4, 10, 0).unwrap();
    assert_eq!(bus.hart_lines(1, 0), Lines::default());
}

#[test]
fn timer_and_software_lines_reach_their_hart() {
    let mut bus = build(&config(2), Vec::new()).unwrap();
    bus.write(map::CLINT + 4, 4, 1, 0).unwrap();
    bus.write(map::CLINT + 0x4000, 8, 100, 0).unwrap();
    assert_eq!(bus.hart_lines(1, 0), Lines { msip: true, ..Lines::default() });
    assert_eq!(bus.next_event(0), Some(10_000));
    assert!(!bus.hart_lines(0, 9_999).mtip);
    assert!(bus.hart_lines(0, 10_000).mtip);
    bus.write(map::SSWI + 4, 4, 1, 0).unwrap();
    assert_eq!((bus.take_ssip_edges(), bus.take_ssip_edges()), (2, 0));
}

#[test]
fn a_saved_board_is_restored_into_a_fresh_one() {
    let mut a = build(&config(2), Vec::new()).unwrap();
    a.write(map::CLINT + 0xbff8, 8, 12345, 777).unwrap();
    a.write(map::UART, 1, 65, 0).unwrap();
    a.write(map::PLIC + 40, 4, 3, 0).unwrap();
    let save = |b: &mut Bus| {
        let mut s = Saver::default();
        b.state(&mut s);
        s.0
    };
    let saved = save(&mut a);
    let mut b = build(&config(2), Vec::new()).unwrap();
    assert_ne!(save(&mut b), saved);
    let mut r = Restorer::new(&saved);
    b.state(&mut r);
    assert!(r.complete());
    assert_eq!(save(&mut b), saved);
    assert_eq!(b.take_output(), b"A");
    assert_eq!(b.read(map::CLINT + 0xbff8, 8, 777), Ok(12345));
}
