//! The state hash: every bit a guest could ever see, and nothing else. TLBs, blocks and counters for benchmarks are not in it.

use super::Machine;
use crate::dev::StateIo;
use crate::hart::{Hart, Wait};

/// Feeds names, lengths and values to the hash, so that no two different states have the same byte stream. With `true`, not disks.
struct Hasher(blake3::Hasher, bool);

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

    fn skips_disks(&self) -> bool {
        self.1
    }
}

/// The first bytes of a hash.
fn short(h: &blake3::Hasher) -> [u8; 4] {
    let whole = h.finalize();
    std::array::from_fn(|i| whole.as_bytes()[i])
}

/// Hashes each part by itself, and all of them together.
struct Parts {
    of: Hasher,
    all: Hasher,
    name: String,
    done: Vec<(String, [u8; 4])>,
}

impl StateIo for Parts {
    fn u64(&mut self, name: &'static str, v: &mut u64) {
        self.of.u64(name, v);
        self.all.u64(name, v);
    }

    fn bytes(&mut self, name: &'static str, v: &mut Vec<u8>) {
        self.of.bytes(name, v);
        self.all.bytes(name, v);
    }

    fn skips_disks(&self) -> bool {
        true
    }

    fn part(&mut self, name: &str, index: usize) {
        let next = if name == "hart" { format!("hart {index}") } else { name.to_owned() };
        let before = std::mem::replace(&mut self.name, next);
        if !before.is_empty() {
            self.done.push((before, short(&self.of.0)));
        }
        self.of.0.reset();
    }
}

impl Machine {
    /// BLAKE3 of harts, RAM, devices and firmware. Equal runs have equal hashes on every host and with either engine.
    pub fn state_hash(&mut self) -> [u8; 32] {
        let mut h = Hasher(blake3::Hasher::new(), false);
        self.visit_hashed(&mut h);
        self.bus.ram.for_each_page(&mut |pa, page| {
            h.0.update(&pa.to_le_bytes());
            h.0.update(page);
        });
        *h.0.finalize().as_bytes()
    }

    /// As [`Machine::state_hash`] without RAM and disks: microseconds, so that it can be taken often. Runs that differ nearly always differ here soon.
    pub fn register_hash(&mut self) -> [u8; 32] {
        let mut h = Hasher(blake3::Hasher::new(), true);
        self.visit_hashed(&mut h);
        *h.0.finalize().as_bytes()
    }

    /// A short hash of each part of what [`Machine::register_hash`] covers, with the part's name: `hart 0`, `serial@10000000`, `firmware`. They
    /// tell where two states differ, not whether.
    pub fn part_hashes(&mut self) -> Vec<(String, [u8; 4])> {
        self.mark_hashes().1
    }

    /// [`Machine::register_hash`] and [`Machine::part_hashes`] by one visit.
    pub fn mark_hashes(&mut self) -> ([u8; 32], Vec<(String, [u8; 4])>) {
        let new = || Hasher(blake3::Hasher::new(), true);
        let mut h = Parts { of: new(), all: new(), name: String::new(), done: Vec::new() };
        self.visit_hashed(&mut h);
        h.part("", 0);
        (*h.all.0.finalize().as_bytes(), h.done)
    }

    /// A short hash of each of (at most) `ranges` equal parts of RAM, named by their first and last addresses.
    pub fn ram_hashes(&self, ranges: u64) -> Vec<(String, [u8; 4])> {
        let ram = &self.bus.ram;
        let (base, pages) = (ram.base(), ram.size() >> 12);
        let each = pages.div_ceil(ranges.max(1)).max(1);
        let mut hashers = vec![blake3::Hasher::new(); usize::try_from(pages.div_ceil(each)).unwrap_or(0)];
        ram.for_each_page(&mut |pa, page| {
            let at = usize::try_from(((pa - base) >> 12) / each).ok().and_then(|i| hashers.get_mut(i));
            if let Some(h) = at {
                h.update(&pa.to_le_bytes());
                h.update(page);
            }
        });
        let name = |i: u64| {
            let (first, end) = (base + ((i * each) << 12), base + (((i + 1) * each).min(pages) << 12));
            format!("memory {first:#x}-{:#x}", end - 1)
        };
        hashers.iter().zip(0..).map(|(h, i)| (name(i), short(h))).collect()
    }

    /// Visits what the hash covers but for RAM, and leaves it as it was.
    fn visit_hashed(&mut self, io: &mut dyn StateIo) {
        // What was printed already is no state: it must not matter when it was last taken.
        self.collect();
        let lines = self.bus.lines_changed;
        self.visit_state(io);
        self.bus.lines_changed = lines;
    }

    /// Visits all state but RAM that a guest could ever see, to save it, restore it, hash it or compare it. After restoring call
    /// [`Machine::restored`].
    pub fn visit_state(&mut self, io: &mut dyn StateIo) {
        for (i, hart) in self.harts.iter_mut().enumerate() {
            io.part("hart", i);
            hart.state(io);
        }
        self.bus.state(io);
        if let Some(fw) = &mut self.firmware {
            io.part("firmware", 0);
            fw.state(io);
        }
        io.part("machine", 0);
        let mut waiting: Vec<u8> = self.console_in.iter().copied().collect();
        io.bytes("console input", &mut waiting);
        self.console_in = waiting.into();
        io.u64("round", &mut self.round);
        let (mut turn, mut began) = (self.turn as u64, u64::from(self.began));
        io.u64("turn", &mut turn);
        io.u64("began", &mut began);
        (self.turn, self.began) = ((turn as usize).min(self.harts.len()), began != 0);
        let mut alone = self.alone.map_or(0, |i| i as u64 + 1);
        io.u64("alone", &mut alone);
        self.alone = (alone as usize).checked_sub(1);
        io.u64("in firmware", &mut self.in_firmware);
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
