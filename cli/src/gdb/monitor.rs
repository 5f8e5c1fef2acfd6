//! What `monitor ...` in GDB answers: traps, software events, who wrote a CSR, and what the monitor behind Ctrl-A c knows.

use emu_core::hart::Wait;
use emu_core::machine::Machine;
use emu_csr::table;
use replay::ledger::FieldName;
use replay::symbols::Symbols;
use sbi_model::Sbi;
use sbi_model::sse::Event;
use sbi_model::state::Stage;

use super::guest::Say;
use super::target::Debugged;
use crate::exit::CliError;
use crate::monitor::Reply;
use crate::{entry, monitor};

const HELP: &str = "\
traps [N] [HART]        the last N entries (default 10) of the trap ledger: traps, returns, CSR writes, firmware operations
why CSR[.FIELD] [HART]  what last changed a CSR or a field
violations              what oracles have found up to here (--check)
back-to WHAT [HART]     to before the last write of WHAT: a0, sepc, hstatus.SPV, va:ADDRESS or SYMBOL, pa:ADDRESS
                        (then as after goto)
sse                     software events: each hart's, the global ones, and their states
sbi                     what native firmware does on each hart now
physical on|off         whether GDB's addresses are physical (also: maintenance packet Qqemu.PhyMemMode:1)
xp ADDRESS [BYTES]      memory at a physical address
translate ADDRESS [HART]  where a virtual address lies now
position                instructions, cycles, and how far a history reaches
snapshots               checkpoints of a history, and the memory they take
goto [BOOT:]N[+K]       to where all harts have retired N instructions (after so many reboots), K cycles later (then: maintenance flush
                        register-cache)
firmware-steps CYCLES   native firmware's operations pause so long after each step, so that stepi goes through them; 0: never
inject NAME [ARGS]      lets an event of the recorder's enter the run: event, msip, ssip, x, memory and others
live                    lets a replayed run go on by itself from here: it can then be changed and typed to
";

/// Carries out one line.
pub fn command(d: &mut Debugged<'_>, line: &str, say: Say<'_>) -> Result<String, CliError> {
    let words: Vec<&str> = line.split_whitespace().collect();
    Ok(match words.as_slice() {
        ["help" | "h" | "?", ..] => format!("{HELP}{}", monitor::HELP),
        ["traps", rest @ ..] => traps(d, rest, say)?,
        ["why", what, rest @ ..] => why(d, what, rest.first().copied(), say)?,
        ["sse"] => {
            let m = d.guest.look();
            firmware(m).map_or_else(absent, |s| sse(m, s))
        }
        ["sbi"] => {
            let m = d.guest.look();
            (0..m.harts().len()).fold(String::new(), |s, i| format!("{s}{}\n", thread(m, i)))
        }
        ["physical" | "phys", state @ ("on" | "off")] => {
            d.physical = *state == "on";
            format!("addresses are {} now\n", if d.physical { "physical" } else { "virtual" })
        }
        ["xp", address, rest @ ..] => xp(d.machine(), address, rest.first().copied()),
        ["translate", address, rest @ ..] => translate(d.guest.inspect(), address, rest.first().copied()),
        ["position"] => d.guest.position(),
        ["snapshots" | "checkpoints"] => d.guest.checkpoints(),
        ["goto", n] => match crate::args::values::place(n) {
            Ok((boot, place)) => d.guest.go_to(boot, place, say)?,
            Err(e) => format!("{e}\n"),
        },
        ["inject", name, args @ ..] => inject(d, name, args),
        ["firmware-steps", cycles] => inject(d, "pause", &[cycles]),
        ["violations"] => match d.guest.violations() {
            None => "no oracles listen; start the run with --check all\n".to_owned(),
            Some(list) if list.is_empty() => "none\n".to_owned(),
            Some(list) => list.join("\n") + "\n",
        },
        ["back-to", what, rest @ ..] => match rest.first().map_or(Ok(0), |h| h.parse::<usize>()) {
            Ok(hart) => d.guest.back_to(what, hart, say)?,
            Err(_) => "the hart is a number\n".to_owned(),
        },
        ["live"] => d.guest.go_live(),
        ["continue" | "cont" | "c" | "quit" | "q" | "exit"] => {
            "GDB has its own commands for that: continue, detach, kill\n".to_owned()
        }
        _ => {
            let m = d.machine();
            match monitor::run(line, m.harts(), m.bus()) {
                Reply::Text(t) => t,
                Reply::Hash => format!("{}\n", crate::report::hex(&d.guest.inspect().state_hash())),
                Reply::Inject(name, args) => match d.guest.inject(name, &args) {
                    Ok(()) => "done\n".to_owned(),
                    Err(e) => format!("refused: {e}\n"),
                },
                Reply::Snapshot(file) => format!("{}\n", d.guest.save(&file)),
                Reply::Continue | Reply::Quit => String::new(),
            }
        }
    })
}

fn absent() -> String {
    "there is no native firmware: run with -bios native\n".to_owned()
}

/// The native firmware's own state.
pub fn firmware(m: &Machine) -> Option<&Sbi> {
    m.firmware()?.as_any()?.downcast_ref()
}

/// One hart in a few words, with the firmware operation it is in: what GDB shows beside the thread.
pub fn thread(m: &Machine, i: usize) -> String {
    let Some(h) = m.harts().get(i) else { return String::new() };
    let state = match h.wait {
        Wait::Running => "running",
        Wait::Wfi => "waiting (wfi)",
        Wait::Wrs(_) => "waiting (wrs)",
        Wait::Held => "held by firmware",
    };
    let mut s = format!("hart {}, {}-mode, {state}", h.id, h.mode.name());
    if m.is_in_firmware(i)
        && let Some(work) = firmware(m).and_then(|f| f.state().work.get(i))
    {
        s += &match work.stage {
            Stage::Idle | Stage::Answer => format!(", {}, step {}", operation(m, i), work.at),
            // The registers of the call are those of a handler by now.
            Stage::Events => ", SBI delivery of software events".to_owned(),
            Stage::Return => ", SBI return".to_owned(),
        };
    }
    s
}

/// The frame of native firmware on a hart: the function it was called for, or the trap it answers.
fn operation(m: &Machine, i: usize) -> String {
    use emu_csr::{Cause, Exception};
    let Some(h) = m.harts().get(i) else { return String::new() };
    let cause = Cause::from_bits(h.csr.mcause);
    if cause == Some(Cause::Exception(Exception::EcallS)) {
        let (fid, eid) = (h.x[16], h.x[17]);
        let extension = firmware(m).and_then(|f| sbi_model::ext::find(eid, f.rules(), h));
        let name = extension.and_then(|e| e.function(eid, fid)).map(|f| f.name);
        return format!("SBI {}", name.unwrap_or("unknown function"));
    }
    format!("SBI answer to {}", cause.map_or("unknown trap", |c| c.name()))
}

/// Something from outside, by name and numbers.
fn inject(d: &mut Debugged<'_>, name: &str, args: &[&str]) -> String {
    let numbers: Result<Vec<u64>, String> = args.iter().map(|a| crate::args::values::number(a)).collect();
    match numbers.and_then(|n| d.guest.inject(name, &n)) {
        Ok(()) => "done\n".to_owned(),
        Err(e) => format!("refused: {e}\n"),
    }
}

/// One line an event.
fn sse(m: &Machine, fw: &Sbi) -> String {
    use sbi_model::sse::{attr, status as state};
    let sse = &fw.state().sse;
    let line = |e: &Event| {
        let name = match e.state() {
            state::REGISTERED => "REGISTERED",
            state::ENABLED => "ENABLED",
            state::RUNNING => "RUNNING",
            _ => "UNUSED",
        };
        let mut s = format!("  event {:#010x} {name:<10}", e.id);
        if e.pending() {
            s += " PENDING";
        }
        if e.state() != state::UNUSED {
            s += &format!(
                " priority {} entry {:#x} arg {:#x}",
                e.attrs[attr::PRIORITY],
                e.attrs[attr::ENTRY_PC],
                e.attrs[attr::ENTRY_ARG]
            );
        }
        if e.state() == state::RUNNING {
            let on = e.running_on.checked_sub(1).map_or("no hart".to_owned(), |i| format!("hart {i}"));
            s += &format!(" on {on}, interrupted sepc {:#x} flags {:#x}", e.attrs[attr::SEPC], e.attrs[attr::FLAGS]);
        }
        s + "\n"
    };
    let mut s = String::new();
    for (i, h) in sse.harts.iter().enumerate() {
        let id = m.harts().get(i).map_or(0, |h| h.id);
        s += &format!("hart {id}: {}\n", if h.masked { "masked" } else { "unmasked" });
        h.local.iter().for_each(|e| s += &line(e));
    }
    s += "global:\n";
    sse.global.iter().for_each(|e| s += &line(e));
    s
}

fn traps(d: &mut Debugged<'_>, rest: &[&str], say: Say<'_>) -> Result<String, CliError> {
    let count = rest.first().map_or(Some(10), |w| w.parse::<usize>().ok());
    let hart = rest.get(1).map(|w| w.parse::<usize>());
    let (Some(count), None | Some(Ok(_))) = (count, &hart) else {
        return Ok("give a number of entries and, perhaps, a hart: monitor traps 20 0\n".to_owned());
    };
    let entries = d.guest.recent(count, hart.and_then(Result::ok), say)?;
    if entries.is_empty() {
        return Ok("none\n".to_owned());
    }
    let symbols = Symbols::default();
    Ok(entries
        .iter()
        .fold(String::new(), |s, e| format!("{s}hart {} @{} {}\n", e.hart(), e.instret(), entry::text(e, &symbols, |_| true))))
}

fn why(d: &mut Debugged<'_>, what: &str, hart: Option<&str>, say: Say<'_>) -> Result<String, CliError> {
    let Some(field) = FieldName::new(what) else {
        return Ok(format!("there is no CSR or field '{what}'; give names as in the manuals, such as hstatus.SPV\n"));
    };
    let Ok(hart) = hart.unwrap_or("0").parse::<usize>() else { return Ok("the hart is a number\n".to_owned()) };
    let m = d.machine();
    let Some(h) = m.harts().get(hart) else { return Ok(format!("there is no hart {hart}\n")) };
    let value = table::by_name(field.register).and_then(|n| h.csr.peek(n, &h.now(m.bus())));
    let mut s = format!("{} = {:#x}\n", field.name(), value.map_or(0, |v| field.of(v)));
    match d.guest.last_writer(hart, &field, say)? {
        Ok((e, before, after)) => {
            let text = entry::text(&e, &Symbols::default(), |_| true);
            s += &format!("changed from {before:#x} to {after:#x} at hart {hart}'s instruction {}:\n  {text}\n", e.instret());
        }
        Err(nothing) => s += &nothing,
    }
    Ok(s)
}

fn xp(m: &Machine, address: &str, bytes: Option<&str>) -> String {
    let (Ok(address), Ok(n)) = (crate::args::values::number(address), bytes.map_or(Ok(64), crate::args::values::number)) else {
        return "give an address and a number of bytes: monitor xp 0x80000000 64\n".to_owned();
    };
    let mut buf = vec![0; n.min(4096) as usize];
    if !m.peek_physical(address, &mut buf) {
        return format!("{address:#x}: not RAM; devices are not read, since reading may change them\n");
    }
    buf.chunks(16).enumerate().fold(String::new(), |s, (i, row)| {
        let hex = row.iter().fold(String::new(), |s, b| format!("{s} {b:02x}"));
        format!("{s}{:#014x}:{hex}\n", address + 16 * i as u64)
    })
}

fn translate(m: &mut Machine, address: &str, hart: Option<&str>) -> String {
    let (Ok(va), Ok(hart)) = (crate::args::values::number(address), hart.unwrap_or("0").parse::<usize>()) else {
        return "give an address and, perhaps, a hart: monitor translate 0xffffffff80000000 0\n".to_owned();
    };
    match m.peek_translate(hart, va) {
        Some(pa) => format!("{va:#x} -> {pa:#x}\n"),
        None => format!("{va:#x} is not mapped on hart {hart} now\n"),
    }
}
