//! "16550A UART": registers, FIFO, interrupt identification.

use super::*;

fn uart() -> (Uart, Rig) {
    (Uart::new(), Rig::new())
}

#[test]
fn bytes_go_out_at_once_and_in_through_the_fifo() {
    let (mut d, mut rig) = uart();
    rig.write(&mut d, 2, 1, 1);
    rig.write(&mut d, 1, 1, 1);
    for b in b"hello" {
        assert_eq!(rig.read(&mut d, 5, 1) & 0x60, 0x60);
        rig.write(&mut d, 0, 1, u64::from(*b));
    }
    assert_eq!(d.take_output(), b"hello");
    assert_eq!(d.push_input(b"abc"), 3);
    let mut got = Vec::new();
    while rig.read(&mut d, 5, 1) & 1 != 0 {
        got.push(rig.read(&mut d, 0, 1) as u8);
    }
    assert_eq!(got, b"abc");
}

#[test]
fn the_receiver_takes_sixteen_bytes_or_one_without_fifo() {
    let (mut d, mut rig) = uart();
    rig.write(&mut d, 1, 1, 1);
    assert_eq!(d.push_input(&[1; 20]), 1);
    rig.write(&mut d, 2, 1, 1);
    assert_eq!(rig.read(&mut d, 5, 1) & 1, 0, "switching the FIFO on empties it");
    assert_eq!(d.push_input(&[2; 20]), 16);
    assert_eq!((d.room(), d.push_input(&[3])), (0, 0));
    rig.read(&mut d, 0, 1);
    assert_eq!(d.room(), 1);
}

#[test]
fn received_data_interrupts_while_it_is_there_whatever_iir_reads_do() {
    let (mut d, mut rig) = uart();
    rig.write(&mut d, 2, 1, 1);
    rig.write(&mut d, 1, 1, 1);
    assert!(!d.irq());
    d.push_input(b"ab");
    for _ in 0..3 {
        assert_eq!(rig.read(&mut d, 2, 1), 0xc4);
        assert!(d.irq());
    }
    rig.read(&mut d, 0, 1);
    assert!(d.irq());
    rig.read(&mut d, 0, 1);
    assert!(!d.irq());
    assert_eq!(rig.read(&mut d, 2, 1), 0xc1);
}

#[test]
fn below_the_trigger_level_the_cause_is_the_timeout() {
    let (mut d, mut rig) = uart();
    rig.write(&mut d, 2, 1, 0x41);
    rig.write(&mut d, 1, 1, 1);
    d.push_input(b"abc");
    assert_eq!(rig.read(&mut d, 2, 1), 0xcc);
    d.push_input(b"d");
    assert_eq!(rig.read(&mut d, 2, 1), 0xc4);
}

#[test]
fn transmitter_empty_interrupts_once_for_each_byte_and_when_enabled() {
    let (mut d, mut rig) = uart();
    rig.write(&mut d, 1, 1, 2);
    assert!(d.irq(), "enabling it while empty raises it");
    assert_eq!(rig.read(&mut d, 2, 1), 2);
    assert!(!d.irq(), "reading the cause clears it");
    rig.write(&mut d, 0, 1, 65);
    assert!(d.irq());
    rig.write(&mut d, 1, 1, 0);
    assert!(!d.irq(), "masked");
    rig.write(&mut d, 1, 1, 2);
    assert_eq!(rig.read(&mut d, 2, 1), 2);
    rig.write(&mut d, 1, 1, 3);
    assert!(!d.irq(), "it was enabled before: nothing new");
}

/// "Modem Status Register": DDCD, DDSR and DCTS tell of any change since it was read, TERI of the ring indicator's trailing edge only.
#[test]
fn modem_changes_are_told_once_and_the_ring_indicator_only_as_it_falls() {
    const LOOP: u64 = 0x10;
    let (mut d, mut rig) = uart();
    let delta = |d: &mut Uart, rig: &mut Rig, outputs: u64| {
        rig.write(d, 4, 1, LOOP | outputs);
        rig.read(d, 6, 1) & 0xf
    };
    delta(&mut d, &mut rig, 0);
    // DTR shows as DSR, RTS as CTS, OUT1 as RI, OUT2 as DCD.
    for (output, change) in [(1, 2), (2, 1), (8, 8)] {
        assert_eq!(delta(&mut d, &mut rig, output), change, "rises");
        assert_eq!(rig.read(&mut d, 6, 1) & 0xf, 0, "told once");
        assert_eq!(delta(&mut d, &mut rig, 0), change, "falls");
    }
    assert_eq!(delta(&mut d, &mut rig, 4), 0, "the ring begins");
    assert_eq!(delta(&mut d, &mut rig, 0), 4, "the ring is over");
}

#[test]
fn the_peer_waits_until_the_guest_polls_or_enables_the_interrupt() {
    let (mut d, mut rig) = uart();
    rig.write(&mut d, 2, 1, 1);
    for _ in 0..20 {
        // Sending: wait for the transmitter, send, wait until all is out.
        rig.read(&mut d, 5, 1);
        rig.write(&mut d, 0, 1, 65);
        rig.read(&mut d, 5, 1);
    }
    assert_eq!(d.push_input(b"x"), 0);
    for _ in 0..3 {
        rig.read(&mut d, 5, 1);
    }
    assert_eq!(d.push_input(b"x"), 1, "polled for");
    rig.write(&mut d, 2, 1, 7);
    assert_eq!(d.push_input(b"x"), 0, "another driver starts");
    rig.write(&mut d, 1, 1, 1);
    assert_eq!(d.push_input(b"x"), 1);
}

#[test]
fn received_data_ranks_above_transmitter_empty() {
    let (mut d, mut rig) = uart();
    rig.write(&mut d, 2, 1, 1);
    rig.write(&mut d, 1, 1, 3);
    d.push_input(b"a");
    assert_eq!(rig.read(&mut d, 2, 1) & 0xf, 4);
    rig.read(&mut d, 0, 1);
    assert_eq!(rig.read(&mut d, 2, 1) & 0xf, 2, "still pending");
}

#[test]
fn loopback_ties_outputs_to_inputs_and_sends_to_itself() {
    let (mut d, mut rig) = uart();
    assert_eq!(rig.read(&mut d, 6, 1) & 0xf0, 0xb0);
    rig.write(&mut d, 4, 1, 0x1a);
    assert_eq!(rig.read(&mut d, 6, 1) & 0xf0, 0x90, "OUT2 and RTS show as DCD and CTS: how drivers find the chip");
    rig.write(&mut d, 0, 1, 0x5a);
    assert_eq!(rig.read(&mut d, 0, 1), 0x5a);
    assert_eq!(d.take_output(), b"");
    assert_eq!(d.push_input(b"x"), 0, "the line is cut");
    rig.write(&mut d, 0, 1, 1);
    rig.write(&mut d, 0, 1, 2);
    assert_eq!(rig.read(&mut d, 5, 1) & 2, 2, "overrun");
    assert_eq!(rig.read(&mut d, 5, 1) & 2, 0, "cleared by the read");
}

/// 16550, LSR1: without FIFOs an overrun destroys the character that was not read; with them the one that comes.
#[test]
fn an_overrun_loses_the_older_character_without_fifos_and_the_newer_with_them() {
    let (mut d, mut rig) = uart();
    rig.write(&mut d, 4, 1, 0x10);
    rig.write(&mut d, 0, 1, 1);
    rig.write(&mut d, 0, 1, 2);
    assert_eq!((rig.read(&mut d, 5, 1) & 3, rig.read(&mut d, 0, 1)), (3, 2));
    assert_eq!(rig.read(&mut d, 5, 1) & 3, 0);
    rig.write(&mut d, 2, 1, 1);
    (1..=17).for_each(|c| rig.write(&mut d, 0, 1, c));
    assert_eq!(rig.read(&mut d, 5, 1) & 3, 3);
    assert_eq!((1..=16).map(|_| rig.read(&mut d, 0, 1)).collect::<Vec<_>>(), (1..=16).collect::<Vec<_>>());
    assert_eq!(rig.read(&mut d, 5, 1) & 3, 0);
}

#[test]
fn divisor_latch_shares_addresses_with_data_and_ier() {
    let (mut d, mut rig) = uart();
    rig.write(&mut d, 3, 1, 0x83);
    rig.write(&mut d, 0, 1, 0x34);
    rig.write(&mut d, 1, 1, 0x12);
    assert_eq!((rig.read(&mut d, 0, 1), rig.read(&mut d, 1, 1)), (0x34, 0x12));
    rig.write(&mut d, 3, 1, 3);
    assert_eq!((rig.read(&mut d, 0, 1), rig.read(&mut d, 1, 1)), (0, 0));
    assert_eq!(d.take_output(), b"");
    rig.write(&mut d, 7, 1, 0xa5);
    assert_eq!(rig.read(&mut d, 7, 1), 0xa5);
}
