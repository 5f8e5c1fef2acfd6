//! Domains: groups of harts with memory of their own. What a hart of a domain may reach is kept by PMP, and by the firmware where it is asked to
//! reach memory or harts in the supervisor's name. Harts that are named in no domain belong to the root domain.

use emu_core::board::Partition;
use emu_core::board::partition::Ranges;

use crate::memory::Access;

/// PMP entries a hart of this machine has.
const ENTRIES: usize = 16;
/// What one page of memory takes.
const PAGE: u64 = 4096;

/// What the supervisor may do in a region: bits of a PMP configuration byte.
pub mod permission {
    /// Read.
    pub const READ: u8 = 1;
    /// Write.
    pub const WRITE: u8 = 2;
    /// Execute.
    pub const EXECUTE: u8 = 4;
    /// All.
    pub const ALL: u8 = 7;
}

/// A range of physical addresses and what may be done there; nothing, if all bits of [`permission`] are clear.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region {
    /// First address, a multiple of 4096.
    pub base: u64,
    /// Bytes, a multiple of 4096.
    pub size: u64,
    /// Bits of [`permission`].
    pub allowed: u8,
}

impl Region {
    /// Everything: all 2^56 physical addresses, and, as far as the firmware's checks go, what lies beyond them.
    pub const WHOLE: Region = Region { base: 0, size: 1 << 56, allowed: permission::ALL };

    fn end(&self) -> u64 {
        if self.size >= Region::WHOLE.size { u64::MAX } else { self.base.saturating_add(self.size) }
    }
}

/// Where a domain starts by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Boot {
    /// mhartid.
    pub hart: u64,
    /// First instruction, in HS-mode.
    pub entry: u64,
    /// a1.
    pub arg: u64,
}

/// A domain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Domain {
    /// Its name; `root` is that of all harts that no other domain names.
    pub name: String,
    /// mhartid of its harts.
    pub harts: Vec<u64>,
    /// Its memory. Where regions overlap the first one counts, and what none names is closed.
    pub regions: Vec<Region>,
    /// Where it starts when the machine does; without it, it never does, for no other domain may start its harts.
    pub boot: Option<Boot>,
    /// Whether it may reset the machine or power it off.
    pub may_reset: bool,
}

/// A configuration of domains that cannot be.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[allow(missing_docs)] // the messages say it
pub enum DomainError {
    #[error("domain {0} is given twice; give each another name")]
    Twice(String),
    #[error("hart {1} is in domain {0} and in another one; give each hart one domain")]
    Hart(String, u64),
    #[error("domain {0}: {1:#x}+{2:#x} is no range of whole pages; give multiples of 4096")]
    Region(String, u64, u64),
    #[error(
        "domain {0} needs {1} PMP entries, and harts have {ENTRIES}; give fewer regions, or such of a power of two at a multiple of it"
    )]
    Entries(String, usize),
    #[error("domain {0} boots at {1:#x}, where it may not execute, or on hart {2}, which it has not; correct its boot= or mem=")]
    Boot(String, u64, u64),
    #[error("domain root holds the harts that no other domain names, and starts by itself; leave out its harts= and boot=")]
    Root,
}

/// All domains of a machine, as calls ask for them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Domains {
    list: Vec<Domain>,
    /// Closed to every domain: the firmware's own.
    reserved: Vec<Region>,
}

impl Domains {
    /// Domains beside the firmware's own memory (first address, bytes).
    pub fn new(list: &[Domain], reserved: &[(u64, u64)]) -> Domains {
        let closed = |&(base, size): &(u64, u64)| Region { base, size, allowed: 0 };
        Domains { list: list.to_vec(), reserved: reserved.iter().map(closed).collect() }
    }

    /// Finds what contradicts itself or cannot be enforced.
    pub fn check(&self) -> Result<(), DomainError> {
        for (i, d) in self.list.iter().enumerate() {
            let others = &self.list[..i];
            if others.iter().any(|o| o.name == d.name) {
                return Err(DomainError::Twice(d.name.clone()));
            }
            if d.name == "root" && (!d.harts.is_empty() || d.boot.is_some()) {
                return Err(DomainError::Root);
            }
            if let Some(&h) = d.harts.iter().find(|h| others.iter().any(|o| o.harts.contains(h))) {
                return Err(DomainError::Hart(d.name.clone(), h));
            }
            let whole = |v: u64| v.is_multiple_of(PAGE);
            if let Some(r) = d
                .regions
                .iter()
                .find(|r| r.size == 0 || !whole(r.base) || !whole(r.size) || r.base.saturating_add(r.size) > 1 << 56)
            {
                return Err(DomainError::Region(d.name.clone(), r.base, r.size));
            }
            let entries = self.entries(&d.regions).len();
            if entries > ENTRIES {
                return Err(DomainError::Entries(d.name.clone(), entries));
            }
            if let Some(b) = d.boot
                && (!d.harts.contains(&b.hart) || !allows(&d.regions, b.entry, b.entry.saturating_add(4), permission::EXECUTE))
            {
                return Err(DomainError::Boot(d.name.clone(), b.entry, b.hart));
            }
        }
        Ok(())
    }

    /// The domains that start by themselves, with where.
    pub fn boots(&self) -> impl Iterator<Item = Boot> + '_ {
        self.list.iter().filter_map(|d| d.boot)
    }

    /// Which domain a hart is in; none is the root domain, if it is not configured.
    pub fn of(&self, hart: u64) -> Option<&Domain> {
        let named = self.list.iter().find(|d| d.harts.contains(&hart));
        named.or_else(|| self.list.iter().find(|d| d.name == "root"))
    }

    /// Whether two harts are in one domain.
    pub fn same(&self, a: u64, b: u64) -> bool {
        let name = |h| self.of(h).map(|d| d.name.as_str());
        self.list.is_empty() || name(a) == name(b)
    }

    /// The memory of a hart's domain.
    fn regions(&self, hart: u64) -> &[Region] {
        self.of(hart).map_or(&[Region::WHOLE], |d| &d.regions)
    }

    /// Whether a hart's domain allows an access to every one of `len` bytes at `at`, and none of them is the firmware's.
    pub fn allow(&self, hart: u64, at: u64, len: u64, access: Access) -> bool {
        let end = at.saturating_add(len.max(1));
        let need = match access {
            Access::Read => permission::READ,
            Access::Write => permission::WRITE,
            Access::Execute => permission::EXECUTE,
        };
        self.open(self.regions(hart), at, end, need)
    }

    fn open(&self, regions: &[Region], at: u64, end: u64, need: u8) -> bool {
        !self.reserved.iter().any(|r| at < r.end() && r.base < end) && allows(regions, at, end, need)
    }

    /// What the domain of hart `boot`, of those with these ids, has not.
    pub fn partition(&self, boot: u64, ids: &[u64]) -> Partition {
        Partition {
            harts: ids.iter().copied().filter(|&id| !self.same(boot, id)).collect(),
            memory: self.closed(boot, permission::ALL),
            devices: self.closed(boot, permission::READ | permission::WRITE),
        }
    }

    /// Where a hart's domain may not do all of `need`.
    fn closed(&self, hart: u64, need: u8) -> Ranges {
        let regions = self.regions(hart);
        let limit = Region::WHOLE.size;
        // Between two edges every byte is as its neighbour.
        let mut edges: Vec<u64> = regions.iter().chain(&self.reserved).flat_map(|r| [r.base, r.end().min(limit)]).collect();
        edges.extend([0, limit]);
        edges.sort_unstable();
        edges.dedup();
        let mut out = Ranges::new();
        for pair in edges.windows(2) {
            let (at, end) = (pair[0], pair[1]);
            if self.open(regions, at, end, need) {
                continue;
            }
            match out.last_mut() {
                Some(last) if last.0 + last.1 == at => last.1 += end - at,
                _ => out.push((at, end - at)),
            }
        }
        out
    }

    /// PMP entries (pmpaddr, pmpcfg) of a hart.
    pub fn pmp(&self, hart: u64) -> Vec<(u64, u8)> {
        self.entries(self.regions(hart))
    }

    fn entries(&self, regions: &[Region]) -> Vec<(u64, u8)> {
        let mut out = Vec::new();
        for r in self.reserved.iter().chain(regions) {
            if r.size.is_power_of_two() && r.size >= 8 && r.base.is_multiple_of(r.size) {
                // NAPOT; the whole address space is all ones.
                let ones = if r.size >= 1 << 56 { u64::MAX } else { r.base >> 2 | ((r.size >> 3) - 1) };
                out.push((ones, 3 << 3 | r.allowed));
            } else {
                // TOR takes its lower end from the entry before, which is off.
                out.push((r.base >> 2, 0));
                out.push((r.end() >> 2, 1 << 3 | r.allowed));
            }
        }
        out
    }
}

/// As PMP decides: for each byte the first region that has it.
fn allows(regions: &[Region], at: u64, end: u64, need: u8) -> bool {
    if at >= end {
        return true;
    }
    let Some((i, r)) = regions.iter().enumerate().find(|(_, r)| at < r.end() && r.base < end) else { return false };
    let rest = &regions[i + 1..];
    r.allowed & need == need && allows(rest, at, r.base.min(end), need) && allows(rest, r.end().max(at), end, need)
}
