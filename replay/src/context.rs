//! The context that an interruption must bring back: one hart's architectural state as named values, and how two of them differ.

use emu_core::bus::Bus;
use emu_core::hart::Hart;
use emu_csr::{Mode, table};

/// CSRs that belong to the interrupted context. What the supervisor's own trap entry overwrites is in [`LEFTOVERS`].
const CSRS: &[&str] = &[
    "fcsr",
    "sepc",
    "sstatus",
    "hstatus",
    "stvec",
    "sscratch",
    "satp",
    "sie",
    "scounteren",
    "senvcfg",
    "ssp",
    "siselect",
    "sstateen0",
    "hedeleg",
    "hideleg",
    "hie",
    "hgeie",
    "hstateen0",
    "hcounteren",
    "henvcfg",
    "hgatp",
    "hvip",
    "htimedelta",
    "vsstatus",
    "vsie",
    "vstvec",
    "vsscratch",
    "vsepc",
    "vscause",
    "vstval",
    "vsatp",
    "vstimecmp",
    "vsiselect",
];

/// CSRs that any trap into HS-mode overwrites; a handler that traps changes them unless it puts them back.
pub const LEFTOVERS: &[&str] = &["scause", "stval", "htval", "htinst"];

/// What a value belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// A CSR.
    Csr,
    /// An integer register.
    X,
    /// A floating-point register.
    F,
    /// A register that traps overwrite.
    Leftover,
}

/// One named value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Value {
    kind: Kind,
    /// Register: a CSR's number, or an index.
    register: u16,
    value: u64,
}

/// One hart's architectural state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Context {
    /// Privilege mode.
    pub mode: Mode,
    /// Program counter.
    pub pc: u64,
    /// Expected landing pad (Zicfilp): whether the next instruction must be one.
    pub elp: bool,
    values: Vec<Value>,
}

/// Where `sbi_sse_complete` takes a value of the context from (SBI 3.0, "Software Event Completion").
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// From another field, as the handler leaves it.
    Field(&'static str),
    /// From an attribute, which injection has filled and the handler may write.
    Attribute(&'static str),
    /// From nowhere: neither injection nor completion touches it, so it stays as the handler leaves it.
    Untouched,
}

/// One field that differs.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Difference {
    /// Register: `mode`, `pc`, a CSR's or another register's name.
    pub register: String,
    /// The field's name; empty for a register that is one number.
    pub field: String,
    /// The CSR's number, if it is one.
    pub csr: Option<u16>,
    /// Value before (what is expected).
    pub before: u64,
    /// Value after (what was found).
    pub after: u64,
}

impl Difference {
    /// `hstatus.SPV`, `x10`, `mode`.
    pub fn name(&self) -> String {
        if self.field.is_empty() { self.register.clone() } else { format!("{}.{}", self.register, self.field) }
    }

    /// Where `complete` has the wrong value from.
    pub fn origin(&self) -> Origin {
        match self.name().as_str() {
            "mode" if (self.before ^ self.after) & 4 != 0 => Origin::Field("hstatus.SPV"),
            "mode" => Origin::Field("sstatus.SPP"),
            "pc" => Origin::Field("sepc"),
            "elp" => Origin::Field("sstatus.SPELP"),
            "sstatus.SIE" => Origin::Field("sstatus.SPIE"),
            "sstatus.SPP" | "sstatus.SPIE" | "sstatus.SPELP" | "sstatus.SDT" | "hstatus.SPV" | "hstatus.SPVP" => {
                Origin::Attribute("INTERRUPTED_FLAGS")
            }
            "sepc" => Origin::Attribute("INTERRUPTED_SEPC"),
            "x16" => Origin::Attribute("INTERRUPTED_A6"),
            "x17" => Origin::Attribute("INTERRUPTED_A7"),
            _ => Origin::Untouched,
        }
    }

    /// With the values: `hstatus.SPV 0 -> 1`, `mode HS -> VS`.
    pub fn text(&self) -> String {
        if self.register == "mode" {
            let name = |v: u64| Mode::from_parts(v & 3, v & 4 != 0).name();
            return format!("mode {} -> {}", name(self.before), name(self.after));
        }
        format!("{} {:#x} -> {:#x}", self.name(), self.before, self.after)
    }
}

/// Mode as a number for [`Difference`]: level, and 4 for V=1.
fn mode_bits(mode: Mode) -> u64 {
    mode.level() | if mode.virt() { 4 } else { 0 }
}

impl Context {
    /// The context of a hart as it is now.
    pub fn of(hart: &Hart, bus: &Bus) -> Context {
        let now = hart.now(bus);
        let mut values = Vec::with_capacity(100);
        let csrs = |names: &'static [&'static str], kind| {
            names
                .iter()
                .filter_map(move |n| table::by_name(n))
                .filter_map(move |register| Some(Value { kind, register, value: hart.csr.peek(register, &now)? }))
        };
        values.extend(csrs(CSRS, Kind::Csr));
        values.extend((1..32).map(|i| Value { kind: Kind::X, register: i, value: hart.x[i as usize] }));
        values.extend((0..32).map(|i| Value { kind: Kind::F, register: i, value: hart.f[i as usize] }));
        values.extend(csrs(LEFTOVERS, Kind::Leftover));
        Context { mode: hart.mode, pc: hart.pc, elp: hart.csr.elp, values }
    }

    /// An integer register.
    pub fn x(&self, i: u16) -> u64 {
        self.values.iter().find(|v| v.kind == Kind::X && v.register == i).map_or(0, |v| v.value)
    }

    /// The same context with another value of an integer register.
    pub fn set_x(&mut self, i: u16, value: u64) {
        if let Some(v) = self.values.iter_mut().find(|v| v.kind == Kind::X && v.register == i) {
            v.value = value;
        }
    }

    /// The same context with other bits in a CSR that it has.
    pub fn set_csr(&mut self, name: &str, mask: u64, bits: u64) {
        let Some(number) = table::by_name(name) else { return };
        for v in self.values.iter_mut().filter(|v| matches!(v.kind, Kind::Csr | Kind::Leftover) && v.register == number) {
            v.value = v.value & !mask | bits & mask;
        }
    }

    /// What differs in `other`, which should be the same, the most consequential first. Registers in [`LEFTOVERS`] come last.
    pub fn differences(&self, other: &Context) -> Vec<Difference> {
        let mut list = Vec::new();
        let plain = |register: &str, before, after| Difference {
            register: register.into(),
            field: String::new(),
            csr: None,
            before,
            after,
        };
        if self.mode != other.mode {
            list.push(plain("mode", mode_bits(self.mode), mode_bits(other.mode)));
        }
        if self.pc != other.pc {
            list.push(plain("pc", self.pc, other.pc));
        }
        if self.elp != other.elp {
            list.push(plain("elp", self.elp.into(), other.elp.into()));
        }
        for (a, b) in self.values.iter().zip(&other.values).filter(|(a, b)| a.value != b.value) {
            match a.kind {
                Kind::X => list.push(plain(&format!("x{}", a.register), a.value, b.value)),
                Kind::F => list.push(plain(&format!("f{}", a.register), a.value, b.value)),
                _ => fields(a.register, a.value, b.value, &mut list),
            }
        }
        list
    }

    /// The value of a CSR of the context.
    pub fn csr(&self, name: &str) -> Option<u64> {
        let number = table::by_name(name)?;
        self.values.iter().find(|v| matches!(v.kind, Kind::Csr | Kind::Leftover) && v.register == number).map(|v| v.value)
    }
}

/// The fields of a CSR that differ, or the register itself if it has none that do.
fn fields(csr: u16, before: u64, after: u64, list: &mut Vec<Difference>) {
    let register = table::name(csr).unwrap_or("csr").to_owned();
    let start = list.len();
    for f in table::fields(csr).iter().filter(|f| f.of(before) != f.of(after)) {
        list.push(Difference {
            register: register.clone(),
            field: f.name.to_owned(),
            csr: Some(csr),
            before: f.of(before),
            after: f.of(after),
        });
    }
    if list.len() == start {
        list.push(Difference { register, field: String::new(), csr: Some(csr), before, after });
    }
}

/// Whether a difference is in a register that traps overwrite.
pub fn is_leftover(d: &Difference) -> bool {
    LEFTOVERS.contains(&d.register.as_str())
}
