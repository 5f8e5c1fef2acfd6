//! ns16550a serial port. Bytes are sent at once; received ones wait in the 16-byte FIFO ([`Uart::push_input`]).
//!
//! The peer waits until someone listens: until the received-data interrupt is enabled, or the line status is polled for data. What is
//! typed (or piped in) while a machine boots would otherwise be lost when a driver clears the FIFO, or be kept from firmware that
//! reads the console on behalf of a kernel.
//!
//! Own code rather than `vm-superio`: its `Serial` signals edges to an event descriptor, and its IIR read forgets received data that
//! is still there, so the level that the PLIC needs cannot be had from it; it also ignores FCR.

use std::collections::VecDeque;

use super::{Device, StateIo, state};
use crate::bus::{BusError, DevCx};

const FIFO: usize = 16;
/// Reads of an empty line status in a row that are a wait for input: a driver that waits to send needs fewer.
const POLLS: u8 = 4;

const IER_RECEIVED: u8 = 1;
const IER_EMPTY: u8 = 2;
const IER_LINE: u8 = 4;
const IER_MODEM: u8 = 8;

const IIR_NONE: u8 = 0x01;
const IIR_MODEM: u8 = 0x00;
const IIR_EMPTY: u8 = 0x02;
const IIR_RECEIVED: u8 = 0x04;
const IIR_LINE: u8 = 0x06;
const IIR_TIMEOUT: u8 = 0x0c;
const IIR_FIFOS: u8 = 0xc0;

const FCR_ENABLE: u8 = 1;
const FCR_CLEAR_RX: u8 = 2;

const LCR_DLAB: u8 = 0x80;
const MCR_LOOP: u8 = 0x10;

const LSR_READY: u8 = 1;
const LSR_OVERRUN: u8 = 2;
/// Holding register and shifter empty: sending takes no time.
const LSR_SENT: u8 = 0x60;

/// A peer is there: CTS, DSR, DCD.
const MSR_CONNECTED: u8 = 0xb0;

/// The port's registers and FIFO.
#[derive(Clone)]
pub struct Uart {
    ier: u8,
    fcr: u8,
    lcr: u8,
    mcr: u8,
    /// Modem status as last read (upper half) with the changes since (lower half).
    msr: u8,
    scratch: u8,
    divisor: u16,
    overrun: bool,
    /// The transmitter-empty interrupt is pending: an event, unlike the condition.
    empty_pending: bool,
    /// Reads of LSR in a row that found no data, up to [`POLLS`].
    polls: u8,
    /// The guest polls for input.
    polled: bool,
    rx: VecDeque<u8>,
    output: Vec<u8>,
}

impl Default for Uart {
    fn default() -> Uart {
        Uart::new()
    }
}

impl Uart {
    /// A port after reset, with a peer connected.
    pub fn new() -> Uart {
        Uart {
            ier: 0,
            fcr: 0,
            lcr: 3,
            mcr: 0,
            msr: MSR_CONNECTED,
            scratch: 0,
            divisor: 12,
            overrun: false,
            empty_pending: false,
            polls: 0,
            polled: false,
            rx: VecDeque::new(),
            output: Vec::new(),
        }
    }

    fn capacity(&self) -> usize {
        if self.fcr & FCR_ENABLE != 0 { FIFO } else { 1 }
    }

    /// Bytes that the receiver takes now: none while nobody listens, or in loopback, which disconnects the line.
    pub fn room(&self) -> usize {
        let listening = self.polled || self.ier & IER_RECEIVED != 0;
        if !listening || self.mcr & MCR_LOOP != 0 { 0 } else { self.capacity().saturating_sub(self.rx.len()) }
    }

    /// Notes a read of LSR, or with `empty` false any other access.
    fn note_poll(&mut self, empty: bool) {
        self.polls = if empty { (self.polls + 1).min(POLLS) } else { 0 };
        self.polled |= self.polls == POLLS;
    }

    /// Receives bytes, as many as there is [`Uart::room`] for; returns how many. The caller keeps the rest for later.
    pub fn push_input(&mut self, bytes: &[u8]) -> usize {
        let n = bytes.len().min(self.room());
        self.rx.extend(&bytes[..n]);
        n
    }

    /// Takes what was sent since the last call.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// The pending interrupt of highest priority, as IIR shows it.
    fn cause(&self) -> u8 {
        let trigger = match self.fcr >> 6 {
            _ if self.fcr & FCR_ENABLE == 0 => 1,
            0 => 1,
            1 => 4,
            2 => 8,
            _ => 14,
        };
        if self.ier & IER_LINE != 0 && self.overrun {
            IIR_LINE
        } else if self.ier & IER_RECEIVED != 0 && self.rx.len() >= trigger {
            IIR_RECEIVED
        } else if self.ier & IER_RECEIVED != 0 && !self.rx.is_empty() {
            // Four character times without another byte are over at once: the line has no speed.
            IIR_TIMEOUT
        } else if self.ier & IER_EMPTY != 0 && self.empty_pending {
            IIR_EMPTY
        } else if self.ier & IER_MODEM != 0 && self.msr & 0x0f != 0 {
            IIR_MODEM
        } else {
            IIR_NONE
        }
    }

    fn send(&mut self, byte: u8) {
        self.empty_pending = true;
        if self.mcr & MCR_LOOP == 0 {
            self.output.push(byte);
        } else if self.rx.len() < self.capacity() {
            self.rx.push_back(byte);
        } else {
            self.overrun = true;
            // Without FIFOs the next character destroys the one before it; a full FIFO keeps what it has.
            if self.fcr & FCR_ENABLE == 0 {
                self.rx.clear();
                self.rx.push_back(byte);
            }
        }
    }

    /// Brings MSR's inputs up to date (loopback ties them to MCR's outputs) and notes changes in its lower half.
    fn update_modem(&mut self) {
        let m = self.mcr;
        let now = if m & MCR_LOOP == 0 { MSR_CONNECTED } else { (m & 2) << 3 | (m & 1) << 5 | (m & 4) << 4 | (m & 8) << 4 };
        let changed = (self.msr ^ now) >> 4;
        // Ring indicator counts its trailing edge only.
        let ring = changed & 4 & self.msr >> 4;
        self.msr = now | self.msr & 0x0f | changed & 0x0b | ring;
    }
}

impl Device for Uart {
    fn name(&self) -> &str {
        "serial@10000000"
    }

    fn read(&mut self, offset: u64, _size: u8, _cx: &mut DevCx<'_>) -> Result<u64, BusError> {
        let dlab = self.lcr & LCR_DLAB != 0;
        self.note_poll(offset == 5 && self.rx.is_empty());
        Ok(u64::from(match offset {
            0 if dlab => self.divisor as u8,
            1 if dlab => (self.divisor >> 8) as u8,
            0 => self.rx.pop_front().unwrap_or(0),
            1 => self.ier,
            2 => {
                let cause = self.cause();
                if cause == IIR_EMPTY {
                    self.empty_pending = false;
                }
                cause | if self.fcr & FCR_ENABLE != 0 { IIR_FIFOS } else { 0 }
            }
            3 => self.lcr,
            4 => self.mcr,
            5 => {
                let overrun = if std::mem::take(&mut self.overrun) { LSR_OVERRUN } else { 0 };
                LSR_SENT | overrun | if self.rx.is_empty() { 0 } else { LSR_READY }
            }
            6 => {
                let v = self.msr;
                self.msr &= 0xf0;
                v
            }
            7 => self.scratch,
            _ => return Err(BusError),
        }))
    }

    fn write(&mut self, offset: u64, _size: u8, value: u64, _cx: &mut DevCx<'_>) -> Result<(), BusError> {
        let v = value as u8;
        let dlab = self.lcr & LCR_DLAB != 0;
        self.note_poll(false);
        match offset {
            0 if dlab => self.divisor = self.divisor & 0xff00 | u16::from(v),
            1 if dlab => self.divisor = self.divisor & 0xff | u16::from(v) << 8,
            0 => self.send(v),
            1 => {
                // Enabling the interrupt while the transmitter is empty raises it.
                if v & !self.ier & IER_EMPTY != 0 {
                    self.empty_pending = true;
                }
                self.ier = v & 0x0f;
            }
            2 => {
                if (v ^ self.fcr) & FCR_ENABLE != 0 || v & FCR_CLEAR_RX != 0 {
                    self.rx.clear();
                    // A new driver: whether it listens is to be seen.
                    self.polled = false;
                }
                self.fcr = if v & FCR_ENABLE != 0 { v & 0xc9 } else { 0 };
            }
            3 => self.lcr = v,
            4 => {
                self.mcr = v & 0x1f;
                self.update_modem();
            }
            5 | 6 => {}
            7 => self.scratch = v,
            _ => return Err(BusError),
        }
        Ok(())
    }

    fn irq(&self) -> bool {
        self.cause() != IIR_NONE
    }

    fn state(&mut self, io: &mut dyn StateIo) {
        for (name, v) in [
            ("ier", &mut self.ier),
            ("fcr", &mut self.fcr),
            ("lcr", &mut self.lcr),
            ("mcr", &mut self.mcr),
            ("msr", &mut self.msr),
            ("scratch", &mut self.scratch),
        ] {
            state::u8(io, name, v);
        }
        state::u16(io, "divisor", &mut self.divisor);
        state::bool(io, "overrun", &mut self.overrun);
        state::bool(io, "empty pending", &mut self.empty_pending);
        state::u8(io, "polls", &mut self.polls);
        self.polls = self.polls.min(POLLS);
        state::bool(io, "polled", &mut self.polled);
        let mut rx = std::mem::take(&mut self.rx).into();
        io.bytes("rx", &mut rx);
        rx.truncate(FIFO);
        self.rx = rx.into();
        io.bytes("output", &mut self.output);
    }

    fn fork(&self) -> Option<Box<dyn Device>> {
        Some(Box::new(self.clone()))
    }

    fn as_any(&mut self) -> &mut dyn std::any::Any {
        self
    }
}
