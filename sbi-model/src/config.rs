//! What a firmware is built from.

use crate::bug::Bugs;
use crate::call::Extension;
use crate::domain::{Domain, Domains};
use crate::ext::mpxy::channel;
use crate::profile::{
    Profile,
    policy::{PlatformDrivers, Policies},
};

/// Extensions that a configuration may switch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Optional {
    /// MPXY, where the profile's platform has channels.
    pub mpxy: bool,
    /// NACL: only on request, because a supervisor that sees it uses it.
    pub nacl: bool,
}

impl Default for Optional {
    fn default() -> Optional {
        Optional { mpxy: true, nacl: false }
    }
}

impl Optional {
    /// Names and values, for a command line.
    pub fn by_name(&mut self, name: &str) -> Option<&mut bool> {
        match name {
            "mpxy" => Some(&mut self.mpxy),
            "nacl" => Some(&mut self.nacl),
            _ => None,
        }
    }

    /// Every name of [`Optional::by_name`].
    pub const NAMES: &[&str] = &["mpxy", "nacl"];
}

/// Choices made once, before boot. They are no state: a snapshot is restored into firmware of the same configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whose behaviour it shows.
    pub profile: &'static Profile,
    /// Defects it has besides.
    pub bugs: Bugs,
    /// Physical memory (first address, bytes) that only M-mode may use: where firmware of that kind would lie.
    pub reserved: Vec<(u64, u64)>,
    /// Ids of the platform's own software events: bit 14 is set.
    pub platform_events: Vec<u32>,
    /// Domains: [`Domains::check`] says whether they can be. None: every hart is in one that has all memory.
    pub domains: Vec<Domain>,
    /// Extensions that may be switched.
    pub optional: Optional,
    /// Vendor-specific extensions (SBI, "Vendor Specific Extension Space") of whoever embeds this firmware, with ids of
    /// [`crate::ext::VENDOR`]. What they keep goes into [`crate::state::State::vendor`].
    pub vendor: Vec<&'static Extension>,
}

impl Default for Config {
    fn default() -> Config {
        Config::new(Profile::spec())
    }
}

impl Config {
    /// A profile as it is.
    pub fn new(profile: &'static Profile) -> Config {
        Config {
            profile,
            bugs: Bugs::NONE,
            reserved: Vec::new(),
            platform_events: Vec::new(),
            domains: Vec::new(),
            optional: Optional::default(),
            vendor: Vec::new(),
        }
    }

    /// The defects of the profile and of the configuration.
    fn all_bugs(&self) -> Bugs {
        self.profile.bugs.iter().fold(self.bugs, |set, &id| set.with(id))
    }

    /// The policies that follow from both.
    pub fn policies(&self) -> Policies {
        self.all_bugs().applied(self.profile.policies)
    }
}

/// What follows from a [`Config`], in the form in which calls ask for it.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The profile.
    pub profile: &'static Profile,
    /// Policies, with those turned that a defect turns.
    pub policies: Policies,
    /// Defects.
    pub bugs: Bugs,
    /// See [`Config::reserved`].
    pub reserved: Vec<(u64, u64)>,
    /// See [`Config::platform_events`].
    pub platform_events: Vec<u32>,
    /// Domains, and the memory that none of them has.
    pub domains: Domains,
    /// See [`Config::optional`].
    pub optional: Optional,
    /// See [`Config::vendor`].
    pub vendor: Vec<&'static Extension>,
}

impl From<Config> for Rules {
    fn from(c: Config) -> Rules {
        let (policies, bugs) = (c.policies(), c.all_bugs());
        let mut platform_events = c.platform_events;
        // The event of the message channels.
        if c.optional.mpxy && policies.platform_drivers == PlatformDrivers::Present && !platform_events.contains(&channel::EVENT)
        {
            platform_events.push(channel::EVENT);
        }
        let domains = Domains::new(&c.domains, &c.reserved);
        Rules {
            domains,
            profile: c.profile,
            policies,
            bugs,
            reserved: c.reserved,
            platform_events,
            optional: c.optional,
            vendor: c.vendor,
        }
    }
}
