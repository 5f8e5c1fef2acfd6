//! E16, E17, E18, E20, E21: handlers' code, calls that end, firmware's own faults, V, and the vector of nested traps.

use emu_core::hart::{Hart, Wait};
use emu_csr::table::field::mstatus;
use emu_csr::{Cause, Mode};
use sbi_model::ext::ids::{hsm, sse};
use sbi_model::sse::status;

use super::fact::{Fact, Out, hex};
use super::violation::Violation;
use super::walk::{self, Code};
use super::world::World;

/// Instructions in which M-mode ends a call.
const LONGEST: u64 = 20_000_000;

/// E16.
pub(super) fn stale_handler(world: &World, fact: &Fact<'_>, out: &mut Out<'_>) {
    let Fact::Injected { running, .. } = fact else { return };
    let e = world.event(running.key);
    let (Some(at), Some(then)) = (out.at, e.code) else { return };
    let text = |c: Option<Code>| c.map_or("no code".to_owned(), |c| format!("{:#x} with contents {:016x}", c.pa, c.hash));
    let now = Code::at(at.hart, at.bus, e.entry_pc);
    if now != Some(then) {
        out.say(Some(running.key.1), "handler", text(Some(then)), text(now)).since(e.registered);
    }
}

/// Whether a call stops or suspends its hart, which then is in M-mode for as long as it pleases.
fn sleeps(eid: u64, fid: u64) -> bool {
    eid == hsm::EID && matches!(fid, hsm::HART_STOP | hsm::HART_SUSPEND)
}

/// A hart that has been in M-mode for too long, answering a call. What is said does not depend on when somebody looks.
pub(super) fn stuck(world: &World, index: usize, h: &Hart) -> Option<Violation> {
    let visit = world.harts.get(index)?.visit.as_ref()?;
    if visit.endless {
        return None;
    }
    let (eid, fid) = visit.ids().filter(|(eid, fid)| !sleeps(*eid, *fid))?;
    let ran = h.instret.saturating_sub(visit.instret);
    (h.mode == Mode::M && h.wait == Wait::Running && ran > LONGEST).then(|| Violation {
        oracle: 0,
        event: None,
        hart: index,
        instret: visit.instret + LONGEST,
        pc: visit.pc,
        field: "call".into(),
        expected: format!("function {fid} of extension {eid:#x} returns"),
        found: format!("still in M-mode after {LONGEST} instructions"),
        writer: None,
        records: (Some(visit.record), visit.record),
    })
}

/// E17.
pub(super) fn liveness(world: &World, fact: &Fact<'_>, out: &mut Out<'_>) {
    let Fact::Ended { dead: Some(text) } = fact else { return };
    let Some(visit) = world.harts[out.hart].visit.as_ref().filter(|v| v.call.is_some()) else { return };
    if !text.contains("fault") {
        out.say(None, "call", "a return to the caller", (*text).to_owned()).since(visit.record);
    }
}

/// E18.
pub(super) fn firmware(world: &World, fact: &Fact<'_>, out: &mut Out<'_>) {
    match fact {
        Fact::Fault(e) => {
            // On behalf of a lower mode (MPRV) firmware may fault, and while it sets a hart up it may probe.
            let Some(at) = out.at else { return };
            let view = &world.harts[at.index];
            let (Some(visit), Cause::Exception(x)) = (&view.visit, e.cause) else { return };
            let stops = visit.ids().is_some_and(|(eid, fid)| sleeps(eid, fid));
            let probes = at.hart.csr.mstatus & mstatus::MPRV != 0;
            if !probes && !stops && !view.stopped {
                out.say(None, "exception", "none of M-mode's own", x.name().to_owned()).since(visit.record);
            }
        }
        Fact::Called { visit, .. } => {
            // With others at work what changes beside a buffer may be theirs.
            let (Some(call), Some(at)) = (visit.sse().filter(|c| c.fid <= sse::WRITE_ATTRS), out.at) else { return };
            if world.harts.iter().filter(|h| !h.stopped).count() > 1 {
                return;
            }
            let word = |i: u64| at.bus.ram.read(call.args[3].wrapping_add(i.wrapping_mul(8)), 8);
            let count = call.buffer.len() as u64;
            let rows = [(u64::MAX, call.around[0]), (count, call.around[1])];
            for (i, before) in rows {
                let (Some(before), Some(after)) = (before, word(i)) else { continue };
                if before != after {
                    let field = format!("memory at {:#x}", call.args[3].wrapping_add(i.wrapping_mul(8)));
                    out.say(Some(call.args[0] as u32), &field, hex(before), hex(after)).since(visit.record);
                    return;
                }
            }
        }
        Fact::Ended { dead: Some(text) } if text.contains("fault") => {
            let Some(visit) = world.harts[out.hart].visit.as_ref() else { return };
            out.say(None, "exception", "none of M-mode's own", (*text).to_owned()).since(visit.record);
        }
        _ => {}
    }
}

/// E20.
pub(super) fn virtualisation(world: &World, fact: &Fact<'_>, out: &mut Out<'_>) {
    let Some(at) = out.at else { return };
    match fact {
        Fact::Left { visit, to, injected: None, completed } if to.to.virt() => {
            let was = visit.from.virt() || completed.is_some_and(|r| r.expected().mode.virt());
            if !was && (world.in_use() || completed.is_some()) {
                let by = visit.writers.iter().find(|w| w.field == "hstatus.SPV").cloned();
                let since = completed.map_or(visit.record, |r| r.record);
                let event = completed.map(|r| r.key.1);
                out.say(event, "V", "0, as in the context that M-mode was entered from or that was interrupted", "1")
                    .since(since)
                    .by(by);
            }
        }
        Fact::Returned(r) if r.to.virt() && r.from == Mode::HS => {
            let Some(pa) = walk::guest(at.hart, at.bus, r.target) else { return };
            if world.harts[at.index].host.has(pa) {
                let by = world.harts[at.index].writers.of("hstatus.SPV");
                out.say(None, "pc", "code of the guest", format!("{:#x}, at {pa:#x} where HS-mode runs", r.target)).by(by);
            }
        }
        _ => {}
    }
}

/// E21.
pub(super) fn vector(world: &World, fact: &Fact<'_>, out: &mut Out<'_>) {
    let Fact::Trapped(e) = fact else { return };
    let (Mode::HS, Some(at)) = (e.to, out.at) else { return };
    let view = &world.harts[at.index];
    let Some(r) = view.running.last() else { return };
    let event = world.event(r.key);
    if r.depth > 0 || !event.is(status::RUNNING) {
        return;
    }
    let expected = r.stvec.unwrap_or(event.vector);
    let found = at.hart.csr.stvec;
    if found & !3 != expected & !3 {
        out.say(Some(r.key.1), "stvec", hex(expected), hex(found)).since(r.record).by(view.writers.of("stvec"));
    }
}
