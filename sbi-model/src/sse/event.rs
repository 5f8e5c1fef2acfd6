//! One software event: its ids, attributes and state.

use emu_core::dev::StateIo;

/// Event ids (SBI, "Software Event Identification").
pub mod id {
    /// Local high-priority RAS.
    pub const LOCAL_RAS_HIGH: u32 = 0x0000_0000;
    /// Local double trap.
    pub const DOUBLE_TRAP: u32 = 0x0000_0001;
    /// Global high-priority RAS.
    pub const GLOBAL_RAS_HIGH: u32 = 0x0000_8000;
    /// Local PMU overflow.
    pub const PMU_OVERFLOW: u32 = 0x0001_0000;
    /// Local low-priority RAS.
    pub const LOCAL_RAS_LOW: u32 = 0x0010_0000;
    /// Global low-priority RAS.
    pub const GLOBAL_RAS_LOW: u32 = 0x0010_8000;
    /// Local software.
    pub const LOCAL_SOFTWARE: u32 = 0xffff_0000;
    /// Global software.
    pub const GLOBAL_SOFTWARE: u32 = 0xffff_8000;

    /// The standard events.
    pub const STANDARD: [u32; 8] = [
        LOCAL_RAS_HIGH,
        DOUBLE_TRAP,
        GLOBAL_RAS_HIGH,
        PMU_OVERFLOW,
        LOCAL_RAS_LOW,
        GLOBAL_RAS_LOW,
        LOCAL_SOFTWARE,
        GLOBAL_SOFTWARE,
    ];

    /// Bit 15: all harts share one event.
    pub const fn is_global(id: u32) -> bool {
        id & 1 << 15 != 0
    }

    /// Bit 14: the platform's own.
    pub const fn is_platform(id: u32) -> bool {
        id & 1 << 14 != 0
    }
}

/// Attribute ids (SBI, "Software Event Attributes").
pub mod attr {
    /// State, pending, injectable.
    pub const STATUS: usize = 0;
    /// Priority, 32 bits, lower first.
    pub const PRIORITY: usize = 1;
    /// Bit 0: one-shot.
    pub const CONFIG: usize = 2;
    /// Hart id.
    pub const PREFERRED_HART: usize = 3;
    /// The handler.
    pub const ENTRY_PC: usize = 4;
    /// Its argument.
    pub const ENTRY_ARG: usize = 5;
    /// sepc of the interrupted context.
    pub const SEPC: usize = 6;
    /// Its flags.
    pub const FLAGS: usize = 7;
    /// Its a6.
    pub const A6: usize = 8;
    /// Its a7.
    pub const A7: usize = 9;
    /// How many there are.
    pub const COUNT: usize = 10;

    /// Their names.
    pub const NAMES: [&str; COUNT] = [
        "STATUS",
        "PRIORITY",
        "CONFIG",
        "PREFERRED_HART",
        "ENTRY_PC",
        "ENTRY_ARG",
        "INTERRUPTED_SEPC",
        "INTERRUPTED_FLAGS",
        "INTERRUPTED_A6",
        "INTERRUPTED_A7",
    ];
}

/// Bits of INTERRUPTED_FLAGS.
pub mod flag {
    /// sstatus.SPP.
    pub const SPP: u64 = 1;
    /// sstatus.SPIE.
    pub const SPIE: u64 = 2;
    /// hstatus.SPV.
    pub const SPV: u64 = 4;
    /// hstatus.SPVP.
    pub const SPVP: u64 = 8;
    /// sstatus.SPELP.
    pub const SPELP: u64 = 16;
    /// sstatus.SDT.
    pub const SDT: u64 = 32;
    /// All.
    pub const ALL: u64 = 63;
}

/// Values and bits of STATUS.
pub mod state {
    /// Not used.
    pub const UNUSED: u64 = 0;
    /// Has a handler.
    pub const REGISTERED: u64 = 1;
    /// May be delivered.
    pub const ENABLED: u64 = 2;
    /// Its handler runs.
    pub const RUNNING: u64 = 3;
    /// The bits of the state.
    pub const STATE: u64 = 3;
    /// Signalled and not yet delivered.
    pub const PENDING: u64 = 4;
    /// `sbi_sse_inject` may signal it.
    pub const INJECTABLE: u64 = 8;
}

/// One event, of one hart or of all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Event {
    /// Its id.
    pub id: u32,
    /// Its attributes, by [`attr`].
    pub attrs: [u64; attr::COUNT],
    /// Index of the hart it is for: a local event's own, a global one's preferred.
    pub hart: usize,
    /// The group of harts ([`super::state::HartEvents::group`]) that share it, if it is global. No state: it follows from the domains.
    pub group: usize,
    /// Whether the supervisor has said which hart it prefers.
    pub chosen: bool,
    /// Index of the hart that runs its handler, plus 1; 0 when none does.
    pub running_on: usize,
    /// Of a global event: index of the hart whose call holds it, plus 1.
    pub lock: usize,
    /// Whether it is in a hart's list of enabled events; an event can be left there by mistake.
    pub linked: bool,
    /// What private-resume firmware keeps of the interrupted context: hstatus, and mstatus's MPV, SIE, SPIE and SPP.
    pub hidden: [u64; 2],
}

impl Event {
    /// An event after boot, with the id of the hart it is for.
    pub fn new(id: u32, hart: usize, hart_id: u64) -> Event {
        let mut e = Event { id, hart, ..Event::default() };
        e.attrs[attr::STATUS] = state::INJECTABLE;
        e.attrs[attr::PREFERRED_HART] = hart_id;
        e
    }

    /// UNUSED, REGISTERED, ENABLED or RUNNING.
    pub fn state(&self) -> u64 {
        self.attrs[attr::STATUS] & state::STATE
    }

    /// Changes the state and nothing else.
    pub fn set_state(&mut self, to: u64) {
        self.attrs[attr::STATUS] = self.attrs[attr::STATUS] & !state::STATE | to;
    }

    /// Whether it waits to be delivered.
    pub fn pending(&self) -> bool {
        self.attrs[attr::STATUS] & state::PENDING != 0
    }

    /// Sets or clears the pending bit.
    pub fn set_pending(&mut self, on: bool) {
        let bit = if on { state::PENDING } else { 0 };
        self.attrs[attr::STATUS] = self.attrs[attr::STATUS] & !state::PENDING | bit;
    }

    /// What orders events: the smaller goes first (SBI, "Software Event Priority").
    pub fn key(&self) -> (u64, u32) {
        (self.attrs[attr::PRIORITY], self.id)
    }

    /// Whether completion disables it.
    pub fn one_shot(&self) -> bool {
        self.attrs[attr::CONFIG] & 1 != 0
    }

    /// Visits its state.
    pub fn visit(&mut self, io: &mut dyn StateIo) {
        for (name, v) in attr::NAMES.iter().zip(&mut self.attrs) {
            io.u64(name, v);
        }
        for (name, field) in
            [("sse hart", &mut self.hart), ("sse running on", &mut self.running_on), ("sse lock", &mut self.lock)]
        {
            let mut v = *field as u64;
            io.u64(name, &mut v);
            *field = v as usize;
        }
        let mut bits = u64::from(self.linked) | u64::from(self.chosen) << 1;
        io.u64("sse event flags", &mut bits);
        (self.linked, self.chosen) = (bits & 1 != 0, bits & 2 != 0);
        self.hidden.iter_mut().for_each(|v| io.u64("sse hidden", v));
    }
}

/// Where an event is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Of this hart, by index among its events.
    Local(usize, usize),
    /// Of all harts, by index among those.
    Global(usize),
}
