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
fn what_the_virtio_console_sends_is_output_of_the_board() {
    let mut bus = build(&Config { virtio_console: true, ..config(1) }, Vec::new()).unwrap();
    let set = |bus: &mut Bus, reg: u64, v: u64| bus.write(map::VIRTIO + reg, 4, v, 0).unwrap();
    let (desc, avail, used) = (map::RAM, map::RAM + 0x1000, map::RAM + 0x2000);
    for (reg, v) in [(0x70, 3), (0x24, 1), (0x20, 1), (0x70, 11), (0x30, 1), (0x38, 4), (0x80, desc), (0x90, avail), (0xa0, used)]
    {
        set(&mut bus, reg, v);
    }
    for (reg, v) in [(0x44, 1), (0x70, 15)] {
        set(&mut bus, reg, v);
    }
    let text = map::RAM + 0x3000;
    for (at, size, v) in [(text, 2, 0x6968), (desc, 8, text), (desc + 8, 4, 2), (avail + 2, 2, 1)] {
        bus.write(at, size, v, 0).unwrap();
    }
    set(&mut bus, 0x50, 1);
    bus.advance(1_000_000);
    assert_eq!(bus.take_output(), b"hi");
}

/// A program that reads its console through `tohost` gets what is typed, a character for each request.
#[test]
fn typed_bytes_reach_a_program_that_asks_for_them_through_htif() {
    let mut bus = build(&config(1), Vec::new()).unwrap();
    let (tohost, fromhost) = (map::RAM, map::RAM + 64);
    bus.htif = Some(crate::dev::Htif::new(tohost, Some(fromhost)));
    assert_eq!(bus.push_input(b"ab"), 0, "nobody asked");
    for byte in b"ab" {
        bus.write(tohost, 8, 1 << 56, 0).unwrap();
        bus.poll_htif();
        assert_eq!((bus.push_input(&[*byte, b'!']), bus.push_input(b"!")), (1, 0));
        bus.poll_htif();
        assert_eq!(bus.read(fromhost, 8, 0), Ok(1 << 56 | 0x100 | u64::from(*byte)));
        bus.write(fromhost, 8, 0, 0).unwrap();
    }
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
