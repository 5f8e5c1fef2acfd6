//! Every access of every CSR from every mode in many states, against a second reading of the manual: Zicsr's rules on
//! numbers, then clause by clause what Hypervisor, "Hypervisor and Virtual Supervisor Trap Causes" lists.

mod common;

use common::{MODES, Random, hart, now};
use emu_csr::{Csrs, Denied, Ext, Mode, table};
use proptest::prelude::*;

fn bit(register: u64, bit: u32) -> bool {
    register >> bit & 1 == 1
}

/// The bit of the counter-enable registers that governs a CSR, if any.
fn counter_bit(name: &str) -> Option<u32> {
    match name {
        "cycle" => Some(0),
        "time" => Some(1),
        "instret" => Some(2),
        _ => name.strip_prefix("hpmcounter").and_then(|i| i.parse().ok()),
    }
}

/// The index of an hstateen or sstateen.
fn stateen(name: &str) -> Option<usize> {
    name.strip_prefix("hstateen").or_else(|| name.strip_prefix("sstateen")).and_then(|i| i.parse().ok())
}

/// Whether M, HS or U may make the access, with mstatus.TVM as it is or taken as zero. FS is left aside.
fn allowed(c: &Csrs, csr: u16, name: &str, write: bool, mode: Mode, tvm: bool) -> bool {
    let privilege = match mode {
        Mode::M => 3,
        Mode::HS if c.isa.has(Ext::H) => 2,
        Mode::HS => 1,
        _ => 0,
    };
    // Debug, "Native Triggers": tcontrol is for harts without S-mode.
    if name == "tcontrol" && c.isa.has(Ext::S) {
        return false;
    }
    if !c.exists(csr) || privilege < csr >> 8 & 3 || write && csr >> 10 == 3 {
        return false;
    }
    if mode == Mode::M {
        return true;
    }
    if let Some(i) = counter_bit(name) {
        let u = mode != Mode::U || !c.isa.has(Ext::S) || bit(c.scounteren, i);
        return bit(c.mcounteren, i) && u;
    }
    if let Some(i) = stateen(name) {
        return bit([c.mstateen0, c.mstateen1, c.mstateen2, c.mstateen3][i], 63);
    }
    match name {
        "satp" | "hgatp" => !(tvm && bit(c.mstatus, 20)),
        "stimecmp" | "vstimecmp" => bit(c.menvcfg, 63) && bit(c.mcounteren, 1),
        "ssp" => bit(c.menvcfg, 3) && (mode != Mode::U || bit(c.senvcfg, 3)),
        "henvcfg" | "senvcfg" => !c.isa.has(Ext::Smstateen) || bit(c.mstateen0, 62),
        "hcontext" | "scontext" => !c.isa.has(Ext::Smstateen) || bit(c.mstateen0, 57),
        _ => true,
    }
}

/// Whether VS or VU may, given that HS may (TVM aside).
fn allowed_virtual(c: &Csrs, csr: u16, name: &str, mode: Mode) -> bool {
    let privilege = if mode == Mode::VS { 1 } else { 0 };
    if privilege < csr >> 8 & 3 {
        return false;
    }
    if let Some(i) = counter_bit(name) {
        return bit(c.hcounteren, i) && (mode == Mode::VS || bit(c.scounteren, i));
    }
    if let Some(i) = stateen(name) {
        let hstateen = [c.hstateen0, c.hstateen1, c.hstateen2, c.hstateen3][i];
        return bit(hstateen, 63);
    }
    match name {
        "ssp" => bit(c.henvcfg, 3) && (mode == Mode::VS || bit(c.senvcfg, 3)),
        "satp" => !bit(c.hstatus, 20),
        "stimecmp" => bit(c.henvcfg, 63) && bit(c.hcounteren, 1),
        "senvcfg" => !c.isa.has(Ext::Smstateen) || bit(c.hstateen0, 62),
        "scontext" => !c.isa.has(Ext::Smstateen) || bit(c.hstateen0, 57),
        _ => true,
    }
}

/// Smcsrind, Smcdeleg: what a counter of `select`, delegated by CDE and its bit of mcounteren, has behind alias `i`.
fn delegated(c: &Csrs, select: u64, i: u32) -> bool {
    let counter = select.wrapping_sub(0x40);
    let there = match (i, counter) {
        (1, 0 | 2) => c.isa.has(Ext::Zicntr),
        (2, 0 | 2) => c.isa.has(Ext::Smcntrpmf),
        (1 | 2, 3..32) => c.isa.has(Ext::Zihpm),
        _ => false,
    };
    there && bit(c.menvcfg, 60) && bit(c.mcounteren, counter as u32)
}

/// The indirect registers (Smcsrind, Sscsrind) and those that counter delegation closes (Smcdeleg), of a hart that has them.
fn indirect(c: &Csrs, name: &str, mode: Mode) -> Option<Result<(), Denied>> {
    let alias = |run: &str| name.strip_prefix(run).map(|i| if i.is_empty() { 1 } else { i.parse().unwrap_or(0) });
    let cde = bit(c.menvcfg, 60);
    let ok = |allowed: bool, why| Some(if allowed { Ok(()) } else { Err(why) });
    let closed = mode != Mode::M && c.isa.has(Ext::Smstateen) && !bit(c.mstateen0, 60);
    let closed_v = mode.virt() && c.isa.has(Ext::Smstateen) && !bit(c.hstateen0, 60);
    match name {
        "scountovf" => return ok(!(mode.virt() && cde), Denied::Virtual).filter(|r| r.is_err()),
        "scountinhibit" if !cde => return ok(false, Denied::Illegal),
        "scountinhibit" if mode == Mode::U => return ok(false, Denied::Illegal),
        "scountinhibit" => return ok(!mode.virt(), Denied::Virtual),
        "miselect" => return ok(mode == Mode::M, Denied::Illegal),
        _ if alias("mireg").is_some() => return ok(false, Denied::Illegal),
        _ if !name.contains("siselect") && alias("sireg").or(alias("vsireg")).is_none() => return None,
        _ if closed || mode == Mode::U => return ok(false, Denied::Illegal),
        "vsiselect" => return ok(!mode.virt(), Denied::Virtual),
        // "from VS-mode or VU-mode to directly access vsiselect or any of vsireg*, or from VU-mode to access siselect or any of sireg*".
        _ if alias("vsireg").is_some() => return ok(false, if mode.virt() { Denied::Virtual } else { Denied::Illegal }),
        _ if closed_v || mode == Mode::VU => return ok(false, Denied::Virtual),
        "siselect" => return ok(true, Denied::Illegal),
        _ => {}
    }
    let i = alias("sireg")?;
    if mode.virt() {
        let counters = cde && (0x40..0x60).contains(&c.vsiselect);
        return ok(false, if counters { Denied::Virtual } else { Denied::Illegal });
    }
    ok(delegated(c, c.siselect, i), Denied::Illegal)
}

fn expected(c: &Csrs, csr: u16, write: bool, mode: Mode) -> Result<(), Denied> {
    let Some(name) = table::name(csr) else { return Err(Denied::Illegal) };
    if c.exists(csr)
        && !(write && csr >> 10 == 3)
        && let Some(answer) = indirect(c, name, mode)
    {
        return answer;
    }
    let fp = matches!(name, "fflags" | "frm" | "fcsr");
    let fs_off = c.mstatus >> 13 & 3 == 0 || mode.virt() && c.vsstatus >> 13 & 3 == 0;
    if !mode.virt() {
        let ok = allowed(c, csr, name, write, mode, true) && !(fp && fs_off);
        return if ok { Ok(()) } else { Err(Denied::Illegal) };
    }
    if !allowed(c, csr, name, write, Mode::HS, false) || fp && fs_off {
        return Err(Denied::Illegal);
    }
    if allowed_virtual(c, csr, name, mode) { Ok(()) } else { Err(Denied::Virtual) }
}

proptest! {
    #[test]
    fn the_gate_of_every_access_is_the_manuals(seed: u64) {
        let mut csrs = hart(seed);
        let mut random = Random::new(!seed);
        if csrs.isa.has(Ext::Sscsrind) {
            // The counters' selects and some around them.
            (csrs.siselect, csrs.vsiselect) = (0x30 + random.next() % 0x40, 0x30 + random.next() % 0x40);
        }
        let modes: Vec<Mode> = MODES.into_iter().filter(|&mode| match mode {
            Mode::VS | Mode::VU => csrs.isa.has(Ext::H),
            Mode::HS => csrs.isa.has(Ext::S),
            Mode::U => csrs.isa.has(Ext::U),
            Mode::M => true,
        }).collect();
        for csr in 0..=0xfff {
            for &mode in &modes {
                for write in [false, true] {
                    let expected = expected(&csrs, csr, write, mode);
                    let name = table::name(csr).unwrap_or("?");
                    let got = if write {
                        csrs.clone().write(csr, random.value(), mode, &now(), &mut ()).map(|_| ())
                    } else {
                        csrs.read(csr, mode, &now()).map(|_| ())
                    };
                    prop_assert_eq!(got, expected, "{} {:#x} write={} {:?} isa={}", name, csr, write, mode, csrs.isa.isa_string());
                }
            }
        }
    }

    #[test]
    fn a_refused_write_changes_nothing(seed: u64, csr in 0u16..0x1000, value: u64) {
        let before = hart(seed);
        for mode in MODES {
            let mut csrs = before.clone();
            if csrs.write(csr, value, mode, &now(), &mut ()).is_err() {
                prop_assert_eq!(&csrs, &before);
            }
        }
    }

    #[test]
    fn a_read_modify_write_is_a_read_and_a_write(seed: u64, index in 0usize..400, operand: u64, op in 0usize..3) {
        use emu_csr::Op;
        let decl = table::all().nth(index % table::all().count()).expect("in range");
        let op = [Op::Write, Op::Set, Op::Clear][op];
        for mode in MODES {
            let before = hart(seed);
            let mut csrs = before.clone();
            let got = csrs.read_modify_write(decl.number, op, operand, true, mode, &now(), &mut ());
            let mut twice = before.clone();
            let expected = twice.read(decl.number, mode, &now()).and_then(|old| {
                // "mip": the signal of SEIP takes no part.
                let base = if decl.name == "mip" { old & !(1 << 9) | before.mip & 1 << 9 } else { old };
                twice.write(decl.number, op.apply(base, operand), mode, &now(), &mut ()).map(|effects| (old, effects))
            });
            if !decl.read_only() {
                prop_assert_eq!(got, expected);
                prop_assert_eq!(csrs, twice);
            } else {
                prop_assert_eq!(got, Err(emu_csr::Denied::Illegal).or(got.map(|_| (0, emu_csr::Effects::NONE))));
            }
        }
    }
}
