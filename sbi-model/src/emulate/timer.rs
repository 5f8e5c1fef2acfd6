//! The machine timer, for harts whose supervisor has no stimecmp (SBI, "Timer Extension").

use emu_core::bus::Bus;
use emu_core::dev::Clint;
use emu_core::firmware::Platform;
use emu_core::hart::{Hart, event};
use emu_csr::table::{self, field::menvcfg};
use emu_csr::{Effects, Ext, Interrupt};

/// MTIP: the supervisor's timer has expired. It becomes STIP, and MTIP is masked until the next call sets a time.
pub fn expired(platform: &mut Platform<'_>, hart: usize) {
    let h = &mut platform.harts[hart];
    enable(h, platform.bus, false);
    let effects = h.csr.set_line(Interrupt::STimer, true);
    h.apply(effects);
}

/// Programs the supervisor's next timer interrupt for mtime `ticks`, and makes STIP not pending unless that has passed.
pub fn set(platform: &mut Platform<'_>, hart: usize, ticks: u64) {
    let h = &mut platform.harts[hart];
    if h.csr.isa.has(Ext::Sstc) && h.csr.menvcfg & menvcfg::STCE != 0 {
        h.csr.set_stimecmp(ticks, platform.bus.clock.ticks(h.cycles));
        h.apply(Effects::TIMER.with(Effects::INTERRUPTS));
        return;
    }
    if let Some(clint) = platform.bus.device::<Clint>() {
        clint.set_mtimecmp(hart, ticks);
    }
    let mtip = platform.bus.hart_lines(hart, h.cycles).mtip;
    let effects = h.csr.set_line(Interrupt::STimer, false).with(h.csr.set_line(Interrupt::MTimer, mtip));
    h.apply(effects);
    enable(h, platform.bus, true);
    h.events |= event::DEADLINE;
    platform.bus.lines_changed = true;
}

fn enable(h: &mut Hart, bus: &Bus, on: bool) {
    let now = h.now(bus);
    let mask = Interrupt::MTimer.mask();
    let mie = if on { h.csr.mie | mask } else { h.csr.mie & !mask };
    h.csr.poke(table::MIE, mie, &now);
    h.apply(Effects::INTERRUPTS);
}
