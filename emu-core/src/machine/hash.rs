//! The state hash: every bit a guest could ever see, and nothing else. TLBs, blocks and counters for benchmarks are not in it.

use super::Machine;
use crate::dev::StateIo;
use crate::hart::{Hart, Wait};

/// Feeds names, lengths and values to the hash, so that no two different states have the same byte stream.
struct Hasher(blake3::Hasher);

impl StateIo for Hasher {
    fn u64(&mut self, name: &'static str, v: &mut u64) {
        self.0.update(name.as_bytes());
        self.0.update(&v.to_le_bytes());
    }

    fn bytes(&mut self, name: &'static str, v: &mut Vec<u8>) {
        self.0.update(name.as_bytes());
        self.0.update(&(v.len() as u64).to_le_bytes());
        self.0.update(v);
    }
}

impl Machine {
    /// BLAKE3 of harts, RAM, devices and firmware. Equal runs have equal hashes on every host and with either engine.
    pub fn state_hash(&mut self) -> [u8; 32] {
        let mut h = Hasher(blake3::Hasher::new());
        for hart in &mut self.harts {
            hart.state(&mut h);
        }
        self.bus.state(&mut h);
        if let Some(fw) = &mut self.firmware {
            fw.state(&mut h);
        }
        let mut waiting: Vec<u8> = self.console_in.iter().copied().collect();
        h.bytes("console input", &mut waiting);
        h.u64("round", &mut self.round);
        h.u64("turn", &mut (self.turn as u64));
        h.u64("began", &mut u64::from(self.began));
        h.u64("alone", &mut self.alone.map_or(0, |i| i as u64 + 1));
        h.u64("in firmware", &mut self.in_firmware);
        self.bus.ram.for_each_page(&mut |pa, page| {
            h.0.update(&pa.to_le_bytes());
            h.0.update(page);
        });
        *h.0.finalize().as_bytes()
    }
}

impl Hart {
    /// Visits all architectural state, to save it or to restore it.
    pub fn state(&mut self, io: &mut dyn StateIo) {
        io.u64("hart", &mut self.id);
        for x in &mut self.x[1..32] {
            io.u64("x", x);
        }
        for f in &mut self.f {
            io.u64("f", f);
        }
        io.u64("pc", &mut self.pc);
        let mut mode = self.mode as u64;
        io.u64("mode", &mut mode);
        self.mode = emu_csr::Mode::from_parts(mode, mode & 4 != 0);
        io.u64("instret", &mut self.instret);
        io.u64("cycles", &mut self.cycles);
        let (mut reserved, mut set) = (self.reservation.is_some() as u64, self.reservation.unwrap_or(0));
        io.u64("reserved", &mut reserved);
        io.u64("reservation", &mut set);
        self.reservation = (reserved != 0).then_some(set);
        let (mut wait, mut until) = match self.wait {
            Wait::Running => (0, 0),
            Wait::Wfi => (1, 0),
            Wait::Wrs(c) => (2, c),
            Wait::Held => (3, 0),
        };
        io.u64("wait", &mut wait);
        io.u64("wait until", &mut until);
        self.wait = match wait {
            0 => Wait::Running,
            1 => Wait::Wfi,
            2 => Wait::Wrs(until),
            _ => Wait::Held,
        };
        self.csr.visit_state(&mut |name, word| io.u64(name, word));
        // Also after words were replaced: what follows from them.
        self.csr.restored();
        if self.csr.counts_tlb() {
            self.counted.get_or_insert_default().state(io);
        }
    }
}
