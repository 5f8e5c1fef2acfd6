//! Host-target interface: a program stores a request in the doubleword `tohost` and reads answers from `fromhost` (Spike's protocol,
//! used by riscv-tests and bare-metal programs). Not a [`Device`](super::Device): the two words lie in RAM, where the ELF file's
//! symbols say, and the machine looks at them at slice ends.

use super::{StateIo, state};
use crate::bus::Request;
use crate::mem::Ram;

/// Longest string a program may print in one request; a wild length must not make the host allocate it.
const MAX_WRITE: u64 = 1 << 20;

const SYS_WRITE: u64 = 64;
const SYS_EXIT: u64 = 93;
const ENOSYS: u64 = 38;

/// The interface's two addresses and what waits to be answered.
#[derive(Clone)]
pub struct Htif {
    tohost: u64,
    fromhost: Option<u64>,
    /// Answer for `fromhost`, delivered when the program has taken the last one.
    answer: Option<u64>,
    /// A getchar waits for input.
    wants_input: bool,
    /// The program exited or asked for power off.
    done: bool,
}

impl Htif {
    /// With the physical addresses of `tohost` and `fromhost` (programs that only exit have no `fromhost`).
    pub fn new(tohost: u64, fromhost: Option<u64>) -> Htif {
        Htif { tohost, fromhost, answer: None, wants_input: false, done: false }
    }

    /// Address of `fromhost`.
    pub fn fromhost(&self) -> Option<u64> {
        self.fromhost
    }

    /// Address of `tohost`.
    pub fn tohost(&self) -> u64 {
        self.tohost
    }

    /// Gives a character to a program that asked for one; false if none did.
    pub fn push_input(&mut self, byte: u8) -> bool {
        let wants = self.wants_input && self.answer.is_none();
        if wants {
            self.wants_input = false;
            self.answer = Some(1 << 56 | 0x100 | u64::from(byte));
        }
        wants
    }

    /// Handles a request if there is one, and delivers an answer; returns what the program prints.
    pub fn poll(&mut self, ram: &mut Ram, request: &mut Option<Request>, code_writes: &mut Vec<u64>) -> Vec<u8> {
        let mut out = Vec::new();
        let v = ram.read(self.tohost, 8).unwrap_or(0);
        if v != 0 && !self.done {
            self.handle(v, ram, request, code_writes, &mut out);
            ram.write(self.tohost, 8, 0, code_writes);
        }
        if let (Some(a), Some(at)) = (self.answer, self.fromhost)
            && ram.read(at, 8) == Some(0)
        {
            ram.write(at, 8, a, code_writes);
            self.answer = None;
        }
        out
    }

    fn handle(&mut self, v: u64, ram: &mut Ram, request: &mut Option<Request>, code_writes: &mut Vec<u64>, out: &mut Vec<u8>) {
        let (device, command, payload) = (v >> 56, v >> 48 & 0xff, v << 16 >> 16);
        match (device, command) {
            (0, 0) if payload & 1 != 0 => {
                self.done = true;
                *request = Some(Request::PowerOff((payload >> 1) as u32));
            }
            (0, 0) => {
                self.syscall(payload, ram, request, code_writes, out);
                self.answer = Some(1);
            }
            (1, 0) => self.wants_input = true,
            // Spike answers no putchar: a program that asks for a character next would take the answer for it.
            (1, 1) => out.push(payload as u8),
            _ => {}
        }
    }

    /// A proxied system call: eight doublewords at `at`, number first; the result replaces the number.
    fn syscall(&mut self, at: u64, ram: &mut Ram, request: &mut Option<Request>, code_writes: &mut Vec<u64>, out: &mut Vec<u8>) {
        let mut words = [0; 64];
        if !ram.read_bytes(at, &mut words) {
            return;
        }
        let word = |i: usize| u64::from_le_bytes(std::array::from_fn(|b| words[8 * i + b]));
        let result = match word(0) {
            SYS_WRITE if matches!(word(1), 1 | 2) => {
                let mut text = vec![0; word(3).min(MAX_WRITE) as usize];
                if ram.read_bytes(word(2), &mut text) {
                    out.extend_from_slice(&text);
                    text.len() as u64
                } else {
                    14u64.wrapping_neg() // EFAULT
                }
            }
            SYS_EXIT => {
                self.done = true;
                *request = Some(Request::PowerOff(word(1) as u32));
                0
            }
            _ => ENOSYS.wrapping_neg(),
        };
        ram.write_bytes(at, &result.to_le_bytes(), code_writes);
    }

    /// Visits all state.
    pub fn state(&mut self, io: &mut dyn StateIo) {
        state::option(io, "htif answer", &mut self.answer);
        state::bool(io, "htif wants input", &mut self.wants_input);
        state::bool(io, "htif done", &mut self.done);
    }
}
