//! The small monitor behind Ctrl-A c: looks at the machine while it stands still.

use std::path::PathBuf;

use emu_core::bus::Bus;
use emu_core::hart::{Hart, Wait};
use emu_core::insn::{F_NAMES, X_NAMES};
use emu_csr::table;

use crate::args::values;
use crate::explain;

/// What the monitor wants of the run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// Print this and stay.
    Text(String),
    /// The machine's state hash is wanted.
    Hash,
    /// Something is to happen to the machine: one of [`emu_core::machine::INJECTIONS`], with its arguments.
    Inject(&'static str, Vec<u64>),
    /// A snapshot is to be saved to this file.
    Snapshot(PathBuf),
    /// Go on with the guest.
    Continue,
    /// End the process.
    Quit,
}

/// What each command does.
pub const HELP: &str = "\
info registers [HART]   integer and floating-point registers
csr NAME [HART]         one CSR by field
csrs [HART]             all CSRs that are not zero
harts                   what each hart does
hash                    hash of the whole state
raise EVENT [HART]      signal a software event to the native firmware: an id, or ras-high, ras-low, global-ras-high, global-ras-low
snapshot FILE           save the machine; trapeze run --from-snapshot FILE goes on from it
poison ADDRESS [BYTES]  poison the 64-byte lines of a range of RAM; unpoison takes it back
error RECORD CLASS [ADDRESS]
                        log an error in the error bank (--ras): record 0 memory's, 1 + i hart i's; corrected, deferred, critical
continue                back to the guest (also Ctrl-A c)
quit                    end trapeze (also Ctrl-A x)
";

/// Carries out one line.
pub fn run(line: &str, harts: &[Hart], bus: &Bus) -> Reply {
    let words: Vec<&str> = line.split_whitespace().collect();
    let hart = |w: Option<&&str>| match w {
        None => Ok(0),
        Some(t) => t
            .parse::<usize>()
            .ok()
            .filter(|i| *i < harts.len())
            .ok_or_else(|| Reply::Text(format!("there is no hart '{t}': they are 0 to {}\n", harts.len().saturating_sub(1)))),
    };
    let with = |w: Option<&&str>, f: &dyn Fn(&Hart) -> String| match hart(w) {
        Ok(i) => harts.get(i).map_or_else(|| Reply::Text(String::new()), |h| Reply::Text(f(h))),
        Err(r) => r,
    };
    match words.as_slice() {
        [] => Reply::Text(String::new()),
        ["help" | "h" | "?", ..] => Reply::Text(HELP.to_owned()),
        ["continue" | "cont" | "c"] => Reply::Continue,
        ["quit" | "q" | "exit"] => Reply::Quit,
        ["hash"] => Reply::Hash,
        ["snapshot", file] => Reply::Snapshot(PathBuf::from(file)),
        ["raise", event, rest @ ..] => match (crate::firmware::event(event), hart(rest.first())) {
            (Some(e), Ok(h)) => Reply::Inject("event", vec![e, h as u64]),
            (None, _) => Reply::Text(format!("there is no event '{event}': give its number, or ras-high, ras-low ...\n")),
            (_, Err(r)) => r,
        },
        ["poison", rest @ ..] => poison("poison", rest),
        ["unpoison", rest @ ..] => poison("unpoison", rest),
        ["error", record, class, rest @ ..] => error(record, class, rest.first()),
        ["harts"] | ["info", "harts" | "cpus"] => Reply::Text(list(harts)),
        ["info", "registers", rest @ ..] | ["registers" | "regs", rest @ ..] => with(rest.first(), &registers),
        ["csr", name, rest @ ..] => {
            let Some(number) = table::by_name(name) else {
                return Reply::Text(format!("there is no CSR '{name}'; 'csrs' lists those in use\n"));
            };
            with(rest.first(), &|h| match h.csr.peek(number, &h.now(bus)) {
                Some(v) => explain::csr(number, v),
                None => format!("hart {} does not have {name} (see -cpu)\n", h.id),
            })
        }
        ["csrs", rest @ ..] => with(rest.first(), &|h| csrs(h, bus)),
        _ => Reply::Text(format!("unknown command '{}'; 'help' lists them\n", line.trim())),
    }
}

fn poison(name: &'static str, words: &[&str]) -> Reply {
    match words.iter().map(|w| values::number(w)).collect::<Result<Vec<_>, _>>() {
        Ok(n) if n.len() == 1 => Reply::Inject(name, vec![n[0], 1]),
        Ok(n) if n.len() == 2 => Reply::Inject(name, n),
        Ok(_) => Reply::Text(format!("{name}: give an address, and perhaps a number of bytes\n")),
        Err(e) => Reply::Text(format!("{name}: {e}\n")),
    }
}

fn error(record: &str, class: &str, address: Option<&&str>) -> Reply {
    let class = match class {
        "informational" => Ok(0),
        "corrected" => Ok(1),
        "deferred" => Ok(2),
        "critical" => Ok(3),
        number => values::number(number),
    };
    match (values::number(record), class, address.map_or(Ok(0), |a| values::number(a))) {
        (Ok(r), Ok(c), Ok(a)) => Reply::Inject("error", vec![r, c, a]),
        (Err(e), ..) | (_, Err(e), _) | (.., Err(e)) => Reply::Text(format!("error: {e}\n")),
    }
}

fn csrs(h: &Hart, bus: &Bus) -> String {
    let now = h.now(bus);
    table::all()
        .filter_map(|d| h.csr.peek(d.number, &now).filter(|v| *v != 0).map(|v| (d, v)))
        .fold(String::new(), |s, (d, v)| format!("{s}{:<16} {v:#018x}\n", d.name))
}

fn list(harts: &[Hart]) -> String {
    harts.iter().fold(String::new(), |s, h| {
        let state = match h.wait {
            Wait::Running => "running",
            Wait::Wfi => "waiting for an interrupt (wfi)",
            Wait::Wrs(_) => "waiting on a reservation (wrs)",
            Wait::Held => "held by firmware",
        };
        format!("{s}hart {}: {}-mode, pc {:#x}, {} instructions, {state}\n", h.id, h.mode.name(), h.pc, h.instret)
    })
}

fn registers(h: &Hart) -> String {
    let mut s = format!("hart {}  {}-mode  pc {:#018x}  instret {}  cycles {}\n", h.id, h.mode.name(), h.pc, h.instret, h.cycles);
    for (i, name) in X_NAMES.iter().enumerate() {
        let end = if i % 4 == 3 { '\n' } else { ' ' };
        s += &format!("{name:>4} {:#018x}{end}", h.x[i]);
    }
    for (i, v) in h.f.iter().enumerate() {
        let end = if i % 4 == 3 { '\n' } else { ' ' };
        s += &format!("{:>4} {v:#018x}{end}", F_NAMES[i]);
    }
    s
}

/// Collects typed bytes into lines, with backspace; what to echo comes back beside a finished line.
#[derive(Default)]
pub struct Editor {
    line: Vec<u8>,
}

impl Editor {
    /// Takes a byte: what to echo, and the line if it is complete.
    pub fn feed(&mut self, byte: u8) -> (Vec<u8>, Option<String>) {
        match byte {
            b'\r' | b'\n' => {
                let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
                (b"\r\n".to_vec(), Some(line))
            }
            8 | 127 => match self.line.pop() {
                Some(_) => (b"\x08 \x08".to_vec(), None),
                None => (Vec::new(), None),
            },
            // Ctrl-U drops the line, Ctrl-D means what it does in a shell.
            21 => {
                let n = std::mem::take(&mut self.line).len();
                (b"\x08 \x08".repeat(n), None)
            }
            4 if self.line.is_empty() => (b"continue\r\n".to_vec(), Some("continue".into())),
            0x20..0x7f if self.line.len() < 200 => {
                self.line.push(byte);
                (vec![byte], None)
            }
            _ => (Vec::new(), None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_injected_by_name() {
        let bus =
            Bus::new(emu_core::mem::Ram::new(0x8000_0000, 4096), emu_core::bus::Clock { cycle_hz: 1, timebase_hz: 1, offset: 0 });
        let go = |line: &str| run(line, &[], &bus);
        assert_eq!(go("poison 0x80000040"), Reply::Inject("poison", vec![0x8000_0040, 1]));
        assert_eq!(go("unpoison 0x80000040 128"), Reply::Inject("unpoison", vec![0x8000_0040, 128]));
        assert_eq!(go("error 1 critical 0x80000000"), Reply::Inject("error", vec![1, 3, 0x8000_0000]));
        assert_eq!(go("error 0 1"), Reply::Inject("error", vec![0, 1, 0]));
        assert_eq!(go("raise ras-low"), Reply::Inject("event", vec![0x10_0000, 0]));
        assert!(matches!(go("raise ras-low 1"), Reply::Text(_)));
        assert!(matches!(go("error 0 bad"), Reply::Text(t) if t.contains("bad")));
        assert!(matches!(go("poison"), Reply::Text(_)));
    }

    #[test]
    fn lines_can_be_corrected_while_typed() {
        let mut e = Editor::default();
        let lines: Vec<_> = b"hex\x7flp\rjunk\x15quit\r\x04".iter().filter_map(|&b| e.feed(b).1).collect();
        assert_eq!(lines, ["help", "quit", "continue"]);
    }
}
