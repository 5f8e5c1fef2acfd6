//! E1, E2, E3, E9: the interrupted context, the handler's beginning, the attributes between them.

use emu_csr::table::field::{menvcfg, mstatus};
use emu_csr::{Cause, Exception, Ext, Mode, table};
use sbi_model::ext::ids::sse;
use sbi_model::sse::attr;

use super::fact::{Fact, Out, hex};
use super::visit::{flags, words};
use super::world::{Running, Visit, World};
use super::writers::Writer;
use crate::context::{Context, Difference, Origin, is_leftover};

/// sstatus and hstatus fields that trap entries and returns change, and what an inexact context does not tell.
const TRAP_REGISTERS: [&str; 3] = ["sepc", "sstatus", "hstatus"];

/// A value of a difference as people read it.
fn shown(d: &Difference, v: u64) -> String {
    if d.register == "mode" { Mode::from_parts(v & 3, v & 4 != 0).name().to_owned() } else { hex(v) }
}

/// The last writer of what is wrong: at the call for what `complete` reads, now for the rest.
fn writer(world: &World, hart: usize, visit: &Visit, d: &Difference) -> Option<Writer> {
    match d.origin() {
        Origin::Field(field) => visit.writers.iter().find(|w| w.field == field).cloned(),
        _ => world.harts.get(hart)?.writers.of(&d.name()),
    }
}

/// E1.
pub(super) fn integrity(world: &World, fact: &Fact<'_>, out: &mut Out<'_>) {
    let Fact::Completed { visit, running, now: Some(now) } = fact else { return };
    let expected = running.expected();
    let mut all = expected.differences(now);
    all.retain(|d| !is_leftover(d));
    if running.redirected() {
        // The handler has changed what it wants; only the place is compared.
        all.retain(|d| d.register == "mode" || d.register == "pc");
    }
    if !running.exact {
        all.retain(|d| !TRAP_REGISTERS.contains(&d.register.as_str()));
    }
    if now.mode != Mode::HS {
        // Privileged ISA, "Double Trap": a return to a less privileged mode clears SDT.
        all.retain(|d| d.name() != "sstatus.SDT");
    }
    if let Some(d) = all.first() {
        let by = writer(world, out.hart, visit, d);
        out.say(Some(running.key.1), &d.name(), shown(d, d.before), shown(d, d.after)).since(running.record).by(by);
    }
}

/// E2.
pub(super) fn entry(world: &World, fact: &Fact<'_>, out: &mut Out<'_>) {
    let Fact::Injected { running, visit, .. } = fact else { return };
    let Some(at) = out.at else { return };
    let (x, now, h) = (&running.x, &running.entry, at.hart);
    let e = world.event(running.key);
    let s = now.csr("sstatus").unwrap_or(0);
    let bit = |mask: u64| u64::from(s & mask != 0);
    let sie = u64::from(x.csr("sstatus").unwrap_or(0) & mstatus::SIE != 0);
    let mut rows = vec![
        ("a6", h.id, h.x[16]),
        ("a7", e.entry_arg, h.x[17]),
        ("sstatus.SIE", 0, bit(mstatus::SIE)),
        ("elp", 0, now.elp.into()),
    ];
    if running.exact {
        rows.extend([
            ("sepc", x.pc, h.csr.sepc),
            ("sstatus.SPP", u64::from(x.mode.level() != 0), bit(mstatus::SPP)),
            ("sstatus.SPIE", sie, bit(mstatus::SPIE)),
        ]);
        if h.csr.isa.has(Ext::H) {
            let hs = now.csr("hstatus").unwrap_or(0);
            let field = |mask: u64| u64::from(hs & mask != 0);
            rows.push(("hstatus.SPV", x.mode.virt().into(), field(table::field::hstatus::SPV)));
            if x.mode.virt() {
                rows.push(("hstatus.SPVP", u64::from(x.mode.level() != 0), field(table::field::hstatus::SPVP)));
            }
        }
        if h.csr.isa.has(Ext::Zicfilp) {
            rows.push(("sstatus.SPELP", x.elp.into(), bit(mstatus::SPELP)));
        }
    }
    if h.csr.isa.has(Ext::Ssdbltrp) {
        rows.push(("sstatus.SDT", u64::from(h.csr.menvcfg & menvcfg::DTE != 0), bit(mstatus::SDT)));
    }
    let event = Some(running.key.1);
    if let Some((field, expected, found)) = rows.into_iter().find(|(_, expected, found)| expected != found) {
        let by = world.harts[out.hart].writers.of(field);
        out.say(event, field, hex(expected), hex(found)).since(visit.record).by(by);
        return;
    }
    let mut rest = x.differences(now);
    let set = ["mode", "pc", "elp", "sepc", "x16", "x17"];
    let fields = ["SIE", "SPIE", "SPP", "SPELP", "SDT", "SPV", "SPVP"];
    rest.retain(|d| !is_leftover(d) && !set.contains(&d.register.as_str()) && !fields.contains(&d.field.as_str()));
    if !running.exact {
        rest.retain(|d| !TRAP_REGISTERS.contains(&d.register.as_str()));
    }
    if let Some(d) = rest.first() {
        let by = world.harts[out.hart].writers.of(&d.name());
        out.say(event, &d.name(), shown(d, d.before), shown(d, d.after)).since(visit.record).by(by);
    }
}

/// E3.
pub(super) fn attributes(world: &World, fact: &Fact<'_>, out: &mut Out<'_>) {
    match fact {
        Fact::Called { visit, error: 0 } => {
            let Some(call) = visit.call.as_ref().filter(|c| (c.eid, c.fid) == (sse::EID, sse::READ_ATTRS)) else { return };
            let Some(at) = out.at else { return };
            let event = call.args[0] as u32;
            let Some(r) = world.harts[at.index].running.iter().find(|r| r.key == World::key(at.index, event)) else { return };
            let first = call.args[1] as u32 as usize;
            for (i, found) in words(at, call).into_iter().enumerate() {
                let a = first + i;
                let expected = a.checked_sub(attr::SEPC).and_then(|k| r.attrs.get(k).copied().flatten());
                if let Some(expected) = expected.filter(|e| *e != found) {
                    out.say(Some(event), attr::NAMES[a], hex(expected), hex(found)).since(r.record);
                    return;
                }
            }
        }
        Fact::Completed { visit, running, now: Some(now) } => restored(world, visit, running, now, out),
        _ => {}
    }
}

/// What the attributes say at `complete` is what the registers become.
fn restored(world: &World, visit: &Visit, r: &Running, now: &Context, out: &mut Out<'_>) {
    let h = out.at.map(|a| a.hart);
    let has = |e: Ext| h.is_some_and(|h| h.csr.isa.has(e));
    let mut known = !0;
    if !has(Ext::H) {
        known &= !0xc;
    }
    if now.mode != Mode::HS {
        known &= !0x20;
    }
    let rows = [
        ("sepc", r.attrs[0], now.csr("sepc").unwrap_or(0), !0),
        ("flags", r.attrs[1], flags(now), known),
        ("a6", r.attrs[2], now.x(16), !0),
        ("a7", r.attrs[3], now.x(17), !0),
    ];
    for (name, expected, found, mask) in rows {
        let Some(expected) = expected.filter(|e| (*e ^ found) & mask != 0) else { continue };
        const FLAGS: [&str; 6] = ["sstatus.SPP", "sstatus.SPIE", "hstatus.SPV", "hstatus.SPVP", "sstatus.SPELP", "sstatus.SDT"];
        let bit = ((expected ^ found) & mask).trailing_zeros() as usize;
        let (name, expected, found) = match (name, FLAGS.get(bit)) {
            ("flags", Some(f)) => (*f, expected >> bit & 1, found >> bit & 1),
            _ => (name, expected, found),
        };
        let by = world.harts[out.hart].writers.of(name);
        out.say(Some(r.key.1), name, hex(expected), hex(found)).since(visit.record).by(by);
        return;
    }
}

/// E9.
pub(super) fn handler_traps(world: &World, fact: &Fact<'_>, out: &mut Out<'_>) {
    let Fact::Completed { visit, running, .. } = fact else { return };
    let (Some(x), true) = (&visit.x, running.traps > 0) else { return };
    // What complete reads, and what else a trap changes.
    let read = ["sstatus.SPP", "sstatus.SPIE", "hstatus.SPV", "hstatus.SPVP", "hstatus.GVA", "sepc"];
    let mut all = running.entry.differences(x);
    let chosen =
        |d: &Difference| running.chosen.contains_key(d.field.as_str()) || running.chosen.contains_key(d.register.as_str());
    // What any trap overwrites is the kernel's own affair, unless it has come from a guest and not yet looked at it.
    let unread = running.x.mode == Mode::HS && world.harts[out.hart].guest_fault;
    let wanted = |name: &str| read.contains(&name) || unread && ["htval", "htinst"].contains(&name);
    all.retain(|d| wanted(&d.name()) && !chosen(d));
    if visit.cause != Cause::Exception(Exception::EcallS) {
        return;
    }
    if let Some(d) = all.first() {
        let by = world.harts[out.hart].writers.of(&d.name());
        out.say(Some(running.key.1), &d.name(), hex(d.before), hex(d.after)).since(running.last_trap).by(by);
    }
}
