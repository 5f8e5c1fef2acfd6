//! Handlers that are still there, and firmware that keeps to itself: E16 to E21.

use emu_core::board;
use emu_core::board::load::{Bios, File, Images};
use emu_core::firmware::Platform;
use emu_core::machine::{EngineKind, Machine, MachineConfig};
use emu_csr::{Mode, table};
use replay::oracle::{Chosen, Monitor, OnViolation};
use sbi_model::bug::BugId;

use crate::common::*;
use crate::*;

/// The checks.
pub fn checks() -> Vec<Check> {
    vec![
        check(
            "E16",
            "handler must be 0x801105e8 with contents 7879bcd798e6c1b7, is 0x801105e8 with contents",
            careless(1),
            |r, careless| {
                r.arm(0, LOCAL);
                if careless {
                    r.store(handler(LOCAL), &[EBREAK]);
                }
                r.sse(0, UNMASK, &[]);
                r.sse(0, INJECT, &[LOCAL.into(), 0]);
            },
        ),
        // The same bytes lie elsewhere.
        check(
            "E16",
            "handler must be 0x801105e8 with contents 7879bcd798e6c1b7, is 0x803105e8 with contents 7879bcd798e6c1b7",
            careless(1),
            |r, careless| {
                // Sv39 with one gigapage, to itself.
                r.put(TABLE + 2 * 8, RAM >> 2 | 0xcf);
                r.csrw(0, u32::from(table::SATP), 8 << 60 | TABLE >> 12);
                r.arm(0, LOCAL);
                if careless {
                    // Two megabytes below, where the code has a copy.
                    r.put(TABLE + 2 * 8, (TABLE + 4096) >> 2 | 1);
                    for i in 0..512 {
                        r.put(TABLE + 4096 + i * 8, (RAM + (i << 21)) >> 2 | 0xcf);
                    }
                    r.put(TABLE + 4096, (RAM + (1 << 21)) >> 2 | 0xcf);
                    r.store((1 << 21) + HANDLER, &[NOP; 0x2000]);
                    r.store((1 << 21) + CALL, &[0x73, NOP, NOP, NOP]);
                    r.exec(0, &[SFENCE_VMA]);
                }
                r.sse(0, UNMASK, &[]);
                r.sse(0, INJECT, &[LOCAL.into(), 0]);
            },
        ),
        check(
            "E17",
            "call must be a return to the caller, is firmware waits",
            On { bug: Some(BugId::SelfIpi), ..HEALTHY },
            |r, _| {
                r.arm(0, GLOBAL);
                r.sse(0, INJECT, &[GLOBAL.into(), 0]);
                r.sse(0, DISABLE, &[GLOBAL.into()]);
                r.sse(0, ENABLE, &[GLOBAL.into()]);
            },
        ),
        check("E18", "memory at 0x8013fff8 must be 0x0, is 0x5555", after(|p, h| beside(p, h, BUFFER - 8)), |r, _| {
            _ = r.get(0, LOCAL, 1)
        }),
        check("E18", "memory at 0x80140008 must be 0x0, is 0x5555", after(|p, h| beside(p, h, BUFFER + 8)), |r, _| {
            _ = r.get(0, LOCAL, 1)
        }),
        check(
            "E18",
            "exception must be none of M-mode's own, is a load access fault",
            On { bug: Some(BugId::ExitNull), harts: 2, cpu: "max,sscofpmf=off", ..HEALTHY },
            |r, _| {
                r.call(1, HSM, 1, &[]);
            },
        ),
        check("E19", "complete must be on hart 0, is on hart 1, with the stack of the handler", careless(2), |r, careless| {
            r.in_handler(LOCAL);
            r.steps(0, 3);
            if careless {
                r.machine.harts_mut()[1].x[2] = r.machine.harts()[0].x[2] - 64;
            }
            r.sse(1, COMPLETE, &[]);
        }),
        check(
            "E20",
            "V must be 0, as in the context that M-mode was entered from or that was interrupted, is 1",
            On { bug: Some(BugId::SpvNotCleared), ..HEALTHY },
            |r, _| {
                r.csrw(0, u32::from(table::HSTATUS), 2 << 32 | SPV);
                completed(r, false);
            },
        ),
        check(
            "E20",
            "pc must be code of the guest, is 0x80100004, at 0x80100004 where HS-mode runs",
            careless(1),
            |r, careless| {
                r.arm(0, LOCAL);
                r.csrw(0, u32::from(table::SEPC), if careless { CALL + 4 } else { BUFFER });
                r.csrw(0, u32::from(table::HSTATUS), 2 << 32 | SPV);
                r.exec(0, &[SRET]);
            },
        ),
        check("E21", "stvec must be 0x80120000, is 0x80121000", careless(1), |r, careless| {
            r.arm(0, LOCAL);
            if careless {
                r.csrw(0, u32::from(table::STVEC), OTHER_VECTOR);
            }
            r.sse(0, UNMASK, &[]);
            r.sse(0, INJECT, &[LOCAL.into(), 0]);
            r.breakpoint(0);
        }),
        // A handler that sets one of its own, and then another comes instead.
        check("E21", "stvec must be 0x80121000, is 0x80120000", careless(1), |r, careless| {
            r.in_handler(LOCAL);
            r.csrw(0, u32::from(table::STVEC), OTHER_VECTOR);
            if careless {
                r.machine.harts_mut()[0].csr.stvec = VECTOR;
            }
            r.breakpoint(0);
        }),
    ]
}

const SFENCE_VMA: u32 = 0x1200_0073;
const SRET: u32 = 0x1020_0073;
/// Page tables.
const TABLE: u64 = RAM + 0x60_0000;

fn beside(p: &mut Platform<'_>, h: usize, at: u64) {
    if is(p, h, READ) {
        p.bus.ram.write(at, 8, 0x5555, &mut Vec::new());
    }
}

/// Firmware of the guest's own that never answers a call, with the beginning of its handler replaced.
fn foreign(handler: &[u32]) -> Monitor {
    let board = board::Config { harts: 1, ram_size: 16 << 20, ..board::Config::default() };
    let kernel = File { name: "stuck.elf", bytes: include_bytes!("../../../roms/test/stuck.elf") };
    let images = Images { bios: Bios::None, kernel: Some(kernel), ..Images::default() };
    let config = MachineConfig { board, engine: EngineKind::Block, quantum: 1000 };
    let mut machine = Machine::new(config, Vec::new(), &images, None).unwrap();
    let monitor = Monitor::new(&machine, Chosen::all(), OnViolation::Record, Vec::new());
    machine.set_observer(monitor.observer());
    while machine.harts()[0].mode != Mode::HS {
        machine.step_hart(0);
    }
    for (i, word) in handler.iter().enumerate() {
        let (at, bus) = (machine.harts()[0].csr.mtvec + 4 * i as u64, machine.bus_mut());
        let mut touched = Vec::new();
        assert!(bus.ram.write_bytes(at, &word.to_le_bytes(), &mut touched));
        bus.code_writes.append(&mut touched);
    }
    for _ in 0..3 {
        machine.run(machine.cycles() + 7_000_000);
        monitor.look(&machine);
    }
    monitor
}

fn told(m: &Monitor) -> Vec<String> {
    m.violations().iter().map(|v| v.text(|a| format!("{a:#x}"))).collect()
}

#[test]
fn foreign_firmware_that_does_not_answer_violates_e17_once() {
    let all = told(&foreign(&[]));
    assert_eq!(all.len(), 1, "{all:?}");
    let says = "call must be function 0 of extension 0x10 returns, is still in M-mode after 20000000 instructions";
    assert!(all[0].starts_with("violation of E17 ") && all[0].contains(says), "{all:?}");
}

#[test]
fn an_exception_of_foreign_firmwares_own_violates_e18() {
    // lw zero,0(zero), where there is no memory.
    let all = told(&foreign(&[0x2003]));
    let says = "exception must be none of M-mode's own, is load access fault";
    assert!(all[0].starts_with("violation of E18 ") && all[0].contains(says), "{all:?}");
}

#[test]
fn an_access_in_the_name_of_a_lower_mode_may_fault() {
    // lui t0,0x20; csrs mstatus,t0 (MPRV); lw zero,0(zero). The fault begins it anew.
    let all = told(&foreign(&[0x0002_02b7, 0x3002_a073, 0x2003]));
    assert!(all.iter().all(|l| !l.contains("E18")), "{all:?}");
}
