//! Every retired instruction in the format of Spike's commit log (`spike --log-commits`): hart, privilege, pc, instruction, the registers
//! it wrote, and its memory accesses. docs/trace.md says where the two logs differ.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;

use emu_core::insn::File as Registers;
use emu_core::observer::{Observer, Retired};
use emu_csr::{Mode, table};

use crate::config::Config;
use crate::console::output::Pending;
use crate::exit::CliError;
use crate::machine;

/// Runs a guest and writes its log.
pub fn run(file: &Path, config: &Config, console: bool) -> Result<ExitCode, CliError> {
    super::interrupts()?;
    let stdout = file.as_os_str() == "-";
    let out = if stdout { Pending::stream(Box::new(std::io::stdout())) } else { Pending::create(file, "log")? };
    let failed = |e| match stdout {
        true => CliError::Terminal { doing: "write the log", source: e },
        false => CliError::file(file, "write the log", e),
    };
    let log = Rc::new(RefCell::new(Lines { out, line: String::new(), error: None }));
    let mut guest = machine::build(config)?;
    guest.set_observer(Box::new(Commits(log.clone())));
    let end = super::slices(&mut guest, &super::until(config), console, &mut || match log.borrow_mut().error.take() {
        Some(e) => Err(failed(e)),
        None => Ok(true),
    })?;
    log.borrow_mut().out.finish().map_err(failed)?;
    Ok(super::exit(&end).into())
}

struct Lines {
    out: Pending,
    line: String,
    error: Option<std::io::Error>,
}

struct Commits(Rc<RefCell<Lines>>);

impl Observer for Commits {
    fn wants_instructions(&self) -> bool {
        true
    }

    fn retired(&mut self, r: &Retired<'_>) {
        let mut lines = self.0.borrow_mut();
        let Lines { out, line, error } = &mut *lines;
        line.clear();
        write_line(line, r);
        if error.is_none() {
            *error = out.write_all(line.as_bytes()).err();
        }
    }
}

/// One line. Formatting into a string cannot fail.
fn write_line(s: &mut String, r: &Retired<'_>) {
    let priv_level = match r.mode {
        Mode::M => 3,
        Mode::HS | Mode::VS => 1,
        Mode::U | Mode::VU => 0,
    };
    let insn = r.insn;
    let digits = usize::from(insn.len) * 2;
    let _ = write!(s, "core{:4}: {priv_level} {:#018x} (0x{:0digits$x})", r.hart.id, r.pc, insn.raw);
    match insn.def.operands.0 {
        Registers::X if insn.rd != 0 => {
            let _ = write!(s, " x{:<2} {:#018x}", insn.rd, r.hart.get(insn.rd));
        }
        Registers::F => {
            let _ = write!(s, " f{:<2} {:#018x}", insn.rd & 31, r.hart.f[usize::from(insn.rd & 31)]);
        }
        _ => {}
    }
    let now = r.hart.now(r.bus);
    for csr in written(r).into_iter().flatten() {
        let value = r.hart.csr.peek(csr, &now).unwrap_or(0);
        let _ = write!(s, " c{csr}_{} {value:#018x}", table::name(csr).unwrap_or("?"));
    }
    if let Some(a) = r.access {
        if a.load {
            let _ = write!(s, " mem {:#018x}", a.va);
        }
        if let Some(v) = r.stored {
            let width = usize::from(a.size) * 2;
            let _ = write!(s, " mem {:#018x} 0x{v:0width$x}", a.va);
        }
    }
    s.push('\n');
}

/// CSRs that an instruction writes, whether or not their values change: of a CSR instruction, of a return, and fflags if new flags are up.
fn written(r: &Retired<'_>) -> [Option<u16>; 2] {
    let virt = r.mode.virt();
    let csr = match (r.insn.def.name, virt) {
        ("csrrw" | "csrrwi", _) => Some(r.insn.csr()),
        ("csrrs" | "csrrc" | "csrrsi" | "csrrci", _) if r.insn.rs1 != 0 => Some(r.insn.csr()),
        ("mret", _) => return [Some(table::MSTATUS), None],
        ("sret", false) => {
            let hstatus = r.hart.csr.exists(table::HSTATUS).then_some(table::HSTATUS);
            return [Some(table::MSTATUS), hstatus];
        }
        ("sret", true) => return [Some(table::VSSTATUS), None],
        _ => None,
    };
    match csr {
        Some(table::SSTATUS) if virt => [Some(table::VSSTATUS), None],
        Some(table::SSTATUS) => [Some(table::MSTATUS), None],
        Some(table::FCSR) => [Some(table::FFLAGS), Some(table::FRM)],
        Some(csr) if virt => [Some(table::replaced(csr)), None],
        None if r.fcsr != r.hart.csr.fcsr => [Some(table::FFLAGS), None],
        csr => [csr, None],
    }
}
