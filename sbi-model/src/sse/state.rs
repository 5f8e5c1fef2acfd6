//! All events of a machine.

use emu_core::dev::StateIo;
use emu_core::firmware::Platform;
use emu_csr::Ext;

use super::event::{Event, Place, id};
use crate::bug::BugId;
use crate::config::Rules;
use crate::error::SbiError;
use crate::profile::policy::{DomainScope, RasEvents};

/// What belongs to one hart.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HartEvents {
    /// Harts of one group share global events: index of its first hart. No state: it follows from the domains.
    pub group: usize,
    /// Not ready to receive events.
    pub masked: bool,
    /// Its local events, by id.
    pub local: Vec<Event>,
    /// Ids signalled by other harts that it has not looked at.
    pub queue: Vec<u32>,
    /// An IPI says that software events need this hart's attention.
    pub ipi: bool,
    /// Index of the hart that holds its list of enabled events, plus 1.
    pub lock: usize,
    /// Its list of enabled events has become a cycle: every walk of it is endless.
    pub cyclic: bool,
}

/// Software events.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sse {
    /// By hart index.
    pub harts: Vec<HartEvents>,
    /// Global events, by id, of one group of harts after the other.
    pub global: Vec<Event>,
}

impl Sse {
    /// The events of a machine whose boot hart has index `boot`. Which there are depends on the harts and on the firmware.
    pub fn new(rules: &Rules, platform: &Platform<'_>, boot: usize) -> Sse {
        let isa = platform.harts.first().map(|h| h.csr.isa);
        let mut ids: Vec<u32> = id::STANDARD
            .into_iter()
            .filter(|&e| match e {
                id::DOUBLE_TRAP => isa.is_some_and(|i| Ext::by_name("ssdbltrp").is_some_and(|e| i.has(e))),
                id::PMU_OVERFLOW => rules.bugs.has(BugId::PmuWithoutOverflow) || isa.is_some_and(|i| i.has(Ext::Sscofpmf)),
                id::LOCAL_SOFTWARE | id::GLOBAL_SOFTWARE => true,
                _ => rules.policies.ras_events == RasEvents::Offered && rules.known(e),
            })
            .chain(rules.platform_events.iter().copied().filter(|&e| id::is_platform(e)))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let hart_id = |i: usize| platform.harts.get(i).map_or(0, |h| h.id);
        let all = 0..platform.harts.len();
        let group = |i: usize| match rules.policies.domains {
            DomainScope::Shared => 0,
            DomainScope::PerDomain => all.clone().find(|&o| rules.domains.same(hart_id(o), hart_id(i))).unwrap_or(i),
        };
        // Until the supervisor prefers another hart it is the one that boots the group.
        let boots: Vec<u64> = rules.domains.boots().map(|b| b.hart).collect();
        let owner = |g: usize| {
            let starts = |i: &usize| group(*i) == g && (*i == boot || boots.contains(&hart_id(*i)));
            all.clone().find(starts).unwrap_or(g)
        };
        let global = |g: usize| {
            let shared = ids.iter().filter(|&&e| id::is_global(e));
            shared.map(move |&e| Event { group: g, ..Event::new(e, owner(g), hart_id(owner(g))) })
        };
        Sse {
            global: all.clone().filter(|&i| group(i) == i).flat_map(global).collect(),
            harts: (0..platform.harts.len())
                .map(|i| HartEvents {
                    group: group(i),
                    masked: true,
                    local: ids.iter().filter(|&&e| !id::is_global(e)).map(|&e| Event::new(e, i, hart_id(i))).collect(),
                    ..HartEvents::default()
                })
                .collect(),
        }
    }

    /// Whether hart index `hart` is one of those that share a global event.
    fn shares(&self, hart: usize, e: &Event) -> bool {
        self.harts.get(hart).is_some_and(|h| h.group == e.group)
    }

    /// The first hart of each group that shares global events, by index.
    pub fn groups(&self) -> impl Iterator<Item = usize> + '_ {
        self.harts.iter().enumerate().filter(|(i, h)| h.group == *i).map(|(i, _)| i)
    }

    /// The event of an id as hart index `hart` sees it. Unknown ids are INVALID_PARAM, known ones without a source NOT_SUPPORTED.
    pub fn find(&self, rules: &Rules, hart: usize, event: u32) -> Result<Place, SbiError> {
        let place = if id::is_global(event) {
            self.global.iter().position(|e| e.id == event && self.shares(hart, e)).map(Place::Global)
        } else {
            self.harts.get(hart).and_then(|h| h.local.iter().position(|e| e.id == event)).map(|i| Place::Local(hart, i))
        };
        place.ok_or_else(|| {
            let without_source = rules.known(event) && !rules.bugs.has(BugId::UnsupportedInvalid);
            if without_source { SbiError::NotSupported } else { SbiError::InvalidParam }
        })
    }

    /// The event at a place that [`Sse::find`] gave.
    pub fn at(&self, place: Place) -> &Event {
        match place {
            Place::Local(h, i) => &self.harts[h].local[i],
            Place::Global(i) => &self.global[i],
        }
    }

    /// The same, to change.
    pub fn at_mut(&mut self, place: Place) -> &mut Event {
        match place {
            Place::Local(h, i) => &mut self.harts[h].local[i],
            Place::Global(i) => &mut self.global[i],
        }
    }

    /// Places of the events that hart index `hart` could see: its own and the global ones of its group.
    pub fn places(&self, hart: usize) -> impl Iterator<Item = Place> + '_ {
        let local = self.harts.get(hart).map_or(0, |h| h.local.len());
        let global = (0..self.global.len()).filter(move |&i| self.shares(hart, &self.global[i]));
        (0..local).map(move |i| Place::Local(hart, i)).chain(global.map(Place::Global))
    }

    /// Visits it.
    pub fn visit(&mut self, io: &mut dyn StateIo) {
        for h in &mut self.harts {
            let mut bits = u64::from(h.masked) | u64::from(h.ipi) << 1 | u64::from(h.cyclic) << 2;
            io.u64("sse hart flags", &mut bits);
            (h.masked, h.ipi, h.cyclic) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0);
            let mut lock = h.lock as u64;
            io.u64("sse list lock", &mut lock);
            h.lock = lock as usize;
            let mut queue: Vec<u8> = h.queue.iter().flat_map(|e| e.to_le_bytes()).collect();
            io.bytes("sse queue", &mut queue);
            h.queue = queue.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            h.local.iter_mut().for_each(|e| e.visit(io));
        }
        self.global.iter_mut().for_each(|e| e.visit(io));
    }
}

impl Rules {
    /// Whether this firmware knows the id of a standard event.
    pub fn known(&self, event: u32) -> bool {
        let old = self.bugs.has(BugId::OldEventIds) && matches!(event, id::LOCAL_RAS_LOW | id::GLOBAL_RAS_LOW);
        id::STANDARD.contains(&event) && !old
    }
}
