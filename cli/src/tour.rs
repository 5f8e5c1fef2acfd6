//! `trapeze` alone: a built-in program walks through the privilege modes, and each trap it takes is explained beside it.

use std::cell::RefCell;
use std::rc::Rc;

use emu_core::board::load::{Bios, File, Images};
use emu_core::machine::RunEnd;
use emu_core::observer::{Observer, TrapEntry, TrapReturn};

use crate::args::{Engine, TourArgs};
use crate::config::Config;
use crate::console::output::{self, Reader};
use crate::exit::{CliError, Exit};
use crate::{explain, machine};

const ROM: &[u8] = include_bytes!("../../roms/tour/tour.elf");
/// The program takes about 10,000 instructions.
const TOO_LONG: u64 = 10_000_000;

/// Something the machine told its observer.
enum Event {
    Trap(TrapEntry),
    Return(TrapReturn),
}

/// Collects events until they are printed.
#[derive(Clone, Default)]
struct Ledger(Rc<RefCell<Vec<Event>>>);

impl Observer for Ledger {
    fn trap(&mut self, e: &TrapEntry) {
        self.0.borrow_mut().push(Event::Trap(e.clone()));
    }

    fn ret(&mut self, r: &TrapReturn) {
        self.0.borrow_mut().push(Event::Return(r.clone()));
    }
}

/// Runs the tour.
pub fn run(args: &TourArgs) -> Result<Exit, CliError> {
    let config = Config { memory: 16 << 20, engine: Engine::Step, bios: "none".into(), ..Config::default() };
    let images = Images { bios: Bios::None, kernel: Some(File { name: "tour.elf", bytes: ROM }), ..Images::default() };
    let mut guest = machine::start(&config, machine::board_config(&config)?, Vec::new(), &images)?;
    let ledger = Ledger::default();
    guest.set_observer(Box::new(ledger.clone()));
    let (mut traps, mut returns) = (0, 0);
    loop {
        // One cycle at a time, so that what the program prints and what happens to it come in order.
        let end = guest.run(guest.cycles() + 1);
        let mut text = String::from_utf8_lossy(&guest.take_console_output()).into_owned();
        for e in ledger.0.borrow_mut().drain(..) {
            let said = match &e {
                Event::Trap(t) => {
                    traps += 1;
                    explain::trap(t)
                }
                Event::Return(r) => {
                    returns += 1;
                    explain::ret(r)
                }
            };
            let lines = if args.brief { 1 } else { usize::MAX };
            for line in said.lines().take(lines) {
                text += &format!("    {line}\n");
            }
        }
        if !text.is_empty() && output::write(text.as_bytes())? == Reader::Gone {
            return Ok(Exit::Ok);
        }
        match end {
            RunEnd::Limit if guest.cycles() < TOO_LONG => {}
            RunEnd::PowerOff(0) => break,
            other => return Err(CliError::Mismatch(format!("the tour ended unexpectedly: {}", other))),
        }
    }
    output::print(&format!("\n{traps} traps, {returns} returns, {} instructions\n", guest.instret()))?;
    Ok(Exit::Ok)
}
