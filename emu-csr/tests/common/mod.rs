//! Harts in arbitrary reachable states, for property tests.
#![allow(dead_code, clippy::expect_used)] // not every test file uses every helper; a bad CPU name here is a bug of the test

use emu_csr::{Csrs, Interrupt, Isa, Mode, Now, table};

/// All modes.
pub const MODES: [Mode; 5] = [Mode::U, Mode::HS, Mode::M, Mode::VU, Mode::VS];

/// A small generator (xorshift), so that a whole state hangs on one number that proptest can report.
pub struct Random(u64);

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number with many, few or all bits set: registers' corner cases.
    pub fn value(&mut self) -> u64 {
        match self.next() >> 61 {
            0 => 0,
            1 => u64::MAX,
            2 => self.next() & self.next() & self.next(),
            3 => self.next() | self.next() | self.next(),
            4 => self.next() & 0xffff,
            _ => self.next(),
        }
    }

    /// One of `choices`.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[(self.next() >> 32) as usize % choices.len()]
    }
}

/// CPUs from full to bare.
pub fn cpus() -> Vec<Isa> {
    [
        "max",
        "rva22",
        "rva23h",
        "rv64gc",
        "max,h=off",
        "max,sstc=off",
        "max,smstateen=off",
        "max,sv57=off",
        "max,c=off",
        "rv64gc,f=off,c=off",
        "rv64gc,s=off",
        "rv64gc,s=off,sdtrig=on",
        "max,smepmp=off,sscofpmf=off",
        "max,ssdbltrp=off",
        "max,h=off,smdbltrp=on",
        "max,smdbltrp=on",
        "max,smrnmi=on",
        "max,smdbltrp=on,smrnmi=on",
        "max,smcsrind=on,smcdeleg=on",
    ]
    .iter()
    .map(|cpu| Isa::parse(cpu).expect("a legal CPU"))
    .collect()
}

/// Clocks at some moment.
pub fn now() -> Now {
    Now { cycles: 1000, instret: 900, time: 77 }
}

/// A hart with everything written with something.
pub fn hart(seed: u64) -> Csrs {
    let mut random = Random::new(seed);
    let isa = random.pick(&cpus());
    hart_of(isa, seed)
}

/// The same, of a given CPU. PMP entries stay unlocked half of the time, or nothing about them could be tested.
pub fn hart_of(isa: Isa, seed: u64) -> Csrs {
    let mut random = Random::new(seed ^ 0xabcd);
    let mut csrs = Csrs::new(isa, 3).with_geilen(random.pick(&[0, 1, 5, 63]));
    let lock = random.next() & 1 == 0;
    for _ in 0..2 {
        for decl in table::all() {
            let value = random.value();
            let value = if decl.name.starts_with("pmpcfg") && !lock { value & 0x7f7f_7f7f_7f7f_7f7f } else { value };
            csrs.poke(decl.number, value, &now());
        }
    }
    for interrupt in Interrupt::ALL {
        csrs.set_line(interrupt, random.next() & 1 == 0);
    }
    csrs.set_guest_lines(random.value());
    csrs.update_timers(random.pick(&[0, 77, u64::MAX]));
    csrs.elp = csrs.isa.has(emu_csr::Ext::Zicfilp) && random.next() & 1 == 0;
    csrs
}
